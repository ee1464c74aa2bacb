//! ringbuf, one by one and in slices.

use crate::ends::{ChunkRx, ChunkTx, Chunks, Ring, Shape, TryRx, TryTx};
use crate::peer::Peer;
use ringbuf::traits::{Consumer, Producer, Split};
use ringbuf::{HeapCons, HeapProd, HeapRb};

pub(super) fn peers() -> Vec<Peer> {
    vec![Peer::new("ringbuf").ring::<Spsc>().chunks::<Spsc>()]
}

struct Spsc;

impl TryTx for HeapProd<u64> {
    #[inline]
    fn push_one(&mut self, number: u64) -> bool {
        self.try_push(number).is_ok()
    }
}

impl TryRx for HeapCons<u64> {
    #[inline]
    fn pop_one(&mut self) -> Option<u64> {
        self.try_pop()
    }
}

impl ChunkTx for HeapProd<u64> {
    fn push_chunk(&mut self, first: u64, count: usize) -> usize {
        self.push_iter(first..first + count as u64)
    }
}

struct SliceConsumer {
    consumer: HeapCons<u64>,
    slice: Vec<u64>,
}

impl ChunkRx for SliceConsumer {
    fn pop_chunk(&mut self, limit: usize, take: &mut impl FnMut(u64)) -> usize {
        self.slice.resize(limit, 0);
        let count = self.consumer.pop_slice(&mut self.slice);
        self.slice[..count].iter().for_each(|&number| take(number));
        count
    }
}

impl Ring for Spsc {
    fn fits(shape: &Shape) -> bool {
        shape.is_spsc()
    }

    fn open_ring(shape: Shape) -> (Vec<impl TryTx>, Vec<impl TryRx>) {
        let (producer, consumer) = HeapRb::new(shape.capacity).split();
        (vec![producer], vec![consumer])
    }
}

impl Chunks for Spsc {
    fn open_chunks(capacity: usize) -> (impl ChunkTx, impl ChunkRx) {
        let (producer, consumer) = HeapRb::new(capacity).split();
        (producer, SliceConsumer { consumer, slice: Vec::new() })
    }
}
