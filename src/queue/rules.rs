//! What a queue does with its dead letters, as it is told when it is made.

use super::letter::{DeadFull, DeadInfo};
use std::fmt;
use std::time::Duration;

/// Dead letters kept when nothing else is said: as many as jobs.
const KEPT_DEFAULT: usize = 1_024;

/// What is called when a job has died.
pub(crate) type OnDead = Box<dyn Fn(&DeadInfo) + Send + Sync>;

/// How many dead letters are kept, for how long, and who is told of them.
pub(crate) struct DeadRules {
    pub(crate) capacity: usize,
    pub(crate) when_full: DeadFull,
    pub(crate) max_age: Option<Duration>,
    pub(crate) on_dead: Option<OnDead>,
}

impl DeadRules {
    /// Returns true when no job could ever be buried.
    pub(crate) fn are_stuck(&self) -> bool {
        self.capacity == 0 && self.when_full == DeadFull::Block
    }
}

impl Default for DeadRules {
    fn default() -> Self {
        Self { capacity: KEPT_DEFAULT, when_full: DeadFull::DropOldest, max_age: None, on_dead: None }
    }
}

impl fmt::Debug for DeadRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadRules")
            .field("capacity", &self.capacity)
            .field("when_full", &self.when_full)
            .field("max_age", &self.max_age)
            .field("on_dead", &self.on_dead.is_some())
            .finish()
    }
}
