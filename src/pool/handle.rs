//! A pool as those see it who only bring work.

use super::dead::DeadLetters;
use super::request::Request;
use crate::queue::{JobId, Queue, Stats, SubmitError, SubmitFuture, SubmitManyError};
use crate::sync::Arc;
use crate::wait::Deadline;
use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, SystemTime};

/// Submits to a [`Pool`](crate::Pool) and looks at it, without keeping its workers alive.
///
/// Cheap to clone. After the pool is shut down or dropped, every submission gives its job back; the stats and the dead
/// letters stay within reach.
///
/// # Examples
///
/// ```
/// use millpond::{Context, Pool};
///
/// let pool = Pool::builder().start(|_: &u32, _: &Context| ())?;
/// let handle = pool.handle();
/// std::thread::spawn(move || handle.submit(1)).join().unwrap()?;
///
/// let handle = pool.handle();
/// drop(pool);
/// assert_eq!(handle.submit(2).unwrap_err().into_inner(), 2);
/// assert_eq!(handle.stats().done, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Handle<T> {
    queue: Arc<Queue<T>>,
}

impl<T> Handle<T> {
    pub(super) fn new(queue: Arc<Queue<T>>) -> Self {
        Self { queue }
    }

    pub(super) fn queue(&self) -> &Arc<Queue<T>> {
        &self.queue
    }

    /// Submits a job, and waits while the pool is full: as [`Pool::submit`](crate::Pool::submit).
    ///
    /// # Errors
    ///
    /// [`SubmitError::Closed`] with the job.
    ///
    /// # Blocking
    ///
    /// As [`Pool::submit`](crate::Pool::submit).
    pub fn submit(&self, job: T) -> Result<JobId, SubmitError<T>> {
        self.queue.submit(job)
    }

    /// Submits a job if there is room: as [`Pool::try_submit`](crate::Pool::try_submit).
    ///
    /// # Errors
    ///
    /// [`SubmitError::Full`] or [`SubmitError::Closed`], with the job.
    pub fn try_submit(&self, job: T) -> Result<JobId, SubmitError<T>> {
        self.queue.try_submit(job)
    }

    /// Submits a job, and waits up to `timeout`: as [`Pool::submit_timeout`](crate::Pool::submit_timeout).
    ///
    /// # Errors
    ///
    /// [`SubmitError::Timeout`] or [`SubmitError::Closed`], with the job.
    ///
    /// # Blocking
    ///
    /// As [`Pool::submit`](crate::Pool::submit).
    pub fn submit_timeout(&self, job: T, timeout: Duration) -> Result<JobId, SubmitError<T>> {
        self.queue.submit_until(job, Deadline::after(timeout))
    }

    /// Submits a job from a task: as [`Pool::submit_async`](crate::Pool::submit_async).
    ///
    /// # Errors
    ///
    /// [`SubmitError::Closed`] with the job.
    pub fn submit_async(&self, job: T) -> SubmitFuture<'_, T> {
        self.queue.submit_async(job)
    }

    /// Submits all jobs in order: as [`Pool::submit_many`](crate::Pool::submit_many).
    ///
    /// # Errors
    ///
    /// When the pool is shut down meanwhile: what was accepted, and what was not.
    ///
    /// # Blocking
    ///
    /// As [`Pool::submit`](crate::Pool::submit).
    pub fn submit_many(&self, jobs: impl Into<VecDeque<T>>) -> Result<Vec<JobId>, SubmitManyError<T>> {
        self.queue.submit_many(jobs.into())
    }

    /// Begins a submission with wishes: a delay, a time to live, a key that keeps duplicates out. See [`Request`].
    pub fn job(&self, job: T) -> Request<'_, T> {
        Request::new(&self.queue, job)
    }

    /// Submits a job that is due after `delay`, and waits while the pool is full: short for
    /// [`job`](Self::job)`(job).`[`after`](Request::after)`(delay).`[`submit`](Request::submit)`()`.
    ///
    /// # Errors
    ///
    /// [`SubmitError::Closed`] with the job.
    ///
    /// # Blocking
    ///
    /// As [`Pool::submit`](crate::Pool::submit).
    pub fn submit_after(&self, job: T, delay: Duration) -> Result<JobId, SubmitError<T>> {
        self.job(job).after(delay).submit()
    }

    /// Submits a job that is due at this time of day, and waits while the pool is full: see [`Request::at`].
    ///
    /// # Errors
    ///
    /// [`SubmitError::Closed`] with the job.
    ///
    /// # Blocking
    ///
    /// As [`Pool::submit`](crate::Pool::submit).
    pub fn submit_at(&self, job: T, time: SystemTime) -> Result<JobId, SubmitError<T>> {
        self.job(job).at(time).submit()
    }

    /// Returns the pool's dead letters.
    #[must_use]
    pub fn dead(&self) -> DeadLetters<T> {
        DeadLetters::new(Arc::clone(&self.queue))
    }

    /// Returns a snapshot of what the pool has done and holds.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.queue.stats()
    }

    /// Returns the pool's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.queue.name()
    }
}

impl<T> Clone for Handle<T> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.queue))
    }
}

impl<T> fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("name", &self.name()).finish_non_exhaustive()
    }
}

// Usable after a panic was caught, whatever it was that panicked (promise 9).
impl<T> std::panic::UnwindSafe for Handle<T> {}
impl<T> std::panic::RefUnwindSafe for Handle<T> {}
