//! Medians, and ratios of the same round.

/// The middle of some figures, with their extremes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

/// Summarises figures; `None` if there are none.
pub(crate) fn summary(figures: impl IntoIterator<Item = f64>) -> Option<Summary> {
    let mut sorted: Vec<f64> = figures.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let (min, max) = (*sorted.first()?, *sorted.last()?);
    let middle = sorted.len() / 2;
    let median = if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    };
    Some(Summary { median, min, max })
}

/// The median of `ours / theirs` over the rounds in which both have a figure.
pub(crate) fn median_ratio(ours: &[Option<f64>], theirs: &[Option<f64>]) -> Option<f64> {
    let ratios = ours.iter().zip(theirs).filter_map(|(a, b)| Some((*a)? / (*b)?));
    summary(ratios).map(|summary| summary.median)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(summary([3.0, 1.0, 2.0]), Some(Summary { median: 2.0, min: 1.0, max: 3.0 }));
        assert_eq!(summary([4.0, 1.0, 2.0, 3.0]).map(|s| s.median), Some(2.5));
        assert_eq!(summary([]), None);
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        let ours = [Some(2.0), None, Some(9.0), Some(4.0)];
        let theirs = [Some(1.0), Some(5.0), Some(3.0), None];
        assert_eq!(median_ratio(&ours, &theirs), Some(2.5));
        assert_eq!(median_ratio(&ours, &[None; 4]), None);
    }
}
