//! The registry as its users hold it.

use super::error::{RemoveError, TopicError};
use super::handle::Topic;
use super::name::TopicName;
use super::pattern::{Pattern, PatternError};
use super::registry::{Limits, Registry, TopicsStats};
use super::subscribe::Subscribe;
use crate::sync::Arc;
use std::fmt;

/// The default limit of topics, and of subscriptions: more of either in one process is likelier a leak than a plan. A guess.
const LIMIT_DEFAULT: usize = 65_536;

/// Closes the registry when the last is gone who could publish or make a topic.
pub(super) struct Owner<T> {
    registry: Arc<Registry<T>>,
}

impl<T> Owner<T> {
    pub(super) fn registry(&self) -> &Arc<Registry<T>> {
        &self.registry
    }
}

impl<T> Drop for Owner<T> {
    fn drop(&mut self) {
        self.registry.close();
    }
}

/// A registry of topics, by name, and of subscriptions to them, by pattern.
///
/// Cheap to clone; the clones are one registry. It is closed when all of them and all [`Topic`]s are dropped. A filter or
/// a handler that holds one keeps it open for as long as it is subscribed itself.
///
/// The values are of one type `T`, an enum for example; a process may have several registries.
///
/// # Examples
/// ```
/// use millpond::topic::Topics;
///
/// #[derive(Clone, Debug, PartialEq)]
/// enum Happened {
///     SignedUp(String),
///     Left(String),
/// }
///
/// let topics = Topics::new();
/// let mut users = topics.subscribe("user.*")?.lossless(64)?;
/// topics.topic("user.signed_up")?.publish(Happened::SignedUp("alice".into()))?;
/// topics.topic("user.left")?.publish(Happened::Left("alice".into()))?;
/// assert_eq!(*users.recv()?, Happened::SignedUp("alice".into()));
/// assert_eq!(*users.recv()?, Happened::Left("alice".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Topics<T> {
    owner: Arc<Owner<T>>,
}

impl<T> Topics<T> {
    /// Makes a registry with the default limits: 65 536 topics and as many subscriptions.
    #[must_use]
    pub fn new() -> Self {
        TopicsBuilder::default().build()
    }

    /// Returns the topic of this name, and makes it if there is none. It stays until it is [removed](Self::remove).
    ///
    /// # Errors
    /// [`TopicError`] if this is no name, the registry is closed, or there are too many topics.
    pub fn topic(&self, name: impl AsRef<str>) -> Result<Topic<T>, TopicError> {
        let hub = self.owner.registry.topic(TopicName::new(name)?)?;
        Ok(Topic::new(Arc::clone(&self.owner), hub))
    }

    /// Begins a subscription to all topics that a pattern matches, those made later included.
    ///
    /// # Errors
    /// [`PatternError`] with the position of the fault.
    pub fn subscribe(&self, pattern: impl AsRef<str>) -> Result<Subscribe<T>, PatternError> {
        let pattern = Pattern::new(pattern)?;
        Ok(Subscribe::new(Arc::clone(&self.owner.registry), pattern))
    }

    /// Removes a topic that nobody holds. Subscriptions stay: made again, it reaches those that match.
    ///
    /// # Errors
    /// [`RemoveError`] if there is none, or somebody holds a [`Topic`] of this name.
    ///
    /// # Examples
    /// ```
    /// use millpond::topic::{RemoveError, Topics};
    ///
    /// let topics = Topics::<u32>::new();
    /// let tick = topics.topic("tick")?;
    /// assert_eq!(topics.remove("tick"), Err(RemoveError::InUse));
    /// drop(tick);
    /// assert_eq!(topics.remove("tick"), Ok(()));
    /// assert_eq!(topics.remove("tick"), Err(RemoveError::Unknown));
    /// # Ok::<(), millpond::topic::TopicError>(())
    /// ```
    pub fn remove(&self, name: impl AsRef<str>) -> Result<(), RemoveError> {
        self.owner.registry.remove(name.as_ref())
    }

    /// Removes all topics that nobody holds. Returns how many.
    pub fn remove_unused(&self) -> usize {
        self.owner.registry.remove_unused()
    }

    /// Returns the names of all topics, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<TopicName> {
        self.owner.registry.names()
    }

    /// Closes the registry for all: nothing can be published or subscribed any more, and subscriptions receive what they have.
    ///
    /// Returns whether this call did it. A publisher that waits for room, in a mailbox or in a queue, is let go and gets its
    /// value back: [`PublishError::Closed`](super::PublishError::Closed). One that has its places and is just putting the event
    /// into them may reach some subscriptions and not others; its report says how many. Queues that are fed stay open.
    ///
    /// # Examples
    /// ```
    /// use millpond::topic::{PublishError, Topics};
    ///
    /// let topics = Topics::<u32>::new();
    /// let tick = topics.topic("tick")?;
    /// let mut full = tick.subscribe().lossless(1)?;
    /// tick.publish(1)?;
    /// let waiting = std::thread::spawn(move || tick.publish(2));
    /// topics.close();
    /// assert_eq!(waiting.join().unwrap(), Err(PublishError::Closed(2)));
    /// assert_eq!(*full.recv()?, 1); // what is inside can be received
    /// assert!(full.recv().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn close(&self) -> bool {
        self.owner.registry.close()
    }

    /// Whether the registry is closed. Once true, it stays true.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.owner.registry.is_closed()
    }

    /// Returns a snapshot of how much the registry holds, and what its look-ups have cost.
    #[must_use]
    pub fn stats(&self) -> TopicsStats {
        self.owner.registry.stats()
    }
}

impl Topics<()> {
    /// Begins the description of a registry with limits of its own.
    ///
    /// # Examples
    /// ```
    /// use millpond::topic::{TopicError, Topics};
    ///
    /// let topics: Topics<u32> = Topics::builder().max_topics(1).max_subscriptions(10).build();
    /// let _first = topics.topic("first")?;
    /// assert_eq!(topics.topic("second").unwrap_err(), TopicError::Limit(1));
    /// # Ok::<(), TopicError>(())
    /// ```
    pub fn builder() -> TopicsBuilder {
        TopicsBuilder::default()
    }
}

impl<T> Default for Topics<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for Topics<T> {
    fn clone(&self) -> Self {
        Self { owner: Arc::clone(&self.owner) }
    }
}

impl<T> fmt::Debug for Topics<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topics").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// Describes a registry.
#[derive(Clone, Copy, Debug)]
#[must_use = "`build` makes the registry"]
pub struct TopicsBuilder {
    limits: Limits,
}

impl TopicsBuilder {
    /// Sets how many topics there are at most. A topic takes a few hundred bytes, and its list of matching subscriptions.
    pub fn max_topics(mut self, topics: usize) -> Self {
        self.limits.topics = topics;
        self
    }

    /// Sets how many subscriptions there are at most. One takes its mailbox, and about 200 bytes for each word of its pattern
    /// that no other pattern shares.
    pub fn max_subscriptions(mut self, subscriptions: usize) -> Self {
        self.limits.subscriptions = subscriptions;
        self
    }

    /// Makes the registry.
    #[must_use]
    pub fn build<T>(self) -> Topics<T> {
        Topics { owner: Arc::new(Owner { registry: Arc::new(Registry::new(self.limits)) }) }
    }
}

impl Default for TopicsBuilder {
    fn default() -> Self {
        Self { limits: Limits { topics: LIMIT_DEFAULT, subscriptions: LIMIT_DEFAULT } }
    }
}

// Usable after a panic was caught, whatever it was that panicked (promise 9).
impl<T> std::panic::UnwindSafe for Topics<T> {}
impl<T> std::panic::RefUnwindSafe for Topics<T> {}
