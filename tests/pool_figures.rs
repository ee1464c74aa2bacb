//! Figures that depend on the machine: ignored, each to be run by itself on one that has nothing else to do.
//!
//! `cargo test --release -p millpond --test pool_figures -- --ignored --nocapture --test-threads 1`

use millpond::{Context, Pool, Queue, VirtualClock};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(120);

/// Returns the value below which so many percent of them lie.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() - 1) * percent / 100]
}

/// Prints how late they are, and returns what 99 of 100 are late by.
fn print_late(what: &str, mut late: Vec<Duration>) -> Duration {
    late.sort_unstable();
    let [half, most, last] = [50, 99, 100].map(|percent| percentile(&late, percent));
    println!("{what} late by {half:?} (median), {most:?} (99 %), {last:?} (at most), of {}", late.len());
    most
}

/// A job that is due every millisecond for some seconds: how late does each start? At the same time a thread sleeps until the same
/// moments, which is what the machine can do while this goes on.
#[test]
#[ignore = "measures"]
fn due_within_two_milliseconds() {
    const JOBS: u32 = 3_000;
    let late = Arc::new(Mutex::new(Vec::new()));
    let book = Arc::clone(&late);
    let pool = Pool::builder()
        .workers(1)
        .capacity(JOBS as usize)
        .start(move |due: &Instant, _: &Context| book.lock().unwrap().push(due.elapsed()))
        .unwrap();
    let due = {
        let start = Instant::now() + Duration::from_millis(20);
        move |n: u32| start + Duration::from_millis(n.into())
    };
    // Not in order, so that many of them are the first to be due when they are submitted.
    for due in (0..JOBS).map(|n| due(n * 1_913 % JOBS)) {
        pool.submit_after(due, due.saturating_duration_since(Instant::now())).unwrap();
    }
    let sleeps = (0..JOBS).map(|n| {
        std::thread::sleep(due(n).saturating_duration_since(Instant::now()));
        due(n).elapsed()
    });
    let machine = print_late("a sleep:", sleeps.collect());
    assert!(pool.wait_drained(LONG));
    let late = std::mem::take(&mut *late.lock().unwrap());
    assert_eq!(late.len(), JOBS as usize);
    let most = print_late("a job:", late);
    assert!(most < machine + Duration::from_millis(2), "99 % are due within 2 ms of what the machine can do");
}

/// A million jobs that are scheduled, and come out in the order in which they are due.
#[test]
#[ignore = "measures"]
fn a_million_scheduled_jobs() {
    const JOBS: u64 = 1_000_000;
    let time = VirtualClock::new();
    let queue = Queue::builder().clock(time.clock()).capacity(1_000_000).open().unwrap();
    // Spread over five hours, in no order, and many at the same time.
    let delay = |n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 50;
    let start = Instant::now();
    for n in 0..JOBS {
        queue.submit_after((delay(n), n), Duration::from_secs(3_600 + delay(n))).unwrap();
    }
    let add = start.elapsed() / u32::try_from(JOBS).unwrap();
    assert_eq!(queue.stats().scheduled, JOBS);
    time.advance(Duration::from_secs(3_600 * 24));
    let start = Instant::now();
    let mut before = (0, 0);
    for _ in 0..JOBS {
        let delivery = queue.recv().unwrap();
        assert!(before <= *delivery, "{before:?} before {:?}", *delivery);
        before = *delivery;
        delivery.ack().unwrap();
    }
    let end = start.elapsed() / u32::try_from(JOBS).unwrap();
    println!("{add:?} to add each, {end:?} to come due, be received and settled");
    assert!(add < Duration::from_micros(1));
}

/// A hundred thousand jobs that sleep, over and over, on two workers.
#[test]
#[ignore = "measures"]
fn a_hundred_thousand_sleeping_jobs() {
    const JOBS: u32 = 100_000;
    const SLEEPS: u32 = 10;
    let pool = Pool::builder()
        .workers(2)
        .capacity(JOBS as usize)
        .concurrency(JOBS as usize)
        .start_async(async |nap: &Duration, cx: &Context| {
            for _ in 0..SLEEPS {
                cx.sleep(*nap).await;
            }
        })
        .unwrap();
    let start = Instant::now();
    let nap = Duration::from_millis(1);
    pool.submit_many(vec![nap; JOBS as usize]).unwrap();
    assert!(pool.wait_drained(LONG));
    let each = start.elapsed() / (JOBS * SLEEPS);
    println!("{each:?} a switch, the jobs' own submission, sleep and end included");
    assert_eq!(pool.stats().done, u64::from(JOBS));
    assert!(each < Duration::from_micros(1));
}
