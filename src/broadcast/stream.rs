//! A subscriber as a stream.

#![forbid(unsafe_code)]

use super::error::RecvError;
use super::source::RecvSource;
use super::subscriber::Subscriber;
use crate::wait::Waiting;
use futures_core::stream::{FusedStream, Stream};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What a subscriber receives, as a [`Stream`]: ends when the channel is closed and all has been received.
///
/// Its items are results: messages that were missed are reported, not skipped in silence. After
/// [`RecvError::Evicted`] it ends. Made by [`Subscriber::into_stream`]. Its one allocation is made there, which keeps it `Unpin`.
///
/// *Cancel safety.* Dropping a future that waits for its next message takes nothing.
#[must_use = "a stream does nothing unless it is polled"]
pub struct SubscriberStream<T: Clone> {
    waiting: Pin<Box<Reading<T>>>,
    ended: bool,
}

/// A receive through a subscriber of its own.
type Reading<T> = Waiting<RecvSource<T, Subscriber<T>>>;

impl<T: Clone> SubscriberStream<T> {
    pub(super) fn new(subscriber: Subscriber<T>) -> Self {
        Self { waiting: Box::pin(Waiting::new(RecvSource::for_task(subscriber))), ended: false }
    }

    /// Returns the subscriber that the stream reads from.
    pub fn subscriber(&self) -> &Subscriber<T> {
        self.waiting.source().subscriber()
    }
}

impl<T: Clone> Stream for SubscriberStream<T> {
    type Item = Result<T, RecvError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        this.waiting.as_mut().poll(cx).map(|answer| {
            this.ended = matches!(answer, Err(RecvError::Closed | RecvError::Evicted));
            (!matches!(answer, Err(RecvError::Closed))).then_some(answer)
        })
    }
}

impl<T: Clone> FusedStream for SubscriberStream<T> {
    fn is_terminated(&self) -> bool {
        self.ended
    }
}

impl<T: Clone> fmt::Debug for SubscriberStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscriberStream").finish_non_exhaustive()
    }
}
