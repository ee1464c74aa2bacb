//! The place where senders and receivers meet when there is no ring: the core of a channel of capacity 0 and, where threads share a
//! single processor, of one with a buffer of one or two messages.
//!
//! One small mutex around the messages that are inside, and the offers of threads that are blocked in a send.
//! Receivers, and tasks that send, wait in the channel's wait sets, as with a ring.
//!
//! # Capacity 0
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
//!
//! # With a buffer
//! Where all threads share one processor, what a message costs is the switches between them. A ring of one place needs two for
//! each message; here a thread that waits has its part done by the other side, and several messages pass between two switches.
//!
//! * A **thread** that finds no room leaves an offer, as above, and the receiver that makes room moves the oldest offer inside.
//! * A **thread** that finds no message leaves an *ask* (see `asks`), and the next message is its own: it never goes inside. A thread
//!   cannot be cancelled but by its time limit, and then it takes what has come.
//! * **Tasks**, and threads that wait for several things, do as with a ring: a send puts its message inside while there is room, a receive
//!   takes the oldest, and each message and each place wakes one who waits. So nothing lies in a future, no future is
//!   sent that is dropped, and there is never more inside than the capacity, the permits included.
//!
//! Under the mutex, when nobody holds it:
//!
//! * **B1.** Messages inside and permits are at most `capacity` together.
//! * **B2.** While there are offers there is no room. Whoever makes room moves an offer inside.
//! * **B3.** While there are asks nothing is inside, and there are no offers. A message that comes is the answer to the oldest ask.
//! * **B4.** If a sender sleeps in the set, there is no more room than there are senders that were woken and have not looked since: a place that
//!   becomes free wakes one, or is taken by an offer. A send that answers an ask takes no place, so it passes the
//!   wake-up on that it may have used.
//! * **B5.** If a receiver sleeps in the set, there is no more inside than there are receivers that were woken and have not looked since: a
//!   message that comes inside wakes one, be it sent or moved there from an offer.
//!
//! B4 and B5 are what a ring has, and the rest is as there: one that sleeps has registered before it looked under the mutex, so whoever
//! changes the exchange later sees the flag and then the set. Threads are served before tasks.

#![forbid(unsafe_code)]

mod asks;
mod offers;

use crate::channel::waits::Waits;
use crate::ring::{Owed, PopError, PushError};
use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use crate::sync::{CachePadded, Mutex};
use crate::wait::{Wake, Wakes};
use asks::Asks;
use offers::Offer;
use std::any::Any;
use std::collections::VecDeque;
use std::panic::resume_unwind;

/// See the head of this file.
pub(super) struct Exchange<T> {
    capacity: usize,
    state: CachePadded<Mutex<State<T>>>,
    /// The number of the last offer that was taken. Offers are taken in the order of their numbers.
    taken: CachePadded<AtomicU64>,
    /// The number of the last ask that was answered. Asks are answered in the order of their numbers.
    answered: CachePadded<AtomicU64>,
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
    /// Sent and not yet received.
    inside: VecDeque<T>,
    /// How many places are promised.
    permits: usize,
    asks: Asks<T>,
    /// Of threads that are blocked, in the order of their numbers.
    offers: VecDeque<Offer<T>>,
    /// The number of the last offer that was made.
    last_offer: u64,
}

/// What a message that was sent has brought about.
struct Met {
    /// Who is to be woken for it.
    receiver: Option<Wake>,
    /// Whether it went to one who had asked: then it has taken no place.
    answered: bool,
}

/// The same of several messages.
struct Batch {
    wakes: Wakes,
    answered: bool,
}

impl Batch {
    fn add(&mut self, met: Met) {
        self.answered |= met.answered;
        if let Some(receiver) = met.receiver {
            self.wakes.add(receiver);
        }
    }
}

impl<T> Exchange<T> {
    pub(super) fn new(capacity: usize) -> Self {
        let state = State {
            inside: VecDeque::with_capacity(capacity),
            permits: 0,
            asks: Asks::new(),
            offers: VecDeque::new(),
            last_offer: 0,
        };
        Self {
            capacity,
            state: CachePadded::new(Mutex::new(state)),
            taken: CachePadded::new(AtomicU64::new(0)),
            answered: CachePadded::new(AtomicU64::new(0)),
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

    /// Hands a message to a receiver that waits, and wakes it, or puts it inside if there is room.
    pub(super) fn push(&self, message: T, waits: &Waits) -> Result<(), PushError<T>> {
        let mut state = self.state.lock();
        let met = self.hand_over(&mut state, message, waits)?;
        drop(state);
        self.announce(met, waits);
        Ok(())
    }

    /// Wakes the receiver that a message has come for and, if it took no place, a sender that may have one.
    fn announce(&self, met: Met, waits: &Waits) {
        // One who had asked is a thread, whose waking does not panic: so both are woken.
        if let Some(receiver) = met.receiver {
            receiver.wake();
        }
        if met.answered {
            self.wake_senders(1, waits);
        }
    }

    /// Hands messages from the front to as many receivers as wait, and wakes them, and puts others inside while there is room.
    pub(super) fn push_many(
        &self,
        messages: &mut VecDeque<T>,
        waits: &Waits,
    ) -> Result<usize, PushError<()>> {
        let mut count = 0;
        while !messages.is_empty() && count < self.batch_limit() {
            let mut batch = Batch { wakes: Wakes::new(), answered: false };
            let refused = self.hand_over_many(messages, waits, &mut batch, &mut count).err();
            if let Err(payload) = self.announce_batch(batch, waits) {
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

    /// As [`announce`](Self::announce). `Err`: a waker has panicked.
    fn announce_batch(&self, batch: Batch, waits: &Waits) -> Result<(), Box<dyn Any + Send>> {
        let woken = batch.wakes.wake_all();
        if batch.answered {
            self.wake_senders(1, waits);
        }
        woken
    }

    /// Hands over until the messages or the receivers are exhausted (`Err`), or the wake-ups are too many for one go.
    fn hand_over_many(
        &self,
        messages: &mut VecDeque<T>,
        waits: &Waits,
        batch: &mut Batch,
        count: &mut usize,
    ) -> Result<(), PushError<()>> {
        let mut state = self.state.lock();
        while !batch.wakes.is_full() && *count < self.batch_limit() {
            let Some(message) = messages.pop_front() else { break };
            match self.hand_over(&mut state, message, waits) {
                Ok(met) => batch.add(met),
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

    /// Hands a message to one who has asked, or puts it inside: if there is room or, without a buffer, if a receiver waits for it.
    fn hand_over(&self, state: &mut State<T>, message: T, waits: &Waits) -> Result<Met, PushError<T>> {
        if self.is_closed() {
            return Err(PushError::Closed(message));
        }
        if self.capacity == 0 {
            return match self.take_receiver(waits) {
                Some(receiver) => {
                    state.inside.push_back(message);
                    Ok(Met { receiver: Some(receiver), answered: false })
                }
                None => Err(PushError::Full(message)),
            };
        }
        let message = match self.answer(state, message) {
            Ok(receiver) => return Ok(Met { receiver: Some(receiver), answered: true }),
            Err(message) => message,
        };
        if !self.has_room(state) {
            return Err(PushError::Full(message));
        }
        state.inside.push_back(message);
        Ok(Met { receiver: self.take_receiver(waits), answered: false })
    }

    /// How many messages may be sent as one: with a buffer no more than it holds, though more had asked.
    const fn batch_limit(&self) -> usize {
        if self.capacity == 0 { usize::MAX } else { self.capacity }
    }

    fn has_room(&self, state: &State<T>) -> bool {
        state.inside.len() + state.permits < self.capacity
    }

    /// Takes the receiver that has waited longest out of its set. Call with the mutex held.
    fn take_receiver(&self, waits: &Waits) -> Option<Wake> {
        // ORDERING: Relaxed; set before the receiver's look under the mutex, which is held: see the head of this file.
        if !self.receivers_wait.load(Ordering::Relaxed) {
            return None;
        }
        waits.receivers.take_first(|| self.clear_receivers_wait())
    }

    /// Wakes up to `count` tasks that wait to send: there may be room for them.
    fn wake_senders(&self, count: usize, waits: &Waits) {
        // ORDERING: Relaxed; after a look under the mutex, which orders this behind the sender's: see the head of this file.
        if self.senders_wait.load(Ordering::Relaxed) {
            waits.senders.notify(count, || self.clear_senders_wait());
        }
    }

    /// Hands a message to a receiver that waits. If there is none it takes the place of the oldest that is inside, and if there is
    /// none either, nobody wants it: it comes back itself.
    pub(super) fn force_push(&self, message: T, waits: &Waits) -> Result<Option<T>, T> {
        let mut state = self.state.lock();
        match self.hand_over(&mut state, message, waits) {
            Ok(met) => {
                drop(state);
                self.announce(met, waits);
                Ok(None)
            }
            Err(PushError::Closed(message)) => Err(message),
            Err(PushError::Full(message) | PushError::Busy(message)) => {
                state.inside.push_back(message);
                let displaced = state.inside.pop_front();
                let receiver = if state.inside.is_empty() { None } else { self.take_receiver(waits) };
                drop(state);
                if let Some(receiver) = receiver {
                    receiver.wake();
                }
                Ok(displaced)
            }
        }
    }

    /// Takes the oldest message inside, or the oldest offer.
    pub(super) fn pop(&self, waits: &Waits) -> Result<T, PopError> {
        let mut state = self.state.lock();
        if let Some(message) = state.inside.pop_front() {
            self.make_room(state, 1, waits);
            return Ok(message);
        }
        if self.is_closed() {
            return Err(PopError::Closed);
        }
        if let Some(message) = self.take_offer(state) {
            return Ok(message);
        }
        if self.capacity == 0 {
            self.announce_arrivals(waits);
        }
        Err(PopError::Empty)
    }

    /// Tells tasks that wait to send of the receivers that have come since.
    fn announce_arrivals(&self, waits: &Waits) {
        // ORDERING: Relaxed; after the look under the mutex, which orders this behind S1: see the head of this file.
        if !self.senders_wait.load(Ordering::Relaxed) {
            return;
        }
        // ORDERING: Relaxed; each arrival is counted with the list of receivers locked, and the lock that `count` takes next comes after
        // it: the senders that are woken see the receivers.
        let arrivals = self.arrivals.swap(0, Ordering::Relaxed);
        if arrivals > 0 {
            // Some of those that have arrived were met since.
            let waiting = waits.receivers.count();
            waits.senders.notify(arrivals.min(waiting), || self.clear_senders_wait());
        }
    }

    /// Takes up to `limit` messages that are inside or, without a buffer, offers.
    pub(super) fn pop_many(&self, into: &mut Vec<T>, limit: usize, waits: &Waits) -> Result<usize, PopError> {
        if self.capacity > 0 {
            return self.take_inside(into, limit, waits);
        }
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

    /// Takes up to `limit` messages that are inside at one moment, as a ring does; if none is, what [`pop`](Self::pop) finds.
    fn take_inside(&self, into: &mut Vec<T>, limit: usize, waits: &Waits) -> Result<usize, PopError> {
        into.reserve(limit.min(self.capacity));
        let mut state = self.state.lock();
        let count = limit.min(state.inside.len());
        if count == 0 {
            drop(state);
            into.push(self.pop(waits)?);
            return Ok(1);
        }
        into.extend(state.inside.drain(..count));
        self.make_room(state, count, waits);
        Ok(count)
    }

    /// Promises room for one message. At capacity 0 there is none to promise.
    pub(super) fn reserve(&self) -> Result<(), PushError<()>> {
        let mut state = self.state.lock();
        if self.is_closed() {
            return Err(PushError::Closed(()));
        }
        if !self.has_room(&state) {
            return Err(PushError::Full(()));
        }
        state.permits += 1;
        Ok(())
    }

    /// Takes a promise back. The caller wakes a task that waits to send.
    pub(super) fn give_back(&self, waits: &Waits) {
        let mut state = self.state.lock();
        state.permits -= 1;
        if let (_, Err(payload)) = self.fill(state, 1, waits) {
            resume_unwind(payload);
        }
    }

    /// Sends into promised room, in the words of a ring: no wake-up is owed.
    pub(super) fn push_reserved(&self, message: T, waits: &Waits) -> Result<bool, PushError<T>> {
        let mut state = self.state.lock();
        state.permits -= 1;
        let met = self.hand_over(&mut state, message, waits)?;
        drop(state);
        // If it took no place, the promised one is free: no offer waits for it (B3).
        self.announce(met, waits);
        Ok(false)
    }

    /// Refuses all further sends, and wakes the threads that have left an offer or an ask. Returns whether this call did it.
    pub(super) fn close(&self) -> bool {
        let state = self.state.lock();
        // ORDERING: Release pairs with the Acquire in `is_closed`; those who decide by it hold the mutex.
        let closed = !self.closed.swap(true, Ordering::Release);
        if closed {
            // No user code, so the mutex may stay locked: each of them takes its offer or its ask back.
            state.offers.iter().for_each(|offer| offer.thread.unpark());
            state.asks.unpark_all();
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

    /// Returns how many messages it may hold.
    pub(super) const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Returns how many messages are inside. Stale at once.
    pub(super) fn len(&self) -> usize {
        self.state.lock().inside.len()
    }

    /// Says that a receiver waits. Called with the list of receivers locked.
    pub(super) fn set_receivers_wait(&self) {
        // ORDERING: Relaxed; whoever counts the arrival sees it, for the count comes after it.
        self.receivers_wait.store(true, Ordering::Relaxed);
        // ORDERING: Relaxed; the list's lock passes it on (`announce_arrivals`).
        self.arrivals.fetch_add(1, Ordering::Relaxed);
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
