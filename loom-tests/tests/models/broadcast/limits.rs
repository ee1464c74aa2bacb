//! What a claim of a publisher relies on: the limit as it was counted last, and where subscribers stood.

use super::{Kind, channel, publish, receive};
use crate::harness::{Ledger, Model, Value, witness};
use millpond_loom::broadcast::{Publisher, Subscriber, TryRecvError, lossless};

/// A lossless channel of capacity 4 that may be filled up to 8 messages, with 5 published: one subscriber is close behind.
fn far_ahead(ledger: &Ledger) -> (Publisher<Value>, Subscriber<Value>) {
    let (publisher, mut first) = lossless(4);
    publish(&publisher, ledger, 0..4);
    receive(&mut first, 4);
    publish(&publisher, ledger, 4..5);
    (publisher, first)
}

/// Publishes if there is room.
fn try_publish(publisher: &Publisher<Value>, ledger: &Ledger, id: u32) {
    let published = publisher.try_publish(ledger.value(id)).is_ok();
    witness(if published { "published" } else { "full" });
}

/// Receives all that is there, whatever is missing before it.
fn drained(subscriber: &mut Subscriber<Value>) -> Vec<u32> {
    let mut ids = Vec::new();
    loop {
        match subscriber.try_recv_ref() {
            Ok(message) => ids.push(message.id()),
            Err(TryRecvError::Lagged(_)) => {}
            Err(_) => return ids,
        }
    }
}

/// A late comer has lowered the limit to one message. The publisher that finds that out tells the other, which had seen room for three.
#[test]
fn a_lower_limit_against_two_publishers() {
    Model::new("a lower limit, publish, publish")
        .preemptions(3)
        .floor(10)
        .witnesses(&["published", "full"])
        .run(|case| {
            let ledger = Ledger::default();
            let (publisher, first) = far_ahead(&ledger);
            let mut late = publisher.subscribe_from(publisher.sequence() - 3);
            let (other, book, books) = (publisher.clone(), ledger.clone(), ledger.clone());
            case.thread(move || try_publish(&publisher, &book, 5));
            case.twin(move || try_publish(&other, &books, 6));
            case.finish(move || {
                let ids = drained(&mut late);
                assert!(
                    ids == [2, 3, 4, 5] || ids == [2, 3, 4, 6],
                    "what is kept for it is overwritten: {ids:?}"
                );
                drop((late, first));
                ledger.assert_settled();
            });
        });
}

/// The same while the late comer comes: one that had seen the limit before it, and another one's claim after it.
#[test]
fn a_late_comer_against_two_publishers() {
    Model::new("late comer, publish, publish")
        .preemptions(1)
        .floor(100)
        .witnesses(&["published", "full", "kept", "gone"])
        .run(|case| {
            let ledger = Ledger::default();
            let (publisher, first) = far_ahead(&ledger);
            let (guest, other) = (publisher.clone(), publisher.clone());
            let (book, books) = (ledger.clone(), ledger.clone());
            let number = publisher.sequence() - 3;
            let late = std::sync::Arc::new(std::sync::Mutex::new(None));
            let place = std::sync::Arc::clone(&late);
            case.thread(move || {
                let subscriber = guest.subscribe_from(number);
                *place.lock().expect("no panic under the lock") = Some(subscriber);
            });
            case.thread(move || try_publish(&publisher, &book, 5));
            case.twin(move || try_publish(&other, &books, 6));
            case.finish(move || {
                let mut late = late.lock().expect("no panic under the lock").take().expect("it came");
                let missed = late.sequence() - number;
                witness(if missed == 0 { "kept" } else { "gone" });
                let (ids, missed) = (drained(&mut late), usize::try_from(missed).expect("models are small"));
                assert!(ids.starts_with(&[2, 3, 4][missed..]), "{ids:?}, and {missed} missed");
                drop((late, first));
                ledger.assert_settled();
            });
        });
}

/// Publishes two messages and reads along, so that there is always room.
fn publish_and_read_along(publisher: &Publisher<Value>, along: &mut Subscriber<Value>, ledger: &Ledger) {
    for id in 0..2 {
        let published = publisher.try_publish(ledger.value(id));
        assert!(published.is_ok(), "one may be unread, of another publisher");
        drop(along.recv_ref().expect("one is there"));
    }
}

/// A publisher that reads along, so that there is always room: another one is never told otherwise.
#[test]
fn a_channel_that_is_never_full() {
    Model::new("publish and read along, publish").preemptions(2).floor(20).run(|case| {
        let ledger = Ledger::default();
        let (publisher, mut along) = channel(Kind::Lossless, 2, 1);
        let (other, book, books) = (publisher.clone(), ledger.clone(), ledger.clone());
        case.thread(move || publish_and_read_along(&publisher, &mut along, &book));
        case.thread(move || {
            assert!(other.try_publish(books.value(9)).is_ok(), "one may be unread, the first one's");
        });
        case.finish(move || ledger.assert_settled());
    });
}

/// One publisher counts the limit, having seen that a message was read, and another one fills the slot: it comes after the reading, too.
#[test]
fn a_read_against_two_publishers() {
    Model::new("read, publish, publish").preemptions(2).floor(100).witnesses(&["published", "full"]).run(
        |case| {
            let ledger = Ledger::default();
            let (publisher, mut reader) = channel(Kind::Lossless, 1, 1);
            publish(&publisher, &ledger, 0..1);
            let (other, book, books) = (publisher.clone(), ledger.clone(), ledger.clone());
            case.thread(move || receive(&mut reader, 1));
            case.thread(move || try_publish(&publisher, &book, 1));
            case.twin(move || try_publish(&other, &books, 2));
            case.finish(move || ledger.assert_settled());
        },
    );
}

/// A publisher that reads along: whoever asks how much is unread is never told more than was unread at any time.
#[test]
fn the_backlog_of_a_channel_that_is_read_along() {
    Model::new("publish and read along, backlog").preemptions(2).floor(10).witnesses(&["none", "one"]).run(
        |case| {
            let ledger = Ledger::default();
            let (publisher, mut along) = lossless(4);
            let (other, book) = (publisher.clone(), ledger.clone());
            case.thread(move || publish_and_read_along(&publisher, &mut along, &book));
            case.thread(move || {
                let backlog = other.backlog();
                assert!(backlog < 2, "{backlog} are unread");
                witness(["none", "one"][backlog]);
            });
            case.finish(move || ledger.assert_settled());
        },
    );
}

/// Two publishers follow each other in one slot, and nobody has read the message in between: the second comes after the first has
/// put its own in.
#[test]
fn two_publishers_in_one_slot() {
    for kind in [Kind::Lossless, Kind::Lossy] {
        Model::new("two publishers, no subscriber").preemptions(1).floor(20).witnesses(&["held up"]).run(
            move |case| {
                let ledger = Ledger::default();
                let (publisher, subscriber) = channel(kind, 1, 1);
                drop(subscriber);
                // Lossy channels have slots to spare.
                let filled = if kind == Kind::Lossy { 0..3 } else { 0..0 };
                publish(&publisher, &ledger, filled);
                let (other, book, books) = (publisher.clone(), ledger.clone(), ledger.clone());
                case.thread(move || publish(&publisher, &book, 10..11));
                case.twin(move || publish(&other, &books, 20..22));
                case.finish(move || ledger.assert_settled());
            },
        );
    }
}

/// Two threads publish to one channel each, and then look at the other's: they do not both find nothing.
#[test]
fn two_channels_and_two_who_look_at_the_other() {
    Model::new("publish here, look there").preemptions(2).floor(4).witnesses(&["there", "empty"]).run(
        |case| {
            let (here, mut from_here) = millpond_loom::broadcast::lossless::<u32>(1);
            let (there, mut from_there) = millpond_loom::broadcast::lossless::<u32>(1);
            let empty = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
            let (one, other) = (std::sync::Arc::clone(&empty), std::sync::Arc::clone(&empty));
            let look = |subscriber: &mut Subscriber<u32>, empty: &std::sync::atomic::AtomicUsize| {
                let nothing = subscriber.try_recv() == Err(TryRecvError::Empty);
                witness(if nothing { "empty" } else { "there" });
                empty.fetch_add(usize::from(nothing), std::sync::atomic::Ordering::Relaxed);
            };
            case.thread(move || {
                assert!(here.try_publish(1).is_ok());
                look(&mut from_there, &one);
            });
            case.thread(move || {
                assert!(there.try_publish(1).is_ok());
                look(&mut from_here, &other);
            });
            case.finish(move || {
                assert!(
                    empty.load(std::sync::atomic::Ordering::Relaxed) < 2,
                    "both have missed the other's message"
                );
            });
        },
    );
}
