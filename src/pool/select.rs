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

    /// Writes each letter as one line of JSON to `writer`, and flushes it. Returns how many. Removes none.
    ///
    /// An object has `id`, `reason`, `error` and `kind` of the last failure (`null` if there was none), `attempts` (each with
    /// `attempt`, `at`, `worker`, `error`, `kind`), `attempts_total`, `deliveries`, `snoozes`, `deaths`, `past` (the earlier deaths),
    /// `past_attempts` (those of its earlier lives), `enqueued_at`, `died_at`, and the `job`. Times are in UTC as RFC 3339 has them. A letter is lent while it is written,
    /// under no lock. Many small writes: give it a buffered writer.
    ///
    /// # Errors
    ///
    /// When a job cannot be written as JSON, or the writer fails: see [`ExportError`](crate::ExportError). All lines before
    /// are complete.
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::{Context, DeadFilter, Outcome, Pool};
    /// use std::time::Duration;
    ///
    /// let pool = Pool::builder().start(|_: &Vec<u32>, _: &Context| Outcome::dead("no such order"))?;
    /// pool.submit(vec![3, 5])?;
    /// assert!(pool.wait_idle(Duration::from_secs(10)));
    ///
    /// let mut lines = Vec::new();
    /// assert_eq!(pool.dead().select(DeadFilter::all()).export_json(&mut lines)?, 1);
    /// let line = String::from_utf8(lines)?;
    /// assert!(line.starts_with(r#"{"id":1,"reason":"rejected","error":"no such order","kind":"error","attempts":[{"#));
    /// assert!(line.ends_with("\"job\":[3,5]}\n"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "serde")]
    pub fn export_json(&self, writer: impl std::io::Write) -> Result<usize, crate::queue::ExportError>
    where
        T: serde::Serialize,
    {
        self.queue.dead_export(&self.filter, writer)
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
