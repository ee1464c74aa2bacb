//! Values of all kinds in channels of all sizes: moved whole, dropped once, refused before anything is allocated.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

#[path = "common/alloc.rs"]
mod alloc;
mod common;

use alloc::counted;
use common::{Ledger, Sleeper, Token};
use millpond::{Receiver, bounded};
use std::fmt::Debug;
use std::num::NonZeroU8;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Sends and receives by every pair of methods, over several laps of small channels.
fn round_trip<T: PartialEq + Debug>(make: impl Fn(usize) -> T) {
    for capacity in [1, 2, 3] {
        let (tx, rx) = bounded(capacity);
        for n in 0..4 * capacity {
            tx.send(make(n)).unwrap();
            assert_eq!(rx.recv().unwrap(), make(n));
            tx.try_send(make(n)).unwrap();
            assert_eq!(rx.try_recv().unwrap(), make(n));
            futures::executor::block_on(tx.send_async(make(n))).unwrap();
            assert_eq!(futures::executor::block_on(rx.recv_async()).unwrap(), make(n));
            tx.send_many((0..capacity).map(&make).collect::<Vec<_>>()).unwrap();
            assert_eq!(tx.force_send(make(n)).unwrap(), Some(make(0)));
            assert_eq!(tx.try_send(make(n + 1)).unwrap_err().into_inner(), make(n + 1));
            let mut list = Vec::new();
            assert_eq!(rx.recv_many(&mut list, capacity + 1), Ok(capacity));
            assert_eq!(list.pop().unwrap(), make(n));
        }
        tx.send(make(0)).unwrap();
    }
}

#[derive(PartialEq, Debug)]
#[repr(align(128))]
struct Aligned(u8);

#[derive(PartialEq, Debug)]
struct Nothing;

/// A8, A9, Q10: zero-sized, one byte, 4 KiB, over-aligned, and types with forbidden bit patterns.
#[test]
fn values_of_all_shapes_travel_whole() {
    round_trip(|_| ());
    round_trip(|_| Nothing);
    round_trip(|n| n as u8);
    round_trip(|n| [n as u8; 4096]);
    round_trip(|n| Aligned(n as u8));
    round_trip(Box::new);
    round_trip(|n| NonZeroU8::new(n as u8 + 1).unwrap());
    round_trip(|n| Some(NonZeroU8::new(n as u8 + 1).unwrap()));
    round_trip(|n| ["one", "two", "three"][n % 3]);
    round_trip(|n| (n % 2 == 0).then(|| n.to_string()));
    round_trip::<fn(i32) -> i32>(|n| if n % 2 == 0 { i32::abs } else { i32::signum });
    round_trip(|n| vec![n; n]);
}

/// A9: an over-aligned value stands at an aligned address after the trip, in every slot.
#[test]
fn alignment_is_kept() {
    let (tx, rx) = bounded(3);
    for n in 0..9 {
        tx.send(Aligned(n)).unwrap();
        let value = Box::new(rx.recv().unwrap());
        assert_eq!((&raw const *value).addr() % 128, 0);
        assert_eq!(value.0, n);
    }
}

/// Runs `bounded::<T>(capacity)`, which must panic, and returns with what message and after what largest allocation.
fn refusal<T>(capacity: usize) -> (String, usize) {
    let mut message = String::new();
    let (_, largest) = counted(|| {
        let panic = catch_unwind(AssertUnwindSafe(|| drop(bounded::<T>(capacity)))).unwrap_err();
        message = panic.downcast_ref::<String>().cloned().unwrap_or_default();
        message += panic.downcast_ref::<&str>().copied().unwrap_or_default();
    });
    (message, largest)
}

/// A16, Q11: capacities that make no sense are refused with a message, before anything large is allocated.
#[test]
fn senseless_capacities_are_refused() {
    // Once in vain: the first panic may load what it takes to print a backtrace.
    refusal::<u8>(usize::MAX);
    let huge = [usize::MAX, usize::MAX - 1, isize::MAX as usize, usize::MAX / 8, usize::MAX / 16 + 1];
    for capacity in huge {
        for (message, largest) in
            [refusal::<u8>(capacity), refusal::<()>(capacity), refusal::<[u64; 512]>(capacity)]
        {
            assert!(message.contains("slots"), "{message}");
            assert!(largest < 1 << 20, "{capacity} slots: {largest} bytes were asked for");
        }
    }
    // Few enough slots, but too many bytes for one object.
    let (message, largest) = refusal::<[u8; 1 << 20]>(1 << 44);
    assert!(message.contains("does not fit into memory"), "{message}");
    assert!(largest < 1 << 20);
}

/// Memory is taken when the channel is made, as documented: afterwards neither sending nor waiting allocates (W15).
#[test]
fn nothing_is_allocated_after_the_start() {
    let (tx, rx) = bounded(64);
    let waker = std::task::Waker::noop();
    let mut cx = std::task::Context::from_waker(waker);
    let (calls, _) = counted(|| {
        for n in 0..1000 {
            tx.try_send(n).unwrap();
            rx.recv().unwrap();
            let mut waiting = std::pin::pin!(rx.recv_async());
            assert!(waiting.as_mut().poll(&mut cx).is_pending());
            tx.send(n).unwrap();
            assert!(waiting.as_mut().poll(&mut cx).is_ready());
            let _ = rx.recv_timeout(std::time::Duration::ZERO);
        }
    });
    assert_eq!(calls, 0);
}

/// Fills a channel whose cursors stand at `offset` with tokens `0..len`.
fn filled(ledger: &std::sync::Arc<Ledger>, capacity: usize, offset: usize, len: usize) -> Receiver<Token> {
    let (tx, rx) = bounded(capacity);
    for _ in 0..offset {
        tx.send(ledger.token(0)).unwrap();
        rx.recv().unwrap();
    }
    for id in 0..len {
        tx.send(ledger.token(id)).unwrap();
    }
    rx
}

/// Promise 1, Q8, Q9, L20: the last receiver drops what is inside, each value once, whatever the cursors' position.
#[test]
fn the_last_receiver_drops_what_is_inside() {
    for capacity in [1, 2, 3, 5] {
        for offset in 0..2 * capacity {
            for len in 0..=capacity {
                let ledger = Ledger::new(capacity);
                let rx = filled(&ledger, capacity, offset, len);
                let other = rx.clone();
                drop(rx);
                assert_eq!(ledger.drops(), offset, "another receiver is there");
                drop(other);
                assert_eq!(ledger.drops(), offset + len, "dropped at once");
                ledger.assert_settled();
            }
        }
    }
}

/// A value that notes when it was dropped.
struct Noted(usize, std::sync::Arc<std::sync::Mutex<Vec<usize>>>);

impl Drop for Noted {
    fn drop(&mut self) {
        self.1.lock().unwrap().push(self.0);
    }
}

/// Q9: buffered values are dropped in the order in which they were sent, though senders are still there.
#[test]
fn buffered_values_are_dropped_in_order() {
    let order = std::sync::Arc::default();
    let (tx, rx) = bounded(5);
    for n in 0..3 {
        tx.send(Noted(n, std::sync::Arc::clone(&order))).unwrap();
        rx.recv().unwrap();
    }
    for n in 0..5 {
        tx.send(Noted(n, std::sync::Arc::clone(&order))).unwrap();
    }
    order.lock().unwrap().clear();
    drop(rx);
    assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4]);
    let refused = tx.send(Noted(9, std::sync::Arc::clone(&order))).unwrap_err();
    assert_eq!(order.lock().unwrap().len(), 5, "D2: the value is in the error");
    drop(refused);
    assert_eq!(order.lock().unwrap().len(), 6);
}

/// Promise 1: what is left when `close` was called and all receivers went is dropped once, not again with the senders.
#[test]
fn a_closed_channel_drops_the_rest_once() {
    let ledger = Ledger::new(4);
    let (tx, rx) = bounded(4);
    for id in 0..4 {
        tx.send(ledger.token(id)).unwrap();
    }
    tx.close();
    drop(rx.recv().unwrap());
    drop(rx);
    assert_eq!(ledger.drops(), 4);
    drop(tx);
    ledger.assert_settled();
}

/// L18: senders that sleep in front of a full channel get their value back when the last receiver goes.
#[test]
fn sleeping_senders_get_their_value_back() {
    let ledger = Ledger::new(4);
    let (tx, rx) = bounded(1);
    tx.send(ledger.token(0)).unwrap();
    let senders: Vec<_> = (1..4)
        .map(|id| {
            let (tx, token) = (tx.clone(), ledger.token(id));
            Sleeper::asleep(move || tx.send(token).unwrap_err().into_inner().id)
        })
        .collect();
    drop(rx);
    let back: Vec<_> = senders.into_iter().map(Sleeper::join).collect();
    assert_eq!(back, [1, 2, 3]);
    ledger.assert_settled();
}

/// Promise 9: handles made and dropped in great number leave the counts right, and the channel open.
#[test]
fn many_clones_leave_nothing_behind() {
    let (tx, rx) = bounded::<u8>(1);
    for _ in 0..100_000 {
        drop((tx.clone(), rx.clone()));
    }
    assert_eq!((tx.sender_count(), tx.receiver_count(), tx.is_closed()), (1, 1, false));
}
