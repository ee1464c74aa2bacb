//! Waiting for threads to end, without joining one that may never do so.

use crate::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

/// Counts the threads that still run.
pub(super) struct Latch {
    running: Mutex<usize>,
    ended: Condvar,
}

/// Held by a thread as long as it runs.
pub(super) struct Running(Arc<Latch>);

impl Latch {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { running: Mutex::new(0), ended: Condvar::new() })
    }

    /// Counts a thread that is about to start.
    pub(super) fn enter(self: &Arc<Self>) -> Running {
        *self.running.lock() += 1;
        Running(Arc::clone(self))
    }

    /// Waits until no more than `left` threads run, or until the deadline.
    pub(super) fn wait(&self, left: usize, deadline: Instant) {
        let mut running = self.running.lock();
        while *running > left && !self.ended.wait_until(&mut running, deadline).timed_out() {}
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        *self.0.running.lock() -= 1;
        self.0.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn waits_for_all_but_those_left() {
        let latch = Latch::new();
        let stuck = latch.enter();
        let ends = latch.enter();
        let thread = std::thread::spawn(move || drop(ends));
        latch.wait(1, Instant::now() + Duration::from_secs(60));
        thread.join().unwrap();
        latch.wait(0, Instant::now());
        assert_eq!(*latch.running.lock(), 1, "a deadline that has passed ends the wait");
        drop(stuck);
        latch.wait(0, Instant::now());
    }
}
