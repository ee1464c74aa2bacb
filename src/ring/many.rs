//! A bounded ring of slots, shared by any number of pushers and poppers.
//!
//! ```text
//!   index:      0        1        2        3         capacity = 4, written as lap.index
//!          +--------+--------+--------+--------+
//!   stamp: |  1.0   | 0.1 F  | 0.2 F  |  0.3   |     slots 1 and 2 are full (F), slot 3 is free,
//!          +--------+--------+--------+--------+     slot 0 was popped and waits for lap 1
//!                    ^ head = 0.1      ^ tail = 0.3
//! ```
//!
//! I1. A slot is written at position `p` only while its stamp is `p`, and read only while its stamp is `p | FULL`.
//! I2. Only the thread whose CAS moved `tail` past `p` writes `p`; only the one whose CAS moved `head` past `p` reads it.
//! I3. `tail` is at most one lap ahead of `head`, and one position more for each push that is displacing a value.
//! I4. The flags of a cursor word survive each move of the cursor; after CLOSED `tail` never moves again.
//!
//! An operation is one CAS on a cursor, one load and one store of a stamp. The protocol is Dmitry Vyukov's bounded MPMC
//! queue (1024cores.net, 2010); the flags inside the cursor words follow the `parked` bit of JCTools'
//! `MpscBlockingConsumerArrayQueue`. Stamps are as wide as positions, so a slot is never mistaken for its own past.
//!
//! *Progress.* `push` and `pop` take no lock, but they are not lock-free in the formal sense: a thread that is suspended
//! between its CAS and its stamp (a move of one value) keeps that one slot, and who needs exactly that slot is told
//! `Busy`. All other slots stay usable. Neither ever waits.
//!
//! *Ordering.* The value travels under the stamps' Release and Acquire. What a flag promises follows from the one order of
//! the changes of its cursor, each of which is a read-modify-write. The answers `Full` and `Empty` compare both cursors, and
//! must not see a move of one without the moves of the other that came before it: every move is a Release, and the SeqCst
//! fence between the two looks acquires it. So a ring that was never empty never says `Empty`, and the fence also keeps
//! threads that push to one ring and then look at another from both missing each other: the ring is linearizable, and
//! so is any set of rings.

use super::cursor::{CLOSED, Geometry, RESERVED, WAIT, flags, position};
use super::slot::Slot;
use super::{Owed, PopError, PushError};
use crate::sync::atomic::{AtomicU64, Ordering, fence};
use crate::sync::{BusyWait, CachePadded, Mutex, hint};
use std::collections::VecDeque;

/// Pauses after a lost CAS, so that two threads do not take the cursor's cache line from each other at every step.
///
/// Measured with 0 to 1000 pauses: 30 to 60 are best at all capacities, worth 1.5 times with several threads a side.
const PAUSES_AFTER_LOST_CAS: u32 = 40;

/// The ring. See the head of this file.
pub struct Mpmc<T> {
    /// The next position to pop. Carries WAIT while pushers wait.
    pub(super) head: CachePadded<AtomicU64>,
    /// The next position to push. Carries WAIT while poppers wait, RESERVED while there are credits, and CLOSED.
    pub(super) tail: CachePadded<AtomicU64>,
    slots: Box<[Slot<T>]>,
    pub(super) geometry: Geometry,
    /// For how many values room is promised (`credit`).
    pub(super) credits: CachePadded<Mutex<usize>>,
}

// SAFETY: values are moved in by one thread and out by another, never shared (I2), so `T: Send` is all it takes.
unsafe impl<T: Send> Send for Mpmc<T> {}
// SAFETY: as above; `&Mpmc<T>` gives no `&T`.
unsafe impl<T: Send> Sync for Mpmc<T> {}

/// What a push that may displace did.
#[cfg_attr(millpond_loom, derive(Debug))]
pub struct Pushed<T> {
    /// The oldest value, if the ring was full.
    pub evicted: Option<T>,
    /// Whether a popper is owed a wake-up.
    pub poppers_wait: bool,
}

/// Why a position could not be claimed.
pub(super) enum Refusal {
    /// Nothing to pop, or no room: the position at which this was seen.
    Exhausted(u64),
    Closed,
    Busy,
}

/// A run of positions won by a CAS, from `first` on.
pub(super) struct Claim {
    pub(super) first: u64,
    pub(super) count: usize,
    /// Whether the other side is owed a wake-up for each position.
    pub(super) others_wait: bool,
}

impl<T> Mpmc<T> {
    /// Makes an empty ring of exactly `capacity` slots.
    ///
    /// # Panics
    /// If `capacity` is 0, or the memory for it cannot be addressed or allocated.
    pub fn new(capacity: usize) -> Self {
        Self::starting_at(Geometry::new(capacity), 0)
    }

    /// Makes a ring whose positions wrap around after `laps` trips.
    #[cfg(any(test, millpond_model))]
    pub fn near_wrap_around(capacity: usize, laps: u64) -> Self {
        let geometry = Geometry::new(capacity);
        Self::starting_at(geometry, geometry.start_before_wrap(laps))
    }

    pub(super) fn starting_at(geometry: Geometry, start: u64) -> Self {
        let capacity = geometry.capacity();
        let mut slots = Vec::new();
        if let Err(error) = slots.try_reserve_exact(capacity) {
            panic!("a ring of {capacity} slots does not fit into memory: {error}");
        }
        let mut at = start;
        for _ in 0..capacity {
            slots.push(Slot::new(at));
            at = geometry.next(at);
        }
        Self {
            head: CachePadded::new(AtomicU64::new(start)),
            tail: CachePadded::new(AtomicU64::new(start)),
            slots: slots.into_boxed_slice(),
            geometry,
            credits: CachePadded::new(Mutex::new(0)),
        }
    }

    /// Pushes a value behind all others. `Ok(true)`: a popper waits and is owed a wake-up.
    #[inline(always)]
    pub fn push(&self, value: T) -> Result<bool, PushError<T>> {
        match self.claim_tail(1) {
            Ok(claim) => {
                // SAFETY: `claim_tail` won this position and saw its slot writable (I1, I2).
                unsafe { self.slot(claim.first).publish(claim.first, value) };
                Ok(claim.others_wait)
            }
            Err(Refusal::Exhausted(_)) => Err(PushError::Full(value)),
            Err(Refusal::Closed) => Err(PushError::Closed(value)),
            Err(Refusal::Busy) => Err(PushError::Busy(value)),
        }
    }

    /// Pops the oldest value. With it: whether a pusher waits and is owed a wake-up.
    #[inline]
    pub fn pop(&self) -> Result<(T, Owed), PopError> {
        let claim = self.claim_head(1)?;
        // SAFETY: `claim_head` won this position and saw its slot readable (I1, I2); it is taken here only.
        let value = unsafe { self.slot(claim.first).take() };
        self.slot(claim.first).release(self.geometry.next_lap(claim.first));
        Ok((value, claim.others_wait.into()))
    }

    /// Pushes values from the front of `values` while there is room, as one claim: no other push comes between them.
    /// Returns how many, and whether a popper is owed a wake-up for each. `Full` comes only if not even one found room.
    pub fn push_many(&self, values: &mut VecDeque<T>) -> Result<(usize, bool), PushError<()>> {
        let claim = self.claim_tail(values.len()).map_err(|refusal| match refusal {
            Refusal::Exhausted(_) => PushError::Full(()),
            Refusal::Closed => PushError::Closed(()),
            Refusal::Busy => PushError::Busy(()),
        })?;
        let mut at = claim.first;
        for value in values.drain(..claim.count) {
            // SAFETY: `claim_tail` won `count` positions and saw each of their slots writable (I1, I2).
            unsafe { self.slot(at).publish(at, value) };
            at = self.geometry.next(at);
        }
        Ok((claim.count, claim.others_wait))
    }

    /// Pops up to `limit` values that are ready, as one claim, to the end of `values`. Returns how many, and whether a
    /// pusher is owed a wake-up for each.
    pub fn pop_many(&self, values: &mut Vec<T>, limit: usize) -> Result<(usize, bool), PopError> {
        // Room first: a failed allocation inside the claim would leave slots claimed for ever. As much as is ready: the slots tell, and
        // a look at `tail` would take it from the pushers.
        // ORDERING: Relaxed; a guess, and the claim decides.
        let head = position(self.head.load(Ordering::Relaxed));
        let (ready, _) = self.ready_run(head, limit, Slot::is_readable);
        values.reserve(ready.max(1));
        let claim = self.claim_head(limit.min(values.capacity() - values.len()))?;
        let mut at = claim.first;
        for _ in 0..claim.count {
            // SAFETY: `claim_head` won `count` positions and saw each of their slots readable (I1, I2).
            let value = unsafe { self.slot(at).take() };
            self.slot(at).release(self.geometry.next_lap(at));
            values.push(value);
            at = self.geometry.next(at);
        }
        Ok((claim.count, claim.others_wait))
    }

    /// Pops the value at `at`, which is where `head` stands, without a read-modify-write.
    ///
    /// # Safety
    /// The caller alone pops: no `pop`, `pop_many`, `force_push` or `discard` runs at the same time, and `head` is at `at`.
    #[inline(always)]
    pub(super) unsafe fn pop_alone(&self, at: u64) -> Result<T, PopError> {
        let slot = self.slot(at);
        if !slot.is_readable(at) {
            return Err(self.refuse_pop(at).err().unwrap_or(PopError::Busy));
        }
        // SAFETY: the slot is readable, and nobody else pops (this function's contract); it is taken here only.
        let value = unsafe { slot.take() };
        // ORDERING: Release; as in `claim_head`. The slot is given back after it, so that `tail` is never too far ahead (I3).
        self.head.store(self.geometry.next(at), Ordering::Release);
        slot.release(self.geometry.next_lap(at));
        Ok(value)
    }

    /// Returns the position after `at`.
    #[inline(always)]
    pub(super) const fn next(&self, at: u64) -> u64 {
        self.geometry.next(at)
    }

    /// Pushes a value even into a full ring, by displacing the oldest. Never answers `Full`.
    pub fn force_push(&self, value: T) -> Result<Pushed<T>, PushError<T>> {
        let at = match self.claim_tail(1) {
            Ok(claim) => {
                // SAFETY: `claim_tail` won this position and saw its slot writable (I1, I2).
                unsafe { self.slot(claim.first).publish(claim.first, value) };
                return Ok(Pushed { evicted: None, poppers_wait: claim.others_wait });
            }
            Err(Refusal::Closed) => return Err(PushError::Closed(value)),
            Err(Refusal::Busy) => return Err(PushError::Busy(value)),
            Err(Refusal::Exhausted(at)) => at,
        };
        match self.claim_occupied_tail(at) {
            Ok(poppers_wait) => Ok(Pushed { evicted: self.displace(at, value), poppers_wait }),
            // ORDERING: Relaxed; a stale answer costs another round.
            Err(()) if self.tail.load(Ordering::Relaxed) & RESERVED != 0 => self.force_beside_credits(value),
            Err(()) => Err(PushError::Busy(value)),
        }
    }

    /// Closes the ring: no push succeeds any more. Returns whether this call did it.
    pub fn close(&self) -> bool {
        // ORDERING: CLOSED takes its place in the one order of changes of `tail`, which decides what is pushed. Release: who hears of it
        // sees what was done before; all changes of `tail` are read-modify-writes, so later ones pass it on. Acquire: who comes second
        // hears of it here.
        self.tail.fetch_or(CLOSED, Ordering::AcqRel) & CLOSED == 0
    }

    /// Pops and drops values until there is none, in order; waits for those that are just being pushed. A value whose
    /// drop panics does not keep the others from being dropped.
    pub fn discard(&self) {
        struct Rest<'a, T>(&'a Mpmc<T>);
        impl<T> Rest<'_, T> {
            fn drop_all(&self) {
                let mut busy = BusyWait::new();
                loop {
                    match self.0.pop() {
                        Ok((value, _)) => drop(value),
                        Err(PopError::Busy) => busy.wait(),
                        Err(PopError::Empty | PopError::Closed) => return,
                    }
                }
            }
        }
        impl<T> Drop for Rest<'_, T> {
            fn drop(&mut self) {
                self.drop_all();
            }
        }
        Rest(self).drop_all();
    }

    /// Whether the ring is closed. Once true, it stays so.
    pub fn is_closed(&self) -> bool {
        // ORDERING: Acquire pairs with the Release in `close`.
        self.tail.load(Ordering::Acquire) & CLOSED != 0
    }

    /// Returns how many values are inside, those being moved in or out included. Stale at once.
    pub fn len(&self) -> usize {
        loop {
            // ORDERING: Relaxed; an unchanged `tail` around the load of `head` makes both of one moment.
            let tail = self.tail.load(Ordering::Relaxed);
            fence(Ordering::SeqCst);
            // ORDERING: Acquire keeps the second load of `tail` behind this one.
            let head = self.head.load(Ordering::Acquire);
            // ORDERING: Relaxed; compares with the first load.
            let again = self.tail.load(Ordering::Relaxed);
            if position(again) == position(tail) {
                return self.geometry.len(position(head), position(tail));
            }
            hint::spin_loop();
        }
    }

    /// Whether no value is inside. Stale at once.
    #[cfg(millpond_loom)]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many values fit in.
    pub fn capacity(&self) -> usize {
        self.geometry.capacity()
    }

    #[inline(always)]
    pub(super) fn slot(&self, position: u64) -> &Slot<T> {
        let index = self.geometry.index(position);
        debug_assert!(index < self.slots.len());
        // SAFETY: every position in a cursor comes from `Geometry::next`, whose index is below the number of slots.
        unsafe { self.slots.get_unchecked(index) }
    }

    /// Counts the slots from `first` on that are ready by `is_ready`, up to `limit`.
    #[inline(always)]
    pub(super) fn ready_run(
        &self,
        first: u64,
        limit: usize,
        is_ready: impl Fn(&Slot<T>, u64) -> bool,
    ) -> (usize, u64) {
        let (mut count, mut at) = (0, first);
        while count < limit && is_ready(self.slot(at), at) {
            count += 1;
            at = self.geometry.next(at);
        }
        (count, at)
    }

    /// Claims 1 to `limit` free positions for writing.
    #[inline(always)]
    fn claim_tail(&self, limit: usize) -> Result<Claim, Refusal> {
        debug_assert!(limit >= 1);
        // ORDERING: Relaxed; a stale word costs a failed CAS, and a word with CLOSED is final (`claim_slowly` acquires what was done before).
        let mut tail = self.tail.load(Ordering::Relaxed);
        loop {
            if tail & (CLOSED | RESERVED) != 0 {
                return self.claim_slowly(tail, limit);
            }
            let first = position(tail);
            let (count, after) = self.ready_run(first, limit, Slot::is_writable);
            if count > 0 {
                let next = after | flags(tail);
                // ORDERING: Release pairs with the fence in `refuse_push` and `refuse_pop`: who sees this move sees the moves
                // of `head` before it. The values are ordered by the stamps, the flags by the order of this word.
                match self.tail.compare_exchange_weak(tail, next, Ordering::Release, Ordering::Relaxed) {
                    Ok(_) => return Ok(Claim { first, count, others_wait: tail & WAIT != 0 }),
                    Err(_) => tail = Self::reload_after_lost_cas(&self.tail),
                }
            } else {
                tail = self.refuse_push(first)?;
            }
        }
    }

    /// Finds out why the slot of `tail` position `at` is not writable; `Ok` is a newer `tail`.
    #[cold]
    fn refuse_push(&self, at: u64) -> Result<u64, Refusal> {
        // ORDERING: SeqCst pairs with the same fence in `refuse_pop` of another ring (see the head of this file).
        fence(Ordering::SeqCst);
        // ORDERING: Relaxed, behind the fence; a `head` one lap behind means that `tail` still was `at` (I3).
        let head = position(self.head.load(Ordering::Relaxed));
        if self.geometry.next_lap(head) == at {
            return Err(Refusal::Exhausted(at));
        }
        // ORDERING: Relaxed; the CAS decides.
        let tail = self.tail.load(Ordering::Relaxed);
        if position(tail) == at { Err(Refusal::Busy) } else { Ok(tail) }
    }

    /// Claims 1 to `limit` filled positions for reading.
    #[inline(always)]
    fn claim_head(&self, limit: usize) -> Result<Claim, PopError> {
        debug_assert!(limit >= 1);
        // ORDERING: Relaxed; a stale word costs a failed CAS.
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            let first = position(head);
            let (count, after) = self.ready_run(first, limit, Slot::is_readable);
            if count > 0 {
                let next = after | flags(head);
                // ORDERING: Release pairs with the fence in `refuse_push` and `refuse_pop`: who sees this move sees the moves
                // of `tail` before it. The values are ordered by the stamps, the flags by the order of this word.
                match self.head.compare_exchange_weak(head, next, Ordering::Release, Ordering::Relaxed) {
                    Ok(_) => return Ok(Claim { first, count, others_wait: head & WAIT != 0 }),
                    Err(_) => head = Self::reload_after_lost_cas(&self.head),
                }
            } else {
                head = self.refuse_pop(first)?;
            }
        }
    }

    /// Finds out why the slot of `head` position `at` is not readable; `Ok` is a newer `head`.
    fn refuse_pop(&self, at: u64) -> Result<u64, PopError> {
        // ORDERING: SeqCst pairs with the same fence in `refuse_push` of another ring (see the head of this file).
        fence(Ordering::SeqCst);
        // ORDERING: Relaxed, behind the fence; a `tail` at `at` means that `head` still was there.
        let tail = self.tail.load(Ordering::Relaxed);
        if position(tail) == at {
            if tail & CLOSED == 0 {
                return Err(PopError::Empty);
            }
            // ORDERING: Acquire pairs with the Release in `close`.
            fence(Ordering::Acquire);
            return Err(PopError::Closed);
        }
        // ORDERING: Relaxed; the CAS decides.
        let head = self.head.load(Ordering::Relaxed);
        if position(head) == at { Err(PopError::Busy) } else { Ok(head) }
    }

    #[cold]
    fn reload_after_lost_cas(cursor: &AtomicU64) -> u64 {
        if !cfg!(millpond_model) {
            for _ in 0..PAUSES_AFTER_LOST_CAS {
                hint::spin_loop();
            }
        }
        // ORDERING: Relaxed; the CAS decides.
        cursor.load(Ordering::Relaxed)
    }

    /// Moves `tail` past `at` although the slot still holds the value of the lap before. `Ok(true)`: a popper waits.
    fn claim_occupied_tail(&self, at: u64) -> Result<bool, ()> {
        if !self.slot(at).is_readable(self.geometry.last_lap(at)) {
            return Err(());
        }
        // ORDERING: Relaxed; the CAS decides.
        let tail = self.tail.load(Ordering::Relaxed);
        if position(tail) != at || tail & (CLOSED | RESERVED) != 0 {
            return Err(());
        }
        let next = self.geometry.next(at) | flags(tail);
        // ORDERING: Release; as in `claim_tail`.
        match self.tail.compare_exchange(tail, next, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => Ok(tail & WAIT != 0),
            Err(_) => Err(()),
        }
    }

    /// Writes to the claimed position `at`, taking the value of the lap before out unless a popper does.
    fn displace(&self, at: u64, value: T) -> Option<T> {
        let oldest = self.geometry.last_lap(at);
        let slot = self.slot(at);
        let mut busy = BusyWait::new();
        let evicted = loop {
            // ORDERING: Relaxed; the CAS decides.
            let head = self.head.load(Ordering::Relaxed);
            if position(head) != oldest {
                // A popper has claimed the oldest value. Its slot is ours as soon as it is released.
                if slot.is_writable(at) {
                    break None;
                }
                busy.wait();
                continue;
            }
            let next = self.geometry.next(oldest) | flags(head);
            // ORDERING: Release; as in `claim_head`. The slot was seen readable by `claim_occupied_tail`.
            if self.head.compare_exchange(head, next, Ordering::Release, Ordering::Relaxed).is_ok() {
                // SAFETY: we moved `head` past `oldest` (I2), whose slot was readable, and take its value here only.
                break Some(unsafe { slot.take() });
            }
        };
        // SAFETY: we moved `tail` past `at` (I2), and the slot's last value is out: released, or taken by us.
        unsafe { slot.publish(at, value) };
        evicted
    }
}

impl<T> Drop for Mpmc<T> {
    fn drop(&mut self) {
        self.discard();
    }
}

impl<T> std::fmt::Debug for Mpmc<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mpmc").field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}
