//! What becomes of a job after a delivery: the policy is asked, with all it wants to know.

use super::engine::{Facts, NO_PASS, Trials};
use super::envelope::Envelope;
use crate::retry::{
    Breaker, Facts as Circumstances, Outcome, Pass, Report, Resume, RetryPolicy, Verdict, mix,
};
use crate::time::Clock;

/// Asks the policy.
#[derive(Clone)]
pub(crate) struct Judge {
    pub(crate) retry: RetryPolicy,
    /// Of the jitter.
    pub(crate) seed: u64,
    /// Is told of each outcome.
    pub(crate) breaker: Option<Breaker>,
    /// A job that was begun is never begun again.
    pub(crate) at_most_once: bool,
}

impl Judge {
    #[inline]
    pub(crate) fn judge(
        &self,
        outcome: Outcome,
        facts: &Facts,
        trials: impl FnOnce() -> Trials,
        clock: &Clock,
    ) -> Verdict {
        if facts.pass != NO_PASS {
            self.report(facts.pass, Report::of(&outcome), clock);
        }
        if matches!(outcome, Outcome::Done) && !self.retry.has_budget() {
            return Verdict::Done;
        }
        self.weigh(outcome, facts, trials, clock)
    }

    #[cold]
    fn weigh(
        &self,
        outcome: Outcome,
        facts: &Facts,
        trials: impl FnOnce() -> Trials,
        clock: &Clock,
    ) -> Verdict {
        let circumstances = || self.circumstances(facts, &trials(), clock);
        let verdict = self.retry.judge(outcome, facts.attempt, circumstances);
        if self.at_most_once && !matches!(verdict, Verdict::Done) {
            tracing::warn!(target: "millpond", id = %facts.id, ?verdict, "not done, and begun once: the job is dropped");
            return Verdict::Drop;
        }
        verdict
    }

    /// Tells the breaker what came of a pass.
    #[cold]
    pub(super) fn report(&self, pass: u64, report: Report, clock: &Clock) {
        if let Some(breaker) = &self.breaker {
            breaker.record_at(clock.moment(), Pass::of_round(pass), report);
        }
    }

    /// Decides what becomes of a job that waits for the retry budget.
    pub(super) fn resume<T>(&self, envelope: &Envelope<T>, clock: &Clock) -> Resume {
        self.retry.resume(&self.circumstances(&Facts::of(envelope), &Trials::of(envelope), clock))
    }

    fn circumstances(&self, facts: &Facts, trials: &Trials, clock: &Clock) -> Circumstances {
        Circumstances {
            now: clock.moment(),
            elapsed: clock.stamp().since(trials.since),
            previous: trials.delay,
            random: mix(self.seed, facts.id.get(), facts.attempt),
        }
    }
}
