//! Waiting until all that was submitted has ended, what is scheduled included: in threads and in tasks.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

mod pool_common;

use futures::FutureExt;
use futures::executor::block_on;
use futures::task::noop_waker;
use millpond::{Context, DeadFull, Outcome, Pool, Queue, RetryPolicy, VirtualClock};
use pool_common::{LONG, until};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn what_is_scheduled_counts() {
    let time = VirtualClock::new();
    let pool = Pool::builder()
        .clock(time.clock())
        .retry(RetryPolicy::fixed(SECOND).max_attempts(2))
        .start(|job: &u32, _: &Context| if *job == 1 { Outcome::retry("no") } else { Outcome::Done })
        .unwrap();
    assert!(pool.wait_drained(Duration::ZERO), "nothing was submitted");
    pool.submit_many(vec![1, 2]).unwrap();
    pool.submit_after(3, SECOND).unwrap();
    assert!(pool.wait_idle(LONG) && !pool.wait_drained(Duration::ZERO));
    std::thread::scope(|scope| {
        let threads = [(); 3].map(|()| scope.spawn(|| pool.wait_drained(LONG)));
        let task = scope.spawn(|| block_on(pool.drained()));
        time.advance(SECOND);
        assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
        task.join().unwrap();
    });
    let stats = pool.stats();
    assert_eq!((stats.done, stats.dead, stats.held), (2, 1, 0));
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_task_is_woken_by_the_last_job_whatever_its_end() {
    type End = fn(&Queue<u32>);
    let ends: [End; 4] = [
        |queue| queue.recv().unwrap().ack().unwrap(),
        |queue| queue.recv().unwrap().nack(Outcome::dead("no")).unwrap(),
        |queue| queue.recv().unwrap().nack(Outcome::Drop).unwrap(),
        |queue| drop(queue.abort()),
    ];
    for end in ends {
        let queue = Queue::builder().open::<u32>().unwrap();
        queue.submit(1).unwrap();
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        let mut drained = pin!(queue.drained());
        let mut cx = std::task::Context::from_waker(&waker);
        assert!(drained.poll_unpin(&mut cx).is_pending() && drained.poll_unpin(&mut cx).is_pending());
        end(&queue);
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert!(drained.poll_unpin(&mut cx).is_ready());
        // It may be asked again: then it waits for what has come since.
        assert!(drained.poll_unpin(&mut cx).is_ready());
    }
}

#[test]
fn a_cancelled_job_that_was_scheduled_ends_the_wait() {
    let queue = Queue::builder().open::<u32>().unwrap();
    let job = queue.job(1).after(LONG).tracked().submit().unwrap();
    std::thread::scope(|scope| {
        let task = scope.spawn(|| block_on(queue.drained()));
        assert!(job.cancel());
        task.join().unwrap();
    });
}

#[test]
fn a_future_that_is_dropped_leaves_nothing_behind() {
    let queue = Queue::builder().open::<u32>().unwrap();
    queue.submit(1).unwrap();
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    {
        let mut dropped = pin!(queue.drained());
        assert!(dropped.poll_unpin(&mut std::task::Context::from_waker(&waker)).is_pending());
        assert_eq!(Arc::strong_count(&count), 3);
    }
    assert_eq!(Arc::strong_count(&count), 2, "its waker is dropped");
    // Another waits on.
    let mut waits = pin!(queue.drained());
    let noop = noop_waker();
    assert!(waits.poll_unpin(&mut std::task::Context::from_waker(&noop)).is_pending());
    queue.recv().unwrap().ack().unwrap();
    assert!(waits.poll_unpin(&mut std::task::Context::from_waker(&noop)).is_ready());
    assert_eq!(count.0.load(Ordering::Relaxed), 0);
}

struct Rude;

impl Wake for Rude {
    fn wake(self: Arc<Self>) {
        std::panic::resume_unwind(Box::new("a waker that panics"));
    }
}

#[test]
fn a_waker_that_panics_harms_nobody() {
    let queue = Queue::builder().open::<u32>().unwrap();
    queue.submit(1).unwrap();
    let rude = Waker::from(Arc::new(Rude));
    let mut first = pin!(queue.drained());
    assert!(first.poll_unpin(&mut std::task::Context::from_waker(&rude)).is_pending());
    std::thread::scope(|scope| {
        let task = scope.spawn(|| block_on(queue.drained()));
        queue.recv().unwrap().ack().unwrap();
        task.join().unwrap();
    });
    assert!(queue.wait_drained(LONG));
}

/// A job whose letter has no room is held, and so is waited for.
#[test]
fn a_job_that_was_put_aside_has_not_left() {
    let pool = Pool::builder()
        .workers(1)
        .dead_letters(1, DeadFull::Block)
        .start(|_: &u32, _: &Context| Outcome::dead("no"))
        .unwrap();
    pool.submit_many(vec![1, 2]).unwrap();
    until("one is dead", || pool.stats().dead == 1);
    assert!(!pool.wait_drained(Duration::from_millis(1)));
    assert_eq!(pool.dead().take_all().len(), 1);
    assert!(pool.wait_drained(LONG));
}

/// Tasks and threads wait in turns while jobs of all kinds come and go: nobody sleeps past the last.
#[test]
fn stress() {
    let pool = Pool::builder()
        .workers(2)
        .retry(RetryPolicy::fixed(Duration::from_micros(50)).max_attempts(3))
        .start(|job: &u32, cx: &Context| if job % 3 < cx.attempt() { Ok(()) } else { Err("again") })
        .unwrap();
    for round in 0..300 {
        std::thread::scope(|scope| {
            let task = scope.spawn(|| block_on(pool.drained()));
            let thread = scope.spawn(|| assert!(pool.wait_drained(LONG)));
            pool.submit_many((0..round % 7).collect::<Vec<_>>()).unwrap();
            pool.submit_after(1, Duration::from_micros(20)).unwrap();
            task.join().unwrap();
            thread.join().unwrap();
            assert!(pool.wait_drained(LONG));
        });
        assert_eq!(pool.stats().held, 0);
    }
}
