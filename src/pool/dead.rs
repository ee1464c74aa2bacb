//! The dead letters of a pool, for people and programs that look after them.

use crate::queue::{DeadInfo, DeadLetter, JobId, Queue, RedriveAllError, RedriveError};
use crate::sync::Arc;
use std::fmt;

/// The dead letters of a [`Pool`](crate::Pool): jobs that will not be tried again, unless somebody says so here.
///
/// They are kept in the order of their death, as many as [`PoolBuilder::dead_letters`](crate::PoolBuilder::dead_letters)
/// allows. Cheap to clone, and usable after the pool is shut down. No user code runs under the lock: a letter that is being
/// looked at is lent, and left alone by everybody else until it is back.
///
/// # Examples
///
/// ```
/// use millpond::{Context, Outcome, Pool};
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use std::time::Duration;
///
/// static REPAIRED: AtomicBool = AtomicBool::new(false);
/// let pool = Pool::builder().start(|_: &String, _: &Context| {
///     if REPAIRED.load(Ordering::Relaxed) { Outcome::Done } else { Outcome::dead("the printer is on fire") }
/// })?;
/// pool.submit("invoice".to_owned())?;
/// assert!(pool.wait_idle(Duration::from_secs(10)));
///
/// let dead = pool.dead();
/// assert_eq!(dead.list()[0].error, "the printer is on fire");
/// dead.with(|letter| println!("{}: {:?}", letter.job, letter.last_failure()));
///
/// REPAIRED.store(true, Ordering::Relaxed);
/// assert_eq!(dead.redrive_all()?, 1);
/// assert!(pool.wait_idle(Duration::from_secs(10)));
/// assert_eq!((pool.stats().done, dead.len()), (1, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DeadLetters<T> {
    queue: Arc<Queue<T>>,
}

impl<T> DeadLetters<T> {
    pub(super) fn new(queue: Arc<Queue<T>>) -> Self {
        Self { queue }
    }

    /// Returns how many letters are kept. Others may change this before it returns.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::try_from(self.queue.stats().dead).expect("as many as fit into memory")
    }

    /// Returns true when no letter is kept. Others may change this before it returns.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Describes all letters, the oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<DeadInfo> {
        self.queue.dead_list()
    }

    /// Shows each letter that is here when the call begins to `visit`, the oldest first.
    ///
    /// One letter at a time is lent for it; those that somebody else is looking at are left out. `visit` may use the pool
    /// and its dead letters, but the letter it is shown cannot be redriven, purged or taken meanwhile.
    pub fn with(&self, visit: impl FnMut(&DeadLetter<T>)) {
        self.queue.dead_with(visit);
    }

    /// Submits a dead job again. It keeps its number and the time it was accepted at; its attempts start anew.
    ///
    /// Does not wait for room: a job that is refused stays a dead letter.
    ///
    /// # Errors
    ///
    /// See [`RedriveError`].
    pub fn redrive(&self, id: JobId) -> Result<(), RedriveError> {
        self.queue.redrive(id)
    }

    /// Submits all dead jobs again that are here when the call begins, the oldest first. Returns how many.
    ///
    /// # Errors
    ///
    /// When one is refused: how many were moved before it. It and the rest stay dead letters.
    pub fn redrive_all(&self) -> Result<usize, RedriveAllError> {
        self.queue.redrive_all()
    }

    /// Drops a letter. Returns false if it is not here, or somebody is looking at it.
    pub fn purge(&self, id: JobId) -> bool {
        self.queue.dead_purge(id)
    }

    /// Drops all letters that are here when the call begins, but for those that somebody is looking at. Returns how many.
    pub fn purge_all(&self) -> usize {
        self.queue.dead_purge_all()
    }

    /// Takes a letter out. None if it is not here, or somebody is looking at it.
    #[must_use = "the letter is no longer kept; `purge` drops it"]
    pub fn take(&self, id: JobId) -> Option<DeadLetter<T>> {
        self.queue.dead_take(id)
    }

    /// Takes all letters out that are here when the call begins, but for those that somebody is looking at.
    #[must_use = "the letters are no longer kept; `purge_all` drops them"]
    pub fn take_all(&self) -> Vec<DeadLetter<T>> {
        self.queue.dead_take_all()
    }
}

impl<T> Clone for DeadLetters<T> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.queue))
    }
}

impl<T> fmt::Debug for DeadLetters<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetters").field("len", &self.len()).finish_non_exhaustive()
    }
}
