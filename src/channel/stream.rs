//! A receiver as a stream: written once, over every ring.

/// Writes the stream of a module's `Receiver`.
macro_rules! stream {
    () => {
        /// The messages of a channel as a [`Stream`](futures_core::stream::Stream): ends when the channel is closed and empty.
        ///
        /// Made by [`Receiver::into_stream`]. Its one allocation is made there, which keeps it `Unpin`.
        ///
        /// *Cancel safety.* Dropping it, or a future that waits for its next message, takes nothing.
        #[must_use = "a stream does nothing unless it is polled"]
        pub struct RecvStream<T> {
            waiting: std::pin::Pin<Box<Reading<T>>>,
            ended: bool,
        }

        /// A receive through a receiver of its own.
        type Reading<T> = crate::wait::Waiting<RecvSource<T, Receiver<T>>>;

        impl<T> RecvStream<T> {
            fn new(receiver: Receiver<T>) -> Self {
                Self { waiting: Box::pin(crate::wait::Waiting::new(RecvSource::new(receiver))), ended: false }
            }

            /// Returns the receiver that the stream reads from.
            pub fn receiver(&self) -> &Receiver<T> {
                self.waiting.source().end()
            }
        }

        impl<T> futures_core::stream::Stream for RecvStream<T> {
            type Item = T;

            fn poll_next(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Option<T>> {
                let this = self.get_mut();
                if this.ended {
                    return std::task::Poll::Ready(None);
                }
                std::future::Future::poll(this.waiting.as_mut(), cx).map(|message| {
                    this.ended = message.is_err();
                    message.ok()
                })
            }
        }

        impl<T> futures_core::stream::FusedStream for RecvStream<T> {
            fn is_terminated(&self) -> bool {
                self.ended
            }
        }

        impl<T> std::fmt::Debug for RecvStream<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct("RecvStream").finish_non_exhaustive()
            }
        }
    };
}

pub(super) use stream;
