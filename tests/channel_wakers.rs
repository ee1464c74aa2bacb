//! Wakers are user code: they may call back into the channel, from wake, clone and drop, and they may panic.

mod common;

use common::{Bell, Ledger, Watchdog};
use millpond::{Receiver, RecvError, RecvFuture, SendError, Sender, bounded};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

/// Everything that a waker could call in the channel it is woken by; none of it may block or dead-lock.
fn meddle(tx: &Sender<usize>, rx: &Receiver<usize>) {
    let (tx, rx) = (tx.clone(), rx.clone());
    let _ = tx.try_send(1000);
    let _ = rx.try_recv();
    let _ = tx.force_send(1001);
    let _ = rx.recv_timeout(std::time::Duration::ZERO);
    assert!(tx.len() <= tx.capacity());
    let mut recv = Box::pin(rx.recv_async());
    let mut send = Box::pin(tx.send_async(1002));
    let mut cx = Context::from_waker(Waker::noop());
    let _ = (recv.as_mut().poll(&mut cx), send.as_mut().poll(&mut cx));
}

/// A bell that meddles when it is rung.
fn meddler(tx: &Sender<usize>, rx: &Receiver<usize>) -> Arc<Bell> {
    let (tx, rx) = (tx.clone(), rx.clone());
    Bell::with(move || meddle(&tx, &rx))
}

/// W8, L12: a waker that calls the channel when it is woken, by a send, a receive, a batch, or a cancelled future.
#[test]
fn a_waker_may_call_the_channel() {
    let _dog = Watchdog::start("a_waker_may_call_the_channel");
    let (tx, rx) = bounded(2);
    for _ in 0..50 {
        let bell = meddler(&tx, &rx);
        let mut recvs: Vec<_> = (0..3).map(|_| Box::pin(rx.recv_async())).collect();
        assert!(recvs.iter_mut().all(|recv| bell.poll(recv.as_mut()).is_pending()));
        tx.send_many([1, 2]).unwrap();
        assert!(bell.rings() >= 2);
        drop(recvs);
        let _ = (rx.try_recv(), rx.try_recv());
        tx.send_many([1, 2]).unwrap();
        let mut sends: Vec<_> = (0..3).map(|n| Box::pin(tx.send_async(n))).collect();
        assert!(sends.iter_mut().all(|send| bell.poll(send.as_mut()).is_pending()));
        rx.try_recv().unwrap();
        drop(sends);
        assert_eq!(bell.held(), 0);
        let _ = rx.try_iter().count();
    }
}

/// W8: a waker that closes the channel, and drops the last handles, while it is woken.
#[test]
fn a_waker_may_end_the_channel() {
    let _dog = Watchdog::start("a_waker_may_end_the_channel");
    for close in [true, false] {
        let (tx, rx) = bounded::<usize>(2);
        let last = Mutex::new(Some(tx.clone()));
        let bell = Bell::with(move || {
            let taken = last.lock().unwrap().take();
            if let Some(tx) = taken {
                if close {
                    tx.close();
                }
                drop(tx);
            }
        });
        let (mut first, mut second) = (Box::pin(rx.recv_async()), Box::pin(rx.recv_async()));
        assert!(bell.poll(first.as_mut()).is_pending() && bell.poll(second.as_mut()).is_pending());
        tx.send(1).unwrap();
        drop(tx);
        assert_eq!(bell.poll(first.as_mut()), Poll::Ready(Ok(1)));
        assert_eq!(bell.poll(second.as_mut()), Poll::Ready(Err(RecvError)));
        assert!(rx.is_closed());
    }
}

/// Runs a closure when dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// W8: a waker whose drop calls the channel: when it is replaced, cancelled, woken, and dropped by close.
#[test]
fn a_waker_may_call_the_channel_when_dropped() {
    let _dog = Watchdog::start("a_waker_may_call_the_channel_when_dropped");
    type End = fn(&Sender<usize>, Pin<Box<RecvFuture<'_, usize>>>);
    let ends: [End; 4] = [
        |_, mut recv| assert!(Bell::new().poll(recv.as_mut()).is_pending()),
        |_, recv| drop(recv),
        |tx, recv| {
            tx.try_send(1).unwrap();
            drop(recv);
        },
        |tx, _recv| assert!(tx.close()),
    ];
    for end in ends {
        let (tx, rx) = bounded(2);
        let dropped = Arc::new(AtomicUsize::new(0));
        let guard = OnDrop({
            let (tx, rx, dropped) = (tx.clone(), rx.clone(), Arc::clone(&dropped));
            move || {
                meddle(&tx, &rx);
                dropped.fetch_add(1, SeqCst);
            }
        });
        let bell = Bell::with(move || {
            let _ = &guard;
        });
        let mut recv = Box::pin(rx.recv_async());
        assert!(bell.poll(recv.as_mut()).is_pending());
        // The channel holds the last reference.
        drop(bell);
        end(&tx, recv);
        assert_eq!(dropped.load(SeqCst), 1);
        let _ = rx.try_iter().count();
        assert_eq!(tx.try_send(1).is_ok(), !tx.is_closed());
    }
}

/// The ends that a [`meddling_clone`] holds, which are counted as an `Arc` is.
type Ends = (Sender<usize>, Receiver<usize>);

/// A waker whose clone meddles; `Wake` cannot do that.
fn meddling_clone(tx: &Sender<usize>, rx: &Receiver<usize>) -> Waker {
    unsafe fn clone(data: *const ()) -> RawWaker {
        // SAFETY: `data` comes from `Arc::into_raw` below, and the waker that is cloned holds a count of it.
        unsafe { Arc::increment_strong_count(data.cast::<Ends>()) };
        // SAFETY: as above.
        let (tx, rx) = unsafe { &*data.cast::<Ends>() };
        meddle(tx, rx);
        RawWaker::new(data, &TABLE)
    }
    unsafe fn release(data: *const ()) {
        // SAFETY: as above; this is the count of the waker that goes.
        unsafe { Arc::decrement_strong_count(data.cast::<Ends>()) };
    }
    unsafe fn nothing(_: *const ()) {}
    static TABLE: RawWakerVTable = RawWakerVTable::new(clone, release, nothing, release);
    let data = Arc::into_raw(Arc::new((tx.clone(), rx.clone())));
    // SAFETY: the functions of the table keep a waker's contract: each waker holds a count, and the ends are `Sync`.
    unsafe { Waker::from_raw(RawWaker::new(data.cast::<()>(), &TABLE)) }
}

/// W8: a waker whose clone calls the channel, at the first poll and when it replaces another.
#[test]
fn a_waker_may_call_the_channel_when_cloned() {
    let _dog = Watchdog::start("a_waker_may_call_the_channel_when_cloned");
    let (tx, rx) = bounded(2);
    for _ in 0..20 {
        let mut recv = Box::pin(rx.recv_async());
        let waker = meddling_clone(&tx, &rx);
        let _ = recv.as_mut().poll(&mut Context::from_waker(&waker));
        let _ = Bell::new().poll(recv.as_mut());
        let _ = recv.as_mut().poll(&mut Context::from_waker(&waker));
        drop(recv);
        let _ = rx.try_iter().count();
    }
    tx.send(1).unwrap();
    assert_eq!(rx.recv(), Ok(1));
}

fn panicker() -> Arc<Bell> {
    Bell::with(|| panic!("a waker that panics"))
}

fn panics<R>(work: impl FnOnce() -> R) -> bool {
    catch_unwind(AssertUnwindSafe(work)).is_err()
}

/// W9, promise 10: a waker panics into a send: the message is in, and the channel works on.
#[test]
fn a_panicking_waker_of_a_receiver() {
    let (tx, rx) = bounded(4);
    let (evil, good) = (panicker(), Bell::new());
    let (mut first, mut second) = (Box::pin(rx.recv_async()), Box::pin(rx.recv_async()));
    assert!(evil.poll(first.as_mut()).is_pending() && good.poll(second.as_mut()).is_pending());
    assert!(panics(|| tx.send(1).unwrap()));
    assert_eq!((rx.len(), evil.held()), (1, 0));
    tx.send(2).unwrap();
    assert_eq!(good.rings(), 1);
    assert_eq!(evil.poll(first.as_mut()), Poll::Ready(Ok(1)));
    assert_eq!(good.poll(second.as_mut()), Poll::Ready(Ok(2)));
}

/// W9, promise 10: a waker panics into a receive: the message is dropped once at most, and the channel works on.
#[test]
fn a_panicking_waker_of_a_sender() {
    let ledger = Ledger::new(4);
    let (tx, rx) = bounded(1);
    tx.send(ledger.token(0)).unwrap();
    let (evil, good) = (panicker(), Bell::new());
    let (mut first, mut second) =
        (Box::pin(tx.send_async(ledger.token(1))), Box::pin(tx.send_async(ledger.token(2))));
    assert!(evil.poll(first.as_mut()).is_pending() && good.poll(second.as_mut()).is_pending());
    assert!(panics(|| drop(rx.recv())));
    assert!(evil.poll(first.as_mut()).is_ready());
    assert_eq!(rx.recv().unwrap().id, 1);
    assert_eq!(good.rings(), 1);
    assert!(good.poll(second.as_mut()).is_ready());
    drop((first, second));
    drop(tx);
    assert_eq!(rx.recv().unwrap().id, 2);
    assert!(rx.recv().is_err());
    ledger.assert_settled();
}

/// W9: of a crowd that is woken together, by a batch, all are woken although several panic; one panic comes through.
#[test]
fn panicking_wakers_in_a_batch() {
    let (tx, rx) = bounded(64);
    let bells: Vec<_> = (0..40).map(|n| if n % 3 == 0 { panicker() } else { Bell::new() }).collect();
    let mut recvs: Vec<_> = bells.iter().map(|_| Box::pin(rx.recv_async())).collect();
    for (bell, recv) in bells.iter().zip(&mut recvs) {
        assert!(bell.poll(recv.as_mut()).is_pending());
    }
    assert!(panics(|| tx.send_many(vec![0; 40]).unwrap()));
    assert!(bells.iter().all(|bell| bell.rings() == 1 && bell.held() == 0));
    for (bell, recv) in bells.iter().zip(&mut recvs) {
        assert_eq!(bell.poll(recv.as_mut()), Poll::Ready(Ok(0)));
    }
    tx.send(1).unwrap();
    assert_eq!(rx.recv(), Ok(1));
}

/// Polls a future once with each bell; all must be pending.
fn park_all<F: Future>(bells: &[Arc<Bell>], mut make: impl FnMut(usize) -> F) -> Vec<Pin<Box<F>>> {
    let mut futures: Vec<_> = (0..bells.len()).map(|n| Box::pin(make(n))).collect();
    for (bell, future) in bells.iter().zip(&mut futures) {
        assert!(bell.poll(future.as_mut()).is_pending());
    }
    futures
}

/// W9, W3: close wakes everybody although wakers panic; so does the last sender's drop.
#[test]
fn panicking_wakers_at_close() {
    for by_drop in [true, false] {
        let (tx, rx) = bounded::<usize>(1);
        let bells: Vec<_> = (0..40).map(|n| if n % 2 == 0 { panicker() } else { Bell::new() }).collect();
        let mut recvs = park_all(&bells, |_| rx.recv_async());
        assert!(panics(move || by_drop || tx.close()), "by the drop of tx, or before");
        assert!(bells.iter().all(|bell| bell.rings() == 1));
        for (bell, recv) in bells.iter().zip(&mut recvs) {
            assert_eq!(bell.poll(recv.as_mut()), Poll::Ready(Err(RecvError)));
        }
    }
}

/// W9, promise 1: the last receiver's drop meets panicking wakers of senders: all are woken, the messages are dropped.
#[test]
fn panicking_wakers_at_the_last_receivers_drop() {
    let ledger = Ledger::new(4);
    let (tx, rx) = bounded(2);
    tx.send_many([ledger.token(0), ledger.token(1)]).unwrap();
    let bells = [panicker(), Bell::new()];
    let mut sends = park_all(&bells, |n| tx.send_async(ledger.token(2 + n)));
    assert!(panics(|| drop(rx)));
    assert_eq!((ledger.drops(), bells[1].rings(), tx.receiver_count()), (2, 1, 0));
    for (bell, send) in bells.iter().zip(&mut sends) {
        assert!(matches!(bell.poll(send.as_mut()), Poll::Ready(Err(SendError(_)))));
    }
    drop(sends);
    ledger.assert_settled();
}

/// A10: a waker whose drop panics, when it is replaced and when its future is cancelled: the line stays whole.
#[test]
fn a_waker_that_panics_when_dropped() {
    let (tx, rx) = bounded(2);
    let fresh = || {
        let guard = OnDrop(|| panic!("a waker that panics when dropped"));
        Bell::with(move || {
            let _ = &guard;
        })
    };
    let good = Bell::new();
    let (mut first, mut second) = (Box::pin(rx.recv_async()), Box::pin(rx.recv_async()));
    assert!(fresh().poll(first.as_mut()).is_pending() && good.poll(second.as_mut()).is_pending());
    assert!(panics(|| Bell::new().poll(first.as_mut())), "replaced");
    assert!(!panics(|| drop(first)), "the one that panics is gone");
    let mut third = Box::pin(rx.recv_async());
    assert!(fresh().poll(third.as_mut()).is_pending());
    assert!(panics(|| drop(third)), "cancelled");
    tx.send(1).unwrap();
    assert_eq!((good.rings(), good.poll(second.as_mut())), (1, Poll::Ready(Ok(1))));
}
