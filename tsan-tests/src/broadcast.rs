//! Broadcast of each policy: one and two publishers, three subscribers, of which one reads by reference and one is slow.

use crate::task::block_on;
use crate::{start, sum};
use millpond_tsan::broadcast::{self, Publisher, RecvError, Subscriber};
use std::time::Duration;

type Message = Box<[u64; 4]>;
type Make = fn(usize) -> (Publisher<Message>, Subscriber<Message>);

fn read(message: &Message) -> u64 {
    assert!(message.iter().all(|word| *word == message[0]), "half a message");
    message[0]
}

/// Receives to the end. Returns how many messages were received, or missed and counted.
fn receive_all(mut subscriber: Subscriber<Message>, way: usize) -> u64 {
    let mut count = 0;
    loop {
        let answer = match way {
            0 => subscriber.recv().map(|message| read(&message)),
            1 => block_on(subscriber.recv_async()).map(|message| read(&message)),
            _ => subscriber.recv_ref().map(|message| read(&message)),
        };
        match answer {
            Ok(_) => count += 1,
            Err(RecvError::Lagged(missed)) => count += missed,
            Err(RecvError::Closed | RecvError::Evicted) => return count,
        }
        if way == 1 && count % 64 == 0 {
            std::thread::yield_now();
        }
    }
}

fn one(make: Make, is_exact: bool, capacity: usize, publishers: u64, count: u64) -> u64 {
    let (publisher, first) = make(capacity);
    let mut all = vec![first];
    all.extend((0..2).map(|_| publisher.subscribe()));
    let readers: Vec<_> = all
        .into_iter()
        .enumerate()
        .map(|(way, subscriber)| start(move || receive_all(subscriber, way)))
        .collect();
    let each = count / publishers;
    let writers: Vec<_> = (0..publishers)
        .map(|_| {
            let publisher = publisher.clone();
            start(move || {
                (0..each).for_each(|number| drop(publisher.publish(Box::new([number; 4]))));
                each
            })
        })
        .collect();
    drop(publisher);
    let sent = sum(writers);
    let received = sum(readers);
    assert!(if is_exact { received == 3 * sent } else { received <= 3 * sent }, "{received} of {sent}");
    sent
}

/// Publishes so many messages over all kinds.
pub(crate) fn run(count: u64) {
    let kinds: [(Make, bool); 3] = [
        (broadcast::lossless, true),
        (broadcast::lossy, true),
        (|capacity| broadcast::lossless_evicting(capacity, Duration::from_millis(5)), false),
    ];
    let mut sent = 0;
    for (make, is_exact) in kinds {
        for capacity in [1, 4, 64] {
            for publishers in [1, 2] {
                sent += one(make, is_exact, capacity, publishers, count / 18);
            }
        }
    }
    println!("broadcast: {sent} messages");
}
