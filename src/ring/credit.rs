//! Credits of the ring for many: room that is promised to somebody who has not pushed yet.
//!
//! A credit is a number, not a slot: poppers never meet one. While there is any, RESERVED stands in `tail`, and sends every push
//! through the lock around their number; while there is none, pushes know nothing of them.
//!
//! I5. RESERVED is set before the first credit is given and cleared after the last is gone, both under the lock. A push that read
//!     `tail` without it and moves it has done so while there was no credit, for its CAS compares the flag as well.
//! I6. Values and credits together are never more than the slots. Whoever raises their sum holds the lock, or there is no credit.
//!     A push that displaces puts its value one beyond until it has taken the oldest out.

use super::PushError;
use super::cursor::{CLOSED, RESERVED, WAIT, flags, position};
use super::many::{Claim, Mpmc, Pushed, Refusal};
use super::slot::Slot;
use crate::sync::BusyWait;
use crate::sync::atomic::{Ordering, fence};

impl<T> Mpmc<T> {
    /// Promises room for one value. Never answers `Busy`: a value that is just being popped does not count any more.
    pub fn reserve(&self) -> Result<(), PushError<()>> {
        let mut credits = self.credits.lock();
        if *credits == 0 {
            // ORDERING: Relaxed; every push before this in the order of `tail` is counted below, every one after it takes the lock.
            self.tail.fetch_or(RESERVED, Ordering::Relaxed);
        }
        let granted = match self.room_beside(*credits) {
            Ok((_, 0)) => Err(PushError::Full(())),
            Ok(_) => Ok(()),
            Err(_) => Err(PushError::Closed(())),
        };
        *credits += 1;
        if granted.is_err() {
            self.remove_credit(&mut credits);
        }
        granted
    }

    /// Takes a promise back.
    pub fn give_back(&self) {
        self.remove_credit(&mut self.credits.lock());
    }

    /// Pushes a value into room that was promised, which uses up the promise. `Ok(true)`: a popper waits and is owed a wake-up.
    ///
    /// Never answers `Full`. The promise is left as it is only by the answer `Busy`.
    pub fn push_reserved(&self, value: T) -> Result<bool, PushError<T>> {
        let mut credits = self.credits.lock();
        debug_assert!(*credits > 0, "who pushes here was promised room");
        let claimed = self.claim_beside(credits.saturating_sub(1), 1);
        match claimed {
            Ok(claim) => {
                self.remove_credit(&mut credits);
                drop(credits);
                // SAFETY: `claim_beside` won this position and saw its slot writable (I1, I2).
                unsafe { self.slot(claim.first).publish(claim.first, value) };
                Ok(claim.others_wait)
            }
            Err(Refusal::Closed) => {
                self.remove_credit(&mut credits);
                Err(PushError::Closed(value))
            }
            // `Exhausted` for a moment, while a push displaces a value.
            Err(Refusal::Busy | Refusal::Exhausted(_)) => Err(PushError::Busy(value)),
        }
    }

    fn remove_credit(&self, credits: &mut usize) {
        debug_assert!(*credits > 0, "a credit that is removed was given");
        *credits = credits.saturating_sub(1);
        if *credits == 0 {
            // ORDERING: Relaxed; who moves `tail` without the lock does so after this in its order, when there is no credit.
            self.tail.fetch_and(!RESERVED, Ordering::Relaxed);
        }
    }

    /// As `claim_tail`, for a `tail` that carries CLOSED or RESERVED.
    #[cold]
    pub(super) fn claim_slowly(&self, tail: u64, limit: usize) -> Result<Claim, Refusal> {
        if tail & CLOSED != 0 {
            // ORDERING: Acquire pairs with the Release in `close`.
            fence(Ordering::Acquire);
            return Err(Refusal::Closed);
        }
        let credits = self.credits.lock();
        self.claim_beside(*credits, limit)
    }

    /// Returns `tail`, and for how many values there is room beside so many credits. Call with them locked.
    fn room_beside(&self, credits: usize) -> Result<(u64, usize), Refusal> {
        // ORDERING: Relaxed; while there are credits only holders of the lock move it, and a stale one costs a failed CAS.
        let tail = self.tail.load(Ordering::Relaxed);
        // ORDERING: SeqCst; as in `refuse_push`. It also pairs with the Release in `close`, for a `tail` that carries CLOSED.
        fence(Ordering::SeqCst);
        if tail & CLOSED != 0 {
            return Err(Refusal::Closed);
        }
        // ORDERING: Relaxed, behind the fence: the pops that `tail` was moved for are seen.
        let head = position(self.head.load(Ordering::Relaxed));
        let taken = self.geometry.len(head, position(tail)) + credits;
        Ok((tail, self.capacity().saturating_sub(taken)))
    }

    /// Claims 1 to `limit` free positions for writing, beside so many credits. Call with them locked.
    fn claim_beside(&self, credits: usize, limit: usize) -> Result<Claim, Refusal> {
        loop {
            let (tail, room) = self.room_beside(credits)?;
            let first = position(tail);
            if room == 0 {
                return Err(Refusal::Exhausted(first));
            }
            let (count, after) = self.ready_run(first, limit.min(room), Slot::is_writable);
            if count == 0 {
                return Err(Refusal::Busy);
            }
            let next = after | flags(tail);
            // ORDERING: Release; as in `claim_tail`.
            if self.tail.compare_exchange(tail, next, Ordering::Release, Ordering::Relaxed).is_ok() {
                return Ok(Claim { first, count, others_wait: tail & WAIT != 0 });
            }
            // A flag has changed, or the last credit went before the lock was ours.
        }
    }

    /// As `force_push`, where there are credits: displaces the oldest value, or gives the value itself back as the displaced
    /// one if all the room is promised and none is inside.
    #[cold]
    pub(super) fn force_beside_credits(&self, value: T) -> Result<Pushed<T>, PushError<T>> {
        let credits = self.credits.lock();
        let at = match self.claim_beside(*credits, 1) {
            Ok(claim) => {
                drop(credits);
                // SAFETY: `claim_beside` won this position and saw its slot writable (I1, I2).
                unsafe { self.slot(claim.first).publish(claim.first, value) };
                return Ok(Pushed { evicted: None, poppers_wait: claim.others_wait });
            }
            Err(Refusal::Closed) => return Err(PushError::Closed(value)),
            Err(Refusal::Busy) => return Err(PushError::Busy(value)),
            Err(Refusal::Exhausted(at)) => at,
        };
        if *credits >= self.capacity() {
            return Ok(Pushed { evicted: Some(value), poppers_wait: false });
        }
        // ORDERING: Relaxed; the CAS decides.
        let tail = self.tail.load(Ordering::Relaxed);
        if tail & CLOSED != 0 || position(tail) != at || !self.slot(at).is_writable(at) {
            return Err(PushError::Busy(value));
        }
        let next = self.geometry.next(at) | flags(tail);
        // ORDERING: Release; as in `claim_tail`.
        if self.tail.compare_exchange(tail, next, Ordering::Release, Ordering::Relaxed).is_err() {
            return Err(PushError::Busy(value));
        }
        drop(credits);
        let evicted = self.take_before(at);
        // SAFETY: we moved `tail` past `at` (I2), and its slot was seen writable (I1).
        unsafe { self.slot(at).publish(at, value) };
        Ok(Pushed { evicted, poppers_wait: tail & WAIT != 0 })
    }

    /// Pops the oldest value before the claimed and unwritten position `at`. `None`: poppers have taken all of them.
    fn take_before(&self, at: u64) -> Option<T> {
        let mut busy = BusyWait::new();
        loop {
            // ORDERING: Relaxed; a pop decides by its CAS, and `head` does not pass a position that is not written.
            if position(self.head.load(Ordering::Relaxed)) == at {
                return None;
            }
            match self.pop() {
                Ok((oldest, _)) => return Some(oldest),
                Err(_) => busy.wait(),
            }
        }
    }
}
