//! From the settings of a pool to a simulation of it.

use super::sim::{Handlers, Sim};
use crate::pool::{BuildError, Context, Leased, PoolBuilder, StillTeam, Unleased};
use crate::queue::Lane;
use crate::retry::IntoOutcome;

impl PoolBuilder<Unleased> {
    /// Makes a pool without threads, for tests: it is moved step by step, and all choices follow from `seed`. See
    /// [`testing`](crate::testing).
    ///
    /// The settings hold as they do for [`start`](Self::start), with these differences. There are 2 workers if nothing else is
    /// said. The clock is virtual: the one that was [set](Self::clock), if that is virtual, or else a new one. The jitter
    /// follows from `seed` too, unless [`seed`](Self::seed) was set. The handler need be neither `Send` nor `Fn`, and may
    /// borrow what the test looks at afterwards.
    ///
    /// # Errors
    ///
    /// A setting that cannot work: see [`BuildError`].
    pub fn simulate<'h, T, F, R>(self, seed: u64, handler: F) -> Result<Sim<'h, T>, BuildError>
    where
        T: Send + 'static,
        F: FnMut(&T, &Context) -> R + 'h,
        R: IntoOutcome,
    {
        let still = self.still(seed, StillTeam::Of(Lane::Sync))?;
        Ok(Sim::new(still, seed, Handlers::none().blocking(handler)))
    }

    /// Makes a pool without threads whose handler is async: as [`simulate`](Self::simulate), for the handlers of
    /// [`start_async`](Self::start_async).
    ///
    /// A worker has one handler at a time: set as many workers as handlers are to wait at once. The seed chooses which of the
    /// handlers that can go on is polled next. [`Context::sleep`] ends when the virtual clock comes to it, and so does the
    /// [timeout](Self::timeout), which drops a handler where it waits.
    ///
    /// # Errors
    ///
    /// A setting that cannot work: see [`BuildError`].
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::{Context, Pool};
    /// use std::time::Duration;
    ///
    /// let mut sim = Pool::builder().workers(3).simulate_async(7, async |hours: &u64, cx: &Context| {
    ///     cx.sleep(Duration::from_secs(hours * 3_600)).await;
    /// })?;
    /// for hours in [5, 2, 9] {
    ///     sim.submit(hours)?;
    /// }
    /// assert!(sim.run_until_done());
    /// assert_eq!(sim.now(), Duration::from_secs(9 * 3_600));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn simulate_async<'h, T, F, R>(self, seed: u64, handler: F) -> Result<Sim<'h, T>, BuildError>
    where
        T: Send + 'static,
        F: AsyncFn(&T, &Context) -> R + 'h,
        R: IntoOutcome,
    {
        let still = self.still(seed, StillTeam::Of(Lane::Async))?;
        Ok(Sim::new(still, seed, Handlers::none().waiting(handler)))
    }

    /// Makes a pool without threads that has both kinds of handlers: as [`simulate`](Self::simulate), for what
    /// [`start_mixed`](Self::start_mixed) starts.
    ///
    /// [`workers`](Self::workers) call `handler`, and [`async_workers`](Self::async_workers) others run `async_handler`: one each, as
    /// in [`simulate_async`](Self::simulate_async). The seed chooses among all of them.
    ///
    /// # Errors
    ///
    /// A setting that cannot work: see [`BuildError`]; and no async workers.
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::{Context, Lane, Pool};
    /// use std::cell::RefCell;
    /// use std::time::Duration;
    ///
    /// let ended = RefCell::new(Vec::new());
    /// let mut sim = Pool::builder().workers(1).async_workers(2).simulate_mixed(
    ///     7,
    ///     |minutes: &u64| if *minutes == 0 { Lane::Sync } else { Lane::Async },
    ///     |minutes: &u64, _: &Context| ended.borrow_mut().push(*minutes),
    ///     async |minutes: &u64, cx: &Context| {
    ///         cx.sleep(Duration::from_secs(minutes * 60)).await;
    ///         ended.borrow_mut().push(*minutes);
    ///     },
    /// )?;
    /// for minutes in [9, 5, 0] {
    ///     sim.submit(minutes)?;
    /// }
    /// assert!(sim.run_until_done());
    /// drop(sim);
    /// assert_eq!(*ended.borrow(), [0, 5, 9]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn simulate_mixed<'h, T, R, S>(
        self,
        seed: u64,
        lane_of: impl Fn(&T) -> Lane + Send + Sync + 'static,
        handler: impl FnMut(&T, &Context) -> R + 'h,
        async_handler: impl AsyncFn(&T, &Context) -> S + 'h,
    ) -> Result<Sim<'h, T>, BuildError>
    where
        T: Send + 'static,
        R: IntoOutcome,
        S: IntoOutcome,
    {
        let still = self.still(seed, StillTeam::Mixed(Box::new(lane_of)))?;
        Ok(Sim::new(still, seed, Handlers::none().blocking(handler).waiting(async_handler)))
    }
}

impl PoolBuilder<Leased> {
    /// Makes a pool without threads, for tests: as [`PoolBuilder::simulate`], with leases.
    ///
    /// # Errors
    ///
    /// A setting that cannot work: see [`BuildError`].
    pub fn simulate<'h, T, F, R>(self, seed: u64, handler: F) -> Result<Sim<'h, T>, BuildError>
    where
        T: Clone + Send + Sync + 'static,
        F: FnMut(&T, &Context) -> R + 'h,
        R: IntoOutcome,
    {
        let still = self.still(seed, StillTeam::Of(Lane::Sync))?;
        Ok(Sim::new(still, seed, Handlers::none().blocking(handler)))
    }

    /// Makes a pool without threads whose handler is async: as [`PoolBuilder::simulate_async`], with leases. A handler that has
    /// lost its lease is polled once more, and dropped.
    ///
    /// # Errors
    ///
    /// A setting that cannot work: see [`BuildError`].
    pub fn simulate_async<'h, T, F, R>(self, seed: u64, handler: F) -> Result<Sim<'h, T>, BuildError>
    where
        T: Clone + Send + Sync + 'static,
        F: AsyncFn(&T, &Context) -> R + 'h,
        R: IntoOutcome,
    {
        let still = self.still(seed, StillTeam::Of(Lane::Async))?;
        Ok(Sim::new(still, seed, Handlers::none().waiting(handler)))
    }

    /// Makes a pool without threads that has both kinds of handlers: as [`PoolBuilder::simulate_mixed`], with leases.
    ///
    /// # Errors
    ///
    /// A setting that cannot work: see [`BuildError`]; and no async workers.
    pub fn simulate_mixed<'h, T, R, S>(
        self,
        seed: u64,
        lane_of: impl Fn(&T) -> Lane + Send + Sync + 'static,
        handler: impl FnMut(&T, &Context) -> R + 'h,
        async_handler: impl AsyncFn(&T, &Context) -> S + 'h,
    ) -> Result<Sim<'h, T>, BuildError>
    where
        T: Clone + Send + Sync + 'static,
        R: IntoOutcome,
        S: IntoOutcome,
    {
        let still = self.still(seed, StillTeam::Mixed(Box::new(lane_of)))?;
        Ok(Sim::new(still, seed, Handlers::none().blocking(handler).waiting(async_handler)))
    }
}
