//! Channels with a buffer and without a ring: offers that are moved inside, asks that are answered, permits, and tasks between them.

use super::rendezvous::{
    Part, RECV, RECV_AND_GIVE_UP, RECV_ANOTHER, RECV_ANOTHER_IN_A_TASK, RECV_IN_A_TASK, RECV_IN_TIME,
    RECV_TWO, SEND_AND_GIVE_UP, SEND_ANOTHER, SEND_ANOTHER_IN_A_TASK, SEND_IN_A_TASK, SEND_IN_TIME,
    TRY_TO_SEND, race,
};
use super::{Tally, settle};
use crate::harness::{Case, Model, witness};
use millpond_loom::model::bounded_without_ring;
use std::sync::Arc;

/// Adds a thread for each part, all on one channel of capacity 1, in which there are so many messages.
fn meet(case: &mut Case, inside: u32, parts: &[Part]) {
    let tally = Tally::default();
    let ends = bounded_without_ring(1);
    for count in 0..inside {
        assert!(tally.try_send(&ends.0, tally.value(9, count)), "the channel has room");
    }
    race(case, tally, ends, parts);
}

const SEND_TWO: Part = |book, ends| {
    assert!(book.send(&ends.0, book.value(1, 0)));
    assert!(book.send(&ends.0, book.value(1, 1)));
};
const TRY_TO_RECV: Part = |book, ends| {
    _ = book.try_recv(8, &ends.1);
};

/// The second message is an offer, which the receiver moves inside.
#[test]
fn an_offer_is_moved_inside() {
    Model::new("tiny: two sends of one, two receives of one")
        .preemptions(3)
        .floor(10)
        .witnesses(&["sender slept", "receiver slept"])
        .run(|case| meet(case, 0, &[SEND_TWO, RECV_TWO]));
}

/// Two threads ask, and each has one of two messages.
#[test]
fn two_asks_are_answered() {
    Model::new("tiny: two sends of one, recv, recv")
        .preemptions(2)
        .floor(100)
        .witnesses(&["receiver slept", "sender slept"])
        .run(|case| meet(case, 0, &[SEND_TWO, RECV, RECV_ANOTHER]));
}

/// An offer that is moved inside wakes the task that waits for it: the one that was woken for the first message moves it there.
#[test]
fn an_offer_that_is_moved_wakes_a_task() {
    Model::new("tiny: two sends of one, recv_async, recv_async")
        .preemptions(2)
        .floor(100)
        .witnesses(&["sender slept", "task slept to receive"])
        .run(|case| meet(case, 0, &[SEND_TWO, RECV_IN_A_TASK, RECV_ANOTHER_IN_A_TASK]));
}

/// A task that was told of a place answers an ask instead: the other task is told of the place.
#[test]
fn an_answer_leaves_the_place_to_another_task() {
    Model::new("tiny, full: send_async, send_async, three receives of one")
        .preemptions(2)
        .floor(100)
        .witnesses(&["task slept to send", "receiver slept"])
        .run(|case| {
            const RECV_THREE: Part = |book, ends| (0..3).for_each(|_| assert!(book.recv(3, &ends.1)));
            meet(case, 1, &[SEND_IN_A_TASK, SEND_ANOTHER_IN_A_TASK, RECV_THREE]);
        });
}

/// A thread and a task that send, and one that receives: the offer goes first, the task is told of the next place.
#[test]
fn a_task_and_a_thread_that_send() {
    Model::new("tiny, full: send_async, send, three receives")
        .preemptions(2)
        .floor(100)
        .witnesses(&["task slept to send", "sender slept", "receiver slept"])
        .run(|case| {
            const RECV_THREE: Part = |book, ends| (0..3).for_each(|_| assert!(book.recv(3, &ends.1)));
            meet(case, 1, &[SEND_IN_A_TASK, SEND_ANOTHER, RECV_THREE]);
        });
}

/// A thread asks and a task waits: each has one.
#[test]
fn a_task_and_a_thread_that_receive() {
    Model::new("tiny: two sends of one, recv_async, recv")
        .preemptions(2)
        .floor(100)
        .witnesses(&["sender slept", "task slept to receive", "receiver slept"])
        .run(|case| meet(case, 0, &[SEND_TWO, RECV_IN_A_TASK, RECV]));
}

/// Two tasks that send, two that receive.
#[test]
fn two_tasks_each() {
    Model::new("tiny: send_async, send_async, recv_async, recv_async")
        .preemptions(1)
        .floor(100)
        .witnesses(&["task slept to send", "task slept to receive"])
        .run(|case| {
            let parts = [SEND_IN_A_TASK, SEND_ANOTHER_IN_A_TASK, RECV_IN_A_TASK, RECV_ANOTHER_IN_A_TASK];
            meet(case, 0, &parts);
        });
}

/// A receive is dropped against a send: the message stays inside, or nothing had come.
#[test]
fn a_receive_is_dropped() {
    Model::new("tiny: recv_async dropped, try_send")
        .preemptions(3)
        .floor(10)
        .witnesses(&["dropped after its hand-over", "dropped before", "ready"])
        .run(|case| meet(case, 0, &[RECV_AND_GIVE_UP, TRY_TO_SEND]));
}

/// A send is given up against a receive: it is sent or it comes back, never both.
#[test]
fn a_send_is_given_up() {
    Model::new("tiny, full: send_async given up, two tries to receive")
        .preemptions(3)
        .floor(10)
        .witnesses(&["given up after it was told", "given up before", "sent at once"])
        .run(|case| meet(case, 1, &[SEND_AND_GIVE_UP, TRY_TO_RECV]));
}

/// A send with a time limit that has passed: its offer is taken, moved inside, or taken back.
#[test]
fn a_time_limit_of_a_send() {
    Model::new("tiny, full: send_timeout, try_recv")
        .preemptions(3)
        .floor(10)
        .witnesses(&["sent in time", "send timed out"])
        .run(|case| meet(case, 1, &[SEND_IN_TIME, TRY_TO_RECV]));
}

/// A receive with a time limit that has passed: its ask is answered or taken back.
#[test]
fn a_time_limit_of_a_receive() {
    Model::new("tiny: recv_timeout, try_send")
        .preemptions(3)
        .floor(10)
        .witnesses(&["received in time", "receive timed out"])
        .run(|case| meet(case, 0, &[RECV_IN_TIME, TRY_TO_SEND]));
}

/// The channel is closed while one thread asks or another has an offer: nobody sleeps on.
#[test]
fn a_close() {
    const SEND_UNLESS_CLOSED: Part = |book, ends| {
        for count in 0..2 {
            book.send(&ends.0, book.value(1, count));
        }
    };
    const RECV_UNLESS_CLOSED: Part = |book, ends| {
        book.recv(1, &ends.1);
    };
    const CLOSE: Part = |_, ends| assert!(ends.0.close());
    Model::new("tiny: two sends of one, recv, close")
        .preemptions(2)
        .floor(100)
        .witnesses(&["closed to send", "closed to receive", "receiver slept", "sender slept"])
        .run(|case| meet(case, 0, &[SEND_UNLESS_CLOSED, RECV_UNLESS_CLOSED, CLOSE]));
}

/// A permit is used or given back while a sender waits for its place.
#[test]
fn a_permit_and_a_sender_that_waits() {
    for (task, uses) in [(false, false), (false, true), (true, false), (true, true)] {
        Model::new("tiny: a permit, a sender, receives")
            .preemptions(2)
            .floor(10)
            .witnesses(match (task, uses) {
                (false, false) => &["given back", "receiver slept", "sender slept"],
                (false, true) => &["receiver slept", "sender slept"],
                (true, false) => &["given back", "receiver slept", "task slept to send"],
                (true, true) => &["receiver slept", "task slept to send"],
            })
            .run(move |case| {
                let tally = Tally::default();
                let ends = Arc::new(bounded_without_ring(1));
                let permit = ends.0.reserve().expect("the channel has room").into_owned();
                let (book, pair) = (tally.clone(), Arc::clone(&ends));
                case.thread(
                    move || if task { SEND_IN_A_TASK(&book, &pair) } else { SEND_ANOTHER(&book, &pair) },
                );
                let book = tally.clone();
                case.thread(move || {
                    if uses {
                        let value = book.value(1, 0);
                        assert!(permit.send(value).is_ok());
                        book.sent(10);
                    } else {
                        drop(permit);
                        witness("given back");
                    }
                });
                let (book, pair) = (tally.clone(), Arc::clone(&ends));
                case.thread(move || (0..1 + u32::from(uses)).for_each(|_| assert!(book.recv(1, &pair.1))));
                case.finish(move || settle(&tally, ends));
            });
    }
}
