//! How fast letters may be redriven: a rate, kept in every window. Pure arithmetic, no clock.

use crate::time::Moment;
use std::time::Duration;

/// The shortest time between two slots: below it, the lateness of a sleeping thread would decide the rate.
const SLOT_MIN: Duration = Duration::from_millis(1);
/// The longest time between two slots that is told apart: some three years.
const SLOT_MAX: Duration = Duration::from_secs(100_000_000);

/// Hands out slots: each allows `batch` moves, and the next one opens `every` after the last move of this one.
///
/// So of any two moves that are `batch` apart, the later comes `every` after the earlier or later still; in any window of
/// length `w` there are at most `(w / every + 1) * batch` moves, that is `w * rate + batch`. Time that was missed is not
/// made up for.
#[derive(Debug)]
pub(super) struct Pace {
    every: Duration,
    batch: u32,
    /// Moves left in the slot that is open.
    left: u32,
    /// When the next slot opens.
    opens: Moment,
}

impl Pace {
    /// Makes a pace of `rate` moves a second, above 0 and finite.
    pub(super) fn new(rate: f64) -> Self {
        debug_assert!(rate > 0.0 && rate.is_finite(), "whoever starts a redrive has checked the rate");
        let per_slot = (rate * SLOT_MIN.as_secs_f64()).ceil().clamp(1.0, f64::from(u32::MAX));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to the range above"
        )]
        let batch = per_slot as u32;
        // Rounded up, so that the rate is never exceeded. Exact for a rate that divides a second.
        let nanos = (f64::from(batch) * 1e9 / rate).ceil().clamp(1.0, SLOT_MAX.as_secs_f64() * 1e9);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to the range above"
        )]
        let every = Duration::from_nanos(nanos as u64);
        Self { every, batch, left: batch, opens: Moment::ORIGIN }
    }

    /// Returns when the next move may be made.
    pub(super) fn next(&self) -> Moment {
        self.opens
    }

    /// Notes a move that was made at `now` at the latest.
    pub(super) fn moved(&mut self, now: Moment) {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            self.left = self.batch;
            self.opens = now.after(self.every);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(nanos: u64) -> Moment {
        Moment::ORIGIN.after(Duration::from_nanos(nanos))
    }

    proptest! {
        /// Whatever the delays of the mover are, no window has more moves than the rate allows.
        #[test]
        fn no_window_exceeds_the_rate(
            rate in prop_oneof![0.001..1.0, 1.0..1_000.0, 1_000.0..1_000_000.0],
            delays in prop::collection::vec(0u64..5_000_000, 1..300),
        ) {
            let mut pace = Pace::new(rate);
            let (mut now, mut moves) = (0u64, Vec::new());
            for delay in delays {
                let next = u64::try_from(pace.next().since_origin().as_nanos()).unwrap();
                now = now.max(next) + if delay % 3 == 0 { delay } else { 0 };
                moves.push(now);
                pace.moved(at(now));
            }
            for first in 0..moves.len() {
                for last in first..moves.len() {
                    let window = (moves[last] - moves[first]) as f64 / 1e9;
                    let allowed = window * rate + f64::from(pace.batch);
                    prop_assert!((last - first + 1) as f64 <= allowed + 1e-6);
                }
            }
        }
    }

    #[test]
    fn slow_rates_move_one_at_a_time_and_fast_ones_a_few() {
        for (rate, batch) in
            [(1e-12, 1), (0.5, 1), (50.0, 1), (1_000.0, 1), (1_001.0, 2), (1e6, 1_000), (1e300, u32::MAX)]
        {
            let pace = Pace::new(rate);
            assert_eq!(pace.batch, batch, "{rate}");
            assert!(pace.every > Duration::ZERO && pace.every <= SLOT_MAX + SLOT_MIN);
        }
    }
}
