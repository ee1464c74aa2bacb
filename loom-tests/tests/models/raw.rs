//! Models of the rings without waiting: single values and chunks between two ends, an end that goes, and busy slots.
//!
//! Every model takes out all that is left in the end: what was pushed is popped once and in order, and every value is
//! dropped once. Slices are left out, for loom's cells cannot lie side by side; they are moved by the same cursors.

use crate::harness::{Case, Ledger, Model, Value, witness};
use loom::sync::atomic::{AtomicUsize, Ordering};
use millpond_loom::ring::error::{PopError, PushError, RelaxedPopError};
use millpond_loom::ring::mpmc::Ring;
use millpond_loom::ring::spsc::{Consumer, Producer, ring_near_wrap_around};
use std::sync::{Arc, Mutex};

/// What one execution brought: the ids that were pushed and those that were popped, in order.
#[derive(Clone, Default)]
struct Book {
    ledger: Ledger,
    pushed: Arc<Mutex<Vec<u32>>>,
    popped: Arc<Mutex<Vec<u32>>>,
    turns: Arc<AtomicUsize>,
}

impl Book {
    /// A place where loom must try both orders of two threads: what only loads can vanish from its sight (see `harness`).
    fn turn(&self) {
        self.turns.fetch_add(1, Ordering::Relaxed);
    }

    fn pushed(&self, ids: impl IntoIterator<Item = u32>) {
        self.pushed.lock().expect("no panic under the lock").extend(ids);
    }

    fn popped(&self, value: &Value) {
        let id = value.id();
        self.popped.lock().expect("no panic under the lock").push(id);
    }

    /// Pushes, and tells whether there was room.
    fn push(&self, producer: &mut Producer<Value>, id: u32) -> bool {
        self.turn();
        match producer.push(self.ledger.value(id)) {
            Ok(()) => self.pushed([id]),
            Err(PushError::Full(_)) => return false,
            Err(PushError::Closed(_)) => panic!("the consumer is there"),
        }
        true
    }

    /// Pops, and tells whether there was a value.
    fn pop(&self, consumer: &mut Consumer<Value>) -> bool {
        self.turn();
        match consumer.pop() {
            Ok(value) => self.popped(&value),
            Err(PopError::Empty) => return false,
            Err(PopError::Closed) => panic!("the producer is there"),
        }
        true
    }

    /// Asserts that what was pushed was popped, in order, and that all values are gone.
    fn settle(&self) {
        let pushed = self.pushed.lock().expect("no panic under the lock").clone();
        let popped = self.popped.lock().expect("no panic under the lock").clone();
        assert_eq!(popped, pushed);
        self.ledger.assert_settled();
    }
}

/// Where the threads leave their ends, so that going takes no part in the race, and to take out what is left.
type Left<E> = Arc<Mutex<Option<E>>>;

fn leave<E>(left: &Left<E>, end: E) {
    *left.lock().expect("no panic under the lock") = Some(end);
}

fn take<E>(left: &Left<E>) -> E {
    left.lock().expect("no panic under the lock").take().expect("the end was left here")
}

/// A ring whose positions wrap around at 2^64 after `capacity` steps, `offset` of which are done, and then so many values.
fn ends(capacity: usize, offset: u32, filled: u32, book: &Book) -> (Producer<Value>, Consumer<Value>) {
    let (mut producer, mut consumer) = ring_near_wrap_around(capacity, 1);
    for id in 0..offset {
        assert!(book.push(&mut producer, id) && book.pop(&mut consumer));
    }
    assert!((offset..offset + filled).all(|id| book.push(&mut producer, id)));
    (producer, consumer)
}

/// Races what the two ends do, then takes out what is left and counts.
fn race(
    case: &mut Case,
    book: Book,
    (mut producer, mut consumer): (Producer<Value>, Consumer<Value>),
    push: impl FnOnce(&Book, &mut Producer<Value>) + Send + 'static,
    pop: impl FnOnce(&Book, &mut Consumer<Value>) + Send + 'static,
) {
    let (producers, consumers) = (Left::default(), Left::default());
    let (own, kept) = (book.clone(), Arc::clone(&producers));
    case.thread(move || {
        push(&own, &mut producer);
        leave(&kept, producer);
    });
    let (own, kept) = (book.clone(), Arc::clone(&consumers));
    case.thread(move || {
        pop(&own, &mut consumer);
        leave(&kept, consumer);
    });
    case.finish(move || {
        let (producer, mut consumer) = (take(&producers), take(&consumers));
        while book.pop(&mut consumer) {}
        assert_eq!((producer.len(), consumer.len()), (0, 0), "a drained ring is empty");
        drop((producer, consumer));
        book.settle();
    });
}

/// Tries on both sides: so many values through so many slots.
fn one_by_one(capacity: usize, count: u32) -> impl Fn(&mut Case) + Send + Sync {
    move |case| {
        let book = Book::default();
        let ends = ends(capacity, 0, 0, &book);
        let push = move |book: &Book, producer: &mut Producer<Value>| {
            for id in 10..10 + count {
                if !book.push(producer, id) {
                    witness("full");
                }
            }
        };
        let pop = move |book: &Book, consumer: &mut Consumer<Value>| {
            for _ in 0..count {
                if !book.pop(consumer) {
                    witness("empty");
                }
            }
        };
        race(case, book, ends, push, pop);
    }
}

#[test]
fn one_by_one_through_one_slot() {
    Model::new("raw push against pop, capacity 1")
        .floor(50)
        .witnesses(&["full", "empty"])
        .run(one_by_one(1, 2));
}

#[test]
fn one_by_one_through_two_slots() {
    Model::new("raw push against pop, capacity 2")
        .preemptions(3)
        .floor(50)
        .witnesses(&["full", "empty"])
        .run(one_by_one(2, 3));
}

/// A value is looked at where it lies, while another one comes.
#[test]
fn push_against_peek() {
    Model::new("raw push against peek").floor(20).witnesses(&["empty", "seen"]).run(|case| {
        let book = Book::default();
        let ends = ends(1, 0, 0, &book);
        let push = |book: &Book, producer: &mut Producer<Value>| assert!(book.push(producer, 10));
        let pop = |book: &Book, consumer: &mut Consumer<Value>| {
            book.turn();
            match consumer.peek().map(Value::id) {
                None => witness("empty"),
                Some(id) => {
                    witness("seen");
                    assert!(id == 10 && book.pop(consumer), "what was seen is there to be popped");
                }
            }
        };
        race(case, book, ends, push, pop);
    });
}

/// A chunk of two that lies across the end of the ring comes all at once.
#[test]
fn a_written_chunk_against_pop() {
    Model::new("raw write chunk against pop").floor(20).witnesses(&["empty", "both"]).run(|case| {
        let book = Book::default();
        let ends = ends(2, 1, 0, &book);
        let push = |book: &Book, producer: &mut Producer<Value>| {
            book.turn();
            let mut chunk = producer.chunk(3);
            assert_eq!(chunk.fill_from((10..13).map(|id| book.ledger.value(id))), 2);
            book.pushed([10, 11]);
            assert_eq!(chunk.commit(), 2);
        };
        let pop = |book: &Book, consumer: &mut Consumer<Value>| {
            if book.pop(consumer) {
                witness("both");
                assert!(book.pop(consumer), "a chunk is published at once");
            } else {
                witness("empty");
            }
        };
        race(case, book, ends, push, pop);
    });
}

/// A chunk is filled while there may be room for one, two or none, and is dropped without being committed: nothing comes.
#[test]
fn a_dropped_chunk_against_pop() {
    Model::new("raw dropped chunk against pop").floor(20).witnesses(&["no room", "one", "two"]).run(|case| {
        let book = Book::default();
        let ends = ends(2, 1, 2, &book);
        let push = |book: &Book, producer: &mut Producer<Value>| {
            book.turn();
            let mut chunk = producer.chunk(2);
            let filled = chunk.fill_from((10..12).map(|id| book.ledger.value(id)));
            witness(["no room", "one", "two"][filled]);
        };
        let pop = |book: &Book, consumer: &mut Consumer<Value>| {
            assert!(book.pop(consumer) && book.pop(consumer) && !book.pop(consumer));
        };
        race(case, book, ends, push, pop);
    });
}

/// The places of a chunk of two that lies across the end of the ring are given back all at once, by taking or by committing.
fn a_read_chunk(takes: bool) -> impl Fn(&mut Case) + Send + Sync {
    move |case| {
        let book = Book::default();
        let ends = ends(2, 1, 2, &book);
        let push = |book: &Book, producer: &mut Producer<Value>| {
            if book.push(producer, 10) {
                witness("both");
                assert!(book.push(producer, 11), "the places are given back at once");
            } else {
                witness("full");
            }
        };
        let pop = move |book: &Book, consumer: &mut Consumer<Value>| {
            book.turn();
            let chunk = consumer.chunk(2);
            assert_eq!(chunk.len(), 2);
            if takes {
                chunk.into_iter().for_each(|value| book.popped(&value));
            } else {
                book.popped.lock().expect("no panic under the lock").extend([1, 2]);
                chunk.commit_all();
            }
        };
        race(case, book, ends, push, pop);
    }
}

#[test]
fn a_taken_chunk_against_push() {
    Model::new("raw taken chunk against push").floor(20).witnesses(&["full", "both"]).run(a_read_chunk(true));
}

#[test]
fn a_committed_chunk_against_push() {
    Model::new("raw committed chunk against push")
        .floor(20)
        .witnesses(&["full", "both"])
        .run(a_read_chunk(false));
}

/// A chunk is read while values come: as many as are there, and in order.
#[test]
fn a_read_chunk_against_pushes() {
    Model::new("raw read chunk against pushes").floor(20).witnesses(&["none", "one", "two"]).run(|case| {
        let book = Book::default();
        let ends = ends(2, 1, 0, &book);
        let push = |book: &Book, producer: &mut Producer<Value>| {
            assert!(book.push(producer, 10) && book.push(producer, 11));
        };
        let pop = |book: &Book, consumer: &mut Consumer<Value>| {
            book.turn();
            let chunk = consumer.chunk(2);
            witness(["none", "one", "two"][chunk.len()]);
            chunk.into_iter().for_each(|value| book.popped(&value));
        };
        race(case, book, ends, push, pop);
    });
}

/// The producer pushes and goes: whoever hears that it is gone has got all it pushed.
#[test]
fn the_producer_goes_against_pop() {
    Model::new("raw producer gone against pop").floor(20).witnesses(&["empty", "closed"]).run(|case| {
        let book = Book::default();
        let (mut producer, mut consumer) = ends(2, 1, 0, &book);
        let own = book.clone();
        case.thread(move || {
            assert!(own.push(&mut producer, 10));
            drop(producer);
        });
        let (own, left) = (book.clone(), Left::default());
        let kept = Arc::clone(&left);
        case.thread(move || {
            for _ in 0..2 {
                own.turn();
                match consumer.pop() {
                    Ok(value) => own.popped(&value),
                    Err(PopError::Empty) => witness("empty"),
                    Err(PopError::Closed) => {
                        witness("closed");
                        let popped = own.popped.lock().expect("no panic under the lock").len();
                        assert_eq!(popped, 2, "closed is said behind the last value");
                    }
                }
            }
            leave(&kept, consumer);
        });
        case.finish(move || {
            let mut consumer = take(&left);
            while let Ok(value) = consumer.pop() {
                book.popped(&value);
            }
            assert_eq!(consumer.pop().err(), Some(PopError::Closed));
            drop(consumer);
            book.settle();
        });
    });
}

/// What is seen behind `is_closed` is all there will ever be.
#[test]
fn the_producer_goes_against_a_look() {
    Model::new("raw producer gone against is_closed").floor(20).witnesses(&["open", "closed"]).run(|case| {
        let book = Book::default();
        let (mut producer, mut consumer) = ends(2, 1, 0, &book);
        let own = book.clone();
        case.thread(move || {
            assert!(own.push(&mut producer, 10));
            drop(producer);
        });
        let own = book.clone();
        case.thread(move || {
            own.turn();
            if consumer.is_closed() {
                witness("closed");
                assert_eq!(consumer.len(), 1);
                assert_eq!(consumer.chunk(2).into_iter().map(|value| own.popped(&value)).count(), 1);
            } else {
                witness("open");
            }
            drop(consumer);
        });
        case.finish(move || book.ledger.assert_settled());
    });
}

/// The consumer takes one value of two and goes: the other, and what is pushed meanwhile, is dropped once.
#[test]
fn the_consumer_goes_against_push() {
    Model::new("raw consumer gone against push").floor(20).witnesses(&["pushed", "full", "closed"]).run(
        |case| {
            let book = Book::default();
            let (mut producer, mut consumer) = ends(2, 1, 2, &book);
            let own = book.clone();
            case.thread(move || {
                for id in [10, 11] {
                    own.turn();
                    witness(match producer.push(own.ledger.value(id)) {
                        Ok(()) => "pushed",
                        Err(PushError::Full(_)) => "full",
                        Err(PushError::Closed(_)) => "closed",
                    });
                }
                drop(producer);
            });
            let own = book.clone();
            case.thread(move || {
                assert!(own.pop(&mut consumer));
                drop(consumer);
            });
            case.finish(move || book.ledger.assert_settled());
        },
    );
}

/// Two push into the ring for many while a third pops: the relaxed pop says that a slot is busy, the plain one waits for it.
fn pops_from_many(relaxed: bool) -> impl Fn(&mut Case) + Send + Sync {
    move |case| {
        let (book, ring) = (Book::default(), Arc::new(Ring::new(2)));
        for id in [10, 20] {
            let (own, ring) = (book.clone(), Arc::clone(&ring));
            case.thread(move || assert!(ring.push(own.ledger.value(id)).is_ok(), "there is room for two"));
        }
        let (own, popper) = (book.clone(), Arc::clone(&ring));
        case.thread(move || {
            own.turn();
            let popped = if relaxed { popper.pop_relaxed() } else { popper.pop().map_err(widen) };
            match popped {
                Ok(value) => own.popped(&value),
                Err(RelaxedPopError::Empty) => witness("empty"),
                Err(RelaxedPopError::Busy) => witness("busy"),
                Err(RelaxedPopError::Closed) => panic!("nobody closes the ring"),
            }
        });
        case.finish(move || {
            while let Ok(value) = ring.pop() {
                book.popped(&value);
            }
            let mut popped = book.popped.lock().expect("no panic under the lock").clone();
            popped.sort_unstable();
            assert_eq!(popped, [10, 20]);
            book.ledger.assert_settled();
        });
    }
}

fn widen(error: PopError) -> RelaxedPopError {
    match error {
        PopError::Empty => RelaxedPopError::Empty,
        PopError::Closed => RelaxedPopError::Closed,
    }
}

#[test]
fn a_relaxed_pop_from_many() {
    Model::new("raw pop_relaxed against two pushes")
        .preemptions(2)
        .floor(50)
        .witnesses(&["empty", "busy"])
        .run(pops_from_many(true));
}

#[test]
fn a_plain_pop_from_many() {
    Model::new("raw pop against two pushes")
        .preemptions(2)
        .floor(50)
        .witnesses(&["empty"])
        .run(pops_from_many(false));
}
