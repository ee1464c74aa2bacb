//! Calling what belongs to the user: a panic in it ends here.

use super::discard::discard;
use super::failure::Failure;
use super::outcome::Outcome;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

/// Runs a handler, or a step of one. A panic in it ends here, as a failed attempt.
#[inline]
pub(crate) fn caught<R>(run: impl FnOnce() -> R) -> Result<R, Outcome> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| {
        let failure = Failure::from_panic(&*payload);
        discard(payload);
        Outcome::Retry(failure)
    })
}

/// Wakes a task. Returns false when its waker panicked; the panic ends here.
pub(crate) fn wake(waker: Waker) -> bool {
    catch_unwind(AssertUnwindSafe(|| waker.wake())).map_err(discard).is_ok()
}
