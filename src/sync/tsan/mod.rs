//! For ThreadSanitizer: real threads, but nothing that synchronises inside the precompiled standard library. The sanitizer
//! sees nothing of its slow paths, and reports as a race what they order.
//!
//! Locks are an atomic and a yield, counts of references are our own. `park` is the standard library's: what it passes on is
//! passed on by an atomic of the caller's as well. The sanitizer does not know fences either: the library's pairs of them decide
//! who wakes whom, and hand over no memory.

mod arc;

pub use self::arc::Arc;
pub use crate::sync::cell::UnsafeCell;
pub use std::sync::atomic;

use atomic::{AtomicBool, Ordering};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Instant;

/// Whether a deadline has passed.
pub fn has_passed(deadline: Instant) -> bool {
    Instant::now() >= deadline
}

pub mod hint {
    pub use std::hint::spin_loop;
}

pub mod thread {
    use std::mem::ManuallyDrop;
    pub use std::thread::{park, sleep, yield_now};
    use std::time::Instant;

    /// A thread that can be unparked. Its count of references never goes down: the standard library frees it behind a fence.
    #[derive(Clone, Debug)]
    pub struct Thread(ManuallyDrop<std::thread::Thread>);

    impl Thread {
        pub fn unpark(&self) {
            self.0.unpark();
        }
    }

    /// The calling thread.
    pub fn current() -> Thread {
        Thread(ManuallyDrop::new(std::thread::current()))
    }

    /// Parks the thread until it is unparked, the deadline passes, or for no reason.
    pub fn park_until(deadline: Instant) {
        std::thread::park_timeout(deadline.saturating_duration_since(Instant::now()));
    }
}

/// A lock with the shape of `parking_lot`'s.
pub struct Mutex<T> {
    held: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: the lock lets one thread at a time at the value.
unsafe impl<T: Send> Send for Mutex<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Mutex<T> {}

impl<T> Mutex<T> {
    pub const fn new(value: T) -> Self {
        Self { held: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }

    pub fn lock(&self) -> MutexGuard<'_, T> {
        // ORDERING: Acquire pairs with the Release of the guard's drop.
        while self.held.swap(true, Ordering::Acquire) {
            thread::yield_now();
        }
        MutexGuard(self)
    }
}

impl<T> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutex").finish_non_exhaustive()
    }
}

/// The lock held.
#[derive(Debug)]
pub struct MutexGuard<'a, T>(&'a Mutex<T>);

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.value.with(|value| {
            // SAFETY: the lock is held for as long as the guard lives.
            unsafe { &*value }
        })
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.value.with_mut(|value| {
            // SAFETY: as above, and the guard is borrowed for as long as the value.
            unsafe { &mut *value }
        })
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        // ORDERING: Release pairs with the Acquire in `lock`.
        self.0.held.store(false, Ordering::Release);
    }
}

/// A value that is made once. No lock guards the making: whoever is second has made one in vain.
#[derive(Debug)]
pub struct OnceLock<T>(atomic::AtomicPtr<T>);

impl<T> OnceLock<T> {
    pub const fn new() -> Self {
        Self(atomic::AtomicPtr::new(std::ptr::null_mut()))
    }

    /// Returns the value, which is never freed: for statics.
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        // ORDERING: Acquire pairs with the Release below.
        let mut there = self.0.load(Ordering::Acquire);
        if there.is_null() {
            let made = Box::into_raw(Box::new(make()));
            // ORDERING: Release hands the value over, Acquire takes that of whoever was first.
            let first =
                self.0.compare_exchange(std::ptr::null_mut(), made, Ordering::AcqRel, Ordering::Acquire);
            there = first.map_or_else(|first| first, |_| made);
        }
        // SAFETY: it points to a box that is never freed.
        unsafe { &*there }
    }
}
