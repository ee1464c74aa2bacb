//! From the settings of a pool to a simulation of it.

use super::sim::{Handler, Sim};
use crate::pool::{BuildError, Context, Leased, PoolBuilder, Unleased};
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
    ///
    /// # Panics
    ///
    /// When dead letters are to [block](crate::DeadFull::Block): without other threads nobody would ever make room.
    pub fn simulate<'h, T, F, R>(self, seed: u64, handler: F) -> Result<Sim<'h, T>, BuildError>
    where
        T: Send + 'static,
        F: FnMut(&T, &Context) -> R + 'h,
        R: IntoOutcome,
    {
        Ok(Sim::new(self.still(seed)?, seed, Handler::of(handler)))
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
    /// # Panics
    ///
    /// As [`simulate`](Self::simulate).
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
        Ok(Sim::new(self.still(seed)?, seed, Handler::of_async(handler)))
    }
}

impl PoolBuilder<Leased> {
    /// Makes a pool without threads, for tests: as [`PoolBuilder::simulate`], with leases.
    ///
    /// # Errors
    ///
    /// A setting that cannot work: see [`BuildError`].
    ///
    /// # Panics
    ///
    /// When dead letters are to [block](crate::DeadFull::Block): without other threads nobody would ever make room.
    pub fn simulate<'h, T, F, R>(self, seed: u64, handler: F) -> Result<Sim<'h, T>, BuildError>
    where
        T: Clone + Send + Sync + 'static,
        F: FnMut(&T, &Context) -> R + 'h,
        R: IntoOutcome,
    {
        Ok(Sim::new(self.still(seed)?, seed, Handler::of(handler)))
    }

    /// Makes a pool without threads whose handler is async: as [`PoolBuilder::simulate_async`], with leases. A handler that has
    /// lost its lease is polled once more, and dropped.
    ///
    /// # Errors
    ///
    /// A setting that cannot work: see [`BuildError`].
    ///
    /// # Panics
    ///
    /// As [`simulate`](Self::simulate).
    pub fn simulate_async<'h, T, F, R>(self, seed: u64, handler: F) -> Result<Sim<'h, T>, BuildError>
    where
        T: Clone + Send + Sync + 'static,
        F: AsyncFn(&T, &Context) -> R + 'h,
        R: IntoOutcome,
    {
        Ok(Sim::new(self.still(seed)?, seed, Handler::of_async(handler)))
    }
}
