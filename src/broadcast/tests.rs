//! Channels whose positions wrap around at 2^64 in the middle of what they do.

use super::{Kind, Publisher, RecvError, TryPublishError, TryRecvError, near_wrap_around};

const KINDS: [Kind; 3] = [Kind::Lossless, Kind::Evicting, Kind::Lossy];
/// Message numbers repeat after so many.
const NUMBERS: u64 = 1 << 61;

fn publish(publisher: &Publisher<u32>, numbers: impl IntoIterator<Item = u32>) {
    numbers.into_iter().for_each(|n| assert!(publisher.publish(n).is_ok(), "{n}"));
}

#[test]
fn nothing_is_lost_across_the_wrap_around() {
    for kind in KINDS {
        for capacity in 1..=6 {
            for before in 0..=2 * capacity as u64 {
                let (publisher, mut subscriber) = near_wrap_around(kind, capacity, before);
                let mut other = publisher.subscribe();
                for n in 0..8 * capacity as u32 {
                    assert_eq!(publisher.publish(n).unwrap(), (u64::from(n).wrapping_sub(before)) % NUMBERS);
                    assert_eq!(subscriber.try_recv(), Ok(n));
                    assert_eq!(subscriber.lag(), 0);
                    assert_eq!(*other.try_recv_ref().unwrap(), n);
                }
                assert_eq!((subscriber.received(), subscriber.lagged()), (8 * capacity as u64, 0));
            }
        }
    }
}

#[test]
fn the_gate_holds_across_the_wrap_around() {
    for capacity in 1..=6 {
        for before in 0..=2 * capacity as u64 {
            let (publisher, mut slow) = near_wrap_around(Kind::Lossless, capacity, before);
            publish(&publisher, 0..capacity as u32);
            for n in 0..4 * capacity as u32 {
                let next = n + capacity as u32;
                assert_eq!(publisher.try_publish(next), Err(TryPublishError::Full(next)));
                assert_eq!(publisher.backlog(), capacity);
                assert_eq!(slow.recv(), Ok(n));
                publish(&publisher, [next]);
            }
        }
    }
}

/// No false loss, and each true one exact (tokio #2123).
#[test]
fn losses_are_exact_across_the_wrap_around() {
    for capacity in 1..=6_u32 {
        for before in 0..=20 {
            for count in capacity..20 {
                let (publisher, mut subscriber) = near_wrap_around(Kind::Lossy, capacity as usize, before);
                publish(&publisher, 0..count);
                let lost = u64::from(count - capacity);
                if lost > 0 {
                    assert_eq!(subscriber.lag(), u64::from(count));
                    assert_eq!(subscriber.recv(), Err(RecvError::Lagged(lost)));
                }
                assert!(subscriber.try_iter().map(Result::unwrap).eq(count - capacity..count));
                assert_eq!(subscriber.lagged(), lost);
            }
        }
    }
}

#[test]
fn replay_works_across_the_wrap_around() {
    for kind in KINDS {
        for before in 0..=10_u64 {
            let (publisher, first) = near_wrap_around(kind, 4, before);
            drop(first);
            publish(&publisher, 0..8);
            assert!(publisher.subscribe_oldest().try_iter().map(Result::unwrap).eq(4..8));
            for from in 0..8 {
                let number = u64::from(from).wrapping_sub(before) % NUMBERS;
                let mut subscriber = publisher.subscribe_from(number);
                if from < 4 {
                    assert_eq!(subscriber.try_recv(), Err(TryRecvError::Lagged(4 - u64::from(from))));
                }
                assert!(
                    subscriber.try_iter().map(Result::unwrap).eq(from.max(4)..8),
                    "{kind:?} {before} {from}"
                );
            }
        }
    }
}

#[test]
fn eviction_works_across_the_wrap_around() {
    for before in 0..=6 {
        let (publisher, mut dead) = near_wrap_around(Kind::Evicting, 2, before);
        publish(&publisher, 0..2);
        let guard = dead.recv_ref().unwrap();
        publish(&publisher, 2..20);
        assert_eq!(*guard, 0);
        drop(guard);
        assert_eq!(dead.recv(), Err(RecvError::Evicted));
    }
}
