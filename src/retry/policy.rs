//! When to try again.

use super::budget::RetryBudget;
use super::curve::Curve;
use super::failure::Failure;
use super::jitter::Jitter;
use super::span;
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
/// A policy is put together from parts, each of which may be left out:
///
/// | part | what it says |
/// |---|---|
/// | [`fixed`](Self::fixed), [`linear`](Self::linear), [`exponential`](Self::exponential), [`polynomial`](Self::polynomial), [`decorrelated`](Self::decorrelated), [`table`](Self::table), [`oban`](Self::oban), [`webhook_72h`](Self::webhook_72h) | how the delays grow |
/// | [`cap`](Self::cap) | the longest delay |
/// | [`jitter`](Self::jitter) | the random part |
/// | [`max_attempts`](Self::max_attempts), [`within`](Self::within) | when to give up |
/// | [`budget`](Self::budget) | how many retries there may be beside the first attempts, over all jobs |
/// | [`decide`](Self::decide) | exceptions for an error |
///
/// A policy is pure: what it decides depends on the failure, the number of the attempt, the time since the job was
/// accepted, the delay before and a random number, and on nothing else but the budget. So it can be looked at before it is
/// used: see [`plan`](Self::plan).
///
/// # Examples
///
/// ```
/// use millpond::{Decision, Jitter, RetryPolicy};
/// use std::time::Duration;
///
/// let policy = RetryPolicy::exponential(Duration::from_millis(200), Duration::from_secs(30))
///     .jitter(Jitter::Equal)
///     .max_attempts(8)
///     .within(Duration::from_secs(3600))
///     .decide(|failure, _attempt| match failure.downcast_ref::<std::io::Error>() {
///         Some(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Decision::Dead,
///         Some(error) if error.kind() == std::io::ErrorKind::TimedOut => Decision::After(Duration::from_secs(60)),
///         _ => Decision::Policy,
///     });
/// println!("{}", policy.plan(1));
/// ```
#[derive(Clone)]
#[must_use = "a policy does nothing until a pool is given it"]
pub struct RetryPolicy {
    curve: Curve,
    cap: Duration,
    jitter: Jitter,
    max_attempts: u32,
    within: Option<Duration>,
    budget: Option<RetryBudget>,
    empty_budget: EmptyBudget,
    rule: Option<Rule>,
}

/// What [`RetryPolicy::decide`] says about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Decision {
    /// What the class of the failure and the policy say.
    Policy,
    /// Try again after exactly this delay, if there is an attempt left.
    After(Duration),
    /// Do not try again: a dead letter now.
    Dead,
}

/// What becomes of a retry that the [`RetryBudget`] does not cover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EmptyBudget {
    /// It waits, and asks again from time to time. The job keeps its place in the queue meanwhile.
    #[default]
    Park,
    /// The job becomes a dead letter.
    Dead,
}

impl RetryPolicy {
    /// A policy with this curve: no cap, no limit of time, no budget.
    pub(super) fn of(curve: Curve, jitter: Jitter) -> Self {
        Self {
            curve,
            cap: Duration::MAX,
            jitter,
            max_attempts: MAX_ATTEMPTS_DEFAULT,
            within: None,
            budget: None,
            empty_budget: EmptyBudget::default(),
            rule: None,
        }
    }

    /// Sets the longest delay, before jitter. A delay given by a handler or by [`decide`](Self::decide) may be longer.
    pub fn cap(mut self, cap: Duration) -> Self {
        self.cap = cap;
        self
    }

    /// Sets the random part of each delay. A delay given by a handler or by [`decide`](Self::decide) stays exact.
    ///
    /// It changes nothing about [`decorrelated`](Self::decorrelated) delays, which are random themselves.
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

    /// Sets the time within which a job may be tried again, counted from when it was accepted, or
    /// redriven last.
    ///
    /// A retry that would fall due later than that is not waited for: the job becomes a dead letter at once, for
    /// [`DeadReason::Elapsed`](crate::DeadReason::Elapsed). That goes for delays given by a handler as well. The first
    /// attempt is always made.
    pub fn within(mut self, limit: Duration) -> Self {
        self.within = Some(limit);
        self
    }

    /// Has each retry paid for by a budget, which may be shared with other policies. See [`RetryBudget`].
    ///
    /// The first attempt of each job pays in when it ends; each retry is paid for when it is decided on. What happens to a
    /// retry that the budget does not cover is said by [`empty_budget`](Self::empty_budget).
    pub fn budget(mut self, budget: &RetryBudget) -> Self {
        self.budget = Some(budget.clone());
        self
    }

    /// Sets what becomes of a retry that the budget does not cover. It is parked unless told otherwise.
    pub fn empty_budget(mut self, then: EmptyBudget) -> Self {
        self.empty_budget = then;
        self
    }

    /// Sets a rule that looks at each failure, with the number of the attempt that failed, before the policy does.
    ///
    /// It is asked about errors and panics, not where the handler chose a delay or said that the job is dead, and before
    /// the class of the error is looked at. It runs in the worker. A rule that panics has decided nothing: the policy
    /// stands.
    pub fn decide(mut self, rule: impl Fn(&Failure, u32) -> Decision + Send + Sync + 'static) -> Self {
        self.rule = Some(Arc::new(rule));
        self
    }

    /// Returns true when `attempt` is the last one of a job.
    pub(crate) fn is_last(&self, attempt: u32) -> bool {
        attempt >= self.max_attempts
    }

    /// Returns true when a retry due at `due`, counted from when the job was accepted, would come too late.
    pub(super) fn is_too_late(&self, due: Duration) -> bool {
        self.within.is_some_and(|limit| due > limit)
    }

    /// Returns true when jobs that are done have to be reported to a budget.
    #[inline]
    pub(crate) fn has_budget(&self) -> bool {
        self.spent_from().is_some()
    }

    pub(super) fn spent_from(&self) -> Option<&RetryBudget> {
        self.budget.as_ref()
    }

    pub(super) fn parks(&self) -> bool {
        self.empty_budget == EmptyBudget::Park
    }

    /// Returns the delay after the failed attempt number `attempt`, if the one before was `previous`.
    pub(super) fn delay(&self, attempt: u32, previous: Duration, random: u64) -> Duration {
        let (least, most) = self.curve.bounds(attempt, previous, self.max_attempts);
        if self.curve.is_random() {
            // Capped when it is drawn, as in the article: delays that would be longer are all of them `cap`.
            return span::between(least, most, random).min(self.cap);
        }
        let (least, most) = self.jitter.bounds(most.min(self.cap));
        span::between(least, most, random)
    }

    /// Returns the shortest and the longest delay there can be after that attempt, if the longest before was `previous`.
    pub(super) fn bounds(&self, attempt: u32, previous: Duration) -> (Duration, Duration) {
        let (least, most) = self.curve.bounds(attempt, previous, self.max_attempts);
        if self.curve.is_random() {
            return (least.min(self.cap), most.min(self.cap));
        }
        self.jitter.bounds(most.min(self.cap))
    }

    /// Asks the user's rule, if there is one. This is user code, and may panic.
    pub(super) fn ask(&self, failure: &Failure, attempt: u32) -> Decision {
        self.rule.as_ref().map_or(Decision::Policy, |rule| rule(failure, attempt))
    }
}

impl fmt::Debug for RetryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryPolicy")
            .field("curve", &self.curve)
            .field("cap", &self.cap)
            .field("jitter", &self.jitter)
            .field("max_attempts", &self.max_attempts)
            .field("within", &self.within)
            .field("budget", &self.budget)
            .field("empty_budget", &self.empty_budget)
            .field("decide", &self.rule.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn defaults_are_as_documented() {
        let fixed = RetryPolicy::of(Curve::Fixed(SECOND), Jitter::None);
        assert_eq!((fixed.max_attempts, fixed.cap, fixed.within), (5, Duration::MAX, None));
        assert!(!fixed.is_last(4) && fixed.is_last(5) && fixed.is_last(6));
        assert!(!fixed.is_too_late(Duration::MAX));
        let fixed = fixed.within(SECOND);
        assert!(!fixed.is_too_late(SECOND) && fixed.is_too_late(SECOND + Duration::from_nanos(1)));
        assert!(format!("{fixed:?}").contains("Fixed"));
    }

    #[test]
    #[should_panic(expected = "a job needs at least one attempt")]
    fn zero_attempts_are_refused() {
        let _ = RetryPolicy::of(Curve::Oban, Jitter::None).max_attempts(0);
    }

    fn any_delay() -> impl Strategy<Value = Duration> {
        prop_oneof![
            Just(Duration::ZERO),
            Just(Duration::MAX),
            (any::<u64>(), 0..1_000_000_000u32).prop_map(|(seconds, nanos)| Duration::new(seconds, nanos)),
            (0..1_000_000u64).prop_map(Duration::from_millis),
        ]
    }

    fn any_curve() -> impl Strategy<Value = Curve> {
        prop_oneof![
            any_delay().prop_map(Curve::Fixed),
            any_delay().prop_map(Curve::Linear),
            any_delay().prop_map(Curve::Exponential),
            (0..200u32, any_delay()).prop_map(|(degree, unit)| Curve::Polynomial { degree, unit }),
            any_delay().prop_map(Curve::Decorrelated),
            prop::collection::vec(any_delay(), 0..5).prop_map(|delays| Curve::Table(delays.into())),
            Just(Curve::Oban),
        ]
    }

    fn any_jitter() -> impl Strategy<Value = Jitter> {
        prop_oneof![
            Just(Jitter::None),
            Just(Jitter::Full),
            Just(Jitter::Equal),
            any::<u8>().prop_map(Jitter::Proportional),
            any::<u8>().prop_map(Jitter::Above),
        ]
    }

    proptest! {
        /// Whatever the parts: no overflow at any attempt, each delay within the bounds, the bounds within the cap.
        #[test]
        fn every_delay_is_within_its_bounds(
            curve in any_curve(),
            jitter in any_jitter(),
            cap in any_delay(),
            attempt in prop_oneof![1..100u32, any::<u32>(), Just(u32::MAX)],
            max in prop_oneof![1..100u32, Just(u32::MAX)],
            previous in any_delay(),
            random in prop_oneof![any::<u64>(), Just(0), Just(u64::MAX)],
        ) {
            let attempt = attempt.max(1);
            let policy = RetryPolicy::of(curve, jitter).cap(cap).max_attempts(max);
            let (least, most) = policy.bounds(attempt, previous);
            let delay = policy.delay(attempt, previous, random);
            prop_assert!(least <= delay && delay <= most, "{:?} at {}: {:?}", policy, attempt, delay);
            let over = match jitter {
                Jitter::Proportional(part) | Jitter::Above(part) => u32::from(part).min(100),
                _ => 0,
            };
            prop_assert!(most <= span::percent(cap, 100 + over));
            if jitter == Jitter::None {
                prop_assert!(most <= cap);
            }
        }
    }
}
