//! Shared ownership whose last drop is ordered by a read-modify-write: the standard library's has a fence there.

use std::fmt;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Inner<T> {
    count: AtomicUsize,
    value: T,
}

/// A counted reference. No weak ones, nothing unsized: the lower layers use neither.
pub struct Arc<T>(NonNull<Inner<T>>);

// SAFETY: shared among threads, and dropped by any of them.
unsafe impl<T: Send + Sync> Send for Arc<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Arc<T> {}

impl<T> Arc<T> {
    pub fn new(value: T) -> Self {
        let inner = Box::new(Inner { count: AtomicUsize::new(1), value });
        Self(NonNull::from(Box::leak(inner)))
    }

    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        this.0 == other.0
    }

    pub fn strong_count(this: &Self) -> usize {
        // ORDERING: Relaxed; stale at once.
        this.inner().count.load(Ordering::Relaxed)
    }

    fn inner(&self) -> &Inner<T> {
        // SAFETY: it lives as long as there is a reference.
        unsafe { self.0.as_ref() }
    }
}

impl<T> Clone for Arc<T> {
    fn clone(&self) -> Self {
        // ORDERING: Relaxed; whoever clones has a reference already.
        self.inner().count.fetch_add(1, Ordering::Relaxed);
        Self(self.0)
    }
}

impl<T> Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner().value
    }
}

impl<T> Drop for Arc<T> {
    fn drop(&mut self) {
        // ORDERING: AcqRel; the last one comes after all that the others did with the value.
        if self.inner().count.fetch_sub(1, Ordering::AcqRel) == 1 {
            // SAFETY: `new` made it in a box, and nobody else has a reference.
            drop(unsafe { Box::from_raw(self.0.as_ptr()) });
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Arc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner().value.fmt(f)
    }
}
