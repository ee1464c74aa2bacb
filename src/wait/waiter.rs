//! One sleeping thread or task: a node of the list, which lives where the sleeper lives.

use crate::sync::UnsafeCell;
use crate::sync::atomic::{AtomicU8, Ordering};
use crate::sync::thread::Thread;
use std::marker::PhantomPinned;
use std::ptr::NonNull;
use std::task::Waker;

/// Not in any list. The owner alone touches the node.
const IDLE: u8 = 0;
/// In the list. Links and wake belong to whoever holds the list's lock.
const WAITING: u8 = 1;
/// Taken out of the list by a notifier, which does not touch the node any more.
const NOTIFIED: u8 = 2;

/// How to wake the sleeper.
pub enum Wake {
    /// A parked thread.
    Thread(Thread),
    /// A task.
    Task(Waker),
}

impl Wake {
    /// Wakes the sleeper. User code, for a task: call it without any lock.
    #[inline]
    pub fn wake(self) {
        match self {
            // The standard library enters the system only if the thread really sleeps.
            Self::Thread(thread) => thread.unpark(),
            Self::Task(waker) => waker.wake(),
        }
    }

    /// Whether waking this wakes the same task as waking `waker`.
    pub(super) fn is_for(&self, waker: &Waker) -> bool {
        match self {
            Self::Thread(_) => false,
            Self::Task(own) => own.will_wake(waker),
        }
    }
}

impl std::fmt::Debug for Wake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Thread(_) => "Thread(..)",
            Self::Task(_) => "Task(..)",
        })
    }
}

/// What the list keeps in a node. Guarded by the list's lock while the node is WAITING.
pub(super) struct Links {
    pub(super) wake: Option<Wake>,
    pub(super) previous: Option<NonNull<Waiter>>,
    pub(super) next: Option<NonNull<Waiter>>,
}

/// A node of a [`WaitSet`](super::WaitSet)'s list. It must not move or go away while it is WAITING.
pub struct Waiter {
    state: AtomicU8,
    links: UnsafeCell<Links>,
    /// The list points at the node.
    _pinned: PhantomPinned,
}

// SAFETY: what a node carries are wakers, thread handles and links, all `Send`; the lock and `state` order the accesses.
unsafe impl Send for Waiter {}
// SAFETY: as above: `links` are reached only under the list's lock, or by the owner while the node is in no list.
unsafe impl Sync for Waiter {}

impl Waiter {
    /// Makes a node that is in no list.
    #[inline]
    pub fn new() -> Self {
        Self {
            state: AtomicU8::new(IDLE),
            links: UnsafeCell::new(Links { wake: None, previous: None, next: None }),
            _pinned: PhantomPinned,
        }
    }

    /// Whether a notifier has taken the node out of its list. Nobody else touches the node then.
    #[inline]
    pub fn is_notified(&self) -> bool {
        // ORDERING: Acquire pairs with the Release in `set_notified`: what the notifier did before is seen, and it is
        // done with the node.
        self.state.load(Ordering::Acquire) == NOTIFIED
    }

    /// Whether the node is in no list and holds no wake-up. For its owner.
    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        // ORDERING: Relaxed; only the owner makes it so, and only the owner takes it back.
        self.state.load(Ordering::Relaxed) == IDLE
    }

    /// Whether the node is in the list. Exact only under the list's lock.
    #[inline]
    pub(super) fn is_waiting(&self) -> bool {
        // ORDERING: Relaxed; only changed under the list's lock, which the caller holds.
        self.state.load(Ordering::Relaxed) == WAITING
    }

    /// Marks the node as linked. Call with the list locked.
    #[inline]
    pub(super) fn set_waiting(&self) {
        // ORDERING: Relaxed; the lock orders it for those who hold it, and the owner reads its own store.
        self.state.store(WAITING, Ordering::Relaxed);
    }

    /// Marks the node as taken out by its owner, with the list locked; or, for the owner of one that was notified, as used.
    #[inline]
    pub(super) fn set_idle(&self) {
        // ORDERING: Relaxed; only the owner reads it from here on.
        self.state.store(IDLE, Ordering::Relaxed);
    }

    /// Marks the node as taken out by a notifier: its last access. Call with the list locked.
    #[inline]
    pub(super) fn set_notified(&self) {
        // ORDERING: Release pairs with the Acquire in `is_notified`.
        self.state.store(NOTIFIED, Ordering::Release);
    }

    /// Reaches the links.
    ///
    /// # Safety
    /// The caller holds the lock of the list that the node is in, or owns the node and it is in no list; and `access` does
    /// not reach the same node's links again.
    #[inline]
    pub(super) unsafe fn with_links<R>(&self, access: impl FnOnce(&mut Links) -> R) -> R {
        self.links.with_mut(|links| {
            // SAFETY: exclusive by this function's contract.
            access(unsafe { &mut *links })
        })
    }
}

/// Loom does not see memory freed. This access stands for it, so that a node freed too early fails a model.
#[cfg(millpond_loom)]
impl Drop for Waiter {
    fn drop(&mut self) {
        self.links.with_mut(|_| ());
    }
}

impl std::fmt::Debug for Waiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiter").finish_non_exhaustive()
    }
}
