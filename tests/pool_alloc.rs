//! What a job costs on the heap: its slot, which is there before it comes, and nothing as it passes.
//!
//! One test, as it counts what all threads of the process allocate.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

#[path = "common/alloc.rs"]
mod alloc;

use alloc::counted_everywhere;
use millpond::{Context, Lease, Pool, Queue, RetryPolicy};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
/// What a queued job may cost beside its payload.
const BESIDE_MAX: usize = 96;

type Payload = [u64; 8];

fn lease() -> Lease {
    Lease::renewed(Duration::from_secs(30))
}

#[test]
fn a_job_takes_its_slot_and_allocates_nothing() {
    of_a_pool(&Pool::builder().workers(2).start(|_: &Payload, _: &Context| ()).unwrap());
    let builder = || Pool::builder().workers(2).retry(RetryPolicy::webhook_72h());
    of_a_pool(&builder().lease(lease()).start(|_: &Payload, _: &Context| ()).unwrap());
    let timed = builder().timeout(LONG).lease(lease()).start(|_: &Payload, _: &Context| ()).unwrap();
    of_a_pool(&timed);
    of_a_loop();
    of_what_waits();
}

/// Asserts that it allocates for no job. What threads allocate as they start, or the timer when it looks after leases now and
/// then, does not grow with the jobs.
fn assert_free(jobs: usize, work: impl FnOnce()) {
    let (calls, _) = counted_everywhere(work);
    assert!(calls < jobs / 100, "{calls} allocations for {jobs} jobs");
}

/// Jobs that are submitted, delivered, done and forgotten.
fn of_a_pool(pool: &Pool<Payload>) {
    let round = || {
        (0..1_000).for_each(|_| assert!(pool.submit([0; 8]).is_ok()));
        assert!(pool.wait_idle(LONG));
    };
    round();
    assert_free(10_000, || (0..10).for_each(|_| round()));
    assert_eq!(pool.stats().done, 11_000);
}

/// Jobs that are taken and settled by hand.
fn of_a_loop() {
    let queue = Queue::builder().lease(lease()).open::<Payload>().unwrap();
    let round = || {
        queue.submit([0; 8]).unwrap();
        queue.recv().unwrap().ack().unwrap();
    };
    round();
    assert_free(1_000, || (0..1_000).for_each(|_| round()));
}

/// Jobs that are queued, beside a queue of one, so that what a queue costs by itself is left out.
fn of_what_waits() {
    const JOBS: usize = 10_000;
    // Kept until all is counted.
    let mut queues = Vec::with_capacity(2);
    let mut fill = |capacity| {
        let queue = Queue::builder().capacity(capacity).lease(lease()).open::<Payload>().unwrap();
        (0..capacity).for_each(|_| assert!(queue.submit([0; 8]).is_ok()));
        queues.push(queue);
    };
    let [(_, one), (_, many)] = [1, 1 + JOBS].map(|capacity| counted_everywhere(|| fill(capacity)));
    let each = (many - one) / JOBS;
    println!("{each} bytes a queued job, of which {} are the payload", size_of::<Payload>());
    assert!(each <= size_of::<Payload>() + BESIDE_MAX, "{each} bytes");
}
