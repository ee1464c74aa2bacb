//! The ways to begin a policy: one for each curve.

use super::curve::Curve;
use super::jitter::Jitter;
use super::policy::RetryPolicy;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
/// The attempts of a webhook: 65 h 3 min from the first to the last, and with 10 % of jitter at most 71 h 34 min.
const WEBHOOK_ATTEMPTS: u32 = 15;
const OBAN_ATTEMPTS: u32 = 20;

impl RetryPolicy {
    /// Never tries again: the first failure makes a dead letter.
    pub fn none() -> Self {
        Self::fixed(Duration::ZERO).max_attempts(1)
    }

    /// Waits `delay` before each further attempt. Without jitter, and with 5 attempts, unless told otherwise.
    pub fn fixed(delay: Duration) -> Self {
        Self::of(Curve::Fixed(delay), Jitter::None)
    }

    /// Waits one `step`, then two, then three, and so on. Without jitter, and with 5 attempts, unless told otherwise.
    ///
    /// Source: the delayed retries of RabbitMQ's quorum queues, `min(min_delay * delivery_count, max_delay)`; the cap is
    /// set by [`cap`](Self::cap).
    pub fn linear(step: Duration) -> Self {
        Self::of(Curve::Linear(step), Jitter::None)
    }

    /// Waits up to `base`, then twice, four times as long, and so on, never longer than `cap`.
    ///
    /// With full jitter, and with 5 attempts, unless told otherwise: the delay after the failed attempt n is uniform
    /// between zero and `min(cap, base * 2^(n - 1))`.
    ///
    /// Source: M. Brooker, [Exponential Backoff and Jitter][aws]. gRPC's is the same with
    /// [`Jitter::Proportional(20)`](Jitter::Proportional).
    ///
    /// [aws]: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    pub fn exponential(base: Duration, cap: Duration) -> Self {
        Self::of(Curve::Exponential(base), Jitter::Full).cap(cap)
    }

    /// Waits `unit * n^degree` after the failed attempt n, give or take 10 %. With 5 attempts unless told otherwise.
    ///
    /// Source: River waits n⁴ seconds, ±10 %, with 25 attempts over 20 days
    /// ([retries](https://riverqueue.com/docs/job-retries)), and Sidekiq nearly the same:
    ///
    /// ```
    /// use millpond::RetryPolicy;
    /// use std::time::Duration;
    ///
    /// let river = RetryPolicy::polynomial(4, Duration::from_secs(1)).max_attempts(25);
    /// let last = river.plan(0).last().unwrap();
    /// assert_eq!(last.attempt, 25);
    /// assert!(last.offset > Duration::from_secs(18 * 24 * 3600));
    /// ```
    pub fn polynomial(degree: u32, unit: Duration) -> Self {
        Self::of(Curve::Polynomial { degree, unit }, Jitter::Proportional(10))
    }

    /// Waits from `base` up to three times the delay before, never longer than `cap`. With 5 attempts unless told otherwise.
    ///
    /// The first delay is uniform between `base` and `3 * base`. The delays of jobs that failed together drift apart with
    /// every attempt, which those of a jittered curve do not.
    ///
    /// Source: "decorrelated jitter" in M. Brooker, [Exponential Backoff and Jitter][aws]: `min(cap, U(base, previous * 3))`.
    ///
    /// [aws]: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    pub fn decorrelated(base: Duration, cap: Duration) -> Self {
        Self::of(Curve::Decorrelated(base), Jitter::None).cap(cap)
    }

    /// Waits as long as the table says: the first entry after the first attempt, and so on. Without jitter.
    ///
    /// When the table is exhausted the job becomes a dead letter: n entries make n + 1 attempts. If
    /// [`max_attempts`](Self::max_attempts) then allows more, the last entry is taken again and again (zero if there is none).
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::RetryPolicy;
    /// use std::time::Duration;
    ///
    /// let policy = RetryPolicy::table([5, 60, 600].map(Duration::from_secs));
    /// let offsets: Vec<u64> = policy.plan(0).map(|attempt| attempt.offset.as_secs()).collect();
    /// assert_eq!(offsets, [0, 5, 65, 665]);
    /// ```
    pub fn table(delays: impl IntoIterator<Item = Duration>) -> Self {
        let delays: Vec<_> = delays.into_iter().collect();
        let attempts = u32::try_from(delays.len()).unwrap_or(u32::MAX).saturating_add(1);
        Self::of(Curve::Table(delays.into()), Jitter::None).max_attempts(attempts)
    }

    /// Waits as Oban does: `15 s + 2^n s` after the failed attempt n, and up to 10 % more. 20 attempts over 12 to 13 days.
    ///
    /// If [`max_attempts`](Self::max_attempts) is set above 20, n is the attempt's place on a scale of 20, so that the curve is
    /// stretched over all of them.
    ///
    /// Source: [`Oban.Worker.backoff/1`](https://hexdocs.pm/oban/Oban.Worker.html).
    pub fn oban() -> Self {
        Self::of(Curve::Oban, Jitter::Above(10)).max_attempts(OBAN_ATTEMPTS)
    }

    /// Waits as a sender of webhooks does: 15 attempts over at most three days.
    ///
    /// The delays are 1, 2, 4, ... minutes, never more than 12 hours, give or take 10 %, so that the last attempt falls due
    /// between 58 h 33 min and 71 h 34 min after the first one. How long the attempts themselves take counts as well: a
    /// retry that would fall due later than 72 hours after the job was accepted is not made ([`within`](Self::within)).
    ///
    /// Source: the span and the shape are Stripe's, "up to three days with an exponential back off"
    /// ([webhooks](https://docs.stripe.com/webhooks)); it does not publish the delays, these are ours.
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::RetryPolicy;
    /// use std::time::Duration;
    ///
    /// let three_days = Duration::from_secs(72 * 3600);
    /// assert!(RetryPolicy::webhook_72h().plan(7).all(|attempt| attempt.offset_max <= three_days));
    /// ```
    pub fn webhook_72h() -> Self {
        Self::exponential(MINUTE, HOUR * 12)
            .jitter(Jitter::Proportional(10))
            .max_attempts(WEBHOOK_ATTEMPTS)
            .within(HOUR * 72)
    }
}

impl Default for RetryPolicy {
    /// Exponential from 1 s to 5 min with full jitter, 5 attempts.
    fn default() -> Self {
        Self::exponential(Duration::from_secs(1), Duration::from_secs(300))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn last_offsets(policy: &RetryPolicy) -> (u32, Duration, Duration) {
        let last = policy.plan(3).last().unwrap();
        (last.attempt, last.offset_min, last.offset_max)
    }

    #[test]
    fn a_policy_without_retries_has_one_attempt() {
        assert_eq!(RetryPolicy::none().plan(0).count(), 1);
        assert_eq!(RetryPolicy::table([]).plan(0).count(), 1);
        assert_eq!(RetryPolicy::default().plan(0).count(), 5);
    }

    #[test]
    fn all_tries_of_a_webhook_fall_inside_72_hours() {
        let (attempts, least, most) = last_offsets(&RetryPolicy::webhook_72h());
        assert_eq!(attempts, WEBHOOK_ATTEMPTS);
        // 65 h 3 min, less and plus a tenth.
        assert_eq!((least.as_secs(), most.as_secs()), (210_762, 257_598));
        assert!(most < HOUR * 72);
        for seed in 0..500 {
            assert!(RetryPolicy::webhook_72h().plan(seed).count() == 15);
        }
    }

    /// The spans that the cited systems state for themselves.
    #[test]
    fn the_curves_of_others_span_what_they_say() {
        let day = HOUR * 24;
        // 20 attempts end 19 delays after the first: the twentieth failure is final.
        let (attempts, least, most) = last_offsets(&RetryPolicy::oban());
        assert_eq!((attempts, least.as_secs()), (20, 19 * 15 + (1 << 20) - 2));
        assert_eq!(most, span(least, 110));
        let (attempts, least, most) = last_offsets(&RetryPolicy::polynomial(4, SECOND).max_attempts(26));
        // 25 delays: the sum of the fourth powers up to 25.
        assert_eq!((attempts, span(least, 100)), (26, span(SECOND * 2_153_645, 90)));
        assert!(least > day * 22 && most > day * 27 && most < day * 28);
    }

    fn span(delay: Duration, percent: u32) -> Duration {
        super::super::span::percent(delay, percent)
    }

    #[test]
    fn a_table_ends_or_repeats_its_last_entry() {
        let table = || RetryPolicy::table([SECOND, SECOND * 9]);
        let delays = |policy: RetryPolicy| -> Vec<u64> {
            policy.plan(0).skip(1).map(|attempt| attempt.delay.as_secs()).collect()
        };
        assert_eq!(delays(table()), [1, 9]);
        assert_eq!(delays(table().max_attempts(5)), [1, 9, 9, 9]);
        assert_eq!(delays(table().max_attempts(2)), [1]);
        assert_eq!(delays(RetryPolicy::table([]).max_attempts(3)), [0, 0]);
    }
}
