//! The span and the events of a delivery, as a subscriber sees them.

#![expect(clippy::unwrap_used, reason = "a test ends where its premises do not hold")]

mod pool_common;

use millpond::{Context, Outcome, Pool, RetryPolicy};
use pool_common::quiet;
use std::fmt::Write;
use std::sync::{Arc, Mutex};
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

#[test]
fn every_delivery_has_a_span_with_id_queue_and_attempt() {
    let notes = Notebook::default();
    tracing::subscriber::set_global_default(notes.clone()).unwrap();
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
