//! What is shared between threads: a retry budget and a breaker grant exactly what they may, however many ask at once.

use millpond::{
    Admit, Breaker, BreakerState, Classified, Decision, EmptyBudget, ErrorClass, Jitter, Pass, Plan, Planned,
    Report, RetryBudget, RetryPolicy, VirtualClock,
};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

const THREADS: usize = 4;
const SECOND: Duration = Duration::from_secs(1);

/// Runs `work` in several threads that start together, and returns what each returned.
fn together<R: Send + 'static>(work: impl Fn(usize) -> R + Send + Sync + 'static) -> Vec<R> {
    let (work, start) = (Arc::new(work), Arc::new(Barrier::new(THREADS)));
    let threads: Vec<_> = (0..THREADS)
        .map(|number| {
            let (work, start) = (Arc::clone(&work), Arc::clone(&start));
            thread::spawn(move || {
                start.wait();
                work(number)
            })
        })
        .collect();
    threads.into_iter().map(|thread| thread.join().expect("the thread ends")).collect()
}

#[test]
fn threads_share_one_budget() {
    for round in 0..200u32 {
        let (time, budget) = (VirtualClock::new(), RetryBudget::ratio(0.5).floor_per_sec(1));
        let (clock, shared) = (time.clock(), budget.clone());
        let granted: u32 = together(move |_| {
            (0..40).fold(0, |granted, step| {
                if step % 4 == 0 {
                    shared.deposit(&clock);
                }
                granted + u32::from(shared.try_withdraw(&clock))
            })
        })
        .into_iter()
        .sum();
        // 10 of the floor, and a half for each of 40 deposits: whatever was asked for too early was left for later.
        assert!((10..=30).contains(&granted), "round {round}: {granted}");
        let left = budget.available(&time.clock());
        assert_eq!(u64::from(granted) + left, 30, "round {round}: nothing is lost or made up");
    }
}

#[test]
fn threads_get_no_more_probes_than_there_are() {
    for round in 0..200 {
        let time = VirtualClock::new();
        let breaker = Breaker::failures(1).open_for(SECOND).probes(3);
        let Admit::Pass(pass) = breaker.admit(&time.clock()) else { panic!("it is closed") };
        assert!(breaker.record(&time.clock(), pass, Report::Failure));
        time.advance(SECOND);
        let (clock, shared) = (time.clock(), breaker.clone());
        let passes: Vec<Pass> = together(move |_| {
            let asked = (0..5).map(|_| shared.admit(&clock));
            asked
                .filter_map(|admit| match admit {
                    Admit::Pass(pass) => Some(pass),
                    Admit::Wait(_) => None,
                })
                .collect::<Vec<_>>()
        })
        .into_iter()
        .flatten()
        .collect();
        assert_eq!(passes.len(), 3, "round {round}");
        let closed: Vec<bool> =
            passes.into_iter().map(|pass| breaker.record(&time.clock(), pass, Report::Success)).collect();
        assert_eq!(closed, [false, false, true], "the last one closes it");
        assert_eq!(breaker.state(), BreakerState::Closed);
    }
}

#[test]
fn all_types_of_a_policy_go_from_thread_to_thread() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<RetryPolicy>();
    shared::<RetryBudget>();
    shared::<Plan>();
    shared::<Planned>();
    shared::<Breaker>();
    shared::<Admit>();
    shared::<Pass>();
    shared::<(Report, BreakerState, EmptyBudget, ErrorClass, Decision, Jitter)>();
    shared::<Classified>();
    #[cfg(feature = "cron")]
    {
        shared::<(millpond::CronSchedule, millpond::CronError, millpond::CronField)>();
        shared::<(millpond::Recurrence, millpond::Missed, millpond::Due)>();
    }
}
