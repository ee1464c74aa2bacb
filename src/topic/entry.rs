//! A subscription as publishers see it: whether it wants an event, and where the event goes.

use super::event::Event;
use super::pattern::Pattern;
use crate::gate::Gate;
use crate::retry::discard;
use crate::sync::Arc;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Where the events of a subscription go, in two steps, so that a publisher can have a place everywhere before it puts the
/// event anywhere.
pub(crate) trait Inlet<T>: Send + Sync {
    /// Takes `count` places, or none. Never waits. More than one are asked for only where several inlets share a gate.
    fn reserve(&self, count: usize) -> Reserved;

    /// Puts an event into a place that was reserved. Never waits.
    fn put(&self, place: u64, event: Event<T>) -> Put;

    /// Gives a place back that was reserved, and wakes a publisher that waits for one.
    fn give_back(&self, place: u64);

    /// Returns where publishers wait for a place. Only an inlet that has a gate answers [`Reserved::Full`]. Feeds of one queue
    /// share its gate.
    fn gate(&self) -> Option<&Gate>;

    /// Takes no more events, and wakes all who wait to receive one.
    fn close(&self);
}

/// What became of a wish for a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reserved {
    /// A place, with what the inlet needs to know it again; where several were asked for, the first, and the others follow.
    Place(u64),
    /// There is no room now.
    Full,
    /// There is no room, and the event is to be dropped for that.
    Drop,
    /// Nobody will receive anything there any more.
    Gone,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// It is where it belongs.
    Reached,
    /// User code that it had to pass through panicked.
    Panicked,
    /// Nobody will receive anything there any more.
    Gone,
}

/// Says whether a subscription wants an event.
pub(super) type Filter<T> = Box<dyn Fn(&Event<T>) -> bool + Send + Sync>;

/// Who a subscription is.
#[derive(Debug, PartialEq, Eq)]
pub struct SubscriptionInfo {
    id: u64,
    name: Box<str>,
    pattern: Pattern,
}

impl SubscriptionInfo {
    /// Returns its number: the subscriptions of one registry are numbered in the order in which they came.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Returns the name that it was given; else that of the queue it feeds, or its pattern.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns which topics it is about.
    #[must_use]
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }
}

/// What has happened to the events on the topics of a subscription, since it was made: a snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubscriptionStats {
    /// Events put into its mailbox or its queue.
    pub reached: u64,
    /// Of those, events that it was told it has lost: see `Lagged`.
    pub lost: u64,
    /// Events that its filter did not want.
    pub filtered: u64,
    /// Events dropped because its queue was full.
    pub dropped: u64,
    /// Events that did not reach it because its filter, or the making of its job, panicked.
    pub panicked: u64,
}

#[derive(Debug, Default)]
struct Tally {
    reached: AtomicU64,
    filtered: AtomicU64,
    dropped: AtomicU64,
    panicked: AtomicU64,
}

/// What happened to one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Reached,
    Filtered,
    Dropped,
    Panicked,
}

/// A subscription as publishers see it.
pub(super) struct Entry<T> {
    info: Arc<SubscriptionInfo>,
    filter: Option<Filter<T>>,
    inlet: Box<dyn Inlet<T>>,
    /// Whether it has left the registry. Once true, it stays true.
    ended: AtomicBool,
    tally: Tally,
}

impl<T> Entry<T> {
    pub(super) fn new(
        (id, name, pattern): (u64, Box<str>, Pattern),
        filter: Option<Filter<T>>,
        inlet: Box<dyn Inlet<T>>,
    ) -> Self {
        Self {
            info: Arc::new(SubscriptionInfo { id, name, pattern }),
            filter,
            inlet,
            ended: AtomicBool::new(false),
            tally: Tally::default(),
        }
    }

    pub(super) fn info(&self) -> &Arc<SubscriptionInfo> {
        &self.info
    }

    pub(super) fn inlet(&self) -> &dyn Inlet<T> {
        &*self.inlet
    }

    /// Returns what tells apart the gates at which publishers wait. 0: they do not wait.
    pub(super) fn gate_address(&self) -> usize {
        self.inlet.gate().map_or(0, |gate| std::ptr::from_ref(gate).addr())
    }

    /// Whether it has left the registry: nobody need wait for a place in it any more.
    pub(super) fn has_ended(&self) -> bool {
        // ORDERING: Relaxed; whoever sleeps at the gate is ordered by the lock of the list of waiters, see `end`.
        self.ended.load(Ordering::Relaxed)
    }

    /// Lets the publishers go that wait for a place in it. It has left the registry.
    ///
    /// A queue's gate stays open, as others use it too: so all who wait there are woken, and those look again who wait for
    /// something else. A publisher that is in the list when it is locked here is woken; one that comes later has taken
    /// the lock after this, and sees the flag in the attempt that follows. One that was woken for a place and sees the flag
    /// leaves the place to those behind it: the flag is raised first, so they are woken here.
    pub(super) fn end(&self) {
        // ORDERING: Relaxed; the lock that `notify_all` takes next orders it before every attempt of a later waiter.
        self.ended.store(true, Ordering::Relaxed);
        if let Some(gate) = self.inlet.gate() {
            gate.waiters().notify_all(|| gate.disarm());
        }
    }

    /// Asks the filter. `Err`: why the event is not for this subscription.
    pub(super) fn wants(&self, event: &Event<T>) -> Result<(), Fate> {
        let Some(filter) = &self.filter else { return Ok(()) };
        match catch_unwind(AssertUnwindSafe(|| filter(event))) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Fate::Filtered),
            Err(payload) => {
                discard(payload);
                Err(Fate::Panicked)
            }
        }
    }

    pub(super) fn count(&self, fate: Fate) {
        let counter = match fate {
            Fate::Reached => &self.tally.reached,
            Fate::Filtered => &self.tally.filtered,
            Fate::Dropped => &self.tally.dropped,
            Fate::Panicked => &self.tally.panicked,
        };
        // ORDERING: Relaxed; a count that orders nothing.
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn stats(&self) -> SubscriptionStats {
        // ORDERING: Relaxed; a snapshot.
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        SubscriptionStats {
            reached: read(&self.tally.reached),
            // The subscription knows.
            lost: 0,
            filtered: read(&self.tally.filtered),
            dropped: read(&self.tally.dropped),
            panicked: read(&self.tally.panicked),
        }
    }
}
