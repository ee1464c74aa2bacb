//! Waits with a deadline. Under loom a deadline has always passed: a timeout may strike whenever the waiter looks.

use super::{Tally, filled, naps, settle};
use crate::harness::{Model, witness};
use millpond_loom::{RecvTimeoutError, SendTimeoutError};
use std::sync::Arc;
use std::time::Duration;

impl Tally {
    /// Receives with a deadline that passes; whether it passed first is a witness.
    fn recv_in_time(&self, receiver: u32, rx: &millpond_loom::Receiver<crate::harness::Value>) -> bool {
        match rx.recv_timeout(Duration::ZERO) {
            Ok(value) => {
                witness("received in time");
                self.received(receiver, value);
                true
            }
            Err(RecvTimeoutError::Timeout) => {
                witness("timeout");
                false
            }
            Err(error) => panic!("nobody closes the channel, but {error}"),
        }
    }

    /// Sends with a deadline that passes; whether it passed first is a witness.
    fn send_in_time(&self, tx: &millpond_loom::Sender<crate::harness::Value>, id: (u32, u32)) -> bool {
        match tx.send_timeout(self.value(id.0, id.1), Duration::ZERO) {
            Ok(()) => {
                witness("sent in time");
                self.sent(10 * id.0 + id.1);
                true
            }
            Err(SendTimeoutError::Timeout(value)) => {
                witness("timeout");
                self.returned(value);
                false
            }
            Err(error) => panic!("nobody closes the channel, but {error}"),
        }
    }
}

/// A timeout against a send: the value is received, or still there after the timeout.
#[test]
fn receive_times_out_against_a_send() {
    Model::new("recv_timeout, send").floor(40).witnesses(&["received in time", "timeout"]).run(|case| {
        let tally = Tally::default();
        let ends = Arc::new(filled(1, 0, &tally));
        let (book, pair) = (tally.clone(), Arc::clone(&ends));
        case.thread(move || {
            let received = book.recv_in_time(1, &pair.1);
            assert_eq!(received, book.received_count() == 1);
            assert_eq!(naps(), 0, "a wait whose deadline has passed does not sleep");
        });
        let (book, pair) = (tally.clone(), Arc::clone(&ends));
        case.thread(move || assert!(book.send(&pair.0, book.value(1, 0))));
        case.finish(move || settle(&tally, ends));
    });
}

/// A timeout against a receive that makes room: the value is sent, or comes back.
#[test]
fn send_times_out_against_a_receive() {
    Model::new("send_timeout, recv").floor(40).witnesses(&["sent in time", "timeout"]).run(|case| {
        let tally = Tally::default();
        let ends = Arc::new(filled(1, 1, &tally));
        let (book, pair) = (tally.clone(), Arc::clone(&ends));
        case.thread(move || {
            book.send_in_time(&pair.0, (1, 0));
        });
        let (book, pair) = (tally.clone(), Arc::clone(&ends));
        case.thread(move || assert!(book.recv(1, &pair.1)));
        case.finish(move || settle(&tally, ends));
    });
}

/// A receiver that times out may have been notified: then it takes the value, or the other receiver is woken.
#[test]
fn a_notified_receive_times_out_while_another_waits() {
    Model::new("recv_timeout, recv, send")
        .preemptions(1)
        .floor(10_000)
        .witnesses(&["received in time", "timeout", "receiver slept"])
        .run(|case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(1, 0, &tally));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                if book.recv_in_time(1, &pair.1) {
                    // The other receiver needs a value as well.
                    assert!(book.send(&pair.0, book.value(2, 0)));
                }
            });
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(book.recv(2, &pair.1)));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(book.send(&pair.0, book.value(1, 0))));
            case.finish(move || settle(&tally, ends));
        });
}

/// The same for a sender that times out while another waits for room.
#[test]
fn a_notified_send_times_out_while_another_waits() {
    Model::new("send_timeout, send, recv")
        .preemptions(1)
        .floor(10_000)
        .witnesses(&["sent in time", "timeout", "sender slept"])
        .run(|case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(1, 1, &tally));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                if book.send_in_time(&pair.0, (1, 0)) {
                    // The other sender needs room as well.
                    assert!(book.recv(2, &pair.1));
                }
            });
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(book.send(&pair.0, book.value(2, 0))));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(book.recv(1, &pair.1)));
            case.finish(move || settle(&tally, ends));
        });
}
