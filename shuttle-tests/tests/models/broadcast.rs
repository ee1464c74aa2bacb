//! Broadcast: every subscriber sees a contiguous run of the messages, or is told exactly how many it missed.

use crate::harness::{LONG, Ledger, Model, NOW, Value, block_on, spawn, stroll, witness};
use millpond::broadcast::{self, Kind, Publisher, RecvError, Subscriber};
use std::sync::Arc;

type Message = Arc<Value>;

/// Receives to the end, as a thread or as a task. Returns the numbers, with `None` for each message missed.
fn receive_all(subscriber: &mut Subscriber<Message>, is_task: bool) -> Vec<Option<u32>> {
    let mut seen = Vec::new();
    loop {
        let answer = if is_task { block_on(subscriber.recv_async()) } else { subscriber.recv() };
        match answer {
            Ok(message) => seen.push(Some(message.id)),
            Err(RecvError::Lagged(count)) => seen.extend((0..count).map(|_| None)),
            Err(RecvError::Closed) => return seen,
            Err(RecvError::Evicted) => {
                witness("evicted");
                return seen;
            }
        }
    }
}

/// Publishes so many messages, every second one as a task.
fn publish(publisher: &Publisher<Message>, ledger: &Ledger, from: u32, count: u32) {
    for id in from..from + count {
        let message = Arc::new(ledger.value(id));
        if id % 2 == 0 {
            publisher.publish(message).unwrap();
        } else {
            block_on(publisher.publish_async(message)).unwrap();
        }
    }
}

/// One publisher, three subscribers from the start on: threads and tasks.
fn one_to_three(
    name: &'static str,
    kind: Kind,
    capacity: usize,
    messages: u32,
    witnesses: &'static [&'static str],
) {
    Model::new(name, 500).witnesses(witnesses).run(move || {
        let ledger = Ledger::default();
        let (publisher, first) = broadcast::near_wrap_around::<Message>(kind, capacity, 2);
        let mut all = vec![first];
        all.extend((0..2).map(|_| publisher.subscribe()));
        let readers: Vec<_> = all
            .into_iter()
            .enumerate()
            .map(|(i, mut subscriber)| spawn(move || receive_all(&mut subscriber, i % 2 == 1)))
            .collect();
        let writer = spawn({
            let ledger = ledger.clone();
            move || publish(&publisher, &ledger, 0, messages)
        });
        writer.join().unwrap();
        for reader in readers {
            let seen = reader.join().unwrap();
            let expected = seen.iter().enumerate().filter_map(|(at, id)| id.map(|id| (at as u32, id)));
            expected.for_each(|(at, id)| assert_eq!(at, id, "a gap that nobody was told of: {seen:?}"));
            match kind {
                Kind::Lossless => assert!(seen.len() == messages as usize && !seen.contains(&None)),
                Kind::Lossy => {
                    assert_eq!(seen.len(), messages as usize, "received and missed together: {seen:?}");
                    witness(if seen.contains(&None) { "lagged" } else { "all of it" });
                }
                Kind::Evicting => assert!(!seen.contains(&None)),
            }
        }
        ledger.assert_settled();
    });
}

#[test]
fn lossless_1x3() {
    one_to_three("lossless_1x3", Kind::Lossless, 1, 3, &[]);
}

#[test]
fn lossless_1x3_capacity_2() {
    one_to_three("lossless_1x3_capacity_2", Kind::Lossless, 2, 4, &[]);
}

#[test]
fn lossy_1x3() {
    one_to_three("lossy_1x3", Kind::Lossy, 2, 4, &["lagged", "all of it"]);
}

#[test]
fn evicting_1x3() {
    one_to_three("evicting_1x3", Kind::Evicting, 1, 3, &["evicted"]);
}

/// Two publishers, two subscribers: each publisher's messages come in order, to both in the same one.
#[test]
fn lossless_2x2() {
    Model::new("lossless_2x2", 500).run(|| {
        let ledger = Ledger::default();
        let (publisher, first) = broadcast::lossless::<Message>(2);
        let readers: Vec<_> = [first, publisher.subscribe()]
            .into_iter()
            .enumerate()
            .map(|(i, mut subscriber)| spawn(move || receive_all(&mut subscriber, i == 1)))
            .collect();
        let writers = [0, 100].map(|from| {
            let (publisher, ledger) = (publisher.clone(), ledger.clone());
            spawn(move || publish(&publisher, &ledger, from, 2))
        });
        drop(publisher);
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        let seen: Vec<_> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
        assert_eq!(seen[0], seen[1]);
        for from in [0, 100] {
            let of: Vec<_> =
                seen[0].iter().flatten().filter(|id| **id / 100 * 100 == from).copied().collect();
            assert_eq!(of, [from, from + 1]);
        }
        ledger.assert_settled();
    });
}

/// Subscribers come and go while messages are published: who comes sees a run to the end, who goes holds nobody up.
fn come_and_go(name: &'static str, kind: Kind, witnesses: &'static [&'static str]) {
    Model::new(name, 500).witnesses(witnesses).run(move || {
        let ledger = Ledger::default();
        let (publisher, mut first) = broadcast::near_wrap_around::<Message>(kind, 1, 1);
        let writer = spawn({
            let (publisher, ledger) = (publisher.clone(), ledger.clone());
            move || publish(&publisher, &ledger, 0, 3)
        });
        let comer = spawn(move || {
            let mut subscriber = publisher.subscribe();
            drop(publisher);
            receive_all(&mut subscriber, true)
        });
        let goer = spawn(move || drop(first.recv_timeout(NOW)));
        writer.join().unwrap();
        goer.join().unwrap();
        let seen = comer.join().unwrap();
        let total = seen.len() as u32;
        let run = seen.iter().enumerate().filter_map(|(at, id)| id.map(|id| (at as u32, id)));
        run.for_each(|(at, id)| assert_eq!(3 - total + at, id, "no run to the end: {seen:?}"));
        witness(if seen.is_empty() { "came late" } else { "came in time" });
        ledger.assert_settled();
    });
}

#[test]
fn lossless_come_and_go() {
    come_and_go("lossless_come_and_go", Kind::Lossless, &["came late", "came in time"]);
}

#[test]
fn lossy_come_and_go() {
    come_and_go("lossy_come_and_go", Kind::Lossy, &["came late", "came in time"]);
}

/// Closing by hand while one publishes against a full channel and two receive: refused or received by both.
#[test]
fn lossless_close() {
    Model::new("lossless_close", 500).witnesses(&["published", "refused"]).run(|| {
        let ledger = Ledger::default();
        let (publisher, first) = broadcast::lossless::<Message>(1);
        let readers: Vec<_> = [first, publisher.subscribe()]
            .into_iter()
            .map(|mut subscriber| spawn(move || receive_all(&mut subscriber, false)))
            .collect();
        let closer = spawn({
            let publisher = publisher.clone();
            move || {
                stroll(60);
                publisher.close()
            }
        });
        let mut published = 0;
        for id in 0..3 {
            match publisher.publish_timeout(Arc::new(ledger.value(id)), LONG) {
                Ok(_) => published += 1,
                Err(error) => drop(error.into_inner()),
            }
        }
        witness(if published == 3 { "published" } else { "refused" });
        closer.join().unwrap();
        for reader in readers {
            let seen = reader.join().unwrap();
            assert_eq!(seen, (0..published).map(Some).collect::<Vec<_>>());
        }
        drop(publisher);
        ledger.assert_settled();
    });
}
