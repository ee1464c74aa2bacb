//! A topic as publishers hold it.

use super::error::PublishError;
use super::event::Event;
use super::name::TopicName;
use super::pattern::Pattern;
use super::publish::{Publication, Published, Stuck};
use super::route::Hub;
use super::subscribe::Subscribe;
use super::topics::Owner;
use crate::sync::Arc;
use crate::wait::{Deadline, Waiting, block_on};
use std::fmt;
use std::time::Duration;

/// A topic: publishes events to all subscriptions whose pattern matches its name.
///
/// Made by [`Topics::topic`](super::Topics::topic). Cheap to clone; all handles of one name are the same topic. A topic
/// that somebody holds is not removed.
///
/// Each way of publishing is all or nothing: see the [module](super). What was published with nobody to receive it is
/// dropped, and the report says so.
///
/// **A handler, a filter or a receiving loop that publishes must use [`try_publish`](Self::try_publish)** where its own
/// subscription or queue may match: it would wait for room that only it can make.
///
/// # Examples
/// ```
/// use millpond::topic::Topics;
///
/// let topics = Topics::<&str>::new();
/// let signed_up = topics.topic("user.signed_up")?;
/// assert_eq!(signed_up.publish("alice")?.reached, 0); // nobody listens
///
/// let mut welcome = signed_up.subscribe().lossless(8)?;
/// let mut audit = topics.subscribe("#")?.lossless(8)?;
/// assert_eq!(signed_up.publish("bob")?.reached, 2);
/// assert_eq!((*welcome.recv()?, *audit.recv()?), ("bob", "bob"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Topic<T> {
    owner: Arc<Owner<T>>,
    hub: Arc<Hub<T>>,
}

impl<T> Topic<T> {
    pub(super) fn new(owner: Arc<Owner<T>>, hub: Arc<Hub<T>>) -> Self {
        Self { owner, hub }
    }

    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &TopicName {
        self.hub.name()
    }

    /// Begins a subscription to this topic alone.
    pub fn subscribe(&self) -> Subscribe<T> {
        let pattern = Pattern::from(self.name().clone());
        Subscribe::new(Arc::clone(self.owner.registry()), pattern)
    }

    /// Asks the filters. `Err`: the registry is closed.
    fn begin(&self, value: T) -> Result<Publication<'_, T>, PublishError<T>> {
        let registry = self.owner.registry();
        match registry.route(&self.hub) {
            Some(route) => Ok(Publication::new(registry, route, Event::new(self.name().clone(), value))),
            None => Err(PublishError::Closed(value)),
        }
    }
}

impl<T: Clone> Topic<T> {
    /// Publishes a value, blocking the thread while a subscription that loses nothing is full.
    ///
    /// # Errors
    /// [`PublishError::Closed`] with the value, also when the registry is closed while this waits. [`PublishError::Full`] only
    /// where waiting is no use: more subscriptions feed one queue than it has room for jobs.
    ///
    /// # Blocking
    /// Spins for a moment, then parks the thread, until there is room in all such subscriptions at once. Publishers that
    /// wait for the same subscription are woken in the order in which they came, but one that comes at the right moment
    /// may be faster.
    ///
    /// # Panics
    /// If `T::clone` panics: those subscriptions have the event that had it by then.
    pub fn publish(&self, value: T) -> Result<Published, PublishError<T>> {
        self.publish_until(value, Deadline::never())
    }

    /// Publishes a value if all subscriptions that lose nothing have room for it. Never parks.
    ///
    /// # Errors
    /// [`PublishError::Full`], which says for whom, or [`PublishError::Closed`]; both give the value back.
    pub fn try_publish(&self, value: T) -> Result<Published, PublishError<T>> {
        let mut publication = self.begin(value)?;
        match publication.reserve() {
            Ok(()) => Ok(publication.commit()),
            Err(stuck) => Err(refuse(publication, stuck)),
        }
    }

    /// Publishes a value, blocking the thread for up to `timeout`: see [`publish`](Self::publish). Tries at least once.
    ///
    /// # Errors
    /// [`PublishError::Timeout`], which says who had no room at last, or as [`publish`](Self::publish); all give the value back.
    pub fn publish_timeout(&self, value: T, timeout: Duration) -> Result<Published, PublishError<T>> {
        self.publish_until(value, Deadline::after(timeout))
    }

    fn publish_until(&self, value: T, deadline: Deadline) -> Result<Published, PublishError<T>> {
        let mut publication = self.begin(value)?;
        let mut waited = false;
        while let Err(stuck) = publication.reserve() {
            let Some(stop) = publication.worth_waiting_for(stuck) else {
                return Err(refuse(publication, stuck));
            };
            // A wait tries at least once, and may bring a place each time while another is missing each time.
            let late = waited && deadline.has_passed();
            let answer =
                if late { None } else { block_on(&mut publication.reservation(stop), deadline).ok() };
            match answer {
                Some(answer) => publication.resume(stop, answer),
                None => {
                    let who = Arc::clone(publication.entry(stop).info());
                    return Err(PublishError::Timeout(publication.into_value(), who));
                }
            }
            waited = true;
        }
        Ok(publication.commit())
    }

    /// Publishes a value, letting the task wait while a subscription that loses nothing is full. Works in any executor.
    ///
    /// *Cancel safety.* A future that is dropped before it is ready has published nothing; the value is dropped with it.
    ///
    /// # Errors
    /// As [`publish`](Self::publish).
    ///
    /// # Panics
    /// As [`publish`](Self::publish).
    pub async fn publish_async(&self, value: T) -> Result<Published, PublishError<T>> {
        let mut publication = self.begin(value)?;
        while let Err(stuck) = publication.reserve() {
            let Some(stop) = publication.worth_waiting_for(stuck) else {
                return Err(refuse(publication, stuck));
            };
            let answer = Waiting::new(publication.reservation(stop)).await;
            publication.resume(stop, answer);
        }
        Ok(publication.commit())
    }
}

/// Gives the value back, and says why.
fn refuse<T>(publication: Publication<'_, T>, stuck: Stuck) -> PublishError<T> {
    match stuck {
        Stuck::Full(stop) => {
            let who = Arc::clone(publication.entry(stop).info());
            PublishError::Full(publication.into_value(), who)
        }
        Stuck::Closed => PublishError::Closed(publication.into_value()),
    }
}

impl<T> Clone for Topic<T> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.owner), Arc::clone(&self.hub))
    }
}

impl<T> fmt::Debug for Topic<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topic").field("name", self.name()).finish_non_exhaustive()
    }
}

// Usable after a panic was caught, whatever it was that panicked (promise 9).
impl<T> std::panic::UnwindSafe for Topic<T> {}
impl<T> std::panic::RefUnwindSafe for Topic<T> {}
