//! The dead letters of a pool, for people and programs that look after them.

use super::redrive::{Redrive, RedriveBuilder};
use super::select::Selected;
use crate::queue::{
    DeadFilter, DeadInfo, DeadLetter, JobId, LetterError, Queue, RedriveAllError, RedriveError,
};
use crate::sync::Arc;
use std::fmt;

/// The dead letters of a [`Pool`](crate::Pool): jobs that will not be tried again, unless somebody says so here.
///
/// They are kept in the order of their death, as many as [`PoolBuilder::dead_letters`](crate::PoolBuilder::dead_letters)
/// and [`PoolBuilder::dead_letters_max_age`](crate::PoolBuilder::dead_letters_max_age) allow. Cheap to clone, and usable after the pool is shut down. No user code runs under the lock: a letter that is being
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

    /// Selects the letters that `filter` means, to be listed, looked at, purged, taken or redriven.
    ///
    /// Which letters these are is decided anew by each method of the selection, when it comes to them.
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::{Context, DeadFilter, Outcome, Pool};
    /// use std::time::Duration;
    ///
    /// let pool = Pool::builder().start(|order: &u32, _: &Context| match order % 2 {
    ///     0 => Outcome::dead("no such order"),
    ///     _ => Outcome::dead("out of stock"),
    /// })?;
    /// pool.submit_many(vec![1, 2, 3, 4, 5])?;
    /// assert!(pool.wait_idle(Duration::from_secs(10)));
    ///
    /// let dead = pool.dead();
    /// assert_eq!(dead.select(DeadFilter::all().error_contains("order")).purge(), 2);
    /// let large = DeadFilter::all().error_contains("stock").matching(|letter| letter.job > 2);
    /// assert_eq!(dead.select(large).list().len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn select(&self, filter: DeadFilter<T>) -> Selected<'_, T> {
        Selected::new(&self.queue, filter)
    }

    /// Describes all letters, the oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<DeadInfo> {
        self.select(DeadFilter::all()).list()
    }

    /// Shows each letter that is here when the call begins to `visit`, the oldest first.
    ///
    /// One letter at a time is lent for it; those that somebody else is looking at are left out. `visit` may use the pool
    /// and its dead letters, but the letter it is shown cannot be redriven, purged or taken meanwhile.
    pub fn with(&self, visit: impl FnMut(&DeadLetter<T>)) {
        self.select(DeadFilter::all()).with(visit);
    }

    /// Lends the job of a dead letter to `edit`, which may mend it in place. Returns what `edit` returns.
    ///
    /// The letter cannot be redriven, purged or taken meanwhile. If `edit` panics, the panic goes on to the caller, and the
    /// letter stays with the job as `edit` left it.
    ///
    /// # Errors
    ///
    /// [`LetterError`]: the letter is not here, or somebody is looking at it.
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::{Context, Outcome, Pool};
    /// use std::time::Duration;
    ///
    /// let pool = Pool::builder().start(|address: &String, _: &Context| match address.contains('@') {
    ///     true => Outcome::Done,
    ///     false => Outcome::dead("not an address"),
    /// })?;
    /// let id = pool.submit("alice.example.com".to_owned())?;
    /// assert!(pool.wait_idle(Duration::from_secs(10)));
    ///
    /// pool.dead().edit(id, |address| *address = "alice@example.com".to_owned())?;
    /// pool.dead().redrive(id)?;
    /// assert!(pool.wait_idle(Duration::from_secs(10)));
    /// assert_eq!(pool.stats().done, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn edit<R>(&self, id: JobId, edit: impl FnOnce(&mut T) -> R) -> Result<R, LetterError> {
        self.queue.dead_edit(id, edit)
    }

    /// Submits a dead job again. It keeps its number and the time it was accepted at; its attempts start anew. Should
    /// it die again, its letter tells of the earlier deaths: see [`DeadLetter::past`].
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
        self.select(DeadFilter::all()).redrive()
    }

    /// Describes a redrive of the letters that `filter` means which runs beside the caller: at a rate, waiting for room, with
    /// its progress to be seen, and cancellable. [`RedriveBuilder::start`] starts it.
    pub fn redrive_with(&self, filter: DeadFilter<T>) -> RedriveBuilder<T> {
        RedriveBuilder::new(Arc::clone(&self.queue), filter)
    }

    /// Returns the redrive that is running, if one was started by [`redrive_with`](Self::redrive_with).
    #[must_use]
    pub fn redriving(&self) -> Option<Redrive> {
        self.queue.redriving().map(Redrive::new)
    }

    /// Drops a letter. Returns false if it is not here, or somebody is looking at it.
    pub fn purge(&self, id: JobId) -> bool {
        self.queue.dead_purge(id)
    }

    /// Drops all letters that are here when the call begins, but for those that somebody is looking at. Returns how many.
    pub fn purge_all(&self) -> usize {
        self.select(DeadFilter::all()).purge()
    }

    /// Takes a letter out. None if it is not here, or somebody is looking at it.
    #[must_use = "the letter is no longer kept; `purge` drops it"]
    pub fn take(&self, id: JobId) -> Option<DeadLetter<T>> {
        self.queue.dead_take(id)
    }

    /// Takes all letters out that are here when the call begins, but for those that somebody is looking at.
    #[must_use = "the letters are no longer kept; `purge_all` drops them"]
    pub fn take_all(&self) -> Vec<DeadLetter<T>> {
        self.select(DeadFilter::all()).take()
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

// Usable after a panic was caught, whatever it was that panicked (promise 9).
impl<T> std::panic::UnwindSafe for DeadLetters<T> {}
impl<T> std::panic::RefUnwindSafe for DeadLetters<T> {}
