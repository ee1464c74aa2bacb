//! Publishing allocates nothing once a topic's subscriptions are known.

#[path = "common/alloc.rs"]
mod alloc;

use alloc::counted;
use millpond::topic::{RecvError, Topics};
use millpond::{Context, Pool};

#[test]
fn publishing_and_receiving_allocate_nothing() {
    let topics = Topics::<u64>::new();
    let topic = topics.topic("user.signed_up").unwrap();
    let mut subscriptions: Vec<_> = (0..20)
        .map(|_| topics.subscribe("user.*").unwrap().filter(|n| **n > 0).lossless(4).unwrap())
        .collect();
    let pool = Pool::builder().workers(1).capacity(1_000).start(|_: &u64, _: &Context| ()).unwrap();
    let mut lossy = topics.subscribe("#").unwrap().lossy(2).unwrap();
    let _feed = topic.to_queue(&pool.handle()).unwrap();
    let mut round = || {
        assert_eq!(topic.publish(1).unwrap().reached, 22);
        assert_eq!(topic.publish(0).unwrap().filtered, 20);
        assert_eq!(topic.try_publish(2).unwrap().reached, 22);
        for subscription in &mut subscriptions {
            assert_eq!((*subscription.recv().unwrap(), *subscription.recv().unwrap()), (1, 2));
        }
        assert!(lossy.recv().is_err_and(|error| error == RecvError::Lagged(1)));
        assert_eq!((*lossy.recv().unwrap(), *lossy.recv().unwrap()), (0, 2));
    };
    round();
    let (allocations, _) = counted(|| (0..100).for_each(|_| round()));
    assert_eq!(allocations, 0);
}

#[test]
fn a_refusal_and_a_wait_allocate_nothing() {
    let topics = Topics::<u64>::new();
    let topic = topics.topic("x").unwrap();
    let _full = topic.subscribe().lossless(1).unwrap();
    topic.publish(1).unwrap();
    let _ = topic.try_publish(2);
    let (allocations, _) = counted(|| {
        for _ in 0..100 {
            assert!(topic.try_publish(2).is_err());
            assert!(topic.publish_timeout(2, std::time::Duration::from_micros(10)).is_err());
        }
    });
    assert_eq!(allocations, 0);
}
