//! One event on its way: ask the filters, get a place everywhere, and only then put it anywhere.
//!
//! 1. *Select.* The filters of the topic's subscriptions are asked, each once.
//! 2. *Reserve.* A place is taken in each subscription that wants the event; for feeds of one queue, in all of them at once, so
//!    that nobody holds the place that it waits for. Where one that loses nothing is full, all places are given back, so that a publisher that waits keeps nothing from those that do
//!    not: the full one gates the topics that it listens to, and no others. The wait is for a place in that one alone;
//!    having it, the publisher tries the others again. It ends as well when the subscription ends, or the registry is closed.
//! 3. *Commit.* The event is cloned into each place, and moved into the last. Nothing can be full here.
//!
//! So a publish reaches all or, with an error, nobody. A subscription that ends between two steps is passed over. When all
//! end because the registry is closed, the publish is refused, unless it has begun to put the event into places.
//!
//! P1. Each place that was reserved is put into or given back, once: [`Publication::drop`] sees to it when user code panics.

use super::entry::{Entry, Fate, Put, Reserved};
use super::event::Event;
use super::registry::Registry;
use super::route::Route;
use crate::gate::Gate;
use crate::sync::Arc;
use crate::wait::{Attempt, Source, WaitSet};
use std::cell::Cell;
use std::ops::Range;

/// What became of an event that was published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Published {
    /// Subscriptions that it was put into.
    pub reached: usize,
    /// Subscriptions whose filter did not want it.
    pub filtered: usize,
    /// Subscriptions that it was dropped for because their queue was full.
    pub dropped: usize,
    /// Subscriptions that it did not reach because their filter, or the making of their job, panicked.
    pub panicked: usize,
}

impl Published {
    fn count(&mut self, fate: Fate) {
        *match fate {
            Fate::Reached => &mut self.reached,
            Fate::Filtered => &mut self.filtered,
            Fate::Dropped => &mut self.dropped,
            Fate::Panicked => &mut self.panicked,
        } += 1;
    }
}

/// One of the topic's subscriptions, on the way of an event.
#[derive(Clone, Copy)]
enum Stop {
    /// It wants the event, and has no place reserved.
    Wanted,
    /// It wants the event, and this is what it answered to the wish for a place. Never [`Reserved::Full`].
    Answered(Reserved),
    /// It does not get the event, for this reason.
    PassedOver(Fate),
}

/// Why the places are not all held, and none is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stuck {
    /// The subscription at this stop is full.
    Full(usize),
    /// The registry is closed.
    Closed,
}

thread_local! {
    /// Kept for this thread's next publish, which then need not allocate.
    static SPARE: Cell<Vec<Stop>> = const { Cell::new(Vec::new()) };
}

/// An event that is being published.
pub(super) struct Publication<'r, T> {
    registry: &'r Registry<T>,
    route: Route<T>,
    /// One for each subscription of the route.
    stops: Vec<Stop>,
    /// Whether a subscription has ended on the way: then the registry may be closed.
    is_thinned: bool,
    event: Option<Event<T>>,
}

impl<'r, T> Publication<'r, T> {
    /// Asks the filters.
    pub(super) fn new(registry: &'r Registry<T>, route: Route<T>, event: Event<T>) -> Self {
        // A thread that is ending may have dropped its spare already.
        let mut stops = SPARE.try_with(Cell::take).unwrap_or_default();
        stops.extend(route.iter().map(|entry| match entry.wants(&event) {
            Ok(()) => Stop::Wanted,
            Err(fate) => Stop::PassedOver(fate),
        }));
        Self { registry, route, stops, is_thinned: false, event: Some(event) }
    }

    /// Takes the places that are not taken yet. `Err`: no place is held.
    pub(super) fn reserve(&mut self) -> Result<(), Stuck> {
        for number in 0..self.stops.len() {
            if let Stop::Wanted = self.stops[number] {
                match self.reservation(number).reserve() {
                    Reserved::Full => {
                        self.give_back();
                        return Err(Stuck::Full(number));
                    }
                    answer => self.hold(number, answer),
                }
            }
        }
        if self.is_thinned && self.registry.is_closed() {
            self.give_back();
            return Err(Stuck::Closed);
        }
        Ok(())
    }

    /// Returns the stop that a place may become free at. None: waiting is no use.
    pub(super) fn worth_waiting_for(&self, stuck: Stuck) -> Option<usize> {
        match stuck {
            Stuck::Full(stop) if self.reservation(stop).can_be_had() => Some(stop),
            Stuck::Full(_) | Stuck::Closed => None,
        }
    }

    /// Returns the subscription at a stop.
    pub(super) fn entry(&self, stop: usize) -> &Entry<T> {
        &self.route[stop]
    }

    /// Returns what to wait for when a stop is full: places for it and for all after it that share its gate.
    pub(super) fn reservation(&self, stop: usize) -> Reservation<'_, T> {
        let sharing = self.sharing(stop);
        Reservation { entries: &self.route[sharing.clone()], stops: &self.stops[sharing] }
    }

    /// Goes on after a wait, with what it brought.
    pub(super) fn resume(&mut self, stop: usize, answer: Awaited) {
        if let Awaited::Answered(answer) = answer {
            self.hold(stop, answer);
        }
        for (entry, stop) in self.route.iter().zip(&mut self.stops) {
            if matches!(stop, Stop::Wanted) && entry.has_ended() {
                *stop = Stop::Answered(Reserved::Gone);
                self.is_thinned = true;
            }
        }
    }

    /// Keeps the answer to a reservation.
    fn hold(&mut self, stop: usize, mut answer: Reserved) {
        self.is_thinned |= answer == Reserved::Gone;
        for number in self.sharing(stop) {
            if let Stop::Wanted = self.stops[number] {
                self.stops[number] = Stop::Answered(answer);
                if let Reserved::Place(place) = &mut answer {
                    *place += 1;
                }
            }
        }
    }

    /// Returns a stop, and those after it that share its gate.
    fn sharing(&self, stop: usize) -> Range<usize> {
        let gate = self.route[stop].gate_address();
        let shares = |other: &&Arc<Entry<T>>| gate != 0 && other.gate_address() == gate;
        stop..stop + 1 + self.route[stop + 1..].iter().take_while(shares).count()
    }

    /// Gives the event up, and returns its value.
    pub(super) fn into_value(mut self) -> T {
        self.take_event().into_value()
    }

    fn take_event(&mut self) -> Event<T> {
        self.event.take().expect("the event is here until it is put into the last place")
    }

    /// Gives all places back.
    fn give_back(&mut self) {
        for (entry, stop) in self.route.iter().zip(&mut self.stops) {
            if let Stop::Answered(answer) = *stop {
                *stop = Stop::Wanted;
                if let Reserved::Place(place) = answer {
                    entry.inlet().give_back(place);
                }
            }
        }
    }
}

impl<T: Clone> Publication<'_, T> {
    /// Puts the event into all the places that are held.
    ///
    /// If a clone panics, those that have the event keep it, the others do not get it.
    pub(super) fn commit(mut self) -> Published {
        let last = self.stops.iter().rposition(|stop| matches!(stop, Stop::Answered(Reserved::Place(_))));
        let mut report = Published::default();
        for number in 0..self.stops.len() {
            let fate = match self.stops[number] {
                Stop::PassedOver(fate) => Some(fate),
                Stop::Answered(Reserved::Place(place)) => {
                    let event = if last == Some(number) { self.take_event() } else { self.clone_event() };
                    // From here on the place is the inlet's.
                    self.stops[number] = Stop::Wanted;
                    self.put(number, place, event)
                }
                Stop::Answered(Reserved::Drop) => Some(Fate::Dropped),
                Stop::Answered(Reserved::Gone) => self.forget(number),
                Stop::Answered(Reserved::Full) | Stop::Wanted => {
                    unreachable!("nothing is committed before all have answered, and none is full")
                }
            };
            if let Some(fate) = fate {
                self.route[number].count(fate);
                report.count(fate);
            }
        }
        report
    }

    fn clone_event(&self) -> Event<T> {
        self.event.clone().expect("the event is here until it is put into the last place")
    }

    fn put(&self, stop: usize, place: u64, event: Event<T>) -> Option<Fate> {
        match self.route[stop].inlet().put(place, event) {
            Put::Reached => Some(Fate::Reached),
            Put::Panicked => Some(Fate::Panicked),
            Put::Gone => self.forget(stop),
        }
    }

    /// Ends a subscription whose inlet takes nothing any more: a queue that is shut down.
    fn forget(&self, stop: usize) -> Option<Fate> {
        self.registry.unsubscribe(&self.route[stop]);
        None
    }
}

impl<T> Drop for Publication<'_, T> {
    fn drop(&mut self) {
        self.give_back();
        self.stops.clear();
        let stops = std::mem::take(&mut self.stops);
        // Fails while the thread is ending: then there is no next publish.
        let _ = SPARE.try_with(|spare| spare.set(stops));
    }
}

/// Waits for a place in a subscription, or for places in all those that share its gate.
pub(super) struct Reservation<'p, T> {
    /// Those that share a gate, one at least, and their stops.
    entries: &'p [Arc<Entry<T>>],
    stops: &'p [Stop],
}

/// What a wait for places brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// This answer. Never [`Reserved::Full`].
    Answered(Reserved),
    /// No place: a subscription that is waited for has ended, so that fewer are needed, or none.
    Ended,
}

impl<T> Reservation<'_, T> {
    /// Returns the subscriptions that need a place.
    fn wanted(&self) -> impl Iterator<Item = &Entry<T>> {
        let wanted = |(_, stop): &(_, &Stop)| matches!(stop, Stop::Wanted);
        self.entries.iter().zip(self.stops).filter(wanted).map(|(entry, _)| &**entry)
    }

    fn count(&self) -> usize {
        self.wanted().count()
    }

    /// Takes all the places, or none. Never waits.
    fn reserve(&self) -> Reserved {
        self.entries[0].inlet().reserve(self.count())
    }

    /// Whether there would be room if nobody else had any.
    fn can_be_had(&self) -> bool {
        self.count() <= self.gate().capacity()
    }

    fn gate(&self) -> &Gate {
        self.entries[0].inlet().gate().expect("only an inlet with a gate is ever full")
    }
}

impl<T> Source for Reservation<'_, T> {
    type Output = Awaited;

    fn attempt(&mut self) -> Attempt<Awaited> {
        if self.wanted().any(Entry::has_ended) {
            return Attempt::Done(Awaited::Ended);
        }
        match self.reserve() {
            Reserved::Full => Attempt::Blocked,
            answer => Attempt::Done(Awaited::Answered(answer)),
        }
    }

    fn waiters(&self) -> &WaitSet {
        self.gate().waiters()
    }

    fn arm(&self) {
        self.gate().arm_for(self.count());
    }

    fn disarm(&self) {
        self.gate().disarm();
    }
}
