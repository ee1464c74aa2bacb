//! `force_send`, which displaces the oldest value, against everything that moves the same positions.

use super::{Shape, Tally, filled, settle};
use crate::harness::{Flag, Model, block_on, poll_once, witness};
use std::sync::Arc;
use std::task::{Poll, Waker};

impl Tally {
    /// Sends by force and books both values; whether one was displaced is a witness.
    fn force_send(&self, receiver: u32, tx: &millpond_loom::Sender<crate::harness::Value>, id: (u32, u32)) {
        let value = self.value(id.0, id.1);
        self.turn();
        match tx.force_send(value).expect("nobody closes the channel") {
            Some(evicted) => {
                witness("displaced");
                self.received(receiver, evicted);
            }
            None => witness("found room"),
        }
        self.sent(10 * id.0 + id.1);
    }
}

const EITHER: &[&str] = &["displaced", "found room", "empty"];

/// The receiver takes the only value while it is being displaced: exactly one of the two gets it.
#[test]
fn force_against_receive_capacity_1() {
    for laps in [0, 1] {
        let shape = Shape { senders: 1, values: 1, receivers: 1, receives: 2, capacity: 1, laps };
        Model::new("force_send, try_recv, capacity 1").floor(100).witnesses(EITHER).run(move |case| {
            let tally = Tally::default();
            let ends = shape.ends();
            assert!(tally.try_send(&ends.0, tally.value(9, 0)));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || book.force_send(5, &pair.0, (1, 0)));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                for _ in 0..3 {
                    let _ = book.try_recv(1, &pair.1);
                }
            });
            case.finish(move || settle(&tally, ends));
        });
    }
}

/// Two values by force into two slots that are full, against a receiver.
#[test]
fn force_twice_against_receive_capacity_2() {
    Model::new("two force_sends, try_recv, capacity 2")
        .preemptions(3)
        .floor(500)
        .witnesses(&["displaced", "found room"])
        .run(|case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(2, 2, &tally));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                for count in 0..2 {
                    book.force_send(5, &pair.0, (1, count));
                }
            });
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                for _ in 0..2 {
                    assert!(
                        book.try_recv(1, &pair.1).is_ok(),
                        "a displacement never leaves the channel empty"
                    );
                }
            });
            case.finish(move || settle(&tally, ends));
        });
}

/// Two threads displace in one slot, and a receiver takes.
#[test]
fn force_against_force_and_receive() {
    Model::new("force_send, force_send, try_recv")
        .preemptions(1)
        .floor(8_000)
        .witnesses(&["displaced", "found room"])
        .run(|case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(1, 1, &tally));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || book.force_send(5, &pair.0, (1, 0)));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.twin(move || book.force_send(6, &pair.0, (2, 0)));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(book.try_recv(1, &pair.1).is_ok()));
            case.finish(move || settle(&tally, ends));
        });
}

/// A plain send races for the place that a receiver frees and a forced send wants.
#[test]
fn force_against_send_and_receive() {
    Model::new("force_send, try_send, try_recv")
        .preemptions(1)
        .floor(3_000)
        .witnesses(&["displaced", "found room", "full"])
        .run(|case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(1, 1, &tally));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || book.force_send(5, &pair.0, (1, 0)));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                book.try_send(&pair.0, book.value(2, 0));
            });
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(book.try_recv(1, &pair.1).is_ok()));
            case.finish(move || settle(&tally, ends));
        });
}

/// A sender sleeps on the full channel while another displaces and a receiver takes: the sleeper is woken all the same.
#[test]
fn force_against_a_sleeping_sender() {
    Model::new("force_send, send, recv")
        .preemptions(0)
        .floor(500)
        .witnesses(&["displaced", "found room", "receiver slept", "sender slept"])
        .run(|case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(1, 1, &tally));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || book.force_send(5, &pair.0, (1, 0)));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(book.send(&pair.0, book.value(2, 0))));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(book.recv(1, &pair.1) && book.recv(1, &pair.1)));
            case.finish(move || settle(&tally, ends));
        });
}

/// A sleeping receiver is woken by a value sent by force.
#[test]
fn force_wakes_a_sleeping_receiver() {
    Model::new("force_send, recv").floor(20).witnesses(&["found room", "receiver slept"]).run(|case| {
        let tally = Tally::default();
        let ends = Arc::new(filled(1, 0, &tally));
        let (book, pair) = (tally.clone(), Arc::clone(&ends));
        case.thread(move || book.force_send(5, &pair.0, (1, 0)));
        let (book, pair) = (tally.clone(), Arc::clone(&ends));
        case.thread(move || assert!(book.recv(1, &pair.1)));
        case.finish(move || settle(&tally, ends));
    });
}

/// A receiver takes the only value while it is being displaced, and another sleeps: the value sent by force is one more, and the
/// sleeper's.
#[test]
fn force_against_a_receive_wakes_another() {
    Model::new("force_send, recv_async, another asleep")
        .floor(100)
        .witnesses(&["displaced", "found room"])
        .run(|case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(1, 0, &tally));
            let [(mut first, _), (mut second, woken)] = [(); 2].map(|()| {
                let ((flag, waker), pair) = (Flag::new(), Arc::clone(&ends));
                let mut receive =
                    Box::pin(async move { pair.1.recv_async().await.expect("nobody closes the channel") });
                assert!(poll_once(receive.as_mut(), &waker).is_pending());
                (receive, flag)
            });
            // Wakes the first, and is no part of the race.
            assert!(tally.try_send(&ends.0, tally.value(9, 0)));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || book.force_send(5, &pair.0, (1, 0)));
            let book = tally.clone();
            case.thread(move || {
                book.turn();
                book.received(1, block_on(first.as_mut()));
            });
            case.finish(move || {
                if !ends.1.is_empty() {
                    assert!(woken.wakes() > 0, "a value waits, and one sleeps");
                    let Poll::Ready(value) = poll_once(second.as_mut(), Waker::noop()) else {
                        panic!("the value is there");
                    };
                    tally.received(2, value);
                }
                drop(second);
                settle(&tally, ends);
            });
        });
}
