//! Values that notice when they are lost, dropped twice or read too early.

use super::recorder::note;
use loom::alloc::Track;
use loom::cell::UnsafeCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// The book of all values of one execution.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    /// For each value made, how often it was dropped.
    drops: Arc<Mutex<BTreeMap<u32, u32>>>,
}

/// A message: a number, tracked from its making to its only drop.
///
/// The number lies in a loom cell, so reading it in a thread that has not synchronised with the maker fails the model.
/// A value that is never dropped fails it too, through loom's leak check.
#[derive(Debug)]
pub(crate) struct Value {
    id: u32,
    read: UnsafeCell<u32>,
    ledger: Ledger,
    _leak_check: Track<()>,
}

// SAFETY: the cell is only ever read after `Ledger::value` has made it, and loom checks that.
unsafe impl Sync for Value {}

impl Ledger {
    /// Makes the value `id`, which must be new.
    pub(crate) fn value(&self, id: u32) -> Value {
        assert!(self.lock().insert(id, 0).is_none(), "value {id} is made twice");
        Value { id, read: UnsafeCell::new(id), ledger: self.clone(), _leak_check: Track::new(()) }
    }

    /// How often the value `id` was dropped.
    pub(crate) fn drops_of(&self, id: u32) -> u32 {
        *self.lock().get(&id).expect("the value was made")
    }

    /// Asserts that every value made was dropped exactly once.
    pub(crate) fn assert_settled(&self) {
        for (id, drops) in self.lock().iter() {
            assert_eq!(*drops, 1, "drops of value {id}");
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, u32>> {
        self.drops.lock().expect("no thread panics while it holds the ledger")
    }

    fn dropped(&self, id: u32) -> u32 {
        let mut drops = self.lock();
        let count = drops.get_mut(&id).expect("the value was made");
        *count += 1;
        *count
    }
}

impl Value {
    /// The number the value was made with; a trace line says that it was read.
    pub(crate) fn id(&self) -> u32 {
        // SAFETY: the pointer comes from a live cell, and loom fails the model if another thread writes to it.
        let id = self.read.with(|id| unsafe { *id });
        assert_eq!(id, self.id, "a value changed on its way");
        note(format!("read value {id}"));
        id
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        let drops = self.ledger.dropped(self.id);
        assert!(drops == 1 || std::thread::panicking(), "value {} is dropped {drops} times", self.id);
    }
}
