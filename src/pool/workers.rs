//! Workers over a queue that is not ours.

use super::crew::Crew;
use std::fmt;
use std::time::{Duration, Instant};

/// The workers of an [`Engine`](crate::engine::Engine), as [`PoolBuilder::start_over`](crate::PoolBuilder::start_over) started
/// them.
///
/// They end when their engine says that it is closed, which is for its owner to bring about. Dropping this leaves them at work.
#[must_use = "without it nobody can wait for the workers to end"]
pub struct Workers {
    crew: Crew,
}

impl Workers {
    pub(super) fn new(crew: Crew) -> Self {
        Self { crew }
    }

    /// Waits until all workers have ended. Returns how many still run when the time is up.
    ///
    /// # Blocking
    /// Parks the thread.
    pub fn join(&self, timeout: Duration) -> usize {
        let now = Instant::now();
        // As good as for ever.
        let deadline = now.checked_add(timeout).unwrap_or_else(|| now + Duration::from_secs(1 << 32));
        self.crew.end(0, deadline);
        self.crew.running()
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers").field("running", &self.crew.running()).finish()
    }
}
