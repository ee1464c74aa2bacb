//! Where threads run.

/// Whether threads are left to the scheduler, or each kept on one core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// The scheduler decides.
    Free,
    /// Producer `i` on core `i % 2`, consumer `i` on core `(i + 1) % 2`.
    Pinned,
}

impl Placement {
    /// Puts the calling thread where producer `index` belongs.
    pub fn producer(self, index: usize) {
        self.put(index);
    }

    /// Puts the calling thread where consumer `index` belongs.
    pub fn consumer(self, index: usize) {
        self.put(index + 1);
    }

    fn put(self, index: usize) {
        if self == Self::Free {
            return;
        }
        if let Some(cores) = core_affinity::get_core_ids() {
            let used = &cores[..cores.len().min(2)];
            core_affinity::set_for_current(used[index % used.len()]);
        }
    }
}
