//! Loom: every interleaving of a small model, and part of the memory model.

pub use loom::cell::UnsafeCell;
pub use loom::sync::{Arc, MutexGuard, atomic};
pub use std::sync::OnceLock;

/// Time does not pass under loom: a deadline that exists has always passed, the model of a timeout.
pub fn has_passed(_: std::time::Instant) -> bool {
    true
}

pub mod hint {
    pub use loom::hint::spin_loop;
}

pub mod thread {
    use loom::sync::atomic::{AtomicBool, Ordering};
    pub use loom::thread::yield_now;
    use std::cell::Cell;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool as PlainBool;

    loom::thread_local! {
        static NAPS: Cell<usize> = Cell::new(0);
        static PARKER: Arc<Parker> = Arc::new(Parker {
            token: AtomicBool::new(false),
            parked: PlainBool::new(false),
        });
    }

    /// A thread that can be unparked.
    ///
    /// Loom's own `unpark` also releases a thread that waits for a mutex, which is wrong, and its token is lost at the next
    /// lock. So the token is an atomic of the model, and `unpark` is called only while the thread is inside `park`.
    #[derive(Clone, Debug)]
    pub struct Thread {
        thread: loom::thread::Thread,
        parker: Arc<Parker>,
    }

    #[derive(Debug)]
    struct Parker {
        token: AtomicBool,
        /// A plain one, for loom lets nothing run between the swap of the token, this flag and the call that follows.
        parked: PlainBool,
    }

    impl Thread {
        /// Lets the thread's `park`, or its next one, return.
        pub fn unpark(&self) {
            // ORDERING: Release pairs with the Acquire in `park`, as the standard library promises.
            self.parker.token.swap(true, Ordering::Release);
            // ORDERING: Relaxed; see `parked`.
            if self.parker.parked.load(Ordering::Relaxed) {
                self.thread.unpark();
            }
        }
    }

    /// The calling thread.
    pub fn current() -> Thread {
        Thread { thread: loom::thread::current(), parker: PARKER.with(Arc::clone) }
    }

    /// Parks, and counts it.
    pub fn park() {
        let parker = PARKER.with(Arc::clone);
        // ORDERING: Acquire pairs with the Release in `unpark`.
        while !parker.token.swap(false, Ordering::Acquire) {
            NAPS.with(|naps| naps.set(naps.get() + 1));
            // ORDERING: Relaxed; see `parked`.
            parker.parked.store(true, Ordering::Relaxed);
            loom::thread::park();
            // ORDERING: Relaxed; see `parked`.
            parker.parked.store(false, Ordering::Relaxed);
        }
    }

    /// How often the calling thread has gone to sleep: lets a model tell apart who slept and who did not.
    pub fn naps() -> usize {
        NAPS.with(Cell::get)
    }

    /// Its deadline has passed: see [`has_passed`](super::has_passed).
    pub fn park_until(_: std::time::Instant) {
        yield_now();
    }

    /// Time does not pass under loom: a nap is a yield.
    pub fn sleep(_: std::time::Duration) {
        yield_now();
    }
}

/// Loom's lock with the shape of `parking_lot`'s: a model that panicked has failed, so poisoning says nothing.
#[derive(Debug)]
pub struct Mutex<T>(loom::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
