//! What each method of a broadcast channel answers, one thread, both policies.

mod common;

use common::wait_until;
use millpond::broadcast::{
    self, Publisher, RecvError, RecvTimeoutError, Subscriber, TryPublishError, TryRecvError, lossless,
    lossless_evicting, lossy,
};
use std::thread;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(2);

type Make = fn(usize) -> (Publisher<u32>, Subscriber<u32>);

/// Every kind of channel; none of them evicts anybody in these tests.
const KINDS: [Make; 3] = [lossless, |capacity| lossless_evicting(capacity, LONG), lossy];

fn publish(publisher: &Publisher<u32>, numbers: impl IntoIterator<Item = u32>) {
    numbers.into_iter().for_each(|n| assert_eq!(publisher.publish(n), Ok(u64::from(n))));
}

fn drain(subscriber: &mut Subscriber<u32>) -> Vec<u32> {
    subscriber.try_iter().map(|answer| answer.expect("nobody lags")).collect()
}

#[test]
fn every_subscriber_receives_every_message() {
    for make in KINDS {
        let (publisher, mut first) = make(4);
        let mut second = publisher.subscribe();
        for n in 0..20 {
            publish(&publisher, [n]);
            assert_eq!(first.recv(), Ok(n));
            assert_eq!(second.try_recv(), Ok(n));
        }
        assert_eq!(first.try_recv(), Err(TryRecvError::Empty));
        assert_eq!((first.received(), first.lagged(), first.lag()), (20, 0, 0));
        assert_eq!(publisher.subscriber_count(), 2);
    }
}

#[test]
fn a_lossless_publisher_is_held_up_by_the_slowest() {
    for make in [KINDS[0], KINDS[1]] {
        let (publisher, mut slow) = make(3);
        let mut quick = publisher.subscribe();
        publish(&publisher, 0..3);
        assert_eq!(drain(&mut quick), [0, 1, 2]);
        assert_eq!(publisher.try_publish(3), Err(TryPublishError::Full(3)));
        assert!(publisher.publish_timeout(3, SHORT).unwrap_err().is_timeout());
        assert!(publisher.publish_timeout(3, Duration::ZERO).unwrap_err().is_timeout());
        assert!(publisher.publish_deadline(3, Instant::now()).unwrap_err().is_timeout());
        assert_eq!((publisher.backlog(), slow.len(), quick.len()), (3, 3, 0));
        assert_eq!(slow.recv(), Ok(0));
        assert_eq!(publisher.try_publish(3), Ok(3));
        assert_eq!(publisher.try_publish(4), Err(TryPublishError::Full(4)));
        drop(slow);
        assert_eq!(publisher.backlog(), 1);
        assert_eq!(publisher.publish_timeout(4, LONG), Ok(4));
        assert_eq!(drain(&mut quick), [3, 4]);
    }
}

#[test]
fn a_lossy_publisher_is_held_up_by_nobody() {
    let (publisher, mut slow) = lossy(3);
    let mut quick = publisher.subscribe();
    for n in 0..100 {
        assert_eq!(publisher.try_publish(n), Ok(u64::from(n)));
        assert_eq!(quick.recv(), Ok(n));
    }
    assert_eq!((slow.lag(), slow.len(), publisher.backlog()), (100, 3, 0));
    assert_eq!(slow.recv(), Err(RecvError::Lagged(97)));
    assert_eq!((slow.lag(), slow.len(), slow.sequence()), (3, 3, 97));
    assert_eq!(drain(&mut slow), [97, 98, 99]);
    assert_eq!((slow.received(), slow.lagged()), (3, 97));
}

/// One message too many is one message lost, at every capacity.
#[test]
fn lagged_is_exact() {
    for capacity in 1..=20 {
        for extra in 1..=2 * capacity {
            let (publisher, mut subscriber) = lossy(capacity as usize);
            publish(&publisher, 0..capacity);
            assert_eq!(subscriber.try_recv(), Ok(0), "a full channel has lost nothing");
            publish(&publisher, capacity..capacity + 1 + extra);
            assert_eq!(subscriber.try_recv(), Err(TryRecvError::Lagged(u64::from(extra))));
            assert_eq!(drain(&mut subscriber), (extra + 1..capacity + 1 + extra).collect::<Vec<_>>());
        }
    }
}

/// What was kept when a subscriber was told of its loss is its own, as long as it is there.
#[test]
fn a_subscriber_that_was_told_is_not_overtaken_at_once() {
    let (publisher, mut subscriber) = lossy(8);
    publish(&publisher, 0..20);
    assert_eq!(subscriber.recv(), Err(RecvError::Lagged(12)));
    publish(&publisher, 20..22);
    assert_eq!(drain(&mut subscriber), (12..22).collect::<Vec<_>>());
}

#[test]
fn numbers_say_where_a_subscriber_starts() {
    for make in KINDS {
        let (publisher, first) = make(4);
        drop(first);
        publish(&publisher, 0..10);
        assert_eq!(publisher.sequence(), 10);
        assert_eq!(drain(&mut publisher.subscribe()), [0_u32; 0]);
        assert_eq!(drain(&mut publisher.subscribe_oldest()), [6, 7, 8, 9]);
        assert_eq!(publisher.subscribe_oldest().sequence(), 6);
        for from in 6..10 {
            let mut subscriber = publisher.subscribe_from(from);
            assert_eq!((subscriber.sequence(), subscriber.lag()), (from, 10 - from));
            assert_eq!(drain(&mut subscriber), (from as u32..10).collect::<Vec<_>>());
            assert_eq!(subscriber.lagged(), 0);
        }
        for from in [10, 11, 1 << 40, u64::MAX, 1 << 61] {
            assert_eq!(publisher.subscribe_from(from).sequence(), 10, "{from}");
        }
        for from in 0..6 {
            let mut subscriber = publisher.subscribe_from(from);
            assert_eq!(subscriber.try_recv(), Err(TryRecvError::Lagged(6 - from)), "the gap");
            assert_eq!(drain(&mut subscriber), [6, 7, 8, 9]);
            assert_eq!((subscriber.received(), subscriber.lagged()), (4, 6 - from));
        }
    }
}

#[test]
fn nothing_was_kept_before_anything_was_published() {
    for make in KINDS {
        let (publisher, _first) = make(4);
        let mut oldest = publisher.subscribe_oldest();
        let mut from = publisher.subscribe_from(0);
        publish(&publisher, 0..2);
        assert_eq!(drain(&mut oldest), [0, 1]);
        assert_eq!(drain(&mut from), [0, 1]);
        assert_eq!(drain(&mut publisher.subscribe_oldest()), [0, 1]);
    }
}

/// A late comer on a lossless channel holds the publishers up from where it starts, not from where they are.
#[test]
fn a_replay_gates() {
    for make in [KINDS[0], KINDS[1]] {
        let (publisher, first) = make(5);
        drop(first);
        publish(&publisher, 0..13);
        let mut late = publisher.subscribe_from(10);
        publish(&publisher, 13..15);
        assert_eq!(publisher.try_publish(15), Err(TryPublishError::Full(15)));
        let mut later = publisher.subscribe_oldest();
        assert_eq!(drain(&mut late), [10, 11, 12, 13, 14]);
        assert_eq!(publisher.try_publish(15), Err(TryPublishError::Full(15)));
        assert_eq!(later.recv(), Ok(10));
        publish(&publisher, 15..16);
        assert_eq!(publisher.try_publish(16), Err(TryPublishError::Full(16)));
        assert_eq!(drain(&mut later), [11, 12, 13, 14, 15]);
        assert_eq!(drain(&mut late), [15]);
        publish(&publisher, 16..21);
    }
}

#[test]
fn publishing_without_subscribers_succeeds() {
    for make in KINDS {
        let (publisher, only) = make(2);
        drop(only);
        assert_eq!(publisher.subscriber_count(), 0);
        publish(&publisher, 0..100);
        assert!(!publisher.is_closed(), "the channel outlives its last subscriber");
        let mut next = publisher.subscribe();
        publish(&publisher, 100..101);
        assert_eq!(next.recv(), Ok(100));
    }
}

#[test]
fn closed_is_final_and_leaves_what_is_kept() {
    for make in KINDS {
        let (publisher, mut subscriber) = make(4);
        publish(&publisher, 0..2);
        assert!(!publisher.is_closed() && !subscriber.is_closed());
        assert!(publisher.close(), "this call closed it");
        assert!(!publisher.close(), "and this one did not");
        assert!(publisher.is_closed() && subscriber.is_closed());
        assert_eq!(publisher.publish(2).unwrap_err().into_inner(), 2);
        assert_eq!(publisher.try_publish(2), Err(TryPublishError::Closed(2)));
        assert!(publisher.publish_timeout(2, LONG).unwrap_err().is_closed());
        assert_eq!(drain(&mut publisher.subscribe_oldest()), [0, 1], "also for those who come later");
        assert_eq!(publisher.subscribe().recv(), Err(RecvError::Closed));
        assert_eq!(subscriber.recv(), Ok(0));
        assert_eq!(subscriber.recv(), Ok(1));
        for _ in 0..2 {
            assert_eq!(subscriber.recv(), Err(RecvError::Closed));
            assert_eq!(subscriber.try_recv(), Err(TryRecvError::Closed));
            assert_eq!(subscriber.recv_timeout(LONG), Err(RecvTimeoutError::Closed));
            assert!(matches!(subscriber.recv_ref(), Err(RecvError::Closed)));
        }
    }
}

#[test]
fn the_last_publisher_closes() {
    for make in KINDS {
        let (publisher, mut subscriber) = make(4);
        let other = publisher.clone();
        assert!(publisher.same_channel(&other) && publisher.publisher_count() == 2);
        publish(&publisher, [0]);
        drop(publisher);
        publish(&other, [1]);
        assert!(!subscriber.is_closed());
        drop(other);
        assert_eq!(subscriber.iter().collect::<Vec<_>>(), [Ok(0), Ok(1)]);
        assert!(subscriber.is_closed());
    }
}

#[test]
fn a_full_lossless_channel_can_be_closed() {
    for make in [KINDS[0], KINDS[1]] {
        let (publisher, subscriber) = make(1);
        publish(&publisher, [0]);
        publisher.close();
        assert_eq!(publisher.try_publish(1), Err(TryPublishError::Closed(1)));
        assert_eq!(subscriber.into_iter().collect::<Vec<_>>(), [Ok(0)]);
    }
}

#[test]
fn messages_can_be_looked_at_where_they_lie() {
    for make in KINDS {
        let (publisher, mut subscriber) = make(2);
        publish(&publisher, 0..2);
        let guard = subscriber.recv_ref().unwrap();
        assert_eq!((*guard, guard.sequence(), format!("{guard:?}")), (0, 0, "0".to_owned()));
        if publisher.is_lossy() {
            publish(&publisher, 2..50);
        } else {
            assert_eq!(publisher.try_publish(2), Err(TryPublishError::Full(2)), "it keeps its place");
        }
        assert_eq!(*guard, 0, "the message stays whole");
        drop(guard);
        assert_eq!(subscriber.received(), 1);
        if publisher.is_lossy() {
            assert_eq!(subscriber.recv(), Err(RecvError::Lagged(47)));
        } else {
            publish(&publisher, 2..3);
            assert_eq!(*subscriber.try_recv_ref().unwrap(), 1);
            assert_eq!(*subscriber.try_recv_ref().unwrap(), 2);
            assert!(matches!(subscriber.try_recv_ref(), Err(TryRecvError::Empty)));
        }
    }
}

#[test]
fn a_forgotten_guard_receives_nothing() {
    for make in KINDS {
        let (publisher, mut subscriber) = make(2);
        publish(&publisher, 0..2);
        std::mem::forget(subscriber.recv_ref().unwrap());
        assert_eq!((subscriber.received(), subscriber.lag()), (0, 2));
        assert_eq!(subscriber.recv(), Ok(0));
        std::mem::forget(subscriber.recv_ref().unwrap());
        drop(subscriber);
        publish(&publisher, 2..50);
    }
}

#[test]
fn many_are_received_at_once() {
    for make in KINDS {
        let (publisher, mut subscriber) = make(8);
        publish(&publisher, 0..8);
        let mut list = vec![99];
        assert_eq!(subscriber.recv_many(&mut list, 0), Ok(0));
        assert_eq!(subscriber.recv_many(&mut list, 3), Ok(3));
        assert_eq!(subscriber.recv_many(&mut list, usize::MAX), Ok(5));
        assert_eq!(list, [99, 0, 1, 2, 3, 4, 5, 6, 7]);
        drop(publisher);
        assert_eq!(subscriber.recv_many(&mut list, 3), Err(RecvError::Closed));
    }
}

#[test]
fn iterators_report_what_was_missed() {
    let (publisher, mut subscriber) = lossy(2);
    publish(&publisher, 0..5);
    let all: Vec<_> = subscriber.try_iter().collect();
    assert_eq!(all, [Err(RecvError::Lagged(3)), Ok(3), Ok(4)]);
    publish(&publisher, 5..9);
    drop(publisher);
    let rest: Vec<_> = (&mut subscriber).into_iter().collect();
    assert_eq!(rest, [Err(RecvError::Lagged(2)), Ok(7), Ok(8)]);
    assert_eq!(subscriber.into_iter().next(), None);
}

#[test]
fn a_dead_subscriber_is_thrown_out() {
    let (publisher, mut dead) = lossless_evicting(2, SHORT);
    let mut alive = publisher.subscribe();
    publish(&publisher, 0..2);
    assert_eq!(drain(&mut alive), [0, 1]);
    let refused = Instant::now();
    assert_eq!(publisher.try_publish(2), Err(TryPublishError::Full(2)));
    publish(&publisher, [2]);
    assert!(refused.elapsed() >= SHORT, "not before its time");
    assert!(dead.is_evicted() && !alive.is_evicted());
    for _ in 0..2 {
        assert_eq!(dead.recv(), Err(RecvError::Evicted));
        assert_eq!(dead.try_recv(), Err(TryRecvError::Evicted));
        assert_eq!(dead.recv_timeout(LONG), Err(RecvTimeoutError::Evicted));
    }
    publish(&publisher, 3..4);
    assert_eq!(drain(&mut alive), [2, 3], "the others have missed nothing");
    assert_eq!(dead.iter().collect::<Vec<_>>(), [Err(RecvError::Evicted)]);
    assert_eq!(publisher.subscriber_count(), 2);
    drop(dead);
    assert_eq!(publisher.subscriber_count(), 1);
}

/// A publisher that only tries throws it out as well, once the time has passed.
#[test]
fn trying_throws_out_too() {
    let (publisher, dead) = lossless_evicting(1, SHORT);
    publish(&publisher, [0]);
    assert_eq!(publisher.try_publish(1), Err(TryPublishError::Full(1)));
    wait_until("the subscriber is thrown out", || publisher.try_publish(1).is_ok());
    assert!(dead.is_evicted());
}

/// The time counts from the message received last. Where the machine stood still for longer, it was right to throw it out.
#[test]
fn receiving_one_message_buys_time() {
    let patience = Duration::from_millis(40);
    let (publisher, mut slow) = lossless_evicting(1, patience);
    let mut since = Instant::now();
    publish(&publisher, [0]);
    for n in 1..6 {
        match publisher.publish_timeout(n, Duration::from_millis(12)) {
            Err(error) => assert!(error.is_timeout()),
            Ok(_) => assert!(slow.is_evicted(), "else there is no room"),
        }
        if slow.is_evicted() {
            assert!(since.elapsed() >= patience, "thrown out before its time");
            return;
        }
        since = Instant::now();
        assert_eq!(slow.recv(), Ok(n - 1));
        publish(&publisher, [n]);
    }
    assert!(!slow.is_evicted());
}

/// Whoever is thrown out while it reads keeps what it reads.
#[test]
fn a_guard_outlives_the_eviction() {
    let (publisher, mut dead) = lossless_evicting(2, SHORT);
    publish(&publisher, 0..2);
    let guard = dead.recv_ref().unwrap();
    publish(&publisher, 2..40);
    assert_eq!(*guard, 0);
    drop(guard);
    assert_eq!(dead.recv(), Err(RecvError::Evicted));
    assert_eq!(dead.received(), 1);
}

/// The place of one that was thrown out is used again, with nothing left of its fate.
#[test]
fn a_new_subscriber_is_not_thrown_out_for_the_last_one() {
    let (publisher, dead) = lossless_evicting(1, Duration::ZERO);
    publish(&publisher, 0..9);
    assert!(dead.is_evicted());
    drop(dead);
    let mut next = publisher.subscribe();
    publish(&publisher, 9..10);
    assert_eq!(next.recv(), Ok(9));
    assert!(!next.is_evicted());
}

#[test]
fn capacities_of_all_sizes() {
    for make in KINDS {
        for capacity in (1..=17).chain([1000]) {
            let (publisher, mut subscriber) = make(capacity);
            assert_eq!((publisher.capacity(), subscriber.capacity()), (capacity, capacity));
            let mut next = 0;
            for _ in 0..3 {
                publish(&publisher, next..next + capacity as u32);
                assert_eq!(subscriber.len(), capacity);
                assert_eq!(drain(&mut subscriber), (next..next + capacity as u32).collect::<Vec<_>>());
                next += capacity as u32;
            }
        }
        for capacity in [0, usize::MAX, isize::MAX as usize] {
            assert!(thread::spawn(move || drop(make(capacity))).join().is_err(), "{capacity}");
        }
    }
}

#[test]
fn handles_can_be_shown() {
    struct Opaque;
    let (publisher, subscriber) = broadcast::lossy(1);
    publisher.publish(Opaque).ok();
    assert!(format!("{publisher:?}").contains("sequence: 1"));
    assert!(format!("{subscriber:?}").contains("lag: 1"));
    publisher.close();
    let error = publisher.publish(Opaque).unwrap_err();
    assert_eq!(format!("{error:?}: {error}"), "PublishError(..): the channel is closed");
}
