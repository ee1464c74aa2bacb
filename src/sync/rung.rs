//! A flag that many raise and one lowers: something has happened that its owner has not looked at yet.

use super::atomic::{AtomicBool, Ordering};

/// Whether the owner was called since it has looked last.
///
/// Whoever has done something for the owner to see raises the flag then; of those who find it raised already nothing more is wanted. The owner
/// lowers it *before* it looks: it sees all that was done by those whose calls it has taken, and whoever comes later raises it anew.
#[derive(Debug)]
pub struct Rung(AtomicBool);

impl Rung {
    /// Makes a flag, raised or not.
    pub fn new(rung: bool) -> Self {
        Self(AtomicBool::new(rung))
    }

    /// Raises the flag. True: it was down, and the caller is to see to it that the owner looks.
    pub fn ring(&self) -> bool {
        // ORDERING: Release pairs with the Acquire in `rearm`, also for those who find it raised and leave it at that: each swap reads
        // the one before, so that their releases form one sequence.
        !self.0.swap(true, Ordering::Release)
    }

    /// Lowers the flag. The owner looks behind this.
    pub fn rearm(&self) {
        // ORDERING: Acquire pairs with the Release in `ring`.
        self.0.swap(false, Ordering::Acquire);
    }

    /// Whether the flag is raised. Stale at once.
    pub fn is_rung(&self) -> bool {
        // ORDERING: Relaxed; who acts on it lowers the flag first.
        self.0.load(Ordering::Relaxed)
    }
}
