//! A place with the terms of the stay there: its number, and how long it may last.
//!
//! The words beside the place are relaxed. T1. They are the worker's to set, before the step on the place's word that begins or lends,
//! and stay as they are until that stay is over. T2. Whoever has seen the step, by an Acquire on the place's word, reads them as they
//! were set for that stay, or for one that came after it: then the word of the place has moved on, and whatever is tried on the strength
//! of the first stay fails. T3. While a stay lasts, others change how long it may last, under a lock that whoever decides by it holds too.

use super::atomic::{AtomicU64, Ordering};
use super::{Arc, Custody, Cut, InUse, Mutex, Taken};
use std::fmt;

/// How long a stay may last, in any unit, as long as it is always the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// When it ends, unless it is put off.
    pub ends: u64,
    /// Until when each review puts the end off. 0: none does.
    pub renewed_until: u64,
}

/// What a review found.
#[derive(Debug)]
pub enum Review<J, R> {
    /// Nothing that is lent, or not any more.
    Nothing,
    /// The end was put off, and will be until this time.
    Renewed(u64),
    /// It lasts until this time.
    Lasts(u64),
    /// It was over, and what was lent was taken away.
    Over(Taken<J, R>),
}

/// A place, and the terms of the stay there.
pub struct Tenure<J, R> {
    place: Arc<Custody<J, R>>,
    number: AtomicU64,
    ends: AtomicU64,
    renewed_until: AtomicU64,
    /// T3.
    terms: Mutex<()>,
}

impl<J, R> Tenure<J, R> {
    /// Makes the tenure of a new place.
    pub fn new(place: Custody<J, R>) -> Self {
        Self {
            place: Arc::new(place),
            number: AtomicU64::new(0),
            ends: AtomicU64::new(0),
            renewed_until: AtomicU64::new(0),
            terms: Mutex::new(()),
        }
    }

    /// Returns the place.
    #[inline]
    pub fn place(&self) -> &Custody<J, R> {
        &self.place
    }

    /// Takes something up that lies with the worker. False when the place is cut.
    #[inline]
    #[must_use]
    pub fn begin(&self, number: u64) -> bool {
        self.name(number) && self.place.begin()
    }

    /// Takes something up that lies at the place. Gives it back if the place is cut.
    #[inline]
    pub fn lend(&self, number: u64, terms: Terms, job: J, rest: R) -> Result<InUse<J, R>, (J, R)> {
        if !self.name(number) {
            return Err((job, rest));
        }
        // ORDERING: Relaxed; whoever reads it has seen what was lent, by an Acquire on the place's word (T2).
        self.ends.store(terms.ends, Ordering::Relaxed);
        // ORDERING: as above.
        self.renewed_until.store(terms.renewed_until, Ordering::Relaxed);
        Custody::lend(&self.place, job, rest)
    }

    /// Notes the number of the stay that is about to begin. Not at a place that is cut, where somebody may ask which it was that he
    /// has cut off.
    #[inline]
    fn name(&self, number: u64) -> bool {
        let may = !self.place.is_cut();
        if may {
            // ORDERING: Relaxed; whoever reads it has seen the stay begin, by an Acquire on the place's word (T2).
            self.number.store(number, Ordering::Relaxed);
        }
        may
    }

    /// Returns the number of the stay, for whoever knows that there is one.
    pub fn number(&self) -> u64 {
        // ORDERING: Relaxed; as in `name`.
        self.number.load(Ordering::Relaxed)
    }

    /// Takes the place away for ever. Comes with the number of what was in hand, if there was something.
    pub fn cut(&self) -> (Cut<J, R>, u64) {
        let cut = Custody::cut(&self.place);
        // A place that is cut is given no other number.
        (cut, self.number())
    }

    /// Puts the end of the stay off to `later` if it is to be renewed, and takes away what was lent if it is over; `retire`: and the
    /// place for good.
    pub fn review(&self, now: u64, later: u64, retire: bool) -> Review<J, R> {
        let _terms = self.terms.lock();
        let Some(stay) = self.place.lent() else { return Review::Nothing };
        // The terms of this stay, or of one that came after it: then it is not there to be taken away any more, and what is put
        // off is the later one's end.
        // ORDERING: Relaxed; `lent` has acquired (T2).
        let (ends, renewed_until) =
            (self.ends.load(Ordering::Relaxed), self.renewed_until.load(Ordering::Relaxed));
        if now < renewed_until {
            // ORDERING: Relaxed; the lock orders it among those who decide by it.
            self.ends.fetch_max(later, Ordering::Relaxed);
            return Review::Renewed(renewed_until);
        }
        if now < ends {
            return Review::Lasts(ends);
        }
        Custody::take_away(&self.place, stay, retire).map_or(Review::Nothing, Review::Over)
    }

    /// Moves the end of the stay with this number, for who takes part in it. False if nothing is lent, or it is another.
    pub fn extend(&self, number: u64, ends: impl FnOnce() -> u64) -> bool {
        let _terms = self.terms.lock();
        let is_there = self.place.lent().is_some() && self.number() == number;
        if is_there {
            // ORDERING: Relaxed; the lock orders it among those who decide by it.
            self.ends.store(ends(), Ordering::Relaxed);
        }
        is_there
    }

    /// Has the stay be over at the next review. False if nothing is lent.
    pub fn run_out(&self) -> bool {
        let _terms = self.terms.lock();
        let is_there = self.place.lent().is_some();
        if is_there {
            // ORDERING: Relaxed; as in `extend`.
            self.ends.store(0, Ordering::Relaxed);
            // ORDERING: as above.
            self.renewed_until.store(0, Ordering::Relaxed);
        }
        is_there
    }
}

impl<J, R> fmt::Debug for Tenure<J, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenure").field("place", &self.place).finish_non_exhaustive()
    }
}
