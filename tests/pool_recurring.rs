//! Recurring jobs: on time, missed, stopped. On a virtual clock that jumps.

#![cfg(feature = "cron")]
#![expect(clippy::unwrap_used, reason = "a test ends where its premises do not hold")]

mod pool_common;

use millpond::{Context, CronSchedule, Missed, Pool, Queue, Recurrence, Recurring, VirtualClock};
use pool_common::{LONG, books, quiet, until};
use std::sync::Arc;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

fn every_ten(missed: Missed) -> Recurrence {
    Recurrence::new(CronSchedule::parse("*/10 * * * *").unwrap(), missed)
}

#[track_caller]
fn counts(recurring: &Recurring, started: u64, skipped: u64) {
    until("the runs are started", || recurring.started() >= started && recurring.skipped() >= skipped);
    assert_eq!((recurring.started(), recurring.skipped()), (started, skipped));
}

#[test]
fn runs_on_time_and_after_a_jump_as_the_policy_says() {
    // After 5 min and a jump from there to 45 min: the runs of 10, 20, 30 and 40 min are late.
    let cases =
        [(Missed::Skip, 0, 4), (Missed::RunOnce, 1, 3), (Missed::RunAll(2), 2, 2), (Missed::RunAll(9), 4, 0)];
    for (missed, started, skipped) in cases {
        let time = VirtualClock::new();
        let pool = Pool::builder().workers(1).clock(time.clock()).start(|_: &u32, _: &Context| ()).unwrap();
        let mut number = 0;
        let recurring = pool.recurring(every_ten(missed), move || {
            number += 1;
            number
        });
        time.advance(MINUTE * 5);
        time.advance(MINUTE * 40);
        counts(&recurring, started, skipped);
        for run in 1..4 {
            time.advance(if run == 1 { MINUTE * 5 } else { MINUTE * 10 });
            counts(&recurring, started + run, skipped);
        }
        assert_eq!(quiet(&pool).done, started + 3);
        assert_eq!(recurring.panicked(), 0);
    }
}

#[test]
fn a_run_that_finds_the_queue_full_is_missed() {
    let cases = [(Missed::Skip, 1, 2), (Missed::RunOnce, 1, 2), (Missed::RunAll(2), 2, 1)];
    for (missed, started, skipped) in cases {
        let time = VirtualClock::new();
        let queue = Queue::builder().capacity(2).clock(time.clock()).open::<u32>().unwrap();
        let recurring = queue.handle().recurring(every_ten(missed), || 7);
        queue.submit_many(vec![1, 2]).unwrap();
        // Comes after the other, and shows when the timer has looked for the second time: then the first run is too late.
        let witness = queue.recurring(every_ten(Missed::Skip), || 0);
        time.advance(MINUTE * 10);
        time.advance(MINUTE * 10);
        counts(&witness, 0, 1);
        witness.stop();
        assert_eq!((recurring.started(), books(&queue).submitted), (0, 2));
        queue.recv().unwrap().ack().unwrap();
        queue.recv().unwrap().ack().unwrap();
        time.advance(MINUTE * 10);
        counts(&recurring, started, skipped);
        for _ in 0..started {
            let delivery = queue.recv().unwrap();
            assert_eq!(*delivery, 7);
            delivery.ack().unwrap();
        }
        books(&queue);
    }
}

#[test]
fn it_ends_when_it_is_stopped_dropped_or_its_pool_shut_down() {
    let time = VirtualClock::new();
    let token = Arc::new(());
    let pool = Pool::builder().workers(1).clock(time.clock()).start(|_: &u32, _: &Context| ()).unwrap();
    let set_up = || {
        let held = Arc::clone(&token);
        pool.recurring(every_ten(Missed::RunOnce), move || Arc::strong_count(&held) as u32)
    };
    let (stopped, dropped, left) = (set_up(), set_up(), set_up());
    time.advance(MINUTE * 10);
    for recurring in [&stopped, &dropped, &left] {
        counts(recurring, 1, 0);
    }
    stopped.stop();
    drop(dropped);
    until("their closures are dropped", || Arc::strong_count(&token) == 2);
    time.advance(MINUTE * 10);
    counts(&left, 2, 0);
    assert_eq!((stopped.started(), stopped.is_stopped(), left.is_stopped()), (1, true, false));
    let report = pool.shutdown(LONG);
    assert_eq!((report.done, Arc::strong_count(&token), left.is_stopped()), (4, 1, true));
    let late = set_up();
    assert!(late.is_stopped());
    assert_eq!(Arc::strong_count(&token), 1);
    books(&pool);
}

#[test]
fn a_panic_in_making_a_job_is_counted_and_takes_no_place() {
    pool_common::hush("recur");
    let time = VirtualClock::new();
    let pool = Pool::builder()
        .name("recur")
        .capacity(1)
        .clock(time.clock())
        .start(|_: &u32, _: &Context| ())
        .unwrap();
    let mut number = 0;
    let recurring = pool.recurring(CronSchedule::parse("@hourly").unwrap(), move || {
        number += 1;
        if number % 2 == 1 { std::panic::panic_any("on purpose") } else { number }
    });
    for hour in 1..=6 {
        time.advance(MINUTE * 60);
        until("the run is over", || recurring.started() + recurring.panicked() == hour);
        quiet(&pool);
    }
    assert_eq!((recurring.started(), recurring.panicked()), (3, 3));
    assert_eq!(books(&pool).submitted, 3);
}
