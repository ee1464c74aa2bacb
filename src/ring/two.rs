//! A bounded ring between one pusher and one popper: no read-modify-write, no stamp, wait-free.
//!
//! S1. The slots and cursors are a lane: those from `head` up to `tail` are full and the popper's, all others are the pusher's (L1).
//! S2. Each end keeps its own position and the last it saw of the other's. It looks again only when that tells it to stop.
//! S3. `end`, once there, is where the ring ends: the popper reads no position from there on, and a push that finds the ring
//!     closed takes its values back unless they lie before it.
//!
//! *Closing.* Either end may close, also while the other one moves: CLOSED is raised, then `tail` is read as the end. A
//! pusher that does not hear of CLOSED after its store has stored before that reading, so its value counts (the argument of
//! `bell`); one that hears of it looks at where the end was set.
//!
//! *Progress.* `push` and `pop` are wait-free: a bounded number of steps, whatever the other end does. (Closing takes a
//! lock, and so does what finds the ring closed.)
//!
//! *Ordering.* The cursors' as in `lane`. Before it is said that the ring is full or empty a SeqCst fence is passed, as in the
//! ring for many: threads that push to one ring and then look at another cannot both miss each other.
//!
//! Lamport's queue (1977) with each side's cached view of the other as in FastForward's successors (Rigtorp, 2009 on).

use super::bell::{Bell, CLOSED, WAIT};
use super::cursor::Geometry;
use super::lane::{Lane, Rest};
use super::{Owed, PopError, PushError};
use crate::sync::atomic::{Ordering, fence};
use crate::sync::{Arc, CachePadded, Mutex, Sleeper};
use std::collections::VecDeque;

/// What both ends share: the slots, and whatever its user keeps beside them.
pub struct Spsc<T, X> {
    lane: Lane<T>,
    /// Rung by poppers that sleep. Tells of closing, too.
    poppers: CachePadded<Bell>,
    /// Rung by pushers that sleep.
    pushers: CachePadded<Bell>,
    end: Mutex<Option<u64>>,
    extra: X,
}

/// The only one who pushes.
pub struct Pusher<T, X> {
    ring: Arc<Spsc<T, X>>,
    tail: u64,
    /// The position that is not free yet, as far as was seen: one lap after `head`.
    limit: u64,
}

/// The only one who pops.
pub struct Popper<T, X> {
    ring: Arc<Spsc<T, X>>,
    head: u64,
    /// The position that is not full yet, as far as was seen.
    limit: u64,
}

/// Makes an empty ring of exactly `capacity` slots and returns its two ends.
///
/// # Panics
/// If `capacity` is 0, or the memory for it cannot be addressed or allocated.
pub fn spsc<T, X>(capacity: usize, extra: X) -> (Pusher<T, X>, Popper<T, X>) {
    starting_at(Geometry::new(capacity), 0, extra)
}

/// As [`spsc`], with positions that wrap around after `laps` trips.
#[cfg(any(test, millpond_model))]
pub fn spsc_near_wrap_around<T, X>(capacity: usize, laps: u64, extra: X) -> (Pusher<T, X>, Popper<T, X>) {
    let geometry = Geometry::new(capacity);
    starting_at(geometry, geometry.start_before_wrap(laps), extra)
}

fn starting_at<T, X>(geometry: Geometry, start: u64, extra: X) -> (Pusher<T, X>, Popper<T, X>) {
    let ring = Arc::new(Spsc {
        lane: Lane::new(geometry, start),
        poppers: CachePadded::new(Bell::new()),
        pushers: CachePadded::new(Bell::new()),
        end: Mutex::new(None),
        extra,
    });
    let pusher = Pusher { ring: Arc::clone(&ring), tail: start, limit: geometry.next_lap(start) };
    (pusher, Popper { ring, head: start, limit: start })
}

impl<T, X> Spsc<T, X> {
    /// Returns what the user keeps beside the slots.
    pub const fn extra(&self) -> &X {
        &self.extra
    }

    /// Returns how many values fit in.
    pub const fn capacity(&self) -> usize {
        self.lane.geometry().capacity()
    }

    /// Returns how many values are inside. Stale at once.
    pub fn len(&self) -> usize {
        // The look at `head` comes behind it: what `head` has passed since does not count.
        let tail = self.lane.tail();
        let head = self.lane.head();
        let tail = if self.is_closed() { self.end.lock().unwrap_or(tail) } else { tail };
        self.lane.geometry().len(head, tail)
    }

    /// Whether the ring is closed. Once true, it stays so.
    pub fn is_closed(&self) -> bool {
        self.poppers.is_closed()
    }

    /// Closes the ring: no push succeeds any more. Returns whether this call did it.
    ///
    /// For whoever borrows an end, so that this end neither pushes nor pops meanwhile: the other one may.
    fn close(&self) -> bool {
        let mut end = self.end.lock();
        if end.is_some() {
            return false;
        }
        self.poppers.close();
        *end = Some(self.lane.tail());
        true
    }

    /// Says that a popper sleeps: from here on each push is told so. Call with the list of waiting poppers locked, by who borrows
    /// the popper.
    ///
    /// True: there is nothing to pop before such a push, nor was the ring closed when the list was locked. False says nothing.
    pub fn set_poppers_wait(&self, sleeper: Sleeper) -> bool {
        self.poppers.ring(sleeper);
        // ORDERING: SeqCst; the sleeper's half, as in `sees_values`: a move that is not seen from here on hears the bell.
        fence(Ordering::SeqCst);
        !self.is_closed() && self.lane.tail() == self.lane.head()
    }

    /// Says that no popper waits. Call with the list of waiting poppers locked, when it is empty.
    pub fn clear_poppers_wait(&self) {
        self.poppers.hush();
    }

    /// Says that a pusher sleeps: from here on each pop is told so. Call with the list of waiting pushers locked, by who borrows
    /// the pusher.
    ///
    /// True: there is no room before such a pop, nor was the ring closed when the list was locked. False says nothing.
    pub fn set_pushers_wait(&self, sleeper: Sleeper) -> bool {
        self.pushers.ring(sleeper);
        // ORDERING: SeqCst; the sleeper's half, as in `sees_room`: a move that is not seen from here on hears the bell.
        fence(Ordering::SeqCst);
        !self.is_closed() && self.lane.tail() == self.lane.geometry().next_lap(self.lane.head())
    }

    /// Says that no pusher waits. Call with the list of waiting pushers locked, when it is empty.
    pub fn clear_pushers_wait(&self) {
        self.pushers.hush();
    }
}

impl<T, X> Pusher<T, X> {
    /// Returns what both ends share.
    #[inline(always)]
    pub const fn ring(&self) -> &Arc<Spsc<T, X>> {
        &self.ring
    }

    /// Closes the ring. Returns whether this call did it.
    pub fn close(&self) -> bool {
        self.ring.close()
    }

    /// Whether there is room for more than `ahead` values. A hint.
    #[inline]
    pub fn has_room_ahead(&self, ahead: usize) -> bool {
        let lane = &self.ring.lane;
        lane.geometry().len(lane.head(), self.tail) + ahead < lane.geometry().capacity()
    }

    /// Looks for room for one value. Room that was seen stays until it is pushed into: nobody else pushes.
    pub fn look_for_room(&mut self) -> Result<(), PushError<()>> {
        let has_room = self.tail != self.limit || self.sees_room();
        // Behind the look: a popper that goes makes room as well, after it has closed the ring.
        match self.ring.is_closed() {
            true => Err(PushError::Closed(())),
            false if has_room => Ok(()),
            false => Err(PushError::Full(())),
        }
    }

    /// Pushes a value behind all others. `Ok(true)`: a popper waits and is owed a wake-up.
    #[inline]
    pub fn push(&mut self, value: T) -> Result<bool, PushError<T>> {
        let at = self.tail;
        if at == self.limit && !self.sees_room() {
            return Err(if self.ring.is_closed() {
                PushError::Closed(value)
            } else {
                PushError::Full(value)
            });
        }
        // SAFETY: the slot is free, and we are the pusher (S1, S2).
        unsafe { self.ring.lane.put(at, value) };
        self.move_tail(self.ring.lane.geometry().next(at));
        match self.ring.poppers.look_after_move() {
            0 => Ok(false),
            flags if flags & CLOSED == 0 || self.counts(at) => Ok(flags & WAIT != 0),
            _ => {
                // SAFETY: put in above, and no popper reads from the end on (S3).
                let value = unsafe { self.ring.lane.take(at) };
                self.move_tail(at);
                Err(PushError::Closed(value))
            }
        }
    }

    /// Pushes values from the front of `values` while there is room, all of them with one move of the cursor. Returns how
    /// many, and whether a popper is owed a wake-up for each. `Full` comes only if not even one found room.
    pub fn push_many(&mut self, values: &mut VecDeque<T>) -> Result<(usize, bool), PushError<()>> {
        let (first, geometry) = (self.tail, self.ring.lane.geometry());
        if geometry.len(first, self.limit) < values.len() {
            self.sees_room();
        }
        let count = geometry.len(first, self.limit).min(values.len());
        if count == 0 {
            return Err(if self.ring.is_closed() { PushError::Closed(()) } else { PushError::Full(()) });
        }
        let mut at = first;
        for value in values.drain(..count) {
            // SAFETY: the slots up to the limit are free, and we are the pusher (S1, S2).
            unsafe { self.ring.lane.put(at, value) };
            at = geometry.next(at);
        }
        self.move_tail(at);
        match self.ring.poppers.look_after_move() {
            0 => Ok((count, false)),
            flags if flags & CLOSED == 0 || self.counts(first) => Ok((count, flags & WAIT != 0)),
            _ => {
                self.take_back(first, count, values);
                Err(PushError::Closed(()))
            }
        }
    }

    #[cold]
    fn take_back(&mut self, first: u64, count: usize, values: &mut VecDeque<T>) {
        let mut at = first;
        let mut taken = Vec::with_capacity(count);
        for _ in 0..count {
            // SAFETY: put in by `push_many`, and no popper reads from the end on (S3).
            taken.push(unsafe { self.ring.lane.take(at) });
            at = self.ring.lane.geometry().next(at);
        }
        self.move_tail(first);
        taken.into_iter().rev().for_each(|value| values.push_front(value));
    }

    #[inline(always)]
    fn move_tail(&mut self, to: u64) {
        self.tail = to;
        self.ring.lane.set_tail(to);
    }

    /// Looks how far the popper has come. Returns whether there is room for one at least.
    #[cold]
    fn sees_room(&mut self) -> bool {
        let seen = self.limit;
        self.limit = self.ring.lane.geometry().next_lap(self.ring.lane.head());
        if self.limit == seen {
            // ORDERING: SeqCst; threads that push to one ring and look at another cannot both miss each other.
            fence(Ordering::SeqCst);
            self.limit = self.ring.lane.geometry().next_lap(self.ring.lane.head());
        }
        self.limit != self.tail
    }

    /// Whether what was pushed from `first` on lies before the end of the closed ring (S3): all of it or nothing, for `tail` was
    /// moved once.
    #[cold]
    fn counts(&self, first: u64) -> bool {
        *self.ring.end.lock() != Some(first)
    }
}

impl<T, X> Popper<T, X> {
    /// Returns what both ends share.
    #[inline(always)]
    pub const fn ring(&self) -> &Arc<Spsc<T, X>> {
        &self.ring
    }

    /// Closes the ring. Returns whether this call did it.
    pub fn close(&self) -> bool {
        self.ring.close()
    }

    /// Whether there are more than `ahead` values. A hint.
    #[inline]
    pub fn has_values_ahead(&self, ahead: usize) -> bool {
        let lane = &self.ring.lane;
        lane.geometry().len(self.head, lane.tail()) > ahead
    }

    /// Pops the oldest value. With it: whether a pusher waits and is owed a wake-up.
    #[inline]
    pub fn pop(&mut self) -> Result<(T, Owed), PopError> {
        let at = self.head;
        if at == self.limit {
            self.sees_values()?;
        }
        // SAFETY: the slot is full and ours (S1, S2, S3), and its value is taken here only.
        let value = unsafe { self.ring.lane.take(at) };
        self.move_head(self.ring.lane.geometry().next(at));
        Ok((value, (self.ring.pushers.look_after_move() & WAIT != 0).into()))
    }

    /// Pops up to `limit` values with one move of the cursor, to the end of `values`. Returns how many, and whether a pusher
    /// is owed a wake-up for each.
    pub fn pop_many(&mut self, values: &mut Vec<T>, limit: usize) -> Result<(usize, bool), PopError> {
        let geometry = self.ring.lane.geometry();
        if geometry.len(self.head, self.limit) < limit {
            let seen = self.sees_values();
            if self.head == self.limit {
                seen?;
            }
        }
        let count = geometry.len(self.head, self.limit).min(limit);
        values.reserve(count);
        let mut at = self.head;
        for _ in 0..count {
            // SAFETY: the slots up to the limit are full and ours (S1, S2, S3), and each is taken once: nothing below panics.
            values.push(unsafe { self.ring.lane.take(at) });
            at = geometry.next(at);
        }
        self.move_head(at);
        Ok((count, self.ring.pushers.look_after_move() & WAIT != 0))
    }

    #[inline(always)]
    fn move_head(&mut self, to: u64) {
        self.head = to;
        self.ring.lane.set_head(to);
    }

    /// Looks how far the pusher has come. `Ok`: there is a value at least.
    #[cold]
    fn sees_values(&mut self) -> Result<(), PopError> {
        let mut tail = self.ring.lane.tail();
        if tail == self.head {
            // ORDERING: SeqCst; threads that push to one ring and look at another cannot both miss each other.
            fence(Ordering::SeqCst);
            tail = self.ring.lane.tail();
        }
        let is_closed = self.ring.is_closed();
        if is_closed {
            // `tail` may be beyond the end for a moment (S3).
            tail = self.ring.end.lock().unwrap_or(tail);
        }
        self.limit = tail;
        match tail == self.head {
            false => Ok(()),
            true if is_closed => Err(PopError::Closed),
            true => Err(PopError::Empty),
        }
    }
}

impl<T, X> Drop for Spsc<T, X> {
    fn drop(&mut self) {
        let tail = self.end.lock().unwrap_or_else(|| self.lane.tail());
        // SAFETY: full (S1, S3), and nobody else is left.
        unsafe { Rest::drop_between(&self.lane, self.lane.head(), tail) };
    }
}
