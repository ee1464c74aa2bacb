//! Async handlers under simulation: the seed chooses who is polled, the virtual clock wakes, and the books balance.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

use millpond::testing::{EventKind, Fault, Faults, Sim};
use millpond::{Context, FailureKind, Lease, Outcome, Pool, PoolBuilder, RetryPolicy};
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::future::{pending, poll_fn};
use std::task::Poll;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

async fn yield_once() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn builder() -> PoolBuilder {
    Pool::builder().workers(4).retry(RetryPolicy::fixed(SECOND).max_attempts(8))
}

/// Every kind of waiting, and every kind of outcome; they follow from the job and the number of its delivery.
async fn handle(job: &u64, cx: &Context) -> Outcome {
    for step in 0..job % 3 {
        match (job + step) % 3 {
            0 => cx.sleep(Duration::from_millis(100 * job)).await,
            1 => cx.sleep(Duration::ZERO).await,
            _ => yield_once().await,
        }
    }
    match (job * 7 + u64::from(cx.deliveries())) % 9 {
        0 => Outcome::retry("no"),
        1 => Outcome::snooze(SECOND),
        2 => Outcome::Release,
        // Without the message that the hook would print.
        3 => std::panic::resume_unwind(Box::new("a panic of the handler")),
        4 if cx.deliveries() > 4 => Outcome::dead("never"),
        5 if cx.deliveries() > 2 => Outcome::Drop,
        _ => Outcome::Done,
    }
}

fn build(seed: u64) -> Sim<'static, u64> {
    let all = [Fault::Fail, Fault::FailAfter, Fault::Panic, Fault::Hang, Fault::LoseLease, Fault::Slow];
    let faults = all.into_iter().fold(Faults::none(), |faults, fault| faults.chance(fault, 0.05));
    let sim = match seed % 4 {
        0 => builder().simulate_async(seed, handle),
        1 => builder().timeout(2 * SECOND).simulate_async(seed, handle),
        2 => builder().lease(Lease::of(3 * SECOND)).simulate_async(seed, handle),
        _ => builder().timeout(SECOND).lease(Lease::renewed(SECOND)).simulate_async(seed, handle),
    };
    sim.unwrap().faults(faults)
}

/// Plays a simulation to its end, with the books checked after each step.
fn play(seed: u64) -> Sim<'static, u64> {
    let mut sim = build(seed);
    for job in 0..60 {
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
    let mut seen = [0; 8];
    for seed in 0..60 {
        let stats = play(seed).stats();
        assert_eq!((stats.submitted, stats.held), (60, 0), "seed {seed}");
        let counts = [
            stats.done,
            stats.retried,
            stats.snoozed,
            stats.discarded,
            stats.panicked,
            stats.dead,
            stats.leases_lost,
            stats.late,
        ];
        (0..8).for_each(|which| seen[which] += counts[which]);
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

/// Between two awaits of one handler the others may do anything: some seed finds the update that is lost.
#[test]
fn some_seed_finds_the_race() {
    let losses = (0..50).filter(|seed| {
        let balance = Cell::new(0);
        let mut sim = builder()
            .simulate_async(*seed, async |deposit: &u32, _: &Context| {
                let before = balance.get();
                yield_once().await;
                balance.set(before + deposit);
            })
            .unwrap();
        sim.submit(1).unwrap();
        sim.submit(1).unwrap();
        assert!(sim.run_until_done());
        drop(sim);
        balance.get() == 1
    });
    let losses = losses.count();
    assert!((1..50).contains(&losses), "{losses} of 50 seeds lose a deposit");
}

#[test]
fn handlers_sleep_on_the_virtual_clock_and_overlap() {
    let ended = RefCell::new(Vec::new());
    let mut sim = builder()
        .simulate_async(1, async |job: &u32, cx: &Context| {
            cx.sleep(SECOND * *job).await;
            ended.borrow_mut().push(*job);
        })
        .unwrap();
    for job in [4, 2, 3, 1] {
        sim.submit(job).unwrap();
    }
    assert!(sim.run_until_idle());
    assert_eq!((sim.stats().in_flight, sim.now()), (4, Duration::ZERO));
    assert!(sim.advance(SECOND * 2));
    assert_eq!(sim.stats().done, 2);
    assert!(sim.run_until_done());
    assert_eq!(sim.now(), SECOND * 4);
    drop(sim);
    assert_eq!(ended.into_inner(), [1, 2, 3, 4]);
}

/// A handler that hangs is dropped by its timeout, not before and not later; with a lease it may lose its job first.
#[test]
fn a_handler_that_hangs_is_dropped_by_its_timeout() {
    for seed in 0..20 {
        let mut sim = builder()
            .timeout(10 * SECOND)
            .retry(RetryPolicy::none())
            .simulate_async(seed, async |_: &u32, _: &Context| yield_once().await)
            .unwrap()
            .faults(Faults::none().at(1, 1, Fault::Hang));
        sim.submit(1).unwrap();
        assert!(sim.run_until_done());
        assert_eq!((sim.now(), sim.stats().dead), (10 * SECOND, 1), "seed {seed}");
        assert_eq!(sim.dead().list()[0].kind, FailureKind::Timeout);
        sim.check().unwrap();
    }
    let mut sim = builder()
        .lease(Lease::of(10 * SECOND))
        .simulate_async(1, async |_: &u32, _: &Context| ())
        .unwrap()
        .faults(Faults::none().at(1, 1, Fault::Hang));
    sim.submit(1).unwrap();
    assert!(sim.run_until_done());
    let stats = sim.stats();
    assert_eq!((stats.done, stats.leases_lost, stats.late), (1, 1, 1));
    sim.check().unwrap();
}

/// Its own timeout ends a handler that waits for ever; without one, nothing will ever happen.
#[test]
fn a_handler_that_waits_for_ever() {
    let forever = async |_: &u32, _: &Context| pending::<()>().await;
    let mut sim = builder().timeout(SECOND).retry(RetryPolicy::none()).simulate_async(1, forever).unwrap();
    sim.submit(1).unwrap();
    assert!(sim.run_until_done());
    assert_eq!((sim.now(), sim.stats().dead), (SECOND, 1));

    let mut sim = builder().simulate_async(1, forever).unwrap();
    sim.submit(1).unwrap();
    assert!(sim.run_until_idle() && !sim.step() && !sim.run_until_done());
    assert_eq!(sim.stats().in_flight, 1);
    let last = sim.trace().events().last().unwrap().kind;
    assert!(matches!(last, EventKind::Waits { worker: _, job: _ }), "{last:?}");
    sim.check().unwrap();
}

/// A handler that is woken by another, and one that is cancelled by the test.
#[test]
fn handlers_wake_each_other() {
    let (sender, receiver) = millpond::bounded::<u32>(1);
    let mut sim = builder()
        .simulate_async(3, async |job: &u32, _: &Context| match job {
            0 => receiver.recv_async().await.map_err(|error| error.to_string()).map(|got| assert_eq!(got, 1)),
            job => sender.send_async(*job).await.map_err(|error| error.to_string()),
        })
        .unwrap();
    sim.submit(0).unwrap();
    assert!(sim.run_until_idle());
    assert_eq!(sim.stats().in_flight, 1);
    sim.submit(1).unwrap();
    assert!(sim.run_until_done());
    assert_eq!(sim.stats().done, 2);
    let waits = sim.handle().job(0).tracked().submit().unwrap();
    assert!(sim.run_until_idle() && waits.cancel() && sim.run_until_done());
    assert_eq!(sim.stats().cancelled, 1);
    sim.check().unwrap();
}
