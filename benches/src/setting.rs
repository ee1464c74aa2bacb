//! What is the same for all samples of a run.

#![forbid(unsafe_code)]

use crate::pin::Placement;
use std::time::Duration;

/// The share of the window that a load runs before it is measured.
const WARM_UP: u32 = 10;

/// How a sample is taken.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Where the threads run.
    pub placement: Placement,
    /// How long a load is measured.
    pub window: Duration,
}

impl Setting {
    /// Returns how long a load runs before it is measured.
    #[must_use]
    pub fn warm_up(&self) -> Duration {
        self.window / WARM_UP
    }
}
