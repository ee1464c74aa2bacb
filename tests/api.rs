//! What the channel's types are besides their auto traits (`auto_traits`): how large, what else they implement.

use millpond::{
    IntoIter, Iter, Receiver, RecvError, RecvFuture, RecvTimeoutError, SendError, SendFuture, SendManyError,
    SendTimeoutError, Sender, TryRecvError, TrySendError, bounded,
};
use std::cell::Cell;
use std::rc::Rc;

/// Promise 9: a handle may be used after a panic was caught.
#[test]
fn handles_outlive_a_panic() {
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
