//! Jobs that a pool submits to itself by a schedule.

use super::handle::Handle;
use super::owner::Pool;
use crate::queue::{Queue, Runs};
use crate::sync::Arc;
use crate::time::Recurrence;
use std::fmt;

/// A job that recurs: [`Pool::recurring`] sets it up. Dropping this stops it; jobs that were submitted stay.
#[must_use = "dropping it stops the recurring job"]
pub struct Recurring {
    runs: Arc<Runs>,
}

impl Recurring {
    /// Stops it. Of no effect if it has stopped: by this, or with its pool.
    ///
    /// Does not wait: a run that is being submitted at this moment may still come. The closure is dropped by the pool's timer.
    pub fn stop(&self) {
        self.runs.stop();
    }

    /// Returns true once it was stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.runs.is_stopped()
    }

    /// Returns how many runs were started: their jobs were submitted.
    #[must_use]
    pub fn started(&self) -> u64 {
        self.runs.counts()[0]
    }

    /// Returns how many runs were passed over by the policy, after they were missed.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.runs.counts()[1]
    }

    /// Returns how many runs have no job because making it panicked.
    #[must_use]
    pub fn panicked(&self) -> u64 {
        self.runs.counts()[2]
    }
}

impl Drop for Recurring {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Recurring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [started, skipped, panicked] = self.runs.counts();
        f.debug_struct("Recurring")
            .field("started", &started)
            .field("skipped", &skipped)
            .field("panicked", &panicked)
            .field("stopped", &self.is_stopped())
            .finish()
    }
}

impl<T> Pool<T> {
    /// Has the pool submit a job that `make` makes whenever the schedule says so, by the pool's clock.
    ///
    /// The first run is the first that falls after this call. The pool's timer makes and submits the jobs, and waits for
    /// nothing: **if the pool is full, the run counts as missed.** What becomes of missed runs is for the policy to say
    /// ([`Missed`](crate::Missed)), when the next run is due: then it sees all that were missed since, whether the pool was full
    /// or the clock jumped ahead. The system's clock is looked at once a minute at least, so a step of it is noticed by then; if
    /// it is set back, nothing runs until it is past the last run again.
    ///
    /// `make` had better be quick: retries and delays wait for it. A panic in it is caught and counted. It is dropped when
    /// this is stopped, and at a shutdown.
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::{Context, CronSchedule, Pool, VirtualClock};
    /// use std::time::Duration;
    ///
    /// let time = VirtualClock::new();
    /// let pool = Pool::builder().clock(time.clock()).start(|report: &&str, _: &Context| println!("{report}"))?;
    /// let hourly: CronSchedule = "@hourly".parse()?;
    /// let recurring = pool.recurring(hourly, || "report");
    /// for hour in 1..=3 {
    ///     time.advance(Duration::from_secs(3600));
    ///     while recurring.started() < hour {
    ///         std::thread::yield_now();
    ///     }
    /// }
    /// assert!(pool.wait_idle(Duration::from_secs(10)));
    /// assert_eq!(pool.stats().done, 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recurring(
        &self,
        recurrence: impl Into<Recurrence>,
        make: impl FnMut() -> T + Send + 'static,
    ) -> Recurring {
        set_up(self.queue(), recurrence.into(), make)
    }
}

impl<T> Handle<T> {
    /// Has the pool submit a job by a schedule: as [`Pool::recurring`].
    pub fn recurring(
        &self,
        recurrence: impl Into<Recurrence>,
        make: impl FnMut() -> T + Send + 'static,
    ) -> Recurring {
        set_up(self.queue(), recurrence.into(), make)
    }
}

fn set_up<T>(
    queue: &Queue<T>,
    recurrence: Recurrence,
    make: impl FnMut() -> T + Send + 'static,
) -> Recurring {
    Recurring { runs: queue.repeat(recurrence, Box::new(make)) }
}
