//! A sliding window of time, in slices: what is older than the window is forgotten a slice at a time.

use crate::time::Moment;
use std::time::Duration;

/// How many slices a window has, as in Finagle's `WindowedAdder`: it spans between nine and ten of them.
pub(super) const SLICES: usize = 10;

/// One `S` for each slice of the last stretch of time. Of fixed size, whatever happens.
#[derive(Clone, Debug)]
pub(super) struct Slices<S> {
    slice_nanos: u64,
    /// The number of the current slice, counted from the clock's origin.
    current: u64,
    slices: [S; SLICES],
}

impl<S: Copy + Default> Slices<S> {
    pub(super) fn new(window: Duration) -> Self {
        let slice = window.as_nanos() / SLICES as u128;
        let slice_nanos = u64::try_from(slice).unwrap_or(u64::MAX).max(1);
        Self { slice_nanos, current: 0, slices: [S::default(); SLICES] }
    }

    /// Forgets what is too old at `now`, and returns the slice of `now`. A time that goes back counts as standing still.
    pub(super) fn at(&mut self, now: Moment) -> &mut S {
        let nanos = u64::try_from(now.since_origin().as_nanos()).unwrap_or(u64::MAX);
        let slice = (nanos / self.slice_nanos).max(self.current);
        let passed = usize::try_from(slice - self.current).unwrap_or(SLICES).min(SLICES);
        for step in 1..=passed as u64 {
            *self.place(slice - (passed as u64 - step)) = S::default();
        }
        self.current = slice;
        self.place(slice)
    }

    /// Returns all slices of the window, in no order.
    pub(super) fn all(&self) -> &[S; SLICES] {
        &self.slices
    }

    fn place(&mut self, slice: u64) -> &mut S {
        let index = usize::try_from(slice % SLICES as u64).expect("less than the number of slices");
        &mut self.slices[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(nanos: u64) -> Moment {
        Moment::ORIGIN.after(Duration::from_nanos(nanos))
    }

    #[test]
    fn what_is_older_than_the_window_is_forgotten() {
        let mut slices = Slices::<u32>::new(Duration::from_nanos(100));
        let sum = |slices: &Slices<u32>| slices.all().iter().sum::<u32>();
        *slices.at(at(5)) += 1;
        *slices.at(at(19)) += 2;
        *slices.at(at(12)) += 4;
        assert_eq!(sum(&slices), 7, "a time that goes back is taken for the latest");
        slices.at(at(99));
        assert_eq!(sum(&slices), 7);
        slices.at(at(100));
        assert_eq!(sum(&slices), 6);
        slices.at(at(110));
        assert_eq!(sum(&slices), 0);
        *slices.at(Moment::NEVER) += 1;
        assert_eq!(sum(&slices), 1);
    }

    #[test]
    fn no_window_is_too_short_or_too_long() {
        for window in [Duration::ZERO, Duration::from_nanos(9), Duration::MAX] {
            let mut slices = Slices::<u8>::new(window);
            for now in [Moment::ORIGIN, at(1), Moment::NEVER, Moment::ORIGIN] {
                *slices.at(now) = 1;
            }
            assert!(slices.all().contains(&1));
        }
    }

    proptest! {
        #[test]
        fn agrees_with_a_list_of_times(times in prop::collection::vec(0..500u64, 0..60), slice in 1..30u64) {
            let mut slices = Slices::<u32>::new(Duration::from_nanos(slice * 10));
            let (mut model, mut latest) = (Vec::new(), 0);
            for time in times {
                *slices.at(at(time)) += 1;
                latest = latest.max(time / slice);
                model.push(latest);
                model.retain(|&number| number + 10 > latest);
                prop_assert_eq!(slices.all().iter().sum::<u32>() as usize, model.len());
            }
        }
    }
}
