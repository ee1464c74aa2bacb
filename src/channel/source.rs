//! What a send and a receive try, and where they wait: once, for threads and tasks, over every ring.

use super::end::{PopEnd, PushEnd};
use super::error::{
    RecvError, RecvTimeoutError, SendError, SendManyError, SendTimeoutError, TryRecvError,
    TryRecvRelaxedError, TrySendError, TrySendRelaxedError,
};
use super::waits::Core;
use crate::ring::{PopError, PushError};
use crate::sync::{BusyWait, Sleeper};
use crate::wait::{Attempt, Deadline, Others, Source, WaitSet, block_on};
use std::collections::VecDeque;
use std::marker::PhantomData;

/// The other side of a channel, which works for this one.
fn others<'a>(core: &impl Core, set: &'a WaitSet) -> Others<'a> {
    Others { set, most: core.capacity() }
}

/// Sends one message.
pub(super) struct SendSource<T, E> {
    end: E,
    value: Option<T>,
}

impl<T, E: PushEnd<T>> SendSource<T, E> {
    pub(super) const fn new(end: E, value: T) -> Self {
        Self { end, value: Some(value) }
    }

    /// Takes the message back, if it was not sent.
    pub(super) const fn take(&mut self) -> Option<T> {
        self.value.take()
    }
}

impl<T, E: PushEnd<T>> Source for SendSource<T, E> {
    type Output = Result<(), SendError<T>>;

    #[inline(always)]
    fn attempt(&mut self) -> Attempt<Self::Output> {
        let value = self.value.take().expect("a send is not attempted again once it is done");
        match self.end.push(value) {
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

    #[inline]
    fn is_worth(&self, ahead: usize) -> bool {
        self.end.has_room_ahead(ahead)
    }

    fn others(&self) -> Option<Others<'_>> {
        Some(others(self.end.core(), &self.end.core().waits().receivers))
    }

    fn waiters(&self) -> &WaitSet {
        &self.end.core().waits().senders
    }

    fn arm(&self) {
        self.end.core().set_senders_wait(Sleeper::Thread);
    }

    fn arm_for_task(&self) -> bool {
        self.end.core().set_senders_wait(Sleeper::Task)
    }

    fn disarm(&self) {
        self.end.core().clear_senders_wait();
    }
}

/// Sends many messages, in order.
pub(super) struct SendManySource<T, E> {
    end: E,
    values: VecDeque<T>,
    sent: usize,
}

impl<T, E: PushEnd<T>> SendManySource<T, E> {
    pub(super) const fn new(end: E, values: VecDeque<T>) -> Self {
        Self { end, values, sent: 0 }
    }

    /// Takes the messages back that were not sent.
    pub(super) fn take(&mut self) -> VecDeque<T> {
        std::mem::take(&mut self.values)
    }
}

impl<T, E: PushEnd<T>> Source for SendManySource<T, E> {
    type Output = Result<(), SendManyError<T>>;

    fn attempt(&mut self) -> Attempt<Self::Output> {
        while !self.values.is_empty() {
            match self.end.push_many(&mut self.values) {
                Ok(count) => self.sent += count,
                Err(PushError::Closed(())) => {
                    return Attempt::Done(Err(SendManyError { sent: self.sent, unsent: self.take() }));
                }
                Err(PushError::Full(())) => return Attempt::Blocked,
                Err(PushError::Busy(())) => return Attempt::Busy,
            }
        }
        Attempt::Done(Ok(()))
    }

    #[inline]
    fn is_worth(&self, ahead: usize) -> bool {
        self.end.has_room_ahead(ahead)
    }

    fn others(&self) -> Option<Others<'_>> {
        Some(others(self.end.core(), &self.end.core().waits().receivers))
    }

    fn waiters(&self) -> &WaitSet {
        &self.end.core().waits().senders
    }

    fn arm(&self) {
        self.end.core().set_senders_wait(Sleeper::Thread);
    }

    fn arm_for_task(&self) -> bool {
        self.end.core().set_senders_wait(Sleeper::Task)
    }

    fn disarm(&self) {
        self.end.core().clear_senders_wait();
    }
}

/// Receives one message.
pub(super) struct RecvSource<T, E> {
    end: E,
    _message: PhantomData<fn() -> T>,
}

impl<T, E: PopEnd<T>> RecvSource<T, E> {
    pub(super) const fn new(end: E) -> Self {
        Self { end, _message: PhantomData }
    }

    /// Returns the end that receives.
    #[cfg(feature = "stream")]
    pub(super) const fn end(&self) -> &E {
        &self.end
    }
}

impl<T, E: PopEnd<T>> Source for RecvSource<T, E> {
    type Output = Result<T, RecvError>;

    #[inline(always)]
    fn attempt(&mut self) -> Attempt<Self::Output> {
        answer(self.end.pop())
    }

    #[inline]
    fn is_worth(&self, ahead: usize) -> bool {
        self.end.has_values_ahead(ahead)
    }

    fn others(&self) -> Option<Others<'_>> {
        Some(others(self.end.core(), &self.end.core().waits().senders))
    }

    fn waiters(&self) -> &WaitSet {
        &self.end.core().waits().receivers
    }

    fn arm(&self) {
        self.end.core().set_receivers_wait(Sleeper::Thread);
    }

    fn arm_for_task(&self) -> bool {
        self.end.core().set_receivers_wait(Sleeper::Task)
    }

    fn disarm(&self) {
        self.end.core().clear_receivers_wait();
    }
}

/// Receives at least one message, and what else is ready.
pub(super) struct RecvManySource<'a, T, E> {
    end: E,
    into: &'a mut Vec<T>,
    limit: usize,
}

impl<'a, T, E: PopEnd<T>> RecvManySource<'a, T, E> {
    pub(super) const fn new(end: E, into: &'a mut Vec<T>, limit: usize) -> Self {
        Self { end, into, limit }
    }
}

impl<T, E: PopEnd<T>> Source for RecvManySource<'_, T, E> {
    type Output = Result<usize, RecvError>;

    fn attempt(&mut self) -> Attempt<Self::Output> {
        if self.limit == 0 {
            return Attempt::Done(Ok(0));
        }
        answer(self.end.pop_many(self.into, self.limit))
    }

    #[inline]
    fn is_worth(&self, ahead: usize) -> bool {
        self.end.has_values_ahead(ahead)
    }

    fn others(&self) -> Option<Others<'_>> {
        Some(others(self.end.core(), &self.end.core().waits().senders))
    }

    fn waiters(&self) -> &WaitSet {
        &self.end.core().waits().receivers
    }

    fn arm(&self) {
        self.end.core().set_receivers_wait(Sleeper::Thread);
    }

    fn arm_for_task(&self) -> bool {
        self.end.core().set_receivers_wait(Sleeper::Task)
    }

    fn disarm(&self) {
        self.end.core().clear_receivers_wait();
    }
}

/// Waits until the channel is closed.
pub(super) struct ClosedSource<'a, C> {
    core: &'a C,
}

impl<'a, C: Core> ClosedSource<'a, C> {
    pub(super) const fn new(core: &'a C) -> Self {
        Self { core }
    }
}

impl<C: Core> Source for ClosedSource<'_, C> {
    type Output = ();

    fn attempt(&mut self) -> Attempt<()> {
        if self.core.is_closed() { Attempt::Done(()) } else { Attempt::Blocked }
    }

    fn waiters(&self) -> &WaitSet {
        &self.core.waits().closing
    }

    // Closing looks at the list whether or not somebody waits: whoever registers later sees the channel closed.
    fn arm(&self) {}

    fn disarm(&self) {}
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

const NO_DEADLINE: &str = "a wait without a deadline does not time out";

/// Sends, blocking the thread.
#[inline]
pub(super) fn send<T>(mut end: impl PushEnd<T>, message: T) -> Result<(), SendError<T>> {
    if let Some(exchange) = end.exchange() {
        let answer = exchange.send(message, Deadline::never(), end.core().waits());
        return answer.map_err(|error| SendError(error.into_inner()));
    }
    // Before anything is made to wait with: each place that a message passes through is a copy of it.
    match end.push(message) {
        Ok(()) => Ok(()),
        Err(PushError::Closed(message)) => Err(SendError(message)),
        Err(PushError::Full(message) | PushError::Busy(message)) => send_slowly(end, message),
    }
}

#[cold]
fn send_slowly<T>(end: impl PushEnd<T>, message: T) -> Result<(), SendError<T>> {
    block_on(&mut SendSource::new(end, message), Deadline::never()).expect(NO_DEADLINE)
}

/// Sends, blocking the thread until the deadline at most.
pub(super) fn send_until<T>(
    end: impl PushEnd<T>,
    message: T,
    deadline: Deadline,
) -> Result<(), SendTimeoutError<T>> {
    if let Some(exchange) = end.exchange() {
        return exchange.send(message, deadline, end.core().waits());
    }
    let mut source = SendSource::new(end, message);
    match block_on(&mut source, deadline) {
        Ok(answer) => answer.map_err(SendTimeoutError::from),
        Err(_) => {
            let message = source.take().expect("a send that timed out has kept its message");
            Err(SendTimeoutError::Timeout(message))
        }
    }
}

/// Sends if there is room, waiting only for a peer that is in the middle of a step.
#[inline]
pub(super) fn try_send<T>(mut end: impl PushEnd<T>, mut message: T) -> Result<(), TrySendError<T>> {
    let mut busy = BusyWait::new();
    loop {
        match end.push(message) {
            Ok(()) => return Ok(()),
            Err(PushError::Full(refused)) => return Err(TrySendError::Full(refused)),
            Err(PushError::Closed(refused)) => return Err(TrySendError::Closed(refused)),
            Err(PushError::Busy(refused)) => message = refused,
        }
        busy.wait();
    }
}

/// Sends many, blocking the thread.
pub(super) fn send_many<T>(end: impl PushEnd<T>, mut values: VecDeque<T>) -> Result<(), SendManyError<T>> {
    if let Some(exchange) = end.exchange() {
        let count = values.len();
        let answer = exchange.send_many(&mut values, end.core().waits());
        return answer.map_err(|_| SendManyError { sent: count - values.len(), unsent: values });
    }
    block_on(&mut SendManySource::new(end, values), Deadline::never()).expect(NO_DEADLINE)
}

/// Sends all, blocking the thread; those that were not sent stay, and so does the memory.
pub(super) fn send_from<T>(end: impl PushEnd<T>, values: &mut VecDeque<T>) -> Result<(), SendError<()>> {
    if let Some(exchange) = end.exchange() {
        return exchange.send_many(values, end.core().waits());
    }
    let lent = std::mem::take(values);
    let mut source = Lent(SendManySource::new(end, lent), values);
    let answer = block_on(&mut source.0, Deadline::never()).expect(NO_DEADLINE);
    answer.map_err(|error| {
        source.0.values = error.unsent;
        SendError(())
    })
}

/// A queue that is being sent. Puts it back, also if a waker panics.
struct Lent<'a, T, E: PushEnd<T>>(SendManySource<T, E>, &'a mut VecDeque<T>);

impl<T, E: PushEnd<T>> Drop for Lent<'_, T, E> {
    fn drop(&mut self) {
        *self.1 = self.0.take();
    }
}

/// Sends as many as there is room for.
pub(super) fn try_send_many<T>(
    mut end: impl PushEnd<T>,
    values: &mut VecDeque<T>,
) -> Result<usize, TrySendError<()>> {
    let mut busy = BusyWait::new();
    while !values.is_empty() {
        match end.push_many(values) {
            Ok(count) => return Ok(count),
            Err(PushError::Full(())) => return Err(TrySendError::Full(())),
            Err(PushError::Closed(())) => return Err(TrySendError::Closed(())),
            Err(PushError::Busy(())) => busy.wait(),
        }
    }
    Ok(0)
}

/// Sends if there is room, waiting for nobody.
#[inline]
pub(super) fn try_send_relaxed<T>(
    mut end: impl PushEnd<T>,
    message: T,
) -> Result<(), TrySendRelaxedError<T>> {
    end.push(message).map_err(|error| match error {
        PushError::Full(message) => TrySendRelaxedError::Full(message),
        PushError::Closed(message) => TrySendRelaxedError::Closed(message),
        PushError::Busy(message) => TrySendRelaxedError::Busy(message),
    })
}

/// Receives, blocking the thread.
#[inline]
pub(super) fn recv<T>(mut end: impl PopEnd<T>) -> Result<T, RecvError> {
    match end.pop() {
        Ok(message) => Ok(message),
        Err(PopError::Closed) => Err(RecvError),
        Err(PopError::Empty | PopError::Busy) => recv_slowly(end),
    }
}

#[cold]
fn recv_slowly<T>(end: impl PopEnd<T>) -> Result<T, RecvError> {
    if let Some(exchange) = end.exchange().filter(|exchange| exchange.capacity() > 0) {
        return exchange.recv(Deadline::never(), end.core().waits()).map_err(|_| RecvError);
    }
    block_on(&mut RecvSource::new(end), Deadline::never()).expect(NO_DEADLINE)
}

/// Receives, blocking the thread until the deadline at most.
pub(super) fn recv_until<T>(end: impl PopEnd<T>, deadline: Deadline) -> Result<T, RecvTimeoutError> {
    if let Some(exchange) = end.exchange().filter(|exchange| exchange.capacity() > 0) {
        return exchange.recv(deadline, end.core().waits());
    }
    match block_on(&mut RecvSource::new(end), deadline) {
        Ok(answer) => answer.map_err(RecvTimeoutError::from),
        Err(_) => Err(RecvTimeoutError::Timeout),
    }
}

/// Receives if there is a message, waiting only for a peer that is in the middle of a step.
#[inline]
pub(super) fn try_recv<T>(mut end: impl PopEnd<T>) -> Result<T, TryRecvError> {
    let mut busy = BusyWait::new();
    loop {
        match end.pop() {
            Ok(message) => return Ok(message),
            Err(PopError::Empty) => return Err(TryRecvError::Empty),
            Err(PopError::Closed) => return Err(TryRecvError::Closed),
            Err(PopError::Busy) => busy.wait(),
        }
    }
}

/// Receives if there is a message, waiting for nobody.
#[inline]
pub(super) fn try_recv_relaxed<T>(mut end: impl PopEnd<T>) -> Result<T, TryRecvRelaxedError> {
    end.pop().map_err(|error| match error {
        PopError::Empty => TryRecvRelaxedError::Empty,
        PopError::Closed => TryRecvRelaxedError::Closed,
        PopError::Busy => TryRecvRelaxedError::Busy,
    })
}

/// Receives up to `limit` that are there.
pub(super) fn try_recv_many<T>(
    mut end: impl PopEnd<T>,
    into: &mut Vec<T>,
    limit: usize,
) -> Result<usize, TryRecvError> {
    if limit == 0 {
        return Ok(0);
    }
    let mut busy = BusyWait::new();
    loop {
        match end.pop_many(into, limit) {
            Ok(count) => return Ok(count),
            Err(PopError::Empty) => return Err(TryRecvError::Empty),
            Err(PopError::Closed) => return Err(TryRecvError::Closed),
            Err(PopError::Busy) => busy.wait(),
        }
    }
}

/// Receives all that is there, and no more than there was at the start: a fast sender cannot keep this going for ever.
pub(super) fn drain<T>(mut end: impl PopEnd<T>, into: &mut Vec<T>) -> usize {
    let there = end.core().len();
    let mut taken = 0;
    let mut busy = BusyWait::new();
    while taken < there {
        match end.pop_many(into, there - taken) {
            Ok(count) => taken += count,
            Err(PopError::Empty | PopError::Closed) => break,
            Err(PopError::Busy) => busy.wait(),
        }
    }
    taken
}

/// Receives up to `limit`, blocking the thread while there is none.
pub(super) fn recv_many<T>(end: impl PopEnd<T>, into: &mut Vec<T>, limit: usize) -> Result<usize, RecvError> {
    block_on(&mut RecvManySource::new(end, into, limit), Deadline::never()).expect(NO_DEADLINE)
}
