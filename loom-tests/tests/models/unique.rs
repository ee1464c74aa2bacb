//! Models of the channels with unique ends: cursors moved by plain stores, bells, and the closing of a ring for two.
//!
//! Every model takes out all that is left in the end: what was sent is received once and in order, what was not comes
//! back, and every value is dropped once.

use crate::harness::{Case, Ledger, Model, Value, block_on, poll_once, witness};
use loom::sync::atomic::{AtomicUsize, Ordering};
use millpond_loom::model::naps;
use millpond_loom::{TryRecvError, TrySendError};
use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Waker;

/// What one execution brought: the ids that were sent and those that were received, in order.
#[derive(Clone, Default)]
struct Book {
    ledger: Ledger,
    sent: Arc<Mutex<Vec<u32>>>,
    received: Arc<Mutex<Vec<u32>>>,
    turns: Arc<AtomicUsize>,
}

impl Book {
    /// A place where loom must try both orders of two threads: what only loads can vanish from its sight (see `harness`).
    fn turn(&self) {
        self.turns.fetch_add(1, Ordering::Relaxed);
    }

    fn value(&self, id: u32) -> Value {
        self.ledger.value(id)
    }

    fn sent(&self, ids: impl IntoIterator<Item = u32>) {
        self.sent.lock().expect("no panic under the lock").extend(ids);
    }

    fn received(&self, values: impl IntoIterator<Item = Value>) {
        for value in values {
            let id = value.id();
            self.received.lock().expect("no panic under the lock").push(id);
        }
    }

    /// Asserts that what was sent was received, for each sender (ids of one ten) in order, and all values are gone.
    fn settle(&self) {
        let sent = self.sent.lock().expect("no panic under the lock").clone();
        let received = self.received.lock().expect("no panic under the lock").clone();
        for sender in 0..4 {
            let of = |ids: &[u32]| ids.iter().copied().filter(|id| id / 10 == sender).collect::<Vec<_>>();
            assert_eq!(of(&received), of(&sent), "sender {sender}");
        }
        self.ledger.assert_settled();
    }
}

/// Counts a sleep as a witness.
fn slept(before: usize, who: &'static str) {
    if naps() > before {
        witness(who);
    }
}

/// Where a thread leaves its end until all have ended: to take out what is left, or so that its drop takes no part in the race.
type Left<R> = Arc<Mutex<Option<R>>>;

fn leave<R>(left: &Left<R>, end: R) {
    *left.lock().expect("no panic under the lock") = Some(end);
}

macro_rules! family {
    ($family:ident) => {
        mod $family {
            use super::*;
            use millpond_loom::$family::{Receiver, Sender, bounded_near_wrap_around};

            fn ends(capacity: usize, filled: u32, book: &Book) -> (Sender<Value>, Receiver<Value>) {
                let (mut tx, rx) = bounded_near_wrap_around(capacity, 1);
                book.sent(0..filled);
                (0..filled).for_each(|id| {
                    let tx = &mut tx;
                    assert!(tx.try_send(book.value(id)).is_ok(), "the channel has room");
                });
                (tx, rx)
            }

            /// Takes out what is left, and drops what was kept.
            fn finish(case: &mut Case, book: Book, left: Left<Receiver<Value>>, kept: impl Sized + 'static) {
                case.finish(move || {
                    let rx = left.lock().expect("no panic under the lock").take();
                    let mut rx = rx.expect("the receiver was left here");
                    loop {
                        match rx.try_recv() {
                            Ok(value) => book.received([value]),
                            Err(_) => break,
                        }
                    }
                    assert_eq!(rx.len(), 0, "a drained channel is empty");
                    drop((rx, kept));
                    book.settle();
                });
            }

            /// Tries on both sides: so many values through so many slots.
            fn try_ends(capacity: usize, count: u32) -> impl Fn(&mut Case) + Send + Sync {
                move |case| {
                    let (book, left) = (Book::default(), Left::default());
                    let (mut tx, mut rx) = ends(capacity, 0, &book);
                    let sender = book.clone();
                    case.thread(move || {
                        let tx = &mut tx;
                        for id in 10..10 + count {
                            sender.turn();
                            match tx.try_send(sender.value(id)) {
                                Ok(()) => sender.sent([id]),
                                Err(TrySendError::Full(_)) => witness("full"),
                                Err(TrySendError::Closed(_)) => panic!("nobody closes the channel"),
                            }
                        }
                    });
                    let (receiver, kept) = (book.clone(), Arc::clone(&left));
                    case.thread(move || {
                        for _ in 0..count {
                            receiver.turn();
                            match rx.try_recv() {
                                Ok(value) => receiver.received([value]),
                                Err(TryRecvError::Empty) => witness("empty"),
                                Err(TryRecvError::Closed) => witness("closed"),
                            }
                        }
                        leave(&kept, rx);
                    });
                    finish(case, book, left, ());
                }
            }

            #[test]
            fn try_through_one_slot() {
                Model::new(concat!(stringify!($family), " try, capacity 1"))
                    .preemptions(3)
                    .floor(20)
                    .witnesses(&["full", "empty", "closed"])
                    .run(try_ends(1, 2));
            }

            #[test]
            fn try_through_two_slots() {
                Model::new(concat!(stringify!($family), " try, capacity 2"))
                    .preemptions(3)
                    .floor(100)
                    .witnesses(&["full", "empty", "closed"])
                    .run(try_ends(2, 3));
            }

            /// Asleep on both sides: a lost wake-up is a deadlock.
            fn blocking(capacity: usize, count: u32) -> impl Fn(&mut Case) + Send + Sync {
                move |case| {
                    let (book, left) = (Book::default(), Left::default());
                    let (mut tx, mut rx) = ends(capacity, 0, &book);
                    let sender = book.clone();
                    case.thread(move || {
                        let tx = &mut tx;
                        for id in 10..10 + count {
                            let before = naps();
                            assert!(tx.send(sender.value(id)).is_ok(), "nobody closes the channel");
                            slept(before, "sender slept");
                            sender.sent([id]);
                        }
                    });
                    let (receiver, kept) = (book.clone(), Arc::clone(&left));
                    case.thread(move || {
                        for _ in 0..count {
                            let before = naps();
                            receiver.received([rx.recv().expect("as many are sent")]);
                            slept(before, "receiver slept");
                        }
                        leave(&kept, rx);
                    });
                    finish(case, book, left, ());
                }
            }

            #[test]
            fn blocking_through_one_slot() {
                Model::new(concat!(stringify!($family), " blocking, capacity 1"))
                    .preemptions(2)
                    .floor(500)
                    .witnesses(&["sender slept", "receiver slept"])
                    .run(blocking(1, 3));
            }

            #[test]
            fn blocking_through_two_slots() {
                Model::new(concat!(stringify!($family), " blocking, capacity 2"))
                    .preemptions(2)
                    .floor(500)
                    .witnesses(&["sender slept", "receiver slept"])
                    .run(blocking(2, 3));
            }

            /// A task on either end.
            #[test]
            fn tasks() {
                Model::new(concat!(stringify!($family), " tasks")).preemptions(2).floor(300).run(|case| {
                    let (book, left) = (Book::default(), Left::default());
                    let (mut tx, mut rx) = ends(1, 0, &book);
                    let sender = book.clone();
                    case.thread(move || {
                        let tx = &mut tx;
                        for id in 10..12 {
                            assert!(block_on(tx.send_async(sender.value(id))).is_ok());
                            sender.sent([id]);
                        }
                    });
                    let (receiver, kept) = (book.clone(), Arc::clone(&left));
                    case.thread(move || {
                        for _ in 0..2 {
                            receiver.received([block_on(rx.recv_async()).expect("two are sent")]);
                        }
                        leave(&kept, rx);
                    });
                    finish(case, book, left, ());
                });
            }

            /// A receiver whose task has slept before sleeps again: nothing but the message wakes it, for the sender stays.
            #[test]
            fn a_task_receives_again() {
                Model::new(concat!(stringify!($family), " recv_async again")).floor(20).run(|case| {
                    let (book, left, sender_left) = (Book::default(), Left::default(), Left::default());
                    let (mut tx, mut rx) = ends(1, 0, &book);
                    // Up to where the task has slept once: no part of the race.
                    assert!(poll_once(pin!(rx.recv_async()), Waker::noop()).is_pending());
                    let (sender, sender_kept) = (book.clone(), Arc::clone(&sender_left));
                    case.thread(move || {
                        {
                            let tx = &mut tx;
                            assert!(tx.try_send(sender.value(10)).is_ok());
                        }
                        sender.sent([10]);
                        leave(&sender_kept, tx);
                    });
                    let (receiver, kept) = (book.clone(), Arc::clone(&left));
                    case.thread(move || {
                        receiver.received([block_on(rx.recv_async()).expect("one is sent")]);
                        leave(&kept, rx);
                    });
                    finish(case, book, left, sender_left);
                });
            }

            /// The same for a sender.
            #[test]
            fn a_task_sends_again() {
                Model::new(concat!(stringify!($family), " send_async again")).floor(200).run(|case| {
                    let (book, left, sender_left) = (Book::default(), Left::default(), Left::default());
                    let (mut tx, mut rx) = ends(1, 1, &book);
                    // Up to where the task has slept once: no part of the race.
                    {
                        let tx = &mut tx;
                        assert!(poll_once(pin!(tx.send_async(book.value(30))), Waker::noop()).is_pending());
                    }
                    let (sender, sender_kept) = (book.clone(), Arc::clone(&sender_left));
                    case.thread(move || {
                        {
                            let tx = &mut tx;
                            assert!(block_on(tx.send_async(sender.value(10))).is_ok());
                        }
                        sender.sent([10]);
                        leave(&sender_kept, tx);
                    });
                    let (receiver, kept) = (book.clone(), Arc::clone(&left));
                    case.thread(move || {
                        receiver.received([rx.try_recv().expect("one was sent before")]);
                        leave(&kept, rx);
                    });
                    finish(case, book, left, sender_left);
                });
            }

            /// Two threads that send into one channel and then look into another cannot both miss each other, whatever kinds they are.
            #[test]
            fn a_look_after_a_send_elsewhere() {
                Model::new(concat!(stringify!($family), " try_recv after a send elsewhere"))
                    .floor(200)
                    .witnesses(&["both", "only here", "only there"])
                    .run(|case| {
                        let (book, left, sender_left) = (Book::default(), Left::default(), Left::default());
                        let (mut tx, mut rx) = ends(1, 0, &book);
                        let elsewhere = Arc::new(millpond_loom::bounded(1));
                        let seen = Arc::new(AtomicUsize::new(0));
                        let (other, found, kept) = (Arc::clone(&elsewhere), Arc::clone(&seen), Arc::clone(&left));
                        case.thread(move || {
                            assert!(other.0.try_send(()).is_ok());
                            if let Ok(value) = rx.try_recv() {
                                assert_eq!(value.id(), 10);
                                found.fetch_add(1, Ordering::Relaxed);
                            }
                            leave(&kept, rx);
                        });
                        let (sender, other, found) = (book.clone(), Arc::clone(&elsewhere), Arc::clone(&seen));
                        let sender_kept = Arc::clone(&sender_left);
                        case.thread(move || {
                            {
                                let tx = &mut tx;
                                assert!(tx.try_send(sender.value(10)).is_ok());
                            }
                            if other.1.try_recv().is_ok() {
                                found.fetch_add(2, Ordering::Relaxed);
                            }
                            leave(&sender_kept, tx);
                        });
                        case.finish(move || {
                            witness(match seen.load(Ordering::Relaxed) {
                                0 => panic!("both have sent, and neither sees the other's"),
                                1 => "only here",
                                2 => "only there",
                                _ => "both",
                            });
                            drop((elsewhere, left, sender_left));
                            book.ledger.assert_settled();
                        });
                    });
            }

            /// The same for a thread that looks for room.
            #[test]
            fn a_send_after_a_send_elsewhere() {
                Model::new(concat!(stringify!($family), " try_send after a send elsewhere"))
                    .floor(200)
                    .witnesses(&["both", "only here", "only there"])
                    .run(|case| {
                        let (book, left, sender_left) = (Book::default(), Left::default(), Left::default());
                        let (mut tx, mut rx) = ends(1, 1, &book);
                        let elsewhere = Arc::new(millpond_loom::bounded(1));
                        let seen = Arc::new(AtomicUsize::new(0));
                        let (other, found) = (Arc::clone(&elsewhere), Arc::clone(&seen));
                        let (sender, sender_kept) = (book.clone(), Arc::clone(&sender_left));
                        case.thread(move || {
                            assert!(other.0.try_send(()).is_ok());
                            {
                                let tx = &mut tx;
                                if tx.try_send(sender.value(10)).is_ok() {
                                    found.fetch_add(1, Ordering::Relaxed);
                                }
                            }
                            leave(&sender_kept, tx);
                        });
                        let (other, found, kept) = (Arc::clone(&elsewhere), Arc::clone(&seen), Arc::clone(&left));
                        case.thread(move || {
                            assert!(rx.try_recv().is_ok());
                            if other.1.try_recv().is_ok() {
                                found.fetch_add(2, Ordering::Relaxed);
                            }
                            leave(&kept, rx);
                        });
                        case.finish(move || {
                            witness(match seen.load(Ordering::Relaxed) {
                                0 => panic!("one found no room, the other nothing that was sent before the look for it"),
                                1 => "only here",
                                2 => "only there",
                                _ => "both",
                            });
                            drop((elsewhere, left, sender_left));
                            book.ledger.assert_settled();
                        });
                    });
            }

            /// The receiver's task goes away half way and comes back: the value is still there, and so is the wake-up.
            #[test]
            fn a_receive_is_dropped() {
                Model::new(concat!(stringify!($family), " recv_async dropped"))
                    .preemptions(3)
                    .floor(100)
                    .witnesses(&["ready at once", "dropped"])
                    .run(|case| {
                        let (book, left) = (Book::default(), Left::default());
                        let (mut tx, mut rx) = ends(1, 0, &book);
                        let sender = book.clone();
                        case.thread(move || {
                            let tx = &mut tx;
                            assert!(tx.send(sender.value(10)).is_ok());
                            sender.sent([10]);
                        });
                        let (receiver, kept) = (book.clone(), Arc::clone(&left));
                        case.thread(move || {
                            let (_, waker) = crate::harness::Flag::new();
                            let first = {
                                let mut receive = Box::pin(rx.recv_async());
                                poll_once(receive.as_mut(), &waker)
                            };
                            match first {
                                std::task::Poll::Ready(value) => {
                                    witness("ready at once");
                                    receiver.received(value);
                                }
                                std::task::Poll::Pending => {
                                    witness("dropped");
                                    receiver.received(rx.recv());
                                }
                            }
                            leave(&kept, rx);
                        });
                        finish(case, book, left, ());
                    });
            }

            /// The receiver closes while a value is pushed: it is received, or comes back.
            #[test]
            fn the_receiver_closes_against_a_send() {
                Model::new(concat!(stringify!($family), " close against try_send"))
                    .floor(50)
                    .witnesses(&["given back", "received", "closed"])
                    .run(|case| {
                        let (book, left) = (Book::default(), Left::default());
                        let sender_left = Left::default();
                        let (mut tx, mut rx) = ends(2, 0, &book);
                        let (sender, sender_kept) = (book.clone(), Arc::clone(&sender_left));
                        case.thread(move || {
                            {
                                let tx = &mut tx;
                                sender.turn();
                                match tx.try_send(sender.value(10)) {
                                    Ok(()) => sender.sent([10]),
                                    Err(TrySendError::Closed(_)) => witness("given back"),
                                    Err(TrySendError::Full(_)) => panic!("there is room for two"),
                                }
                            }
                            leave(&sender_kept, tx);
                        });
                        let (receiver, kept) = (book.clone(), Arc::clone(&left));
                        case.thread(move || {
                            assert!(rx.close());
                            match rx.try_recv() {
                                Ok(value) => {
                                    witness("received");
                                    receiver.received([value]);
                                    assert_eq!(rx.try_recv().err(), Some(TryRecvError::Closed));
                                }
                                // Once closed and empty, it stays so.
                                Err(TryRecvError::Closed) => {
                                    witness("closed");
                                    assert_eq!(rx.len(), 0);
                                    assert_eq!(rx.try_recv().err(), Some(TryRecvError::Closed));
                                }
                                Err(TryRecvError::Empty) => panic!("a closed channel is never just empty"),
                            }
                            leave(&kept, rx);
                        });
                        finish(case, book, left, sender_left);
                    });
            }

            /// The same for a batch: all of it or nothing, for it enters as one.
            #[test]
            fn the_receiver_closes_against_a_batch() {
                Model::new(concat!(stringify!($family), " close against send_many"))
                    .preemptions(3)
                    .floor(50)
                    .witnesses(&["given back", "sent"])
                    .run(|case| {
                        let (book, left) = (Book::default(), Left::default());
                        let sender_left = Left::default();
                        let (mut tx, rx) = ends(3, 1, &book);
                        let (sender, sender_kept) = (book.clone(), Arc::clone(&sender_left));
                        case.thread(move || {
                            {
                                let tx = &mut tx;
                                sender.turn();
                                let batch = VecDeque::from([sender.value(10), sender.value(11)]);
                                match tx.send_many(batch) {
                                    Ok(()) => {
                                        witness("sent");
                                        sender.sent([10, 11]);
                                    }
                                    Err(error) => {
                                        witness("given back");
                                        assert_eq!(error.sent, 0);
                                        assert!(error.unsent.iter().map(Value::id).eq([10, 11]), "in order");
                                    }
                                }
                            }
                            leave(&sender_kept, tx);
                        });
                        let kept = Arc::clone(&left);
                        case.thread(move || {
                            assert!(rx.close());
                            leave(&kept, rx);
                        });
                        finish(case, book, left, sender_left);
                    });
            }

            /// Batches on both sides.
            #[test]
            fn batches() {
                Model::new(concat!(stringify!($family), " send_many against recv_many"))
                    .preemptions(2)
                    .floor(200)
                    .witnesses(&["sender slept", "receiver slept"])
                    .run(|case| {
                        let (book, left) = (Book::default(), Left::default());
                        let (mut tx, mut rx) = ends(2, 0, &book);
                        let sender = book.clone();
                        case.thread(move || {
                            let tx = &mut tx;
                            let before = naps();
                            let batch: VecDeque<_> = (10..13).map(|id| sender.value(id)).collect();
                            assert!(tx.send_many(batch).is_ok(), "nobody closes the channel");
                            slept(before, "sender slept");
                            sender.sent(10..13);
                        });
                        let (receiver, kept) = (book.clone(), Arc::clone(&left));
                        case.thread(move || {
                            let mut values = Vec::new();
                            while values.len() < 3 {
                                let before = naps();
                                rx.recv_many(&mut values, 3).expect("three are sent");
                                slept(before, "receiver slept");
                            }
                            receiver.received(values);
                            leave(&kept, rx);
                        });
                        finish(case, book, left, ());
                    });
            }

            /// The sender goes while the receiver sleeps, or is about to.
            #[test]
            fn the_sender_goes_against_a_receive() {
                Model::new(concat!(stringify!($family), " drop of the sender"))
                    .preemptions(3)
                    .floor(50)
                    .witnesses(&["receiver slept"])
                    .run(|case| {
                        let (book, left) = (Book::default(), Left::default());
                        let (mut tx, mut rx) = ends(1, 0, &book);
                        let sender = book.clone();
                        case.thread(move || {
                            {
                                let tx = &mut tx;
                                assert!(tx.try_send(sender.value(10)).is_ok());
                                sender.sent([10]);
                            }
                            drop(tx);
                        });
                        let (receiver, kept) = (book.clone(), Arc::clone(&left));
                        case.thread(move || {
                            let before = naps();
                            receiver.received([rx.recv().expect("one is sent before")]);
                            assert!(rx.recv().is_err());
                            slept(before, "receiver slept");
                            leave(&kept, rx);
                        });
                        finish(case, book, left, ());
                    });
            }

            /// The receiver goes while the sender sleeps before a full channel, or is about to: what is inside is dropped
            /// once, and what was not sent comes back.
            #[test]
            fn the_receiver_goes_against_a_send() {
                Model::new(concat!(stringify!($family), " drop of the receiver"))
                    .preemptions(3)
                    .floor(50)
                    .witnesses(&["sender slept"])
                    .run(|case| {
                        let book = Book::default();
                        let (mut tx, rx) = ends(1, 1, &book);
                        let sender = book.clone();
                        case.thread(move || {
                            let tx = &mut tx;
                            let before = naps();
                            assert!(tx.send(sender.value(10)).is_err(), "nobody makes room but by going");
                            slept(before, "sender slept");
                        });
                        case.thread(move || drop(rx));
                        case.finish(move || book.ledger.assert_settled());
                    });
            }

            /// A receive gives up while a value comes: received now or later, never lost.
            #[test]
            fn a_receive_gives_up() {
                Model::new(concat!(stringify!($family), " recv_timeout against send"))
                    .preemptions(3)
                    .floor(50)
                    .witnesses(&["in time", "gave up"])
                    .run(|case| {
                        let (book, left) = (Book::default(), Left::default());
                        let (mut tx, mut rx) = ends(1, 0, &book);
                        let sender = book.clone();
                        case.thread(move || {
                            let tx = &mut tx;
                            assert!(tx.send(sender.value(10)).is_ok());
                            sender.sent([10]);
                        });
                        let (receiver, kept) = (book.clone(), Arc::clone(&left));
                        case.thread(move || {
                            match rx.recv_timeout(std::time::Duration::ZERO) {
                                Ok(value) => {
                                    witness("in time");
                                    receiver.received([value]);
                                }
                                Err(_) => witness("gave up"),
                            }
                            leave(&kept, rx);
                        });
                        finish(case, book, left, ());
                    });
            }
        }
    };
}

family!(spsc);
family!(mpsc);

/// Two senders before one slot: each sleeps until the receiver has made room, and is woken by its bell.
#[test]
fn mpsc_two_senders() {
    Model::new("mpsc blocking 2x1, capacity 1")
        .preemptions(1)
        .floor(1_000)
        .witnesses(&["sender slept", "receiver slept"])
        .run(|case| {
            let book = Book::default();
            let (tx, mut rx) = millpond_loom::mpsc::bounded_near_wrap_around(1, 1);
            for id in [10, 20] {
                let (tx, book) = (tx.clone(), book.clone());
                case.thread(move || {
                    let before = naps();
                    assert!(tx.send(book.value(id)).is_ok(), "nobody closes the channel");
                    slept(before, "sender slept");
                    book.sent([id]);
                });
            }
            drop(tx);
            let receiver = book.clone();
            case.thread(move || {
                for _ in 0..2 {
                    let before = naps();
                    receiver.received([rx.recv().expect("two are sent")]);
                    slept(before, "receiver slept");
                }
            });
            case.finish(move || book.settle());
        });
}

/// A task waits for the end of the channel while it is closed: it does not sleep on.
#[test]
fn closed_against_a_close() {
    Model::new("closed against close").floor(20).witnesses(&["open at first"]).run(|case| {
        let (tx, rx) = millpond_loom::bounded::<u32>(1);
        case.thread(move || {
            if !tx.is_closed() {
                witness("open at first");
            }
            block_on(tx.closed());
            assert!(tx.is_closed());
        });
        case.thread(move || assert!(rx.close()));
    });
}

/// The last sender goes while a weak handle is upgraded: either there is a sender and the channel is open, or there never is
/// one again.
#[test]
fn an_upgrade_against_the_last_drop() {
    Model::new("upgrade against drop").floor(5).witnesses(&["upgraded", "gone"]).run(|case| {
        let (tx, rx) = millpond_loom::bounded(1);
        let weak = tx.downgrade();
        case.thread(move || drop(tx));
        case.thread(move || match weak.upgrade() {
            Some(tx) => {
                witness("upgraded");
                assert!(!tx.is_closed() && tx.try_send(7).is_ok());
            }
            None => {
                witness("gone");
                assert!(weak.upgrade().is_none());
            }
        });
        case.finish(move || {
            assert_ne!(rx.try_recv(), Err(TryRecvError::Empty), "closed in any case");
            assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
            assert_eq!(rx.sender_count(), 0);
        });
    });
}
