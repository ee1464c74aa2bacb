//! What becomes of a job, end to end: classes of errors, jobs given back or dropped, limits of time, and the retry budget.

mod pool_common;

use millpond::{
    Classified, Context, DeadReason, EmptyBudget, ErrorClass, IntoOutcome, Outcome, Pool, RetryBudget,
    RetryPolicy, VirtualClock,
};
use pool_common::{books, quiet};
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// A pool with one worker and a clock that stands still.
fn start<T, R>(
    policy: RetryPolicy,
    handler: impl Fn(&T, &Context) -> R + Send + Sync + 'static,
) -> (VirtualClock, Pool<T>)
where
    T: Send + 'static,
    R: IntoOutcome,
{
    let time = VirtualClock::new();
    let pool = Pool::builder()
        .workers(1)
        .clock(time.clock())
        .retry(policy)
        .start(handler)
        .expect("such a pool can be made");
    (time, pool)
}

/// Each class of an error, by `?`: what is permanent dies at once, what is throttled is no attempt.
#[test]
fn the_class_of_an_error_decides() {
    let attempts = Arc::new(Mutex::new(Vec::new()));
    let (time, pool) = start(RetryPolicy::fixed(SECOND).max_attempts(2), {
        let attempts = Arc::clone(&attempts);
        move |class: &ErrorClass, cx: &Context| -> Result<(), Classified> {
            attempts.lock().unwrap().push((*class, cx.attempt(), cx.deliveries()));
            match (class, cx.deliveries()) {
                (ErrorClass::Throttled(_), 3..) => Ok(()),
                (ErrorClass::Permanent, _) => Err(io::Error::from(io::ErrorKind::InvalidData))?,
                (ErrorClass::Transient, _) => Err(io::Error::from(io::ErrorKind::TimedOut))?,
                (class, _) => Err(Classified::new(*class, "slow down")),
            }
        }
    });
    let throttled = ErrorClass::Throttled(SECOND * 30);
    for class in [ErrorClass::Permanent, ErrorClass::Transient, throttled] {
        pool.submit(class).unwrap();
    }
    let stats = quiet(&pool);
    assert_eq!((stats.dead, stats.retried, stats.snoozed, stats.scheduled), (1, 1, 1, 2));
    let letter = &pool.dead().list()[0];
    assert_eq!((letter.reason, letter.attempts), (DeadReason::Rejected, 1));
    time.advance(SECOND);
    assert_eq!((quiet(&pool).dead, pool.dead().list()[1].reason), (2, DeadReason::Attempts));
    for _ in 0..2 {
        time.advance(SECOND * 30);
        quiet(&pool);
    }
    assert_eq!((quiet(&pool).done, quiet(&pool).snoozed), (1, 2));
    let seen = attempts.lock().unwrap();
    let of_throttled: Vec<_> =
        seen.iter().filter(|(class, ..)| *class == throttled).map(|seen| seen.1).collect();
    assert_eq!(of_throttled, [1, 1, 1], "no attempt was counted");
    pool.dead().with(|letter| {
        assert!(letter.last_failure().unwrap().is::<io::Error>());
        assert_ne!(letter.last_failure().unwrap().class(), throttled);
    });
}

#[test]
fn a_job_that_is_released_comes_back_at_once_and_is_no_attempt() {
    let (_time, pool) = start(RetryPolicy::none(), |_: &(), cx: &Context| {
        assert_eq!(cx.attempt(), 1);
        if cx.deliveries() < 20 { Outcome::Release } else { Outcome::Done }
    });
    pool.submit(()).unwrap();
    let stats = quiet(&pool);
    assert_eq!((stats.done, stats.retried, stats.snoozed, stats.dead), (1, 0, 0, 0));
    books(&pool);
}

#[test]
fn a_job_that_is_dropped_is_counted_whatever_its_drop_does() {
    struct Job(bool, Arc<AtomicU32>);
    impl Drop for Job {
        fn drop(&mut self) {
            self.1.fetch_add(1, Ordering::SeqCst);
            assert!(!self.0, "a drop that panics");
        }
    }
    let drops = Arc::new(AtomicU32::new(0));
    let (_time, pool) = start(RetryPolicy::default(), |_: &Job, _: &Context| Outcome::Drop);
    for number in 0..10 {
        pool.submit(Job(number % 2 == 0, Arc::clone(&drops))).unwrap();
    }
    let stats = quiet(&pool);
    assert_eq!((stats.discarded, stats.dropped, stats.done, stats.dead, stats.held), (10, 10, 0, 0, 0));
    assert_eq!(drops.load(Ordering::SeqCst), 10);
    books(&pool);
}

#[test]
fn a_retry_that_would_come_too_late_is_a_dead_letter_now() {
    let policy = RetryPolicy::fixed(SECOND * 10).max_attempts(100).within(SECOND * 35);
    let (time, pool) = start(policy, |_: &(), _: &Context| Err::<(), _>("still down"));
    pool.submit(()).unwrap();
    for round in 0..3 {
        assert_eq!((quiet(&pool).scheduled, quiet(&pool).dead), (1, 0), "round {round}");
        time.advance(SECOND * 10);
    }
    assert_eq!(quiet(&pool).dead, 1);
    let letter = &pool.dead().list()[0];
    assert_eq!((letter.reason, letter.attempts), (DeadReason::Elapsed, 4));
    books(&pool);
}

/// Virtual days: every try of a webhook falls inside 72 hours.
#[test]
fn every_try_of_a_webhook_falls_inside_72_hours() {
    let tries = Arc::new(Mutex::new(Vec::new()));
    let time = VirtualClock::new();
    let (clock, log) = (time.clock(), Arc::clone(&tries));
    let pool = Pool::builder()
        .workers(1)
        .clock(time.clock())
        .retry(RetryPolicy::webhook_72h())
        .start(move |_: &u32, cx: &Context| {
            log.lock().unwrap().push((cx.id(), clock.now()));
            Err::<(), _>("no answer")
        })
        .unwrap();
    pool.submit_many((0..20).collect::<Vec<_>>()).unwrap();
    let began = time.clock().now();
    while quiet(&pool).held > 0 {
        time.advance(SECOND * 30);
    }
    let tries = tries.lock().unwrap();
    assert_eq!((tries.len(), quiet(&pool).dead), (20 * 15, 20));
    assert!(tries.iter().all(|(_, at)| at.duration_since(began).unwrap() <= SECOND * 72 * 3_600));
}

/// Everything fails, and yet the retries stay within the budget: the rest of the jobs is parked, not lost, until it covers them.
#[test]
fn a_shared_budget_bounds_the_retries_and_parks_the_rest() {
    let budget = RetryBudget::ratio(0.2).floor_per_sec(1).window(SECOND * 10);
    let policy = RetryPolicy::fixed(SECOND).max_attempts(2).budget(&budget);
    let retries = Arc::new(AtomicU32::new(0));
    let time = VirtualClock::new();
    let pools: Vec<_> = (0..2)
        .map(|_| {
            let retries = Arc::clone(&retries);
            Pool::builder()
                .workers(2)
                .clock(time.clock())
                .retry(policy.clone())
                .start(move |_: &u32, cx: &Context| {
                    retries.fetch_add(u32::from(cx.attempt() > 1), Ordering::SeqCst);
                    Err::<(), _>("down")
                })
                .unwrap()
        })
        .collect();
    for pool in &pools {
        pool.submit_many((0..50).collect::<Vec<_>>()).unwrap();
        quiet(pool);
    }
    let mut past = 0;
    for second in 1..=120u32 {
        time.advance(SECOND);
        for pool in &pools {
            quiet(pool);
        }
        let now = retries.load(Ordering::SeqCst);
        assert!(now <= 100 / 5 + 10 * (second / 10 + 2), "{now} retries after {second} s");
        past = now;
    }
    assert_eq!(past, 100, "each job had its second attempt in the end");
    for pool in &pools {
        assert_eq!((quiet(pool).dead, quiet(pool).held), (50, 0));
        assert!(pool.dead().list().iter().all(|letter| letter.reason == DeadReason::Attempts));
        books(pool);
    }
}

#[test]
fn without_cover_a_retry_is_dead_if_told_so_or_when_its_time_is_up() {
    let budget = RetryBudget::ratio(0.0).floor_per_sec(0);
    let fails = |_: &(), _: &Context| Err::<(), _>("down");
    let policy = RetryPolicy::fixed(SECOND).budget(&budget);
    let (_time, strict) = start(policy.clone().empty_budget(EmptyBudget::Dead), fails);
    strict.submit(()).unwrap();
    assert_eq!((quiet(&strict).dead, strict.dead().list()[0].reason), (1, DeadReason::Budget));

    let (time, patient) = start(policy.within(SECOND * 30), fails);
    patient.submit(()).unwrap();
    assert_eq!(quiet(&patient).scheduled, 1);
    for _ in 0..35 {
        time.advance(SECOND);
        quiet(&patient);
    }
    let letter = &patient.dead().list()[0];
    assert_eq!((letter.reason, letter.attempts), (DeadReason::Elapsed, 1));
    books(&patient);
}
