//! async-broadcast, as it comes: without overflow, so that nobody misses a message.

use crate::ends::{AsyncBroadcast, AsyncPublish, AsyncSubscribe, Broadcast, News, Publish, Subscribe};
use crate::peer::Peer;
use async_broadcast::{Receiver, RecvError, Sender, broadcast};

pub(super) fn peers() -> Vec<Peer> {
    vec![Peer::new("async-broadcast").broadcast::<Lossless>().async_broadcast::<Lossless>()]
}

struct Lossless;

impl Publish for Sender<u64> {
    #[inline]
    fn publish_one(&mut self, number: u64) {
        self.broadcast_blocking(number).expect("the subscribers are alive");
    }
}

impl AsyncPublish for Sender<u64> {
    #[inline]
    async fn publish_one_async(&mut self, number: u64) {
        self.broadcast_direct(number).await.expect("the subscribers are alive");
    }
}

impl Subscribe for Receiver<u64> {
    #[inline]
    fn receive_some(&mut self, take: &mut impl FnMut(u64)) -> Option<u64> {
        take(self.recv_blocking().ok()?);
        Some(0)
    }
}

impl AsyncSubscribe for Receiver<u64> {
    #[inline]
    async fn receive_async(&mut self) -> News {
        match self.recv_direct().await {
            Ok(number) => News::Message(number),
            Err(RecvError::Overflowed(missed)) => News::Missed(missed),
            Err(RecvError::Closed) => News::Ended,
        }
    }
}

fn open(capacity: usize, subscribers: usize) -> (Sender<u64>, Vec<Receiver<u64>>) {
    let (sender, receiver) = broadcast(capacity);
    (sender, vec![receiver; subscribers])
}

impl Broadcast for Lossless {
    const LOSSY: bool = false;

    fn open_broadcast(capacity: usize, subscribers: usize) -> (impl Publish + Send, Vec<impl Subscribe>) {
        open(capacity, subscribers)
    }
}

impl AsyncBroadcast for Lossless {
    const LOSSY: bool = false;

    fn open_async_broadcast(
        capacity: usize,
        subscribers: usize,
    ) -> (impl AsyncPublish, Vec<impl AsyncSubscribe>) {
        open(capacity, subscribers)
    }
}
