//! A panic in the drop of a value: every value is dropped once all the same, and the channel works on.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

mod common;

use common::{Bell, Ledger, Random, Token};
use millpond::{Receiver, Sender, bounded};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

fn panics<R>(work: impl FnOnce() -> R) -> bool {
    catch_unwind(AssertUnwindSafe(work)).is_err()
}

/// A channel that holds tokens `0..len`, its cursors `offset` steps on.
fn holding(
    ledger: &Arc<Ledger>,
    capacity: usize,
    offset: usize,
    len: usize,
) -> (Sender<Token>, Receiver<Token>) {
    let (tx, rx) = bounded(capacity);
    for _ in 0..offset {
        tx.send(ledger.token(0)).unwrap();
        rx.recv().unwrap();
    }
    tx.send_many((0..len).map(|id| ledger.token(id)).collect::<Vec<_>>()).unwrap();
    (tx, rx)
}

/// A10, promise 10: the last receiver's drop meets a value whose drop panics, at each place: the others are dropped.
#[test]
fn the_last_receivers_drop_goes_on() {
    for capacity in [1, 2, 3, 5] {
        for (offset, nth) in (0..capacity).flat_map(|offset| (1..=capacity).map(move |nth| (offset, nth))) {
            let ledger = Ledger::new(capacity + 1);
            let (tx, rx) = holding(&ledger, capacity, offset, capacity);
            let bell = Bell::new();
            let mut sending = Box::pin(tx.send_async(ledger.token(capacity)));
            assert!(bell.poll(sending.as_mut()).is_pending());
            ledger.panic_at(nth);
            assert!(panics(|| drop(rx)));
            assert_eq!((ledger.drops(), tx.len()), (offset + capacity, 0));
            assert_eq!((bell.rings(), tx.receiver_count(), tx.is_closed()), (1, 0, true));
            assert_eq!(tx.try_send(ledger.token(0)).unwrap_err().into_inner().id, 0);
            drop(sending);
            drop(tx);
            ledger.assert_settled();
        }
    }
}

/// A10: a message that panics when its send is cancelled leaves the line whole.
#[test]
fn a_cancelled_send_may_panic() {
    let ledger = Ledger::new(3);
    let (tx, rx) = holding(&ledger, 1, 0, 1);
    let (evil, good) = (Bell::new(), Bell::new());
    let mut first = Box::pin(tx.send_async(ledger.token(1)));
    let mut second = Box::pin(tx.send_async(ledger.token(2)));
    assert!(evil.poll(first.as_mut()).is_pending() && good.poll(second.as_mut()).is_pending());
    drop(rx.recv().unwrap());
    ledger.panic_at(1);
    assert!(panics(|| drop(first)));
    assert_eq!((evil.held(), good.rings()), (0, 1), "the wake-up was passed on all the same");
    assert!(good.poll(second.as_mut()).is_ready());
    assert_eq!(rx.recv().unwrap().id, 2);
    drop((second, rx));
    drop(tx);
    ledger.assert_settled();
}

/// A10: of a batch that is refused, and of one that is received, each value is dropped once when one of them panics.
#[test]
fn a_batch_may_panic() {
    for nth in 1..=4 {
        let ledger = Ledger::new(8);
        let (tx, rx) = holding(&ledger, 4, 3, 4);
        ledger.panic_at(nth);
        assert!(panics(|| rx.recv_many(&mut Vec::new(), 4)));
        assert!(rx.is_empty() && !rx.is_closed());
        tx.send(ledger.token(4)).unwrap();
        rx.close();
        ledger.panic_at(nth);
        assert!(panics(|| tx.send_many((4..8).map(|id| ledger.token(id)).collect::<Vec<_>>()).is_ok()));
        assert_eq!(rx.recv().unwrap().id, 4);
        drop((tx, rx));
        ledger.assert_settled();
    }
}

/// Q13: an iterator that panics while the batch is made has sent nothing.
#[test]
fn a_batch_whose_making_panics_sends_nothing() {
    struct Evil;
    impl From<Evil> for std::collections::VecDeque<u8> {
        fn from(_: Evil) -> Self {
            panic!("a list that cannot be made")
        }
    }
    let (tx, rx) = bounded(2);
    assert!(panics(|| tx.send_many(Evil)));
    assert!(rx.is_empty());
    tx.send(1).unwrap();
    assert_eq!(rx.recv(), Ok(1));
}

/// One step that may drop values, chosen at random.
fn step(random: &mut Random, ledger: &Arc<Ledger>, tx: &Sender<Token>, rx: &Receiver<Token>, id: usize) {
    let bell = Bell::new();
    match random.below(8) {
        0 | 1 => drop(tx.try_send(ledger.token(id))),
        2 => drop(tx.force_send(ledger.token(id))),
        3 => drop(rx.try_recv()),
        4 if !rx.is_empty() => drop(rx.recv_many(&mut Vec::new(), 1 + random.below(3))),
        5 => drop(bell.poll(Box::pin(tx.send_async(ledger.token(id))).as_mut())),
        6 => drop(bell.poll(Box::pin(rx.recv_async()).as_mut())),
        _ => rx.try_iter().take(random.below(3)).for_each(drop),
    }
    assert_eq!(bell.held(), 0);
}

/// U3, promise 10: random programs in which the n-th drop panics, for n = 1, 2, 3 and on.
#[test]
fn programs_survive_the_nth_drop() {
    const IDS: usize = 60;
    let mut random = Random::new();
    for nth in (1..=IDS).flat_map(|nth| [nth; 30]) {
        let ledger = Ledger::new(IDS + 1);
        let (tx, rx) = bounded(1 + random.below(4));
        ledger.panic_at(nth);
        let mut caught = 0;
        for id in 0..IDS {
            caught += usize::from(panics(|| step(&mut random, &ledger, &tx, &rx, id)));
            assert!(rx.len() <= rx.capacity());
        }
        // Half of the time what is left is dropped by the last receiver, half of the time after a message more.
        if nth % 2 == 0 {
            caught += usize::from(panics(|| rx.try_iter().for_each(drop)));
            rx.try_iter().for_each(drop);
            tx.send(ledger.token(IDS)).unwrap();
            let last = rx.recv().unwrap();
            assert_eq!(last.id, IDS);
            caught += usize::from(panics(|| drop(last)));
        }
        caught += usize::from(panics(|| drop((rx, tx))));
        assert!(caught <= 1);
        ledger.assert_settled();
    }
}
