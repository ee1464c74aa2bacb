//! Waiting for a peer that is about to finish a step.

use super::{hint, thread};

/// Waits for a peer that is in the middle of a few instructions: pauses, then yields, then naps.
///
/// Never an unbounded spin: a peer that lost its processor gets ours, and one that is stopped costs next to nothing.
#[derive(Debug, Default)]
pub(crate) struct BusyWait {
    step: u32,
}

impl BusyWait {
    /// About a microsecond: longer than the peer needs if it is running.
    const PAUSES: u32 = 32;
    /// About 50 us when nobody else wants the processor, a scheduling slice of each other thread when somebody does.
    const YIELDS: u32 = 64;
    /// The first nap; each further one is twice as long, up to [`Self::NAP_DOUBLINGS`] times.
    const NAP: std::time::Duration = std::time::Duration::from_micros(50);
    const NAP_DOUBLINGS: u32 = 4;

    /// Starts a wait.
    pub(crate) const fn new() -> Self {
        Self { step: 0 }
    }

    /// Lets a little time pass, more at each call.
    #[cold]
    pub(crate) fn wait(&mut self) {
        let step = self.step;
        self.step = step.saturating_add(1);
        if cfg!(millpond_model) {
            thread::yield_now();
        } else if step < Self::PAUSES {
            hint::spin_loop();
        } else if step < Self::PAUSES + Self::YIELDS {
            thread::yield_now();
        } else {
            let doublings = (step - Self::PAUSES - Self::YIELDS).min(Self::NAP_DOUBLINGS);
            thread::sleep(Self::NAP * (1 << doublings));
        }
    }

    /// Whether the cheap part of the wait is over, so that a task had better give its thread back.
    pub(crate) const fn is_long(&self) -> bool {
        cfg!(millpond_model) || self.step > Self::PAUSES
    }
}
