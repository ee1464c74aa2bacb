//! The registry: which topics there are, which subscriptions, and which go together.
//!
//! ```text
//!   topics: by name, sorted              patterns: a trie
//!   publishing looks up the topic's matching patterns once and keeps them with the topic (its route);
//!   subscribing, and the end of a subscription, makes the matching topics forget theirs
//! ```
//!
//! So publishing to a topic costs the subscriptions that match it, and a subscription costs, when it comes and when it goes,
//! the topics that begin as its pattern does. A route that nobody publishes to is forgotten all the same, so nothing of a
//! subscription outlives it but in a publish that is under way.
//!
//! R1. Routes change with the registry locked. So a route that is known holds exactly the subscriptions that match.
//! R2. Locks are taken in one order: the registry, then a topic's route.
//! R3. No user code runs under a lock, a subscription's drop included: what may be the last reference to one is carried out of
//!     the lock first.

use super::entry::{Entry, Filter, Inlet};
use super::error::{RemoveError, SubscribeError, TopicError};
use super::name::TopicName;
use super::pattern::Pattern;
use super::route::{Hub, Route};
use super::trie::Trie;
use crate::sync::{Arc, Mutex};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// What a registry holds at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) topics: usize,
    pub(super) subscriptions: usize,
}

/// A snapshot of a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TopicsStats {
    /// Topics there are.
    pub topics: usize,
    /// Subscriptions there are, those that feed queues included.
    pub subscriptions: usize,
    /// How often the subscriptions of a topic had to be looked up: once for each topic that is published to, and once more
    /// after a subscription that matches has come or gone.
    pub look_ups: u64,
    /// How many nodes of the tree of patterns were visited for that.
    pub nodes_visited: u64,
}

/// The topics and the subscriptions.
pub(super) struct Registry<T> {
    state: Mutex<State<T>>,
    limits: Limits,
}

struct State<T> {
    topics: BTreeMap<TopicName, Arc<Hub<T>>>,
    patterns: Trie<Arc<Entry<T>>>,
    subscriptions: usize,
    /// The number of the latest subscription.
    latest: u64,
    closed: bool,
    look_ups: u64,
    nodes_visited: u64,
}

impl<T> State<T> {
    /// Makes the topics that match forget their routes, and returns these.
    #[must_use = "to be dropped without a lock"]
    fn forget_routes(&self, pattern: &Pattern) -> Vec<Route<T>> {
        let prefix = pattern.prefix();
        self.topics
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(|(name, _)| name.as_str().starts_with(prefix))
            .filter(|(name, _)| pattern.matches(name))
            .filter_map(|(_, hub)| hub.set_route(None))
            .collect()
    }
}

impl<T> Registry<T> {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            state: Mutex::new(State {
                topics: BTreeMap::new(),
                patterns: Trie::new(),
                subscriptions: 0,
                latest: 0,
                closed: false,
                look_ups: 0,
                nodes_visited: 0,
            }),
            limits,
        }
    }

    /// Returns the topic of this name, and makes it if there is none.
    pub(super) fn topic(&self, name: TopicName) -> Result<Arc<Hub<T>>, TopicError> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(TopicError::Closed);
        }
        if let Some(hub) = state.topics.get(&name) {
            return Ok(Arc::clone(hub));
        }
        if state.topics.len() >= self.limits.topics {
            return Err(TopicError::Limit(self.limits.topics));
        }
        let hub = Arc::new(Hub::new(name.clone()));
        state.topics.insert(name, Arc::clone(&hub));
        Ok(hub)
    }

    /// Removes a topic that nobody holds.
    pub(super) fn remove(&self, name: &str) -> Result<(), RemoveError> {
        let mut state = self.state.lock();
        let hub = state.topics.get(name).ok_or(RemoveError::Unknown)?;
        if Arc::strong_count(hub) > 1 {
            return Err(RemoveError::InUse);
        }
        let removed = state.topics.remove(name);
        drop(state);
        drop(removed);
        Ok(())
    }

    /// Removes all topics that nobody holds. Returns how many.
    pub(super) fn remove_unused(&self) -> usize {
        let mut removed = Vec::new();
        let mut state = self.state.lock();
        state.topics.retain(|_, hub| {
            // Others get the topic from the registry, which is locked, or from one who holds it.
            let used = Arc::strong_count(hub) > 1;
            if !used {
                removed.push(Arc::clone(hub));
            }
            used
        });
        drop(state);
        removed.len()
    }

    pub(super) fn names(&self) -> Vec<TopicName> {
        self.state.lock().topics.keys().cloned().collect()
    }

    /// Adds a subscription.
    pub(super) fn subscribe(
        &self,
        (name, pattern): (Box<str>, Pattern),
        filter: Option<Filter<T>>,
        inlet: Box<dyn Inlet<T>>,
    ) -> Result<Arc<Entry<T>>, SubscribeError> {
        let mut state = self.state.lock();
        let refused = if state.closed {
            Some(SubscribeError::Closed)
        } else if state.subscriptions >= self.limits.subscriptions {
            Some(SubscribeError::Limit(self.limits.subscriptions))
        } else {
            None
        };
        if let Some(refused) = refused {
            // The filter and the inlet are parameters, and so outlive the lock.
            return Err(refused);
        }
        state.latest += 1;
        state.subscriptions += 1;
        let entry = Arc::new(Entry::new((state.latest, name, pattern), filter, inlet));
        let (pattern, id) = (entry.info().pattern(), entry.info().id());
        state.patterns.insert(pattern, id, Arc::clone(&entry));
        let forgotten = state.forget_routes(pattern);
        drop(state);
        drop(forgotten);
        Ok(entry)
    }

    /// Ends a subscription, if that was not done before. A publish that is under way may still put events into it.
    pub(super) fn unsubscribe(&self, entry: &Entry<T>) {
        let (pattern, id) = (entry.info().pattern(), entry.info().id());
        let mut state = self.state.lock();
        let removed = state.patterns.remove(pattern, id);
        if removed.is_none() {
            return;
        }
        state.subscriptions -= 1;
        let forgotten = state.forget_routes(pattern);
        drop(state);
        entry.end();
        drop((removed, forgotten));
    }

    /// Returns the subscriptions that match a topic. None: the registry is closed.
    pub(super) fn route(&self, hub: &Hub<T>) -> Option<Route<T>> {
        hub.route().or_else(|| self.look_up(hub))
    }

    #[cold]
    fn look_up(&self, hub: &Hub<T>) -> Option<Route<T>> {
        let mut matching = Vec::new();
        let mut state = self.state.lock();
        if state.closed {
            return None;
        }
        let visited = state.patterns.look_up(hub.name(), |id, entry| matching.push((id, Arc::clone(entry))));
        state.look_ups += 1;
        state.nodes_visited += visited;
        // One order for all publishers, with those side by side that share a gate.
        matching.sort_unstable_by_key(|(id, entry)| (entry.gate_address(), *id));
        let route: Route<T> = matching.into_iter().map(|(_, entry)| entry).collect();
        let before = hub.set_route(Some(Arc::clone(&route)));
        drop(state);
        drop(before);
        Some(route)
    }

    /// Ends all subscriptions: they get what they have, and then learn that it is over.
    pub(super) fn close(&self) -> bool {
        let mut ended = Vec::new();
        let mut state = self.state.lock();
        let first = !std::mem::replace(&mut state.closed, true);
        let routes: Vec<_> = state.topics.values().filter_map(|hub| hub.set_route(None)).collect();
        state.patterns.drain(|entry| ended.push(entry));
        state.subscriptions = 0;
        drop(state);
        // A waker may panic, and so may the drop of a filter: the others are ended all the same.
        let mut panic = None;
        let mut persist = |step: &mut dyn FnMut()| {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(step)) {
                panic.get_or_insert(payload);
            }
        };
        for entry in &ended {
            persist(&mut || entry.end());
            persist(&mut || entry.inlet().close());
        }
        let mut gone = Some((ended, routes));
        persist(&mut || drop(gone.take()));
        if let Some(payload) = panic {
            resume_unwind(payload);
        }
        first
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    pub(super) fn stats(&self) -> TopicsStats {
        let state = self.state.lock();
        TopicsStats {
            topics: state.topics.len(),
            subscriptions: state.subscriptions,
            look_ups: state.look_ups,
            nodes_visited: state.nodes_visited,
        }
    }
}
