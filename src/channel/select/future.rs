//! A select awaited.

use super::operation::Entry;
use crate::wait::WaitingAny;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project_lite::pin_project! {
    /// The first of several operations awaited: the future of [`Select::wait_async`](super::Select::wait_async).
    ///
    /// *Cancel safety.* Dropping it does nothing: no message is taken or sent, and a wake-up that it had been given goes to the
    /// next who waits for that channel.
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct SelectFuture<'s, 'a, R> {
        #[pin]
        waiting: WaitingAny<'s, Entry<'a, R>>,
    }
}

impl<'s, 'a, R> SelectFuture<'s, 'a, R> {
    pub(super) fn new(entries: &'s mut [Entry<'a, R>]) -> Self {
        Self { waiting: WaitingAny::new(entries) }
    }
}

impl<R> Future for SelectFuture<'_, '_, R> {
    type Output = Option<R>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<R>> {
        let mut waiting = self.project().waiting;
        if waiting.as_mut().sources().is_empty() {
            return Poll::Ready(None);
        }
        let index = ready!(waiting.as_mut().poll(cx));
        Poll::Ready(Some(waiting.sources()[index].finish()))
    }
}

impl<R> fmt::Debug for SelectFuture<'_, '_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SelectFuture").finish_non_exhaustive()
    }
}
