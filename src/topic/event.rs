//! What subscriptions get.

use super::name::TopicName;
use std::fmt;
use std::ops::Deref;

/// What was published, and on which topic. Dereferences to the value.
///
/// A subscription gets an event of its own: the value is cloned for each, but for the last, which gets the one that was
/// published. Where cloning is dear, publish an `Arc` of the value.
///
/// # Examples
/// ```
/// use millpond::topic::Topics;
///
/// let topics = Topics::<String>::new();
/// let mut all = topics.subscribe("user.#")?.lossless(8)?;
/// topics.topic("user.signed_up")?.publish("alice".to_owned())?;
///
/// let event = all.recv()?;
/// assert_eq!(event.topic().as_str(), "user.signed_up");
/// assert_eq!(event.len(), 5); // the value's own methods
/// assert_eq!(event.into_value(), "alice");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Event<T> {
    topic: TopicName,
    value: T,
}

impl<T> Event<T> {
    pub(super) fn new(topic: TopicName, value: T) -> Self {
        Self { topic, value }
    }

    /// Returns the name of the topic on which it was published.
    pub fn topic(&self) -> &TopicName {
        &self.topic
    }

    /// Returns what was published.
    pub fn into_value(self) -> T {
        self.value
    }
}

impl<T> Deref for Event<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Event<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("topic", &self.topic).field("value", &self.value).finish()
    }
}
