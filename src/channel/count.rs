//! How many handles of one side are alive.

use crate::sync::atomic::{AtomicUsize, Ordering};

/// A count of handles that starts at one.
#[derive(Debug)]
pub(super) struct HandleCount(AtomicUsize);

impl HandleCount {
    /// A count above this can only come from handles that are cloned and forgotten in a loop.
    const MAX: usize = isize::MAX as usize;

    /// Counts the first handle.
    pub(super) fn new() -> Self {
        Self(AtomicUsize::new(1))
    }

    /// Counts one more handle.
    pub(super) fn add(&self) {
        // ORDERING: Relaxed; the new handle comes from one that is alive, so the count cannot reach zero meanwhile.
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        if before > Self::MAX {
            // As `Arc` does: a count that wraps around would free what is in use.
            std::process::abort();
        }
    }

    /// Counts one more handle if there is one: once there was none, there never is again. Returns whether it did.
    pub(super) fn add_to_others(&self) -> bool {
        // ORDERING: Relaxed; the compare-exchange decides.
        let mut count = self.0.load(Ordering::Relaxed);
        while count != 0 && count <= Self::MAX {
            // ORDERING: Relaxed; as in `add`, for the count was not zero at that moment.
            match self.0.compare_exchange_weak(count, count + 1, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => count = now,
            }
        }
        false
    }

    /// Counts one handle less. Returns whether it was the last.
    pub(super) fn remove(&self) -> bool {
        // ORDERING: Release: what was done through this handle comes before ... Acquire: ... what the last one does.
        self.0.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// Returns the count. Stale at once.
    pub(super) fn get(&self) -> usize {
        // ORDERING: Relaxed; an observer.
        self.0.load(Ordering::Relaxed)
    }
}
