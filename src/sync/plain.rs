//! The body that ships: the standard library and `parking_lot`.

pub use super::cell::UnsafeCell;
pub use parking_lot::{Condvar, Mutex, MutexGuard};
pub use std::sync::{Arc, OnceLock, atomic};
use std::time::Instant;

/// Whether a deadline has passed.
#[inline]
pub fn has_passed(deadline: Instant) -> bool {
    Instant::now() >= deadline
}

pub mod hint {
    pub use std::hint::spin_loop;
}

pub mod thread {
    pub use std::thread::{Builder, JoinHandle, Thread, current, park, sleep, yield_now};
    use std::time::Instant;

    /// Parks the thread until it is unparked, the deadline passes, or for no reason.
    #[inline]
    pub fn park_until(deadline: Instant) {
        std::thread::park_timeout(deadline.saturating_duration_since(Instant::now()));
    }
}
