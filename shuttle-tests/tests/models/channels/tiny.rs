//! Channels with a buffer and without a ring, as they are on a single processor: offers that are moved inside, asks that are answered,
//! and the races of the other channels once more.

use super::{Make, assert_conserved, cancel, extras, number, numbers};
use crate::harness::{Ledger, Model, block_on, spawn, witness};

const ONE: Make = || millpond::mpmc::bounded_without_ring(1);
const TWO: Make = || millpond::mpmc::bounded_without_ring(2);

/// Two who send three messages each, two who receive to the end, a thread and a task of each.
fn two_to_two(name: &'static str, make: Make) {
    Model::new(name, 1_000).run(move || {
        let ledger = Ledger::default();
        let (tx, rx) = make();
        let senders = [1, 2].map(|sender| {
            let (tx, ledger) = (tx.clone(), ledger.clone());
            spawn(move || {
                for place in 0..3 {
                    let value = ledger.value(number(sender, place));
                    let sent = if sender == 1 { tx.send(value) } else { block_on(tx.send_async(value)) };
                    sent.unwrap();
                }
            })
        });
        drop(tx);
        let other = spawn({
            let rx = rx.clone();
            move || numbers(std::iter::from_fn(|| block_on(rx.recv_async()).ok()).collect())
        });
        let received = numbers(std::iter::from_fn(|| rx.recv().ok()).collect());
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        let sent: Vec<_> =
            [1, 2].into_iter().flat_map(|sender| (0..3).map(move |place| number(sender, place))).collect();
        assert_conserved(&ledger, &sent, &[&received, &other.join().unwrap()], false);
    });
}

#[test]
fn without_ring_2x2_capacity_1() {
    two_to_two("without_ring_2x2_capacity_1", ONE);
}

#[test]
fn without_ring_2x2_capacity_2() {
    two_to_two("without_ring_2x2_capacity_2", TWO);
}

/// Each of two tasks and two threads sends one message, each of two tasks and two threads receives one: the channel stays open, so that
/// no end of it wakes anybody.
#[test]
fn without_ring_4x4_open() {
    Model::new("without_ring_4x4_open", 2_000).run(|| {
        let ledger = Ledger::default();
        let (tx, rx) = ONE();
        let senders: Vec<_> = (0..4)
            .map(|sender| {
                let (tx, value) = (tx.clone(), ledger.value(number(sender, 0)));
                spawn(move || {
                    let sent = if sender % 2 == 0 { tx.send(value) } else { block_on(tx.send_async(value)) };
                    sent.unwrap();
                })
            })
            .collect();
        let receivers: Vec<_> = (0..4)
            .map(|receiver| {
                let rx = rx.clone();
                spawn(move || {
                    let value = if receiver % 2 == 0 { rx.recv() } else { block_on(rx.recv_async()) };
                    numbers(value.into_iter().collect())
                })
            })
            .collect();
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        let received: Vec<_> = receivers.into_iter().map(|receiver| receiver.join().unwrap()).collect();
        let received: Vec<&[u32]> = received.iter().map(Vec::as_slice).collect();
        let sent: Vec<_> = (0..4).map(|sender| number(sender, 0)).collect();
        assert_conserved(&ledger, &sent, &received, false);
        drop((tx, rx));
    });
}

/// A batch that does not fit, against receives of batches and of single messages.
#[test]
fn without_ring_batches() {
    Model::new("without_ring_batches", 600).run(|| {
        let ledger = Ledger::default();
        let (tx, rx) = TWO();
        let values: Vec<_> = (0..4).map(|place| ledger.value(number(1, place))).collect();
        let sender = spawn(move || assert!(tx.send_many(values).is_ok()));
        let batches = spawn({
            let rx = rx.clone();
            move || {
                let mut values = Vec::new();
                while rx.recv_many(&mut values, 3).is_ok() {}
                numbers(values)
            }
        });
        let received = numbers(std::iter::from_fn(|| block_on(rx.recv_async()).ok()).collect());
        sender.join().unwrap();
        let sent: Vec<_> = (0..4).map(|place| number(1, place)).collect();
        assert_conserved(&ledger, &sent, &[&received, &batches.join().unwrap()], false);
    });
}

/// A close against a thread whose offer waits and one that asks: the offer comes back, or is received.
#[test]
fn without_ring_closed() {
    Model::new("without_ring_closed", 600).witnesses(&["given back", "received"]).run(|| {
        let ledger = Ledger::default();
        let (tx, rx) = ONE();
        tx.send(ledger.value(number(1, 0))).unwrap();
        let sender = spawn({
            let (tx, ledger) = (tx.clone(), ledger.clone());
            move || match tx.send(ledger.value(number(1, 1))) {
                Ok(()) => true,
                Err(error) => {
                    assert_eq!(error.into_inner().id, number(1, 1));
                    false
                }
            }
        });
        let closer = spawn(move || assert!(tx.close()));
        let received = numbers(std::iter::from_fn(|| rx.recv().ok()).collect());
        closer.join().unwrap();
        let mut sent = vec![number(1, 0)];
        let is_sent = sender.join().unwrap();
        witness(if is_sent { "received" } else { "given back" });
        sent.extend(is_sent.then_some(number(1, 1)));
        drop(rx);
        assert_conserved(&ledger, &sent, &[&received], false);
    });
}

#[test]
fn without_ring_a_receive_is_dropped() {
    cancel::receiver_gives_up("without_ring_a_receive_is_dropped", ONE);
}

#[test]
fn without_ring_a_send_is_dropped() {
    cancel::sender_gives_up("without_ring_a_send_is_dropped", ONE);
}

#[test]
fn without_ring_time_runs_out() {
    cancel::time_limits("without_ring_time_runs_out", ONE, &["not sent", "received", "not received"]);
}

#[test]
fn without_ring_select() {
    extras::two_select("without_ring_select", ONE);
}

#[test]
fn without_ring_permits() {
    extras::permits("without_ring_permits", ONE);
}

#[test]
fn without_ring_a_permit_against_close() {
    extras::permit_against_close("without_ring_a_permit_against_close", ONE);
}

#[test]
fn without_ring_displacing() {
    extras::displacing("without_ring_displacing", ONE);
}
