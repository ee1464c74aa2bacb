//! What the public types are: `Send`, `Sync`, `Unpin`, safe across an unwinding, and how large. Every value is written down.

use millpond::{
    IntoIter, Iter, Receiver, RecvError, RecvFuture, RecvTimeoutError, SendError, SendFuture, SendManyError,
    SendTimeoutError, Sender, TryIter, TryRecvError, TrySendError, bounded,
};
use std::cell::Cell;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;
use std::sync::MutexGuard;

/// The answer for every type ...
trait Otherwise {
    const ANSWER: bool = false;
}

impl<T: ?Sized> Otherwise for T {}

/// Whether a type implements a trait: ... which an inherent constant hides where the bound holds.
macro_rules! implements {
    ($type:ty, $bound:path) => {{
        struct Probe<T: ?Sized>(std::marker::PhantomData<T>);
        impl<T: ?Sized + $bound> Probe<T> {
            #[allow(dead_code, reason = "hidden from the compiler's eye where the bound does not hold")]
            const ANSWER: bool = true;
        }
        <Probe<$type>>::ANSWER
    }};
}

/// Asserts one line of the table for one payload.
macro_rules! line {
    ($type:ty: Send $send:expr, Sync $sync:expr, Unpin $unpin:expr) => {
        let name = stringify!($type);
        assert_eq!(implements!($type, Send), $send, "{name}: Send");
        assert_eq!(implements!($type, Sync), $sync, "{name}: Sync");
        assert_eq!(implements!($type, Unpin), $unpin, "{name}: Unpin");
    };
}

/// Asserts the table for one payload, of which it is said whether it is `Send` and `Sync`.
macro_rules! table {
    ($payload:ty: Send $send:literal, Sync $sync:literal) => {{
        type T = $payload;
        let (send, both) = ($send, $send && $sync);
        line!(T: Send $send, Sync $sync, Unpin true);
        // A handle gives nobody a `&T`, so `T: Send` is all that it takes to share one.
        line!(Sender<T>: Send send, Sync send, Unpin true);
        line!(Receiver<T>: Send send, Sync send, Unpin true);
        line!(Iter<'static, T>: Send send, Sync send, Unpin true);
        line!(TryIter<'static, T>: Send send, Sync send, Unpin true);
        line!(IntoIter<T>: Send send, Sync send, Unpin true);
        // A receive holds no message; a send holds one, and must not move while it waits.
        line!(RecvFuture<'static, T>: Send send, Sync send, Unpin false);
        line!(SendFuture<'static, T>: Send send, Sync both, Unpin false);
        // An error is as its message.
        line!(SendError<T>: Send $send, Sync $sync, Unpin true);
        line!(TrySendError<T>: Send $send, Sync $sync, Unpin true);
        line!(SendTimeoutError<T>: Send $send, Sync $sync, Unpin true);
        line!(SendManyError<T>: Send $send, Sync $sync, Unpin true);
        #[cfg(feature = "stream")]
        line!(millpond::RecvStream<T>: Send send, Sync send, Unpin true);
    }};
}

/// A1, A2, U1: the auto traits of every type, for payloads of each kind.
#[test]
fn auto_traits() {
    table!(u8: Send true, Sync true);
    table!(Cell<u8>: Send true, Sync false);
    table!(MutexGuard<'static, u8>: Send false, Sync true);
    table!(Rc<u8>: Send false, Sync false);
    table!(*mut u8: Send false, Sync false);
    line!(RecvError: Send true, Sync true, Unpin true);
    line!(TryRecvError: Send true, Sync true, Unpin true);
    line!(RecvTimeoutError: Send true, Sync true, Unpin true);
}

/// A payload that may not be pinned down by chance: handles hold it behind a pointer, errors hold it in place.
#[test]
fn payloads_that_are_not_unpin() {
    type T = std::marker::PhantomPinned;
    line!(Sender<T>: Send true, Sync true, Unpin true);
    line!(Receiver<T>: Send true, Sync true, Unpin true);
    line!(IntoIter<T>: Send true, Sync true, Unpin true);
    line!(SendError<T>: Send true, Sync true, Unpin false);
}

macro_rules! unwinds {
    ($type:ty: $safe:literal, ref $ref_safe:literal) => {
        let name = stringify!($type);
        assert_eq!(implements!($type, UnwindSafe), $safe, "{name}: UnwindSafe");
        assert_eq!(implements!($type, RefUnwindSafe), $ref_safe, "{name}: RefUnwindSafe");
    };
}

/// Promise 10: a handle may be used after a panic was caught, whatever it carries; a future that was interrupted may not.
#[test]
fn unwind_safety() {
    type T = Cell<u8>;
    unwinds!(Sender<T>: true, ref true);
    unwinds!(Receiver<T>: true, ref true);
    unwinds!(Iter<'static, T>: true, ref true);
    unwinds!(TryIter<'static, T>: true, ref true);
    unwinds!(IntoIter<T>: true, ref true);
    unwinds!(RecvFuture<'static, T>: false, ref false);
    unwinds!(SendFuture<'static, T>: false, ref false);
    unwinds!(SendError<T>: true, ref false);
    unwinds!(SendError<u8>: true, ref true);
    unwinds!(SendManyError<u8>: true, ref true);
    unwinds!(RecvError: true, ref true);
    let (tx, rx) = bounded(1);
    let thrown = std::panic::catch_unwind(|| {
        tx.send(Cell::new(1)).unwrap();
        panic!("after a send");
    });
    assert!(thrown.is_err() && rx.recv() == Ok(Cell::new(1)));
}

/// A handle is a pointer, with room for `None`; an error is no larger than its message and a reason.
#[test]
fn sizes() {
    let word = size_of::<usize>();
    assert_eq!([size_of::<Sender<[u8; 99]>>(), size_of::<Option<Sender<u8>>>()], [word; 2]);
    assert_eq!([size_of::<Receiver<[u8; 99]>>(), size_of::<Option<Receiver<u8>>>()], [word; 2]);
    assert_eq!([size_of::<Iter<'_, u8>>(), size_of::<IntoIter<u8>>()], [word; 2]);
    assert_eq!([size_of::<SendError<Box<u8>>>(), size_of::<SendError<u64>>()], [word, 8]);
    assert_eq!(size_of::<Result<(), SendError<Box<u8>>>>(), word);
    assert_eq!([size_of::<TrySendError<Box<u8>>>(), size_of::<SendTimeoutError<Box<u8>>>()], [2 * word; 2]);
    assert_eq!([size_of::<RecvError>(), size_of::<TryRecvError>(), size_of::<RecvTimeoutError>()], [0, 1, 1]);
    assert_eq!([size_of::<Result<u64, RecvError>>(), size_of::<Result<u64, TryRecvError>>()], [16; 2]);
    // A node of the waiting line and a reference; a send holds its message besides.
    assert!(size_of::<RecvFuture<'_, [u8; 99]>>() <= 10 * word);
    assert!(size_of::<SendFuture<'_, u64>>() <= 12 * word);
}

/// Each trait that users may count on: clones of handles and errors, comparisons, conversions, iterators that fuse.
#[test]
fn other_traits() {
    fn handle<T: Clone + std::fmt::Debug>() {}
    fn error<T: std::error::Error + Clone + PartialEq + Eq>() {}
    fn fused<T: std::iter::FusedIterator>() {}
    handle::<Sender<Rc<Cell<u8>>>>();
    handle::<Receiver<Rc<Cell<u8>>>>();
    error::<SendError<u8>>();
    error::<TrySendError<u8>>();
    error::<SendTimeoutError<u8>>();
    error::<SendManyError<u8>>();
    error::<RecvError>();
    error::<TryRecvError>();
    error::<RecvTimeoutError>();
    fused::<Iter<'_, u8>>();
    fused::<IntoIter<u8>>();
}
