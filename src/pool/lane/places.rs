//! Where the handlers of a worker wait.

use super::ready::{Bell, Ready};
use crate::retry::discard;
use crate::sync::Arc;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// The place that stands for the worker's own intake.
pub(super) const INTAKE: usize = usize::MAX;

/// Up to so many futures of one kind, each with memory and a waker that it leaves to the next.
pub(super) struct Places<F> {
    places: RefCell<Vec<Place<F>>>,
    free: RefCell<Vec<usize>>,
    live: Cell<usize>,
    ready: Arc<Ready>,
}

struct Place<F> {
    /// None while it is being polled.
    room: Option<Room<F>>,
    bell: Arc<Bell>,
    waker: Waker,
}

type Room<F> = Pin<Box<Option<F>>>;

impl<F: Future<Output = ()>> Places<F> {
    pub(super) fn new(ready: &Arc<Ready>) -> Self {
        Self {
            places: RefCell::new(Vec::new()),
            free: RefCell::new(Vec::new()),
            live: Cell::new(0),
            ready: Arc::clone(ready),
        }
    }

    /// Returns how many futures are in here.
    pub(super) fn live(&self) -> usize {
        self.live.get()
    }

    /// Takes a future in, and polls it for the first time.
    pub(super) fn add(&self, future: F) {
        let place = self.free.borrow_mut().pop().unwrap_or_else(|| self.build());
        if let Some(room) = &mut self.places.borrow_mut()[place].room {
            room.set(Some(future));
        }
        self.live.set(self.live.get() + 1);
        self.poll(place);
    }

    fn build(&self) -> usize {
        let mut places = self.places.borrow_mut();
        let place = places.len();
        let bell = Bell::new(place, &self.ready);
        let waker = Waker::from(Arc::clone(&bell));
        places.push(Place { room: Some(Box::pin(None)), bell, waker });
        place
    }

    /// Polls the future at a place, if there is one.
    pub(super) fn poll(&self, place: usize) {
        // Nothing is borrowed while it is polled: it may add to the places, and its waker be woken.
        let (mut room, waker) = {
            let mut places = self.places.borrow_mut();
            let Some(at) = places.get_mut(place) else { return };
            at.bell.rearm();
            let Some(room) = at.room.take() else { return };
            (room, at.waker.clone())
        };
        let polled = match room.as_mut().as_pin_mut() {
            Some(future) => future.poll(&mut Context::from_waker(&waker)),
            None => Poll::Pending,
        };
        let ended = polled.is_ready();
        if ended {
            // What the handler leaves behind is dropped: user code, whose panic ends here.
            discard(Emptied(&mut room));
        }
        self.places.borrow_mut()[place].room = Some(room);
        if ended {
            self.live.set(self.live.get() - 1);
            self.free.borrow_mut().push(place);
        }
    }

    /// Polls all futures, woken or not.
    pub(super) fn poll_all(&self) {
        let count = self.places.borrow().len();
        (0..count).for_each(|place| self.poll(place));
    }
}

/// Empties a room when it is dropped.
struct Emptied<'r, F>(&'r mut Room<F>);

impl<F> Drop for Emptied<'_, F> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}
