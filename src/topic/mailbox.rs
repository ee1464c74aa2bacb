//! Where a subscription's events wait for it.
//!
//! A lossless mailbox is a gate before a channel. The gate has as many places as the channel, and an event leaves the channel
//! before it leaves the gate: whoever was let in finds room. Not a lossless broadcast channel: this has one reader, to whom
//! the event can be moved rather than cloned, and its places can be had before the event is put anywhere.
//!
//! A lossy mailbox is a lossy broadcast channel with one subscriber: there is always room, and what was lost is counted
//! exactly, between the events before and after.

use super::entry::{Inlet, Put, Reserved};
use super::event::Event;
use crate::broadcast::{self, Publisher, Subscriber};
use crate::channel::{Receiver, Sender, bounded};
use crate::gate::{Gate, Refused};
use crate::sync::Arc;

/// The publishers' end of a lossless mailbox.
pub(super) struct Mailbox<T> {
    gate: Gate,
    sender: Sender<Event<T>>,
}

impl<T> Mailbox<T> {
    /// Makes a mailbox, and the end that receives from it.
    pub(super) fn new(capacity: usize) -> (Arc<Self>, Reader<T>) {
        let (sender, receiver) = bounded(capacity);
        let mailbox = Arc::new(Self { gate: Gate::new(capacity), sender });
        (Arc::clone(&mailbox), Reader { mailbox, receiver })
    }

    /// A place is free: wakes a publisher that waits for one.
    fn make_room(&self) {
        let watched = self.gate.settle(1);
        debug_assert!(!watched, "nobody waits for a mailbox to fall quiet");
    }
}

impl<T: Send> Inlet<T> for Arc<Mailbox<T>> {
    fn reserve(&self, count: usize) -> Reserved {
        match self.gate.admit_all(count) {
            Ok(admitted) => Reserved::Place(admitted.first),
            Err(Refused::Full) => Reserved::Full,
            Err(Refused::Closed) => Reserved::Gone,
        }
    }

    fn put(&self, _: u64, event: Event<T>) -> Put {
        // Finds room at once, see above: so this does not wait.
        match self.sender.send(event) {
            Ok(()) => Put::Reached,
            Err(_) => Put::Gone,
        }
    }

    fn give_back(&self, _: u64) {
        self.make_room();
    }

    fn gate(&self) -> Option<&Gate> {
        Some(&self.gate)
    }

    fn close(&self) {
        self.gate.close();
        self.sender.close();
    }
}

/// The subscription's end of a lossless mailbox.
pub(super) struct Reader<T> {
    mailbox: Arc<Mailbox<T>>,
    pub(super) receiver: Receiver<Event<T>>,
}

impl<T> Reader<T> {
    /// Passes on what was received, and makes room for as much.
    pub(super) fn take<E>(&self, received: Result<Event<T>, E>) -> Result<Event<T>, E> {
        if received.is_ok() {
            self.mailbox.make_room();
        }
        received
    }
}

impl<T> Drop for Reader<T> {
    /// Lets the publishers go that wait for room. The receiver goes after this, and what is inside with it.
    fn drop(&mut self) {
        self.mailbox.gate.close();
    }
}

/// The publishers' end of a lossy mailbox.
pub(super) struct Window<T>(Arc<Publisher<Event<T>>>);

impl<T> Window<T> {
    /// Makes a mailbox, and the end that receives from it.
    pub(super) fn new(capacity: usize) -> (Self, Onlooker<T>) {
        let (publisher, subscriber) = broadcast::lossy(capacity);
        let publisher = Arc::new(publisher);
        (Self(Arc::clone(&publisher)), Onlooker { publisher, subscriber })
    }
}

impl<T: Send + Sync> Inlet<T> for Window<T> {
    fn reserve(&self, _: usize) -> Reserved {
        Reserved::Place(0)
    }

    fn put(&self, _: u64, event: Event<T>) -> Put {
        match self.0.publish(event) {
            Ok(_) => Put::Reached,
            Err(_) => Put::Gone,
        }
    }

    fn give_back(&self, _: u64) {}

    fn gate(&self) -> Option<&Gate> {
        None
    }

    fn close(&self) {
        self.0.close();
    }
}

/// The subscription's end of a lossy mailbox.
pub(super) struct Onlooker<T> {
    publisher: Arc<Publisher<Event<T>>>,
    pub(super) subscriber: Subscriber<Event<T>>,
}

impl<T> Drop for Onlooker<T> {
    /// Tells publishers that are under way that nobody looks any more.
    fn drop(&mut self) {
        self.publisher.close();
    }
}
