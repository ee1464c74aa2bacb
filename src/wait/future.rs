//! How a task waits for a source: try, register, return `Pending`. No spinning, no allocation. On one processor it may let others
//! run in between (`let_others_run`).

use super::list::Left;
use super::spin::let_others_run;
use super::waiter::{Waiter, Wake};
use super::{Attempt, Source};
use crate::sync::BusyWait;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that is ready when its source is done.
///
/// *Cancel safety.* Dropping it takes nothing from the source, and a wake-up that it had been given goes to the next
/// waiter. One that is notified and then kept without being polled
/// (or forgotten, [`std::mem::forget`]) holds that one wake-up; each further step of progress wakes somebody else.
pub struct Waiting<S: Source> {
    source: S,
    phase: Phase,
    /// Made only when there is something to wait for, in place: most futures are ready at once.
    waiter: Option<Waiter>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// In no list.
    Free,
    /// In the list, but the attempt after registering met a busy peer: attempt again when polled.
    Unsettled,
    /// In the list and really blocked: only a notification matters.
    Blocked,
    /// Taken out of the list by a notifier, and no attempt since has had a final answer: holds a wake-up.
    Notified,
}

impl<S: Source> Waiting<S> {
    /// Makes a future that has not tried yet.
    pub const fn new(source: S) -> Self {
        Self { source, phase: Phase::Free, waiter: None }
    }

    /// Returns the source.
    pub const fn source(&self) -> &S {
        &self.source
    }

    /// Stops waiting, as if the future had been dropped, and returns the source.
    pub fn cancel(self: Pin<&mut Self>) -> &mut S {
        // SAFETY: nothing is moved out of the future.
        let this = unsafe { self.get_unchecked_mut() };
        this.leave();
        &mut this.source
    }

    /// Puts the waiter into the list. Returns whether the source is known to be blocked since.
    fn join(&mut self, cx: &Context<'_>) -> bool {
        debug_assert_eq!(self.phase, Phase::Free);
        // Cloned before the lock is taken: a waker is user code.
        let wake = Wake::Task(cx.waker().clone());
        let waiter = self.waiter.insert(Waiter::new());
        // SAFETY: the future is pinned (only `poll` calls this), and the waiter is neither replaced nor dropped before
        // it is out of the list: `phase` is Free here, and `leave` runs in `drop`.
        let waiter = unsafe { Pin::new_unchecked(&*waiter) };
        let source = &self.source;
        // SAFETY: the waiter is new, so it is in no list; it stays in place until `leave`, see above.
        let is_blocked = unsafe { source.waiters().join(waiter, wake, || source.arm_for_task()) };
        self.phase = if is_blocked { Phase::Blocked } else { Phase::Unsettled };
        is_blocked
    }

    /// Takes the waiter out of the list, and passes a wake-up on that it had been given.
    #[cold]
    fn leave(&mut self) {
        let source = &self.source;
        let left = match std::mem::replace(&mut self.phase, Phase::Free) {
            Phase::Free => return,
            Phase::Notified => Left::Notified,
            Phase::Unsettled | Phase::Blocked => {
                let waiter = self.waiter.as_ref().expect("a waiter exists once the future has joined");
                source.waiters().leave(waiter, || source.disarm())
            }
        };
        if left == Left::Notified {
            source.waiters().notify(1, || source.disarm());
        }
    }

    /// Attempts until the answer is final, or the peer is busy for too long to keep this thread.
    fn attempt(&mut self) -> Attempt<S::Output> {
        let mut busy = BusyWait::new();
        loop {
            match self.source.attempt() {
                Attempt::Busy if !busy.is_long() => busy.wait(),
                answer => return answer,
            }
        }
    }

    /// Waits, after an attempt in vain that used whatever wake-up was held.
    #[inline(never)]
    fn wait(&mut self, cx: &Context<'_>) -> Poll<S::Output> {
        self.phase = Phase::Free;
        if let Some(output) = let_others_run(&mut self.source) {
            return Poll::Ready(output);
        }
        if self.join(cx) { Poll::Pending } else { self.attempt_to_the_end(cx) }
    }

    /// Polls a future that has waited. Mostly it was woken for good reason.
    #[inline(never)]
    fn poll_again(&mut self, cx: &Context<'_>) -> Poll<S::Output> {
        if self.phase != Phase::Blocked || !self.waiter.as_ref().is_some_and(Waiter::is_notified) {
            return self.poll_slowly(cx);
        }
        match self.source.attempt() {
            Attempt::Done(output) => {
                self.phase = Phase::Free;
                Poll::Ready(output)
            }
            Attempt::Blocked => self.wait(cx),
            Attempt::Busy => self.poll_slowly(cx),
        }
    }

    /// Polls a future that is in the list, or holds a wake-up that was not used by its first attempt.
    #[cold]
    fn poll_slowly(&mut self, cx: &Context<'_>) -> Poll<S::Output> {
        if self.phase == Phase::Blocked || self.phase == Phase::Unsettled {
            let waiter = self.waiter.as_ref().expect("a waiter exists once the future has joined");
            match self.source.waiters().refresh(waiter, cx.waker()) {
                // What the next attempt brings may be what the busy peer was at, older than what we were woken for.
                Left::Notified if self.phase == Phase::Unsettled => self.leave(),
                Left::Notified => self.phase = Phase::Notified,
                Left::Waiting if self.phase == Phase::Blocked => return Poll::Pending,
                Left::Waiting => {}
            }
        }
        self.attempt_to_the_end(cx)
    }

    /// Attempts until it is done, or asleep, or a peer is busy.
    fn attempt_to_the_end(&mut self, cx: &Context<'_>) -> Poll<S::Output> {
        loop {
            let answer = self.attempt();
            if self.phase == Phase::Notified && !matches!(answer, Attempt::Busy) {
                // A final answer uses the wake-up. A busy peer does not: its step may not be the one we were woken for.
                self.phase = Phase::Free;
            }
            match answer {
                Attempt::Done(output) => {
                    self.leave();
                    return Poll::Ready(output);
                }
                Attempt::Busy => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Attempt::Blocked if self.phase == Phase::Free => {
                    if self.join(cx) {
                        return Poll::Pending;
                    }
                }
                Attempt::Blocked => {
                    self.phase = Phase::Blocked;
                    return Poll::Pending;
                }
            }
        }
    }
}

impl<S: Source> Future for Waiting<S> {
    type Output = S::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<S::Output> {
        // SAFETY: nothing is moved out of the future; the waiter is handled in place.
        let this = unsafe { self.get_unchecked_mut() };
        if this.phase != Phase::Free {
            return this.poll_again(cx);
        }
        // Most futures are ready at once: those never leave the caller.
        match this.source.attempt() {
            Attempt::Done(output) => Poll::Ready(output),
            Attempt::Blocked => this.wait(cx),
            Attempt::Busy => this.poll_slowly(cx),
        }
    }
}

impl<S: Source> Drop for Waiting<S> {
    #[inline]
    fn drop(&mut self) {
        if self.phase != Phase::Free {
            self.leave();
        }
    }
}

impl<S: Source> std::fmt::Debug for Waiting<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiting").finish_non_exhaustive()
    }
}
