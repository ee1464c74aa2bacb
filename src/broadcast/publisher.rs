//! The publishing end.

#![forbid(unsafe_code)]

use super::error::{PublishError, PublishTimeoutError, TryPublishError};
use super::future::PublishFuture;
use super::log::{Log, Policy, Reader, Refusal, Refused, Start};
use super::source::PublishSource;
use super::subscriber::Subscriber;
use crate::sync::{Arc, BusyWait};
use crate::wait::{Attempt, Deadline, Source, block_on};
use std::fmt;
use std::time::{Duration, Instant};

/// The publishing end of a broadcast channel. Clone it for more publishers.
///
/// When the last publisher is dropped the channel closes: subscribers receive what is left, then an error.
pub struct Publisher<T> {
    log: Arc<Log<T>>,
    /// One for all publishers of the channel.
    open: Arc<Open<T>>,
}

/// Closes the channel when it is dropped.
struct Open<T>(Arc<Log<T>>);

impl<T> Drop for Open<T> {
    fn drop(&mut self) {
        self.0.shut();
    }
}

impl<T> Publisher<T> {
    pub(super) fn new(log: Arc<Log<T>>) -> Self {
        Self { open: Arc::new(Open(Arc::clone(&log))), log }
    }

    /// Publishes a message, and returns its number. Blocks the thread while a subscriber of a lossless channel has no room.
    ///
    /// `Ok` means that the message is in the channel: every subscriber there is receives it, unless it is told otherwise. On a
    /// [`lossy`](super::lossy) channel this never waits for a subscriber. It spins and yields for a bounded time before
    /// it parks. In a task use [`publish_async`](Self::publish_async).
    ///
    /// # Errors
    /// [`PublishError`] gives the message back if the channel is closed, also if it is closed while this waits.
    ///
    /// # Examples
    /// ```
    /// let (publisher, mut subscriber) = millpond::broadcast::lossless(4);
    /// assert_eq!(publisher.publish("hello"), Ok(0));
    /// assert_eq!(subscriber.recv(), Ok("hello"));
    /// publisher.close();
    /// assert_eq!(publisher.publish("too late").unwrap_err().into_inner(), "too late");
    /// ```
    #[inline]
    pub fn publish(&self, message: T) -> Result<u64, PublishError<T>> {
        self.log.send_at_once(message).or_else(|message| self.publish_slowly(message))
    }

    #[cold]
    fn publish_slowly(&self, message: T) -> Result<u64, PublishError<T>> {
        let mut source = PublishSource::for_thread(&self.log, message);
        self.wait(&mut source, None).expect("a wait without a deadline does not time out")
    }

    /// Publishes a message if every subscriber has room for it at once, and returns its number.
    ///
    /// Never parks. If the place that it needs is just being filled by a publisher whose thread lost the processor, one lap
    /// ago, it yields to that thread until it is done. Never `Full` on a [`lossy`](super::lossy) channel.
    ///
    /// # Errors
    /// [`TryPublishError::Full`] or [`TryPublishError::Closed`]; both give the message back.
    pub fn try_publish(&self, message: T) -> Result<u64, TryPublishError<T>> {
        let mut message = message;
        let mut busy = BusyWait::new();
        loop {
            match self.log.send(message) {
                Ok(sequence) => return Ok(sequence),
                Err(Refused { message, why: Refusal::Full { .. } }) => {
                    return Err(TryPublishError::Full(message));
                }
                Err(Refused { message, why: Refusal::Closed }) => {
                    return Err(TryPublishError::Closed(message));
                }
                Err(Refused { message: refused, why: Refusal::Busy | Refusal::Evicted }) => message = refused,
            }
            busy.wait();
        }
    }

    /// Publishes a message and returns its number, blocking the thread for up to `timeout` while a subscriber has no room.
    ///
    /// Tries at least once, however short the time. A `timeout` that no [`Instant`] can express is waited out for ever.
    ///
    /// # Errors
    /// [`PublishTimeoutError::Timeout`] or [`PublishTimeoutError::Closed`]; both give the message back, which nobody received.
    pub fn publish_timeout(&self, message: T, timeout: Duration) -> Result<u64, PublishTimeoutError<T>> {
        self.publish_until(message, Instant::now().checked_add(timeout))
    }

    /// Publishes a message and returns its number, blocking the thread until `deadline` at most while a subscriber has no
    /// room.
    ///
    /// Tries at least once, also after the deadline.
    ///
    /// # Errors
    /// As [`publish_timeout`](Self::publish_timeout).
    pub fn publish_deadline(&self, message: T, deadline: Instant) -> Result<u64, PublishTimeoutError<T>> {
        self.publish_until(message, Some(deadline))
    }

    fn publish_until(&self, message: T, deadline: Option<Instant>) -> Result<u64, PublishTimeoutError<T>> {
        let mut source = PublishSource::for_thread(&self.log, message);
        match self.wait(&mut source, deadline) {
            Some(answer) => answer.map_err(PublishTimeoutError::from),
            None => {
                let message = source.take().expect("a publication that timed out has kept its message");
                Err(PublishTimeoutError::Timeout(message))
            }
        }
    }

    /// Waits for the source; `None`: until the deadline, in vain.
    #[inline]
    fn wait(
        &self,
        source: &mut PublishSource<'_, T>,
        deadline: Option<Instant>,
    ) -> Option<Result<u64, PublishError<T>>> {
        if let Policy::GateFor(patience) = self.log.policy() {
            return Self::wait_with_patience(source, deadline, patience);
        }
        block_on(source, deadline.map_or(Deadline::never(), Deadline::at)).ok()
    }

    /// Looks again whenever the subscriber that is in the way may be thrown out.
    fn wait_with_patience(
        source: &mut PublishSource<'_, T>,
        deadline: Option<Instant>,
        patience: Duration,
    ) -> Option<Result<u64, PublishError<T>>> {
        if let Attempt::Done(answer) = source.attempt() {
            return Some(answer);
        }
        loop {
            let look = source.until().or_else(|| Instant::now().checked_add(patience));
            let next = [deadline, look].into_iter().flatten().min();
            if let Ok(answer) = block_on(source, next.map_or(Deadline::never(), Deadline::at)) {
                return Some(answer);
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return None;
            }
        }
    }

    /// Publishes a message and returns its number, letting the task wait while a subscriber has no room.
    ///
    /// Works in any executor. Never blocks the thread, and allocates nothing.
    ///
    /// *Cancel safety.* Until the future is ready the message is in it: a dropped future has published nothing.
    ///
    /// # Errors
    /// [`PublishError`] gives the message back if the channel is closed.
    ///
    /// # Examples
    /// ```
    /// # futures::executor::block_on(async {
    /// let (publisher, mut subscriber) = millpond::broadcast::lossless(1);
    /// publisher.publish_async(7).await?;
    /// assert_eq!(subscriber.recv_async().await, Ok(7));
    /// # Ok::<(), millpond::broadcast::PublishError<i32>>(())
    /// # }).unwrap();
    /// ```
    pub fn publish_async(&self, message: T) -> PublishFuture<'_, T> {
        PublishFuture::new(&self.log, message)
    }

    /// Makes a subscriber that receives what is published from here on.
    ///
    /// Whatever is published after this has returned is received; a message that is published at the same time, or not,
    /// but then all that follow it are. On a closed channel the subscriber receives nothing but the error.
    ///
    /// Never waits for a subscriber, nor for a publisher of a [`lossy`](super::lossy) channel.
    ///
    /// # Examples
    /// ```
    /// let (publisher, _) = millpond::broadcast::lossless(4);
    /// publisher.publish("before")?;
    /// let mut subscriber = publisher.subscribe();
    /// publisher.publish("after")?;
    /// assert_eq!(subscriber.recv(), Ok("after"));
    /// # Ok::<(), millpond::broadcast::PublishError<&str>>(())
    /// ```
    #[must_use = "a subscriber of a lossless channel holds the publishers up while it is kept"]
    pub fn subscribe(&self) -> Subscriber<T> {
        self.enter(Start::Next)
    }

    /// Makes a subscriber that starts with message number `sequence`, if that is still kept.
    ///
    /// If it is not, the first receive says how many messages are missing ([`RecvError::Lagged`](super::RecvError::Lagged)),
    /// also on a lossless channel, and the subscriber starts with the oldest that is kept. If there is no such message yet, the
    /// subscriber starts with the next one that is published.
    ///
    /// # Examples
    /// ```
    /// use millpond::broadcast::RecvError;
    ///
    /// let (publisher, _) = millpond::broadcast::lossless(2);
    /// for name in ["ann", "bob", "cid", "dan"] {
    ///     publisher.publish(name)?;
    /// }
    /// assert_eq!(publisher.subscribe_from(3).recv(), Ok("dan"));
    /// let mut late = publisher.subscribe_from(1);
    /// assert_eq!(late.recv(), Err(RecvError::Lagged(1))); // bob
    /// assert_eq!(late.recv(), Ok("cid"));
    /// # Ok::<(), millpond::broadcast::PublishError<&str>>(())
    /// ```
    #[must_use = "a subscriber of a lossless channel holds the publishers up while it is kept"]
    pub fn subscribe_from(&self, sequence: u64) -> Subscriber<T> {
        self.enter(Start::At(sequence))
    }

    /// Makes a subscriber that starts with the oldest message that is kept.
    ///
    /// Messages are numbered from 0, so its [`sequence`](Subscriber::sequence) is the number of those that are gone.
    ///
    /// # Examples
    /// ```
    /// let (publisher, _) = millpond::broadcast::lossy(2);
    /// for name in ["ann", "bob", "cid"] {
    ///     publisher.publish(name)?;
    /// }
    /// let mut late = publisher.subscribe_oldest();
    /// assert_eq!(late.sequence(), 1);
    /// assert_eq!(late.recv(), Ok("bob"));
    /// # Ok::<(), millpond::broadcast::PublishError<&str>>(())
    /// ```
    #[must_use = "a subscriber of a lossless channel holds the publishers up while it is kept"]
    pub fn subscribe_oldest(&self) -> Subscriber<T> {
        self.enter(Start::Oldest)
    }

    fn enter(&self, start: Start) -> Subscriber<T> {
        Subscriber::new(Reader::new(Arc::clone(&self.log), start))
    }

    /// Closes the channel for all handles: nothing is published any more, subscribers receive what is left.
    ///
    /// Wakes everybody who waits. Returns whether this call closed it; closing again does nothing. A publication that runs at
    /// the same time either succeeds, and its message is received, or fails and gives the message back. Never blocks
    /// but for a mutex that is held for a few instructions.
    pub fn close(&self) -> bool {
        self.log.shut()
    }

    /// Whether the channel is closed. Once true, it stays true. Whoever hears of it, from here or from any other method, sees what
    /// the one who closed it did before (and what all publishers did, if they are gone). Wait-free.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.log.is_closed()
    }

    /// Returns the number that the next message gets: how many were published so far. Stale at once. Wait-free.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.log.next_sequence()
    }

    /// Returns how many messages the slowest subscriber of a lossless channel has yet to receive.
    ///
    /// Never more than the capacity; 0 for a lossy channel, where nobody holds a publisher up. Stale at once. Looks at every
    /// subscriber.
    #[must_use]
    pub fn backlog(&self) -> usize {
        self.log.backlog()
    }

    /// Returns how many messages the channel keeps, as it was made. Wait-free.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.log.capacity()
    }

    /// Whether a slow subscriber misses messages, rather than holding the publishers up. Wait-free.
    #[must_use]
    pub fn is_lossy(&self) -> bool {
        self.log.policy() == Policy::Overwrite
    }

    /// Returns how many subscribers there are, also such as were thrown out. Stale at once. Looks at every subscriber.
    #[must_use]
    pub fn subscriber_count(&self) -> usize {
        self.log.subscriber_count()
    }

    /// Returns how many publishers there are. Stale at once. Wait-free.
    #[must_use]
    pub fn publisher_count(&self) -> usize {
        Arc::strong_count(&self.open)
    }

    /// Whether both publish to the same channel.
    #[must_use]
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.log, &other.log)
    }
}

impl<T> Clone for Publisher<T> {
    fn clone(&self) -> Self {
        Self { log: Arc::clone(&self.log), open: Arc::clone(&self.open) }
    }
}

impl<T> fmt::Debug for Publisher<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("sequence", &self.sequence())
            .field("capacity", &self.capacity())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

// Usable after a panic was caught, whatever it was that panicked (promise 9).
impl<T> std::panic::UnwindSafe for Publisher<T> {}
impl<T> std::panic::RefUnwindSafe for Publisher<T> {}
