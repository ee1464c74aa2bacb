//! Handlers as tasks of the user's tokio runtime.
//!
//! Each worker is a task that takes jobs and spawns one task more for each. What a handler may do, when it is stopped and how its job is
//! settled is as in the lane ([`super::lane`]): the same guard is around it. Only who polls is different.
//!
//! *The end.* A worker finds its queue closed, or is woken to find it so, aborts the tasks it has (their jobs were cut off by
//! then), and ends after them. A task that is aborted, or dropped with the runtime, gives its job back.

use super::builder::{BuildError, Leased, PoolBuilder, Terms, Unleased};
use super::context::Context;
use super::crew::Crew;
use super::lane::{Guarded, yield_once};
use super::owner::Pool;
use super::worker::Rules;
use crate::queue::engine::{Delivered, Engine};
use crate::queue::{LeaseLost, Leasing, Queue};
use crate::retry::{IntoOutcome, Outcome};
use crate::sync::{Arc, Mutex};
use crate::time::Sleep;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

/// How many jobs a worker takes before it lets other tasks have their turn: a guess, as in the lane.
const INTAKE_BATCH: usize = 32;

/// What a handler returns that is [spawned](PoolBuilder::start_spawned): `Box::pin(async move { .. })`.
pub type HandlerFuture<'a, R> = Pin<Box<dyn Future<Output = R> + Send + 'a>>;

/// What a worker shares with the tasks that it spawns.
struct Shop<T: Send + 'static, F> {
    queue: Arc<Queue<T>>,
    rules: Arc<Rules<F>>,
    worker: usize,
    /// Holds that no delivery uses at the moment.
    free: Mutex<Vec<Arc<<Queue<T> as Engine>::Hold>>>,
}

impl<T: Send + 'static, F> Shop<T, F> {
    fn hold(&self) -> Arc<<Queue<T> as Engine>::Hold> {
        let free = self.free.lock().pop();
        free.unwrap_or_else(|| self.queue.hold(self.worker))
    }
}

/// A delivery in the hand of a task. Dropped unsettled, with its task, it gives the job back: that was not an attempt.
struct InTask<T: Send + 'static, F> {
    shop: Arc<Shop<T, F>>,
    hold: Arc<<Queue<T> as Engine>::Hold>,
    /// None once it is settled.
    delivery: Option<<Queue<T> as Engine>::Delivery>,
}

impl<T: Send + 'static, F> InTask<T, F> {
    fn settle(&mut self, outcome: Outcome) {
        let Some(delivery) = self.delivery.take() else { return };
        let (queue, conduct) = (&self.shop.queue, &self.shop.rules.conduct);
        let verdict = conduct.judge(outcome, &delivery.facts(), &delivery, queue.clock());
        let settled: Result<(), LeaseLost> = Engine::settle(&**queue, &self.hold, delivery, verdict);
        if settled.is_ok() || !queue.is_retired(&self.hold) {
            self.shop.free.lock().push(Arc::clone(&self.hold));
        }
    }
}

impl<T: Send + 'static, F> Drop for InTask<T, F> {
    fn drop(&mut self) {
        self.settle(Outcome::Release);
    }
}

/// Runs one handler on a delivery, and settles it.
async fn work_on<T, F, R>(mut task: InTask<T, F>)
where
    T: Send + Sync + 'static,
    F: for<'a> Fn(&'a T, &'a Context) -> HandlerFuture<'a, R> + Send + Sync + 'static,
    R: IntoOutcome,
{
    let Some(delivery) = &task.delivery else { return };
    let (queue, conduct) = (&task.shop.queue, &task.shop.rules.conduct);
    let facts = delivery.facts();
    let mut context = conduct.context(&**queue, &task.hold, queue.timers());
    conduct.begin(&mut context, &facts);
    let deadline = conduct.timeout.map(|timeout| Sleep::after(queue.timers(), queue.clock(), timeout));
    let handler =
        async { (task.shop.rules.handler)(Delivered::job(delivery), &context).await.into_outcome() };
    let outcome = Guarded::new(handler, deadline, &*task.hold, facts.id).await;
    task.settle(outcome);
}

/// Takes jobs and spawns a task for each, `limit` at once, until the queue is closed and empty.
async fn take_all<T, F, R>(shop: Arc<Shop<T, F>>, crew: Crew, limit: usize)
where
    T: Send + Sync + 'static,
    F: for<'a> Fn(&'a T, &'a Context) -> HandlerFuture<'a, R> + Send + Sync + 'static,
    R: IntoOutcome + 'static,
{
    poll_fn(|cx| {
        // Rung when all work is ended, also if there is no room for more.
        crew.notify(cx.waker().clone());
        Poll::Ready(())
    })
    .await;
    let (queue, timeout) = (&shop.queue, shop.rules.conduct.timeout);
    let mut tasks = JoinSet::new();
    'open: loop {
        for _ in 0..INTAKE_BATCH {
            poll_fn(|cx| poll_room(&mut tasks, limit, queue, cx)).await;
            let hold = shop.hold();
            match queue.take_async(&hold, timeout).await {
                None => break 'open,
                delivery => {
                    let shop = Arc::clone(&shop);
                    tasks.spawn(work_on(InTask { shop, hold, delivery }));
                }
            }
        }
        yield_once().await;
    }
    // Whoever still works was cut off.
    tasks.abort_all();
    while tasks.join_next().await.is_some() {}
}

/// Waits for room for one task more, or for the end.
fn poll_room<T>(
    tasks: &mut JoinSet<()>,
    limit: usize,
    queue: &Queue<T>,
    cx: &mut TaskContext<'_>,
) -> Poll<()> {
    while let Poll::Ready(Some(_ended)) = tasks.poll_join_next(cx) {}
    if tasks.len() < limit || queue.is_stopped() { Poll::Ready(()) } else { Poll::Pending }
}

impl<L> PoolBuilder<L> {
    fn launch_spawned<T, F, R>(
        self,
        leasing: Option<Leasing<T>>,
        runtime: &Handle,
        handler: F,
    ) -> Result<Pool<T>, BuildError>
    where
        T: Send + Sync + 'static,
        F: for<'a> Fn(&'a T, &'a Context) -> HandlerFuture<'a, R> + Send + Sync + 'static,
        R: IntoOutcome + 'static,
    {
        let (limit, count) = (self.set.concurrency, self.worker_count());
        if limit == 0 {
            return Err(BuildError::NoConcurrency);
        }
        self.launch(Terms::stoppable(leasing), |queue, conduct, crew| {
            let rules = Arc::new(Rules { handler, conduct });
            for worker in 0..count {
                let (queue, rules) = (Arc::clone(queue), Arc::clone(&rules));
                let shop = Arc::new(Shop { queue, rules, worker, free: Mutex::new(Vec::new()) });
                let (crew, running) = (crew.clone(), crew.enter());
                runtime.spawn(async move {
                    take_all(shop, crew, limit).await;
                    drop(running);
                });
            }
            []
        })
    }
}

impl PoolBuilder<Unleased> {
    /// Starts the pool with handlers that are tasks of a tokio runtime of yours: each is spawned there, and its threads poll it.
    ///
    /// Beside [`start_async`](Self::start_async) with a [`runtime`](Self::runtime), whose handlers stay on threads of the pool's
    /// own, inside the runtime. Choose that for handlers that are not `Send`, and where the runtime is to be kept free of them; choose
    /// this one for handlers that wait for the runtime's sockets above all, to be polled where those are woken, and to let the
    /// runtime balance the load.
    ///
    /// There are [`workers`](Self::workers) tasks that take jobs, with up to [`concurrency`](Self::concurrency) handlers each; the
    /// timer is a thread of the pool's. Timeouts, panics, leases and cancelling are as in `start_async`: a handler that has to
    /// stop is dropped where it waits. The future is boxed, as it borrows the job and must be `Send`; an `async fn` is passed as
    /// `|job, cx| Box::pin(deliver(job, cx))`.
    ///
    /// **The runtime has to run.** [`shutdown`](crate::Pool::shutdown), and dropping the pool, block their thread: on the only
    /// thread of the runtime they keep the handlers from ending, which are cut off at the deadline then. In a task, await
    /// [`shutdown_async`](crate::Pool::shutdown_async). A runtime that is shut down before the pool
    /// drops the handlers, and their jobs are ready again, for the pool's shutdown to hand back.
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
    /// async fn deliver(millis: &u64, _: &Context) -> Result<(), std::io::Error> {
    ///     tokio::time::sleep(Duration::from_millis(*millis)).await;
    ///     Ok(())
    /// }
    ///
    /// let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    /// let pool = Pool::builder()
    ///     .workers(1)
    ///     .concurrency(100)
    ///     .start_spawned(runtime.handle(), |job, cx| Box::pin(deliver(job, cx)))?;
    /// pool.submit_many(vec![1, 2, 3])?;
    /// runtime.block_on(pool.drained());
    /// assert_eq!(pool.stats().done, 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn start_spawned<T, F, R>(self, runtime: &Handle, handler: F) -> Result<Pool<T>, BuildError>
    where
        T: Send + Sync + 'static,
        F: for<'a> Fn(&'a T, &'a Context) -> HandlerFuture<'a, R> + Send + Sync + 'static,
        R: IntoOutcome + 'static,
    {
        self.launch_spawned(None, runtime, handler)
    }
}

impl PoolBuilder<Leased> {
    /// Starts the pool with handlers that are tasks of a tokio runtime of yours: as [`PoolBuilder::start_spawned`], with leases.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start), and a concurrency of zero.
    pub fn start_spawned<T, F, R>(self, runtime: &Handle, handler: F) -> Result<Pool<T>, BuildError>
    where
        T: Clone + Send + Sync + 'static,
        F: for<'a> Fn(&'a T, &'a Context) -> HandlerFuture<'a, R> + Send + Sync + 'static,
        R: IntoOutcome + 'static,
    {
        let leasing = Leasing::new(self.lease.0);
        self.launch_spawned(Some(leasing), runtime, handler)
    }
}
