//! The length, looked at by one thread while others send and receive: it is that of one moment.

use super::{Ends, Tally, filled, settle};
use crate::harness::{Case, Ledger, Model, Value, witness};
use millpond_loom::mpsc;
use std::sync::{Arc, Mutex};

/// A channel of two places with one value in it, in which one thread moves each cursor once, in this order; and one that looks.
fn looks(moves: impl Fn(&Tally, &Ends) + Clone + Send + Sync + 'static) -> impl Fn(&mut Case) + Send + Sync {
    move |case| {
        let tally = Tally::default();
        let ends = Arc::new(filled(2, 1, &tally));
        let (book, pair, moves) = (tally.clone(), Arc::clone(&ends), moves.clone());
        case.thread(move || moves(&book, &pair));
        let (book, pair) = (tally.clone(), Arc::clone(&ends));
        case.thread(move || {
            book.turn();
            see(pair.1.len());
        });
        case.finish(move || settle(&tally, ends));
    }
}

/// The length that was seen is a witness; so one that a model does not name fails it.
fn see(len: usize) {
    witness(["none", "one", "two"][len]);
}

/// A channel that is never empty has a length: a new `head` beside an old `tail` would show none.
#[test]
fn of_a_channel_that_is_never_empty() {
    Model::new("len against try_send + try_recv").floor(20).witnesses(&["one", "two"]).run(looks(
        |book, pair| {
            assert!(book.try_send(&pair.0, book.value(1, 0)));
            assert!(book.try_recv(1, &pair.1).is_ok());
        },
    ));
}

/// A channel that is never full is not as long as that: a new `tail` beside an old `head` would show two.
#[test]
fn of_a_channel_that_is_never_full() {
    Model::new("len against try_recv + try_send").floor(20).witnesses(&["none", "one"]).run(looks(
        |book, pair| {
            assert!(book.try_recv(1, &pair.1).is_ok());
            assert!(book.try_send(&pair.0, book.value(1, 0)));
        },
    ));
}

/// The same in a channel with one receiver, which moves its cursor by plain stores.
fn looks_beside_a_lone_receiver(
    moves: impl Fn(&mpsc::Sender<Value>, &mut mpsc::Receiver<Value>, Value) + Clone + Send + Sync + 'static,
) -> impl Fn(&mut Case) + Send + Sync {
    move |case| {
        let ledger = Ledger::default();
        let (tx, mut rx) = mpsc::bounded(2);
        assert!(tx.try_send(ledger.value(9)).is_ok());
        let left = Arc::new(Mutex::new(None));
        let (sender, of, kept, moves) = (tx.clone(), ledger.clone(), Arc::clone(&left), moves.clone());
        case.thread(move || {
            moves(&sender, &mut rx, of.value(10));
            *kept.lock().expect("no panic under the lock") = Some((sender, rx));
        });
        let looker = tx.clone();
        case.thread(move || see(looker.len()));
        case.finish(move || {
            let (sender, rx) =
                left.lock().expect("no panic under the lock").take().expect("it was left here");
            assert_eq!(tx.len(), 1);
            drop((tx, sender, rx));
            ledger.assert_settled();
        });
    }
}

#[test]
fn of_a_channel_with_one_receiver_that_is_never_empty() {
    Model::new("len against try_send + try_recv, mpsc").floor(10).witnesses(&["one", "two"]).run(
        looks_beside_a_lone_receiver(|tx, rx, value| {
            assert!(tx.try_send(value).is_ok());
            assert!(rx.try_recv().is_ok());
        }),
    );
}

#[test]
fn of_a_channel_with_one_receiver_that_is_never_full() {
    Model::new("len against try_recv + try_send, mpsc").floor(10).witnesses(&["none", "one"]).run(
        looks_beside_a_lone_receiver(|tx, rx, value| {
            assert!(rx.try_recv().is_ok());
            assert!(tx.try_send(value).is_ok());
        }),
    );
}

/// Messages leave room for a permit: a send beside it comes after the receive that made its room, and who looks sees both or none.
#[test]
fn beside_a_permit() {
    Model::new("len against try_recv, try_send beside a permit")
        .preemptions(2)
        .floor(100)
        .witnesses(&["none", "one", "full"])
        .run(|case| {
            let tally = Tally::default();
            let ends = Arc::new(filled(2, 1, &tally));
            let permit = ends.0.try_reserve().expect("there is room").into_owned();
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || assert!(book.try_recv(1, &pair.1).is_ok()));
            let (book, pair) = (tally.clone(), Arc::clone(&ends));
            case.thread(move || _ = book.try_send(&pair.0, book.value(1, 0)));
            let pair = Arc::clone(&ends);
            case.thread(move || see(pair.1.len()));
            case.finish(move || {
                drop(permit);
                settle(&tally, ends);
            });
        });
}
