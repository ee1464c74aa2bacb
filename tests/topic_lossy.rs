//! Subscriptions that may lose: publishers never wait for them, and each loss is told, exactly.

mod common;

use common::{Bell, Sleeper, Watchdog};
use millpond::topic::{
    Event, RecvError, RecvTimeoutError, SubscribeError, Subscription, Topics, TryRecvError,
};
use std::pin::pin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_slow_subscription_is_told_what_it_lost_and_goes_on_with_the_oldest() {
    let topics = Topics::<u32>::new();
    let topic = topics.topic("tick").unwrap();
    for capacity in 1..=8 {
        let mut latest = topics.subscribe("*").unwrap().lossy(capacity).unwrap();
        assert_eq!(latest.capacity(), capacity);
        let mut expected = 0;
        for burst in 0..3 * capacity as u32 {
            let first = expected;
            for n in first..first + burst {
                assert_eq!(topic.try_publish(n).unwrap().reached, 1);
            }
            expected = first + burst;
            let lost = burst.saturating_sub(capacity as u32);
            if lost > 0 {
                assert_eq!(latest.try_recv(), Err(TryRecvError::Lagged(u64::from(lost))));
            }
            let seen: Vec<_> = std::iter::from_fn(|| latest.try_recv().ok()).map(Event::into_value).collect();
            assert_eq!(seen, (first + lost..expected).collect::<Vec<_>>());
        }
        assert_eq!(latest.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(latest.stats().reached, u64::from(expected));
    }
    assert_eq!(topics.subscribe("*").unwrap().lossy(0).unwrap_err(), SubscribeError::NoCapacity);
}

#[test]
fn lossless_and_lossy_subscriptions_share_a_topic() {
    let topics = Topics::<u32>::new();
    let topic = topics.topic("user.signed_up").unwrap();
    let mut keeps = topics.subscribe("user.*").unwrap().named("keeps").lossless(4).unwrap();
    let mut loses = topics.subscribe("#").unwrap().filter(|n| **n % 2 == 0).lossy(1).unwrap();
    for n in 0..4 {
        assert_eq!(topic.try_publish(n).unwrap().reached, 1 + usize::from(n % 2 == 0));
    }
    for n in [4, 5] {
        assert_eq!(topic.try_publish(n).unwrap_err().blocked_by().unwrap().name(), "keeps");
    }
    assert_eq!(loses.recv(), Err(RecvError::Lagged(1)), "what was refused was lost to nobody");
    assert_eq!(loses.recv().unwrap().into_value(), 2);
    for n in 0..4 {
        assert_eq!(keeps.recv().unwrap().into_value(), n);
    }
    assert_eq!((loses.stats().reached, loses.stats().lost, loses.stats().filtered), (2, 1, 2));
    assert_eq!((keeps.stats().reached, keeps.stats().lost), (4, 0));
}

#[test]
fn a_lossy_subscription_waits_ends_and_is_dropped_as_any_other() {
    let topics = Topics::<Arc<u32>>::new();
    let topic = topics.topic("x").unwrap();
    let mut subscription = topic.subscribe().lossy(4).unwrap();
    assert_eq!(subscription.recv_timeout(Duration::from_millis(1)), Err(RecvTimeoutError::Timeout));
    let receiving = Sleeper::asleep(move || (**subscription.recv().unwrap(), subscription));
    topic.publish(Arc::new(1)).unwrap();
    let (first, mut subscription) = receiving.join();
    assert_eq!(first, 1);
    let bell = Bell::new();
    {
        let mut cancelled = pin!(subscription.recv_async());
        assert!(bell.poll(cancelled.as_mut()).is_pending());
        topic.publish(Arc::new(2)).unwrap();
        assert_eq!(bell.rings(), 1);
    }
    assert_eq!(**futures::executor::block_on(subscription.recv_async()).unwrap(), 2);

    let value = Arc::new(3);
    topic.publish(Arc::clone(&value)).unwrap();
    assert_eq!((Arc::strong_count(&value), subscription.len()), (2, 1));
    drop(subscription);
    assert_eq!(Arc::strong_count(&value), 1, "a mailbox goes with its subscription");
    assert_eq!(topic.publish(value).unwrap().reached, 0);

    let mut last = topic.subscribe().lossy(4).unwrap();
    topic.publish(Arc::new(4)).unwrap();
    drop((topics, topic));
    assert_eq!(**last.recv().unwrap(), 4);
    assert_eq!(last.recv(), Err(RecvError::Closed));
    assert_eq!(last.recv_timeout(Duration::MAX), Err(RecvTimeoutError::Closed));
}

/// Receives until the end; each loss has to fit exactly between the events around it.
fn follow(mut subscription: Subscription<u64>) -> (u64, u64) {
    let (mut received, mut lost, mut next) = (0, 0, 0);
    loop {
        match subscription.recv_timeout(LONG) {
            Ok(event) => {
                assert_eq!(*event, next, "lost without a word, repeated or out of order");
                next += 1;
                received += 1;
            }
            Err(RecvTimeoutError::Lagged(count)) => {
                assert!(count > 0);
                next += count;
                lost += count;
            }
            Err(RecvTimeoutError::Closed) => break,
            Err(error) => panic!("{error}"),
        }
        if received % 64 == 0 {
            thread::yield_now();
        }
    }
    assert_eq!((subscription.stats().reached, subscription.stats().lost), (received + lost, lost));
    (received, lost)
}

#[test]
fn what_was_received_and_what_was_lost_is_what_was_published() {
    const EVENTS: u64 = 50_000;
    let dog = Watchdog::start("lossy subscribers");
    let topics = Topics::<u64>::new();
    let topic = topics.topic("x").unwrap();
    let onlookers: Vec<_> = [1, 3, 64]
        .map(|capacity| {
            let subscription = topics.subscribe("#").unwrap().lossy(capacity).unwrap();
            thread::spawn(move || follow(subscription))
        })
        .into();
    let stalled = topics.subscribe("#").unwrap().lossy(2).unwrap();
    for n in 0..EVENTS {
        // Nobody can refuse this: the stalled one neither.
        assert_eq!(topic.try_publish(n).unwrap().reached, 4);
        if n % 1_000 == 0 {
            dog.pet();
        }
    }
    drop((topics, topic));
    for onlooker in onlookers {
        let (received, lost) = onlooker.join().unwrap();
        println!("{received} received, {lost} lost");
        assert_eq!(received + lost, EVENTS);
    }
    let mut stalled = stalled;
    assert_eq!(stalled.recv(), Err(RecvError::Lagged(EVENTS - 2)));
    assert_eq!((*stalled.recv().unwrap(), *stalled.recv().unwrap()), (EVENTS - 2, EVENTS - 1));
}

/// Several publishers, lossy subscriptions that come and go, and one that loses nothing and sees that all is there.
#[test]
fn lossy_subscriptions_come_and_go_beside_a_lossless_one() {
    const PUBLISHERS: u64 = 3;
    const EACH: u64 = 5_000;
    let dog = Watchdog::start("lossy subscribers come and go");
    let topics = Topics::<u64>::new();
    let mut everything = topics.subscribe("#").unwrap().lossless(16).unwrap();
    let publishers: Vec<_> = (0..PUBLISHERS)
        .map(|publisher| {
            let topic = topics.topic(format!("from.{publisher}")).unwrap();
            thread::spawn(move || {
                for n in 0..EACH {
                    assert!(topic.publish(publisher * EACH + n).unwrap().reached >= 1);
                }
            })
        })
        .collect();
    let passers_by = thread::spawn({
        let topics = topics.clone();
        move || {
            for round in 0..300 {
                let mut subscription = topics.subscribe("from.*").unwrap().lossy(1 + round % 4).unwrap();
                let (mut received, mut lost) = (0, 0);
                for _ in 0..20 {
                    match subscription.recv_timeout(Duration::from_millis(1)) {
                        Ok(_) => received += 1,
                        Err(RecvTimeoutError::Lagged(count)) => lost += count,
                        Err(_) => break,
                    }
                }
                let left = subscription.len() as u64;
                assert!(received + lost <= subscription.stats().reached + PUBLISHERS, "{left} left");
            }
        }
    });
    let mut next = [0; PUBLISHERS as usize];
    for count in 0..PUBLISHERS * EACH {
        let value = everything.recv_timeout(LONG).unwrap().into_value();
        let next = &mut next[(value / EACH) as usize];
        assert_eq!(value % EACH, *next);
        *next += 1;
        if count % 500 == 0 {
            dog.pet();
        }
    }
    publishers.into_iter().for_each(|publisher| publisher.join().unwrap());
    passers_by.join().unwrap();
    assert_eq!(topics.stats().subscriptions, 1);
}
