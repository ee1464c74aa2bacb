//! Handlers that compute beside handlers that wait, over one queue.
//!
//! **Why two handlers and a function that chooses.** A handler that said itself whether it is done or goes on as a future would
//! have to be called first, on some thread: by a computing worker, and then jobs that only wait queue up behind computations; or
//! by an executor, and then a computation stalls all that wait there. With the lane known beforehand, a job goes to its own
//! line of ready jobs, and no worker ever takes up a job of the other kind. The future stays where it began, so it need be
//! neither boxed nor `Send`, and it borrows the job.

use super::builder::{BuildError, Leased, PoolBuilder, Terms, Unleased};
use super::context::Context;
use super::owner::Pool;
use super::start::Team;
use super::worker::Rules;
use crate::queue::{Lane, Leasing};
use crate::retry::IntoOutcome;

impl<L> PoolBuilder<L> {
    fn launch_mixed<T, R, S>(
        self,
        leasing: Option<Leasing<T>>,
        lane_of: impl Fn(&T) -> Lane + Send + Sync + 'static,
        handler: impl Fn(&T, &Context) -> R + Send + Sync + 'static,
        async_handler: impl AsyncFn(&T, &Context) -> S + Send + Sync + 'static,
    ) -> Result<Pool<T>, BuildError>
    where
        T: Send + 'static,
        R: IntoOutcome,
        S: IntoOutcome,
    {
        let (waiting, concurrency) = (self.set.async_workers, self.set.concurrency);
        if waiting == 0 {
            return Err(BuildError::NoWorkers);
        }
        if concurrency == 0 {
            return Err(BuildError::NoConcurrency);
        }
        let computing = self.worker_count();
        // Those who wait have the lower numbers: there are never more of them, whoever is replaced.
        let stubborn_from = u32::try_from(waiting).unwrap_or(u32::MAX);
        let terms = Terms { leasing, route: Some(Box::new(lane_of)), stubborn_from };
        self.launch(terms, |queue, conduct, crew| {
            let rules = Rules { handler, conduct: conduct.clone() };
            let async_rules = Rules { handler: async_handler, conduct };
            [
                Team::blocking(queue, rules, waiting, computing),
                Team::waiting(queue, async_rules, concurrency, waiting, crew),
            ]
        })
    }
}

impl PoolBuilder<Unleased> {
    /// Starts a pool with two handlers, one that computes and one that waits, and workers for each: `lane_of` says for which
    /// of them a job is.
    ///
    /// [`workers`](Self::workers) threads call `handler` as in [`start`](Self::start), and
    /// [`async_workers`](Self::async_workers) others run `async_handler` as in [`start_async`](Self::start_async), with
    /// [`concurrency`](Self::concurrency) of them each. The lanes share the capacity, the policies, the dead letters and the
    /// books, but no thread: jobs that wait hold up no computation, and computations hold up no job that waits. Within a lane, jobs
    /// are started in the order in which they became ready.
    ///
    /// `lane_of` is called by whoever submits a job, under no lock, and again whenever the job comes back: so it had better be quick,
    /// and have the same answer for the same job. If it panics, the job is taken for sync.
    ///
    /// # Memory
    ///
    /// Each lane has slots for the whole capacity.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start), and no async workers, or a concurrency of zero.
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::{Context, Lane, Pool};
    /// use std::time::Duration;
    ///
    /// enum Job {
    ///     Resize(u32),
    ///     Upload(u32),
    /// }
    ///
    /// let pool = Pool::builder()
    ///     .workers(2)
    ///     .async_workers(1)
    ///     .start_mixed(
    ///         |job: &Job| match job {
    ///             Job::Resize(_) => Lane::Sync,
    ///             Job::Upload(_) => Lane::Async,
    ///         },
    ///         |job: &Job, _: &Context| {
    ///             let Job::Resize(picture) = job else { return Err("in the wrong lane") };
    ///             println!("picture {picture} is small");
    ///             Ok(())
    ///         },
    ///         async |job: &Job, cx: &Context| {
    ///             let Job::Upload(picture) = job else { return Err("in the wrong lane") };
    ///             cx.sleep(Duration::from_millis(1)).await;
    ///             println!("picture {picture} is online");
    ///             Ok(())
    ///         },
    ///     )?;
    /// pool.submit_many(vec![Job::Resize(1), Job::Upload(1)])?;
    /// assert_eq!(pool.shutdown(Duration::from_secs(10)).done, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn start_mixed<T, R, S>(
        self,
        lane_of: impl Fn(&T) -> Lane + Send + Sync + 'static,
        handler: impl Fn(&T, &Context) -> R + Send + Sync + 'static,
        async_handler: impl AsyncFn(&T, &Context) -> S + Send + Sync + 'static,
    ) -> Result<Pool<T>, BuildError>
    where
        T: Send + 'static,
        R: IntoOutcome,
        S: IntoOutcome,
    {
        self.launch_mixed(None, lane_of, handler, async_handler)
    }
}

impl PoolBuilder<Leased> {
    /// Starts a pool with two handlers: as [`PoolBuilder::start_mixed`], with leases. Only workers that compute are
    /// [replaced](Self::replace_stuck).
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start), and no async workers, or a concurrency of zero.
    pub fn start_mixed<T, R, S>(
        self,
        lane_of: impl Fn(&T) -> Lane + Send + Sync + 'static,
        handler: impl Fn(&T, &Context) -> R + Send + Sync + 'static,
        async_handler: impl AsyncFn(&T, &Context) -> S + Send + Sync + 'static,
    ) -> Result<Pool<T>, BuildError>
    where
        T: Clone + Send + Sync + 'static,
        R: IntoOutcome,
        S: IntoOutcome,
    {
        let leasing = Leasing::new(self.lease.0);
        self.launch_mixed(Some(leasing), lane_of, handler, async_handler)
    }
}
