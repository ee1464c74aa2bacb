//! How long to wait before the next attempt.

use std::time::Duration;

/// The random part of a retry delay.
///
/// # Examples
///
/// ```
/// use millpond::{Jitter, RetryPolicy};
/// use std::time::Duration;
///
/// // Every job that fails waits exactly 1 s, 2 s, 4 s, and so on.
/// let exact = RetryPolicy::exponential(Duration::from_secs(1), Duration::from_secs(60)).jitter(Jitter::None);
/// # let _ = exact;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Jitter {
    /// The whole delay, exactly.
    None,
    /// Uniform between zero and the whole delay: jobs that failed together come back spread out.
    Full,
}

impl Jitter {
    /// Returns the delay to use: at most `ceiling`, chosen by `random`, whose every bit is taken as uniform.
    pub(super) fn apply(self, ceiling: Duration, random: u64) -> Duration {
        match self {
            Jitter::None => ceiling,
            // A `Duration` has at most 94 bits of nanoseconds, so 32 bits of randomness keep the product within 128.
            Jitter::Full => nanoseconds((ceiling.as_nanos() * u128::from(random >> 32)) >> 32),
        }
    }
}

/// The longest delay before each next attempt, before jitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Backoff {
    /// The same delay each time.
    Fixed(Duration),
    /// `base`, twice that, four times that, and so on, never more than `cap`.
    Exponential { base: Duration, cap: Duration },
}

impl Backoff {
    /// Returns the delay after the failed attempt number `attempt` (1 is the first). Never overflows.
    pub(super) fn ceiling(self, attempt: u32) -> Duration {
        debug_assert!(attempt >= 1, "attempts count from one");
        match self {
            Backoff::Fixed(delay) => delay,
            Backoff::Exponential { base, cap } => {
                let doublings = attempt.saturating_sub(1);
                let base = base.as_nanos();
                // `base << doublings` would lose bits where the shift passes the leading zeros: that is over any cap.
                if base != 0 && doublings > base.leading_zeros() {
                    return cap;
                }
                // A shift by 128 or more is only reached with a base of zero.
                nanoseconds(base.checked_shl(doublings).unwrap_or(0).min(cap.as_nanos()))
            }
        }
    }
}

/// Turns a number of nanoseconds into a [`Duration`].
fn nanoseconds(nanos: u128) -> Duration {
    const PER_SECOND: u128 = 1_000_000_000;
    let seconds = u64::try_from(nanos / PER_SECOND).expect("never more than the Duration it came from");
    let rest = u32::try_from(nanos % PER_SECOND).expect("less than a second");
    Duration::new(seconds, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn fixed_never_changes() {
        for attempt in [1, 2, 3, 1_000, u32::MAX] {
            assert_eq!(Backoff::Fixed(MS * 7).ceiling(attempt), MS * 7);
        }
    }

    #[test]
    fn exponential_doubles_up_to_the_cap() {
        let backoff = Backoff::Exponential { base: MS * 200, cap: Duration::from_secs(30) };
        let expected = [200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000];
        for (attempt, expected) in (1..).zip(expected) {
            assert_eq!(backoff.ceiling(attempt), MS * expected, "attempt {attempt}");
        }
    }

    #[test]
    fn no_base_no_cap_and_no_attempt_overflows() {
        let durations =
            [Duration::ZERO, Duration::from_nanos(1), MS, Duration::from_secs(1 << 40), Duration::MAX];
        for base in durations {
            for cap in durations {
                let backoff = Backoff::Exponential { base, cap };
                let mut last = Duration::ZERO;
                for attempt in (1..200).chain([1_000, u32::MAX - 1, u32::MAX]) {
                    let ceiling = backoff.ceiling(attempt);
                    assert!(ceiling <= cap, "{backoff:?} at {attempt} is {ceiling:?}");
                    assert!(ceiling >= last, "{backoff:?} at {attempt} falls to {ceiling:?}");
                    last = ceiling;
                }
                assert_eq!(last, if base.is_zero() { Duration::ZERO } else { cap }, "{backoff:?}");
            }
        }
    }

    #[test]
    fn full_jitter_spans_zero_to_the_ceiling() {
        for ceiling in [Duration::ZERO, Duration::from_nanos(1), MS, Duration::from_secs(30), Duration::MAX] {
            assert_eq!(Jitter::Full.apply(ceiling, 0), Duration::ZERO);
            let highest = Jitter::Full.apply(ceiling, u64::MAX);
            assert!(highest <= ceiling);
            // One part in 2^32 is lost, rounded down to a nanosecond.
            assert!(
                highest >= ceiling - ceiling / u32::MAX - Duration::from_nanos(2).min(ceiling),
                "{ceiling:?}"
            );
            assert_eq!(Jitter::None.apply(ceiling, 12_345), ceiling);
        }
    }

    #[test]
    fn full_jitter_is_even() {
        let mut buckets = [0u32; 10];
        for id in 0..10_000 {
            let delay = Jitter::Full.apply(Duration::from_secs(10), super::super::mix(1, id, 1));
            buckets[usize::try_from(delay.as_secs()).unwrap()] += 1;
        }
        assert!(buckets.iter().all(|&n| (850..1_150).contains(&n)), "{buckets:?}");
    }
}
