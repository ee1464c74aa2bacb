//! How a task waits for the first of several sources: try, register with all, return `Pending`. No spinning.

use super::crowd::Crowd;
use super::waiter::{Waiter, Wake};
use super::{Attempt, Source};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that is ready when the first of several sources is done, and says which.
///
/// Pending for ever if there is no source. Its one allocation, of the waiters, is made when it first has to wait.
///
/// *Cancel safety.* As of `Waiting`: nothing is taken, and wake-ups that it had been given go to the next waiters.
pub struct WaitingAny<'a, S: Source<Output = ()>> {
    crowd: Crowd<'a, S, Vec<Waiter>>,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// In no set. Wake-ups may be held that met a busy peer.
    Free,
    /// In all sets, or some, but the attempts after registering met a busy peer: attempt again when polled.
    Unsettled,
    /// In all sets and really blocked: only a notification matters.
    Blocked,
}

impl<'a, S: Source<Output = ()>> WaitingAny<'a, S> {
    /// Makes a future that has not tried yet.
    pub fn new(sources: &'a mut [S]) -> Self {
        Self { crowd: Crowd::new(sources, Vec::new()), phase: Phase::Free }
    }

    /// Returns the sources.
    pub fn sources(self: Pin<&mut Self>) -> &mut [S] {
        // SAFETY: nothing is moved out of the future: the sources lie elsewhere, and are not pinned.
        let this = unsafe { self.get_unchecked_mut() };
        this.crowd.sources()
    }

    /// Leaves all sets. What was notified before the first attempts had ended is passed on: what the next ones bring may be
    /// older.
    fn leave(&mut self) {
        let phase = std::mem::replace(&mut self.phase, Phase::Free);
        if phase != Phase::Free {
            self.crowd.leave();
        }
        if phase == Phase::Unsettled {
            self.crowd.forward();
        }
    }

    /// Registers with all sources and tries once more.
    fn join(&mut self, cx: &Context<'_>) -> Poll<usize> {
        self.crowd.make_waiters();
        self.phase = Phase::Unsettled;
        self.crowd.join(true, || Wake::Task(cx.waker().clone()));
        match self.crowd.attempt_for_a_while(false) {
            Attempt::Done(index) => {
                self.leave();
                return Poll::Ready(index);
            }
            Attempt::Busy => cx.waker().wake_by_ref(),
            Attempt::Blocked => self.phase = Phase::Blocked,
        }
        Poll::Pending
    }
}

impl<S: Source<Output = ()>> Future for WaitingAny<'_, S> {
    type Output = usize;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        // SAFETY: nothing is moved out of the future, and its waiters lie elsewhere.
        let this = unsafe { self.get_unchecked_mut() };
        if this.phase == Phase::Blocked && !this.crowd.refresh(cx.waker()) {
            return Poll::Pending;
        }
        this.leave();
        match this.crowd.attempt_for_a_while(true) {
            Attempt::Done(index) => {
                this.crowd.forward();
                Poll::Ready(index)
            }
            Attempt::Busy => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Attempt::Blocked => this.join(cx),
        }
    }
}

impl<S: Source<Output = ()>> std::fmt::Debug for WaitingAny<'_, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WaitingAny").finish_non_exhaustive()
    }
}
