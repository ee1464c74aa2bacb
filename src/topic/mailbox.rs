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
        (Arc::clone(&mailbox), Reader { room: Room(mailbox), receiver })
    }

    /// So many places are free: wakes as many publishers that wait for one.
    fn make_room(&self, places: usize) {
        let watched = self.gate.settle(places);
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
        self.make_room(1);
    }

    fn gate(&self) -> Option<&Gate> {
        Some(&self.gate)
    }

    fn close(&self) {
        self.gate.close();
        self.sender.close();
    }
}

/// The subscription's end of a lossless mailbox. Publishers are let go first, then the receiver with what is inside.
pub(super) struct Reader<T> {
    pub(super) room: Room<T>,
    pub(super) receiver: Receiver<Event<T>>,
}

/// Makes room for publishers, and lets those go that wait for it when it is dropped.
pub(super) struct Room<T>(Arc<Mailbox<T>>);

impl<T> Room<T> {
    /// Makes room for as many events as were received.
    pub(super) fn free(&self, events: usize) {
        if events > 0 {
            self.0.make_room(events);
        }
    }
}

impl<T> Drop for Room<T> {
    fn drop(&mut self) {
        self.0.gate.close();
    }
}

impl<T> Reader<T> {
    /// Passes on what was received, and makes room for as much.
    pub(super) fn take<E>(&self, received: Result<Event<T>, E>) -> Result<Event<T>, E> {
        self.room.free(usize::from(received.is_ok()));
        received
    }
}

/// The publishers' end of a lossy mailbox.
pub(super) struct Window<T>(Arc<Publisher<Event<T>>>);

impl<T> Window<T> {
    /// Makes a mailbox, and the end that receives from it.
    pub(super) fn new(capacity: usize) -> (Self, Onlooker<T>) {
        let (publisher, subscriber) = broadcast::lossy(capacity);
        let publisher = Arc::new(publisher);
        (Self(Arc::clone(&publisher)), Onlooker { _watch: Watch(publisher), subscriber })
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
    pub(super) _watch: Watch<T>,
    pub(super) subscriber: Subscriber<Event<T>>,
}

/// Tells publishers that are under way that nobody looks any more, when it is dropped.
pub(super) struct Watch<T>(Arc<Publisher<Event<T>>>);

impl<T> Drop for Watch<T> {
    fn drop(&mut self) {
        self.0.close();
    }
}
