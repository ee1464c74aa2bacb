//! The last receiver's end: what is inside is dropped at once, and whoever sends gets its value back.

use super::{Tally, add_thread, filled};
use crate::harness::{Case, Model, witness};
use millpond_loom::Sender;
use std::sync::Arc;

/// Checks, with a sender still alive, that every value is gone: received, given back, or dropped with the last receiver.
fn gone(tally: &Tally, tx: &Arc<Sender<crate::harness::Value>>) {
    assert!(tx.is_closed());
    assert!(tx.is_empty());
    tally.assert_settled();
}

/// One send against the last receiver's drop: the value comes back, or is dropped exactly once.
#[test]
fn last_receivers_drop_against_try_send() {
    Model::new("try_send, drop of the receiver").floor(20).witnesses(&["closed to send", "sent"]).run(
        |case| {
            let tally = Tally::default();
            let (tx, rx) = filled(2, 1, &tally);
            let tx = Arc::new(tx);
            let (book, sender) = (tally.clone(), Arc::clone(&tx));
            case.thread(move || {
                if book.try_send(&sender, book.value(1, 0)) {
                    witness("sent");
                }
            });
            let book = tally.clone();
            case.thread(move || {
                book.turn();
                drop(rx);
            });
            case.finish(move || gone(&tally, &tx));
        },
    );
}

/// So many senders sleep on a full channel, or are about to, and the last receiver goes.
fn senders_and_the_last_receiver(case: &mut Case, senders: u32) {
    let tally = Tally::default();
    let (tx, rx) = filled(1, 1, &tally);
    let tx = Arc::new(tx);
    for sender in 1..=senders {
        let (tally, tx) = (tally.clone(), Arc::clone(&tx));
        add_thread(case, sender, move || {
            // It may fill the place that the drop has just emptied: that is no success, for the channel is closed.
            assert!(!tally.send(&tx, tally.value(sender, 0)), "sent into a channel without receivers");
        });
    }
    case.thread(move || drop(rx));
    case.finish(move || gone(&tally, &tx));
}

#[test]
fn last_receivers_drop_against_a_sleeping_sender() {
    Model::new("send, drop of the receiver")
        .floor(20)
        .witnesses(&["sender slept", "closed to send"])
        .run(|case| senders_and_the_last_receiver(case, 1));
}

#[test]
fn last_receivers_drop_against_two_sleeping_senders() {
    Model::new("send, send, drop of the receiver")
        .preemptions(1)
        .floor(2_500)
        .witnesses(&["sender slept", "closed to send"])
        .run(|case| senders_and_the_last_receiver(case, 2));
}

/// Two receivers, of which one receives, go at the same time as something is sent: one of them is the last.
#[test]
fn two_receivers_drop_against_a_send() {
    Model::new("try_send, recv + drop, drop")
        .preemptions(2)
        .floor(1_000)
        .witnesses(&["closed to send", "empty"])
        .run(|case| {
            let tally = Tally::default();
            let (tx, rx) = filled(2, 0, &tally);
            let (tx, other) = (Arc::new(tx), rx.clone());
            let (book, sender) = (tally.clone(), Arc::clone(&tx));
            case.thread(move || {
                book.try_send(&sender, book.value(1, 0));
            });
            let book = tally.clone();
            case.thread(move || {
                let _ = book.try_recv(1, &rx);
                drop(rx);
            });
            case.thread(move || drop(other));
            case.finish(move || gone(&tally, &tx));
        });
}

/// Both ends go at once, with a value inside: it is dropped once, by whoever is last.
#[test]
fn both_ends_drop() {
    Model::new("drop, drop").floor(5).run(|case| {
        let tally = Tally::default();
        let (tx, rx) = filled(2, 2, &tally);
        case.thread(move || drop(tx));
        case.thread(move || drop(rx));
        case.finish(move || tally.assert_settled());
    });
}
