//! Shuttle: schedules at random, by priorities, or all of them, of the upper layers as well. It takes each atomic operation
//! as sequentially consistent, so it finds errors of logic and lost wake-ups, and none of ordering: that is loom's part.
//!
//! Time does not pass. A deadline that is [near](has_passed) has always passed, the model of a timeout; another never does.

pub use super::cell::UnsafeCell;
pub use shuttle::sync::atomic;
use std::ops::{Deref, DerefMut};
use std::sync::PoisonError;
pub use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// What lies nearer than this has passed. Less than the library's own graces, which never run out here.
const NEAR: Duration = Duration::from_millis(10);

/// Whether a deadline counts as passed.
pub fn has_passed(deadline: Instant) -> bool {
    deadline.saturating_duration_since(Instant::now()) < NEAR
}

pub mod hint {
    pub use shuttle::hint::spin_loop;
}

pub mod thread {
    pub use shuttle::thread::{Builder, JoinHandle, Thread, current, park, yield_now};
    use std::time::{Duration, Instant};

    /// Parks, or gives others a turn where the deadline is near.
    pub fn park_until(deadline: Instant) {
        if super::has_passed(deadline) { yield_now() } else { park() }
    }

    /// A nap is a yield.
    pub fn sleep(_: Duration) {
        yield_now();
    }
}

/// Shuttle's lock with the shape of `parking_lot`'s, which knows no poison.
#[derive(Debug, Default)]
pub struct Mutex<T>(shuttle::sync::Mutex<T>);

/// The lock held. Empty only inside a wait.
#[derive(Debug)]
pub struct MutexGuard<'a, T>(Option<shuttle::sync::MutexGuard<'a, T>>, &'a Mutex<T>);

impl<T> Mutex<T> {
    pub const fn new(value: T) -> Self {
        Self(shuttle::sync::Mutex::new(value))
    }

    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().unwrap_or_else(PoisonError::into_inner)), self)
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("a guard is empty only inside a wait")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("a guard is empty only inside a wait")
    }
}

/// Shuttle's condition with the shape of `parking_lot`'s.
#[derive(Debug, Default)]
pub struct Condvar(shuttle::sync::Condvar);

/// How a wait with a deadline ended.
#[derive(Debug, Clone, Copy)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    pub const fn timed_out(self) -> bool {
        self.0
    }
}

impl Condvar {
    pub const fn new() -> Self {
        Self(shuttle::sync::Condvar::new())
    }

    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    pub fn notify_all(&self) {
        self.0.notify_all();
    }

    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let inner = guard.0.take().expect("a guard is empty only inside a wait");
        guard.0 = Some(self.0.wait(inner).unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits; one whose deadline is near only gives the others a turn.
    pub fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, deadline: Instant) -> WaitTimeoutResult {
        if !has_passed(deadline) {
            self.wait(guard);
            return WaitTimeoutResult(false);
        }
        drop(guard.0.take());
        thread::yield_now();
        guard.0 = guard.1.lock().0.take();
        WaitTimeoutResult(true)
    }
}
