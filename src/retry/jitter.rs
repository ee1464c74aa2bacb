//! The random part of a delay.

use super::span;
use std::time::Duration;

/// The random part of a retry delay, so that jobs which failed together do not come back together.
///
/// `d` is the delay of the policy's curve, capped; a percentage above 100 counts as 100.
///
/// # Examples
///
/// ```
/// use millpond::{Jitter, RetryPolicy};
/// use std::time::Duration;
///
/// // Every job that fails waits exactly 1 s, 2 s, 4 s, and so on.
/// let exact = RetryPolicy::exponential(Duration::from_secs(1), Duration::from_secs(60)).jitter(Jitter::None);
/// let delays: Vec<u64> = exact.plan(0).skip(1).map(|attempt| attempt.delay.as_secs()).collect();
/// assert_eq!(delays, [1, 2, 4, 8]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Jitter {
    /// The whole delay, exactly.
    None,
    /// Uniform from zero to `d`: the best spread.
    ///
    /// Source: "full jitter" in M. Brooker, [Exponential Backoff and Jitter][aws].
    ///
    /// [aws]: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    Full,
    /// Uniform from `d / 2` to `d`: never much sooner than the curve says.
    ///
    /// Source: "equal jitter" in the same article.
    Equal,
    /// Uniform from `d` less so many percent to `d` plus as many. This may pass the policy's cap by the percentage.
    ///
    /// Source: gRPC takes ±20 % ([A6](https://github.com/grpc/proposal/blob/master/A6-client-retries.md)), River ±10 %
    /// ([retry policy](https://riverqueue.com/docs/job-retries)).
    Proportional(u8),
    /// Uniform from `d` to `d` plus so many percent: never sooner than the curve says. This may pass the policy's cap
    /// by the percentage.
    ///
    /// Source: Oban adds up to 10 % ([`Oban.Backoff.jitter`](https://hexdocs.pm/oban/Oban.Worker.html)).
    Above(u8),
}

impl Jitter {
    /// Returns the shortest and the longest delay that `delay` may become.
    pub(super) fn bounds(self, delay: Duration) -> (Duration, Duration) {
        match self {
            Jitter::None => (delay, delay),
            Jitter::Full => (Duration::ZERO, delay),
            Jitter::Equal => (delay / 2, delay),
            Jitter::Proportional(part) => {
                let part = u32::from(part).min(100);
                (span::percent(delay, 100 - part), span::percent(delay, 100 + part))
            }
            Jitter::Above(part) => (delay, span::percent(delay, 100 + u32::from(part).min(100))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn bounds_are_as_documented() {
        let ten = SECOND * 10;
        let cases = [
            (Jitter::None, 10_000, 10_000),
            (Jitter::Full, 0, 10_000),
            (Jitter::Equal, 5_000, 10_000),
            (Jitter::Proportional(20), 8_000, 12_000),
            (Jitter::Proportional(255), 0, 20_000),
            (Jitter::Above(10), 10_000, 11_000),
            (Jitter::Above(200), 10_000, 20_000),
        ];
        for (jitter, least, most) in cases {
            let (low, high) = jitter.bounds(ten);
            assert_eq!((low.as_millis(), high.as_millis()), (least, most), "{jitter:?}");
            assert_eq!(jitter.bounds(Duration::ZERO), (Duration::ZERO, Duration::ZERO));
            assert!(jitter.bounds(Duration::MAX).1 == Duration::MAX);
        }
    }

    #[test]
    fn full_jitter_is_even() {
        let mut buckets = [0u32; 10];
        let (least, most) = Jitter::Full.bounds(SECOND * 10);
        for id in 0..10_000 {
            let delay = span::between(least, most, super::super::mix(1, id, 1));
            buckets[usize::try_from(delay.as_secs()).unwrap()] += 1;
        }
        assert!(buckets.iter().all(|&n| (850..1_150).contains(&n)), "{buckets:?}");
    }
}
