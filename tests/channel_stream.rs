//! A receiver as a `Stream` (feature `stream`).
#![cfg(feature = "stream")]

mod common;

use common::{Bell, Ledger, Watchdog};
use futures::executor::block_on;
use futures::stream::{FusedStream, Stream, StreamExt};
use millpond::{RecvStream, bounded};
use std::pin::Pin;
use std::task::Poll::{Pending, Ready};
use std::thread;

/// Promise 5: the stream brings all messages in order, then ends for ever, and says so.
#[test]
fn a_stream_ends_when_closed_and_empty() {
    let _dog = Watchdog::start("a_stream_ends_when_closed_and_empty");
    let (tx, rx) = bounded(2);
    let mut stream = rx.into_stream();
    let sender = thread::spawn(move || (0..1_000).for_each(|n| tx.send(n).unwrap()));
    let all: Vec<_> = block_on((&mut stream).collect());
    assert!(all.into_iter().eq(0..1_000));
    assert!(stream.is_terminated());
    assert_eq!((block_on(stream.next()), block_on(stream.next())), (None, None));
    sender.join().unwrap();
}

/// Promise 3, W5: a stream that is dropped when it was woken passes the wake-up on; its waker is let go.
#[test]
fn a_dropped_stream_passes_its_wake_up_on() {
    let (tx, rx) = bounded(1);
    let (bell, other) = (Bell::new(), Bell::new());
    let mut stream = rx.stream();
    let mut recv = Box::pin(rx.recv_async());
    assert_eq!(poll_next(&bell, &mut stream), Pending);
    assert_eq!(other.poll(recv.as_mut()), Pending);
    tx.try_send(1).unwrap();
    assert_eq!((bell.rings(), other.rings()), (1, 0));
    drop(stream);
    assert_eq!((other.rings(), bell.held()), (1, 0));
    assert_eq!(other.poll(recv.as_mut()), Ready(Ok(1)));
}

fn poll_next<T>(bell: &std::sync::Arc<Bell>, stream: &mut RecvStream<T>) -> std::task::Poll<Option<T>> {
    let mut next = stream.next();
    bell.poll(Pin::new(&mut next))
}

/// A stream counts as a receiver: its clone keeps the channel open, and the last one's drop drops what is inside.
#[test]
fn a_stream_is_a_receiver() {
    let ledger = Ledger::new(2);
    let (tx, rx) = bounded(2);
    let stream = rx.stream();
    assert_eq!((tx.receiver_count(), stream.receiver().len()), (2, 0));
    assert!(stream.receiver().same_channel(&rx));
    drop(rx);
    tx.send_many([ledger.token(0), ledger.token(1)]).unwrap();
    assert!(!tx.is_closed());
    drop(stream);
    assert!(tx.is_closed());
    ledger.assert_settled();
}

/// Several streams of one channel, one of them moved between polls (it is `Unpin`), share its messages.
#[test]
fn streams_share_a_channel() {
    fn assert_stream<S: Stream<Item = usize> + FusedStream + Unpin + Send>(_: &S) {}
    let dog = Watchdog::start("streams_share_a_channel");
    let (tx, rx) = bounded(3);
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let stream = rx.stream();
            assert_stream(&stream);
            thread::spawn(move || block_on(stream.collect::<Vec<usize>>()))
        })
        .collect();
    drop(rx);
    (0..10_000).for_each(|n| tx.send(n).unwrap());
    drop(tx);
    let mut all: Vec<_> = readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect();
    dog.pet();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..10_000));
}

/// `select_all` over streams: all messages of all channels, each channel's in order.
#[test]
fn streams_can_be_merged() {
    let dog = Watchdog::start("streams_can_be_merged");
    let (senders, receivers): (Vec<_>, Vec<_>) = [1, 2, 5].map(bounded::<(usize, usize)>).into_iter().unzip();
    let feeders: Vec<_> = senders
        .into_iter()
        .enumerate()
        .map(|(at, tx)| thread::spawn(move || (0..2_000).for_each(|n| tx.send((at, n)).unwrap())))
        .collect();
    let merged = futures::stream::select_all(receivers.into_iter().map(millpond::Receiver::into_stream));
    let mut next = [0; 3];
    block_on(merged.for_each(|(at, n)| {
        assert_eq!(n, next[at]);
        next[at] += 1;
        dog.pet();
        futures::future::ready(())
    }));
    assert_eq!(next, [2_000; 3]);
    feeders.into_iter().for_each(|feeder| feeder.join().unwrap());
}
