//! The standard library's `sync_channel`.

use crate::ends::{Batch, BatchRx, BatchTx, Blocking, Message, Rx, Shape, Tx};
use crate::peer::Peer;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

pub(super) fn peers() -> Vec<Peer> {
    vec![Peer::new("std sync_channel").blocking::<Mpsc>().batch::<Mpsc>()]
}

struct Mpsc;

impl<M: Message> Tx<M> for SyncSender<M> {
    #[inline]
    fn send_one(&mut self, message: M) {
        self.send(message).expect("the receiver is alive");
    }
}

impl<M: Message> Rx<M> for Receiver<M> {
    #[inline]
    fn recv_one(&mut self) -> Option<M> {
        self.recv().ok()
    }
}

impl BatchTx for SyncSender<u64> {
    fn send_batch(&mut self, first: u64, count: u64) {
        (first..first + count).for_each(|number| self.send_one(number));
    }
}

impl BatchRx for Receiver<u64> {
    fn recv_batch(&mut self, limit: usize, take: &mut impl FnMut(u64)) -> bool {
        let Some(first) = self.recv_one() else { return false };
        take(first);
        self.try_iter().take(limit - 1).for_each(take);
        true
    }
}

impl Blocking for Mpsc {
    fn fits(shape: &Shape) -> bool {
        shape.consumers == 1
    }

    fn open<M: Message>(shape: Shape) -> (Vec<impl Tx<M>>, Vec<impl Rx<M>>) {
        let (sender, receiver) = sync_channel(shape.capacity);
        (shape.senders(sender), vec![receiver])
    }
}

impl Batch for Mpsc {
    fn fits(shape: &Shape) -> bool {
        shape.consumers == 1
    }

    fn open_batch(shape: Shape) -> (Vec<impl BatchTx>, Vec<impl BatchRx>) {
        let (sender, receiver) = sync_channel(shape.capacity);
        (shape.senders(sender), vec![receiver])
    }
}
