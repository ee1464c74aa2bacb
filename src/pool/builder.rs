//! What a pool is to be like.

use super::context::Context;
use super::latch::Latch;
use super::owner::{Crew, Pool};
use super::worker::{Rules, keep_time, work};
use crate::queue::{DeadFull, DeadInfo, DeadRules, Queue};
use crate::retry::{IntoOutcome, RetryPolicy, discard};
use crate::sync::{Arc, cores, thread};
use crate::time::Clock;
use std::error::Error;
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::time::Duration;

/// Jobs held when nothing else is said: a guess, some 50 KiB of small jobs.
const CAPACITY_DEFAULT: usize = 1_024;
/// What dropping a pool grants to the jobs it holds: a guess at what a program that ends may take.
const DROP_DEADLINE_DEFAULT: Duration = Duration::from_secs(5);

/// Describes a [`Pool`], and starts it.
///
/// | setting | default |
/// |---|---|
/// | [`name`](Self::name) | `pool` |
/// | [`workers`](Self::workers) | as many as the machine has cores |
/// | [`capacity`](Self::capacity) | 1024 jobs |
/// | [`retry`](Self::retry) | 5 attempts, exponential from 1 s to 5 min, full jitter |
/// | [`timeout`](Self::timeout) | none |
/// | [`dead_letters`](Self::dead_letters) | 1024, the oldest dropped |
/// | [`dead_letters_max_age`](Self::dead_letters_max_age) | no limit |
/// | [`on_dead`](Self::on_dead) | nobody is told |
/// | [`clock`](Self::clock) | the system's |
/// | [`drop_deadline`](Self::drop_deadline) | 5 s |
/// | [`seed`](Self::seed) | random |
#[derive(Debug)]
#[must_use = "a builder does nothing until it starts the pool"]
pub struct PoolBuilder {
    name: String,
    workers: Option<usize>,
    capacity: usize,
    retry: RetryPolicy,
    timeout: Option<Duration>,
    dead: DeadRules,
    clock: Clock,
    drop_deadline: Duration,
    seed: Option<u64>,
}

impl PoolBuilder {
    pub(super) fn new() -> Self {
        Self {
            name: "pool".to_owned(),
            workers: None,
            capacity: CAPACITY_DEFAULT,
            retry: RetryPolicy::default(),
            timeout: None,
            dead: DeadRules::default(),
            clock: Clock::system(),
            drop_deadline: DROP_DEADLINE_DEFAULT,
            seed: None,
        }
    }

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
        (self.dead.capacity, self.dead.when_full) = (capacity, when_full);
        self
    }

    /// Sets for how long dead letters are kept, from their death on, by the pool's clock. Older ones are dropped, and
    /// counted in [`Stats::dead_expired`](crate::Stats::dead_expired).
    ///
    /// The pool's timer drops them, so a drop that takes long holds up retries. After a shutdown there is no timer: then
    /// they are dropped when somebody looks at the dead letters. A letter that is lent out is dropped after it is back.
    pub fn dead_letters_max_age(mut self, age: Duration) -> Self {
        self.dead.max_age = Some(age);
        self
    }

    /// Sets a function that is told of each job that dies, to raise an alarm.
    ///
    /// It runs in the worker, after the letter was placed or dropped for want of room, and under no lock: it may look at
    /// the dead letters and redrive the job, but must not block in `submit`, as a handler must not. While it runs, the worker
    /// takes no other job. A panic in it is caught, and counted in
    /// [`Stats::on_dead_panicked`](crate::Stats::on_dead_panicked). [`Pool::wait_idle`] does not wait for it.
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::{Context, Outcome, Pool};
    /// use std::sync::mpsc;
    ///
    /// let (alarm, alarms) = mpsc::channel();
    /// let pool = Pool::builder()
    ///     .on_dead(move |info| drop(alarm.send(info.error.clone())))
    ///     .start(|_: &u32, _: &Context| Outcome::dead("no such order"))?;
    /// pool.submit(7)?;
    /// assert_eq!(alarms.recv()?, "no such order");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_dead(mut self, tell: impl Fn(&DeadInfo) + Send + Sync + 'static) -> Self {
        self.dead.on_dead = Some(Box::new(tell));
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
        let workers = self.workers.unwrap_or_else(cores);
        self.check::<T>(workers)?;
        let queue = Arc::new(Queue::new(self.name.into(), self.capacity, workers, self.dead, self.clock));
        let seed = self.seed.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        let rules = Arc::new(Rules { handler, retry: self.retry, timeout: self.timeout, seed });
        let latch = Latch::new();
        // From here on, dropping the pool ends the threads that were started.
        let mut crew = Crew::new(Arc::clone(&latch));
        let mut start = || -> io::Result<()> {
            for seat in 0..workers {
                let (queue, rules, running) = (Arc::clone(&queue), Arc::clone(&rules), latch.enter());
                let name = format!("{}-{seat}", queue.name());
                crew.workers.push(thread::Builder::new().name(name).spawn(move || {
                    work(&queue, &rules, seat);
                    // The last worker drops the handler, which is user code, and all this before it is known to have ended.
                    discard(rules);
                    drop(queue);
                    drop(running);
                })?);
            }
            let timed = Arc::clone(&queue);
            let name = format!("{}-timer", queue.name());
            crew.timer = Some(thread::Builder::new().name(name).spawn(move || keep_time(&timed))?);
            Ok(())
        };
        let started = start();
        let pool = Pool::new(queue, crew, self.drop_deadline);
        started.map(|()| pool).map_err(BuildError::Spawn)
    }

    fn check<T>(&self, workers: usize) -> Result<(), BuildError> {
        if workers == 0 {
            return Err(BuildError::NoWorkers);
        }
        let bytes = Queue::<T>::bytes(self.capacity).filter(|&bytes| isize::try_from(bytes).is_ok());
        if self.capacity == 0 || bytes.is_none() {
            return Err(BuildError::Capacity(self.capacity));
        }
        if self.dead.are_stuck() {
            return Err(BuildError::NoDeadLetters);
        }
        Ok(())
    }
}

/// Why a pool could not be started.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// A pool needs at least one worker.
    NoWorkers,
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
