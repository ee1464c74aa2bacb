//! A run of free places: filled at leisure, published by one store.

use super::Producer;
use crate::ring::lane::Rest;
use std::fmt;
#[cfg(not(millpond_loom))]
use std::mem::MaybeUninit;

impl<T> Producer<T> {
    /// Returns a chunk of up to `limit` free places, to be filled and then published at once.
    ///
    /// As many as are free when this is called; none if the ring is full.
    ///
    /// *Progress.* Wait-free.
    #[inline]
    pub fn chunk(&mut self, limit: usize) -> WriteChunk<'_, T> {
        let geometry = self.shared.lane.geometry();
        let mut free = geometry.len(self.tail, self.limit);
        if free < limit {
            self.sees_room();
            free = geometry.len(self.tail, self.limit);
        }
        WriteChunk::new(self, free.min(limit))
    }

    /// Returns a chunk of exactly `count` free places, to be filled and then published at once. `None`: there are fewer.
    ///
    /// For whoever would rather come back than publish less: the other end then finds whole chunks, and takes the cache
    /// lines over less often.
    ///
    /// *Progress.* Wait-free.
    ///
    /// # Examples
    /// ```
    /// let (mut producer, mut consumer) = millpond::ring::spsc::ring(4);
    /// producer.chunk_exact(3).expect("all is free").fill_from([1, 2, 3]); // not committed
    /// let mut chunk = producer.chunk_exact(3).expect("so it still is");
    /// chunk.fill_from([1, 2, 3]);
    /// chunk.commit();
    /// assert!(producer.chunk_exact(2).is_none());
    /// assert!(consumer.chunk_exact(4).is_none());
    /// let chunk = consumer.chunk_exact(2).expect("three are inside");
    /// assert_eq!(chunk.into_iter().sum::<i32>(), 3);
    /// ```
    #[inline]
    pub fn chunk_exact(&mut self, count: usize) -> Option<WriteChunk<'_, T>> {
        let geometry = self.shared.lane.geometry();
        if geometry.len(self.tail, self.limit) < count {
            self.sees_room();
        }
        (geometry.len(self.tail, self.limit) >= count).then(|| WriteChunk::new(self, count))
    }
}

/// Free places at the end of a ring, from [`Producer::chunk`].
///
/// Values that are filled in become visible to the consumer all at once, by [`commit`](Self::commit). A chunk that is dropped
/// without it publishes nothing and drops the values that were filled in; one that is forgotten leaks them.
///
/// ```
/// let (mut producer, mut consumer) = millpond::ring::spsc::ring(4);
/// let mut chunk = producer.chunk(3);
/// chunk.fill_from(["a", "b"]);
/// chunk.fill_from(["c", "d"]); // one place is left
/// assert_eq!((chunk.filled(), chunk.len()), (3, 3));
/// drop(chunk);
/// assert_eq!(consumer.peek(), None);
/// ```
#[must_use = "places that are not filled and committed are given back"]
pub struct WriteChunk<'a, T> {
    producer: &'a mut Producer<T>,
    len: usize,
    /// So many places, from the producer's `tail` on, hold values that are not published.
    filled: usize,
}

impl<'a, T> WriteChunk<'a, T> {
    /// For the `len` free places from the producer's `tail` on.
    #[inline]
    pub(super) fn new(producer: &'a mut Producer<T>, len: usize) -> Self {
        debug_assert!(len <= producer.capacity());
        Self { producer, len, filled: 0 }
    }

    /// Returns how many places the chunk has, filled or not.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether the chunk has no place at all: the ring was full.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns how many places are filled.
    #[must_use]
    pub const fn filled(&self) -> usize {
        self.filled
    }

    /// Fills places with what the iterator brings, in order, and returns how many.
    ///
    /// Asks for no more values than there are places: pass `by_ref()` of an iterator to keep the rest. If it panics, what it
    /// brought before stays in the chunk.
    ///
    /// *Progress.* Wait-free, but for the iterator.
    #[inline]
    pub fn fill_from(&mut self, values: impl IntoIterator<Item = T>) -> usize {
        let before = self.filled;
        if self.filled < self.len {
            self.fill_places(values.into_iter());
        }
        self.filled - before
    }

    /// Fills places slot by slot, as loom's cells demand.
    #[cfg(millpond_loom)]
    fn fill_places(&mut self, values: impl Iterator<Item = T>) {
        let mut at = self.at(self.filled);
        for value in values.take(self.len - self.filled) {
            // SAFETY: the places up to `len` are free (R1) and those from `filled` on are empty; we hold the pusher.
            unsafe { self.producer.shared.lane.put(at, value) };
            at = self.producer.shared.lane.geometry().next(at);
            self.filled += 1;
        }
    }

    /// Fills places where they lie: two runs of memory, so that nothing but the value is looked at for each.
    #[cfg(not(millpond_loom))]
    #[inline]
    fn fill_places(&mut self, mut values: impl Iterator<Item = T>) {
        let (first, count) = (self.at(self.filled), self.len - self.filled);
        for (piece, count) in self.producer.shared.lane.pieces(first, count) {
            // SAFETY: these places are free and the pusher's (R1), which is borrowed; the other piece lies elsewhere.
            let places = unsafe { std::slice::from_raw_parts_mut(piece, count) };
            for (place, value) in places.iter_mut().zip(&mut values) {
                place.write(value);
                self.filled += 1;
            }
        }
    }

    /// Publishes the filled places, by one store, and returns how many. The others are given back.
    ///
    /// *Progress.* Wait-free.
    #[inline]
    pub fn commit(mut self) -> usize {
        let count = self.filled;
        self.filled = 0;
        self.producer.move_tail(self.at(count));
        count
    }

    /// Returns the position of the place `nth`.
    #[inline]
    fn at(&self, nth: usize) -> u64 {
        self.producer.shared.lane.geometry().advance(self.producer.tail, nth)
    }
}

#[cfg(not(millpond_loom))]
impl<T> WriteChunk<'_, T> {
    /// Fills places with copies from the front of `values`, and returns how many.
    ///
    /// *Progress.* Wait-free.
    #[inline]
    pub fn fill_from_slice(&mut self, values: &[T]) -> usize
    where
        T: Copy,
    {
        let count = values.len().min(self.len - self.filled);
        let (front, back) = self.vacant_slices();
        let (first, second) = values[..count].split_at(count.min(front.len()));
        copy(first, front);
        if !second.is_empty() {
            copy(second, back);
        }
        // SAFETY: the first `count` places have just been written: the front is used up before the back is touched.
        unsafe { self.assume_filled(count) };
        count
    }

    /// Returns the places that are not filled, in order: two slices, for the run may wrap around at the end of the ring.
    ///
    /// What is written here counts after [`assume_filled`](Self::assume_filled) only.
    ///
    /// ```
    /// let (mut producer, mut consumer) = millpond::ring::spsc::ring::<u64>(4);
    /// let mut chunk = producer.chunk(2);
    /// let (front, _) = chunk.vacant_slices();
    /// front[0].write(1);
    /// front[1].write(2);
    /// // SAFETY: both have just been written.
    /// unsafe { chunk.assume_filled(2) };
    /// chunk.commit();
    /// assert_eq!((consumer.pop(), consumer.pop()), (Ok(1), Ok(2)));
    /// ```
    ///
    /// *Progress.* Wait-free.
    #[inline]
    pub fn vacant_slices(&mut self) -> (&mut [MaybeUninit<T>], &mut [MaybeUninit<T>]) {
        let (first, count) = (self.at(self.filled), self.len - self.filled);
        let [(front, in_front), (back, in_back)] = self.producer.shared.lane.pieces(first, count);
        // SAFETY: these places are free and the pusher's (R1), which is borrowed for as long as the slice is.
        let front = unsafe { std::slice::from_raw_parts_mut(front, in_front) };
        // SAFETY: as above; `pieces` do not overlap, for there are no more places than slots.
        let back = unsafe { std::slice::from_raw_parts_mut(back, in_back) };
        (front, back)
    }

    /// Counts the first `count` of the [vacant places](Self::vacant_slices) as filled.
    ///
    /// # Safety
    /// They have been written, and hold a value each.
    ///
    /// # Panics
    /// If there are not so many.
    #[inline]
    pub unsafe fn assume_filled(&mut self, count: usize) {
        assert!(count <= self.len - self.filled, "a chunk has no more places than it has");
        self.filled += count;
    }
}

/// Copies to the first places, of which there are enough.
#[cfg(not(millpond_loom))]
#[inline]
fn copy<T: Copy>(values: &[T], places: &mut [MaybeUninit<T>]) {
    let places = &mut places[..values.len()];
    // SAFETY: both are as long, and the places are borrowed mutably, so they are apart; `T: Copy` may be copied bit by bit.
    unsafe { places.as_mut_ptr().cast::<T>().copy_from_nonoverlapping(values.as_ptr(), values.len()) };
}

impl<T> Drop for WriteChunk<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if self.filled > 0 {
            // SAFETY: filled and not published, so they are the pusher's, which forgets them here (R1).
            unsafe { Rest::drop_between(&self.producer.shared.lane, self.at(0), self.at(self.filled)) };
        }
    }
}

impl<T> fmt::Debug for WriteChunk<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteChunk").field("len", &self.len).field("filled", &self.filled).finish()
    }
}
