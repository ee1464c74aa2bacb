//! A place where one thing at a time is worked with, and from which it may be taken away meanwhile.
//!
//! ```text
//!   word: | number of the stay | LEFT | TAKEN | LENT | FILLING | HELD | LOST | CUT |
//! ```
//!
//! Who works here has the thing *in hand* (HELD) from [`begin`](Custody::begin) or [`lend`](Custody::lend) to
//! [`end`](Custody::end). After `begin` it lies with the worker, and all that others can do is to say so: CUT, for this stay and
//! all that would come, or LOST, for this one. After `lend` it lies here, in two parts: the *job*, which the worker borrows,
//! and the *rest*. Then others can take it away as a whole: the rest is theirs, and the job is copied while the worker borrows it.
//! One word has one modification order, so for each stay exactly one of two things happens: the worker gets both parts back
//! ([`InUse::reclaim`]), or somebody else has taken them ([`Taken`]).
//!
//! C1. The parts are written by the one whose CAS set HELD and FILLING, before its store sets LENT and clears FILLING. While FILLING
//!     is set nobody else changes the word.
//! C2. LENT is cleared once for each stay: by the worker, who then owns both parts, or by a taker, who sets TAKEN in the same
//!     step, and owns the rest.
//! C3. A job that was taken away is looked at by the taker while TAKEN is set and by the worker until it sets LEFT. Of
//!     "TAKEN cleared" and "LEFT set" the later one in the word's order sees the other, and owns the job.
//! C4. Nothing is written here unless HELD, LENT, TAKEN and LEFT are all clear: then nobody owns anything here.
//!
//! The number of the stay, which changes with each, keeps a taker that has looked at one from taking the next.

use super::atomic::{AtomicU64, Ordering};
use super::{Arc, BusyWait, UnsafeCell};
use std::fmt;
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, MaybeUninit};

/// The place is taken away: nothing more is begun here.
const CUT: u64 = 1;
/// What is in hand was taken away.
const LOST: u64 = 1 << 1;
/// Something is in hand.
const HELD: u64 = 1 << 2;
/// The parts are being written.
const FILLING: u64 = 1 << 3;
/// The parts lie here, and are the worker's until somebody takes them away.
const LENT: u64 = 1 << 4;
/// The parts were taken away, and the job is being looked at.
const TAKEN: u64 = 1 << 5;
/// The worker no longer borrows the job.
const LEFT: u64 = 1 << 6;
/// One stay.
const STAY: u64 = 1 << 7;

/// A place for one thing at a time, of which `J` is borrowed and `R` is not. On cache lines of its own.
#[repr(align(128))]
pub struct Custody<J, R> {
    word: AtomicU64,
    job: UnsafeCell<MaybeUninit<J>>,
    rest: UnsafeCell<MaybeUninit<R>>,
    /// None: jobs cannot be shared, so none is ever lent.
    copy: Option<fn(&J) -> J>,
}

// SAFETY: parts move from thread to thread, one owner at a time (C1 to C3). The job is shared only while it is lent, which takes
// a `copy`, and that is set only where `J: Sync`.
unsafe impl<J: Send, R: Send> Sync for Custody<J, R> {}

// SAFETY: as above; it owns its parts.
unsafe impl<J: Send, R: Send> Send for Custody<J, R> {}

/// What was lent, in the worker's hand. Dropped without [`reclaim`](Self::reclaim), the parts stay where they are, for somebody
/// to take away.
pub struct InUse<J, R> {
    custody: Arc<Custody<J, R>>,
    _job: PhantomData<J>,
}

/// What was taken away: the rest, and a look at the job.
pub struct Taken<J, R> {
    custody: Arc<Custody<J, R>>,
    rest: ManuallyDrop<R>,
}

/// What a cut found in hand.
pub enum Cut<J, R> {
    /// Nothing, or nothing that was not taken away before.
    Nothing,
    /// Something that lies with its worker.
    Away,
    /// Something that lay here.
    Here(Taken<J, R>),
}

/// A stay at which the parts lie here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stay(u64);

impl<J: Clone + Sync, R> Custody<J, R> {
    /// Makes a place at which things can be lent.
    pub fn lending() -> Self {
        Self::with(Some(J::clone))
    }
}

impl<J, R> Custody<J, R> {
    /// Makes a place at which things lie with their worker.
    pub fn plain() -> Self {
        Self::with(None)
    }

    fn with(copy: Option<fn(&J) -> J>) -> Self {
        let (job, rest) = (UnsafeCell::new(MaybeUninit::uninit()), UnsafeCell::new(MaybeUninit::uninit()));
        Self { word: AtomicU64::new(0), job, rest, copy }
    }

    /// Whether things can be lent here.
    #[inline]
    pub fn lends(&self) -> bool {
        self.copy.is_some()
    }

    /// Takes something up that lies with the worker. False when the place is cut.
    #[inline]
    #[must_use]
    pub fn begin(&self) -> bool {
        self.occupy(HELD).is_some()
    }

    /// Sets flags of a new stay. None when the place is cut. Waits for a taker that still looks at the job before.
    #[inline]
    fn occupy(&self, flags: u64) -> Option<u64> {
        // ORDERING: Relaxed; a stale word only costs one failed CAS, which brings the newer one.
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if word & CUT != 0 {
                return None;
            }
            assert!(word & (HELD | LENT) == 0, "one thing is in hand at a time");
            if word & (TAKEN | LEFT) != 0 {
                word = self.await_taker();
                continue;
            }
            let next = (word + STAY) | flags;
            // ORDERING: AcqRel; one modification order with `cut` (see the head). Acquire pairs with the Release of whoever
            // was the last to own the parts before (C4).
            match self.word.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return Some(next),
                Err(newer) => word = newer,
            }
        }
    }

    /// Waits until a taker no longer looks at a job that its worker has left. Returns the word.
    #[cold]
    fn await_taker(&self) -> u64 {
        let mut busy = BusyWait::new();
        loop {
            // ORDERING: Relaxed; the CAS that follows acquires.
            let word = self.word.load(Ordering::Relaxed);
            if word & (TAKEN | LEFT) == 0 {
                return word;
            }
            busy.wait();
        }
    }

    /// Lays what was in hand down. False when it was taken away meanwhile: then somebody else answers for it.
    #[inline]
    #[must_use]
    pub fn end(&self) -> bool {
        // ORDERING: Release pairs with the Acquire in `occupy`: whoever comes here next writes after we have moved the parts out. One
        // modification order with `take_away` and `cut`; nothing is read on the strength of what they set.
        let before = self.word.fetch_and(!(HELD | LOST), Ordering::Release);
        debug_assert_eq!(before & (HELD | LENT), HELD, "what is laid down is in hand, and not here");
        before & (CUT | LOST) == 0
    }

    /// Returns the stay if the parts lie here.
    pub fn lent(&self) -> Option<Stay> {
        // ORDERING: Acquire; pairs with the Release in `lend`: whoever sees LENT sees what the worker wrote before.
        let word = self.word.load(Ordering::Acquire);
        (word & LENT != 0).then_some(Stay(word))
    }

    /// Takes the parts of a stay away. None if they are no longer here. `retire`: the place as well, for ever.
    pub fn take_away(place: &Arc<Self>, stay: Stay, retire: bool) -> Option<Taken<J, R>> {
        let flags = if retire { TAKEN | LOST | CUT } else { TAKEN | LOST };
        let next = (stay.0 & !LENT) | flags;
        // ORDERING: Relaxed; one modification order with `reclaim` and `end`. The parts of this very stay were shown by `lent`, where
        // it came from, and it is `look_away` that passes on what is done with them.
        place.word.compare_exchange(stay.0, next, Ordering::Relaxed, Ordering::Relaxed).ok()?;
        // SAFETY: the CAS cleared LENT and set TAKEN (C2).
        Some(unsafe { Self::taken(place) })
    }

    /// Takes the place away for ever, and what is in hand with it.
    pub fn cut(place: &Arc<Self>) -> Cut<J, R> {
        let mut busy = BusyWait::new();
        loop {
            // ORDERING: Relaxed; the CAS below acquires.
            let word = place.word.load(Ordering::Relaxed);
            if word & FILLING != 0 {
                busy.wait();
                continue;
            }
            let here = word & LENT != 0;
            let next = if here { (word & !LENT) | TAKEN | CUT } else { word | CUT };
            // ORDERING: Acquire pairs with the Release in `lend`: it shows the parts. One modification order with all others.
            if place.word.compare_exchange(word, next, Ordering::Acquire, Ordering::Relaxed).is_err() {
                continue;
            }
            if here {
                // SAFETY: the CAS cleared LENT and set TAKEN (C2).
                return Cut::Here(unsafe { Self::taken(place) });
            }
            return if word & (CUT | LOST | HELD) == HELD { Cut::Away } else { Cut::Nothing };
        }
    }

    /// # Safety
    /// The caller's CAS has cleared LENT and set TAKEN.
    unsafe fn taken(place: &Arc<Self>) -> Taken<J, R> {
        let rest = place.rest.with(|rest| {
            // SAFETY: written before LENT was set (C1), and the caller's from then on (C2).
            unsafe { rest.read() }
        });
        // SAFETY: as above, it was written.
        let rest = unsafe { rest.assume_init() };
        Taken { custody: Arc::clone(place), rest: ManuallyDrop::new(rest) }
    }

    /// Whether what is in hand was taken away, or the place.
    #[inline]
    pub fn is_lost(&self) -> bool {
        self.has(CUT | LOST)
    }

    /// Whether the place was taken away: then it stays so.
    #[inline]
    pub fn is_cut(&self) -> bool {
        self.has(CUT)
    }

    /// Whether something is in hand, taken away or not: a snapshot.
    pub fn is_held(&self) -> bool {
        self.has(HELD)
    }

    /// Whether a taker still looks at a job whose worker has left it: then the next to come here waits for the taker.
    pub fn is_looked_at(&self) -> bool {
        self.has(TAKEN | LEFT)
    }

    #[inline]
    fn has(&self, flags: u64) -> bool {
        // ORDERING: Relaxed; a signal that is polled, nothing is read on the strength of it.
        self.word.load(Ordering::Relaxed) & flags != 0
    }

    /// Moves the job out.
    ///
    /// # Safety
    /// The caller owns it, and moves it out once.
    #[inline]
    unsafe fn move_job(&self) -> J {
        self.job.with_mut(|job| {
            // SAFETY: the caller owns the job, so nobody else looks at it.
            let job = unsafe { job.read() };
            // SAFETY: what is owned was written (C1).
            unsafe { job.assume_init() }
        })
    }

    /// Takes something up that is to lie here. Gives it back when the place is cut.
    ///
    /// # Panics
    /// If things cannot be lent here.
    #[inline]
    pub fn lend(place: &Arc<Self>, job: J, rest: R) -> Result<InUse<J, R>, (J, R)> {
        assert!(place.lends(), "a place at which nothing is lent");
        let Some(word) = place.occupy(HELD | FILLING) else { return Err((job, rest)) };
        place.job.with_mut(|cell| {
            // SAFETY: C1, our CAS set FILLING; C4, nobody owns anything here.
            unsafe { cell.write(MaybeUninit::new(job)) }
        });
        place.rest.with_mut(|cell| {
            // SAFETY: as above.
            unsafe { cell.write(MaybeUninit::new(rest)) }
        });
        // ORDERING: Release; pairs with the Acquire of whoever sees LENT. No read-modify-write: C1.
        place.word.store((word & !FILLING) | LENT, Ordering::Release);
        Ok(InUse { custody: Arc::clone(place), _job: PhantomData })
    }
}

impl<J, R> InUse<J, R> {
    /// Borrows the job.
    #[inline]
    pub fn job(&self) -> &J {
        self.custody.job.with(|job| {
            // SAFETY: written before this came to be (C1). It stays where it is until `reclaim`, which takes this by value, or
            // until this is dropped (C3); meanwhile others read it at most.
            let job = unsafe { &*job };
            // SAFETY: as above, it was written.
            unsafe { job.assume_init_ref() }
        })
    }

    /// Takes both parts back. If they were taken away before: the job alone, to be dropped, if the taker no longer looks at it.
    #[inline]
    pub fn reclaim(self) -> Result<(J, R), Option<J>> {
        let this = ManuallyDrop::new(self);
        // SAFETY: `this` is not dropped, so the handle is moved out once.
        let custody = unsafe { std::ptr::read(&raw const this.custody) };
        // ORDERING: Relaxed; one modification order with `take_away` and `cut`. The parts are those that this worker has laid here.
        let before = custody.word.fetch_and(!LENT, Ordering::Relaxed);
        if before & LENT == 0 {
            return Err(custody.leave());
        }
        // SAFETY: C2, our step cleared LENT.
        let job = unsafe { custody.move_job() };
        let rest = custody.rest.with_mut(|rest| {
            // SAFETY: as above.
            let rest = unsafe { rest.read() };
            // SAFETY: it was written (C1).
            unsafe { rest.assume_init() }
        });
        Ok((job, rest))
    }
}

impl<J, R> Drop for InUse<J, R> {
    fn drop(&mut self) {
        drop(self.custody.leave());
    }
}

impl<J, R> Custody<J, R> {
    /// Says that the worker no longer borrows the job. Returns it if nobody else owns it or is going to.
    #[cold]
    fn leave(&self) -> Option<J> {
        // ORDERING: AcqRel; Release puts our looks at the job before its end, Acquire the taker's, if it has gone before (C3).
        let before = self.word.fetch_or(LEFT, Ordering::AcqRel);
        debug_assert_eq!(before & LEFT, 0, "it is left once");
        (before & (LENT | TAKEN) == 0).then(|| {
            // SAFETY: C3, the taker has cleared TAKEN before we set LEFT.
            unsafe { self.clear_out() }
        })
    }

    /// Moves out the job that both have done with.
    ///
    /// # Safety
    /// The caller owns it, and moves it out once.
    unsafe fn clear_out(&self) -> J {
        // SAFETY: by contract.
        let job = unsafe { self.move_job() };
        // ORDERING: Release; pairs with the Acquire in `occupy`: what comes next is written after this.
        self.word.fetch_and(!LEFT, Ordering::Release);
        job
    }
}

impl<J, R> Taken<J, R> {
    /// Returns the part that is not borrowed.
    pub fn rest(&self) -> &R {
        &self.rest
    }

    /// Copies the job: runs `J::clone`.
    pub fn copy(&self) -> J {
        let copy = self.custody.copy.expect("what was lent can be copied");
        self.custody.job.with(|job| {
            // SAFETY: C3, this has TAKEN set for as long as it lives. Others read at most.
            let job = unsafe { &*job };
            // SAFETY: it was written (C1).
            copy(unsafe { job.assume_init_ref() })
        })
    }

    /// Ends the look. Returns the rest, and the job, to be dropped, if its worker has left it.
    pub fn part(self) -> (R, Option<J>) {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is not dropped, so the rest is moved out once.
        let rest = unsafe { ManuallyDrop::take(&mut this.rest) };
        // SAFETY: as above, for the handle.
        let custody = unsafe { std::ptr::read(&raw const this.custody) };
        let job = custody.look_away();
        (rest, job)
    }
}

impl<J, R> Drop for Taken<J, R> {
    fn drop(&mut self) {
        // SAFETY: `part` forgets this, so that the rest is still here.
        unsafe { ManuallyDrop::drop(&mut self.rest) };
        drop(self.custody.look_away());
    }
}

impl<J, R> Custody<J, R> {
    /// Ends a taker's look. Returns the job if its worker has left it.
    fn look_away(&self) -> Option<J> {
        // ORDERING: AcqRel; as in `leave`.
        let before = self.word.fetch_and(!TAKEN, Ordering::AcqRel);
        debug_assert_ne!(before & TAKEN, 0, "one who took it away looks at it");
        (before & LEFT != 0).then(|| {
            // SAFETY: C3, the worker has set LEFT before we cleared TAKEN.
            unsafe { self.clear_out() }
        })
    }
}

impl<J, R> Drop for Custody<J, R> {
    /// Drops what was lent and then forgotten by its worker, and taken away by nobody.
    fn drop(&mut self) {
        if self.has(LENT) {
            // SAFETY: nobody else has this any more, and LENT says that both parts are here.
            drop(unsafe { self.move_job() });
            self.rest.with_mut(|rest| {
                // SAFETY: as above.
                let rest = unsafe { &mut *rest };
                // SAFETY: as above, it was written.
                unsafe { rest.assume_init_drop() };
            });
        }
    }
}

impl<J, R> fmt::Debug for Custody<J, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Custody").field("is_held", &self.is_held()).finish_non_exhaustive()
    }
}

impl<J, R> fmt::Debug for InUse<J, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InUse").finish_non_exhaustive()
    }
}

impl<J, R> fmt::Debug for Taken<J, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taken").finish_non_exhaustive()
    }
}

impl<J, R> fmt::Debug for Cut<J, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cut::Nothing => "Nothing",
            Cut::Away => "Away",
            Cut::Here(_) => "Here",
        })
    }
}
