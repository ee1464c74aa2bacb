//! The gate of a lossless channel: publishers that wait for the slowest subscriber, and the subscriber that goes away.
//!
//! The publishers' handles outlive the race, so that closing is no part of it.

use super::{Kind, channel, publish, receive};
use crate::harness::block_on;
use crate::harness::{Case, Ledger, Model, witness};
use millpond_loom::model::broadcast_near_wrap_around;
use std::time::Duration;

/// One publisher, and subscribers that receive everything, all of them asleep when they have to be.
fn one_to(subscribers: usize, capacity: usize, messages: u32) -> impl Fn(&mut Case) + Send + Sync {
    move |case| {
        let ledger = Ledger::default();
        let (publisher, first) = channel(Kind::Lossless, capacity, 1);
        for _ in 0..subscribers {
            let mut subscriber = publisher.subscribe();
            case.thread(move || receive(&mut subscriber, messages));
        }
        drop(first);
        let (book, open) = (ledger.clone(), publisher.clone());
        case.thread(move || publish(&publisher, &book, 0..messages));
        case.finish(move || {
            drop(open);
            ledger.assert_settled();
        });
    }
}

#[test]
fn one_to_one_capacity_1() {
    Model::new("broadcast gate 1x1, capacity 1")
        .preemptions(2)
        .floor(1_000)
        .witnesses(&["held up"])
        .run(one_to(1, 1, 2));
}

#[test]
fn one_to_one_capacity_2() {
    Model::new("broadcast gate 1x1, capacity 2")
        .preemptions(1)
        .floor(500)
        .witnesses(&["held up"])
        .run(one_to(1, 2, 3));
}

/// The last to leave wakes the publisher, whichever it is.
#[test]
fn one_to_two_capacity_1() {
    Model::new("broadcast gate 1x2, capacity 1").preemptions(1).floor(1_000).witnesses(&["held up"]).run(
        |case| {
            let ledger = Ledger::default();
            let (publisher, first) = channel(Kind::Lossless, 1, 1);
            let second = publisher.subscribe();
            publish(&publisher, &ledger, 0..1);
            for mut subscriber in [first, second] {
                case.thread(move || receive(&mut subscriber, 1));
            }
            let (book, open) = (ledger.clone(), publisher.clone());
            case.thread(move || publish(&publisher, &book, 1..2));
            case.finish(move || {
                drop(open);
                ledger.assert_settled();
            });
        },
    );
}

/// As the first, on a thread: it parks, where a task returns `Pending`.
#[test]
fn a_parked_publisher_is_woken() {
    Model::new("broadcast gate, parked thread").preemptions(2).floor(500).run(|case| {
        let ledger = Ledger::default();
        let (publisher, mut subscriber) = channel(Kind::Lossless, 1, 1);
        publish(&publisher, &ledger, 0..1);
        let (book, open) = (ledger.clone(), publisher.clone());
        case.thread(move || assert!(publisher.publish(book.value(1)).is_ok()));
        case.thread(move || receive(&mut subscriber, 1));
        case.finish(move || {
            drop(open);
            ledger.assert_settled();
        });
    });
}

/// Batches: several messages are left behind by one move, and whoever waits for any of them goes on.
#[test]
fn batches_through_the_gate() {
    Model::new("broadcast gate, batches").preemptions(0).floor(200).witnesses(&["held up", "several"]).run(
        |case| {
            let (publisher, mut subscriber) = broadcast_near_wrap_around(Kind::Lossless, 2, 1);
            case.thread(move || {
                for number in 0..3 {
                    if publisher.try_publish(number).is_err() {
                        witness("held up");
                        assert!(
                            block_on(publisher.publish_async(number)).is_ok(),
                            "nobody closes the channel"
                        );
                    }
                }
            });
            case.thread(move || {
                let mut messages = Vec::new();
                while messages.len() < 3 {
                    let count = subscriber.recv_many(&mut messages, 3).expect("three are published");
                    if count > 1 {
                        witness("several");
                    }
                }
                assert_eq!(messages, [0, 1, 2]);
            });
        },
    );
}

/// Two publishers wait at the same gate: whoever opens it wakes both, and the second waits at the next one.
#[test]
fn two_publishers_at_one_gate() {
    Model::new("broadcast gate 2x1, capacity 1").preemptions(0).floor(1_000).run(|case| {
        let ledger = Ledger::default();
        let (publisher, mut subscriber) = channel(Kind::Lossless, 1, 1);
        publish(&publisher, &ledger, 0..1);
        for id in 1..3 {
            let (publisher, ledger) = (publisher.clone(), ledger.clone());
            case.thread(move || assert!(publisher.publish(ledger.value(id)).is_ok()));
        }
        case.thread(move || {
            for _ in 0..2 {
                subscriber.recv_ref().expect("three are published").id();
            }
        });
        case.finish(move || {
            drop(publisher);
            ledger.assert_settled();
        });
    });
}

/// As before, but one of them is a task: it makes the gate strict while the thread may have armed it already.
#[test]
fn a_task_and_a_thread_at_one_gate() {
    Model::new("broadcast gate, task and thread").preemptions(0).floor(1_000).witnesses(&["held up"]).run(
        |case| {
            let ledger = Ledger::default();
            let (publisher, mut subscriber) = channel(Kind::Lossless, 1, 1);
            publish(&publisher, &ledger, 0..1);
            let (thread, book) = (publisher.clone(), ledger.clone());
            case.thread(move || assert!(thread.publish(book.value(1)).is_ok()));
            let (task, book) = (publisher.clone(), ledger.clone());
            case.thread(move || publish(&task, &book, 2..3));
            case.thread(move || {
                for _ in 0..2 {
                    subscriber.recv_ref().expect("three are published").id();
                }
            });
            case.finish(move || {
                drop(publisher);
                ledger.assert_settled();
            });
        },
    );
}

/// The subscriber that gates is dropped: the publisher that waits for it goes on.
#[test]
fn drop_of_the_subscriber_that_gates() {
    Model::new("broadcast gate, subscriber dropped").preemptions(3).floor(300).witnesses(&["held up"]).run(
        |case| {
            let ledger = Ledger::default();
            let (publisher, subscriber) = channel(Kind::Lossless, 1, 1);
            let (book, open) = (ledger.clone(), publisher.clone());
            case.thread(move || publish(&publisher, &book, 0..2));
            case.thread(move || drop(subscriber));
            case.finish(move || {
                drop(open);
                ledger.assert_settled();
            });
        },
    );
}

/// One of two subscribers that gate is dropped while the other receives.
#[test]
fn drop_of_one_of_two_that_gate() {
    Model::new("broadcast gate, one of two dropped").preemptions(1).floor(300).witnesses(&["held up"]).run(
        |case| {
            let ledger = Ledger::default();
            let (publisher, mut subscriber) = channel(Kind::Lossless, 1, 1);
            let other = publisher.subscribe();
            publish(&publisher, &ledger, 0..1);
            let (book, open) = (ledger.clone(), publisher.clone());
            case.thread(move || publish(&publisher, &book, 1..2));
            case.thread(move || drop(other));
            case.thread(move || receive(&mut subscriber, 1));
            case.finish(move || {
                drop(open);
                ledger.assert_settled();
            });
        },
    );
}

/// A publisher gives up waiting while the gate opens: the other one that waits is not forgotten.
#[test]
fn a_publisher_gives_up_at_the_gate() {
    const WITNESSES: &[&str] = &["gave up", "published"];
    Model::new("broadcast gate, one of two gives up").preemptions(0).floor(500).witnesses(WITNESSES).run(
        |case| {
            let ledger = Ledger::default();
            let (publisher, mut subscriber) = channel(Kind::Lossless, 1, 1);
            publish(&publisher, &ledger, 0..1);
            let (patient, book) = (publisher.clone(), ledger.clone());
            case.thread(move || assert!(patient.publish(book.value(1)).is_ok()));
            let (fickle, book) = (publisher.clone(), ledger.clone());
            case.thread(move || {
                let answer = fickle.publish_timeout(book.value(2), Duration::ZERO);
                witness(if answer.is_ok() { "published" } else { "gave up" });
            });
            case.thread(move || {
                // One more than there was: whoever waits gets through, if need be when we leave.
                for _ in 0..2 {
                    subscriber.recv_ref().expect("at least one more is published").id();
                }
            });
            case.finish(move || {
                drop(publisher);
                ledger.assert_settled();
            });
        },
    );
}
