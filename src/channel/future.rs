//! The futures of async sends and receives: written once, over every ring.

/// Writes the futures of a module's `Sender` and `Receiver`, whose ends for a lifetime `'a` are `$push` and `$pop`,
/// over a `$core`.
macro_rules! futures {
    ($make:literal, $push:ty, $pop:ty, $core:ty) => {
        pin_project_lite::pin_project! {
            /// A message on its way: the future of [`Sender::send_async`].
            ///
            /// *Cancel safety.* Until it is ready the message is in the future: dropping it drops the message, unsent, and
            /// [`SendFuture::into_inner`] gives it back.
            ///
            /// # Panics
            /// When polled again after it was ready, or after `into_inner`.
            #[must_use = "a future does nothing unless it is awaited"]
            pub struct SendFuture<'a, T> {
                #[pin]
                waiting: Waiting<SendSource<T, $push>>,
            }
        }

        impl<'a, T> SendFuture<'a, T> {
            const fn new(end: $push, value: T) -> Self {
                Self { waiting: Waiting::new(SendSource::new(end, value)) }
            }

            /// Stops sending and takes the message back. `None` if it was sent, or given back before.
            ///
            /// # Examples
            /// ```
            /// # use std::{future::Future, pin::pin, task::{Context, Poll, Waker}};
            #[doc = concat!($make, "(1);")]
            /// tx.send(1)?;
            /// let mut sending = pin!(tx.send_async(2));
            /// assert!(sending.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            /// assert_eq!(sending.into_inner(), Some(2));
            /// # Ok::<(), millpond::SendError<i32>>(())
            /// ```
            pub fn into_inner(self: Pin<&mut Self>) -> Option<T> {
                self.project().waiting.cancel().take()
            }
        }

        impl<T> Future for SendFuture<'_, T> {
            type Output = Result<(), SendError<T>>;

            #[inline]
            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                self.project().waiting.poll(cx)
            }
        }

        impl<T> fmt::Debug for SendFuture<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct("SendFuture").finish_non_exhaustive()
            }
        }

        pin_project_lite::pin_project! {
            /// A message awaited: the future of [`Receiver::recv_async`].
            ///
            /// *Cancel safety.* Dropping it takes nothing: no message is lost, and a wake-up that it had been given goes to the next
            /// receiver. A future that was woken and is kept without being polled holds that one wake-up; each
            /// further message wakes another receiver.
            #[must_use = "a future does nothing unless it is awaited"]
            pub struct RecvFuture<'a, T> {
                #[pin]
                waiting: Waiting<RecvSource<T, $pop>>,
            }
        }

        impl<'a, T> RecvFuture<'a, T> {
            const fn new(end: $pop) -> Self {
                Self { waiting: Waiting::new(RecvSource::new(end)) }
            }
        }

        impl<T> Future for RecvFuture<'_, T> {
            type Output = Result<T, RecvError>;

            #[inline]
            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                self.project().waiting.poll(cx)
            }
        }

        impl<T> fmt::Debug for RecvFuture<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct("RecvFuture").finish_non_exhaustive()
            }
        }

        pin_project_lite::pin_project! {
            /// Messages on their way: the future of [`Sender::send_many_async`].
            ///
            /// *Cancel safety.* What found room is sent, the others are in the future: dropping it drops them, unsent, and
            /// [`SendManyFuture::into_inner`] gives them back.
            ///
            /// # Panics
            /// When polled again after it was ready.
            #[must_use = "a future does nothing unless it is awaited"]
            pub struct SendManyFuture<'a, T> {
                #[pin]
                waiting: Waiting<SendManySource<T, $push>>,
            }
        }

        impl<'a, T> SendManyFuture<'a, T> {
            const fn new(end: $push, values: VecDeque<T>) -> Self {
                Self { waiting: Waiting::new(SendManySource::new(end, values)) }
            }

            /// Stops sending and takes the messages back that were not sent, in order.
            pub fn into_inner(self: Pin<&mut Self>) -> VecDeque<T> {
                self.project().waiting.cancel().take()
            }
        }

        impl<T> Future for SendManyFuture<'_, T> {
            type Output = Result<(), SendManyError<T>>;

            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                self.project().waiting.poll(cx)
            }
        }

        impl<T> fmt::Debug for SendManyFuture<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct("SendManyFuture").finish_non_exhaustive()
            }
        }

        pin_project_lite::pin_project! {
            /// Messages awaited: the future of [`Receiver::recv_many_async`].
            ///
            /// *Cancel safety.* Dropping it takes nothing: messages are moved into the vector in the poll that is ready.
            #[must_use = "a future does nothing unless it is awaited"]
            pub struct RecvManyFuture<'a, T> {
                #[pin]
                waiting: Waiting<RecvManySource<'a, T, $pop>>,
            }
        }

        impl<'a, T> RecvManyFuture<'a, T> {
            const fn new(end: $pop, messages: &'a mut Vec<T>, limit: usize) -> Self {
                Self { waiting: Waiting::new(RecvManySource::new(end, messages, limit)) }
            }
        }

        impl<T> Future for RecvManyFuture<'_, T> {
            type Output = Result<usize, RecvError>;

            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                self.project().waiting.poll(cx)
            }
        }

        impl<T> fmt::Debug for RecvManyFuture<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct("RecvManyFuture").finish_non_exhaustive()
            }
        }

        pin_project_lite::pin_project! {
            /// The end of a channel awaited: the future of [`Sender::closed`] and [`Receiver::closed`].
            ///
            /// *Cancel safety.* Dropping it changes nothing.
            #[must_use = "a future does nothing unless it is awaited"]
            pub struct ClosedFuture<'a, T> {
                #[pin]
                waiting: Waiting<ClosedSource<'a, $core>>,
            }
        }

        impl<'a, T> ClosedFuture<'a, T> {
            const fn new(core: &'a $core) -> Self {
                Self { waiting: Waiting::new(ClosedSource::new(core)) }
            }
        }

        impl<T> Future for ClosedFuture<'_, T> {
            type Output = ();

            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
                self.project().waiting.poll(cx)
            }
        }

        impl<T> fmt::Debug for ClosedFuture<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct("ClosedFuture").finish_non_exhaustive()
            }
        }
    };
}

pub(super) use futures;
