//! The end of a pool against those who submit and those who work.

use super::{Done, closed_books};
use crate::harness::{LONG, Model, NOW, block_on, spawn, stroll, witness};
use millpond::{Context, Pool};
use std::sync::Arc;

/// Two submit, a thread and a task, to a pool that is full at once; a third shuts it down, or aborts it.
fn submit_against_end(
    name: &'static str,
    workers: usize,
    end: fn(&Pool<u32>) -> u64,
    witnesses: &'static [&'static str],
) {
    Model::new(name, 300).witnesses(witnesses).run(move || {
        let done = Done::default();
        let book = done.clone();
        let pool = Pool::builder()
            .workers(workers)
            .capacity(1)
            .seed(1)
            .start(move |job: &u32, _: &Context| {
                shuttle::thread::yield_now();
                book.add(*job);
            })
            .unwrap();
        let pool = Arc::new(pool);
        let submitters = [0, 10].map(|from| {
            let pool = Arc::clone(&pool);
            spawn(move || {
                let accepted = (from..from + 2).map(|job| {
                    let answer = if from == 0 { pool.submit(job) } else { block_on(pool.submit_async(job)) };
                    u64::from(answer.inspect_err(|error| assert!(error.is_closed())).is_ok())
                });
                accepted.sum::<u64>()
            })
        });
        stroll(80);
        let ended = end(&pool);
        let accepted: u64 = submitters.map(|submitter| submitter.join().unwrap()).iter().sum();
        let stats = closed_books(&pool);
        assert_eq!(stats.submitted, accepted);
        assert_eq!(stats.done + ended, accepted, "done, or handed back: {stats:?}");
        assert!(done.jobs() == done.times(), "a job was run twice");
        assert!(done.jobs() >= stats.done && done.jobs() <= accepted);
        witness(if accepted == 4 { "all accepted" } else { "refused" });
        if ended > 0 {
            witness("handed back");
        }
    });
}

#[test]
fn submit_against_shutdown() {
    let end = |pool: &Pool<u32>| {
        let report = pool.shutdown(LONG);
        assert!(report.is_drained());
        0
    };
    submit_against_end("submit_against_shutdown", 2, end, &["all accepted", "refused"]);
}

#[test]
fn submit_against_abort() {
    let end = |pool: &Pool<u32>| {
        let report = pool.abort();
        (report.released.len() + report.cut_off.len()) as u64
    };
    submit_against_end("submit_against_abort", 1, end, &["all accepted", "refused", "handed back"]);
}

#[test]
fn submit_against_a_short_shutdown() {
    let end = |pool: &Pool<u32>| {
        let report = pool.shutdown(NOW);
        (report.released.len() + report.cut_off.len()) as u64
    };
    submit_against_end(
        "submit_against_a_short_shutdown",
        2,
        end,
        &["all accepted", "refused", "handed back"],
    );
}

/// Two shut down at the same time, and the pool is dropped by a third: one of them gets the jobs.
#[test]
fn two_shutdowns() {
    Model::new("two_shutdowns", 300).run(|| {
        let pool = Pool::builder().workers(1).capacity(4).seed(1).start(|_: &u32, _: &Context| ()).unwrap();
        let pool = Arc::new(pool);
        pool.submit_many(vec![1, 2, 3]).unwrap();
        let ends = [false, true].map(|aborts| {
            let pool = Arc::clone(&pool);
            spawn(move || {
                let report = if aborts { pool.abort() } else { pool.shutdown(LONG) };
                report.released.len() + report.cut_off.len()
            })
        });
        let back: usize = ends.map(|end| end.join().unwrap()).iter().sum();
        let stats = closed_books(&pool);
        assert_eq!(stats.done + back as u64, 3, "{stats:?}");
        assert!(pool.submit(4).is_err());
    });
}

/// Handlers that wait: an abort drops them where they are, and hands their jobs back.
#[test]
fn abort_of_async_handlers() {
    Model::new("abort_of_async_handlers", 300).witnesses(&["done", "cut off"]).run(|| {
        let pool = Pool::builder()
            .workers(1)
            .concurrency(2)
            .capacity(4)
            .seed(1)
            .start_async(async |_: &u32, _: &Context| {
                let mut yielded = false;
                std::future::poll_fn(|cx| {
                    if yielded {
                        return std::task::Poll::Ready(());
                    }
                    yielded = true;
                    cx.waker().wake_by_ref();
                    std::task::Poll::Pending
                })
                .await;
            })
            .unwrap();
        pool.submit_many(vec![1, 2, 3]).unwrap();
        let report = pool.abort();
        if !report.cut_off.is_empty() {
            witness("cut off");
        }
        let stats = closed_books(&pool);
        if stats.done > 0 {
            witness("done");
        }
        assert_eq!(stats.done + (report.released.len() + report.cut_off.len()) as u64, 3, "{stats:?}");
    });
}
