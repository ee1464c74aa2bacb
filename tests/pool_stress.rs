//! Real threads, random outcomes: nothing is lost, nothing is done twice, and the books balance.

mod pool_common;

use millpond::{Context, DeadFull, Outcome, Pool, RetryPolicy};
use pool_common::{quiet, random};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

/// 200,000 jobs of four submitters, 3 % failures, 0.3 % panics, 1 % snoozes, 0.2 % dead at once.
#[test]
fn two_hundred_thousand_jobs() {
    const EACH: u64 = 50_000;
    pool_common::hush("stress");
    // Per job: how often it succeeded, or died. Exactly one of the two, exactly once.
    let ends: Arc<Vec<AtomicU8>> = Arc::new((0..4 * EACH).map(|_| AtomicU8::new(0)).collect());
    let alive = Arc::new(AtomicU64::new(0));

    struct Job(u64, Arc<AtomicU64>);
    impl Drop for Job {
        fn drop(&mut self) {
            self.1.fetch_sub(1, Ordering::SeqCst);
        }
    }

    let pool = Pool::builder()
        .name("stress")
        .workers(4)
        .capacity(256)
        .retry(RetryPolicy::exponential(Duration::from_micros(50), Duration::from_millis(1)).max_attempts(3))
        .dead_letters(1 << 20, DeadFull::DropOldest)
        .start({
            let ends = Arc::clone(&ends);
            move |job: &Job, cx: &Context| match random(job.0, cx.deliveries()) % 1_000 {
                0..30 => Outcome::retry("a random failure"),
                30..33 => panic!("a random panic"),
                33..43 => Outcome::snooze(Duration::from_micros(20)),
                43..45 => Outcome::dead("rejected"),
                _ => {
                    ends[job.0 as usize].fetch_add(1, Ordering::SeqCst);
                    Outcome::Done
                }
            }
        })
        .unwrap();
    std::thread::scope(|scope| {
        for submitter in 0..4 {
            let (pool, alive) = (&pool, &alive);
            scope.spawn(move || {
                for number in submitter * EACH..(submitter + 1) * EACH {
                    alive.fetch_add(1, Ordering::SeqCst);
                    pool.submit(Job(number, Arc::clone(alive))).unwrap();
                    assert!(pool.capacity() == 256 && (number % 1_000 != 0 || pool.stats().held <= 256));
                }
            });
        }
    });
    pool_common::until("the last retries", || pool.stats().held == 0);
    let stats = quiet(&pool);
    assert_eq!((stats.submitted, stats.held), (4 * EACH, 0));
    assert!(
        stats.panicked > 300 && stats.retried > 3_000 && stats.snoozed > 1_000 && stats.dead > 200,
        "{stats:?}"
    );
    assert_eq!(alive.load(Ordering::SeqCst), stats.dead, "every job but the dead ones was dropped, once");
    for letter in pool.dead().take_all() {
        ends[letter.job.0 as usize].fetch_add(1, Ordering::SeqCst);
    }
    assert!(ends.iter().all(|end| end.load(Ordering::SeqCst) == 1), "a job had no end, or two");
    assert_eq!(alive.load(Ordering::SeqCst), 0);
    assert!(pool.shutdown(pool_common::LONG).is_drained());
}
