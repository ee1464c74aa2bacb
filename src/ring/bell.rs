//! How an end that moves its cursor by plain stores learns that the other end sleeps.
//!
//! In the ring for many, a sleeper leaves its mark in the cursor itself, which is moved by read-modify-writes. An end with a
//! cursor of its own stores it, and then looks at a bell:
//!
//! ```text
//!   mover:    store cursor;  light fence;  look at the bell       sleeper:  ring the bell;  heavy fence;  look at the cursor
//! ```
//!
//! So either the mover hears the bell or the sleeper sees the cursor moved (Dekker's argument, with the pair of fences of
//! `sync`). The heavy fence interrupts the other processors for some microseconds. That is little beside the parking of a
//! thread, and far too much for a task, which may go to sleep a million times a second: so the first task that sleeps makes
//! the bell STRICT, and from then on both sides use plain fences. Where the system has no such interruption, it is STRICT from the
//! start.

use crate::sync::atomic::{AtomicU32, Ordering, fence};
use crate::sync::{Sleeper, fences_are_free, free_fence, heavy_fence};

/// Somebody sleeps.
pub(super) const WAIT: u32 = 1;
/// Movers pass a full fence before they look. Never lowered.
const STRICT: u32 = 1 << 1;
/// The ring is closed. Never lowered.
pub(super) const CLOSED: u32 = 1 << 2;

/// The flags that one end raises and the other looks at after each step.
pub(super) struct Bell(AtomicU32);

impl Bell {
    pub(super) fn new() -> Self {
        let flags = if fences_are_free() { 0 } else { STRICT };
        Self(AtomicU32::new(flags))
    }

    /// Looks, behind a move of the cursor: 0, or any of WAIT and CLOSED.
    #[inline(always)]
    pub(super) fn look_after_move(&self) -> u32 {
        // ORDERING: the light half of the pair: the cursor's store comes before this look. Where it is not free, the bell is strict.
        free_fence();
        // ORDERING: Relaxed; the fences order it.
        let flags = self.0.load(Ordering::Relaxed);
        if flags == 0 { 0 } else { self.look_strictly(flags) }
    }

    #[inline(always)]
    fn look_strictly(&self, flags: u32) -> u32 {
        if flags & STRICT == 0 {
            return flags;
        }
        // ORDERING: SeqCst pairs with the one that a sleeper passes in its last look at the cursor.
        fence(Ordering::SeqCst);
        // ORDERING: Relaxed; the fences order it.
        self.0.load(Ordering::Relaxed) & !STRICT
    }

    /// Says that somebody sleeps, unless the next look at the cursor, behind this and a SeqCst fence, shows that it need not.
    ///
    /// Call with the list of sleepers locked.
    pub(super) fn ring(&self, sleeper: Sleeper) {
        let flags = if sleeper == Sleeper::Task { WAIT | STRICT } else { WAIT };
        // ORDERING: Relaxed; the fences order it.
        let before = self.0.fetch_or(flags, Ordering::Relaxed);
        if sleeper == Sleeper::Task && before & STRICT != 0 {
            // Movers have been strict since the heavy fence of the task that made them so, which held the same lock; the
            // other half of their fence is the one that every look passes before it says that the ring is empty or full.
            return;
        }
        // ORDERING: the heavy half of the pair.
        heavy_fence();
    }

    /// Says that nobody sleeps. Call with the list of sleepers locked, when it is empty.
    pub(super) fn hush(&self) {
        // ORDERING: Relaxed; the list's lock orders this against `ring`.
        self.0.fetch_and(!WAIT, Ordering::Relaxed);
    }

    /// Says that the ring is closed, to every look behind this.
    pub(super) fn close(&self) {
        // ORDERING: Release pairs with the Acquire in `is_closed`; what else is said of it is ordered by the fences.
        self.0.fetch_or(CLOSED, Ordering::Release);
        // ORDERING: the heavy half of the pair: a mover that does not hear of it has stored its cursor before.
        heavy_fence();
    }

    /// Whether the ring is closed.
    #[inline(always)]
    pub(super) fn is_closed(&self) -> bool {
        // ORDERING: Acquire pairs with the Release in `close`: who hears of it sees what was done before.
        self.0.load(Ordering::Acquire) & CLOSED != 0
    }
}
