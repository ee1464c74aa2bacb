//! The receiving end of a subscription.

use super::entry::{SubscriptionInfo, SubscriptionStats};
use super::error::{RecvError, RecvTimeoutError, TryRecvError};
use super::event::Event;
use super::feed::Membership;
use super::iter::{Iter, TryIter};
use super::mailbox::{Onlooker, Reader};
use crate::broadcast::Subscriber;
use crate::channel::Receiver;
use std::fmt;
use std::time::{Duration, Instant};

/// Receives the events that a pattern matches.
///
/// Made by [`Subscribe::lossless`](super::Subscribe::lossless) and [`Subscribe::lossy`](super::Subscribe::lossy). Dropping
/// it ends the subscription, and drops what is in its mailbox; publishers that wait for room in it go on.
///
/// # Examples
/// ```
/// use millpond::topic::Topics;
///
/// let topics = Topics::<u32>::new();
/// let mut orders = topics.subscribe("order.#")?.lossless(64)?;
/// for name in ["order.placed", "order.paid"] {
///     topics.topic(name)?.publish(1)?; // topics made later are reached as well
/// }
/// drop(topics);
///
/// let mut seen = Vec::new();
/// while let Ok(event) = orders.recv() {
///     seen.push(event.topic().to_string());
/// }
/// assert_eq!(seen, ["order.placed", "order.paid"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping a subscription ends it"]
pub struct Subscription<T> {
    /// First, so that no event comes in behind the mailbox's end.
    membership: Membership<T>,
    mail: Mail<T>,
}

/// The mailbox of a subscription, by its policy.
#[cfg_attr(millpond_model, allow(clippy::large_enum_variant, reason = "the models' atomics are large"))]
pub(super) enum Mail<T> {
    Lossless(Reader<T>),
    Lossy(Onlooker<T>),
}

impl<T> Subscription<T> {
    pub(super) fn new(membership: Membership<T>, mail: Mail<T>) -> Self {
        Self { membership, mail }
    }
}

/// Either end that receives, for those who only ask.
pub(super) enum View<'a, T> {
    Lossless(&'a Receiver<Event<T>>),
    Lossy(&'a Subscriber<Event<T>>),
}

impl<T> View<'_, T> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Lossless(receiver) => receiver.len(),
            Self::Lossy(subscriber) => subscriber.len(),
        }
    }

    pub(super) fn capacity(&self) -> usize {
        match self {
            Self::Lossless(receiver) => receiver.capacity(),
            Self::Lossy(subscriber) => subscriber.capacity(),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        match self {
            Self::Lossless(receiver) => receiver.is_closed(),
            Self::Lossy(subscriber) => subscriber.is_closed(),
        }
    }

    pub(super) fn stats(&self, membership: &Membership<T>) -> SubscriptionStats {
        let lost = match self {
            Self::Lossless(_) => 0,
            Self::Lossy(subscriber) => subscriber.lagged(),
        };
        SubscriptionStats { lost, ..membership.entry().stats() }
    }
}

impl<T: Clone> Subscription<T> {
    /// Receives the oldest event, blocking the thread while there is none.
    ///
    /// Spins and yields for a bounded time before it parks; parked it uses no CPU. In a task use
    /// [`recv_async`](Self::recv_async).
    ///
    /// # Errors
    /// [`RecvError::Closed`] when nothing will come any more and all that came has been received. In a lossy
    /// subscription also [`RecvError::Lagged`], after which receiving goes on.
    pub fn recv(&mut self) -> Result<Event<T>, RecvError> {
        match &mut self.mail {
            Mail::Lossless(reader) => reader.take(reader.receiver.recv()).map_err(|_| RecvError::Closed),
            Mail::Lossy(onlooker) => onlooker.subscriber.recv().map_err(RecvError::from),
        }
    }

    /// Receives the oldest event if there is one. Never parks.
    ///
    /// # Errors
    /// [`TryRecvError::Empty`]; else as [`recv`](Self::recv).
    pub fn try_recv(&mut self) -> Result<Event<T>, TryRecvError> {
        match &mut self.mail {
            Mail::Lossless(reader) => reader.take(reader.receiver.try_recv()).map_err(TryRecvError::from),
            Mail::Lossy(onlooker) => onlooker.subscriber.try_recv().map_err(TryRecvError::from),
        }
    }

    /// Receives the oldest event, blocking the thread for up to `timeout` while there is none. Tries at least once.
    ///
    /// # Errors
    /// [`RecvTimeoutError::Timeout`], with nothing taken; else as [`recv`](Self::recv).
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<Event<T>, RecvTimeoutError> {
        match &mut self.mail {
            Mail::Lossless(reader) => {
                reader.take(reader.receiver.recv_timeout(timeout)).map_err(RecvTimeoutError::from)
            }
            Mail::Lossy(onlooker) => {
                onlooker.subscriber.recv_timeout(timeout).map_err(RecvTimeoutError::from)
            }
        }
    }

    /// Receives the oldest event, blocking the thread until `deadline` at most while there is none.
    ///
    /// Tries at least once, also after the deadline.
    ///
    /// # Errors
    /// As [`recv_timeout`](Self::recv_timeout).
    pub fn recv_deadline(&mut self, deadline: Instant) -> Result<Event<T>, RecvTimeoutError> {
        match &mut self.mail {
            Mail::Lossless(reader) => {
                reader.take(reader.receiver.recv_deadline(deadline)).map_err(RecvTimeoutError::from)
            }
            Mail::Lossy(onlooker) => {
                onlooker.subscriber.recv_deadline(deadline).map_err(RecvTimeoutError::from)
            }
        }
    }

    /// Receives the oldest event, letting the task wait while there is none. Works in any executor.
    ///
    /// *Cancel safety.* Dropping the future loses nothing: it may be used in `select!`.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    ///
    /// # Examples
    /// ```
    /// # use millpond::topic::Topics;
    /// # futures::executor::block_on(async {
    /// let topics = Topics::<u32>::new();
    /// let mut all = topics.subscribe("#")?.lossless(1)?;
    /// topics.topic("tick")?.publish_async(1).await?;
    /// assert_eq!(*all.recv_async().await?, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub async fn recv_async(&mut self) -> Result<Event<T>, RecvError> {
        match &mut self.mail {
            Mail::Lossless(reader) => {
                // Received and accounted for in one poll: there is no point between at which it could be dropped.
                reader.take(reader.receiver.recv_async().await).map_err(|_| RecvError::Closed)
            }
            Mail::Lossy(onlooker) => onlooker.subscriber.recv_async().await.map_err(RecvError::from),
        }
    }

    /// Receives up to `limit` events to the end of `events`, blocking the thread while there is none.
    ///
    /// Takes what is there once there is one, never waits for more, and returns how many. Publishers that wait for room are
    /// woken for all of them at once.
    ///
    /// # Errors
    /// As [`recv`](Self::recv), if that comes before the first event; otherwise the next receive says it.
    ///
    /// # Examples
    /// ```
    /// use millpond::topic::{Event, Topics};
    ///
    /// let topics = Topics::<u32>::new();
    /// let mut all = topics.subscribe("#")?.lossless(8)?;
    /// for n in [1, 2, 3] {
    ///     topics.topic("tick")?.publish(n)?;
    /// }
    /// let mut events = Vec::new();
    /// assert_eq!(all.recv_many(&mut events, 2), Ok(2));
    /// assert_eq!(all.recv_many(&mut events, 2), Ok(1));
    /// assert!(events.into_iter().map(Event::into_value).eq([1, 2, 3]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recv_many(&mut self, events: &mut Vec<Event<T>>, limit: usize) -> Result<usize, RecvError> {
        match &mut self.mail {
            Mail::Lossless(reader) => {
                let received = reader.receiver.recv_many(events, limit).map_err(|_| RecvError::Closed)?;
                reader.room.free(received);
                Ok(received)
            }
            Mail::Lossy(onlooker) => onlooker.subscriber.recv_many(events, limit).map_err(RecvError::from),
        }
    }

    /// Returns an iterator that blocks for each event, and ends when nothing will come any more and all has been received.
    ///
    /// Its items are results: in a lossy subscription events that were lost are reported, not skipped in silence.
    ///
    /// # Examples
    /// ```
    /// use millpond::topic::Topics;
    ///
    /// let topics = Topics::<u32>::new();
    /// let mut all = topics.subscribe("#")?.lossless(8)?;
    /// for n in [1, 2, 3] {
    ///     topics.topic("tick")?.publish(n)?;
    /// }
    /// topics.close();
    /// let sum: u32 = all.iter().map(|event| event.map_or(0, |event| *event)).sum();
    /// assert_eq!(sum, 6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn iter(&mut self) -> Iter<'_, T> {
        Iter::new(self)
    }

    /// Returns an iterator over the events that are there, which never blocks. Reports what was lost, too.
    ///
    /// # Examples
    /// ```
    /// use millpond::topic::{RecvError, Topics};
    ///
    /// let topics = Topics::<u32>::new();
    /// let mut latest = topics.subscribe("#")?.lossy(1)?;
    /// for n in [1, 2, 3] {
    ///     topics.topic("tick")?.publish(n)?;
    /// }
    /// let seen: Vec<_> = latest.try_iter().map(|event| event.map(|event| *event)).collect();
    /// assert_eq!(seen, [Err(RecvError::Lagged(2)), Ok(3)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn try_iter(&mut self) -> TryIter<'_, T> {
        TryIter::new(self)
    }

    /// Turns the subscription into a stream of what it receives.
    ///
    /// # Examples
    /// ```
    /// use futures::StreamExt;
    /// # use millpond::topic::Topics;
    /// # futures::executor::block_on(async {
    /// let topics = Topics::<u32>::new();
    /// let all = topics.subscribe("#")?.lossless(3)?;
    /// for n in [1, 2, 3] {
    ///     topics.topic("tick")?.publish_async(n).await?;
    /// }
    /// topics.close();
    /// let seen: Vec<_> = all.into_stream().map(|event| event.map(|event| *event)).collect().await;
    /// assert_eq!(seen, [Ok(1), Ok(2), Ok(3)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[cfg(feature = "stream")]
    pub fn into_stream(self) -> super::SubscriptionStream<T> {
        super::SubscriptionStream::new(self.membership, self.mail)
    }
}

impl<T> Subscription<T> {
    fn view(&self) -> View<'_, T> {
        match &self.mail {
            Mail::Lossless(reader) => View::Lossless(&reader.receiver),
            Mail::Lossy(onlooker) => View::Lossy(&onlooker.subscriber),
        }
    }

    /// Returns how many events wait in the mailbox. Others may change it before this returns.
    #[must_use]
    pub fn len(&self) -> usize {
        self.view().len()
    }

    /// Whether no event waits. Others may change it before this returns, unless nothing will come any more.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many events the mailbox holds at most.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.view().capacity()
    }

    /// Whether nothing will come any more: the registry is closed. Events may still wait. Once true, it stays true.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.view().is_closed()
    }

    /// Returns who it is: its number, its name (its pattern, unless it was given one) and its pattern.
    #[must_use]
    pub fn info(&self) -> &SubscriptionInfo {
        self.membership.entry().info()
    }

    /// Returns a snapshot of what has happened to the events on its topics.
    #[must_use]
    pub fn stats(&self) -> SubscriptionStats {
        self.view().stats(&self.membership)
    }
}

impl<T> fmt::Debug for Subscription<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("info", self.info())
            .field("len", &self.len())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

// Usable after a panic was caught, whatever it was that panicked (promise 9).
impl<T> std::panic::UnwindSafe for Subscription<T> {}
impl<T> std::panic::RefUnwindSafe for Subscription<T> {}
