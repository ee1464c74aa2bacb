//! What a policy would do, without doing it.

use super::policy::RetryPolicy;
use super::random::mix;
use std::fmt;
use std::time::Duration;

/// The number that jitter is drawn for: that of no job.
const NO_JOB: u64 = 0;
/// How many rows a plan prints before it says that there are more: a guess at a page.
const ROWS_MAX: usize = 50;
/// How much further the groups of columns of that table stand apart than the columns.
const GROUP_GAP: usize = 3;

/// The attempts of one job that fails each time: an iterator, and a table when it is printed.
///
/// Made by [`RetryPolicy::plan`]. It ends with the last attempt that the policy allows, which with
/// `max_attempts(u32::MAX)` is as good as never.
#[derive(Clone, Debug)]
#[must_use = "a plan is to be iterated over, or printed"]
pub struct Plan {
    policy: RetryPolicy,
    seed: u64,
    /// The attempt that comes next; none after the last one.
    next: Option<Planned>,
}

/// One attempt of a [`Plan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Planned {
    /// Which attempt it is; the first is 1.
    pub attempt: u32,
    /// How long the job waits before it: nothing before the first.
    pub delay: Duration,
    /// The shortest delay that jitter allows.
    pub delay_min: Duration,
    /// The longest delay that jitter allows.
    pub delay_max: Duration,
    /// How long after the first attempt it falls due, if the attempts themselves take no time.
    pub offset: Duration,
    /// The earliest it can fall due.
    pub offset_min: Duration,
    /// The latest it can fall due.
    pub offset_max: Duration,
}

impl Planned {
    const FIRST: Self = Self {
        attempt: 1,
        delay: Duration::ZERO,
        delay_min: Duration::ZERO,
        delay_max: Duration::ZERO,
        offset: Duration::ZERO,
        offset_min: Duration::ZERO,
        offset_max: Duration::ZERO,
    };
}

impl RetryPolicy {
    /// Returns the attempts of one job that fails each time, with their delays and the bounds of those.
    ///
    /// `seed` is that of the jitter: the same one makes the same plan. What a rule of [`decide`](Self::decide) or a handler
    /// would say is left out, and so is a budget; the attempts themselves are taken to last no time.
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::{Jitter, RetryPolicy};
    /// use std::time::Duration;
    ///
    /// let policy = RetryPolicy::exponential(Duration::from_secs(1), Duration::from_secs(3)).jitter(Jitter::Equal);
    /// for attempt in policy.plan(42) {
    ///     assert!(attempt.delay_min <= attempt.delay && attempt.delay <= attempt.delay_max);
    /// }
    /// let exact = policy.jitter(Jitter::None).max_attempts(3);
    /// assert_eq!(exact.plan(0).to_string(), "\
    /// attempt      delay   least   most      offset   least   most
    ///       1         0s      0s     0s          0s      0s     0s
    ///       2         1s      1s     1s          1s      1s     1s
    ///       3         2s      2s     2s          3s      3s     3s
    /// ");
    /// ```
    pub fn plan(&self, seed: u64) -> Plan {
        Plan { policy: self.clone(), seed, next: Some(Planned::FIRST) }
    }
}

impl Plan {
    /// The attempt after `last`, if the policy allows one.
    fn after(&self, last: &Planned) -> Option<Planned> {
        if self.policy.is_last(last.attempt) {
            return None;
        }
        let random = mix(self.seed, NO_JOB, last.attempt);
        let delay = self.policy.delay(last.attempt, last.delay, random);
        let (delay_min, delay_max) = self.policy.bounds(last.attempt, last.delay_max);
        let offset = last.offset.saturating_add(delay);
        (!self.policy.is_too_late(offset)).then(|| Planned {
            attempt: last.attempt + 1,
            delay,
            delay_min,
            delay_max,
            offset,
            offset_min: last.offset_min.saturating_add(delay_min),
            offset_max: last.offset_max.saturating_add(delay_max),
        })
    }
}

impl Iterator for Plan {
    type Item = Planned;

    fn next(&mut self) -> Option<Planned> {
        let planned = self.next?;
        self.next = self.after(&planned);
        Some(planned)
    }
}

impl std::iter::FusedIterator for Plan {}

impl fmt::Display for Plan {
    /// Writes what is left of the plan as a table, up to 50 attempts; after those, whether there are more.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut plan = self.clone();
        let rows: Vec<_> = plan.by_ref().take(ROWS_MAX).map(row).collect();
        let head = ["attempt", "delay", "least", "most", "offset", "least", "most"].map(str::to_owned);
        let mut widths = head.clone().map(|title| title.chars().count());
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        // The two groups of three stand apart from each other.
        widths[1] += GROUP_GAP;
        widths[4] += GROUP_GAP;
        for row in std::iter::once(&head).chain(&rows) {
            for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
                let gap = if column == 0 { "" } else { "   " };
                write!(f, "{gap}{cell:>width$}")?;
            }
            writeln!(f)?;
        }
        if plan.next.is_some() { writeln!(f, "and more") } else { Ok(()) }
    }
}

fn row(planned: Planned) -> [String; 7] {
    let Planned { attempt, delay, delay_min, delay_max, offset, offset_min, offset_max } = planned;
    let [delay, delay_min, delay_max, offset, offset_min, offset_max] =
        [delay, delay_min, delay_max, offset, offset_min, offset_max].map(short);
    [attempt.to_string(), delay, delay_min, delay_max, offset, offset_min, offset_max]
}

/// Writes a time for a table, with its two largest units: `2d 3h`, `4m 5s`, `6s`, `78ms`.
fn short(time: Duration) -> String {
    let seconds = time.as_secs();
    let pair = |high: u64, high_name: char, low: u64, low_name: char| match low {
        0 => format!("{high}{high_name}"),
        _ => format!("{high}{high_name} {low}{low_name}"),
    };
    match seconds {
        0 if time.is_zero() => "0s".to_owned(),
        0 if time.as_millis() == 0 => format!("{time:?}"),
        0 => format!("{}ms", time.as_millis()),
        1..60 if time.subsec_millis() > 0 => format!("{}.{:03}s", seconds, time.subsec_millis()),
        1..60 => format!("{seconds}s"),
        60..3_600 => pair(seconds / 60, 'm', seconds % 60, 's'),
        3_600..86_400 => pair(seconds / 3_600, 'h', seconds / 60 % 60, 'm'),
        _ => pair(seconds / 86_400, 'd', seconds / 3_600 % 24, 'h'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retry::Jitter;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn times_are_written_with_two_units() {
        let cases = [
            (Duration::ZERO, "0s"),
            (Duration::from_nanos(1_500), "1.5µs"),
            (Duration::from_millis(78), "78ms"),
            (Duration::from_millis(1_005), "1.005s"),
            (SECOND * 60, "1m"),
            (SECOND * 245, "4m 5s"),
            (SECOND * 3_661, "1h 1m"),
            (SECOND * 86_400, "1d"),
            (SECOND * 190_000, "2d 4h"),
        ];
        for (time, text) in cases {
            assert_eq!(short(time), text);
        }
    }

    #[test]
    fn a_plan_is_repeatable_and_says_when_there_is_more() {
        let policy = RetryPolicy::exponential(SECOND, SECOND * 60).max_attempts(u32::MAX);
        let first: Vec<_> = policy.plan(9).take(20).collect();
        assert_eq!(first, policy.plan(9).take(20).collect::<Vec<_>>());
        assert_ne!(first, policy.plan(8).take(20).collect::<Vec<_>>());
        let text = policy.plan(9).to_string();
        assert!(text.ends_with("and more\n"), "{text}");
        assert_eq!(text.lines().count(), 52);
        let mut short = policy.max_attempts(2).plan(0);
        assert_eq!(short.by_ref().count(), 2);
        assert_eq!(short.next(), None);
    }

    #[test]
    fn a_plan_ends_where_the_time_does() {
        let policy = RetryPolicy::fixed(SECOND * 10).max_attempts(100).within(SECOND * 35);
        let offsets: Vec<_> = policy.plan(0).map(|attempt| attempt.offset.as_secs()).collect();
        assert_eq!(offsets, [0, 10, 20, 30]);
    }

    proptest! {
        #[test]
        fn what_is_planned_lies_within_its_bounds(seed in any::<u64>(), base in 0..100_000u64, kind in 0..5usize) {
            let base = Duration::from_millis(base);
            let policy = match kind {
                0 => RetryPolicy::decorrelated(base, SECOND * 50),
                1 => RetryPolicy::exponential(base, SECOND * 50),
                2 => RetryPolicy::linear(base).jitter(Jitter::Equal),
                3 => RetryPolicy::oban(),
                _ => RetryPolicy::polynomial(3, Duration::MAX),
            };
            let mut sum = Duration::ZERO;
            for (number, attempt) in (1..).zip(policy.max_attempts(30).plan(seed)) {
                prop_assert_eq!(attempt.attempt, number);
                prop_assert!(attempt.delay_min <= attempt.delay && attempt.delay <= attempt.delay_max);
                prop_assert!(attempt.offset_min <= attempt.offset && attempt.offset <= attempt.offset_max);
                sum = sum.saturating_add(attempt.delay);
                prop_assert_eq!(attempt.offset, sum);
            }
        }
    }
}
