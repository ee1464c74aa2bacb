//! The sender as a sink.

use super::Sender;
use super::permit::RoomSource;
use crate::channel::error::SendError;
use crate::wait::Waiting;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

impl<T> Sender<T> {
    /// Turns the sender into a sink of messages.
    ///
    /// # Examples
    /// ```
    /// use futures::{SinkExt, StreamExt, stream};
    /// # futures::executor::block_on(async {
    /// let (tx, mut rx) = millpond::spsc::bounded(4);
    /// let mut sink = tx.into_sink();
    /// sink.send(1).await?;
    /// sink.send_all(&mut stream::iter([2, 3]).map(Ok)).await?;
    /// sink.close().await?;
    /// assert_eq!(rx.iter().sum::<i32>(), 6); // the sender is gone
    /// # Ok::<(), millpond::SendError<Option<i32>>>(())
    /// # }).unwrap();
    /// ```
    pub fn into_sink(self) -> SendSink<T> {
        SendSink { waiting: Some(Box::pin(Waiting::new(RoomSource::new(self)))), reserved: false }
    }
}

/// Messages into a channel as a [`Sink`](futures_sink::Sink). Made by [`Sender::into_sink`].
///
/// *Ready* means that there is room, as by [`Sender::reserve`]: nobody else can take it. *An item that was accepted* is in the
/// channel at once: nothing is ever buffered here, flushing has nothing to do, and a sink that is dropped loses nothing.
///
/// *Closing* the sink drops its sender, and so closes the channel: the receiver gets what is left, then an error.
///
/// *Errors.* [`SendError`] if the channel or the sink is closed; it gives the item back where there was one already.
///
/// *Cancel safety.* Dropping a future that waits for the sink sends nothing that was not accepted, and loses no wake-up. Its one
/// allocation is made when the sink is, which keeps it `Unpin`.
#[must_use = "a sink does nothing unless it is sent to"]
pub struct SendSink<T> {
    /// `None` once the sink was closed.
    waiting: Option<Pin<Box<Reserving<T>>>>,
    /// Whether room is reserved. Never without a sender.
    reserved: bool,
}

/// A reservation by a sender of its own.
type Reserving<T> = Waiting<RoomSource<T, Sender<T>>>;

impl<T> SendSink<T> {
    /// Returns the sender that the sink sends through. `None` once the sink was closed.
    #[must_use]
    pub fn sender(&self) -> Option<&Sender<T>> {
        self.waiting.as_ref().and_then(|waiting| waiting.source().sender())
    }

    fn sender_mut(&mut self) -> Option<&mut Sender<T>> {
        self.waiting.as_mut().and_then(|waiting| waiting.as_mut().cancel().sender_mut())
    }

    /// Gives reserved room back.
    fn give_back(&mut self) {
        if std::mem::take(&mut self.reserved) {
            if let Some(sender) = self.sender() {
                sender.give_back();
            }
        }
    }
}

impl<T> futures_sink::Sink<T> for SendSink<T> {
    type Error = SendError<Option<T>>;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let this = self.get_mut();
        if this.reserved {
            return Poll::Ready(Ok(()));
        }
        let Some(waiting) = &mut this.waiting else { return Poll::Ready(Err(SendError(None))) };
        let answer = std::task::ready!(waiting.as_mut().poll(cx));
        this.reserved = answer.is_ok();
        Poll::Ready(answer.map_err(|_| SendError(None)))
    }

    /// Sends an item into the room that `poll_ready` has found.
    ///
    /// # Panics
    /// If `poll_ready` was not ready since the last item, as the trait demands. Not if the sink was closed.
    fn start_send(self: Pin<&mut Self>, item: T) -> Result<(), Self::Error> {
        let this = self.get_mut();
        let reserved = std::mem::take(&mut this.reserved);
        let Some(sender) = this.sender_mut() else { return Err(SendError(Some(item))) };
        assert!(reserved, "an item is sent to a sink only after poll_ready was ready");
        sender.send_promised(item).map_err(|error| SendError(Some(error.0)))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let this = self.get_mut();
        this.give_back();
        this.waiting = None;
        Poll::Ready(Ok(()))
    }
}

impl<T> Drop for SendSink<T> {
    fn drop(&mut self) {
        self.give_back();
    }
}

impl<T> fmt::Debug for SendSink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendSink").finish_non_exhaustive()
    }
}
