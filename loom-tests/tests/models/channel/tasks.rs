//! Futures that are polled to their end: tasks and threads on one channel, wakers that change, polls without a reason.

use super::{Tally, filled, settle};
use crate::harness::{Flag, Model, block_on, poll_once, witness};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

/// A task on either end, two values through one slot.
#[test]
fn two_tasks() {
    Model::new("send_async, recv_async").preemptions(2).floor(1_000).run(|case| {
        let tally = Tally::default();
        let ends = Arc::new(filled(1, 0, &tally));
        let (book, pair) = (tally.clone(), Arc::clone(&ends));
        case.thread(move || {
            for count in 0..2 {
                block_on(pair.0.send_async(book.value(1, count))).expect("nobody closes the channel");
                book.sent(10 + count);
            }
        });
        let (book, pair) = (tally.clone(), Arc::clone(&ends));
        case.thread(move || {
            for _ in 0..2 {
                book.received(1, block_on(pair.1.recv_async()).expect("nobody closes the channel"));
            }
        });
        case.finish(move || settle(&tally, ends));
    });
}

/// A thread and a task wait, two values are sent: both are woken.
#[test]
fn a_thread_and_a_task_receive() {
    Model::new("recv, recv_async, two sends").preemptions(1).floor(1_000).witnesses(&["receiver slept"]).run(
        |case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(2, 0, &tally));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(book.recv(1, &pair.1)));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                book.received(2, block_on(pair.1.recv_async()).expect("nobody closes the channel"));
            });
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                for count in 0..2 {
                    assert!(book.try_send(&pair.0, book.value(1, count)));
                }
            });
            case.finish(move || settle(&tally, ends));
        },
    );
}

/// A thread and a task wait to send, two places are freed: both are woken.
#[test]
fn a_thread_and_a_task_send() {
    Model::new("send, send_async, two receives")
        .preemptions(1)
        .floor(1_000)
        .witnesses(&["sender slept"])
        .run(|case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(2, 2, &tally));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(book.send(&pair.0, book.value(1, 0))));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                block_on(pair.0.send_async(book.value(2, 0))).expect("nobody closes the channel");
                book.sent(20);
            });
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                for _ in 0..2 {
                    assert!(book.try_recv(1, &pair.1).is_ok());
                }
            });
            case.finish(move || settle(&tally, ends));
        });
}

/// The task that polls a receive changes: the waker given last is the one that is woken.
#[test]
fn a_receiver_changes_its_waker() {
    Model::new("recv_async with two wakers")
        .preemptions(3)
        .floor(100)
        .witnesses(&["ready at once", "old waker woken", "only the new waker woken"])
        .run(|case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(1, 0, &tally));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                let (flag, waker) = Flag::new();
                let mut receive = pin!(pair.1.recv_async());
                let value = match poll_once(receive.as_mut(), &waker) {
                    Poll::Ready(value) => {
                        witness("ready at once");
                        value
                    }
                    Poll::Pending => {
                        let value = block_on(receive);
                        witness(if flag.wakes() > 0 {
                            "old waker woken"
                        } else {
                            "only the new waker woken"
                        });
                        value
                    }
                };
                book.received(1, value.expect("nobody closes the channel"));
            });
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(book.send(&pair.0, book.value(1, 0))));
            case.finish(move || settle(&tally, ends));
        });
}

/// The same for a send into a full channel.
#[test]
fn a_sender_changes_its_waker() {
    Model::new("send_async with two wakers")
        .preemptions(3)
        .floor(100)
        .witnesses(&["ready at once", "old waker woken", "only the new waker woken"])
        .run(|case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(1, 1, &tally));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                let (flag, waker) = Flag::new();
                let mut send = pin!(pair.0.send_async(book.value(1, 0)));
                let answer = match poll_once(send.as_mut(), &waker) {
                    Poll::Ready(answer) => {
                        witness("ready at once");
                        answer
                    }
                    Poll::Pending => {
                        let answer = block_on(send);
                        witness(if flag.wakes() > 0 {
                            "old waker woken"
                        } else {
                            "only the new waker woken"
                        });
                        answer
                    }
                };
                answer.expect("nobody closes the channel");
                book.sent(10);
            });
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(book.recv(1, &pair.1)));
            case.finish(move || settle(&tally, ends));
        });
}

/// A task is polled again without having been woken: it does no harm, and the wake-up still comes.
#[test]
fn a_poll_without_a_reason() {
    Model::new("recv_async, polled twice")
        .preemptions(2)
        .floor(100)
        .witnesses(&["pending twice", "ready at the second poll", "ready at once"])
        .run(|case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(1, 0, &tally));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                let (_, waker) = Flag::new();
                let mut receive = pin!(pair.1.recv_async());
                let mut answer = poll_once(receive.as_mut(), &waker);
                if answer.is_pending() {
                    answer = poll_once(receive.as_mut(), &waker);
                    witness(if answer.is_ready() { "ready at the second poll" } else { "pending twice" });
                } else {
                    witness("ready at once");
                }
                let value = match answer {
                    Poll::Ready(value) => value,
                    Poll::Pending => block_on(receive),
                };
                book.received(1, value.expect("nobody closes the channel"));
            });
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(book.send(&pair.0, book.value(1, 0))));
            case.finish(move || settle(&tally, ends));
        });
}

/// Closing wakes a task and a thread.
#[test]
fn close_wakes_a_task_and_a_thread() {
    Model::new("recv_async, recv, close")
        .preemptions(1)
        .floor(500)
        .witnesses(&["receiver slept", "closed to receive", "task closed"])
        .run(|case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(1, 0, &tally));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(!book.recv(1, &pair.1)));
            let pair = Arc::clone(&ends);
            case.thread(move || {
                assert!(block_on(pair.1.recv_async()).is_err());
                witness("task closed");
            });
            let pair = Arc::clone(&ends);
            case.thread(move || assert!(pair.0.close()));
            case.finish(move || settle(&tally, ends));
        });
}
