//! Values that notice when they are lost or dropped twice.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The book of all values of one execution. Its lock is no step of the model's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    /// For each value made, how often it was dropped.
    drops: Arc<Mutex<BTreeMap<u32, u32>>>,
}

/// A message: a number, tracked from its making to its only drop.
#[derive(Debug)]
pub(crate) struct Value {
    pub(crate) id: u32,
    ledger: Ledger,
}

impl Ledger {
    /// Makes the value `id`, which must be new.
    pub(crate) fn value(&self, id: u32) -> Value {
        assert!(self.lock().insert(id, 0).is_none(), "value {id} is made twice");
        Value { id, ledger: self.clone() }
    }

    /// Asserts that every value made was dropped exactly once.
    pub(crate) fn assert_settled(&self) {
        for (id, drops) in self.lock().iter() {
            assert_eq!(*drops, 1, "drops of value {id}");
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, u32>> {
        self.drops.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        let mut book = self.ledger.lock();
        let drops = book.get_mut(&self.id).expect("the value was made");
        *drops += 1;
        assert!(*drops == 1 || std::thread::panicking(), "value {} is dropped {drops} times", self.id);
    }
}
