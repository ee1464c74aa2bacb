//! Subscribing while others publish.

use super::{Kind, channel, publish};
use crate::harness::{Ledger, Model, Value, witness};
use millpond_loom::broadcast::{Publisher, Subscriber, TryRecvError};

type Enter = fn(&Publisher<Value>) -> Subscriber<Value>;

/// One thread publishes, another subscribes and receives what it can: a contiguous run to the end.
fn race(name: &'static str, kind: Kind, capacity: usize, published_before: u32, enter: Enter) {
    // Where something was published before, there is always something to be had.
    let witnesses: &[_] = if published_before == 0 { &["some", "none"] } else { &["some"] };
    Model::new(name).preemptions(2).floor(50).witnesses(witnesses).run(move |case| {
        let ledger = Ledger::default();
        let (publisher, first) = channel(kind, capacity, 1);
        drop(first);
        publish(&publisher, &ledger, 0..published_before);
        let (other, book) = (publisher.clone(), ledger.clone());
        case.thread(move || {
            for id in published_before..published_before + 3 {
                if publisher.try_publish(book.value(id)).is_err() {
                    assert_ne!(kind, Kind::Lossy);
                    break;
                }
            }
        });
        case.thread(move || {
            let mut subscriber = enter(&other);
            let mut next = None;
            loop {
                match subscriber.try_recv_ref() {
                    Ok(message) => {
                        let id = message.id();
                        assert_eq!(id, next.unwrap_or(id), "a gap nobody was told of");
                        next = Some(id + 1);
                    }
                    Err(TryRecvError::Lagged(count)) => {
                        let count = u32::try_from(count).expect("models are small");
                        next = next.map(|next| next + count);
                    }
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Closed) => panic!("we hold a publisher"),
                    Err(TryRecvError::Evicted) => {
                        assert_eq!(kind, Kind::Evicting);
                        break;
                    }
                }
            }
            witness(if next.is_some() { "some" } else { "none" });
        });
        case.finish(move || ledger.assert_settled());
    });
}

#[test]
fn subscribe_against_publish_lossless() {
    race("subscribe, lossless, capacity 1", Kind::Lossless, 1, 0, Publisher::subscribe);
}

#[test]
fn subscribe_against_publish_lossy() {
    race("subscribe, lossy, capacity 1", Kind::Lossy, 1, 0, Publisher::subscribe);
}

/// The message that the publisher is about to overwrite is the one that the late comer claims.
#[test]
fn replay_against_publish_lossless() {
    race("replay, lossless, capacity 1", Kind::Lossless, 1, 0, Publisher::subscribe_oldest);
    race("replay, lossless, capacity 2", Kind::Lossless, 2, 0, Publisher::subscribe_oldest);
}

/// The limit was counted before the late comer came, and is beyond what it may keep of the last lap.
#[test]
fn replay_behind_the_limit() {
    race("replay behind the limit, capacity 2", Kind::Lossless, 2, 3, Publisher::subscribe_oldest);
}

#[test]
fn replay_against_publish_evicting() {
    race("replay, evicting, capacity 1", Kind::Evicting, 1, 0, Publisher::subscribe_oldest);
}

#[test]
fn replay_against_publish_lossy() {
    race("replay, lossy, capacity 1", Kind::Lossy, 1, 0, Publisher::subscribe_oldest);
}

/// Two late comers and a publisher that has counted its limit already.
#[test]
fn two_replays_against_publish() {
    Model::new("two replays, lossless, capacity 1").preemptions(1).floor(500).witnesses(&["refused"]).run(
        |case| {
            let ledger = Ledger::default();
            let (publisher, first) = channel(Kind::Lossless, 1, 1);
            drop(first);
            publish(&publisher, &ledger, 0..1);
            for _ in 0..2 {
                let publisher = publisher.clone();
                case.thread(move || {
                    let mut late = publisher.subscribe_oldest();
                    let mut next = None;
                    while let Ok(message) = late.try_recv_ref() {
                        let id = message.id();
                        assert_eq!(id, next.unwrap_or(id), "a gap nobody was told of");
                        next = Some(id + 1);
                    }
                    assert!(next.is_some(), "one message is always kept");
                });
            }
            let book = ledger.clone();
            case.thread(move || {
                for id in 1..3 {
                    if publisher.try_publish(book.value(id)).is_err() {
                        witness("refused");
                        break;
                    }
                }
            });
            case.finish(move || ledger.assert_settled());
        },
    );
}
