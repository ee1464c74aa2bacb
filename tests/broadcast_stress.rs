//! Many threads at once, by invariants and never by time: for every subscriber, received + lagged = published since.

mod common;

use common::{Random, Watchdog};
use futures::executor::block_on;
use millpond::broadcast::{Publisher, RecvError, Subscriber, TryPublishError, TryRecvError};
use millpond::broadcast::{lossless, lossless_evicting, lossy};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

/// Messages per publisher and run.
const COUNT: u64 = 10_000;

/// A message that shows when it is torn or used after its drop: four words that belong together, and a heap cell.
#[derive(Clone)]
struct Message {
    publisher: u64,
    number: u64,
    boxed: Box<u64>,
    sum: u64,
}

impl Message {
    fn new(publisher: u64, number: u64) -> Self {
        Self { publisher, number, boxed: Box::new(number), sum: publisher ^ number.rotate_left(17) }
    }

    fn check(&self) {
        assert_eq!(self.sum, self.publisher ^ self.number.rotate_left(17), "torn");
        assert_eq!(*self.boxed, self.number, "torn");
    }
}

type Make = fn(usize) -> (Publisher<Message>, Subscriber<Message>);
type Publish = fn(&Publisher<Message>, Message);
type Receive = fn(&mut Subscriber<Message>) -> Result<Message, RecvError>;

const KINDS: [(&str, Make); 3] = [
    ("lossless", lossless),
    ("evicting", |c| lossless_evicting(c, Duration::from_secs(3600))),
    ("lossy", lossy),
];

const PUBLISH: [Publish; 4] = [
    |publisher, message| assert!(publisher.publish(message).is_ok()),
    |publisher, message| assert!(block_on(publisher.publish_async(message)).is_ok()),
    |publisher, mut message| {
        while let Err(error) = publisher.try_publish(message) {
            assert!(matches!(error, TryPublishError::Full(_)));
            message = error.into_inner();
            thread::yield_now();
        }
    },
    |publisher, mut message| {
        while let Err(error) = publisher.publish_timeout(message, Duration::from_micros(20)) {
            assert!(error.is_timeout());
            message = error.into_inner();
        }
    },
];

const RECEIVE: [Receive; 4] = [
    Subscriber::recv,
    |subscriber| block_on(subscriber.recv_async()),
    |subscriber| subscriber.recv_ref().map(|message| message.clone()),
    |subscriber| {
        loop {
            match subscriber.try_recv() {
                Ok(message) => return Ok(message),
                Err(TryRecvError::Empty) => thread::yield_now(),
                Err(TryRecvError::Lagged(count)) => return Err(RecvError::Lagged(count)),
                Err(TryRecvError::Evicted) => return Err(RecvError::Evicted),
                Err(TryRecvError::Closed) => return Err(RecvError::Closed),
            }
        }
    },
];

/// Receives to the end, checking the order of each publisher's messages; in a lossless channel none may be missing.
fn receive_all(subscriber: &mut Subscriber<Message>, is_lossy: bool, receive: Receive, dog: &Watchdog) {
    let mut next = [None; 4];
    loop {
        match receive(subscriber) {
            Ok(message) => {
                message.check();
                let expected = &mut next[message.publisher as usize];
                match *expected {
                    Some(expected) if is_lossy => assert!(message.number >= expected),
                    Some(expected) => assert_eq!(message.number, expected),
                    None => {}
                }
                *expected = Some(message.number + 1);
                if message.number % 1024 == 0 {
                    dog.pet();
                }
            }
            Err(RecvError::Lagged(count)) => assert!(is_lossy && count > 0),
            Err(RecvError::Closed) => return,
            Err(RecvError::Evicted) => panic!("nobody is thrown out here"),
        }
    }
}

fn run(make: Make, capacity: usize, publishers: u64, subscribers: usize, how: usize, dog: &Arc<Watchdog>) {
    let (publisher, first) = make(capacity);
    let is_lossy = publisher.is_lossy();
    let mut all = vec![first];
    all.extend((1..subscribers).map(|_| publisher.subscribe()));
    let start = Arc::new(Barrier::new(subscribers + publishers as usize));
    let receivers: Vec<_> = all
        .into_iter()
        .enumerate()
        .map(|(i, mut subscriber)| {
            let (start, dog) = (Arc::clone(&start), Arc::clone(dog));
            thread::spawn(move || {
                start.wait();
                receive_all(&mut subscriber, is_lossy, RECEIVE[(how + i) % RECEIVE.len()], &dog);
                assert_eq!(subscriber.received() + subscriber.lagged(), publishers * COUNT);
            })
        })
        .collect();
    let senders: Vec<_> = (0..publishers)
        .map(|id| {
            let (publisher, start) = (publisher.clone(), Arc::clone(&start));
            thread::spawn(move || {
                start.wait();
                let publish = PUBLISH[(how + id as usize) % PUBLISH.len()];
                (0..COUNT).for_each(|number| publish(&publisher, Message::new(id, number)));
            })
        })
        .collect();
    drop(publisher);
    senders.into_iter().chain(receivers).for_each(|thread| thread.join().expect("no panic"));
}

#[test]
fn received_and_lagged_make_up_all_that_was_published() {
    let dog = Arc::new(Watchdog::start("broadcast stress"));
    for (name, make) in KINDS {
        for (publishers, subscribers) in [(1, 1), (1, 2), (1, 4), (2, 1), (2, 3)] {
            for (how, capacity) in [1, 2, 3, 64, 1000].into_iter().enumerate() {
                println!("{name}: {publishers} to {subscribers}, capacity {capacity}");
                run(make, capacity, publishers, subscribers, how, &dog);
            }
        }
    }
}

/// Subscribers come, start at all kinds of places, receive for a while and go, while others publish.
#[test]
fn subscribers_come_and_go() {
    let dog = Watchdog::start("subscribers come and go");
    for (name, make) in KINDS {
        println!("{name}");
        let (publisher, first) = make(8);
        drop(first);
        let is_over = Arc::new(AtomicBool::new(false));
        let visits = Arc::new(AtomicU64::new(0));
        let visitors: Vec<_> = (0..3)
            .map(|_| {
                let (publisher, is_over, visits) =
                    (publisher.clone(), Arc::clone(&is_over), Arc::clone(&visits));
                thread::spawn(move || {
                    let mut random = Random::new();
                    while !is_over.load(SeqCst) {
                        visit(&publisher, &mut random);
                        visits.fetch_add(1, SeqCst);
                    }
                })
            })
            .collect();
        let (mut number, enough) = (0, 3_000);
        while visits.load(SeqCst) < enough && !visitors.iter().any(thread::JoinHandle::is_finished) {
            assert!(publisher.publish(Message::new(0, number)).is_ok());
            number += 1;
            if number % 1024 == 0 {
                dog.pet();
            }
        }
        is_over.store(true, SeqCst);
        visitors.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(publisher.subscriber_count(), 0);
    }
}

fn visit(publisher: &Publisher<Message>, random: &mut Random) {
    let asked = publisher.sequence().saturating_sub(random.below(12) as u64);
    let how = random.below(3);
    let mut subscriber = match how {
        0 => publisher.subscribe(),
        1 => publisher.subscribe_oldest(),
        _ => publisher.subscribe_from(asked),
    };
    // A gap before the oldest that is kept counts as missed, once it was told.
    let first = if how == 2 { asked } else { subscriber.sequence() };
    let looks = random.below(30);
    let mut next = None;
    for _ in 0..looks {
        let answer = match random.below(3) {
            0 => subscriber.try_recv_ref().map(|message| {
                thread::yield_now();
                message.check();
                message.number
            }),
            _ => subscriber.try_recv().map(|message| {
                message.check();
                message.number
            }),
        };
        match answer {
            // One publisher and no gaps: the number of a message is its place.
            Ok(number) => {
                assert_eq!(number, next.unwrap_or(number));
                assert_eq!(number + 1, subscriber.sequence());
                next = Some(number + 1);
            }
            Err(TryRecvError::Lagged(count)) => next = next.map(|next| next + count),
            Err(TryRecvError::Empty) => thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
    if looks > 0 {
        assert_eq!(subscriber.received() + subscriber.lagged(), subscriber.sequence() - first);
    }
    if random.below(4) == 0 && subscriber.lag() > 0 {
        // Leaves in the middle of a message.
        std::mem::forget(subscriber.try_recv_ref().ok());
    }
}

/// Dead subscribers are thrown out again and again, while one that is alive misses nothing.
#[test]
fn the_dead_are_thrown_out_and_the_living_are_not() {
    let dog = Watchdog::start("the dead are thrown out");
    let (publisher, mut alive) = lossless_evicting::<Message>(4, Duration::from_millis(50));
    let receiver = thread::spawn(move || {
        let mut next = 0;
        while let Ok(message) = alive.recv() {
            message.check();
            assert_eq!(message.number, next);
            next += 1;
        }
        assert!(!alive.is_evicted());
        next
    });
    let mut number = 0;
    for _ in 0..5 {
        let mut dead = publisher.subscribe();
        while !dead.is_evicted() {
            publisher.publish(Message::new(0, number)).ok().unwrap();
            number += 1;
        }
        dog.pet();
        assert!(matches!(dead.recv(), Err(RecvError::Evicted)));
    }
    drop(publisher);
    assert_eq!(receiver.join().unwrap(), number);
}
