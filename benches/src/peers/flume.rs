//! flume.

use crate::ends::{
    AsyncRx, AsyncTx, Asynchronous, Batch, BatchRx, BatchTx, Blocking, FromAsync, IntoAsync, Message, Rx, Select,
    SelectRx, Shape, Tx,
};
use crate::peer::Peer;
use flume::{Receiver, Selector, Sender, bounded};

pub(super) fn peers() -> Vec<Peer> {
    vec![
        Peer::new("flume")
            .blocking::<Mpmc>()
            .asynchronous::<Mpmc>()
            .select_async::<Mpmc>()
            .into_async::<Mpmc>()
            .from_async::<Mpmc>()
            .batch::<Mpmc>()
            .select::<Mpmc>(),
    ]
}

struct Mpmc;

impl<M: Message> Tx<M> for Sender<M> {
    #[inline]
    fn send_one(&mut self, message: M) {
        self.send(message).expect("the receivers are alive");
    }
}

impl<M: Message> Rx<M> for Receiver<M> {
    #[inline]
    fn recv_one(&mut self) -> Option<M> {
        self.recv().ok()
    }
}

impl AsyncTx<u64> for Sender<u64> {
    #[inline]
    async fn send_one_async(&mut self, message: u64) {
        self.send_async(message).await.expect("the receivers are alive");
    }
}

impl AsyncRx<u64> for Receiver<u64> {
    #[inline]
    async fn recv_one_async(&mut self) -> Option<u64> {
        self.recv_async().await.ok()
    }
}

impl BatchTx for Sender<u64> {
    fn send_batch(&mut self, first: u64, count: u64) {
        (first..first + count).for_each(|number| self.send_one(number));
    }
}

impl BatchRx for Receiver<u64> {
    /// Takes everything there is: `drain` has no limit.
    fn recv_batch(&mut self, _: usize, take: &mut impl FnMut(u64)) -> bool {
        let Some(first) = self.recv_one() else { return false };
        take(first);
        self.drain().for_each(take);
        true
    }
}

impl Blocking for Mpmc {
    fn fits(_: &Shape) -> bool {
        true
    }

    fn open<M: Message>(shape: Shape) -> (Vec<impl Tx<M>>, Vec<impl Rx<M>>) {
        let (sender, receiver) = bounded(shape.capacity);
        (shape.senders(sender), shape.receivers(receiver))
    }
}

impl Asynchronous for Mpmc {
    fn fits(_: &Shape) -> bool {
        true
    }

    fn open_async(shape: Shape) -> (Vec<impl AsyncTx<u64>>, Vec<impl AsyncRx<u64>>) {
        let (sender, receiver) = bounded(shape.capacity);
        (shape.senders(sender), shape.receivers(receiver))
    }
}

impl IntoAsync for Mpmc {
    fn fits(_: &Shape) -> bool {
        true
    }

    fn open_into_async(shape: Shape) -> (Vec<impl Tx<u64>>, Vec<impl AsyncRx<u64>>) {
        let (sender, receiver) = bounded(shape.capacity);
        (shape.senders(sender), shape.receivers(receiver))
    }
}

impl FromAsync for Mpmc {
    fn fits(_: &Shape) -> bool {
        true
    }

    fn open_from_async(shape: Shape) -> (Vec<impl AsyncTx<u64>>, Vec<impl Rx<u64>>) {
        let (sender, receiver) = bounded(shape.capacity);
        (shape.senders(sender), shape.receivers(receiver))
    }
}

impl Batch for Mpmc {
    fn fits(_: &Shape) -> bool {
        true
    }

    fn open_batch(shape: Shape) -> (Vec<impl BatchTx>, Vec<impl BatchRx>) {
        let (sender, receiver) = bounded(shape.capacity);
        (shape.senders(sender), shape.receivers(receiver))
    }
}

impl Select for Mpmc {
    fn open_select(capacity: usize, channels: usize) -> (Vec<impl Tx<u64>>, impl SelectRx) {
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..channels).map(|_| bounded::<u64>(capacity)).unzip();
        (senders, receivers)
    }
}

impl SelectRx for Vec<Receiver<u64>> {
    fn receive_all(mut self, take: &mut impl FnMut(u64)) {
        while !self.is_empty() {
            let mut selector = Selector::new();
            for (index, receiver) in self.iter().enumerate() {
                selector = selector.recv(receiver, move |answer| (index, answer.ok()));
            }
            match selector.wait() {
                (_, Some(number)) => take(number),
                (index, None) => drop(self.remove(index)),
            }
        }
    }
}
