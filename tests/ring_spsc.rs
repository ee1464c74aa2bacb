//! The raw ring between two ends: order, chunks, slices, drops, panics, unusual payloads, and two threads at full speed.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

mod common;

use common::{Ledger, Token, Watchdog};
use millpond::ring::error::{PopError, PushError};
use millpond::ring::spsc::{Consumer, Drain, Producer, ReadChunk, WriteChunk, ring};
use proptest::prelude::{Just, ProptestConfig, Strategy, prop_oneof, proptest};
use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, MutexGuard};
use std::thread;

/// Values in one run of a stress test.
const COUNT: u64 = 50_000;

fn panics(code: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(code)).is_err()
}

#[test]
fn values_arrive_in_order_across_many_laps() {
    for capacity in 1..=8 {
        let (mut producer, mut consumer) = ring(capacity);
        let mut next = 0;
        for filling in (0..=capacity).cycle().take(10 * capacity) {
            for inside in 0..filling {
                assert_eq!((producer.len(), consumer.len()), (inside, inside));
                assert_eq!((producer.is_empty(), consumer.is_empty()), (inside == 0, inside == 0));
                assert_eq!(producer.free(), capacity - inside);
                assert_eq!(producer.push(next + inside), Ok(()));
            }
            let full = filling == capacity;
            assert_eq!((producer.is_full(), consumer.is_full()), (full, full));
            if full {
                assert_eq!(producer.push(0), Err(PushError::Full(0)));
            }
            for _ in 0..filling {
                assert_eq!(consumer.peek(), Some(&next));
                assert_eq!(consumer.pop(), Ok(next));
                next += 1;
            }
            assert_eq!(consumer.peek(), None);
            assert_eq!(consumer.pop(), Err(PopError::Empty));
            assert_eq!((producer.capacity(), consumer.capacity()), (capacity, capacity));
        }
    }
}

/// Each chunk size through each capacity at each offset, so that every chunk lies across the end of the ring once.
#[test]
fn chunks_lie_across_the_end_of_the_ring() {
    for capacity in 1..=8usize {
        for offset in 0..capacity {
            for size in 0..=capacity + 1 {
                let (mut producer, mut consumer) = ring(capacity);
                for _ in 0..offset {
                    producer.push(0).unwrap();
                    consumer.pop().unwrap();
                }
                let len = size.min(capacity);
                let mut chunk = producer.chunk(size);
                assert_eq!((chunk.len(), chunk.is_empty(), chunk.filled()), (len, len == 0, 0));
                let (front, back) = chunk.vacant_slices();
                assert_eq!((front.len(), back.len()), {
                    let front = len.min(capacity - offset);
                    (front, len - front)
                });
                assert_eq!(chunk.fill_from(1..), len);
                assert_eq!(chunk.fill_from([0]), 0);
                assert_eq!(chunk.commit(), len);

                let chunk = consumer.chunk(size + 1);
                let (front, back) = chunk.slices();
                assert_eq!(front.len(), len.min(capacity - offset));
                assert!(front.iter().chain(back).copied().eq(1..=len));
                chunk.commit(len / 2);
                assert!(consumer.chunk(capacity).into_iter().eq(len / 2 + 1..=len));
                assert_eq!((consumer.len(), producer.free()), (0, capacity));
            }
        }
    }
}

#[test]
fn a_chunk_is_filled_in_several_ways_and_in_part() {
    let (mut producer, mut consumer) = ring(8);
    let mut chunk = producer.chunk(7);
    assert_eq!(chunk.fill_from([1, 2]), 2);
    assert_eq!(chunk.fill_from_slice(&[3]), 1);
    chunk.vacant_slices().0[0].write(4);
    // SAFETY: it has just been written.
    unsafe { chunk.assume_filled(1) };
    assert_eq!((chunk.filled(), chunk.len()), (4, 7));
    assert_eq!(chunk.fill_from(std::iter::empty()), 0);
    assert_eq!(chunk.commit(), 4);
    let mut rest = 10..;
    assert_eq!(producer.chunk(9).fill_from(rest.by_ref()), 4);
    assert_eq!(rest.next(), Some(14), "no value more than there are places");
    assert_eq!(producer.len(), 4, "what is not committed is not there");
    assert!(consumer.chunk(9).into_iter().eq(1..=4));
    assert_eq!(producer.chunk(3).commit(), 0);
    assert_eq!(consumer.pop(), Err(PopError::Empty));
}

#[test]
fn slices_are_copied_in_part_when_there_is_no_room_or_no_more() {
    for capacity in 1..=8usize {
        let (mut producer, mut consumer) = ring(capacity);
        let (mut pushed, mut popped) = (0u32, 0u32);
        for step in 0..60 {
            let values: Vec<_> = (pushed..).take(step % (capacity + 2)).collect();
            let count = producer.push_slice(&values);
            assert_eq!(count, values.len().min(capacity - (pushed - popped) as usize));
            pushed += count as u32;
            let mut places = vec![u32::MAX; (step * 11) % (capacity + 2)];
            let count = consumer.pop_slice(&mut places);
            assert_eq!(count, places.len().min((pushed - popped) as usize));
            assert!(places[..count].iter().copied().eq(popped..popped + count as u32));
            assert!(places[count..].iter().all(|place| *place == u32::MAX), "no place beyond is touched");
            popped += count as u32;
        }
        assert!(popped > 10);
    }
}

/// Whoever goes, and with whatever inside: what is left is popped or dropped, once.
#[test]
fn an_end_that_goes_closes_the_ring() {
    for inside in 0..=3 {
        for popped in 0..=inside {
            let ledger = Ledger::new(4);
            let (mut producer, mut consumer) = ring(3);
            (0..inside).for_each(|id| assert!(producer.push(ledger.token(id)).is_ok()));
            assert!(!consumer.is_closed() && !producer.is_closed());
            drop(producer);
            assert!(consumer.is_closed());
            assert!((0..popped).all(|id| consumer.pop().is_ok_and(|token| token.id == id)));
            if popped == inside {
                assert_eq!(consumer.pop().map(|token| token.id), Err(PopError::Closed));
                assert!(consumer.peek().is_none() && consumer.chunk(1).is_empty());
            }
            drop(consumer);
            assert_eq!(ledger.drops(), inside);
            ledger.assert_settled();

            let (mut producer, mut consumer) = ring(3);
            (0..inside).for_each(|id| assert!(producer.push(ledger.token(id)).is_ok()));
            assert!((0..popped).all(|id| consumer.pop().is_ok_and(|token| token.id == id)));
            drop(consumer);
            assert!(producer.is_closed());
            while producer.free() > 0 {
                assert!(producer.push(ledger.token(3)).is_ok(), "there is room, although nobody will pop");
            }
            let Err(PushError::Closed(token)) = producer.push(ledger.token(3)) else {
                panic!("full and closed")
            };
            assert_eq!(token.id, 3);
            drop((producer, token));
            ledger.assert_settled();
        }
    }
}

/// A chunk that is dropped drops what was filled in; a drain that is dropped, or forgotten, half way has taken what it gave.
#[test]
fn every_value_is_dropped_once_whatever_becomes_of_a_chunk() {
    for capacity in [3, 4, 5] {
        for offset in 0..capacity {
            let ledger = Ledger::new(8);
            let (mut producer, mut consumer) = ring(capacity);
            for id in 0..offset {
                assert!(producer.push(ledger.token(id)).is_ok() && consumer.pop().is_ok());
            }
            let before = ledger.drops();
            let mut chunk = producer.chunk(3);
            assert_eq!(chunk.fill_from((0..2).map(|id| ledger.token(id))), 2);
            drop(chunk);
            assert_eq!((ledger.drops(), consumer.len()), (before + 2, 0));

            let fill = |producer: &mut Producer<Token>| {
                let mut chunk = producer.chunk(3);
                chunk.fill_from((0..3).map(|id| ledger.token(id)));
                chunk.commit()
            };
            fill(&mut producer);
            drop(consumer.chunk(2));
            assert_eq!(consumer.len(), 3, "a chunk that is dropped changes nothing");
            let mut drain = consumer.chunk(3).into_iter();
            assert_eq!(drain.next().map(|token| token.id), Some(0));
            assert_eq!((drain.len(), drain.size_hint()), (2, (2, Some(2))));
            drop(drain);
            assert_eq!(consumer.len(), 2);
            let mut drain = consumer.chunk(2).into_iter();
            assert_eq!(drain.next().map(|token| token.id), Some(1));
            std::mem::forget(drain);
            assert_eq!(consumer.len(), 1, "what was taken is taken");
            assert_eq!(consumer.pop().map(|token| token.id), Ok(2));
            assert_eq!(producer.free(), capacity);

            fill(&mut producer);
            let mut drain = consumer.chunk(2).into_iter();
            assert!(drain.by_ref().count() == 2 && drain.next().is_none());
            std::mem::forget(drain);
            drop(consumer);
            drop(producer);
            ledger.assert_settled();
        }
    }
}

/// The `nth` drop of a commit panics: all are dropped once all the same, and their places are free.
#[test]
fn a_panicking_drop_keeps_no_other_from_being_dropped() {
    for nth in 1..=3 {
        let ledger = Ledger::new(4);
        let (mut producer, mut consumer) = ring(4);
        (0..4).for_each(|id| assert!(producer.push(ledger.token(id)).is_ok()));
        ledger.panic_at(nth);
        assert!(panics(|| consumer.chunk(4).commit(3)));
        assert_eq!((ledger.drops(), consumer.len(), producer.free()), (3, 1, 3));
        assert!(consumer.pop().is_ok_and(|token| token.id == 3));

        // A drain whose user panics has taken what it gave.
        (0..4).for_each(|id| assert!(producer.push(ledger.token(id)).is_ok()));
        ledger.panic_at(nth);
        assert!(panics(|| consumer.chunk(4).into_iter().for_each(drop)));
        assert_eq!((consumer.len(), producer.free()), (4 - nth, nth));

        // The ring goes with values inside.
        ledger.panic_at(1);
        let inside = consumer.len();
        assert_eq!(panics(|| drop((producer, consumer))), inside > 0);
        ledger.assert_settled();
    }
}

/// A chunk that is dropped although filled, with a drop that panics: the others are dropped, and nothing is published.
#[test]
fn a_panicking_drop_in_a_dropped_chunk() {
    let ledger = Ledger::new(3);
    let (mut producer, consumer) = ring(3);
    let mut chunk = producer.chunk(3);
    chunk.fill_from((0..3).map(|id| ledger.token(id)));
    ledger.panic_at(2);
    assert!(panics(|| drop(chunk)));
    assert_eq!((ledger.drops(), consumer.len(), producer.free()), (3, 0, 3));
    ledger.assert_settled();
}

/// The iterator that fills a chunk panics: what it brought before is dropped with the chunk, or can still be committed.
#[test]
fn a_panicking_iterator_in_fill_from() {
    for commits in [false, true] {
        let ledger = Ledger::new(4);
        let (mut producer, mut consumer) = ring(4);
        let mut chunk = producer.chunk(4);
        let values = (0..4).map(|id| if id < 2 { ledger.token(id) } else { panic!("on purpose") });
        assert!(panics(|| assert_eq!(chunk.fill_from(values), 4)));
        assert_eq!(chunk.filled(), 2);
        if commits {
            assert_eq!(chunk.commit(), 2);
            assert!(consumer.chunk(4).into_iter().map(|token| token.id).eq([0, 1]));
        } else {
            drop(chunk);
            assert_eq!((ledger.drops(), consumer.len()), (2, 0));
        }
        assert!(producer.push(ledger.token(3)).is_ok() && consumer.pop().is_ok_and(|token| token.id == 3));
        ledger.assert_settled();
    }
}

#[test]
#[should_panic(expected = "asked to commit 2")]
fn no_more_is_committed_than_there_is() {
    let (mut producer, mut consumer) = ring(2);
    producer.push(1).unwrap();
    consumer.chunk(2).commit(2);
}

#[test]
#[should_panic(expected = "a ring has 1 to")]
fn capacity_zero_is_refused() {
    let _ = ring::<u8>(0);
}

#[test]
#[should_panic(expected = "does not fit into memory")]
fn a_capacity_that_cannot_be_allocated_is_refused() {
    let _ = ring::<[u64; 1 << 20]>(1 << 45);
}

/// Nothing to store, and still counted and dropped.
#[test]
fn values_without_a_size() {
    thread_local!(static DROPS: Cell<usize> = const { Cell::new(0) });
    struct Nothing;
    impl Drop for Nothing {
        fn drop(&mut self) {
            DROPS.set(DROPS.get() + 1);
        }
    }
    let (mut producer, mut consumer) = ring(3);
    for _ in 0..5 {
        let mut chunk = producer.chunk(9);
        assert_eq!(chunk.fill_from(std::iter::repeat_with(|| Nothing)), 3);
        assert_eq!(chunk.commit(), 3);
        assert!(producer.push(Nothing).is_err() && consumer.pop().is_ok());
        assert_eq!(consumer.chunk(9).slices().0.len() + consumer.chunk(9).slices().1.len(), 2);
        consumer.chunk(2).commit_all();
    }
    assert_eq!(DROPS.get(), 20);
    let (mut producer, mut consumer) = ring(3);
    assert_eq!((producer.push_slice(&[(); 5]), consumer.pop_slice(&mut [(); 2])), (3, 2));
}

#[test]
fn values_with_a_large_alignment() {
    #[repr(align(128))]
    #[derive(Debug, PartialEq, Clone, Copy)]
    struct Aligned(u8);
    let (mut producer, mut consumer) = ring(3);
    for n in 0..10 {
        assert_eq!(producer.push_slice(&[Aligned(n), Aligned(n + 1)]), 2);
        let chunk = consumer.chunk(2);
        let (front, back) = chunk.slices();
        assert!(front.iter().chain(back).all(|value| (&raw const *value).addr() % 128 == 0));
        chunk.commit(1);
        assert_eq!(consumer.pop(), Ok(Aligned(n + 1)));
    }
}

/// Pushes values from this one on, below `COUNT`, and returns how many.
type Push = fn(&mut Producer<u64>, u64) -> u64;
/// Pops values, which must be those from this one on, and returns how many.
type Pop = fn(&mut Consumer<u64>, u64) -> u64;

/// Two threads, each in its own way: nothing is lost, doubled or out of order.
fn stress(capacity: usize, push: Push, pop: Pop) {
    let dog = Watchdog::start("raw ring, two threads");
    let (mut producer, mut consumer) = ring(capacity);
    let pusher = thread::spawn(move || {
        let mut next = 0;
        while next < COUNT {
            let free = producer.free();
            let pushed = push(&mut producer, next);
            assert!(pushed > 0 || free == 0, "the consumer only makes more room");
            assert!(producer.len() <= capacity);
            if pushed == 0 {
                thread::yield_now();
            }
            next += pushed;
        }
    });
    let mut next = 0;
    while next < COUNT {
        let inside = consumer.len();
        let popped = pop(&mut consumer, next);
        assert!(popped > 0 || inside == 0, "the producer only brings more values");
        if popped == 0 {
            thread::yield_now();
        }
        next += popped;
        if next % 1024 < popped {
            dog.pet();
        }
    }
    pusher.join().unwrap();
    assert_eq!((consumer.pop(), next), (Err(PopError::Closed), COUNT));
}

fn push_one(producer: &mut Producer<u64>, next: u64) -> u64 {
    u64::from(producer.push(next).is_ok())
}

fn push_chunk(producer: &mut Producer<u64>, next: u64) -> u64 {
    let mut chunk = producer.chunk(1 + next as usize % 7);
    chunk.fill_from(next..COUNT);
    chunk.commit() as u64
}

fn push_slice(producer: &mut Producer<u64>, next: u64) -> u64 {
    let values: Vec<_> = (next..COUNT).take(6).collect();
    producer.push_slice(&values) as u64
}

fn pop_one(consumer: &mut Consumer<u64>, next: u64) -> u64 {
    consumer.pop().map_or(0, |value| {
        assert_eq!(value, next);
        1
    })
}

fn pop_chunk(consumer: &mut Consumer<u64>, next: u64) -> u64 {
    let chunk = consumer.chunk(1 + next as usize % 5);
    let count = chunk.len() as u64;
    let (front, back) = chunk.slices();
    assert!(front.iter().chain(back).copied().eq(next..next + count));
    if next % 2 == 0 {
        chunk.commit_all();
    } else {
        assert!(chunk.into_iter().eq(next..next + count));
    }
    count
}

fn pop_slice(consumer: &mut Consumer<u64>, next: u64) -> u64 {
    let mut values = [0; 5];
    let count = consumer.pop_slice(&mut values);
    assert!(values[..count].iter().copied().eq(next..next + count as u64));
    count as u64
}

#[test]
fn two_threads_push_and_pop_in_every_way() {
    let pushes: [Push; 3] = [push_one, push_chunk, push_slice];
    let pops: [Pop; 3] = [pop_one, pop_chunk, pop_slice];
    for capacity in [1, 2, 5, 64] {
        for push in pushes {
            for pop in pops {
                stress(capacity, push, pop);
            }
        }
    }
}

/// Ends that go while the other one works, with values that own memory: none is lost or dropped twice.
#[test]
fn ends_go_at_any_time() {
    for round in 0..200 {
        let ledger = Ledger::new(64);
        let (mut producer, mut consumer) = ring(4);
        let tokens = Arc::clone(&ledger);
        let pusher = thread::spawn(move || {
            for id in 0..round % 64 {
                let mut token = tokens.token(id);
                while let Err(PushError::Full(refused)) = producer.push(token) {
                    token = refused;
                    thread::yield_now();
                }
            }
        });
        let mut next = 0;
        for _ in 0..(round * 7) % 80 {
            match consumer.pop() {
                Ok(token) => {
                    assert_eq!(token.id, next);
                    next += 1;
                }
                Err(PopError::Empty) => thread::yield_now(),
                Err(PopError::Closed) => {
                    assert_eq!(next, round % 64);
                    break;
                }
            }
        }
        drop(consumer);
        pusher.join().unwrap();
        ledger.assert_settled();
    }
}

#[derive(Debug, Clone)]
enum Op {
    Push,
    Pop,
    Peek,
    Write { limit: usize, fill: usize, commit: bool },
    Commit { limit: usize, count: usize },
    Drain { limit: usize, count: usize },
    PushSlice(usize),
    PopSlice(usize),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op =
        prop_oneof![
            Just(Op::Push),
            Just(Op::Pop),
            Just(Op::Peek),
            (0..10usize, 0..10usize, proptest::bool::weighted(0.8))
                .prop_map(|(limit, fill, commit)| Op::Write { limit, fill, commit }),
            (0..10usize, 0..10usize).prop_map(|(limit, count)| Op::Commit { limit, count }),
            (0..10usize, 0..10usize).prop_map(|(limit, count)| Op::Drain { limit, count }),
            (0..10usize).prop_map(Op::PushSlice),
            (0..10usize).prop_map(Op::PopSlice),
        ];
    proptest::collection::vec(op, 1..200)
}

/// One step on the ring and on a queue, which must agree.
fn step(
    op: &Op,
    producer: &mut Producer<u32>,
    consumer: &mut Consumer<u32>,
    queue: &mut VecDeque<u32>,
    next: &mut u32,
) {
    let room = producer.capacity() - queue.len();
    let first = *next;
    let fresh = |count: usize| first..first + count as u32;
    *next += 10;
    match *op {
        Op::Push if room > 0 => {
            assert_eq!(producer.push(first), Ok(()));
            queue.push_back(first);
        }
        Op::Push => assert_eq!(producer.push(first), Err(PushError::Full(first))),
        Op::Pop => assert_eq!(consumer.pop().ok(), queue.pop_front()),
        Op::Peek => assert_eq!(consumer.peek(), queue.front()),
        Op::Write { limit, fill, commit } => {
            let mut chunk = producer.chunk(limit);
            assert_eq!(chunk.len(), limit.min(room));
            let filled = chunk.fill_from(fresh(fill));
            assert_eq!(filled, fill.min(limit).min(room));
            if commit {
                chunk.commit();
                queue.extend(fresh(filled));
            }
        }
        Op::Commit { limit, count } => {
            let chunk = consumer.chunk(limit);
            let (front, back) = chunk.slices();
            assert!(front.iter().chain(back).eq(queue.iter().take(limit)));
            let count = count.min(chunk.len());
            chunk.commit(count);
            queue.drain(..count);
        }
        Op::Drain { limit, count } => {
            let count = count.min(limit).min(queue.len());
            assert!(consumer.chunk(limit).into_iter().take(count).eq(queue.drain(..count)));
        }
        Op::PushSlice(count) => {
            let values: Vec<_> = fresh(count).collect();
            let count = producer.push_slice(&values);
            assert_eq!(count, values.len().min(room));
            queue.extend(&values[..count]);
        }
        Op::PopSlice(count) => {
            let mut places = vec![0; count];
            let count = consumer.pop_slice(&mut places);
            assert_eq!(count, places.len().min(queue.len()));
            assert!(places[..count].iter().copied().eq(queue.drain(..count)));
        }
    }
    assert_eq!((producer.len(), consumer.len()), (queue.len(), queue.len()));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn any_program_behaves_as_on_a_queue(capacity in 1..9usize, ops in ops()) {
        let (mut producer, mut consumer) = ring(capacity);
        let (mut queue, mut next) = (VecDeque::new(), 0);
        for op in &ops {
            step(op, &mut producer, &mut consumer, &mut queue, &mut next);
        }
        drop(producer);
        while let Some(value) = queue.pop_front() {
            assert_eq!(consumer.pop(), Ok(value));
        }
        assert_eq!(consumer.pop(), Err(PopError::Closed));
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

/// Checks one payload, when this is compiled: who may be sent and who shared.
macro_rules! table {
    ($payload:ty: Send $send:literal, Sync $sync:literal) => {
        const _: () = {
            type T = $payload;
            // An end gives nobody who shares it a `&T`.
            assert!(implements!(Producer<T>, Send) == $send && implements!(Producer<T>, Sync) == $send);
            assert!(implements!(Consumer<T>, Send) == $send && implements!(Consumer<T>, Sync) == $send);
            assert!(implements!(WriteChunk<'static, T>, Send) == $send);
            assert!(implements!(WriteChunk<'static, T>, Sync) == $send);
            assert!(implements!(Drain<'static, T>, Send) == $send);
            assert!(implements!(Drain<'static, T>, Sync) == $send);
            // A read chunk does.
            assert!(implements!(ReadChunk<'static, T>, Send) == $send);
            assert!(implements!(ReadChunk<'static, T>, Sync) == ($send && $sync));
            assert!(!implements!(Producer<T>, Clone) && !implements!(Consumer<T>, Clone));
            assert!(implements!(Producer<T>, UnwindSafe) && implements!(Consumer<T>, RefUnwindSafe));
            assert!(implements!(Producer<T>, Unpin) && implements!(Consumer<T>, Unpin));
        };
    };
}

table!(u8: Send true, Sync true);
table!(Cell<u8>: Send true, Sync false);
table!(MutexGuard<'static, u8>: Send false, Sync true);
table!(Rc<u8>: Send false, Sync false);

#[test]
fn what_is_said_for_debugging_and_of_errors() {
    let (mut producer, mut consumer) = ring(2);
    producer.push(Cell::new(1)).unwrap();
    assert_eq!(format!("{producer:?}"), "Producer { len: 1, capacity: 2, is_closed: false }");
    assert_eq!(format!("{consumer:?}"), "Consumer { len: 1, capacity: 2, is_closed: false }");
    assert_eq!(format!("{:?}", producer.chunk(2)), "WriteChunk { len: 1, filled: 0 }");
    assert_eq!(format!("{:?}", consumer.chunk(2)), "ReadChunk { len: 1, .. }");
    assert_eq!(format!("{:?}", consumer.chunk(2).into_iter()), "Drain { left: 1, .. }");
    let error = PushError::Full(Rc::new(1));
    assert_eq!((format!("{error:?}"), error.to_string()), ("Full(..)".into(), "the ring is full".into()));
    assert!(error.is_full() && !error.is_closed() && *error.into_inner() == 1);
    assert_eq!(PushError::Closed(1).to_string(), "the ring is closed");
    assert_eq!(
        (PopError::Empty.to_string(), PopError::Closed.is_closed()),
        ("the ring is empty".into(), true)
    );
}

/// Exactly so many or none, across the end of the ring as well, and nothing is taken by asking.
#[test]
fn exact_chunks() {
    for capacity in 1..7 {
        for offset in 0..=capacity {
            let (mut producer, mut consumer) = ring(capacity);
            for n in 0..offset {
                producer.push(n).unwrap();
                consumer.pop().unwrap();
            }
            assert!(producer.chunk_exact(capacity + 1).is_none() && consumer.chunk_exact(1).is_none());
            assert!(
                producer.chunk_exact(0).unwrap().is_empty() && consumer.chunk_exact(0).unwrap().is_empty()
            );
            let mut chunk = producer.chunk_exact(capacity).unwrap();
            assert_eq!((chunk.len(), chunk.fill_from(0..)), (capacity, capacity));
            drop(chunk);
            let mut chunk = producer.chunk_exact(capacity).unwrap();
            assert_eq!((chunk.fill_from(0..capacity), chunk.commit()), (capacity, capacity));
            assert!(producer.chunk_exact(1).is_none() && consumer.chunk_exact(capacity + 1).is_none());
            assert!(consumer.chunk_exact(1).unwrap().into_iter().eq([0]));
            assert!(consumer.chunk_exact(capacity).is_none() && producer.chunk_exact(1).is_some());
            assert!(consumer.chunk_exact(capacity - 1).unwrap().into_iter().eq(1..capacity));
        }
    }
}
