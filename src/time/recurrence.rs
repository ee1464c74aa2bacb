//! What to do about runs that were missed.

use super::cron::CronSchedule;
use std::time::{Duration, SystemTime};

/// How many runs that are passed over are counted at most, so that a long absence does not take long to look back on.
const SKIPPED_MAX: u64 = 10_000;
const GRACE_DEFAULT: Duration = Duration::from_secs(60);

/// What becomes of runs whose time came while nobody was there to start them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Missed {
    /// They are passed over: only a run whose time has come within the grace period is started.
    #[default]
    Skip,
    /// One run is started for all of them, at the time of the latest.
    RunOnce,
    /// Each is started, in order, up to so many: the latest ones.
    RunAll(usize),
}

/// A schedule, and what to do about its runs that were missed.
///
/// Pure: it is told when it was last asked and what time it is, and says what is due.
///
/// # Examples
///
/// ```
/// use millpond::{CronSchedule, Missed, Recurrence};
/// use std::time::{Duration, UNIX_EPOCH};
///
/// let hourly: CronSchedule = "@hourly".parse()?;
/// let report = Recurrence::new(hourly, Missed::RunAll(3));
/// // Down from 00:00 until 05:30.
/// let due = report.due(UNIX_EPOCH, UNIX_EPOCH + Duration::from_secs(5 * 3600 + 1800));
/// let hours: Vec<u64> = due.runs.iter().map(|run| run.duration_since(UNIX_EPOCH).unwrap().as_secs() / 3600).collect();
/// assert_eq!((hours, due.skipped), (vec![3, 4, 5], 2));
/// # Ok::<(), millpond::CronError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Recurrence {
    schedule: CronSchedule,
    missed: Missed,
    grace: Duration,
}

/// What is due: see [`Recurrence::due`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Due {
    /// The times of the runs to start, the earliest first.
    pub runs: Vec<SystemTime>,
    /// How many runs are passed over; of more than ten thousand, the latest ten thousand are counted.
    pub skipped: u64,
}

impl From<CronSchedule> for Recurrence {
    /// With the default policy: missed runs are passed over.
    fn from(schedule: CronSchedule) -> Self {
        Self::new(schedule, Missed::default())
    }
}

impl Recurrence {
    /// Puts a schedule together with a policy. The grace period is a minute.
    #[must_use]
    pub fn new(schedule: CronSchedule, missed: Missed) -> Self {
        Self { schedule, missed, grace: GRACE_DEFAULT }
    }

    /// Sets how late a run may be started under [`Missed::Skip`].
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Returns the schedule.
    #[must_use]
    pub fn schedule(&self) -> &CronSchedule {
        &self.schedule
    }

    /// Returns what became due after `last` and up to `now`, and so when to ask again: after `now`.
    ///
    /// `last` is when this was last asked, or the time of the last run that was started; at the very first, when the schedule
    /// was set up. If the wall clock was set back, so that `now` is before `last`, nothing is due. Takes a few microseconds for
    /// each run that is started or passed over.
    #[must_use]
    pub fn due(&self, last: SystemTime, now: SystemTime) -> Due {
        let limit = match self.missed {
            Missed::Skip | Missed::RunOnce => 1,
            Missed::RunAll(max) => max,
        };
        let mut due = Due::default();
        // From the latest backwards: that is the end which is kept.
        let mut next = self.schedule.latest_until(now);
        while let Some(run) = next.filter(|run| *run > last) {
            if due.runs.len() < limit && self.is_wanted(run, now) {
                due.runs.push(run);
            } else if due.skipped < SKIPPED_MAX {
                due.skipped += 1;
            } else {
                break;
            }
            next = run
                .checked_sub(Duration::from_nanos(1))
                .and_then(|before| self.schedule.latest_until(before));
        }
        due.runs.reverse();
        due
    }

    fn is_wanted(&self, run: SystemTime, now: SystemTime) -> bool {
        self.missed != Missed::Skip || now.duration_since(run).is_ok_and(|late| late <= self.grace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::UNIX_EPOCH;

    fn at(minutes: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(minutes * 60)
    }

    fn every_ten(missed: Missed) -> Recurrence {
        Recurrence::new(CronSchedule::parse("*/10 * * * *").unwrap(), missed)
    }

    #[test]
    fn a_run_on_time_is_started_whatever_the_policy() {
        for missed in [Missed::Skip, Missed::RunOnce, Missed::RunAll(5)] {
            let recurrence = every_ten(missed);
            let late = at(10) + Duration::from_millis(300);
            assert_eq!(recurrence.due(at(0), late), Due { runs: vec![at(10)], skipped: 0 }, "{missed:?}");
            assert_eq!(recurrence.due(late, at(19)), Due::default());
            assert_eq!(recurrence.due(at(20), at(9)), Due::default(), "the clock was set back");
        }
    }

    #[test]
    fn missed_runs_are_skipped_joined_or_made_up_for() {
        let (last, now) = (at(0), at(55));
        let due = |missed| every_ten(missed).due(last, now);
        assert_eq!(due(Missed::Skip), Due { runs: vec![], skipped: 5 });
        assert_eq!(every_ten(Missed::Skip).due(last, at(50)), Due { runs: vec![at(50)], skipped: 4 });
        assert_eq!(
            every_ten(Missed::Skip).grace(Duration::from_secs(300)).due(last, now),
            Due { runs: vec![at(50)], skipped: 4 }
        );
        assert_eq!(due(Missed::RunOnce), Due { runs: vec![at(50)], skipped: 4 });
        assert_eq!(due(Missed::RunAll(2)), Due { runs: vec![at(40), at(50)], skipped: 3 });
        assert_eq!(due(Missed::RunAll(0)), Due { runs: vec![], skipped: 5 });
        assert_eq!(due(Missed::RunAll(99)).runs, [10, 20, 30, 40, 50].map(at));
    }

    #[test]
    fn a_long_absence_is_not_counted_to_its_end() {
        let due = every_ten(Missed::RunAll(2)).due(at(0), at(10 * 60 * 24 * 365));
        assert_eq!((due.runs.len(), due.skipped), (2, SKIPPED_MAX));
    }

    proptest! {
        /// However often one asks, every run is started once or counted once.
        #[test]
        fn asking_in_steps_starts_each_run_once(
            steps in prop::collection::vec(1..45u64, 1..30),
            max in 0..4usize,
            kind in 0..3usize,
        ) {
            let missed = [Missed::Skip, Missed::RunOnce, Missed::RunAll(max)][kind];
            let recurrence = every_ten(missed);
            let (mut last, mut now, mut started, mut skipped) = (at(0), 0, Vec::new(), 0);
            for step in steps {
                now += step;
                let due = recurrence.due(last, at(now));
                prop_assert!(due.runs.iter().all(|run| *run > last && *run <= at(now)));
                started.extend(due.runs);
                skipped += due.skipped;
                last = at(now);
            }
            prop_assert!(started.is_sorted_by(|a, b| a < b));
            prop_assert_eq!(started.len() as u64 + skipped, now / 10);
        }
    }
}
