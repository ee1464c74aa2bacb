//! Senders and receivers that sleep: parking against notifying, on both sides.
//!
//! Every model receives all that is sent, so a wake-up that is lost is a deadlock, which loom reports.

use super::{Shape, Tally, add_thread, settle};
use crate::harness::{Case, Model};
use std::sync::Arc;

/// Every sender sends all its values, every receiver receives so many, all asleep when they have to be.
fn race(shape: Shape) -> impl Fn(&mut Case) + Send + Sync {
    assert!(
        shape.receivers * shape.receives <= shape.senders * shape.values,
        "the receivers would wait for ever"
    );
    move |case| {
        let tally = Tally::default();
        let ends = shape.ends();
        for sender in 1..=shape.senders {
            let (tally, ends) = (tally.clone(), Arc::clone(&ends));
            add_thread(case, sender, move || {
                for count in 0..shape.values {
                    assert!(tally.send(&ends.0, tally.value(sender, count)), "nobody closes the channel");
                }
            });
        }
        for receiver in 1..=shape.receivers {
            let (tally, ends) = (tally.clone(), Arc::clone(&ends));
            add_thread(case, receiver, move || {
                for _ in 0..shape.receives {
                    assert!(tally.recv(receiver, &ends.1), "nobody closes the channel");
                }
            });
        }
        case.finish(move || settle(&tally, ends));
    }
}

const PAIR: Shape = Shape { senders: 1, values: 2, receivers: 1, receives: 2, capacity: 1, laps: 0 };
const BOTH: &[&str] = &["sender slept", "receiver slept"];

/// One sender and one receiver on one slot, two values: each can find the other asleep.
#[test]
fn one_by_one_capacity_1() {
    Model::new("blocking 1x1, capacity 1").preemptions(3).floor(8_000).witnesses(BOTH).run(race(PAIR));
}

/// Three values through one slot, across the wrap-around of the positions.
#[test]
fn one_by_one_capacity_1_three_values() {
    let shape = Shape { values: 3, receives: 3, laps: 1, ..PAIR };
    Model::new("blocking 1x1, capacity 1, 3 values")
        .preemptions(2)
        .floor(8_000)
        .witnesses(BOTH)
        .run(race(shape));
}

/// Three values through two slots.
#[test]
fn one_by_one_capacity_2() {
    let shape = Shape { values: 3, receives: 3, capacity: 2, ..PAIR };
    Model::new("blocking 1x1, capacity 2").preemptions(2).floor(10_000).witnesses(BOTH).run(race(shape));
}

/// Two senders, one slot, one receiver: a sender sleeps until the receiver has made room.
#[test]
fn two_by_one_capacity_1() {
    let shape = Shape { senders: 2, values: 1, ..PAIR };
    Model::new("blocking 2x1, capacity 1").preemptions(1).floor(20_000).witnesses(BOTH).run(race(shape));
}

/// Two senders, two slots: nobody sends asleep, and the receiver is woken by either.
#[test]
fn two_by_one_capacity_2() {
    let shape = Shape { senders: 2, values: 1, capacity: 2, laps: 1, ..PAIR };
    Model::new("blocking 2x1, capacity 2")
        .preemptions(1)
        .floor(3_000)
        .witnesses(&["receiver slept"])
        .run(race(shape));
}

/// Two receivers and two values through one slot, the first of which is there: two sleepers, two wake-ups, and a sender that
/// may have to wait for either.
#[test]
fn one_by_two_capacity_1() {
    Model::new("blocking 1x2, capacity 1").preemptions(1).floor(8_000).witnesses(BOTH).run(|case| {
        let tally = Tally::default();
        let ends = PAIR.ends();
        tally.try_send(&ends.0, tally.value(1, 0));
        for receiver in 1..=2 {
            let (tally, ends) = (tally.clone(), Arc::clone(&ends));
            add_thread(case, receiver, move || assert!(tally.recv(receiver, &ends.1)));
        }
        {
            let (tally, ends) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(tally.send(&ends.0, tally.value(1, 1))));
        }
        case.finish(move || settle(&tally, ends));
    });
}

/// Two receivers and two values, each with a slot of its own: the second send finds the first sleeper already notified.
#[test]
fn one_by_two_capacity_2() {
    let shape = Shape { receivers: 2, receives: 1, capacity: 2, laps: 1, ..PAIR };
    Model::new("blocking 1x2, capacity 2")
        .preemptions(1)
        .floor(8_000)
        .witnesses(&["receiver slept"])
        .run(race(shape));
}

/// Two on each side, one slot.
#[test]
fn two_by_two_capacity_1() {
    let shape = Shape { senders: 2, values: 1, receivers: 2, receives: 1, ..PAIR };
    Model::new("blocking 2x2, capacity 1")
        .preemptions(0)
        .floor(40_000)
        .rotations()
        .witnesses(BOTH)
        .run(race(shape));
}

/// Two on each side, two slots.
#[test]
fn two_by_two_capacity_2() {
    let shape = Shape { senders: 2, values: 1, receivers: 2, receives: 1, capacity: 2, laps: 1 };
    Model::new("blocking 2x2, capacity 2")
        .preemptions(0)
        .floor(2_000)
        .witnesses(&["receiver slept"])
        .run(race(shape));
}

/// A value waits already and one more is sent, with two receivers: each gets one, and neither sleeps beside a value.
#[test]
fn a_value_that_waits_and_one_that_comes() {
    Model::new("1 waiting + 1 sent, two receivers")
        .preemptions(3)
        .floor(1_000)
        .witnesses(&["receiver slept"])
        .run(|case| {
            let tally = Tally::default();
            let ends = Shape { capacity: 2, ..PAIR }.ends();
            tally.try_send(&ends.0, tally.value(1, 0));
            for receiver in 1..=2 {
                let (tally, ends) = (tally.clone(), Arc::clone(&ends));
                add_thread(case, receiver, move || assert!(tally.recv(receiver, &ends.1)));
            }
            {
                let (tally, ends) = (tally.clone(), Arc::clone(&ends));
                case.thread(move || assert!(tally.send(&ends.0, tally.value(2, 0))));
            }
            case.finish(move || settle(&tally, ends));
        });
}

/// The same for room: one slot is free and one is freed, with two senders.
#[test]
fn room_that_is_there_and_room_that_comes() {
    Model::new("1 free + 1 freed, two senders").preemptions(3).floor(1_000).witnesses(&["sender slept"]).run(
        |case| {
            let tally = Tally::default();
            let ends = Shape { capacity: 2, ..PAIR }.ends();
            tally.try_send(&ends.0, tally.value(3, 0));
            for sender in 1..=2 {
                let (tally, ends) = (tally.clone(), Arc::clone(&ends));
                add_thread(case, sender, move || assert!(tally.send(&ends.0, tally.value(sender, 0))));
            }
            {
                let (tally, ends) = (tally.clone(), Arc::clone(&ends));
                case.thread(move || assert!(tally.recv(1, &ends.1)));
            }
            case.finish(move || settle(&tally, ends));
        },
    );
}

/// Two senders sleep on a full channel of two slots, and one receiver frees both, one after the other.
#[test]
fn two_sleeping_senders_and_two_receives() {
    Model::new("two senders, full, two receives")
        .preemptions(1)
        .floor(8_000)
        .witnesses(&["sender slept"])
        .run(|case| {
            let tally = Tally::default();
            let ends = Shape { capacity: 2, ..PAIR }.ends();
            for count in 0..2 {
                tally.try_send(&ends.0, tally.value(3, count));
            }
            for sender in 1..=2 {
                let (tally, ends) = (tally.clone(), Arc::clone(&ends));
                add_thread(case, sender, move || assert!(tally.send(&ends.0, tally.value(sender, 0))));
            }
            {
                let (tally, ends) = (tally.clone(), Arc::clone(&ends));
                case.thread(move || assert!(tally.recv(1, &ends.1) && tally.recv(1, &ends.1)));
            }
            case.finish(move || settle(&tally, ends));
        });
}
