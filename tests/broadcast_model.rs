//! Random programs of one thread against a plain model: what is kept, who is held up, who missed how much.

mod common;

use common::Random;
use millpond::broadcast::{Publisher, RecvError, Subscriber, TryPublishError, TryRecvError};
use millpond::broadcast::{lossless, lossless_evicting, lossy};
use std::time::Duration;

const PROGRAMS: usize = 4_000;
const STEPS: usize = 120;

/// A subscriber and what is known of it.
struct Known {
    subscriber: Subscriber<u64>,
    /// The next message.
    next: u64,
    /// Messages before it were kept when the subscriber last started or lost some.
    entitled: u64,
    /// A gap that the next receive reports.
    gap: u64,
    received: u64,
    lagged: u64,
}

struct Program {
    publisher: Publisher<u64>,
    lossy: bool,
    capacity: u64,
    /// How many were published; each message is its number.
    tail: u64,
    closed: bool,
    known: Vec<Known>,
}

impl Program {
    fn oldest(&self) -> u64 {
        self.tail.saturating_sub(self.capacity)
    }

    fn publish(&mut self) {
        let is_held_up =
            !self.lossy && self.known.iter().any(|known| self.tail - known.next == self.capacity);
        let expected = match (self.closed, is_held_up) {
            (true, _) => Err(TryPublishError::Closed(self.tail)),
            (false, true) => Err(TryPublishError::Full(self.tail)),
            (false, false) => Ok(self.tail),
        };
        assert_eq!(self.publisher.try_publish(self.tail), expected);
        self.tail += u64::from(expected.is_ok());
    }

    fn subscribe(&mut self, random: &mut Random) {
        let (oldest, tail) = (self.oldest(), self.tail);
        let (subscriber, asked) = match random.below(3) {
            0 => (self.publisher.subscribe(), tail),
            1 => (self.publisher.subscribe_oldest(), oldest),
            _ => {
                let from = random.below(tail as usize + 3) as u64;
                (self.publisher.subscribe_from(from), from.min(tail))
            }
        };
        let next = asked.max(oldest);
        assert_eq!(subscriber.sequence(), next);
        self.known.push(Known {
            subscriber,
            next,
            entitled: tail,
            gap: next - asked,
            received: 0,
            lagged: 0,
        });
    }

    fn receive(&mut self, random: &mut Random) {
        if self.known.is_empty() {
            return;
        }
        let (oldest, tail, closed) = (self.oldest(), self.tail, self.closed);
        let index = random.below(self.known.len());
        let known = &mut self.known[index];
        assert_eq!(known.subscriber.lag(), tail - known.next);
        assert_eq!(known.subscriber.len() as u64, (tail - known.next).min(self.capacity));
        let answer = if random.below(2) == 0 {
            known.subscriber.try_recv()
        } else {
            known.subscriber.try_recv_ref().map(|message| *message)
        };
        let lost = oldest.saturating_sub(known.next);
        match answer {
            Ok(message) => {
                assert_eq!((message, known.gap), (known.next, 0));
                assert!(lost == 0 || known.next < known.entitled, "it should have been told of {lost}");
                known.next += 1;
                known.received += 1;
            }
            Err(TryRecvError::Lagged(count)) if known.gap > 0 => {
                assert_eq!(count, std::mem::take(&mut known.gap));
                known.lagged += count;
            }
            Err(TryRecvError::Lagged(count)) => {
                assert!(self.lossy && lost > 0);
                assert_eq!(count, lost);
                (known.next, known.entitled) = (oldest, tail);
                known.lagged += count;
            }
            Err(TryRecvError::Empty) => assert!(known.next == tail && !closed),
            Err(TryRecvError::Closed) => assert!(known.next == tail && closed),
            Err(TryRecvError::Evicted) => panic!("nobody is thrown out here"),
        }
        assert_eq!(known.subscriber.sequence(), known.next);
        assert_eq!((known.subscriber.received(), known.subscriber.lagged()), (known.received, known.lagged));
    }

    fn receive_many(&mut self, random: &mut Random) {
        if self.known.is_empty() {
            return;
        }
        let index = random.below(self.known.len());
        let known = &mut self.known[index];
        if known.next == self.tail && !self.closed {
            return;
        }
        let (limit, mut list) = (1 + random.below(5), Vec::new());
        match known.subscriber.recv_many(&mut list, limit) {
            Ok(count) => {
                assert!((1..=limit).contains(&count));
                assert_eq!(list, (known.next..known.next + count as u64).collect::<Vec<_>>());
                let is_put_off = known.subscriber.sequence() != known.next + count as u64;
                known.next = known.subscriber.sequence();
                known.received += count as u64;
                if is_put_off {
                    // It met a loss on the way: reported by the next receive, which we make at once.
                    let Err(RecvError::Lagged(lost)) = known.subscriber.recv() else {
                        panic!("not reported")
                    };
                    known.lagged += lost;
                    known.entitled = self.tail;
                    assert_eq!(known.next, known.subscriber.sequence());
                }
            }
            Err(RecvError::Lagged(count)) => {
                known.lagged += count;
                known.gap = 0;
                (known.next, known.entitled) = (known.subscriber.sequence(), self.tail);
            }
            Err(error) => assert!(error == RecvError::Closed && self.closed && known.next == self.tail),
        }
    }

    fn step(&mut self, random: &mut Random) {
        match random.below(100) {
            0..35 => self.publish(),
            35..40 if self.lossy => (0..random.below(40)).for_each(|_| self.publish()),
            35..75 => self.receive(random),
            75..82 => self.receive_many(random),
            82..90 if self.known.len() < 4 => self.subscribe(random),
            82..95 if !self.known.is_empty() => {
                let index = random.below(self.known.len());
                let known = self.known.swap_remove(index);
                assert_eq!(known.received, known.subscriber.received());
            }
            99 if random.below(4) == 0 => self.closed = self.publisher.close() || self.closed,
            _ => assert_eq!(self.publisher.sequence(), self.tail),
        }
        assert_eq!(self.publisher.subscriber_count(), self.known.len());
    }
}

#[test]
fn random_programs_follow_the_model() {
    let mut random = Random::new();
    for program in 0..PROGRAMS {
        let capacity = 1 + random.below(9);
        let (publisher, subscriber) = match program % 3 {
            0 => lossless(capacity),
            1 => lossless_evicting(capacity, Duration::from_secs(3600)),
            _ => lossy(capacity),
        };
        let first = Known { subscriber, next: 0, entitled: 0, gap: 0, received: 0, lagged: 0 };
        let mut program = Program {
            lossy: publisher.is_lossy(),
            publisher,
            capacity: capacity as u64,
            tail: 0,
            closed: false,
            known: vec![first],
        };
        (0..STEPS).for_each(|_| program.step(&mut random));
    }
}
