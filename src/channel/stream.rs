//! A receiver as a stream.

use super::receiver::Receiver;
use super::source::RecvSource;
use crate::wait::Waiting;
use futures_core::stream::{FusedStream, Stream};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The messages of a channel as a [`Stream`]: ends when the channel is closed and empty.
///
/// Made by [`Receiver::stream`] and [`Receiver::into_stream`]. Its one allocation is made there, which keeps it `Unpin`.
///
/// *Cancel safety.* Dropping it, or a future that waits for its next message, takes nothing.
#[must_use = "a stream does nothing unless it is polled"]
pub struct RecvStream<T> {
    waiting: Pin<Box<Reading<T>>>,
    ended: bool,
}

/// A receive through a receiver of its own.
type Reading<T> = Waiting<RecvSource<T, Receiver<T>>>;

impl<T> RecvStream<T> {
    pub(super) fn new(receiver: Receiver<T>) -> Self {
        Self { waiting: Box::pin(Waiting::new(RecvSource::new(receiver))), ended: false }
    }

    /// Returns the receiver that the stream reads from.
    pub fn receiver(&self) -> &Receiver<T> {
        self.waiting.source().receiver()
    }
}

impl<T> Stream for RecvStream<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        this.waiting.as_mut().poll(cx).map(|message| {
            this.ended = message.is_err();
            message.ok()
        })
    }
}

impl<T> FusedStream for RecvStream<T> {
    fn is_terminated(&self) -> bool {
        self.ended
    }
}

impl<T> fmt::Debug for RecvStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvStream").finish_non_exhaustive()
    }
}
