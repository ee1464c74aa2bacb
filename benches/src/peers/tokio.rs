//! tokio's `mpsc` and `broadcast`.

use crate::ends::{
    AsyncBroadcast, AsyncPublish, AsyncRx, AsyncSubscribe, AsyncTx, Asynchronous, Batch, BatchRx, BatchTx,
    Blocking, Broadcast, FromAsync, IntoAsync, Message, News, Publish, Rx, Shape, Stalled, Subscribe, Tx,
};
use crate::peer::Peer;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::mpsc::{Receiver, Sender, channel};

pub(super) fn peers() -> Vec<Peer> {
    vec![
        Peer::new("tokio mpsc")
            .blocking::<Mpsc>()
            .asynchronous::<Mpsc>()
            .select_async::<Mpsc>()
            .into_async::<Mpsc>()
            .from_async::<Mpsc>()
            .batch::<Mpsc>(),
        Peer::new("tokio broadcast").broadcast::<Lossy>().async_broadcast::<Lossy>().stalled::<Lossy>(),
    ]
}

struct Mpsc;

impl<M: Message> Tx<M> for Sender<M> {
    #[inline]
    fn send_one(&mut self, message: M) {
        self.blocking_send(message).expect("the receiver is alive");
    }
}

impl<M: Message> Rx<M> for Receiver<M> {
    #[inline]
    fn recv_one(&mut self) -> Option<M> {
        self.blocking_recv()
    }
}

impl AsyncTx<u64> for Sender<u64> {
    #[inline]
    async fn send_one_async(&mut self, message: u64) {
        self.send(message).await.expect("the receiver is alive");
    }
}

impl AsyncRx<u64> for Receiver<u64> {
    #[inline]
    async fn recv_one_async(&mut self) -> Option<u64> {
        self.recv().await
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
    fn recv_batch(&mut self, limit: usize, take: &mut impl FnMut(u64)) -> bool {
        let received = self.receiver.blocking_recv_many(&mut self.batch, limit);
        self.batch.drain(..).for_each(take);
        received > 0
    }
}

impl Blocking for Mpsc {
    fn fits(shape: &Shape) -> bool {
        shape.is_mpsc()
    }

    fn open<M: Message>(shape: Shape) -> (Vec<impl Tx<M>>, Vec<impl Rx<M>>) {
        let (sender, receiver) = channel(shape.capacity);
        (shape.senders(sender), vec![receiver])
    }
}

impl Asynchronous for Mpsc {
    fn fits(shape: &Shape) -> bool {
        shape.is_mpsc()
    }

    fn open_async(shape: Shape) -> (Vec<impl AsyncTx<u64>>, Vec<impl AsyncRx<u64>>) {
        let (sender, receiver) = channel(shape.capacity);
        (shape.senders(sender), vec![receiver])
    }
}

impl IntoAsync for Mpsc {
    fn fits(shape: &Shape) -> bool {
        shape.is_mpsc()
    }

    fn open_into_async(shape: Shape) -> (Vec<impl Tx<u64>>, Vec<impl AsyncRx<u64>>) {
        let (sender, receiver) = channel(shape.capacity);
        (shape.senders(sender), vec![receiver])
    }
}

impl FromAsync for Mpsc {
    fn fits(shape: &Shape) -> bool {
        shape.is_mpsc()
    }

    fn open_from_async(shape: Shape) -> (Vec<impl AsyncTx<u64>>, Vec<impl Rx<u64>>) {
        let (sender, receiver) = channel(shape.capacity);
        (shape.senders(sender), vec![receiver])
    }
}

impl Batch for Mpsc {
    fn fits(shape: &Shape) -> bool {
        shape.is_mpsc()
    }

    fn open_batch(shape: Shape) -> (Vec<impl BatchTx>, Vec<impl BatchRx>) {
        let (sender, receiver) = channel(shape.capacity);
        (shape.senders(sender), vec![BatchReceiver { receiver, batch: Vec::new() }])
    }
}

struct Lossy;

impl Publish for broadcast::Sender<u64> {
    #[inline]
    fn publish_one(&mut self, number: u64) {
        // An error says that nobody is subscribed, which is what one of the cells is about.
        let _ = self.send(number);
    }
}

impl AsyncPublish for broadcast::Sender<u64> {
    #[inline]
    async fn publish_one_async(&mut self, number: u64) {
        self.publish_one(number);
    }
}

impl Subscribe for broadcast::Receiver<u64> {
    #[inline]
    fn receive_some(&mut self, take: &mut impl FnMut(u64)) -> Option<u64> {
        match self.blocking_recv() {
            Ok(number) => take(number),
            Err(RecvError::Lagged(missed)) => return Some(missed),
            Err(RecvError::Closed) => return None,
        }
        Some(0)
    }
}

impl AsyncSubscribe for broadcast::Receiver<u64> {
    #[inline]
    async fn receive_async(&mut self) -> News {
        match self.recv().await {
            Ok(number) => News::Message(number),
            Err(RecvError::Lagged(missed)) => News::Missed(missed),
            Err(RecvError::Closed) => News::Ended,
        }
    }
}

impl Broadcast for Lossy {
    const LOSSY: bool = true;

    fn open_broadcast(capacity: usize, subscribers: usize) -> (impl Publish + Send, Vec<impl Subscribe>) {
        let publisher = broadcast::Sender::new(capacity);
        let subscribers = (0..subscribers).map(|_| publisher.subscribe()).collect();
        (publisher, subscribers)
    }
}

impl AsyncBroadcast for Lossy {
    const LOSSY: bool = true;

    fn open_async_broadcast(
        capacity: usize,
        subscribers: usize,
    ) -> (impl AsyncPublish, Vec<impl AsyncSubscribe>) {
        let publisher = broadcast::Sender::new(capacity);
        let subscribers = (0..subscribers).map(|_| publisher.subscribe()).collect();
        (publisher, subscribers)
    }
}

/// A publisher, and subscribers that never receive: there is no guard to hold in tokio's interface.
struct BesideStalled {
    publisher: broadcast::Sender<u64>,
    _stalled: Vec<broadcast::Receiver<u64>>,
}

impl Publish for BesideStalled {
    #[inline]
    fn publish_one(&mut self, number: u64) {
        self.publisher.publish_one(number);
    }
}

impl Stalled for Lossy {
    /// With no subscriber at all nothing is published: that would be another cell.
    fn fits(stalled: usize) -> bool {
        stalled > 0
    }

    fn open_stalled(capacity: usize, stalled: usize) -> impl Publish {
        let publisher = broadcast::Sender::new(capacity);
        let stalled = (0..stalled).map(|_| publisher.subscribe()).collect();
        BesideStalled { publisher, _stalled: stalled }
    }
}
