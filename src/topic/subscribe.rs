//! The description of a subscription.

use super::entry::{Filter, Inlet};
use super::error::SubscribeError;
use super::event::Event;
use super::feed::{Feed, Membership};
use super::mailbox::{Mailbox, Window};
use super::pattern::Pattern;
use super::registry::Registry;
use super::subscription::{Mail, Subscription};
use crate::sync::Arc;
use std::fmt;

/// Describes a subscription, which the last call makes: [`lossless`](Self::lossless), [`lossy`](Self::lossy),
/// [`to_queue`](Self::to_queue) or one of its kind.
///
/// Made by [`Topics::subscribe`](super::Topics::subscribe) and [`Topic::subscribe`](super::Topic::subscribe).
///
/// # Examples
/// ```
/// use millpond::topic::Topics;
///
/// let topics = Topics::<u32>::new();
/// let mut large = topics
///     .subscribe("order.*")?
///     .named("large orders")
///     .filter(|amount| **amount >= 1_000)
///     .lossless(64)?;
///
/// let placed = topics.topic("order.placed")?;
/// placed.publish(5)?;
/// let report = placed.publish(5_000)?;
/// assert_eq!((report.reached, report.filtered), (1, 0));
/// assert_eq!(*large.recv()?, 5_000);
/// assert_eq!(large.stats().filtered, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "nothing is subscribed before the last call: `lossless`, `lossy` or `to_queue`"]
pub struct Subscribe<T> {
    registry: Arc<Registry<T>>,
    pattern: Pattern,
    name: Option<Box<str>>,
    filter: Option<Filter<T>>,
}

impl<T> Subscribe<T> {
    pub(super) fn new(registry: Arc<Registry<T>>, pattern: Pattern) -> Self {
        Self { registry, pattern, name: None, filter: None }
    }

    /// Gives it a name, for errors and stats. Several may have the same.
    pub fn named(mut self, name: impl Into<Box<str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Lets only those events through for which `filter` returns true. With several filters, all have to.
    ///
    /// Called by publishers, on their threads, once for each event on a topic that matches, and never under a lock. A filter
    /// that is slow slows them. One that panics is as one that returns false, for that event; the panic is counted.
    pub fn filter(mut self, filter: impl Fn(&Event<T>) -> bool + Send + Sync + 'static) -> Self
    where
        T: 'static,
    {
        self.filter = Some(match self.filter.take() {
            None => Box::new(filter),
            Some(first) => Box::new(move |event| first(event) && filter(event)),
        });
        self
    }

    /// Subscribes with a mailbox for `capacity` events that loses nothing: while it is full, publishers wait.
    ///
    /// The mailbox is allocated here.
    ///
    /// # Errors
    /// [`SubscribeError`] if the capacity is 0, the registry is closed, or there are too many subscriptions.
    ///
    /// # Panics
    /// If the memory for the mailbox cannot be addressed.
    pub fn lossless(self, capacity: usize) -> Result<Subscription<T>, SubscribeError>
    where
        T: Send + 'static,
    {
        if capacity == 0 {
            return Err(SubscribeError::NoCapacity);
        }
        let (mailbox, reader) = Mailbox::new(capacity);
        let membership = self.join(None, Box::new(mailbox))?;
        Ok(Subscription::new(membership, Mail::Lossless(reader)))
    }

    /// Subscribes with a mailbox for the latest `capacity` events: publishers never wait for it. A subscription that falls
    /// behind loses the oldest, and is told how many: `Lagged(n)`.
    ///
    /// The mailbox is allocated here. Receiving clones the event: the mailbox keeps its own until another takes its place.
    ///
    /// # Errors
    /// As [`lossless`](Self::lossless).
    ///
    /// # Panics
    /// If the memory for the mailbox cannot be addressed.
    ///
    /// # Examples
    /// ```
    /// use millpond::topic::{RecvError, Topics};
    ///
    /// let topics = Topics::<u32>::new();
    /// let mut latest = topics.subscribe("#")?.lossy(2)?;
    /// let tick = topics.topic("tick")?;
    /// for n in 0..5 {
    ///     tick.try_publish(n)?;
    /// }
    /// assert_eq!(latest.recv(), Err(RecvError::Lagged(3)));
    /// assert_eq!((*latest.recv()?, *latest.recv()?), (3, 4));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lossy(self, capacity: usize) -> Result<Subscription<T>, SubscribeError>
    where
        T: Send + Sync + 'static,
    {
        if capacity == 0 {
            return Err(SubscribeError::NoCapacity);
        }
        let (window, onlooker) = Window::new(capacity);
        let membership = self.join(None, Box::new(window))?;
        Ok(Subscription::new(membership, Mail::Lossy(onlooker)))
    }

    /// Subscribes with an inlet of another layer. `name` is the subscription's if it was given none.
    pub(crate) fn feed(self, name: &str, inlet: Box<dyn Inlet<T>>) -> Result<Feed<T>, SubscribeError> {
        Ok(Feed::new(self.join(Some(name), inlet)?))
    }

    fn join(self, name: Option<&str>, inlet: Box<dyn Inlet<T>>) -> Result<Membership<T>, SubscribeError> {
        let name = self.name.unwrap_or_else(|| name.unwrap_or(self.pattern.as_str()).into());
        let entry = self.registry.subscribe((name, self.pattern), self.filter, inlet)?;
        Ok(Membership::new(self.registry, entry))
    }
}

impl<T> fmt::Debug for Subscribe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscribe")
            .field("pattern", &self.pattern)
            .field("name", &self.name)
            .field("filtered", &self.filter.is_some())
            .finish()
    }
}
