//! Taking jobs with a loop of one's own: one at a time or many, for as long as one likes to wait, from threads and tasks.

#![expect(clippy::unwrap_used, reason = "a test ends where its premises do not hold")]

mod pool_common;

use futures::FutureExt;
use futures::executor::block_on;
use millpond::{Breaker, Outcome, Queue, RecvTimeoutError, RetryPolicy, TryRecvError, VirtualClock};
use pool_common::{LONG, books, until};
use std::task::{Context, Waker};
use std::time::{Duration, UNIX_EPOCH};

const SECOND: Duration = Duration::from_secs(1);

fn queue() -> Queue<u32> {
    Queue::builder().capacity(16).open().unwrap()
}

/// Takes up to `limit` jobs, and says that they are done.
fn take(queue: &Queue<u32>, limit: usize) -> Vec<u32> {
    let taken = queue.recv_many(limit).unwrap();
    taken.into_iter().map(|delivery| (*delivery, delivery.ack().unwrap()).0).collect()
}

#[test]
fn many_are_as_many_as_are_ready_up_to_the_limit_in_order() {
    let queue = queue();
    queue.submit_many((0..10).collect::<Vec<_>>()).unwrap();
    assert_eq!(take(&queue, 3), [0, 1, 2]);
    assert_eq!(books(&queue).ready, 7);
    assert_eq!(take(&queue, 100), (3..10).collect::<Vec<_>>());
    assert_eq!((books(&queue).done, queue.stats().held), (10, 0));
}

#[test]
fn a_limit_of_none_takes_none_and_does_not_wait() {
    let queue = queue();
    assert!(queue.recv_many(0).unwrap().is_empty());
    queue.submit(1).unwrap();
    assert!(queue.recv_many(0).unwrap().is_empty());
    assert_eq!((books(&queue).ready, take(&queue, 1)), (1, vec![1]));
    let _report = queue.shutdown(LONG);
    assert!(queue.recv_many(0).unwrap().is_empty(), "also after the end");
    assert!(queue.recv_many(1).is_err());
}

#[test]
fn many_wait_for_the_first() {
    let queue = queue();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| take(&queue, 4));
        queue.submit(7).unwrap();
        assert_eq!(waits.join().unwrap(), [7]);
    });
    books(&queue);
}

/// Each of many is settled by itself, and those that are dropped come back.
#[test]
fn each_of_many_is_a_delivery_of_its_own() {
    let time = VirtualClock::new();
    let queue = Queue::builder().clock(time.clock()).open::<u32>().unwrap();
    queue.submit_many(vec![0, 1, 2, 3]).unwrap();
    let mut taken = queue.recv_many(4).unwrap().into_iter();
    taken.next().unwrap().ack().unwrap();
    taken.next().unwrap().nack(Outcome::snooze(SECOND)).unwrap();
    taken.next().unwrap().nack(Outcome::dead("no")).unwrap();
    drop(taken);
    let stats = books(&queue);
    assert_eq!((stats.done, stats.snoozed, stats.dead, stats.retried, stats.scheduled), (1, 1, 1, 1, 2));
}

/// What a delivery knows: when its job came, which attempt it is, and whether another would follow.
#[test]
fn a_delivery_knows_whether_it_is_the_last() {
    let time = VirtualClock::new();
    let retry = RetryPolicy::fixed(SECOND).max_attempts(2);
    let queue = Queue::builder().clock(time.clock()).retry(retry).open::<u32>().unwrap();
    time.advance(SECOND * 7);
    queue.submit(1).unwrap();
    for (attempt, is_last) in [(1, false), (2, true)] {
        let delivery = queue.recv().unwrap();
        assert_eq!((delivery.attempt(), delivery.is_last()), (attempt, is_last));
        assert_eq!(delivery.enqueued_at(), UNIX_EPOCH + SECOND * 7, "also when it comes again");
        delivery.nack(Outcome::retry("no")).unwrap();
        time.advance(SECOND);
    }
    assert_eq!(books(&queue).dead, 1);
}

/// A job whose breaker lets one pass at a time: many are as many as pass.
#[test]
fn many_are_as_many_as_the_breaker_lets_pass() {
    let (time, breaker) = (VirtualClock::new(), Breaker::failures(1).open_for(SECOND));
    let builder = Queue::builder().clock(time.clock()).breaker(&breaker).retry(RetryPolicy::none());
    let queue = builder.open::<u32>().unwrap();
    queue.submit_many(vec![0, 1, 2]).unwrap();
    queue.recv().unwrap().nack(Outcome::retry("down")).unwrap();
    time.advance(SECOND);
    assert_eq!(take(&queue, 9), [1], "the probe");
    assert_eq!(take(&queue, 9), [2]);
    books(&queue);
}

#[test]
fn with_a_limit_of_time_it_takes_what_is_there_or_says_so() {
    let queue = queue();
    assert_eq!(queue.recv_timeout(Duration::ZERO).unwrap_err(), RecvTimeoutError::Timeout);
    assert_eq!(queue.recv_timeout(Duration::from_millis(2)).unwrap_err(), RecvTimeoutError::Timeout);
    queue.submit(1).unwrap();
    assert_eq!(queue.recv_timeout(Duration::ZERO).unwrap().ack(), Ok(()));
    std::thread::scope(|scope| {
        // Longer than any clock can tell: for ever.
        for limit in [LONG, Duration::MAX] {
            let queue = &queue;
            let waits = scope.spawn(move || queue.recv_timeout(limit).unwrap().ack());
            queue.submit(2).unwrap();
            assert_eq!(waits.join().unwrap(), Ok(()));
        }
    });
    assert_eq!(books(&queue).done, 3);
}

#[test]
fn the_end_is_told_to_all_who_wait_and_to_all_who_come_later() {
    let queue = queue();
    std::thread::scope(|scope| {
        let one = scope.spawn(|| queue.recv().is_err());
        let many = scope.spawn(|| queue.recv_many(3).is_err());
        let limited = scope.spawn(|| queue.recv_timeout(LONG).unwrap_err());
        let task = scope.spawn(|| block_on(queue.recv_async()).is_err());
        let _report = queue.shutdown(LONG);
        assert!(one.join().unwrap() && many.join().unwrap() && task.join().unwrap());
        assert_eq!(limited.join().unwrap(), RecvTimeoutError::Closed);
    });
    assert_eq!(queue.try_recv().unwrap_err(), TryRecvError::Closed);
    assert_eq!(queue.recv_timeout(Duration::MAX).unwrap_err(), RecvTimeoutError::Closed);
    assert!(queue.recv_async().now_or_never().unwrap().is_err());
}

#[test]
fn a_future_that_is_dropped_has_taken_nothing() {
    let queue = queue();
    let mut context = Context::from_waker(Waker::noop());
    // Never polled; polled with nothing there; woken by a job, and dropped before it is polled again.
    drop(queue.recv_async());
    let mut idle = Box::pin(queue.recv_async());
    assert!(idle.poll_unpin(&mut context).is_pending());
    drop(idle);
    let mut woken = Box::pin(queue.recv_async());
    assert!(woken.poll_unpin(&mut context).is_pending());
    queue.submit(1).unwrap();
    drop(woken);
    assert_eq!(books(&queue).ready, 1);
    assert_eq!(queue.try_recv().unwrap().ack(), Ok(()));
}

/// The wake-up of a future that is dropped goes to somebody else who waits.
#[test]
fn a_future_that_is_dropped_passes_its_wake_up_on() {
    for _ in 0..200 {
        let queue = queue();
        let mut context = Context::from_waker(Waker::noop());
        let mut first = Box::pin(queue.recv_async());
        assert!(first.poll_unpin(&mut context).is_pending());
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| block_on(queue.recv_async()).unwrap().ack());
            queue.submit(1).unwrap();
            drop(first);
            assert_eq!(waits.join().unwrap(), Ok(()));
        });
    }
}

/// Threads and tasks take from one queue, each in its own way: every job once.
#[test]
fn all_ways_to_take_share_one_queue() {
    let queue = queue();
    let ways: [fn(&Queue<u32>) -> usize; 4] = [
        |queue| queue.recv().map_or(0, |delivery| delivery.ack().map_or(0, |()| 1)),
        |queue| queue.recv_timeout(LONG).map_or(0, |delivery| delivery.ack().map_or(0, |()| 1)),
        |queue| block_on(queue.recv_async()).map_or(0, |delivery| delivery.ack().map_or(0, |()| 1)),
        |queue| {
            queue.recv_many(5).map_or(0, |taken| taken.into_iter().filter_map(|one| one.ack().ok()).count())
        },
    ];
    std::thread::scope(|scope| {
        let takers = ways.map(|take| {
            let queue = &queue;
            scope.spawn(move || {
                std::iter::from_fn(|| Some(take(queue)).filter(|count| *count > 0)).sum::<usize>()
            })
        });
        (0..2_000).for_each(|job| assert!(queue.submit(job).is_ok()));
        until("all are done", || queue.stats().done == 2_000);
        assert!(queue.shutdown(LONG).is_drained());
        assert_eq!(takers.map(|taker| taker.join().unwrap()).iter().sum::<usize>(), 2_000);
    });
    books(&queue);
}
