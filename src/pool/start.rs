//! Starting what a builder describes.

use super::builder::{BuildError, Leased, PoolBuilder, Terms, Unleased};
use super::context::Context;
use super::crew::{Crew, Hirer};
use super::lane::{self, Common};
use super::owner::Pool;
use super::queue::Queue as OpenQueue;
use super::worker::{Conduct, Rules, keep_time, work};
use super::workers::{self, Workers};
use crate::queue::engine::Engine;
use crate::queue::{Leasing, Queue};
use crate::retry::{IntoOutcome, discard};
use crate::sync::{Arc, cores};

/// Workers who all do the same.
pub(super) struct Team {
    /// The number of the first.
    pub(super) first: usize,
    pub(super) count: usize,
    /// What a worker does, given its number.
    pub(super) work: Arc<dyn Fn(usize) + Send + Sync>,
}

impl<L> PoolBuilder<L> {
    /// Starts the threads of a pool; `teams` says what they do. Stuck workers are replaced in the first team.
    pub(super) fn launch<T, const TEAMS: usize>(
        mut self,
        terms: Terms<T>,
        teams: impl FnOnce(&Arc<Queue<T>>, Conduct, &Crew) -> [Team; TEAMS],
    ) -> Result<Pool<T>, BuildError>
    where
        T: Send + 'static,
    {
        self.check(self.worker_count(), &terms)?;
        let conduct = self.conduct();
        let queue = Arc::new(Queue::new(self.plan(terms, conduct.judge.clone())));
        // From here on, dropping the pool ends the threads that were started.
        let crew = Crew::new();
        let pool = Pool::new(Arc::clone(&queue), crew.clone(), self.set.drop_deadline);
        let mut replacer = None;
        for team in teams(&queue, conduct, &crew) {
            let hirer =
                Hirer::new(Arc::clone(queue.name()), crew.clone(), team.first, self.inside(team.work));
            (0..team.count).try_for_each(|_| hirer.hire()).map_err(BuildError::Spawn)?;
            // Without a need for it, the timer does not hold the handler.
            if self.set.replace_stuck {
                replacer.get_or_insert(hirer);
            }
        }
        start_timer(&crew, queue, move |queue| match replacer {
            Some(hirer) => {
                keep_time(queue, Some(&|stuck| hirer.replace(stuck)));
                discard(hirer);
            }
            None => keep_time(queue, None),
        })?;
        Ok(pool)
    }

    pub(super) fn worker_count(&self) -> usize {
        self.set.workers.unwrap_or_else(cores)
    }

    /// Has workers work inside the runtime, if there is one.
    #[cfg(feature = "tokio")]
    fn inside(&self, work: Arc<dyn Fn(usize) + Send + Sync>) -> Arc<dyn Fn(usize) + Send + Sync> {
        let Some(runtime) = self.set.runtime.clone() else { return work };
        Arc::new(move |worker| {
            let _inside = runtime.enter();
            work(worker);
        })
    }

    #[cfg(not(feature = "tokio"))]
    #[expect(clippy::unused_self, reason = "as with the feature `tokio`")]
    fn inside(&self, work: Arc<dyn Fn(usize) + Send + Sync>) -> Arc<dyn Fn(usize) + Send + Sync> {
        work
    }

    fn launch_blocking<T, F, R>(self, leasing: Option<Leasing<T>>, handler: F) -> Result<Pool<T>, BuildError>
    where
        T: Send + 'static,
        F: Fn(&T, &Context) -> R + Send + Sync + 'static,
        R: IntoOutcome,
    {
        let count = self.worker_count();
        self.launch(Terms::stubborn(leasing), |queue, conduct, _| {
            [Team::blocking(queue, Rules { handler, conduct }, 0, count)]
        })
    }

    fn launch_async<T, F, R>(self, leasing: Option<Leasing<T>>, handler: F) -> Result<Pool<T>, BuildError>
    where
        T: Send + 'static,
        F: AsyncFn(&T, &Context) -> R + Send + Sync + 'static,
        R: IntoOutcome,
    {
        if self.set.concurrency == 0 {
            return Err(BuildError::NoConcurrency);
        }
        let (concurrency, count) = (self.set.concurrency, self.worker_count());
        // A handler that waits is not stuck, and its worker has others to look after: none is replaced.
        self.launch(Terms::stoppable(leasing), |queue, conduct, crew| {
            [Team::waiting(queue, Rules { handler, conduct }, concurrency, count, crew)]
        })
    }

    fn open_queue<T: Send + 'static>(
        mut self,
        leasing: Option<Leasing<T>>,
    ) -> Result<OpenQueue<T>, BuildError> {
        let terms = Terms::stubborn(leasing);
        self.check(1, &terms)?;
        let judge = self.conduct().judge;
        let queue = Arc::new(Queue::new(self.plan(terms, judge)));
        let crew = Crew::new();
        let pool = Pool::new(Arc::clone(&queue), crew.clone(), self.set.drop_deadline);
        start_timer(&crew, queue, |queue| keep_time(queue, None))?;
        Ok(OpenQueue::new(pool))
    }

    /// Starts workers over a queue that is not ours: see [`Engine`]. Capacity, dead letters, leases and the clock are the
    /// engine's own; the name is the engine's too. The example is at [`Engine`].
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
        let workers = self.worker_count();
        self.check::<E::Job>(workers, &Terms::stubborn(None))?;
        let rules = Rules { handler, conduct: self.conduct() };
        let crew = Crew::new();
        let (name, clock) = (Arc::clone(engine.name()), engine.clock().clone());
        let timers = workers::start_timer(&crew, &name, clock).map_err(BuildError::Spawn)?;
        let work = Arc::new(move |worker| work(&*engine, &rules, &timers, worker));
        let hirer = Hirer::new(name, crew.clone(), 0, work);
        (0..workers).try_for_each(|_| hirer.hire()).map_err(BuildError::Spawn)?;
        Ok(Workers::new(crew))
    }
}

impl Team {
    /// Workers with a job each.
    pub(super) fn blocking<T, F, R>(
        queue: &Arc<Queue<T>>,
        rules: Rules<F>,
        first: usize,
        count: usize,
    ) -> Self
    where
        T: Send + 'static,
        F: Fn(&T, &Context) -> R + Send + Sync + 'static,
        R: IntoOutcome,
    {
        let queue = Arc::clone(queue);
        let work = move |worker| work(&*queue, &rules, queue.timers(), worker);
        Self { first, count, work: Arc::new(work) }
    }

    /// Workers with many waiting jobs each, numbered from 0.
    pub(super) fn waiting<T, F, R>(
        queue: &Arc<Queue<T>>,
        rules: Rules<F>,
        concurrency: usize,
        count: usize,
        crew: &Crew,
    ) -> Self
    where
        T: Send + 'static,
        F: AsyncFn(&T, &Context) -> R + Send + Sync + 'static,
        R: IntoOutcome,
    {
        let queue = Arc::clone(queue);
        let common = Common { concurrency, timers: Arc::clone(queue.timers()), crew: crew.clone() };
        let work = move |worker| lane::work(&*queue, &rules, &common, worker);
        Self { first: 0, count, work: Arc::new(work) }
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
