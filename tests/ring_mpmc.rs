//! The raw ring for many: order, batches, displacing, closing, drops, unusual payloads, and threads at full speed.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

mod common;

use common::{Ledger, Watchdog};
use millpond::ring::error::{ClosedError, PopError, PushError, RelaxedPopError, RelaxedPushError};
use millpond::ring::mpmc::Ring;
use proptest::prelude::{Just, ProptestConfig, Strategy, prop_oneof, proptest};
use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, MutexGuard};
use std::thread;

/// Values of one thread in one run of a stress test.
const COUNT: u64 = 20_000;

#[test]
fn values_arrive_in_order_across_many_laps() {
    for capacity in 1..=8 {
        let ring = Ring::new(capacity);
        let mut next = 0;
        for filling in (0..=capacity).cycle().take(10 * capacity) {
            for inside in 0..filling {
                assert_eq!((ring.len(), ring.is_empty(), ring.is_full()), (inside, inside == 0, false));
                if inside % 2 == 0 {
                    assert_eq!(ring.push(next + inside), Ok(()));
                } else {
                    assert_eq!(ring.push_relaxed(next + inside), Ok(()));
                }
            }
            if filling == capacity {
                assert!(ring.is_full());
                assert_eq!(ring.push(0), Err(PushError::Full(0)));
                assert_eq!(ring.push_relaxed(0), Err(RelaxedPushError::Full(0)));
                assert_eq!(ring.push_many(&mut VecDeque::from([0])), Err(PushError::Full(())));
            }
            for inside in 0..filling {
                let popped = if inside % 2 == 0 { ring.pop().ok() } else { ring.pop_relaxed().ok() };
                assert_eq!(popped, Some(next));
                next += 1;
            }
            assert_eq!((ring.pop(), ring.pop_relaxed()), (Err(PopError::Empty), Err(RelaxedPopError::Empty)));
            assert_eq!(ring.pop_many(&mut Vec::new(), 1), Err(PopError::Empty));
            assert_eq!(ring.capacity(), capacity);
        }
    }
}

#[test]
fn nothing_pushed_and_nothing_asked_for_is_no_error() {
    let ring = Ring::<u8>::new(1);
    assert_eq!((ring.push_many(&mut VecDeque::new()), ring.pop_many(&mut Vec::new(), 0)), (Ok(0), Ok(0)));
    ring.close();
    assert_eq!((ring.push_many(&mut VecDeque::new()), ring.pop_many(&mut Vec::new(), 0)), (Ok(0), Ok(0)));
}

/// Closed at any filling: nothing comes in, what is inside comes out, and what is left is dropped with the ring.
#[test]
fn a_closed_ring_gives_what_is_left() {
    for capacity in 1..=4 {
        for inside in 0..=capacity {
            for popped in 0..=inside {
                let ledger = Ledger::new(capacity + 1);
                let ring = Ring::new(capacity);
                (0..inside).for_each(|id| assert!(ring.push(ledger.token(id)).is_ok()));
                assert!(!ring.is_closed() && ring.close() && !ring.close() && ring.is_closed());
                let Err(PushError::Closed(token)) = ring.push(ledger.token(capacity)) else {
                    panic!("closed")
                };
                let Err(RelaxedPushError::Closed(token)) = ring.push_relaxed(token) else { panic!("closed") };
                let Err(ClosedError(token)) = ring.force_push(token) else { panic!("closed") };
                let mut batch = VecDeque::from([token]);
                assert_eq!(ring.push_many(&mut batch), Err(PushError::Closed(())));
                assert_eq!((batch.len(), ring.len()), (1, inside));
                assert!((0..popped).all(|id| ring.pop().is_ok_and(|token| token.id == id)));
                if popped == inside {
                    assert_eq!(ring.pop().err(), Some(PopError::Closed));
                    assert_eq!(ring.pop_relaxed().err(), Some(RelaxedPopError::Closed));
                    assert_eq!(ring.pop_many(&mut Vec::new(), 1), Err(PopError::Closed));
                }
                assert_eq!(ledger.drops(), popped);
                drop((ring, batch));
                ledger.assert_settled();
            }
        }
    }
}

/// A drop that panics while the ring goes keeps no other value from being dropped.
#[test]
fn a_panicking_drop() {
    for nth in 1..=3 {
        let ledger = Ledger::new(3);
        let ring = Ring::new(3);
        (0..3).for_each(|id| assert!(ring.push(ledger.token(id)).is_ok()));
        ledger.panic_at(nth);
        assert!(catch_unwind(AssertUnwindSafe(|| drop(ring))).is_err());
        ledger.assert_settled();
    }
}

#[test]
fn values_without_a_size_and_with_a_large_alignment() {
    #[repr(align(128))]
    #[derive(Debug, PartialEq)]
    struct Aligned(u8);
    let (small, large) = (Ring::new(3), Ring::new(3));
    for n in 0..9 {
        assert_eq!((small.push(()), large.push(Aligned(n))), (Ok(()), Ok(())));
        let mut values = Vec::new();
        assert_eq!((small.pop(), large.pop_many(&mut values, 3)), (Ok(()), Ok(1)));
        assert_eq!(values, [Aligned(n)]);
    }
}

#[test]
#[should_panic(expected = "a ring has 1 to")]
fn capacity_zero_is_refused() {
    let _ = Ring::<u8>::new(0);
}

/// Several threads on each side, by ones and in batches, plain and relaxed: all values come once, those of one in order.
#[test]
fn threads_push_and_pop_in_every_way() {
    for (pushers, poppers, capacity) in
        [(1, 1, 1), (1, 1, 64), (2, 2, 1), (2, 2, 3), (4, 1, 8), (1, 4, 8), (3, 3, 64)]
    {
        let dog = Watchdog::start("raw ring for many");
        let ring = Ring::new(capacity);
        let (sum, popped) = (AtomicU64::new(0), AtomicU64::new(0));
        let all = pushers * COUNT;
        thread::scope(|scope| {
            for pusher in 0..pushers {
                let ring = &ring;
                scope.spawn(move || push_all(ring, pusher));
            }
            for popper in 0..poppers {
                let (ring, sum, popped, dog) = (&ring, &sum, &popped, &dog);
                scope.spawn(move || {
                    let mut last = vec![None; usize::try_from(pushers).unwrap()];
                    let mut values = Vec::new();
                    while popped.load(SeqCst) < all {
                        if !pop_some(ring, &mut values, popper) {
                            thread::yield_now();
                        }
                        for value in values.drain(..) {
                            let (pusher, n) = (value / COUNT, value % COUNT);
                            let last = &mut last[usize::try_from(pusher).unwrap()];
                            assert!(last.is_none_or(|last| last < n), "each pusher's values in order");
                            *last = Some(n);
                            sum.fetch_add(value, SeqCst);
                            popped.fetch_add(1, SeqCst);
                        }
                        assert!(ring.len() <= capacity);
                        dog.pet();
                    }
                });
            }
        });
        assert_eq!((sum.load(SeqCst), popped.load(SeqCst)), (all * (all - 1) / 2, all));
        assert_eq!(ring.pop(), Err(PopError::Empty));
    }
}

/// Pushes the pusher's values in order: every other time one, every other time a batch.
fn push_all(ring: &Ring<u64>, pusher: u64) {
    let mut next = pusher * COUNT;
    let end = next + COUNT;
    while next < end {
        let pushed = match next % 3 {
            0 => u64::from(ring.push(next).is_ok()),
            1 => u64::from(ring.push_relaxed(next).is_ok()),
            _ => ring.push_many(&mut (next..end).take(5).collect()).map_or(0, |count| count as u64),
        };
        if pushed == 0 {
            thread::yield_now();
        }
        next += pushed;
    }
}

fn pop_some(ring: &Ring<u64>, values: &mut Vec<u64>, popper: u64) -> bool {
    match popper % 3 {
        0 => values.extend(ring.pop()),
        1 => values.extend(ring.pop_relaxed()),
        _ => return ring.pop_many(values, 4).is_ok(),
    }
    !values.is_empty()
}

/// Displacing never loses a value uncounted: what comes out is popped or displaced.
#[test]
fn threads_that_displace() {
    for capacity in [1, 2, 5] {
        let dog = Watchdog::start("raw ring, displacing");
        let ledger = Ledger::new(usize::try_from(2 * COUNT).unwrap());
        let ring = Arc::new(Ring::new(capacity));
        let pushers: Vec<_> = (0..2)
            .map(|pusher| {
                let (ring, ledger) = (Arc::clone(&ring), Arc::clone(&ledger));
                thread::spawn(move || {
                    let ids = (pusher * COUNT..(pusher + 1) * COUNT).map(|id| usize::try_from(id).unwrap());
                    ids.filter(|id| ring.force_push(ledger.token(*id)).unwrap().is_some()).count()
                })
            })
            .collect();
        let mut popped = 0;
        while !pushers.iter().all(|pusher| pusher.is_finished()) {
            popped += usize::from(ring.pop().is_ok());
            dog.pet();
        }
        let displaced: usize = pushers.into_iter().map(|pusher| pusher.join().unwrap()).sum();
        assert_eq!(popped + displaced + ring.len(), usize::try_from(2 * COUNT).unwrap());
        drop(ring);
        ledger.assert_settled();
    }
}

#[derive(Debug, Clone)]
enum Op {
    Push,
    PushRelaxed,
    ForcePush,
    PushMany(usize),
    Pop,
    PopRelaxed,
    PopMany(usize),
    Close,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        20 => prop_oneof![Just(Op::Push), Just(Op::PushRelaxed), Just(Op::ForcePush), (0..10usize).prop_map(Op::PushMany)],
        20 => prop_oneof![Just(Op::Pop), Just(Op::PopRelaxed), (0..10usize).prop_map(Op::PopMany)],
        1 => Just(Op::Close),
    ];
    proptest::collection::vec(op, 1..200)
}

/// What the ring should hold, and whether it is closed.
#[derive(Default)]
struct Model {
    queue: VecDeque<u32>,
    closed: bool,
    next: u32,
}

impl Model {
    /// One step on the ring and here, which must agree.
    fn step(&mut self, op: &Op, ring: &Ring<u32>) {
        let room = ring.capacity() - self.queue.len();
        self.next += 10;
        let (value, closed, full) = (self.next, self.closed, room == 0);
        let refusal = match (closed, full) {
            (true, _) => Some(PushError::Closed(value)),
            (false, true) => Some(PushError::Full(value)),
            (false, false) => None,
        };
        let nothing = if closed { PopError::Closed } else { PopError::Empty };
        match *op {
            Op::Push => assert_eq!(ring.push(value).err(), refusal),
            Op::PushRelaxed => {
                let error = ring.push_relaxed(value).err();
                assert_eq!(error.map(|error| error.is_closed()), refusal.map(|error| error.is_closed()));
            }
            Op::ForcePush if closed => assert_eq!(ring.force_push(value), Err(ClosedError(value))),
            Op::ForcePush => {
                let oldest = if full { self.queue.pop_front() } else { None };
                assert_eq!(ring.force_push(value), Ok(oldest));
            }
            Op::PushMany(count) => return self.push_many(count, ring, room),
            Op::Pop => return assert_eq!(ring.pop(), self.queue.pop_front().ok_or(nothing)),
            Op::PopRelaxed => return assert_eq!(ring.pop_relaxed().ok(), self.queue.pop_front()),
            Op::PopMany(limit) => return self.pop_many(limit, ring, nothing),
            Op::Close => {
                assert_eq!(ring.close(), !closed);
                self.closed = true;
                return;
            }
        }
        if refusal.is_none() || matches!(op, Op::ForcePush) && !closed {
            self.queue.push_back(value);
        }
    }

    fn push_many(&mut self, count: usize, ring: &Ring<u32>, room: usize) {
        let mut values: VecDeque<_> = (self.next..).take(count).collect();
        let pushed = ring.push_many(&mut values);
        let expected = match () {
            () if count == 0 => Ok(0),
            () if self.closed => Err(PushError::Closed(())),
            () if room == 0 => Err(PushError::Full(())),
            () => Ok(count.min(room)),
        };
        assert_eq!(pushed, expected);
        let pushed = pushed.unwrap_or(0);
        assert!(values.iter().copied().eq((self.next..).take(count).skip(pushed)));
        self.queue.extend((self.next..).take(pushed));
    }

    fn pop_many(&mut self, limit: usize, ring: &Ring<u32>, nothing: PopError) {
        let mut values = vec![0];
        let count = limit.min(self.queue.len());
        let expected = if limit > 0 && count == 0 { Err(nothing) } else { Ok(count) };
        assert_eq!(ring.pop_many(&mut values, limit), expected);
        assert!(values.into_iter().skip(1).eq(self.queue.drain(..count)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn any_program_behaves_as_on_a_queue(capacity in 1..9usize, ops in ops()) {
        let (ring, mut model) = (Ring::new(capacity), Model::default());
        for op in &ops {
            model.step(op, &ring);
            assert_eq!((ring.len(), ring.is_closed()), (model.queue.len(), model.closed));
        }
    }
}

/// The answer for every type ...
trait Otherwise {
    const ANSWER: bool = false;
}

impl<T: ?Sized> Otherwise for T {}

/// Whether a type implements a trait: ... which an inherent constant hides where the bound holds.
macro_rules! implements {
    ($type:ty, $bound:path) => {{
        struct Probe<T: ?Sized>(std::marker::PhantomData<T>);
        impl<T: ?Sized + $bound> Probe<T> {
            #[allow(dead_code, reason = "hidden from the compiler's eye where the bound does not hold")]
            const ANSWER: bool = true;
        }
        <Probe<$type>>::ANSWER
    }};
}

/// Checks one payload, when this is compiled: a shared ring gives nobody a `&T`.
macro_rules! table {
    ($payload:ty: Send $send:literal, Sync $sync:literal) => {
        const _: () = {
            type T = $payload;
            assert!(implements!(Ring<T>, Send) == $send && implements!(Ring<T>, Sync) == $send);
            assert!(implements!(Ring<T>, UnwindSafe) && implements!(Ring<T>, RefUnwindSafe));
            assert!(implements!(Ring<T>, Unpin) && !implements!(Ring<T>, Clone));
            assert!(implements!(RelaxedPushError<T>, Send) == $send);
            assert!(implements!(RelaxedPushError<T>, Sync) == $sync);
        };
    };
}

table!(u8: Send true, Sync true);
table!(Cell<u8>: Send true, Sync false);
table!(MutexGuard<'static, u8>: Send false, Sync true);
table!(Rc<u8>: Send false, Sync false);

#[test]
fn what_is_said_for_debugging_and_of_errors() {
    let ring = Ring::new(2);
    assert!(ring.push(Cell::new(1)).is_ok());
    assert_eq!(format!("{ring:?}"), "Ring { len: 1, capacity: 2, is_closed: false }");
    let error = RelaxedPushError::Busy(Rc::new(1));
    assert_eq!((format!("{error:?}"), error.to_string()), ("Busy(..)".into(), "the ring is busy".into()));
    assert!(error.is_busy() && !error.is_full() && !error.is_closed() && *error.into_inner() == 1);
    assert_eq!(RelaxedPopError::Busy.to_string(), "the ring is busy");
    assert_eq!(PushError::from(ClosedError(1)), PushError::Closed(1));
    assert_eq!((ClosedError(1).to_string(), ClosedError(1).into_inner()), ("the ring is closed".into(), 1));
}
