//! Whoever hears of the end of a channel, by each way to hear of it, sees what those who ended it did before.

use crate::harness::{Case, Model, Past, witness};
use millpond_loom::broadcast;
use millpond_loom::{RecvError, Sender, TryRecvError, TrySendError};

/// One thread does something and then closes the channel, or drops the end that it has; another one asks by its own end, which it
/// keeps: to drop it could be what orders the two.
fn hears<E: Send + 'static>(
    case: &mut Case,
    close: impl FnOnce() + Send + 'static,
    mut end: E,
    hears: impl FnOnce(&mut E) -> bool + Send + 'static,
) {
    let past = Past::new(1);
    let deed = past.clone();
    case.thread(move || {
        deed.done(0);
        close();
    });
    case.thread(move || {
        check(&past, hears(&mut end));
        drop(end);
    });
}

/// Whoever has heard of the end sees the past.
fn check(past: &Past, heard: bool) {
    witness(if heard { "closed" } else { "open" });
    past.is_seen_if(heard);
}

fn model(name: &'static str) -> Model {
    Model::new(name).preemptions(2).floor(3).witnesses(&["open", "closed"])
}

/// The ways to hear of it that all kinds of ends have, for channels of a capacity.
macro_rules! ways {
    ($kind:ident, $capacity:literal, $make:expr) => {
        mod $kind {
            use super::*;

            #[test]
            fn a_send_and_the_receivers_end() {
                model(stringify!($kind try_send)).run(|case| {
                    let (tx, rx) = $make($capacity);
                    hears(case, move || drop(rx), tx, |tx| matches!(tx.try_send(7), Err(TrySendError::Closed(_))));
                });
            }

            #[test]
            fn is_closed_and_the_receivers_end() {
                model(stringify!($kind is_closed of a sender)).run(|case| {
                    let (tx, rx) = $make($capacity);
                    hears(case, move || drop(rx), tx, |tx| tx.is_closed());
                });
            }

            #[test]
            fn is_closed_and_the_senders_end() {
                model(stringify!($kind is_closed of a receiver)).run(|case| {
                    let (tx, rx) = $make($capacity);
                    hears(case, move || drop(tx), rx, |rx| rx.is_closed());
                });
            }

            #[test]
            fn a_receive_and_the_senders_end() {
                model(stringify!($kind try_recv)).run(|case| {
                    let (tx, rx) = $make($capacity);
                    hears(case, move || drop(tx), rx, |rx| rx.try_recv() == Err(TryRecvError::Closed));
                });
            }

            /// It may sleep until then.
            #[test]
            fn a_blocking_receive_and_the_senders_end() {
                Model::new(stringify!($kind recv)).preemptions(2).floor(3).witnesses(&["closed"]).run(|case| {
                    let (tx, rx) = $make($capacity);
                    hears(case, move || drop(tx), rx, |rx| rx.recv() == Err(RecvError));
                });
            }

            #[test]
            fn a_close_and_a_second_one() {
                model(stringify!($kind close)).run(|case| {
                    let (tx, rx) = $make($capacity);
                    let close = move || {
                        let _ = rx.close();
                    };
                    hears(case, close, tx, |tx| !tx.close());
                });
            }

            /// The other way to push: beside promises.
            #[test]
            fn a_promise_and_the_receivers_end() {
                model(stringify!($kind try_reserve)).run(|case| {
                    let (tx, rx) = $make($capacity);
                    hears(case, move || drop(rx), tx, |tx| matches!(tx.try_reserve(), Err(TrySendError::Closed(()))));
                });
            }
        }
    };
}

ways!(mpmc, 1, millpond_loom::bounded::<u32>);
ways!(mpmc_without_a_buffer, 0, millpond_loom::bounded::<u32>);
ways!(mpsc, 1, millpond_loom::mpsc::bounded::<u32>);
ways!(mpsc_without_a_buffer, 0, millpond_loom::mpsc::bounded::<u32>);
ways!(spsc, 1, millpond_loom::spsc::bounded::<u32>);
ways!(spsc_without_a_buffer, 0, millpond_loom::spsc::bounded::<u32>);

/// A send goes another way where room is promised to somebody.
#[test]
fn a_send_beside_a_promise_and_a_close() {
    model("try_send beside a promise").run(|case| {
        let (tx, rx) = millpond_loom::bounded(2);
        let promise = tx.try_reserve().expect("there is room").into_owned();
        let close = move || {
            let _ = rx.close();
        };
        hears(case, close, (tx, promise), |(tx, _)| matches!(tx.try_send(7), Err(TrySendError::Closed(_))));
    });
}

/// A sender goes, and then the last one: whoever hears of the end sees what the first of them did before, too.
#[test]
fn the_end_of_the_last_of_two_senders() {
    model("drop, drop, is_closed").run(|case| {
        let (tx, rx) = millpond_loom::bounded::<u32>(1);
        let past = Past::new(2);
        let (first, second) = ((past.clone(), tx.clone()), (past.clone(), tx));
        let go = |(past, tx): (Past, Sender<u32>), place| {
            past.done(place);
            drop(tx);
        };
        case.thread(move || go(first, 0));
        case.twin(move || go(second, 1));
        case.thread(move || check(&past, rx.is_closed()));
    });
}

/// The ways to hear that a broadcast channel is closed.
macro_rules! broadcasts {
    ($kind:ident, $make:expr) => {
        mod $kind {
            use super::*;

            #[test]
            fn a_subscriber_and_the_publishers_end() {
                model(stringify!($kind try_recv)).run(|case| {
                    let (publisher, subscriber) = $make(1);
                    hears(case, move || drop(publisher), subscriber, |subscriber| {
                        subscriber.try_recv() == Err(broadcast::TryRecvError::Closed)
                    });
                });
            }

            #[test]
            fn is_closed_and_the_publishers_end() {
                model(stringify!($kind is_closed)).run(|case| {
                    let (publisher, subscriber) = $make(1);
                    hears(case, move || drop(publisher), subscriber, |subscriber| subscriber.is_closed());
                });
            }

            #[test]
            fn a_close_and_a_second_one() {
                model(stringify!($kind close)).run(|case| {
                    let (publisher, subscriber) = $make(1);
                    let other = publisher.clone();
                    let close = move || {
                        let _ = other.close();
                    };
                    hears(case, close, (publisher, subscriber), |(publisher, _)| !publisher.close());
                });
            }

            /// The first message of all has the limit counted.
            #[test]
            fn a_first_publisher_and_a_close() {
                model(stringify!($kind publish the first)).run(|case| {
                    let (publisher, subscriber) = $make(1);
                    let other = publisher.clone();
                    hears(case, move || assert!(other.close()), (publisher, subscriber), |(publisher, _)| {
                        matches!(publisher.try_publish(7), Err(broadcast::TryPublishError::Closed(_)))
                    });
                });
            }

            #[test]
            fn a_publisher_and_a_close() {
                model(stringify!($kind publish)).run(|case| {
                    let (publisher, subscriber) = $make(4);
                    assert!(publisher.try_publish(1).is_ok());
                    let other = publisher.clone();
                    hears(case, move || assert!(other.close()), (publisher, subscriber), |(publisher, _)| {
                        matches!(publisher.try_publish(7), Err(broadcast::TryPublishError::Closed(_)))
                    });
                });
            }
        }
    };
}

broadcasts!(lossless, broadcast::lossless::<u32>);
broadcasts!(lossy, broadcast::lossy::<u32>);
