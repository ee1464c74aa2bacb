//! Until when a thread is willing to wait. Kept out of the waiting protocol, for loom knows no time.

use std::time::{Duration, Instant};

/// Until when to wait.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// Waits for as long as it takes.
    pub const fn never() -> Self {
        Self(None)
    }

    /// Waits until `instant`.
    pub const fn at(instant: Instant) -> Self {
        Self(Some(instant))
    }

    /// Waits for `duration` from now on; one that ends beyond what an `Instant` can say never ends.
    pub fn after(duration: Duration) -> Self {
        Self(Instant::now().checked_add(duration))
    }

    /// Whether it has passed. In the models one that is near has always passed.
    pub fn has_passed(&self) -> bool {
        self.0.is_some_and(crate::sync::has_passed)
    }

    /// Parks the thread until it is unparked, the deadline passes, or for no reason. Does not park past the deadline.
    pub(super) fn park(&self) {
        match self.0 {
            None => crate::sync::thread::park(),
            Some(instant) => crate::sync::thread::park_until(instant),
        }
    }
}
