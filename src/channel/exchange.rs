//! The place where senders and receivers meet when there is no ring: the core of a channel of capacity 0.
//!
//! One small mutex around the messages that have been handed over, and the offers of threads that are blocked in a send.
//! Receivers, and tasks that send, wait in the channel's wait sets, as with a ring.
//!
//! * A **send** hands its message over if a receiver waits: it takes that receiver out of the set, puts the message inside and
//!   wakes it. So there is at most one message inside for each receiver that was taken out and has not looked yet, but for
//!   those of receivers that went away without looking (a dropped future): their messages stay, and are the next to be received.
//! * If none waits, a **thread** leaves its message as an *offer*, and sleeps; a receiver takes it from there. A thread cannot be
//!   cancelled but by its time limit, and then it withdraws the offer, or finds it taken.
//! * A **task** keeps its message, for its future may be dropped at any moment, and has sent nothing then. It waits to be
//!   told that a receiver has come, and hands over when it is polled.
//!
//! A receiver that is woken takes the oldest message that is inside, not one that was made out to it. This is what keeps the order
//! when futures are dropped: nothing ever has to be put back.
//!
//! # Why nobody waits in vain
//! Take a receiver that registers (**R1**: links itself, adds to `arrivals`) and then looks under the mutex (**R2**), and a sender.
//! * *A thread:* it looks for receivers and leaves its offer in one critical section. If that comes before R2, R2 sees the offer; if
//!   after, R1 came before it, and it sees the receiver.
//! * *A task:* it registers (**S1**) and then looks for receivers under the mutex (**S2**). If S2 comes before R2, S1 does too, so R2
//!   sees `senders_wait`, and wakes as many senders as have arrived; if S2 comes after R2, it sees the receiver, or that it
//!   has been taken out by another send, and then waits for the next that comes.
//!
//! Each receiver that arrives (it is linked, then counted) stands for one wake-up of a sender, whoever delivers it. Say that a sender
//! sleeps, having seen no receiver at its S2, and a receiver that has looked in vain at its R2 sleeps in the set. R2 came after S2, or S2
//! had seen it; so there was an announcement between them that counted this receiver: its own, or an earlier one by another,
//! and then the sender was in its set already, for a sender that registers after an announcement sees all who were counted in it. That
//! announcement woke a sender for each receiver in the set, or all senders. Each of them takes one receiver, or finds none, or
//! passes the wake-up on; so they run out before the receivers do only if one took a receiver that came into the set
//! later, and that one, if it gets no message, is counted anew. What is counted and was met in the meantime costs a wake-up in
//! vain at most: no more senders are woken than receivers are in the set.

use super::error::{SendError, SendTimeoutError};
use super::waits::Waits;
use crate::ring::{Owed, PopError, PushError};
use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use crate::sync::thread::{self, Thread};
use crate::sync::{CachePadded, Mutex, MutexGuard};
use crate::wait::{Deadline, Wake, Wakes};
use std::collections::VecDeque;
use std::panic::resume_unwind;

/// See the head of this file.
pub(super) struct Exchange<T> {
    state: CachePadded<Mutex<State<T>>>,
    /// The number of the last offer that was taken. Offers are taken in the order of their numbers.
    taken: CachePadded<AtomicU64>,
    /// Set under the mutex.
    closed: AtomicBool,
    /// Whether the set of receivers may hold somebody.
    receivers_wait: AtomicBool,
    /// Whether the set of senders may hold somebody.
    senders_wait: AtomicBool,
    /// How many receivers have registered that no sender has been told of.
    arrivals: AtomicUsize,
}

struct State<T> {
    /// Handed over and not yet received.
    inside: VecDeque<T>,
    /// Of threads that are blocked, in the order of their numbers.
    offers: VecDeque<Offer<T>>,
    /// The number of the last offer that was made.
    last_offer: u64,
}

struct Offer<T> {
    number: u64,
    message: T,
    thread: Thread,
}

impl<T> Exchange<T> {
    pub(super) fn new() -> Self {
        let state = State { inside: VecDeque::new(), offers: VecDeque::new(), last_offer: 0 };
        Self {
            state: CachePadded::new(Mutex::new(state)),
            taken: CachePadded::new(AtomicU64::new(0)),
            closed: AtomicBool::new(false),
            receivers_wait: AtomicBool::new(false),
            senders_wait: AtomicBool::new(false),
            arrivals: AtomicUsize::new(0),
        }
    }

    /// As [`push`](Self::push), in the words of a ring: no wake-up is owed.
    ///
    /// Out of line, as [`pop_as_ring`](Self::pop_as_ring) is: inlined beside the ring's, it has cost each of the ring's moves some copies.
    #[cold]
    #[inline(never)]
    pub(super) fn push_as_ring(&self, message: T, waits: &Waits) -> Result<bool, PushError<T>> {
        self.push(message, waits).map(|()| false)
    }

    /// As [`pop`](Self::pop), in the words of a ring: no wake-up is owed.
    #[cold]
    #[inline(never)]
    pub(super) fn pop_as_ring(&self, waits: &Waits) -> Result<(T, Owed), PopError> {
        self.pop(waits).map(|message| (message, false.into()))
    }

    /// Hands a message to a receiver that waits, and wakes it.
    pub(super) fn push(&self, message: T, waits: &Waits) -> Result<(), PushError<T>> {
        let mut state = self.state.lock();
        let receiver = self.hand_over(&mut state, message, waits)?;
        drop(state);
        receiver.wake();
        Ok(())
    }

    /// Hands messages from the front to as many receivers as wait, and wakes them.
    pub(super) fn push_many(
        &self,
        messages: &mut VecDeque<T>,
        waits: &Waits,
    ) -> Result<usize, PushError<()>> {
        let mut count = 0;
        while !messages.is_empty() {
            let mut wakes = Wakes::new();
            let refused = self.hand_over_many(messages, waits, &mut wakes, &mut count).err();
            if let Err(payload) = wakes.wake_all() {
                resume_unwind(payload);
            }
            match refused {
                None => {}
                Some(_) if count > 0 => break,
                Some(refused) => return Err(refused),
            }
        }
        Ok(count)
    }

    /// Hands over until the messages or the receivers are exhausted (`Err`), or the wake-ups are too many for one go.
    fn hand_over_many(
        &self,
        messages: &mut VecDeque<T>,
        waits: &Waits,
        wakes: &mut Wakes,
        count: &mut usize,
    ) -> Result<(), PushError<()>> {
        let mut state = self.state.lock();
        while !wakes.is_full() {
            let Some(message) = messages.pop_front() else { break };
            match self.hand_over(&mut state, message, waits) {
                Ok(receiver) => wakes.add(receiver),
                Err(PushError::Closed(message)) => {
                    messages.push_front(message);
                    return Err(PushError::Closed(()));
                }
                Err(PushError::Full(message) | PushError::Busy(message)) => {
                    messages.push_front(message);
                    return Err(PushError::Full(()));
                }
            }
            *count += 1;
        }
        Ok(())
    }

    /// Puts a message inside if a receiver waits for it, and returns that receiver, which is to be woken.
    fn hand_over(&self, state: &mut State<T>, message: T, waits: &Waits) -> Result<Wake, PushError<T>> {
        if self.is_closed() {
            return Err(PushError::Closed(message));
        }
        // ORDERING: Relaxed; set before the receiver's look under the mutex, which is held: see the head of this file.
        if !self.receivers_wait.load(Ordering::Relaxed) {
            return Err(PushError::Full(message));
        }
        match waits.receivers.take_first(|| self.clear_receivers_wait()) {
            Some(receiver) => {
                state.inside.push_back(message);
                Ok(receiver)
            }
            None => Err(PushError::Full(message)),
        }
    }

    /// Hands a message to a receiver that waits. If there is none it takes the place of the oldest that is inside, and if there is
    /// none either, nobody wants it: it comes back itself.
    pub(super) fn force_push(&self, message: T, waits: &Waits) -> Result<Option<T>, T> {
        let mut state = self.state.lock();
        match self.hand_over(&mut state, message, waits) {
            Ok(receiver) => {
                drop(state);
                receiver.wake();
                Ok(None)
            }
            Err(PushError::Closed(message)) => Err(message),
            Err(PushError::Full(message) | PushError::Busy(message)) => {
                state.inside.push_back(message);
                Ok(state.inside.pop_front())
            }
        }
    }

    /// Hands a message over, blocking the thread until a receiver has taken it, or the deadline has passed.
    pub(super) fn send(
        &self,
        message: T,
        deadline: Deadline,
        waits: &Waits,
    ) -> Result<(), SendTimeoutError<T>> {
        let Some(number) = self.offer(message, waits)? else { return Ok(()) };
        let is_settled = || self.is_taken(number) || self.is_closed();
        let settled = waits.senders.rest(&deadline, is_settled);
        if self.is_taken(number) {
            return Ok(());
        }
        match self.withdraw(number) {
            None => Ok(()),
            Some(message) if settled => Err(SendTimeoutError::Closed(message)),
            Some(message) => Err(SendTimeoutError::Timeout(message)),
        }
    }

    /// Hands messages over one by one, blocking the thread. If the exchange closes, those that were not sent stay.
    pub(super) fn send_many(&self, messages: &mut VecDeque<T>, waits: &Waits) -> Result<(), SendError<()>> {
        while let Some(message) = messages.pop_front() {
            if let Err(error) = self.send(message, Deadline::never(), waits) {
                messages.push_front(error.into_inner());
                return Err(SendError(()));
            }
        }
        Ok(())
    }

    /// Hands a message over if a receiver waits (`None`), or leaves it as an offer of this thread, and returns its number.
    fn offer(&self, message: T, waits: &Waits) -> Result<Option<u64>, SendTimeoutError<T>> {
        let mut state = self.state.lock();
        match self.hand_over(&mut state, message, waits) {
            Ok(receiver) => {
                drop(state);
                receiver.wake();
                Ok(None)
            }
            Err(PushError::Closed(message)) => Err(SendTimeoutError::Closed(message)),
            Err(PushError::Full(message) | PushError::Busy(message)) => {
                state.last_offer += 1;
                let number = state.last_offer;
                state.offers.push_back(Offer { number, message, thread: thread::current() });
                Ok(Some(number))
            }
        }
    }

    /// Whether an offer that was not withdrawn has been taken.
    fn is_taken(&self, number: u64) -> bool {
        // ORDERING: Acquire pairs with the Release in `take_offer`: what the receiver did before is seen by the sender.
        self.taken.load(Ordering::Acquire) >= number
    }

    /// Takes an offer back, unless a receiver was first.
    fn withdraw(&self, number: u64) -> Option<T> {
        let mut state = self.state.lock();
        let at = state.offers.binary_search_by_key(&number, |offer| offer.number).ok()?;
        state.offers.remove(at).map(|offer| offer.message)
    }

    /// Takes the oldest message inside, or the oldest offer.
    pub(super) fn pop(&self, waits: &Waits) -> Result<T, PopError> {
        let mut state = self.state.lock();
        if let Some(message) = state.inside.pop_front() {
            return Ok(message);
        }
        if self.is_closed() {
            return Err(PopError::Closed);
        }
        if let Some(message) = self.take_offer(state) {
            return Ok(message);
        }
        self.announce_arrivals(waits);
        Err(PopError::Empty)
    }

    /// Takes the oldest offer and wakes its thread, with the mutex released.
    fn take_offer(&self, mut state: MutexGuard<'_, State<T>>) -> Option<T> {
        let Offer { number, message, thread } = state.offers.pop_front()?;
        // ORDERING: Release pairs with the Acquire in `is_taken`. Under the mutex, so that it only grows.
        self.taken.store(number, Ordering::Release);
        drop(state);
        thread.unpark();
        Some(message)
    }

    /// Tells tasks that wait to send of the receivers that have come since.
    fn announce_arrivals(&self, waits: &Waits) {
        // ORDERING: Relaxed; after the look under the mutex, which orders this behind S1: see the head of this file.
        if !self.senders_wait.load(Ordering::Relaxed) {
            return;
        }
        // ORDERING: Acquire pairs with the Release in `set_receivers_wait`: the senders that are woken see the receivers.
        let arrivals = self.arrivals.swap(0, Ordering::Acquire);
        if arrivals > 0 {
            // Some of those that have arrived were met since.
            let waiting = waits.receivers.count();
            waits.senders.notify(arrivals.min(waiting), || self.clear_senders_wait());
        }
    }

    /// Takes up to `limit` messages and offers that are there.
    pub(super) fn pop_many(&self, into: &mut Vec<T>, limit: usize, waits: &Waits) -> Result<usize, PopError> {
        let mut count = 0;
        while count < limit {
            into.reserve(1);
            match self.pop(waits) {
                Ok(message) => into.push(message),
                Err(_) if count > 0 => break,
                Err(why) => return Err(why),
            }
            count += 1;
        }
        Ok(count)
    }

    /// Refuses all further sends, and wakes the threads that wait in one. Returns whether this call did it.
    pub(super) fn close(&self) -> bool {
        let state = self.state.lock();
        // ORDERING: Release pairs with the Acquire in `is_closed`; those who decide by it hold the mutex.
        let closed = !self.closed.swap(true, Ordering::Release);
        if closed {
            // No user code, so the mutex may stay locked: each of them takes its offer back.
            state.offers.iter().for_each(|offer| offer.thread.unpark());
        }
        closed
    }

    /// Drops the messages inside, in order. One whose drop panics does not keep the others from being dropped.
    pub(super) fn discard(&self) {
        // Dropped outside the mutex: this is user code.
        let inside = std::mem::take(&mut self.state.lock().inside);
        drop(inside);
    }

    /// Whether the exchange is closed. Once true, it stays so.
    pub(super) fn is_closed(&self) -> bool {
        // ORDERING: Acquire pairs with the Release in `close`.
        self.closed.load(Ordering::Acquire)
    }

    /// Returns how many messages were handed over and not yet received. Stale at once.
    pub(super) fn len(&self) -> usize {
        self.state.lock().inside.len()
    }

    /// Says that a receiver waits. Called with the list of receivers locked.
    pub(super) fn set_receivers_wait(&self) {
        // ORDERING: Relaxed; whoever counts the arrival sees it, for the count comes after it.
        self.receivers_wait.store(true, Ordering::Relaxed);
        // ORDERING: Release pairs with the Acquire in `announce_arrivals`.
        self.arrivals.fetch_add(1, Ordering::Release);
    }

    /// Takes it back. Called with the list of receivers locked, when it is empty.
    pub(super) fn clear_receivers_wait(&self) {
        // ORDERING: Relaxed; changed with the list locked only.
        self.receivers_wait.store(false, Ordering::Relaxed);
    }

    /// Says that a task waits to send. Called with the list of senders locked.
    pub(super) fn set_senders_wait(&self) {
        // ORDERING: Relaxed; the sender's look under the mutex comes next: see the head of this file.
        self.senders_wait.store(true, Ordering::Relaxed);
    }

    /// Takes it back. Called with the list of senders locked, when it is empty.
    pub(super) fn clear_senders_wait(&self) {
        // ORDERING: Relaxed; changed with the list locked only.
        self.senders_wait.store(false, Ordering::Relaxed);
    }
}
