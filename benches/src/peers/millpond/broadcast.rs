//! `millpond::broadcast`.

use crate::ends::{
    AsyncBroadcast, AsyncPublish, AsyncSubscribe, Broadcast, News, Publish, Stalled, Subscribe,
};
use millpond::broadcast::{self, MessageRef, Publisher, RecvError, Subscriber};

pub(super) struct Lossless;
pub(super) struct Lossy;

impl Publish for Publisher<u64> {
    #[inline]
    fn publish_one(&mut self, number: u64) {
        self.publish(number).expect("the channel is open");
    }
}

impl AsyncPublish for Publisher<u64> {
    #[inline]
    async fn publish_one_async(&mut self, number: u64) {
        self.publish_async(number).await.expect("the channel is open");
    }
}

impl Subscribe for Subscriber<u64> {
    #[inline]
    fn receive_some(&mut self, take: &mut impl FnMut(u64)) -> Option<u64> {
        match self.recv() {
            Ok(number) => take(number),
            Err(RecvError::Lagged(missed)) => return Some(missed),
            Err(RecvError::Evicted | RecvError::Closed) => return None,
        }
        Some(0)
    }
}

impl AsyncSubscribe for InBatches {
    #[inline]
    async fn receive_async(&mut self) -> News {
        if let Some(number) = self.next() {
            return News::Message(number);
        }
        self.batch.clear();
        self.read = 0;
        let limit = self.subscriber.capacity();
        match self.subscriber.recv_many_async(&mut self.batch, limit).await {
            Ok(_) => News::Message(self.next().expect("a batch has one message at least")),
            Err(RecvError::Lagged(missed)) => News::Missed(missed),
            Err(RecvError::Evicted | RecvError::Closed) => News::Ended,
        }
    }
}

fn with_subscribers(
    (publisher, first): (Publisher<u64>, Subscriber<u64>),
    count: usize,
) -> (Publisher<u64>, Vec<Subscriber<u64>>) {
    let others = (1..count).map(|_| publisher.subscribe());
    let all = std::iter::once(first).chain(others).collect();
    (publisher, all)
}

/// Takes what there is, as the peers do that can.
struct InBatches {
    subscriber: Subscriber<u64>,
    batch: Vec<u64>,
    read: usize,
}

impl InBatches {
    fn next(&mut self) -> Option<u64> {
        let number = *self.batch.get(self.read)?;
        self.read += 1;
        Some(number)
    }
}

impl Subscribe for InBatches {
    fn receive_some(&mut self, take: &mut impl FnMut(u64)) -> Option<u64> {
        let limit = self.subscriber.capacity();
        self.subscriber.recv_many(&mut self.batch, limit).ok()?;
        self.batch.drain(..).for_each(take);
        Some(0)
    }
}

fn in_batches(
    (publisher, subscribers): (Publisher<u64>, Vec<Subscriber<u64>>),
) -> (Publisher<u64>, Vec<InBatches>) {
    let subscribers = subscribers.into_iter();
    (publisher, subscribers.map(|subscriber| InBatches { subscriber, batch: Vec::new(), read: 0 }).collect())
}

impl Broadcast for Lossless {
    const LOSSY: bool = false;

    fn open_broadcast(capacity: usize, subscribers: usize) -> (impl Publish + Send, Vec<impl Subscribe>) {
        in_batches(with_subscribers(broadcast::lossless(capacity), subscribers))
    }
}

impl Broadcast for Lossy {
    const LOSSY: bool = true;

    fn open_broadcast(capacity: usize, subscribers: usize) -> (impl Publish + Send, Vec<impl Subscribe>) {
        with_subscribers(broadcast::lossy(capacity), subscribers)
    }
}

impl AsyncBroadcast for Lossless {
    const LOSSY: bool = false;

    fn open_async_broadcast(
        capacity: usize,
        subscribers: usize,
    ) -> (impl AsyncPublish, Vec<impl AsyncSubscribe>) {
        in_batches(with_subscribers(broadcast::lossless(capacity), subscribers))
    }
}

impl AsyncBroadcast for Lossy {
    const LOSSY: bool = true;

    fn open_async_broadcast(
        capacity: usize,
        subscribers: usize,
    ) -> (impl AsyncPublish, Vec<impl AsyncSubscribe>) {
        in_batches(with_subscribers(broadcast::lossy(capacity), subscribers))
    }
}

/// A publisher, and the guards that stalled subscribers hold.
struct BesideStalled {
    publisher: Publisher<u64>,
    _held: Vec<MessageRef<'static, u64>>,
}

impl Publish for BesideStalled {
    #[inline]
    fn publish_one(&mut self, number: u64) {
        self.publisher.publish_one(number);
    }
}

/// The same channel where nobody is stalled, in the cell where somebody is.
pub(super) struct NoneStalled;

impl Stalled for NoneStalled {
    fn fits(stalled: usize) -> bool {
        stalled > 0
    }

    fn open_stalled(capacity: usize, _: usize) -> impl Publish {
        Lossy::open_stalled(capacity, 0)
    }
}

impl Stalled for Lossy {
    fn fits(_: usize) -> bool {
        true
    }

    fn open_stalled(capacity: usize, stalled: usize) -> impl Publish {
        let (publisher, _) = broadcast::lossy(capacity);
        let held = (0..stalled).map(|_| {
            // Never given back: a guard borrows its subscriber, and the process measures one sample.
            let subscriber = Box::leak(Box::new(publisher.subscribe()));
            publisher.publish(0).expect("the channel is open");
            subscriber.recv_ref().expect("one message was published")
        });
        let held = held.collect();
        BesideStalled { publisher, _held: held }
    }
}
