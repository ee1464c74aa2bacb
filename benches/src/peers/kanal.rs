//! kanal. Not in `tokio::select!`: a message is lost when its `recv` is dropped at the wrong moment.

use crate::ends::{
    AsyncRx, AsyncTx, Asynchronous, Batch, BatchRx, BatchTx, Blocking, FromAsync, IntoAsync, Message, Rx, Shape,
    Tx,
};
use crate::peer::Peer;
use kanal::{AsyncReceiver, AsyncSender, Receiver, Sender, bounded, bounded_async};

pub(super) fn peers() -> Vec<Peer> {
    vec![
        Peer::new("kanal")
            .blocking::<Mpmc>()
            .asynchronous::<Mpmc>()
            .into_async::<Mpmc>()
            .from_async::<Mpmc>()
            .batch::<Mpmc>(),
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

impl AsyncTx<u64> for AsyncSender<u64> {
    #[inline]
    async fn send_one_async(&mut self, message: u64) {
        self.send(message).await.expect("the receivers are alive");
    }
}

impl AsyncRx<u64> for AsyncReceiver<u64> {
    #[inline]
    async fn recv_one_async(&mut self) -> Option<u64> {
        self.recv().await.ok()
    }
}

impl BatchTx for Sender<u64> {
    fn send_batch(&mut self, first: u64, count: u64) {
        (first..first + count).for_each(|number| self.send_one(number));
    }
}

struct BatchReceiver {
    receiver: Receiver<u64>,
    batch: Vec<u64>,
}

impl BatchRx for BatchReceiver {
    /// Takes everything there is: kanal has no limit.
    fn recv_batch(&mut self, _: usize, take: &mut impl FnMut(u64)) -> bool {
        let Some(first) = self.receiver.recv_one() else { return false };
        take(first);
        // Refused once the channel is closed; then `recv_one` brings what is left.
        if self.receiver.drain_into(&mut self.batch).is_ok() {
            self.batch.drain(..).for_each(take);
        }
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
        let (sender, receiver) = bounded_async(shape.capacity);
        (shape.senders(sender), shape.receivers(receiver))
    }
}

impl IntoAsync for Mpmc {
    fn fits(_: &Shape) -> bool {
        true
    }

    fn open_into_async(shape: Shape) -> (Vec<impl Tx<u64>>, Vec<impl AsyncRx<u64>>) {
        let (sender, receiver) = bounded(shape.capacity);
        (shape.senders(sender), shape.receivers(receiver.to_async()))
    }
}

impl FromAsync for Mpmc {
    fn fits(_: &Shape) -> bool {
        true
    }

    fn open_from_async(shape: Shape) -> (Vec<impl AsyncTx<u64>>, Vec<impl Rx<u64>>) {
        let (sender, receiver) = bounded(shape.capacity);
        (shape.senders(sender.to_async()), shape.receivers(receiver))
    }
}

impl Batch for Mpmc {
    fn fits(_: &Shape) -> bool {
        true
    }

    fn open_batch(shape: Shape) -> (Vec<impl BatchTx>, Vec<impl BatchRx>) {
        let (sender, receiver) = bounded(shape.capacity);
        let receivers = shape.receivers(receiver).into_iter();
        let receivers = receivers.map(|receiver| BatchReceiver { receiver, batch: Vec::new() });
        (shape.senders(sender), receivers.collect())
    }
}
