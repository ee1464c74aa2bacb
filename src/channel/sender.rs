//! The sending end.

use super::error::{SendError, SendManyError, SendTimeoutError, TrySendError};
use super::future::SendFuture;
use super::observers::observers;
use super::shared::Shared;
use super::source::{ClosedEarly, SendManySource, SendSource};
use crate::ring::PushError;
use crate::sync::{Arc, BusyWait};
use crate::wait::{Deadline, block_on};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The sending end of a channel made by [`bounded`](crate::bounded). Clone it for more senders.
///
/// When the last sender is dropped the channel closes: receivers get what is left, then an error.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

observers!(Sender, "let (tx, rx) = millpond::bounded(4);");

impl<T> Sender<T> {
    pub(super) const fn new(shared: Arc<Shared<T>>) -> Self {
        Self { shared }
    }

    fn shared(&self) -> &Shared<T> {
        &self.shared
    }

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
    /// let (tx, rx) = millpond::bounded(1);
    /// tx.send("hello")?;
    /// assert_eq!(rx.recv(), Ok("hello"));
    /// drop(rx);
    /// assert_eq!(tx.send("lost?").unwrap_err().into_inner(), "lost?");
    /// # Ok::<(), millpond::SendError<&str>>(())
    /// ```
    #[inline]
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        let mut source = SendSource::new(&self.shared, message);
        block_on(&mut source, Deadline::never()).expect("a wait without a deadline does not time out")
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
    /// let (tx, rx) = millpond::bounded(1);
    /// assert_eq!(tx.try_send(1), Ok(()));
    /// assert_eq!(tx.try_send(2), Err(TrySendError::Full(2)));
    /// drop(rx);
    /// assert_eq!(tx.try_send(3), Err(TrySendError::Closed(3)));
    /// ```
    #[inline]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let mut message = message;
        let mut busy = BusyWait::new();
        loop {
            match self.shared.push(message) {
                Ok(()) => return Ok(()),
                Err(PushError::Full(refused)) => return Err(TrySendError::Full(refused)),
                Err(PushError::Closed(refused)) => return Err(TrySendError::Closed(refused)),
                Err(PushError::Busy(refused)) => message = refused,
            }
            busy.wait();
        }
    }

    /// Sends a message, blocking the thread for up to `timeout` while the channel is full.
    ///
    /// Tries at least once, however short the time. A `timeout` that no [`Instant`] can express is waited out for ever.
    ///
    /// # Errors
    /// [`SendTimeoutError::Timeout`] or [`SendTimeoutError::Closed`]; both give the message back, which nobody received.
    pub fn send_timeout(&self, message: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        self.send_until(message, Deadline::after(timeout))
    }

    /// Sends a message, blocking the thread until `deadline` at most while the channel is full.
    ///
    /// Tries at least once, also after the deadline.
    ///
    /// # Errors
    /// As [`send_timeout`](Self::send_timeout).
    pub fn send_deadline(&self, message: T, deadline: Instant) -> Result<(), SendTimeoutError<T>> {
        self.send_until(message, Deadline::at(deadline))
    }

    fn send_until(&self, message: T, deadline: Deadline) -> Result<(), SendTimeoutError<T>> {
        let mut source = SendSource::new(&self.shared, message);
        match block_on(&mut source, deadline) {
            Ok(answer) => answer.map_err(SendTimeoutError::from),
            Err(_) => {
                let message = source.take().expect("a send that timed out has kept its message");
                Err(SendTimeoutError::Timeout(message))
            }
        }
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
    /// let (tx, rx) = millpond::bounded(1);
    /// tx.send_async(7).await?;
    /// assert_eq!(rx.recv_async().await, Ok(7));
    /// # Ok::<(), millpond::SendError<i32>>(())
    /// # }).unwrap();
    /// ```
    pub fn send_async(&self, message: T) -> SendFuture<'_, T> {
        SendFuture::new(&self.shared, message)
    }

    /// Sends a message at once, displacing the oldest one if the channel is full.
    ///
    /// Returns the displaced message, so that nothing vanishes uncounted. Displaces one message at most. Never parks.
    ///
    /// # Errors
    /// [`SendError`] gives the message back if the channel is closed.
    ///
    /// # Examples
    /// ```
    /// let (tx, rx) = millpond::bounded(2);
    /// assert_eq!(tx.force_send(1)?, None);
    /// assert_eq!(tx.force_send(2)?, None);
    /// assert_eq!(tx.force_send(3)?, Some(1));
    /// assert_eq!(rx.try_iter().collect::<Vec<_>>(), [2, 3]);
    /// # Ok::<(), millpond::SendError<i32>>(())
    /// ```
    pub fn force_send(&self, message: T) -> Result<Option<T>, SendError<T>> {
        self.shared.force_push(message).map_err(SendError)
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
    /// let (tx, rx) = millpond::bounded(8);
    /// tx.send_many(vec![1, 2, 3])?;
    /// tx.send_many([4, 5])?;
    /// assert_eq!(rx.try_iter().sum::<i32>(), 15);
    /// # Ok::<(), millpond::SendManyError<i32>>(())
    /// ```
    pub fn send_many(&self, messages: impl Into<VecDeque<T>>) -> Result<(), SendManyError<T>> {
        let mut source = SendManySource { shared: &self.shared, values: messages.into(), sent: 0 };
        let answer = block_on(&mut source, Deadline::never());
        match answer.expect("a wait without a deadline does not time out") {
            Ok(()) => Ok(()),
            Err(ClosedEarly) => Err(SendManyError { sent: source.sent, unsent: source.values }),
        }
    }

    /// Whether both send to the same channel.
    #[must_use]
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.sender_count.add();
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if self.shared.sender_count.remove() {
            self.shared.close();
        }
    }
}
