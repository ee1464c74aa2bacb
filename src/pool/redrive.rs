//! Redriving dead letters at a rate, beside the caller.

use crate::queue::{Course, DeadFilter, NotNow, Queue, RedriveEnd, RedriveProgress, Turn};
use crate::sync::{Arc, thread};
use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

/// Describes a redrive that runs beside its caller, and starts it: see
/// [`DeadLetters::redrive_with`](crate::DeadLetters::redrive_with).
#[must_use = "nothing is redriven before `start`"]
pub struct RedriveBuilder<T> {
    queue: Arc<Queue<T>>,
    filter: DeadFilter<T>,
    rate: Option<f64>,
}

impl<T> RedriveBuilder<T> {
    pub(super) fn new(queue: Arc<Queue<T>>, filter: DeadFilter<T>) -> Self {
        Self { queue, filter, rate: None }
    }

    /// Sets how many jobs are submitted a second at most, by the pool's clock. Without this, as many as there is room for.
    ///
    /// Up to 1000 a second, one at a time, with the distance between any two that the rate gives; above, a few together, some
    /// thousand times a second. In any window of `w` seconds there are at most `w * per_second` jobs and one such
    /// group. Time that was missed, when the pool was full or the machine busy, is not made up for.
    pub fn rate(mut self, per_second: f64) -> Self {
        self.rate = Some(per_second);
        self
    }

    /// Starts to submit the jobs of the letters that the filter means and that are here now, the oldest first.
    ///
    /// The filter is asked now, in the calling thread. The jobs are moved by a thread that ends with the redrive. When the
    /// pool is full, it waits for room, among the others who submit. Each job keeps its number and the time it was accepted
    /// at, and its attempts start anew.
    ///
    /// # Errors
    ///
    /// See [`StartRedriveError`]. A pool runs one such redrive at a time, as an SQS queue does: two could move the same
    /// letters, and each would keep a rate that both together exceed.
    pub fn start(self) -> Result<Redrive, StartRedriveError>
    where
        T: Send + 'static,
    {
        if self.rate.is_some_and(|rate| !(rate > 0.0 && rate.is_finite())) {
            return Err(StartRedriveError::Rate);
        }
        let places = self.queue.dead_places(&self.filter);
        let turn = Turn::take(&self.queue, places.len()).map_err(|not_now| match not_now {
            NotNow::Running => StartRedriveError::Running,
            NotNow::Closed => StartRedriveError::Closed,
        })?;
        let redrive = Redrive { course: Arc::clone(turn.course()) };
        let name = format!("{}-redrive", self.queue.name());
        let rate = self.rate;
        thread::Builder::new()
            .name(name)
            .spawn(move || turn.run(places, rate))
            .map_err(StartRedriveError::Spawn)?;
        Ok(redrive)
    }
}

impl<T> fmt::Debug for RedriveBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedriveBuilder").field("filter", &self.filter).field("rate", &self.rate).finish()
    }
}

/// A redrive that runs beside its caller. Cheap to clone; dropping it does not stop the redrive.
///
/// # Examples
///
/// ```
/// use millpond::{Context, DeadFilter, Outcome, Pool, RedriveEnd};
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use std::time::Duration;
///
/// static REPAIRED: AtomicBool = AtomicBool::new(false);
/// let pool = Pool::builder().start(|_: &u32, _: &Context| {
///     if REPAIRED.load(Ordering::Relaxed) { Outcome::Done } else { Outcome::dead("the printer is on fire") }
/// })?;
/// pool.submit_many((0..20).collect::<Vec<_>>())?;
/// assert!(pool.wait_idle(Duration::from_secs(10)));
///
/// REPAIRED.store(true, Ordering::Relaxed);
/// let fire = DeadFilter::all().error_contains("fire");
/// let redrive = pool.dead().redrive_with(fire).rate(10_000.0).start()?;
/// assert!(redrive.wait(Duration::from_secs(10)));
/// let progress = redrive.progress();
/// assert_eq!((progress.moved, progress.left, progress.end), (20, 0, Some(RedriveEnd::Finished)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Redrive {
    course: Arc<Course>,
}

impl Redrive {
    pub(super) fn new(course: Arc<Course>) -> Self {
        Self { course }
    }

    /// Returns how far it is. It may be further before this returns.
    #[must_use]
    pub fn progress(&self) -> RedriveProgress {
        self.course.progress()
    }

    /// Returns true once it has ended, for whatever reason.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.progress().end.is_some()
    }

    /// Stops it: at most the one job that is being moved is moved after this. Does not wait for that, [`wait`](Self::wait)
    /// does.
    ///
    /// Letters that were not moved stay dead letters, where they were. No effect once it has ended.
    pub fn cancel(&self) {
        self.course.stop(RedriveEnd::Cancelled);
    }

    /// Waits until it has ended. False when the time is up, which is real time whatever the pool's clock is.
    ///
    /// # Blocking
    ///
    /// Parks the thread.
    #[must_use]
    pub fn wait(&self, timeout: Duration) -> bool {
        self.course.wait(timeout)
    }
}

impl fmt::Debug for Redrive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redrive").field("progress", &self.progress()).finish_non_exhaustive()
    }
}

/// Why a redrive was not started. No letter was moved.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartRedriveError {
    /// The rate is not a number above 0.
    Rate,
    /// Another one is running: see [`DeadLetters::redriving`](crate::DeadLetters::redriving).
    Running,
    /// The pool is shut down.
    Closed,
    /// The system refused a thread.
    Spawn(io::Error),
}

impl fmt::Display for StartRedriveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StartRedriveError::Rate => "a rate is a number above 0",
            StartRedriveError::Running => "a redrive is running already",
            StartRedriveError::Closed => "the pool is shut down",
            StartRedriveError::Spawn(_) => "a thread could not be started",
        })
    }
}

impl Error for StartRedriveError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            StartRedriveError::Spawn(error) => Some(error),
            _ => None,
        }
    }
}

// Usable after a panic was caught, whatever it was that panicked (promise 9).
impl std::panic::UnwindSafe for Redrive {}
impl std::panic::RefUnwindSafe for Redrive {}
