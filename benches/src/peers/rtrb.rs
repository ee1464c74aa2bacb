//! rtrb, one by one and in chunks.

use crate::ends::{ChunkRx, ChunkTx, Chunks, Ring, Shape, TryRx, TryTx};
use crate::peer::Peer;
use rtrb::{Consumer, Producer, RingBuffer};

pub(super) fn peers() -> Vec<Peer> {
    vec![Peer::new("rtrb").ring::<Spsc>().chunks::<Spsc>()]
}

struct Spsc;

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
        let Ok(chunk) = self.write_chunk_uninit(count) else { return 0 };
        chunk.fill_from_iter(first..)
    }
}

impl ChunkRx for Consumer<u64> {
    fn pop_chunk(&mut self, limit: usize, take: &mut impl FnMut(u64)) -> usize {
        let count = self.slots().min(limit);
        let Ok(chunk) = self.read_chunk(count) else { return 0 };
        let (first, second) = chunk.as_slices();
        first.iter().chain(second).for_each(|&number| take(number));
        chunk.commit_all();
        count
    }
}

impl Ring for Spsc {
    fn fits(shape: &Shape) -> bool {
        shape.is_spsc()
    }

    fn open_ring(shape: Shape) -> (Vec<impl TryTx>, Vec<impl TryRx>) {
        let (producer, consumer) = RingBuffer::new(shape.capacity);
        (vec![producer], vec![consumer])
    }
}

impl Chunks for Spsc {
    fn open_chunks(capacity: usize) -> (impl ChunkTx, impl ChunkRx) {
        RingBuffer::new(capacity)
    }
}
