//! One cell of a ring: a stamp that says whose turn it is, and the value.

use super::cursor::FULL;
use crate::sync::UnsafeCell;
use crate::sync::atomic::{AtomicU64, Ordering};
use std::mem::MaybeUninit;

/// A slot. Its stamp carries the position it stands at and whether the value of that position is inside.
pub(super) struct Slot<T> {
    stamp: AtomicU64,
    value: UnsafeCell<MaybeUninit<T>>,
}

impl<T> Slot<T> {
    /// Makes an empty slot that may be written at `position`.
    pub(super) fn new(position: u64) -> Self {
        Self { stamp: AtomicU64::new(position), value: UnsafeCell::new(MaybeUninit::uninit()) }
    }

    /// Whether the value of `position` may be written.
    #[inline(always)]
    pub(super) fn is_writable(&self, position: u64) -> bool {
        // ORDERING: Acquire pairs with the Release in `release`, so that the last reader is done with the value.
        self.stamp.load(Ordering::Acquire) == position
    }

    /// Whether the value of `position` is inside.
    #[inline(always)]
    pub(super) fn is_readable(&self, position: u64) -> bool {
        // ORDERING: Acquire pairs with the Release in `publish`, so that the value is seen whole.
        self.stamp.load(Ordering::Acquire) == position | FULL
    }

    /// Writes the value of `position` and lets poppers at it.
    ///
    /// # Safety
    /// The caller has claimed `position` for writing, and nobody else may read or write the value until this returns:
    /// the slot was seen writable at it, or the caller has taken the value of the lap before out itself.
    #[inline(always)]
    pub(super) unsafe fn publish(&self, position: u64, value: T) {
        self.value.with_mut(|cell| {
            // SAFETY: the caller owns the cell by this function's contract; the pointer comes from a reference.
            unsafe { cell.write(MaybeUninit::new(value)) }
        });
        #[cfg(all(test, not(millpond_loom)))]
        crate::stall::point(crate::stall::Step::Publish);
        // ORDERING: Release pairs with the Acquire in `is_readable`: who sees the stamp sees the value.
        self.stamp.store(position | FULL, Ordering::Release);
    }

    /// Moves the value out. The slot keeps its stamp: [`Slot::release`] or [`Slot::publish`] comes next.
    ///
    /// # Safety
    /// The caller has claimed the slot's present position for reading, saw it readable, and takes its value once.
    #[inline(always)]
    pub(super) unsafe fn take(&self) -> T {
        self.value.with_mut(|cell| {
            // SAFETY: the caller owns the cell by this function's contract.
            let value = unsafe { cell.read() };
            // SAFETY: the slot was readable, so `publish` has written it, and it is taken once.
            unsafe { value.assume_init() }
        })
    }

    /// Gives the slot back, to be written at `position`.
    #[inline(always)]
    pub(super) fn release(&self, position: u64) {
        #[cfg(all(test, not(millpond_loom)))]
        crate::stall::point(crate::stall::Step::Release);
        // ORDERING: Release pairs with the Acquire in `is_writable`: who writes next does so after our read.
        self.stamp.store(position, Ordering::Release);
    }
}
