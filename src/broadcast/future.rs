//! The futures of async publishing and receiving.

#![forbid(unsafe_code)]

use super::error::{PublishError, RecvError};
use super::log::{Log, Policy};
use super::source::{PublishSource, RecvManySource, RecvSource};
use super::subscriber::Subscriber;
use super::waits::wake_publishers_at;
use crate::wait::Waiting;
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// A message on its way: the future of [`Publisher::publish_async`](super::Publisher::publish_async).
    ///
    /// *Cancel safety.* Until it is ready the message is in the future: dropping it drops the message, unpublished, and
    /// [`PublishFuture::into_inner`] gives it back.
    ///
    /// # Panics
    /// When polled again after it was ready, or after `into_inner`.
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct PublishFuture<'a, T> {
        log: &'a Log<T>,
        #[pin]
        waiting: Waiting<PublishSource<'a, T>>,
    }
}

impl<'a, T> PublishFuture<'a, T> {
    pub(super) const fn new(log: &'a Log<T>, message: T) -> Self {
        Self { log, waiting: Waiting::new(PublishSource::for_task(log, message)) }
    }

    /// Stops publishing and takes the message back. `None` if it was published, or given back before.
    pub fn into_inner(self: Pin<&mut Self>) -> Option<T> {
        self.project().waiting.cancel().take()
    }
}

impl<T> Future for PublishFuture<'_, T> {
    type Output = Result<u64, PublishError<T>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let answer = this.waiting.as_mut().poll(cx);
        if answer.is_pending() && matches!(this.log.policy(), Policy::GateFor(_)) {
            if let Some(until) = this.waiting.source().until() {
                wake_publishers_at(&this.log.waits, until);
            }
        }
        answer
    }
}

impl<T> fmt::Debug for PublishFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishFuture").finish_non_exhaustive()
    }
}

pin_project! {
    /// A message awaited: the future of [`Subscriber::recv_async`].
    ///
    /// *Cancel safety.* Dropping it takes nothing: the message is the next one again.
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct RecvFuture<'a, T: Clone> {
        #[pin]
        waiting: Waiting<RecvSource<T, &'a mut Subscriber<T>>>,
    }
}

impl<'a, T: Clone> RecvFuture<'a, T> {
    pub(super) const fn new(subscriber: &'a mut Subscriber<T>) -> Self {
        Self { waiting: Waiting::new(RecvSource::for_task(subscriber)) }
    }
}

impl<T: Clone> Future for RecvFuture<'_, T> {
    type Output = Result<T, RecvError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().waiting.poll(cx)
    }
}

impl<T: Clone> fmt::Debug for RecvFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvFuture").finish_non_exhaustive()
    }
}

pin_project! {
    /// Messages awaited: the future of [`Subscriber::recv_many_async`].
    ///
    /// *Cancel safety.* Dropping it takes nothing: messages are cloned into the vector in the poll that is ready.
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct RecvManyFuture<'a, T: Clone> {
        #[pin]
        waiting: Waiting<RecvManySource<'a, T>>,
    }
}

impl<'a, T: Clone> RecvManyFuture<'a, T> {
    pub(super) const fn new(subscriber: &'a mut Subscriber<T>, into: &'a mut Vec<T>, limit: usize) -> Self {
        Self { waiting: Waiting::new(RecvManySource::for_task(subscriber, into, limit)) }
    }
}

impl<T: Clone> Future for RecvManyFuture<'_, T> {
    type Output = Result<usize, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().waiting.poll(cx)
    }
}

impl<T: Clone> fmt::Debug for RecvManyFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvManyFuture").finish_non_exhaustive()
    }
}
