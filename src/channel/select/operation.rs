//! What a select tries: sources whose answers are kept until everybody has left the lines, and only then given to the user.

use crate::channel::end::PushEnd;
use crate::channel::error::{RecvError, SendError};
use crate::channel::waits::Core;
use crate::ring::PushError;
use crate::sync::Sleeper;
use crate::wait::{Attempt, Source, WaitSet};

/// Sends the message in a slot that belongs to the user: it stays there unless it is sent.
pub(in crate::channel) struct SlotSource<'a, T, E> {
    end: E,
    slot: &'a mut Option<T>,
}

impl<'a, T, E: PushEnd<T>> SlotSource<'a, T, E> {
    /// `None`: there is nothing to send.
    pub(in crate::channel) fn new(end: E, slot: &'a mut Option<T>) -> Option<Self> {
        slot.is_some().then_some(Self { end, slot })
    }
}

impl<T, E: PushEnd<T>> Source for SlotSource<'_, T, E> {
    type Output = Result<(), SendError<T>>;

    fn attempt(&mut self) -> Attempt<Self::Output> {
        let Some(message) = self.slot.take() else { return Attempt::Blocked };
        let (message, answer) = match self.end.push(message) {
            Ok(()) => return Attempt::Done(Ok(())),
            Err(PushError::Closed(message)) => return Attempt::Done(Err(SendError(message))),
            Err(PushError::Full(message)) => (message, Attempt::Blocked),
            Err(PushError::Busy(message)) => (message, Attempt::Busy),
        };
        *self.slot = Some(message);
        answer
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

/// A source whose answer is kept.
pub(super) struct Kept<S: Source> {
    pub(super) source: S,
    pub(super) answer: Option<S::Output>,
}

impl<S: Source> Kept<S> {
    pub(super) const fn new(source: S) -> Self {
        Self { source, answer: None }
    }
}

/// An operation of a [`Select`](super::Select): a source, and what becomes of its answer.
pub(super) trait Operation<R>: Send {
    fn source(&self) -> &dyn Source<Output = ()>;
    fn source_mut(&mut self) -> &mut dyn Source<Output = ()>;
    /// Whether the answer that is kept is the last one.
    fn is_last(&self) -> bool;
    /// Hands the answer over to the user's closure.
    fn finish(&mut self) -> R;
}

impl<S: Source> Source for Kept<S> {
    type Output = ();

    #[inline]
    fn attempt(&mut self) -> Attempt<()> {
        match self.source.attempt() {
            Attempt::Done(answer) => {
                self.answer = Some(answer);
                Attempt::Done(())
            }
            Attempt::Blocked => Attempt::Blocked,
            Attempt::Busy => Attempt::Busy,
        }
    }

    fn waiters(&self) -> &WaitSet {
        self.source.waiters()
    }

    fn arm(&self) {
        self.source.arm();
    }

    fn arm_for_task(&self) -> bool {
        self.source.arm_for_task()
    }

    fn disarm(&self) {
        self.source.disarm();
    }
}

const ANSWERED: &str = "an operation is finished after it was done";

/// A receive, which can be repeated until the channel is closed and empty.
pub(super) struct Receiving<S: Source, F> {
    pub(super) kept: Kept<S>,
    pub(super) then: F,
}

impl<T, R, S, F> Operation<R> for Receiving<S, F>
where
    T: Send,
    S: Source<Output = Result<T, RecvError>> + Send,
    F: FnMut(Result<T, RecvError>) -> R + Send,
{
    fn source(&self) -> &dyn Source<Output = ()> {
        &self.kept
    }

    fn source_mut(&mut self) -> &mut dyn Source<Output = ()> {
        &mut self.kept
    }

    fn is_last(&self) -> bool {
        matches!(self.kept.answer, Some(Err(RecvError)))
    }

    fn finish(&mut self) -> R {
        (self.then)(self.kept.answer.take().expect(ANSWERED))
    }
}

/// A send, which is done once.
pub(super) struct Sending<S: Source, F> {
    pub(super) kept: Kept<S>,
    pub(super) then: Option<F>,
}

impl<T, R, S, F> Operation<R> for Sending<S, F>
where
    T: Send,
    S: Source<Output = Result<(), SendError<T>>> + Send,
    F: FnOnce(Result<(), SendError<T>>) -> R + Send,
{
    fn source(&self) -> &dyn Source<Output = ()> {
        &self.kept
    }

    fn source_mut(&mut self) -> &mut dyn Source<Output = ()> {
        &mut self.kept
    }

    fn is_last(&self) -> bool {
        true
    }

    fn finish(&mut self) -> R {
        let then = self.then.take().expect(ANSWERED);
        then(self.kept.answer.take().expect(ANSWERED))
    }
}

/// An operation in its box.
pub(super) struct Entry<'a, R> {
    operation: Box<dyn Operation<R> + 'a>,
    spent: bool,
}

impl<'a, R> Entry<'a, R> {
    pub(super) fn new(operation: impl Operation<R> + 'a) -> Self {
        Self { operation: Box::new(operation), spent: false }
    }

    /// Whether the operation takes no part any more.
    pub(super) const fn is_spent(&self) -> bool {
        self.spent
    }

    /// Hands the answer over, and is spent if there will be no other.
    pub(super) fn finish(&mut self) -> R {
        // Before user code, which may panic.
        self.spent = self.operation.is_last();
        self.operation.finish()
    }
}

impl<R> Source for Entry<'_, R> {
    type Output = ();

    fn attempt(&mut self) -> Attempt<()> {
        self.operation.source_mut().attempt()
    }

    fn waiters(&self) -> &WaitSet {
        self.operation.source().waiters()
    }

    fn arm(&self) {
        self.operation.source().arm();
    }

    fn arm_for_task(&self) -> bool {
        self.operation.source().arm_for_task()
    }

    fn disarm(&self) {
        self.operation.source().disarm();
    }
}
