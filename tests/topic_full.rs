//! Topics with full subscriptions: who waits, who is told, and that nobody gets half an event.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

mod common;

use common::{Bell, Sleeper};
use millpond::topic::{Event, PublishError, RecvTimeoutError, Subscription, Topic, Topics};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

fn values(subscription: &mut Subscription<u32>) -> Vec<u32> {
    std::iter::from_fn(|| subscription.try_recv().ok()).map(Event::into_value).collect()
}

/// A topic with two subscriptions that lose nothing, the second of which has room for one event.
fn two() -> (Topics<u32>, Topic<u32>, Subscription<u32>, Subscription<u32>) {
    let topics = Topics::new();
    let topic = topics.topic("user.signed_up").unwrap();
    let large = topics.subscribe("user.*").unwrap().named("large").lossless(8).unwrap();
    let small = topics.subscribe("user.#").unwrap().named("small").lossless(1).unwrap();
    (topics, topic, large, small)
}

#[test]
fn a_publish_that_is_refused_has_reached_nobody() {
    let (_topics, topic, mut large, mut small) = two();
    assert_eq!(topic.try_publish(1).unwrap().reached, 2);
    for _ in 0..20 {
        let error = topic.try_publish(2).unwrap_err();
        assert_eq!(error.blocked_by().unwrap().name(), "small");
        assert!(matches!(error, PublishError::Full(2, _)));
    }
    assert!(matches!(topic.publish_timeout(3, Duration::from_millis(5)), Err(PublishError::Timeout(3, _))));
    assert_eq!(values(&mut large), [1], "refused events left neither a trace nor a place that is taken");
    assert_eq!(values(&mut small), [1]);
    for n in 4..12 {
        assert_eq!(topic.try_publish(n).unwrap().reached, 2);
        assert_eq!(values(&mut small), [n]);
    }
    assert_eq!(topic.try_publish(12).unwrap_err().blocked_by().unwrap().name(), "large");
    assert_eq!(values(&mut large), (4..12).collect::<Vec<_>>());
    assert!(values(&mut small).is_empty());
}

#[test]
fn a_publisher_that_waits_goes_on_when_there_is_room() {
    let (_topics, topic, mut large, mut small) = two();
    topic.publish(1).unwrap();
    let waiting = Sleeper::asleep({
        let topic = topic.clone();
        move || topic.publish(2).unwrap().reached
    });
    assert_eq!(values(&mut large), [1], "it has put the event nowhere yet");
    assert_eq!(small.recv().unwrap().into_value(), 1);
    assert_eq!(waiting.join(), 2);
    assert_eq!((values(&mut large), values(&mut small)), (vec![2], vec![2]));
}

#[test]
fn a_publisher_that_waits_goes_on_when_the_subscription_ends_or_the_registry_closes() {
    let (_topics, topic, mut large, small) = two();
    topic.publish(1).unwrap();
    let waiting = Sleeper::asleep({
        let topic = topic.clone();
        move || topic.publish(2).unwrap().reached
    });
    drop(small);
    assert_eq!(waiting.join(), 1);
    assert_eq!(values(&mut large), [1, 2]);

    let (topics, topic, mut large, mut small) = two();
    topic.publish(1).unwrap();
    let waiting = Sleeper::asleep({
        let topic = topic.clone();
        move || topic.publish(2)
    });
    topics.close();
    assert_eq!(waiting.join(), Err(PublishError::Closed(2)));
    assert_eq!((values(&mut large), values(&mut small)), (vec![1], vec![1]));
}

/// A publisher that waits for one subscription keeps no place in another: topics that the full one does not match go on.
#[test]
fn a_full_subscription_gates_its_own_topics_alone() {
    let topics = Topics::<u32>::new();
    let mut shared = topics.subscribe("#").unwrap().lossless(1).unwrap();
    let mut stuck = topics.subscribe("stuck").unwrap().lossless(1).unwrap();
    let (stuck_topic, free_topic) = (topics.topic("stuck").unwrap(), topics.topic("free").unwrap());
    stuck_topic.publish(1).unwrap();
    assert_eq!(values(&mut shared), [1]);
    let waiting = Sleeper::asleep(move || stuck_topic.publish(2).unwrap().reached);
    for n in 10..20 {
        assert_eq!(free_topic.try_publish(n).unwrap().reached, 1, "the only place is free");
        assert_eq!(values(&mut shared), [n]);
    }
    free_topic.publish(20).unwrap();
    assert_eq!(stuck.recv().unwrap().into_value(), 1);
    assert!(!waiting.is_finished(), "now it waits for the other one");
    assert_eq!(shared.recv().unwrap().into_value(), 20);
    assert_eq!(waiting.join(), 2);
    assert_eq!((values(&mut shared), values(&mut stuck)), (vec![2], vec![2]));
}

#[test]
fn a_filter_spares_publishers_the_wait() {
    let topics = Topics::<u32>::new();
    let topic = topics.topic("x").unwrap();
    let mut odd = topic.subscribe().filter(|n| **n % 2 == 1).lossless(1).unwrap();
    topic.publish(1).unwrap();
    assert_eq!(topic.publish(2).unwrap().filtered, 1);
    assert!(topic.try_publish(3).is_err());
    assert_eq!(values(&mut odd), [1]);
}

#[test]
fn async_publishers_wait_and_may_give_up() {
    let (_topics, topic, mut large, mut small) = two();
    topic.publish(1).unwrap();
    let bell = Bell::new();
    {
        let mut given_up = pin!(topic.publish_async(2));
        assert!(bell.poll(given_up.as_mut()).is_pending());
    }
    let mut publishing = pin!(topic.publish_async(3));
    assert!(bell.poll(publishing.as_mut()).is_pending());
    assert_eq!(values(&mut large), [1]);
    assert_eq!(values(&mut small), [1]);
    assert!(bell.rings() > 0, "the publisher was woken");
    let Poll::Ready(report) = bell.poll(publishing.as_mut()) else { panic!("there is room") };
    assert_eq!(report.unwrap().reached, 2);
    assert_eq!((values(&mut large), values(&mut small)), (vec![3], vec![3]));
}

/// A wake-up that a publisher had been given when it gave up goes to the next one.
#[test]
fn a_publisher_that_gives_up_passes_its_wake_up_on() {
    let topics = Topics::<u32>::new();
    let topic = topics.topic("x").unwrap();
    let mut small = topic.subscribe().lossless(1).unwrap();
    topic.publish(1).unwrap();
    let (first, second) = (Bell::new(), Bell::new());
    let mut waiting = pin!(topic.publish_async(3));
    {
        let mut given_up = pin!(topic.publish_async(2));
        assert!(first.poll(given_up.as_mut()).is_pending());
        assert!(second.poll(waiting.as_mut()).is_pending());
        assert_eq!(small.recv().unwrap().into_value(), 1);
        assert_eq!((first.rings(), second.rings()), (1, 0));
    }
    assert_eq!(second.rings(), 1);
    assert!(second.poll(waiting.as_mut()).is_ready());
    assert_eq!(small.recv().unwrap().into_value(), 3);
}

#[test]
fn receiving_waits_for_events_in_every_form() {
    let topics = Topics::<u32>::new();
    let topic = topics.topic("x").unwrap();
    let mut subscription = topic.subscribe().lossless(2).unwrap();
    assert_eq!(subscription.recv_timeout(Duration::from_millis(1)), Err(RecvTimeoutError::Timeout));
    let receiving = Sleeper::asleep(move || {
        let first = subscription.recv().unwrap().into_value();
        (first, subscription)
    });
    topic.publish(1).unwrap();
    let (first, mut subscription) = receiving.join();
    let receiving = Sleeper::asleep(move || subscription.recv_timeout(LONG).unwrap().into_value());
    topic.publish(2).unwrap();
    assert_eq!((first, receiving.join()), (1, 2));

    let mut subscription = topic.subscribe().lossless(2).unwrap();
    let bell = Bell::new();
    {
        let mut cancelled = pin!(subscription.recv_async());
        assert!(bell.poll(cancelled.as_mut()).is_pending());
        topic.publish(3).unwrap();
        assert_eq!(bell.rings(), 1);
    }
    assert_eq!((subscription.len(), subscription.capacity()), (1, 2));
    assert_eq!(futures::executor::block_on(subscription.recv_async()).unwrap().into_value(), 3);
    assert!(subscription.is_empty());
}

/// The publishers' places and the mailbox's room stay in step over many laps, whatever the capacity.
#[test]
fn every_capacity_holds_what_it_says() {
    for capacity in 1..=8 {
        let topics = Topics::<u32>::new();
        let topic = topics.topic("x").unwrap();
        let mut subscription = topic.subscribe().lossless(capacity).unwrap();
        let mut next = 0;
        for _lap in 0..3 {
            let first = next;
            while topic.try_publish(next).is_ok() {
                next += 1;
            }
            assert_eq!((next - first) as usize, capacity);
            assert_eq!(values(&mut subscription), (first..next).collect::<Vec<_>>());
        }
    }
}
