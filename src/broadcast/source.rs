//! What publishing and receiving try, and where they wait: once, for threads and tasks.

#![forbid(unsafe_code)]

use super::error::{PublishError, RecvError};
use super::log::{Log, NotReady, Refusal, Refused};
use super::subscriber::Subscriber;
use crate::sync::Sleeper;
use crate::wait::{Attempt, Others, Source, SpinHistory, WaitSet};
use std::borrow::BorrowMut;
use std::cell::Cell;
use std::marker::PhantomData;
use std::time::Instant;

/// Keeps a thread that spins from looking at the word that publishers are just moving: they would wait for it at each
/// step. A look at the slot alone tells it that a message has come; to tell why not takes both.
///
/// An answer from one look is `Busy`, on which nobody sleeps.
struct Looks(u32);

impl Looks {
    /// So many looks at the slot come first ...
    const PATIENCE: u32 = 16;
    /// ... and then so many between two at both.
    const ONE_IN: u32 = 8;
    /// From here on every look is a full one.
    const FULL: u32 = 1 << 16;

    /// For a thread, which spins before it registers.
    const fn patient() -> Self {
        // Under loom every look is one that loom explores anyway.
        Self(if cfg!(millpond_model) { Self::FULL } else { 0 })
    }

    /// For a task, which does not.
    const fn full() -> Self {
        Self(Self::FULL)
    }

    /// Whether to look at both now.
    const fn is_due(&mut self) -> bool {
        if self.0 >= Self::FULL {
            return true;
        }
        let count = self.0;
        self.0 += 1;
        count >= Self::PATIENCE && count % Self::ONE_IN == 0
    }
}

/// Publishes one message.
pub(super) struct PublishSource<'a, T> {
    log: &'a Log<T>,
    message: Option<T>,
    /// The position for which `gate` was armed and the heavy fence passed since the last registration: another refusal at
    /// it is a reason to park.
    fenced: Cell<Option<u64>>,
    sleeper: Sleeper,
    /// When the subscriber that is in the way is thrown out.
    until: Option<Instant>,
}

impl<'a, T> PublishSource<'a, T> {
    /// For a thread.
    pub(super) const fn for_thread(log: &'a Log<T>, message: T) -> Self {
        Self::new(log, message, Sleeper::Thread)
    }

    /// For a task.
    pub(super) const fn for_task(log: &'a Log<T>, message: T) -> Self {
        Self::new(log, message, Sleeper::Task)
    }

    const fn new(log: &'a Log<T>, message: T, sleeper: Sleeper) -> Self {
        Self { log, message: Some(message), fenced: Cell::new(None), sleeper, until: None }
    }

    /// Takes the message back, if it was not published.
    pub(super) const fn take(&mut self) -> Option<T> {
        self.message.take()
    }

    /// When it is worth trying again although nobody has moved.
    pub(super) const fn until(&self) -> Option<Instant> {
        self.until
    }
}

impl<T> Source for PublishSource<'_, T> {
    type Output = Result<u64, PublishError<T>>;

    #[inline]
    fn attempt(&mut self) -> Attempt<Self::Output> {
        loop {
            let message = self.message.take().expect("a message is not published again once it is out");
            let (message, why) = match self.log.send(message) {
                Ok(sequence) => return Attempt::Done(Ok(sequence)),
                Err(Refused { message, why }) => (message, why),
            };
            match why {
                Refusal::Closed => return Attempt::Done(Err(PublishError(message))),
                Refusal::Busy | Refusal::Evicted => {
                    self.message = Some(message);
                    return Attempt::Busy;
                }
                Refusal::Full { at, until } => {
                    self.message = Some(message);
                    self.until = until;
                    if !self.log.waits.gate.is_armed() || self.fenced.get() == Some(at) {
                        return Attempt::Blocked;
                    }
                }
            }
            self.watch_the_gate();
        }
    }

    fn waiters(&self) -> &WaitSet {
        &self.log.waits.publishers
    }

    /// Each look at a full log walks over the words that its subscribers are about to write, and finds room for little more
    /// than a message: so some room is let come together.
    #[inline]
    fn stride(&self) -> u32 {
        const LONGEST: u32 = 32;
        u32::try_from(self.log.capacity() / 16).map_or(LONGEST, |room| room.clamp(1, LONGEST))
    }

    fn others(&self) -> Option<Others<'_>> {
        Some(Others { set: &self.log.waits.subscribers, most: self.log.capacity() })
    }

    fn arm(&self) {
        self.fenced.set(None);
        if !self.log.waits.gate.is_armed() {
            self.log.arm_gate(self.sleeper);
        }
    }

    fn disarm(&self) {
        self.log.waits.disarm_gate();
    }
}

impl<T> PublishSource<'_, T> {
    /// Makes sure that the subscriber that opens the gate from here on knows that publishers wait (W1, W2 of `log`).
    #[cold]
    fn watch_the_gate(&self) {
        let (at, armed) = self.log.arm_gate(self.sleeper);
        if armed.changed {
            self.log.waits.wake_publishers();
        }
        // ORDERING: the publishers' half of the pair: the gate is armed before the words are looked at once more (W1).
        armed.take_effect();
        self.fenced.set(Some(at));
    }
}

/// Receives one message, through a borrowed or an owned subscriber.
pub(super) struct RecvSource<T, S: BorrowMut<Subscriber<T>>> {
    subscriber: S,
    looks: Looks,
    _message: PhantomData<fn() -> T>,
}

impl<T, S: BorrowMut<Subscriber<T>>> RecvSource<T, S> {
    /// For a thread.
    pub(super) const fn for_thread(subscriber: S) -> Self {
        Self { subscriber, looks: Looks::patient(), _message: PhantomData }
    }

    /// For a task.
    pub(super) const fn for_task(subscriber: S) -> Self {
        Self { subscriber, looks: Looks::full(), _message: PhantomData }
    }

    /// Returns the subscriber.
    #[cfg(feature = "stream")]
    pub(super) fn subscriber(&self) -> &Subscriber<T> {
        self.subscriber.borrow()
    }
}

impl<T: Clone, S: BorrowMut<Subscriber<T>>> Source for RecvSource<T, S> {
    type Output = Result<T, RecvError>;

    #[inline]
    fn attempt(&mut self) -> Attempt<Self::Output> {
        let subscriber = self.subscriber.borrow_mut();
        if !subscriber.is_next_there() && !self.looks.is_due() {
            return Attempt::Busy;
        }
        answer(subscriber.take(T::clone))
    }

    fn waiters(&self) -> &WaitSet {
        &self.subscriber.borrow().log().waits.subscribers
    }

    fn spins(&self) -> &SpinHistory {
        &self.subscriber.borrow().spins
    }

    fn others(&self) -> Option<Others<'_>> {
        Some(publishers(self.subscriber.borrow().log()))
    }

    fn arm(&self) {
        self.subscriber.borrow().log().set_subscribers_wait();
    }

    fn disarm(&self) {
        self.subscriber.borrow().log().clear_subscribers_wait();
    }
}

/// Waits until there is a message to look at.
pub(super) struct PeekSource<'a, T> {
    pub(super) subscriber: &'a mut Subscriber<T>,
}

impl<T> Source for PeekSource<'_, T> {
    type Output = Result<(), RecvError>;

    #[inline]
    fn attempt(&mut self) -> Attempt<Self::Output> {
        answer(self.subscriber.reach())
    }

    fn waiters(&self) -> &WaitSet {
        &self.subscriber.log().waits.subscribers
    }

    fn spins(&self) -> &SpinHistory {
        &self.subscriber.spins
    }

    fn others(&self) -> Option<Others<'_>> {
        Some(publishers(self.subscriber.log()))
    }

    fn arm(&self) {
        self.subscriber.log().set_subscribers_wait();
    }

    fn disarm(&self) {
        self.subscriber.log().clear_subscribers_wait();
    }
}

/// Receives at least one message, and what else is there.
pub(super) struct RecvManySource<'a, T> {
    subscriber: &'a mut Subscriber<T>,
    into: &'a mut Vec<T>,
    limit: usize,
    looks: Looks,
    /// Whether an attempt was in vain.
    waited: bool,
}

impl<'a, T> RecvManySource<'a, T> {
    pub(super) const fn for_thread(
        subscriber: &'a mut Subscriber<T>,
        into: &'a mut Vec<T>,
        limit: usize,
    ) -> Self {
        Self { subscriber, into, limit, looks: Looks::patient(), waited: false }
    }

    pub(super) const fn for_task(
        subscriber: &'a mut Subscriber<T>,
        into: &'a mut Vec<T>,
        limit: usize,
    ) -> Self {
        Self { subscriber, into, limit, looks: Looks::full(), waited: false }
    }
}

impl<T: Clone> Source for RecvManySource<'_, T> {
    type Output = Result<usize, RecvError>;

    fn attempt(&mut self) -> Attempt<Self::Output> {
        if self.limit == 0 {
            return Attempt::Done(Ok(0));
        }
        if !self.subscriber.is_next_there() && !self.looks.is_due() {
            self.waited = true;
            return Attempt::Busy;
        }
        let taken = self.subscriber.take_many(self.into, self.limit);
        match taken {
            Ok(count) if self.waited => self.subscriber.learn_stride(count),
            Ok(_) => {}
            Err(_) => self.waited = true,
        }
        answer(taken)
    }

    #[inline(always)]
    fn stride(&self) -> u32 {
        self.subscriber.stride()
    }

    fn waiters(&self) -> &WaitSet {
        &self.subscriber.log().waits.subscribers
    }

    fn spins(&self) -> &SpinHistory {
        &self.subscriber.spins
    }

    fn others(&self) -> Option<Others<'_>> {
        Some(publishers(self.subscriber.log()))
    }

    fn arm(&self) {
        self.subscriber.log().set_subscribers_wait();
    }

    fn disarm(&self) {
        self.subscriber.log().clear_subscribers_wait();
    }
}

/// Those who publish what subscribers wait for.
fn publishers<T>(log: &Log<T>) -> Others<'_> {
    Others { set: &log.waits.publishers, most: log.capacity() }
}

/// Says what the state of the log means to one who can wait.
#[inline(always)]
fn answer<R>(read: Result<R, NotReady>) -> Attempt<Result<R, RecvError>> {
    match read {
        Ok(value) => Attempt::Done(Ok(value)),
        Err(NotReady::Empty) => Attempt::Blocked,
        Err(NotReady::Busy) => Attempt::Busy,
        Err(NotReady::Closed) => Attempt::Done(Err(RecvError::Closed)),
        Err(NotReady::Lagged(count)) => Attempt::Done(Err(RecvError::Lagged(count))),
        Err(NotReady::Evicted) => Attempt::Done(Err(RecvError::Evicted)),
    }
}
