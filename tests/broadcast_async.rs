//! Async ends of broadcast channels: waking, cancelling, runtimes, streams.

mod common;

use common::Watchdog;
use futures::FutureExt;
#[cfg(feature = "stream")]
use futures::StreamExt;
use futures::executor::block_on;
use millpond::broadcast::{Publisher, RecvError, Subscriber, lossless, lossless_evicting, lossy};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    future.poll_unpin(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_dropped_receive_takes_nothing() {
    for (publisher, mut subscriber) in [lossless(2), lossy(2)] {
        {
            let mut receiving = pin!(subscriber.recv_async());
            assert!(poll(&mut receiving).is_pending());
            publisher.publish(1).unwrap();
        }
        assert_eq!(subscriber.recv_async().now_or_never(), Some(Ok(1)));
        assert_eq!(subscriber.recv_async().now_or_never(), None);
        assert_eq!(subscriber.received(), 1);
    }
}

#[test]
fn a_dropped_publication_publishes_nothing() {
    let (publisher, mut subscriber) = lossless(1);
    publisher.publish("first").unwrap();
    {
        let mut publishing = pin!(publisher.publish_async("dropped"));
        assert!(poll(&mut publishing).is_pending());
        assert_eq!(subscriber.recv(), Ok("first"));
    }
    let mut publishing = pin!(publisher.publish_async("second"));
    assert_eq!(poll(&mut publishing), Poll::Ready(Ok(1)));
    assert_eq!(publishing.into_inner(), None);
    let mut publishing = pin!(publisher.publish_async("given back"));
    assert!(poll(&mut publishing).is_pending());
    assert_eq!(publishing.into_inner(), Some("given back"));
    assert_eq!(subscriber.recv(), Ok("second"));
    assert_eq!(subscriber.len(), 0);
}

/// A publisher's future that is kept but never polled again keeps nobody else waiting.
#[test]
fn a_forgotten_publication_holds_nobody_up() {
    let _dog = Watchdog::start("a forgotten publication");
    let (publisher, mut subscriber) = lossless(1);
    publisher.publish(0).unwrap();
    let mut forgotten = pin!(publisher.publish_async(1));
    assert!(poll(&mut forgotten).is_pending());
    let other = publisher.clone();
    let waiting = std::thread::spawn(move || block_on(other.publish_async(2)));
    assert_eq!(subscriber.recv(), Ok(0));
    assert_eq!(waiting.join().unwrap(), Ok(1));
    assert_eq!(subscriber.recv(), Ok(2));
}

async fn publish_all(publisher: Publisher<u32>, count: u32) {
    for n in 0..count {
        publisher.publish_async(n).await.expect("nobody closes");
    }
}

/// Receives to the end; returns how many were received and how many missed.
async fn receive_all(mut subscriber: Subscriber<u32>) -> (u64, u64) {
    let mut next = 0;
    loop {
        match subscriber.recv_async().await {
            Ok(n) => {
                assert_eq!(n, next);
                next += 1;
            }
            Err(RecvError::Lagged(count)) => next += u32::try_from(count).expect("at most COUNT"),
            Err(RecvError::Closed) => return (subscriber.received(), subscriber.lagged()),
            Err(RecvError::Evicted) => panic!("nobody is thrown out here"),
        }
    }
}

const COUNT: u32 = 20_000;

async fn one_to_many(make: fn(usize) -> (Publisher<u32>, Subscriber<u32>), capacity: usize) {
    let (publisher, first) = make(capacity);
    let is_lossy = publisher.is_lossy();
    let mut tasks = vec![tokio::spawn(receive_all(first))];
    tasks.extend((0..3).map(|_| tokio::spawn(receive_all(publisher.subscribe()))));
    tokio::spawn(publish_all(publisher, COUNT)).await.expect("no panic");
    for task in tasks {
        let (received, lagged) = task.await.expect("no panic");
        assert_eq!(received + lagged, u64::from(COUNT));
        assert!(is_lossy || lagged == 0);
    }
}

#[test]
fn all_arrive_on_tokio() {
    let _dog = Watchdog::start("all arrive on tokio");
    let single = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let multi = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    for capacity in [1, 2, 64] {
        for runtime in [&single, &multi] {
            runtime.block_on(one_to_many(lossless, capacity));
            runtime.block_on(one_to_many(lossy, capacity));
            runtime.block_on(one_to_many(|c| lossless_evicting(c, Duration::from_secs(3600)), capacity));
        }
    }
}

#[test]
fn threads_and_tasks_mix() {
    let _dog = Watchdog::start("threads and tasks mix");
    let (publisher, first) = lossless(4);
    let second = publisher.subscribe();
    let task = std::thread::spawn(|| block_on(receive_all(first)));
    let thread = std::thread::spawn(|| second.into_iter().map(Result::unwrap).eq(0..COUNT));
    for n in 0..COUNT {
        if n % 2 == 0 {
            publisher.publish(n).unwrap();
        } else {
            block_on(publisher.publish_async(n)).unwrap();
        }
    }
    drop(publisher);
    assert_eq!(task.join().unwrap(), (u64::from(COUNT), 0));
    assert!(thread.join().unwrap());
}

/// A task that waits for a dead subscriber is woken when its time is over, without a timer of the runtime's.
#[test]
fn a_waiting_task_throws_a_dead_subscriber_out() {
    let _dog = Watchdog::start("a waiting task evicts");
    let (publisher, dead) = lossless_evicting(1, Duration::from_millis(5));
    block_on(async {
        for n in 0..4_u64 {
            assert_eq!(publisher.publish_async(n).await, Ok(n));
        }
    });
    assert!(dead.is_evicted());
    let mut late = publisher.subscribe_oldest();
    assert_eq!(late.recv(), Ok(3));
}

/// `select!` drops the loser: what it waited for is not lost.
#[test]
fn receiving_may_lose_a_race() {
    let (publisher, mut one) = lossless(1);
    let mut two = publisher.subscribe();
    block_on(async {
        for n in 0..100 {
            publisher.publish_async(n).await.unwrap();
            let (is_one, message) = tokio::select! {
                message = one.recv_async() => (true, message),
                message = two.recv_async() => (false, message),
            };
            assert_eq!(message, Ok(n));
            let other = if is_one { &mut two } else { &mut one };
            assert_eq!(other.recv_async().await, Ok(n));
        }
    });
}

#[cfg(feature = "stream")]
#[test]
fn a_stream_reports_what_was_missed_and_ends() {
    let (publisher, subscriber) = lossy(2);
    for n in 0..5 {
        publisher.publish(n).unwrap();
    }
    drop(publisher);
    let mut stream = subscriber.into_stream();
    let all: Vec<_> = block_on(stream.by_ref().collect());
    assert_eq!(all, [Err(RecvError::Lagged(3)), Ok(3), Ok(4)]);
    assert_eq!(block_on(stream.next()), None);
    assert_eq!((stream.subscriber().received(), stream.subscriber().lagged()), (2, 3));
}

#[cfg(feature = "stream")]
#[test]
fn a_stream_of_one_thrown_out_ends() {
    let (publisher, dead) = lossless_evicting(1, Duration::ZERO);
    for n in 0..3 {
        publisher.publish(n).unwrap();
    }
    assert_eq!(block_on(dead.into_stream().collect::<Vec<_>>()), [Err(RecvError::Evicted)]);
}

/// The futures may be sent to other threads, whatever they are in the middle of.
#[test]
fn futures_are_send() {
    fn is_send<T: Send>(_: &T) {}
    let (publisher, mut subscriber) = lossless(1);
    is_send(&publisher.publish_async(1));
    is_send(&subscriber.recv_async());
    #[cfg(feature = "stream")]
    is_send(&subscriber.into_stream());
}

#[test]
fn batches_come_as_there_are() {
    for make in [lossless, lossy] {
        let (publisher, mut subscriber) = make(4);
        let mut messages = Vec::new();
        assert_eq!(subscriber.recv_many_async(&mut messages, 0).now_or_never(), Some(Ok(0)));
        assert!(subscriber.recv_many_async(&mut messages, 3).now_or_never().is_none());
        for n in 0..4 {
            publisher.publish(n).unwrap();
        }
        assert_eq!(subscriber.recv_many_async(&mut messages, 3).now_or_never(), Some(Ok(3)));
        assert_eq!(subscriber.recv_many_async(&mut messages, 3).now_or_never(), Some(Ok(1)));
        publisher.close();
        let end = subscriber.recv_many_async(&mut messages, 3).now_or_never();
        assert_eq!(end, Some(Err(RecvError::Closed)));
        assert_eq!((messages.as_slice(), subscriber.received()), (&[0, 1, 2, 3][..], 4));
    }
}

/// A batch opens the gate for publishers that wait for any of its messages, threads and tasks.
#[test]
fn a_batch_frees_all_who_wait() {
    let (publisher, mut subscriber) = lossless(2);
    publisher.publish(0).unwrap();
    publisher.publish(1).unwrap();
    let waiting: Vec<_> = (2..4)
        .map(|n| {
            let publisher = publisher.clone();
            std::thread::spawn(move || {
                if n == 2 { block_on(publisher.publish_async(n)) } else { publisher.publish(n) }
            })
        })
        .collect();
    let mut messages = Vec::new();
    while messages.len() < 4 {
        subscriber.recv_many(&mut messages, 4).unwrap();
    }
    waiting.into_iter().for_each(|thread| assert!(thread.join().unwrap().is_ok()));
    messages.sort_unstable();
    assert_eq!(messages, [0, 1, 2, 3]);
}
