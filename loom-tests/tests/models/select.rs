//! Models of waiting for the first of several: on channels, and on the waiting layer alone, where the search can go deeper.

use crate::harness::{Ledger, Model, Value, block_on, note, witness};
use loom::sync::atomic::{AtomicUsize, Ordering};
use millpond_loom::model::{self, Attempt, Deadline, Source, WaitSet, WaitingAny, naps};
use millpond_loom::{Receiver, RecvError, Select, SelectTimeoutError, Sender, bounded};
use std::sync::Arc;
use std::time::Duration;

type Ends = Arc<[(Sender<Value>, Receiver<Value>); 2]>;

fn two_channels() -> Ends {
    Arc::new([bounded(1), bounded(1)])
}

/// Receives once from either channel; says from which, and notes a sleep.
fn receive(ends: &Ends) -> (usize, Result<u32, RecvError>) {
    let before = naps();
    let mut select = Select::new()
        .recv(&ends[0].1, |value| (0, value.map(|value| value.id())))
        .recv(&ends[1].1, |value| (1, value.map(|value| value.id())));
    let answer = select.wait().expect("two operations are there");
    witness(if naps() > before { "slept" } else { "awake" });
    note(format!("{answer:?}"));
    answer
}

fn receive_async(ends: &Ends) -> (usize, Result<u32, RecvError>) {
    let mut select = Select::new()
        .recv(&ends[0].1, |value| (0, value.map(|value| value.id())))
        .recv(&ends[1].1, |value| (1, value.map(|value| value.id())));
    block_on(select.wait_async()).expect("two operations are there")
}

fn send(ends: &Ends, channel: usize, ledger: &Ledger) {
    let id = u32::try_from(channel).expect("there are two");
    assert!(ends[channel].0.try_send(ledger.value(id)).is_ok(), "the channel has room");
}

/// Takes out what is left, and asserts how much that is.
fn settle(ends: &Ends, left: usize, ledger: &Ledger) {
    let found = ends.iter().filter(|(_, rx)| rx.try_recv().is_ok()).count();
    assert_eq!(found, left, "values that are left");
    ledger.assert_settled();
}

/// One receiver on two channels, a sender to each: one value is received, the other stays.
#[test]
fn two_senders() {
    Model::new("select, two sends")
        .preemptions(1)
        .floor(100)
        .witnesses(&["slept", "awake", "first", "second"])
        .run(|case| {
            let (ledger, ends) = (Ledger::default(), two_channels());
            let of = Arc::clone(&ends);
            case.thread(move || {
                let (channel, value) = receive(&of);
                assert_eq!(value, Ok(u32::try_from(channel).expect("there are two")));
                witness(["first", "second"][channel]);
            });
            for channel in [0, 1] {
                let (of, book) = (Arc::clone(&ends), ledger.clone());
                case.thread(move || send(&of, channel, &book));
            }
            case.finish(move || settle(&ends, 1, &ledger));
        });
}

/// A close, of a channel that is empty, ends the wait; a value that came into the other is not touched by that.
#[test]
fn a_close() {
    Model::new("select, close, send")
        .preemptions(1)
        .floor(100)
        .witnesses(&["slept", "awake", "closed", "received"])
        .run(|case| {
            let (ledger, ends) = (Ledger::default(), two_channels());
            let got = Arc::new(AtomicUsize::new(0));
            let (of, count) = (Arc::clone(&ends), Arc::clone(&got));
            case.thread(move || match receive(&of) {
                (0, Err(RecvError)) => witness("closed"),
                (1, Ok(1)) => {
                    witness("received");
                    count.store(1, Ordering::Relaxed);
                }
                other => panic!("{other:?}"),
            });
            let of = Arc::clone(&ends);
            case.thread(move || assert!(of[0].0.close()));
            let (of, book) = (Arc::clone(&ends), ledger.clone());
            case.thread(move || send(&of, 1, &book));
            case.finish(move || settle(&ends, 1 - got.load(Ordering::Relaxed), &ledger));
        });
}

/// A limit that passes at any moment: the value is received, or still there.
#[test]
fn a_timeout() {
    Model::new("select with a limit, send").floor(20).witnesses(&["in time", "timeout"]).run(|case| {
        let (ledger, ends) = (Ledger::default(), two_channels());
        let left = Arc::new(AtomicUsize::new(1));
        let (of, count) = (Arc::clone(&ends), Arc::clone(&left));
        case.thread(move || {
            let mut select = Select::new()
                .recv(&of[0].1, |value| value.map(|value| value.id()))
                .recv(&of[1].1, |value| value.map(|value| value.id()));
            match select.wait_timeout(Duration::ZERO) {
                Ok(value) => {
                    witness("in time");
                    assert_eq!(value, Ok(1));
                    count.store(0, Ordering::Relaxed);
                }
                Err(SelectTimeoutError::Timeout) => witness("timeout"),
                Err(error) => panic!("{error}"),
            }
        });
        let (of, book) = (Arc::clone(&ends), ledger.clone());
        case.thread(move || send(&of, 1, &book));
        case.finish(move || settle(&ends, left.load(Ordering::Relaxed), &ledger));
    });
}

/// Two that select on the same two channels, and one value in each: both get one. One that was woken by both channels
/// passes the second wake-up on.
#[test]
fn two_receivers_on_the_same_channels() {
    Model::new("select, select, two sends by one")
        .preemptions(0)
        .deeper(1, 1)
        .floor(1_000)
        .witnesses(&["slept", "awake"])
        .run(|case| {
            let (ledger, ends) = (Ledger::default(), two_channels());
            let of = Arc::clone(&ends);
            case.thread(move || assert!(receive(&of).1.is_ok()));
            let of = Arc::clone(&ends);
            case.twin(move || assert!(receive(&of).1.is_ok()));
            let (of, book) = (Arc::clone(&ends), ledger.clone());
            case.thread(move || [0, 1].into_iter().for_each(|channel| send(&of, channel, &book)));
            case.finish(move || settle(&ends, 0, &ledger));
        });
}

/// The same with a task and a thread.
#[test]
fn a_task_and_a_thread_on_the_same_channels() {
    Model::new("select, async select, two sends by one")
        .preemptions(0)
        .deeper(1, 1)
        .floor(1_000)
        .witnesses(&["slept", "awake"])
        .run(|case| {
            let (ledger, ends) = (Ledger::default(), two_channels());
            let of = Arc::clone(&ends);
            case.thread(move || assert!(receive(&of).1.is_ok()));
            let of = Arc::clone(&ends);
            case.thread(move || assert!(receive_async(&of).1.is_ok()));
            let (of, book) = (Arc::clone(&ends), ledger.clone());
            case.thread(move || [0, 1].into_iter().for_each(|channel| send(&of, channel, &book)));
            case.finish(move || settle(&ends, 0, &ledger));
        });
}

/// Sends by select into two full channels, against one who makes room in both.
#[test]
fn two_senders_by_select() {
    Model::new("select of sends, twice, two receives by one").preemptions(0).deeper(1, 1).floor(1_000).run(
        |case| {
            let (ledger, ends) = (Ledger::default(), two_channels());
            [0, 1].into_iter().for_each(|channel| send(&ends, channel, &ledger));
            for id in [2, 3] {
                let (of, book) = (Arc::clone(&ends), ledger.clone());
                let work =
                    move || {
                        let (mut one, mut two) = (Some(book.value(id)), Some(book.value(10 * id)));
                        let mut select = Select::new()
                            .send(&of[0].0, &mut one, |answer| answer.is_ok())
                            .send(&of[1].0, &mut two, |answer| answer.is_ok());
                        assert_eq!(select.wait(), Some(true));
                        drop(select);
                        assert!(one.is_some() != two.is_some(), "one was sent, the other stayed");
                    };
                if id == 3 { case.twin(work) } else { case.thread(work) }
            }
            let of = Arc::clone(&ends);
            case.thread(move || of.iter().for_each(|(_, rx)| drop(rx.recv().expect("it was full"))));
            case.finish(move || settle(&ends, 2, &ledger));
        },
    );
}

/// Somebody waits for a permit.
const WAIT: usize = 1;
/// One permit.
const ONE: usize = 2;

/// Permits to take, and those who wait for one.
#[derive(Default)]
struct Permits {
    word: AtomicUsize,
    waiters: WaitSet,
}

impl Permits {
    /// Adds a permit, and wakes one who waits.
    fn give(&self) {
        if self.word.fetch_add(ONE, Ordering::Release) & WAIT != 0 {
            self.waiters.notify(1, || self.disarm());
        }
    }

    fn disarm(&self) {
        self.word.fetch_and(!WAIT, Ordering::Relaxed);
    }
}

struct Take<'a>(&'a Permits);

impl Source for Take<'_> {
    type Output = ();

    fn attempt(&mut self) -> Attempt<()> {
        let mut word = self.0.word.load(Ordering::Relaxed);
        while word >= ONE {
            match self.0.word.compare_exchange(word, word - ONE, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Attempt::Done(()),
                Err(now) => word = now,
            }
        }
        Attempt::Blocked
    }

    fn waiters(&self) -> &WaitSet {
        &self.0.waiters
    }

    fn arm(&self) {
        self.0.word.fetch_or(WAIT, Ordering::Relaxed);
    }

    fn disarm(&self) {
        self.0.disarm();
    }
}

fn take_any(permits: &[Permits; 2], deadline: Deadline) -> bool {
    let before = naps();
    let done = model::block_on_any(&mut permits.each_ref().map(Take), deadline).is_ok();
    if naps() > before {
        witness("slept");
    }
    done
}

/// Deeper: one who is woken by both sources needs one, and another waits at both of them.
#[test]
fn wake_ups_that_are_not_needed_are_passed_on() {
    Model::new("any of two, one each, gives to both").preemptions(2).floor(1_000).witnesses(&["slept"]).run(
        |case| {
            let permits: Arc<[Permits; 2]> = Arc::default();
            let of = Arc::clone(&permits);
            case.thread(move || assert!(take_any(&of, Deadline::never())));
            let of = Arc::clone(&permits);
            case.twin(move || assert!(take_any(&of, Deadline::never())));
            case.thread(move || permits.iter().for_each(Permits::give));
        },
    );
}

/// The same where a limit may pass: who gave up takes nothing along.
#[test]
fn a_limit_that_passes_takes_no_wake_up_along() {
    Model::new("any of two in time, one, give")
        .preemptions(2)
        .floor(1_000)
        .witnesses(&["slept", "timeout", "in time"])
        .run(|case| {
            let permits: Arc<[Permits; 2]> = Arc::default();
            let of = Arc::clone(&permits);
            case.thread(move || {
                if take_any(&of, Deadline::after(Duration::ZERO)) {
                    witness("in time");
                    of[1].give();
                } else {
                    witness("timeout");
                }
            });
            let of = Arc::clone(&permits);
            case.thread(move || {
                let before = naps();
                model::block_on(&mut Take(&of[1]), Deadline::never()).expect("there is no limit");
                if naps() > before {
                    witness("slept");
                }
            });
            case.thread(move || permits[1].give());
        });
}

/// A task that waits for any, and is given up, passes on what it was given.
#[test]
fn a_task_that_is_given_up_passes_wake_ups_on() {
    Model::new("any of two given up, one, give")
        .preemptions(2)
        .floor(100)
        .witnesses(&["slept", "ready", "given up"])
        .run(|case| {
            let permits: Arc<[Permits; 2]> = Arc::default();
            let of = Arc::clone(&permits);
            case.thread(move || {
                let (_, waker) = crate::harness::Flag::new();
                let mut sources = of.each_ref().map(Take);
                let mut waiting = Box::pin(WaitingAny::new(&mut sources));
                if crate::harness::poll_once(waiting.as_mut(), &waker).is_ready() {
                    witness("ready");
                    of[1].give();
                } else {
                    witness("given up");
                }
            });
            let of = Arc::clone(&permits);
            case.thread(move || {
                let before = naps();
                model::block_on(&mut Take(&of[1]), Deadline::never()).expect("there is no limit");
                if naps() > before {
                    witness("slept");
                }
            });
            case.thread(move || permits[1].give());
        });
}
