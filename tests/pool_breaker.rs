//! Deliveries that pause while a breaker is open, and resume when it lets them.

#![expect(clippy::unwrap_used, reason = "a test ends where its premises do not hold")]

mod pool_common;

use futures::FutureExt;
use millpond::{
    Breaker, BreakerState, Context, Outcome, Pool, Queue, RecvTimeoutError, RetryPolicy, TryRecvError,
    VirtualClock,
};
use pool_common::{LONG, books, quiet, until};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn queue(time: &VirtualClock, breaker: &Breaker) -> Queue<u32> {
    Queue::builder()
        .clock(time.clock())
        .breaker(breaker)
        .retry(RetryPolicy::fixed(SECOND * 100))
        .drop_deadline(Duration::ZERO)
        .open()
        .unwrap()
}

#[test]
fn jobs_stay_ready_while_it_is_open_and_probes_go_first() {
    let time = VirtualClock::new();
    let breaker = Breaker::failures(2).open_for(SECOND * 10).probes(2);
    let queue = queue(&time, &breaker);
    queue.submit_many((0..8).collect::<Vec<_>>()).unwrap();
    for _ in 0..2 {
        queue.recv().unwrap().nack(Outcome::retry("down")).unwrap();
    }
    assert_eq!(breaker.state(), BreakerState::Open);
    assert_eq!(queue.try_recv().unwrap_err(), TryRecvError::Empty);
    assert_eq!(queue.recv_timeout(Duration::from_millis(2)).unwrap_err(), RecvTimeoutError::Timeout);
    assert!(queue.recv_async().now_or_never().is_none());
    let stats = books(&queue);
    assert_eq!((stats.ready, stats.in_flight, stats.scheduled), (6, 0, 2), "nothing was delivered");
    time.advance(SECOND * 10);
    let probes = [queue.recv().unwrap(), queue.recv().unwrap()];
    assert_eq!((*probes[0], *probes[1]), (2, 3), "in their order");
    assert_eq!(queue.try_recv().unwrap_err(), TryRecvError::Empty, "two probes are out");
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| *queue.recv().unwrap());
        let task = scope.spawn(|| *futures::executor::block_on(queue.recv_async()).unwrap());
        for probe in probes {
            probe.ack().unwrap();
        }
        // Both deliveries are dropped unsettled: failures that open it again.
        let mut next = [waits.join().unwrap(), task.join().unwrap()];
        next.sort_unstable();
        assert_eq!(next, [4, 5]);
    });
    assert_eq!((breaker.state(), breaker.times_opened()), (BreakerState::Open, 2));
    books(&queue);
}

#[test]
fn a_probe_that_says_nothing_lets_another_pass() {
    let time = VirtualClock::new();
    let breaker = Breaker::failures(1).open_for(SECOND);
    let queue = queue(&time, &breaker);
    queue.submit_many(vec![1, 2, 3]).unwrap();
    queue.job(4).ttl(SECOND).submit().unwrap();
    queue.recv().unwrap().nack(Outcome::retry("down")).unwrap();
    time.advance(SECOND);
    queue.recv().unwrap().nack(Outcome::dead("the job is at fault")).unwrap();
    queue.recv().unwrap().nack(Outcome::snooze(SECOND * 50)).unwrap();
    // The last has expired: it is seen to, and the pass given back.
    assert_eq!(queue.try_recv().unwrap_err(), TryRecvError::Empty);
    assert_eq!((breaker.state(), books(&queue).dead), (BreakerState::HalfOpen, 2));
    queue.submit(5).unwrap();
    queue.try_recv().unwrap().ack().unwrap();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

fn outcome(down: &AtomicBool, ran: &AtomicUsize) -> Result<(), &'static str> {
    ran.fetch_add(1, Ordering::SeqCst);
    if down.load(Ordering::SeqCst) { Err("down") } else { Ok(()) }
}

#[test]
fn workers_pause_and_are_woken_in_time() {
    for asynchronous in [false, true] {
        let time = VirtualClock::new();
        let breaker = Breaker::failures(1).open_for(SECOND * 10);
        let (down, ran) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
        let builder = Pool::builder()
            .workers(1)
            .concurrency(1)
            .clock(time.clock())
            .breaker(&breaker)
            .retry(RetryPolicy::fixed(SECOND).max_attempts(99));
        let (is_down, runs) = (Arc::clone(&down), Arc::clone(&ran));
        let pool = match asynchronous {
            false => builder.start(move |_: &u32, _: &Context| outcome(&is_down, &runs)).unwrap(),
            true => builder.start_async(async move |_: &u32, _: &Context| outcome(&is_down, &runs)).unwrap(),
        };
        pool.submit_many((0..50).collect::<Vec<_>>()).unwrap();
        for round in 1..=5 {
            until("the probe has failed", || breaker.times_opened() == round);
            assert_eq!(ran.load(Ordering::SeqCst) as u64, round, "one probe for each round");
            time.advance(SECOND * 9);
            std::thread::yield_now();
            assert_eq!(ran.load(Ordering::SeqCst) as u64, round);
            if round == 5 {
                down.store(false, Ordering::SeqCst);
            }
            time.advance(SECOND);
        }
        until("all are done", || {
            time.advance(SECOND);
            pool.stats().done == 50
        });
        assert_eq!(breaker.state(), BreakerState::Closed);
        assert_eq!(quiet(&pool).retried, 5);
    }
}

/// In real time, with several workers, and a breaker that two pools share.
#[test]
fn pools_that_share_a_breaker_pause_and_resume_together() {
    let breaker = Breaker::failures(3).open_for(Duration::from_millis(5)).probes(2);
    let attempts = Arc::new(AtomicUsize::new(0));
    let pools: Vec<Pool<u32>> = (0..2)
        .map(|_| {
            let attempts = Arc::clone(&attempts);
            Pool::builder()
                .workers(2)
                .breaker(&breaker)
                .retry(RetryPolicy::fixed(Duration::from_micros(100)).max_attempts(1_000))
                .start(move |_: &u32, _: &Context| match attempts.fetch_add(1, Ordering::SeqCst) % 40 {
                    0..8 => Err("down"),
                    _ => Ok(()),
                })
                .unwrap()
        })
        .collect();
    for pool in &pools {
        pool.submit_many((0..300).collect::<Vec<_>>()).unwrap();
    }
    for pool in &pools {
        until("all are done", || pool.stats().done == 300);
        quiet(pool);
    }
    assert!(breaker.times_opened() > 0);
}

#[test]
fn a_shutdown_ends_a_pause() {
    for asynchronous in [false, true] {
        let time = VirtualClock::new();
        let breaker = Breaker::failures(1);
        let builder = Pool::builder().workers(3).clock(time.clock()).breaker(&breaker);
        let pool = match asynchronous {
            false => builder.start(|_: &u32, _: &Context| Err::<(), _>("down")).unwrap(),
            true => builder.start_async(async |_: &u32, _: &Context| Err::<(), _>("down")).unwrap(),
        };
        pool.submit(0).unwrap();
        until("it is open", || breaker.state() == BreakerState::Open);
        pool.submit_many((1..20).collect::<Vec<_>>()).unwrap();
        let report = pool.shutdown(Duration::from_millis(1));
        assert!(report.released.len() >= 19 && report.cut_off.is_empty(), "{report:?}");
        books(&pool);
    }
    let (time, breaker) = (VirtualClock::new(), Breaker::failures(1));
    let queue = queue(&time, &breaker);
    queue.submit(1).unwrap();
    queue.recv().unwrap().nack(Outcome::retry("down")).unwrap();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| queue.recv().is_err());
        let limited = scope.spawn(|| queue.recv_timeout(LONG).unwrap_err());
        let task = scope.spawn(|| futures::executor::block_on(queue.recv_async()).is_err());
        assert_eq!(queue.shutdown(Duration::ZERO).released.len(), 1);
        assert!(waits.join().unwrap() && task.join().unwrap());
        assert_eq!(limited.join().unwrap(), RecvTimeoutError::Closed);
    });
    books(&queue);
}
