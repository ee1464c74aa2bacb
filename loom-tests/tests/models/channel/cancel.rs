//! Futures that are given up: dropped at any moment, or kept and never polled again.

use super::{Tally, filled, settle};
use crate::harness::{Flag, Model, block_on, poll_once, witness};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

/// A receive that was notified is dropped while another receiver waits: the wake-up goes to the other one.
#[test]
fn a_notified_receive_is_dropped_while_another_waits() {
    Model::new("recv_async dropped, recv, send")
        .preemptions(1)
        .floor(5_000)
        .witnesses(&["dropped after its notification", "dropped before", "ready", "receiver slept"])
        .run(|case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(1, 0, &tally));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                let (flag, waker) = Flag::new();
                let mut receive = Box::pin(pair.1.recv_async());
                match poll_once(receive.as_mut(), &waker) {
                    Poll::Ready(value) => {
                        witness("ready");
                        book.received(1, value.expect("nobody closes the channel"));
                        // The other receiver needs a value as well.
                        assert!(book.send(&pair.0, book.value(2, 0)));
                    }
                    Poll::Pending => {
                        witness(if flag.wakes() > 0 {
                            "dropped after its notification"
                        } else {
                            "dropped before"
                        });
                        drop(receive);
                    }
                }
            });
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(book.recv(2, &pair.1)));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(book.send(&pair.0, book.value(1, 0))));
            case.finish(move || settle(&tally, ends));
        });
}

/// A send that was notified is taken back while another sender waits: the room goes to the other one, the value comes back.
#[test]
fn a_notified_send_is_taken_back_while_another_waits() {
    Model::new("send_async taken back, send, recv")
        .preemptions(1)
        .floor(5_000)
        .witnesses(&[
            "taken back after its notification",
            "taken back before",
            "sent at once",
            "sender slept",
        ])
        .run(|case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(1, 1, &tally));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                let (flag, waker) = Flag::new();
                let mut send = pin!(pair.0.send_async(book.value(1, 0)));
                match poll_once(send.as_mut(), &waker) {
                    Poll::Ready(answer) => {
                        answer.expect("nobody closes the channel");
                        witness("sent at once");
                        book.sent(10);
                        // The other sender needs room as well.
                        assert!(book.recv(2, &pair.1));
                    }
                    Poll::Pending => {
                        let notified = flag.wakes() > 0;
                        witness(if notified {
                            "taken back after its notification"
                        } else {
                            "taken back before"
                        });
                        book.returned(send.as_mut().into_inner().expect("it was not sent"));
                        assert!(send.into_inner().is_none(), "it comes back once");
                    }
                }
            });
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(book.send(&pair.0, book.value(2, 0))));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(book.recv(1, &pair.1)));
            case.finish(move || settle(&tally, ends));
        });
}

/// A send that waits is dropped, with its value: nobody receives it.
#[test]
fn a_dropped_send_is_not_received() {
    Model::new("send_async dropped, recv")
        .preemptions(3)
        .floor(100)
        .witnesses(&["dropped with its value", "sent at once"])
        .run(|case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(1, 1, &tally));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                let (_, waker) = Flag::new();
                let mut send = Box::pin(pair.0.send_async(book.value(1, 0)));
                if poll_once(send.as_mut(), &waker).is_ready() {
                    witness("sent at once");
                    book.sent(10);
                } else {
                    drop(send);
                    assert_eq!(book.ledger.drops_of(10), 1);
                    witness("dropped with its value");
                }
            });
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(book.recv(1, &pair.1)));
            case.finish(move || settle(&tally, ends));
        });
}

/// A receive is polled once and then kept, never polled again. Two values come: the other receiver gets one.
///
/// The future's memory stays valid, as `Pin` demands: a pinned value may be leaked, but not freed without its drop.
#[test]
fn a_forgotten_receive_does_not_stop_another() {
    Model::new("recv_async forgotten, recv, two sends")
        .preemptions(1)
        .floor(6_000)
        .witnesses(&["forgotten", "receiver slept"])
        .run(|case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(2, 0, &tally));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                let (_, waker) = Flag::new();
                let mut receive = Box::pin(pair.1.recv_async());
                match poll_once(receive.as_mut(), &waker) {
                    Poll::Ready(value) => book.received(1, value.expect("nobody closes the channel")),
                    Poll::Pending => {
                        witness("forgotten");
                        std::mem::forget(receive);
                    }
                }
            });
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(book.recv(2, &pair.1)));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                for count in 0..2 {
                    assert!(book.try_send(&pair.0, book.value(1, count)));
                }
            });
            case.finish(move || settle(&tally, ends));
        });
}

/// A send is polled once and then kept, never polled again. Two places are freed: the other sender gets one.
///
/// The values are plain numbers, since one that is forgotten with its future would count as lost.
#[test]
fn a_forgotten_send_does_not_stop_another() {
    Model::new("send_async forgotten, send, two receives")
        .preemptions(1)
        .floor(15_000)
        .witnesses(&["forgotten", "sent at once"])
        .run(|case| {
            let (tx, rx) = millpond_loom::bounded(2);
            tx.try_send(90).expect("there is room");
            tx.try_send(91).expect("there is room");
            let ends = Arc::new((tx, rx));
            let pair = Arc::clone(&ends);
            case.thread(move || {
                let (_, waker) = Flag::new();
                let mut send = Box::pin(pair.0.send_async(10));
                if poll_once(send.as_mut(), &waker).is_ready() {
                    witness("sent at once");
                } else {
                    witness("forgotten");
                    std::mem::forget(send);
                }
            });
            let pair = Arc::clone(&ends);
            case.thread(move || pair.0.send(20).expect("nobody closes the channel"));
            case.thread(move || {
                for expected in [90, 91] {
                    assert_eq!(ends.1.recv(), Ok(expected));
                }
            });
        });
}

/// A forgotten receive does not keep a close from waking the others.
#[test]
fn a_forgotten_receive_does_not_stop_a_close() {
    Model::new("recv_async forgotten, recv_async, close")
        .preemptions(1)
        .floor(2_000)
        .witnesses(&["forgotten", "closed"])
        .run(|case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(1, 0, &tally));
            let pair = Arc::clone(&ends);
            case.thread(move || {
                let (_, waker) = Flag::new();
                let mut receive = Box::pin(pair.1.recv_async());
                if poll_once(receive.as_mut(), &waker).is_pending() {
                    witness("forgotten");
                    std::mem::forget(receive);
                }
            });
            let pair = Arc::clone(&ends);
            case.thread(move || {
                assert!(block_on(pair.1.recv_async()).is_err());
                witness("closed");
            });
            let pair = Arc::clone(&ends);
            case.thread(move || assert!(pair.0.close()));
            case.finish(move || settle(&tally, ends));
        });
}
