//! A bounded ring for any number of threads that poll.
//!
//! Share it by reference or in an `Arc`: there are no ends, any thread may push and pop.
//!
//! *Full, empty.* The answers are exact: the ring is linearizable to a bounded first-in-first-out queue, and so is any set of
//! rings. Each producer's values come out in the order it pushed them.
//!
//! *Closed.* [`Ring::close`] refuses all further pushes; what is inside can still be popped.
//!
//! *Dropped.* Values that are inside when the ring is dropped are dropped with it.
//!
//! *Progress.* No function takes a lock or parks. But the ring is not lock-free in the formal sense: if a thread is suspended
//! between claiming and publishing one slot (a few instructions around a move of `T`), the pop that needs exactly that slot, and
//! pushes one full lap later, cannot complete until it resumes; all other slots stay usable. The plain functions then wait for
//! it: they pause, then yield, then nap. The `_relaxed` ones return `Busy` at once, and never wait for anybody.
//!
//! *Memory.* A slot is the payload and 8 bytes, rounded up to its alignment.
//!
//! ```
//! let ring = millpond::ring::mpmc::Ring::new(4);
//! std::thread::scope(|scope| {
//!     for n in 0..4 {
//!         let ring = &ring;
//!         scope.spawn(move || ring.push(n).expect("there is room for four"));
//!     }
//! });
//! assert_eq!(std::iter::from_fn(|| ring.pop().ok()).sum::<i32>(), 6);
//! ```

use crate::ring::error::{ClosedError, PopError, PushError, RelaxedPopError, RelaxedPushError};
use crate::ring::many::Mpmc;
use crate::sync::BusyWait;
use std::collections::VecDeque;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// A bounded first-in-first-out ring, shared by any number of threads.
pub struct Ring<T> {
    ring: Mpmc<T>,
}

impl<T> Ring<T> {
    /// Makes an empty ring of exactly `capacity` slots.
    ///
    /// # Panics
    /// If `capacity` is 0, or the memory for it cannot be addressed or allocated.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { ring: Mpmc::new(capacity) }
    }

    /// Pushes a value behind all others.
    ///
    /// *Progress.* Never parks; waits for a thread that is in the middle of a step in the way, as the module says.
    ///
    /// # Errors
    /// [`PushError`] gives the value back: the ring is full, or closed.
    ///
    /// # Examples
    /// ```
    /// use millpond::ring::{error::PushError, mpmc::Ring};
    /// let ring = Ring::new(1);
    /// assert_eq!(ring.push(1), Ok(()));
    /// assert_eq!(ring.push(2), Err(PushError::Full(2)));
    /// ```
    #[inline]
    pub fn push(&self, value: T) -> Result<(), PushError<T>> {
        match self.push_relaxed(value) {
            Ok(()) => Ok(()),
            Err(RelaxedPushError::Full(value)) => Err(PushError::Full(value)),
            Err(RelaxedPushError::Closed(value)) => Err(PushError::Closed(value)),
            Err(RelaxedPushError::Busy(value)) => self.push_patiently(value),
        }
    }

    #[cold]
    fn push_patiently(&self, mut value: T) -> Result<(), PushError<T>> {
        let mut busy = BusyWait::new();
        loop {
            busy.wait();
            match self.push_relaxed(value) {
                Ok(()) => return Ok(()),
                Err(RelaxedPushError::Full(value)) => return Err(PushError::Full(value)),
                Err(RelaxedPushError::Closed(value)) => return Err(PushError::Closed(value)),
                Err(RelaxedPushError::Busy(refused)) => value = refused,
            }
        }
    }

    /// Pushes a value behind all others, unless somebody is in the way.
    ///
    /// *Progress.* Waits for nobody. A try that is disturbed by another push is repeated, so of several that push at the same
    /// time one at least gets on.
    ///
    /// # Errors
    /// [`RelaxedPushError`] gives the value back: the ring is full, or closed, or its next slot is busy.
    #[inline]
    pub fn push_relaxed(&self, value: T) -> Result<(), RelaxedPushError<T>> {
        // Nobody sleeps here, so nobody is owed a wake-up.
        self.ring.push(value).map(|_| ())
    }

    /// Pushes a value, displacing the oldest one if the ring is full.
    ///
    /// Returns the displaced value, so that nothing vanishes uncounted. Displaces one value at most.
    ///
    /// *Progress.* As [`push`](Self::push).
    ///
    /// # Errors
    /// [`ClosedError`] gives the value back if the ring is closed.
    ///
    /// # Examples
    /// ```
    /// let ring = millpond::ring::mpmc::Ring::new(1);
    /// assert_eq!(ring.force_push(1), Ok(None));
    /// assert_eq!(ring.force_push(2), Ok(Some(1)));
    /// ```
    pub fn force_push(&self, mut value: T) -> Result<Option<T>, ClosedError<T>> {
        let mut busy = BusyWait::new();
        loop {
            match self.ring.force_push(value) {
                Ok(pushed) => return Ok(pushed.evicted),
                Err(RelaxedPushError::Closed(refused)) => return Err(ClosedError(refused)),
                Err(RelaxedPushError::Full(refused) | RelaxedPushError::Busy(refused)) => value = refused,
            }
            busy.wait();
        }
    }

    /// Pushes values from the front of `values` while there is room, and returns how many.
    ///
    /// They enter as one: no other push comes between them. What found no room stays in `values`, in order.
    ///
    /// *Progress.* As [`push`](Self::push); one compare-and-swap for all.
    ///
    /// # Errors
    /// [`PushError`] if not even one was pushed: the ring is full, or closed.
    ///
    /// # Examples
    /// ```
    /// let ring = millpond::ring::mpmc::Ring::new(2);
    /// let mut values = std::collections::VecDeque::from([1, 2, 3]);
    /// assert_eq!(ring.push_many(&mut values), Ok(2));
    /// assert_eq!(values, [3]);
    /// ```
    pub fn push_many(&self, values: &mut VecDeque<T>) -> Result<usize, PushError<()>> {
        if values.is_empty() {
            return Ok(0);
        }
        let mut busy = BusyWait::new();
        loop {
            match self.ring.push_many(values) {
                Ok((count, _)) => return Ok(count),
                Err(RelaxedPushError::Full(())) => return Err(PushError::Full(())),
                Err(RelaxedPushError::Closed(())) => return Err(PushError::Closed(())),
                Err(RelaxedPushError::Busy(())) => busy.wait(),
            }
        }
    }

    /// Pops the oldest value.
    ///
    /// *Progress.* Never parks; waits for a thread that is in the middle of a step in the way, as the module says.
    ///
    /// # Errors
    /// [`PopError`]: the ring is empty, and perhaps closed.
    #[inline]
    pub fn pop(&self) -> Result<T, PopError> {
        match self.pop_relaxed() {
            Ok(value) => Ok(value),
            Err(RelaxedPopError::Empty) => Err(PopError::Empty),
            Err(RelaxedPopError::Closed) => Err(PopError::Closed),
            Err(RelaxedPopError::Busy) => self.pop_patiently(),
        }
    }

    #[cold]
    fn pop_patiently(&self) -> Result<T, PopError> {
        let mut busy = BusyWait::new();
        loop {
            busy.wait();
            match self.pop_relaxed() {
                Ok(value) => return Ok(value),
                Err(RelaxedPopError::Empty) => return Err(PopError::Empty),
                Err(RelaxedPopError::Closed) => return Err(PopError::Closed),
                Err(RelaxedPopError::Busy) => {}
            }
        }
    }

    /// Pops the oldest value, unless somebody is in the way.
    ///
    /// *Progress.* Waits for nobody. A try that is disturbed by another pop is repeated, so of several that pop at the same
    /// time one at least gets on.
    ///
    /// # Errors
    /// [`RelaxedPopError`]: the ring is empty, and perhaps closed, or its next slot is busy.
    #[inline]
    pub fn pop_relaxed(&self) -> Result<T, RelaxedPopError> {
        self.ring.pop().map(|(value, _)| value)
    }

    /// Pops up to `limit` values to the end of `values`, and returns how many.
    ///
    /// They leave as one: no other pop takes one from between them.
    ///
    /// *Progress.* As [`pop`](Self::pop); one compare-and-swap for all. May allocate, for `values`.
    ///
    /// # Errors
    /// [`PopError`] if not even one was popped: the ring is empty, and perhaps closed.
    ///
    /// # Examples
    /// ```
    /// let ring = millpond::ring::mpmc::Ring::new(4);
    /// (0..3).for_each(|n| ring.push(n).expect("there is room for four"));
    /// let mut values = Vec::new();
    /// assert_eq!(ring.pop_many(&mut values, 2), Ok(2));
    /// assert_eq!(values, [0, 1]);
    /// ```
    pub fn pop_many(&self, values: &mut Vec<T>, limit: usize) -> Result<usize, PopError> {
        if limit == 0 {
            return Ok(0);
        }
        let mut busy = BusyWait::new();
        loop {
            match self.ring.pop_many(values, limit) {
                Ok((count, _)) => return Ok(count),
                Err(RelaxedPopError::Empty) => return Err(PopError::Empty),
                Err(RelaxedPopError::Closed) => return Err(PopError::Closed),
                Err(RelaxedPopError::Busy) => busy.wait(),
            }
        }
    }

    /// Closes the ring: no push succeeds any more. Returns whether this call did it.
    ///
    /// *Progress.* Wait-free.
    pub fn close(&self) -> bool {
        self.ring.close()
    }

    /// Whether the ring is closed. Once true, it stays so.
    ///
    /// *Progress.* Wait-free.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.ring.is_closed()
    }

    /// Returns how many values are inside, those being moved in or out included.
    ///
    /// Exact at one moment during the call, and stale at once; never more than the capacity.
    ///
    /// *Progress.* Waits for nobody, but starts again when a push comes in between.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ring.len()
    }

    /// Whether no value is inside. Stale at once.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is no room. Stale at once.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len() == self.capacity()
    }

    /// Returns how many values fit in. It never changes.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.ring.capacity()
    }
}

impl<T> fmt::Debug for Ring<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("is_closed", &self.is_closed())
            .finish()
    }
}

// No panic can be seen through a ring: nobody's code runs inside it but the drops of values that have left it.
impl<T> UnwindSafe for Ring<T> {}
impl<T> RefUnwindSafe for Ring<T> {}
