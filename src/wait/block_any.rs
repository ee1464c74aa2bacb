//! How a thread waits for the first of several sources: as for one, but in all their lines at the same time.

use super::block::TimedOut;
use super::crowd::Crowd;
use super::spin::{Look, look};
use super::waiter::{Waiter, Wake};
use super::{Attempt, Deadline, Source, WaitSet};
use crate::sync::{BusyWait, thread};

/// Up to so many sources the waiters stand on the stack. A guess: more than that are rare.
const FEW: usize = 8;

/// Blocks the thread until one of the sources is done, or the deadline has passed. Tries each at least once, in order.
///
/// Returns the index of the one that is done; nothing was taken from the others. Without sources it waits for the deadline.
///
/// # Errors
/// [`TimedOut`] if the deadline passed first. The sources are as before.
#[inline]
pub fn block_on_any<S: Source<Output = ()>>(
    sources: &mut [S],
    deadline: Deadline,
) -> Result<usize, TimedOut> {
    match attempt_each(sources) {
        Attempt::Done(index) => Ok(index),
        Attempt::Blocked | Attempt::Busy => block_slowly(sources, deadline),
    }
}

/// Tries every source once, in order, and again while a peer is in the middle of a step.
///
/// Returns the index of the one that is done. `None`: at some moment during the call each of them was blocked.
pub fn try_any<S: Source<Output = ()>>(sources: &mut [S]) -> Option<usize> {
    let mut busy = BusyWait::new();
    loop {
        match attempt_each(sources) {
            Attempt::Done(index) => return Some(index),
            Attempt::Blocked => return None,
            Attempt::Busy => busy.wait(),
        }
    }
}

/// Tries every source once, until one is done.
fn attempt_each<S: Source<Output = ()>>(sources: &mut [S]) -> Attempt<usize> {
    let mut busy = false;
    for (index, source) in sources.iter_mut().enumerate() {
        match source.attempt() {
            Attempt::Done(()) => return Attempt::Done(index),
            Attempt::Blocked => {}
            Attempt::Busy => busy = true,
        }
    }
    if busy { Attempt::Busy } else { Attempt::Blocked }
}

/// Several sources that are only looked at, not waited in line for.
struct Looks<'a, S>(&'a mut [S]);

impl<S: Source<Output = ()>> Look for Looks<'_, S> {
    type Output = usize;

    /// Whether looking is worth it is remembered, and how to wait was chosen, where the first of them is waited for.
    fn waiters(&self) -> &WaitSet {
        self.0[0].waiters()
    }

    /// What is hoped for is that of the first as well.
    fn is_worth(&self, ahead: usize) -> bool {
        self.0.iter().any(|source| source.is_worth(ahead))
    }

    fn look(&mut self) -> Option<usize> {
        match attempt_each(self.0) {
            Attempt::Done(index) => Some(index),
            Attempt::Blocked | Attempt::Busy => None,
        }
    }
}

#[cold]
fn block_slowly<S: Source<Output = ()>>(sources: &mut [S], deadline: Deadline) -> Result<usize, TimedOut> {
    loop {
        // Where one must be registered to be met, looking is in vain: see `WaitSet::rest`.
        if sources.first().is_some_and(|first| !first.waiters().lines_up_first) {
            if let Some(index) = look(&mut Looks(sources), &deadline) {
                return Ok(index);
            }
        }
        match park(sources, &deadline) {
            Rest::Done(index) => return Ok(index),
            Rest::TimedOut => return Err(TimedOut),
            Rest::InVain => {}
        }
    }
}

/// How a sleep ended.
enum Rest {
    /// This source is done.
    Done(usize),
    TimedOut,
    /// Somebody made progress, and somebody else took it.
    InVain,
}

/// Registers with all, tries once more, and sleeps until one notifies or the deadline passes; then tries again.
fn park<S: Source<Output = ()>>(sources: &mut [S], deadline: &Deadline) -> Rest {
    let (few, many);
    let waiters: &[Waiter] = if sources.len() <= FEW {
        few = std::array::from_fn::<_, FEW, _>(|_| Waiter::new());
        &few[..sources.len()]
    } else {
        many = (0..sources.len()).map(|_| Waiter::new()).collect::<Box<_>>();
        &many
    };
    let mut crowd = Crowd::new(sources, waiters);
    crowd.join(false, || Wake::Thread(thread::current()));
    match crowd.attempt_until_final(false, deadline) {
        Attempt::Done(index) => return Rest::Done(index),
        Attempt::Busy => return Rest::TimedOut,
        Attempt::Blocked => {}
    }
    let rest = loop {
        if crowd.is_notified() {
            break Rest::InVain;
        }
        if deadline.has_passed() {
            break Rest::TimedOut;
        }
        deadline.park();
    };
    crowd.leave();
    // A wake-up that came just as the time ran out is used here, too.
    match crowd.is_notified().then(|| crowd.attempt_until_final(true, deadline)) {
        Some(Attempt::Done(index)) => Rest::Done(index),
        _ => rest,
    }
    // What the crowd still holds is passed on when it is dropped.
}
