//! Closing, by call or by the last sender's end, against sends, receives and sleepers.

use super::{Tally, add_thread, filled, settle};
use crate::harness::{Case, Model, block_on, witness};
use millpond_loom::TryRecvError;
use std::sync::Arc;

/// A close against one send and two receives: what was sent can still be received, and `Closed` is final.
#[test]
fn close_against_send_and_receive() {
    Model::new("close, try_send, try_recv")
        .preemptions(1)
        .floor(3_000)
        .witnesses(&["closed to send", "closed to receive", "empty"])
        .run(|case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(2, 0, &tally));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                book.turn();
                assert!(pair.0.close(), "nobody else closes");
            });
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                book.try_send(&pair.0, book.value(1, 0));
            });
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                let first = book.try_recv(1, &pair.1);
                let second = book.try_recv(1, &pair.1);
                if first == Err(TryRecvError::Closed) {
                    assert_eq!(second, Err(TryRecvError::Closed), "Closed is final");
                }
            });
            case.finish(move || {
                assert!(ends.0.is_closed());
                assert!(!book_try_send(&tally, &ends), "a closed channel takes nothing");
                settle(&tally, ends);
            });
        });
}

fn book_try_send(tally: &Tally, ends: &super::Ends) -> bool {
    tally.try_send(&ends.0, tally.value(8, 0))
}

/// Two closes: exactly one of them is told that it did it.
#[test]
fn close_against_close() {
    Model::new("close, close").floor(2).run(|case| {
        let tally = Tally::default();
        let ends = Arc::new(filled(1, 1, &tally));
        let firsts = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        for number in 1..=2 {
            let (ends, firsts) = (Arc::clone(&ends), Arc::clone(&firsts));
            add_thread(case, number, move || {
                let first = if number == 1 { ends.0.close() } else { ends.1.close() };
                firsts.fetch_add(usize::from(first), std::sync::atomic::Ordering::Relaxed);
            });
        }
        case.finish(move || {
            assert_eq!(firsts.load(std::sync::atomic::Ordering::Relaxed), 1);
            settle(&tally, ends);
        });
    });
}

/// So many receivers sleep, or are about to, and the channel is closed.
fn close_wakes_receivers(case: &mut Case, receivers: u32) {
    let tally = Tally::default();
    let ends = Arc::new(filled(1, 0, &tally));
    for receiver in 1..=receivers {
        let (tally, ends) = (tally.clone(), Arc::clone(&ends));
        add_thread(case, receiver, move || assert!(!tally.recv(receiver, &ends.1), "nothing was sent"));
    }
    let pair = Arc::clone(&ends);
    case.thread(move || assert!(pair.1.close()));
    case.finish(move || settle(&tally, ends));
}

#[test]
fn close_against_a_sleeping_receiver() {
    Model::new("close, recv")
        .floor(10)
        .witnesses(&["receiver slept", "closed to receive"])
        .run(|case| close_wakes_receivers(case, 1));
}

#[test]
fn close_against_two_sleeping_receivers() {
    Model::new("close, recv, recv")
        .preemptions(2)
        .floor(10_000)
        .witnesses(&["receiver slept", "closed to receive"])
        .run(|case| close_wakes_receivers(case, 2));
}

/// So many senders sleep on a full channel, or are about to, and it is closed: each gets its value back.
fn close_wakes_senders(case: &mut Case, senders: u32) {
    let tally = Tally::default();
    let ends = Arc::new(filled(1, 1, &tally));
    for sender in 1..=senders {
        let (tally, ends) = (tally.clone(), Arc::clone(&ends));
        add_thread(case, sender, move || {
            assert!(!tally.send(&ends.0, tally.value(sender, 0)), "there is no room");
        });
    }
    let pair = Arc::clone(&ends);
    case.thread(move || assert!(pair.0.close()));
    case.finish(move || settle(&tally, ends));
}

#[test]
fn close_against_a_sleeping_sender() {
    Model::new("close, send")
        .floor(10)
        .witnesses(&["sender slept", "closed to send"])
        .run(|case| close_wakes_senders(case, 1));
}

#[test]
fn close_against_two_sleeping_senders() {
    Model::new("close, send, send")
        .preemptions(2)
        .floor(10_000)
        .witnesses(&["sender slept", "closed to send"])
        .run(|case| close_wakes_senders(case, 2));
}

/// A task that receives goes to sleep, or is about to, and the channel is closed: it hears of it.
#[test]
fn close_against_a_sleeping_receiving_task() {
    Model::new("close, recv_async").preemptions(3).floor(10).run(|case| {
        let tally = Tally::default();
        let ends = Arc::new(filled(1, 0, &tally));
        let pair = Arc::clone(&ends);
        case.thread(move || assert!(block_on(pair.1.recv_async()).is_err(), "nothing was sent"));
        let pair = Arc::clone(&ends);
        case.thread(move || assert!(pair.0.close()));
        case.finish(move || settle(&tally, ends));
    });
}

/// The same for one that sends into a full channel: it gets its value back.
#[test]
fn close_against_a_sleeping_sending_task() {
    Model::new("close, send_async").preemptions(3).floor(10).run(|case| {
        let tally = Tally::default();
        let ends = Arc::new(filled(1, 1, &tally));
        let (book, pair) = (tally.clone(), Arc::clone(&ends));
        case.thread(move || {
            let answer = block_on(pair.0.send_async(book.value(1, 0)));
            book.returned(answer.expect_err("there is no room").into_inner());
        });
        let pair = Arc::clone(&ends);
        case.thread(move || assert!(pair.0.close()));
        case.finish(move || settle(&tally, ends));
    });
}

/// A close against a sender that has just been woken for room: it sends or gets its value back, never both.
#[test]
fn close_against_a_receive_and_a_sleeping_sender() {
    Model::new("close, recv, send")
        .preemptions(1)
        .floor(1_000)
        .witnesses(&["sender slept", "closed to send", "sent after a nap"])
        .run(|case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(1, 1, &tally));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                if book.send(&pair.0, book.value(1, 0)) && super::naps() > 0 {
                    witness("sent after a nap");
                }
            });
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(book.try_recv(1, &pair.1).is_ok()));
            let pair = Arc::clone(&ends);
            case.thread(move || assert!(pair.0.close()));
            case.finish(move || settle(&tally, ends));
        });
}

/// The last sender sends and goes: the receiver gets the value first, then `Closed`.
#[test]
fn last_senders_drop_against_try_recv() {
    Model::new("try_send + drop, try_recv")
        .preemptions(3)
        .floor(100)
        .witnesses(&["empty", "closed to receive", "empty, then a value"])
        .run(|case| {
            let tally = Tally::default();
            let (tx, rx) = filled(1, 0, &tally);
            let book = tally.clone();
            case.thread(move || {
                assert!(book.try_send(&tx, book.value(1, 0)));
                book.turn();
                drop(tx);
            });
            let book = tally.clone();
            let rx = Arc::new(rx);
            let receiver = Arc::clone(&rx);
            case.thread(move || {
                let mut answers = Vec::new();
                for _ in 0..3 {
                    answers.push(book.try_recv(1, &receiver));
                    if answers.last() == Some(&Err(TryRecvError::Closed)) {
                        assert_eq!(book.received_count(), 1, "closed before the value was received");
                    }
                }
                if answers[..2] == [Err(TryRecvError::Empty), Ok(())] {
                    witness("empty, then a value");
                }
            });
            case.finish(move || {
                tally.drain(&rx);
                assert_eq!(rx.try_recv().err(), Some(TryRecvError::Closed));
                drop(rx);
                tally.assert_all_received();
                tally.assert_settled();
            });
        });
}

/// Two senders, of which one sends and both go, against a receiver that sleeps: the value, then `Closed`.
#[test]
fn last_senders_drop_against_recv() {
    Model::new("send + drop, drop, recv until closed")
        .preemptions(1)
        .floor(3_000)
        .witnesses(&["receiver slept", "closed to receive"])
        .run(|case| {
            let tally = Tally::default();
            let (tx, rx) = filled(1, 0, &tally);
            let (book, other) = (tally.clone(), tx.clone());
            case.thread(move || {
                assert!(book.send(&tx, book.value(1, 0)));
                drop(tx);
            });
            case.thread(move || drop(other));
            let book = tally.clone();
            case.thread(move || {
                assert!(book.recv(1, &rx), "the value comes before the end");
                assert!(!book.recv(1, &rx));
            });
            case.finish(move || {
                tally.assert_all_received();
                tally.assert_settled();
            });
        });
}

/// A sender is cloned while another one goes: the channel stays open for the clone.
#[test]
fn clone_against_drop() {
    Model::new("clone + drop, drop").floor(10).run(|case| {
        let tally = Tally::default();
        let (tx, rx) = filled(1, 0, &tally);
        let other = tx.clone();
        case.thread(move || drop(other));
        let book = tally.clone();
        case.thread(move || {
            let clone = tx.clone();
            drop(tx);
            assert!(book.try_send(&clone, book.value(1, 0)), "a sender is alive, so the channel is open");
        });
        case.finish(move || {
            tally.drain(&rx);
            assert_eq!(rx.try_recv().err(), Some(TryRecvError::Closed));
            tally.assert_all_received();
        });
    });
}
