//! A bounded ring between any number of pushers and one popper.
//!
//! The pushing half is that of the ring for many (`many`): one CAS on `tail`, and a stamp. The popper is alone, so it
//! keeps its position itself, stores `head` plainly, and hears of sleeping pushers by a bell: no read-modify-write.
//!
//! *Progress.* `pop` is wait-free: a bounded number of steps, of which `Busy` is a possible answer. `push` as in `many`.

use super::bell::{Bell, WAIT};
use super::cursor::Geometry;
use super::many::Mpmc;
use super::slot::Slot;
use super::{Owed, PopError, PushError};
use crate::sync::{Arc, CachePadded, Sleeper};
use std::collections::VecDeque;

/// What all ends share: the ring, and whatever its user keeps beside it.
pub struct Mpsc<T, X> {
    /// Its `head` carries no flags here.
    ring: Mpmc<T>,
    /// Rung by pushers that sleep.
    pushers: CachePadded<Bell>,
    extra: X,
}

/// The only one who pops.
pub struct LonePopper<T, X> {
    ring: Arc<Mpsc<T, X>>,
    head: u64,
}

/// Makes an empty ring of exactly `capacity` slots, and its popper.
///
/// # Panics
/// If `capacity` is 0, or the memory for it cannot be addressed or allocated.
pub fn mpsc<T, X>(capacity: usize, extra: X) -> (Arc<Mpsc<T, X>>, LonePopper<T, X>) {
    starting_at(Geometry::new(capacity), 0, extra)
}

/// As [`mpsc`], with positions that wrap around after `laps` trips.
#[cfg(any(test, millpond_model))]
pub fn mpsc_near_wrap_around<T, X>(
    capacity: usize,
    laps: u64,
    extra: X,
) -> (Arc<Mpsc<T, X>>, LonePopper<T, X>) {
    let geometry = Geometry::new(capacity);
    starting_at(geometry, geometry.start_before_wrap(laps), extra)
}

fn starting_at<T, X>(geometry: Geometry, start: u64, extra: X) -> (Arc<Mpsc<T, X>>, LonePopper<T, X>) {
    let ring = Mpmc::starting_at(geometry, start);
    let ring = Arc::new(Mpsc { ring, pushers: CachePadded::new(Bell::new()), extra });
    (Arc::clone(&ring), LonePopper { ring, head: start })
}

impl<T, X> Mpsc<T, X> {
    /// Returns what the user keeps beside the ring.
    pub const fn extra(&self) -> &X {
        &self.extra
    }

    /// Pushes a value: see [`Mpmc::push`].
    #[inline]
    pub fn push(&self, value: T) -> Result<bool, PushError<T>> {
        self.ring.push(value)
    }

    /// Pushes many: see [`Mpmc::push_many`].
    pub fn push_many(&self, values: &mut VecDeque<T>) -> Result<(usize, bool), PushError<()>> {
        self.ring.push_many(values)
    }

    /// See [`Mpmc::has_room_ahead`].
    #[inline]
    pub fn has_room_ahead(&self, ahead: usize) -> bool {
        self.ring.has_room_ahead(ahead)
    }

    /// Promises room: see [`Mpmc::reserve`].
    pub fn reserve(&self) -> Result<(), PushError<()>> {
        self.ring.reserve()
    }

    /// Takes a promise back: see [`Mpmc::give_back`].
    pub fn give_back(&self) {
        self.ring.give_back();
    }

    /// Pushes into promised room: see [`Mpmc::push_reserved`].
    pub fn push_reserved(&self, value: T) -> Result<bool, PushError<T>> {
        self.ring.push_reserved(value)
    }

    /// Closes the ring: no push succeeds any more. Returns whether this call did it.
    pub fn close(&self) -> bool {
        self.ring.close()
    }

    /// Whether the ring is closed. Once true, it stays so.
    pub fn is_closed(&self) -> bool {
        self.ring.is_closed()
    }

    /// Returns how many values are inside, those being moved in or out included. Stale at once.
    pub fn len(&self) -> usize {
        self.ring.len()
    }

    /// Returns how many values fit in.
    pub fn capacity(&self) -> usize {
        self.ring.capacity()
    }

    /// Says that the popper sleeps: see [`Mpmc::set_poppers_wait`].
    pub fn set_poppers_wait(&self) -> bool {
        self.ring.set_poppers_wait()
    }

    /// Says that the popper does not sleep: see [`Mpmc::clear_poppers_wait`].
    pub fn clear_poppers_wait(&self) {
        self.ring.clear_poppers_wait();
    }

    /// Says that a pusher sleeps: from here on each pop is told so. Call with the list of waiting pushers locked.
    ///
    /// True: there is no room before such a pop, nor was the ring closed when the list was locked. False says nothing.
    pub fn set_pushers_wait(&self, sleeper: Sleeper) -> bool {
        self.pushers.ring(sleeper);
        self.ring.sees_no_room()
    }

    /// Says that no pusher waits. Call with the list of waiting pushers locked, when it is empty.
    pub fn clear_pushers_wait(&self) {
        self.pushers.hush();
    }
}

impl<T, X> LonePopper<T, X> {
    /// Returns what all ends share.
    #[inline(always)]
    pub const fn ring(&self) -> &Arc<Mpsc<T, X>> {
        &self.ring
    }

    /// Whether there are more than `ahead` values. A hint.
    #[inline]
    pub fn has_values_ahead(&self, ahead: usize) -> bool {
        self.ring.ring.has_values_behind(self.head, ahead)
    }

    /// Pops the oldest value. With it: whether a pusher waits and is owed a wake-up.
    #[inline]
    pub fn pop(&mut self) -> Result<(T, Owed), PopError> {
        // SAFETY: there is one popper, borrowed mutably; nothing else here pops, and `head` is where it left it.
        let value = unsafe { self.ring.ring.pop_alone(self.head)? };
        self.head = self.ring.ring.next(self.head);
        Ok((value, (self.ring.pushers.look_after_move() & WAIT != 0).into()))
    }

    /// Pops up to `limit` values that are ready, to the end of `values`. Returns how many, and whether a pusher is owed a
    /// wake-up for each.
    pub fn pop_many(&mut self, values: &mut Vec<T>, limit: usize) -> Result<(usize, bool), PopError> {
        // Room first: a failed allocation would lose a value that has been taken.
        let (ready, _) = self.ring.ring.ready_run(self.head, limit, Slot::is_readable);
        values.reserve(ready.max(1));
        let limit = limit.min(values.capacity() - values.len());
        let mut count = 0;
        while count < limit {
            // SAFETY: as in `pop`.
            match unsafe { self.ring.ring.pop_alone(self.head) } {
                Ok(value) => values.push(value),
                Err(_) if count > 0 => break,
                Err(why) => return Err(why),
            }
            self.head = self.ring.ring.next(self.head);
            count += 1;
        }
        Ok((count, self.ring.pushers.look_after_move() & WAIT != 0))
    }
}
