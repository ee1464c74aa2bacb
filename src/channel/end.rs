//! What sending and receiving need of an end, whatever the ring: here moving a value is joined with waking the other side.
//!
//! Who moved a cursor past a WAIT flag owes a wake-up for each position (see `wait`).

use super::exchange::Exchange;
use super::waits::Core;
use crate::ring::{Owed, PopError, PushError};
use std::collections::VecDeque;

/// An end that can push: a shared handle of a ring for many, or a unique one borrowed mutably.
pub(super) trait PushEnd<T> {
    type Core: Core;

    fn core(&self) -> &Self::Core;

    /// Returns what stands in for the ring, if anything does.
    fn exchange(&self) -> Option<&Exchange<T>>;

    /// Pushes a value. `Ok(true)`: a receiver is owed a wake-up.
    fn try_push(&mut self, value: T) -> Result<bool, PushError<T>>;

    /// Pushes from the front of `values` while there is room. Returns how many, and whether as many wake-ups are owed.
    fn try_push_many(&mut self, values: &mut VecDeque<T>) -> Result<(usize, bool), PushError<()>>;

    /// Whether there is room for more than `ahead` values. A hint.
    fn has_room_ahead(&self, ahead: usize) -> bool;

    /// Pushes a value and wakes a receiver that waits.
    #[inline(always)]
    fn push(&mut self, value: T) -> Result<(), PushError<T>> {
        if self.try_push(value)? {
            self.core().wake_receivers(1);
        }
        Ok(())
    }

    /// Pushes from the front of `values` while there is room, and wakes as many receivers. Returns how many.
    fn push_many(&mut self, values: &mut VecDeque<T>) -> Result<usize, PushError<()>> {
        let (count, receivers_wait) = self.try_push_many(values)?;
        if receivers_wait {
            self.core().wake_receivers(count);
        }
        Ok(count)
    }
}

/// An end that can pop.
pub(super) trait PopEnd<T> {
    type Core: Core;

    fn core(&self) -> &Self::Core;

    /// Returns what stands in for the ring, if anything does.
    fn exchange(&self) -> Option<&Exchange<T>>;

    /// Pops a value. With it: whether a sender is owed a wake-up.
    fn try_pop(&mut self) -> Result<(T, Owed), PopError>;

    /// Pops up to `limit` values. Returns how many, and whether as many wake-ups are owed.
    fn try_pop_many(&mut self, values: &mut Vec<T>, limit: usize) -> Result<(usize, bool), PopError>;

    /// Whether there are more than `ahead` values. A hint.
    fn has_values_ahead(&self, ahead: usize) -> bool;

    /// Pops a value and wakes a sender that waits.
    #[inline(always)]
    fn pop(&mut self) -> Result<T, PopError> {
        let (value, senders_wait) = self.try_pop()?;
        if senders_wait.is_owed() {
            self.core().wake_senders(1);
        }
        Ok(value)
    }

    /// Pops up to `limit` values, and wakes as many senders. Returns how many.
    fn pop_many(&mut self, values: &mut Vec<T>, limit: usize) -> Result<usize, PopError> {
        let (count, senders_wait) = self.try_pop_many(values, limit)?;
        if senders_wait {
            self.core().wake_senders(count);
        }
        Ok(count)
    }
}
