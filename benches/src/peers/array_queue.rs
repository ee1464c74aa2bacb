//! crossbeam-queue's `ArrayQueue`.

use crate::ends::{Ring, Shape, TryRx, TryTx};
use crate::peer::Peer;
use crossbeam_queue::ArrayQueue;
use std::sync::Arc;

pub(super) fn peers() -> Vec<Peer> {
    vec![Peer::new("ArrayQueue").ring::<Mpmc>()]
}

struct Mpmc;

impl TryTx for Arc<ArrayQueue<u64>> {
    #[inline]
    fn push_one(&mut self, number: u64) -> bool {
        self.push(number).is_ok()
    }
}

impl TryRx for Arc<ArrayQueue<u64>> {
    #[inline]
    fn pop_one(&mut self) -> Option<u64> {
        self.pop()
    }
}

impl Ring for Mpmc {
    fn fits(shape: &Shape) -> bool {
        shape.is_buffered()
    }

    fn open_ring(shape: Shape) -> (Vec<impl TryTx>, Vec<impl TryRx>) {
        let queue = Arc::new(ArrayQueue::new(shape.capacity));
        (shape.senders(Arc::clone(&queue)), shape.receivers(queue))
    }
}
