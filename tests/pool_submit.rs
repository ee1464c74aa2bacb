//! Getting jobs in: backpressure in its four forms, order, and what comes back when it does not work.

#![expect(clippy::unwrap_used, reason = "a test ends where its premises do not hold")]

mod pool_common;

use futures::FutureExt;
use millpond::{BuildError, Context, DeadFull, Outcome, Pool, SubmitError};
use pool_common::{Barrier, LONG, books, quiet, until};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

/// Neither `Clone`, `Sync` nor `Debug`: all a job has to be is `Send`.
struct Job(u32, std::cell::Cell<u8>);

impl Job {
    fn number(&self) -> u32 {
        self.1.set(self.1.get().wrapping_add(1));
        self.0
    }
}

fn job(number: u32) -> Job {
    Job(number, std::cell::Cell::new(0))
}

/// A pool with one worker whose jobs wait at the barrier.
fn stopped(capacity: usize) -> (Pool<Job>, Arc<Barrier>) {
    let barrier = Arc::new(Barrier::default());
    let pool = Pool::builder()
        .workers(1)
        .capacity(capacity)
        .start({
            let barrier = Arc::clone(&barrier);
            move |job: &Job, _: &Context| {
                job.number();
                barrier.pass();
            }
        })
        .unwrap();
    (pool, barrier)
}

#[test]
fn try_submit_gives_the_job_back_when_full() {
    for capacity in [1, 2, 3, 7] {
        let (pool, barrier) = stopped(capacity);
        for number in 0..capacity {
            pool.try_submit(job(number as u32)).unwrap();
        }
        barrier.wait_for(1);
        // One is in flight, the others are ready: together they fill the pool.
        let error = pool.try_submit(job(99)).unwrap_err();
        assert!(matches!(error, SubmitError::Full(_)), "{error:?}");
        assert_eq!(error.into_inner().0, 99);
        let stats = pool.stats();
        assert_eq!((stats.held, stats.in_flight, stats.ready), (capacity as u64, 1, capacity as u64 - 1));
        barrier.open();
        assert_eq!(quiet(&pool).done, capacity as u64);
        assert!(pool.try_submit(job(100)).is_ok());
        quiet(&pool);
    }
}

#[test]
fn scheduled_jobs_count_towards_the_capacity() {
    let time = millpond::VirtualClock::new();
    let pool = Pool::builder()
        .workers(1)
        .capacity(2)
        .clock(time.clock())
        .start(|_: &u8, cx: &Context| match cx.deliveries() {
            1 => Outcome::snooze(Duration::from_secs(9)),
            _ => Outcome::Done,
        })
        .unwrap();
    pool.submit_many(vec![1, 2]).unwrap();
    assert_eq!(quiet(&pool).scheduled, 2);
    assert!(matches!(pool.try_submit(3), Err(SubmitError::Full(3))));
    time.advance(Duration::from_secs(9));
    assert_eq!(quiet(&pool).done, 2);
    pool.try_submit(3).unwrap();
    quiet(&pool);
}

#[test]
fn submit_waits_for_room() {
    let (pool, barrier) = stopped(1);
    pool.submit(job(1)).unwrap();
    std::thread::scope(|scope| {
        let blocked = scope.spawn(|| pool.submit(job(2)).map(|_| ()).map_err(|error| error.to_string()));
        barrier.wait_for(1);
        barrier.open();
        assert_eq!(blocked.join().unwrap(), Ok(()));
    });
    assert_eq!(quiet(&pool).done, 2);
}

#[test]
fn submit_timeout_gives_the_job_back() {
    let (pool, barrier) = stopped(1);
    pool.submit_timeout(job(1), LONG).unwrap();
    for timeout in [Duration::ZERO, Duration::from_millis(5)] {
        let error = pool.submit_timeout(job(2), timeout).unwrap_err();
        assert!(matches!(error, SubmitError::Timeout(_)), "{error:?}");
        assert_eq!(error.into_inner().0, 2);
    }
    barrier.open();
    pool.submit_timeout(job(3), Duration::MAX).unwrap();
    let stats = quiet(&pool);
    assert_eq!((stats.submitted, stats.done), (2, 2), "a job that came back was never counted");
}

#[test]
fn submit_async_waits_and_can_be_dropped_or_taken_back() {
    let (pool, barrier) = stopped(1);
    let waker = Waker::noop();
    let mut context = std::task::Context::from_waker(waker);
    assert!(pool.submit_async(job(1)).now_or_never().unwrap().is_ok());
    {
        let mut dropped = pin!(pool.submit_async(job(2)));
        let mut taken_back = pin!(pool.submit_async(job(3)));
        assert!(dropped.as_mut().poll(&mut context).is_pending());
        assert!(taken_back.as_mut().poll(&mut context).is_pending());
        assert_eq!(taken_back.as_mut().into_inner().unwrap().0, 3);
        assert!(taken_back.into_inner().is_none());
    }
    let mut waits = pin!(pool.submit_async(job(4)));
    assert!(waits.as_mut().poll(&mut context).is_pending());
    barrier.open();
    assert!(futures::executor::block_on(waits).is_ok());
    let stats = quiet(&pool);
    assert_eq!((stats.submitted, stats.done), (2, 2));
}

#[test]
fn blocking_and_async_submitters_share_one_gate() {
    let pool = Pool::builder().workers(2).capacity(2).start(|_: &u32, _: &Context| ()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..2_000).for_each(|number| assert!(pool.submit(number).is_ok())));
            scope.spawn(|| {
                futures::executor::block_on(async {
                    for number in 0..2_000 {
                        pool.submit_async(number).await.unwrap();
                    }
                });
            });
            scope.spawn(|| drop(pool.submit_many((0..2_000).collect::<Vec<_>>()).unwrap()));
        }
    });
    assert_eq!(quiet(&pool).done, 12_000);
}

#[test]
fn one_worker_starts_jobs_in_the_order_of_acceptance() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let pool = Pool::builder()
        .workers(1)
        .capacity(5)
        .start({
            let order = Arc::clone(&order);
            move |number: &u32, cx: &Context| order.lock().unwrap().push((*number, cx.id()))
        })
        .unwrap();
    let mut ids = vec![pool.submit(0).unwrap()];
    ids.extend(pool.submit_many((1..1_000).collect::<Vec<_>>()).unwrap());
    ids.push(futures::executor::block_on(pool.submit_async(1_000)).unwrap());
    quiet(&pool);
    assert!(ids.is_sorted() && ids[0].get() == 1);
    let expected: Vec<_> = (0..=1_000).zip(ids).collect();
    assert_eq!(*order.lock().unwrap(), expected);
}

#[test]
fn a_pool_that_is_shut_down_gives_every_job_back() {
    let (pool, barrier) = stopped(4);
    barrier.open();
    let handle = pool.handle();
    pool.submit(job(1)).unwrap();
    let report = pool.shutdown(LONG);
    assert_eq!(report.done, 1);
    let check = |error: SubmitError<Job>, number| {
        assert!(error.is_closed(), "{error:?}");
        assert_eq!(error.into_inner().0, number);
    };
    check(pool.submit(job(2)).unwrap_err(), 2);
    check(pool.try_submit(job(3)).unwrap_err(), 3);
    check(pool.submit_timeout(job(4), LONG).unwrap_err(), 4);
    check(futures::executor::block_on(pool.submit_async(job(5))).unwrap_err(), 5);
    check(handle.submit(job(6)).unwrap_err(), 6);
    check(handle.clone().try_submit(job(7)).unwrap_err(), 7);
    check(handle.submit_timeout(job(8), LONG).unwrap_err(), 8);
    let error = handle.submit_many(vec![job(9), job(10)]).unwrap_err();
    assert!(error.submitted.is_empty());
    assert_eq!(error.rest.iter().map(|job| job.0).collect::<Vec<_>>(), [9, 10]);
    assert_eq!(books(&pool).submitted, 1);
}

#[test]
fn a_shutdown_gives_blocked_submitters_their_jobs_back() {
    let (pool, barrier) = stopped(2);
    pool.submit_many(VecDeque::from([job(1), job(2)])).unwrap();
    barrier.wait_for(1);
    std::thread::scope(|scope| {
        let blocking = scope.spawn(|| pool.submit(job(3)));
        let batch = scope.spawn(|| pool.submit_many(vec![job(4), job(5)]));
        let task = scope.spawn(|| futures::executor::block_on(pool.submit_async(job(6))));
        let waker = Waker::noop();
        let mut context = std::task::Context::from_waker(waker);
        let mut parked = pin!(pool.submit_async(job(7)));
        assert!(parked.as_mut().poll(&mut context).is_pending());
        let shutdown = scope.spawn(|| pool.shutdown(LONG));
        assert_eq!(blocking.join().unwrap().unwrap_err().into_inner().0, 3);
        assert_eq!(batch.join().unwrap().unwrap_err().into_inner().len(), 2);
        assert_eq!(task.join().unwrap().unwrap_err().into_inner().0, 6);
        let Poll::Ready(Err(error)) = parked.as_mut().poll(&mut context) else {
            panic!("not woken by the close")
        };
        assert_eq!(error.into_inner().0, 7);
        barrier.open();
        assert_eq!(shutdown.join().unwrap().done, 2);
    });
    books(&pool);
}

/// A handler may bring new work to its own pool, if it does not wait for room.
#[test]
fn a_handler_may_submit_to_its_own_pool() {
    let slot: Arc<std::sync::OnceLock<millpond::Handle<u32>>> = Arc::default();
    let pool = Pool::builder()
        .workers(2)
        .capacity(8)
        .start({
            let slot = Arc::clone(&slot);
            move |depth: &u32, _: &Context| {
                let handle = slot.wait();
                if *depth == 0 || handle.try_submit(depth - 1).is_ok() {
                    Ok(())
                } else {
                    Err("no room for the next")
                }
            }
        })
        .unwrap();
    slot.set(pool.handle()).unwrap();
    pool.submit(100).unwrap();
    until("the chain is worked off", || pool.stats().done == 101);
    quiet(&pool);
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let start = |builder: millpond::PoolBuilder| builder.start(|_: &u8, _: &Context| ()).map(drop);
    assert!(matches!(start(Pool::builder().workers(0)), Err(BuildError::NoWorkers)));
    for capacity in [0, usize::MAX, isize::MAX as usize] {
        assert!(
            matches!(start(Pool::builder().capacity(capacity)), Err(BuildError::Capacity(c)) if c == capacity)
        );
    }
    let error = start(Pool::builder().dead_letters(0, DeadFull::Block)).unwrap_err();
    assert!(matches!(error, BuildError::NoDeadLetters));
    assert!(!error.to_string().is_empty());
}

/// Jobs of no size, and of a large one.
#[test]
fn jobs_of_any_size() {
    let pool = Pool::builder().capacity(3).start(|(): &(), _: &Context| ()).unwrap();
    pool.submit_many(vec![(); 100]).unwrap();
    assert_eq!(quiet(&pool).done, 100);
    let pool = Pool::builder()
        .capacity(3)
        .start(|page: &[u8; 4_096], _: &Context| assert!(page.iter().all(|&byte| byte == page[0])))
        .unwrap();
    for number in 0..100 {
        pool.submit([number; 4_096]).unwrap();
    }
    assert_eq!(quiet(&pool).done, 100);
}
