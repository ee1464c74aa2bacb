//! A budget for retries: how many there may be beside the first attempts.

use super::slices::{SLICES, Slices};
use super::span;
use crate::sync::{Arc, Mutex};
use crate::time::{Clock, Moment};
use std::fmt;
use std::time::Duration;

/// What a retry costs: the budget counts in millionths, so that a job may pay in any share of one.
const RETRY: i64 = 1_000_000;
/// The values of Finagle's `RetryBudget`: ten retries a second whatever happens, and what was paid in lasts for ten seconds.
const FLOOR_PER_SEC_DEFAULT: u32 = 10;
const WINDOW_DEFAULT: Duration = Duration::from_secs(10);
/// Finagle's limit as well: a thousand retries for one job.
const RATIO_MAX: f64 = 1_000.0;

/// A limit for the retries of many jobs together: a share of the jobs themselves.
///
/// When everything fails, retries multiply the load on a system that is in trouble already: with five attempts each, by
/// five. With a budget of 0.2 they add a fifth at most. Each job pays `ratio` of a retry in when its first attempt ends; each
/// retry takes one out, and one that the budget does not cover is parked or dead ([`EmptyBudget`](crate::EmptyBudget)).
/// What is paid in is forgotten after the [`window`](Self::window), and so is what is taken out. On top of that comes a floor
/// of so many retries a second, so that a pool with few jobs may retry at all.
///
/// In each window there are at most `ratio * jobs + floor_per_sec * window` retries, jobs being those whose first attempt ended
/// in that window. The window moves in steps of a tenth.
///
/// A clone is the same budget: give it to several policies, and they share it. Their pools must use the same clock; all
/// [`Clock::system`] are one. Any method takes a lock for some tens of instructions, and none waits for anything else.
///
/// Source: Finagle's [`RetryBudget`](https://twitter.github.io/finagle/guide/Clients.html#retry-budget), a token bucket that
/// leaks, which tower's `TpsBudget` is a port of.
///
/// # Examples
///
/// ```
/// use millpond::{RetryBudget, RetryPolicy};
/// use std::time::Duration;
///
/// let budget = RetryBudget::ratio(0.2).floor_per_sec(10).window(Duration::from_secs(10));
/// let mail = RetryPolicy::default().budget(&budget);
/// let push = RetryPolicy::fixed(Duration::from_secs(1)).budget(&budget);
/// # let _ = (mail, push);
/// ```
#[derive(Clone)]
#[must_use = "a budget does nothing until a policy is given it"]
pub struct RetryBudget(Arc<Shared>);

struct Shared {
    /// What a job pays in.
    deposit: i64,
    floor_per_sec: u32,
    window: Duration,
    /// What may be taken out of a window beyond what was paid in.
    reserve: i128,
    slices: Mutex<Slices<i64>>,
}

impl RetryBudget {
    /// Makes a budget of so many retries for each job: 0.2 is one for five. The floor is 10 a second, the window 10 s.
    ///
    /// # Panics
    ///
    /// When `ratio` is not between 0 and 1000.
    pub fn ratio(ratio: f64) -> Self {
        assert!((0.0..=RATIO_MAX).contains(&ratio), "a ratio between 0 and 1000 is needed, not {ratio}");
        #[expect(clippy::cast_possible_truncation, reason = "at most 10^9, as asserted")]
        let deposit = (ratio * RETRY as f64).round() as i64;
        Self::with(deposit, FLOOR_PER_SEC_DEFAULT, WINDOW_DEFAULT)
    }

    /// Sets how many retries a second are granted whatever the number of jobs. They may come all at once.
    ///
    /// Makes a budget of its own: clones that were made before are not changed.
    pub fn floor_per_sec(self, retries: u32) -> Self {
        Self::with(self.0.deposit, retries, self.0.window)
    }

    /// Sets how long what is paid in and taken out counts.
    ///
    /// Makes a budget of its own: clones that were made before are not changed.
    ///
    /// # Panics
    ///
    /// When `window` is zero.
    pub fn window(self, window: Duration) -> Self {
        assert!(!window.is_zero(), "a window without length holds nothing");
        Self::with(self.0.deposit, self.0.floor_per_sec, window)
    }

    fn with(deposit: i64, floor_per_sec: u32, window: Duration) -> Self {
        let reserve = u128::from(floor_per_sec).saturating_mul(window.as_nanos()) / 1_000;
        let reserve = i128::try_from(reserve).unwrap_or(i128::MAX);
        let slices = Mutex::new(Slices::new(window));
        Self(Arc::new(Shared { deposit, floor_per_sec, window, reserve, slices }))
    }

    /// Pays in for one job. A pool whose policy has a budget does so itself; this is for retries of your own.
    pub fn deposit(&self, clock: &Clock) {
        self.deposit_at(clock.moment());
    }

    /// Takes one retry out, if the budget covers it. Never waits.
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::{Clock, RetryBudget};
    ///
    /// let (clock, budget) = (Clock::system(), RetryBudget::ratio(0.5).floor_per_sec(0));
    /// assert!(!budget.try_withdraw(&clock));
    /// budget.deposit(&clock);
    /// budget.deposit(&clock);
    /// assert!(budget.try_withdraw(&clock));
    /// assert!(!budget.try_withdraw(&clock));
    /// ```
    #[must_use = "a retry may be made only if the budget covers it"]
    pub fn try_withdraw(&self, clock: &Clock) -> bool {
        self.try_withdraw_at(clock.moment())
    }

    /// Returns how many retries the budget covers: a snapshot, for a metric.
    #[must_use]
    pub fn available(&self, clock: &Clock) -> u64 {
        self.available_at(clock.moment())
    }

    pub(super) fn deposit_at(&self, now: Moment) {
        let mut slices = self.0.slices.lock();
        let slice = slices.at(now);
        *slice = slice.saturating_add(self.0.deposit);
    }

    pub(super) fn try_withdraw_at(&self, now: Moment) -> bool {
        let mut slices = self.0.slices.lock();
        slices.at(now);
        let covered = self.0.balance(&slices) >= i128::from(RETRY);
        if covered {
            let slice = slices.at(now);
            *slice = slice.saturating_sub(RETRY);
        }
        covered
    }

    fn available_at(&self, now: Moment) -> u64 {
        let mut slices = self.0.slices.lock();
        slices.at(now);
        let whole = self.0.balance(&slices).max(0) / i128::from(RETRY);
        u64::try_from(whole).unwrap_or(u64::MAX)
    }

    /// Returns how long a retry that is not covered waits before it asks again: one slice or two, as there may be more by
    /// then, and jobs that were parked together had better not come back together.
    pub(super) fn patience(&self, random: u64) -> Duration {
        let slice = (self.0.window / SLICES as u32).max(Duration::from_nanos(1));
        span::between(slice, slice.saturating_mul(2), random)
    }
}

impl Shared {
    fn balance(&self, slices: &Slices<i64>) -> i128 {
        let sum: i128 = slices.all().iter().map(|&slice| i128::from(slice)).sum();
        self.reserve.saturating_add(sum)
    }
}

impl fmt::Debug for RetryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryBudget")
            .field("ratio", &(self.0.deposit as f64 / RETRY as f64))
            .field("floor_per_sec", &self.0.floor_per_sec)
            .field("window", &self.0.window)
            .finish_non_exhaustive()
    }
}

// Usable after a panic was caught, whatever it was that panicked (promise 9).
impl std::panic::UnwindSafe for RetryBudget {}
impl std::panic::RefUnwindSafe for RetryBudget {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(millis: u64) -> Moment {
        Moment::ORIGIN.after(Duration::from_millis(millis))
    }

    fn spend(budget: &RetryBudget, now: Moment) -> usize {
        (0..10_000).take_while(|_| budget.try_withdraw_at(now)).count()
    }

    #[test]
    fn jobs_pay_for_retries_and_the_floor_comes_on_top() {
        let budget = RetryBudget::ratio(0.2).floor_per_sec(3).window(SECOND * 10);
        assert_eq!(budget.available_at(at(0)), 30);
        (0..50).for_each(|_| budget.deposit_at(at(0)));
        assert_eq!(budget.available_at(at(0)), 40);
        assert_eq!(spend(&budget, at(0)), 40);
        assert_eq!(spend(&budget, at(9_999)), 0);
        assert_eq!(spend(&budget, at(10_000)), 30, "the floor again, after a window");
    }

    #[test]
    fn what_was_paid_in_is_forgotten_after_the_window() {
        let budget = RetryBudget::ratio(1.0).floor_per_sec(0);
        (0..5).for_each(|_| budget.deposit_at(at(0)));
        assert_eq!(budget.available_at(at(9_999)), 5);
        assert_eq!(spend(&budget, at(10_000)), 0);
    }

    #[test]
    fn a_clone_is_the_same_budget_and_a_changed_one_is_not() {
        let budget = RetryBudget::ratio(0.0).floor_per_sec(1);
        assert_eq!(spend(&budget.clone(), at(0)), 10);
        assert_eq!(spend(&budget, at(0)), 0);
        assert_eq!(spend(&budget.clone().floor_per_sec(2), at(0)), 20);
        assert!(format!("{budget:?}").contains("floor_per_sec: 1"));
    }

    #[test]
    fn the_greatest_budget_does_not_overflow() {
        let budget = RetryBudget::ratio(1_000.0).floor_per_sec(u32::MAX).window(Duration::MAX);
        budget.deposit_at(Moment::NEVER);
        assert!(budget.try_withdraw_at(Moment::NEVER) && budget.available_at(at(0)) > 0);
        assert!(budget.patience(u64::MAX) > Duration::from_secs(1 << 32));
    }

    #[test]
    #[should_panic(expected = "a ratio between 0 and 1000")]
    fn a_ratio_that_is_no_number_is_refused() {
        let _ = RetryBudget::ratio(f64::NAN);
    }

    #[test]
    #[should_panic(expected = "a window without length")]
    fn a_window_without_length_is_refused() {
        let _ = RetryBudget::ratio(0.1).window(Duration::ZERO);
    }

    proptest! {
        /// The promise of the docs, for every window and for the whole run.
        #[test]
        fn retries_stay_within_the_budget(
            hundredths in 0..300u32,
            floor in 0..5u32,
            steps in prop::collection::vec((0..4u64, 0..6u32, 0..6u32), 1..300),
        ) {
            let budget = RetryBudget::ratio(f64::from(hundredths) / 100.0).floor_per_sec(floor).window(SECOND * 10);
            let (mut now, mut jobs, mut retries) = (0u64, Vec::new(), Vec::new());
            for (seconds, deposits, tries) in steps {
                // Half seconds, so that times fall on the edges of slices and inside.
                now += seconds * 500;
                for _ in 0..deposits {
                    budget.deposit_at(at(now));
                    jobs.push(now / 1_000);
                }
                for _ in 0..tries {
                    let open = |times: &[u64]| times.iter().filter(|&&time| time + 10 > now / 1_000).count() as u64;
                    let covered = open(&jobs) * u64::from(hundredths) + u64::from(floor) * 1_000;
                    let expected = open(&retries) * 100 + 100 <= covered;
                    prop_assert_eq!(budget.try_withdraw_at(at(now)), expected);
                    if expected {
                        retries.push(now / 1_000);
                    }
                }
            }
            let windows = now / 10_000 + 1;
            let bound = jobs.len() as u64 * u64::from(hundredths) + u64::from(floor) * 1_000 * (windows + 1);
            prop_assert!(retries.len() as u64 * 100 <= bound);
        }
    }
}
