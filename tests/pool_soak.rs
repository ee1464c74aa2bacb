//! Ten million jobs: the books balance, and memory stays flat. Run by hand:
//!
//! ```text
//! cargo test --release --test pool_soak -- --ignored --nocapture
//! ```

#![expect(clippy::unwrap_used, reason = "a test ends where its premises do not hold")]

mod pool_common;

use millpond::{Context, DeadFull, Pool, RetryPolicy};
use std::time::{Duration, Instant};

const JOBS: u64 = 10_000_000;

/// Returns the bytes of memory that are resident.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4_096
}

#[cfg(not(target_os = "linux"))]
fn resident() -> usize {
    0
}

/// 4 workers, 2 submitters, 1 % failures, 0.1 % panics.
#[test]
#[ignore = "takes a few seconds in release, and long without"]
fn ten_million_jobs() {
    pool_common::hush("soak");
    let pool = Pool::builder()
        .name("soak")
        .workers(4)
        .capacity(1_024)
        .retry(RetryPolicy::exponential(Duration::from_micros(100), Duration::from_millis(5)).max_attempts(2))
        .dead_letters(100, DeadFull::DropOldest)
        .start(|job: &u64, cx: &Context| match pool_common::random(*job, cx.attempt()) % 1_000 {
            0 => panic!("one in a thousand"),
            1..=10 => Err("one in a hundred"),
            _ => Ok(()),
        })
        .unwrap();
    let started = Instant::now();
    let submit = |from: u64, to: u64| {
        std::thread::scope(|scope| {
            for submitter in 0..2 {
                let pool = &pool;
                scope.spawn(move || {
                    (from..to).filter(|job| job % 2 == submitter).for_each(|job| {
                        pool.submit(job).unwrap();
                    })
                });
            }
        });
    };
    // The first tenth brings every allocation to its size.
    submit(0, JOBS / 10);
    let before = resident();
    submit(JOBS / 10, JOBS);
    pool_common::until("the last retries", || pool.stats().held == 0);
    let (stats, after) = (pool_common::quiet(&pool), resident());
    println!("{stats:#?}\n{:?}, resident before {before} and after {after} bytes", started.elapsed());
    assert_eq!((stats.submitted, stats.held), (JOBS, 0));
    assert!(stats.panicked > JOBS / 2_000 && stats.retried > JOBS / 200 && stats.evicted > 100, "{stats:?}");
    assert!(after < before + (1 << 20), "memory grew from {before} to {after} bytes");
    assert!(pool.shutdown(pool_common::LONG).is_drained());
}
