//! The raw ring against a plain queue, with positions that wrap around at 2^64 on the way: single values, slices and chunks
//! in one fixed mixture.

use super::{Consumer, Producer, ring_near_wrap_around};
use crate::ring::error::{PopError, PushError};
use std::collections::VecDeque;
use std::sync::Arc;

struct Pair {
    producer: Producer<Arc<usize>>,
    consumer: Consumer<Arc<usize>>,
    queue: VecDeque<usize>,
    next: usize,
}

impl Pair {
    fn new(capacity: usize, laps: u64) -> Self {
        let (producer, consumer) = ring_near_wrap_around(capacity, laps);
        Self { producer, consumer, queue: VecDeque::new(), next: 0 }
    }

    fn room(&self) -> usize {
        self.producer.capacity() - self.queue.len()
    }

    fn push(&mut self) {
        self.next += 1;
        match self.producer.push(Arc::new(self.next)) {
            Ok(()) => {
                assert!(self.room() > 0);
                self.queue.push_back(self.next);
            }
            Err(error) => assert!(self.room() == 0 && error == PushError::Full(Arc::new(self.next))),
        }
    }

    fn pop(&mut self) {
        assert_eq!(self.consumer.peek().map(|value| **value), self.queue.front().copied());
        match self.consumer.pop() {
            Ok(value) => assert_eq!(Some(*value), self.queue.pop_front()),
            Err(error) => assert!(self.queue.is_empty() && error == PopError::Empty),
        }
    }

    /// Fills `count` places of `limit`, and commits them or not.
    fn write(&mut self, limit: usize, count: usize, commits: bool) {
        let (room, first) = (self.room(), self.next + 1);
        let mut chunk = self.producer.chunk(limit);
        assert_eq!(chunk.len(), limit.min(room));
        let filled = chunk.fill_from((first..first + count).map(Arc::new));
        assert_eq!(filled, count.min(limit).min(room));
        if commits {
            assert_eq!(chunk.commit(), filled);
            self.queue.extend(first..first + filled);
        } else {
            drop(chunk);
        }
        self.next += count;
    }

    /// Commits `count` values of `limit`, or takes them.
    fn read(&mut self, limit: usize, count: usize, takes: bool) {
        let chunk = self.consumer.chunk(limit);
        let len = limit.min(self.queue.len());
        assert_eq!(chunk.len(), len);
        let (front, back) = chunk.slices();
        assert!(front.iter().chain(back).map(|value| **value).eq(self.queue.iter().copied().take(len)));
        let gone = self.queue.drain(..count.min(len));
        if takes {
            let mut drain = chunk.into_iter();
            assert_eq!(drain.len(), len);
            assert!(drain.by_ref().take(count).map(|value| *value).eq(gone));
        } else {
            chunk.commit(gone.len());
        }
    }
}

#[test]
fn a_raw_ring_is_a_queue_across_the_wrap_around() {
    for capacity in 1..=8usize {
        for laps in [0, 1, 2, 3] {
            let mut pair = Pair::new(capacity, laps);
            let mut dice = 54321 * capacity + 1;
            for _ in 0..2_000 {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let (limit, count) = ((dice >> 40) % (capacity + 2), (dice >> 48) % (capacity + 2));
                match (dice >> 33) % 8 {
                    0 | 1 => pair.push(),
                    2 | 3 => pair.pop(),
                    4 => pair.write(limit, count, true),
                    5 => pair.write(limit, count, dice >> 60 & 1 == 0),
                    6 => pair.read(limit, count, true),
                    _ => pair.read(limit, count, false),
                }
                let len = pair.queue.len();
                assert_eq!((pair.producer.len(), pair.consumer.len()), (len, len));
                assert_eq!(
                    (pair.producer.free(), pair.producer.is_full()),
                    (capacity - len, len == capacity)
                );
            }
        }
    }
}
