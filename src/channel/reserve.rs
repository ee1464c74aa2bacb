//! What a reservation tries, and where it waits: once, over the rings that can promise room.

use super::error::{SendError, SendTimeoutError, TrySendError};
use super::waits::Core;
use crate::ring::PushError;
use crate::sync::{BusyWait, Sleeper};
use crate::wait::{Attempt, Deadline, Source, WaitSet, block_on};

/// A channel that can promise room.
pub(super) trait Credits<T>: Core {
    /// Promises room for one message. Never `Busy`.
    fn reserve(&self) -> Result<(), PushError<()>>;

    /// Takes a promise back.
    fn give_back(&self);

    /// Pushes into promised room. Never `Full`; only `Busy` leaves the promise as it is.
    fn push_reserved(&self, value: T) -> Result<bool, PushError<T>>;
}

/// Whoever reserves: a borrowed channel, or a sender of its own.
pub(super) trait ReserveEnd<T> {
    type Core: Credits<T>;

    fn core(&self) -> &Self::Core;
}

/// Reserves room for one message.
pub(super) struct ReserveSource<T, E> {
    end: E,
    _message: std::marker::PhantomData<fn(T)>,
}

impl<T, E: ReserveEnd<T>> ReserveSource<T, E> {
    pub(super) const fn new(end: E) -> Self {
        Self { end, _message: std::marker::PhantomData }
    }

    pub(super) const fn end(&self) -> &E {
        &self.end
    }

    fn can_promise(&self) -> bool {
        self.end.core().capacity() > 0
    }
}

impl<T, E: ReserveEnd<T>> Source for ReserveSource<T, E> {
    type Output = Result<(), SendError<()>>;

    fn attempt(&mut self) -> Attempt<Self::Output> {
        match self.end.core().reserve() {
            Ok(()) => Attempt::Done(Ok(())),
            Err(PushError::Closed(())) => Attempt::Done(Err(SendError(()))),
            Err(PushError::Full(())) => Attempt::Blocked,
            Err(PushError::Busy(())) => Attempt::Busy,
        }
    }

    /// Where there is no room to promise at all, nothing but the end is worth waiting for, and no sender's wake-up is taken.
    fn waiters(&self) -> &WaitSet {
        let waits = self.end.core().waits();
        if self.can_promise() { &waits.senders } else { &waits.closing }
    }

    fn arm(&self) {
        if self.can_promise() {
            self.end.core().set_senders_wait(Sleeper::Thread);
        }
    }

    fn arm_for_task(&self) -> bool {
        self.can_promise() && self.end.core().set_senders_wait(Sleeper::Task)
    }

    fn disarm(&self) {
        if self.can_promise() {
            self.end.core().clear_senders_wait();
        }
    }
}

/// Reserves, blocking the thread.
pub(super) fn reserve<T>(end: impl ReserveEnd<T>) -> Result<(), SendError<()>> {
    block_on(&mut ReserveSource::new(end), Deadline::never())
        .expect("a wait without a deadline does not time out")
}

/// Reserves, blocking the thread until the deadline at most.
pub(super) fn reserve_until<T>(
    end: impl ReserveEnd<T>,
    deadline: Deadline,
) -> Result<(), SendTimeoutError<()>> {
    match block_on(&mut ReserveSource::new(end), deadline) {
        Ok(answer) => answer.map_err(SendTimeoutError::from),
        Err(_) => Err(SendTimeoutError::Timeout(())),
    }
}

/// Reserves if there is room.
pub(super) fn try_reserve<T>(core: &impl Credits<T>) -> Result<(), TrySendError<()>> {
    let mut busy = BusyWait::new();
    loop {
        match core.reserve() {
            Ok(()) => return Ok(()),
            Err(PushError::Full(())) => return Err(TrySendError::Full(())),
            Err(PushError::Closed(())) => return Err(TrySendError::Closed(())),
            Err(PushError::Busy(())) => busy.wait(),
        }
    }
}

/// Sends into promised room, waiting only for a peer that is in the middle of a step.
pub(super) fn send_reserved<T>(core: &impl Credits<T>, mut message: T) -> Result<(), SendError<T>> {
    let mut busy = BusyWait::new();
    loop {
        match core.push_reserved(message) {
            Ok(receivers_wait) => {
                if receivers_wait {
                    core.wake_receivers(1);
                }
                return Ok(());
            }
            Err(PushError::Closed(refused)) => return Err(SendError(refused)),
            Err(PushError::Full(refused) | PushError::Busy(refused)) => message = refused,
        }
        busy.wait();
    }
}

/// Takes a promise back, and wakes a sender that waits: there is room for it.
pub(super) fn give_back<T>(core: &impl Credits<T>) {
    core.give_back();
    core.wake_senders(1);
}
