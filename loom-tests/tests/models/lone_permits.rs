//! Models of room that the only sender of a channel reserves: against receives, and against the end.

use crate::harness::{Ledger, Model, Value, block_on, witness};
use millpond_loom::model::naps;
use millpond_loom::spsc::{Receiver, Sender, bounded_near_wrap_around};
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

/// A full channel of capacity 1, and the ledger of its messages.
fn full() -> (Ledger, Sender<Value>, Receiver<Value>) {
    let ledger = Ledger::default();
    let (mut tx, rx) = bounded_near_wrap_around(1, 1);
    assert!(tx.try_send(ledger.value(1)).is_ok());
    (ledger, tx, rx)
}

/// Receives what was inside, and what comes into its place.
fn receive_two(mut rx: Receiver<Value>) {
    for _ in 0..2 {
        assert!(rx.recv().is_ok(), "two are sent");
    }
}

fn sleeps<R>(who: &'static str, work: impl FnOnce() -> R) -> R {
    let before = naps();
    let answer = work();
    if naps() > before {
        witness(who);
    }
    answer
}

/// A thread waits for room that a receive makes: it is woken, and what it sends comes next.
#[test]
fn a_reservation_against_a_receive() {
    Model::new("spsc reserve, recv").preemptions(2).floor(20).witnesses(&["sender slept"]).run(|case| {
        let (ledger, mut tx, rx) = full();
        let of = ledger.clone();
        case.thread(move || {
            let permit = sleeps("sender slept", || tx.reserve().expect("nobody closes it"));
            assert!(permit.send(of.value(2)).is_ok());
        });
        case.thread(move || receive_two(rx));
        case.finish(move || ledger.assert_settled());
    });
}

/// The same for a task.
#[test]
fn a_task_reserves_against_a_receive() {
    Model::new("spsc reserve_async, recv").preemptions(2).floor(20).witnesses(&["task slept"]).run(|case| {
        let (ledger, mut tx, rx) = full();
        let of = ledger.clone();
        case.thread(move || {
            let mut reserving = std::pin::pin!(tx.reserve_async());
            let permit = block_on(std::future::poll_fn(|cx| {
                let answer = reserving.as_mut().poll(cx);
                if answer.is_pending() {
                    witness("task slept");
                }
                answer
            }));
            let permit = permit.expect("nobody closes it");
            assert!(permit.send(of.value(2)).is_ok());
        });
        case.thread(move || receive_two(rx));
        case.finish(move || ledger.assert_settled());
    });
}

/// The receiver goes while the sender waits for room: it is told.
#[test]
fn a_reservation_against_the_end() {
    Model::new("spsc reserve, drop of the receiver")
        .preemptions(3)
        .floor(20)
        .witnesses(&["sender slept"])
        .run(|case| {
            let (ledger, mut tx, rx) = full();
            case.thread(move || assert!(sleeps("sender slept", || tx.reserve().is_err())));
            case.thread(move || drop(rx));
            case.finish(move || ledger.assert_settled());
        });
}

/// A permit is used while the receiver closes the channel and takes what is inside: sent and received, or given back.
#[test]
fn a_permit_against_a_close() {
    Model::new("spsc permit.send, close + drain")
        .preemptions(3)
        .floor(20)
        .witnesses(&["sent", "closed"])
        .run(|case| {
            let ledger = Ledger::default();
            let (mut tx, mut rx) = bounded_near_wrap_around(1, 1);
            let balance = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
            let (of, book) = (ledger.clone(), Arc::clone(&balance));
            case.thread(move || {
                let Ok(permit) = tx.try_reserve() else { return witness("closed") };
                match permit.send(of.value(1)) {
                    Ok(()) => {
                        witness("sent");
                        book.0.fetch_add(1, Relaxed);
                    }
                    Err(_) => witness("closed"),
                }
            });
            let (book, kept) = (Arc::clone(&balance), Arc::new(Mutex::new(None)));
            let left = Arc::clone(&kept);
            case.thread(move || {
                rx.close();
                while rx.try_recv().is_ok() {
                    book.1.fetch_add(1, Relaxed);
                }
                *left.lock().expect("nobody panics with it") = Some(rx);
            });
            case.finish(move || {
                let mut rx = kept.lock().expect("nobody panics with it").take().expect("it was left");
                while rx.try_recv().is_ok() {
                    balance.1.fetch_add(1, Relaxed);
                }
                assert_eq!(balance.0.load(Relaxed), balance.1.load(Relaxed), "what was sent was received");
                drop(rx);
                ledger.assert_settled();
            });
        });
}
