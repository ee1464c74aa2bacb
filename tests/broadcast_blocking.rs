//! Sleeping ends of broadcast channels, and what wakes them.

mod common;

use common::{Sleeper, Watchdog};
use millpond::broadcast::{
    PublishTimeoutError, RecvError, RecvTimeoutError, lossless, lossless_evicting, lossy,
};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(2);

#[test]
fn one_message_wakes_all_subscribers() {
    let _dog = Watchdog::start("one message wakes all");
    for (publisher, first) in [lossless(1), lossless_evicting(1, LONG), lossy(1)] {
        let mut subscribers = vec![first];
        // More than are woken with one locking of the list.
        subscribers.extend((0..20).map(|_| publisher.subscribe()));
        let sleepers: Vec<_> = subscribers
            .into_iter()
            .map(|mut subscriber| Sleeper::asleep(move || subscriber.recv()))
            .collect();
        publisher.publish(7).unwrap();
        assert!(sleepers.into_iter().all(|sleeper| sleeper.join() == Ok(7)));
    }
}

#[test]
fn closing_wakes_all_subscribers() {
    let _dog = Watchdog::start("closing wakes all");
    for by_drop in [false, true] {
        for (publisher, mut one) in [lossless::<u8>(1), lossless_evicting(1, LONG), lossy(1)] {
            let mut two = publisher.subscribe();
            let one = Sleeper::asleep(move || one.recv());
            let two = Sleeper::asleep(move || two.recv_timeout(LONG));
            if by_drop {
                drop(publisher);
            } else {
                assert!(publisher.close());
            }
            assert_eq!(one.join(), Err(RecvError::Closed));
            assert_eq!(two.join(), Err(RecvTimeoutError::Closed));
        }
    }
}

#[test]
fn a_receive_times_out_and_takes_nothing() {
    for (publisher, mut subscriber) in [lossless(1), lossless_evicting(1, LONG), lossy(1)] {
        let start = Instant::now();
        assert_eq!(subscriber.recv_timeout(SHORT), Err(RecvTimeoutError::Timeout));
        assert!(start.elapsed() >= SHORT);
        assert_eq!(subscriber.recv_deadline(start), Err(RecvTimeoutError::Timeout));
        publisher.publish(1).unwrap();
        assert_eq!(subscriber.recv_deadline(start), Ok(1), "tries at least once");
        assert_eq!(subscriber.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout));
    }
}

#[test]
fn a_sleeping_publisher_is_woken() {
    let _dog = Watchdog::start("a sleeping publisher is woken");
    for how in 0..5 {
        let (publisher, mut subscriber) = lossless(1);
        publisher.publish(1).unwrap();
        let asleep = publisher.clone();
        let sleeper = Sleeper::asleep(move || asleep.publish(2));
        match how {
            0 => assert_eq!(subscriber.recv(), Ok(1)),
            1 => assert_eq!(*subscriber.recv_ref().unwrap(), 1),
            2 => assert_eq!(subscriber.recv_many(&mut Vec::new(), 9), Ok(1)),
            3 => drop(subscriber),
            _ => assert!(publisher.close()),
        }
        match how {
            0..4 => assert_eq!(sleeper.join(), Ok(1)),
            _ => assert_eq!(sleeper.join().unwrap_err().into_inner(), 2),
        }
    }
}

/// Only the last one to leave the oldest message makes room.
#[test]
fn the_last_subscriber_to_move_wakes_the_publisher() {
    let _dog = Watchdog::start("the last to move");
    let (publisher, first) = lossless(2);
    let mut subscribers = vec![first];
    subscribers.extend((0..3).map(|_| publisher.subscribe()));
    for n in 0..2 {
        publisher.publish(n).unwrap();
    }
    let asleep = publisher.clone();
    let sleeper = Sleeper::asleep(move || asleep.publish(2));
    for (i, subscriber) in subscribers.iter_mut().enumerate() {
        assert!(!sleeper.is_finished(), "{i}");
        assert_eq!(subscriber.recv(), Ok(0));
    }
    assert_eq!(sleeper.join(), Ok(2));
}

/// Several publishers wait at one gate; each message received lets one of them through, and none is forgotten.
#[test]
fn all_sleeping_publishers_get_through() {
    let dog = Watchdog::start("all publishers get through");
    let (publisher, mut subscriber) = lossless(1);
    publisher.publish(0).unwrap();
    let sleepers: Vec<_> = (1..5)
        .map(|n| {
            let publisher = publisher.clone();
            Sleeper::asleep(move || publisher.publish(n))
        })
        .collect();
    let mut all: Vec<i32> = (0..5)
        .map(|_| {
            dog.pet();
            subscriber.recv().unwrap()
        })
        .collect();
    all.sort_unstable();
    assert_eq!(all, [0, 1, 2, 3, 4]);
    assert!(sleepers.into_iter().all(|sleeper| sleeper.join().is_ok()));
}

#[test]
fn a_sleeping_publisher_times_out() {
    let (publisher, mut subscriber) = lossless(1);
    publisher.publish(1).unwrap();
    let start = Instant::now();
    assert_eq!(publisher.publish_timeout(2, SHORT), Err(PublishTimeoutError::Timeout(2)));
    assert!(start.elapsed() >= SHORT);
    assert_eq!(subscriber.recv(), Ok(1));
    assert_eq!(publisher.publish_deadline(2, start), Ok(1), "tries at least once");
}

/// Publishers that sleep wake up by themselves to throw a dead subscriber out: all of them get through.
#[test]
fn sleeping_publishers_throw_a_dead_subscriber_out() {
    let _dog = Watchdog::start("sleeping publishers evict");
    let (publisher, dead) = lossless_evicting(1, Duration::from_millis(30));
    let mut alive = publisher.subscribe();
    publisher.publish(0).unwrap();
    assert_eq!(alive.recv(), Ok(0));
    let sleepers: Vec<_> = (1..4)
        .map(|n| {
            let publisher = publisher.clone();
            Sleeper::start(move || publisher.publish(n))
        })
        .collect();
    let mut rest: Vec<i32> = (0..3).map(|_| alive.recv().unwrap()).collect();
    rest.sort_unstable();
    assert_eq!(rest, [1, 2, 3]);
    assert!(sleepers.into_iter().all(|sleeper| sleeper.join().is_ok()));
    assert!(dead.is_evicted() && !alive.is_evicted());
}

/// With a limit of its own a publisher gives up before the subscriber's time is over.
#[test]
fn the_shorter_patience_decides() {
    let (publisher, subscriber) = lossless_evicting(1, LONG);
    publisher.publish(0).unwrap();
    assert!(publisher.publish_timeout(1, SHORT).unwrap_err().is_timeout());
    assert!(!subscriber.is_evicted());
    let (publisher, subscriber) = lossless_evicting(1, SHORT);
    publisher.publish(0).unwrap();
    assert_eq!(publisher.publish_timeout(1, LONG), Ok(1));
    assert!(subscriber.is_evicted());
}
