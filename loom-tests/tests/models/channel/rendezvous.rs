//! Channels of capacity 0: senders and receivers that meet, miss each other, give up, or find the channel closed.

use super::{Ends, Tally, filled, settle};
use crate::harness::{Case, Flag, Model, Value, block_on, poll_once, witness};
use loom::sync::atomic::{AtomicBool, Ordering};
use millpond_loom::{Receiver, RecvTimeoutError, SendTimeoutError, Sender};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

impl Tally {
    /// Sends in a task, which waits if need be.
    fn meet_in_a_task(&self, ends: &Ends, id: (u32, u32)) {
        let mut send = pin!(ends.0.send_async(self.value(id.0, id.1)));
        let sent = match poll_once(send.as_mut(), &Flag::new().1) {
            Poll::Ready(sent) => sent,
            Poll::Pending => {
                witness("task slept to send");
                block_on(send)
            }
        };
        sent.expect("nobody closes the channel");
        self.sent(10 * id.0 + id.1);
    }

    /// Receives in a task, which waits if need be.
    fn await_in_a_task(&self, receiver: u32, ends: &Ends) {
        let mut receive = pin!(ends.1.recv_async());
        let received = match poll_once(receive.as_mut(), &Flag::new().1) {
            Poll::Ready(received) => received,
            Poll::Pending => {
                witness("task slept to receive");
                block_on(receive)
            }
        };
        self.received(receiver, received.expect("nobody closes the channel"));
    }

    /// Polls a receive once and drops it.
    fn give_up_a_receive(&self, receiver: u32, ends: &Ends) -> bool {
        let (flag, waker) = Flag::new();
        let mut receive = Box::pin(ends.1.recv_async());
        match poll_once(receive.as_mut(), &waker) {
            Poll::Ready(value) => {
                witness("ready");
                self.received(receiver, value.expect("nobody closes the channel"));
                true
            }
            Poll::Pending => {
                self.turn();
                witness(if flag.wakes() > 0 { "dropped after its hand-over" } else { "dropped before" });
                false
            }
        }
    }

    /// Polls a send once and takes its message back.
    fn give_up_a_send(&self, ends: &Ends, id: (u32, u32)) {
        let (flag, waker) = Flag::new();
        let mut send = pin!(ends.0.send_async(self.value(id.0, id.1)));
        match poll_once(send.as_mut(), &waker) {
            Poll::Ready(answer) => {
                answer.expect("nobody closes the channel");
                witness("sent at once");
                self.sent(10 * id.0 + id.1);
            }
            Poll::Pending => {
                self.turn();
                witness(if flag.wakes() > 0 { "given up after it was told" } else { "given up before" });
                self.returned(send.into_inner().expect("it was not sent"));
            }
        }
    }

    /// Receives with a deadline that has passed.
    fn look_in(&self, receiver: u32, ends: &Ends) {
        match ends.1.recv_timeout(Duration::ZERO) {
            Ok(value) => {
                witness("received in time");
                self.received(receiver, value);
            }
            Err(RecvTimeoutError::Timeout) => witness("receive timed out"),
            Err(error) => panic!("nobody closes the channel, but {error}"),
        }
    }

    /// Sends with a deadline that has passed.
    fn offer(&self, ends: &Ends, id: (u32, u32)) {
        match ends.0.send_timeout(self.value(id.0, id.1), Duration::ZERO) {
            Ok(()) => {
                witness("sent in time");
                self.sent(10 * id.0 + id.1);
            }
            Err(SendTimeoutError::Timeout(value)) => {
                witness("send timed out");
                self.returned(value);
            }
            Err(error) => panic!("nobody closes the channel, but {error}"),
        }
    }
}

pub(super) type Part = fn(&Tally, &Ends);

/// Adds a thread for each part, all on one channel without a buffer.
fn meet(case: &mut Case, parts: &[Part]) {
    let tally = Tally::default();
    let ends = filled(0, 0, &tally);
    race(case, tally, ends, parts);
}

/// Adds a thread for each part, all on the channel.
pub(super) fn race(case: &mut Case, tally: Tally, ends: (Sender<Value>, Receiver<Value>), parts: &[Part]) {
    let ends = Arc::new(ends);
    for &part in parts {
        let (book, pair) = (tally.clone(), Arc::clone(&ends));
        case.thread(move || part(&book, &pair));
    }
    case.finish(move || settle(&tally, ends));
}

pub(super) const SEND: Part = |book, ends| assert!(book.send(&ends.0, book.value(1, 0)));
pub(super) const SEND_ANOTHER: Part = |book, ends| assert!(book.send(&ends.0, book.value(2, 0)));
pub(super) const SEND_IN_A_TASK: Part = |book, ends| book.meet_in_a_task(ends, (3, 0));
pub(super) const SEND_ANOTHER_IN_A_TASK: Part = |book, ends| book.meet_in_a_task(ends, (4, 0));
pub(super) const SEND_AND_GIVE_UP: Part = |book, ends| book.give_up_a_send(ends, (5, 0));
pub(super) const SEND_IN_TIME: Part = |book, ends| book.offer(ends, (6, 0));
pub(super) const TRY_TO_SEND: Part = |book, ends| {
    book.try_send(&ends.0, book.value(7, 0));
};
pub(super) const RECV: Part = |book, ends| assert!(book.recv(1, &ends.1));
pub(super) const RECV_ANOTHER: Part = |book, ends| assert!(book.recv(2, &ends.1));
pub(super) const RECV_TWO: Part = |book, ends| assert!(book.recv(3, &ends.1) && book.recv(3, &ends.1));
pub(super) const RECV_IN_A_TASK: Part = |book, ends| book.await_in_a_task(4, ends);
pub(super) const RECV_ANOTHER_IN_A_TASK: Part = |book, ends| book.await_in_a_task(7, ends);
pub(super) const RECV_AND_GIVE_UP: Part = |book, ends| {
    book.give_up_a_receive(5, ends);
};
pub(super) const RECV_IN_TIME: Part = |book, ends| book.look_in(6, ends);

/// Two threads meet, whoever comes first.
#[test]
fn two_threads_meet() {
    Model::new("cap 0: send, recv")
        .floor(10)
        .witnesses(&["sender slept", "receiver slept"])
        .run(|case| meet(case, &[SEND, RECV]));
}

/// Two tasks meet, whoever comes first.
#[test]
fn two_tasks_meet() {
    Model::new("cap 0: send_async, recv_async")
        .preemptions(3)
        .floor(10)
        .witnesses(&["task slept to send", "task slept to receive"])
        .run(|case| meet(case, &[SEND_IN_A_TASK, RECV_IN_A_TASK]));
}

/// A thread that sends meets a task that receives.
#[test]
fn a_thread_sends_to_a_task() {
    Model::new("cap 0: send, recv_async")
        .preemptions(3)
        .floor(10)
        .witnesses(&["sender slept", "task slept to receive"])
        .run(|case| meet(case, &[SEND, RECV_IN_A_TASK]));
}

/// A task that sends meets a thread that receives.
#[test]
fn a_task_sends_to_a_thread() {
    Model::new("cap 0: send_async, recv")
        .preemptions(3)
        .floor(10)
        .witnesses(&["task slept to send", "receiver slept"])
        .run(|case| meet(case, &[SEND_IN_A_TASK, RECV]));
}

/// A receive is dropped while a message is handed to it: it stays inside, and is the next to be received.
#[test]
fn a_receive_is_dropped_against_a_hand_over() {
    Model::new("cap 0: recv_async dropped, try_send")
        .preemptions(3)
        .floor(10)
        .witnesses(&["dropped after its hand-over", "dropped before", "full", "ready"])
        .run(|case| meet(case, &[RECV_AND_GIVE_UP, TRY_TO_SEND]));
}

/// The same while another receiver waits: the message is that one's, and it is woken for it.
#[test]
fn a_receive_is_dropped_while_another_waits() {
    Model::new("cap 0: recv_async dropped, recv, two sends")
        .preemptions(1)
        .floor(100)
        .witnesses(&[
            "dropped after its hand-over",
            "dropped before",
            "ready",
            "receiver slept",
            "sender slept",
        ])
        .run(|case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(0, 0, &tally));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                if book.give_up_a_receive(1, &pair) {
                    // The other receiver needs a value as well.
                    assert!(book.send(&pair.0, book.value(2, 0)));
                }
            });
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(book.recv(2, &pair.1)));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(book.send(&pair.0, book.value(1, 0))));
            case.finish(move || settle(&tally, ends));
        });
}

/// A send of a task is given up against a receive: it comes back or it is received, never both.
#[test]
fn a_send_is_given_up_against_a_receive() {
    Model::new("cap 0: send_async given up, recv_timeout")
        .preemptions(3)
        .floor(10)
        .witnesses(&[
            "given up after it was told",
            "given up before",
            "received in time",
            "receive timed out",
            "sent at once",
        ])
        .run(|case| meet(case, &[SEND_AND_GIVE_UP, RECV_IN_TIME]));
}

/// A send that was told of a receiver is given up while another waits: that one is told instead.
#[test]
fn a_send_is_given_up_while_another_waits() {
    Model::new("cap 0: send_async given up, send_async, recv")
        .preemptions(1)
        .floor(100)
        .witnesses(&[
            "given up after it was told",
            "given up before",
            "receiver slept",
            "sent at once",
            "task slept to send",
        ])
        .run(|case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(0, 0, &tally));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                book.give_up_a_send(&pair, (5, 0));
                if book.book().sent.contains(&50) {
                    // The other sender needs a receiver as well.
                    assert!(book.recv(2, &pair.1));
                }
            });
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || book.meet_in_a_task(&pair, (3, 0)));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(book.recv(1, &pair.1)));
            case.finish(move || settle(&tally, ends));
        });
}

/// Both sides have a time limit that has passed: they meet or they do not, and agree about it.
#[test]
fn time_limits_race_with_the_hand_over() {
    Model::new("cap 0: send_timeout, recv_timeout")
        .floor(10)
        .witnesses(&["sent in time", "send timed out", "received in time", "receive timed out"])
        .run(|case| meet(case, &[SEND_IN_TIME, RECV_IN_TIME]));
}

/// A receive that times out although a message was handed to it takes that.
#[test]
fn a_receive_times_out_against_a_hand_over() {
    Model::new("cap 0: recv_timeout, try_send")
        .floor(10)
        .witnesses(&["received in time", "receive timed out", "full"])
        .run(|case| meet(case, &[RECV_IN_TIME, TRY_TO_SEND]));
}

/// A channel is closed while a thread waits to send: it gets its message back.
#[test]
fn a_send_against_a_close() {
    Model::new("cap 0: send, close").floor(4).witnesses(&["sender slept", "closed to send"]).run(|case| {
        let tally = Tally::default();
        let ends = Arc::new(filled(0, 0, &tally));
        let (book, pair) = (tally.clone(), Arc::clone(&ends));
        case.thread(move || assert!(!book.send(&pair.0, book.value(1, 0))));
        let pair = Arc::clone(&ends);
        case.thread(move || assert!(pair.1.close()));
        case.finish(move || settle(&tally, ends));
    });
}

/// A channel is closed while two meet: either both have met, or neither.
#[test]
fn a_close_against_a_hand_over() {
    const TASK: [&str; 4] = ["closed to send", "closed to receive", "met", "receiver slept"];
    const THREAD: [&str; 5] =
        ["closed to send", "closed to receive", "met", "receiver slept", "sender slept"];
    for task in [false, true] {
        Model::new(if task { "cap 0: send_async, recv, close" } else { "cap 0: send, recv, close" })
            .preemptions(1)
            .floor(100)
            .witnesses(if task { &TASK } else { &THREAD })
            .run(move |case| {
                let tally = Tally::default();
                let ends = Arc::new(filled(0, 0, &tally));
                let (book, pair) = (tally.clone(), Arc::clone(&ends));
                case.thread(move || {
                    if task {
                        match block_on(pair.0.send_async(book.value(1, 0))) {
                            Ok(()) => book.sent(10),
                            Err(error) => {
                                witness("closed to send");
                                book.returned(error.into_inner());
                            }
                        }
                    } else {
                        book.send(&pair.0, book.value(1, 0));
                    }
                });
                let (book, pair) = (tally.clone(), Arc::clone(&ends));
                case.thread(move || {
                    if book.recv(1, &pair.1) {
                        witness("met");
                    }
                });
                let pair = Arc::clone(&ends);
                case.thread(move || assert!(pair.0.close()));
                case.finish(move || settle(&tally, ends));
            });
    }
}

/// Two receivers, one sender: each gets one, and nobody sleeps on.
#[test]
fn two_receivers_one_sender() {
    const SEND_TWO: Part = |book, ends| {
        assert!(book.send(&ends.0, book.value(1, 0)));
        assert!(book.send(&ends.0, book.value(1, 1)));
    };
    Model::new("cap 0: two sends of one, recv, recv")
        .preemptions(2)
        .floor(100)
        .witnesses(&["sender slept", "receiver slept"])
        .run(|case| meet(case, &[SEND_TWO, RECV, RECV_ANOTHER]));
}

/// Two tasks that send and one receiver: each is told of a receive that comes.
#[test]
fn two_tasks_one_receiver() {
    Model::new("cap 0: send_async, send_async, two receives of one")
        .preemptions(1)
        .floor(100)
        .witnesses(&["task slept to send", "receiver slept"])
        .run(|case| meet(case, &[SEND_IN_A_TASK, SEND_ANOTHER_IN_A_TASK, RECV_TWO]));
}

/// A task and a thread that send to one receiver, which takes from the thread at once and tells the task.
#[test]
fn a_task_and_a_thread_one_receiver() {
    Model::new("cap 0: send_async, send, two receives of one")
        .preemptions(2)
        .floor(100)
        .witnesses(&["task slept to send", "sender slept", "receiver slept"])
        .run(|case| meet(case, &[SEND_IN_A_TASK, SEND_ANOTHER, RECV_TWO]));
}

/// A task and a thread that send, and two receivers: an arrival that was used up is not missed.
#[test]
fn two_receivers_a_task_and_a_thread() {
    Model::new("cap 0: send_async, send, recv, recv")
        .preemptions(1)
        .floor(100)
        .witnesses(&["task slept to send", "sender slept", "receiver slept"])
        .run(|case| meet(case, &[SEND_IN_A_TASK, SEND_ANOTHER, RECV, RECV_ANOTHER]));
}

/// Two tasks that send and two that receive: one that receives comes while a sender that was woken for another takes that
/// other, and is not forgotten.
#[test]
fn two_tasks_each() {
    Model::new("cap 0: send_async, send_async, recv_async, recv_async")
        .preemptions(1)
        .floor(100)
        .witnesses(&["task slept to send", "task slept to receive"])
        .run(|case| {
            meet(case, &[SEND_IN_A_TASK, SEND_ANOTHER_IN_A_TASK, RECV_IN_A_TASK, RECV_ANOTHER_IN_A_TASK]);
        });
}

/// What a receiver did before it received is seen by the sender that it met.
#[test]
fn a_send_sees_what_the_receiver_did_before() {
    Model::new("rendezvous: send, recv, and what came before")
        .floor(10)
        .witnesses(&["sender slept", "receiver slept"])
        .run(|case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(0, 0, &tally));
            let done = Arc::new(AtomicBool::new(false));
            let (book, pair, is_done) = (tally.clone(), Arc::clone(&ends), Arc::clone(&done));
            case.thread(move || {
                is_done.store(true, Ordering::Relaxed);
                assert!(book.recv(1, &pair.1));
            });
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || {
                assert!(book.send(&pair.0, book.value(1, 0)));
                assert!(done.load(Ordering::Relaxed));
            });
            case.finish(move || settle(&tally, ends));
        });
}
