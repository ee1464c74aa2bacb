//! A job that is about to be submitted, and what is wished for it.

use crate::queue::{JobHandle, JobId, Queue, Requested, SubmitError, Track, Unique, When, Wishes};
use crate::sync::Arc;
use crate::wait::{Attempt, Deadline, Source, Waiting, block_on};
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

/// A job that is to be submitted with wishes: [`Pool::job`](crate::Pool::job) makes one.
///
/// Nothing happens before one of `submit`, `try_submit`, `submit_timeout` and `submit_async` is called.
///
/// # Examples
///
/// ```
/// use millpond::{Context, Pool, SubmitError, Unique, VirtualClock};
/// use std::time::Duration;
///
/// let time = VirtualClock::new();
/// let pool = Pool::builder().clock(time.clock()).start(|order: &u32, _: &Context| println!("{order}"))?;
/// let id = pool
///     .job(17)
///     .after(Duration::from_secs(60))
///     .ttl(Duration::from_secs(3600))
///     .unique("order 17", Unique::UntilDone)
///     .submit()?;
///
/// // The same again, while the first is held:
/// let again = pool.job(17).unique("order 17", Unique::UntilDone).try_submit();
/// assert_eq!(again, Err(SubmitError::Duplicate { job: 17, holder: id }));
///
/// time.advance(Duration::from_secs(60));
/// assert!(pool.wait_idle(Duration::from_secs(10)));
/// assert_eq!(pool.stats().done, 1);
/// assert!(pool.job(17).unique("order 17", Unique::UntilDone).try_submit().is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "nothing is submitted before one of the submitting methods is called"]
pub struct Request<'q, T> {
    queue: &'q Arc<Queue<T>>,
    job: T,
    wishes: Wishes,
}

impl<'q, T> Request<'q, T> {
    pub(super) fn new(queue: &'q Arc<Queue<T>>, job: T) -> Self {
        Self { queue, job, wishes: Wishes::default() }
    }

    /// Has the job wait in the schedule for so long after it is accepted, by the pool's clock. Meanwhile it holds a place of
    /// the capacity. It replaces an earlier [`at`](Self::at).
    pub fn after(mut self, delay: Duration) -> Self {
        self.wishes.when = When::After(delay);
        self
    }

    /// Has the job wait in the schedule until this time of day; one that has passed is no delay at all.
    ///
    /// How long that is, is worked out when the job is accepted: if the system's clock is set later on, that changes nothing.
    pub fn at(mut self, time: SystemTime) -> Self {
        self.wishes.when = When::At(time);
        self
    }

    /// Sets the time to live: so long after it was accepted, by the pool's clock, the job is no longer begun.
    ///
    /// Instead it becomes a dead letter, for the reason [`DeadReason::Expired`](crate::DeadReason::Expired), when its turn comes:
    /// until then it is held. A delay counts, and so do retries: an attempt that has begun in time may end later, but the
    /// next does not begin. A letter that is redriven has no time to live.
    pub fn ttl(mut self, time: Duration) -> Self {
        self.wishes.ttl = Some(time);
        self
    }

    /// Has the pool refuse this job while another holds the same key, and others while this one holds it.
    ///
    /// With [`Unique::UntilDone`] the key is free again when the job is over in any way: done, dead (what becomes of the
    /// letter does not matter, and a letter that is redriven has no key), dropped, cancelled, handed back by a shutdown or
    /// cut off by one. Retries, snoozes, lost leases and waiting in the schedule keep it. With [`Unique::For`] it is held for
    /// that time, and no longer, whatever becomes of the job. A job that was not accepted holds nothing.
    ///
    /// The pool remembers so many keys at most: see [`PoolBuilder::unique_keys`](crate::PoolBuilder::unique_keys).
    pub fn unique(mut self, key: impl AsRef<[u8]>, unique: Unique) -> Self {
        self.wishes.unique = Some((key.as_ref().into(), unique));
        self
    }

    /// Has the submission return a [`JobHandle`], by which the job can be waited for, cancelled, and asked how far it is. Comes
    /// last, before submitting.
    pub fn tracked(mut self) -> TrackedRequest<'q, T> {
        let track = Arc::new(Track::default());
        self.wishes.track = Some(Arc::clone(&track));
        TrackedRequest { request: self, track }
    }

    /// Submits the job, and waits while the pool is full.
    ///
    /// # Errors
    ///
    /// [`SubmitError::Closed`], and with [`unique`](Self::unique) [`SubmitError::Duplicate`] and [`SubmitError::Keys`], all
    /// with the job. For a duplicate it does not wait, whether the pool is full or not.
    ///
    /// # Blocking
    ///
    /// As [`Pool::submit`](crate::Pool::submit).
    pub fn submit(self) -> Result<JobId, SubmitError<T>> {
        self.submit_until(Deadline::never())
    }

    /// Submits the job if there is room. Never parks.
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit), and [`SubmitError::Full`].
    pub fn try_submit(self) -> Result<JobId, SubmitError<T>> {
        let mut requested = Requested::new(self.queue, self.job, self.wishes);
        match requested.attempt() {
            Attempt::Done(done) => done,
            Attempt::Blocked | Attempt::Busy => Err(SubmitError::Full(requested.into_job())),
        }
    }

    /// Submits the job, and waits up to `timeout`, in real time, while the pool is full.
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit), and [`SubmitError::Timeout`].
    ///
    /// # Blocking
    ///
    /// As [`submit`](Self::submit), until the time is up.
    pub fn submit_timeout(self, timeout: Duration) -> Result<JobId, SubmitError<T>> {
        self.submit_until(Deadline::after(timeout))
    }

    fn submit_until(self, deadline: Deadline) -> Result<JobId, SubmitError<T>> {
        let mut requested = Requested::new(self.queue, self.job, self.wishes);
        match block_on(&mut requested, deadline) {
            Ok(done) => done,
            Err(_) => Err(SubmitError::Timeout(requested.into_job())),
        }
    }

    /// Submits the job from a task, and waits while the pool is full. Works with any executor.
    ///
    /// Cancel-safe: if the future is dropped before it is finished, nothing was submitted, no key is held, and the job is
    /// dropped with it.
    ///
    /// # Errors
    ///
    /// As [`submit`](Self::submit).
    pub fn submit_async(self) -> RequestFuture<'q, T> {
        RequestFuture { waiting: Waiting::new(Requested::new(self.queue, self.job, self.wishes)) }
    }
}

impl<T> fmt::Debug for Request<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("when", &self.wishes.when)
            .field("ttl", &self.wishes.ttl)
            .field("unique", &self.wishes.unique)
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of [`Request::submit_async`].
    ///
    /// Cancel-safe: dropped before it is finished, it has submitted nothing, and the job is dropped with it.
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct RequestFuture<'q, T> {
        #[pin]
        waiting: Waiting<Requested<'q, T>>,
    }
}

impl<T> RequestFuture<'_, T> {
    /// Stops submitting and takes the job back. None if it was accepted, or given back before.
    pub fn into_inner(self: Pin<&mut Self>) -> Option<T> {
        self.project().waiting.cancel().take()
    }
}

impl<T> Future for RequestFuture<'_, T> {
    type Output = Result<JobId, SubmitError<T>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().waiting.poll(context)
    }
}

impl<T> fmt::Debug for RequestFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestFuture").finish_non_exhaustive()
    }
}

/// As a [`Request`], for a job that is tracked: submitting it returns a [`JobHandle`].
#[must_use = "nothing is submitted before one of the submitting methods is called"]
pub struct TrackedRequest<'q, T> {
    request: Request<'q, T>,
    track: Arc<Track>,
}

impl<'q, T> TrackedRequest<'q, T> {
    /// Submits the job, and waits while the pool is full: as [`Request::submit`].
    ///
    /// # Errors
    ///
    /// As [`Request::submit`].
    ///
    /// # Blocking
    ///
    /// As [`Request::submit`].
    pub fn submit(self) -> Result<JobHandle<T>, SubmitError<T>> {
        let queue = self.request.queue;
        self.request.submit().map(|id| JobHandle::new(id, self.track, queue))
    }

    /// Submits the job if there is room: as [`Request::try_submit`]. Never parks.
    ///
    /// # Errors
    ///
    /// As [`Request::try_submit`].
    pub fn try_submit(self) -> Result<JobHandle<T>, SubmitError<T>> {
        let queue = self.request.queue;
        self.request.try_submit().map(|id| JobHandle::new(id, self.track, queue))
    }

    /// Submits the job, and waits up to `timeout`: as [`Request::submit_timeout`].
    ///
    /// # Errors
    ///
    /// As [`Request::submit_timeout`].
    ///
    /// # Blocking
    ///
    /// As [`Request::submit_timeout`].
    pub fn submit_timeout(self, timeout: Duration) -> Result<JobHandle<T>, SubmitError<T>> {
        let queue = self.request.queue;
        self.request.submit_timeout(timeout).map(|id| JobHandle::new(id, self.track, queue))
    }

    /// Submits the job from a task: as [`Request::submit_async`].
    ///
    /// # Errors
    ///
    /// As [`Request::submit`].
    pub fn submit_async(self) -> TrackedFuture<'q, T> {
        let queue = self.request.queue;
        TrackedFuture { submission: self.request.submit_async(), track: self.track, queue }
    }
}

impl<T> fmt::Debug for TrackedRequest<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackedRequest").field("request", &self.request).finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of [`TrackedRequest::submit_async`]: it ends when the job is accepted, with its handle.
    ///
    /// Cancel-safe: dropped before it is finished, it has submitted nothing, and the job is dropped with it.
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct TrackedFuture<'q, T> {
        #[pin]
        submission: RequestFuture<'q, T>,
        track: Arc<Track>,
        queue: &'q Arc<Queue<T>>,
    }
}

impl<T> TrackedFuture<'_, T> {
    /// Stops submitting and takes the job back. None if it was accepted, or given back before.
    pub fn into_inner(self: Pin<&mut Self>) -> Option<T> {
        self.project().submission.into_inner()
    }
}

impl<T> Future for TrackedFuture<'_, T> {
    type Output = Result<JobHandle<T>, SubmitError<T>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (track, queue) = (this.track, *this.queue);
        this.submission.poll(context).map_ok(|id| JobHandle::new(id, Arc::clone(track), queue))
    }
}

impl<T> fmt::Debug for TrackedFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackedFuture").finish_non_exhaustive()
    }
}
