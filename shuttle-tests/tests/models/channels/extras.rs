//! Select, permits, displacing sends.

use super::{Make, assert_conserved, number, numbers};
use crate::harness::{Ledger, Model, NOW, Value, block_on, spawn, witness};

/// Two who select over two channels, a thread and a task, while each channel is sent to and closed: each message is received once.
pub(super) fn two_select(name: &'static str, make: Make) {
    Model::new(name, 500).run(move || {
        let ledger = Ledger::default();
        let (first_tx, first_rx) = make();
        let (second_tx, second_rx) = make();
        let senders: Vec<_> = [(1, first_tx), (2, second_tx)]
            .into_iter()
            .map(|(sender, tx)| {
                let ledger = ledger.clone();
                spawn(move || (0..2).for_each(|place| tx.send(ledger.value(number(sender, place))).unwrap()))
            })
            .collect();
        let receivers = [false, true].map(|is_task| {
            let (first, second) = (first_rx.clone(), second_rx.clone());
            spawn(move || {
                let mut select = millpond::Select::new().recv(&first, Result::ok).recv(&second, Result::ok);
                let mut values = Vec::new();
                while let Some(answer) = if is_task { block_on(select.wait_async()) } else { select.wait() } {
                    values.extend(answer);
                }
                numbers(values)
            })
        });
        drop((first_rx, second_rx));
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        let [left, right] = receivers.map(|receiver| receiver.join().unwrap());
        let sent = [number(1, 0), number(1, 1), number(2, 0), number(2, 1)];
        assert_conserved(&ledger, &sent, &[&left, &right], false);
    });
}

#[test]
fn select_two_of_two() {
    two_select("select_two_of_two", || millpond::bounded(1));
}

/// A select that sends or receives, over a full channel and an empty one, or gives up.
#[test]
fn select_sends_or_receives() {
    Model::new("select_sends_or_receives", 500).witnesses(&["received", "sent", "timed out"]).run(|| {
        let ledger = Ledger::default();
        let (tx, rx) = millpond::bounded::<Value>(1);
        let (answers_tx, answers_rx) = millpond::bounded::<Value>(1);
        tx.send(ledger.value(number(1, 0))).unwrap();
        let receiver = spawn({
            let rx = rx.clone();
            move || numbers(rx.recv().into_iter().collect())
        });
        let answerer = spawn({
            let ledger = ledger.clone();
            move || answers_tx.try_send(ledger.value(number(2, 0))).unwrap()
        });
        let mut slot = Some(ledger.value(number(1, 1)));
        let mut got = Vec::new();
        let mut select =
            millpond::Select::new().recv(&answers_rx, |answer| answer.ok()).send(&tx, &mut slot, |sent| {
                sent.unwrap();
                None
            });
        match select.wait_timeout(NOW) {
            Ok(Some(value)) => {
                witness("received");
                got.push(value);
            }
            Ok(None) => witness("sent"),
            Err(_) => witness("timed out"),
        }
        drop(select);
        let mut sent = vec![number(1, 0), number(2, 0)];
        if slot.take().is_none() {
            sent.push(number(1, 1));
        }
        answerer.join().unwrap();
        let received = receiver.join().unwrap();
        got.extend(rx.try_recv());
        got.extend(answers_rx.try_recv());
        drop((tx, rx, answers_rx));
        let mut rest: Vec<_> = got.drain(..).map(|value| value.id).collect();
        rest.sort_unstable();
        assert_conserved(&ledger, &sent, &[&received, &rest], false);
    });
}

/// Permits: reserved and used, reserved and dropped, against plain sends that wait for the same room, and the end.
pub(super) fn permits(name: &'static str, make: Make) {
    Model::new(name, 600).witnesses(&["used", "late"]).run(move || {
        let ledger = Ledger::default();
        let (tx, rx) = make();
        let reserves = spawn({
            let (tx, ledger) = (tx.clone(), ledger.clone());
            move || {
                drop(block_on(tx.reserve_async()));
                let Ok(permit) = tx.reserve() else { return false };
                permit.send(ledger.value(number(1, 0))).is_ok()
            }
        });
        let sends = spawn({
            let (tx, ledger) = (tx.clone(), ledger.clone());
            move || tx.send(ledger.value(number(2, 0))).is_ok()
        });
        let closer = spawn(move || drop(tx));
        let received = numbers(std::iter::from_fn(|| block_on(rx.recv_async()).ok()).collect());
        let mut sent = Vec::new();
        for (is_sent, value) in [(reserves, number(1, 0)), (sends, number(2, 0))] {
            sent.extend(is_sent.join().unwrap().then_some(value));
        }
        closer.join().unwrap();
        assert_eq!(sent.len(), 2, "nobody closes while a sender lives");
        witness(if received[0] == number(1, 0) { "used" } else { "late" });
        assert_conserved(&ledger, &sent, &[&received], false);
    });
}

#[test]
fn permits_used_and_dropped() {
    permits("permits_used_and_dropped", || millpond::bounded(1));
}

/// A permit whose channel is closed by hand gives the message back, or it is received.
pub(super) fn permit_against_close(name: &'static str, make: Make) {
    Model::new(name, 400).witnesses(&["refused", "sent", "no permit"]).run(move || {
        let ledger = Ledger::default();
        let (tx, rx) = make();
        let closer = spawn({
            let tx = tx.clone();
            move || tx.close()
        });
        let reserves = spawn({
            let ledger = ledger.clone();
            move || {
                let Ok(permit) = tx.reserve() else {
                    witness("no permit");
                    return false;
                };
                let sent = permit.send(ledger.value(number(1, 0))).is_ok();
                witness(if sent { "sent" } else { "refused" });
                sent
            }
        });
        let received = numbers(std::iter::from_fn(|| rx.recv().ok()).collect());
        closer.join().unwrap();
        let sent: Vec<_> = reserves.join().unwrap().then_some(number(1, 0)).into_iter().collect();
        drop(rx);
        assert_conserved(&ledger, &sent, &[&received], false);
    });
}

#[test]
fn a_permit_against_close() {
    permit_against_close("a_permit_against_close", || millpond::bounded(1));
}

/// Sends that displace the oldest, against a receive: each message is received, handed back, or inside.
pub(super) fn displacing(name: &'static str, make: Make) {
    Model::new(name, 500).witnesses(&["displaced", "received"]).run(move || {
        let ledger = Ledger::default();
        let (tx, rx) = make();
        let senders = [1, 2].map(|sender| {
            let (tx, ledger) = (tx.clone(), ledger.clone());
            spawn(move || {
                let sent = (0..2).map(|place| tx.force_send(ledger.value(number(sender, place))).unwrap());
                sent.flatten().map(|value| value.id).collect::<Vec<_>>()
            })
        });
        drop(tx);
        let received = numbers(std::iter::from_fn(|| rx.recv().ok()).collect());
        let [first, second] = senders.map(|sender| sender.join().unwrap());
        witness(if received.len() == 4 { "received" } else { "displaced" });
        let sent = [number(1, 0), number(1, 1), number(2, 0), number(2, 1)];
        assert_conserved(&ledger, &sent, &[&received, &first, &second], false);
    });
}

#[test]
fn displaced_or_received() {
    displacing("displaced_or_received", || millpond::mpmc::bounded_near_wrap_around(1, 1));
}
