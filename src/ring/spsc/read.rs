//! A run of values: looked at or taken where they lie, given back by one store.

use super::Consumer;
use std::fmt;
use std::iter::FusedIterator;
use std::marker::PhantomData;

impl<T> Consumer<T> {
    /// Returns a chunk of up to `limit` values, to be looked at or taken where they lie.
    ///
    /// As many as are inside when this is called; none if the ring is empty.
    ///
    /// *Progress.* Wait-free.
    #[inline]
    pub fn chunk(&mut self, limit: usize) -> ReadChunk<'_, T> {
        let geometry = self.shared.lane.geometry();
        let mut inside = geometry.len(self.head, self.limit);
        if inside < limit {
            self.sees_values();
            inside = geometry.len(self.head, self.limit);
        }
        ReadChunk::new(self, inside.min(limit))
    }

    /// Returns a chunk of exactly `count` values, to be looked at or taken where they lie. `None`: there are fewer.
    ///
    /// See [`Producer::chunk_exact`](super::Producer::chunk_exact).
    ///
    /// *Progress.* Wait-free.
    #[inline]
    pub fn chunk_exact(&mut self, count: usize) -> Option<ReadChunk<'_, T>> {
        let geometry = self.shared.lane.geometry();
        if geometry.len(self.head, self.limit) < count {
            self.sees_values();
        }
        (geometry.len(self.head, self.limit) >= count).then(|| ReadChunk::new(self, count))
    }
}

/// The oldest values of a ring, from [`Consumer::chunk`].
///
/// They stay in the ring until they are [committed](Self::commit) or taken by iterating: a chunk that is dropped changes nothing.
#[must_use = "a chunk that is not committed leaves its values in the ring"]
pub struct ReadChunk<'a, T> {
    consumer: &'a mut Consumer<T>,
    len: usize,
    /// Unlike the consumer, a chunk gives out `&T`: it is `Sync` only if `T` is.
    values: PhantomData<T>,
}

impl<'a, T> ReadChunk<'a, T> {
    /// For the `len` values from the consumer's `head` on.
    #[inline]
    pub(super) fn new(consumer: &'a mut Consumer<T>, len: usize) -> Self {
        debug_assert!(len <= consumer.capacity());
        Self { consumer, len, values: PhantomData }
    }

    /// Returns how many values there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no value: the ring was empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Drops the first `count` values and gives their places back, by one store. The others stay in the ring.
    ///
    /// If the drop of a value panics, the other ones of the `count` are dropped all the same.
    ///
    /// *Progress.* Wait-free, but for the drops.
    ///
    /// # Panics
    /// If there are not so many.
    #[inline]
    pub fn commit(self, count: usize) {
        assert!(count <= self.len, "a chunk of {} values was asked to commit {count}", self.len);
        if std::mem::needs_drop::<T>() {
            Discard(Drain { consumer: self.consumer, left: count }).drop_values();
        } else {
            self.consumer.move_head(self.consumer.shared.lane.geometry().advance(self.consumer.head, count));
        }
    }

    /// Drops all values and gives their places back: see [`commit`](Self::commit).
    #[inline]
    pub fn commit_all(self) {
        let count = self.len;
        self.commit(count);
    }
}

#[cfg(not(millpond_loom))]
impl<T> ReadChunk<'_, T> {
    /// Returns the values, in order: two slices, for the run may wrap around at the end of the ring.
    ///
    /// *Progress.* Wait-free.
    #[must_use]
    #[inline]
    pub fn slices(&self) -> (&[T], &[T]) {
        let [(front, in_front), (back, in_back)] =
            self.consumer.shared.lane.pieces(self.consumer.head, self.len);
        // SAFETY: these slots are full and the popper's (R1), which is borrowed for as long as the slice is.
        let front = unsafe { std::slice::from_raw_parts(front.cast::<T>().cast_const(), in_front) };
        // SAFETY: as above.
        let back = unsafe { std::slice::from_raw_parts(back.cast::<T>().cast_const(), in_back) };
        (front, back)
    }
}

impl<'a, T> IntoIterator for ReadChunk<'a, T> {
    type Item = T;
    type IntoIter = Drain<'a, T>;

    #[inline]
    fn into_iter(self) -> Drain<'a, T> {
        Drain { left: self.len, consumer: self.consumer }
    }
}

/// Takes the values of a [`ReadChunk`] out, one by one.
///
/// The places of those that were taken are given back by one store when this is dropped; what was not taken stays in the ring.
/// If it is forgotten, the places are given back by the next pop.
#[must_use = "iterators are lazy"]
pub struct Drain<'a, T> {
    consumer: &'a mut Consumer<T>,
    /// So many values from the consumer's `head` on are still to come.
    left: usize,
}

impl<T> Iterator for Drain<'_, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        self.left = self.left.checked_sub(1)?;
        let at = self.consumer.head;
        self.consumer.head = self.consumer.shared.lane.geometry().next(at);
        // SAFETY: the slot is full and ours, and `head` has moved past it, so that it is taken here only (R1).
        Some(unsafe { self.consumer.shared.lane.take(at) })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T> ExactSizeIterator for Drain<'_, T> {}
impl<T> FusedIterator for Drain<'_, T> {}

impl<T> Drop for Drain<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.consumer.move_head(self.consumer.head);
    }
}

/// Drops values, also those behind one whose drop panics.
struct Discard<'a, T>(Drain<'a, T>);

impl<T> Discard<'_, T> {
    fn drop_values(&mut self) {
        self.0.by_ref().for_each(drop);
    }
}

impl<T> Drop for Discard<'_, T> {
    fn drop(&mut self) {
        self.drop_values();
    }
}

impl<T> fmt::Debug for ReadChunk<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadChunk").field("len", &self.len).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Drain<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain").field("left", &self.left).finish_non_exhaustive()
    }
}
