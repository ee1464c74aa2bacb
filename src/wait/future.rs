//! How a task waits for a source: try, register, return `Pending`. No spinning, no allocation.

use super::list::Left;
use super::waiter::{Waiter, Wake};
use super::{Attempt, Source};
use crate::sync::BusyWait;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that is ready when its source is done.
///
/// *Cancel safety.* Dropping it takes nothing from the source, and a wake-up that it had been given goes to the next
/// waiter. Forgetting it ([`std::mem::forget`]) costs the others nothing either: each step of progress wakes somebody else.
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
    #[cfg(feature = "stream")]
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

    /// Puts the waiter into the list.
    fn join(&mut self, cx: &Context<'_>) {
        debug_assert_eq!(self.phase, Phase::Free);
        // Cloned before the lock is taken: a waker is user code.
        let wake = Wake::Task(cx.waker().clone());
        let waiter = self.waiter.insert(Waiter::new());
        // SAFETY: the future is pinned (only `poll` calls this), and the waiter is neither replaced nor dropped before
        // it is out of the list: `phase` is Free here, and `leave` runs in `drop`.
        let waiter = unsafe { Pin::new_unchecked(&*waiter) };
        let source = &self.source;
        // SAFETY: the waiter is new, so it is in no list; it stays in place until `leave`, see above.
        unsafe { source.waiters().join(waiter, wake, || source.arm()) };
        self.phase = Phase::Unsettled;
    }

    /// Takes the waiter out of the list, and passes a wake-up on that it had been given.
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

    /// Looks whether the waiter was notified, and sees to it that the right task will be.
    fn is_still_blocked(&mut self, cx: &Context<'_>) -> bool {
        if matches!(self.phase, Phase::Free | Phase::Notified) {
            return false;
        }
        let waiter = self.waiter.as_ref().expect("a waiter exists once the future has joined");
        match self.source.waiters().refresh(waiter, cx.waker()) {
            Left::Notified if self.phase == Phase::Unsettled => {
                // What the next attempt brings may be what the busy peer was at, older than what we were woken for.
                self.leave();
                false
            }
            Left::Notified => {
                self.phase = Phase::Notified;
                false
            }
            Left::Waiting => self.phase == Phase::Blocked,
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

    fn poll_in_place(&mut self, cx: &Context<'_>) -> Poll<S::Output> {
        if self.is_still_blocked(cx) {
            return Poll::Pending;
        }
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
                Attempt::Blocked if self.phase == Phase::Free => self.join(cx),
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
        this.poll_in_place(cx)
    }
}

impl<S: Source> Drop for Waiting<S> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl<S: Source> std::fmt::Debug for Waiting<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiting").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(millpond_loom)))]
mod tests {
    use super::*;
    use crate::wait::WaitSet;
    use std::cell::RefCell;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering::SeqCst;
    use std::task::{Wake, Waker};

    /// A source that answers what a test wrote down for it.
    struct Scripted<'a> {
        waiters: &'a WaitSet,
        answers: RefCell<Vec<Attempt<()>>>,
    }

    impl Source for Scripted<'_> {
        type Output = ();

        fn attempt(&mut self) -> Attempt<()> {
            self.answers.borrow_mut().pop().unwrap_or(Attempt::Busy)
        }

        fn waiters(&self) -> &WaitSet {
            self.waiters
        }

        fn arm(&self) {}

        fn disarm(&self) {}
    }

    #[derive(Default)]
    struct Bell(AtomicUsize);

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    type Future<'a> = Pin<Box<Waiting<Scripted<'a>>>>;

    /// Makes a future that gives these answers, the last one first, then `Busy`; and polls it once.
    fn scripted(waiters: &WaitSet, answers: Vec<Attempt<()>>) -> (Future<'_>, Arc<Bell>) {
        let mut future = Box::pin(Waiting::new(Scripted { waiters, answers: RefCell::new(answers) }));
        let bell = Arc::new(Bell::default());
        assert!(poll(&mut future, &bell).is_pending());
        (future, bell)
    }

    /// Makes a future that is registered and really blocked, and answers `Busy` from then on.
    fn blocked(waiters: &WaitSet) -> (Future<'_>, Arc<Bell>) {
        scripted(waiters, vec![Attempt::Blocked, Attempt::Blocked])
    }

    fn poll(future: &mut Future<'_>, bell: &Arc<Bell>) -> Poll<()> {
        future.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(bell))))
    }

    /// A notified future that met a busy peer has not used its wake-up: cancelled, it passes it on (promise 3).
    #[test]
    fn a_wake_up_outlives_a_busy_peer() {
        let waiters = WaitSet::new();
        let (mut first, first_bell) = blocked(&waiters);
        let (second, second_bell) = blocked(&waiters);
        waiters.notify(1, || ());
        assert!(poll(&mut first, &first_bell).is_pending(), "the peer is busy");
        assert!(poll(&mut first, &first_bell).is_pending(), "and stays so");
        assert_eq!(second_bell.0.load(SeqCst), 0);
        drop(first);
        assert_eq!(second_bell.0.load(SeqCst), 1);
        drop(second);
        assert!(waiters.is_empty());
    }

    /// A future that met a busy peer right after registering is still in R2 when it is notified (see `wait`): what it then
    /// finds may be older than what it was woken for, so the wake-up goes to the next.
    #[test]
    fn an_unsettled_success_passes_the_wake_up_on() {
        let waiters = WaitSet::new();
        let (mut first, first_bell) = scripted(&waiters, vec![Attempt::Blocked]);
        let (_second, second_bell) = blocked(&waiters);
        waiters.notify(1, || ());
        first.source.answers.borrow_mut().push(Attempt::Done(()));
        assert!(poll(&mut first, &first_bell).is_ready());
        assert_eq!(second_bell.0.load(SeqCst), 1);
    }

    /// A final answer uses the wake-up, also after busy ones: nobody else is woken for it.
    #[test]
    fn a_final_answer_uses_the_wake_up() {
        for answer in [Attempt::Done(()), Attempt::Blocked] {
            let waiters = WaitSet::new();
            let (mut first, first_bell) = blocked(&waiters);
            let (_second, second_bell) = blocked(&waiters);
            waiters.notify(1, || ());
            assert!(poll(&mut first, &first_bell).is_pending(), "the peer is busy");
            first.source.answers.borrow_mut().push(answer);
            let _ = poll(&mut first, &first_bell);
            drop(first);
            assert_eq!(second_bell.0.load(SeqCst), 0);
        }
    }
}
