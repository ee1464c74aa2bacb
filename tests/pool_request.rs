//! Jobs submitted with wishes: a delay, a time to live, a key that keeps duplicates out.

#![expect(clippy::unwrap_used, reason = "a test ends where its premises do not hold")]

mod pool_common;

use futures::FutureExt;
use millpond::{
    Context, DeadFull, DeadReason, Lease, Outcome, Pool, Queue, RetryPolicy, SubmitError, Unique,
    VirtualClock,
};
use pool_common::{Barrier, LONG, books, quiet, until};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::{Duration, UNIX_EPOCH};

const SECOND: Duration = Duration::from_secs(1);

/// Jobs, and the seconds in which they were begun.
type Seen = Arc<Mutex<Vec<(u32, u64)>>>;

/// A pool with one worker that notes what it is given, and when.
fn recorder(time: &VirtualClock, capacity: usize) -> (Pool<u32>, Seen) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (log, clock) = (Arc::clone(&seen), time.clock());
    let pool = Pool::builder()
        .workers(1)
        .capacity(capacity)
        .clock(time.clock())
        .start(move |job: &u32, _: &Context| {
            let at = clock.now().duration_since(UNIX_EPOCH).unwrap().as_secs();
            log.lock().unwrap().push((*job, at));
        })
        .unwrap();
    (pool, seen)
}

#[test]
fn a_delayed_job_is_begun_when_it_is_due_and_not_before() {
    let time = VirtualClock::new();
    let (pool, seen) = recorder(&time, 10);
    time.advance(SECOND * 100);
    pool.submit_after(1, SECOND * 30).unwrap();
    pool.submit_at(2, UNIX_EPOCH + SECOND * 120).unwrap();
    pool.handle().submit_at(3, UNIX_EPOCH + SECOND * 5).unwrap();
    pool.handle().submit_after(4, Duration::ZERO).unwrap();
    let stats = quiet(&pool);
    assert_eq!((stats.submitted, stats.done, stats.scheduled, stats.held), (4, 2, 2, 2));
    for _ in 0..40 {
        time.advance(SECOND);
        quiet(&pool);
    }
    assert_eq!(*seen.lock().unwrap(), [(3, 100), (4, 100), (2, 120), (1, 130)]);
    assert_eq!(quiet(&pool).done, 4);
}

#[test]
fn a_delayed_job_holds_a_place_and_every_way_to_submit_knows_of_it() {
    let time = VirtualClock::new();
    let (pool, seen) = recorder(&time, 1);
    pool.job(1).after(SECOND).try_submit().unwrap();
    assert_eq!(pool.job(2).after(SECOND).try_submit(), Err(SubmitError::Full(2)));
    assert_eq!(pool.job(2).submit_timeout(Duration::from_millis(1)), Err(SubmitError::Timeout(2)));
    assert_eq!(pool.job(2).after(SECOND).submit_async().now_or_never(), None);
    {
        let mut cx = std::task::Context::from_waker(Waker::noop());
        let mut waits = pin!(pool.job(3).submit_async());
        assert!(std::future::Future::poll(waits.as_mut(), &mut cx).is_pending());
        assert_eq!(waits.as_mut().into_inner(), Some(3));
        assert_eq!(waits.into_inner(), None);
    }
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| pool.job(4).after(SECOND).submit());
        let task = scope.spawn(|| futures::executor::block_on(pool.job(5).submit_async()));
        until("both were let in", || {
            time.advance(SECOND);
            waits.is_finished() && task.is_finished()
        });
        assert!(waits.join().unwrap().is_ok() && task.join().unwrap().is_ok());
    });
    time.advance(SECOND);
    assert_eq!(quiet(&pool).done, 3);
    let mut jobs: Vec<u32> = seen.lock().unwrap().iter().map(|(job, _)| *job).collect();
    jobs.sort_unstable();
    assert_eq!(jobs, [1, 4, 5]);
}

#[test]
fn a_shutdown_hands_delayed_jobs_back_and_refuses_new_ones() {
    let time = VirtualClock::new();
    let (pool, seen) = recorder(&time, 4);
    let id = pool.job(1).after(SECOND).ttl(SECOND).unique("a", Unique::UntilDone).submit().unwrap();
    let report = pool.shutdown(LONG);
    assert_eq!((report.released[0].id, report.released[0].job), (id, 1));
    assert_eq!(pool.submit_after(2, SECOND), Err(SubmitError::Closed(2)));
    assert_eq!(pool.job(3).unique("a", Unique::UntilDone).try_submit(), Err(SubmitError::Closed(3)));
    assert!(seen.lock().unwrap().is_empty());
    books(&pool);
}

#[test]
fn an_expired_job_is_never_begun() {
    let time = VirtualClock::new();
    let (pool, seen) = recorder(&time, 10);
    pool.job(1).ttl(SECOND * 10).after(SECOND * 5).submit().unwrap();
    let late = pool.job(2).ttl(SECOND * 10).after(SECOND * 10).submit().unwrap();
    let never = pool.job(3).ttl(Duration::ZERO).submit().unwrap();
    pool.job(4).ttl(Duration::MAX).submit().unwrap();
    quiet(&pool);
    time.advance(SECOND * 5);
    quiet(&pool);
    time.advance(SECOND * 5);
    let stats = quiet(&pool);
    assert_eq!((stats.done, stats.dead), (2, 2));
    assert_eq!(*seen.lock().unwrap(), [(4, 0), (1, 5)]);
    let dead: Vec<_> = pool.dead().list().iter().map(|info| (info.id, info.reason)).collect();
    assert_eq!(dead, [(never, DeadReason::Expired), (late, DeadReason::Expired)]);
    // What is redriven has no time to live.
    pool.dead().redrive_all().unwrap();
    assert_eq!(quiet(&pool).done, 4);
}

#[test]
fn a_retry_that_would_begin_too_late_expires() {
    let time = VirtualClock::new();
    let pool = Pool::builder()
        .workers(1)
        .clock(time.clock())
        .retry(RetryPolicy::fixed(SECOND * 4).max_attempts(9))
        .start(|_: &u32, _: &Context| Outcome::retry("not yet"))
        .unwrap();
    pool.job(1).ttl(SECOND * 10).submit().unwrap();
    for _ in 0..3 {
        quiet(&pool);
        time.advance(SECOND * 4);
    }
    quiet(&pool);
    let letter = pool.dead().take_all().remove(0);
    assert_eq!((letter.reason, letter.attempts_total), (DeadReason::Expired, 3));
    books(&pool);
}

/// How a job with a key can end, as its handler sees to it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Done,
    Dead,
    Dropped,
    Panics,
    Expires,
    Snoozes,
    Releases,
}

fn end(end: &End, cx: &Context) -> Outcome {
    match end {
        End::Done | End::Expires => Outcome::Done,
        End::Dead => Outcome::dead("no"),
        End::Dropped => Outcome::Drop,
        End::Panics => std::panic::panic_any("on purpose"),
        End::Snoozes if cx.deliveries() < 3 => Outcome::snooze(SECOND),
        End::Releases if cx.deliveries() < 3 => Outcome::Release,
        End::Snoozes | End::Releases => Outcome::Done,
    }
}

#[test]
fn a_key_is_free_again_whatever_way_its_job_ends() {
    pool_common::hush("keys");
    let all = [End::Done, End::Dead, End::Dropped, End::Panics, End::Expires, End::Snoozes, End::Releases];
    for leased in [false, true] {
        let time = VirtualClock::new();
        let builder = Pool::builder()
            .name("keys")
            .workers(1)
            .clock(time.clock())
            .dead_letters(2, DeadFull::DropOldest)
            .retry(RetryPolicy::fixed(SECOND).max_attempts(2));
        let pool = match leased {
            false => builder.start(end).unwrap(),
            true => builder.lease(Lease::of(SECOND * 1_000)).start(end).unwrap(),
        };
        for end in all {
            let ttl = if end == End::Expires { Duration::ZERO } else { Duration::MAX };
            let first =
                pool.job(end).after(SECOND).ttl(ttl).unique("key", Unique::UntilDone).submit().unwrap();
            // It is held while it waits in the schedule, between retries and snoozes too.
            while quiet(&pool).scheduled > 0 {
                let refused = pool.job(end).unique("key", Unique::UntilDone).try_submit();
                assert_eq!(refused, Err(SubmitError::Duplicate { job: end, holder: first }), "{end:?}");
                time.advance(SECOND);
            }
            let free = pool.job(End::Done).unique("key", Unique::UntilDone).try_submit();
            assert!(free.is_ok(), "{end:?}, leased: {leased}");
            quiet(&pool);
        }
        // A letter that is redriven has no key.
        pool.dead().redrive_all().unwrap();
        pool.job(End::Done).unique("key", Unique::UntilDone).submit().unwrap();
        quiet(&pool);
    }
}

#[test]
fn a_key_may_be_held_for_a_time_whatever_becomes_of_the_job() {
    let time = VirtualClock::new();
    let (pool, _) = recorder(&time, 10);
    let first = pool.job(1).unique(b"k", Unique::For(SECOND * 10)).submit().unwrap();
    quiet(&pool);
    time.advance(SECOND * 9);
    let refused = pool.job(2).unique(*b"k", Unique::UntilDone).submit();
    assert_eq!(refused, Err(SubmitError::Duplicate { job: 2, holder: first }));
    time.advance(SECOND);
    pool.job(2).unique("k", Unique::UntilDone).submit().unwrap();
    assert_eq!(quiet(&pool).done, 2);
}

#[test]
fn a_full_pool_refuses_a_duplicate_at_once_and_a_full_registry_new_keys() {
    let barrier = Arc::new(Barrier::default());
    let pool = Pool::builder()
        .workers(1)
        .capacity(2)
        .unique_keys(2)
        .start({
            let barrier = Arc::clone(&barrier);
            move |_: &u32, _: &Context| barrier.pass()
        })
        .unwrap();
    let first = pool.job(1).unique("a", Unique::UntilDone).submit().unwrap();
    pool.submit(2).unwrap();
    let refused = pool.job(3).unique("a", Unique::UntilDone).submit();
    assert_eq!(refused, Err(SubmitError::Duplicate { job: 3, holder: first }), "it did not wait for room");
    assert_eq!(pool.job(3).unique("b", Unique::UntilDone).try_submit(), Err(SubmitError::Full(3)));
    barrier.open();
    quiet(&pool);
    for key in ["c", "d"] {
        pool.job(4).unique(key, Unique::For(Duration::MAX)).submit().unwrap();
    }
    assert_eq!(pool.job(5).unique("e", Unique::UntilDone).submit(), Err(SubmitError::Keys(5)));
    let stats = quiet(&pool);
    assert_eq!((stats.submitted, stats.done), (4, 4), "what was refused was never counted");
}

#[test]
fn of_many_submitters_with_one_key_one_wins() {
    let queue = Arc::new(Queue::builder().capacity(2).open::<u32>().unwrap());
    for round in 0..200 {
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let queue = Arc::clone(&queue);
                std::thread::spawn(move || {
                    queue.job(round).unique(round.to_le_bytes(), Unique::UntilDone).submit().is_ok()
                })
            })
            .collect();
        let won = threads.into_iter().map(|thread| thread.join().unwrap());
        assert_eq!(won.filter(|won| *won).count(), 1);
        let delivery = queue.recv().unwrap();
        assert!(queue.job(round).unique(round.to_le_bytes(), Unique::UntilDone).try_submit().is_err());
        delivery.ack().unwrap();
    }
    assert_eq!(books(&queue).done, 200);
}

#[test]
fn a_lost_lease_keeps_the_key_and_a_job_that_cannot_be_copied_frees_it() {
    pool_common::hush("copy");
    struct Uncopiable;
    impl Clone for Uncopiable {
        fn clone(&self) -> Self {
            std::panic::panic_any("on purpose")
        }
    }
    let time = VirtualClock::new();
    let queue = Queue::builder()
        .drop_deadline(Duration::ZERO)
        .name("copy")
        .clock(time.clock())
        .lease(Lease::of(SECOND))
        .open::<u32>()
        .unwrap();
    queue.job(1).unique("k", Unique::UntilDone).submit().unwrap();
    let lost = queue.recv().unwrap();
    time.advance(SECOND);
    let again = queue.recv().unwrap();
    assert!(lost.ack().is_err());
    assert!(queue.job(2).unique("k", Unique::UntilDone).try_submit().is_err());
    again.ack().unwrap();
    assert!(queue.job(2).unique("k", Unique::UntilDone).try_submit().is_ok());
    books(&queue);

    let queue = Queue::builder()
        .drop_deadline(Duration::ZERO)
        .name("copy")
        .clock(time.clock())
        .lease(Lease::of(SECOND))
        .open::<Uncopiable>()
        .unwrap();
    queue.job(Uncopiable).unique("k", Unique::UntilDone).submit().unwrap();
    let lost = queue.recv().unwrap();
    time.advance(SECOND);
    until("the lease is lost", || queue.stats().uncopied == 1);
    assert!(queue.job(Uncopiable).unique("k", Unique::UntilDone).try_submit().is_ok());
    assert!(lost.ack().is_err());
    books(&queue);
}
