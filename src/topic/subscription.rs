//! The receiving end of a subscription.

use super::entry::{SubscriptionInfo, SubscriptionStats};
use super::error::{RecvError, RecvTimeoutError, TryRecvError};
use super::event::Event;
use super::feed::Membership;
use super::mailbox::{Onlooker, Reader};
use std::fmt;
use std::time::Duration;

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
pub(super) enum Mail<T> {
    Lossless(Reader<T>),
    Lossy(Onlooker<T>),
}

impl<T> Subscription<T> {
    pub(super) fn new(membership: Membership<T>, mail: Mail<T>) -> Self {
        Self { membership, mail }
    }
}

impl<T: Clone> Subscription<T> {
    /// Receives the oldest event, blocking the thread while there is none.
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
}

impl<T> Subscription<T> {
    /// Returns how many events wait in the mailbox. Others may change it before this returns.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.mail {
            Mail::Lossless(reader) => reader.receiver.len(),
            Mail::Lossy(onlooker) => onlooker.subscriber.len(),
        }
    }

    /// Whether no event waits. Others may change it before this returns.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many events the mailbox holds at most.
    #[must_use]
    pub fn capacity(&self) -> usize {
        match &self.mail {
            Mail::Lossless(reader) => reader.receiver.capacity(),
            Mail::Lossy(onlooker) => onlooker.subscriber.capacity(),
        }
    }

    /// Returns who it is: its number, its name (its pattern, unless it was given one) and its pattern.
    #[must_use]
    pub fn info(&self) -> &SubscriptionInfo {
        self.membership.entry().info()
    }

    /// Returns a snapshot of what has happened to the events on its topics.
    #[must_use]
    pub fn stats(&self) -> SubscriptionStats {
        let lost = match &self.mail {
            Mail::Lossless(_) => 0,
            Mail::Lossy(onlooker) => onlooker.subscriber.lagged(),
        };
        SubscriptionStats { lost, ..self.membership.entry().stats() }
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
