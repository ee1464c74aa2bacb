//! Summing up rounds.

#![forbid(unsafe_code)]

/// Returns the median; none of nothing. Between two middle values it lies half way.
#[must_use]
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let (below, above) = (sorted.get(sorted.len().checked_sub(1)? / 2)?, sorted.get(sorted.len() / 2)?);
    Some(f64::midpoint(*below, *above))
}

/// Returns the geometric mean; none of nothing.
#[must_use]
pub fn geometric_mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (count, logarithms) =
        values.into_iter().fold((0u32, 0.0), |(count, sum), value| (count + 1, sum + value.ln()));
    (count > 0).then(|| (logarithms / f64::from(count)).exp())
}

/// The median, the least and the largest of some values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// Returns the spread; none of nothing.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let values: Vec<f64> = values.into_iter().collect();
        Some(Self {
            median: median(values.iter().copied())?,
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.into_iter().fold(f64::NEG_INFINITY, f64::max),
        })
    }
}

/// Returns the ratios of the rounds in which both have a figure. Above 1 the first is better, whether more or less is.
pub fn ratios<'a>(
    first: &'a [Option<f64>],
    second: &'a [Option<f64>],
    more_is_better: bool,
) -> impl Iterator<Item = f64> + 'a {
    let both = first.iter().zip(second).filter_map(|(first, second)| Some(((*first)?, (*second)?)));
    both.map(move |(first, second)| if more_is_better { first / second } else { second / first })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(value: Option<f64>, expected: f64) {
        assert!(value.is_some_and(|value| (value - expected).abs() < 1e-9), "{value:?}, not {expected}");
    }

    #[test]
    fn median_is_the_middle_or_half_way_between_two() {
        assert_eq!(median([]), None);
        assert_close(median([3.0]), 3.0);
        assert_close(median([9.0, 1.0, 2.0]), 2.0);
        assert_close(median([9.0, 1.0, 2.0, 4.0]), 3.0);
    }

    #[test]
    fn geometric_mean_of_a_half_and_two_is_one() {
        assert_eq!(geometric_mean([]), None);
        assert_close(geometric_mean([0.5, 2.0]), 1.0);
        assert_close(geometric_mean([1.0, 10.0, 100.0]), 10.0);
    }

    #[test]
    fn ratios_pair_the_samples_of_a_round() {
        // The medians are 2 and 4, their ratio is a half; in two rounds of three the first was twice as fast.
        let (first, second) = ([Some(1.0), Some(8.0), Some(2.0)], [Some(4.0), Some(4.0), Some(1.0)]);
        assert_close(median(ratios(&first, &second, true)), 2.0);
        assert_close(median(ratios(&first, &second, false)), 0.5);
    }

    #[test]
    fn ratios_leave_out_rounds_in_which_one_failed() {
        let (first, second) = ([Some(3.0), None, Some(1.0)], [None, Some(1.0), Some(2.0)]);
        assert_eq!(ratios(&first, &second, true).collect::<Vec<_>>(), [0.5]);
    }

    #[test]
    fn spread_of_nothing_is_nothing() {
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of([2.0, 1.0, 4.0]), Some(Spread { median: 2.0, min: 1.0, max: 4.0 }));
    }
}
