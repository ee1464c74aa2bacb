//! The ring against a plain queue, one thread at a time, with positions that wrap around at 2^64 on the way.

use super::{Mpmc, PopError, PushError};
use std::collections::VecDeque;
use std::sync::Arc;

/// A ring and what should be in it.
struct Pair {
    ring: Mpmc<Arc<usize>>,
    queue: VecDeque<usize>,
    next: usize,
}

impl Pair {
    fn fresh(&mut self) -> Arc<usize> {
        self.next += 1;
        Arc::new(self.next)
    }

    fn is_full(&self) -> bool {
        self.queue.len() == self.ring.capacity()
    }

    fn push(&mut self) {
        let value = self.fresh();
        match self.ring.push(value) {
            Ok(poppers_wait) => assert!(!poppers_wait && !self.is_full()),
            Err(PushError::Full(value)) => return assert!(self.is_full() && *value == self.next),
            Err(_) => panic!("neither closed nor busy"),
        }
        self.queue.push_back(self.next);
    }

    fn force_push(&mut self) {
        let value = self.fresh();
        let Ok(pushed) = self.ring.force_push(value) else { panic!("neither closed nor busy") };
        let oldest = if self.is_full() { self.queue.pop_front() } else { None };
        assert_eq!((pushed.evicted.as_deref().copied(), pushed.poppers_wait), (oldest, false));
        self.queue.push_back(self.next);
    }

    fn pop(&mut self) {
        match self.ring.pop() {
            Ok((value, pushers_wait)) => {
                assert_eq!((Some(*value), pushers_wait), (self.queue.pop_front(), false))
            }
            Err(error) => assert!(error == PopError::Empty && self.queue.is_empty()),
        }
    }

    fn push_many(&mut self, count: usize) {
        let mut values: VecDeque<_> = (0..count).map(|_| self.fresh()).collect();
        let room = self.ring.capacity() - self.queue.len();
        match self.ring.push_many(&mut values) {
            Ok((pushed, _)) => assert_eq!(pushed, count.min(room)),
            Err(_) => assert_eq!(room, 0),
        }
        assert_eq!(values.len(), count.saturating_sub(room));
        self.queue.extend(self.next - count + 1..=self.next - values.len());
    }

    fn pop_many(&mut self, limit: usize) {
        let mut values = Vec::new();
        let count = limit.min(self.queue.len());
        assert_eq!(self.ring.pop_many(&mut values, limit).map_or(0, |(count, _)| count), count);
        assert!(values.into_iter().map(|value| *value).eq(self.queue.drain(..count)));
    }
}

/// Q3, Q5, Q6, Q8: every capacity from 1 to 8, from zero and from just before the wrap-around, by a fixed mixture of
/// steps that visits all fillings.
#[test]
fn the_ring_is_a_queue_across_the_wrap_around() {
    for capacity in 1..=8usize {
        for laps in [0, 1, 2, 3] {
            let mut pair =
                Pair { ring: Mpmc::near_wrap_around(capacity, laps), queue: VecDeque::new(), next: 0 };
            let mut dice = 12345 * capacity + 1;
            for _ in 0..2_000 {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                match (dice >> 33) % 7 {
                    0 | 1 => pair.push(),
                    2 | 3 => pair.pop(),
                    4 => pair.force_push(),
                    5 => pair.push_many(1 + (dice >> 40) % (capacity + 1)),
                    _ => pair.pop_many(1 + (dice >> 40) % (capacity + 1)),
                }
                assert_eq!((pair.ring.len(), pair.ring.capacity()), (pair.queue.len(), capacity));
            }
        }
    }
}

/// I4, Q8: closed at any filling, before and after the wrap-around, the ring gives what is left and then says so.
#[test]
fn a_closed_ring_gives_what_is_left() {
    for capacity in 1..=4 {
        for steps in 0..=3 * capacity {
            let ring = Mpmc::near_wrap_around(capacity, 1);
            let value = Arc::new(());
            for _ in 0..steps {
                assert!(ring.force_push(Arc::clone(&value)).is_ok());
            }
            assert!(ring.close() && !ring.close() && ring.is_closed());
            assert!(matches!(ring.push(Arc::clone(&value)), Err(PushError::Closed(_))));
            assert!(matches!(ring.force_push(Arc::clone(&value)), Err(PushError::Closed(_))));
            let inside = steps.min(capacity);
            assert_eq!((ring.len(), Arc::strong_count(&value)), (inside, 1 + inside));
            (0..inside / 2).for_each(|_| assert!(ring.pop().is_ok()));
            ring.discard();
            assert_eq!((Arc::strong_count(&value), ring.pop().err()), (1, Some(PopError::Closed)));
        }
    }
}

/// The flags of a cursor word are told to the other side, and survive the cursor's moves and its wrap-around.
#[test]
fn waiting_is_told_to_the_other_side() {
    for capacity in 1..=4 {
        let ring = Mpmc::near_wrap_around(capacity, 1);
        ring.set_poppers_wait();
        ring.set_pushers_wait();
        for n in 0..3 * capacity {
            assert!(ring.push(n).is_ok_and(|poppers_wait| poppers_wait));
            assert_eq!(ring.pop(), Ok((n, true)));
        }
        ring.clear_poppers_wait();
        assert!(ring.push(0).is_ok_and(|poppers_wait| !poppers_wait));
        ring.clear_pushers_wait();
        assert_eq!(ring.pop(), Ok((0, false)));
    }
}
