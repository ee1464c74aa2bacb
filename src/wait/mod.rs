//! Waiting: who sleeps and who is woken. Knows no queue; one layer for threads and tasks.
//!
//! A [`Source`] is something that can be tried. Where trying is in vain, a thread ([`block_on`]) or a task ([`Waiting`])
//! puts a `Waiter` into the source's [`WaitSet`] and sleeps. The waiter lives in the thread's stack frame or inside the
//! future: waiting allocates nothing.
//!
//! # The states of a waiting thread
//! *Trying* (spins and yields, known to nobody) -> *registered* (in the list, tries once more) -> *parked* -> *notified* (out of
//! the list, tries again). A task skips the spinning: another task may need its thread. How long a thread tries, and whether it
//! parks at all, is its set's [`WaitStrategy`]. Where a source moves only when it sees that somebody waits, a thread registers
//! first and then spins on its own waiter ([`WaitSet::rest`]).
//!
//! # Why no wake-up is lost
//! Let `word` be the atomic that changes whenever trying again may succeed: for a receiver the ring's `tail`, for a sender
//! its `head`. It is changed by read-modify-writes only, so all its changes stand in one order, and each reads the one before.
//!
//! * The sleeper: **R1** lock the list, link the waiter, set WAIT in `word` (`arm`), unlock. **R2** attempt. Done: unlink.
//!   Busy: attempt again. Only `Blocked` lets it park. A task that was told in R1 that the source is blocked needs no R2 (see below).
//! * The one who makes progress: **P1** change `word`, remembering the old value. **P2** publish. **P3** if the old value had WAIT:
//!   lock the list, take one waiter out for each step of progress, mark it NOTIFIED, clear WAIT if the list is now empty
//!   (`disarm`), unlock, wake.
//!
//! Take one P1 and one R1. If P1 comes first in the order of `word`, the attempt R2 reads `word` no older than its own R1, so
//! it sees P1: it gets what P published, or finds it taken, or, if P is still before P2, is told `Busy` and never parks on
//! it. If P1 comes after R1, it reads WAIT, for WAIT is cleared only under the lock and when our waiter is no longer in
//! the list; so P reaches P3, and the lock shows it our waiter or one before it. No fence, no second location.
//!
//! R1 reads `word` in the step that sets WAIT. Where the position that it reads is the one that the *other* cursor had already reached
//! before (a `tail` that equals `head`, a `head` one lap behind `tail`), each P1 before R1 has been matched by a claim of the other
//! side, and each P1 after it reads WAIT: the source is blocked as of R1, and R2 would say nothing else. So arming may tell
//! ([`Source::arm_for_task`]), and saves a task that goes to sleep a million times a second the second attempt. A source that was
//! closed before is never called blocked.
//!
//! Each step of progress wakes one *additional* waiter, even if another is already notified: a notified task may never
//! be polled. A wake-up is therefore worth a step, and may not vanish:
//! * a waiter that succeeds in R2 and was notified meanwhile passes the wake-up on, as what it took may be older than
//!   the step that the wake-up stands for (`Registration::leave`);
//! * a waiter that goes away (future dropped, deadline passed, panic) and was notified passes the wake-up on;
//! * a waiter that was notified *and then* attempts has used it, whatever the attempt brought, unless that was `Busy`: the
//!   peer in the way may be about to publish one thing, and the wake-up may stand for another behind it.
//!
//! A thread or task may wait for the first of several sources ([`block_on_any`], [`WaitingAny`]): it stands in the line of each,
//! and passes on what it was given by those that it did not need (`crowd`).
//!
//! Closing is a change of `word` as well, followed by waking everybody ([`WaitSet::notify_all`]): who registers later sees
//! the closed word or, for a source whose closed flag stands in another word, the lock's order shows it.
//!
//! Wakers are user code: they are cloned, woken and dropped outside the lock, and one that panics does not keep the
//! others of its batch from being woken.

#![allow(unreachable_pub, reason = "the loom models reach this layer through a hidden module")]

mod block;
mod block_any;
mod crowd;
mod deadline;
mod future;
mod future_any;
mod hope;
mod list;
mod spin;
mod strategy;
#[cfg(all(test, not(millpond_loom)))]
mod tests;
mod waiter;

#[cfg(millpond_loom)]
pub use block::TimedOut;
pub use block::block_on;
pub use block_any::{block_on_any, try_any};
pub use deadline::Deadline;
pub use future::Waiting;
pub use future_any::WaitingAny;
pub use hope::Hope;
pub use list::{WaitSet, Wakes};
pub use spin::SpinHistory;
pub use strategy::WaitStrategy;
pub use waiter::Wake;

/// What an attempt brought.
#[derive(Debug)]
pub enum Attempt<R> {
    /// It is over, for good or bad.
    Done(R),
    /// Nothing to be had before the source's word changes: worth waiting for.
    Blocked,
    /// A peer is in the middle of a step: try again soon, never sleep on it.
    Busy,
}

/// Those who bring what one waits for.
#[derive(Debug)]
pub struct Others<'a> {
    /// Where they wait in turn.
    pub set: &'a WaitSet,
    /// How many steps they can be ahead at most.
    pub most: usize,
}

/// Something that can be tried, and says where to wait until trying again is worth it.
pub trait Source {
    /// What a successful attempt brings.
    type Output;

    /// Tries once. `Blocked` must be an exact answer: true at some moment during the call.
    fn attempt(&mut self) -> Attempt<Self::Output>;

    /// Returns the set to wait in.
    fn waiters(&self) -> &WaitSet;

    /// Returns how spinning went lately for those who wait like this one: all of the set, unless the source knows better.
    fn spins(&self) -> &SpinHistory {
        &self.waiters().spins
    }

    /// How many pauses a spinning thread lets pass between two attempts. More than one is for sources whose every attempt
    /// holds the other side up, and of which waiting a little brings more: the whole spin is as long either way.
    #[inline(always)]
    fn stride(&self) -> u32 {
        1
    }

    /// Whether trying is worth it for a thread that spins and hopes for more than `ahead` at once. A hint, which ought to cost the
    /// other side less than an attempt does.
    #[inline(always)]
    fn is_worth(&self, _ahead: usize) -> bool {
        true
    }

    /// Returns whom this one waits for. Where all threads share one processor, a task lets them run before it sleeps, if
    /// [`is_worth`](Self::is_worth) says that this lately brought many at once.
    fn others(&self) -> Option<Others<'_>> {
        None
    }

    /// Sets WAIT in the word whose change makes a new attempt worthwhile. Called with the list locked.
    fn arm(&self);

    /// As [`arm`](Self::arm), where the one who waits is a task: for sources to which that makes a difference. Returns whether the
    /// source is known to be blocked as of setting WAIT, so that the attempt that follows can be left out.
    fn arm_for_task(&self) -> bool {
        self.arm();
        false
    }

    /// Clears WAIT. Called with the list locked, when it is empty.
    fn disarm(&self);
}
