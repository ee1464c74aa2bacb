//! What a channel keeps beside its ring: those who wait, and the exchange that may stand in for the ring.

use super::exchange::Exchange;
use super::waits::Waits;
use crate::sync::single_cpu;
use crate::wait::WaitStrategy;

/// Up to this capacity an exchange takes the place of the ring where threads share a single processor.
const TINY: usize = 2;

pub(super) struct Sides<T> {
    pub(super) waits: Waits,
    exchange: Option<Box<Exchange<T>>>,
}

impl<T> Sides<T> {
    pub(super) fn new(capacity: usize, strategy: WaitStrategy) -> Self {
        // The tests beside the code have threads stand still in the middle of a ring's steps.
        let is_tiny = capacity <= TINY && !cfg!(any(test, millpond_model)) && single_cpu();
        if capacity == 0 || is_tiny {
            return Self::with_exchange(capacity, strategy);
        }
        Self { waits: Waits::new(capacity, false, strategy), exchange: None }
    }

    /// As [`new`](Self::new), with an exchange whatever the capacity.
    pub(super) fn with_exchange(capacity: usize, strategy: WaitStrategy) -> Self {
        Self {
            waits: Waits::new(capacity, true, strategy),
            exchange: Some(Box::new(Exchange::new(capacity))),
        }
    }

    #[inline(always)]
    pub(super) fn exchange(&self) -> Option<&Exchange<T>> {
        self.exchange.as_deref()
    }

    /// Returns how many slots the ring has for a channel of that capacity: one that nobody uses, if there is an exchange.
    pub(super) const fn slots(&self, capacity: usize) -> usize {
        if self.exchange.is_some() { 1 } else { capacity }
    }
}
