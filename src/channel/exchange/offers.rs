//! Threads that are blocked in a send: each leaves its message as an offer, for a receiver to take or to move inside.

use super::{Exchange, State};
use crate::channel::error::{SendError, SendTimeoutError};
use crate::channel::waits::Waits;
use crate::ring::PushError;
use crate::sync::MutexGuard;
use crate::sync::atomic::Ordering;
use crate::sync::thread::{self, Thread};
use crate::wait::{Deadline, Wake, Wakes};
use std::any::Any;
use std::collections::VecDeque;
use std::panic::resume_unwind;

pub(super) struct Offer<T> {
    number: u64,
    message: T,
    pub(super) thread: Thread,
}

impl<T> Exchange<T> {
    /// Hands a message over, blocking the thread until a receiver has taken it, or the deadline has passed.
    pub(in crate::channel) fn send(
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
    pub(in crate::channel) fn send_many(
        &self,
        messages: &mut VecDeque<T>,
        waits: &Waits,
    ) -> Result<(), SendError<()>> {
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
            Ok(met) => {
                drop(state);
                self.announce(met, waits);
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
        // ORDERING: Acquire pairs with the Release in `take_oldest`: what the receiver did before is seen by the sender.
        self.taken.load(Ordering::Acquire) >= number
    }

    /// Takes an offer back, unless a receiver was first.
    fn withdraw(&self, number: u64) -> Option<T> {
        let mut state = self.state.lock();
        let at = state.offers.binary_search_by_key(&number, |offer| offer.number).ok()?;
        state.offers.remove(at).map(|offer| offer.message)
    }

    /// Takes the oldest offer and wakes its thread, with the mutex released.
    pub(super) fn take_offer(&self, mut state: MutexGuard<'_, State<T>>) -> Option<T> {
        let (message, thread) = self.take_oldest(&mut state)?;
        drop(state);
        thread.unpark();
        Some(message)
    }

    /// Takes the oldest offer. Its thread is to be unparked.
    fn take_oldest(&self, state: &mut State<T>) -> Option<(T, Thread)> {
        let Offer { number, message, thread } = state.offers.pop_front()?;
        // ORDERING: Release pairs with the Acquire in `is_taken`. Under the mutex, so that it only grows.
        self.taken.store(number, Ordering::Release);
        Some((message, thread))
    }

    /// So many places have become free: moves offers there, and wakes tasks that wait to send for those that are left.
    pub(super) fn make_room(&self, state: MutexGuard<'_, State<T>>, places: usize, waits: &Waits) {
        if self.capacity == 0 {
            return;
        }
        let (filled, moved) = self.fill(state, places, waits);
        if filled < places {
            self.wake_senders(places - filled, waits);
        }
        if let Err(payload) = moved {
            resume_unwind(payload);
        }
    }

    /// Moves up to `places` offers inside while there is room, and wakes all whom that concerns. Returns how many, and what a
    /// waker has panicked with.
    pub(super) fn fill(
        &self,
        mut state: MutexGuard<'_, State<T>>,
        places: usize,
        waits: &Waits,
    ) -> (usize, Result<(), Box<dyn Any + Send>>) {
        let mut wakes = Wakes::new();
        let mut filled = 0;
        while filled < places && self.has_room(&state) && !self.is_closed() {
            let Some((message, thread)) = self.take_oldest(&mut state) else { break };
            state.inside.push_back(message);
            filled += 1;
            wakes.add(Wake::Thread(thread));
            if let Some(receiver) = self.take_receiver(waits) {
                wakes.add(receiver);
            }
        }
        drop(state);
        (filled, wakes.wake_all())
    }
}
