//! Models of the broadcast channels: reading against overwriting, the gate, entering, leaving, eviction and closing.
//!
//! Every message is tracked from its making to its only drop, and lies in a loom cell: to read it while it is overwritten, or
//! without having synchronised with its publisher, fails the model. Publications that wait are awaited, so that a wake-up
//! that is lost is a deadlock.

mod closing;
mod evicting;
mod gate;
mod limits;
mod lossy;
mod subscribing;

use crate::harness::{Ledger, Value, block_on, witness};
use millpond_loom::broadcast::{Publisher, RecvError, Subscriber, TryRecvError};
use millpond_loom::model::{BroadcastKind as Kind, broadcast_near_wrap_around};
use std::future::{Future, poll_fn};
use std::pin::pin;

type Ends = (Publisher<Value>, Subscriber<Value>);

/// A channel; its positions wrap around after `messages`.
fn channel(kind: Kind, capacity: usize, messages: u64) -> Ends {
    broadcast_near_wrap_around(kind, capacity, messages)
}

/// What one subscriber has seen: the ids must follow each other, but for what it was told it has missed.
struct Run {
    next: u32,
    received: u32,
    lagged: u64,
}

impl Run {
    /// A run that starts with the message `first`.
    const fn from(first: u32) -> Self {
        Self { next: first, received: 0, lagged: 0 }
    }

    fn read(&mut self, message: &Value) {
        assert_eq!(message.id(), self.next, "a gap nobody was told of");
        self.next += 1;
        self.received += 1;
    }

    fn miss(&mut self, count: u64) {
        assert!(count > 0);
        witness("lagged");
        self.next += u32::try_from(count).expect("models are small");
        self.lagged += count;
    }

    /// Receives what is there; returns whether the channel is closed and drained.
    fn drain(&mut self, subscriber: &mut Subscriber<Value>) -> bool {
        loop {
            match subscriber.try_recv_ref() {
                Ok(message) => self.read(&message),
                Err(TryRecvError::Empty) => return false,
                Err(TryRecvError::Closed) => return true,
                Err(TryRecvError::Lagged(count)) => self.miss(count),
                Err(TryRecvError::Evicted) => panic!("nobody is thrown out here"),
            }
        }
    }

    /// Receives until the channel is closed.
    fn finish(&mut self, subscriber: &mut Subscriber<Value>) {
        loop {
            match subscriber.recv_ref() {
                Ok(message) => self.read(&message),
                Err(RecvError::Lagged(count)) => self.miss(count),
                Err(RecvError::Closed) => return,
                Err(RecvError::Evicted) => panic!("nobody is thrown out here"),
            }
        }
    }
}

/// Publishes the messages `ids`, asleep if need be. "held up" is a witness.
fn publish(publisher: &Publisher<Value>, ledger: &Ledger, ids: impl IntoIterator<Item = u32>) {
    for id in ids {
        let mut publishing = pin!(publisher.publish_async(ledger.value(id)));
        let answer = block_on(poll_fn(|cx| {
            let answer = publishing.as_mut().poll(cx);
            if answer.is_pending() {
                witness("held up");
            }
            answer
        }));
        assert!(answer.is_ok(), "nobody closes the channel");
    }
}

/// Receives so many messages, asleep if need be.
fn receive(subscriber: &mut Subscriber<Value>, count: u32) {
    let mut run = Run::from(0);
    for _ in 0..count {
        run.read(&subscriber.recv_ref().expect("nobody closes the channel, nobody lags"));
    }
}
