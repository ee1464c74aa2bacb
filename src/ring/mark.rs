//! How the movers of a cursor of the ring for many are told that somebody sleeps: WAIT in the word that they move.
//!
//! Setting it also tells, of the word as it was in that step, whether there is anything to sleep for: see the head of `wait`.

use super::cursor::{CLOSED, WAIT, position};
use super::many::Mpmc;
use crate::sync::atomic::{Ordering, fence};

impl<T> Mpmc<T> {
    /// Says that a popper waits: from here on each push is told so. Call with the list of waiting poppers locked.
    ///
    /// True: there is nothing to pop before such a push. False says nothing: look again.
    pub fn set_poppers_wait(&self) -> bool {
        // ORDERING: Relaxed; wherever `head` has been, all positions before it are claimed by poppers.
        let head = position(self.head.load(Ordering::Relaxed));
        // ORDERING: Relaxed; a push either precedes this in the order of `tail`, and then this and the popper's next look
        // at `tail` see it, or follows it and reads WAIT.
        let tail = self.tail.fetch_or(WAIT, Ordering::Relaxed);
        tail & CLOSED == 0 && position(tail) == head
    }

    /// Says that no popper waits. Call with the list of waiting poppers locked, when it is empty.
    pub fn clear_poppers_wait(&self) {
        // ORDERING: Relaxed; the list's lock orders this against `set_poppers_wait`.
        self.tail.fetch_and(!WAIT, Ordering::Relaxed);
    }

    /// Says that a pusher waits: from here on each pop is told so. Call with the list of waiting pushers locked.
    ///
    /// True: there is no room before such a pop, and the ring was not closed when the list was locked. False says nothing: look again.
    pub fn set_pushers_wait(&self) -> bool {
        // ORDERING: Relaxed; wherever `tail` has been, all positions before it are claimed by pushers. It tells of a ring that
        // was closed before the list was last locked.
        let tail = self.tail.load(Ordering::Relaxed);
        // ORDERING: Relaxed; as in `set_poppers_wait`, with `head`.
        let head = self.head.fetch_or(WAIT, Ordering::Relaxed);
        tail & CLOSED == 0 && position(tail) == self.geometry.next_lap(position(head))
    }

    /// Whether there is no room, and the ring is not closed. A look at `head` behind a fence: for who has told the popper otherwise
    /// than by WAIT that it sleeps. False says nothing.
    pub(super) fn sees_no_room(&self) -> bool {
        // ORDERING: Relaxed; as in `set_pushers_wait`.
        let tail = self.tail.load(Ordering::Relaxed);
        // ORDERING: SeqCst; as in `refuse_push`: a move of `head` that is not seen from here on is told of the sleeper.
        fence(Ordering::SeqCst);
        // ORDERING: Relaxed, behind the fence.
        let head = self.head.load(Ordering::Relaxed);
        tail & CLOSED == 0 && position(tail) == self.geometry.next_lap(position(head))
    }

    /// Says that no pusher waits. Call with the list of waiting pushers locked, when it is empty.
    pub fn clear_pushers_wait(&self) {
        // ORDERING: Relaxed; the list's lock orders this against `set_pushers_wait`.
        self.head.fetch_and(!WAIT, Ordering::Relaxed);
    }
}
