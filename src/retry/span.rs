//! Arithmetic on delays that saturates instead of overflowing.

use std::time::Duration;

/// The longest delay, in nanoseconds. It has 94 bits, so there are 34 left for a factor.
const NANOS_MAX: u128 = Duration::MAX.as_nanos();

/// Turns a number of nanoseconds into a [`Duration`]: the longest one where there is no such.
pub(super) fn of_nanos(nanos: u128) -> Duration {
    const PER_SECOND: u128 = 1_000_000_000;
    let nanos = nanos.min(NANOS_MAX);
    let seconds = u64::try_from(nanos / PER_SECOND).unwrap_or(u64::MAX);
    let rest = u32::try_from(nanos % PER_SECOND).unwrap_or(0);
    Duration::new(seconds, rest)
}

/// Returns `delay` times `factor`.
pub(super) fn times(delay: Duration, factor: u128) -> Duration {
    of_nanos(delay.as_nanos().saturating_mul(factor))
}

/// Returns so many hundredths of `delay`, rounded down.
pub(super) fn percent(delay: Duration, percent: u32) -> Duration {
    of_nanos(delay.as_nanos() * u128::from(percent) / 100)
}

/// Returns a delay from `least` up to `most`, evenly chosen by `random`, whose upper half counts.
///
/// It falls short of `most` by one part in 2^32 at least. With the two the wrong way round it is `least`.
pub(super) fn between(least: Duration, most: Duration, random: u64) -> Duration {
    let width = most.saturating_sub(least).as_nanos();
    least.saturating_add(of_nanos((width * u128::from(random >> 32)) >> 32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_delay() -> impl Strategy<Value = Duration> {
        prop_oneof![
            Just(Duration::ZERO),
            Just(Duration::from_nanos(1)),
            Just(Duration::MAX),
            (any::<u64>(), 0..1_000_000_000u32).prop_map(|(seconds, nanos)| Duration::new(seconds, nanos)),
            (0..1_000_000u64).prop_map(Duration::from_millis),
        ]
    }

    proptest! {
        #[test]
        fn what_is_chosen_lies_between(least in any_delay(), most in any_delay(), random in any::<u64>()) {
            let chosen = between(least, most, random);
            prop_assert!(chosen >= least && chosen <= most.max(least));
            prop_assert_eq!(between(least, most, 0), least);
        }

        #[test]
        fn nothing_overflows(delay in any_delay(), factor in any::<u128>(), part in 0..=300u32) {
            prop_assert!(factor == 0 || times(delay, factor) >= delay);
            let share = percent(delay, part);
            prop_assert!(part < 100 || share >= delay);
            prop_assert!(part > 100 || share <= delay);
            prop_assert_eq!(of_nanos(delay.as_nanos()), delay);
        }
    }

    #[test]
    fn the_ends_are_exact() {
        assert_eq!(of_nanos(u128::MAX), Duration::MAX);
        assert_eq!(times(Duration::MAX, u128::MAX), Duration::MAX);
        assert_eq!(times(Duration::from_millis(3), 4), Duration::from_millis(12));
        assert_eq!(percent(Duration::from_secs(10), 20), Duration::from_secs(2));
        assert_eq!(percent(Duration::MAX, 200), Duration::MAX);
        assert!(between(Duration::ZERO, Duration::MAX, u64::MAX) > Duration::MAX / 2);
    }
}
