//! disruptor. Its events are polled from our threads, which spin and yield like those of all rings. As a ring it gives one
//! event at a time, like the others; subscribers take what there is, which is what it is for.

use crate::ends::{Broadcast, ChunkRx, ChunkTx, Chunks, Publish, Ring, Shape, Subscribe, TryRx, TryTx};
use crate::load::ring::Patience;
use crate::peer::Peer;
use disruptor::wait_strategies::WaitStrategy;
use disruptor::{
    EventPoller, MultiConsumerBarrier, Polling, Producer, Sequence, SingleConsumerBarrier, SingleProducer,
    SingleProducerBarrier, build_single_producer,
};

pub(super) fn peers() -> Vec<Peer> {
    vec![Peer::new("disruptor").ring::<Spsc>().chunks::<Spsc>().broadcast::<Lossless>()]
}

struct Spsc;
struct Lossless;

/// An event of the ring.
#[derive(Default)]
struct Event(u64);

/// Nobody waits inside the library here.
#[derive(Clone, Copy)]
struct Never;

impl WaitStrategy for Never {
    fn wait_for(&self, _: Sequence) {}
}

type Alone = SingleProducer<Event, SingleConsumerBarrier>;
type Poller = EventPoller<Event, SingleProducerBarrier>;

fn open(capacity: usize) -> (Alone, Poller) {
    let (poller, builder) = build_single_producer(capacity, Event::default, Never).new_event_poller();
    (builder.build(), poller)
}

struct Publisher<P>(P);

impl<P: Producer<Event> + Send> TryTx for Publisher<P> {
    #[inline]
    fn push_one(&mut self, number: u64) -> bool {
        self.0.try_publish(|event| event.0 = number).is_ok()
    }
}

impl TryRx for Poller {
    #[inline]
    fn pop_one(&mut self) -> Option<u64> {
        let mut events = self.take(1).ok()?;
        (&mut events).next().map(|event| event.0)
    }
}

impl Ring for Spsc {
    fn fits(shape: &Shape) -> bool {
        shape.is_spsc()
    }

    fn open_ring(shape: Shape) -> (Vec<impl TryTx>, Vec<impl TryRx>) {
        let (producer, poller) = open(shape.capacity);
        (vec![Publisher(producer)], vec![poller])
    }
}

impl<P: Producer<Event> + Send> ChunkTx for Publisher<P> {
    fn push_chunk(&mut self, first: u64, count: usize) -> usize {
        let published = self.0.try_batch_publish(count, |events| {
            events.zip(first..).for_each(|(event, number)| event.0 = number);
        });
        if published.is_ok() { count } else { 0 }
    }
}

impl ChunkRx for Poller {
    fn pop_chunk(&mut self, limit: usize, take: &mut impl FnMut(u64)) -> usize {
        let Ok(mut events) = self.take(limit as u64) else { return 0 };
        let events = &mut events;
        let count = events.len();
        events.for_each(|event| take(event.0));
        count
    }
}

impl Chunks for Spsc {
    fn open_chunks(capacity: usize) -> (impl ChunkTx, impl ChunkRx) {
        let (producer, poller) = open(capacity);
        (Publisher(producer), poller)
    }
}

/// The type of a producer says whether there is one consumer.
enum Broadcaster {
    ToOne(Alone),
    ToMany(SingleProducer<Event, MultiConsumerBarrier>),
}

impl Publish for Broadcaster {
    #[inline]
    fn publish_one(&mut self, number: u64) {
        let mut patience = Patience::default();
        let fill = |event: &mut Event| event.0 = number;
        while match self {
            Self::ToOne(producer) => producer.try_publish(fill).is_err(),
            Self::ToMany(producer) => producer.try_publish(fill).is_err(),
        } {
            patience.wait();
        }
    }
}

impl Subscribe for Poller {
    #[inline]
    fn receive_some(&mut self, take: &mut impl FnMut(u64)) -> Option<u64> {
        let mut patience = Patience::default();
        loop {
            match self.poll() {
                Ok(mut events) => {
                    (&mut events).for_each(|event| take(event.0));
                    return Some(0);
                }
                Err(Polling::NoEvents) => patience.wait(),
                Err(Polling::Shutdown) => return None,
            }
        }
    }
}

impl Broadcast for Lossless {
    const LOSSY: bool = false;

    fn open_broadcast(capacity: usize, subscribers: usize) -> (impl Publish + Send, Vec<impl Subscribe>) {
        let builder = build_single_producer(capacity, Event::default, Never);
        let (poller, builder) = builder.new_event_poller();
        if subscribers == 1 {
            return (Broadcaster::ToOne(builder.build()), vec![poller]);
        }
        let (second, mut builder) = builder.new_event_poller();
        let mut pollers = vec![poller, second];
        for _ in 2..subscribers {
            let (next, rest) = builder.new_event_poller();
            pollers.push(next);
            builder = rest;
        }
        (Broadcaster::ToMany(builder.build()), pollers)
    }
}
