//! Unique keys, tracked jobs, cancellation.

use super::{Done, closed_books};
use crate::harness::{LONG, Model, spawn, stroll, witness};
use millpond::{Context, JobEnd, Outcome, Pool, SubmitError, Unique};
use std::sync::Arc;

/// Two submit under one key: never are two of them held at a time, and a duplicate comes back.
#[test]
fn unique_keys() {
    Model::new("unique_keys", 300).witnesses(&["both", "one"]).run(|| {
        let (done, running) = (Done::default(), Arc::new(std::sync::atomic::AtomicU32::new(0)));
        let book = done.clone();
        let pool = Pool::builder()
            .workers(2)
            .capacity(4)
            .seed(1)
            .start(move |job: &u32, _: &Context| {
                let others = running.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                assert_eq!(others, 0, "two jobs of one key run at a time");
                shuttle::thread::yield_now();
                running.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                book.add(*job);
            })
            .unwrap();
        let pool = Arc::new(pool);
        let submitters = [1, 2].map(|job| {
            let pool = Arc::clone(&pool);
            spawn(move || {
                stroll(30);
                match pool.job(job).unique("key", Unique::UntilDone).submit() {
                    Ok(_) => 1,
                    Err(SubmitError::Duplicate { job: back, .. }) => {
                        assert_eq!(back, job);
                        0
                    }
                    Err(error) => panic!("{error}"),
                }
            })
        });
        let accepted: u64 = submitters.map(|submitter| submitter.join().unwrap()).iter().sum();
        assert!(pool.shutdown(LONG).is_drained());
        let stats = closed_books(&pool);
        assert_eq!((stats.done, done.jobs(), stats.panicked), (accepted, accepted, 0), "{stats:?}");
        witness(if accepted == 2 { "both" } else { "one" });
    });
}

/// A tracked job is cancelled while it waits, runs, or has ended: handle and books agree on what became of it.
#[test]
fn cancel_a_tracked_job() {
    Model::new("cancel_a_tracked_job", 400).witnesses(&["cancelled", "done", "ran all the same"]).run(|| {
        let done = Done::default();
        let book = done.clone();
        let pool = Pool::builder()
            .workers(1)
            .capacity(4)
            .seed(1)
            .start(move |job: &u32, cx: &Context| {
                book.add(*job);
                shuttle::thread::yield_now();
                if cx.cancelled() { Outcome::Drop } else { Outcome::Done }
            })
            .unwrap();
        pool.submit(1).unwrap();
        let handle = Arc::new(pool.job(2).tracked().submit().unwrap());
        let waiter = spawn({
            let handle = Arc::clone(&handle);
            move || handle.wait()
        });
        stroll(40);
        let said = handle.cancel();
        let end = waiter.join().unwrap();
        assert_eq!(Some(end), handle.end());
        assert!(pool.shutdown(LONG).is_drained());
        let stats = closed_books(&pool);
        match end {
            JobEnd::Done => {
                witness("done");
                assert_eq!((stats.done, stats.dropped), (2, 0), "{stats:?}");
            }
            JobEnd::Cancelled | JobEnd::Dropped => {
                assert!(said, "nobody else has cancelled it");
                witness(if done.times() == 2 { "ran all the same" } else { "cancelled" });
                assert_eq!((stats.done, stats.dropped), (1, 1), "{stats:?}");
            }
            other => panic!("{other}: {stats:?}"),
        }
    });
}

/// A tracked job against an abort: whoever waits for it is told.
#[test]
fn abort_a_tracked_job() {
    Model::new("abort_a_tracked_job", 300).witnesses(&["done", "handed back"]).run(|| {
        let pool = Pool::builder()
            .workers(1)
            .capacity(4)
            .seed(1)
            .start(|_: &u32, _: &Context| shuttle::thread::yield_now())
            .unwrap();
        let handle = pool.job(1).tracked().submit().unwrap();
        let waiter = spawn(move || handle.wait());
        let report = pool.abort();
        let back = report.released.len() + report.cut_off.len();
        match waiter.join().unwrap() {
            JobEnd::Done => {
                witness("done");
                assert_eq!(back, 0);
            }
            JobEnd::Released | JobEnd::CutOff => {
                witness("handed back");
                assert_eq!(back, 1);
            }
            other => panic!("{other}"),
        }
        closed_books(&pool);
    });
}
