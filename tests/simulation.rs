//! The work queue under simulation: every fault, every kind of outcome, settings at random, and the books checked after each
//! step. The seed decides everything, so a failure is repeated by the seed that it names.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

use millpond::testing::{Fault, Faults, Sim, Trace};
use millpond::{
    Breaker, BreakerState, Context, DeadFull, Displaced, Lease, Outcome, Overflow, Pool, PoolBuilder,
    RetryBudget, RetryPolicy, Stats, SubmitError, Unleased, VirtualClock,
};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// Steps of one simulation.
const STEPS: u64 = 20_000;
/// Steps in which what is held then must have come to its end: far more than that takes.
const ENDING: u64 = 100_000;
/// Steps of the long run, all simulations together.
const STEPS_IN_ALL: u64 = 50_000_000;

/// SplitMix64: the test's own choices.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    fn pick<T>(&mut self, choices: Vec<T>) -> T {
        let choice = self.below(choices.len() as u64) as usize;
        choices.into_iter().nth(choice).unwrap()
    }
}

/// A job that counts how many of its kind there are.
struct Job {
    number: u64,
    alive: Arc<AtomicI64>,
}

impl Job {
    fn new(number: u64, alive: &Arc<AtomicI64>) -> Self {
        alive.fetch_add(1, Ordering::Relaxed);
        Self { number, alive: Arc::clone(alive) }
    }
}

impl Clone for Job {
    fn clone(&self) -> Self {
        Self::new(self.number, &self.alive)
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Settings of any kind.
fn settings(random: &mut Random) -> PoolBuilder<Unleased> {
    let second = Duration::from_secs(1);
    let policy = random.pick(vec![
        RetryPolicy::default(),
        RetryPolicy::none(),
        RetryPolicy::fixed(Duration::ZERO).max_attempts(3),
        RetryPolicy::fixed(second).max_attempts(8),
        RetryPolicy::decorrelated(second, second * 60).max_attempts(10).within(second * 300),
        RetryPolicy::webhook_72h(),
        RetryPolicy::fixed(second).max_attempts(6).budget(&RetryBudget::ratio(0.2)),
    ]);
    let mut builder = Pool::builder()
        .workers(1 + random.below(5) as usize)
        .capacity(1 + random.below(40) as usize)
        .retry(policy)
        .dead_letters(
            random.below(20) as usize,
            random.pick(vec![DeadFull::DropOldest, DeadFull::DropNewest]),
        )
        .overflow(random.pick(vec![
            Overflow::Block,
            Overflow::Reject,
            Overflow::DropOldest(Displaced::Drop),
            Overflow::DropOldest(Displaced::DeadLetter),
            Overflow::DropNewest(Displaced::Drop),
            Overflow::DropNewest(Displaced::DeadLetter),
        ]));
    if random.one_in(3) {
        builder = builder.timeout(second * (1 + random.below(60) as u32));
    }
    if random.one_in(3) {
        builder = builder.dead_letters_max_age(second * (1 + random.below(600) as u32));
    }
    builder
}

/// Faults of every kind, some simulations with few and some with many.
fn faults(random: &mut Random) -> Faults {
    let all = [Fault::Fail, Fault::FailAfter, Fault::Panic, Fault::Hang, Fault::LoseLease, Fault::Slow];
    let most = random.pick(vec![0.02, 0.05, 0.15]);
    all.into_iter()
        .fold(Faults::none(), |faults, fault| faults.chance(fault, most * random.below(101) as f64 / 100.0))
}

/// Outcomes of every kind. They follow from the job and the number of its delivery.
fn handle(job: &Job, cx: &Context) -> Outcome {
    let mut random = Random(job.number.wrapping_mul(31).wrapping_add(u64::from(cx.deliveries())));
    match random.below(20) {
        0 => Outcome::retry("no"),
        1 => Outcome::retry_after(Duration::from_secs(random.below(100)), "later"),
        2 => Outcome::snooze(Duration::from_millis(random.below(5_000))),
        3 => Outcome::Release,
        4 => Outcome::dead("never"),
        5 => Outcome::Drop,
        // Without the message that the hook would print.
        6 => std::panic::resume_unwind(Box::new("a panic of the handler")),
        7 => match cx.extend(Duration::from_secs(10)) {
            Ok(()) => Outcome::Done,
            Err(_) => Outcome::retry("lost"),
        },
        8 if cx.cancelled() => Outcome::retry("out of time"),
        _ => Outcome::Done,
    }
}

fn build(seed: u64, random: &mut Random) -> Sim<'static, Job> {
    let builder = settings(random);
    let time = Duration::from_secs(1 + random.below(90));
    let sim = match random.below(5) {
        0 => builder.simulate(seed, handle),
        1 => builder.at_most_once().simulate(seed, handle),
        2 => builder.lease(Lease::renewed(time)).simulate(seed, handle),
        _ => {
            let lease = Lease::of(time).max_deliveries(1 + random.below(12) as u32);
            builder.lease(lease).simulate(seed, handle)
        }
    };
    sim.unwrap().faults(faults(random)).keep_events(200)
}

/// What a simulation came to.
#[derive(Debug, PartialEq)]
struct Played {
    trace: Trace,
    steps: u64,
    jobs: u64,
    stats: Stats,
}

/// Plays a simulation for `steps` steps, then to its end. Everything is checked after every step.
fn play(seed: u64, steps: u64) -> Played {
    let mut random = Random(seed);
    let alive = Arc::new(AtomicI64::new(0));
    let mut sim = build(seed, &mut random);
    let mut submitted = 0;
    for _ in 0..steps {
        match random.below(64) {
            0..24 => match sim.submit(Job::new(submitted, &alive)) {
                Ok(_) => submitted += 1,
                Err(SubmitError::Full(_)) => {}
                Err(error) => panic!("seed {seed}: {error}"),
            },
            24 => drop(sim.dead().redrive_all()),
            25 => drop(sim.dead().take_all()),
            26 if random.one_in(8) => drop(sim.dead().purge_all()),
            27 if random.one_in(8) => sim.clock().advance(Duration::from_secs(random.below(300))),
            _ => drop(sim.step()),
        }
        balanced(&sim);
    }
    for _ in 0..ENDING {
        if sim.stats().held == 0 {
            break;
        }
        assert!(sim.step(), "seed {seed}: jobs are held, and nothing will happen\n{}", sim.trace());
        balanced(&sim);
    }
    assert_eq!(sim.stats().held, 0, "seed {seed}: it does not end\n{}", sim.trace());
    assert!(sim.run_until_done(), "seed {seed}\n{}", sim.trace());
    balanced(&sim);
    let stats = sim.stats();
    // Each lease that was lost has ended in a settle that came too late.
    let expected = (submitted, 0, stats.leases_lost);
    assert_eq!((stats.submitted, stats.held, stats.late), expected, "seed {seed}");
    // Every job and every copy of one is dropped, but for the dead letters.
    assert_eq!(alive.load(Ordering::Relaxed), stats.dead as i64, "seed {seed}");
    let played = Played { trace: sim.trace().clone(), steps: sim.steps(), jobs: submitted, stats };
    drop(sim);
    assert_eq!(alive.load(Ordering::Relaxed), 0, "seed {seed}");
    played
}

fn balanced(sim: &Sim<'_, Job>) {
    if let Err(unbalanced) = sim.check() {
        panic!("{unbalanced}\n{}", sim.trace());
    }
}

/// Reads one of the books.
type Count = fn(&Stats) -> u64;

/// A taste of the long run, for every run of the tests.
#[test]
fn the_books_balance_after_every_step() {
    let played: Vec<_> = (0..40).map(|seed| play(seed, 1_000)).collect();
    // Whatever can become of a job has become of one.
    let seen: [(&str, Count); 16] = [
        ("done", |stats| stats.done),
        ("retried", |stats| stats.retried),
        ("snoozed", |stats| stats.snoozed),
        ("discarded", |stats| stats.discarded),
        ("panicked", |stats| stats.panicked),
        ("died", |stats| stats.died),
        ("overflowed", |stats| stats.overflowed),
        ("shed", |stats| stats.shed),
        ("evicted", |stats| stats.evicted),
        ("dead_expired", |stats| stats.dead_expired),
        ("purged", |stats| stats.purged),
        ("taken", |stats| stats.taken),
        ("redriven", |stats| stats.redriven),
        ("late", |stats| stats.late),
        ("leases_lost", |stats| stats.leases_lost),
        ("dead", |stats| stats.dead),
    ];
    for (what, count) in seen {
        let sum: u64 = played.iter().map(|played| count(&played.stats)).sum();
        assert!(sum > 10, "{what}: {sum}");
    }
}

/// What a simulation says, line by line.
#[test]
fn a_trace_reads_like_a_story() {
    let failing = |job: &u32, cx: &Context| match (job, cx.attempt()) {
        (1, 1) => Outcome::retry("not yet"),
        (1, _) => Outcome::Done,
        _ => Outcome::dead("never"),
    };
    let script = Faults::none().at(1, 1, Fault::Slow).at(2, 1, Fault::LoseLease);
    let mut sim = Pool::builder()
        .workers(1)
        .retry(RetryPolicy::fixed(Duration::from_secs(60)))
        .lease(Lease::of(Duration::from_secs(10)))
        .simulate(3, failing)
        .unwrap()
        .faults(script.slow_up_to(Duration::ZERO));
    sim.submit(1).unwrap();
    sim.submit(2).unwrap();
    assert!(sim.run_until_idle());
    assert_eq!((sim.stats().scheduled, sim.stats().dead, sim.now()), (1, 1, Duration::ZERO));
    assert!(sim.advance(Duration::from_secs(59)));
    assert_eq!((sim.stats().scheduled, sim.now()), (1, Duration::from_secs(59)));
    assert!(sim.run_until_done());
    let expected = "
      0.000000 s  job 1 is submitted
      0.000000 s  job 2 is submitted
      0.000000 s  worker 0: job 1, attempt 1, delivery 1, is slow
      0.000000 s  worker 0: job 1 failed, again in 60s
      0.000000 s  worker 0: job 2, attempt 1, delivery 1, loses its lease
      0.000000 s  worker 0: job 2 is taken away
      0.000000 s  worker 0: job 2 is settled too late
      0.000000 s  worker 0: job 2, attempt 1, delivery 2
      0.000000 s  worker 0: job 2 is dead
     59.000000 s  the clock moves
     60.000000 s  the clock moves
     60.000000 s  worker 0: job 1, attempt 2, delivery 2
     60.000000 s  worker 0: job 1 is done
";
    assert_eq!(format!("\n{}", sim.trace()), expected);
    assert!(!sim.step(), "nothing will ever happen any more");
}

/// A handler that hangs keeps its job for as long as its lease is renewed, and no longer.
#[test]
fn a_handler_that_hangs_loses_its_lease_after_its_timeout() {
    let second = Duration::from_secs(1);
    let mut sim = Pool::builder()
        .timeout(second * 100)
        .lease(Lease::renewed(second * 10))
        .simulate(1, |_: &u32, _: &Context| ())
        .unwrap()
        .faults(Faults::none().at(1, 1, Fault::Hang));
    sim.submit(1).unwrap();
    assert!(sim.advance(second * 100));
    assert_eq!((sim.stats().in_flight, sim.stats().leases_lost), (1, 0));
    assert!(sim.advance(second * 10));
    assert_eq!((sim.stats().done, sim.stats().leases_lost, sim.stats().late), (1, 1, 0));
    assert!(sim.run_until_done());
    assert_eq!((sim.stats().late, sim.now()), (1, second * 220));
    sim.check().unwrap();
}

#[test]
fn what_never_ends_is_ended_by_the_limit() {
    let mut sim =
        Pool::builder().simulate(1, |_: &u32, _: &Context| Outcome::Release).unwrap().step_limit(100);
    sim.submit(1).unwrap();
    assert!(!sim.run_until_idle() && !sim.run_until_done() && !sim.advance(Duration::from_secs(1)));
    assert_eq!((sim.steps(), sim.stats().held), (300, 1));
    sim.check().unwrap();
}

#[test]
fn two_simulations_on_one_clock_feed_each_other() {
    let time = VirtualClock::new();
    let mut second = Pool::builder()
        .clock(time.clock())
        .simulate(1, |number: &u32, _: &Context| assert!(*number > 10))
        .unwrap();
    let handle = second.handle();
    let mut first = Pool::builder()
        .clock(time.clock())
        .simulate(2, move |number: &u32, _: &Context| handle.try_submit(number + 10).map(|_| ()))
        .unwrap();
    first.submit(1).unwrap();
    first.submit(2).unwrap();
    assert!(first.run_until_done() && second.run_until_done());
    assert_eq!((first.stats().done, second.stats().done), (2, 2));
}

/// Jobs whose letters have no room are put aside, and buried when somebody makes some; a redrive passes its place on.
#[test]
fn dead_letters_that_block_keep_their_jobs_places() {
    let up = Cell::new(false);
    let builder = Pool::builder().capacity(3).dead_letters(1, DeadFull::Block);
    let handler = |_: &u32, _: &Context| if up.get() { Outcome::Done } else { Outcome::dead("down") };
    let mut sim = builder.simulate(1, handler).unwrap();
    for job in 0..4 {
        sim.submit(job).unwrap();
        assert!(sim.run_until_idle());
        sim.check().unwrap();
    }
    assert!(sim.submit(4).is_err(), "all places are taken");
    assert!(!sim.run_until_done(), "nobody makes room");
    assert_eq!((sim.stats().dead, sim.stats().aside, sim.stats().died), (1, 3, 4));
    up.set(true);
    for left in (0..4).rev() {
        assert_eq!(sim.dead().redrive_all(), Ok(1));
        assert!(sim.run_until_idle());
        sim.check().unwrap();
        assert_eq!(sim.stats().aside, u64::max(left, 1) - 1);
    }
    assert!(sim.run_until_done());
    assert_eq!((sim.stats().done, sim.stats().held), (4, 0));
}

/// Deliveries pause while the breaker is open, in both lanes, and the clock moves to the moment at which a probe may pass.
#[test]
fn the_breaker_pauses_deliveries() {
    for asynchronous in [false, true] {
        let (up, runs) = (Cell::new(false), Cell::new(0));
        let breaker = Breaker::failures(2).open_for(Duration::from_secs(60));
        let builder = Pool::builder()
            .workers(1)
            .breaker(&breaker)
            .retry(RetryPolicy::fixed(Duration::from_secs(1)).max_attempts(100));
        let run = |_: &u32| {
            runs.set(runs.get() + 1);
            if up.get() { Ok(()) } else { Err("down") }
        };
        let mut sim = match asynchronous {
            false => builder.simulate(3, |job: &u32, _: &Context| run(job)).unwrap(),
            true => builder.simulate_async(3, async |job: &u32, _: &Context| run(job)).unwrap(),
        };
        (0..10).for_each(|job| assert!(sim.submit(job).is_ok()));
        assert!(sim.run_until_idle());
        assert_eq!((runs.get(), breaker.state(), sim.now()), (2, BreakerState::Open, Duration::ZERO));
        assert_eq!(sim.stats().ready, 8, "they wait for the breaker");
        assert!(sim.advance(Duration::from_secs(59)));
        assert_eq!(runs.get(), 2);
        // One probe a minute.
        assert!(sim.advance(Duration::from_secs(1)) && runs.get() == 3);
        assert!(sim.advance(Duration::from_secs(60)) && runs.get() == 4);
        up.set(true);
        assert!(sim.run_until_done());
        sim.check().unwrap();
        assert_eq!((runs.get(), sim.stats().done, breaker.state()), (14, 10, BreakerState::Closed));
        assert_eq!((sim.now(), breaker.times_opened()), (Duration::from_secs(180), 3));
    }
}

#[test]
fn a_seed_gives_the_same_trace_and_another_another() {
    for seed in 100..110 {
        let (first, second) = (play(seed, 1_000), play(seed, 1_000));
        assert_eq!(first, second, "seed {seed}");
        assert_ne!(first.trace.fingerprint(), play(seed + 1_000, 1_000).trace.fingerprint());
    }
}

/// The long run: a gate of its own, in optimised code.
#[test]
#[ignore = "takes minutes without optimisation: cargo test --release --test simulation -- --ignored"]
fn a_long_run() {
    let start = Instant::now();
    let (mut seeds, mut steps, mut jobs) = (0, 0, 0);
    while steps < STEPS_IN_ALL {
        let played = play(seeds, STEPS);
        if seeds % 16 == 0 {
            assert_eq!(played, play(seeds, STEPS), "seed {seeds} twice");
        }
        (seeds, steps, jobs) = (seeds + 1, steps + played.steps, jobs + played.jobs);
    }
    println!("{steps} steps, {jobs} jobs, {seeds} seeds, {} s", start.elapsed().as_secs());
}
