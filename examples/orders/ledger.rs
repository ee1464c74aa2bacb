//! The truth: what was done for which order, written by those who did it. Entries are added and never taken back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What can be done for an order.
pub(crate) const DEEDS: [&str; 4] = ["payment", "inventory", "shipping", "notification"];

/// Counts deeds by order. The clones are one ledger.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    entries: Arc<Mutex<BTreeMap<(&'static str, u32), u32>>>,
    /// In cents, over all charges.
    charged: Arc<Mutex<u64>>,
}

impl Ledger {
    /// Something was done, once more.
    pub(crate) fn enter(&self, deed: &'static str, order: u32) {
        *self.entries.lock().unwrap_or_else(PoisonError::into_inner).entry((deed, order)).or_default() += 1;
    }

    /// A card was charged.
    pub(crate) fn charge(&self, order: u32, cents: u64) {
        self.enter("payment", order);
        *self.charged.lock().unwrap_or_else(PoisonError::into_inner) += cents;
    }

    /// Returns how often it was done.
    pub(crate) fn times(&self, deed: &'static str, order: u32) -> u32 {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(&(deed, order)).copied().unwrap_or(0)
    }

    /// Returns the sum of all charges, in cents.
    pub(crate) fn charged(&self) -> u64 {
        *self.charged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
