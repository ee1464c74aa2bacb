//! What a pool is to be like.

use super::context::Context;
use super::crew::{Crew, Hirer};
use super::lane::{self, Lane};
use super::owner::Pool;
use super::queue::Queue as OpenQueue;
use super::worker::{Rules, keep_time, work};
use super::workers::{self, Workers};
use crate::queue::engine::Engine;
use crate::queue::{DeadFull, Judge, Lease, Leasing, Plan, Queue};
use crate::retry::{IntoOutcome, RetryPolicy, discard};
use crate::sync::{Arc, cores};
use crate::time::Clock;
use std::error::Error;
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::time::Duration;

/// Jobs held when nothing else is said: a guess, some 50 KiB of small jobs.
const CAPACITY_DEFAULT: usize = 1_024;
/// Async handlers of one worker when nothing else is said: as many as jobs.
const CONCURRENCY_DEFAULT: usize = 1_024;
/// Dead letters kept when nothing else is said: as many as jobs.
const DEAD_DEFAULT: usize = 1_024;
/// What dropping a pool grants to the jobs it holds: a guess at what a program that ends may take.
const DROP_DEADLINE_DEFAULT: Duration = Duration::from_secs(5);

/// Describes a [`Pool`], and starts it.
///
/// | setting | default |
/// |---|---|
/// | [`name`](Self::name) | `pool` |
/// | [`workers`](Self::workers) | as many as the machine has cores |
/// | [`concurrency`](Self::concurrency) | 1024 async handlers a worker |
/// | [`capacity`](Self::capacity) | 1024 jobs |
/// | [`retry`](Self::retry) | 5 attempts, exponential from 1 s to 5 min, full jitter |
/// | [`timeout`](Self::timeout) | none |
/// | [`lease`](Self::lease) | none: a delivery belongs to its worker until it is settled |
/// | [`replace_stuck`](Self::replace_stuck) | no |
/// | [`dead_letters`](Self::dead_letters) | 1024, the oldest dropped |
/// | [`clock`](Self::clock) | the system's |
/// | [`drop_deadline`](Self::drop_deadline) | 5 s |
/// | [`seed`](Self::seed) | random |
#[derive(Debug)]
#[must_use = "a builder does nothing until it starts the pool"]
pub struct PoolBuilder<L = Unleased> {
    lease: L,
    replace_stuck: bool,
    name: String,
    workers: Option<usize>,
    concurrency: usize,
    capacity: usize,
    retry: RetryPolicy,
    timeout: Option<Duration>,
    dead: (usize, DeadFull),
    clock: Clock,
    drop_deadline: Duration,
    seed: Option<u64>,
}

/// Of a [`PoolBuilder`]: no leases. Jobs need only be `Send`.
#[derive(Clone, Copy, Debug)]
pub struct Unleased(());

/// Of a [`PoolBuilder`]: deliveries are [leased](Lease), and jobs are copied when a lease is lost.
#[derive(Clone, Copy, Debug)]
pub struct Leased(Lease);

impl PoolBuilder {
    pub(super) fn new() -> Self {
        Self {
            lease: Unleased(()),
            replace_stuck: false,
            name: "pool".to_owned(),
            workers: None,
            concurrency: CONCURRENCY_DEFAULT,
            capacity: CAPACITY_DEFAULT,
            retry: RetryPolicy::default(),
            timeout: None,
            dead: (DEAD_DEFAULT, DeadFull::DropOldest),
            clock: Clock::system(),
            drop_deadline: DROP_DEADLINE_DEFAULT,
            seed: None,
        }
    }

    /// Has every delivery leased to its worker: when the lease runs out, the job goes to another.
    ///
    /// The job is copied then, because the worker that lost it may still look at it: so [`start`](PoolBuilder::start) asks for
    /// jobs that are `Clone` and `Sync`. An `Arc` around a job makes it both.
    pub fn lease(self, lease: Lease) -> PoolBuilder<Leased> {
        PoolBuilder {
            lease: Leased(lease),
            replace_stuck: self.replace_stuck,
            name: self.name,
            workers: self.workers,
            concurrency: self.concurrency,
            capacity: self.capacity,
            retry: self.retry,
            timeout: self.timeout,
            dead: self.dead,
            clock: self.clock,
            drop_deadline: self.drop_deadline,
            seed: self.seed,
        }
    }
}

impl<L> PoolBuilder<L> {
    /// Sets the name: of the threads, `{name}-{i}` and `{name}-timer`, and in spans and events.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the number of worker threads.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers);
        self
    }

    /// Sets how many [async](Self::start_async) handlers each worker has at once. Of no effect on other handlers.
    pub fn concurrency(mut self, per_worker: usize) -> Self {
        self.concurrency = per_worker;
        self
    }

    /// Sets how many jobs are held at most: ready, scheduled and in flight together. Their slots are allocated at once.
    pub fn capacity(mut self, jobs: usize) -> Self {
        self.capacity = jobs;
        self
    }

    /// Sets what happens to a job that failed.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Sets the time of each attempt: when it is up, [`Context::cancelled`] turns true. Nothing is stopped by force.
    pub fn timeout(mut self, per_attempt: Duration) -> Self {
        self.timeout = Some(per_attempt);
        self
    }

    /// Sets how many dead letters are kept, and what happens when there is one more.
    pub fn dead_letters(mut self, capacity: usize, when_full: DeadFull) -> Self {
        self.dead = (capacity, when_full);
        self
    }

    /// Sets where the time comes from.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Sets what dropping the pool grants to the jobs it holds.
    pub fn drop_deadline(mut self, deadline: Duration) -> Self {
        self.drop_deadline = deadline;
        self
    }

    /// Sets the seed of the jitter: the delay of each job's each attempt follows from it.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Sets whether a worker that has lost a lease is replaced: another thread takes its place at once, and the stuck one ends
    /// if it ever comes back. Every such worker is reported in the log, replaced or not.
    ///
    /// Only workers with leases can be found to be stuck. Handlers that hang for ever cost a thread each.
    pub fn replace_stuck(mut self, replace: bool) -> Self {
        self.replace_stuck = replace;
        self
    }

    /// Starts the threads of a pool; `work` makes what each worker does.
    fn launch<T, W>(
        self,
        leasing: Option<Leasing<T>>,
        stoppable: bool,
        work: impl FnOnce(&Arc<Queue<T>>, Judge, &Crew) -> W,
    ) -> Result<Pool<T>, BuildError>
    where
        T: Send + 'static,
        W: Fn(usize) + Send + Sync + 'static,
    {
        let workers = self.workers.unwrap_or_else(cores);
        self.check::<T>(workers)?;
        let judge = self.judge();
        let queue = Arc::new(Queue::new(self.plan(leasing, judge.clone(), stoppable)));
        // From here on, dropping the pool ends the threads that were started.
        let crew = Crew::new();
        let pool = Pool::new(Arc::clone(&queue), crew.clone(), self.drop_deadline);
        let hirer = Hirer::new(Arc::clone(queue.name()), crew.clone(), work(&queue, judge, &crew));
        (0..workers).try_for_each(|_| hirer.hire()).map_err(BuildError::Spawn)?;
        // Without a need for it, the timer does not hold the handler.
        let hirer = self.replace_stuck.then_some(hirer);
        start_timer(&crew, queue, move |queue| match hirer {
            Some(hirer) => {
                keep_time(queue, Some(&|| hirer.replace()));
                discard(hirer);
            }
            None => keep_time(queue, None),
        })?;
        Ok(pool)
    }

    fn launch_blocking<T, F, R>(self, leasing: Option<Leasing<T>>, handler: F) -> Result<Pool<T>, BuildError>
    where
        T: Send + 'static,
        F: Fn(&T, &Context) -> R + Send + Sync + 'static,
        R: IntoOutcome,
    {
        let timeout = self.timeout;
        self.launch(leasing, false, |queue, judge, _| {
            let (queue, rules) = (Arc::clone(queue), Rules { handler, judge, timeout });
            move |worker| work(&*queue, &rules, queue.timers(), worker)
        })
    }

    fn launch_async<T, F, R>(mut self, leasing: Option<Leasing<T>>, handler: F) -> Result<Pool<T>, BuildError>
    where
        T: Send + 'static,
        F: AsyncFn(&T, &Context) -> R + Send + Sync + 'static,
        R: IntoOutcome,
    {
        if self.concurrency == 0 {
            return Err(BuildError::NoConcurrency);
        }
        let (timeout, concurrency) = (self.timeout, self.concurrency);
        // A handler that waits is not stuck, and its worker has others to look after.
        self.replace_stuck = false;
        self.launch(leasing, true, |queue, judge, crew| {
            let (queue, rules) = (Arc::clone(queue), Rules { handler, judge, timeout });
            let lane = Lane { concurrency, timers: Arc::clone(queue.timers()), crew: crew.clone() };
            move |worker| lane::work(&*queue, &rules, &lane, worker)
        })
    }

    fn open_queue<T: Send + 'static>(self, leasing: Option<Leasing<T>>) -> Result<OpenQueue<T>, BuildError> {
        self.check::<T>(1)?;
        let judge = self.judge();
        let queue = Arc::new(Queue::new(self.plan(leasing, judge, false)));
        let crew = Crew::new();
        let pool = Pool::new(Arc::clone(&queue), crew.clone(), self.drop_deadline);
        start_timer(&crew, queue, |queue| keep_time(queue, None))?;
        Ok(OpenQueue::new(pool))
    }

    fn judge(&self) -> Judge {
        let seed = self.seed.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        Judge { retry: self.retry.clone(), seed }
    }

    fn plan<T>(&self, leasing: Option<Leasing<T>>, judge: Judge, stoppable: bool) -> Plan<T> {
        Plan {
            name: self.name.as_str().into(),
            capacity: self.capacity,
            dead: self.dead,
            clock: self.clock.clone(),
            leasing,
            judge,
            stoppable,
        }
    }

    /// Starts workers over a queue that is not ours: see [`Engine`]. Capacity, dead letters, leases and the clock are the
    /// engine's own; the name is the engine's too.
    ///
    /// # Errors
    ///
    /// No workers, or a thread that could not be started: those that were are told to end only by the engine's closing.
    pub fn start_over<E, F, R>(self, engine: Arc<E>, handler: F) -> Result<Workers, BuildError>
    where
        E: Engine,
        F: Fn(&E::Job, &Context) -> R + Send + Sync + 'static,
        R: IntoOutcome,
    {
        let workers = self.workers.unwrap_or_else(cores);
        self.check::<E::Job>(workers)?;
        let rules = Rules { handler, judge: self.judge(), timeout: self.timeout };
        let crew = Crew::new();
        let (name, clock) = (Arc::clone(engine.name()), engine.clock().clone());
        let timers = workers::start_timer(&crew, &name, clock).map_err(BuildError::Spawn)?;
        let hirer = Hirer::new(name, crew.clone(), move |worker| work(&*engine, &rules, &timers, worker));
        (0..workers).try_for_each(|_| hirer.hire()).map_err(BuildError::Spawn)?;
        Ok(Workers::new(crew))
    }

    fn check<T>(&self, workers: usize) -> Result<(), BuildError> {
        if workers == 0 {
            return Err(BuildError::NoWorkers);
        }
        let bytes = Queue::<T>::bytes(self.capacity).filter(|&bytes| isize::try_from(bytes).is_ok());
        if self.capacity == 0 || bytes.is_none() {
            return Err(BuildError::Capacity(self.capacity));
        }
        if self.dead == (0, DeadFull::Block) {
            return Err(BuildError::NoDeadLetters);
        }
        Ok(())
    }
}

impl PoolBuilder<Unleased> {
    /// Starts the pool: its workers, each of which calls `handler` with the jobs it takes, and a timer for the retries.
    ///
    /// The handler borrows the job, which the pool keeps for the next attempt. It runs on several threads at once. A
    /// panic in it is a failed attempt; the worker lives on.
    ///
    /// # Errors
    ///
    /// A setting that cannot work, or a thread that could not be started: see [`BuildError`].
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::{Context, DeadFull, Pool, RetryPolicy};
    /// use std::time::Duration;
    ///
    /// let pool: Pool<String> = Pool::builder()
    ///     .name("mail")
    ///     .workers(4)
    ///     .capacity(1_000)
    ///     .retry(RetryPolicy::exponential(Duration::from_millis(200), Duration::from_secs(30)).max_attempts(5))
    ///     .timeout(Duration::from_secs(10))
    ///     .dead_letters(1_000, DeadFull::DropOldest)
    ///     .start(|address: &String, cx: &Context| -> Result<(), std::io::Error> {
    ///         println!("attempt {} to reach {address}", cx.attempt());
    ///         Ok(())
    ///     })?;
    /// pool.submit("alice@example.com".to_owned())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn start<T, F, R>(self, handler: F) -> Result<Pool<T>, BuildError>
    where
        T: Send + 'static,
        F: Fn(&T, &Context) -> R + Send + Sync + 'static,
        R: IntoOutcome,
    {
        self.launch_blocking(None, handler)
    }

    /// Starts the pool with a handler that waits: each worker has up to [`concurrency`](Self::concurrency) of them at once.
    ///
    /// The workers are threads of the pool's own, and no runtime is needed: handlers wait with [`Context::sleep`], on this
    /// crate's channels, or on anything else that wakes its task. They need not be `Send`. Between two `await`s they have their
    /// worker for themselves; one that computes for long belongs into [`start`](Self::start).
    ///
    /// A handler whose [`timeout`](Self::timeout) is over is dropped where it waits: that is a failed attempt. So is one whose
    /// job was cut off by a shutdown, which gets the job back; and one that lost its lease, when it is next polled.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start), and a concurrency of zero.
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::{Context, Pool};
    /// use std::time::Duration;
    ///
    /// async fn deliver(url: &String, cx: &Context) -> Result<(), String> {
    ///     cx.sleep(Duration::from_millis(1)).await;
    ///     if url.is_empty() { Err("no address".into()) } else { Ok(()) }
    /// }
    ///
    /// let pool = Pool::builder().workers(2).concurrency(10_000).start_async(deliver)?;
    /// pool.submit("https://example.com".to_owned())?;
    /// assert_eq!(pool.shutdown(Duration::from_secs(10)).done, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn start_async<T, F, R>(self, handler: F) -> Result<Pool<T>, BuildError>
    where
        T: Send + 'static,
        F: AsyncFn(&T, &Context) -> R + Send + Sync + 'static,
        R: IntoOutcome,
    {
        self.launch_async(None, handler)
    }

    /// Opens a queue without workers, for those who bring loops of their own: see [`Queue`](crate::Queue).
    ///
    /// The settings for workers are of no effect; the timer is a thread of the queue's own.
    ///
    /// # Errors
    ///
    /// A setting that cannot work, or a timer that could not be started.
    pub fn open<T: Send + 'static>(self) -> Result<OpenQueue<T>, BuildError> {
        self.open_queue(None)
    }
}

impl PoolBuilder<Leased> {
    /// Starts the pool: as [`PoolBuilder::start`], with leases.
    ///
    /// # Errors
    ///
    /// A setting that cannot work, or a thread that could not be started.
    pub fn start<T, F, R>(self, handler: F) -> Result<Pool<T>, BuildError>
    where
        T: Clone + Send + Sync + 'static,
        F: Fn(&T, &Context) -> R + Send + Sync + 'static,
        R: IntoOutcome,
    {
        let leasing = Leasing::new(self.lease.0);
        self.launch_blocking(Some(leasing), handler)
    }

    /// Starts the pool with a handler that waits: as [`PoolBuilder::start_async`], with leases.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start), and a concurrency of zero.
    pub fn start_async<T, F, R>(self, handler: F) -> Result<Pool<T>, BuildError>
    where
        T: Clone + Send + Sync + 'static,
        F: AsyncFn(&T, &Context) -> R + Send + Sync + 'static,
        R: IntoOutcome,
    {
        let leasing = Leasing::new(self.lease.0);
        self.launch_async(Some(leasing), handler)
    }

    /// Opens a queue without workers: as [`PoolBuilder::open`], with leases.
    ///
    /// # Errors
    ///
    /// A setting that cannot work, or a timer that could not be started.
    pub fn open<T: Clone + Send + Sync + 'static>(self) -> Result<OpenQueue<T>, BuildError> {
        let leasing = Leasing::new(self.lease.0);
        self.open_queue(Some(leasing))
    }
}

/// Starts the thread that looks after what is due.
fn start_timer<T: Send + 'static>(
    crew: &Crew,
    queue: Arc<Queue<T>>,
    keep: impl FnOnce(&Queue<T>) + Send + 'static,
) -> Result<(), BuildError> {
    let name = format!("{}-timer", queue.name());
    let timer = crew.start(name, move |running| {
        keep(&queue);
        drop(queue);
        drop(running);
    });
    timer.map_err(BuildError::Spawn)
}

/// Why a pool could not be started.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// A pool needs at least one worker.
    NoWorkers,
    /// A worker must be allowed one async handler at least.
    NoConcurrency,
    /// A pool cannot hold this many jobs: none at all, or more than memory can address.
    Capacity(usize),
    /// With no room for dead letters and [`DeadFull::Block`], the first job to die would stop its worker for ever.
    NoDeadLetters,
    /// The system refused a thread.
    Spawn(io::Error),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::NoWorkers => f.write_str("a pool needs at least one worker"),
            BuildError::NoConcurrency => f.write_str("a worker needs room for one handler at least"),
            BuildError::Capacity(jobs) => write!(f, "a pool cannot hold {jobs} jobs"),
            BuildError::NoDeadLetters => {
                f.write_str("no room for dead letters, and workers told to wait for some")
            }
            BuildError::Spawn(_) => f.write_str("a thread could not be started"),
        }
    }
}

impl Error for BuildError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            BuildError::Spawn(error) => Some(error),
            _ => None,
        }
    }
}
