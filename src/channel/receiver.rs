//! The receiving end.

use super::error::{RecvError, RecvTimeoutError, TryRecvError};
use super::future::RecvFuture;
use super::iter::{Iter, TryIter};
use super::observers::observers;
use super::shared::Shared;
use super::source::{RecvManySource, RecvSource};
use crate::ring::PopError;
use crate::sync::{Arc, BusyWait};
use crate::wait::{Deadline, block_on};
use std::time::{Duration, Instant};

/// The receiving end of a channel made by [`bounded`](crate::bounded). Clone it for more receivers.
///
/// Each message goes to one of the receivers. When the last receiver is dropped the channel closes, and the messages
/// inside are dropped.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
}

observers!(Receiver, "let (tx, rx) = millpond::bounded(4);");

impl<T> Receiver<T> {
    pub(super) const fn new(shared: Arc<Shared<T>>) -> Self {
        Self { shared }
    }

    pub(super) fn shared(&self) -> &Shared<T> {
        &self.shared
    }

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
    /// let (tx, rx) = millpond::bounded(1);
    /// std::thread::spawn(move || tx.send(42));
    /// assert_eq!(rx.recv(), Ok(42));
    /// assert!(rx.recv().is_err()); // the sender is gone
    /// ```
    #[inline]
    pub fn recv(&self) -> Result<T, RecvError> {
        block_on(&mut RecvSource::new(self), Deadline::never())
            .expect("a wait without a deadline does not time out")
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
    /// let (tx, rx) = millpond::bounded(1);
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    /// tx.send(1)?;
    /// drop(tx);
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    /// # Ok::<(), millpond::SendError<i32>>(())
    /// ```
    #[inline]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let mut busy = BusyWait::new();
        loop {
            match self.shared.pop() {
                Ok(message) => return Ok(message),
                Err(PopError::Empty) => return Err(TryRecvError::Empty),
                Err(PopError::Closed) => return Err(TryRecvError::Closed),
                Err(PopError::Busy) => busy.wait(),
            }
        }
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
    /// let (tx, rx) = millpond::bounded::<u8>(1);
    /// assert_eq!(rx.recv_timeout(Duration::from_millis(1)), Err(RecvTimeoutError::Timeout));
    /// drop(tx);
    /// assert_eq!(rx.recv_timeout(Duration::MAX), Err(RecvTimeoutError::Closed));
    /// ```
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.recv_until(Deadline::after(timeout))
    }

    /// Receives the oldest message, blocking the thread until `deadline` at most while there is none.
    ///
    /// Tries at least once, also after the deadline.
    ///
    /// # Errors
    /// As [`recv_timeout`](Self::recv_timeout).
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        self.recv_until(Deadline::at(deadline))
    }

    fn recv_until(&self, deadline: Deadline) -> Result<T, RecvTimeoutError> {
        match block_on(&mut RecvSource::new(self), deadline) {
            Ok(answer) => answer.map_err(RecvTimeoutError::from),
            Err(_) => Err(RecvTimeoutError::Timeout),
        }
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
    /// let (tx, rx) = millpond::bounded(1);
    /// std::thread::spawn(move || tx.send(1)); // a blocking end and an async end
    /// assert_eq!(rx.recv_async().await, Ok(1));
    /// assert!(rx.recv_async().await.is_err());
    /// # });
    /// ```
    pub const fn recv_async(&self) -> RecvFuture<'_, T> {
        RecvFuture::new(self)
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
    /// let (tx, rx) = millpond::bounded(8);
    /// tx.send_many([1, 2, 3])?;
    /// let mut messages = Vec::new();
    /// assert_eq!(rx.recv_many(&mut messages, 2), Ok(2));
    /// assert_eq!(rx.recv_many(&mut messages, 2), Ok(1));
    /// assert_eq!(messages, [1, 2, 3]);
    /// # Ok::<(), millpond::SendManyError<i32>>(())
    /// ```
    pub fn recv_many(&self, messages: &mut Vec<T>, limit: usize) -> Result<usize, RecvError> {
        if limit == 0 {
            return Ok(0);
        }
        let mut source = RecvManySource { shared: &self.shared, into: messages, limit };
        block_on(&mut source, Deadline::never()).expect("a wait without a deadline does not time out")
    }

    /// Returns an iterator that blocks for each message, and ends when the channel is closed and empty.
    pub const fn iter(&self) -> Iter<'_, T> {
        Iter { receiver: self }
    }

    /// Returns an iterator over the messages that are there, which never blocks.
    pub const fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { receiver: self }
    }

    /// Returns a stream of the messages, which reads through a clone of this receiver.
    #[cfg(feature = "stream")]
    pub fn stream(&self) -> super::RecvStream<T> {
        self.clone().into_stream()
    }

    /// Turns the receiver into a stream of the messages.
    ///
    /// # Examples
    /// ```
    /// use futures::StreamExt;
    /// # futures::executor::block_on(async {
    /// let (tx, rx) = millpond::bounded(3);
    /// tx.send_many([1, 2, 3])?;
    /// drop(tx);
    /// assert_eq!(rx.into_stream().collect::<Vec<_>>().await, [1, 2, 3]);
    /// # Ok::<(), millpond::SendManyError<i32>>(())
    /// # }).unwrap();
    /// ```
    #[cfg(feature = "stream")]
    pub fn into_stream(self) -> super::RecvStream<T> {
        super::RecvStream::new(self)
    }

    /// Whether both receive from the same channel.
    #[must_use]
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.shared.receiver_count.add();
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if self.shared.receiver_count.remove() {
            // Closed first, so that no message can come in behind the last look.
            let shared = &*self.shared;
            let _rest = Discard(shared);
            shared.close();
        }
    }
}

/// Drops the messages inside, also if a waker panicked while the channel was closed.
struct Discard<'a, T>(&'a Shared<T>);

impl<T> Drop for Discard<'_, T> {
    fn drop(&mut self) {
        self.0.ring().discard();
    }
}
