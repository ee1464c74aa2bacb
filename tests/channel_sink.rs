//! A sender as a `Sink` (feature `sink`).
#![cfg(feature = "sink")]
#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

mod common;

use common::{Bell, Ledger, Watchdog};
use futures::executor::block_on;
use futures::stream::{self, StreamExt};
use futures::{Sink, SinkExt, future};
use millpond::{SendError, SendSink, TrySendError, bounded};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

fn poll_ready<T>(bell: &Arc<Bell>, sink: &mut SendSink<T>) -> Poll<Result<(), SendError<Option<T>>>> {
    Pin::new(sink).poll_ready(&mut Context::from_waker(&bell.waker()))
}

/// Everything that `SinkExt` does, in order, against a receiver that is slower: backpressure.
#[test]
fn all_that_is_sent_arrives_in_order() {
    let _dog = Watchdog::start("all_that_is_sent_arrives_in_order");
    for capacity in [1, 3] {
        let (tx, rx) = bounded(capacity);
        let receiver = thread::spawn(move || {
            let mut all = Vec::new();
            while let Ok(n) = rx.recv() {
                assert!(rx.len() <= rx.capacity());
                all.push(n);
            }
            all
        });
        block_on(async {
            let mut sink = tx.into_sink();
            sink.send(0).await.unwrap();
            sink.feed(1).await.unwrap();
            sink.flush().await.unwrap();
            sink.send_all(&mut stream::iter(2..500).map(Ok)).await.unwrap();
            stream::iter(500..1_000).map(Ok).forward(&mut sink).await.unwrap();
            assert!(sink.sender().is_none(), "`forward` has closed it");
        });
        assert!(receiver.join().unwrap().into_iter().eq(0..1_000));
    }
}

/// The same for the channel with one receiver.
#[test]
fn over_mpsc() {
    let (tx, mut rx) = millpond::mpsc::bounded(2);
    let mut sink = tx.sink();
    block_on(async {
        sink.send(1).await.unwrap();
        sink.send(2).await.unwrap();
        assert!(future::poll_immediate(sink.send(3)).await.is_none(), "full");
        assert_eq!(rx.recv(), Ok(1));
        sink.send(4).await.unwrap();
        sink.close().await.unwrap();
    });
    assert_eq!((rx.try_iter().collect::<Vec<_>>(), tx.sender_count()), (vec![2, 4], 1));
    assert!(!tx.is_closed(), "another sender is there");
}

/// Ready means that the room is there: nobody takes it away, and it comes back when the sink goes.
#[test]
fn ready_holds_room() {
    let (tx, rx) = bounded(1);
    let bell = Bell::new();
    let mut sink = tx.sink();
    assert_eq!(poll_ready(&bell, &mut sink), Poll::Ready(Ok(())));
    assert_eq!(poll_ready(&bell, &mut sink), Poll::Ready(Ok(())), "once is enough");
    assert_eq!(tx.try_send(1), Err(TrySendError::Full(1)));
    let mut other = tx.sink();
    assert!(poll_ready(&bell, &mut other).is_pending());
    assert_eq!(bell.rings(), 0);
    drop(sink);
    assert_eq!(bell.rings(), 1);
    assert_eq!(poll_ready(&bell, &mut other), Poll::Ready(Ok(())));
    assert_eq!(block_on(other.close()), Ok(()));
    assert_eq!(tx.try_send(2), Ok(()), "closing gives it back as well");
    let mut waiting = tx.sink();
    let behind = Bell::new();
    assert!(poll_ready(&bell, &mut waiting).is_pending());
    let mut send = Box::pin(tx.send_async(3));
    assert!(behind.poll(send.as_mut()).is_pending());
    rx.recv().unwrap();
    assert_eq!((bell.rings(), behind.rings()), (2, 0));
    drop(waiting);
    assert_eq!(behind.rings(), 1, "a dropped sink passes its wake-up on");
    assert_eq!(behind.poll(send.as_mut()), Poll::Ready(Ok(())));
}

/// Closed channels and sinks say so, and give back what they were given.
#[test]
fn closed() {
    let (tx, rx) = bounded(1);
    let bell = Bell::new();
    let (mut ready, mut sink) = (tx.sink(), tx.sink());
    assert_eq!(poll_ready(&bell, &mut ready), Poll::Ready(Ok(())));
    assert!(poll_ready(&bell, &mut sink).is_pending());
    drop(rx);
    assert_eq!(bell.rings(), 1);
    assert_eq!(poll_ready(&bell, &mut sink), Poll::Ready(Err(SendError(None))));
    assert_eq!(Pin::new(&mut ready).start_send(7), Err(SendError(Some(7))));
    assert_eq!(block_on(sink.send(8)), Err(SendError(None)));
    assert_eq!(block_on(sink.close()), Ok(()));
    assert_eq!(block_on(sink.close()), Ok(()), "again");
    assert_eq!(poll_ready(&bell, &mut sink), Poll::Ready(Err(SendError(None))));
    assert_eq!(Pin::new(&mut sink).start_send(9), Err(SendError(Some(9))));
}

/// Sends that are given up at any moment: what was not accepted is dropped once, and the room is free again.
#[test]
fn given_up() {
    let ledger = Ledger::new(3);
    let (tx, rx) = bounded(1);
    let mut sink = tx.sink();
    block_on(async {
        assert!(sink.send(ledger.token(0)).await.is_ok());
        assert!(future::poll_immediate(sink.send(ledger.token(1))).await.is_none());
        assert_eq!(rx.recv().unwrap().id, 0);
        assert!(sink.send(ledger.token(2)).await.is_ok());
        assert_eq!(rx.recv().unwrap().id, 2);
    });
    drop((sink, tx, rx));
    ledger.assert_settled();
}

#[test]
#[should_panic(expected = "only after poll_ready was ready")]
fn sending_without_asking() {
    let (tx, _rx) = bounded(1);
    let _ = Pin::new(&mut tx.into_sink()).start_send(1);
}
