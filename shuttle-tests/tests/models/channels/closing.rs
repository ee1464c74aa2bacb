//! Channels that close under everybody's hands.

use super::{assert_conserved, number, numbers};
use crate::harness::{Ledger, Model, Value, block_on, spawn, witness};

/// `close` against two who send, one of them asleep perhaps, and one who receives.
fn close(name: &'static str, capacity: usize) {
    Model::new(name, 600).witnesses(&["given back", "sent"]).run(move || {
        let ledger = Ledger::default();
        let (tx, rx) = millpond::bounded::<Value>(capacity);
        let senders = [1, 2].map(|sender| {
            let (tx, ledger) = (tx.clone(), ledger.clone());
            spawn(move || {
                let mut sent = Vec::new();
                for place in 0..2 {
                    let value = ledger.value(number(sender, place));
                    let answer = if sender == 2 { block_on(tx.send_async(value)) } else { tx.send(value) };
                    match answer {
                        Ok(()) => sent.push(number(sender, place)),
                        Err(error) => assert_eq!(error.into_inner().id, number(sender, place)),
                    }
                }
                witness(if sent.len() == 2 { "sent" } else { "given back" });
                sent
            })
        });
        let closer = spawn(move || assert!(tx.close()));
        let received = numbers(std::iter::from_fn(|| rx.recv().ok()).collect());
        closer.join().unwrap();
        let sent = senders.map(|sender| sender.join().unwrap()).concat();
        // What a rendezvous left behind for a receiver that gave up is still to be had.
        let late = numbers(std::iter::from_fn(|| rx.try_recv().ok()).collect());
        assert!(late.is_empty(), "received after Closed: {late:?}");
        drop(rx);
        assert_conserved(&ledger, &sent, &[&received], false);
    });
}

#[test]
fn close_against_send_and_receive() {
    close("close_against_send_and_receive", 1);
}

#[test]
fn close_against_send_and_receive_rendezvous() {
    close("close_against_send_and_receive_rendezvous", 0);
}

/// The last receiver goes while two send: what is inside is dropped, who waits gets its message back.
macro_rules! receiver_goes {
    ($name:ident, $module:ident, $capacity:expr) => {
        #[test]
        #[allow(unused_mut, reason = "some ends take `&mut self`")]
        fn $name() {
            Model::new(stringify!($name), 500).witnesses(&["refused"]).run(|| {
                let ledger = Ledger::default();
                let (tx, mut rx) = millpond::$module::bounded::<Value>($capacity);
                let senders = [1, 2].map(|sender| {
                    let (tx, ledger) = (tx.clone(), ledger.clone());
                    spawn(move || {
                        let mut sent = Vec::new();
                        for place in 0..2 {
                            match tx.send(ledger.value(number(sender, place))) {
                                Ok(()) => sent.push(number(sender, place)),
                                Err(error) => {
                                    witness("refused");
                                    assert_eq!(error.into_inner().id, number(sender, place));
                                }
                            }
                        }
                        sent
                    })
                });
                drop(tx);
                let received = numbers(rx.recv().into_iter().collect());
                drop(rx);
                let sent = senders.map(|sender| sender.join().unwrap()).concat();
                assert_conserved(&ledger, &sent, &[&received], true);
            });
        }
    };
}

receiver_goes!(mpmc_receiver_goes, mpmc, 1);
receiver_goes!(mpmc_receiver_goes_rendezvous, mpmc, 0);
receiver_goes!(mpsc_receiver_goes, mpsc, 2);

/// Everybody who waits for the end is told of it: `closed()` on both sides, a receive, and a send to a full channel.
#[test]
fn all_sleepers_wake_at_the_end() {
    Model::new("all_sleepers_wake_at_the_end", 500).run(|| {
        let (tx, rx) = millpond::bounded::<u32>(1);
        let waits = spawn({
            let tx = tx.clone();
            move || block_on(tx.closed())
        });
        let asleep = spawn({
            let rx = rx.clone();
            move || while rx.recv().is_ok() {}
        });
        let sends = spawn({
            let tx = tx.clone();
            move || while tx.send(1).is_ok() {}
        });
        let closer = spawn(move || tx.close());
        waits.join().unwrap();
        asleep.join().unwrap();
        sends.join().unwrap();
        assert!(closer.join().unwrap() && rx.is_closed());
    });
}

/// A weak handle is upgraded while the last strong one goes.
#[test]
fn upgrade_against_the_last_drop() {
    Model::new("upgrade_against_the_last_drop", 300).dfs(1_000).witnesses(&["gone", "upgraded"]).run(|| {
        let (tx, rx) = millpond::bounded::<u32>(1);
        let weak = tx.downgrade();
        let last = spawn(move || drop(tx));
        let sent = weak.upgrade().is_some_and(|tx| tx.send(1).is_ok());
        witness(if sent { "upgraded" } else { "gone" });
        last.join().unwrap();
        assert_eq!(rx.recv().is_ok(), sent);
        assert!(rx.recv().is_err());
    });
}
