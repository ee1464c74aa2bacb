//! Being subscribed, and the guard of a subscription that feeds a work queue.

use super::entry::{Entry, SubscriptionInfo, SubscriptionStats};
use super::registry::Registry;
use crate::sync::Arc;
use std::fmt;

/// A subscription's place in the registry, which it gives up when it is dropped.
pub(super) struct Membership<T> {
    registry: Arc<Registry<T>>,
    entry: Arc<Entry<T>>,
    ends: bool,
}

impl<T> Membership<T> {
    pub(super) fn new(registry: Arc<Registry<T>>, entry: Arc<Entry<T>>) -> Self {
        Self { registry, entry, ends: true }
    }

    pub(super) fn entry(&self) -> &Entry<T> {
        &self.entry
    }
}

impl<T> Drop for Membership<T> {
    fn drop(&mut self) {
        if self.ends {
            self.registry.unsubscribe(&self.entry);
        }
    }
}

/// A subscription that feeds a work queue, until this is dropped.
///
/// Made by `to_queue` and its like, on a [`Topic`](super::Topic) or a [`Subscribe`](super::Subscribe). There is no thread
/// behind it: publishers submit to the queue themselves. It keeps the queue's jobs, but not its workers, alive. When the
/// queue is shut down the feed ends at the next event.
///
/// Dropping it ends the subscription: no event whose publishing begins later gets into the queue. A publisher that waits for
/// room in the queue at that moment goes on, and its event reaches the others.
///
/// # Examples
/// ```
/// use millpond::{Context, Pool, topic::Topics};
/// use std::time::Duration;
///
/// let mail = Pool::builder().name("mail").start(|user: &String, _: &Context| println!("welcome, {user}"))?;
/// let topics = Topics::<String>::new();
/// let signed_up = topics.topic("user.signed_up")?;
///
/// let feed = signed_up.to_queue(&mail.handle())?;
/// signed_up.publish("alice".to_owned())?;
/// assert_eq!((feed.info().name(), feed.stats().reached), ("mail", 1));
///
/// drop(feed);
/// assert_eq!(signed_up.publish("bob".to_owned())?.reached, 0);
/// assert_eq!(mail.shutdown(Duration::from_secs(10)).done, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping a feed ends it; `detach` keeps it going"]
pub struct Feed<T> {
    membership: Membership<T>,
}

impl<T> Feed<T> {
    pub(super) fn new(membership: Membership<T>) -> Self {
        Self { membership }
    }

    /// Returns who it is: its number, its name (the queue's, unless it was given one) and its pattern.
    #[must_use]
    pub fn info(&self) -> &SubscriptionInfo {
        self.membership.entry().info()
    }

    /// Returns a snapshot of what has happened to the events on its topics.
    #[must_use]
    pub fn stats(&self) -> SubscriptionStats {
        self.membership.entry().stats()
    }

    /// Keeps the feed going for as long as there are the topics and the queue.
    pub fn detach(mut self) {
        self.membership.ends = false;
    }
}

impl<T> fmt::Debug for Feed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("info", self.info()).field("stats", &self.stats()).finish()
    }
}

// Usable after a panic was caught, whatever it was that panicked (promise 9).
impl<T> std::panic::UnwindSafe for Feed<T> {}
impl<T> std::panic::RefUnwindSafe for Feed<T> {}
