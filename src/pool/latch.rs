//! Waiting for threads to end, without joining one that may never do so.

use crate::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

/// Knows which of the threads still run.
pub(super) struct Latch {
    /// By the number of the thread.
    running: Mutex<Vec<bool>>,
    ended: Condvar,
}

/// Held by a thread as long as it runs.
pub(super) struct Running {
    latch: Arc<Latch>,
    number: usize,
}

impl Latch {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { running: Mutex::new(Vec::new()), ended: Condvar::new() })
    }

    /// Returns how many run.
    pub(super) fn running(&self) -> usize {
        self.running.lock().iter().filter(|&&runs| runs).count()
    }

    /// Counts a thread that is about to start: they are numbered from 0 on.
    pub(super) fn enter(self: &Arc<Self>) -> Running {
        let mut running = self.running.lock();
        running.push(true);
        Running { latch: Arc::clone(self), number: running.len() - 1 }
    }

    /// Waits until no more than `left` threads run, or until the deadline. Returns which of them run, by their numbers.
    pub(super) fn wait(&self, left: usize, deadline: Instant) -> Vec<bool> {
        let mut running = self.running.lock();
        while running.iter().filter(|&&runs| runs).count() > left {
            if self.ended.wait_until(&mut running, deadline).timed_out() {
                break;
            }
        }
        running.clone()
    }
}

impl Running {
    /// Returns its number.
    pub(super) fn number(&self) -> usize {
        self.number
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.latch.running.lock()[self.number] = false;
        self.latch.ended.notify_all();
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
        assert_eq!(latch.wait(1, Instant::now() + Duration::from_secs(60)), [true, false]);
        thread.join().unwrap();
        assert_eq!(latch.wait(0, Instant::now()), [true, false], "a deadline that has passed ends the wait");
        drop(stuck);
        assert_eq!(latch.wait(0, Instant::now()), [false, false]);
    }
}
