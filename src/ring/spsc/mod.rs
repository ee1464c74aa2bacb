//! A bounded ring between one producer and one consumer that poll: wait-free, one value at a time or many, in place.
//!
//! Neither end can be cloned, and both take `&mut self`: that there is one thread on each side at a time is checked by the
//! compiler, and makes a push or a pop one plain store.
//!
//! *Full, empty.* What an end finds out about itself holds until it moves: the other end can only make more room, or more
//! values. The cursors are passed on by Release and Acquire and no fence: two threads that each push to a ring and then find
//! another one empty may have missed each other. (Those who need more take a [channel](crate::spsc).)
//!
//! *Closed.* When one end is dropped the ring is closed. The consumer gets what is left first. The producer looks only when the
//! ring is full: a push that returned `Ok` does not say that anybody is left to pop.
//!
//! *Dropped.* Values that are still inside when both ends are gone are dropped then.
//!
//! *Progress.* Every function is wait-free: a bounded number of steps, whatever the other end does. What runs besides is the
//! caller's own code: iterators, and drops of values.
//!
//! *Memory.* A slot is the payload alone.
//!
//! # Many values at once
//! A chunk is a run of places, at the end of the ring where it wraps around in two pieces. All values of one chunk are
//! published, or all places given back, by one store:
//!
//! ```
//! let (mut producer, mut consumer) = millpond::ring::spsc::ring(8);
//! let mut chunk = producer.chunk(5); // as many as are free, up to 5
//! chunk.fill_from(1..=5);
//! assert_eq!(chunk.commit(), 5);
//!
//! let chunk = consumer.chunk(3);
//! assert_eq!(chunk.slices(), (&[1, 2, 3][..], &[][..]));
//! chunk.commit(2); // done with the first two
//! assert_eq!(consumer.chunk(8).into_iter().collect::<Vec<_>>(), [3, 4, 5]);
//! ```

// For those who work here:
//
// R1. Slots from the producer's own `tail` up to its `limit` are free, slots from the consumer's own `head` up to its `limit` are
//     full. Each end moves its own position first and tells the other later, if at all: a value that was taken lies before
//     `head`, one that was not published lies from `tail` on.
// R2. Each end looks at the other's position again only when the last it saw of it tells it to stop.

mod read;
#[cfg(all(test, not(millpond_loom)))]
mod tests;
mod write;

pub use read::{Drain, ReadChunk};
pub use write::WriteChunk;

use crate::ring::cursor::Geometry;
use crate::ring::error::{PopError, PushError};
use crate::ring::lane::{Lane, Rest};
use crate::sync::Arc;
use crate::sync::atomic::{AtomicBool, Ordering};
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// What both ends share.
struct Shared<T> {
    lane: Lane<T>,
    /// One end is gone. Each end asks for the other one.
    closed: AtomicBool,
}

/// The only end that pushes into a ring made by [`ring`].
pub struct Producer<T> {
    shared: Arc<Shared<T>>,
    /// Where the next value is put.
    tail: u64,
    /// The position that is not free yet, as far as was seen: one lap after `head`.
    limit: u64,
}

/// The only end that pops from a ring made by [`ring`].
pub struct Consumer<T> {
    shared: Arc<Shared<T>>,
    /// Where the next value is taken.
    head: u64,
    /// The position that is not full yet, as far as was seen.
    limit: u64,
}

/// Makes an empty ring of exactly `capacity` slots, and returns its two ends.
///
/// # Panics
/// If `capacity` is 0, or the memory for it cannot be addressed or allocated.
///
/// # Examples
/// ```
/// use millpond::ring::error::{PopError, PushError};
///
/// let (mut producer, mut consumer) = millpond::ring::spsc::ring(2);
/// assert_eq!(producer.push('a'), Ok(()));
/// assert_eq!(producer.push('b'), Ok(()));
/// assert_eq!(producer.push('c'), Err(PushError::Full('c')));
/// assert_eq!(consumer.pop(), Ok('a'));
/// drop(producer);
/// assert_eq!(consumer.pop(), Ok('b'));
/// assert_eq!(consumer.pop(), Err(PopError::Closed));
/// ```
///
/// Neither end can be cloned:
/// ```compile_fail,E0599
/// let (producer, consumer) = millpond::ring::spsc::ring::<u8>(2);
/// let _ = producer.clone();
/// ```
/// ```compile_fail,E0599
/// let (producer, consumer) = millpond::ring::spsc::ring::<u8>(2);
/// let _ = consumer.clone();
/// ```
#[must_use]
pub fn ring<T>(capacity: usize) -> (Producer<T>, Consumer<T>) {
    starting_at(Geometry::new(capacity), 0)
}

/// Makes a ring whose positions wrap around after `laps` trips.
#[cfg(any(test, millpond_loom))]
#[doc(hidden)]
#[must_use]
pub fn ring_near_wrap_around<T>(capacity: usize, laps: u64) -> (Producer<T>, Consumer<T>) {
    let geometry = Geometry::new(capacity);
    starting_at(geometry, geometry.start_before_wrap(laps))
}

fn starting_at<T>(geometry: Geometry, start: u64) -> (Producer<T>, Consumer<T>) {
    let shared = Arc::new(Shared { lane: Lane::new(geometry, start), closed: AtomicBool::new(false) });
    let producer = Producer { shared: Arc::clone(&shared), tail: start, limit: geometry.next_lap(start) };
    (producer, Consumer { shared, head: start, limit: start })
}

impl<T> Shared<T> {
    /// Whether the end that does not ask is gone. Once true, it stays so.
    fn is_closed(&self) -> bool {
        // ORDERING: Acquire pairs with the Release in `close`: who sees that an end is gone sees all that it did.
        self.closed.load(Ordering::Acquire)
    }

    fn close(&self) {
        // ORDERING: Release pairs with the Acquire in `is_closed`.
        self.closed.store(true, Ordering::Release);
    }
}

impl<T> Producer<T> {
    /// Pushes a value behind all others.
    ///
    /// *Progress.* Wait-free.
    ///
    /// # Errors
    /// [`PushError`] gives the value back: the ring is full, and closed if the consumer is gone. `Full` may be out of date at
    /// once.
    #[inline]
    pub fn push(&mut self, value: T) -> Result<(), PushError<T>> {
        let at = self.tail;
        if at == self.limit && !self.sees_room() {
            return Err(self.refuse(value));
        }
        // SAFETY: the slot is free, and we are the pusher (R1).
        unsafe { self.shared.lane.put(at, value) };
        self.move_tail(self.shared.lane.geometry().next(at));
        Ok(())
    }

    /// Pushes copies of the values from the front of `values` while there is room, and returns how many.
    ///
    /// All are published by one store.
    ///
    /// *Progress.* Wait-free.
    ///
    /// # Examples
    /// ```
    /// let (mut producer, mut consumer) = millpond::ring::spsc::ring(4);
    /// assert_eq!(producer.push_slice(b"abc"), 3);
    /// assert_eq!(producer.push_slice(b"def"), 1);
    /// let mut values = [0; 3];
    /// assert_eq!(consumer.pop_slice(&mut values), 3);
    /// assert_eq!(&values, b"abc");
    /// ```
    #[cfg(not(millpond_loom))]
    #[inline]
    pub fn push_slice(&mut self, values: &[T]) -> usize
    where
        T: Copy,
    {
        let mut chunk = self.chunk(values.len());
        chunk.fill_from_slice(values);
        chunk.commit()
    }

    /// Returns how many places are free: so many pushes succeed at least.
    ///
    /// The consumer may make more at any time; only this end makes them fewer.
    ///
    /// *Progress.* Wait-free.
    #[must_use]
    pub fn free(&self) -> usize {
        self.capacity() - self.len()
    }

    /// Returns how many values are inside, as seen from this end: the consumer may make them fewer at any time.
    ///
    /// *Progress.* Wait-free.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.lane.geometry().len(self.shared.lane.head(), self.tail)
    }

    /// Whether no value is inside. Once true, it stays so until this end pushes.
    ///
    /// *Progress.* Wait-free.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is no room. May cease to be so at any time.
    ///
    /// *Progress.* Wait-free.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len() == self.capacity()
    }

    /// Returns how many values fit in. It never changes.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.shared.lane.geometry().capacity()
    }

    /// Whether the consumer is gone, so that nobody will pop what is pushed. Once true, it stays so.
    ///
    /// *Progress.* Wait-free.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }

    /// Publishes what lies before `to`.
    #[inline(always)]
    fn move_tail(&mut self, to: u64) {
        self.tail = to;
        self.shared.lane.set_tail(to);
    }

    /// Looks how far the consumer has come. Returns whether there is room for one at least.
    #[inline]
    fn sees_room(&mut self) -> bool {
        self.limit = self.shared.lane.geometry().next_lap(self.shared.lane.head());
        self.limit != self.tail
    }

    #[cold]
    fn refuse(&self, value: T) -> PushError<T> {
        if self.is_closed() { PushError::Closed(value) } else { PushError::Full(value) }
    }
}

impl<T> Consumer<T> {
    /// Pops the oldest value.
    ///
    /// *Progress.* Wait-free.
    ///
    /// # Errors
    /// [`PopError`]: the ring is empty, and closed if the producer is gone. `Empty` may be out of date at once; `Closed` is final.
    #[inline]
    pub fn pop(&mut self) -> Result<T, PopError> {
        let at = self.head;
        if at == self.limit && !self.sees_values() {
            self.refuse()?;
        }
        // SAFETY: the slot is full and ours, and its value is taken here only (R1).
        let value = unsafe { self.shared.lane.take(at) };
        self.move_head(self.shared.lane.geometry().next(at));
        Ok(value)
    }

    /// Returns the oldest value where it lies, without popping it. `None`: the ring is empty.
    ///
    /// *Progress.* Wait-free.
    ///
    /// # Examples
    /// ```
    /// let (mut producer, mut consumer) = millpond::ring::spsc::ring(2);
    /// assert_eq!(consumer.peek(), None);
    /// assert_eq!(producer.push(7), Ok(()));
    /// assert_eq!(consumer.peek(), Some(&7));
    /// assert_eq!(consumer.pop(), Ok(7));
    /// ```
    #[inline]
    pub fn peek(&mut self) -> Option<&T> {
        if self.head == self.limit && !self.sees_values() {
            return None;
        }
        // SAFETY: the slot is full and ours (R1); it stays so while the reference keeps this end borrowed.
        Some(unsafe { self.shared.lane.value(self.head) })
    }

    /// Pops values to the front of `values` while there are any and it has places, and returns how many.
    ///
    /// All places are given back by one store.
    ///
    /// *Progress.* Wait-free.
    #[cfg(not(millpond_loom))]
    #[inline]
    pub fn pop_slice(&mut self, values: &mut [T]) -> usize
    where
        T: Copy,
    {
        let chunk = self.chunk(values.len());
        let (front, back) = chunk.slices();
        values[..front.len()].copy_from_slice(front);
        if !back.is_empty() {
            values[front.len()..chunk.len()].copy_from_slice(back);
        }
        let count = chunk.len();
        chunk.commit_all();
        count
    }

    /// Returns how many values are inside: so many pops succeed at least.
    ///
    /// The producer may make more at any time; only this end makes them fewer.
    ///
    /// *Progress.* Wait-free.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.lane.geometry().len(self.head, self.shared.lane.tail())
    }

    /// Whether no value is inside. May cease to be so at any time.
    ///
    /// *Progress.* Wait-free.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is no room. Once true, it stays so until this end gives places back.
    ///
    /// *Progress.* Wait-free.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len() == self.capacity()
    }

    /// Returns how many values fit in. It never changes.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.shared.lane.geometry().capacity()
    }

    /// Whether the producer is gone. Once true, it stays so, and what is inside is all that will ever be.
    ///
    /// *Progress.* Wait-free.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }

    /// Gives back the places before `to`.
    #[inline(always)]
    fn move_head(&mut self, to: u64) {
        self.head = to;
        self.shared.lane.set_head(to);
    }

    /// Looks how far the producer has come. Returns whether there is a value at least.
    #[inline]
    fn sees_values(&mut self) -> bool {
        self.limit = self.shared.lane.tail();
        self.limit != self.head
    }

    /// Finds out why there is no value; `Ok`: there is one after all.
    #[cold]
    fn refuse(&mut self) -> Result<(), PopError> {
        if !self.shared.is_closed() {
            return Err(PopError::Empty);
        }
        // The producer may have pushed between our look and its going: what it did is seen now.
        if self.sees_values() { Ok(()) } else { Err(PopError::Closed) }
    }
}

impl<T> Drop for Producer<T> {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl<T> Drop for Consumer<T> {
    fn drop(&mut self) {
        // What was taken by a drain that was forgotten lies before `head` and must not be dropped again (R1).
        self.shared.lane.set_head(self.head);
        self.shared.close();
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: full (L1), and nobody else is left.
        unsafe { Rest::drop_between(&self.lane, self.lane.head(), self.lane.tail()) };
    }
}

impl<T> fmt::Debug for Producer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("is_closed", &self.is_closed())
            .finish()
    }
}

impl<T> fmt::Debug for Consumer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("is_closed", &self.is_closed())
            .finish()
    }
}

// A panic in the caller's code leaves the positions where they were, or past what has been taken: both ends stay usable.
impl<T> UnwindSafe for Producer<T> {}
impl<T> RefUnwindSafe for Producer<T> {}
impl<T> UnwindSafe for Consumer<T> {}
impl<T> RefUnwindSafe for Consumer<T> {}
