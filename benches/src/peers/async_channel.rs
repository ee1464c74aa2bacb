//! async-channel.

use crate::ends::{AsyncRx, AsyncTx, Asynchronous, Blocking, FromAsync, IntoAsync, Message, Rx, Shape, Tx};
use crate::peer::Peer;
use async_channel::{Receiver, Sender, bounded};

pub(super) fn peers() -> Vec<Peer> {
    vec![
        Peer::new("async-channel")
            .blocking::<Mpmc>()
            .asynchronous::<Mpmc>()
            .select_async::<Mpmc>()
            .into_async::<Mpmc>()
            .from_async::<Mpmc>(),
    ]
}

struct Mpmc;

impl<M: Message> Tx<M> for Sender<M> {
    #[inline]
    fn send_one(&mut self, message: M) {
        self.send_blocking(message).expect("the receivers are alive");
    }
}

impl<M: Message> Rx<M> for Receiver<M> {
    #[inline]
    fn recv_one(&mut self) -> Option<M> {
        self.recv_blocking().ok()
    }
}

impl AsyncTx<u64> for Sender<u64> {
    #[inline]
    async fn send_one_async(&mut self, message: u64) {
        self.send(message).await.expect("the receivers are alive");
    }
}

impl AsyncRx<u64> for Receiver<u64> {
    #[inline]
    async fn recv_one_async(&mut self) -> Option<u64> {
        self.recv().await.ok()
    }
}

impl Blocking for Mpmc {
    fn fits(shape: &Shape) -> bool {
        shape.is_buffered()
    }

    fn open<M: Message>(shape: Shape) -> (Vec<impl Tx<M>>, Vec<impl Rx<M>>) {
        let (sender, receiver) = bounded(shape.capacity);
        (shape.senders(sender), shape.receivers(receiver))
    }
}

impl Asynchronous for Mpmc {
    fn fits(shape: &Shape) -> bool {
        shape.is_buffered()
    }

    fn open_async(shape: Shape) -> (Vec<impl AsyncTx<u64>>, Vec<impl AsyncRx<u64>>) {
        let (sender, receiver) = bounded(shape.capacity);
        (shape.senders(sender), shape.receivers(receiver))
    }
}

impl IntoAsync for Mpmc {
    fn fits(shape: &Shape) -> bool {
        shape.is_buffered()
    }

    fn open_into_async(shape: Shape) -> (Vec<impl Tx<u64>>, Vec<impl AsyncRx<u64>>) {
        let (sender, receiver) = bounded(shape.capacity);
        (shape.senders(sender), shape.receivers(receiver))
    }
}

impl FromAsync for Mpmc {
    fn fits(shape: &Shape) -> bool {
        shape.is_buffered()
    }

    fn open_from_async(shape: Shape) -> (Vec<impl AsyncTx<u64>>, Vec<impl Rx<u64>>) {
        let (sender, receiver) = bounded(shape.capacity);
        (shape.senders(sender), shape.receivers(receiver))
    }
}
