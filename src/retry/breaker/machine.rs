//! The states of a breaker, without a clock and without a lock.

use super::pass::{Admit, BreakerState, Pass, Report};
use crate::retry::slices::Slices;
use crate::time::Moment;
use std::time::Duration;

/// How a breaker was set up.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) trip: Trip,
    pub(super) window: Duration,
    pub(super) open_for: Duration,
    pub(super) probes: u32,
}

/// What opens a breaker.
#[derive(Clone, Debug)]
pub(super) enum Trip {
    Failures(u32),
    Ratio { ratio: f64, minimum: u32 },
}

#[derive(Debug)]
pub(super) struct Machine {
    state: State,
    /// Grows with each change of state, and with each new round of probes.
    round: u64,
    times_opened: u64,
}

#[derive(Debug)]
enum State {
    Closed(Slices<Results>),
    /// Until then.
    Open(Moment),
    HalfOpen(Probes),
}

/// The results in one slice of the window.
#[derive(Clone, Copy, Debug, Default)]
struct Results {
    successes: u32,
    failures: u32,
}

#[derive(Debug)]
struct Probes {
    /// Admitted, and not reported on.
    out: u32,
    succeeded: u32,
    /// When those that are out are given up: counted from the last that was admitted.
    patience: Moment,
}

impl Trip {
    fn is_reached(&self, results: &Slices<Results>) -> bool {
        let sum =
            |of: fn(&Results) -> u32| results.all().iter().map(|slice| u64::from(of(slice))).sum::<u64>();
        let failures = sum(|slice| slice.failures);
        match *self {
            Trip::Failures(count) => failures >= u64::from(count),
            Trip::Ratio { ratio, minimum } => {
                let all = failures + sum(|slice| slice.successes);
                all >= u64::from(minimum) && failures as f64 >= ratio * all as f64
            }
        }
    }
}

impl Machine {
    pub(super) fn new(config: &Config) -> Self {
        Self { state: State::Closed(Slices::new(config.window)), round: 0, times_opened: 0 }
    }

    pub(super) fn state(&self) -> BreakerState {
        match self.state {
            State::Closed(_) => BreakerState::Closed,
            State::Open(_) => BreakerState::Open,
            State::HalfOpen(_) => BreakerState::HalfOpen,
        }
    }

    pub(super) fn times_opened(&self) -> u64 {
        self.times_opened
    }

    pub(super) fn admit(&mut self, config: &Config, now: Moment) -> Admit {
        match &self.state {
            State::Open(until) if now < *until => return Admit::Wait(between(now, *until)),
            State::Open(_) => self.send_probes(),
            State::HalfOpen(probes) if probes.out > 0 && now >= probes.patience => self.send_probes(),
            _ => {}
        }
        if let State::HalfOpen(probes) = &mut self.state {
            if probes.out + probes.succeeded >= config.probes {
                return Admit::Wait(between(now, probes.patience));
            }
            probes.out += 1;
            probes.patience = now.after(config.open_for);
        }
        Admit::Pass(Pass { round: self.round })
    }

    /// Returns how long nobody may pass; none if somebody may now. Changes nothing.
    pub(super) fn wait(&self, config: &Config, now: Moment) -> Option<Duration> {
        match &self.state {
            State::Open(until) if now < *until => Some(between(now, *until)),
            State::HalfOpen(probes)
                if probes.out + probes.succeeded >= config.probes && now < probes.patience =>
            {
                Some(between(now, probes.patience))
            }
            _ => None,
        }
    }

    /// Returns true when this changed who may pass.
    pub(super) fn record(&mut self, config: &Config, now: Moment, pass: &Pass, report: Report) -> bool {
        if pass.round != self.round {
            return false;
        }
        match (&mut self.state, report) {
            (State::Closed(results), _) => {
                let slice = results.at(now);
                match report {
                    Report::Success => slice.successes = slice.successes.saturating_add(1),
                    Report::Failure => slice.failures = slice.failures.saturating_add(1),
                    Report::Neither => {}
                }
                let opens = report == Report::Failure && config.trip.is_reached(results);
                if opens {
                    self.open(config, now);
                }
                opens
            }
            (State::HalfOpen(_), Report::Failure) => {
                self.open(config, now);
                true
            }
            (State::HalfOpen(probes), Report::Success) => {
                probes.out -= 1;
                probes.succeeded += 1;
                let closes = probes.succeeded >= config.probes;
                if closes {
                    self.enter(State::Closed(Slices::new(config.window)));
                }
                closes
            }
            (State::HalfOpen(probes), Report::Neither) => {
                probes.out -= 1;
                true
            }
            // Nobody has a pass of such a round.
            (State::Open(_), _) => false,
        }
    }

    /// Begins a round of probes.
    fn send_probes(&mut self) {
        self.enter(State::HalfOpen(Probes { out: 0, succeeded: 0, patience: Moment::NEVER }));
    }

    fn open(&mut self, config: &Config, now: Moment) {
        self.times_opened += 1;
        self.enter(State::Open(now.after(config.open_for)));
    }

    fn enter(&mut self, state: State) {
        self.round += 1;
        self.state = state;
    }
}

fn between(now: Moment, then: Moment) -> Duration {
    then.since_origin().saturating_sub(now.since_origin())
}
