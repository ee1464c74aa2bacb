//! What a worker holds a delivery by, whatever engine it came from: signals one way, extensions the other.

use super::envelope::JobId;
use super::lease::LeaseLost;
use std::time::Duration;

/// A place at which one delivery at a time is worked on.
///
/// The [`Context`](crate::Context) of a delivery asks it whether to give up, and to extend the lease. A place is used for one
/// delivery after the other, so each question names the job.
pub trait Hold: Send + Sync + 'static {
    /// Returns true once the delivery of `id` was taken away: its lease is lost, or a shutdown has cut it off.
    ///
    /// Once true it stays so until the delivery is settled. Never blocks.
    fn is_lost(&self, id: JobId) -> bool;

    /// Extends the lease of the delivery of `id` so that it ends `by` from now. Does not wait.
    ///
    /// # Errors
    /// [`LeaseLost`] if the delivery was taken away before.
    fn extend(&self, id: JobId, by: Duration) -> Result<(), LeaseLost>;
}
