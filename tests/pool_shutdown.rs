//! Ending a pool: drained, released, cut off; by shutdown and by drop.

mod pool_common;

use futures::FutureExt;
use futures::executor::block_on;
use millpond::{Context, Outcome, Pool, RetryPolicy, VirtualClock};
use pool_common::{Barrier, LONG, books, quiet, until};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_pool_with_nothing_to_do_ends_at_once() {
    for workers in [1, 4] {
        let pool = Pool::builder().workers(workers).start(|(): &(), _: &Context| ()).unwrap();
        let started = Instant::now();
        let report = pool.shutdown(LONG);
        assert!(report.is_drained() && report.done == 0);
        assert!(started.elapsed() < LONG / 2);
        assert!(pool.shutdown(LONG).is_drained(), "a second call finds nothing");
        books(&pool);
    }
}

#[test]
fn everything_in_time_is_done() {
    let pool = Pool::builder()
        .workers(2)
        .retry(RetryPolicy::fixed(Duration::from_millis(1)).max_attempts(2))
        .start(|job: &u32, cx: &Context| match job % 3 {
            0 => Ok(()),
            1 if cx.attempt() == 2 => Ok(()),
            _ => Err("no"),
        })
        .unwrap();
    pool.submit_many((0..300).collect::<Vec<_>>()).unwrap();
    let report = pool.shutdown(LONG);
    assert!(report.is_drained(), "{report:?}");
    assert_eq!((report.done, report.dead, report.dropped), (200, 100, 0));
    assert_eq!(books(&pool).held, 0);
}

#[test]
fn what_is_not_due_in_time_is_released_at_once() {
    let pool = Pool::builder()
        .workers(1)
        .retry(RetryPolicy::fixed(SECOND * 3_600))
        .start(|_: &u32, _: &Context| Err::<(), _>("later"))
        .unwrap();
    let ids = pool.submit_many(vec![10, 11]).unwrap();
    quiet(&pool);
    let started = Instant::now();
    let report = pool.shutdown(SECOND * 60);
    assert!(started.elapsed() < SECOND * 30, "nobody waits for a retry in an hour");
    let released: Vec<_> = report.released.iter().map(|released| (released.id, released.job)).collect();
    assert_eq!(released, [(ids[0], 10), (ids[1], 11)]);
    assert_eq!((report.released[0].attempts.len(), report.released[0].deliveries), (1, 1));
    assert!(format!("{report:?}").contains("later"));
    let stats = books(&pool);
    assert_eq!((stats.released, stats.dropped, stats.held), (2, 2, 0));
}

/// A job that fails while the pool drains, and would come back after the deadline, is released then.
#[test]
fn a_retry_beyond_the_deadline_is_released_when_it_arises() {
    let barrier = Arc::new(Barrier::default());
    let pool = Pool::builder()
        .workers(1)
        .capacity(1)
        .retry(RetryPolicy::fixed(SECOND * 3_600))
        .start({
            let barrier = Arc::clone(&barrier);
            move |_: &u32, _: &Context| {
                barrier.pass();
                Err::<(), _>("later")
            }
        })
        .unwrap();
    pool.submit(1).unwrap();
    barrier.wait_for(1);
    std::thread::scope(|scope| {
        let shutdown = scope.spawn(|| pool.shutdown(LONG));
        until("the gate is closed", || pool.try_submit(2).is_err_and(|error| error.is_closed()));
        barrier.open();
        let report = shutdown.join().unwrap();
        assert_eq!((report.released.len(), report.released[0].job, report.cut_off.len()), (1, 1, 0));
    });
    books(&pool);
}

#[test]
fn under_a_virtual_clock_all_that_is_scheduled_is_released() {
    let time = VirtualClock::new();
    let pool = Pool::builder()
        .workers(1)
        .clock(time.clock())
        .start(|_: &u32, _: &Context| Outcome::snooze(Duration::from_nanos(1)))
        .unwrap();
    pool.submit_many(vec![1, 2, 3]).unwrap();
    quiet(&pool);
    let report = pool.shutdown(LONG);
    assert_eq!(report.released.iter().map(|released| released.job).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(books(&pool).released, 3);
}

/// A handler that never ends: its job is cut off, the others are released, and the shutdown keeps its deadline.
#[test]
fn a_stuck_handler_is_cut_off() {
    let barrier = Arc::new(Barrier::default());
    let (cancelled, late) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let pool = Pool::builder()
        .workers(2)
        .start({
            let (barrier, cancelled, late) =
                (Arc::clone(&barrier), Arc::clone(&cancelled), Arc::clone(&late));
            move |job: &u32, cx: &Context| {
                if *job >= 2 {
                    return Outcome::Done;
                }
                assert!(!cx.cancelled());
                barrier.pass();
                cancelled.store(cx.cancelled(), Ordering::SeqCst);
                late.fetch_add(1, Ordering::SeqCst);
                // One settles late as done, the other as failed: neither changes anything.
                if *job == 0 { Outcome::Done } else { Outcome::retry("too late") }
            }
        })
        .unwrap();
    let ids = pool.submit_many(vec![0, 1, 2, 3]).unwrap();
    barrier.wait_for(2);
    let started = Instant::now();
    let report = pool.shutdown(Duration::from_millis(50));
    assert!(started.elapsed() >= Duration::from_millis(50) && started.elapsed() < LONG / 2);
    let mut cut_off: Vec<_> = report.cut_off.iter().map(|cut| cut.id).collect();
    cut_off.sort();
    assert_eq!(cut_off, ids[..2]);
    assert_eq!(report.released.iter().map(|released| released.job).collect::<Vec<_>>(), [2, 3]);
    let stats = books(&pool);
    assert_eq!((stats.cut_off, stats.released, stats.held, stats.late), (2, 2, 0, 0));

    barrier.open();
    until("both late settles are refused", || pool.stats().late == 2);
    let stats = books(&pool);
    assert!(cancelled.load(Ordering::SeqCst), "the handler was told");
    assert_eq!((stats.done, stats.retried, stats.cut_off, late.load(Ordering::SeqCst)), (0, 0, 2, 2));
}

#[test]
fn a_deadline_of_zero_releases_what_is_ready() {
    let barrier = Arc::new(Barrier::default());
    let pool = Pool::builder()
        .workers(1)
        .start({
            let barrier = Arc::clone(&barrier);
            move |_: &u32, _: &Context| barrier.pass()
        })
        .unwrap();
    let ids = pool.submit_many((0..100).collect::<Vec<_>>()).unwrap();
    barrier.wait_for(1);
    let report = pool.shutdown(Duration::ZERO);
    let cut_off: Vec<_> = report.cut_off.iter().map(|cut| cut.id).collect();
    assert_eq!((cut_off.as_slice(), report.released.len()), (&ids[..1], 99));
    assert!(report.cut_off[0].job.is_none(), "its handler borrows it");
    assert!(
        report.released.iter().map(|released| released.id).eq(ids[1..].iter().copied()),
        "in their order"
    );
    barrier.open();
    until("the late settle", || pool.stats().late == 1);
    books(&pool);
}

#[test]
fn dropping_a_pool_drains_it() {
    let count = Arc::new(AtomicUsize::new(0));
    let pool = Pool::builder()
        .workers(2)
        .drop_deadline(LONG)
        .start({
            let count = Arc::clone(&count);
            move |(): &(), _: &Context| {
                count.fetch_add(1, Ordering::SeqCst);
            }
        })
        .unwrap();
    let handle = pool.handle();
    pool.submit_many(vec![(); 500]).unwrap();
    drop(pool);
    assert_eq!(count.load(Ordering::SeqCst), 500);
    assert_eq!(Arc::strong_count(&count), 1, "the handler is gone, and with it the workers");
    let stats = handle.stats();
    assert!(stats.done == 500 && stats.balances());
    assert!(handle.submit(()).unwrap_err().is_closed());
}

#[test]
fn dropping_a_pool_keeps_its_deadline() {
    let barrier = Arc::new(Barrier::default());
    let pool = Pool::builder()
        .workers(1)
        .drop_deadline(Duration::from_millis(20))
        .start({
            let barrier = Arc::clone(&barrier);
            move |(): &(), _: &Context| barrier.pass()
        })
        .unwrap();
    let handle = pool.handle();
    pool.submit_many(vec![(); 3]).unwrap();
    barrier.wait_for(1);
    drop(pool);
    let stats = handle.stats();
    assert_eq!((stats.cut_off, stats.released, stats.held), (1, 2, 0));
    assert!(stats.balances());
    barrier.open();
}

/// The last owner of a pool is its own handler: the drop runs in a worker, which cannot wait for itself.
#[test]
fn a_handler_may_drop_its_own_pool() {
    let slot: Arc<std::sync::Mutex<Option<Pool<u8>>>> = Arc::default();
    let pool = Pool::builder()
        .workers(2)
        .drop_deadline(Duration::from_millis(20))
        .start({
            let slot = Arc::clone(&slot);
            move |_: &u8, _: &Context| drop(slot.lock().unwrap().take())
        })
        .unwrap();
    let handle = pool.handle();
    *slot.lock().unwrap() = Some(pool);
    slot.lock().unwrap().as_ref().unwrap().submit(1).unwrap();
    until("the handler comes back", || handle.stats().late == 1);
    let stats = handle.stats();
    assert!(stats.cut_off == 1 && stats.balances());
}

/// Shutdown against submitters, workers, retries and dead letters, at every moment: each job has exactly one fate.
#[test]
fn a_shutdown_in_the_middle_of_everything() {
    pool_common::hush("midst");
    for round in 0..200u64 {
        let pool = Pool::builder()
            .name("midst")
            .workers(2)
            .capacity(8)
            .retry(RetryPolicy::fixed(Duration::from_micros(round % 50)).max_attempts(3))
            .start(|job: &u64, cx: &Context| match job % 7 {
                0 => Err("fails"),
                1 => panic!("panics"),
                2 if cx.attempt() < 3 => Err("comes round"),
                _ => Ok(()),
            })
            .unwrap();
        let (accepted, refused) = std::thread::scope(|scope| {
            let submitters: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        let mut accepted = 0;
                        for job in 0.. {
                            match pool.submit(job) {
                                Ok(_) => accepted += 1,
                                Err(error) => return (accepted, error.into_inner() == job),
                            }
                        }
                        unreachable!("the shutdown ends it")
                    })
                })
                .collect();
            let batches = scope.spawn(|| {
                let mut accepted = 0;
                loop {
                    match pool.submit_many((0..5).collect::<Vec<_>>()) {
                        Ok(ids) => accepted += ids.len() as u64,
                        Err(error) => {
                            accepted += error.submitted.len() as u64;
                            return (accepted, error.submitted.len() + error.rest.len() == 5);
                        }
                    }
                }
            });
            until("the pool is busy", || pool.stats().done > round % 20);
            let report = pool.shutdown(if round % 2 == 0 { LONG } else { Duration::from_micros(round * 10) });
            let handed_back = (report.released.len() + report.cut_off.len()) as u64;
            assert_eq!(
                pool.stats().submitted,
                report.done + report.dead + report.dropped + handed_back,
                "{report:?}"
            );
            let all: Vec<_> =
                submitters.into_iter().chain([batches]).map(|thread| thread.join().unwrap()).collect();
            (all.iter().map(|(accepted, _)| accepted).sum::<u64>(), all.iter().all(|(_, back)| *back))
        });
        assert!(refused, "every refused job came back");
        let stats = books(&pool);
        assert_eq!((stats.submitted, stats.held), (accepted, 0), "round {round}: {stats:?}");
    }
}

/// A pool with one job at work, behind a barrier.
#[expect(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]
fn busy() -> (Pool<u32>, Arc<Barrier>) {
    let barrier = Arc::new(Barrier::default());
    let inner = Arc::clone(&barrier);
    let builder = Pool::builder().workers(1).drop_deadline(Duration::from_millis(20));
    let pool = builder.start(move |_: &u32, _: &Context| inner.pass()).unwrap();
    pool.submit(1).unwrap();
    barrier.wait_for(1);
    (pool, barrier)
}

#[test]
fn a_task_waits_for_the_end_without_its_thread() {
    let (pool, barrier) = busy();
    let open = async {
        // In the same thread, which would not come to this if the other blocked it.
        barrier.open();
    };
    let (report, ()) = block_on(async { futures::join!(pool.shutdown_async(LONG), open) });
    assert_eq!((report.done, report.is_drained()), (1, true));
    assert!(block_on(pool.shutdown_async(LONG)).is_drained(), "a second call finds nothing");
    assert_eq!(pool.shutdown(LONG).done, 0);
    books(&pool);
}

#[test]
fn a_shutdown_that_nobody_awaits_any_more_goes_on_and_keeps_its_report() {
    let (pool, barrier) = busy();
    pool.submit_after(7, SECOND * 3_600).unwrap();
    assert!(pool.shutdown_async(SECOND * 60).now_or_never().is_none(), "polled once and dropped");
    until("the gate is closed", || pool.try_submit(2).is_err_and(|error| error.is_closed()));
    barrier.open();
    let report = pool.shutdown(LONG);
    assert_eq!((report.released.len(), report.released[0].job), (1, 7));
    assert!(report.done >= 1 && report.done == pool.stats().done, "and those of the tries above: {report:?}");
    assert_eq!(pool.shutdown(LONG).done, 0, "it is given out once");
    books(&pool);
}

#[test]
fn a_future_that_is_never_polled_ends_nothing() {
    let (pool, barrier) = busy();
    drop(pool.shutdown_async(LONG));
    barrier.open();
    pool.submit(2).unwrap();
    assert_eq!(pool.shutdown(LONG).done, 2);
}

/// Whoever comes second hurries the first, who gets the report all the same.
#[test]
fn an_abort_hurries_a_shutdown() {
    let (pool, barrier) = busy();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| block_on(pool.shutdown_async(Duration::MAX)));
        until("the gate is closed", || pool.try_submit(2).is_err_and(|error| error.is_closed()));
        let second = scope.spawn(|| pool.abort());
        let (first, second) = (first.join().unwrap(), second.join().unwrap());
        assert_eq!((first.cut_off.len(), second.cut_off.len()), (1, 0));
    });
    barrier.open();
    books(&pool);
}

/// Dropping a pool does not wait for a shutdown that has all the time in the world.
#[test]
fn a_drop_hurries_a_shutdown_that_was_forgotten() {
    let (pool, barrier) = busy();
    assert!(pool.shutdown_async(Duration::MAX).now_or_never().is_none());
    drop(pool);
    barrier.open();
}
