//! The rings without waiting.

use crate::ends::{ChunkRx, ChunkTx, Chunks, Ring, Shape, TryRx, TryTx};
use millpond::ring::mpmc;
use millpond::ring::spsc::{Consumer, Producer, ring};
use std::sync::Arc;

/// Between two.
pub(super) struct Two;
/// Between many.
pub(super) struct Many;

impl TryTx for Producer<u64> {
    #[inline]
    fn push_one(&mut self, number: u64) -> bool {
        self.push(number).is_ok()
    }
}

impl TryRx for Consumer<u64> {
    #[inline]
    fn pop_one(&mut self) -> Option<u64> {
        self.pop().ok()
    }
}

impl ChunkTx for Producer<u64> {
    fn push_chunk(&mut self, first: u64, count: usize) -> usize {
        // As rtrb's: the whole chunk, or none.
        let Some(mut chunk) = self.chunk_exact(count) else { return 0 };
        chunk.fill_from(first..);
        chunk.commit()
    }
}

impl ChunkRx for Consumer<u64> {
    fn pop_chunk(&mut self, limit: usize, take: &mut impl FnMut(u64)) -> usize {
        let chunk = self.chunk(limit);
        let (first, second) = chunk.slices();
        first.iter().chain(second).for_each(|&number| take(number));
        let count = chunk.len();
        chunk.commit_all();
        count
    }
}

impl Ring for Two {
    fn fits(shape: &Shape) -> bool {
        shape.is_spsc()
    }

    fn open_ring(shape: Shape) -> (Vec<impl TryTx>, Vec<impl TryRx>) {
        let (producer, consumer) = ring(shape.capacity);
        (vec![producer], vec![consumer])
    }
}

impl Chunks for Two {
    fn open_chunks(capacity: usize) -> (impl ChunkTx, impl ChunkRx) {
        ring(capacity)
    }
}

#[derive(Clone)]
struct Shared(Arc<mpmc::Ring<u64>>);

impl TryTx for Shared {
    #[inline]
    fn push_one(&mut self, number: u64) -> bool {
        self.0.push(number).is_ok()
    }
}

impl TryRx for Shared {
    #[inline]
    fn pop_one(&mut self) -> Option<u64> {
        self.0.pop().ok()
    }
}

impl Ring for Many {
    fn fits(shape: &Shape) -> bool {
        shape.is_buffered()
    }

    fn open_ring(shape: Shape) -> (Vec<impl TryTx>, Vec<impl TryRx>) {
        let shared = Shared(Arc::new(mpmc::Ring::new(shape.capacity)));
        (shape.senders(shared.clone()), shape.receivers(shared))
    }
}
