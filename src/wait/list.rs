//! The set of those who wait for one thing: a lock around a doubly linked list of [`Waiter`]s, first come first woken.
//!
//! L1. A node is WAITING exactly while it is linked, and links change only under the lock.
//! L2. `arm` and `disarm` run under the lock; after each critical section WAIT is set if the list is not empty.
//! L3. No user code runs under the lock: wakers are cloned, woken and dropped outside.

use super::hope::Hope;
use super::spin::{BULK_FROM_TASKS, BULK_FROM_THREADS, Look, SPINS, SpinHistory, look};
use super::waiter::{Waiter, Wake};
use super::{Deadline, WaitStrategy};
use crate::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use crate::sync::{Mutex, MutexGuard};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::Waker;

/// How many waiters are taken out per locking when many are woken, so that the lock is never held for long.
const BATCH: usize = 16;

/// Those who wait for one thing.
pub struct WaitSet {
    list: Mutex<List>,
    /// How spinning and yielding went lately for those who wait here.
    pub(super) spins: SpinHistory,
    /// For how many pauses a thread spins before it gives the processor away for the first time.
    pauses: AtomicU32,
    /// Whether more threads work here than there are processors.
    crowded: AtomicBool,
    /// Whether a thread has waited here.
    threads: AtomicBool,
    pub(super) strategy: WaitStrategy,
    /// What a thread that spins hopes for.
    pub(super) hope: Hope,
    /// Whether a thread registers before it spins: for a source that moves only when it sees that somebody waits.
    pub(super) lines_up_first: bool,
}

struct List {
    first: Option<NonNull<Waiter>>,
    last: Option<NonNull<Waiter>>,
    /// How many nodes there are.
    count: usize,
}

// SAFETY: the pointers are to nodes that stay in place while linked and whose content is `Send`; the lock orders access.
unsafe impl Send for List {}

/// What a waiter that leaves had become.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Left {
    /// Nobody had notified it.
    Waiting,
    /// It had been notified: it holds a wake-up that must be used or passed on.
    Notified,
}

impl WaitSet {
    /// Makes a set with nobody in it.
    pub fn new() -> Self {
        Self::with(WaitStrategy::Adaptive, false)
    }

    /// As [`new`](Self::new), for threads that wait in this way. `lines_up_first`: they register before they spin, as the
    /// source moves only when it sees that somebody waits.
    pub fn with(strategy: WaitStrategy, lines_up_first: bool) -> Self {
        Self {
            list: Mutex::new(List { first: None, last: None, count: 0 }),
            spins: SpinHistory::new(),
            pauses: AtomicU32::new(SPINS),
            crowded: AtomicBool::new(false),
            threads: AtomicBool::new(false),
            strategy,
            lines_up_first,
            hope: Hope::none(),
        }
    }

    /// A thread waits here.
    pub(super) fn note_thread(&self) {
        // ORDERING: Relaxed, here and below; a hint.
        if !self.threads.load(Ordering::Relaxed) {
            // ORDERING: Relaxed; a hint.
            self.threads.store(true, Ordering::Relaxed);
        }
    }

    /// How many at once, of those who wait here, are worth letting them run first.
    pub(super) fn bulk(&self) -> usize {
        // ORDERING: Relaxed; a hint.
        if self.threads.load(Ordering::Relaxed) { BULK_FROM_THREADS } else { BULK_FROM_TASKS }
    }

    /// As this set, with threads that hope for more than one at once.
    pub fn hoping_for(self, hope: Hope) -> Self {
        Self { hope, ..self }
    }

    /// Has threads spin for so many pauses from here on. `crowded`: more threads work here than there are processors, so that it is
    /// nothing special if two of them take turns on one.
    pub fn spin_for(&self, pauses: u32, crowded: bool) {
        // ORDERING: Relaxed; a hint.
        self.pauses.store(pauses, Ordering::Relaxed);
        // ORDERING: Relaxed; a hint.
        self.crowded.store(crowded, Ordering::Relaxed);
    }

    pub(super) fn is_crowded(&self) -> bool {
        // ORDERING: Relaxed; a hint.
        self.crowded.load(Ordering::Relaxed)
    }

    pub(super) fn pauses(&self) -> u32 {
        // ORDERING: Relaxed; a hint.
        self.pauses.load(Ordering::Relaxed)
    }

    /// Lets the thread wait, known to others already, until `done`: whoever makes that true unparks the thread. False: the
    /// deadline passed first.
    pub fn rest(&self, deadline: &Deadline, done: impl Fn() -> bool) -> bool {
        let looks = self.lines_up_first || self.strategy == WaitStrategy::Busy;
        if looks && look(&mut Resting { set: self, done: &done }, deadline).is_some() {
            return true;
        }
        loop {
            if done() {
                return true;
            }
            if deadline.has_passed() {
                return false;
            }
            deadline.park();
        }
    }

    /// Puts a waiter at the end of the list and arms the source. Returns what `arm` does.
    ///
    /// # Safety
    /// The waiter is in no list. It stays where it is until [`WaitSet::leave`] was called on it, or it is notified.
    pub(super) unsafe fn join<R>(&self, waiter: Pin<&Waiter>, wake: Wake, arm: impl FnOnce() -> R) -> R {
        let mut list = self.list.lock();
        list.push_back(waiter.get_ref(), wake);
        arm()
    }

    /// Takes a waiter out of the list, unless a notifier was first.
    pub(super) fn leave(&self, waiter: &Waiter, disarm: impl FnOnce()) -> Left {
        if waiter.is_notified() {
            return Left::Notified;
        }
        let mut list = self.list.lock();
        if !waiter.is_waiting() {
            return Left::Notified;
        }
        let wake = list.unlink(waiter);
        waiter.set_idle();
        list.disarm_if_empty(disarm);
        drop(list);
        drop(wake);
        Left::Waiting
    }

    /// Makes `waker` the one to wake for a waiter. `Notified`: too late, it has been taken out of the list.
    pub(super) fn refresh(&self, waiter: &Waiter, waker: &Waker) -> Left {
        if waiter.is_notified() {
            return Left::Notified;
        }
        let same = {
            let _list = self.list.lock();
            if !waiter.is_waiting() {
                return Left::Notified;
            }
            // SAFETY: the lock is held and the node is linked (L1).
            unsafe { waiter.with_links(|links| links.wake.as_ref().is_some_and(|wake| wake.is_for(waker))) }
        };
        if same { Left::Waiting } else { self.replace(waiter, waker.clone()) }
    }

    fn replace(&self, waiter: &Waiter, waker: Waker) -> Left {
        let list = self.list.lock();
        if !waiter.is_waiting() {
            drop(list);
            return Left::Notified;
        }
        // SAFETY: the lock is held and the node is linked (L1).
        let old = unsafe { waiter.with_links(|links| links.wake.replace(Wake::Task(waker))) };
        drop(list);
        drop(old);
        Left::Waiting
    }

    /// Wakes up to `count` waiters, the longest waiting first, and disarms the source if nobody is left.
    pub fn notify(&self, count: usize, disarm: impl Fn()) {
        if count == 1 {
            let wake = self.list.lock().pop_front(&disarm);
            if let Some(wake) = wake {
                wake.wake();
            }
        } else {
            self.notify_many(count, disarm);
        }
    }

    /// Takes the longest waiting out, for the caller to wake, and disarms the source if nobody is left: for those who hold
    /// another lock. The waiter is notified when this returns.
    pub fn take_first(&self, disarm: impl Fn()) -> Option<Wake> {
        self.list.lock().pop_front(&disarm)
    }

    /// Wakes everybody.
    pub fn notify_all(&self, disarm: impl Fn()) {
        self.notify_many(usize::MAX, disarm);
    }

    #[cold]
    fn notify_many(&self, mut count: usize, disarm: impl Fn()) {
        let mut panicked = None;
        while count > 0 {
            let mut batch = Wakes::new();
            batch.fill(&mut self.list.lock(), count, &disarm);
            let filled = batch.count;
            if let Err(payload) = batch.wake_all() {
                panicked.get_or_insert(payload);
            }
            if filled < BATCH {
                break;
            }
            count -= filled;
        }
        if let Some(payload) = panicked {
            resume_unwind(payload);
        }
    }

    /// Returns how many wait. Stale at once.
    pub fn count(&self) -> usize {
        self.list.lock().count
    }

    /// Whether nobody waits. Stale at once; for tests and for the models.
    #[cfg(any(test, millpond_model))]
    pub fn is_empty(&self) -> bool {
        self.list.lock().first.is_none()
    }
}

/// A thread that is known to others, and looks whether they are done.
struct Resting<'a, F> {
    set: &'a WaitSet,
    done: &'a F,
}

impl<F: Fn() -> bool> Look for Resting<'_, F> {
    type Output = ();

    fn waiters(&self) -> &WaitSet {
        self.set
    }

    fn look(&mut self) -> Option<()> {
        (self.done)().then_some(())
    }
}

/// Sleepers that were taken out of a list and are still to be woken: all of them must be.
pub struct Wakes {
    wakes: [Option<Wake>; BATCH],
    count: usize,
}

impl Wakes {
    /// Holds nobody.
    pub const fn new() -> Self {
        Self { wakes: [const { None }; BATCH], count: 0 }
    }

    /// Whether no more fit in.
    pub const fn is_full(&self) -> bool {
        self.count == BATCH
    }

    /// Adds one. There must be room.
    pub fn add(&mut self, wake: Wake) {
        self.wakes[self.count] = Some(wake);
        self.count += 1;
    }

    /// Takes up to `count` out of the list.
    fn fill(&mut self, list: &mut MutexGuard<'_, List>, count: usize, disarm: &impl Fn()) {
        while self.count < count.min(BATCH) {
            match list.pop_front(disarm) {
                Some(wake) => self.add(wake),
                None => return,
            }
        }
    }

    /// Wakes all, without any lock. A waker is user code: if some panic, the others are woken all the same.
    ///
    /// # Errors
    /// What the first one panicked with.
    pub fn wake_all(self) -> Result<(), Box<dyn Any + Send>> {
        let mut woken = Ok(());
        for wake in self.wakes.into_iter().flatten() {
            let answer = catch_unwind(AssertUnwindSafe(|| wake.wake()));
            woken = woken.and(answer);
        }
        woken
    }
}

impl Default for WaitSet {
    fn default() -> Self {
        Self::new()
    }
}

impl List {
    fn push_back(&mut self, waiter: &Waiter, wake: Wake) {
        let previous = self.last;
        // SAFETY: the caller holds the lock; the node is in no list, so it is the caller's alone.
        unsafe {
            waiter.with_links(|links| {
                links.wake = Some(wake);
                links.previous = previous;
                links.next = None;
            });
        }
        waiter.set_waiting();
        let node = Some(NonNull::from(waiter));
        self.set_next(previous, node);
        self.last = node;
        self.count += 1;
    }

    /// Takes the first waiter out and marks it notified; disarms if it was the last, or if there was none.
    fn pop_front(&mut self, disarm: &impl Fn()) -> Option<Wake> {
        let Some(first) = self.first else {
            disarm();
            return None;
        };
        // SAFETY: a linked node stays where it is (`join`'s contract), and it is linked while the lock is held (L1).
        let waiter = unsafe { first.as_ref() };
        let wake = self.unlink(waiter);
        // From here on the owner may free the node.
        waiter.set_notified();
        self.disarm_if_empty(disarm);
        wake
    }

    /// Takes a linked node out and returns how to wake its owner.
    fn unlink(&mut self, waiter: &Waiter) -> Option<Wake> {
        debug_assert!(waiter.is_waiting() && self.count > 0);
        self.count = self.count.saturating_sub(1);
        // SAFETY: the caller holds the lock and the node is linked (L1).
        let (wake, previous, next) = unsafe {
            waiter.with_links(|links| (links.wake.take(), links.previous.take(), links.next.take()))
        };
        self.set_next(previous, next);
        match next {
            Some(node) => {
                // SAFETY: `next` is linked, so it is in place (`join`'s contract).
                let node = unsafe { node.as_ref() };
                // SAFETY: the caller holds the lock and `node` is linked (L1).
                unsafe { node.with_links(|links| links.previous = previous) };
            }
            None => self.last = previous,
        }
        wake
    }

    /// Makes `next` follow `previous`, or come first.
    fn set_next(&mut self, previous: Option<NonNull<Waiter>>, next: Option<NonNull<Waiter>>) {
        match previous {
            Some(node) => {
                // SAFETY: `previous` is linked, so it is in place (`join`'s contract).
                let node = unsafe { node.as_ref() };
                // SAFETY: the caller holds the lock and `node` is linked (L1).
                unsafe { node.with_links(|links| links.next = next) };
            }
            None => self.first = next,
        }
    }

    fn disarm_if_empty(&self, disarm: impl FnOnce()) {
        if self.first.is_none() {
            disarm();
        }
    }
}

impl std::fmt::Debug for WaitSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WaitSet").finish_non_exhaustive()
    }
}
