//! What the one who submitted a job and the queue that works it off tell each other about it.
//!
//! One small cell for each tracked job, which both hold. All of it is under one lock, but for the word that the job is to be
//! cancelled, which handlers poll. User code (wakers, the drop of a result) runs outside the lock, and a panic in it ends here.
//!
//! **Fences.** What an attempt reports goes with the number of its delivery: a worker that has lost its lease changes nothing
//! any more, and neither does anybody after the end.

use crate::retry::{DeadReason, discard};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Condvar, Mutex};
use crate::time::ScheduleKey;
use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Poll, Waker};
use std::time::Instant;

/// What became of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JobEnd {
    /// Its handler said that it is done.
    Done,
    /// It died. It was put among the dead letters, where it may have been dropped since; if it is redriven, nobody is told here.
    Dead(DeadReason),
    /// It was dropped by its handler, by [`at_most_once`](crate::PoolBuilder::at_most_once), for want of room
    /// ([`Overflow`](crate::Overflow)), or because copying it panicked.
    Dropped,
    /// It was cancelled before it was done.
    Cancelled,
    /// A shutdown has handed it back.
    Released,
    /// It was running when a shutdown ran out of time.
    CutOff,
}

impl fmt::Display for JobEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JobEnd::Done => f.write_str("done"),
            JobEnd::Dead(reason) => write!(f, "dead: {reason}"),
            JobEnd::Dropped => f.write_str("dropped"),
            JobEnd::Cancelled => f.write_str("cancelled"),
            JobEnd::Released => f.write_str("released by a shutdown"),
            JobEnd::CutOff => f.write_str("cut off by a shutdown"),
        }
    }
}

/// How far a job is, in units of its handler's choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Progress {
    /// How much is done.
    pub done: u64,
    /// How much there is to do.
    pub total: u64,
}

impl Progress {
    /// Returns the part that is done, from 0 to 1. Of nothing, all is done.
    #[must_use]
    pub fn fraction(&self) -> f64 {
        if self.done >= self.total { 1.0 } else { self.done as f64 / self.total as f64 }
    }
}

/// What a handler makes of a job.
pub(crate) type AnyResult = Box<dyn Any + Send>;

/// The cell.
#[derive(Default)]
pub(crate) struct Track {
    cancelled: AtomicBool,
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    end: Option<JobEnd>,
    /// The number of the delivery that may report.
    delivery: u32,
    progress: Option<Progress>,
    result: Option<AnyResult>,
    /// Where the job waits, or has waited, for its time.
    key: Option<ScheduleKey>,
    /// Whom to wake at the end.
    owner: Option<Waker>,
    /// Whom to wake when the job is cancelled while it is worked on.
    handler: Option<Waker>,
}

impl State {
    fn may_report(&self, delivery: u32) -> bool {
        self.end.is_none() && self.delivery == delivery
    }
}

impl Track {
    /// Returns true once the job is to be cancelled. Then it stays so.
    pub(super) fn is_cancelled(&self) -> bool {
        // ORDERING: Relaxed; a signal. Whoever must not miss it asks under a lock that the canceller takes after setting it.
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Says that the job is to be cancelled. False if it is over.
    pub(super) fn cancel(&self) -> bool {
        let mut state = self.state.lock();
        if state.end.is_some() {
            return false;
        }
        // ORDERING: Relaxed; see `is_cancelled`.
        self.cancelled.store(true, Ordering::Relaxed);
        let handler = state.handler.take();
        drop(state);
        wake(handler);
        true
    }

    /// As [`is_cancelled`](Self::is_cancelled); has `waker` woken when it turns true.
    pub(super) fn poll_cancelled(&self, waker: &Waker) -> bool {
        if self.is_cancelled() {
            return true;
        }
        let waker = waker.clone();
        let mut state = self.state.lock();
        let old = state.handler.replace(waker);
        let cancelled = self.is_cancelled();
        drop(state);
        discard(old);
        cancelled
    }

    /// Notes that a delivery begins: what earlier ones reported is forgotten.
    pub(super) fn begin(&self, delivery: u32) {
        let mut state = self.state.lock();
        state.delivery = delivery;
        state.progress = None;
        let old = (state.result.take(), state.handler.take());
        drop(state);
        discard(old.0);
        discard(old.1);
    }

    pub(super) fn set_progress(&self, delivery: u32, progress: Progress) {
        let mut state = self.state.lock();
        if state.may_report(delivery) {
            state.progress = Some(progress);
        }
    }

    /// Keeps a result, in the place of an earlier one. Gives it back if that delivery has no say any more.
    pub(super) fn set_result(&self, delivery: u32, result: AnyResult) -> Result<(), AnyResult> {
        let mut state = self.state.lock();
        if !state.may_report(delivery) {
            return Err(result);
        }
        let old = state.result.replace(result);
        drop(state);
        discard(old);
        Ok(())
    }

    /// Notes where the job waits for its time. Called with the schedule locked.
    pub(super) fn set_key(&self, key: ScheduleKey) {
        self.state.lock().key = Some(key);
    }

    /// Returns where the job waits, or has waited. Called with the schedule locked.
    pub(super) fn key(&self) -> Option<ScheduleKey> {
        self.state.lock().key
    }

    /// Notes what became of the job, and tells those who wait for it. The first end counts.
    pub(super) fn end(&self, end: JobEnd) {
        let mut state = self.state.lock();
        state.end.get_or_insert(end);
        let (owner, handler) = (state.owner.take(), state.handler.take());
        drop(state);
        self.ended.notify_all();
        wake(owner);
        discard(handler);
    }

    /// Returns what became of the job, if it is over.
    pub(super) fn ended(&self) -> Option<JobEnd> {
        self.state.lock().end
    }

    pub(super) fn progress(&self) -> Option<Progress> {
        self.state.lock().progress
    }

    /// Takes the result out if the job is over, and if the result is of this type.
    pub(super) fn take_result<R: 'static>(&self) -> Option<R> {
        let mut state = self.state.lock();
        if state.end.is_none() || !state.result.as_ref()?.is::<R>() {
            return None;
        }
        let result = state.result.take()?;
        drop(state);
        result.downcast().ok().map(|result| *result)
    }

    /// Waits for the end. None at the deadline.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Option<JobEnd> {
        let mut state = self.state.lock();
        while state.end.is_none() {
            match deadline {
                Some(deadline) => {
                    if self.ended.wait_until(&mut state, deadline).timed_out() {
                        break;
                    }
                }
                None => self.ended.wait(&mut state),
            }
        }
        state.end
    }

    /// Asks for the end, and has `waker` woken at it.
    pub(super) fn poll_end(&self, waker: &Waker) -> Poll<JobEnd> {
        let waker = waker.clone();
        let mut state = self.state.lock();
        if let Some(end) = state.end {
            drop(state);
            discard(waker);
            return Poll::Ready(end);
        }
        let old = state.owner.replace(waker);
        drop(state);
        discard(old);
        Poll::Pending
    }

    /// Forgets whom to wake at the end.
    pub(super) fn leave(&self) {
        let owner = self.state.lock().owner.take();
        discard(owner);
    }
}

impl Drop for Track {
    /// A result that nobody took is user code to drop.
    fn drop(&mut self) {
        let result = self.state.lock().result.take();
        discard(result);
    }
}

fn wake(waker: Option<Waker>) {
    let Some(waker) = waker else { return };
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
        tracing::error!(target: "millpond", "a waker panicked");
        discard(payload);
    }
}
