//! What a channel keeps beside its ring: those who wait, and for capacity 0 the exchange that stands in for the ring.

use super::exchange::Exchange;
use super::waits::Waits;
use crate::wait::WaitStrategy;

pub(super) struct Sides<T> {
    pub(super) waits: Waits,
    exchange: Option<Box<Exchange<T>>>,
}

impl<T> Sides<T> {
    pub(super) fn new(capacity: usize, strategy: WaitStrategy) -> Self {
        let exchange = (capacity == 0).then(|| Box::new(Exchange::new()));
        Self { waits: Waits::new(capacity, strategy), exchange }
    }

    #[inline(always)]
    pub(super) fn exchange(&self) -> Option<&Exchange<T>> {
        self.exchange.as_deref()
    }
}

/// Returns how many slots the ring of a channel has: one that nobody uses, if there is an exchange.
pub(super) const fn slots(capacity: usize) -> usize {
    if capacity == 0 { 1 } else { capacity }
}
