//! The end of a tracked job that its submitter holds.

use super::envelope::JobId;
use super::track::{JobEnd, Progress, Track};
use super::work::Queue;
use crate::sync::{Arc, Weak};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// A job that was submitted and can be waited for: [`Request::tracked`](crate::Request::tracked) asks for one.
///
/// It is a future of the job's end, for any executor; `&mut` of it is one as well. Polling it is cancel-safe. Dropping it
/// changes nothing for the job. It keeps neither the pool nor the job alive, and every end of the job resolves it, the end of
/// the pool too.
///
/// The job has left the books, and its key is free, before its end is told here.
///
/// # Examples
///
/// ```
/// use millpond::{Context, JobEnd, Pool};
///
/// let pool = Pool::builder().start(|number: &u64, cx: &Context| {
///     cx.set_progress(1, 1);
///     let _listened = cx.set_result(number * number);
/// })?;
/// let squared = pool.job(12).tracked().submit()?;
/// assert_eq!(squared.wait(), JobEnd::Done);
/// assert_eq!(squared.take_result::<u64>(), Some(144));
///
/// let squared = pool.job(5).tracked().submit()?;
/// assert_eq!(futures::executor::block_on(squared), JobEnd::Done);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "without it nobody hears of the job's end; `submit` without `tracked` is cheaper"]
pub struct JobHandle<T> {
    id: JobId,
    track: Arc<Track>,
    queue: Weak<Queue<T>>,
}

impl<T> JobHandle<T> {
    pub(crate) fn new(id: JobId, track: Arc<Track>, queue: &Arc<Queue<T>>) -> Self {
        Self { id, track, queue: Arc::downgrade(queue) }
    }

    /// Returns the number of the job.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.id
    }

    /// Waits for the end of the job, and returns what it was.
    ///
    /// # Blocking
    ///
    /// Parks the thread. In a handler of the same pool it takes a worker away that the job may need.
    pub fn wait(&self) -> JobEnd {
        loop {
            if let Some(end) = self.track.wait(None) {
                return end;
            }
        }
    }

    /// Waits for the end of the job up to `timeout`, in real time. None if the time is up first.
    ///
    /// # Blocking
    ///
    /// As [`wait`](Self::wait), until the time is up.
    #[must_use]
    pub fn wait_timeout(&self, timeout: Duration) -> Option<JobEnd> {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.track.wait(Some(deadline)),
            None => Some(self.wait()),
        }
    }

    /// Returns what became of the job; none while it is held. Never waits.
    #[must_use]
    pub fn end(&self) -> Option<JobEnd> {
        self.track.ended()
    }

    /// Returns true once the job is over. Never waits.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.end().is_some()
    }

    /// Returns how far the job is, if the attempt that runs, or was the last, has [said so](crate::Context::set_progress).
    #[must_use]
    pub fn progress(&self) -> Option<Progress> {
        self.track.progress()
    }

    /// Takes the result that the handler has [set](crate::Context::set_result) in its last attempt.
    ///
    /// None while the job is not over, if no result was set, if it was taken before, and if it is not of the type `R`: then
    /// it stays. A job that was retried has the result of its last attempt alone, also if it is dead.
    #[must_use]
    pub fn take_result<R: 'static>(&self) -> Option<R> {
        self.track.take_result()
    }

    /// Cancels the job. Returns false if it was over already. Does not wait.
    ///
    /// * A job that waits for its time is dropped at once, on this thread; a panic in its drop is caught.
    /// * One that is ready is dropped when its turn comes: until then it is held.
    /// * For one that runs, [`Context::cancelled`](crate::Context::cancelled) turns true, and an async handler is dropped
    ///   where it waits. If the handler says that the job is done all the same, it is; after any other outcome the job is
    ///   dropped: it is neither tried again nor a dead letter.
    ///
    /// What was dropped is counted in [`Stats::cancelled`](crate::Stats::cancelled).
    pub fn cancel(&self) -> bool {
        let in_time = self.track.cancel();
        if let Some(queue) = self.queue.upgrade().filter(|_| in_time) {
            queue.cancel_scheduled(&self.track);
        }
        in_time
    }
}

impl<T> Future for JobHandle<T> {
    type Output = JobEnd;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<JobEnd> {
        self.track.poll_end(cx.waker())
    }
}

impl<T> Drop for JobHandle<T> {
    fn drop(&mut self) {
        self.track.leave();
    }
}

impl<T> fmt::Debug for JobHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobHandle").field("id", &self.id).field("end", &self.end()).finish_non_exhaustive()
    }
}

// Usable after a panic was caught, whatever it was that panicked (promise 9).
impl<T> std::panic::UnwindSafe for JobHandle<T> {}
impl<T> std::panic::RefUnwindSafe for JobHandle<T> {}
