//! One topic inside the registry, and the subscriptions that its events go to.

use super::entry::Entry;
use super::name::TopicName;
use crate::sync::{Arc, Mutex};

/// The subscriptions that match a topic. Those that share a gate stand side by side.
pub(super) type Route<T> = Arc<[Arc<Entry<T>>]>;

/// A topic.
pub(super) struct Hub<T> {
    name: TopicName,
    /// None after a subscription that matches has come or gone: to be looked up again. Changed with the registry locked,
    /// read without.
    route: Mutex<Option<Route<T>>>,
}

impl<T> Hub<T> {
    pub(super) fn new(name: TopicName) -> Self {
        Self { name, route: Mutex::new(None) }
    }

    pub(super) fn name(&self) -> &TopicName {
        &self.name
    }

    /// Returns the route, if it is known.
    pub(super) fn route(&self) -> Option<Route<T>> {
        self.route.lock().clone()
    }

    /// Remembers the route, or forgets it. Returns what was known before, to be dropped without a lock: the last
    /// reference to a subscription may be in there, and with it user code.
    #[must_use = "to be dropped without a lock"]
    pub(super) fn set_route(&self, route: Option<Route<T>>) -> Option<Route<T>> {
        std::mem::replace(&mut *self.route.lock(), route)
    }
}
