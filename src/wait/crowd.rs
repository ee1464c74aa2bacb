//! The waiters of one sleeper that waits for several sources at once: one waiter for each source, in its own set.
//!
//! Whoever makes progress at one source takes that waiter out and wakes the sleeper, and knows nothing of the others. So the
//! sleeper may come to hold several wake-ups, of which it needs one at most:
//!
//! C1. Before it ends or goes to sleep again, all waiters are out of their sets, and each wake-up was used or passed on.
//! C2. A wake-up is used by an attempt at its own source, made after it came, whose answer is final (`wait`). One that came
//!     before the attempts of registered waiters have ended, or for a source that was not attempted any more because another
//!     was ready, is passed on: the next in that set's line is woken.

use super::list::Left;
use super::waiter::{Waiter, Wake};
use super::{Attempt, Deadline, Source};
use crate::sync::BusyWait;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::Waker;

/// Several sources, and a waiter for each. Leaves all sets when dropped, also while a panic unwinds.
pub(super) struct Crowd<'a, S: Source<Output = ()>, W: AsRef<[Waiter]>> {
    sources: &'a mut [S],
    /// As many as there are sources, or none while there was nothing to wait for. They stay in place until this is dropped.
    waiters: W,
}

/// The first payload of several calls that panicked.
#[derive(Default)]
struct Panic(Option<Box<dyn Any + Send>>);

impl Panic {
    /// Calls: the calls after this one must be made whether or not it panics.
    fn catch(&mut self, call: impl FnOnce()) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(call)) {
            self.0.get_or_insert(payload);
        }
    }

    fn resume(self) {
        if let Some(payload) = self.0 {
            resume_unwind(payload);
        }
    }
}

impl<'a, S: Source<Output = ()>, W: AsRef<[Waiter]>> Crowd<'a, S, W> {
    /// Makes a crowd of waiters that are in no set.
    pub(super) fn new(sources: &'a mut [S], waiters: W) -> Self {
        Self { sources, waiters }
    }

    pub(super) const fn sources(&mut self) -> &mut [S] {
        self.sources
    }

    fn pairs(&self) -> impl Iterator<Item = (&S, &Waiter)> {
        self.sources.iter().zip(self.waiters.as_ref())
    }

    /// Puts every waiter into the set of its source.
    pub(super) fn join(&mut self, for_task: bool, wake: impl Fn() -> Wake) {
        debug_assert_eq!(self.waiters.as_ref().len(), self.sources.len());
        for (source, waiter) in self.pairs() {
            // Made before the lock is taken: a waker is user code.
            let wake = wake();
            // SAFETY: the waiters lie behind a pointer that this holds, and are neither moved nor freed before `drop`.
            let waiter = unsafe { Pin::new_unchecked(waiter) };
            let arm = || if for_task { _ = source.arm_for_task() } else { source.arm() };
            // SAFETY: the waiter is in no set (C1), and stays in place until `drop`, which calls `leave`.
            unsafe { source.waiters().join(waiter, wake, arm) };
        }
    }

    /// Whether a wake-up is held.
    pub(super) fn is_notified(&self) -> bool {
        self.waiters.as_ref().iter().any(Waiter::is_notified)
    }

    /// As [`is_notified`](Self::is_notified), and sees to it that the right task will be woken.
    pub(super) fn refresh(&self, waker: &Waker) -> bool {
        let mut notified = false;
        for (source, waiter) in self.pairs() {
            notified |= source.waiters().refresh(waiter, waker) == Left::Notified;
        }
        notified
    }

    /// Takes every waiter out of its set. Those that were notified hold a wake-up each.
    pub(super) fn leave(&mut self) {
        let mut panic = Panic::default();
        for (source, waiter) in self.pairs().filter(|(_, waiter)| !waiter.is_idle()) {
            // Frees a waker, which is user code. Who was notified before stays so.
            panic.catch(|| _ = source.waiters().leave(waiter, || source.disarm()));
        }
        panic.resume();
    }

    /// Passes all wake-ups on that are still held. Call when no waiter is in a set.
    pub(super) fn forward(&mut self) {
        let mut panic = Panic::default();
        for (source, waiter) in self.pairs().filter(|(_, waiter)| waiter.is_notified()) {
            waiter.set_idle();
            panic.catch(|| source.waiters().notify(1, || source.disarm()));
        }
        panic.resume();
    }

    /// Tries every source, until one is done. With `using`, final answers use the wake-ups that are held: for attempts after
    /// all waiters have left their sets.
    fn attempt(&mut self, using: bool) -> Attempt<usize> {
        let mut busy = false;
        for (index, source) in self.sources.iter_mut().enumerate() {
            let answer = source.attempt();
            let is_final = !matches!(answer, Attempt::Busy);
            if let (true, true, Some(waiter)) = (using, is_final, self.waiters.as_ref().get(index)) {
                waiter.set_idle();
            }
            if matches!(answer, Attempt::Done(())) {
                return Attempt::Done(index);
            }
            busy |= !is_final;
        }
        if busy { Attempt::Busy } else { Attempt::Blocked }
    }

    /// Tries until one source is done, or all are really blocked. Gives up at the deadline, where a peer that is in the middle
    /// of a step stands still.
    pub(super) fn attempt_until_final(&mut self, using: bool, deadline: &Deadline) -> Attempt<usize> {
        let mut busy = BusyWait::new();
        loop {
            match self.attempt(using) {
                Attempt::Busy if !(busy.is_long() && deadline.has_passed()) => busy.wait(),
                answer => return answer,
            }
        }
    }

    /// As above, but gives up where a peer is busy for too long to keep this thread.
    pub(super) fn attempt_for_a_while(&mut self, using: bool) -> Attempt<usize> {
        let mut busy = BusyWait::new();
        loop {
            match self.attempt(using) {
                Attempt::Busy if !busy.is_long() => busy.wait(),
                answer => return answer,
            }
        }
    }
}

impl<S: Source<Output = ()>> Crowd<'_, S, Vec<Waiter>> {
    /// Makes the waiters if there are none.
    pub(super) fn make_waiters(&mut self) {
        if self.waiters.is_empty() {
            self.waiters.resize_with(self.sources.len(), Waiter::new);
        }
    }
}

impl<S: Source<Output = ()>, W: AsRef<[Waiter]>> Drop for Crowd<'_, S, W> {
    fn drop(&mut self) {
        let mut panic = Panic::default();
        panic.catch(|| self.leave());
        panic.catch(|| self.forward());
        panic.resume();
    }
}
