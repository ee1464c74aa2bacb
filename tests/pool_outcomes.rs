//! What becomes of a job: every outcome, the delays between attempts, panics, and what the handler is told.

mod pool_common;

use millpond::{
    Context, DeadReason, Decision, FailureKind, Jitter, JobId, Outcome, Pool, RetryPolicy, VirtualClock,
};
use pool_common::{books, quiet};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const SECOND: Duration = Duration::from_secs(1);

/// (attempt, outcome) -> (state, delay), for each outcome at the first attempt and at the last.
#[test]
fn every_outcome_at_the_first_and_the_last_attempt() {
    type Case = (&'static str, fn() -> Outcome, Option<Duration>, Option<Duration>);
    // The delay after which the job comes back, from the first attempt and from the last. None: it does not.
    let cases: [Case; 6] = [
        ("done", || Outcome::Done, None, None),
        ("retry", || Outcome::retry("e"), Some(SECOND), None),
        ("panic", || panic!("e"), Some(SECOND), None),
        ("retry after", || Outcome::retry_after(SECOND * 9, "e"), Some(SECOND * 9), None),
        ("snooze", || Outcome::snooze(SECOND * 3), Some(SECOND * 3), Some(SECOND * 3)),
        ("dead", || Outcome::dead("e"), None, None),
    ];
    for (name, outcome, first, last) in cases {
        for (is_last, delay) in [(false, first), (true, last)] {
            let time = VirtualClock::new();
            let pool = Pool::builder()
                .workers(1)
                .clock(time.clock())
                .retry(RetryPolicy::fixed(SECOND).max_attempts(if is_last { 1 } else { 2 }))
                .start(move |_: &(), cx: &Context| match cx.deliveries() {
                    1 => {
                        assert_eq!((cx.attempt(), cx.is_last()), (1, is_last));
                        outcome()
                    }
                    _ => Outcome::Done,
                })
                .unwrap();
            pool.submit(()).unwrap();
            let stats = quiet(&pool);
            let case = format!("{name}, last: {is_last}");
            let Some(delay) = delay else {
                let (done, dead) = if name == "done" { (1, 0) } else { (0, 1) };
                assert_eq!((stats.done, stats.dead, stats.held), (done, dead, 0), "{case}");
                if dead == 1 {
                    let reason = match name {
                        "dead" => DeadReason::Rejected,
                        "panic" => DeadReason::Panic,
                        _ => DeadReason::Attempts,
                    };
                    assert_eq!(pool.dead().list()[0].reason, reason, "{case}");
                }
                continue;
            };
            assert_eq!((stats.scheduled, stats.held, stats.done), (1, 1, 0), "{case}");
            time.advance(delay - Duration::from_nanos(1));
            assert_eq!(quiet(&pool).scheduled, 1, "{case}: not a nanosecond early");
            time.advance(Duration::from_nanos(1));
            let stats = quiet(&pool);
            assert_eq!((stats.scheduled, stats.done), (0, 1), "{case}: nor late");
        }
    }
}

#[test]
fn exponential_delays_double_up_to_the_cap() {
    let time = VirtualClock::new();
    let times = Arc::new(Mutex::new(Vec::new()));
    let pool = Pool::builder()
        .workers(1)
        .clock(time.clock())
        .retry(RetryPolicy::exponential(SECOND, SECOND * 10).jitter(Jitter::None).max_attempts(7))
        .start({
            let (times, clock) = (Arc::clone(&times), time.clock());
            move |_: &(), _: &Context| {
                times.lock().unwrap().push(clock.now());
                Err::<(), _>("no")
            }
        })
        .unwrap();
    pool.submit(()).unwrap();
    while quiet(&pool).dead == 0 {
        time.advance(SECOND / 2);
    }
    let times = times.lock().unwrap();
    let gaps: Vec<_> =
        times.windows(2).map(|pair| pair[1].duration_since(pair[0]).unwrap().as_secs()).collect();
    assert_eq!(gaps, [1, 2, 4, 8, 10, 10]);
}

/// Full jitter: every delay within bounds, spread out, and the same again with the same seed and other workers.
#[test]
fn jittered_delays_follow_from_the_seed() {
    let delays = |workers: usize, seed: u64| {
        let time = VirtualClock::new();
        let pool = Pool::builder()
            .workers(workers)
            .seed(seed)
            .clock(time.clock())
            .retry(RetryPolicy::exponential(SECOND * 100, SECOND * 100).max_attempts(2))
            .start(|_: &(), _: &Context| Err::<(), _>("no"))
            .unwrap();
        pool.submit_many(vec![(); 100]).unwrap();
        quiet(&pool);
        let mut left = Vec::new();
        for _ in 0..=100 {
            time.advance(SECOND);
            left.push(quiet(&pool).scheduled);
        }
        assert_eq!(quiet(&pool).dead, 100, "no delay is longer than the cap");
        left
    };
    let one = delays(1, 7);
    assert!(one[24] < 95 && one[24] > 55 && one[74] < 45 && one[74] > 5, "not uniform: {one:?}");
    assert_eq!(one, delays(3, 7), "the jitter depends on the job, not on the worker");
    assert_ne!(one, delays(1, 8));
}

#[test]
fn three_days_of_retries_take_no_time() {
    let started = Instant::now();
    let time = VirtualClock::new();
    let pool = Pool::builder()
        .workers(2)
        .clock(time.clock())
        .retry(RetryPolicy::fixed(Duration::from_secs(3_600)).max_attempts(73))
        .start(|_: &u32, _: &Context| Err::<(), _>("still down"))
        .unwrap();
    pool.submit_many(vec![1, 2, 3]).unwrap();
    for _hour in 0..72 {
        assert_eq!(quiet(&pool).scheduled, 3);
        time.advance(Duration::from_secs(3_600));
    }
    let stats = quiet(&pool);
    assert_eq!((stats.dead, stats.retried), (3, 72 * 3));
    let letters = pool.dead().take_all();
    assert_eq!((letters[0].attempts.len(), letters[0].attempts_total), (73, 73));
    let span = letters[0].died_at.duration_since(letters[0].enqueued_at).unwrap();
    assert_eq!(span, Duration::from_secs(72 * 3_600));
    assert!(started.elapsed() < Duration::from_secs(30), "{:?} for 72 virtual hours", started.elapsed());
    books(&pool);
}

#[test]
fn the_policy_decides_per_error() {
    let time = VirtualClock::new();
    let pool = Pool::builder()
        .workers(1)
        .clock(time.clock())
        .retry(RetryPolicy::fixed(SECOND).max_attempts(2).decide(|failure, _| {
            match (failure.kind(), failure.downcast_ref::<std::io::Error>().map(std::io::Error::kind)) {
                (FailureKind::Panic, _) => Decision::Dead,
                (_, Some(std::io::ErrorKind::NotFound)) => Decision::Dead,
                (_, Some(std::io::ErrorKind::TimedOut)) => Decision::After(SECOND * 60),
                (_, Some(_)) => panic!("a rule that panics decides nothing"),
                _ => Decision::Policy,
            }
        }))
        .start(|kind: &u8, _: &Context| -> Result<(), std::io::Error> {
            Err(match kind {
                0 => panic!("at the handler"),
                1 => std::io::ErrorKind::NotFound.into(),
                2 => std::io::ErrorKind::TimedOut.into(),
                _ => std::io::ErrorKind::Other.into(),
            })
        })
        .unwrap();
    pool.submit_many(vec![0, 1, 2, 3]).unwrap();
    let stats = quiet(&pool);
    assert_eq!(
        (stats.dead, stats.scheduled, stats.panicked),
        (2, 2, 1),
        "a panic and a missing file are final"
    );
    time.advance(SECOND);
    assert_eq!(quiet(&pool).dead, 3, "the rule panicked, and the policy stood");
    time.advance(SECOND * 59);
    assert_eq!(quiet(&pool).dead, 4);
}

#[test]
fn a_snooze_is_not_an_attempt() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let pool = Pool::builder()
        .workers(1)
        .retry(RetryPolicy::fixed(Duration::ZERO).max_attempts(2))
        .start({
            let seen = Arc::clone(&seen);
            move |_: &(), cx: &Context| {
                seen.lock().unwrap().push((cx.deliveries(), cx.attempt(), cx.is_last()));
                match cx.deliveries() {
                    1 | 2 | 4 => Outcome::snooze(Duration::ZERO),
                    3 => Outcome::retry("once"),
                    _ => Outcome::retry("twice"),
                }
            }
        })
        .unwrap();
    pool.submit(()).unwrap();
    let stats = quiet(&pool);
    let expected = [(1, 1, false), (2, 1, false), (3, 1, false), (4, 2, true), (5, 2, true)];
    assert_eq!(*seen.lock().unwrap(), expected);
    assert_eq!((stats.snoozed, stats.retried, stats.dead), (3, 1, 1));
    let letter = pool.dead().take_all().pop().unwrap();
    assert_eq!((letter.snoozes, letter.deliveries, letter.attempts_total), (3, 5, 2));
    books(&pool);
}

/// Every third job panics, at every attempt: the workers live on, the rest is done, and nothing is lost.
#[test]
fn panics_are_failed_attempts_and_workers_live_on() {
    let pool = Pool::builder()
        .workers(3)
        .retry(RetryPolicy::fixed(Duration::ZERO).max_attempts(3))
        .dead_letters(1_000, millpond::DeadFull::Block)
        .start(|job: &u32, _: &Context| assert!(job % 3 != 0, "job {job} is a multiple of three"))
        .unwrap();
    for job in 0..300 {
        pool.submit(job).unwrap();
    }
    let stats = quiet(&pool);
    assert_eq!((stats.done, stats.dead, stats.panicked, stats.retried), (200, 100, 300, 200));
    for letter in pool.dead().take_all() {
        assert_eq!(letter.attempts.iter().map(|record| record.attempt).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(
            letter.last_failure().unwrap().to_string(),
            format!("job {} is a multiple of three", letter.job)
        );
        assert_eq!(letter.last_failure().unwrap().kind(), FailureKind::Panic);
    }
    assert!(pool.shutdown(pool_common::LONG).is_drained());
}

/// A poison job between others does not hold them up, and dies after its attempts.
#[test]
fn poison_does_not_starve_the_others() {
    let time = VirtualClock::new();
    let pool = Pool::builder()
        .workers(1)
        .clock(time.clock())
        .retry(RetryPolicy::fixed(SECOND).max_attempts(4))
        .start(|poison: &bool, _: &Context| if *poison { Err("poison") } else { Ok(()) })
        .unwrap();
    pool.submit(true).unwrap();
    for round in 1..=4 {
        pool.submit_many(vec![false; 100]).unwrap();
        let stats = quiet(&pool);
        assert_eq!(stats.done, round * 100);
        time.advance(SECOND);
    }
    assert_eq!(quiet(&pool).dead, 1);
    assert_eq!(pool.dead().list()[0].attempts, 4);
}

/// A job, an error and a panic payload whose drops all panic.
#[test]
fn panicking_drops_end_in_the_pool() {
    static DROPS: AtomicU32 = AtomicU32::new(0);

    #[derive(Debug)]
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            DROPS.fetch_add(1, Ordering::SeqCst);
            panic!("a drop that panics");
        }
    }
    impl std::fmt::Display for Bomb {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("bomb")
        }
    }
    impl std::error::Error for Bomb {}

    let pool = Pool::builder()
        .workers(2)
        .retry(RetryPolicy::fixed(Duration::ZERO).max_attempts(2))
        .dead_letters(0, millpond::DeadFull::DropNewest)
        .start(|(kind, _): &(u32, Bomb), _: &Context| match kind {
            0 => Outcome::Done,
            1 => Outcome::retry(Bomb),
            2 => std::panic::panic_any(Bomb),
            _ => Outcome::dead(Bomb),
        })
        .unwrap();
    for job in 0..40 {
        pool.submit((job % 4, Bomb)).unwrap();
    }
    let stats = quiet(&pool);
    assert_eq!((stats.done, stats.dead, stats.evicted), (10, 0, 30));
    // 40 jobs, 20 errors of kind 1, 20 payloads of kind 2, 10 errors of kind 3: each dropped exactly once.
    pool_common::until("the last victim's drop", || DROPS.load(Ordering::SeqCst) == 90);
    assert!(pool.shutdown(pool_common::LONG).is_drained());
}

#[test]
fn the_context_tells_about_the_delivery() {
    let time = VirtualClock::new();
    time.set_wall(UNIX_EPOCH + SECOND * 1_000);
    let seen: Arc<Mutex<Vec<(JobId, SystemTime, String)>>> = Arc::default();
    let pool = Pool::builder()
        .name("mail")
        .workers(1)
        .clock(time.clock())
        .retry(RetryPolicy::fixed(SECOND))
        .start({
            let seen = Arc::clone(&seen);
            move |_: &(), cx: &Context| {
                assert_eq!(std::thread::current().name(), Some("mail-0"));
                assert!(!cx.cancelled());
                assert!(format!("{cx:?}").contains("mail"));
                seen.lock().unwrap().push((cx.id(), cx.enqueued_at(), cx.queue().to_owned()));
                if cx.attempt() == 1 { Err("again") } else { Ok(()) }
            }
        })
        .unwrap();
    let id = pool.submit(()).unwrap();
    quiet(&pool);
    // The wall clock goes back an hour: the retry comes all the same, and the time of acceptance stays.
    time.set_wall(UNIX_EPOCH);
    time.advance(SECOND);
    assert_eq!(quiet(&pool).done, 1);
    let expected = (id, UNIX_EPOCH + SECOND * 1_000, "mail".to_owned());
    assert_eq!(*seen.lock().unwrap(), [expected.clone(), expected]);
}

#[test]
fn the_timeout_cancels_and_a_late_success_counts() {
    let time = VirtualClock::new();
    let polls = Arc::new(AtomicUsize::new(0));
    let pool = Pool::builder()
        .workers(1)
        .clock(time.clock())
        .timeout(SECOND * 10)
        .start({
            let (polls, time) = (Arc::clone(&polls), time.clone());
            move |_: &(), cx: &Context| {
                for _ in 0..10 {
                    assert!(!cx.cancelled());
                    polls.fetch_add(1, Ordering::SeqCst);
                    time.advance(SECOND);
                }
                assert!(cx.cancelled() && cx.cancelled());
            }
        })
        .unwrap();
    pool.submit_many(vec![(), ()]).unwrap();
    assert_eq!(quiet(&pool).done, 2, "each attempt has its own time");
    assert_eq!(polls.load(Ordering::SeqCst), 20);
}

/// Jobs due in an order of their own, under a wall clock that jumps back and forth: in order of their due times.
#[test]
fn scheduled_jobs_come_in_the_order_of_their_times() {
    let time = VirtualClock::new();
    let order = Arc::new(Mutex::new(Vec::new()));
    let pool = Pool::builder()
        .workers(1)
        .clock(time.clock())
        .start({
            let order = Arc::clone(&order);
            move |delay: &u64, cx: &Context| {
                if cx.deliveries() == 1 {
                    return Outcome::snooze(SECOND * u32::try_from(*delay).unwrap());
                }
                order.lock().unwrap().push(*delay);
                Outcome::Done
            }
        })
        .unwrap();
    pool.submit_many(vec![50, 10, 40, 20, 30, 10]).unwrap();
    quiet(&pool);
    for step in 0..60 {
        time.set_wall(UNIX_EPOCH + SECOND * if step % 2 == 0 { 1_000_000 } else { 0 });
        time.advance(SECOND);
        quiet(&pool);
    }
    assert_eq!(*order.lock().unwrap(), [10, 10, 20, 30, 40, 50]);
}

/// With the system's clock, so that the timer thread really sleeps: an earlier entry wakes it.
#[test]
fn the_timer_keeps_real_time() {
    let pool = Pool::builder()
        .workers(1)
        .start(|delay: &Duration, cx: &Context| match cx.deliveries() {
            1 => Outcome::snooze(*delay),
            _ => Outcome::Done,
        })
        .unwrap();
    let started = Instant::now();
    pool.submit(Duration::from_secs(3_600)).unwrap();
    pool.submit(Duration::from_millis(20)).unwrap();
    pool_common::until("the short snooze is over", || pool.stats().done == 1);
    assert!(started.elapsed() >= Duration::from_millis(20));
    assert!(
        pool.wait_idle(pool_common::LONG),
        "what is due in an hour does not keep the pool from being idle"
    );
    assert_eq!(books(&pool).scheduled, 1);
}

#[test]
fn at_most_once_means_that_nothing_is_begun_twice() {
    let runs = Arc::new((0..100).map(|_| AtomicU32::new(0)).collect::<Vec<_>>());
    let pool = Pool::builder()
        .workers(2)
        .at_most_once()
        .retry(RetryPolicy::fixed(Duration::ZERO))
        .start({
            let runs = Arc::clone(&runs);
            move |job: &usize, _: &Context| {
                runs[*job].fetch_add(1, Ordering::SeqCst);
                match job % 5 {
                    0 => Outcome::retry("once"),
                    1 => Outcome::snooze(Duration::ZERO),
                    2 => Outcome::Release,
                    3 => Outcome::dead("at once"),
                    _ => Outcome::Done,
                }
            }
        })
        .unwrap();
    pool.submit_many((0..100).collect::<Vec<_>>()).unwrap();
    let stats = quiet(&pool);
    assert_eq!((stats.done, stats.discarded, stats.dead, stats.retried), (20, 80, 0, 0));
    assert!(runs.iter().all(|runs| runs.load(Ordering::SeqCst) == 1));
    let leased = Pool::builder().at_most_once().lease(millpond::Lease::of(Duration::from_secs(1)));
    assert!(matches!(leased.start(|_: &u8, _: &Context| ()), Err(millpond::BuildError::LeasedOnce)));
}
