//! The pool as its owner sees it.

use super::builder::PoolBuilder;
use super::crew::Crew;
use super::dead::DeadLetters;
use super::ending::Ending;
use super::handle::Handle;
use super::request::Request;
use super::shutdown::ShutdownReport;
use crate::queue::{Drained, JobId, Queue, Stats, SubmitError, SubmitFuture, SubmitManyError};
use crate::sync::Arc;
use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, SystemTime};

/// A worker pool: jobs go in, a handler works on them, and every one of them is accounted for.
///
/// Delivery is *at least once*, within the process: a job that was accepted is done, or a dead letter, or dropped by a
/// policy that was chosen, or still held, and [`stats`](Self::stats) shows it. Jobs do not survive the process.
///
/// A pool is `Send` and `Sync` if its jobs are `Send`; they need to be neither `Sync` nor `Clone`. Share it by reference or
/// in an `Arc`, or give out [`handle`](Self::handle)s, which do not keep the workers alive.
///
/// **A handler that submits to its own pool must use [`try_submit`](Self::try_submit).** If all workers wait in `submit` for
/// room that only they could make, the pool stands still for ever.
///
/// # Examples
///
/// ```
/// use millpond::{Context, Outcome, Pool};
/// use std::time::Duration;
///
/// let pool = Pool::builder()
///     .workers(2)
///     .start(|page: &String, _: &Context| match page.as_str() {
///         "missing" => Outcome::dead("404"),
///         _ => Outcome::Done,
///     })?;
/// pool.submit("index".to_owned())?;
/// pool.submit("missing".to_owned())?;
///
/// let report = pool.shutdown(Duration::from_secs(10));
/// assert_eq!((report.done, report.dead), (1, 1));
/// assert_eq!(pool.dead().take_all()[0].job, "missing");
/// assert!(pool.stats().balances());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A job that cannot be sent to another thread is refused by the compiler:
///
/// ```compile_fail,E0277
/// use millpond::{Context, Pool};
/// use std::rc::Rc;
///
/// let pool = Pool::builder().start(|_: &Rc<u8>, _: &Context| ());
/// ```
#[must_use = "dropping a pool shuts it down"]
pub struct Pool<T> {
    queue: Arc<Queue<T>>,
    ending: Ending<T>,
    drop_deadline: Duration,
}

impl Pool<()> {
    /// Begins the description of a pool. The type of its jobs follows from the handler.
    pub fn builder() -> PoolBuilder {
        PoolBuilder::new()
    }
}

impl<T> Pool<T> {
    pub(super) fn new(queue: Arc<Queue<T>>, crew: Crew, drop_deadline: Duration) -> Self {
        Self { queue, ending: Ending::new(crew), drop_deadline }
    }

    /// Submits a job, and waits while the pool is full: this is the backpressure.
    ///
    /// The job is held when this returns, and it is started after those accepted before it.
    ///
    /// # Errors
    ///
    /// [`SubmitError::Closed`] with the job, when the pool is or was meanwhile shut down.
    ///
    /// # Blocking
    ///
    /// Spins for a moment, then parks the thread. Never call it in a handler of the same pool.
    pub fn submit(&self, job: T) -> Result<JobId, SubmitError<T>> {
        self.queue.submit(job)
    }

    /// Submits a job if the pool has room for it. Never parks.
    ///
    /// # Errors
    ///
    /// [`SubmitError::Full`] or [`SubmitError::Closed`], with the job.
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::{Context, Pool, SubmitError};
    /// use std::sync::mpsc;
    ///
    /// let (release, gate) = mpsc::channel::<()>();
    /// let gate = std::sync::Mutex::new(gate);
    /// let pool = Pool::builder()
    ///     .capacity(1)
    ///     .start(move |_: &u32, _: &Context| gate.lock().unwrap().recv().unwrap())?;
    /// pool.submit(1)?;
    /// assert!(matches!(pool.try_submit(2), Err(SubmitError::Full(2))));
    /// release.send(()).unwrap();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_submit(&self, job: T) -> Result<JobId, SubmitError<T>> {
        self.queue.try_submit(job)
    }

    /// Submits a job, and waits up to `timeout`, in real time, while the pool is full.
    ///
    /// # Errors
    ///
    /// [`SubmitError::Timeout`] or [`SubmitError::Closed`], with the job.
    ///
    /// # Blocking
    ///
    /// As [`submit`](Self::submit), until the time is up.
    pub fn submit_timeout(&self, job: T, timeout: Duration) -> Result<JobId, SubmitError<T>> {
        self.queue.submit_until(job, crate::wait::Deadline::after(timeout))
    }

    /// Submits a job from a task, and waits while the pool is full.
    ///
    /// Cancel-safe: if the future is dropped before it is finished, nothing was submitted, and the job is dropped with it.
    /// Works with any executor.
    ///
    /// # Errors
    ///
    /// [`SubmitError::Closed`] with the job.
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::{Context, Pool};
    ///
    /// let pool = Pool::builder().start(|_: &u32, _: &Context| ())?;
    /// futures::executor::block_on(async {
    ///     pool.submit_async(7).await
    /// })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn submit_async(&self, job: T) -> SubmitFuture<'_, T> {
        self.queue.submit_async(job)
    }

    /// Submits all jobs in order, and waits for room as often as need be. Cheaper than one by one.
    ///
    /// # Errors
    ///
    /// When the pool is shut down meanwhile: the numbers of the jobs accepted, and the jobs that were not.
    ///
    /// # Blocking
    ///
    /// As [`submit`](Self::submit).
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
    /// As [`submit`](Self::submit).
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
    /// As [`submit`](Self::submit).
    pub fn submit_at(&self, job: T, time: SystemTime) -> Result<JobId, SubmitError<T>> {
        self.job(job).at(time).submit()
    }

    pub(super) fn queue(&self) -> &Arc<Queue<T>> {
        &self.queue
    }

    /// Ends all work at once: [`shutdown`](Self::shutdown) without a moment's grace.
    ///
    /// # Blocking
    ///
    /// As [`shutdown`](Self::shutdown): for as long as idle threads need to end, a second at most.
    pub fn abort(&self) -> ShutdownReport<T> {
        self.shutdown(Duration::ZERO)
    }

    /// Returns a handle that can submit and look, but does not keep the workers alive.
    #[must_use]
    pub fn handle(&self) -> Handle<T> {
        Handle::new(Arc::clone(&self.queue))
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

    /// Returns how many jobs are held at most.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.queue.capacity()
    }

    /// Returns the pool's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.queue.name()
    }

    /// Waits until nothing is ready, in flight or due; jobs scheduled for later do not count. False when the time is up.
    /// See [`wait_drained`](Self::wait_drained) to wait for those as well.
    ///
    /// The time is real, whatever the pool's clock is. When others submit meanwhile, this may be over before it returns.
    ///
    /// # Blocking
    ///
    /// Parks the thread. In a handler of the same pool it waits for itself, until the time is up.
    #[must_use]
    pub fn wait_idle(&self, timeout: Duration) -> bool {
        self.queue.wait_idle(timeout)
    }

    /// Waits until every job that was submitted has ended: none is ready, in flight or scheduled, for later either. False when
    /// the time is up.
    ///
    /// The time is real, whatever the pool's clock is; with a virtual clock, what is scheduled waits for that to be moved. When
    /// others submit meanwhile, this may be over before it returns. Dead letters have ended; a job that waits for room
    /// among them has not.
    ///
    /// # Blocking
    ///
    /// Parks the thread. In a handler of the same pool it waits for itself, until the time is up.
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::{Context, Pool};
    /// use std::time::Duration;
    ///
    /// let pool = Pool::builder().start(|_: &u32, _: &Context| ())?;
    /// pool.submit_after(1, Duration::from_millis(10))?;
    /// assert!(pool.wait_idle(Duration::from_secs(10)), "nothing can be done now");
    /// assert!(pool.wait_drained(Duration::from_secs(10)), "nothing is left to do");
    /// assert_eq!(pool.stats().done, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn wait_drained(&self, timeout: Duration) -> bool {
        self.queue.wait_drained(std::time::Instant::now().checked_add(timeout))
    }

    /// Waits in a task until every job that was submitted has ended: as [`wait_drained`](Self::wait_drained), without a limit.
    ///
    /// Cancel-safe. Works with any executor.
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::{Context, Pool};
    /// use std::time::Duration;
    ///
    /// let pool = Pool::builder().start(|_: &u32, _: &Context| ())?;
    /// pool.submit_after(1, Duration::from_millis(10))?;
    /// futures::executor::block_on(pool.drained());
    /// assert_eq!(pool.stats().done, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn drained(&self) -> Drained<'_, T> {
        self.queue.drained()
    }

    /// Takes no more jobs, works off those it holds for up to `deadline`, and says what became of each.
    ///
    /// 1. Every submission from here on gives its job back, and so do those that wait for room.
    /// 2. Jobs that are not due before the deadline are released at once. With a virtual clock, which nobody moves
    ///    meanwhile, these are all that are not due yet.
    /// 3. The workers go on until nothing is held, or until the deadline, which is in real time.
    /// 4. At the deadline, jobs that are ready or scheduled are released, and those in flight are cut off:
    ///    [`Context::cancelled`](crate::Context::cancelled) turns true for them, and what their handlers return after
    ///    that changes nothing.
    /// 5. Threads that have ended are joined. A handler that does not return is left behind with its thread.
    ///
    /// Afterwards the pool still shows its stats and its dead letters. A second call finds nothing to do,
    /// and its report is empty. One that comes while another waits for the jobs waits with it, and the earlier of the two
    /// deadlines counts.
    ///
    /// # Blocking
    ///
    /// Until the deadline at the latest, but for the moment (a second at the very most) that idle workers need to end.
    pub fn shutdown(&self, deadline: Duration) -> ShutdownReport<T> {
        self.ending.wait(&self.queue, deadline)
    }
}

impl<T: Send + 'static> Pool<T> {
    /// As [`shutdown`](Self::shutdown), in a task: it waits without blocking its thread. Works with any executor.
    ///
    /// The steps are done by a thread that is started for them, when the future is first polled.
    ///
    /// *Cancel safety.* A future that is dropped before its first poll has done nothing. Dropped later, the shutdown goes on
    /// without it, and neither jobs nor report are lost: the next call, of this or of [`shutdown`](Self::shutdown), gets the report.
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::{Context, Pool};
    /// use std::time::Duration;
    ///
    /// let pool = Pool::builder().start(|_: &u32, _: &Context| ())?;
    /// pool.submit(1)?;
    /// let report = futures::executor::block_on(pool.shutdown_async(Duration::from_secs(10)));
    /// assert_eq!(report.done, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn shutdown_async(&self, deadline: Duration) -> ShutdownReport<T> {
        self.ending.wait_async(&self.queue, deadline).await
    }
}

impl<T> Drop for Pool<T> {
    /// Shuts the pool down, if that was not done before. Blocks for the drop deadline at most.
    fn drop(&mut self) {
        let _report = self.shutdown(self.drop_deadline);
    }
}

impl<T> fmt::Debug for Pool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("name", &self.name())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

// Usable after a panic was caught, whatever it was that panicked (promise 9).
impl<T> std::panic::UnwindSafe for Pool<T> {}
impl<T> std::panic::RefUnwindSafe for Pool<T> {}
