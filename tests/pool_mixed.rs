//! Handlers that compute beside handlers that wait: neither holds up the other, and the rules are one.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

mod pool_common;

use millpond::{
    Breaker, BuildError, Context, Displaced, JobEnd, Lane, Lease, Outcome, Overflow, Pool, PoolBuilder,
    RetryPolicy, VirtualClock,
};
use pool_common::{Barrier, LONG, books, hush, quiet, until};
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Even jobs compute, odd ones wait.
fn lane_of(job: &u32) -> Lane {
    if job % 2 == 0 { Lane::Sync } else { Lane::Async }
}

fn at_once(retries: u32) -> PoolBuilder {
    Pool::builder().workers(2).retry(RetryPolicy::fixed(Duration::ZERO).max_attempts(retries))
}

#[test]
fn each_job_is_handled_in_its_lane_by_the_same_rules() {
    let outcome = |job: u32, cx: &Context| match job / 2 % 5 {
        0 => Outcome::Done,
        1 if cx.attempt() < 3 => Outcome::retry("again"),
        2 => Outcome::dead("no"),
        3 if cx.deliveries() == 1 => Outcome::snooze(Duration::ZERO),
        4 if cx.deliveries() == 1 => Outcome::Release,
        _ => Outcome::Done,
    };
    let pool = at_once(3).async_workers(2).start_mixed(
        lane_of,
        move |job: &u32, cx: &Context| {
            assert_eq!(lane_of(job), Lane::Sync);
            outcome(*job, cx)
        },
        async move |job: &u32, cx: &Context| {
            assert_eq!(lane_of(job), Lane::Async);
            cx.sleep(Duration::ZERO).await;
            outcome(*job, cx)
        },
    );
    let pool = pool.unwrap();
    pool.submit_many((0..400).collect::<Vec<_>>()).unwrap();
    (400..500).for_each(|job| assert!(pool.submit(job).is_ok()));
    let stats = quiet(&pool);
    assert_eq!((stats.done, stats.dead, stats.retried, stats.snoozed), (400, 100, 200, 100));
    assert_eq!(pool.dead().redrive_all().unwrap(), 100);
    assert_eq!(quiet(&pool).died, 200);
    assert!(pool.shutdown(LONG).is_drained());
}

#[test]
fn sleepers_hold_up_no_computation_and_computations_no_sleeper() {
    let time = VirtualClock::new();
    let gate = Arc::new(Barrier::default());
    let computed = Arc::new(AtomicUsize::new(0));
    let slept = Arc::new(AtomicUsize::new(0));
    let pool = {
        let (gate, computed, slept) = (Arc::clone(&gate), Arc::clone(&computed), Arc::clone(&slept));
        Pool::builder().workers(1).async_workers(1).clock(time.clock()).start_mixed(
            lane_of,
            move |job: &u32, _: &Context| {
                if *job == 0 {
                    gate.pass();
                }
                computed.fetch_add(1, Ordering::Relaxed);
            },
            async move |_: &u32, cx: &Context| {
                cx.sleep(SECOND).await;
                slept.fetch_add(1, Ordering::Relaxed);
            },
        )
    };
    let pool = pool.unwrap();
    // A hundred sleep, and a hundred compute meanwhile.
    pool.submit_many((0..100).map(|job| 2 * job + 1).collect::<Vec<_>>()).unwrap();
    pool.submit_many((1..=100).map(|job| 2 * job).collect::<Vec<_>>()).unwrap();
    until("all have computed", || computed.load(Ordering::Relaxed) == 100);
    assert_eq!((slept.load(Ordering::Relaxed), pool.stats().done), (0, 100));
    // The only worker computes for long, others queue up behind, and the sleepers wake up meanwhile; new ones as well.
    pool.submit_many(vec![0, 2, 4, 6, 1_001, 1_003]).unwrap();
    gate.wait_for(1);
    until("all sleep", || pool.stats().in_flight == 103);
    time.advance(SECOND);
    until("all have slept", || slept.load(Ordering::Relaxed) == 102);
    assert_eq!(computed.load(Ordering::Relaxed), 100);
    gate.open();
    assert_eq!(quiet(&pool).done, 206);
}

/// As many sleepers as there may be at once: those behind them wait, and nobody else.
#[test]
fn a_full_lane_holds_up_itself_alone() {
    let time = VirtualClock::new();
    let pool = Pool::builder().workers(1).concurrency(2).clock(time.clock()).start_mixed(
        lane_of,
        |_: &u32, _: &Context| (),
        async |_: &u32, cx: &Context| cx.sleep(SECOND).await,
    );
    let pool = pool.unwrap();
    pool.submit_many(vec![1, 3, 5, 7, 2, 4, 6, 8]).unwrap();
    until("all have computed", || pool.stats().done == 4);
    until("two sleep", || pool.stats().in_flight == 2);
    assert_eq!(pool.stats().ready, 2);
    let report = pool.shutdown(Duration::ZERO);
    assert_eq!((report.done, report.released.len(), report.cut_off.len()), (4, 2, 2));
    books(&pool);
}

#[test]
fn panics_are_failed_attempts_in_both_lanes() {
    hush("mixed-panics");
    let pool = at_once(2).name("mixed-panics").start_mixed(
        |job: &u32| match job {
            8 => std::panic::resume_unwind(Box::new("a choice that panics")),
            job => lane_of(job),
        },
        |job: &u32, _: &Context| assert!(*job > 4, "sync"),
        async |job: &u32, _: &Context| assert!(*job > 4, "async"),
    );
    let pool = pool.unwrap();
    pool.submit_many((0..10).collect::<Vec<_>>()).unwrap();
    let stats = quiet(&pool);
    assert_eq!((stats.done, stats.dead, stats.panicked), (5, 5, 10));
}

/// Handlers that wait are stopped where they wait, those that compute are left behind.
#[test]
fn a_shutdown_knows_the_difference() {
    let gate = Arc::new(Barrier::default());
    let pool = {
        let gate = Arc::clone(&gate);
        Pool::builder().workers(1).start_mixed(
            lane_of,
            move |_: &u32, _: &Context| gate.pass(),
            async |_: &u32, _: &Context| pending::<()>().await,
        )
    };
    let pool = pool.unwrap();
    let handles = [0, 1, 2].map(|job| pool.job(job).tracked().submit().unwrap());
    gate.wait_for(1);
    until("one waits", || pool.stats().in_flight == 2);
    let report = pool.abort();
    assert_eq!(report.released.iter().map(|back| back.job).collect::<Vec<_>>(), [2]);
    let mut cut: Vec<_> =
        report.cut_off.iter().map(|cut| (cut.id.get(), cut.job.as_ref().map(|back| back.job))).collect();
    cut.sort_unstable();
    assert_eq!(cut, [(1, None), (2, Some(1))], "the handler that waited gave its job back");
    assert_eq!(handles.map(|handle| handle.wait()), [JobEnd::CutOff, JobEnd::CutOff, JobEnd::Released]);
    books(&pool);
    gate.open();
}

#[test]
fn leases_and_timeouts_hold_in_both_lanes() {
    let time = VirtualClock::new();
    let gate = Arc::new(Barrier::default());
    let workers = Arc::new(Mutex::new(Vec::new()));
    let pool = {
        let (gate, workers) = (Arc::clone(&gate), Arc::clone(&workers));
        Pool::builder()
            .name("mixed-lease")
            .workers(1)
            .async_workers(2)
            .replace_stuck(true)
            .clock(time.clock())
            .lease(Lease::of(10 * SECOND))
            .start_mixed(
                lane_of,
                move |_: &u32, cx: &Context| {
                    workers.lock().unwrap().push(std::thread::current().name().map(str::to_owned));
                    if cx.deliveries() == 1 {
                        gate.pass();
                    }
                },
                async |_: &u32, cx: &Context| {
                    if cx.deliveries() == 1 {
                        pending::<()>().await;
                    }
                },
            )
    };
    let pool = pool.unwrap();
    pool.submit(0).unwrap();
    pool.submit(1).unwrap();
    gate.wait_for(1);
    until("both are in flight", || pool.stats().in_flight == 2);
    time.advance(10 * SECOND);
    let stats = quiet(&pool);
    assert_eq!((stats.done, stats.leases_lost), (2, 2));
    // The worker that computes was replaced, by one with a number of its own; those that wait were not.
    let names: Vec<_> = workers.lock().unwrap().iter().flatten().cloned().collect();
    assert_eq!(names, ["mixed-lease-2", "mixed-lease-3"]);
    gate.open();
    until("the stuck one was told", || pool.stats().late >= 1);
    assert!(pool.shutdown(LONG).is_drained());

    let begun = Arc::new(AtomicUsize::new(0));
    let timed = {
        let begun = Arc::clone(&begun);
        at_once(1).timeout(SECOND).clock(time.clock()).start_mixed(
            lane_of,
            |_: &u32, _: &Context| (),
            async move |_: &u32, _: &Context| {
                begun.fetch_add(1, Ordering::Relaxed);
                pending::<()>().await;
            },
        )
    };
    let timed = timed.unwrap();
    timed.submit(1).unwrap();
    until("it waits", || begun.load(Ordering::Relaxed) == 1);
    time.advance(SECOND);
    assert_eq!(quiet(&timed).dead, 1);
}

#[test]
fn retries_wait_in_the_schedule_and_come_back_to_their_lane() {
    let time = VirtualClock::new();
    let pool = Pool::builder().workers(1).clock(time.clock()).retry(RetryPolicy::fixed(SECOND)).start_mixed(
        lane_of,
        |_: &u32, cx: &Context| if cx.attempt() == 1 { Err("sync") } else { Ok(()) },
        async |_: &u32, cx: &Context| if cx.attempt() == 1 { Err("async") } else { Ok(()) },
    );
    let pool = pool.unwrap();
    pool.submit_many(vec![0, 1]).unwrap();
    pool.submit_after(2, SECOND).unwrap();
    pool.submit_after(3, SECOND).unwrap();
    for (done, retried) in [(0, 2), (2, 4), (4, 4)] {
        let stats = quiet(&pool);
        assert_eq!((stats.done, stats.retried), (done, retried));
        time.advance(SECOND);
    }
}

#[test]
fn a_breaker_pauses_both_lanes() {
    let time = VirtualClock::new();
    let breaker = Breaker::failures(1).open_for(30 * SECOND);
    let pool = Pool::builder()
        .workers(1)
        .clock(time.clock())
        .breaker(&breaker)
        .retry(RetryPolicy::none())
        .start_mixed(
            lane_of,
            |job: &u32, _: &Context| if *job == 0 { Err("down") } else { Ok(()) },
            async |_: &u32, _: &Context| (),
        );
    let pool = pool.unwrap();
    pool.submit(0).unwrap();
    until("it is dead", || pool.stats().dead == 1);
    pool.submit_many(vec![1, 2, 3]).unwrap();
    assert_eq!(pool.stats().done, 0);
    time.advance(30 * SECOND);
    assert_eq!(quiet(&pool).done, 3);
}

/// Of two lanes, the one in which more are ready has to give way.
#[test]
fn the_longer_lane_gives_way() {
    let gate = Arc::new(Barrier::default());
    let pool = {
        let gate = Arc::clone(&gate);
        Pool::builder()
            .workers(1)
            .concurrency(1)
            .capacity(5)
            .overflow(Overflow::DropOldest(Displaced::DeadLetter))
            .start_mixed(
                lane_of,
                move |_: &u32, _: &Context| gate.pass(),
                async |_: &u32, _: &Context| pending::<()>().await,
            )
    };
    let pool = pool.unwrap();
    pool.submit_many(vec![0, 1]).unwrap();
    gate.wait_for(1);
    until("both are in flight", || pool.stats().in_flight == 2);
    pool.submit_many(vec![2, 3, 5]).unwrap();
    pool.submit(7).unwrap();
    assert_eq!(pool.dead().take_all()[0].job, 3);
    pool.submit_many(vec![9, 11]).unwrap();
    let gone: Vec<_> = pool.dead().take_all().into_iter().map(|letter| letter.job).collect();
    assert_eq!(gone, [5, 7]);
    gate.open();
    let report = pool.abort();
    assert_eq!(report.released.len() + report.cut_off.len() + report.done as usize, 5);
    books(&pool);
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let start = |builder: PoolBuilder| {
        builder.start_mixed(lane_of, |_: &u32, _: &Context| (), async |_: &u32, _: &Context| ()).map(drop)
    };
    assert!(matches!(start(Pool::builder().workers(0)), Err(BuildError::NoWorkers)));
    assert!(matches!(start(Pool::builder().async_workers(0)), Err(BuildError::NoWorkers)));
    assert!(matches!(start(Pool::builder().concurrency(0)), Err(BuildError::NoConcurrency)));
    assert!(start(Pool::builder()).is_ok());
}

/// Both lanes under load, from several threads, with failures.
#[test]
fn stress() {
    let pool = at_once(4).async_workers(2).capacity(64).start_mixed(
        lane_of,
        |job: &u32, cx: &Context| if job / 2 % 7 < cx.attempt() { Ok(()) } else { Err("sync") },
        async |job: &u32, cx: &Context| {
            cx.sleep(Duration::from_micros(u64::from(job % 50))).await;
            if job / 2 % 7 < cx.attempt() { Ok(()) } else { Err("async") }
        },
    );
    let pool = pool.unwrap();
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let pool = &pool;
            scope.spawn(move || (0..2_000).for_each(|job| assert!(pool.submit(3 * job + thread).is_ok())));
        }
    });
    let stats = quiet(&pool);
    assert_eq!((stats.submitted, stats.held), (6_000, 0));
    assert!(stats.dead > 0 && stats.retried > 0);
}
