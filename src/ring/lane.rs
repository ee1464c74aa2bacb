//! The slots and cursors of a ring between one pusher and one popper: no stamp, no read-modify-write.
//!
//! ```text
//!   index:      0        1        2        3         capacity = 4, written as lap.index
//!          +--------+--------+--------+--------+
//!          |        | 0.1    | 0.2    |        |
//!          +--------+--------+--------+--------+
//!                    ^ head = 0.1      ^ tail = 0.3
//! ```
//!
//! L1. Only the pusher stores `tail`, only the popper stores `head`, each after it is done with the slots in between: slots from
//!     `head` up to `tail` are full and the popper's, all others are the pusher's.
//!
//! *Ordering.* Who stores a cursor releases what it did with the slots; who reads it acquires that.
//!
//! Lamport's queue (1977). The ends, which keep their own position and the last they saw of the other's, are in `two` (for the
//! channels, with bells and a close) and in `spsc` (bare).

use super::cursor::Geometry;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{CachePadded, UnsafeCell};
use std::mem::MaybeUninit;

/// The slots and cursors. Does not drop the values inside: see [`Rest`].
pub(super) struct Lane<T> {
    /// The next position to pop. Stored by the popper.
    head: CachePadded<AtomicU64>,
    /// The next position to push. Stored by the pusher.
    tail: CachePadded<AtomicU64>,
    slots: Box<[UnsafeCell<MaybeUninit<T>>]>,
    geometry: Geometry,
}

// SAFETY: values are moved in by one thread and out by another, never shared (L1), so `T: Send` is all that they take.
unsafe impl<T: Send> Send for Lane<T> {}
// SAFETY: as above; `&Lane` gives `&T` to the popper alone, through unsafe functions.
unsafe impl<T: Send> Sync for Lane<T> {}

impl<T> Lane<T> {
    /// Makes empty slots, with both cursors at `start`.
    ///
    /// # Panics
    /// If the memory cannot be addressed or allocated.
    pub(super) fn new(geometry: Geometry, start: u64) -> Self {
        let capacity = geometry.capacity();
        let mut slots = Vec::new();
        if let Err(error) = slots.try_reserve_exact(capacity) {
            panic!("a ring of {capacity} slots does not fit into memory: {error}");
        }
        slots.extend((0..capacity).map(|_| UnsafeCell::new(MaybeUninit::uninit())));
        Self {
            head: CachePadded::new(AtomicU64::new(start)),
            tail: CachePadded::new(AtomicU64::new(start)),
            slots: slots.into_boxed_slice(),
            geometry,
        }
    }

    #[inline(always)]
    pub(super) const fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// Returns the next position to pop. For the pusher: the popper is done with all slots before it.
    #[inline(always)]
    pub(super) fn head(&self) -> u64 {
        // ORDERING: Acquire pairs with the Release in `set_head`.
        self.head.load(Ordering::Acquire)
    }

    /// Returns the next position to push. For the popper: the values before it are whole.
    #[inline(always)]
    pub(super) fn tail(&self) -> u64 {
        // ORDERING: Acquire pairs with the Release in `set_tail`.
        self.tail.load(Ordering::Acquire)
    }

    /// Gives the slots before `to` back. For the popper alone.
    #[inline(always)]
    pub(super) fn set_head(&self, to: u64) {
        #[cfg(all(test, not(millpond_loom)))]
        crate::stall::point(crate::stall::Step::MoveHead);
        // ORDERING: Release pairs with the Acquire in `head`: who sees the move finds the slots left alone.
        self.head.store(to, Ordering::Release);
    }

    /// Lets the popper at the values before `to`. For the pusher alone.
    #[inline(always)]
    pub(super) fn set_tail(&self, to: u64) {
        #[cfg(all(test, not(millpond_loom)))]
        crate::stall::point(crate::stall::Step::MoveTail);
        // ORDERING: Release pairs with the Acquire in `tail`: who sees the move sees the values.
        self.tail.store(to, Ordering::Release);
    }

    #[inline(always)]
    fn slot(&self, position: u64) -> &UnsafeCell<MaybeUninit<T>> {
        let index = self.geometry.index(position);
        debug_assert!(index < self.slots.len());
        // SAFETY: every position comes from `Geometry`, whose index is below the number of slots.
        unsafe { self.slots.get_unchecked(index) }
    }

    /// Returns where the `count` slots from `first` on lie: up to the end of the memory, and from its start.
    ///
    /// Loom's cells are more than their content, so there is nothing like it in the models: they go slot by slot.
    #[cfg(not(millpond_loom))]
    #[inline]
    pub(super) fn pieces(&self, first: u64, count: usize) -> [(*mut MaybeUninit<T>, usize); 2] {
        let (index, capacity) = (self.geometry.index(first), self.geometry.capacity());
        debug_assert!(count <= capacity);
        // A cell is laid out as its content, and may be written to behind a shared reference.
        let start = self.slots.as_ptr().cast::<MaybeUninit<T>>().cast_mut();
        let front = count.min(capacity - index);
        [(start.wrapping_add(index), front), (start, count - front)]
    }

    /// Reads the value of `position` where it lies.
    ///
    /// # Safety
    /// The slot holds a value, and stays the caller's (L1), with the value inside, for as long as the reference lives.
    #[inline(always)]
    pub(super) unsafe fn value(&self, position: u64) -> &T {
        self.slot(position).with(|cell| {
            // SAFETY: the slot is the caller's by this function's contract; the pointer comes from a reference.
            let value = unsafe { &*cell };
            // SAFETY: it holds a value by this function's contract.
            unsafe { value.assume_init_ref() }
        })
    }

    /// Writes the value of `position`.
    ///
    /// # Safety
    /// The slot is the pusher's (L1), it is empty, and the caller is the pusher.
    #[inline(always)]
    pub(super) unsafe fn put(&self, position: u64, value: T) {
        self.slot(position).with_mut(|cell| {
            // SAFETY: the slot is the caller's by this function's contract; the pointer comes from a reference.
            unsafe { cell.write(MaybeUninit::new(value)) }
        });
    }

    /// Moves the value of `position` out.
    ///
    /// # Safety
    /// The slot holds a value that is taken once, and is the caller's (L1).
    #[inline(always)]
    pub(super) unsafe fn take(&self, position: u64) -> T {
        self.slot(position).with_mut(|cell| {
            // SAFETY: the slot is the caller's by this function's contract.
            let value = unsafe { cell.read() };
            // SAFETY: it holds a value by this function's contract.
            unsafe { value.assume_init() }
        })
    }
}

/// The values that are dropped with the ring: also those behind one whose drop panics.
pub(super) struct Rest<'a, T> {
    lane: &'a Lane<T>,
    at: u64,
    tail: u64,
}

impl<'a, T> Rest<'a, T> {
    /// Drops the values from `head` up to `tail`.
    ///
    /// # Safety
    /// They are full (L1), nobody takes them again, and nobody else has access to them.
    pub(super) unsafe fn drop_between(lane: &'a Lane<T>, head: u64, tail: u64) {
        Rest { lane, at: head, tail }.drop_values();
    }

    fn drop_values(&mut self) {
        while self.at != self.tail {
            let at = self.at;
            self.at = self.lane.geometry.next(at);
            // SAFETY: by the contract of `drop_between`; each position comes up once.
            drop(unsafe { self.lane.take(at) });
        }
    }
}

impl<T> Drop for Rest<'_, T> {
    fn drop(&mut self) {
        self.drop_values();
    }
}
