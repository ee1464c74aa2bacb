//! Where a timer thread sleeps until its time comes or somebody rings.

use crate::sync::{Condvar, Mutex};
use std::time::Instant;

/// A bell with a count of its rings, so that a ring between looking and sleeping is not slept through.
///
/// The sleeper reads [`rings`](Self::rings), *then* looks at what it is waiting for, then [`wait`](Self::wait)s with the
/// number it read. Whoever changes what is waited for does that first and rings afterwards: either the sleeper saw the
/// change, or the count has moved on and `wait` returns at once.
pub(crate) struct Alarm {
    rings: Mutex<u64>,
    bell: Condvar,
}

impl Alarm {
    pub(crate) fn new() -> Self {
        Self { rings: Mutex::new(0), bell: Condvar::new() }
    }

    /// Returns how often the bell has rung.
    pub(crate) fn rings(&self) -> u64 {
        *self.rings.lock()
    }

    /// Wakes the sleeper, or the next one to try.
    pub(crate) fn ring(&self) {
        *self.rings.lock() += 1;
        self.bell.notify_all();
    }

    /// Sleeps until the bell has rung more than `seen` times, or until `deadline`.
    pub(crate) fn wait(&self, seen: u64, deadline: Option<Instant>) {
        let mut rings = self.rings.lock();
        while *rings == seen {
            match deadline {
                Some(deadline) => {
                    if self.bell.wait_until(&mut rings, deadline).timed_out() {
                        return;
                    }
                }
                None => self.bell.wait(&mut rings),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::Duration;

    #[test]
    fn a_ring_before_the_wait_is_not_slept_through() {
        let alarm = Alarm::new();
        let seen = alarm.rings();
        alarm.ring();
        alarm.wait(seen, None);
    }

    #[test]
    fn a_deadline_ends_the_wait() {
        let alarm = Alarm::new();
        alarm.wait(alarm.rings(), Some(Instant::now() + Duration::from_millis(1)));
    }

    #[test]
    fn a_ring_wakes_the_sleeper() {
        let alarm = Arc::new(Alarm::new());
        let seen = alarm.rings();
        let sleeper = std::thread::spawn({
            let alarm = Arc::clone(&alarm);
            move || alarm.wait(seen, None)
        });
        alarm.ring();
        sleeper.join().unwrap();
    }
}
