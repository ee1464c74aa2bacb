//! What threads did before they did something that others hear of.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};

/// One deed a thread. Clones are the same past.
#[derive(Clone)]
pub(crate) struct Past(Arc<Vec<AtomicUsize>>);

impl Past {
    pub(crate) fn new(deeds: usize) -> Self {
        Self(Arc::new((0..deeds).map(|_| AtomicUsize::new(0)).collect()))
    }

    /// The deed of a thread is done.
    pub(crate) fn done(&self, thread: usize) {
        // ORDERING: Relaxed; it is for what comes behind it to pass it on.
        self.0[thread].store(1, Ordering::Relaxed);
    }

    /// Returns how many of the deeds the caller sees.
    pub(crate) fn seen(&self) -> usize {
        // ORDERING: Relaxed; as in `done`.
        self.0.iter().map(|deed| deed.load(Ordering::Relaxed)).sum()
    }

    /// Asserts, if the caller has heard of what came behind the deeds, that it sees all of them.
    pub(crate) fn is_seen_if(&self, heard: bool) {
        if heard {
            assert!(self.seen() == self.0.len(), "heard of it, but what was done before is hidden");
        }
    }
}
