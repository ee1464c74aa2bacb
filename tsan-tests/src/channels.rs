//! Channels of each kind and several capacities: boxed messages, so that the sanitizer sees what they carry.

use crate::task::block_on;
use crate::{start, sum};
use millpond_tsan::{mpmc, mpsc, spsc};

/// The payload: written by the sender, read by the receiver, freed by it.
type Message = Box<[u64; 4]>;

fn message(number: u64) -> Message {
    Box::new([number; 4])
}

fn read(message: &Message) -> u64 {
    assert!(message.iter().all(|word| *word == message[0]), "half a message");
    message[0]
}

/// How an end works: as a thread, as a task, by batches, or by trying.
const WAYS: u64 = 4;

/// At a rendezvous those who only try do not meet each other, nor a task: there, they wait instead.
fn way(capacity: usize, way: u64) -> u64 {
    if capacity == 0 { way % WAYS % 3 } else { way % WAYS }
}

macro_rules! send_all {
    ($tx:ident, $way:expr, $count:expr) => {{
        let mut sum = 0;
        let mut number = 0;
        while number < $count {
            number += 1;
            sum += number;
            match $way {
                0 => $tx.send(message(number)).expect("the receivers live"),
                1 => block_on($tx.send_async(message(number))).expect("the receivers live"),
                2 => {
                    let batch = (number..=(number + 7).min($count)).map(message).collect::<Vec<_>>();
                    sum += (number + 1..=(number + 7).min($count)).sum::<u64>();
                    number = (number + 7).min($count);
                    assert!($tx.send_many(batch).is_ok());
                }
                _ => {
                    let mut next = message(number);
                    while let Err(error) = $tx.try_send(next) {
                        next = error.into_inner();
                        std::thread::yield_now();
                    }
                }
            }
        }
        sum
    }};
}

macro_rules! receive_all {
    ($rx:ident, $way:expr) => {{
        let mut sum = 0;
        let mut batch = Vec::new();
        loop {
            let answer = match $way {
                0 => $rx.recv().ok(),
                1 => block_on($rx.recv_async()).ok(),
                2 => match $rx.recv_many(&mut batch, 16) {
                    Ok(_) => {
                        sum += batch.drain(1..).map(|message| read(&message)).sum::<u64>();
                        batch.pop()
                    }
                    Err(_) => None,
                },
                _ => match $rx.try_recv() {
                    Ok(message) => Some(message),
                    Err(error) if error == millpond_tsan::TryRecvError::Empty => {
                        std::thread::yield_now();
                        continue;
                    }
                    Err(_) => None,
                },
            };
            match answer {
                Some(message) => sum += read(&message),
                None => break sum,
            }
        }
    }};
}

/// Sends so many messages in all; returns how many those were.
fn mpmc(capacity: usize, count: u64) -> u64 {
    let (tx, rx) = mpmc::bounded::<Message>(capacity);
    let senders = (0..WAYS).map(|way| {
        let tx = tx.clone();
        start(move || send_all!(tx, self::way(capacity, way), count / WAYS))
    });
    let senders: Vec<_> = senders.collect();
    let receivers = (0..WAYS).map(|way| {
        let rx = rx.clone();
        start(move || receive_all!(rx, self::way(capacity, way)))
    });
    let receivers: Vec<_> = receivers.collect();
    drop((tx, rx));
    assert_eq!(sum(senders), sum(receivers));
    count / WAYS * WAYS
}

fn mpsc(capacity: usize, count: u64) -> u64 {
    for way in 0..WAYS {
        let (tx, mut rx) = mpsc::bounded::<Message>(capacity);
        let senders: Vec<_> = (0..2)
            .map(|other| {
                let tx = tx.clone();
                start(move || send_all!(tx, self::way(capacity, way + other), count / WAYS / 2))
            })
            .collect();
        drop(tx);
        let receiver = start(move || receive_all!(rx, self::way(capacity, way)));
        assert_eq!(sum(senders), sum(vec![receiver]));
    }
    count / WAYS / 2 * WAYS * 2
}

fn spsc(capacity: usize, count: u64) -> u64 {
    for way in 0..WAYS {
        for other in 0..2 {
            let (mut tx, mut rx) = spsc::bounded::<Message>(capacity);
            let sender = start(move || send_all!(tx, self::way(capacity, way), count / WAYS / 2));
            let receiver = start(move || receive_all!(rx, self::way(capacity, way + other)));
            assert_eq!(sum(vec![sender]), sum(vec![receiver]));
        }
    }
    count / WAYS / 2 * WAYS * 2
}

/// Channels that go with messages inside, and while others still send: the drops are watched.
fn left_behind(rounds: u64) {
    for round in 0..rounds {
        let (tx, rx) = mpmc::bounded::<Message>(4);
        let sender = start(move || (0..8).map(|number| u64::from(tx.send(message(number)).is_ok())).sum());
        let receiver =
            start(move || (0..round % 4).map(|_| rx.recv().map_or(0, |message| read(&message))).sum());
        sum(vec![sender, receiver]);
    }
}

/// Sends so many messages over all kinds.
pub(crate) fn run(count: u64) {
    let capacities = [0, 1, 3, 64];
    let share = count / capacities.len() as u64 / 3;
    let mut sent = 0;
    for capacity in capacities {
        // A rendezvous costs two sleeps a message, so it gets a tenth, and the others of its kind the rest.
        let share = if capacity == 0 { share / 10 } else { share + share * 3 / 10 };
        sent += mpmc(capacity, share) + mpsc(capacity, share) + spsc(capacity, share);
    }
    left_behind((count / 10_000).clamp(10, 1_000));
    println!("channels: {sent} messages");
}
