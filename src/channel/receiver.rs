//! What every receiving end can do: written once, for shared handles (`&self`) and for unique ones (`&mut self`).

/// Writes the receiving methods of `$handle`, which has a method `end` that gives a `PopEnd`.
/// `$by_a` is `$by`
/// for the lifetime `'a`, `$make` the beginning of the examples.
macro_rules! receiver {
    ($handle:ident, [$($by:tt)+], [$($by_a:tt)+], $me:ident, $make:literal) => {
        impl<T> $handle<T> {
            /// Receives the oldest message, blocking the thread while there is none.
            ///
            /// Spins and yields for a bounded time before it parks; parked it uses no CPU. In a task use
            /// [`recv_async`](Self::recv_async).
            ///
            /// # Errors
            /// [`RecvError`] if the channel is closed and empty: all that was sent has been received.
            ///
            /// # Examples
            /// ```
            #[doc = concat!($make, "(1);")]
            /// std::thread::spawn(move || tx.send(42));
            /// assert_eq!(rx.recv(), Ok(42));
            /// assert!(rx.recv().is_err()); // the sender is gone
            /// ```
            #[inline]
            pub fn recv($($by)+ $me) -> Result<T, RecvError> {
                source::recv($me.end())
            }

            /// Receives the oldest message if there is one.
            ///
            /// Never parks. If the message is just being put in by a sender whose thread lost the processor, it yields to that
            /// thread, and naps for up to 0.8 ms at a time if that takes long, until it is done: the answer `Empty` is never given while a message that was sent is inside.
            ///
            /// # Errors
            /// [`TryRecvError::Empty`], or [`TryRecvError::Closed`] if the channel is closed and empty.
            ///
            /// # Examples
            /// ```
            /// use millpond::TryRecvError;
            ///
            #[doc = concat!($make, "(1);")]
            /// assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
            /// tx.send(1)?;
            /// drop(tx);
            /// assert_eq!(rx.try_recv(), Ok(1));
            /// assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
            /// # Ok::<(), millpond::SendError<i32>>(())
            /// ```
            #[inline]
            pub fn try_recv($($by)+ $me) -> Result<T, TryRecvError> {
                source::try_recv($me.end())
            }

            /// Receives the oldest message, blocking the thread for up to `timeout` while there is none.
            ///
            /// Tries at least once, however short the time. A `timeout` that no [`Instant`] can express is waited out for ever.
            ///
            /// # Errors
            /// [`RecvTimeoutError::Timeout`], with nothing taken, or [`RecvTimeoutError::Closed`] if the channel is closed and empty.
            ///
            /// # Examples
            /// ```
            /// use millpond::RecvTimeoutError;
            /// use std::time::Duration;
            ///
            #[doc = concat!($make, "::<u8>(1);")]
            /// assert_eq!(rx.recv_timeout(Duration::from_millis(1)), Err(RecvTimeoutError::Timeout));
            /// drop(tx);
            /// assert_eq!(rx.recv_timeout(Duration::MAX), Err(RecvTimeoutError::Closed));
            /// ```
            pub fn recv_timeout($($by)+ $me, timeout: Duration) -> Result<T, RecvTimeoutError> {
                source::recv_until($me.end(), Deadline::after(timeout))
            }

            /// Receives the oldest message, blocking the thread until `deadline` at most while there is none.
            ///
            /// Tries at least once, also after the deadline.
            ///
            /// # Errors
            /// As [`recv_timeout`](Self::recv_timeout).
            pub fn recv_deadline($($by)+ $me, deadline: Instant) -> Result<T, RecvTimeoutError> {
                source::recv_until($me.end(), Deadline::at(deadline))
            }

            /// Receives the oldest message, letting the task wait while there is none.
            ///
            /// Works in any executor. Never blocks the thread, and allocates nothing.
            ///
            /// *Cancel safety.* Dropping the future loses neither a message nor a wake-up: it may be used in `select!`.
            ///
            /// # Errors
            /// [`RecvError`] if the channel is closed and empty.
            ///
            /// # Examples
            /// ```
            /// # futures::executor::block_on(async {
            #[doc = concat!($make, "(1);")]
            /// std::thread::spawn(move || tx.send(1)); // a blocking end and an async end
            /// assert_eq!(rx.recv_async().await, Ok(1));
            /// assert!(rx.recv_async().await.is_err());
            /// # });
            /// ```
            pub fn recv_async($($by)+ $me) -> RecvFuture<'_, T> {
                RecvFuture::new($me.end())
            }

            /// Receives up to `limit` messages to the end of `messages`, blocking the thread while there is none.
            ///
            /// Takes what is ready once there is one, in order and without messages of other receivers between; never waits for
            /// more. Returns how many. Cheaper than one by one: one atomic operation on the shared cursor for all.
            ///
            /// # Errors
            /// [`RecvError`] if the channel is closed and empty.
            ///
            /// # Examples
            /// ```
            #[doc = concat!($make, "(8);")]
            /// tx.send_many([1, 2, 3])?;
            /// let mut messages = Vec::new();
            /// assert_eq!(rx.recv_many(&mut messages, 2), Ok(2));
            /// assert_eq!(rx.recv_many(&mut messages, 2), Ok(1));
            /// assert_eq!(messages, [1, 2, 3]);
            /// # Ok::<(), millpond::SendManyError<i32>>(())
            /// ```
            pub fn recv_many($($by)+ $me, messages: &mut Vec<T>, limit: usize) -> Result<usize, RecvError> {
                source::recv_many($me.end(), messages, limit)
            }

            /// Returns an iterator that blocks for each message, and ends when the channel is closed and empty.
            pub const fn iter($($by)+ $me) -> Iter<'_, T> {
                Iter { receiver: $me }
            }

            /// Returns an iterator over the messages that are there, which never blocks.
            pub const fn try_iter($($by)+ $me) -> TryIter<'_, T> {
                TryIter { receiver: $me }
            }

            /// Turns the receiver into a stream of the messages.
            ///
            /// # Examples
            /// ```
            /// use futures::StreamExt;
            /// # futures::executor::block_on(async {
            #[doc = concat!($make, "(3);")]
            /// tx.send_many([1, 2, 3])?;
            /// drop(tx);
            /// assert_eq!(rx.into_stream().collect::<Vec<_>>().await, [1, 2, 3]);
            /// # Ok::<(), millpond::SendManyError<i32>>(())
            /// # }).unwrap();
            /// ```
            #[cfg(feature = "stream")]
            pub fn into_stream(self) -> RecvStream<T> {
                RecvStream::new(self)
            }

            /// Receives up to `limit` messages to the end of `messages`, letting the task wait while there is none.
            ///
            /// As [`recv_many`](Self::recv_many). Works in any executor, never blocks the thread.
            ///
            /// *Cancel safety.* Dropping the future takes nothing.
            ///
            /// # Errors
            /// [`RecvError`] if the channel is closed and empty.
            ///
            /// # Examples
            /// ```
            /// # futures::executor::block_on(async {
            #[doc = concat!($make, "(8);")]
            /// tx.send_many([1, 2, 3])?;
            /// let mut messages = Vec::new();
            /// assert_eq!(rx.recv_many_async(&mut messages, 10).await, Ok(3));
            /// # Ok::<(), millpond::SendManyError<i32>>(())
            /// # }).unwrap();
            /// ```
            pub fn recv_many_async<'a>(
                $($by_a)+ $me,
                messages: &'a mut Vec<T>,
                limit: usize,
            ) -> RecvManyFuture<'a, T> {
                RecvManyFuture::new($me.end(), messages, limit)
            }

            /// Receives up to `limit` messages that are there to the end of `messages`, and returns how many.
            ///
            /// Waits as [`try_recv`](Self::try_recv) does.
            ///
            /// # Errors
            /// [`TryRecvError::Empty`], or [`TryRecvError::Closed`] if the channel is closed and empty.
            ///
            /// # Examples
            /// ```
            #[doc = concat!($make, "(8);")]
            /// tx.send_many([1, 2, 3])?;
            /// let mut messages = Vec::new();
            /// assert_eq!(rx.try_recv_many(&mut messages, 2), Ok(2));
            /// assert_eq!(messages, [1, 2]);
            /// # Ok::<(), millpond::SendManyError<i32>>(())
            /// ```
            pub fn try_recv_many(
                $($by)+ $me,
                messages: &mut Vec<T>,
                limit: usize,
            ) -> Result<usize, TryRecvError> {
                source::try_recv_many($me.end(), messages, limit)
            }

            /// Receives all messages that are there to the end of `messages`, and returns how many.
            ///
            /// Takes no more than there were when it began, so that it ends however fast others send. Waits as
            /// [`try_recv`](Self::try_recv) does.
            ///
            /// # Examples
            /// ```
            #[doc = concat!($make, "(8);")]
            /// tx.send_many([1, 2, 3])?;
            /// let mut messages = Vec::new();
            /// assert_eq!(rx.drain(&mut messages), 3);
            /// assert_eq!(rx.drain(&mut messages), 0);
            /// # Ok::<(), millpond::SendManyError<i32>>(())
            /// ```
            pub fn drain($($by)+ $me, messages: &mut Vec<T>) -> usize {
                source::drain($me.end(), messages)
            }

            /// Receives the oldest message if there is one, waiting for nobody.
            ///
            /// A bounded number of steps while no other thread takes the same message first: for those who may not wait even for
            /// a sender that lost its processor in the middle of putting a message in. That one is answered `Busy`.
            ///
            /// # Errors
            /// [`TryRecvRelaxedError::Empty`], `Closed` or `Busy`.
            ///
            /// # Examples
            /// ```
            #[doc = concat!($make, "(1);")]
            /// assert_eq!(rx.try_recv_relaxed(), Err(millpond::TryRecvRelaxedError::Empty));
            /// tx.send(1)?;
            /// assert_eq!(rx.try_recv_relaxed(), Ok(1));
            /// # Ok::<(), millpond::SendError<i32>>(())
            /// ```
            #[inline]
            pub fn try_recv_relaxed($($by)+ $me) -> Result<T, TryRecvRelaxedError> {
                source::try_recv_relaxed($me.end())
            }
        }
    };
}

pub(super) use receiver;
