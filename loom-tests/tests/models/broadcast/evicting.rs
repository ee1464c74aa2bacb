//! Throwing a subscriber out, while it reads, or leaves, or moves on in the last moment.

use super::{Kind, channel, publish};
use crate::harness::{Ledger, Model, witness};
use millpond_loom::broadcast::TryRecvError;

/// A subscriber without patience on the publishers' side: thrown out at the second refusal, whatever it is just doing.
#[test]
fn evict_against_read() {
    Model::new("evict against read").preemptions(2).floor(500).witnesses(&["thrown out", "kept"]).run(
        |case| {
            let ledger = Ledger::default();
            let (publisher, mut subscriber) = channel(Kind::Evicting, 1, 1);
            let book = ledger.clone();
            case.thread(move || {
                for id in 0..3 {
                    assert!(publisher.publish(book.value(id)).is_ok());
                }
            });
            case.thread(move || {
                let mut next = 0;
                let end = loop {
                    match subscriber.try_recv_ref() {
                        Ok(message) => {
                            assert_eq!(message.id(), next);
                            next += 1;
                        }
                        Err(end) => break end,
                    }
                };
                witness(if end == TryRecvError::Evicted { "thrown out" } else { "kept" });
            });
            case.finish(move || ledger.assert_settled());
        },
    );
}

/// One is thrown out; the other, at the same position, has just moved on.
#[test]
fn evict_one_of_two() {
    Model::new("evict one of two")
        .preemptions(0)
        .deeper(1, 2)
        .floor(300)
        .witnesses(&["thrown out", "kept"])
        .run(|case| {
            let ledger = Ledger::default();
            let (publisher, first) = channel(Kind::Evicting, 1, 1);
            let second = publisher.subscribe();
            publish(&publisher, &ledger, 0..1);
            let book = ledger.clone();
            case.thread(move || assert!(publisher.publish(book.value(1)).is_ok()));
            for mut subscriber in [first, second] {
                case.thread(move || {
                    if let Ok(message) = subscriber.try_recv_ref() {
                        message.id();
                    }
                    witness(if subscriber.is_evicted() { "thrown out" } else { "kept" });
                });
            }
            case.finish(move || ledger.assert_settled());
        });
}

/// Two publishers wait; one of them throws the subscriber out, and both go on.
#[test]
fn evict_frees_all_publishers() {
    Model::new("evict frees all publishers").preemptions(2).floor(300).run(|case| {
        let ledger = Ledger::default();
        let (publisher, subscriber) = channel(Kind::Evicting, 1, 1);
        publish(&publisher, &ledger, 0..1);
        for id in 1..3 {
            let (publisher, ledger) = (publisher.clone(), ledger.clone());
            case.thread(move || assert!(publisher.publish(ledger.value(id)).is_ok()));
        }
        drop(publisher);
        case.finish(move || {
            drop(subscriber);
            ledger.assert_settled();
        });
    });
}
