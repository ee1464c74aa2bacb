//! Models of the channel, through its public handles.
//!
//! Values are numbered `10 * sender + count`, so that a number says who sent it and in which place.

mod batch;
mod blocking;
mod cancel;
mod closing;
mod deadline;
mod dropping;
mod force;
mod length;
mod rendezvous;
mod tasks;
mod tiny;
mod try_ops;

use crate::harness::{Case, Ledger, Value, note, witness};
use loom::sync::atomic::{AtomicUsize, Ordering};
use millpond_loom::{Receiver, Sender, TryRecvError, TrySendError};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// What happened to the values of one execution, as the handles told it.
#[derive(Clone, Debug, Default)]
struct Tally {
    ledger: Ledger,
    book: Arc<Mutex<Book>>,
    turns: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct Book {
    /// Values whose send succeeded, in the order in which the sends returned.
    sent: Vec<u32>,
    /// Values that came back to their sender.
    returned: Vec<u32>,
    /// For each receiver, what it received, in order.
    received: BTreeMap<u32, Vec<u32>>,
}

impl Tally {
    /// Makes the value number `count` of `sender`.
    fn value(&self, sender: u32, count: u32) -> Value {
        self.ledger.value(10 * sender + count)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().expect("no thread panics while it holds the book")
    }

    /// A place where loom must try both orders of two threads.
    ///
    /// An operation that only loads, such as a receive from an empty channel, can vanish from loom's sight behind the loads
    /// of its peer (see `harness`). A change of a counter that everybody changes cannot. It is relaxed and synchronises
    /// nothing, so it hides no mistake in the channel.
    fn turn(&self) {
        self.turns.fetch_add(1, Ordering::Relaxed);
    }

    /// The value `id` was accepted.
    fn sent(&self, id: u32) {
        note(format!("sent {id}"));
        self.book().sent.push(id);
    }

    /// A value came back to its sender.
    fn returned(&self, value: Value) {
        let id = value.id();
        note(format!("got {id} back"));
        self.book().returned.push(id);
    }

    /// `receiver` received a value.
    fn received(&self, receiver: u32, value: Value) {
        let id = value.id();
        note(format!("received {id}"));
        self.book().received.entry(receiver).or_default().push(id);
    }

    /// How many values all receivers have received.
    fn received_count(&self) -> usize {
        self.book().received.values().map(Vec::len).sum()
    }

    /// Tries to send once, and books the answer; "full" and "closed" are witnesses.
    fn try_send(&self, tx: &Sender<Value>, value: Value) -> bool {
        let id = value.id();
        self.turn();
        match tx.try_send(value) {
            Ok(()) => {
                self.sent(id);
                return true;
            }
            Err(TrySendError::Full(value)) => {
                witness("full");
                self.returned(value);
            }
            Err(TrySendError::Closed(value)) => {
                witness("closed to send");
                self.returned(value);
            }
        }
        false
    }

    /// Tries to receive once, and books the answer; "empty" and "closed" are witnesses.
    fn try_recv(&self, receiver: u32, rx: &Receiver<Value>) -> Result<(), TryRecvError> {
        self.turn();
        match rx.try_recv() {
            Ok(value) => {
                self.received(receiver, value);
                Ok(())
            }
            Err(TryRecvError::Empty) => {
                witness("empty");
                Err(TryRecvError::Empty)
            }
            Err(TryRecvError::Closed) => {
                witness("closed to receive");
                Err(TryRecvError::Closed)
            }
        }
    }

    /// Sends, asleep if need be. "sender slept" is a witness.
    fn send(&self, tx: &Sender<Value>, value: Value) -> bool {
        let id = value.id();
        let before = naps();
        let answer = tx.send(value);
        if naps() > before {
            witness("sender slept");
        }
        match answer {
            Ok(()) => {
                self.sent(id);
                true
            }
            Err(error) => {
                witness("closed to send");
                self.returned(error.into_inner());
                false
            }
        }
    }

    /// Receives, asleep if need be. "receiver slept" is a witness.
    fn recv(&self, receiver: u32, rx: &Receiver<Value>) -> bool {
        let before = naps();
        let answer = rx.recv();
        if naps() > before {
            witness("receiver slept");
        }
        match answer {
            Ok(value) => {
                self.received(receiver, value);
                true
            }
            Err(_) => {
                witness("closed to receive");
                false
            }
        }
    }

    /// Takes out what is left, as receiver 0; used when no thread runs any more.
    fn drain(&self, rx: &Receiver<Value>) {
        let expected = rx.len();
        let mut count = 0;
        while let Ok(value) = rx.try_recv() {
            self.received(0, value);
            count += 1;
        }
        assert_eq!(count, expected, "len of a quiet channel");
    }

    /// Asserts that every value sent was received exactly once, in its sender's order, and nothing else was received.
    fn assert_all_received(&self) {
        let book = self.book();
        let mut sent = book.sent.clone();
        let mut received: Vec<u32> = book.received.values().flatten().copied().collect();
        sent.sort_unstable();
        received.sort_unstable();
        assert_eq!(received, sent, "received and sent differ");
        drop(book);
        self.assert_order();
    }

    /// Asserts that each receiver got each sender's values in order.
    fn assert_order(&self) {
        for (receiver, ids) in &self.book().received {
            let mut last = BTreeMap::new();
            for id in ids {
                let before = last.insert(id / 10, id);
                assert!(before < Some(id), "receiver {receiver} got {id} after {before:?}");
            }
        }
    }

    /// Asserts that each value made has been dropped exactly once.
    fn assert_settled(&self) {
        self.ledger.assert_settled();
    }
}

/// How often the calling model thread has gone to sleep.
fn naps() -> usize {
    millpond_loom::model::naps()
}

/// Makes a channel of the given capacity, with the first `filled` places taken by values of sender 9.
fn filled(capacity: usize, filled: u32, tally: &Tally) -> (Sender<Value>, Receiver<Value>) {
    let (tx, rx) = millpond_loom::bounded(capacity);
    for count in 0..filled {
        assert!(tally.try_send(&tx, tally.value(9, count)), "the channel has room");
    }
    (tx, rx)
}

/// Both ends of a channel, shared by all threads of a case without a clone of either.
type Ends = Arc<(Sender<Value>, Receiver<Value>)>;

/// Runs the final check of most models: nothing is lost, nothing is invented, and everything is dropped.
fn settle(tally: &Tally, ends: Ends) {
    tally.drain(&ends.1);
    tally.assert_all_received();
    drop(Arc::into_inner(ends).expect("every thread has ended"));
    tally.assert_settled();
}

/// The counts of one race of plain sends against plain receives.
#[derive(Clone, Copy, Debug)]
struct Shape {
    senders: u32,
    /// Values for each sender.
    values: u32,
    receivers: u32,
    /// Receives for each receiver.
    receives: u32,
    capacity: usize,
    /// How many trips the cursors are from their wrap-around; 0 for a channel as users get it.
    laps: u64,
}

impl Shape {
    fn ends(&self) -> Ends {
        Arc::new(match self.laps {
            0 => millpond_loom::bounded(self.capacity),
            laps => millpond_loom::model::bounded_near_wrap_around(self.capacity, laps),
        })
    }
}

/// Adds the thread number `number` of several that do the same work, counted from 1.
fn add_thread(case: &mut Case, number: u32, body: impl FnOnce() + Send + 'static) {
    if number == 1 { case.thread(body) } else { case.twin(body) }
}
