//! Where a subscription's events wait for it.
//!
//! A lossless mailbox is a gate before a channel. The gate has as many places as the channel, and an event leaves the channel
//! before it leaves the gate: whoever was let in finds room.

use super::entry::{Inlet, Put, Reserved};
use super::event::Event;
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
    fn reserve(&self) -> Reserved {
        match self.gate.admit(1) {
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
