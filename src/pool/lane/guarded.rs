//! A handler that cannot take its worker with it: its panics end here, its time is limited, and it is stopped when its job is
//! taken away.

use crate::queue::{Hold, JobId};
use crate::retry::{Failure, Outcome, caught, discard};
use crate::time::Sleep;
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// A handler at work.
    pub(in crate::pool) struct Guarded<'h, F> {
        // None once it is over: it is dropped as soon as that is known.
        #[pin]
        handler: Option<F>,
        #[pin]
        deadline: Option<Sleep>,
        hold: &'h dyn Hold,
        id: JobId,
    }
}

impl<'h, F: Future<Output = Outcome>> Guarded<'h, F> {
    pub(in crate::pool) fn new(handler: F, deadline: Option<Sleep>, hold: &'h dyn Hold, id: JobId) -> Self {
        Self { handler: Some(handler), deadline, hold, id }
    }
}

impl<F: Future<Output = Outcome>> Future for Guarded<'_, F> {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let mut this = self.project();
        let outcome = if this.hold.is_lost(*this.id) {
            // Whatever it says, the settle is refused.
            Outcome::Retry(Failure::lease_lost())
        } else if this.hold.poll_cancelled(*this.id, cx.waker()) {
            // The settle drops the job.
            Outcome::Release
        } else {
            let Some(handler) = this.handler.as_mut().as_pin_mut() else { return Poll::Pending };
            match caught(|| handler.poll(cx)) {
                Ok(Poll::Ready(outcome)) => outcome,
                Ok(Poll::Pending) => {
                    let late =
                        this.deadline.as_pin_mut().is_some_and(|deadline| deadline.poll(cx).is_ready());
                    if !late {
                        return Poll::Pending;
                    }
                    Outcome::Retry(Failure::timeout())
                }
                Err(panic) => panic,
            }
        };
        // Dropping what is left of the handler is user code.
        discard(Stopped(this.handler));
        Poll::Ready(outcome)
    }
}

/// Drops a handler in its place when it is dropped itself.
struct Stopped<'h, F>(Pin<&'h mut Option<F>>);

impl<F> Drop for Stopped<'_, F> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}
