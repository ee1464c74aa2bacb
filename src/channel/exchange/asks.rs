//! Threads that are blocked in a receive, where there is a buffer: each leaves an ask, and the next message is its own.

use super::{Exchange, State};
use crate::channel::error::RecvTimeoutError;
use crate::channel::waits::Waits;
use crate::ring::PopError;
use crate::sync::atomic::Ordering;
use crate::sync::thread::{self, Thread};
use crate::wait::{Deadline, Wake};
use std::collections::VecDeque;

/// Both in the order of their numbers.
pub(super) struct Asks<T> {
    waiting: VecDeque<(u64, Thread)>,
    /// Messages that are received already, but for their thread's picking them up.
    answers: VecDeque<(u64, T)>,
    /// The number of the last ask.
    last: u64,
}

impl<T> Asks<T> {
    pub(super) const fn new() -> Self {
        Self { waiting: VecDeque::new(), answers: VecDeque::new(), last: 0 }
    }

    pub(super) fn unpark_all(&self) {
        self.waiting.iter().for_each(|(_, thread)| thread.unpark());
    }

    fn add(&mut self) -> u64 {
        self.last += 1;
        self.waiting.push_back((self.last, thread::current()));
        self.last
    }

    /// Takes an ask back, or the answer to it.
    fn settle(&mut self, number: u64) -> Option<T> {
        if let Ok(at) = self.answers.binary_search_by_key(&number, |(number, _)| *number) {
            return self.answers.remove(at).map(|(_, message)| message);
        }
        if let Ok(at) = self.waiting.binary_search_by_key(&number, |(number, _)| *number) {
            self.waiting.remove(at);
        }
        None
    }
}

impl<T> Exchange<T> {
    /// Receives, blocking the thread until a message has come, or the deadline has passed. For an exchange with a buffer.
    pub(in crate::channel) fn recv(&self, deadline: Deadline, waits: &Waits) -> Result<T, RecvTimeoutError> {
        let number = loop {
            match self.pop(waits) {
                Ok(message) => return Ok(message),
                Err(PopError::Closed) => return Err(RecvTimeoutError::Closed),
                Err(PopError::Empty | PopError::Busy) => {}
            }
            if let Some(number) = self.ask() {
                break number;
            }
        };
        let is_settled = || self.is_answered(number) || self.is_closed();
        let settled = waits.receivers.rest(&deadline, is_settled);
        let answer = self.state.lock().asks.settle(number);
        answer.ok_or(if settled { RecvTimeoutError::Closed } else { RecvTimeoutError::Timeout })
    }

    /// Leaves an ask of this thread, and returns its number. `None`: there is something to be had.
    fn ask(&self) -> Option<u64> {
        let mut state = self.state.lock();
        let is_empty = state.inside.is_empty() && state.offers.is_empty() && !self.is_closed();
        is_empty.then(|| state.asks.add())
    }

    /// Gives a message to the thread that has asked first. Returns how to wake it.
    pub(super) fn answer(&self, state: &mut State<T>, message: T) -> Result<Wake, T> {
        let Some((number, thread)) = state.asks.waiting.pop_front() else { return Err(message) };
        state.asks.answers.push_back((number, message));
        // ORDERING: Relaxed; under the mutex, so that it only grows, and whoever acts on it takes the mutex.
        self.answered.store(number, Ordering::Relaxed);
        Ok(Wake::Thread(thread))
    }

    /// Whether an ask that was not taken back has been answered.
    fn is_answered(&self, number: u64) -> bool {
        // ORDERING: Relaxed; the thread fetches its answer under the mutex, which shows it what the sender did before. One that looks too
        // early is unparked, and looks again behind that.
        self.answered.load(Ordering::Relaxed) >= number
    }
}
