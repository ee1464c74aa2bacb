//! The decision: a policy, an outcome, an attempt, the time and a random number make a verdict.

use super::classify::ErrorClass;
use super::discard::discard;
use super::failure::{Failure, FailureKind};
use super::outcome::Outcome;
use super::policy::{Decision, RetryPolicy};
use crate::time::Moment;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// Why a job became a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeadReason {
    /// The handler returned [`Outcome::Dead`] or an error that is [`ErrorClass::Permanent`], or the policy's rule said
    /// [`Decision::Dead`].
    Rejected,
    /// The last attempt that the policy allows failed.
    Attempts,
    /// The last attempt that the policy allows panicked.
    Panic,
    /// The last delivery that the lease allows ended in a failure, or in the loss of the lease.
    Deliveries,
    /// Its time to live was over before it was done.
    Expired,
    /// The next attempt would have come later than the policy allows: see [`RetryPolicy::within`].
    Elapsed,
    /// The budget did not cover the next attempt: see [`RetryPolicy::budget`].
    Budget,
    /// There was no room for it, or for the next: see [`Overflow`](crate::Overflow). It died of no failure.
    Overflow,
}

impl fmt::Display for DeadReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DeadReason::Rejected => "rejected",
            DeadReason::Attempts => "out of attempts",
            DeadReason::Panic => "panicked at the last attempt",
            DeadReason::Deliveries => "out of deliveries",
            DeadReason::Expired => "expired",
            DeadReason::Elapsed => "out of time",
            DeadReason::Budget => "out of budget",
            DeadReason::Overflow => "no room",
        })
    }
}

/// What is to happen to a job after a delivery: the policies have been asked already. For engines, see
/// [`Engine::settle`](crate::engine::Engine::settle).
#[derive(Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// Nothing is left to do.
    Done,
    /// Deliver it again after the delay: the attempt failed.
    Retry(Duration, Failure),
    /// As `Retry`, but the [budget](RetryPolicy::budget) did not cover it. The queue in memory asks the budget again then; an
    /// engine that cannot do so may retry.
    Park(Duration, Failure),
    /// Deliver it again after the delay: that was not an attempt.
    Snooze(Duration),
    /// Deliver it again at once: that was not an attempt.
    Release,
    /// Move it to the dead letters.
    Dead(DeadReason, Failure),
    /// Drop it, and count that.
    Drop,
}

/// What to do with a parked job whose time has come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Resume {
    /// Deliver it: the budget covers it.
    Deliver,
    /// Hold it that much longer, then ask again.
    Park(Duration),
    /// Move it to the dead letters. Its last failure is recorded already.
    Dead(DeadReason),
}

/// What a decision depends on beside the outcome and the number of the attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    pub(crate) now: Moment,
    /// How long ago the job was accepted.
    pub(crate) elapsed: Duration,
    /// The delay before this attempt, if it was a retry; else zero.
    pub(crate) previous: Duration,
    /// A number whose every bit is taken as uniform.
    pub(crate) random: u64,
}

/// A delivery's result before the policy has had its say.
enum Sorted {
    /// Nothing to decide on.
    Settled(Verdict),
    /// A failed attempt, and the delay that somebody has chosen already.
    Failed(Option<Duration>, Failure),
}

impl RetryPolicy {
    /// Judges the outcome of attempt number `attempt` (1 is the first). Asks the user's rule; never panics itself.
    ///
    /// `facts` is called at most once, and not for a job that is done if there is no budget.
    pub(crate) fn judge(&self, outcome: Outcome, attempt: u32, facts: impl FnOnce() -> Facts) -> Verdict {
        let result = self.look(outcome, attempt);
        let pays = attempt == 1 && self.spent_from().is_some() && ends_an_attempt(&result);
        match result {
            Sorted::Settled(verdict) => {
                if pays {
                    self.pay_in(facts().now);
                }
                verdict
            }
            Sorted::Failed(chosen, failure) => {
                let facts = facts();
                if pays {
                    self.pay_in(facts.now);
                }
                self.judge_failure(chosen, failure, attempt, &facts)
            }
        }
    }

    /// Decides whether a parked job may be delivered. The delivery is the attempt after the one that it was parked for.
    pub(crate) fn resume(&self, facts: &Facts) -> Resume {
        if self.is_too_late(facts.elapsed) {
            return Resume::Dead(DeadReason::Elapsed);
        }
        let Some(budget) = self.spent_from() else { return Resume::Deliver };
        if budget.try_withdraw_at(facts.now) {
            return Resume::Deliver;
        }
        let wait = budget.patience(facts.random);
        if self.is_too_late(facts.elapsed.saturating_add(wait)) {
            return Resume::Dead(DeadReason::Elapsed);
        }
        Resume::Park(wait)
    }

    /// Sorts out what the handler, the rule and the class of the error decide among themselves.
    fn look(&self, outcome: Outcome, attempt: u32) -> Sorted {
        let failure = match outcome {
            Outcome::Done => return Sorted::Settled(Verdict::Done),
            Outcome::Snooze(delay) => return Sorted::Settled(Verdict::Snooze(delay)),
            Outcome::Release => return Sorted::Settled(Verdict::Release),
            Outcome::Drop => return Sorted::Settled(Verdict::Drop),
            Outcome::Dead(failure) => return rejected(failure),
            Outcome::RetryAfter(delay, failure) => return Sorted::Failed(Some(delay), failure),
            Outcome::Retry(failure) => failure,
        };
        match (self.ask_caught(&failure, attempt), failure.class()) {
            (Decision::Dead, _) | (Decision::Policy, ErrorClass::Permanent) => rejected(failure),
            (Decision::After(delay), _) => Sorted::Failed(Some(delay), failure),
            (Decision::Policy, ErrorClass::Transient) => Sorted::Failed(None, failure),
            (Decision::Policy, ErrorClass::Throttled(wait)) => {
                discard(failure);
                Sorted::Settled(Verdict::Snooze(wait))
            }
        }
    }

    fn judge_failure(
        &self,
        chosen: Option<Duration>,
        failure: Failure,
        attempt: u32,
        facts: &Facts,
    ) -> Verdict {
        if self.is_last(attempt) {
            let panicked = failure.kind() == FailureKind::Panic;
            let reason = if panicked { DeadReason::Panic } else { DeadReason::Attempts };
            return Verdict::Dead(reason, failure);
        }
        let delay = chosen.unwrap_or_else(|| self.delay(attempt, facts.previous, facts.random));
        if self.is_too_late(facts.elapsed.saturating_add(delay)) {
            return Verdict::Dead(DeadReason::Elapsed, failure);
        }
        match self.spent_from() {
            Some(budget) if !budget.try_withdraw_at(facts.now) => {
                let wait = delay.max(budget.patience(facts.random));
                if !self.parks() {
                    Verdict::Dead(DeadReason::Budget, failure)
                } else if self.is_too_late(facts.elapsed.saturating_add(wait)) {
                    Verdict::Dead(DeadReason::Elapsed, failure)
                } else {
                    Verdict::Park(wait, failure)
                }
            }
            _ => Verdict::Retry(delay, failure),
        }
    }

    fn pay_in(&self, now: Moment) {
        if let Some(budget) = self.spent_from() {
            budget.deposit_at(now);
        }
    }

    /// Asks the user's rule; if it panics, it has decided nothing.
    fn ask_caught(&self, failure: &Failure, attempt: u32) -> Decision {
        catch_unwind(AssertUnwindSafe(|| self.ask(failure, attempt))).unwrap_or_else(|payload| {
            discard(payload);
            Decision::Policy
        })
    }
}

fn rejected(failure: Failure) -> Sorted {
    Sorted::Settled(Verdict::Dead(DeadReason::Rejected, failure))
}

/// Whether the delivery was an attempt. A first attempt that is put off pays into the budget when it is made.
fn ends_an_attempt(result: &Sorted) -> bool {
    !matches!(result, Sorted::Settled(Verdict::Snooze(_) | Verdict::Release))
}

#[cfg(test)]
mod tests {
    use super::super::budget::RetryBudget;
    use super::super::classify::Classified;
    use super::super::policy::EmptyBudget;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    const FACTS: Facts =
        Facts { now: Moment::ORIGIN, elapsed: Duration::ZERO, previous: Duration::ZERO, random: u64::MAX };

    fn judge(policy: &RetryPolicy, outcome: Outcome, attempt: u32) -> String {
        judge_at(policy, outcome, attempt, FACTS)
    }

    fn judge_at(policy: &RetryPolicy, outcome: Outcome, attempt: u32, facts: Facts) -> String {
        match policy.judge(outcome, attempt, || facts) {
            Verdict::Done => "done".into(),
            Verdict::Retry(delay, failure) => format!("retry {failure} {}", delay.as_millis()),
            Verdict::Park(delay, failure) => format!("park {failure} {}", delay.as_millis()),
            Verdict::Snooze(delay) => format!("snooze {}", delay.as_millis()),
            Verdict::Release => "release".into(),
            Verdict::Dead(reason, failure) => format!("dead {reason} {failure}"),
            Verdict::Drop => "drop".into(),
        }
    }

    /// Every outcome at the first, the last but one, the last and a later attempt: (attempt, outcome) -> (state, delay).
    #[test]
    fn every_outcome_at_every_attempt() {
        let policy = RetryPolicy::fixed(SECOND).max_attempts(3);
        type Make = fn() -> Outcome;
        fn classed(class: ErrorClass) -> Outcome {
            Outcome::retry(Classified::new(class, "e"))
        }
        let outcomes: [(Make, &str, &str); 11] = [
            (|| Outcome::Done, "done", "done"),
            (|| Outcome::retry("e"), "retry e 1000", "dead out of attempts e"),
            (
                || Outcome::Retry(Failure::from_panic(&"p")),
                "retry p 1000",
                "dead panicked at the last attempt p",
            ),
            (|| Outcome::retry_after(SECOND * 7, "e"), "retry e 7000", "dead out of attempts e"),
            (|| Outcome::snooze(SECOND * 5), "snooze 5000", "snooze 5000"),
            (|| Outcome::Release, "release", "release"),
            (|| Outcome::Drop, "drop", "drop"),
            (|| classed(ErrorClass::Transient), "retry e 1000", "dead out of attempts e"),
            (|| classed(ErrorClass::Permanent), "dead rejected e", "dead rejected e"),
            (|| classed(ErrorClass::Throttled(SECOND * 3)), "snooze 3000", "snooze 3000"),
            (|| Outcome::dead("e"), "dead rejected e", "dead rejected e"),
        ];
        for (outcome, early, last) in outcomes {
            for (attempt, expected) in [(1, early), (2, early), (3, last), (4, last), (u32::MAX, last)] {
                assert_eq!(judge(&policy, outcome(), attempt), expected, "attempt {attempt}");
            }
        }
    }

    #[test]
    fn a_policy_without_retries_kills_at_once() {
        assert_eq!(judge(&RetryPolicy::none(), Outcome::retry("e"), 1), "dead out of attempts e");
        assert_eq!(judge(&RetryPolicy::none(), Outcome::snooze(SECOND), 1), "snooze 1000");
    }

    #[test]
    fn delays_double_and_the_highest_attempt_does_not_overflow() {
        let policy = RetryPolicy::exponential(SECOND, SECOND * 60)
            .jitter(crate::retry::Jitter::None)
            .max_attempts(u32::MAX);
        for (attempt, expected) in [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (1_000, 60), (u32::MAX - 1, 60)]
        {
            assert_eq!(judge(&policy, Outcome::retry("e"), attempt), format!("retry e {expected}000"));
        }
        assert_eq!(judge(&policy, Outcome::retry("e"), u32::MAX), "dead out of attempts e");
    }

    #[test]
    fn the_rule_decides_per_error_and_attempt() {
        let policy = RetryPolicy::fixed(SECOND).max_attempts(3).decide(|failure, attempt| {
            match (failure.to_string().as_str(), attempt) {
                ("fatal", _) => Decision::Dead,
                ("busy", _) => Decision::After(SECOND * 9),
                ("second", 2) => Decision::Dead,
                ("panics", _) => panic!("a rule that panics"),
                _ => Decision::Policy,
            }
        });
        assert_eq!(judge(&policy, Outcome::retry("fatal"), 1), "dead rejected fatal");
        assert_eq!(judge(&policy, Outcome::retry("busy"), 1), "retry busy 9000");
        assert_eq!(judge(&policy, Outcome::retry("busy"), 3), "dead out of attempts busy");
        assert_eq!(judge(&policy, Outcome::retry("second"), 1), "retry second 1000");
        assert_eq!(judge(&policy, Outcome::retry("second"), 2), "dead rejected second");
        assert_eq!(judge(&policy, Outcome::retry("panics"), 1), "retry panics 1000");
        assert_eq!(judge(&policy, Outcome::retry("other"), 1), "retry other 1000");
        assert_eq!(judge(&policy, Outcome::retry_after(SECOND * 2, "fatal"), 1), "retry fatal 2000");
    }

    /// The rule is asked before the class: it may make an exception of either kind.
    #[test]
    fn the_rule_has_the_first_word_about_classes() {
        let policy = RetryPolicy::fixed(SECOND).decide(|failure, _| match failure.to_string().as_str() {
            "try" => Decision::After(SECOND * 2),
            "die" => Decision::Dead,
            _ => Decision::Policy,
        });
        let permanent = |text| Outcome::retry(Classified::permanent(text));
        assert_eq!(judge(&policy, permanent("try"), 1), "retry try 2000");
        assert_eq!(judge(&policy, permanent("other"), 1), "dead rejected other");
        let throttled = Outcome::retry(Classified::throttled(SECOND, "die"));
        assert_eq!(judge(&policy, throttled, 1), "dead rejected die");
    }

    #[test]
    fn facts_are_asked_for_only_where_they_are_needed() {
        fn forbidden() -> Facts {
            panic!("no facts are needed here")
        }
        let policy = RetryPolicy::exponential(SECOND, SECOND);
        assert!(matches!(policy.judge(Outcome::Done, 1, forbidden), Verdict::Done));
        assert!(matches!(policy.judge(Outcome::dead("e"), 1, forbidden), Verdict::Dead(..)));
        let zero = policy.judge(Outcome::retry("e"), 1, || Facts { random: 0, ..FACTS });
        assert!(matches!(zero, Verdict::Retry(Duration::ZERO, _)));
    }

    #[test]
    fn a_retry_that_would_come_too_late_is_not_waited_for() {
        let policy = RetryPolicy::fixed(SECOND * 10).within(SECOND * 60);
        let at = |elapsed| Facts { elapsed: SECOND * elapsed, ..FACTS };
        assert_eq!(judge_at(&policy, Outcome::retry("e"), 1, at(50)), "retry e 10000");
        assert_eq!(judge_at(&policy, Outcome::retry("e"), 1, at(51)), "dead out of time e");
        assert_eq!(judge_at(&policy, Outcome::retry_after(SECOND * 59, "e"), 1, at(2)), "dead out of time e");
        assert_eq!(judge_at(&policy, Outcome::snooze(SECOND * 99), 1, at(99)), "snooze 99000");
        assert_eq!(judge_at(&policy, Outcome::retry("e"), 5, at(99)), "dead out of attempts e");
    }

    #[test]
    fn decorrelated_delays_follow_the_one_before() {
        let policy = RetryPolicy::decorrelated(SECOND, SECOND * 100);
        let after = |previous, random| {
            judge_at(&policy, Outcome::retry("e"), 1, Facts { previous: SECOND * previous, random, ..FACTS })
        };
        assert_eq!(after(0, 0), "retry e 1000");
        assert_eq!(after(0, 1 << 63), "retry e 2000");
        assert_eq!(after(7, 1 << 63), "retry e 11000");
        assert_eq!(after(1_000, 1 << 63), "retry e 100000");
    }

    #[test]
    fn a_retry_that_the_budget_does_not_cover_is_parked_or_dead() {
        let budget = RetryBudget::ratio(0.5).floor_per_sec(0).window(SECOND * 10);
        let policy = RetryPolicy::fixed(SECOND).budget(&budget);
        let facts = Facts { random: 0, ..FACTS };
        // Each first attempt pays half a retry in: the second one's retry is covered, the first one's is not.
        assert_eq!(judge_at(&policy, Outcome::retry("a"), 1, facts), "park a 1000");
        assert_eq!(judge_at(&policy, Outcome::retry("b"), 1, facts), "retry b 1000");
        assert_eq!(judge_at(&policy, Outcome::snooze(SECOND), 1, facts), "snooze 1000");
        assert_eq!(judge_at(&policy, Outcome::Done, 2, facts), "done");
        assert_eq!(policy.resume(&facts), Resume::Park(SECOND));
        assert_eq!(judge_at(&policy, Outcome::Done, 1, facts), "done");
        assert_eq!(judge_at(&policy, Outcome::dead("e"), 1, facts), "dead rejected e");
        assert_eq!(policy.resume(&facts), Resume::Deliver);
        let strict = policy.clone().empty_budget(EmptyBudget::Dead);
        assert_eq!(judge_at(&strict, Outcome::retry("c"), 2, facts), "dead out of budget c");
        // The wait counts towards the limit of time, when it begins and when it ends.
        let hurried = policy.within(SECOND * 60);
        let late = |elapsed| Facts { elapsed: SECOND * elapsed, ..facts };
        assert_eq!(hurried.resume(&late(59)), Resume::Park(SECOND));
        assert_eq!(hurried.resume(&late(60)), Resume::Dead(DeadReason::Elapsed));
        assert_eq!(hurried.resume(&late(61)), Resume::Dead(DeadReason::Elapsed));
        assert_eq!(RetryPolicy::none().resume(&facts), Resume::Deliver);
    }
}
