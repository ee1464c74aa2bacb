//! Pools with both kinds of handlers under simulation: each job is worked on in its lane, and the books balance.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

use millpond::testing::{EventKind, Fault, Faults, Sim};
use millpond::{Context, Lane, Lease, Outcome, Pool, PoolBuilder, RetryPolicy};
use std::cell::RefCell;
use std::collections::HashSet;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const JOBS: u64 = 60;

/// Odd jobs wait.
fn lane_of(job: &u64) -> Lane {
    if job % 2 == 0 { Lane::Sync } else { Lane::Async }
}

fn builder() -> PoolBuilder {
    Pool::builder().workers(2).async_workers(3).retry(RetryPolicy::fixed(SECOND).max_attempts(8))
}

/// Every kind of outcome; they follow from the job and the number of its delivery.
fn outcome(job: u64, cx: &Context) -> Outcome {
    match (job * 7 + u64::from(cx.deliveries())) % 8 {
        0 => Outcome::retry("no"),
        1 => Outcome::snooze(SECOND),
        2 => Outcome::Release,
        // Without the message that the hook would print.
        3 => std::panic::resume_unwind(Box::new("a panic of the handler")),
        4 if cx.deliveries() > 4 => Outcome::dead("never"),
        _ => Outcome::Done,
    }
}

fn compute(job: &u64, cx: &Context) -> Outcome {
    assert_eq!(lane_of(job), Lane::Sync);
    outcome(*job, cx)
}

async fn wait(job: &u64, cx: &Context) -> Outcome {
    assert_eq!(lane_of(job), Lane::Async);
    cx.sleep(Duration::from_millis(100 * (job % 5))).await;
    outcome(*job, cx)
}

fn build(seed: u64) -> Sim<'static, u64> {
    let all = [Fault::Fail, Fault::FailAfter, Fault::Panic, Fault::Hang, Fault::LoseLease, Fault::Slow];
    let faults = all.into_iter().fold(Faults::none(), |faults, fault| faults.chance(fault, 0.05));
    let sim = match seed % 4 {
        0 => builder().simulate_mixed(seed, lane_of, compute, wait),
        1 => builder().timeout(2 * SECOND).simulate_mixed(seed, lane_of, compute, wait),
        2 => builder().lease(Lease::of(3 * SECOND)).simulate_mixed(seed, lane_of, compute, wait),
        _ => {
            let builder = builder().timeout(SECOND).lease(Lease::renewed(SECOND));
            builder.simulate_mixed(seed, lane_of, compute, wait)
        }
    };
    sim.unwrap().faults(faults)
}

/// Plays a simulation to its end, with the books checked after each step.
fn play(seed: u64) -> Sim<'static, u64> {
    let mut sim = build(seed);
    for job in 0..JOBS {
        sim.submit(job).unwrap();
        sim.step();
        sim.check().unwrap();
    }
    for _ in 0..100_000 {
        if !sim.step() {
            break;
        }
        sim.check().unwrap_or_else(|error| panic!("{error}\n{}", sim.trace()));
    }
    assert!(sim.run_until_done(), "seed {seed}: {:?}\n{}", sim.stats(), sim.trace());
    sim
}

#[test]
fn the_books_balance_after_every_step() {
    let mut seen = [0; 6];
    for seed in 0..60 {
        let stats = play(seed).stats();
        assert_eq!((stats.submitted, stats.held), (JOBS, 0), "seed {seed}");
        let counts =
            [stats.done, stats.retried, stats.snoozed, stats.panicked, stats.dead, stats.leases_lost];
        (0..6).for_each(|which| seen[which] += counts[which]);
    }
    assert!(seen.iter().all(|count| *count > 10), "{seen:?}");
}

#[test]
fn a_seed_gives_the_same_trace_and_another_another() {
    let mut fingerprints = HashSet::new();
    for seed in 0..20 {
        let (first, second) = (play(seed), play(seed));
        assert_eq!((first.trace(), first.steps()), (second.trace(), second.steps()), "seed {seed}");
        fingerprints.insert(first.trace().fingerprint());
    }
    assert_eq!(fingerprints.len(), 20);
}

/// Workers of a kind take jobs of that kind: the async ones have the lower numbers, as in a pool with threads.
#[test]
fn a_job_stays_in_its_lane() {
    for seed in 0..20 {
        let sim = play(seed);
        for event in sim.trace().events() {
            if let EventKind::Delivered { worker, job, .. } = event.kind {
                assert_eq!(worker < 3, job.get() % 2 == 0, "the first job, number 1, is job 0");
            }
        }
    }
}

/// Handlers that wait hold up no computation, and the other way round.
#[test]
fn a_lane_that_is_busy_does_not_hold_up_the_other() {
    let done = RefCell::new(Vec::new());
    let mut sim = Pool::builder()
        .workers(1)
        .async_workers(1)
        .simulate_mixed(
            1,
            lane_of,
            |job: &u64, _: &Context| done.borrow_mut().push(*job),
            async |job: &u64, cx: &Context| {
                cx.sleep(3_600 * SECOND).await;
                done.borrow_mut().push(*job);
            },
        )
        .unwrap();
    for job in [1, 3, 2, 4] {
        sim.submit(job).unwrap();
    }
    assert!(sim.run_until_idle());
    assert_eq!((sim.stats().done, sim.stats().ready, sim.stats().in_flight), (2, 1, 1));
    assert!(sim.run_until_done());
    assert_eq!(sim.now(), 7_200 * SECOND);
    drop(sim);
    assert_eq!(*done.borrow(), [2, 4, 1, 3]);
}

#[test]
fn a_pool_needs_workers_of_both_kinds() {
    for (computing, waiting) in [(0, 1), (1, 0)] {
        let builder = Pool::builder().workers(computing).async_workers(waiting);
        assert!(builder.simulate_mixed(1, lane_of, compute, wait).is_err());
    }
}
