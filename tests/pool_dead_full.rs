//! Dead letters that may not be dropped and have no room: put aside, while everybody goes on with the next job.

#![expect(clippy::unwrap_used, reason = "a test ends where its premises do not hold")]

mod pool_common;

use futures::FutureExt;
use futures::executor::block_on;
use millpond::{
    Context, DeadFilter, DeadFull, DeadReason, Lane, Lease, Outcome, Pool, PoolBuilder, Queue,
    RecvTimeoutError, RedriveError, RetryBudget, RetryPolicy, TryRecvError, Unleased, VirtualClock,
};
use pool_common::{LONG, books, until};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// One letter has room.
fn one() -> PoolBuilder<Unleased> {
    Pool::builder().workers(1).dead_letters(1, DeadFull::Block)
}

/// A queue whose only room for a letter is taken, by job 0.
fn full(time: &VirtualClock) -> Queue<u32> {
    let queue = Queue::builder()
        .drop_deadline(Duration::ZERO)
        .clock(time.clock())
        .capacity(8)
        .dead_letters(1, DeadFull::Block)
        .open()
        .unwrap();
    queue.submit(0).unwrap();
    queue.recv().unwrap().nack(Outcome::dead("no")).unwrap();
    queue
}

/// A full queue with two jobs too old to be run, and one after them.
fn with_expired(time: &VirtualClock) -> Queue<u32> {
    let queue = full(time);
    for job in [1, 2] {
        queue.job(job).ttl(SECOND).submit().unwrap();
    }
    queue.submit(3).unwrap();
    time.advance(SECOND);
    queue
}

#[test]
fn nobody_who_takes_jobs_waits_for_room() {
    let time = VirtualClock::new();
    let take: [fn(&Queue<u32>) -> u32; 4] = [
        |queue| *queue.try_recv().unwrap(),
        |queue| *queue.recv_timeout(LONG).unwrap(),
        |queue| *queue.recv().unwrap(),
        |queue| *queue.recv_async().now_or_never().unwrap().unwrap(),
    ];
    for take in take {
        let queue = with_expired(&time);
        assert_eq!(take(&queue), 3);
        // Dropped unsettled, so job 3 is due later.
        let stats = books(&queue);
        assert_eq!((stats.dead, stats.aside, stats.died, stats.held), (1, 2, 3, 3));
        assert_eq!(queue.try_recv().unwrap_err(), TryRecvError::Empty);
        assert_eq!(queue.recv_timeout(Duration::ZERO).unwrap_err(), RecvTimeoutError::Timeout);
        assert!(queue.recv_async().now_or_never().is_none());
    }
}

#[test]
fn what_was_put_aside_is_buried_in_order_as_there_is_room() {
    let time = VirtualClock::new();
    let queue = with_expired(&time);
    queue.try_recv().unwrap().ack().unwrap();
    assert!(!queue.wait_idle(Duration::ZERO) && !queue.wait_drained(Duration::ZERO));
    let only = || queue.dead().list().pop().unwrap().id;
    assert!(queue.dead().purge(only()));
    assert_eq!(queue.dead().take(only()).unwrap().job, 1);
    let last = queue.dead().take_all();
    assert_eq!((last.len(), last[0].job, last[0].reason), (1, 2, DeadReason::Expired));
    let stats = books(&queue);
    assert_eq!((stats.held, stats.aside, stats.dead, stats.died), (0, 0, 0, 3));
    assert!(queue.wait_drained(LONG));
}

/// Jobs condemned by their deliveries, and those without a budget, are found dead when they are taken, too.
#[test]
fn condemned_jobs_and_those_without_a_budget_are_put_aside() {
    let time = VirtualClock::new();
    let lease = Lease::of(SECOND).max_deliveries(1);
    let queue = Queue::builder()
        .drop_deadline(Duration::ZERO)
        .clock(time.clock())
        .dead_letters(1, DeadFull::Block)
        .lease(lease)
        .open()
        .unwrap();
    queue.submit(0).unwrap();
    queue.recv().unwrap().nack(Outcome::dead("no")).unwrap();
    queue.submit(1).unwrap();
    let lost = queue.recv().unwrap();
    time.advance(SECOND);
    until("it is ready again", || queue.stats().ready == 1);
    assert_eq!(queue.try_recv().unwrap_err(), TryRecvError::Empty);
    assert!(lost.ack().is_err());
    assert_eq!(books(&queue).aside, 1);

    // No retry is covered: it waits for the budget, for longer than it may.
    let budget = RetryBudget::ratio(0.0).floor_per_sec(0);
    let policy = RetryPolicy::fixed(SECOND).within(SECOND * 10).budget(&budget);
    let queue = Queue::builder()
        .drop_deadline(Duration::ZERO)
        .clock(time.clock())
        .dead_letters(1, DeadFull::Block)
        .retry(policy)
        .open()
        .unwrap();
    queue.submit_many(vec![0, 1]).unwrap();
    for delivery in queue.recv_many(2).unwrap() {
        delivery.nack(Outcome::retry("again")).unwrap();
    }
    time.advance(SECOND * 20);
    until("both are due", || queue.stats().ready == 2);
    assert_eq!(queue.try_recv().unwrap_err(), TryRecvError::Empty);
    assert_eq!((books(&queue).aside, queue.dead().list()[0].reason), (1, DeadReason::Elapsed));
}

/// When all places are taken by jobs that were put aside, a redrive has one of them buried in its place.
#[test]
fn a_redrive_needs_no_other_room() {
    let queue = Queue::builder().capacity(2).dead_letters(1, DeadFull::Block).open().unwrap();
    for job in 0..3 {
        queue.submit(job).unwrap();
        queue.recv().unwrap().nack(Outcome::dead("no")).unwrap();
    }
    assert_eq!((books(&queue).aside, queue.try_submit(3).is_err()), (2, true));
    let dead = queue.dead();
    let id = dead.list()[0].id;
    dead.redrive(id).unwrap();
    assert_eq!(dead.redrive(id), Err(RedriveError::NotFound));
    let stats = books(&queue);
    assert_eq!((stats.held, stats.ready, stats.aside, stats.dead, stats.redriven), (2, 1, 1, 1, 1));
    assert_eq!(dead.redrive_all(), Ok(1));
    let stats = books(&queue);
    assert_eq!((stats.held, stats.ready, stats.aside, stats.dead), (2, 2, 0, 1));
    assert_eq!(dead.redrive_all().unwrap_err().reason, RedriveError::Full);
    for delivery in queue.recv_many(9).unwrap() {
        delivery.ack().unwrap();
    }
    assert_eq!((books(&queue).done, queue.dead().len()), (2, 1));
}

/// The thread of a redrive that waits for room hears of jobs that are put aside.
#[test]
fn a_redrive_that_waits_for_room_takes_the_place_of_a_job_put_aside() {
    let queue = Queue::builder().capacity(1).dead_letters(1, DeadFull::Block).open().unwrap();
    queue.submit(0).unwrap();
    queue.recv().unwrap().nack(Outcome::dead("no")).unwrap();
    queue.submit(1).unwrap();
    let second = queue.recv().unwrap();
    let redrive = queue.dead().redrive_with(DeadFilter::all()).start().unwrap();
    second.nack(Outcome::dead("no")).unwrap();
    assert!(redrive.wait(LONG), "{:?}", redrive.progress());
    assert_eq!(redrive.progress().moved, 1);
    assert_eq!(queue.recv().unwrap().ack(), Ok(()));
    assert_eq!((books(&queue).done, queue.dead().len()), (1, 1));
}

/// Half of the jobs die, in workers of every kind: the other half is done all the same.
fn goes_on(pool: &Pool<u32>) {
    pool.submit_many((0..20).collect::<Vec<_>>()).unwrap();
    until("half are done, and the others dead", || {
        let stats = pool.stats();
        (stats.done, stats.aside, stats.held) == (10, 9, 9)
    });
    let stats = books(pool);
    assert_eq!((stats.dead, stats.aside, stats.held), (1, 9, 9));
    assert_eq!(pool.dead().take_all().len(), 1);
    assert_eq!(books(pool).aside, 8);
    let report = pool.shutdown(Duration::from_millis(1));
    assert_eq!((report.done, report.dead, report.dropped), (10, 9, 1));
    assert!(report.is_drained(), "{report:?}");
    let mut letters: Vec<u32> = pool.dead().take_all().iter().map(|letter| letter.job).collect();
    letters.sort_unstable();
    assert_eq!(letters.len(), 9, "over the limit, and none is lost: {letters:?}");
    assert!(letters.iter().all(|job| job % 2 == 1) && pool.wait_drained(LONG));
    books(pool);
}

fn outcome(job: u32) -> Outcome {
    if job % 2 == 0 { Outcome::Done } else { Outcome::dead("odd") }
}

#[test]
fn workers_go_on() {
    goes_on(&one().start(|job: &u32, _: &Context| outcome(*job)).unwrap());
}

#[test]
fn async_workers_go_on_and_so_do_their_other_handlers() {
    goes_on(&one().start_async(async |job: &u32, _: &Context| outcome(*job)).unwrap());
}

#[test]
fn mixed_workers_go_on() {
    let pool = one().start_mixed(
        |job: &u32| if job % 4 < 2 { Lane::Sync } else { Lane::Async },
        |job: &u32, _: &Context| outcome(*job),
        async |job: &u32, _: &Context| outcome(*job),
    );
    goes_on(&pool.unwrap());
}

#[cfg(feature = "tokio")]
#[test]
fn a_runtime_with_one_thread_goes_on() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let pool = one().start_spawned(runtime.handle(), |job: &u32, _: &Context| {
        let job = *job;
        Box::pin(async move { outcome(job) })
    });
    goes_on(&pool.unwrap());
}

/// Places that are taken by jobs put aside are backpressure; whoever waits for one is let in as there is room.
#[test]
fn submitters_wait_while_all_places_are_taken_by_the_dead() {
    let repaired = Arc::new(AtomicBool::new(false));
    let pool = one().capacity(2).start({
        let repaired = Arc::clone(&repaired);
        move |_: &u32, _: &Context| match repaired.load(Ordering::SeqCst) {
            true => Outcome::Done,
            false => Outcome::dead("down"),
        }
    });
    let pool = pool.unwrap();
    (0..3).for_each(|job| assert!(pool.submit(job).is_ok()));
    until("two are put aside", || pool.stats().aside == 2);
    assert!(pool.submit_timeout(3, Duration::from_millis(1)).is_err());
    repaired.store(true, Ordering::SeqCst);
    std::thread::scope(|scope| {
        scope.spawn(|| pool.submit(3).unwrap());
        scope.spawn(|| block_on(pool.submit_async(4)).unwrap());
        until("all are let in", || {
            pool.dead().select(DeadFilter::all()).purge();
            pool.stats().submitted == 5
        });
    });
    until("all have left", || {
        pool.dead().select(DeadFilter::all()).purge();
        pool.stats().held == 0
    });
    assert_eq!(books(&pool).done, 2);
}

/// Letters come, go and come again from all sides: nothing stays aside while there is room, and nothing is lost.
#[test]
fn stress() {
    let pool = Pool::builder()
        .workers(2)
        .capacity(8)
        .dead_letters(2, DeadFull::Block)
        .retry(RetryPolicy::none())
        .start(|job: &u32, _: &Context| if job % 4 == 0 { Outcome::Done } else { Outcome::dead("no") });
    let pool = pool.unwrap();
    let (over, all) = (AtomicBool::new(false), DeadFilter::<u32>::all);
    let looks_after = |what: &dyn Fn(u32)| {
        (0..).take_while(|_| !over.load(Ordering::SeqCst)).for_each(|round| {
            what(round);
            std::thread::yield_now();
        });
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            looks_after(&|_| {
                let _moved = pool.dead().select(all()).redrive();
            })
        });
        scope.spawn(|| {
            looks_after(&|round| {
                if let Some(info) = pool.dead().list().first().filter(|_| round % 3 == 0) {
                    let _gone = pool.dead().purge(info.id);
                }
            });
        });
        scope.spawn(|| {
            looks_after(&|_| {
                let redrive = pool.dead().redrive_with(all()).start().unwrap();
                // It may wait for its turn with a full pool.
                let _in_time = redrive.wait(Duration::from_millis(1));
                redrive.cancel();
                assert!(redrive.wait(LONG));
            });
        });
        (0..300).for_each(|job| assert!(pool.submit(job).is_ok()));
        until("all have left", || pool.stats().done == 75 && pool.stats().purged == 225);
        over.store(true, Ordering::SeqCst);
    });
    let stats = books(&pool);
    assert_eq!((stats.held, stats.dead, stats.aside, stats.submitted), (0, 0, 0, 300));
}
