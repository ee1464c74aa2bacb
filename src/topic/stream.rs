//! A subscription as a stream.

use super::entry::{SubscriptionInfo, SubscriptionStats};
use super::error::RecvError;
use super::event::Event;
use super::feed::Membership;
use super::mailbox::{Room, Watch};
use super::subscription::{Mail, View};
use crate::broadcast::SubscriberStream;
use crate::channel::RecvStream;
use futures_core::stream::{FusedStream, Stream};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// What a subscription receives, as a [`Stream`]: ends when nothing will come any more and all has been received.
///
/// Its items are results: in a lossy subscription events that were lost are reported, not skipped in silence. Made by
/// [`Subscription::into_stream`](super::Subscription::into_stream). Its one allocation is made there, which keeps it `Unpin`.
/// Dropping it ends the subscription.
///
/// *Cancel safety.* Dropping a future that waits for its next event takes nothing.
#[must_use = "a stream does nothing unless it is polled, and dropping it ends the subscription"]
pub struct SubscriptionStream<T: Clone> {
    /// First, so that no event comes in behind the mailbox's end.
    membership: Membership<T>,
    flow: Flow<T>,
}

/// What comes out of the mailbox, by its policy. The mailbox's guard goes first here, too.
enum Flow<T: Clone> {
    Lossless { room: Room<T>, events: RecvStream<Event<T>> },
    Lossy { _watch: Watch<T>, events: SubscriberStream<Event<T>> },
}

impl<T: Clone> SubscriptionStream<T> {
    pub(super) fn new(membership: Membership<T>, mail: Mail<T>) -> Self {
        let flow = match mail {
            Mail::Lossless(reader) => {
                Flow::Lossless { room: reader.room, events: reader.receiver.into_stream() }
            }
            Mail::Lossy(onlooker) => {
                Flow::Lossy { _watch: onlooker._watch, events: onlooker.subscriber.into_stream() }
            }
        };
        Self { membership, flow }
    }

    fn view(&self) -> View<'_, T> {
        match &self.flow {
            Flow::Lossless { events, .. } => View::Lossless(events.receiver()),
            Flow::Lossy { events, .. } => View::Lossy(events.subscriber()),
        }
    }

    /// Returns how many events wait in the mailbox. Others may change it before this returns.
    #[must_use]
    pub fn len(&self) -> usize {
        self.view().len()
    }

    /// Whether no event waits. Others may change it before this returns, unless nothing will come any more.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns who the subscription is: its number, its name (its pattern, unless it was given one) and its pattern.
    #[must_use]
    pub fn info(&self) -> &SubscriptionInfo {
        self.membership.entry().info()
    }

    /// Returns a snapshot of what has happened to the events on its topics.
    #[must_use]
    pub fn stats(&self) -> SubscriptionStats {
        self.view().stats(&self.membership)
    }
}

impl<T: Clone> Stream for SubscriptionStream<T> {
    type Item = Result<Event<T>, RecvError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut self.get_mut().flow {
            Flow::Lossless { room, events } => {
                // Received and accounted for in one poll.
                let event = ready!(Pin::new(events).poll_next(cx));
                room.free(usize::from(event.is_some()));
                Poll::Ready(event.map(Ok))
            }
            Flow::Lossy { events, .. } => {
                let answer = ready!(Pin::new(events).poll_next(cx));
                Poll::Ready(answer.map(|answer| answer.map_err(RecvError::from)))
            }
        }
    }
}

impl<T: Clone> FusedStream for SubscriptionStream<T> {
    fn is_terminated(&self) -> bool {
        match &self.flow {
            Flow::Lossless { events, .. } => events.is_terminated(),
            Flow::Lossy { events, .. } => events.is_terminated(),
        }
    }
}

impl<T: Clone> fmt::Debug for SubscriptionStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscriptionStream").field("info", self.info()).finish_non_exhaustive()
    }
}
