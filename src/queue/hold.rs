//! What a worker holds a delivery by, whatever engine it came from: signals one way, extensions the other.

use super::envelope::JobId;
use super::lease::LeaseLost;
use super::track::Progress;
use std::any::Any;
use std::task::Waker;
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

    /// Returns true once the job was cancelled by whoever submitted it. Never blocks. Without an implementation: never.
    fn is_cancelled(&self, id: JobId) -> bool {
        let _ = id;
        false
    }

    /// As [`is_cancelled`](Self::is_cancelled), and has `waker` woken when that turns true. One waker at a time is enough.
    fn poll_cancelled(&self, id: JobId, waker: &Waker) -> bool {
        let _ = waker;
        self.is_cancelled(id)
    }

    /// Notes how far the delivery of `id` is, if somebody wants to know. Never blocks.
    fn set_progress(&self, id: JobId, progress: Progress) {
        let _ = (id, progress);
    }

    /// Keeps the result of the delivery of `id` for whoever submitted the job. Never blocks.
    ///
    /// # Errors
    /// The result, if nobody wants it, or if the delivery was taken away before. Without an implementation: always.
    fn set_result(&self, id: JobId, result: Box<dyn Any + Send>) -> Result<(), Box<dyn Any + Send>> {
        let _ = id;
        Err(result)
    }
}

/// Keeps a result by way of [`Hold::set_result`], and gives it back as what it was.
pub(crate) fn keep_result<R: Any + Send>(hold: &dyn Hold, id: JobId, result: R) -> Result<(), R> {
    // An engine that returns another value than it was given has kept this one, for all we can tell.
    match hold.set_result(id, Box::new(result)) {
        Ok(()) => Ok(()),
        Err(back) => back.downcast().map_or(Ok(()), |result| Err(*result)),
    }
}
