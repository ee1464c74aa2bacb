//! What a handler may know about the delivery it is working on.

use crate::once::{AnyResult, Once, OnceError};
use crate::queue::engine::Facts;
use crate::queue::{Hold, JobId, LeaseLost, Progress, keep_result};
use crate::sync::Arc;
use crate::time::{Clock, Moment, Sleep, Timers};
use std::any::Any;
use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::time::{Duration, SystemTime};

/// The delivery that a handler is working on.
///
/// # Examples
///
/// A long job that stops when it is told to, and says so where nobody will try again:
///
/// ```
/// use millpond::{Context, Outcome};
///
/// fn crawl(pages: &Vec<String>, cx: &Context) -> Outcome {
///     for page in pages {
///         if cx.cancelled() {
///             return Outcome::retry("out of time");
///         }
///         # let _ = page;
///     }
///     if cx.is_last() {
///         println!("job {} made it at the last attempt", cx.id());
///     }
///     Outcome::Done
/// }
/// # let _ = crawl;
/// ```
pub struct Context {
    facts: Facts,
    is_last: bool,
    /// When the time of this attempt is up.
    deadline: Moment,
    clock: Clock,
    queue: Arc<str>,
    hold: Arc<dyn Hold>,
    timers: Arc<Timers>,
    once: Option<Arc<Once<AnyResult>>>,
}

impl Context {
    /// Makes the context of a worker, which it uses for all its deliveries.
    pub(super) fn of_worker(
        queue: Arc<str>,
        clock: Clock,
        hold: Arc<dyn Hold>,
        timers: Arc<Timers>,
        once: Option<Arc<Once<AnyResult>>>,
    ) -> Self {
        let facts = Facts::new(JobId::NONE, 0, 0, SystemTime::UNIX_EPOCH);
        Self { facts, is_last: false, deadline: Moment::NEVER, clock, queue, hold, timers, once }
    }

    /// Turns to the next delivery.
    #[inline]
    pub(super) fn begin(&mut self, facts: &Facts, is_last: bool, timeout: Option<Duration>) {
        self.facts = *facts;
        self.is_last = is_last;
        self.deadline = timeout.map_or(Moment::NEVER, |timeout| self.clock.moment().after(timeout));
    }

    /// Returns the number of the job: the same at every attempt.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.facts.id
    }

    /// Returns which attempt this is; the first is 1. Snoozes are not counted.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.facts.attempt
    }

    /// Returns true when the policy allows no further attempt: a failure now makes a dead letter.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.is_last
    }

    /// Returns how often the job was delivered, with this delivery and with snoozes.
    #[must_use]
    pub fn deliveries(&self) -> u32 {
        self.facts.deliveries
    }

    /// Returns when the job was accepted, by the pool's clock: the system's to within a tick of its timer, which is 1 to
    /// 10 ms on Linux. Retries and a redrive do not change it.
    #[must_use]
    pub fn enqueued_at(&self) -> SystemTime {
        self.facts.enqueued_at.to_system_time()
    }

    /// Returns true when the handler should give up: its time is up, its lease is lost, its job was
    /// [cancelled](crate::JobHandle::cancel), or a shutdown has given up waiting for it.
    ///
    /// A handler that goes on is not stopped. After a timeout, what it returns counts as ever. A job that was
    /// cancelled can still be done, but is not tried again. After a lost lease another
    /// worker has the job, and after a shutdown's deadline it is on the shutdown's list as cut off: what the handler
    /// returns then is counted as late and changes nothing.
    ///
    /// Once true, it stays so for this delivery. Reads the clock if the pool has a timeout; never blocks.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        self.hold.is_lost(self.facts.id)
            || self.hold.is_cancelled(self.facts.id)
            || (self.deadline != Moment::NEVER && self.clock.moment() >= self.deadline)
    }

    /// Extends the [lease](crate::Lease) so that it ends `by` from now: for handlers that say themselves that they live.
    ///
    /// In a pool without leases there is nothing to extend, and this does nothing. Never waits.
    ///
    /// # Errors
    ///
    /// [`LeaseLost`] if the job was taken away before: stop, as another worker has it.
    pub fn extend(&self, by: Duration) -> Result<(), LeaseLost> {
        self.hold.extend(self.facts.id, by)
    }

    /// Says how far the job is, for whoever submitted it: see [`JobHandle::progress`](crate::JobHandle::progress).
    ///
    /// Of no effect if the job is not [tracked](crate::Request::tracked), or was taken away. Each attempt starts without.
    /// Takes a lock for a moment; never waits for anything else.
    pub fn set_progress(&self, done: u64, total: u64) {
        self.hold.set_progress(self.facts.id, Progress { done, total });
    }

    /// Keeps a result for whoever submitted the job: see [`JobHandle::take_result`](crate::JobHandle::take_result).
    ///
    /// It replaces one that was set before; what an earlier attempt has set is dropped when the next begins. So the result of
    /// the last attempt counts, however it ends. Takes a lock for a moment; never waits for anything else.
    ///
    /// # Errors
    ///
    /// The result itself, if the job is not [tracked](crate::Request::tracked), or was taken away.
    pub fn set_result<R: Any + Send>(&self, result: R) -> Result<(), R> {
        keep_result(&*self.hold, self.facts.id, result)
    }

    /// Waits for `time` to pass by the pool's clock: for [async handlers](crate::PoolBuilder::start_async).
    ///
    /// It needs no runtime and costs no thread: a hundred thousand jobs may sleep on one worker. With a virtual clock it ends
    /// when that is moved. Cancel-safe.
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::{Context, Pool};
    /// use std::time::Duration;
    ///
    /// let pool = Pool::builder().start_async(async |delay: &u64, cx: &Context| {
    ///     cx.sleep(Duration::from_millis(*delay)).await;
    /// })?;
    /// pool.submit_many((0..100).map(|n| n % 10).collect::<Vec<_>>())?;
    /// assert_eq!(pool.shutdown(Duration::from_secs(10)).done, 100);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sleep(&self, time: Duration) -> impl Future<Output = ()> + Send + use<> {
        Sleep::after(&self.timers, &self.clock, time)
    }

    /// Runs a side effect once for `key`, however often the job is delivered, and returns its result: the second time and
    /// ever after, a clone of what it was the first time.
    ///
    /// The results are kept by the [`Once`] that the pool was [given](crate::PoolBuilder::once); see there for what happens when the
    /// effect fails (the key is free again) and what *once* is worth. Results of different types may share it; keys are
    /// shared by all jobs, so name the effect and the job in them.
    ///
    /// # Errors
    ///
    /// [`OnceError::Effect`] when the effect was run and failed; [`OnceError::Mismatch`] when the key was used with other
    /// arguments, or for a result of another type; [`OnceError::Unset`] when the pool was given nothing to keep results;
    /// the others as [`Once::run`].
    ///
    /// # Panics
    ///
    /// When the effect panics: a failed attempt. The key is free again then.
    ///
    /// # Blocking
    ///
    /// While another delivery runs the same effect, until that ends: a worker that lost its lease may still be at it.
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::{Context, Once, OnceError, Pool, RetryPolicy};
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// use std::time::Duration;
    ///
    /// static CHARGES: AtomicU32 = AtomicU32::new(0);
    /// let pool = Pool::builder()
    ///     .once(Once::in_memory(10_000, Duration::from_secs(24 * 3_600)))
    ///     .retry(RetryPolicy::fixed(Duration::ZERO))
    ///     .start(|cents: &u32, cx: &Context| -> Result<(), OnceError<std::io::Error>> {
    ///         let receipt = cx.once(format!("charge-{}", cx.id()), cents, || {
    ///             CHARGES.fetch_add(1, Ordering::Relaxed);
    ///             Ok("receipt 17".to_owned())
    ///         })?;
    ///         // The mail fails twice, the card is charged once.
    ///         cx.once(format!("mail-{}", cx.id()), &receipt, || match cx.attempt() {
    ///             1 | 2 => Err(std::io::Error::other("no mail server")),
    ///             _ => Ok(()),
    ///         })
    ///     })?;
    /// pool.submit(4_200)?;
    /// assert!(pool.wait_drained(Duration::from_secs(10)));
    /// assert_eq!((pool.stats().done, CHARGES.load(Ordering::Relaxed)), (1, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn once<A, R, E>(
        &self,
        key: impl AsRef<[u8]>,
        arguments: &A,
        effect: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, OnceError<E>>
    where
        A: Hash + ?Sized,
        R: Any + Clone + Send + Sync,
    {
        self.once.as_ref().ok_or(OnceError::Unset)?.run_any(key.as_ref(), arguments, effect)
    }

    /// As [`once`](Self::once), for async handlers and effects.
    ///
    /// *Cancel safety.* Dropped while it waits for another delivery, it has done nothing. Dropped while its effect runs, by
    /// the timeout for one, that is dropped half-way, and the key is free again.
    ///
    /// # Errors
    ///
    /// As [`once`](Self::once).
    ///
    /// # Panics
    ///
    /// As [`once`](Self::once).
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::{Context, Once, OnceError, Pool};
    /// use std::time::Duration;
    ///
    /// async fn send(mail: &String, _: &Context) -> Result<u32, String> {
    ///     if mail.is_empty() { Err("no address".into()) } else { Ok(250) }
    /// }
    ///
    /// async fn handle(mail: &String, cx: &Context) -> Result<(), String> {
    ///     let sent = cx.once_async(format!("mail-{}", cx.id()), mail, || send(mail, cx)).await;
    ///     sent.map(|code| println!("{mail}: {code}")).map_err(|error| error.to_string())
    /// }
    ///
    /// let once = Once::in_memory(10_000, Duration::from_secs(24 * 3_600));
    /// let pool = Pool::builder().once(once).start_async(handle)?;
    /// pool.submit("alice@example.com".to_owned())?;
    /// assert_eq!(pool.shutdown(Duration::from_secs(10)).done, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn once_async<A, R, E, T>(
        &self,
        key: impl AsRef<[u8]>,
        arguments: &A,
        effect: impl FnOnce() -> T,
    ) -> Result<R, OnceError<E>>
    where
        A: Hash + ?Sized,
        R: Any + Clone + Send + Sync,
        T: Future<Output = Result<R, E>>,
    {
        let once = self.once.as_ref().ok_or(OnceError::Unset)?;
        once.run_any_async(key.as_ref(), arguments, effect).await
    }

    /// Returns the name of the pool.
    #[must_use]
    pub fn queue(&self) -> &str {
        &self.queue
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("queue", &self.queue)
            .field("id", &self.facts.id)
            .field("attempt", &self.facts.attempt)
            .field("is_last", &self.is_last)
            .field("deliveries", &self.facts.deliveries)
            .field("cancelled", &self.cancelled())
            .finish_non_exhaustive()
    }
}

// Usable after a panic was caught, whatever it was that panicked (promise 9).
impl std::panic::UnwindSafe for Context {}
impl std::panic::RefUnwindSafe for Context {}
