//! What a pool is to be like.

use super::worker::Conduct;
use crate::once::{AnyResult, Once};
use crate::queue::{DeadFull, DeadInfo, DeadRules, Judge, Lease, Leasing, Overflow, Plan, Queue, Route};
use crate::retry::{Breaker, RetryPolicy};
use crate::sync::Arc;
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
/// Keys remembered when nothing else is said: a guess, a few MiB.
const UNIQUE_KEYS_DEFAULT: usize = 65_536;
/// What dropping a pool grants to the jobs it holds: a guess at what a program that ends may take.
const DROP_DEADLINE_DEFAULT: Duration = Duration::from_secs(5);

/// Describes a [`Pool`](crate::Pool), and starts it.
///
/// | setting | default |
/// |---|---|
/// | [`name`](Self::name) | `pool` |
/// | [`workers`](Self::workers) | as many as the machine has cores |
/// | [`async_workers`](Self::async_workers) | 1, in a mixed pool |
/// | [`concurrency`](Self::concurrency) | 1024 async handlers a worker |
/// | [`capacity`](Self::capacity) | 1024 jobs |
/// | [`overflow`](Self::overflow) | submitters wait while it is full |
/// | [`retry`](Self::retry) | 5 attempts, exponential from 1 s to 5 min, full jitter |
/// | [`breaker`](Self::breaker) | none: deliveries never pause |
/// | [`timeout`](Self::timeout) | none |
/// | [`once`](Self::once) | none: [`Context::once`](crate::Context::once) is refused |
/// | [`lease`](Self::lease) | none: a delivery belongs to its worker until it is settled |
/// | [`replace_stuck`](Self::replace_stuck) | no |
/// | [`unique_keys`](Self::unique_keys) | 65536, or the capacity if that is more |
/// | [`at_most_once`](Self::at_most_once) | no: at least once |
/// | [`dead_letters`](Self::dead_letters) | 1024, the oldest dropped |
/// | [`dead_letters_max_age`](Self::dead_letters_max_age) | no limit |
/// | [`on_dead`](Self::on_dead) | nobody is told |
/// | [`clock`](Self::clock) | the system's |
/// | [`drop_deadline`](Self::drop_deadline) | 5 s |
/// | [`seed`](Self::seed) | random |
#[derive(Debug)]
#[must_use = "a builder does nothing until it starts the pool"]
pub struct PoolBuilder<L = Unleased> {
    pub(super) lease: L,
    pub(super) set: Settings,
}

/// All that a builder is told, but for the lease.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) replace_stuck: bool,
    pub(super) at_most_once: bool,
    pub(super) unique_keys: Option<usize>,
    pub(super) name: String,
    pub(super) workers: Option<usize>,
    pub(super) async_workers: usize,
    pub(super) concurrency: usize,
    pub(super) capacity: usize,
    pub(super) overflow: Overflow,
    pub(super) retry: RetryPolicy,
    pub(super) breaker: Option<Breaker>,
    pub(super) timeout: Option<Duration>,
    pub(super) once: Option<Arc<Once<AnyResult>>>,
    pub(super) dead: DeadRules,
    pub(super) clock: Clock,
    pub(super) drop_deadline: Duration,
    pub(super) seed: Option<u64>,
    #[cfg(feature = "tokio")]
    pub(super) runtime: Option<tokio::runtime::Handle>,
}

/// What a queue is to be like beyond the settings: that follows from the handlers.
pub(super) struct Terms<T> {
    pub(super) leasing: Option<Leasing<T>>,
    pub(super) route: Option<Route<T>>,
    /// Workers with lower numbers end by themselves when their jobs are cut off.
    pub(super) stubborn_from: u32,
}

impl<T> Terms<T> {
    /// For handlers that nobody can stop.
    pub(super) fn stubborn(leasing: Option<Leasing<T>>) -> Self {
        Self { leasing, route: None, stubborn_from: 0 }
    }

    /// For handlers that are dropped where they wait.
    pub(super) fn stoppable(leasing: Option<Leasing<T>>) -> Self {
        Self { stubborn_from: u32::MAX, ..Self::stubborn(leasing) }
    }
}

/// Of a [`PoolBuilder`]: no leases. Jobs need only be `Send`.
#[derive(Clone, Copy, Debug)]
pub struct Unleased(());

/// Of a [`PoolBuilder`]: deliveries are [leased](Lease), and jobs are copied when a lease is lost.
#[derive(Clone, Copy, Debug)]
pub struct Leased(pub(super) Lease);

impl Settings {
    fn new() -> Self {
        Self {
            replace_stuck: false,
            at_most_once: false,
            unique_keys: None,
            name: "pool".to_owned(),
            workers: None,
            async_workers: 1,
            concurrency: CONCURRENCY_DEFAULT,
            capacity: CAPACITY_DEFAULT,
            overflow: Overflow::default(),
            retry: RetryPolicy::default(),
            breaker: None,
            timeout: None,
            once: None,
            dead: DeadRules::default(),
            clock: Clock::system(),
            drop_deadline: DROP_DEADLINE_DEFAULT,
            seed: None,
            #[cfg(feature = "tokio")]
            runtime: None,
        }
    }
}

impl PoolBuilder {
    pub(super) fn new() -> Self {
        Self { lease: Unleased(()), set: Settings::new() }
    }

    /// Has every delivery leased to its worker: when the lease runs out, the job goes to another.
    ///
    /// The job is copied then, because the worker that lost it may still look at it: so [`start`](PoolBuilder::start) asks for
    /// jobs that are `Clone` and `Sync`. An `Arc` around a job makes it both.
    pub fn lease(self, lease: Lease) -> PoolBuilder<Leased> {
        PoolBuilder { lease: Leased(lease), set: self.set }
    }
}

impl<L> PoolBuilder<L> {
    /// Sets the name: of the threads, `{name}-{i}` and `{name}-timer`, and in spans and events.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.set.name = name.into();
        self
    }

    /// Sets the number of worker threads.
    pub fn workers(mut self, workers: usize) -> Self {
        self.set.workers = Some(workers);
        self
    }

    /// Sets how many threads the async handlers of a [mixed](Self::start_mixed) pool have, beside the [`workers`](Self::workers)
    /// of the others. Of no effect on other pools.
    pub fn async_workers(mut self, workers: usize) -> Self {
        self.set.async_workers = workers;
        self
    }

    /// Sets how many [async](Self::start_async) handlers each worker has at once. Of no effect on other handlers.
    pub fn concurrency(mut self, per_worker: usize) -> Self {
        self.set.concurrency = per_worker;
        self
    }

    /// Has the handlers run inside a tokio runtime: whatever they do with its timers, its sockets, or `tokio::spawn`, they do as if
    /// they were its tasks.
    ///
    /// They stay on the pool's own threads, [blocking](Self::start) and [waiting](Self::start_async) handlers alike, so they need
    /// not be `Send`, and cannot hold up the runtime's; [`start_spawned`](Self::start_spawned) makes tasks of them instead. The
    /// runtime must have a thread of its own to drive it, or somebody in its `block_on`.
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::{Context, Pool};
    /// use std::time::Duration;
    ///
    /// let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build()?;
    /// let pool = Pool::builder().runtime(runtime.handle()).start_async(async |n: &u64, _: &Context| {
    ///     tokio::time::sleep(Duration::from_millis(*n)).await;
    /// })?;
    /// pool.submit_many(vec![1, 2, 3])?;
    /// assert_eq!(pool.shutdown(Duration::from_secs(10)).done, 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "tokio")]
    pub fn runtime(mut self, handle: &tokio::runtime::Handle) -> Self {
        self.set.runtime = Some(handle.clone());
        self
    }

    /// Sets how many jobs are held at most: ready, scheduled and in flight together. Their slots are allocated at once.
    pub fn capacity(mut self, jobs: usize) -> Self {
        self.set.capacity = jobs;
        self
    }

    /// Sets what happens to one more job while the pool is full: see [`Overflow`].
    pub fn overflow(mut self, policy: Overflow) -> Self {
        self.set.overflow = policy;
        self
    }

    /// Sets what happens to a job that failed.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.set.retry = policy;
        self
    }

    /// Has deliveries pause while this breaker lets nothing pass.
    ///
    /// The jobs stay ready, and a pause is neither a delivery nor an attempt. Workers, and those who receive from a
    /// [`Queue`](crate::Queue), wait until the breaker may let somebody pass; [`try_recv`](crate::Queue::try_recv) finds nothing. A
    /// half-open breaker gets as many deliveries as it asks for probes. Each delivery that is settled is reported, late ones as
    /// well, as [`Report::of`](crate::Report::of) says: `Done` is a success, and failed attempts (errors, panics, timeouts,
    /// deliveries that were dropped) are failures, unless the error is classified as permanent or throttled. A delivery that is
    /// never settled, because its handler hangs, is given up by the breaker in its time.
    ///
    /// Pools that share a breaker pause and resume together. They must use one clock. Of no effect on
    /// [engines](Self::start_over) of your own.
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::{Breaker, BreakerState, Context, Pool, RetryPolicy, VirtualClock};
    /// use std::time::Duration;
    ///
    /// let time = VirtualClock::new();
    /// let breaker = Breaker::failures(1).open_for(Duration::from_secs(30));
    /// let pool = Pool::builder()
    ///     .workers(1)
    ///     .clock(time.clock())
    ///     .breaker(&breaker)
    ///     .retry(RetryPolicy::fixed(Duration::from_secs(60)))
    ///     .start(|_: &u32, cx: &Context| if cx.attempt() == 1 { Err("down") } else { Ok(()) })?;
    /// pool.submit(1)?;
    /// assert!(pool.wait_idle(Duration::from_secs(10)));
    /// assert_eq!(breaker.state(), BreakerState::Open);
    /// time.advance(Duration::from_secs(60));
    /// assert!(pool.wait_idle(Duration::from_secs(10)));
    /// assert_eq!((pool.stats().done, breaker.state()), (1, BreakerState::Closed));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn breaker(mut self, breaker: &Breaker) -> Self {
        self.set.breaker = Some(breaker.clone());
        self
    }

    /// Sets the time of each attempt: when it is up, [`Context::cancelled`](crate::Context::cancelled) turns true.
    ///
    /// An async handler is dropped then, where it waits: a failed attempt. A sync one cannot be stopped: it has to ask, and what it returns
    /// counts, unless a [lease](Self::lease) takes its job away.
    pub fn timeout(mut self, per_attempt: Duration) -> Self {
        self.set.timeout = Some(per_attempt);
        self
    }

    /// Sets where the results of side effects are kept that [`Context::once`](crate::Context::once) is to run once for each key.
    ///
    /// Pools that are given the same one, in an `Arc`, share their keys. Give its store the pool's [`clock`](Self::clock) if
    /// that is virtual. It is asked in the handler's thread alone.
    ///
    /// # Examples
    ///
    /// See [`Context::once`](crate::Context::once).
    pub fn once(mut self, once: impl Into<Arc<Once<AnyResult>>>) -> Self {
        self.set.once = Some(once.into());
        self
    }

    /// Sets how many dead letters are kept, and what happens when there is one more.
    pub fn dead_letters(mut self, capacity: usize, when_full: DeadFull) -> Self {
        (self.set.dead.capacity, self.set.dead.when_full) = (capacity, when_full);
        self
    }

    /// Sets for how long dead letters are kept, from their death on, by the pool's clock. Older ones are dropped, and
    /// counted in [`Stats::dead_expired`](crate::Stats::dead_expired).
    ///
    /// The pool's timer drops them, so a drop that takes long holds up retries. After a shutdown there is no timer: then
    /// they are dropped when somebody looks at the dead letters. A letter that is lent out is dropped after it is back.
    pub fn dead_letters_max_age(mut self, age: Duration) -> Self {
        self.set.dead.max_age = Some(age);
        self
    }

    /// Sets a function that is told of each job that dies, to raise an alarm.
    ///
    /// It runs in the worker, after the letter was placed, dropped or put aside for want of room, and under no lock: it may look at
    /// the dead letters and redrive the job, but must not block in `submit`, as a handler must not. While it runs, the worker
    /// takes no other job. A panic in it is caught, and counted in
    /// [`Stats::on_dead_panicked`](crate::Stats::on_dead_panicked). [`Pool::wait_idle`](crate::Pool::wait_idle) does not wait for it.
    ///
    /// **Do not submit from here to the pool itself if it makes room by dead letters**
    /// ([`Overflow::DropOldest`] or [`DropNewest`](Overflow::DropNewest) with
    /// [`Displaced::DeadLetter`](crate::Displaced::DeadLetter)). Each such job pushes out another one, or itself, which dies, and for
    /// which this function is called: with `DropOldest` the submission that began it may never return, as the place that it makes is
    /// taken by this one's, and with `DropNewest` the calls nest until a worker makes room or the stack is used up. Hand what has to be done
    /// to another queue or a channel, as below; or redrive later.
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
        self.set.dead.on_dead = Some(Box::new(tell));
        self
    }

    /// Sets where the time comes from.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.set.clock = clock;
        self
    }

    /// Sets what dropping the pool grants to the jobs it holds.
    pub fn drop_deadline(mut self, deadline: Duration) -> Self {
        self.set.drop_deadline = deadline;
        self
    }

    /// Sets the seed of the jitter: the delay of each job's each attempt follows from it.
    pub fn seed(mut self, seed: u64) -> Self {
        self.set.seed = Some(seed);
        self
    }

    /// Has each job begun once at most: one that is not done then is dropped, and counted as
    /// [discarded](crate::Stats::discarded).
    ///
    /// For work that had better be missed than done twice. A retry, a snooze or a release after the handler has begun would be a
    /// second time, so all of them drop the job, and so does its death. A lost [lease](Self::lease) would be a second time too:
    /// the two together are refused.
    pub fn at_most_once(mut self) -> Self {
        self.set.at_most_once = true;
        self
    }

    /// Sets how many [unique](crate::Request::unique) keys are held at most. A key that is held is never forgotten to make room:
    /// that would let a duplicate in. When there are so many, jobs with other keys are refused.
    pub fn unique_keys(mut self, keys: usize) -> Self {
        self.set.unique_keys = Some(keys);
        self
    }

    /// Sets whether a worker that has lost a lease is replaced: another thread takes its place at once, and the stuck one ends
    /// if it ever comes back. Every such worker is reported in the log, replaced or not.
    ///
    /// Only workers with leases can be found to be stuck. Handlers that hang for ever cost a thread each.
    pub fn replace_stuck(mut self, replace: bool) -> Self {
        self.set.replace_stuck = replace;
        self
    }

    pub(super) fn conduct(&self) -> Conduct {
        let seed = self.set.seed.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        let judge = Judge {
            retry: self.set.retry.clone(),
            seed,
            at_most_once: self.set.at_most_once,
            breaker: self.set.breaker.clone(),
        };
        Conduct { judge, timeout: self.set.timeout, once: self.set.once.clone() }
    }

    pub(super) fn plan<T>(&mut self, terms: Terms<T>, judge: Judge) -> Plan<T> {
        Plan {
            name: self.set.name.as_str().into(),
            capacity: self.set.capacity,
            overflow: self.set.overflow,
            dead: std::mem::take(&mut self.set.dead),
            clock: self.set.clock.clone(),
            unique_keys: self.set.unique_keys.unwrap_or(UNIQUE_KEYS_DEFAULT.max(self.set.capacity)),
            leasing: terms.leasing,
            judge,
            route: terms.route,
            stubborn_from: terms.stubborn_from,
        }
    }

    pub(super) fn check<T>(&self, workers: usize, terms: &Terms<T>) -> Result<(), BuildError> {
        if terms.leasing.is_some() && self.set.at_most_once {
            return Err(BuildError::LeasedOnce);
        }
        if workers == 0 {
            return Err(BuildError::NoWorkers);
        }
        let bytes = Queue::<T>::bytes(self.set.capacity)
            .and_then(|bytes| bytes.checked_mul(if terms.route.is_some() { 2 } else { 1 }))
            .filter(|&bytes| isize::try_from(bytes).is_ok());
        if self.set.capacity == 0 || bytes.is_none() {
            return Err(BuildError::Capacity(self.set.capacity));
        }
        if self.set.dead.are_stuck() {
            return Err(BuildError::NoDeadLetters);
        }
        if self.set.dead.when_full == DeadFull::Block && self.set.overflow.buries() {
            return Err(BuildError::OverflowBlocks);
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
    /// A worker must be allowed one async handler at least.
    NoConcurrency,
    /// A job that is begun at most once cannot be leased: a lease that is lost has it begun again.
    LeasedOnce,
    /// A pool cannot hold this many jobs: none at all, or more than memory can address.
    Capacity(usize),
    /// With no room for dead letters and [`DeadFull::Block`], no job that dies could ever leave.
    NoDeadLetters,
    /// Jobs that have to go at once might have to wait for room among the dead letters: see
    /// [`Displaced::DeadLetter`](crate::Displaced::DeadLetter).
    OverflowBlocks,
    /// The system refused a thread.
    Spawn(io::Error),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::NoWorkers => f.write_str("a pool needs at least one worker"),
            BuildError::NoConcurrency => f.write_str("a worker needs room for one handler at least"),
            BuildError::LeasedOnce => f.write_str("a job that is begun at most once cannot be leased"),
            BuildError::Capacity(jobs) => write!(f, "a pool cannot hold {jobs} jobs"),
            BuildError::NoDeadLetters => {
                f.write_str("no room for dead letters, and they are to wait for some")
            }
            BuildError::OverflowBlocks => {
                f.write_str("jobs without room become dead letters, and these wait for room")
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
