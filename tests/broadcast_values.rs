//! Messages of all kinds: dropped once, whatever panics; held as long as they are read; no memory beyond what is stated.

#[path = "common/alloc.rs"]
mod alloc;
mod common;

use alloc::counted;
use common::{Ledger, Sleeper, Token, wait_until};
use millpond::broadcast::{Publisher, RecvError, Subscriber, TryRecvError};
use millpond::broadcast::{lossless, lossless_evicting, lossy};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

type Make<T> = fn(usize) -> (Publisher<T>, Subscriber<T>);

fn kinds<T>() -> [Make<T>; 3] {
    [lossless, |capacity| lossless_evicting(capacity, Duration::from_secs(3600)), lossy]
}

/// Publishes what `make` makes and receives it, over several laps.
fn round_trip<T: Clone + PartialEq + std::fmt::Debug>(make: impl Fn(usize) -> T) {
    for kind in kinds() {
        for capacity in [1, 2, 3] {
            let (publisher, mut subscriber) = kind(capacity);
            for n in 0..4 * capacity {
                publisher.publish(make(n)).expect("open");
                assert_eq!(subscriber.recv(), Ok(make(n)));
                publisher.try_publish(make(n + 1)).expect("open, and nobody is behind");
                assert_eq!(*subscriber.recv_ref().expect("one message"), make(n + 1));
            }
            publisher.publish(make(0)).expect("open");
        }
    }
}

#[derive(Clone, PartialEq, Debug)]
#[repr(align(128))]
struct Aligned(u8);

#[test]
fn messages_of_all_shapes_travel_whole() {
    round_trip(|_| ());
    round_trip(|n| n as u8);
    round_trip(|n| [n as u8; 4096]);
    round_trip(|n| Aligned(n as u8));
    round_trip(Box::new);
    round_trip(|n| std::num::NonZeroU8::new(n as u8 + 1));
    round_trip(|n| ["one", "two", "three"][n % 3]);
    round_trip(|n| n.to_string());
    let (publisher, mut subscriber) = lossy(3);
    for n in 0..50 {
        publisher.publish(Aligned(n)).unwrap();
        let message = subscriber.recv_ref().unwrap();
        assert_eq!(std::ptr::from_ref(&*message).addr() % 128, 0);
    }
}

/// Received, never received, displaced, given back, held by a reader: each message is dropped once.
#[test]
fn each_message_is_dropped_once() {
    for kind in kinds::<Token>() {
        for capacity in [1, 2, 3, 8] {
            let ledger = Ledger::new(100);
            let (publisher, mut subscriber) = kind(capacity);
            for id in 0..90 {
                let refused = publisher.try_publish(ledger.token(id));
                assert!(refused.is_ok() || !publisher.is_lossy());
                if id % 7 == 0 {
                    match subscriber.try_recv_ref() {
                        Ok(message) if publisher.is_lossy() => {
                            (0..3).for_each(|_| drop(publisher.try_publish(ledger.token(99))));
                            let _ = message.id;
                        }
                        Ok(_) | Err(_) => {}
                    }
                }
            }
            drop(publisher);
            while capacity % 2 == 0 && !matches!(subscriber.try_recv_ref(), Err(TryRecvError::Closed)) {}
            drop(subscriber);
            ledger.assert_settled();
            let (publisher, subscriber) = kind(capacity);
            publisher.publish(ledger.token(98)).ok();
            drop(subscriber);
            assert_eq!(publisher.sequence(), 1);
            drop(publisher);
            ledger.assert_settled();
        }
    }
}

/// A drop that panics, whether of a displaced message or of one that goes with the channel.
#[test]
fn a_panicking_drop_loses_nothing_else() {
    for kind in kinds::<Token>() {
        for nth in 1..12 {
            let ledger = Ledger::new(20);
            let (publisher, mut subscriber) = kind(3);
            ledger.panic_at(nth);
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                for id in 0..9 {
                    publisher.publish(ledger.token(id)).ok().unwrap();
                    drop(subscriber.try_recv_ref());
                }
            }));
            let was_in_use = outcome.is_err();
            if was_in_use {
                publisher.publish(ledger.token(19)).ok().unwrap();
                let mut last = None;
                while let Ok(message) = subscriber.try_recv_ref() {
                    last = Some(message.id);
                }
                assert_eq!(last, Some(19), "the channel goes on");
            }
            let rest = catch_unwind(AssertUnwindSafe(|| drop((publisher, subscriber))));
            assert!(was_in_use != rest.is_err() || ledger.drops() < nth);
            ledger.assert_settled();
        }
    }
}

/// A message whose clone can panic or wait.
struct Moody {
    id: usize,
    panics: Arc<AtomicBool>,
}

impl Clone for Moody {
    fn clone(&self) -> Self {
        assert!(!self.panics.load(SeqCst), "the clone that was told to panic");
        Self { id: self.id, panics: Arc::clone(&self.panics) }
    }
}

#[test]
fn a_panicking_clone_receives_nothing() {
    for kind in kinds() {
        let panics = Arc::new(AtomicBool::new(true));
        let (publisher, mut subscriber) = kind(4);
        for id in 0..3 {
            publisher.publish(Moody { id, panics: Arc::clone(&panics) }).ok().unwrap();
        }
        assert!(catch_unwind(AssertUnwindSafe(|| subscriber.recv())).is_err());
        assert!(catch_unwind(AssertUnwindSafe(|| subscriber.try_recv())).is_err());
        let mut list = Vec::new();
        assert!(catch_unwind(AssertUnwindSafe(|| subscriber.recv_many(&mut list, 9))).is_err());
        assert_eq!((subscriber.received(), subscriber.lag(), list.len()), (0, 3, 0));
        panics.store(false, SeqCst);
        assert_eq!(subscriber.recv_many(&mut list, 9), Ok(3));
        assert!(list.iter().map(|message| message.id).eq(0..3));
    }
}

/// A message whose clone stops until it is let go, and says that it does.
struct Slow {
    id: usize,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    is_closed: AtomicBool,
    inside: AtomicUsize,
}

impl Clone for Slow {
    fn clone(&self) -> Self {
        self.gate.inside.fetch_add(1, SeqCst);
        wait_until("the clone is let go", || !self.gate.is_closed.load(SeqCst));
        assert!(self.id < 1 << 20, "the message was overwritten while it was cloned");
        Self { id: self.id, gate: Arc::clone(&self.gate) }
    }
}

/// Subscribers stopped in the middle of a clone hold no lossy publisher up, and read their message to the end.
#[test]
fn a_reader_that_is_stopped_holds_no_lossy_publisher_up() {
    let gate = Arc::new(Gate::default());
    let (publisher, first) = lossy(2);
    gate.is_closed.store(true, SeqCst);
    publisher.publish(Slow { id: 0, gate: Arc::clone(&gate) }).ok().unwrap();
    let mut readers = vec![first];
    readers.extend((0..3).map(|_| publisher.subscribe_oldest()));
    let readers: Vec<_> = readers
        .into_iter()
        .map(|mut subscriber| {
            Sleeper::start(move || {
                let message = subscriber.recv().ok().unwrap();
                (message.id, subscriber.recv().err())
            })
        })
        .collect();
    wait_until("all are inside", || gate.inside.load(SeqCst) == 4);
    for id in 1..=1000 {
        publisher.publish(Slow { id, gate: Arc::clone(&gate) }).ok().unwrap();
    }
    assert!(readers.iter().all(|reader| !reader.is_finished()));
    gate.is_closed.store(false, SeqCst);
    for reader in readers {
        assert_eq!(reader.join(), (0, Some(RecvError::Lagged(998))));
    }
    let held: Arc<Gate> = Arc::clone(&gate);
    drop(publisher);
    assert_eq!(Arc::strong_count(&held), 2, "all messages are dropped with the channel");
}

/// A message that publishes more while it is being cloned.
struct Rude(Option<Arc<Publisher<Rude>>>);

impl Clone for Rude {
    fn clone(&self) -> Self {
        if let Some(publisher) = &self.0 {
            (0..20).for_each(|_| assert!(publisher.publish(Rude(None)).is_ok()));
        }
        Self(None)
    }
}

#[test]
fn a_loss_in_the_middle_of_a_batch_is_reported_next() {
    let (publisher, mut subscriber) = lossy(4);
    let publisher = Arc::new(publisher);
    publisher.publish(Rude(None)).ok().unwrap();
    publisher.publish(Rude(Some(Arc::clone(&publisher)))).ok().unwrap();
    let mut list = Vec::new();
    assert_eq!(subscriber.recv_many(&mut list, 9), Ok(2));
    assert_eq!(subscriber.lagged(), 0, "not told yet");
    assert_eq!(subscriber.recv_many(&mut list, 9), Err(RecvError::Lagged(16)));
    assert_eq!(subscriber.recv_many(&mut list, 9), Ok(4));
    assert_eq!((subscriber.received(), subscriber.lagged()), (6, 16));
    // Breaks the circle: the message that holds the publisher is displaced.
    (0..20).for_each(|_| assert!(publisher.publish(Rude(None)).is_ok()));
}

/// Publishing and receiving allocate nothing, also when messages are missed; waiting does not either.
#[test]
fn nothing_is_allocated_after_the_start() {
    for kind in kinds() {
        let (publisher, mut subscriber) = kind(8);
        let (calls, _) = counted(|| {
            for n in 0..1000 {
                publisher.publish(n).unwrap();
                if publisher.is_lossy() && n % 20 < 15 {
                    continue;
                }
                let _ = subscriber.try_recv();
            }
        });
        assert_eq!(calls, 0);
    }
}

/// Readers that hold messages cost one cell each at most, used again and again.
#[test]
fn what_readers_hold_is_bounded() {
    let (publisher, mut subscriber) = lossy(2);
    let mut other = publisher.subscribe();
    let mut turn = |n: u32| {
        for i in 0..10 {
            publisher.publish(n + i).unwrap();
        }
        let one = subscriber.recv_ref();
        let two = other.recv_ref();
        for i in 0..10 {
            publisher.publish(n + i).unwrap();
        }
        assert!(one.is_err() || *one.unwrap() >= n);
        assert!(two.is_err() || *two.unwrap() >= n);
    };
    (0..10).for_each(|n| turn(100 * n));
    let (calls, _) = counted(|| (10..100).for_each(|n| turn(100 * n)));
    assert_eq!(calls, 0, "the cells are there already");
}

/// The places of subscribers that are gone are used again.
#[test]
fn subscribers_leave_nothing_behind() {
    for kind in kinds::<u8>() {
        let (publisher, first) = kind(8);
        drop(first);
        let (calls, _) = counted(|| (0..100).for_each(|_| drop(publisher.subscribe_oldest())));
        assert_eq!(calls, 0);
    }
}

#[test]
fn huge_channels_are_refused_before_anything_is_allocated() {
    for kind in kinds::<u64>() {
        let (_, largest) = counted(|| assert!(catch_unwind(|| drop(kind(usize::MAX / 16))).is_err()));
        assert!(largest < 1 << 20);
    }
}

/// A3: what is cloned by several threads at once must be `Sync`.
#[test]
fn handles_of_what_may_be_shared_may_be_sent() {
    fn may_be_sent<T: Send + Sync>() {}
    may_be_sent::<Publisher<String>>();
    may_be_sent::<Subscriber<String>>();
}
