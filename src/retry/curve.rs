//! How the delays grow from attempt to attempt, before cap and jitter.

use super::span;
use crate::sync::Arc;
use std::time::Duration;

/// The number of attempts up to which Oban's curve is taken as it is; above, it is stretched over them.
const OBAN_ATTEMPTS: u32 = 20;

/// The shape of a policy's delays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    /// The same delay each time.
    Fixed(Duration),
    /// One step, two steps, three steps.
    Linear(Duration),
    /// `base`, twice that, four times that, and so on.
    Exponential(Duration),
    /// `unit` times the attempt's number to the power of `degree`.
    Polynomial { degree: u32, unit: Duration },
    /// Chosen at random, from `base` to three times the delay before.
    Decorrelated(Duration),
    /// Each from the list, then the last one again and again.
    Table(Arc<[Duration]>),
    /// Fifteen seconds, and two to the power of the attempt's number.
    Oban,
}

impl Curve {
    /// Returns the shortest and the longest delay after failed attempt `attempt` (1 is the first), before cap and jitter.
    ///
    /// `previous` is the longest delay that can have been before this one: only decorrelated delays depend on it, and
    /// only they are not the same at both ends. Never overflows, never falls from one attempt to the next but in a table.
    pub(super) fn bounds(&self, attempt: u32, previous: Duration, max_attempts: u32) -> (Duration, Duration) {
        debug_assert!(attempt >= 1, "attempts count from one");
        let exact = match self {
            Curve::Fixed(delay) => *delay,
            Curve::Linear(step) => span::times(*step, u128::from(attempt)),
            Curve::Exponential(base) => doubled(*base, attempt.saturating_sub(1)),
            Curve::Polynomial { degree, unit } => {
                span::times(*unit, u128::from(attempt).checked_pow(*degree).unwrap_or(u128::MAX))
            }
            Curve::Decorrelated(base) => return (*base, span::times(previous.max(*base), 3)),
            Curve::Table(delays) => {
                let index = usize::try_from(attempt - 1).unwrap_or(usize::MAX);
                delays.get(index).or(delays.last()).copied().unwrap_or(Duration::ZERO)
            }
            Curve::Oban => {
                let power = doubled(Duration::from_secs(1), oban_power(attempt, max_attempts));
                Duration::from_secs(15).saturating_add(power)
            }
        };
        (exact, exact)
    }

    /// Whether the curve draws its delays itself, so that there is nothing left for jitter to spread.
    pub(super) fn is_random(&self) -> bool {
        matches!(self, Curve::Decorrelated(_))
    }
}

fn doubled(base: Duration, times: u32) -> Duration {
    let factor = 1u128.checked_shl(times).unwrap_or(u128::MAX);
    span::times(base, factor)
}

/// The exponent of Oban's curve: the attempt's number, or its place on a scale of twenty.
fn oban_power(attempt: u32, max_attempts: u32) -> u32 {
    if max_attempts <= OBAN_ATTEMPTS {
        return attempt;
    }
    let (attempt, max) = (u64::from(attempt), u64::from(max_attempts));
    // Rounded to the nearest: twice the quotient, plus one, halved.
    let place = (2 * attempt * u64::from(OBAN_ATTEMPTS) + max) / (2 * max);
    u32::try_from(place).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn exact(curve: &Curve, attempt: u32) -> Duration {
        let (least, most) = curve.bounds(attempt, Duration::ZERO, 20);
        assert_eq!(least, most);
        most
    }

    /// Source of the expected values: the formulas as the cited systems state them, worked out by hand.
    #[test]
    fn each_curve_is_its_formula() {
        let cases: [(Curve, [u64; 5]); 6] = [
            (Curve::Fixed(SECOND * 7), [7, 7, 7, 7, 7]),
            (Curve::Linear(SECOND * 3), [3, 6, 9, 12, 15]),
            (Curve::Exponential(SECOND), [1, 2, 4, 8, 16]),
            (Curve::Polynomial { degree: 4, unit: SECOND }, [1, 16, 81, 256, 625]),
            (Curve::Table([4, 2, 9].map(Duration::from_secs).into()), [4, 2, 9, 9, 9]),
            (Curve::Oban, [17, 19, 23, 31, 47]),
        ];
        for (curve, expected) in cases {
            for (attempt, expected) in (1..).zip(expected) {
                assert_eq!(exact(&curve, attempt).as_secs(), expected, "{curve:?} at {attempt}");
            }
        }
        assert_eq!(exact(&Curve::Table([].into()), 3), Duration::ZERO);
    }

    #[test]
    fn oban_is_stretched_over_more_than_twenty_attempts() {
        let after = |attempt, max| Curve::Oban.bounds(attempt, Duration::ZERO, max).0.as_secs();
        assert_eq!((after(20, 20), after(100, 100)), (15 + (1 << 20), 15 + (1 << 20)));
        assert_eq!((after(1, 40), after(2, 40), after(3, 40)), (17, 17, 19));
        assert_eq!(after(1, u32::MAX), 16);
    }

    #[test]
    fn decorrelated_delays_reach_from_the_base_to_thrice_the_one_before() {
        let curve = Curve::Decorrelated(SECOND);
        assert_eq!(curve.bounds(1, Duration::ZERO, 9), (SECOND, SECOND * 3));
        assert_eq!(curve.bounds(2, SECOND * 2, 9), (SECOND, SECOND * 6));
        assert_eq!(curve.bounds(2, Duration::MAX, 9), (SECOND, Duration::MAX));
    }

    fn any_delay() -> impl Strategy<Value = Duration> {
        prop_oneof![
            Just(Duration::ZERO),
            Just(Duration::MAX),
            (0..1u64 << 45, 0..1_000_000_000u32).prop_map(|(seconds, nanos)| Duration::new(seconds, nanos)),
            (0..100_000u64).prop_map(Duration::from_millis),
        ]
    }

    proptest! {
        /// No base and no attempt overflows, and what grows never falls.
        #[test]
        fn growing_curves_never_fall(base in any_delay(), degree in 0..40u32, attempt in any::<u32>()) {
            let attempt = attempt.max(1);
            let next = attempt.saturating_add(1);
            let polynomial = Curve::Polynomial { degree, unit: base };
            for curve in [Curve::Linear(base), Curve::Exponential(base), polynomial, Curve::Oban] {
                for (before, after) in [(attempt, next), (attempt % 200 + 1, attempt % 200 + 2)] {
                    prop_assert!(exact(&curve, before) <= exact(&curve, after), "{:?} at {}", curve, before);
                }
                prop_assert!(base.is_zero() || curve == Curve::Oban || exact(&curve, next) >= base);
            }
        }
    }
}
