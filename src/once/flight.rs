//! Where callers of the same key meet: one runs the effect, the others wait until it lands.
//!
//! All is a plain monitor: the state of a flight, those who wait in threads and the wakers of those who wait in tasks are under
//! one lock, so a landing is either seen by whoever comes, or finds them on the list.

use super::fingerprint::Fingerprint;
use crate::retry::discard;
use crate::sync::{Arc, Condvar, Mutex};
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// How a flight ended.
#[derive(Debug)]
pub(super) enum Landing<R> {
    /// With a result.
    Result(Arc<R>),
    /// Without one: whoever waits tries for himself.
    Nothing,
}

impl<R> Clone for Landing<R> {
    fn clone(&self) -> Self {
        match self {
            Landing::Result(result) => Landing::Result(Arc::clone(result)),
            Landing::Nothing => Landing::Nothing,
        }
    }
}

/// An effect that is being run, or a result that is being fetched.
pub(super) struct Flight<R> {
    pub(super) fingerprint: Fingerprint,
    state: Mutex<State<R>>,
    landed: Condvar,
}

struct State<R> {
    landing: Option<Landing<R>>,
    /// The tasks that wait, by their tickets.
    wakers: BTreeMap<u64, Waker>,
    next_ticket: u64,
}

impl<R> Flight<R> {
    fn new(fingerprint: Fingerprint) -> Self {
        let state = State { landing: None, wakers: BTreeMap::new(), next_ticket: 0 };
        Self { fingerprint, state: Mutex::new(state), landed: Condvar::new() }
    }

    fn land(&self, landing: Landing<R>) {
        let mut state = self.state.lock();
        state.landing = Some(landing);
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        self.landed.notify_all();
        for waker in wakers.into_values() {
            // A waker is user code: one that panics does not keep the others from being woken.
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
                discard(payload);
            }
        }
    }

    /// Waits for the landing. None when the time is up.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Option<Landing<R>> {
        let mut state = self.state.lock();
        loop {
            if let Some(landing) = &state.landing {
                return Some(landing.clone());
            }
            match deadline {
                Some(deadline) => {
                    if self.landed.wait_until(&mut state, deadline).timed_out() {
                        return state.landing.clone();
                    }
                }
                None => self.landed.wait(&mut state),
            }
        }
    }

    /// Waits for the landing in a task.
    pub(super) fn watch(self: &Arc<Self>) -> Watch<R> {
        Watch { flight: Arc::clone(self), ticket: None }
    }
}

/// The future of a landing. Dropped, it leaves nothing behind.
pub(super) struct Watch<R> {
    flight: Arc<Flight<R>>,
    ticket: Option<u64>,
}

impl<R> Future for Watch<R> {
    type Output = Landing<R>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Landing<R>> {
        // Cloned before the lock is taken and dropped after it is: a waker is user code.
        let waker = context.waker().clone();
        let flight = Arc::clone(&self.flight);
        let mut state = flight.state.lock();
        if let Some(landing) = &state.landing {
            return Poll::Ready(landing.clone());
        }
        let ticket = *self.ticket.get_or_insert(state.next_ticket);
        state.next_ticket = state.next_ticket.max(ticket + 1);
        let before = state.wakers.insert(ticket, waker);
        drop(state);
        drop(before);
        Poll::Pending
    }
}

impl<R> Drop for Watch<R> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            let waker = self.flight.state.lock().wakers.remove(&ticket);
            drop(waker);
        }
    }
}

/// The flights that have not landed, by their keys: as many as there are callers at most.
pub(super) struct Flights<R> {
    up: Mutex<ByKey<R>>,
}

type ByKey<R> = HashMap<Arc<[u8]>, Arc<Flight<R>>>;

/// What a caller does about a key.
pub(super) enum Boarding<'f, R> {
    /// Runs the effect.
    Lead(Lead<'f, R>),
    /// Waits for the one who does.
    Follow(Arc<Flight<R>>),
}

impl<R> Flights<R> {
    pub(super) fn new() -> Self {
        Self { up: Mutex::new(HashMap::new()) }
    }

    /// Joins the flight of a key, or starts it.
    pub(super) fn board(&self, key: &[u8], fingerprint: Fingerprint) -> Boarding<'_, R> {
        let mut up = self.up.lock();
        if let Some(flight) = up.get(key) {
            return Boarding::Follow(Arc::clone(flight));
        }
        let (key, flight): (Arc<[u8]>, _) = (key.into(), Arc::new(Flight::new(fingerprint)));
        up.insert(Arc::clone(&key), Arc::clone(&flight));
        drop(up);
        Boarding::Lead(Lead { flights: self, key, flight, landing: Landing::Nothing })
    }

    /// Returns how many flights are up.
    pub(super) fn len(&self) -> usize {
        self.up.lock().len()
    }
}

/// The right and the duty to land a flight: it lands when this is dropped, by a panic as well.
pub(super) struct Lead<'f, R> {
    flights: &'f Flights<R>,
    pub(super) key: Arc<[u8]>,
    flight: Arc<Flight<R>>,
    landing: Landing<R>,
}

impl<R> Lead<'_, R> {
    /// Lands with a result.
    pub(super) fn land(mut self, result: Arc<R>) {
        self.landing = Landing::Result(result);
    }
}

impl<R> Drop for Lead<'_, R> {
    fn drop(&mut self) {
        // Off the list first: whoever comes after the landing asks the store.
        self.flights.up.lock().remove(&self.key);
        self.flight.land(std::mem::replace(&mut self.landing, Landing::Nothing));
    }
}
