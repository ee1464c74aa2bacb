//! Lossy channels: reading against overwriting, cells that are taken out of the way and used again, exact losses.

use super::{Kind, Run, channel, publish};
use crate::harness::{Case, Ledger, Model, Value, block_on, poll_once, witness};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, Ordering};
use millpond_loom::broadcast::{Subscriber, TryRecvError};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Poll, Waker};

/// Subscribers look at one message, hold it, look again and receive the rest; the publisher never waits for them.
fn overtaking(subscribers: usize, capacity: usize, messages: u32) -> impl Fn(&mut Case) + Send + Sync {
    move |case| {
        let ledger = Ledger::default();
        let (publisher, first) = channel(Kind::Lossy, capacity, 1);
        drop(first);
        for _ in 0..subscribers {
            let mut subscriber = publisher.subscribe();
            case.thread(move || {
                let mut run = Run::from(0);
                let is_over = run.drain(&mut subscriber);
                witness(if is_over { "drained" } else { "left early" });
                if is_over {
                    let lagged = u32::try_from(run.lagged).expect("models are small");
                    assert_eq!(run.received + lagged, messages, "received + lagged = published");
                }
                assert_eq!(u64::from(run.received), subscriber.received());
                assert_eq!(run.lagged, subscriber.lagged());
            });
        }
        let book = ledger.clone();
        case.thread(move || {
            for id in 0..messages {
                assert!(publisher.try_publish(book.value(id)).is_ok(), "a lossy publisher is never refused");
            }
        });
        case.finish(move || ledger.assert_settled());
    }
}

#[test]
fn overwrite_against_read_capacity_1() {
    Model::new("lossy 1x1, capacity 1")
        .preemptions(1)
        .floor(1_000)
        .witnesses(&["lagged", "drained", "left early"])
        .run(overtaking(1, 1, 3));
    Model::new("lossy 1x1, capacity 1, 5 messages")
        .preemptions(1)
        .floor(1_000)
        .witnesses(&["lagged", "drained", "left early"])
        .run(overtaking(1, 1, 5));
}

#[test]
fn overwrite_against_read_capacity_2() {
    Model::new("lossy 1x1, capacity 2")
        .preemptions(1)
        .floor(1_000)
        .witnesses(&["lagged", "drained", "left early"])
        .run(overtaking(1, 2, 6));
}

/// A reader holds a message while the publisher goes on past it, and reads it again.
#[test]
fn a_held_message_is_overtaken() {
    Model::new("lossy 1x1, capacity 1, held")
        .preemptions(2)
        .floor(1_000)
        .witnesses(&["held", "overtaken"])
        .run(|case| {
            const MESSAGES: u32 = 4;
            let ledger = Ledger::default();
            let (publisher, mut subscriber) = channel(Kind::Lossy, 1, 1);
            let published = Arc::new(AtomicU32::new(0));
            let (book, count) = (ledger.clone(), Arc::clone(&published));
            case.thread(move || {
                for id in 0..MESSAGES {
                    assert!(
                        publisher.try_publish(book.value(id)).is_ok(),
                        "a lossy publisher is never refused"
                    );
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
            case.thread(move || {
                let Ok(message) = subscriber.try_recv_ref() else { return };
                let id = message.id();
                // A change that changes nothing: so that loom lets the publisher run here.
                let now = published.fetch_add(0, Ordering::Relaxed);
                witness(if now == MESSAGES && id == 0 { "overtaken" } else { "held" });
                assert_eq!(message.id(), id);
            });
            case.finish(move || ledger.assert_settled());
        });
}

/// A reader holds the message whose slot comes up next, and two publishers come for the slot: the one that does not get the message
/// out of the way may not have the slot before the other has.
#[test]
fn a_held_message_is_overtaken_by_two() {
    Model::new("lossy 2x1, capacity 1, held").preemptions(1).deeper(2, 1).floor(10_000).run(|case| {
        let ledger = Ledger::default();
        let (publisher, mut subscriber) = channel(Kind::Lossy, 1, 1);
        publish(&publisher, &ledger, 0..1);
        let mut begins = true;
        let mut reading = Box::pin(async move {
            let message = subscriber.try_recv_ref().expect("it was just published");
            poll_fn(|_| if std::mem::take(&mut begins) { Poll::Pending } else { Poll::Ready(()) }).await;
            assert_eq!(message.id(), 0);
        });
        // Up to where the message is held: no part of the race.
        assert!(poll_once(reading.as_mut(), Waker::noop()).is_pending());
        publish(&publisher, &ledger, 1..2);
        case.thread(move || block_on(reading));
        for id in [2, 3] {
            let (publisher, ledger) = (publisher.clone(), ledger.clone());
            case.thread(move || publish(&publisher, &ledger, id..id + 1));
        }
        drop(publisher);
        case.finish(move || ledger.assert_settled());
    });
}

/// A subscriber that has the message `id` in hand, as a future that leaves it when it is polled again.
fn holding(
    mut subscriber: Subscriber<Value>,
    id: u32,
) -> Pin<Box<dyn Future<Output = Subscriber<Value>> + Send>> {
    let mut reading = Box::pin(async move {
        let message = subscriber.try_recv_ref().expect("it was just published");
        let mut begins = true;
        poll_fn(|_| if std::mem::take(&mut begins) { Poll::Pending } else { Poll::Ready(()) }).await;
        assert_eq!(message.id(), id);
        drop(message);
        subscriber
    });
    assert!(poll_once(reading.as_mut(), Waker::noop()).is_pending());
    reading
}

/// Two readers hold messages whose slots come up next, the first reader one and the second another or the same. They leave them
/// while the publisher goes on, which gets what is held out of the way, and takes a cell back only when nobody reads it any more.
fn recycling(ids: [u32; 2]) -> impl Fn(&mut Case) + Send + Sync {
    move |case| {
        const MESSAGES: u32 = 4;
        let ledger = Ledger::default();
        let (publisher, first) = channel(Kind::Lossy, 1, 1);
        let mut second = publisher.subscribe();
        let mut later = publisher.subscribe();
        publish(&publisher, &ledger, 0..1);
        // Up to where both have their messages in hand: no part of the race.
        let place = std::ptr::from_ref(&*later.try_recv_ref().expect("it was just published")).addr();
        let first = holding(first, ids[0]);
        let second = if ids[1] == 0 {
            let second = holding(second, 0);
            publish(&publisher, &ledger, 1..2);
            second
        } else {
            assert!(second.try_recv_ref().is_ok());
            publish(&publisher, &ledger, 1..2);
            holding(second, ids[1])
        };
        for reader in [first, second] {
            case.thread(move || drop(block_on(reader)));
        }
        let book = ledger.clone();
        case.thread(move || {
            for id in 2..MESSAGES {
                let was_held = id > 2 && book.drops_of(0) == 0;
                assert!(publisher.try_publish(book.value(id)).is_ok(), "a lossy publisher is never refused");
                if was_held && book.drops_of(0) == 1 {
                    witness("recycled");
                }
            }
            drop(publisher);
        });
        case.finish(move || {
            // Messages lie in two slots in turn: this one in the place of the first means that the place was used again.
            while let Err(error) = later.try_recv_ref().map(|message| {
                assert_eq!(message.id(), MESSAGES - 1);
                if std::ptr::from_ref(&*message).addr() == place {
                    witness("used again");
                }
            }) {
                assert!(matches!(error, TryRecvError::Lagged(_)), "{error}");
            }
            drop(later);
            ledger.assert_settled();
        });
    }
}

/// Two readers of one message that is overtaken: its cell is taken back after both.
#[test]
fn recycle_with_two_readers() {
    Model::new("lossy 1x2, capacity 1, both hold one")
        .preemptions(1)
        .deeper(2, 1)
        .floor(10_000)
        .witnesses(&["recycled"])
        .run(recycling([0, 0]));
}

/// A cell that a reader has left is put where another reader holds the message up, and filled while that one still reads.
#[test]
fn recycle_for_another_reader() {
    Model::new("lossy 1x2, capacity 1, each holds one")
        .preemptions(1)
        .deeper(2, 1)
        .floor(10_000)
        .witnesses(&["recycled", "used again"])
        .run(recycling([0, 1]));
}

/// Two readers who look at one message after another, and a publisher that overtakes them.
#[test]
fn two_readers_are_overtaken() {
    Model::new("lossy 1x2, capacity 1")
        .preemptions(0)
        .floor(1_000)
        .witnesses(&["lagged", "drained", "left early"])
        .run(overtaking(2, 1, 3));
}

/// Two publishers overtake one reader. One of them is held up while the other is in the middle of a step.
#[test]
fn two_publishers_overtake() {
    Model::new("lossy 2x1, capacity 1").preemptions(0).floor(1_000).witnesses(&["held up", "lagged"]).run(
        |case| {
            let ledger = Ledger::default();
            let (publisher, mut subscriber) = channel(Kind::Lossy, 1, 1);
            for ids in [[1, 2], [3, 4]] {
                let (publisher, ledger) = (publisher.clone(), ledger.clone());
                case.thread(move || publish(&publisher, &ledger, ids));
            }
            drop(publisher);
            case.thread(move || {
                let (mut received, mut lagged) = (0, 0);
                loop {
                    use millpond_loom::broadcast::TryRecvError::{Closed, Empty, Evicted, Lagged};
                    match subscriber.try_recv_ref() {
                        Ok(message) => {
                            message.id();
                            received += 1;
                        }
                        Err(Lagged(count)) => {
                            witness("lagged");
                            lagged += count;
                        }
                        Err(Empty) => return,
                        Err(Closed) => break assert_eq!(received + lagged, 4),
                        Err(Evicted) => panic!("nobody is thrown out of a lossy channel"),
                    }
                }
            });
            case.finish(move || ledger.assert_settled());
        },
    );
}

/// A subscriber that sleeps is woken, and receives or is told of each message.
#[test]
fn a_sleeping_subscriber_is_woken() {
    Model::new("lossy, asleep").preemptions(0).deeper(1, 1).floor(500).witnesses(&["lagged"]).run(|case| {
        let ledger = Ledger::default();
        let (publisher, mut subscriber) = channel(Kind::Lossy, 1, 1);
        let book = ledger.clone();
        case.thread(move || publish(&publisher, &book, 0..2));
        case.thread(move || {
            let mut run = Run::from(0);
            run.finish(&mut subscriber);
            assert_eq!(u64::from(run.received) + run.lagged, 2);
        });
        case.finish(move || ledger.assert_settled());
    });
}

/// The same while the channel stays open, so that no end of it wakes anybody.
#[test]
fn a_sleeping_subscriber_is_woken_by_a_message() {
    use millpond_loom::broadcast::RecvError;
    Model::new("lossy, asleep, open").preemptions(1).floor(20).run(|case| {
        let ledger = Ledger::default();
        let (publisher, mut subscriber) = channel(Kind::Lossy, 1, 1);
        let (book, open) = (ledger.clone(), publisher.clone());
        case.thread(move || publish(&publisher, &book, 0..1));
        case.thread(move || match subscriber.recv_ref() {
            Ok(message) => assert_eq!(message.id(), 0),
            Err(error @ (RecvError::Lagged(_) | RecvError::Closed | RecvError::Evicted)) => panic!("{error}"),
        });
        case.finish(move || {
            drop(open);
            ledger.assert_settled();
        });
    });
}
