//! What all handles of one channel share: a ring, those who wait on either side, and the handle counts.
//!
//! Here, and only here, moving a value is joined with waking the other side: who moved a cursor past a WAIT flag owes a
//! wake-up for each position (see `wait`).

use super::count::HandleCount;
use crate::ring::{Mpmc, PopError, PushError};
use crate::sync::{BusyWait, CachePadded};
use crate::wait::WaitSet;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

pub(super) struct Shared<T> {
    ring: Mpmc<T>,
    /// Receivers that wait for a message. Their WAIT flag is in the ring's `tail`.
    pub(super) receivers: CachePadded<WaitSet>,
    /// Senders that wait for room. Their WAIT flag is in the ring's `head`.
    pub(super) senders: CachePadded<WaitSet>,
    pub(super) sender_count: CachePadded<HandleCount>,
    pub(super) receiver_count: CachePadded<HandleCount>,
}

impl<T> Shared<T> {
    pub(super) fn new(ring: Mpmc<T>) -> Self {
        Self {
            ring,
            receivers: CachePadded::new(WaitSet::new()),
            senders: CachePadded::new(WaitSet::new()),
            sender_count: CachePadded::new(HandleCount::new()),
            receiver_count: CachePadded::new(HandleCount::new()),
        }
    }

    pub(super) const fn ring(&self) -> &Mpmc<T> {
        &self.ring
    }

    /// Pushes a value and wakes a receiver that waits.
    #[inline]
    pub(super) fn push(&self, value: T) -> Result<(), PushError<T>> {
        if self.ring.push(value)? {
            self.wake_receivers(1);
        }
        Ok(())
    }

    /// Pops a value and wakes a sender that waits.
    #[inline]
    pub(super) fn pop(&self) -> Result<T, PopError> {
        let (value, senders_wait) = self.ring.pop()?;
        if senders_wait {
            self.wake_senders(1);
        }
        Ok(value)
    }

    /// Pushes from the front of `values` while there is room, and wakes as many receivers. Returns how many.
    pub(super) fn push_many(&self, values: &mut VecDeque<T>) -> Result<usize, PushError<()>> {
        let (count, receivers_wait) = self.ring.push_many(values)?;
        if receivers_wait {
            self.wake_receivers(count);
        }
        Ok(count)
    }

    /// Pops up to `limit` values, and wakes as many senders. Returns how many.
    pub(super) fn pop_many(&self, values: &mut Vec<T>, limit: usize) -> Result<usize, PopError> {
        let (count, senders_wait) = self.ring.pop_many(values, limit)?;
        if senders_wait {
            self.wake_senders(count);
        }
        Ok(count)
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
            // A waker may panic; the other side is woken all the same.
            let woken = catch_unwind(AssertUnwindSafe(|| {
                self.receivers.notify_all(|| self.ring.clear_poppers_wait());
            }));
            self.senders.notify_all(|| self.ring.clear_pushers_wait());
            woken.unwrap_or_else(|payload| resume_unwind(payload));
        }
        closed
    }

    #[cold]
    fn wake_receivers(&self, count: usize) {
        self.receivers.notify(count, || self.ring.clear_poppers_wait());
    }

    #[cold]
    fn wake_senders(&self, count: usize) {
        self.senders.notify(count, || self.ring.clear_pushers_wait());
    }
}
