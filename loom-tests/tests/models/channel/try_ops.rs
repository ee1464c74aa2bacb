//! Pushing against popping, with operations that never wait.
//!
//! Capacity 1 with two values and capacity 2 with three go round the ring; the models that start a trip before the
//! wrap-around of the positions cross that as well.

use super::{Shape, Tally, add_thread, filled, settle};
use crate::harness::{Case, Model, witness};
use std::sync::Arc;

/// Every sender tries each of its values once, every receiver tries so many times.
fn race(shape: Shape) -> impl Fn(&mut Case) + Send + Sync {
    move |case| {
        let tally = Tally::default();
        let ends = shape.ends();
        for sender in 1..=shape.senders {
            let (tally, ends) = (tally.clone(), Arc::clone(&ends));
            add_thread(case, sender, move || {
                for count in 0..shape.values {
                    tally.try_send(&ends.0, tally.value(sender, count));
                }
            });
        }
        for receiver in 1..=shape.receivers {
            let (tally, ends) = (tally.clone(), Arc::clone(&ends));
            add_thread(case, receiver, move || {
                for _ in 0..shape.receives {
                    let _ = tally.try_recv(receiver, &ends.1);
                }
            });
        }
        case.finish(move || settle(&tally, ends));
    }
}

const PAIR: Shape = Shape { senders: 1, values: 2, receivers: 1, receives: 2, capacity: 1, laps: 0 };

/// One sender and one receiver on one slot.
#[test]
fn one_by_one_capacity_1() {
    Model::new("try 1x1, capacity 1").floor(100).witnesses(&["full", "empty"]).run(race(PAIR));
}

/// The same across the wrap-around of the positions, after one trip and after two.
#[test]
fn one_by_one_capacity_1_across_the_wrap_around() {
    for laps in [1, 2] {
        Model::new("try 1x1, capacity 1, wrap-around")
            .floor(100)
            .witnesses(&["full", "empty"])
            .run(race(Shape { laps, ..PAIR }));
    }
}

/// One sender and one receiver on two slots, the third value going into the first slot again.
#[test]
fn one_by_one_capacity_2() {
    let shape = Shape { values: 3, receives: 2, capacity: 2, ..PAIR };
    Model::new("try 1x1, capacity 2")
        .preemptions(3)
        .floor(100)
        .witnesses(&["full", "empty"])
        .run(race(shape));
    Model::new("try 1x1, capacity 2, wrap-around")
        .preemptions(3)
        .floor(100)
        .witnesses(&["full", "empty"])
        .run(race(Shape { laps: 1, ..shape }));
}

/// Two senders for one slot: one of them is refused, or a receiver was in between.
#[test]
fn two_by_one_capacity_1() {
    let shape = Shape { senders: 2, values: 1, receives: 2, ..PAIR };
    Model::new("try 2x1, capacity 1")
        .preemptions(1)
        .floor(500)
        .witnesses(&["full", "empty"])
        .run(race(shape));
}

/// Two senders for two slots, with room for both.
#[test]
fn two_by_one_capacity_2() {
    let shape = Shape { senders: 2, values: 1, receives: 2, capacity: 2, laps: 1, ..PAIR };
    Model::new("try 2x1, capacity 2").preemptions(1).floor(200).witnesses(&["empty"]).run(race(shape));
}

/// Two receivers for each value.
#[test]
fn one_by_two_capacity_1() {
    let shape = Shape { receivers: 2, receives: 1, ..PAIR };
    Model::new("try 1x2, capacity 1")
        .preemptions(1)
        .floor(200)
        .witnesses(&["full", "empty"])
        .run(race(shape));
}

/// Two receivers for two values in two slots.
#[test]
fn one_by_two_capacity_2() {
    let shape = Shape { receivers: 2, receives: 1, capacity: 2, laps: 1, ..PAIR };
    Model::new("try 1x2, capacity 2").preemptions(1).floor(200).witnesses(&["empty"]).run(race(shape));
}

/// Two on each side, one slot.
#[test]
fn two_by_two_capacity_1() {
    let shape = Shape { senders: 2, values: 1, receivers: 2, receives: 1, ..PAIR };
    Model::new("try 2x2, capacity 1")
        .preemptions(1)
        .floor(1_000)
        .witnesses(&["full", "empty"])
        .run(race(shape));
}

/// Two on each side, two slots.
#[test]
fn two_by_two_capacity_2() {
    let shape = Shape { senders: 2, values: 1, receivers: 2, receives: 1, capacity: 2, laps: 1 };
    Model::new("try 2x2, capacity 2").preemptions(1).floor(1_000).witnesses(&["empty"]).run(race(shape));
}

/// A channel that is never empty never says so: one value lies in it, and a second comes before the first is taken.
///
/// Each cursor alone is up to date enough; a new `head` seen beside an old `tail` would show a moment that never was.
#[test]
fn a_channel_that_is_never_empty_does_not_say_empty() {
    Model::new("try_send + try_recv, try_recv").floor(50).witnesses(&["second value"]).run(|case| {
        let tally = Tally::default();
        let ends = Arc::new(filled(2, 1, &tally));
        let (book, pair) = (tally.clone(), Arc::clone(&ends));
        case.thread(move || {
            assert!(book.try_send(&pair.0, book.value(1, 0)));
            assert!(book.try_recv(1, &pair.1).is_ok());
        });
        let (book, pair) = (tally.clone(), Arc::clone(&ends));
        case.thread(move || {
            assert!(book.try_recv(2, &pair.1).is_ok(), "the channel was never empty");
            if book.book().received[&2] == [10] {
                witness("second value");
            }
        });
        case.finish(move || settle(&tally, ends));
    });
}

/// A channel that is never full never says so: it has two places, and one value is taken before the next is sent.
#[test]
fn a_channel_that_is_never_full_does_not_say_full() {
    Model::new("try_recv + try_send, try_send").floor(50).run(|case| {
        let tally = Tally::default();
        let ends = Arc::new(filled(2, 1, &tally));
        let (book, pair) = (tally.clone(), Arc::clone(&ends));
        case.thread(move || {
            assert!(book.try_recv(1, &pair.1).is_ok());
            assert!(book.try_send(&pair.0, book.value(1, 0)));
        });
        let (book, pair) = (tally.clone(), Arc::clone(&ends));
        case.thread(move || assert!(book.try_send(&pair.0, book.value(2, 0)), "the channel was never full"));
        case.finish(move || settle(&tally, ends));
    });
}
