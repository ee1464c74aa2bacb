//! Handlers as tasks of the user's tokio runtime: bounded, stopped where they wait, settled by the same rules.

#![cfg(feature = "tokio")]
#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

mod pool_common;

use millpond::{
    BuildError, Context, FailureKind, JobEnd, Lease, Outcome, Pool, PoolBuilder, RetryPolicy, VirtualClock,
};
use pool_common::{LONG, books, quiet, until};
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::task::{spawn_blocking, yield_now};

const SECOND: Duration = Duration::from_secs(1);

fn threads() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).thread_name("spawned").enable_time().build().unwrap()
}

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

fn at_once(attempts: u32) -> PoolBuilder {
    Pool::builder().workers(2).retry(RetryPolicy::fixed(Duration::ZERO).max_attempts(attempts))
}

/// Counts the values that are alive.
#[derive(Default)]
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn one(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn outcome(job: &u32, cx: &Context) -> Outcome {
    assert!(tokio::task::try_id().is_some(), "it is a task of the runtime");
    match job % 3 {
        0 => tokio::time::sleep(Duration::from_micros(u64::from(job % 7))).await,
        1 => cx.sleep(Duration::from_micros(u64::from(job % 7))).await,
        _ => yield_now().await,
    }
    match job % 5 {
        0 => Outcome::Done,
        1 if cx.attempt() < 3 => Outcome::retry("again"),
        2 => Outcome::dead("no"),
        3 if cx.deliveries() == 1 => Outcome::snooze(Duration::ZERO),
        4 => std::panic::resume_unwind(Box::new("a handler that panics")),
        _ => Outcome::Done,
    }
}

#[test]
fn every_outcome_is_settled_as_ever() {
    for runtime in [threads(), one_thread()] {
        let pool = at_once(3).start_spawned(runtime.handle(), |job, cx| Box::pin(outcome(job, cx))).unwrap();
        pool.submit_many((0..500).collect::<Vec<_>>()).unwrap();
        runtime.block_on(pool.drained());
        let stats = books(&pool);
        assert_eq!((stats.done, stats.dead, stats.retried, stats.snoozed), (300, 200, 400, 100));
        assert_eq!(stats.panicked, 300);
        drop(runtime);
        assert!(pool.shutdown(LONG).is_drained());
    }
}

#[test]
fn no_more_handlers_run_than_allowed() {
    let (runtime, running, most) = (threads(), Arc::default(), Arc::new(AtomicUsize::new(0)));
    let pool = {
        let (running, most): (Arc<AtomicUsize>, _) = (running, Arc::clone(&most));
        at_once(1).concurrency(3).start_spawned(runtime.handle(), move |_: &u32, _| {
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            Box::pin(async move {
                let one = Alive::one(&running);
                most.fetch_max(running.load(Ordering::Relaxed), Ordering::Relaxed);
                yield_now().await;
                drop(one);
            })
        })
    };
    let pool = pool.unwrap();
    pool.submit_many((0..2_000).collect::<Vec<_>>()).unwrap();
    assert_eq!(quiet(&pool).done, 2_000);
    let most = most.load(Ordering::Relaxed);
    assert!((1..=6).contains(&most), "{most} at once");
}

#[test]
fn a_handler_whose_time_is_up_is_dropped_where_it_waits() {
    let (runtime, time, alive) = (threads(), VirtualClock::new(), Arc::default());
    let pool = {
        let alive = Arc::clone(&alive);
        at_once(1).timeout(SECOND).clock(time.clock()).start_spawned(runtime.handle(), move |_: &u32, _| {
            let alive = Alive::one(&alive);
            Box::pin(async move {
                pending::<()>().await;
                drop(alive);
            })
        })
    };
    let pool = pool.unwrap();
    pool.submit_many(vec![1, 2, 3]).unwrap();
    until("all wait", || alive.load(Ordering::Relaxed) == 3);
    time.advance(SECOND);
    assert_eq!((quiet(&pool).dead, alive.load(Ordering::Relaxed)), (3, 0));
    assert!(pool.dead().list().iter().all(|info| info.kind == FailureKind::Timeout));
}

#[test]
fn a_lost_lease_goes_to_another() {
    let (runtime, time, asleep) = (threads(), VirtualClock::new(), Arc::new(AtomicUsize::new(0)));
    let pool = {
        let asleep = Arc::clone(&asleep);
        at_once(1).clock(time.clock()).lease(Lease::of(SECOND)).start_spawned(
            runtime.handle(),
            move |_: &u32, cx| {
                let asleep = Arc::clone(&asleep);
                Box::pin(async move {
                    if cx.deliveries() == 1 {
                        // Polled again when its lease is lost, and stopped for that.
                        let sleep = cx.sleep(2 * SECOND);
                        asleep.fetch_add(1, Ordering::Relaxed);
                        sleep.await;
                        panic!("it is not polled any more");
                    }
                })
            },
        )
    };
    let pool = pool.unwrap();
    pool.submit(1).unwrap();
    until("it sleeps", || asleep.load(Ordering::Relaxed) == 1);
    time.advance(SECOND);
    until("it is done", || pool.stats().done == 1);
    time.advance(SECOND);
    until("the first was told", || pool.stats().late == 1);
    let stats = quiet(&pool);
    assert_eq!((stats.leases_lost, stats.panicked), (1, 0));
}

#[test]
fn a_job_that_is_cancelled_is_stopped_where_it_waits() {
    let runtime = threads();
    let pool = at_once(1).start_spawned(runtime.handle(), |_: &u32, _| Box::pin(pending::<()>())).unwrap();
    let job = pool.job(1).tracked().submit().unwrap();
    until("it waits", || pool.stats().in_flight == 1);
    assert!(job.cancel());
    assert_eq!(job.wait(), JobEnd::Cancelled);
    assert_eq!(quiet(&pool).cancelled, 1);
}

/// Those that wait are dropped before the shutdown returns, and their jobs handed back; also where there is no room for more.
#[test]
fn a_shutdown_stops_handlers_that_wait_and_hands_their_jobs_back() {
    for concurrency in [1, 2, 100] {
        let (runtime, alive) = (threads(), Arc::default());
        let pool = {
            let alive = Arc::clone(&alive);
            at_once(1).concurrency(concurrency).start_spawned(runtime.handle(), move |_: &u32, _| {
                let alive = Alive::one(&alive);
                Box::pin(async move {
                    pending::<()>().await;
                    drop(alive);
                })
            })
        };
        let pool = pool.unwrap();
        pool.submit_many((0..10).collect::<Vec<_>>()).unwrap();
        let running = (2 * concurrency).min(10);
        until("they wait", || alive.load(Ordering::Relaxed) == running);
        let report = pool.abort();
        assert_eq!(alive.load(Ordering::Relaxed), 0, "a shutdown waits for them");
        assert_eq!((report.cut_off.len(), report.released.len()), (running, 10 - running));
        assert!(report.cut_off.iter().all(|cut| cut.job.is_some()), "{report:?}");
        books(&pool);
    }
}

/// On the runtime's only thread, somebody else waits for the shutdown.
#[test]
fn a_shutdown_beside_a_runtime_of_one_thread() {
    let runtime = one_thread();
    let pool = at_once(1).start_spawned(runtime.handle(), |job: &u64, _| {
        let time = Duration::from_millis(*job);
        Box::pin(async move { tokio::time::sleep(time).await })
    });
    let pool = Arc::new(pool.unwrap());
    pool.submit_many((0..20).collect::<Vec<_>>()).unwrap();
    let report = runtime.block_on(async {
        let pool = Arc::clone(&pool);
        spawn_blocking(move || pool.shutdown(LONG)).await.unwrap()
    });
    assert!(report.is_drained());
    assert_eq!(books(&pool).done, 20);
}

/// The runtime ends first: the handlers are dropped with it, and their jobs are not lost.
#[test]
fn a_runtime_that_ends_first_gives_the_jobs_back() {
    for leased in [false, true] {
        let (runtime, alive) = (threads(), Arc::default());
        let wait = |alive: &Arc<AtomicUsize>| {
            let alive = Alive::one(alive);
            Box::pin(async move {
                pending::<()>().await;
                drop(alive);
            })
        };
        let (builder, count) = (at_once(1), Arc::clone(&alive));
        let pool = match leased {
            false => builder.start_spawned(runtime.handle(), move |_: &u32, _| wait(&count)).unwrap(),
            true => {
                let builder = builder.lease(Lease::renewed(LONG));
                builder.start_spawned(runtime.handle(), move |_: &u32, _| wait(&count)).unwrap()
            }
        };
        pool.submit_many(vec![1, 2, 3]).unwrap();
        until("all wait", || alive.load(Ordering::Relaxed) == 3);
        runtime.shutdown_timeout(LONG);
        assert_eq!((alive.load(Ordering::Relaxed), pool.stats().ready), (0, 3));
        let report = pool.shutdown(Duration::ZERO);
        assert_eq!((report.released.len(), report.cut_off.len()), (3, 0));
        books(&pool);
    }
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let runtime = one_thread();
    let start = |builder: PoolBuilder| {
        builder.start_spawned(runtime.handle(), |_: &u32, _| Box::pin(async {})).map(drop)
    };
    assert!(matches!(start(Pool::builder().workers(0)), Err(BuildError::NoWorkers)));
    assert!(matches!(start(Pool::builder().concurrency(0)), Err(BuildError::NoConcurrency)));
}

/// Many jobs, from several threads and from a task, with failures and shutdowns in the middle.
#[test]
fn stress() {
    let runtime = threads();
    for round in 0..10 {
        let pool = at_once(3).capacity(64).concurrency(8).start_spawned(runtime.handle(), |job: &u32, cx| {
            Box::pin(async move {
                yield_now().await;
                if job % 5 < cx.attempt() { Ok(()) } else { Err("again") }
            })
        });
        let pool = pool.unwrap();
        std::thread::scope(|scope| {
            for thread in 0..2 {
                let pool = &pool;
                scope.spawn(move || (0..500).all(|job| pool.submit(2 * job + thread).is_ok()));
            }
            scope.spawn(|| runtime.block_on(async { while pool.submit_async(7).await.is_ok() {} }));
            until("some are done", || pool.stats().done > 100 * round);
            drop(pool.shutdown(if round % 2 == 0 { Duration::ZERO } else { LONG }));
        });
        assert_eq!(books(&pool).held, 0);
    }
}
