//! The ways to receive from a subscription beside one by one: batches, iterators, streams, with a deadline.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

mod common;

use common::{Ledger, Sleeper, Watchdog};
use millpond::topic::{Event, RecvError, RecvTimeoutError, Subscription, Topic, Topics};
use std::ops::Range;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(60);

type Item = Result<Event<u32>, RecvError>;

/// A topic, and a subscription of each policy with room for `capacity`, each in a registry of its own.
fn each(capacity: usize) -> [(Topics<u32>, Topic<u32>, Subscription<u32>); 2] {
    [false, true].map(|lossy| {
        let topics = Topics::new();
        let topic = topics.topic("x").unwrap();
        let describe = topics.subscribe("#").unwrap();
        let subscription = if lossy { describe.lossy(capacity) } else { describe.lossless(capacity) };
        (topics, topic, subscription.unwrap())
    })
}

fn publish(topic: &Topic<u32>, values: Range<u32>) {
    for value in values {
        topic.publish(value).unwrap();
    }
}

/// A lossy subscription with room for two that has lost three events of five, and the registry, closed.
fn lagging() -> (Topics<u32>, Subscription<u32>) {
    let topics = Topics::new();
    let subscription = topics.subscribe("#").unwrap().lossy(2).unwrap();
    let topic = topics.topic("x").unwrap();
    publish(&topic, 0..5);
    topics.close();
    (topics, subscription)
}

fn value(item: Item) -> Result<u32, RecvError> {
    item.map(Event::into_value)
}

/// What a lagging subscription brings, in whatever way.
const AFTER_A_LOSS: [Result<u32, RecvError>; 3] = [Err(RecvError::Lagged(3)), Ok(3), Ok(4)];

#[test]
fn a_batch_takes_what_is_there_up_to_its_limit() {
    for (topics, topic, mut subscription) in each(8) {
        let mut events = Vec::new();
        assert_eq!(subscription.recv_many(&mut events, 0), Ok(0), "does not wait for nothing");
        publish(&topic, 0..5);
        assert_eq!(subscription.recv_many(&mut events, 3), Ok(3));
        assert_eq!(subscription.recv_many(&mut events, 100), Ok(2));
        assert!(events.drain(..).map(Event::into_value).eq(0..5));
        topic.publish(5).unwrap();
        topics.close();
        assert!(subscription.is_closed());
        assert_eq!(subscription.recv_many(&mut events, 100), Ok(1));
        for _ in 0..2 {
            assert_eq!(subscription.recv_many(&mut events, 1), Err(RecvError::Closed));
        }
        assert_eq!((events.len(), subscription.stats().reached), (1, 6));
    }
}

#[test]
fn a_batch_waits_for_the_first_event() {
    for (_topics, topic, mut subscription) in each(4) {
        let receiving = Sleeper::asleep(move || {
            let mut events = Vec::new();
            (subscription.recv_many(&mut events, 10), events.len(), subscription)
        });
        topic.publish(1).unwrap();
        let (answer, count, _subscription) = receiving.join();
        assert_eq!((answer, count), (Ok(1), 1));
    }
}

/// A batch makes room for as many publishers as it has events: all of them get on, and no place is lost.
#[test]
fn a_batch_makes_room_for_all_of_it() {
    let topics = Topics::<u32>::new();
    let topic = topics.topic("x").unwrap();
    let mut subscription = topic.subscribe().lossless(3).unwrap();
    for round in 0..10 {
        publish(&topic, 0..3);
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let topic = topic.clone();
                Sleeper::asleep(move || topic.publish(9).is_ok())
            })
            .collect();
        let mut events = Vec::new();
        assert_eq!(subscription.recv_many(&mut events, 3), Ok(3), "round {round}");
        assert!(waiting.into_iter().all(Sleeper::join));
        assert!(topic.try_publish(9).is_err());
        assert_eq!(subscription.recv_many(&mut events, 4), Ok(3));
        assert!(events.into_iter().map(Event::into_value).eq([0, 1, 2, 9, 9, 9]));
    }
}

#[test]
fn a_batch_tells_a_loss_before_its_first_event_and_never_in_the_middle() {
    let (_topics, mut subscription) = lagging();
    let mut events = Vec::new();
    assert_eq!(subscription.recv_many(&mut events, 9), Err(RecvError::Lagged(3)));
    assert_eq!(subscription.recv_many(&mut events, 9), Ok(2));
    assert_eq!(subscription.recv_many(&mut events, 9), Err(RecvError::Closed));
    assert!(events.into_iter().map(Event::into_value).eq([3, 4]));
    assert_eq!(subscription.stats().lost, 3);
}

#[test]
fn a_deadline_is_kept() {
    for (topics, topic, mut subscription) in each(4) {
        assert_eq!(subscription.recv_deadline(Instant::now()), Err(RecvTimeoutError::Timeout));
        topic.publish(1).unwrap();
        let past = Instant::now();
        assert_eq!(subscription.recv_deadline(past).map(Event::into_value), Ok(1), "tries at least once");
        let receiving = Sleeper::asleep(move || subscription.recv_deadline(Instant::now() + LONG));
        topics.close();
        assert_eq!(receiving.join(), Err(RecvTimeoutError::Closed));
    }
    let (_topics, mut subscription) = lagging();
    assert_eq!(subscription.recv_deadline(Instant::now()), Err(RecvTimeoutError::Lagged(3)));
}

#[test]
fn iterators_bring_all_that_comes_then_end() {
    for (topics, topic, mut subscription) in each(8) {
        let receiving = Sleeper::asleep(move || {
            let first: Vec<_> = subscription.iter().take(3).map(value).collect();
            (first, subscription.into_iter().map(value).collect::<Vec<_>>())
        });
        publish(&topic, 0..6);
        topics.close();
        let (first, rest) = receiving.join();
        assert_eq!((first, rest), (vec![Ok(0), Ok(1), Ok(2)], vec![Ok(3), Ok(4), Ok(5)]));
    }
}

#[test]
fn iterators_report_what_was_lost() {
    let (_topics, mut subscription) = lagging();
    assert_eq!(subscription.iter().map(value).collect::<Vec<_>>(), AFTER_A_LOSS);
    assert!(subscription.iter().next().is_none() && subscription.try_iter().next().is_none());

    let (_topics, mut subscription) = lagging();
    assert_eq!(subscription.try_iter().map(value).collect::<Vec<_>>(), AFTER_A_LOSS);

    let (_topics, mut subscription) = lagging();
    let mut seen = Vec::new();
    for item in &mut subscription {
        seen.push(value(item));
    }
    assert_eq!(seen, AFTER_A_LOSS);

    let (_topics, subscription) = lagging();
    let mut owned = subscription.into_iter();
    assert_eq!(owned.by_ref().map(value).collect::<Vec<_>>(), AFTER_A_LOSS);
    assert!(owned.next().is_none());
}

#[test]
fn an_iterator_that_does_not_wait_goes_on_later() {
    for (_topics, topic, mut subscription) in each(4) {
        assert!(subscription.try_iter().next().is_none());
        publish(&topic, 0..3);
        assert!(subscription.try_iter().map(value).eq([Ok(0), Ok(1), Ok(2)]));
        topic.publish(3).unwrap();
        assert!(subscription.try_iter().map(value).eq([Ok(3)]));
    }
}

/// An iterator that owns its subscription ends it when it is dropped.
#[test]
fn an_owned_iterator_is_the_subscription() {
    for (topics, topic, subscription) in each(1) {
        topic.publish(1).unwrap();
        let owned = subscription.into_iter();
        assert!(format!("{owned:?}").contains("Subscription"));
        assert_eq!(topics.stats().subscriptions, 1);
        drop(owned);
        assert_eq!((topics.stats().subscriptions, topic.publish(2).unwrap().reached), (0, 0));
    }
}

/// Batches, iterators and single receives, of a mailbox with little room, under load: nothing lost, doubled or out of order.
#[test]
fn all_ways_mix_under_load() {
    const COUNT: u32 = 20_000;
    let dog = Watchdog::start("all ways to receive");
    for capacity in [1, 2, 7] {
        let topics = Topics::<u32>::new();
        let topic = topics.topic("x").unwrap();
        let mut subscription = topics.subscribe("#").unwrap().lossless(capacity).unwrap();
        let publisher = std::thread::spawn(move || publish(&topic, 0..COUNT));
        drop(topics);
        let (mut seen, mut batch) = (Vec::new(), Vec::new());
        for way in (0..5).cycle() {
            match way {
                0 => seen.extend(subscription.try_iter().map(|item| *item.unwrap())),
                1 => seen.extend(subscription.iter().take(3).map(|item| *item.unwrap())),
                2 => seen.extend(subscription.recv_deadline(Instant::now()).ok().map(Event::into_value)),
                3 => seen.extend(subscription.recv().ok().map(Event::into_value)),
                _ if subscription.recv_many(&mut batch, 4).is_err() => break,
                _ => seen.extend(batch.drain(..).map(Event::into_value)),
            }
        }
        publisher.join().unwrap();
        assert!(seen.into_iter().eq(0..COUNT), "capacity {capacity}");
        dog.pet();
    }
}

/// What is in the mailbox of an iterator that is dropped is dropped, once.
#[test]
fn what_is_not_received_is_dropped_once() {
    #[derive(Clone)]
    struct Value(std::sync::Arc<common::Token>);
    let ledger = Ledger::new(3);
    let topics = Topics::<Value>::new();
    let topic = topics.topic("x").unwrap();
    let mut events = Vec::new();
    let mut owned = topic.subscribe().lossless(3).unwrap().into_iter();
    for id in 0..3 {
        topic.publish(Value(std::sync::Arc::new(ledger.token(id)))).unwrap();
    }
    events.extend(owned.next());
    drop(owned);
    assert_eq!((ledger.drops(), events.pop().unwrap().unwrap().0.id), (2, 0));
    ledger.assert_settled();
}

#[cfg(feature = "stream")]
mod stream {
    use super::*;
    use common::Bell;
    use futures::executor::block_on;
    use futures::stream::{FusedStream, Stream, StreamExt};
    use millpond::topic::SubscriptionStream;
    use std::pin::{Pin, pin};
    use std::task::Poll::{self, Pending, Ready};

    fn poll_next(bell: &std::sync::Arc<Bell>, stream: &mut SubscriptionStream<u32>) -> Poll<Option<Item>> {
        let mut next = stream.next();
        bell.poll(Pin::new(&mut next))
    }

    #[test]
    fn a_stream_brings_all_that_comes_then_ends() {
        fn assert_stream<S: Stream<Item = Item> + FusedStream + Unpin + Send>(_: &S) {}
        let _dog = Watchdog::start("a stream of events");
        for capacity in [1, 2, 7] {
            let topics = Topics::<u32>::new();
            let topic = topics.topic("x").unwrap();
            let mut stream = topics.subscribe("#").unwrap().lossless(capacity).unwrap().into_stream();
            assert_stream(&stream);
            drop(topics);
            let publisher = std::thread::spawn(move || publish(&topic, 0..1_000));
            assert!(
                block_on((&mut stream).map(value).collect::<Vec<_>>()).into_iter().eq((0..1_000).map(Ok))
            );
            publisher.join().unwrap();
            assert!(stream.is_terminated());
            assert_eq!((block_on(stream.next()), block_on(stream.next())), (None, None));
            assert_eq!((stream.stats().reached, stream.info().pattern().as_str()), (1_000, "#"));
            assert!(format!("{stream:?}").contains('#'));
        }
    }

    #[test]
    fn a_stream_reports_what_was_lost() {
        let (_topics, subscription) = lagging();
        let mut stream = subscription.into_stream();
        assert_eq!(stream.len(), 2);
        assert_eq!(block_on((&mut stream).map(value).collect::<Vec<_>>()), AFTER_A_LOSS);
        assert!(stream.is_terminated() && stream.is_empty());
        assert_eq!(stream.stats().lost, 3);
    }

    /// A future that waits for the next event and is dropped takes nothing, not even the wake-up.
    #[test]
    fn a_stream_may_be_left_and_taken_up_again() {
        for (_topics, topic, subscription) in each(2) {
            let (bell, mut stream) = (Bell::new(), subscription.into_stream());
            assert_eq!(poll_next(&bell, &mut stream), Pending);
            topic.publish(1).unwrap();
            assert_eq!(bell.rings(), 1);
            let mut moved = stream;
            let Ready(Some(item)) = poll_next(&bell, &mut moved) else { panic!("an event is there") };
            assert_eq!(value(item), Ok(1));
            assert_eq!(poll_next(&bell, &mut moved), Pending);
        }
    }

    /// Each event that a stream brings makes room for a publisher.
    #[test]
    fn a_stream_makes_room() {
        let topics = Topics::<u32>::new();
        let topic = topics.topic("x").unwrap();
        let mut stream = topic.subscribe().lossless(1).unwrap().into_stream();
        topic.publish(0).unwrap();
        for n in 1..20 {
            let bell = Bell::new();
            let mut publishing = pin!(topic.publish_async(n));
            assert!(bell.poll(publishing.as_mut()).is_pending());
            assert_eq!(block_on(stream.next()).map(value), Some(Ok(n - 1)));
            assert_eq!(bell.rings(), 1);
            assert!(bell.poll(publishing.as_mut()).is_ready());
        }
        assert_eq!((stream.len(), stream.stats().reached), (1, 20));
    }

    /// Dropping a stream ends its subscription, and lets those go that wait for it.
    #[test]
    fn a_dropped_stream_ends_its_subscription() {
        for (topics, topic, subscription) in each(1) {
            let stream = subscription.into_stream();
            topic.publish(1).unwrap();
            let lossless = topic.try_publish(2).is_err();
            let waiting = lossless.then(|| {
                let topic = topic.clone();
                Sleeper::asleep(move || topic.publish(3).unwrap().reached)
            });
            drop(stream);
            assert!(waiting.is_none_or(|waiting| waiting.join() == 0));
            assert_eq!((topics.stats().subscriptions, topic.publish(4).unwrap().reached), (0, 0));
        }
    }

    #[test]
    fn closing_ends_a_stream_that_waits() {
        for (topics, _topic, subscription) in each(1) {
            let (bell, mut stream) = (Bell::new(), subscription.into_stream());
            assert_eq!(poll_next(&bell, &mut stream), Pending);
            topics.close();
            assert_eq!((bell.rings(), poll_next(&bell, &mut stream)), (1, Ready(None)));
        }
    }
}
