//! A sender as a sink: written once, over the rings that can promise room.

/// Writes the sink of a module's `Sender`.
macro_rules! sink {
    ($make:literal) => {
        impl<T> Sender<T> {
            /// Returns a sink of messages, which sends through a clone of this sender.
            pub fn sink(&self) -> SendSink<T> {
                self.clone().into_sink()
            }

            /// Turns the sender into a sink of messages.
            ///
            /// # Examples
            /// ```
            /// use futures::{SinkExt, StreamExt, stream};
            /// # futures::executor::block_on(async {
            #[doc = concat!($make, "(4);")]
            /// let mut sink = tx.into_sink();
            /// sink.send(1).await?;
            /// sink.send_all(&mut stream::iter([2, 3]).map(Ok)).await?;
            /// sink.close().await?;
            /// assert_eq!(rx.iter().sum::<i32>(), 6); // the only sender is gone
            /// # Ok::<(), millpond::SendError<Option<i32>>>(())
            /// # }).unwrap();
            /// ```
            pub fn into_sink(self) -> SendSink<T> {
                SendSink::new(self)
            }
        }

        impl<T> crate::channel::reserve::ReserveEnd<T> for Sender<T> {
            type Core = Shared<T>;

            fn core(&self) -> &Shared<T> {
                &self.shared
            }
        }

        /// Messages into a channel as a [`Sink`](futures_sink::Sink). Made by [`Sender::into_sink`] and [`Sender::sink`].
        ///
        /// *Ready* means that room is reserved, as by [`Sender::reserve`]: it counts as a message until an item is sent into it, or the
        /// sink is closed or dropped. *An item that was accepted* is in the channel at once: nothing is ever buffered here,
        /// flushing has nothing to do, and a sink that is dropped loses nothing.
        ///
        /// *Closing* the sink gives reserved room back and drops its sender: the channel closes if that was the last. It does not
        /// close the channel for other senders.
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
        type Reserving<T> = Waiting<crate::channel::reserve::ReserveSource<T, Sender<T>>>;

        impl<T> SendSink<T> {
            fn new(sender: Sender<T>) -> Self {
                let source = crate::channel::reserve::ReserveSource::new(sender);
                Self { waiting: Some(Box::pin(Waiting::new(source))), reserved: false }
            }

            /// Returns the sender that the sink sends through. `None` once the sink was closed.
            #[must_use]
            pub fn sender(&self) -> Option<&Sender<T>> {
                self.waiting.as_ref().map(|waiting| waiting.source().end())
            }

            /// Gives reserved room back.
            fn give_back(&mut self) {
                if let (true, Some(sender)) = (std::mem::take(&mut self.reserved), self.sender()) {
                    crate::channel::reserve::give_back(&*sender.shared);
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

            /// Sends an item into the room that `poll_ready` has reserved.
            ///
            /// # Panics
            /// If `poll_ready` was not ready since the last item, as the trait demands. Not if the sink was closed.
            fn start_send(self: Pin<&mut Self>, item: T) -> Result<(), Self::Error> {
                let this = self.get_mut();
                let reserved = std::mem::take(&mut this.reserved);
                let Some(sender) = this.sender() else { return Err(SendError(Some(item))) };
                assert!(reserved, "an item is sent to a sink only after poll_ready was ready");
                crate::channel::reserve::send_reserved(&*sender.shared, item)
                    .map_err(|error| SendError(Some(error.0)))
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
    };
}

pub(super) use sink;
