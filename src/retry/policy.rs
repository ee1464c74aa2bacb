//! When to try again.

use super::backoff::{Backoff, Jitter};
use super::failure::Failure;
use crate::sync::Arc;
use std::fmt;
use std::time::Duration;

/// The attempts a job has when nothing else is said, the first one included.
///
/// A guess at what people expect: enough to outlast a restart of the other side, few enough not to hammer it.
const MAX_ATTEMPTS_DEFAULT: u32 = 5;

/// The user's rule for one kind of failure.
type Rule = Arc<dyn Fn(&Failure, u32) -> Decision + Send + Sync>;

/// When a failed job is tried again, and how often.
///
/// Delays are [`fixed`](Self::fixed) or [`exponential`](Self::exponential); [`jitter`](Self::jitter) spreads them;
/// [`max_attempts`](Self::max_attempts) ends them; [`decide`](Self::decide) makes an exception for an error.
///
/// # Examples
///
/// ```
/// use millpond::{Decision, RetryPolicy};
/// use std::time::Duration;
///
/// let policy = RetryPolicy::exponential(Duration::from_millis(200), Duration::from_secs(30))
///     .max_attempts(8)
///     .decide(|failure, _attempt| match failure.downcast_ref::<std::io::Error>() {
///         Some(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Decision::Dead,
///         Some(error) if error.kind() == std::io::ErrorKind::TimedOut => Decision::After(Duration::from_secs(60)),
///         _ => Decision::Policy,
///     });
/// # let _ = policy;
/// ```
#[derive(Clone)]
#[must_use = "a policy does nothing until a pool is given it"]
pub struct RetryPolicy {
    backoff: Backoff,
    jitter: Jitter,
    max_attempts: u32,
    rule: Option<Rule>,
}

/// What [`RetryPolicy::decide`] says about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Decision {
    /// What the policy says for any other failure.
    Policy,
    /// Try again after exactly this delay, if there is an attempt left.
    After(Duration),
    /// Do not try again: a dead letter now.
    Dead,
}

impl RetryPolicy {
    /// Never tries again: the first failure makes a dead letter.
    pub fn none() -> Self {
        Self::with(Backoff::Fixed(Duration::ZERO), Jitter::None).max_attempts(1)
    }

    /// Waits `delay` before each further attempt. Without jitter, and with 5 attempts, unless told otherwise.
    pub fn fixed(delay: Duration) -> Self {
        Self::with(Backoff::Fixed(delay), Jitter::None)
    }

    /// Waits up to `base`, then twice, four times as long, and so on, never longer than `cap`.
    ///
    /// With full jitter, and with 5 attempts, unless told otherwise: the delay after the failed attempt n is uniform
    /// between zero and `min(cap, base * 2^(n - 1))`.
    pub fn exponential(base: Duration, cap: Duration) -> Self {
        Self::with(Backoff::Exponential { base, cap }, Jitter::Full)
    }

    fn with(backoff: Backoff, jitter: Jitter) -> Self {
        Self { backoff, jitter, max_attempts: MAX_ATTEMPTS_DEFAULT, rule: None }
    }

    /// Sets the random part of each delay. A delay given by a handler or by [`decide`](Self::decide) stays exact.
    pub fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// Sets how many attempts a job has in all, the first one included. `u32::MAX` is as good as no limit.
    ///
    /// # Panics
    ///
    /// When `attempts` is zero: a job that may not be tried cannot be submitted.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        assert!(attempts > 0, "a job needs at least one attempt");
        self.max_attempts = attempts;
        self
    }

    /// Sets a rule that looks at each failure, with the number of the attempt that failed, before the policy does.
    ///
    /// It is asked about errors and panics, not where the handler chose a delay or said that the job is dead. It runs in
    /// the worker. A rule that panics has decided nothing: the policy stands.
    pub fn decide(mut self, rule: impl Fn(&Failure, u32) -> Decision + Send + Sync + 'static) -> Self {
        self.rule = Some(Arc::new(rule));
        self
    }

    /// Returns true when `attempt` is the last one of a job.
    pub(crate) fn is_last(&self, attempt: u32) -> bool {
        attempt >= self.max_attempts
    }

    /// Returns the delay after the failed attempt number `attempt`.
    pub(super) fn delay(&self, attempt: u32, random: u64) -> Duration {
        self.jitter.apply(self.backoff.ceiling(attempt), random)
    }

    /// Asks the user's rule, if there is one. This is user code, and may panic.
    pub(super) fn ask(&self, failure: &Failure, attempt: u32) -> Decision {
        self.rule.as_ref().map_or(Decision::Policy, |rule| rule(failure, attempt))
    }
}

impl Default for RetryPolicy {
    /// Exponential from 1 s to 5 min with full jitter, 5 attempts.
    fn default() -> Self {
        Self::exponential(Duration::from_secs(1), Duration::from_secs(300))
    }
}

impl fmt::Debug for RetryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryPolicy")
            .field("backoff", &self.backoff)
            .field("jitter", &self.jitter)
            .field("max_attempts", &self.max_attempts)
            .field("decide", &self.rule.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_as_documented() {
        let second = Duration::from_secs(1);
        let fixed = RetryPolicy::fixed(second);
        assert_eq!((fixed.jitter, fixed.max_attempts), (Jitter::None, 5));
        let exponential = RetryPolicy::exponential(second, second * 9);
        assert_eq!((exponential.jitter, exponential.max_attempts), (Jitter::Full, 5));
        assert!(RetryPolicy::none().is_last(1));
        assert!(!fixed.is_last(4) && fixed.is_last(5) && fixed.is_last(6));
        assert!(format!("{:?}", RetryPolicy::default()).contains("Exponential"));
    }

    #[test]
    fn jitter_bounds_hold_for_every_attempt() {
        let policy = RetryPolicy::exponential(Duration::from_millis(200), Duration::from_secs(30));
        for attempt in (1..64).chain([1_000, u32::MAX]) {
            let ceiling = policy.backoff.ceiling(attempt);
            for random in [0, 1, u64::MAX / 2, u64::MAX] {
                assert!(policy.delay(attempt, random) <= ceiling);
                assert_eq!(policy.clone().jitter(Jitter::None).delay(attempt, random), ceiling);
            }
        }
    }

    #[test]
    #[should_panic(expected = "a job needs at least one attempt")]
    fn zero_attempts_are_refused() {
        let _ = RetryPolicy::none().max_attempts(0);
    }
}
