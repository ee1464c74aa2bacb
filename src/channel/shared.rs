//! What all handles of a channel for many share: the ring or the exchange, and those who wait.

use super::exchange::Exchange;
use super::sides::Sides;
use super::waits::{Core, Waits};
use crate::ring::{Mpmc, PopError, PushError};
use crate::sync::{BusyWait, Sleeper};
use std::collections::VecDeque;

pub(super) struct Shared<T> {
    ring: Mpmc<T>,
    sides: Sides<T>,
}

impl<T> Shared<T> {
    pub(super) const fn new(ring: Mpmc<T>, sides: Sides<T>) -> Self {
        Self { ring, sides }
    }

    #[inline(always)]
    pub(super) fn exchange(&self) -> Option<&Exchange<T>> {
        self.sides.exchange()
    }

    #[inline(always)]
    pub(super) fn push(&self, value: T) -> Result<bool, PushError<T>> {
        match self.exchange() {
            None => self.ring.push(value),
            Some(exchange) => exchange.push_as_ring(value, self.waits()),
        }
    }

    pub(super) fn push_many(&self, values: &mut VecDeque<T>) -> Result<(usize, bool), PushError<()>> {
        match self.exchange() {
            None => self.ring.push_many(values),
            Some(exchange) => exchange.push_many(values, self.waits()).map(|count| (count, false)),
        }
    }

    #[inline(always)]
    pub(super) fn pop(&self) -> Result<(T, bool), PopError> {
        match self.exchange() {
            None => self.ring.pop(),
            Some(exchange) => exchange.pop_as_ring(self.waits()),
        }
    }

    pub(super) fn pop_many(&self, values: &mut Vec<T>, limit: usize) -> Result<(usize, bool), PopError> {
        match self.exchange() {
            None => self.ring.pop_many(values, limit),
            Some(exchange) => exchange.pop_many(values, limit, self.waits()).map(|count| (count, false)),
        }
    }

    /// Promises room for one message. At capacity 0 there is none to promise.
    pub(super) fn reserve(&self) -> Result<(), PushError<()>> {
        match self.exchange() {
            None => self.ring.reserve(),
            Some(exchange) if exchange.is_closed() => Err(PushError::Closed(())),
            Some(_) => Err(PushError::Full(())),
        }
    }

    /// Takes a promise back. Only the ring makes any.
    pub(super) fn give_back(&self) {
        self.ring.give_back();
    }

    /// Pushes into promised room.
    pub(super) fn push_reserved(&self, value: T) -> Result<bool, PushError<T>> {
        self.ring.push_reserved(value)
    }

    /// Drops the messages inside.
    pub(super) fn discard(&self) {
        match self.exchange() {
            None => self.ring.discard(),
            Some(exchange) => exchange.discard(),
        }
    }

    /// Pushes a value, displacing the oldest if there is no room. `Err`: closed.
    pub(super) fn force_push(&self, mut value: T) -> Result<Option<T>, T> {
        if let Some(exchange) = self.exchange() {
            return exchange.force_push(value, self.waits());
        }
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
        let closed = match self.exchange() {
            None => self.ring.close(),
            Some(exchange) => exchange.close(),
        };
        if closed {
            self.wake_all();
        }
        closed
    }
}

impl<T> Core for Shared<T> {
    fn waits(&self) -> &Waits {
        &self.sides.waits
    }

    fn is_closed(&self) -> bool {
        match self.exchange() {
            None => self.ring.is_closed(),
            Some(exchange) => exchange.is_closed(),
        }
    }

    fn len(&self) -> usize {
        match self.exchange() {
            None => self.ring.len(),
            Some(exchange) => exchange.len(),
        }
    }

    fn capacity(&self) -> usize {
        match self.exchange() {
            None => self.ring.capacity(),
            Some(_) => 0,
        }
    }

    fn set_receivers_wait(&self, _: Sleeper) -> bool {
        match self.exchange() {
            None => self.ring.set_poppers_wait(),
            Some(exchange) => {
                exchange.set_receivers_wait();
                false
            }
        }
    }

    fn clear_receivers_wait(&self) {
        match self.exchange() {
            None => self.ring.clear_poppers_wait(),
            Some(exchange) => exchange.clear_receivers_wait(),
        }
    }

    fn set_senders_wait(&self, _: Sleeper) -> bool {
        match self.exchange() {
            None => self.ring.set_pushers_wait(),
            Some(exchange) => {
                exchange.set_senders_wait();
                false
            }
        }
    }

    fn clear_senders_wait(&self) {
        match self.exchange() {
            None => self.ring.clear_pushers_wait(),
            Some(exchange) => exchange.clear_senders_wait(),
        }
    }
}
