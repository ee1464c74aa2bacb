//! The dead letters that a filter means.

use crate::queue::{DeadFilter, DeadInfo, DeadLetter, Queue, RedriveAllError};
use crate::sync::Arc;
use std::convert::Infallible;
use std::fmt;

/// Those dead letters that a [`DeadFilter`] means: see [`DeadLetters::select`](crate::DeadLetters::select).
///
/// Each method goes through the letters that are here when it begins, the oldest first. A letter is lent while it is
/// looked at, by the filter as well: those that somebody else is looking at are left out.
#[must_use = "a selection does nothing by itself"]
pub struct Selected<'d, T> {
    queue: &'d Arc<Queue<T>>,
    filter: DeadFilter<T>,
}

impl<'d, T> Selected<'d, T> {
    pub(super) fn new(queue: &'d Arc<Queue<T>>, filter: DeadFilter<T>) -> Self {
        Self { queue, filter }
    }

    /// Describes the letters.
    #[must_use]
    pub fn list(&self) -> Vec<DeadInfo> {
        self.queue.dead_list(&self.filter)
    }

    /// Shows each letter to `visit`.
    ///
    /// `visit` may use the pool and its dead letters, but the letter it is shown cannot be edited, redriven, purged or taken
    /// meanwhile.
    pub fn with(&self, mut visit: impl FnMut(&DeadLetter<T>)) {
        let visited = self.queue.dead_try_with(&self.filter, |letter| {
            visit(letter);
            Ok::<(), Infallible>(())
        });
        visited.unwrap_or_else(|never| match never {});
    }

    /// Submits the jobs again, as fast as can be and without waiting for room. Returns how many.
    ///
    /// # Errors
    ///
    /// When one is refused: how many were moved before it. It and the rest stay dead letters.
    pub fn redrive(&self) -> Result<usize, RedriveAllError> {
        self.queue.redrive_all(&self.filter)
    }

    /// Drops the letters. Returns how many.
    pub fn purge(&self) -> usize {
        self.queue.dead_purge_all(&self.filter)
    }

    /// Takes the letters out.
    #[must_use = "the letters are no longer kept; `purge` drops them"]
    pub fn take(&self) -> Vec<DeadLetter<T>> {
        self.queue.dead_take_all(&self.filter)
    }
}

impl<T> fmt::Debug for Selected<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Selected").field("filter", &self.filter).finish_non_exhaustive()
    }
}
