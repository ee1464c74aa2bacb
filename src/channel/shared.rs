//! What all handles of a channel for many share: the ring, and those who wait.

use super::waits::{Core, Waits};
use crate::ring::{Mpmc, PushError};
use crate::sync::{BusyWait, Sleeper};

pub(super) struct Shared<T> {
    ring: Mpmc<T>,
    waits: Waits,
}

impl<T> Shared<T> {
    pub(super) fn new(ring: Mpmc<T>) -> Self {
        Self { ring, waits: Waits::new() }
    }

    pub(super) const fn ring(&self) -> &Mpmc<T> {
        &self.ring
    }

    /// Pushes a value, displacing the oldest if the ring is full. `Err`: closed.
    pub(super) fn force_push(&self, mut value: T) -> Result<Option<T>, T> {
        let mut busy = BusyWait::new();
        loop {
            match self.ring.force_push(value) {
                Ok(pushed) => {
                    // A displacement leaves the ring as full as before: no sender has anything to wake up for.
                    if pushed.poppers_wait {
                        self.wake_receivers(1);
                    }
                    return Ok(pushed.evicted);
                }
                Err(PushError::Closed(refused)) => return Err(refused),
                Err(PushError::Full(refused) | PushError::Busy(refused)) => value = refused,
            }
            busy.wait();
        }
    }

    /// Refuses all further sends and wakes everybody. Returns whether this call did it.
    pub(super) fn close(&self) -> bool {
        let closed = self.ring.close();
        if closed {
            self.wake_all();
        }
        closed
    }
}

impl<T> Core for Shared<T> {
    fn waits(&self) -> &Waits {
        &self.waits
    }

    fn is_closed(&self) -> bool {
        self.ring.is_closed()
    }

    fn len(&self) -> usize {
        self.ring.len()
    }

    fn capacity(&self) -> usize {
        self.ring.capacity()
    }

    fn set_receivers_wait(&self, _: Sleeper) {
        self.ring.set_poppers_wait();
    }

    fn clear_receivers_wait(&self) {
        self.ring.clear_poppers_wait();
    }

    fn set_senders_wait(&self, _: Sleeper) {
        self.ring.set_pushers_wait();
    }

    fn clear_senders_wait(&self) {
        self.ring.clear_pushers_wait();
    }
}
