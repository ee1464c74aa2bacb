//! The breaker, by tables of events and against a model.

use super::{Admit, Breaker, BreakerState, Pass, Report};
use crate::time::Moment;
use proptest::prelude::*;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn at(seconds: u64) -> Moment {
    Moment::ORIGIN.after(SECOND * u32::try_from(seconds).unwrap())
}

#[track_caller]
fn pass(breaker: &Breaker, now: u64) -> Pass {
    match breaker.admit_at(at(now)) {
        Admit::Pass(pass) => pass,
        Admit::Wait(wait) => panic!("the breaker says wait {wait:?}"),
    }
}

#[track_caller]
fn wait(breaker: &Breaker, now: u64) -> u64 {
    match breaker.admit_at(at(now)) {
        Admit::Pass(_) => panic!("the breaker lets it pass"),
        Admit::Wait(wait) => wait.as_secs(),
    }
}

fn fail(breaker: &Breaker, now: u64) -> bool {
    let pass = pass(breaker, now);
    breaker.record_at(at(now), pass, Report::Failure)
}

#[test]
fn it_opens_probes_and_closes() {
    let breaker = Breaker::failures(3).within(SECOND * 60).open_for(SECOND * 10);
    assert!(!fail(&breaker, 0) && !fail(&breaker, 1));
    let slow = pass(&breaker, 1);
    assert!(fail(&breaker, 2), "the third failure opens it");
    assert_eq!((breaker.state(), breaker.times_opened()), (BreakerState::Open, 1));
    assert_eq!((wait(&breaker, 2), wait(&breaker, 11)), (10, 1));
    assert!(!breaker.record_at(at(5), slow, Report::Success), "a result from before says nothing");
    let probe = pass(&breaker, 12);
    assert_eq!((breaker.state(), wait(&breaker, 12)), (BreakerState::HalfOpen, 10));
    assert!(breaker.record_at(at(13), probe, Report::Failure));
    assert_eq!((breaker.state(), breaker.times_opened(), wait(&breaker, 13)), (BreakerState::Open, 2, 10));
    let probe = pass(&breaker, 23);
    assert!(breaker.record_at(at(24), probe, Report::Success));
    assert_eq!(breaker.state(), BreakerState::Closed);
    assert!(!fail(&breaker, 24) && !fail(&breaker, 24), "the window is empty again");
}

#[test]
fn failures_are_forgotten_with_the_window() {
    let breaker = Breaker::failures(2).within(SECOND * 10);
    assert!(!fail(&breaker, 0) && !fail(&breaker, 10) && !fail(&breaker, 20));
    assert!(fail(&breaker, 29));
}

#[test]
fn a_ratio_needs_a_minimum() {
    let breaker = Breaker::ratio(0.5).minimum(4).within(SECOND * 10);
    assert!(!fail(&breaker, 0) && !fail(&breaker, 0) && !fail(&breaker, 0));
    let other = pass(&breaker, 0);
    assert!(!breaker.record_at(at(0), other, Report::Success), "a success opens nothing");
    assert!(fail(&breaker, 0));
    let healthy = Breaker::ratio(0.5).minimum(4);
    for now in 0..50 {
        let good = pass(&healthy, now);
        healthy.record_at(at(now), good, Report::Success);
        assert!(now % 2 == 0 || !fail(&healthy, now));
    }
}

#[test]
fn as_many_probes_pass_as_are_asked_for_and_all_must_succeed() {
    let breaker = Breaker::failures(1).open_for(SECOND * 10).probes(3);
    assert!(fail(&breaker, 0));
    let probes = [pass(&breaker, 10), pass(&breaker, 10), pass(&breaker, 11)];
    assert_eq!(wait(&breaker, 11), 10);
    let [first, second, third] = probes;
    assert!(!breaker.record_at(at(12), first, Report::Success));
    assert_eq!(wait(&breaker, 12), 9, "a success makes no room");
    assert!(breaker.record_at(at(12), second, Report::Neither), "a probe that says nothing makes room");
    let fourth = pass(&breaker, 12);
    assert!(!breaker.record_at(at(13), third, Report::Success));
    assert!(breaker.record_at(at(13), fourth, Report::Success));
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn probes_that_are_lost_are_given_up() {
    let breaker = Breaker::failures(1).open_for(SECOND * 10);
    assert!(fail(&breaker, 0));
    let lost = pass(&breaker, 10);
    assert_eq!(wait(&breaker, 19), 1);
    let probe = pass(&breaker, 20);
    assert!(!breaker.record_at(at(20), lost, Report::Failure), "it was given up");
    assert!(breaker.record_at(at(21), probe, Report::Success));
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn a_clone_is_the_same_breaker_and_a_changed_one_is_not() {
    let breaker = Breaker::failures(1);
    let other = breaker.clone().open_for(SECOND);
    assert!(fail(&breaker.clone(), 0));
    assert_eq!((breaker.state(), other.state()), (BreakerState::Open, BreakerState::Closed));
    assert!(format!("{breaker:?}").contains("Open"));
}

#[test]
fn times_without_end_do_not_overflow() {
    let breaker = Breaker::failures(1).within(Duration::MAX).open_for(Duration::MAX).probes(u32::MAX);
    assert!(fail(&breaker, 1));
    assert!(wait(&breaker, 1) > 1 << 30);
    assert!(matches!(breaker.admit_at(Moment::NEVER), Admit::Pass(_)));
}

#[test]
#[should_panic(expected = "a ratio above 0")]
fn a_ratio_of_nothing_is_refused() {
    let _ = Breaker::ratio(0.0);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Admit,
    /// Reports on the oldest pass but so many.
    Report(usize, Report),
    Later(u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    let report = prop_oneof![Just(Report::Success), Just(Report::Failure), Just(Report::Neither)];
    prop_oneof![
        4 => Just(Step::Admit),
        4 => (0..3usize, report).prop_map(|(which, report)| Step::Report(which, report)),
        2 => (0..8u64).prop_map(Step::Later),
    ]
}

/// A breaker of three failures in 20 s, open for 5 s, with two probes, written as plainly as can be.
#[derive(Default)]
struct Model {
    round: u64,
    /// Since when it is open; else closed, or half open if there is a count of probes.
    opened: Option<u64>,
    probes: Option<(u32, u32, u64)>,
    failures: Vec<u64>,
}

impl Model {
    fn admit(&mut self, now: u64) -> bool {
        if let Some(since) = self.opened {
            if now < since + 5 {
                return false;
            }
            (self.opened, self.probes) = (None, Some((0, 0, now)));
            self.round += 1;
        }
        if let Some((out, good, last)) = &mut self.probes {
            if *out > 0 && now >= *last + 5 {
                (*out, *good) = (0, 0);
                self.round += 1;
            }
            if *out + *good >= 2 {
                return false;
            }
            (*out, *last) = (*out + 1, now);
        }
        true
    }

    fn record(&mut self, now: u64, round: u64, report: Report) {
        if round != self.round {
            return;
        }
        match (&mut self.probes, report) {
            (None, Report::Failure) => {
                self.failures.push(now / 2);
                self.failures.retain(|&slice| slice + 10 > now / 2);
                if self.failures.len() >= 3 {
                    self.open(now);
                }
            }
            (None, _) => {}
            (Some(_), Report::Failure) => self.open(now),
            (Some((out, _, _)), Report::Neither) => *out -= 1,
            (Some((out, good, _)), Report::Success) => {
                (*out, *good) = (*out - 1, *good + 1);
                if *good == 2 {
                    (self.probes, self.round) = (None, self.round + 1);
                }
            }
        }
    }

    fn open(&mut self, now: u64) {
        (self.opened, self.probes) = (Some(now), None);
        self.failures.clear();
        self.round += 1;
    }

    fn state(&self) -> BreakerState {
        match (self.opened, self.probes) {
            (Some(_), _) => BreakerState::Open,
            (None, Some(_)) => BreakerState::HalfOpen,
            (None, None) => BreakerState::Closed,
        }
    }
}

proptest! {
    #[test]
    fn agrees_with_a_model(steps in prop::collection::vec(any_step(), 0..300)) {
        let breaker = Breaker::failures(3).within(SECOND * 20).open_for(SECOND * 5).probes(2);
        let (mut model, mut now, mut passes) = (Model::default(), 0, Vec::new());
        for step in steps {
            match step {
                Step::Later(seconds) => now += seconds,
                Step::Admit => match (breaker.admit_at(at(now)), model.admit(now)) {
                    (Admit::Pass(pass), true) => passes.push((pass, model.round)),
                    (Admit::Wait(wait), false) => {
                        prop_assert!(!wait.is_zero() && wait <= SECOND * 5);
                    }
                    (admit, _) => prop_assert!(false, "{:?} at {}", admit, now),
                },
                Step::Report(which, report) if which < passes.len() => {
                    let (pass, round) = passes.remove(which);
                    let before = model.state();
                    let changed = breaker.record_at(at(now), pass, report);
                    model.record(now, round, report);
                    prop_assert!(changed || before == model.state());
                }
                Step::Report(..) => {}
            }
            prop_assert_eq!(breaker.state(), model.state());
        }
    }
}
