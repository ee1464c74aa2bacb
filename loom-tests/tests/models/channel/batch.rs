//! `send_many` and `recv_many`: several positions by one claim, several sleepers by one notification.

use super::{Tally, add_thread, filled, settle};
use crate::harness::{Model, Value, witness};
use millpond_loom::{Receiver, Sender};
use std::sync::Arc;

impl Tally {
    /// Sends `count` values of `sender` in one call. Those that came back are booked as returned.
    fn send_many(&self, tx: &Sender<Value>, sender: u32, count: u32) {
        let values: Vec<_> = (0..count).map(|i| self.value(sender, i)).collect();
        let sent = match tx.send_many(values) {
            Ok(()) => count,
            Err(error) => {
                witness("closed midway");
                let sent = u32::try_from(error.sent).expect("few values");
                error.unsent.into_iter().for_each(|value| self.returned(value));
                sent
            }
        };
        (0..sent).for_each(|i| self.sent(10 * sender + i));
    }

    /// Receives up to `limit` values in one call; returns how many.
    fn recv_many(&self, receiver: u32, rx: &Receiver<Value>, limit: usize) -> usize {
        let mut values = Vec::new();
        let count = rx.recv_many(&mut values, limit).unwrap_or(0);
        assert_eq!(values.len(), count);
        values.into_iter().for_each(|value| self.received(receiver, value));
        count
    }
}

/// Two receivers sleep, and two values come in one claim: both wake.
#[test]
fn send_many_wakes_two_receivers() {
    Model::new("send_many, recv, recv").preemptions(1).floor(1_000).witnesses(&["receiver slept"]).run(
        |case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(2, 0, &tally));
            for receiver in 1..=2 {
                let (tally, ends) = (tally.clone(), Arc::clone(&ends));
                add_thread(case, receiver, move || assert!(tally.recv(receiver, &ends.1)));
            }
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || book.send_many(&pair.0, 1, 2));
            case.finish(move || settle(&tally, ends));
        },
    );
}

/// Two senders sleep, and two places are freed in one claim: both wake.
#[test]
fn recv_many_wakes_two_senders() {
    Model::new("recv_many, send, send")
        .preemptions(1)
        .floor(1_000)
        .witnesses(&["sender slept", "two at once"])
        .run(|case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(2, 2, &tally));
            for sender in 1..=2 {
                let (tally, ends) = (tally.clone(), Arc::clone(&ends));
                add_thread(case, sender, move || assert!(tally.send(&ends.0, tally.value(sender, 0))));
            }
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                let mut count = 0;
                while count < 2 {
                    let got = book.recv_many(1, &pair.1, 2 - count);
                    if got == 2 {
                        witness("two at once");
                    }
                    count += got;
                }
            });
            case.finish(move || settle(&tally, ends));
        });
}

/// Three values through one slot: the batch is sent piece by piece, asleep in between.
#[test]
fn send_many_through_a_small_channel() {
    Model::new("send_many of 3, recv, capacity 1")
        .preemptions(2)
        .floor(1_000)
        .witnesses(&["receiver slept"])
        .run(|case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(1, 0, &tally));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || book.send_many(&pair.0, 1, 3));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                for _ in 0..3 {
                    assert!(book.recv(1, &pair.1));
                }
            });
            case.finish(move || settle(&tally, ends));
        });
}

/// A batch that fits is claimed at once: no other sender's value comes between its own.
#[test]
fn a_batch_that_fits_is_not_split() {
    Model::new("send_many, try_send, capacity 3").floor(60).witnesses(&["batch first", "batch last"]).run(
        |case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(3, 0, &tally));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                book.turn();
                book.send_many(&pair.0, 1, 2);
            });
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(book.try_send(&pair.0, book.value(2, 0))));
            case.finish(move || {
                tally.drain(&ends.1);
                let order = tally.book().received.get(&0).cloned().expect("three values");
                witness(if order[0] == 10 { "batch first" } else { "batch last" });
                assert!(order == [10, 11, 20] || order == [20, 10, 11], "{order:?}");
                settle(&tally, ends);
            });
        },
    );
}

/// Two receivers take batches while a sender fills: nothing is lost between the claims.
#[test]
fn recv_many_against_recv_many() {
    Model::new("recv_many, recv_many, two sends").preemptions(1).floor(1_000).run(|case| {
        let tally = Tally::default();
        let ends = Arc::new(filled(2, 1, &tally));
        for receiver in 1..=2 {
            let (tally, ends) = (tally.clone(), Arc::clone(&ends));
            add_thread(case, receiver, move || {
                if tally.recv_many(receiver, &ends.1, 2) == 2 {
                    // The other receiver waits for at least one.
                    assert!(tally.send(&ends.0, tally.value(receiver + 2, 0)));
                }
            });
        }
        let (book, pair) = (tally.clone(), Arc::clone(&ends));
        case.thread(move || assert!(book.send(&pair.0, book.value(1, 0))));
        case.finish(move || settle(&tally, ends));
    });
}

/// A close strikes in the middle of a batch: what was sent and what comes back make up the whole.
#[test]
fn close_against_send_many() {
    Model::new("send_many of 3, close, recv, capacity 1")
        .preemptions(2)
        .floor(500)
        .witnesses(&["closed midway", "empty", "closed to receive"])
        .run(|case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(1, 0, &tally));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || book.send_many(&pair.0, 1, 2));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                let _ = book.try_recv(1, &pair.1);
                let _ = book.try_recv(1, &pair.1);
                pair.1.close();
                while book.try_recv(1, &pair.1).is_ok() {}
            });
            case.finish(move || settle(&tally, ends));
        });
}
