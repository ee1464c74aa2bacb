//! What a send and a receive try, and where they wait: once, for threads and tasks.

use super::error::{RecvError, SendError};
use super::receiver::Receiver;
use super::shared::Shared;
use crate::ring::{PopError, PushError};
use crate::wait::{Attempt, Source, WaitSet};
use std::borrow::Borrow;
use std::collections::VecDeque;
use std::marker::PhantomData;

/// Sends one message.
pub(super) struct SendSource<'a, T> {
    shared: &'a Shared<T>,
    value: Option<T>,
}

impl<'a, T> SendSource<'a, T> {
    pub(super) const fn new(shared: &'a Shared<T>, value: T) -> Self {
        Self { shared, value: Some(value) }
    }

    /// Takes the message back, if it was not sent.
    pub(super) const fn take(&mut self) -> Option<T> {
        self.value.take()
    }
}

impl<T> Source for SendSource<'_, T> {
    type Output = Result<(), SendError<T>>;

    #[inline]
    fn attempt(&mut self) -> Attempt<Self::Output> {
        let value = self.value.take().expect("a send is not attempted again once it is done");
        match self.shared.push(value) {
            Ok(()) => Attempt::Done(Ok(())),
            Err(PushError::Closed(value)) => Attempt::Done(Err(SendError(value))),
            Err(PushError::Full(value)) => {
                self.value = Some(value);
                Attempt::Blocked
            }
            Err(PushError::Busy(value)) => {
                self.value = Some(value);
                Attempt::Busy
            }
        }
    }

    fn waiters(&self) -> &WaitSet {
        &self.shared.senders
    }

    fn arm(&self) {
        self.shared.ring().set_pushers_wait();
    }

    fn disarm(&self) {
        self.shared.ring().clear_pushers_wait();
    }
}

/// Sends many messages, in order.
pub(super) struct SendManySource<'a, T> {
    pub(super) shared: &'a Shared<T>,
    pub(super) values: VecDeque<T>,
    pub(super) sent: usize,
}

/// The channel was closed before all were sent.
pub(super) struct ClosedEarly;

impl<T> Source for SendManySource<'_, T> {
    type Output = Result<(), ClosedEarly>;

    fn attempt(&mut self) -> Attempt<Self::Output> {
        while !self.values.is_empty() {
            match self.shared.push_many(&mut self.values) {
                Ok(count) => self.sent += count,
                Err(PushError::Closed(())) => return Attempt::Done(Err(ClosedEarly)),
                Err(PushError::Full(())) => return Attempt::Blocked,
                Err(PushError::Busy(())) => return Attempt::Busy,
            }
        }
        Attempt::Done(Ok(()))
    }

    fn waiters(&self) -> &WaitSet {
        &self.shared.senders
    }

    fn arm(&self) {
        self.shared.ring().set_pushers_wait();
    }

    fn disarm(&self) {
        self.shared.ring().clear_pushers_wait();
    }
}

/// Receives one message, through a borrowed or an owned receiver.
pub(super) struct RecvSource<T, R: Borrow<Receiver<T>>> {
    receiver: R,
    _message: PhantomData<fn() -> T>,
}

impl<T, R: Borrow<Receiver<T>>> RecvSource<T, R> {
    pub(super) const fn new(receiver: R) -> Self {
        Self { receiver, _message: PhantomData }
    }

    /// Returns the receiver.
    pub(super) fn receiver(&self) -> &Receiver<T> {
        self.receiver.borrow()
    }
}

impl<T, R: Borrow<Receiver<T>>> Source for RecvSource<T, R> {
    type Output = Result<T, RecvError>;

    #[inline]
    fn attempt(&mut self) -> Attempt<Self::Output> {
        answer(self.receiver().shared().pop())
    }

    fn waiters(&self) -> &WaitSet {
        &self.receiver().shared().receivers
    }

    fn arm(&self) {
        self.receiver().shared().ring().set_poppers_wait();
    }

    fn disarm(&self) {
        self.receiver().shared().ring().clear_poppers_wait();
    }
}

/// Receives at least one message, and what else is ready.
pub(super) struct RecvManySource<'a, T> {
    pub(super) shared: &'a Shared<T>,
    pub(super) into: &'a mut Vec<T>,
    pub(super) limit: usize,
}

impl<T> Source for RecvManySource<'_, T> {
    type Output = Result<usize, RecvError>;

    fn attempt(&mut self) -> Attempt<Self::Output> {
        answer(self.shared.pop_many(self.into, self.limit))
    }

    fn waiters(&self) -> &WaitSet {
        &self.shared.receivers
    }

    fn arm(&self) {
        self.shared.ring().set_poppers_wait();
    }

    fn disarm(&self) {
        self.shared.ring().clear_poppers_wait();
    }
}

/// Says what the answer of a pop means to one who can wait.
#[inline(always)]
fn answer<R>(popped: Result<R, PopError>) -> Attempt<Result<R, RecvError>> {
    match popped {
        Ok(value) => Attempt::Done(Ok(value)),
        Err(PopError::Closed) => Attempt::Done(Err(RecvError)),
        Err(PopError::Empty) => Attempt::Blocked,
        Err(PopError::Busy) => Attempt::Busy,
    }
}
