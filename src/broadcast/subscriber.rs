//! The receiving end.

#![forbid(unsafe_code)]

use super::error::{RecvError, RecvTimeoutError, TryRecvError};
use super::future::{RecvFuture, RecvManyFuture};
use super::guard::MessageRef;
use super::iter::{Iter, TryIter};
use super::log::{Log, NotReady, Reader};
use super::source::{PeekSource, RecvManySource, RecvSource};
use super::waits::SPINS;
use crate::sync::{Arc, BusyWait};
use crate::wait::{Deadline, SpinHistory, block_on};
use std::fmt;
use std::time::{Duration, Instant};

/// One receiver of every message. Made with the channel, or by [`Publisher::subscribe`](super::Publisher::subscribe).
///
/// A message is received by cloning it out (`recv` and its kin), or by looking at it where it lies
/// ([`recv_ref`](Self::recv_ref)). If cloning panics, the message has not been received and is the next one again.
///
/// While a subscriber of a lossless channel is kept, it holds the publishers up: drop it when it has no more use.
pub struct Subscriber<T> {
    reader: Reader<T>,
    received: u64,
    lagged: u64,
    /// Pauses between two looks for a run of messages: see [`Subscriber::learn_stride`].
    stride: u32,
    /// For each by itself: one shares its processor with the publisher, another has one to itself.
    pub(super) spins: SpinHistory,
}

impl<T> Subscriber<T> {
    pub(super) fn new(reader: Reader<T>) -> Self {
        Self { reader, received: 0, lagged: 0, stride: 1, spins: SpinHistory::new() }
    }

    pub(super) fn log(&self) -> &Arc<Log<T>> {
        self.reader.log()
    }

    /// Whether the next message has been published: one look at its slot and no more.
    #[inline(always)]
    pub(super) fn is_next_there(&self) -> bool {
        self.reader.is_next_there()
    }

    /// Reaches the next message, without leaving it behind.
    #[inline]
    pub(super) fn reach(&mut self) -> Result<(), NotReady> {
        self.look(|_| ())
    }

    #[inline]
    fn look<R>(&mut self, read: impl FnOnce(&T) -> R) -> Result<R, NotReady> {
        match self.reader.peek() {
            Ok(message) => Ok(read(message)),
            Err(why) => {
                if let NotReady::Lagged(count) = why {
                    self.lagged = self.lagged.wrapping_add(count);
                }
                Err(why)
            }
        }
    }

    /// How many pauses a thread lets pass between two looks for a run of messages.
    #[inline(always)]
    pub(super) const fn stride(&self) -> u32 {
        self.stride
    }

    /// A run of `count` messages was found after waiting for it.
    ///
    /// A subscriber that is faster than the publisher gets runs of one or two, and each look takes the line from the publisher that
    /// it is about to write: they slow each other down. So the distance of the looks doubles while the runs are short (though
    /// not so short as to say that messages are rare, when it is latency that counts), and far from holding the publisher up.
    #[inline]
    pub(super) fn learn_stride(&mut self, count: usize) {
        const LONGEST_STRIDE: u32 = SPINS;
        const LONG_RUN: usize = 64;
        let long = LONG_RUN.min(self.capacity() / 8);
        if count <= 1 {
            self.stride = (self.stride / 2).max(1);
        } else if count < long {
            self.stride = (self.stride * 2).min(LONGEST_STRIDE);
        }
    }

    /// Reads the next message and leaves it behind.
    #[inline]
    pub(super) fn take<R>(&mut self, read: impl FnOnce(&T) -> R) -> Result<R, NotReady> {
        let result = self.look(read)?;
        self.advance();
        Ok(result)
    }

    /// Leaves the message behind that was reached.
    #[inline]
    pub(super) fn advance(&mut self) {
        self.received = self.received.wrapping_add(1);
        if self.reader.advance() {
            self.log().waits.wake_publishers();
        }
    }

    /// Returns the message that was reached.
    pub(super) fn held(&self) -> Option<&T> {
        self.reader.held()
    }

    /// Receives the next message by reference, blocking the thread while there is none.
    ///
    /// The message is received when the guard is dropped, and stays where it is until then: no clone is made, `T` need not
    /// be `Clone`. On a [`lossless`](super::lossless) channel it keeps its place meanwhile, as one that is not received; on
    /// the others the publishers may go on without it. If the guard is forgotten ([`std::mem::forget`]), the message is the next
    /// one again.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    ///
    /// # Examples
    /// ```
    /// let (publisher, mut subscriber) = millpond::broadcast::lossless(1);
    /// publisher.publish(String::from("large"))?;
    /// assert_eq!(subscriber.recv_ref().unwrap().len(), 5);
    /// # Ok::<(), millpond::broadcast::PublishError<String>>(())
    /// ```
    pub fn recv_ref(&mut self) -> Result<MessageRef<'_, T>, RecvError> {
        block_on(&mut PeekSource { subscriber: self }, Deadline::never())
            .expect("a wait without a deadline does not time out")?;
        Ok(MessageRef::new(self))
    }

    /// Receives the next message by reference if there is one. Never parks; see [`try_recv`](Self::try_recv).
    ///
    /// # Errors
    /// As [`try_recv`](Self::try_recv).
    pub fn try_recv_ref(&mut self) -> Result<MessageRef<'_, T>, TryRecvError> {
        self.persist(Self::reach)?;
        Ok(MessageRef::new(self))
    }

    /// Tries again while a publisher is in the middle of a step.
    #[inline]
    fn persist<R>(
        &mut self,
        mut attempt: impl FnMut(&mut Self) -> Result<R, NotReady>,
    ) -> Result<R, TryRecvError> {
        let mut busy = BusyWait::new();
        loop {
            match attempt(self) {
                Ok(result) => return Ok(result),
                Err(NotReady::Empty) => return Err(TryRecvError::Empty),
                Err(NotReady::Closed) => return Err(TryRecvError::Closed),
                Err(NotReady::Lagged(count)) => return Err(TryRecvError::Lagged(count)),
                Err(NotReady::Evicted) => return Err(TryRecvError::Evicted),
                Err(NotReady::Busy) => busy.wait(),
            }
        }
    }

    /// Returns the number of the message that is received next, or that is just being read by reference.
    ///
    /// Before the first receive it says where the subscriber starts. Wait-free.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.reader.sequence()
    }

    /// Returns how many messages have been published that this subscriber has neither received nor been told it missed.
    ///
    /// On a lossy channel this may be more than the capacity: then the next receive says how many are lost. Stale at once.
    /// Wait-free.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.reader.lag()
    }

    /// Returns how many messages are kept for this subscriber: its lag, but not more than the capacity. Stale at once.
    #[must_use]
    pub fn len(&self) -> usize {
        let capacity = self.log().capacity();
        usize::try_from(self.lag()).map_or(capacity, |lag| lag.min(capacity))
    }

    /// Whether this subscriber has received all that was published. Stale at once, unless the channel is closed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lag() == 0
    }

    /// Returns how many messages the channel keeps, as it was made. Wait-free.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.log().capacity()
    }

    /// Returns how many messages this subscriber has received.
    #[must_use]
    pub const fn received(&self) -> u64 {
        self.received
    }

    /// Returns how many messages this subscriber was told it has missed, in all.
    #[must_use]
    pub const fn lagged(&self) -> u64 {
        self.lagged
    }

    /// Whether the channel is closed. Messages may still be there to be received. Once true, it stays true. Wait-free.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.log().is_closed()
    }

    /// Whether this subscriber was thrown out for being slow (see [`lossless_evicting`](super::lossless_evicting)).
    ///
    /// Once true, it stays true. Wait-free.
    #[must_use]
    pub fn is_evicted(&self) -> bool {
        self.reader.is_evicted()
    }
}

impl<T: Clone> Subscriber<T> {
    /// Receives the next message, blocking the thread while there is none.
    ///
    /// Spins and yields for a bounded time before it parks; parked it uses no CPU. In a task use
    /// [`recv_async`](Self::recv_async).
    ///
    /// # Errors
    /// [`RecvError::Lagged`] if messages were missed: receive again for the oldest that is kept. [`RecvError::Evicted`] if
    /// this subscriber was thrown out. [`RecvError::Closed`] if the channel is closed and all has been received.
    ///
    /// # Examples
    /// ```
    /// use millpond::broadcast::RecvError;
    ///
    /// let (publisher, mut subscriber) = millpond::broadcast::lossy(8);
    /// std::thread::spawn(move || publisher.publish(42));
    /// assert_eq!(subscriber.recv(), Ok(42));
    /// assert_eq!(subscriber.recv(), Err(RecvError::Closed)); // the publisher is gone
    /// ```
    #[inline]
    pub fn recv(&mut self) -> Result<T, RecvError> {
        block_on(&mut RecvSource::for_thread(self), Deadline::never())
            .expect("a wait without a deadline does not time out")
    }

    /// Receives the next message if there is one.
    ///
    /// Never parks. If the message is just being put in by a publisher whose thread lost the processor, it yields to that
    /// thread until it is done: the answer `Empty` is never given while a message that was published is there.
    ///
    /// # Errors
    /// [`TryRecvError::Empty`], or as [`recv`](Self::recv).
    #[inline]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.persist(|subscriber| subscriber.take(T::clone))
    }

    /// Receives the next message, blocking the thread for up to `timeout` while there is none.
    ///
    /// Tries at least once, however short the time. A `timeout` that no [`Instant`] can express is waited out for ever.
    ///
    /// # Errors
    /// [`RecvTimeoutError::Timeout`], or as [`recv`](Self::recv).
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.recv_until(Deadline::after(timeout))
    }

    /// Receives the next message, blocking the thread until `deadline` at most while there is none.
    ///
    /// Tries at least once, also after the deadline.
    ///
    /// # Errors
    /// As [`recv_timeout`](Self::recv_timeout).
    pub fn recv_deadline(&mut self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        self.recv_until(Deadline::at(deadline))
    }

    fn recv_until(&mut self, deadline: Deadline) -> Result<T, RecvTimeoutError> {
        match block_on(&mut RecvSource::for_thread(self), deadline) {
            Ok(answer) => answer.map_err(RecvTimeoutError::from),
            Err(_) => Err(RecvTimeoutError::Timeout),
        }
    }

    /// Receives the next message, letting the task wait while there is none.
    ///
    /// Works in any executor. Never blocks the thread, and allocates nothing.
    ///
    /// *Cancel safety.* Dropping the future loses neither a message nor a wake-up: it may be used in `select!`.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub const fn recv_async(&mut self) -> RecvFuture<'_, T> {
        RecvFuture::new(self)
    }

    /// Receives up to `limit` messages to the end of `messages`, blocking the thread while there is none.
    ///
    /// Takes what is there once there is one, never waits for more, and returns how many.
    ///
    /// # Errors
    /// As [`recv`](Self::recv), if that comes before the first message; otherwise the next receive says it.
    ///
    /// # Examples
    /// ```
    /// let (publisher, mut subscriber) = millpond::broadcast::lossless(8);
    /// for n in [1, 2, 3] {
    ///     publisher.publish(n)?;
    /// }
    /// let mut messages = Vec::new();
    /// assert_eq!(subscriber.recv_many(&mut messages, 2), Ok(2));
    /// assert_eq!(subscriber.recv_many(&mut messages, 2), Ok(1));
    /// assert_eq!(messages, [1, 2, 3]);
    /// # Ok::<(), millpond::broadcast::PublishError<i32>>(())
    /// ```
    pub fn recv_many(&mut self, messages: &mut Vec<T>, limit: usize) -> Result<usize, RecvError> {
        let mut source = RecvManySource::for_thread(self, messages, limit);
        block_on(&mut source, Deadline::never()).expect("a wait without a deadline does not time out")
    }

    /// Receives up to `limit` messages to the end of `messages`, letting the task wait while there is none.
    ///
    /// As [`recv_many`](Self::recv_many). Works in any executor, never blocks the thread.
    ///
    /// *Cancel safety.* Dropping the future takes nothing.
    ///
    /// # Errors
    /// As [`recv_many`](Self::recv_many).
    ///
    /// # Examples
    /// ```
    /// # futures::executor::block_on(async {
    /// let (publisher, mut subscriber) = millpond::broadcast::lossless(8);
    /// for n in [1, 2, 3] {
    ///     publisher.publish_async(n).await?;
    /// }
    /// let mut messages = Vec::new();
    /// assert_eq!(subscriber.recv_many_async(&mut messages, 10).await, Ok(3));
    /// # Ok::<(), millpond::broadcast::PublishError<i32>>(())
    /// # }).unwrap();
    /// ```
    pub const fn recv_many_async<'a>(
        &'a mut self,
        messages: &'a mut Vec<T>,
        limit: usize,
    ) -> RecvManyFuture<'a, T> {
        RecvManyFuture::new(self, messages, limit)
    }

    pub(super) fn take_many(&mut self, messages: &mut Vec<T>, limit: usize) -> Result<usize, NotReady> {
        if let Some(first) = self.reader.start_of_run() {
            return Run { first, subscriber: self }.take(messages, limit);
        }
        let first = self.take(T::clone)?;
        messages.push(first);
        let mut count = 1;
        while count < limit {
            match self.reader.peek().cloned() {
                Ok(message) => messages.push(message),
                Err(NotReady::Lagged(lost)) => {
                    self.reader.put_off(lost);
                    break;
                }
                Err(_) => break,
            }
            self.advance();
            count += 1;
        }
        Ok(count)
    }

    /// Returns an iterator that blocks for each message, and ends when the channel is closed and all has been received.
    ///
    /// Its items are results: messages that were missed are reported, not skipped in silence. After
    /// [`RecvError::Evicted`] it ends.
    pub const fn iter(&mut self) -> Iter<'_, T> {
        Iter::new(self)
    }

    /// Returns an iterator over the messages that are there, which never blocks. Reports what was missed, too.
    pub const fn try_iter(&mut self) -> TryIter<'_, T> {
        TryIter { subscriber: self }
    }

    /// Turns the subscriber into a stream of what it receives.
    ///
    /// # Examples
    /// ```
    /// use futures::StreamExt;
    /// # futures::executor::block_on(async {
    /// let (publisher, subscriber) = millpond::broadcast::lossless(3);
    /// for n in [1, 2, 3] {
    ///     publisher.publish_async(n).await?;
    /// }
    /// drop(publisher);
    /// assert_eq!(subscriber.into_stream().collect::<Vec<_>>().await, [Ok(1), Ok(2), Ok(3)]);
    /// # Ok::<(), millpond::broadcast::PublishError<i32>>(())
    /// # }).unwrap();
    /// ```
    #[cfg(feature = "stream")]
    pub fn into_stream(self) -> super::SubscriberStream<T> {
        super::SubscriberStream::new(self)
    }
}

impl<T> Drop for Subscriber<T> {
    fn drop(&mut self) {
        if self.reader.leave() {
            self.log().waits.wake_publishers();
        }
    }
}

impl<T> fmt::Debug for Subscriber<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber")
            .field("sequence", &self.sequence())
            .field("lag", &self.lag())
            .field("received", &self.received)
            .field("lagged", &self.lagged)
            .finish_non_exhaustive()
    }
}

/// Messages that are read one after the other and left behind together, also if cloning one of them panics.
struct Run<'a, T> {
    subscriber: &'a mut Subscriber<T>,
    first: u64,
}

impl<T: Clone> Run<'_, T> {
    fn take(&mut self, messages: &mut Vec<T>, limit: usize) -> Result<usize, NotReady> {
        loop {
            let count = self.subscriber.reader.clone_run(messages, limit);
            if count > 0 {
                return Ok(count);
            }
            // Says why; or one has come meanwhile, which the next round takes.
            self.subscriber.reach()?;
        }
    }
}

impl<T> Drop for Run<'_, T> {
    fn drop(&mut self) {
        let reader = &mut self.subscriber.reader;
        let count = reader.distance_from(self.first);
        if count == 0 {
            return;
        }
        self.subscriber.received = self.subscriber.received.wrapping_add(count);
        if reader.leave_run(self.first) {
            self.subscriber.log().waits.wake_publishers();
        }
    }
}

// Usable after a panic was caught, whatever it was that panicked (promise 9).
impl<T> std::panic::UnwindSafe for Subscriber<T> {}
impl<T> std::panic::RefUnwindSafe for Subscriber<T> {}
