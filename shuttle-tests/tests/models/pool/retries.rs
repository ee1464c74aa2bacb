//! Failures, panics and the timer: attempts are counted, and a job that fails for good ends among the dead.

use super::{Done, books, closed_books};
use crate::harness::{LONG, Model, spawn, stroll, witness};
use millpond::{Context, DeadFull, Outcome, Pool, RetryPolicy, VirtualClock};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Jobs that fail, snooze or panic the first time; time moves while they do.
#[test]
fn retries_with_the_timer() {
    Model::new("retries_with_the_timer", 300).witnesses(&["all in time", "some still scheduled"]).run(|| {
        let (time, done) = (VirtualClock::new(), Done::default());
        let book = done.clone();
        let pool = Pool::builder()
            .workers(2)
            .capacity(4)
            .seed(1)
            .clock(time.clock())
            .retry(RetryPolicy::fixed(SECOND).max_attempts(2))
            .dead_letters(4, DeadFull::DropOldest)
            .start(move |job: &u32, cx: &Context| match (job, cx.deliveries()) {
                (0, 1) => Outcome::retry("first time"),
                (1, 1) => Outcome::snooze(SECOND),
                // No report of a panic that is meant: `resume_unwind` calls no hook.
                (2, _) => resume_unwind(Box::new("meant")),
                _ => {
                    book.add(*job);
                    Outcome::Done
                }
            })
            .unwrap();
        let mover = spawn({
            let time = time.clone();
            move || time.advance(SECOND)
        });
        pool.submit_many(vec![0, 1, 2, 3]).unwrap();
        assert!(pool.wait_idle(LONG));
        // Not a quiet point: the clock may move just now.
        witness(if pool.stats().scheduled == 0 { "all in time" } else { "some still scheduled" });
        mover.join().unwrap();
        // One that fell due may fail only now, and is due a second later.
        for _ in 0..2 {
            time.advance(SECOND);
            assert!(pool.wait_idle(LONG));
        }
        let stats = books(&pool);
        assert_eq!((stats.done, stats.dead, stats.held, stats.panicked), (3, 1, 0, 2), "{stats:?}");
        assert_eq!((done.jobs(), done.times()), (3, 3));
        assert!(pool.shutdown(LONG).is_drained());
        closed_books(&pool);
    });
}

/// A scheduled retry against a shutdown: run, dead, or handed back.
#[test]
fn a_retry_against_shutdown() {
    Model::new("a_retry_against_shutdown", 300).witnesses(&["handed back", "ended"]).run(|| {
        let time = VirtualClock::new();
        let pool = Pool::builder()
            .workers(1)
            .capacity(2)
            .seed(1)
            .clock(time.clock())
            .retry(RetryPolicy::fixed(SECOND).max_attempts(2))
            .start(|_: &u32, _: &Context| Outcome::retry("always"))
            .unwrap();
        pool.submit(1).unwrap();
        pool.submit_after(2, SECOND).unwrap();
        let mover = spawn(move || {
            (0..3).for_each(|_| {
                time.advance(SECOND);
                stroll(60);
            });
        });
        stroll(200);
        let report = pool.shutdown(LONG);
        mover.join().unwrap();
        let stats = closed_books(&pool);
        assert!(report.cut_off.is_empty());
        assert_eq!(stats.died + report.released.len() as u64, 2, "{stats:?}");
        witness(if report.released.is_empty() { "ended" } else { "handed back" });
    });
}

/// Dead letters with room for one, redriven while others die.
#[test]
fn redrive_against_death() {
    Model::new("redrive_against_death", 300).run(|| {
        let pool = Pool::builder()
            .workers(1)
            .capacity(4)
            .seed(1)
            .dead_letters(1, DeadFull::DropOldest)
            .start(|_: &u32, _: &Context| Outcome::dead("always"))
            .unwrap();
        let pool = Arc::new(pool);
        let driver = spawn({
            let pool = Arc::clone(&pool);
            move || {
                // How many there were just then, or that somebody else redrives, is all the same here.
                let _ = pool.dead().redrive_all();
            }
        });
        let buryer = spawn({
            let pool = Arc::clone(&pool);
            move || drop(pool.dead().take_all())
        });
        pool.submit_many(vec![1, 2]).unwrap();
        driver.join().unwrap();
        buryer.join().unwrap();
        assert!(pool.wait_idle(LONG));
        books(&pool);
        assert!(pool.shutdown(LONG).is_drained());
        closed_books(&pool);
    });
}
