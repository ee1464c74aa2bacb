//! What is said between a breaker and those who ask it.

use crate::retry::classify::ErrorClass;
use crate::retry::outcome::Outcome;
use std::time::Duration;

/// What a [`Breaker`](crate::Breaker) says to whoever wants to pass.
#[derive(Debug)]
#[must_use = "a pass that is not reported on keeps a probe's place until it is given up"]
pub enum Admit {
    /// Go on, and report what came of it.
    Pass(Pass),
    /// Ask again after this time. The breaker may let others pass sooner: see [`Breaker::record`](crate::Breaker::record).
    Wait(Duration),
}

/// The leave to try once. It is given back with a [`Report`].
#[derive(Debug)]
#[must_use = "a pass that is not reported on keeps a probe's place until it is given up"]
pub struct Pass {
    /// The round of the breaker that it was given in.
    pub(super) round: u64,
}

impl Pass {
    /// Returns the number of the round, by which the pass can be made again: for one place that keeps it as a word.
    pub(crate) fn round(&self) -> u64 {
        self.round
    }

    /// Makes a pass again of which the number was kept. Each is to be reported on once.
    pub(crate) fn of_round(round: u64) -> Self {
        Self { round }
    }
}

/// What came of a try, as far as the health of the service goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Report {
    /// The service works.
    Success,
    /// The service does not work.
    Failure,
    /// This says nothing about the service: it was not asked, or the job was at fault.
    Neither,
}

/// Where a [`Breaker`](crate::Breaker) stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BreakerState {
    /// Everything passes.
    Closed,
    /// Nothing passes, until the first who asks after its time is up.
    Open,
    /// Probes pass.
    HalfOpen,
}

impl Report {
    /// Returns what a handler's outcome says about the service that it calls.
    ///
    /// A failed attempt is a failure, unless its error is [`Classified`](crate::Classified) as permanent or throttled. A
    /// job that is rejected, snoozes, or is released or dropped says nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::{Classified, Outcome, Report};
    ///
    /// assert_eq!(Report::of(&Outcome::Done), Report::Success);
    /// assert_eq!(Report::of(&Outcome::retry("no answer")), Report::Failure);
    /// assert_eq!(Report::of(&Outcome::retry(Classified::permanent("bad address"))), Report::Neither);
    /// ```
    #[must_use]
    pub fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Done => Report::Success,
            Outcome::Retry(failure) | Outcome::RetryAfter(_, failure) => match failure.class() {
                ErrorClass::Transient => Report::Failure,
                ErrorClass::Permanent | ErrorClass::Throttled(_) => Report::Neither,
            },
            Outcome::Snooze(_) | Outcome::Release | Outcome::Dead(_) | Outcome::Drop => Report::Neither,
        }
    }
}
