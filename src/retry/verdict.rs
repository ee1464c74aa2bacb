//! The decision: a policy, an outcome, an attempt and a random number make a verdict.

use super::discard::discard;
use super::failure::{Failure, FailureKind};
use super::outcome::Outcome;
use super::policy::{Decision, RetryPolicy};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// Why a job became a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeadReason {
    /// The handler returned [`Outcome::Dead`], or the policy's rule said [`Decision::Dead`].
    Rejected,
    /// The last attempt that the policy allows failed.
    Attempts,
    /// The last attempt that the policy allows panicked.
    Panic,
    /// It was delivered as often as is allowed, and not settled: its workers died or lost it.
    Deliveries,
    /// It was not done before its time was up.
    Expired,
    /// It gave way to a newer job when the queue was full, by the queue's policy.
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
            DeadReason::Overflow => "no room",
        })
    }
}

/// What to do with a job after a delivery.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Nothing is left to do.
    Done,
    /// Deliver it again after the delay: the attempt failed.
    Retry(Duration, Failure),
    /// Deliver it again after the delay: that was not an attempt.
    Snooze(Duration),
    /// Move it to the dead letters.
    Dead(DeadReason, Failure),
}

impl RetryPolicy {
    /// Judges the outcome of attempt number `attempt` (1 is the first). Asks the user's rule; never panics itself.
    ///
    /// `random` is called at most once, and only where a jittered delay is needed.
    pub(crate) fn judge(&self, outcome: Outcome, attempt: u32, random: impl FnOnce() -> u64) -> Verdict {
        let (delay, failure) = match outcome {
            Outcome::Done => return Verdict::Done,
            Outcome::Snooze(delay) => return Verdict::Snooze(delay),
            Outcome::Dead(failure) => return Verdict::Dead(DeadReason::Rejected, failure),
            Outcome::RetryAfter(delay, failure) => (Some(delay), failure),
            Outcome::Retry(failure) => match self.ask_caught(&failure, attempt) {
                Decision::Dead => return Verdict::Dead(DeadReason::Rejected, failure),
                Decision::After(delay) => (Some(delay), failure),
                Decision::Policy => (None, failure),
            },
        };
        if self.is_last(attempt) {
            let panicked = failure.kind() == FailureKind::Panic;
            let reason = if panicked { DeadReason::Panic } else { DeadReason::Attempts };
            return Verdict::Dead(reason, failure);
        }
        Verdict::Retry(delay.unwrap_or_else(|| self.delay(attempt, random())), failure)
    }

    /// Asks the user's rule; if it panics, it has decided nothing.
    fn ask_caught(&self, failure: &Failure, attempt: u32) -> Decision {
        catch_unwind(AssertUnwindSafe(|| self.ask(failure, attempt))).unwrap_or_else(|payload| {
            discard(payload);
            Decision::Policy
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn judge(policy: &RetryPolicy, outcome: Outcome, attempt: u32) -> String {
        match policy.judge(outcome, attempt, || u64::MAX) {
            Verdict::Done => "done".into(),
            Verdict::Retry(delay, failure) => format!("retry {failure} {}", delay.as_millis()),
            Verdict::Snooze(delay) => format!("snooze {}", delay.as_millis()),
            Verdict::Dead(reason, failure) => format!("dead {reason} {failure}"),
        }
    }

    /// Every outcome at the first, the last but one, the last and a later attempt: (attempt, outcome) -> (state, delay).
    #[test]
    fn every_outcome_at_every_attempt() {
        let policy = RetryPolicy::fixed(SECOND).max_attempts(3);
        type Make = fn() -> Outcome;
        let outcomes: [(Make, &str, &str); 6] = [
            (|| Outcome::Done, "done", "done"),
            (|| Outcome::retry("e"), "retry e 1000", "dead out of attempts e"),
            (
                || Outcome::Retry(Failure::from_panic(&"p")),
                "retry p 1000",
                "dead panicked at the last attempt p",
            ),
            (|| Outcome::retry_after(SECOND * 7, "e"), "retry e 7000", "dead out of attempts e"),
            (|| Outcome::snooze(SECOND * 5), "snooze 5000", "snooze 5000"),
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

    #[test]
    fn randomness_is_drawn_only_for_a_delay_of_the_policy() {
        let policy = RetryPolicy::exponential(SECOND, SECOND);
        let forbidden = || -> u64 { panic!("no random number is needed here") };
        assert!(matches!(policy.judge(Outcome::Done, 1, forbidden), Verdict::Done));
        let forbidden = || -> u64 { panic!("no random number is needed here") };
        assert!(matches!(policy.judge(Outcome::retry_after(SECOND, "e"), 1, forbidden), Verdict::Retry(..)));
        let zero = policy.judge(Outcome::retry("e"), 1, || 0);
        assert!(matches!(zero, Verdict::Retry(Duration::ZERO, _)));
    }
}
