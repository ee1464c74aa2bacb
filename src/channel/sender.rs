//! What every sending end can do: written once, for shared handles (`&self`) and for unique ones (`&mut self`).

/// Writes the sending methods of `$handle`, which has a method `end` that gives a `PushEnd`, and whose future of an async
/// send is `$future`. `$make` is the beginning of the examples.
macro_rules! sender {
    ($handle:ident, [$($by:tt)+], $me:ident, $make:literal) => {
        impl<T> $handle<T> {
            /// Sends a message, blocking the thread while the channel is full.
            ///
            /// `Ok` means that the message is in the channel: it is received once, or dropped once when the last receiver goes.
            /// Spins and yields for a bounded time before it parks. In a task use [`send_async`](Self::send_async).
            ///
            /// # Errors
            /// [`SendError`] gives the message back if the channel is closed, also if it is closed while this waits.
            ///
            /// # Examples
            /// ```
            #[doc = concat!($make, "(1);")]
            /// tx.send("hello")?;
            /// assert_eq!(rx.recv(), Ok("hello"));
            /// drop(rx);
            /// assert_eq!(tx.send("lost?").unwrap_err().into_inner(), "lost?");
            /// # Ok::<(), millpond::SendError<&str>>(())
            /// ```
            #[inline]
            pub fn send($($by)+ $me, message: T) -> Result<(), SendError<T>> {
                source::send($me.end(), message)
            }

            /// Sends a message if there is room at once.
            ///
            /// Never parks. If the place that it needs is just being emptied by a receiver whose thread lost the processor, it
            /// yields to that thread, and naps for up to 0.8 ms at a time if that takes long, until it is done.
            ///
            /// # Errors
            /// [`TrySendError::Full`] or [`TrySendError::Closed`]; both give the message back.
            ///
            /// # Examples
            /// ```
            /// use millpond::TrySendError;
            ///
            #[doc = concat!($make, "(1);")]
            /// assert_eq!(tx.try_send(1), Ok(()));
            /// assert_eq!(tx.try_send(2), Err(TrySendError::Full(2)));
            /// drop(rx);
            /// assert_eq!(tx.try_send(3), Err(TrySendError::Closed(3)));
            /// ```
            #[inline]
            pub fn try_send($($by)+ $me, message: T) -> Result<(), TrySendError<T>> {
                source::try_send($me.end(), message)
            }

            /// Sends a message, blocking the thread for up to `timeout` while the channel is full.
            ///
            /// Tries at least once, however short the time. A `timeout` that no [`Instant`] can express is waited out for ever.
            ///
            /// # Errors
            /// [`SendTimeoutError::Timeout`] or [`SendTimeoutError::Closed`]; both give the message back, which nobody received.
            pub fn send_timeout(
                        $($by)+ $me,
                        message: T,
                        timeout: Duration,
                    ) -> Result<(), SendTimeoutError<T>> {
                source::send_until($me.end(), message, Deadline::after(timeout))
            }

            /// Sends a message, blocking the thread until `deadline` at most while the channel is full.
            ///
            /// Tries at least once, also after the deadline.
            ///
            /// # Errors
            /// As [`send_timeout`](Self::send_timeout).
            pub fn send_deadline(
                        $($by)+ $me,
                        message: T,
                        deadline: Instant,
                    ) -> Result<(), SendTimeoutError<T>> {
                source::send_until($me.end(), message, Deadline::at(deadline))
            }

            /// Sends a message, letting the task wait while the channel is full.
            ///
            /// Works in any executor. Never blocks the thread, and allocates nothing.
            ///
            /// *Cancel safety.* Until the future is ready the message is in it: a dropped future has sent nothing.
            ///
            /// # Errors
            /// [`SendError`] gives the message back if the channel is closed.
            ///
            /// # Examples
            /// ```
            /// # futures::executor::block_on(async {
            #[doc = concat!($make, "(1);")]
            /// tx.send_async(7).await?;
            /// assert_eq!(rx.recv_async().await, Ok(7));
            /// # Ok::<(), millpond::SendError<i32>>(())
            /// # }).unwrap();
            /// ```
            pub fn send_async($($by)+ $me, message: T) -> SendFuture<'_, T> {
                SendFuture::new($me.end(), message)
            }

            /// Sends many messages in order, blocking the thread while the channel is full.
            ///
            /// As many as find room enter as one: no other sender's message comes between those. A batch larger than the room
            /// goes in by parts, as room is made. Cheaper than one by one: a part costs one atomic operation on the shared cursor
            /// and wakes its receivers together.
            ///
            /// # Errors
            /// [`SendManyError`] says how many were sent, and gives the others back, if the channel is or becomes closed.
            ///
            /// # Examples
            /// ```
            #[doc = concat!($make, "(8);")]
            /// tx.send_many(vec![1, 2, 3])?;
            /// tx.send_many([4, 5])?;
            /// assert_eq!(rx.try_iter().sum::<i32>(), 15);
            /// # Ok::<(), millpond::SendManyError<i32>>(())
            /// ```
            pub fn send_many(
                        $($by)+ $me,
                        messages: impl Into<VecDeque<T>>,
                    ) -> Result<(), SendManyError<T>> {
                source::send_many($me.end(), messages.into())
            }

            /// Sends all messages of a queue in order, blocking the thread while the channel is full.
            ///
            /// As [`send_many`](Self::send_many), for those who send batch after batch: the queue is empty afterwards and keeps
            /// its memory.
            ///
            /// # Errors
            /// [`SendError`] if the channel is or becomes closed: those that were not sent stay in the queue, in order.
            ///
            /// # Examples
            /// ```
            /// # use std::collections::VecDeque;
            #[doc = concat!($make, "(8);")]
            /// let mut batch = VecDeque::new();
            /// for start in [0, 3] {
            ///     batch.extend(start..start + 3);
            ///     tx.send_from(&mut batch)?;
            /// }
            /// assert_eq!(rx.try_iter().sum::<i32>(), 15);
            /// # Ok::<(), millpond::SendError<()>>(())
            /// ```
            pub fn send_from($($by)+ $me, messages: &mut VecDeque<T>) -> Result<(), SendError<()>> {
                source::send_from($me.end(), messages)
            }

            /// Sends many messages in order, letting the task wait while the channel is full.
            ///
            /// As [`send_many`](Self::send_many): as many as find room enter as one. Works in any executor, never blocks the
            /// thread.
            ///
            /// *Cancel safety.* What found room before is sent; the others are in the future, which gives them back.
            ///
            /// # Errors
            /// [`SendManyError`] says how many were sent, and gives the others back, if the channel is or becomes closed.
            ///
            /// # Examples
            /// ```
            /// # futures::executor::block_on(async {
            #[doc = concat!($make, "(8);")]
            /// tx.send_many_async([1, 2, 3]).await?;
            /// assert_eq!(rx.try_iter().sum::<i32>(), 6);
            /// # Ok::<(), millpond::SendManyError<i32>>(())
            /// # }).unwrap();
            /// ```
            pub fn send_many_async(
                $($by)+ $me,
                messages: impl Into<VecDeque<T>>,
            ) -> SendManyFuture<'_, T> {
                SendManyFuture::new($me.end(), messages.into())
            }

            /// Sends as many messages from the front as there is room for at once, and returns how many.
            ///
            /// They enter as one, at the price of one atomic operation on the shared cursor. Waits as
            /// [`try_send`](Self::try_send) does.
            ///
            /// # Errors
            /// [`TrySendError::Full`] if there was room for none, or [`TrySendError::Closed`]; the messages stay where they are.
            ///
            /// # Examples
            /// ```
            /// # use std::collections::VecDeque;
            #[doc = concat!($make, "(2);")]
            /// let mut messages = VecDeque::from([1, 2, 3]);
            /// assert_eq!(tx.try_send_many(&mut messages), Ok(2));
            /// assert_eq!(messages, [3]);
            /// assert_eq!(rx.try_iter().collect::<Vec<_>>(), [1, 2]);
            /// ```
            pub fn try_send_many(
                $($by)+ $me,
                messages: &mut VecDeque<T>,
            ) -> Result<usize, TrySendError<()>> {
                source::try_send_many($me.end(), messages)
            }

            /// Sends a message if there is room at once, waiting for nobody.
            ///
            /// A bounded number of steps while no other thread takes the same place first: for those who may not wait even for a
            /// receiver that lost its processor in the middle of taking a message out. That one is answered `Busy`.
            ///
            /// # Errors
            /// [`TrySendRelaxedError::Full`], `Closed` or `Busy`; all give the message back.
            ///
            /// # Examples
            /// ```
            #[doc = concat!($make, "(1);")]
            /// assert_eq!(tx.try_send_relaxed(1), Ok(()));
            /// assert!(tx.try_send_relaxed(2).unwrap_err().is_full());
            /// assert_eq!(rx.try_recv_relaxed(), Ok(1));
            /// ```
            #[inline]
            pub fn try_send_relaxed($($by)+ $me, message: T) -> Result<(), TrySendRelaxedError<T>> {
                source::try_send_relaxed($me.end(), message)
            }
        }
    };
}

pub(super) use sender;
