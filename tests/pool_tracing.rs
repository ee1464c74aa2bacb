//! The span and the events of a delivery, as a subscriber sees them.

#![expect(clippy::unwrap_used, reason = "a test ends where its premises do not hold")]

mod pool_common;

use millpond::{Context, Lease, Outcome, Pool, RetryPolicy, VirtualClock};
use pool_common::{Barrier, quiet, until};
use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Writes down what it is told, one line each.
#[derive(Default, Clone)]
struct Notebook(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Subscriber for Notebook {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("millpond")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line(format!("span {}", span.metadata().name()));
        span.record(&mut line);
        self.0.lock().unwrap().push(line.0);
        Id::from_u64(1)
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(format!("{}", event.metadata().level()));
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {
        self.0.lock().unwrap().push("enter".to_owned());
    }

    fn exit(&self, _: &Id) {
        self.0.lock().unwrap().push("exit".to_owned());
    }
}

/// Returns the notebook of the process, empty, for one test at a time.
fn notebook() -> (Notebook, MutexGuard<'static, ()>) {
    static NOTES: OnceLock<Notebook> = OnceLock::new();
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap();
    let notes = NOTES.get_or_init(|| {
        let notes = Notebook::default();
        tracing::subscriber::set_global_default(notes.clone()).unwrap();
        notes
    });
    notes.0.lock().unwrap().clear();
    (notes.clone(), turn)
}

/// A worker that is stuck beyond its lease is reported, with its number and its job, and so is the one that takes its place.
#[test]
fn a_stuck_worker_is_reported_with_its_number_and_its_job() {
    let (notes, _turn) = notebook();
    let (time, lease) = (VirtualClock::new(), Duration::from_secs(30));
    let (barrier, runs) = (Arc::new(Barrier::default()), AtomicUsize::new(0));
    let pool = Pool::builder().name("stuck").workers(1).clock(time.clock()).replace_stuck(true);
    let pool = pool.lease(Lease::of(lease)).start({
        let barrier = Arc::clone(&barrier);
        move |_: &(), _: &Context| {
            if runs.fetch_add(1, Ordering::SeqCst) == 0 {
                barrier.pass();
            }
        }
    });
    let pool = pool.unwrap();
    pool.submit(()).unwrap();
    barrier.wait_for(1);
    time.advance(lease);
    until("another does it", || pool.stats().done == 1);
    assert_eq!(pool.stats().leases_lost, 1);
    barrier.open();
    until("the settle of the stuck one is refused", || pool.stats().late == 1);
    drop(pool.shutdown(pool_common::LONG));

    let notes = notes.0.lock().unwrap();
    let told = |text: &str| {
        let line = notes.iter().find(|line| line.contains(text));
        line.unwrap_or_else(|| panic!("nobody told that {text}: {notes:#?}"))
    };
    for (text, level) in [("the lease is lost", "ERROR"), ("a stuck worker was replaced", "WARN")] {
        let line = told(text);
        let says = |field: &str| line.split(' ').any(|word| word == field);
        assert!(
            line.starts_with(level) && says("worker=0") && says("id=1") && says("queue=\"stuck\""),
            "{line}"
        );
    }
    assert!(told("a delivery that was taken away has ended").contains("queue=\"stuck\""));
}

#[test]
fn every_delivery_has_a_span_with_id_queue_and_attempt() {
    let (notes, _turn) = notebook();
    let pool = Pool::builder()
        .name("mail")
        .workers(1)
        .retry(RetryPolicy::fixed(Duration::ZERO).max_attempts(2))
        .start(|_: &(), cx: &Context| match cx.deliveries() {
            1 => Outcome::snooze(Duration::ZERO),
            2 => panic!("boom"),
            _ => Outcome::dead("hopeless"),
        })
        .unwrap();
    pool.submit(()).unwrap();
    quiet(&pool);
    drop(pool.shutdown(pool_common::LONG));

    let notes = notes.0.lock().unwrap();
    let expected = [
        "span millpond::delivery queue=\"mail\" id=1 attempt=1",
        "enter",
        "DEBUG message=snoozed id=1 delay=0ns",
        "exit",
        "span millpond::delivery queue=\"mail\" id=1 attempt=1",
        "enter",
        "WARN message=the handler panicked",
        "exit",
        "span millpond::delivery queue=\"mail\" id=1 attempt=2",
        "enter",
        "ERROR message=the job is dead",
        "exit",
        "INFO message=the pool is shut down",
    ];
    let seen: Vec<_> = notes.iter().filter(|line| !line.contains("trying again")).collect();
    assert_eq!(seen.len(), expected.len(), "{notes:#?}");
    for (line, expected) in seen.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line} does not start with {expected}: {notes:#?}");
    }
    let retry = notes.iter().find(|line| line.contains("trying again")).unwrap();
    assert!(retry.contains("error=\"boom\"") && retry.contains("attempt=1"), "{retry}");
}
