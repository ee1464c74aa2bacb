//! Futures that are polled and dropped, calls that time out: nothing is lost, and no wake-up either.

use super::{Make, assert_conserved, number, numbers};
use crate::harness::{Ledger, Model, NOW, Value, block_on, poll_once, spawn, witness};
use std::pin::pin;
use std::task::Poll;

/// A receive that gives up after two polls, beside one that stays; two messages; the one who stays gets what is left.
pub(super) fn receiver_gives_up(name: &'static str, make: Make) {
    Model::new(name, 600).witnesses(&["dropped", "received"]).run(move || {
        let ledger = Ledger::default();
        let (tx, rx) = make();
        let fickle = spawn({
            let rx = rx.clone();
            move || {
                let mut future = pin!(rx.recv_async());
                let mut values = Vec::new();
                for _ in 0..2 {
                    if let Poll::Ready(Ok(value)) = poll_once(future.as_mut()) {
                        values.push(value);
                        break;
                    }
                    shuttle::thread::yield_now();
                }
                witness(if values.is_empty() { "dropped" } else { "received" });
                numbers(values)
            }
        });
        let sender = spawn({
            let ledger = ledger.clone();
            move || (0..2).for_each(|place| tx.send(ledger.value(number(1, place))).unwrap())
        });
        let mut stays = numbers(std::iter::from_fn(|| block_on(rx.recv_async()).ok()).collect());
        sender.join().unwrap();
        let fickle = fickle.join().unwrap();
        // A message that the last drop passed on after our last look is still inside.
        stays.extend(std::iter::from_fn(|| rx.try_recv().ok()).map(|value| value.id));
        drop(rx);
        assert_conserved(&ledger, &[number(1, 0), number(1, 1)], &[&stays, &fickle], false);
    });
}

#[test]
fn a_receive_is_dropped() {
    receiver_gives_up("a_receive_is_dropped", || millpond::bounded(1));
}

#[test]
fn a_receive_is_dropped_rendezvous() {
    receiver_gives_up("a_receive_is_dropped_rendezvous", || millpond::bounded(0));
}

/// A send that gives up after two polls keeps its message, or has sent it; another that waits behind it gets its turn.
pub(super) fn sender_gives_up(name: &'static str, make: Make) {
    Model::new(name, 600).witnesses(&["dropped", "sent"]).run(move || {
        let ledger = Ledger::default();
        let (tx, rx) = make();
        let fickle = spawn({
            let (tx, ledger) = (tx.clone(), ledger.clone());
            move || {
                let mut future = Box::pin(tx.send_async(ledger.value(number(1, 0))));
                for _ in 0..2 {
                    if poll_once(future.as_mut()).is_ready() {
                        witness("sent");
                        return true;
                    }
                    shuttle::thread::yield_now();
                }
                witness("dropped");
                false
            }
        });
        let stays = spawn({
            let ledger = ledger.clone();
            move || (0..2).for_each(|place| tx.send(ledger.value(number(2, place))).unwrap())
        });
        let received = numbers(std::iter::from_fn(|| rx.recv().ok()).collect());
        drop(rx);
        let mut sent = vec![number(2, 0), number(2, 1)];
        if fickle.join().unwrap() {
            sent.push(number(1, 0));
        }
        stays.join().unwrap();
        assert_conserved(&ledger, &sent, &[&received], false);
    });
}

#[test]
fn a_send_is_dropped() {
    sender_gives_up("a_send_is_dropped", || millpond::bounded(1));
}

#[test]
fn a_send_is_dropped_rendezvous() {
    sender_gives_up("a_send_is_dropped_rendezvous", || millpond::bounded(0));
}

/// Time limits on both sides: what timed out comes back, and nothing is both received and handed back.
pub(super) fn time_limits(name: &'static str, make: Make, witnesses: &'static [&'static str]) {
    Model::new(name, 600).witnesses(witnesses).run(move || {
        let ledger = Ledger::default();
        let (tx, rx) = make();
        let sender = spawn({
            let ledger = ledger.clone();
            move || {
                let mut sent = Vec::new();
                for place in 0..3 {
                    match tx.send_timeout(ledger.value(number(1, place)), NOW) {
                        Ok(()) => sent.push(number(1, place)),
                        Err(error) => {
                            witness("not sent");
                            assert_eq!(error.into_inner().id, number(1, place));
                        }
                    }
                }
                sent
            }
        });
        let other = spawn({
            let rx = rx.clone();
            move || {
                let value = rx.recv_timeout(NOW);
                witness(if value.is_ok() { "received" } else { "not received" });
                numbers(value.into_iter().collect())
            }
        });
        let received = numbers(std::iter::from_fn(|| rx.recv().ok()).collect());
        let sent = sender.join().unwrap();
        let other = other.join().unwrap();
        drop(rx);
        assert_conserved(&ledger, &sent, &[&received, &other], false);
    });
}

#[test]
fn time_runs_out() {
    time_limits("time_runs_out", || millpond::bounded(1), &["not sent", "received", "not received"]);
}

#[test]
fn time_runs_out_rendezvous() {
    time_limits(
        "time_runs_out_rendezvous",
        || millpond::bounded(0),
        &["not sent", "received", "not received"],
    );
}

/// Tasks on the only two ends, each of which drops a future now and then.
macro_rules! unique_ends_give_up {
    ($name:ident, $module:ident) => {
        #[test]
        #[allow(unused_mut, reason = "some ends take `&mut self`")]
        fn $name() {
            Model::new(stringify!($name), 600).witnesses(&["receive dropped", "send dropped"]).run(|| {
                let ledger = Ledger::default();
                let (mut tx, mut rx) = millpond::$module::bounded::<Value>(1);
                let sender = spawn({
                    let ledger = ledger.clone();
                    move || {
                        let mut sent = Vec::new();
                        for place in 0..3 {
                            let value = ledger.value(number(1, place));
                            let is_sent = if place == 1 {
                                let mut future = Box::pin(tx.send_async(value));
                                poll_once(future.as_mut()).is_ready()
                            } else {
                                block_on(tx.send_async(value)).is_ok()
                            };
                            if is_sent {
                                sent.push(number(1, place));
                            } else {
                                witness("send dropped");
                            }
                        }
                        sent
                    }
                });
                let mut values = Vec::new();
                loop {
                    let early = poll_once(pin!(rx.recv_async()));
                    let value = match early {
                        Poll::Ready(value) => value,
                        Poll::Pending => {
                            witness("receive dropped");
                            block_on(rx.recv_async())
                        }
                    };
                    let Ok(value) = value else { break };
                    values.push(value);
                }
                let received = numbers(values);
                assert_conserved(&ledger, &sender.join().unwrap(), &[&received], false);
            });
        }
    };
}

unique_ends_give_up!(spsc_ends_give_up, spsc);
unique_ends_give_up!(mpsc_ends_give_up, mpsc);
