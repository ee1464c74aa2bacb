//! How a thread waits for a source: try, spin, yield, register, park.

use super::list::Left;
use super::spin::{Attempts, look};
use super::waiter::{Waiter, Wake};
use super::{Attempt, Deadline, Source};
use crate::sync::{BusyWait, thread};
use std::pin::{Pin, pin};

/// The deadline passed before the source was ready.
#[derive(Debug, PartialEq, Eq)]
pub struct TimedOut;

/// Blocks the thread until the source is done, or the deadline has passed. Tries at least once.
///
/// # Errors
/// [`TimedOut`] if the deadline passed first. The source is as before: nothing was taken.
#[inline]
pub fn block_on<S: Source>(source: &mut S, deadline: Deadline) -> Result<S::Output, TimedOut> {
    match source.attempt() {
        Attempt::Done(output) => Ok(output),
        Attempt::Blocked | Attempt::Busy => block_slowly(source, deadline),
    }
}

#[cold]
fn block_slowly<S: Source>(source: &mut S, deadline: Deadline) -> Result<S::Output, TimedOut> {
    loop {
        // Where one must be registered to be met, looking comes after that: see `WaitSet::rest`.
        if !source.waiters().lines_up_first {
            if let Some(output) = look(&mut Attempts(source), &deadline) {
                return Ok(output);
            }
        }
        match park(source, &deadline) {
            Rest::Done(output) => return Ok(output),
            Rest::TimedOut => return Err(TimedOut),
            Rest::Unsettled => {
                // An earlier wake-up may not have been used: a peer was busy at each attempt since.
                source.waiters().notify(1, || source.disarm());
                return Err(TimedOut);
            }
            Rest::Notified => {}
        }
        if let Attempt::Done(output) = source.attempt() {
            return Ok(output);
        }
    }
}

/// How a sleep ended.
enum Rest<R> {
    /// The attempt after registering succeeded: there was no sleep.
    Done(R),
    /// Somebody made progress: try again.
    Notified,
    TimedOut,
    /// The deadline passed while a peer was in the middle of a step, so that no attempt had a final answer.
    Unsettled,
}

/// Registers, tries once more, and sleeps until notified or the deadline passes.
fn park<S: Source>(source: &mut S, deadline: &Deadline) -> Rest<S::Output> {
    let waiter = pin!(Waiter::new());
    let mut registration = Registration::join(source, waiter.as_ref());
    match registration.attempt_until_final(deadline) {
        Attempt::Done(output) => {
            registration.leave();
            return Rest::Done(output);
        }
        Attempt::Busy => {
            registration.leave();
            return Rest::Unsettled;
        }
        Attempt::Blocked => {}
    }
    if registration.rest(deadline) {
        registration.joined = false;
        return Rest::Notified;
    }
    registration.time_out(deadline)
}

/// A registered waiter of a thread. Leaves the list when dropped, also while a panic unwinds.
struct Registration<'a, S: Source> {
    source: &'a mut S,
    waiter: Pin<&'a Waiter>,
    joined: bool,
}

impl<'a, S: Source> Registration<'a, S> {
    fn join(source: &'a mut S, waiter: Pin<&'a Waiter>) -> Self {
        let wake = Wake::Thread(thread::current());
        // SAFETY: the waiter is new, so it is in no list. It is borrowed, in place, for as long as this registration
        // lives, and whose drop calls `leave`.
        unsafe { source.waiters().join(waiter, wake, || source.arm()) };
        Self { source, waiter, joined: true }
    }

    /// Attempts until the answer is final: done, or really blocked. Gives up at the deadline, where a peer that is in the
    /// middle of a step stands still.
    fn attempt_until_final(&mut self, deadline: &Deadline) -> Attempt<S::Output> {
        let mut busy = BusyWait::new();
        loop {
            match self.source.attempt() {
                Attempt::Busy if !(busy.is_long() && deadline.has_passed()) => busy.wait(),
                answer => return answer,
            }
        }
    }

    /// Sleeps until notified. False: the deadline passed first.
    fn rest(&self, deadline: &Deadline) -> bool {
        self.source.waiters().rest(deadline, || self.waiter.is_notified())
    }

    /// The deadline has passed: leaves. A wake-up that came at the same time is used here.
    fn time_out(mut self, deadline: &Deadline) -> Rest<S::Output> {
        self.joined = false;
        match self.source.waiters().leave(&self.waiter, || self.source.disarm()) {
            Left::Waiting => Rest::TimedOut,
            Left::Notified => match self.attempt_until_final(deadline) {
                Attempt::Done(output) => Rest::Done(output),
                Attempt::Blocked => Rest::TimedOut,
                Attempt::Busy => Rest::Unsettled,
            },
        }
    }

    /// Leaves the list, and passes a wake-up on that was meant for a later success than ours.
    fn leave(&mut self) {
        if std::mem::take(&mut self.joined) {
            let source = &*self.source;
            if source.waiters().leave(&self.waiter, || source.disarm()) == Left::Notified {
                source.waiters().notify(1, || source.disarm());
            }
        }
    }
}

impl<S: Source> Drop for Registration<'_, S> {
    fn drop(&mut self) {
        self.leave();
    }
}
