//! Messages through a channel: threads and tasks on either side, at every capacity.

use super::{assert_conserved, number, numbers};
use crate::harness::{Ledger, Model, Value, block_on, spawn, witness};

/// Writes a model of a channel of one module: so many senders with so many messages each, so many receivers. Every second end
/// is a task. Positions wrap around on the way.
macro_rules! flow {
    ($name:ident, $module:ident, $capacity:expr, [$($sender:ident),+], [$($receiver:ident),+], $messages:expr, $schedules:expr) => {
        #[test]
        #[allow(unused_mut, reason = "some ends take `&mut self`")]
        fn $name() {
            Model::new(stringify!($name), $schedules).run(|| {
                let ledger = Ledger::default();
                let (tx, rx) = millpond::$module::bounded_near_wrap_around::<Value>($capacity, 1);
                let mut sent = Vec::new();
                let mut index = 0;
                let mut threads = Vec::new();
                flow!(@ends tx, [$($sender),+], |mut tx| {
                    index += 1;
                    let (ledger, sender) = (ledger.clone(), index);
                    sent.extend((0..$messages).map(|place| number(sender, place)));
                    threads.push(spawn(move || {
                        for place in 0..$messages {
                            let value = ledger.value(number(sender, place));
                            if sender % 2 == 0 {
                                block_on(tx.send_async(value)).unwrap();
                            } else {
                                tx.send(value).unwrap();
                            }
                        }
                    }));
                });
                let mut receivers = Vec::new();
                flow!(@ends rx, [$($receiver),+], |mut rx| {
                    index += 1;
                    let is_task = index % 2 == 0;
                    receivers.push(spawn(move || {
                        let mut values = Vec::new();
                        while let Ok(value) = if is_task { block_on(rx.recv_async()) } else { rx.recv() } {
                            values.push(value);
                        }
                        numbers(values)
                    }));
                });
                threads.into_iter().for_each(|thread| thread.join().unwrap());
                let received: Vec<_> = receivers.into_iter().map(|thread| thread.join().unwrap()).collect();
                let received: Vec<&[u32]> = received.iter().map(Vec::as_slice).collect();
                assert_conserved(&ledger, &sent, &received, false);
            });
        }
    };
    (@ends $end:ident, [$last:ident], |mut $name:ident| $body:block) => {{
        let mut $name = $end;
        $body
    }};
    (@ends $end:ident, [$first:ident, $($more:ident),+], |mut $name:ident| $body:block) => {{
        {
            let mut $name = $end.clone();
            $body
        }
        flow!(@ends $end, [$($more),+], |mut $name| $body)
    }};
}

flow!(mpmc_2x2_capacity_1, mpmc, 1, [a, b], [a, b], 2, 600);
flow!(mpmc_3x2_capacity_2, mpmc, 2, [a, b, c], [a, b], 2, 400);
flow!(mpmc_1x3_capacity_3, mpmc, 3, [a], [a, b, c], 4, 400);
flow!(mpsc_2x1_capacity_1, mpsc, 1, [a, b], [a], 2, 600);
flow!(mpsc_3x1_capacity_2, mpsc, 2, [a, b, c], [a], 2, 400);
flow!(spsc_thread_to_task, spsc, 1, [a], [a], 4, 600);
flow!(spsc_capacity_3, spsc, 3, [a], [a], 6, 400);

/// Small enough to be searched from end to end: one message each way of looking.
#[test]
fn mpmc_1x1_try() {
    Model::new("mpmc_1x1_try", 200).dfs(2_000).witnesses(&["empty", "full", "received"]).run(|| {
        let (tx, rx) = millpond::mpmc::bounded_near_wrap_around::<u32>(1, 1);
        let sender = spawn(move || {
            tx.try_send(1).unwrap();
            if tx.try_send(2).is_err() {
                witness("full");
            }
        });
        witness(if rx.try_recv().is_ok() { "received" } else { "empty" });
        sender.join().unwrap();
    });
}

/// A blocking receive against a send and the end of the channel, by depth-first search.
#[test]
fn mpmc_1x1_last_message() {
    Model::new("mpmc_1x1_last_message", 200).dfs(2_000).run(|| {
        let (tx, rx) = millpond::bounded::<u32>(1);
        let sender = spawn(move || tx.send(1).unwrap());
        assert_eq!((rx.recv().ok(), rx.recv().ok()), (Some(1), None));
        sender.join().unwrap();
    });
}

/// Batches against single messages, both ways.
#[test]
fn mpmc_batches() {
    Model::new("mpmc_batches", 500).run(|| {
        let ledger = Ledger::default();
        let (tx, rx) = millpond::mpmc::bounded_near_wrap_around::<Value>(2, 1);
        let values: Vec<_> = (0..4).map(|place| ledger.value(number(1, place))).collect();
        let many = spawn({
            let tx = tx.clone();
            move || assert!(tx.send_many(values).is_ok())
        });
        let values: Vec<_> = (0..2).map(|place| ledger.value(number(2, place))).collect();
        let single = spawn(move || values.into_iter().for_each(|value| tx.send(value).unwrap()));
        let batches = spawn({
            let rx = rx.clone();
            move || {
                let mut values = Vec::new();
                while rx.recv_many(&mut values, 3).is_ok() {}
                numbers(values)
            }
        });
        let received = numbers(std::iter::from_fn(|| block_on(rx.recv_async()).ok()).collect());
        many.join().unwrap();
        single.join().unwrap();
        let sent = [0, 1, 2, 3]
            .map(|place| number(1, place))
            .into_iter()
            .chain([0, 1].map(|place| number(2, place)));
        assert_conserved(&ledger, &sent.collect::<Vec<_>>(), &[&received, &batches.join().unwrap()], false);
    });
}

/// Capacity 0: two who send, two who receive, a thread and a task of each.
#[test]
fn rendezvous_2x2() {
    Model::new("rendezvous_2x2", 600).run(|| {
        let ledger = Ledger::default();
        let (tx, rx) = millpond::bounded::<Value>(0);
        let task = spawn({
            let (tx, ledger) = (tx.clone(), ledger.clone());
            move || (0..2).for_each(|place| block_on(tx.send_async(ledger.value(number(2, place)))).unwrap())
        });
        let thread = spawn({
            let ledger = ledger.clone();
            move || (0..2).for_each(|place| tx.send(ledger.value(number(1, place))).unwrap())
        });
        let other = spawn({
            let rx = rx.clone();
            move || numbers(std::iter::from_fn(|| block_on(rx.recv_async()).ok()).collect())
        });
        let received = numbers(std::iter::from_fn(|| rx.recv().ok()).collect());
        drop(rx);
        task.join().unwrap();
        thread.join().unwrap();
        let sent = [number(1, 0), number(1, 1), number(2, 0), number(2, 1)];
        assert_conserved(&ledger, &sent, &[&received, &other.join().unwrap()], false);
    });
}

/// Capacity 0, tasks alone: two who send one message each, two who receive one each. All of them come to an end.
///
/// Needs a receiver that stops while it registers, after it was counted; another that tells a sender of both, and is itself met
/// by the other sender; and then the first to look.
#[test]
fn rendezvous_of_tasks() {
    Model::new("rendezvous_of_tasks", 2_000).run(|| {
        let ledger = Ledger::default();
        let (tx, rx) = millpond::bounded::<Value>(0);
        let senders: Vec<_> = (1..3)
            .map(|sender| {
                let (tx, value) = (tx.clone(), ledger.value(number(sender, 0)));
                spawn(move || block_on(tx.send_async(value)).unwrap())
            })
            .collect();
        let other = spawn({
            let rx = rx.clone();
            move || numbers(block_on(rx.recv_async()).into_iter().collect())
        });
        let received = numbers(block_on(rx.recv_async()).into_iter().collect());
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        assert_conserved(&ledger, &[number(1, 0), number(2, 0)], &[&received, &other.join().unwrap()], false);
    });
}
