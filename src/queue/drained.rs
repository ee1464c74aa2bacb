//! Waiting in a task until no job is held.

use super::work::Queue;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The future of [`Pool::drained`](crate::Pool::drained): it ends when the pool holds no job.
///
/// Cancel-safe: dropped, it leaves nothing behind. Works with any executor.
#[must_use = "futures do nothing unless they are awaited"]
pub struct Drained<'q, T> {
    queue: &'q Queue<T>,
    /// By which it is known to the queue, once it waits.
    ticket: Option<u64>,
}

impl<T> Queue<T> {
    pub(crate) fn drained(&self) -> Drained<'_, T> {
        Drained { queue: self, ticket: None }
    }
}

impl<T> Drained<'_, T> {
    fn leave(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.queue.delayed.leave(&self.queue.gate, ticket);
        }
    }
}

impl<T> Future for Drained<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let queue = self.queue;
        if queue.delayed.poll_drained(&queue.gate, &mut self.ticket, cx.waker()) {
            self.leave();
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl<T> Drop for Drained<'_, T> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl<T> fmt::Debug for Drained<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drained").field("waits", &self.ticket.is_some()).finish_non_exhaustive()
    }
}
