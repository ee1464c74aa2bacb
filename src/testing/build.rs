//! From the settings of a pool to a simulation of it.

use super::sim::Sim;
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
        Ok(Sim::new(self.still(seed)?, seed, handler))
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
        Ok(Sim::new(self.still(seed)?, seed, handler))
    }
}
