//! An idle pool uses no processor time. Alone in its file, because it measures the whole process.

#![expect(clippy::unwrap_used, reason = "a test ends where its premises do not hold")]

mod pool_common;

use millpond::{Context, Outcome, Pool};
use std::time::Duration;

/// Returns the processor time of the process so far, in clock ticks (a hundredth of a second on all usual systems).
#[cfg(target_os = "linux")]
fn ticks() -> u64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    // The fields after the command's name, which is in parentheses: utime and stime are number 14 and 15 of all.
    let fields: Vec<&str> = text.rsplit(") ").next().unwrap().split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn an_idle_pool_uses_no_processor_time() {
    let pool = Pool::builder()
        .workers(8)
        .start(|later: &bool, _: &Context| match later {
            true => Outcome::snooze(Duration::from_secs(3_600)),
            false => Outcome::Done,
        })
        .unwrap();
    // Something was done before, and something is scheduled: no part of the pool is as new.
    pool.submit_many((0..1_000).map(|number| number == 500).collect::<Vec<_>>()).unwrap();
    assert_eq!(pool_common::quiet(&pool).scheduled, 1);
    // Spinning before parking is over by then.
    std::thread::sleep(Duration::from_millis(200));
    let before = ticks();
    std::thread::sleep(Duration::from_secs(1));
    let used = ticks() - before;
    assert!(used <= 2, "an idle pool used {used} hundredths of a second in one second");
}
