//! A bounded ring between one pusher and one popper: no read-modify-write, no stamp, wait-free.
//!
//! ```text
//!   index:      0        1        2        3         capacity = 4, written as lap.index
//!          +--------+--------+--------+--------+
//!          |        | 0.1    | 0.2    |        |
//!          +--------+--------+--------+--------+
//!                    ^ head = 0.1      ^ tail = 0.3
//! ```
//!
//! S1. Only the pusher stores `tail`, only the popper stores `head`, each after it is done with the slot: slots from `head` up to
//!     `tail` are full and the popper's, all others are the pusher's.
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
//! *Ordering.* Who stores a cursor releases what it did with the slot; who reads it acquires that. Before it is said that
//! the ring is full or empty a SeqCst fence is passed, as in the ring for many: threads that push to one ring and then look at
//! another cannot both miss each other.
//!
//! Lamport's queue (1977) with each side's cached view of the other as in FastForward's successors (Rigtorp, 2009 on).

use super::bell::{Bell, CLOSED, WAIT};
use super::cursor::Geometry;
use super::{PopError, PushError};
use crate::sync::atomic::{AtomicU64, Ordering, fence};
use crate::sync::{Arc, CachePadded, Mutex, Sleeper, UnsafeCell};
use std::collections::VecDeque;
use std::mem::MaybeUninit;

/// What both ends share: the slots, and whatever its user keeps beside them.
pub struct Spsc<T, X> {
    /// The next position to pop. Stored by the popper.
    head: CachePadded<AtomicU64>,
    /// The next position to push. Stored by the pusher.
    tail: CachePadded<AtomicU64>,
    /// Rung by poppers that sleep. Tells of closing, too.
    poppers: CachePadded<Bell>,
    /// Rung by pushers that sleep.
    pushers: CachePadded<Bell>,
    slots: Box<[UnsafeCell<MaybeUninit<T>>]>,
    geometry: Geometry,
    end: Mutex<Option<u64>>,
    extra: X,
}

// SAFETY: values are moved in by one thread and out by another, never shared (S1), so `T: Send` is all that they take.
unsafe impl<T: Send, X: Send> Send for Spsc<T, X> {}
// SAFETY: as above; `&Spsc` gives `&X` and no `&T`.
unsafe impl<T: Send, X: Sync> Sync for Spsc<T, X> {}

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
#[cfg(any(test, millpond_loom))]
pub fn spsc_near_wrap_around<T, X>(capacity: usize, laps: u64, extra: X) -> (Pusher<T, X>, Popper<T, X>) {
    let geometry = Geometry::new(capacity);
    starting_at(geometry, geometry.start_before_wrap(laps), extra)
}

fn starting_at<T, X>(geometry: Geometry, start: u64, extra: X) -> (Pusher<T, X>, Popper<T, X>) {
    let capacity = geometry.capacity();
    let mut slots = Vec::new();
    if let Err(error) = slots.try_reserve_exact(capacity) {
        panic!("a ring of {capacity} slots does not fit into memory: {error}");
    }
    slots.extend((0..capacity).map(|_| UnsafeCell::new(MaybeUninit::uninit())));
    let ring = Arc::new(Spsc {
        head: CachePadded::new(AtomicU64::new(start)),
        tail: CachePadded::new(AtomicU64::new(start)),
        poppers: CachePadded::new(Bell::new()),
        pushers: CachePadded::new(Bell::new()),
        slots: slots.into_boxed_slice(),
        geometry,
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
        self.geometry.capacity()
    }

    /// Returns how many values are inside. Stale at once.
    pub fn len(&self) -> usize {
        // ORDERING: Acquire keeps the look at `head` behind it: what `head` has passed since does not count.
        let tail = self.tail.load(Ordering::Acquire);
        // ORDERING: Relaxed; an observer.
        let head = self.head.load(Ordering::Relaxed);
        let tail = if self.is_closed() { self.end.lock().unwrap_or(tail) } else { tail };
        self.geometry.len(head, tail)
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
        // ORDERING: Acquire; the values before it are the popper's.
        *end = Some(self.tail.load(Ordering::Acquire));
        true
    }

    /// Says that a popper sleeps: from here on each push is told so. Call with the list of waiting poppers locked.
    pub fn set_poppers_wait(&self, sleeper: Sleeper) {
        self.poppers.ring(sleeper);
    }

    /// Says that no popper waits. Call with the list of waiting poppers locked, when it is empty.
    pub fn clear_poppers_wait(&self) {
        self.poppers.hush();
    }

    /// Says that a pusher sleeps: from here on each pop is told so. Call with the list of waiting pushers locked.
    pub fn set_pushers_wait(&self, sleeper: Sleeper) {
        self.pushers.ring(sleeper);
    }

    /// Says that no pusher waits. Call with the list of waiting pushers locked, when it is empty.
    pub fn clear_pushers_wait(&self) {
        self.pushers.hush();
    }

    #[inline(always)]
    fn slot(&self, position: u64) -> &UnsafeCell<MaybeUninit<T>> {
        let index = self.geometry.index(position);
        debug_assert!(index < self.slots.len());
        // SAFETY: every position comes from `Geometry::next`, whose index is below the number of slots.
        unsafe { self.slots.get_unchecked(index) }
    }

    /// Writes the value of `position`.
    ///
    /// # Safety
    /// The slot is the pusher's (S1), it is empty, and the caller is the pusher.
    #[inline(always)]
    unsafe fn put(&self, position: u64, value: T) {
        self.slot(position).with_mut(|cell| {
            // SAFETY: the slot is the caller's by this function's contract; the pointer comes from a reference.
            unsafe { cell.write(MaybeUninit::new(value)) }
        });
    }

    /// Moves the value of `position` out.
    ///
    /// # Safety
    /// The slot holds a value that is taken once, and is the caller's (S1).
    #[inline(always)]
    unsafe fn take(&self, position: u64) -> T {
        self.slot(position).with_mut(|cell| {
            // SAFETY: the slot is the caller's by this function's contract.
            let value = unsafe { cell.read() };
            // SAFETY: it holds a value by this function's contract.
            unsafe { value.assume_init() }
        })
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
        unsafe { self.ring.put(at, value) };
        self.move_tail(self.ring.geometry.next(at));
        match self.ring.poppers.look_after_move() {
            0 => Ok(false),
            flags if flags & CLOSED == 0 || self.counts(at) => Ok(flags & WAIT != 0),
            _ => {
                // SAFETY: put in above, and no popper reads from the end on (S3).
                let value = unsafe { self.ring.take(at) };
                self.move_tail(at);
                Err(PushError::Closed(value))
            }
        }
    }

    /// Pushes values from the front of `values` while there is room, all of them with one move of the cursor. Returns how
    /// many, and whether a popper is owed a wake-up for each. `Full` comes only if not even one found room.
    pub fn push_many(&mut self, values: &mut VecDeque<T>) -> Result<(usize, bool), PushError<()>> {
        let (first, geometry) = (self.tail, self.ring.geometry);
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
            unsafe { self.ring.put(at, value) };
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
            taken.push(unsafe { self.ring.take(at) });
            at = self.ring.geometry.next(at);
        }
        self.move_tail(first);
        taken.into_iter().rev().for_each(|value| values.push_front(value));
    }

    #[inline(always)]
    fn move_tail(&mut self, to: u64) {
        self.tail = to;
        // ORDERING: Release pairs with the Acquire in `sees_values`: who sees the move sees the values.
        self.ring.tail.store(to, Ordering::Release);
    }

    /// Looks how far the popper has come. Returns whether there is room for one at least.
    #[cold]
    fn sees_room(&mut self) -> bool {
        let seen = self.limit;
        // ORDERING: Acquire pairs with the Release in `move_head`: the popper is done with the slots before it.
        self.limit = self.ring.geometry.next_lap(self.ring.head.load(Ordering::Acquire));
        if self.limit == seen {
            // ORDERING: SeqCst; threads that push to one ring and look at another cannot both miss each other.
            fence(Ordering::SeqCst);
            // ORDERING: Acquire; as above.
            self.limit = self.ring.geometry.next_lap(self.ring.head.load(Ordering::Acquire));
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

    /// Pops the oldest value. `Ok((_, true))`: a pusher waits and is owed a wake-up.
    #[inline]
    pub fn pop(&mut self) -> Result<(T, bool), PopError> {
        let at = self.head;
        if at == self.limit {
            self.sees_values()?;
        }
        // SAFETY: the slot is full and ours (S1, S2, S3), and its value is taken here only.
        let value = unsafe { self.ring.take(at) };
        self.move_head(self.ring.geometry.next(at));
        Ok((value, self.ring.pushers.look_after_move() & WAIT != 0))
    }

    /// Pops up to `limit` values with one move of the cursor, to the end of `values`. Returns how many, and whether a pusher
    /// is owed a wake-up for each.
    pub fn pop_many(&mut self, values: &mut Vec<T>, limit: usize) -> Result<(usize, bool), PopError> {
        let geometry = self.ring.geometry;
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
            values.push(unsafe { self.ring.take(at) });
            at = geometry.next(at);
        }
        self.move_head(at);
        Ok((count, self.ring.pushers.look_after_move() & WAIT != 0))
    }

    #[inline(always)]
    fn move_head(&mut self, to: u64) {
        self.head = to;
        // ORDERING: Release pairs with the Acquire in `sees_room`: who sees the move finds the slots left alone.
        self.ring.head.store(to, Ordering::Release);
    }

    /// Looks how far the pusher has come. `Ok`: there is a value at least.
    #[cold]
    fn sees_values(&mut self) -> Result<(), PopError> {
        // ORDERING: Acquire pairs with the Release in `move_tail`: the values before it are whole.
        let mut tail = self.ring.tail.load(Ordering::Acquire);
        if tail == self.head {
            // ORDERING: SeqCst; threads that push to one ring and look at another cannot both miss each other.
            fence(Ordering::SeqCst);
            // ORDERING: Acquire; as above.
            tail = self.ring.tail.load(Ordering::Acquire);
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
        // ORDERING: Relaxed; nobody else is left.
        let head = self.head.load(Ordering::Relaxed);
        // ORDERING: Relaxed; as above.
        let tail = self.end.lock().unwrap_or_else(|| self.tail.load(Ordering::Relaxed));
        Rest { ring: self, at: head, tail }.drop_values();
    }
}

/// The values that are dropped with the ring: also those behind one whose drop panics.
struct Rest<'a, T, X> {
    ring: &'a Spsc<T, X>,
    at: u64,
    tail: u64,
}

impl<T, X> Rest<'_, T, X> {
    fn drop_values(&mut self) {
        while self.at != self.tail {
            let at = self.at;
            self.at = self.ring.geometry.next(at);
            // SAFETY: full (S1), each position comes up once, and nobody else is left.
            drop(unsafe { self.ring.take(at) });
        }
    }
}

impl<T, X> Drop for Rest<'_, T, X> {
    fn drop(&mut self) {
        self.drop_values();
    }
}
