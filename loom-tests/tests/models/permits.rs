//! Models of room that is reserved: credits against sends, receives, displacing and closing, and those who wait for room.

use crate::harness::{Ledger, Model, Value, witness};
use millpond_loom::model::naps;
use millpond_loom::{Receiver, Sender, TryRecvError, TrySendError, bounded, mpsc};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

type Ends = Arc<(Sender<Value>, Receiver<Value>)>;

/// What one execution brought, where loom does not look.
#[derive(Clone, Default)]
struct Book {
    ledger: Ledger,
    sent: Arc<AtomicUsize>,
    received: Arc<AtomicUsize>,
}

impl Book {
    /// Counts a send that may be refused, whose answer is a witness.
    fn try_send(&self, tx: &Sender<Value>, id: u32) {
        match tx.try_send(self.ledger.value(id)) {
            Ok(()) => _ = self.sent.fetch_add(1, Relaxed),
            Err(TrySendError::Full(_)) => witness("full"),
            Err(TrySendError::Closed(_)) => witness("closed"),
        }
    }

    /// Takes a message that is there.
    fn try_recv(&self, rx: &Receiver<Value>) {
        assert!(rx.try_recv().is_ok(), "nobody else receives");
        self.received.fetch_add(1, Relaxed);
    }

    /// Reserves, asserts that the room is there while the permit is, and sends.
    fn reserve_and_send(&self, tx: &Sender<Value>, id: u32) {
        let Ok(permit) = tx.try_reserve() else { return witness("no permit") };
        assert!(tx.len() < tx.capacity(), "messages leave room for the permit");
        match permit.send(self.ledger.value(id)) {
            Ok(()) => _ = self.sent.fetch_add(1, Relaxed),
            Err(_) => witness("closed"),
        }
    }

    /// Takes out what is left: all that was sent comes out once, and the room is whole again.
    fn settle(&self, ends: &Ends) {
        while ends.1.try_recv().is_ok() {
            self.received.fetch_add(1, Relaxed);
        }
        assert_eq!(self.received.load(Relaxed), self.sent.load(Relaxed), "received and sent");
        if !ends.0.is_closed() {
            let capacity = ends.0.capacity();
            let permits: Vec<_> = (0..capacity).map(|_| ends.0.try_reserve()).collect();
            assert!(permits.iter().all(Result::is_ok), "every credit has come back");
        }
        self.ledger.assert_settled();
    }
}

fn sleeps(who: &'static str, work: impl FnOnce()) {
    let before = naps();
    work();
    if naps() > before {
        witness(who);
    }
}

/// A permit against a send without one, for one place.
#[test]
fn a_permit_against_a_send() {
    Model::new("try_reserve, try_send").floor(50).witnesses(&["full", "no permit"]).run(|case| {
        let (book, ends): (Book, Ends) = (Book::default(), Arc::new(bounded(1)));
        let (of, all) = (book.clone(), Arc::clone(&ends));
        case.thread(move || of.reserve_and_send(&all.0, 1));
        let (of, all) = (book.clone(), Arc::clone(&ends));
        case.thread(move || of.try_send(&all.0, 2));
        case.finish(move || book.settle(&ends));
    });
}

/// A channel that is never full refuses no permit: it has two places, and one message is taken before the next is sent.
#[test]
fn a_channel_that_is_never_full_refuses_no_permit() {
    Model::new("try_recv + try_send, try_reserve").floor(50).run(|case| {
        let (book, ends): (Book, Ends) = (Book::default(), Arc::new(bounded(2)));
        book.try_send(&ends.0, 1);
        let (of, all) = (book.clone(), Arc::clone(&ends));
        case.thread(move || {
            of.try_recv(&all.1);
            of.try_send(&all.0, 2);
        });
        let (of, all) = (book.clone(), Arc::clone(&ends));
        case.thread(move || {
            let permit = all.0.try_reserve().expect("the channel was never full");
            assert!(permit.send(of.ledger.value(3)).is_ok());
            of.sent.fetch_add(1, Relaxed);
        });
        case.finish(move || book.settle(&ends));
    });
}

/// Nor does it say so where the next is sent by a permit.
#[test]
fn a_channel_that_is_never_full_does_not_say_full_beside_permits() {
    Model::new("try_recv + try_reserve + send, try_send").floor(50).run(|case| {
        let (book, ends): (Book, Ends) = (Book::default(), Arc::new(bounded(2)));
        book.try_send(&ends.0, 1);
        let (of, all) = (book.clone(), Arc::clone(&ends));
        case.thread(move || {
            of.try_recv(&all.1);
            of.reserve_and_send(&all.0, 2);
        });
        let (of, all) = (book.clone(), Arc::clone(&ends));
        // "full" is no outcome of this model.
        case.thread(move || of.try_send(&all.0, 3));
        case.finish(move || book.settle(&ends));
    });
}

/// A permit against sends of two others, who may have looked before there was one.
#[test]
fn a_permit_against_two_sends() {
    Model::new("try_reserve, try_send, try_send")
        .preemptions(2)
        .floor(500)
        .witnesses(&["full", "no permit"])
        .run(|case| {
            let (book, ends): (Book, Ends) = (Book::default(), Arc::new(bounded(2)));
            assert!(ends.0.try_send(book.ledger.value(9)).is_ok());
            book.sent.fetch_add(1, Relaxed);
            let (of, all) = (book.clone(), Arc::clone(&ends));
            case.thread(move || of.reserve_and_send(&all.0, 1));
            let (of, all) = (book.clone(), Arc::clone(&ends));
            case.thread(move || of.try_send(&all.0, 2));
            let (of, all) = (book.clone(), Arc::clone(&ends));
            case.twin(move || of.try_send(&all.0, 3));
            case.finish(move || book.settle(&ends));
        });
}

/// A permit is dropped while a sender waits for room: it is woken.
#[test]
fn a_dropped_permit_wakes_a_sender() {
    Model::new("drop of a permit, send").floor(20).witnesses(&["sender slept"]).run(|case| {
        let (book, ends): (Book, Ends) = (Book::default(), Arc::new(bounded(1)));
        let permit = ends.0.try_reserve().expect("there is room").into_owned();
        case.thread(move || drop(permit));
        let (of, all) = (book.clone(), Arc::clone(&ends));
        case.thread(move || {
            sleeps("sender slept", || assert!(all.0.send(of.ledger.value(1)).is_ok()));
            of.sent.fetch_add(1, Relaxed);
        });
        case.finish(move || book.settle(&ends));
    });
}

/// The same, and a third takes and gives back a permit meanwhile: the mark of credits goes and comes.
#[test]
fn a_dropped_permit_wakes_a_sender_beside_another() {
    Model::new("drop of a permit, send, reserve and drop")
        .preemptions(1)
        .floor(500)
        .witnesses(&["sender slept", "slept for a permit"])
        .run(|case| {
            let (book, ends): (Book, Ends) = (Book::default(), Arc::new(bounded(1)));
            let permit = ends.0.try_reserve().expect("there is room").into_owned();
            case.thread(move || drop(permit));
            let (of, all) = (book.clone(), Arc::clone(&ends));
            case.thread(move || {
                sleeps("sender slept", || assert!(all.0.send(of.ledger.value(1)).is_ok()));
                of.sent.fetch_add(1, Relaxed);
                // Makes room for the third, if that comes later.
                assert!(all.1.recv().is_ok());
                of.received.fetch_add(1, Relaxed);
            });
            let all = Arc::clone(&ends);
            case.thread(move || {
                sleeps("slept for a permit", || drop(all.0.reserve().expect("nobody closes the channel")));
            });
            case.finish(move || book.settle(&ends));
        });
}

/// A receive makes room beside a permit that stays: who waits for room is woken.
#[test]
fn a_receive_wakes_a_sender_beside_a_permit() {
    Model::new("recv, send, beside a permit").floor(20).witnesses(&["sender slept"]).run(|case| {
        let (book, ends): (Book, Ends) = (Book::default(), Arc::new(bounded(2)));
        assert!(ends.0.try_send(book.ledger.value(9)).is_ok());
        book.sent.fetch_add(1, Relaxed);
        let permit = ends.0.try_reserve().expect("there is room").into_owned();
        let (of, all) = (book.clone(), Arc::clone(&ends));
        case.thread(move || {
            assert!(all.1.recv().is_ok());
            of.received.fetch_add(1, Relaxed);
        });
        let (of, all) = (book.clone(), Arc::clone(&ends));
        case.thread(move || {
            sleeps("sender slept", || assert!(all.0.send(of.ledger.value(1)).is_ok()));
            of.sent.fetch_add(1, Relaxed);
        });
        case.finish(move || {
            drop(permit);
            book.settle(&ends);
        });
    });
}

/// The same where the receiver moves its cursor by plain stores, and who waits reserves.
#[test]
fn a_lone_receive_wakes_who_reserves() {
    Model::new("recv, reserve, mpsc").floor(20).witnesses(&["slept for a permit"]).run(|case| {
        let ledger = Ledger::default();
        let (tx, mut rx) = mpsc::bounded::<Value>(1);
        assert!(tx.try_send(ledger.value(9)).is_ok());
        let left = Arc::new(Mutex::new(None));
        let (of, back) = (ledger.clone(), Arc::clone(&left));
        case.thread(move || {
            let mut permit = None;
            sleeps("slept for a permit", || permit = Some(tx.reserve().expect("nobody closes the channel")));
            let sent = permit.expect("it was reserved").send(of.value(1));
            assert!(sent.is_ok());
            *back.lock().expect("no panic under the lock") = Some(tx);
        });
        let kept = Arc::new(Mutex::new(None));
        let back = Arc::clone(&kept);
        case.thread(move || {
            assert_eq!(rx.recv().map(|value| value.id()), Ok(9));
            *back.lock().expect("no panic under the lock") = Some(rx);
        });
        case.finish(move || {
            let mut rx = kept.lock().expect("no panic under the lock").take().expect("it was left here");
            assert_eq!(rx.try_recv().map(|value| value.id()), Ok(1));
            drop((left.lock().expect("no panic under the lock").take(), rx));
            ledger.assert_settled();
        });
    });
}

/// A permit against a close: what it sends is received, or comes back; receivers end whatever permits there are.
#[test]
fn a_permit_against_a_close() {
    Model::new("permit sends, close, recv")
        .preemptions(1)
        .floor(100)
        .witnesses(&["closed", "received", "ended"])
        .run(|case| {
            let (book, ends): (Book, Ends) = (Book::default(), Arc::new(bounded(1)));
            let permit = ends.0.try_reserve().expect("there is room").into_owned();
            let of = book.clone();
            case.thread(move || match permit.send(of.ledger.value(1)) {
                Ok(()) => _ = of.sent.fetch_add(1, Relaxed),
                Err(error) => {
                    assert_eq!(error.into_inner().id(), 1);
                    witness("closed");
                }
            });
            let all = Arc::clone(&ends);
            case.thread(move || assert!(all.0.close()));
            let (of, all) = (book.clone(), Arc::clone(&ends));
            case.thread(move || {
                if all.1.recv().is_ok() {
                    witness("received");
                    of.received.fetch_add(1, Relaxed);
                } else {
                    witness("ended");
                    assert_eq!(all.1.try_recv().map(|_| ()), Err(TryRecvError::Closed));
                }
            });
            case.finish(move || book.settle(&ends));
        });
}

/// Displacing beside a permit, against a receive: each value is received, displaced, or inside.
#[test]
fn displacing_beside_a_permit() {
    Model::new("force_send beside a permit, try_recv")
        .preemptions(2)
        .floor(20)
        .witnesses(&["displaced", "displaced nothing"])
        .run(|case| {
            let (book, ends): (Book, Ends) = (Book::default(), Arc::new(bounded(2)));
            assert!(ends.0.try_send(book.ledger.value(9)).is_ok());
            book.sent.fetch_add(1, Relaxed);
            let permit = ends.0.try_reserve().expect("there is room").into_owned();
            let (of, all) = (book.clone(), Arc::clone(&ends));
            case.thread(move || {
                let displaced = all.0.force_send(of.ledger.value(1)).expect("nobody closes the channel");
                of.sent.fetch_add(1, Relaxed);
                if displaced.is_some() {
                    witness("displaced");
                    of.received.fetch_add(1, Relaxed);
                } else {
                    witness("displaced nothing");
                }
            });
            let (of, all) = (book.clone(), Arc::clone(&ends));
            case.thread(move || {
                if all.1.try_recv().is_ok() {
                    of.received.fetch_add(1, Relaxed);
                }
            });
            case.finish(move || {
                drop(permit);
                book.settle(&ends);
            });
        });
}
