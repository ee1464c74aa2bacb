//! The rings against a plain queue, one thread at a time, with positions that wrap around at 2^64 on the way.

use super::{LonePopper, Mpmc, Mpsc, PopError, Popper, PushError, Pusher};
use super::{mpsc_near_wrap_around, spsc_near_wrap_around};
use std::collections::VecDeque;
use std::sync::Arc;

type Value = Arc<usize>;

/// What all rings can do, through whatever ends they have.
trait Ring {
    fn push(&mut self, value: Value) -> Result<bool, PushError<Value>>;
    fn pop(&mut self) -> Result<(Value, bool), PopError>;
    fn push_many(&mut self, values: &mut VecDeque<Value>) -> Result<(usize, bool), PushError<()>>;
    fn pop_many(&mut self, values: &mut Vec<Value>, limit: usize) -> Result<(usize, bool), PopError>;
    fn len(&self) -> usize;
    fn capacity(&self) -> usize;
    fn close(&self) -> bool;
    fn is_closed(&self) -> bool;

    /// `None`: the ring cannot displace values.
    fn force_push(&mut self, _: Value) -> Option<Option<Value>> {
        None
    }
}

impl Ring for Mpmc<Value> {
    fn push(&mut self, value: Value) -> Result<bool, PushError<Value>> {
        Self::push(self, value)
    }

    fn pop(&mut self) -> Result<(Value, bool), PopError> {
        Self::pop(self).map(|(value, owed)| (value, owed.is_owed()))
    }

    fn push_many(&mut self, values: &mut VecDeque<Value>) -> Result<(usize, bool), PushError<()>> {
        Self::push_many(self, values)
    }

    fn pop_many(&mut self, values: &mut Vec<Value>, limit: usize) -> Result<(usize, bool), PopError> {
        Self::pop_many(self, values, limit)
    }

    fn len(&self) -> usize {
        self.len()
    }

    fn capacity(&self) -> usize {
        self.capacity()
    }

    fn close(&self) -> bool {
        self.close()
    }

    fn is_closed(&self) -> bool {
        self.is_closed()
    }

    fn force_push(&mut self, value: Value) -> Option<Option<Value>> {
        let Ok(pushed) = Self::force_push(self, value) else { panic!("neither closed nor busy") };
        assert!(!pushed.poppers_wait);
        Some(pushed.evicted)
    }
}

macro_rules! ring_of_ends {
    ($push:ty, $pop:ty) => {
        impl Ring for ($push, $pop) {
            fn push(&mut self, value: Value) -> Result<bool, PushError<Value>> {
                self.0.push(value)
            }

            fn pop(&mut self) -> Result<(Value, bool), PopError> {
                self.1.pop().map(|(value, owed)| (value, owed.is_owed()))
            }

            fn push_many(&mut self, values: &mut VecDeque<Value>) -> Result<(usize, bool), PushError<()>> {
                self.0.push_many(values)
            }

            fn pop_many(&mut self, values: &mut Vec<Value>, limit: usize) -> Result<(usize, bool), PopError> {
                self.1.pop_many(values, limit)
            }

            fn len(&self) -> usize {
                self.1.ring().len()
            }

            fn capacity(&self) -> usize {
                self.1.ring().capacity()
            }

            fn close(&self) -> bool {
                self.0.close()
            }

            fn is_closed(&self) -> bool {
                self.1.ring().is_closed()
            }
        }
    };
}

ring_of_ends!(Pusher<Value, ()>, Popper<Value, ()>);
ring_of_ends!(Arc<Mpsc<Value, ()>>, LonePopper<Value, ()>);

/// A ring and what should be in it.
struct Pair<R> {
    ring: R,
    queue: VecDeque<usize>,
    next: usize,
}

impl<R: Ring> Pair<R> {
    fn new(ring: R) -> Self {
        Self { ring, queue: VecDeque::new(), next: 0 }
    }

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
        let Some(evicted) = self.ring.force_push(value) else { return };
        let oldest = if self.is_full() { self.queue.pop_front() } else { None };
        assert_eq!(evicted.as_deref().copied(), oldest);
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

/// By a fixed mixture of steps that visits all fillings.
fn walk<R: Ring>(ring: R, capacity: usize) {
    let mut pair = Pair::new(ring);
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

/// Q3, Q5, Q6, Q8: every ring and every capacity from 1 to 8, from zero and from just before the wrap-around.
#[test]
fn a_ring_is_a_queue_across_the_wrap_around() {
    for capacity in 1..=8usize {
        for laps in [0, 1, 2, 3] {
            walk(Mpmc::near_wrap_around(capacity, laps), capacity);
            walk(spsc_near_wrap_around(capacity, laps, ()), capacity);
            walk(mpsc_near_wrap_around(capacity, laps, ()), capacity);
        }
    }
}

/// Q8: closed at any filling, by push or pop so far, a ring with ends gives what is left and then says so; what is never
/// popped is dropped with it, once.
fn close_with<R: Ring>(mut ring: R, capacity: usize, pushes: usize, pops: usize) {
    let value = Arc::new(7);
    let mut inside = 0;
    for _ in 0..pushes {
        match ring.push(Arc::clone(&value)) {
            Ok(_) => inside += 1,
            Err(PushError::Full(_)) => assert_eq!(inside, capacity),
            Err(_) => panic!("neither closed nor busy"),
        }
    }
    for _ in 0..pops.min(inside) {
        assert!(ring.pop().is_ok());
        inside -= 1;
    }
    assert!(ring.close() && !ring.close() && ring.is_closed());
    assert!(matches!(ring.push(Arc::clone(&value)), Err(PushError::Closed(_))));
    let mut batch = VecDeque::from([Arc::clone(&value), Arc::clone(&value)]);
    assert!(matches!(ring.push_many(&mut batch), Err(PushError::Closed(()))));
    assert_eq!(batch.len(), 2);
    drop(batch);
    assert_eq!((ring.len(), Arc::strong_count(&value)), (inside, 1 + inside));
    for _ in 0..inside / 2 {
        assert!(ring.pop().is_ok());
        inside -= 1;
    }
    if inside == 0 {
        assert_eq!(ring.pop().err(), Some(PopError::Closed));
        assert_eq!(ring.pop_many(&mut Vec::new(), 3).err(), Some(PopError::Closed));
    }
    assert_eq!(Arc::strong_count(&value), 1 + inside);
    drop(ring);
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn a_closed_ring_with_ends_gives_what_is_left() {
    for capacity in 1..=4 {
        for pushes in 0..=2 * capacity {
            for pops in 0..=capacity {
                for laps in [0, 1] {
                    close_with(spsc_near_wrap_around(capacity, laps, ()), capacity, pushes, pops);
                    close_with(mpsc_near_wrap_around(capacity, laps, ()), capacity, pushes, pops);
                }
            }
        }
    }
}

/// Values that a ring is dropped with are dropped, also behind one whose drop panics.
#[test]
fn a_panicking_drop_keeps_no_other_from_being_dropped() {
    struct Bomb(#[expect(dead_code, reason = "it is there to be counted")] Arc<()>, bool);
    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(!self.1, "on purpose");
        }
    }
    let count = Arc::new(());
    let (mut pusher, popper) = spsc_near_wrap_around(4, 1, ());
    for n in 0..4 {
        assert!(pusher.push(Bomb(Arc::clone(&count), n == 1)).is_ok());
    }
    drop(pusher);
    let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(popper)));
    assert!(dropped.is_err());
    assert_eq!(Arc::strong_count(&count), 1);
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
            assert_eq!(ring.pop(), Ok((n, true.into())));
        }
        ring.clear_poppers_wait();
        assert!(ring.push(0).is_ok_and(|poppers_wait| !poppers_wait));
        ring.clear_pushers_wait();
        assert_eq!(ring.pop(), Ok((0, false.into())));
    }
}
