//! The contents of the store of dead letters, and the books on them: what the lock of the morgue protects.
//!
//! A letter lies at a *place*, a number that is used once: a job that is redriven and dies again lies elsewhere. Letters
//! lie in the order in which they were placed, and so in the order in which they grow too old.

use super::envelope::JobId;
use super::letter::{DeadInfo, DeadLetter};
use crate::time::Moment;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// How many letters are looked at with the lock held once: a guess, some microseconds.
const LOOKS_MAX: usize = 64;

/// The letters by their places.
pub(super) struct Drawers<T> {
    letters: BTreeMap<u64, Drawer<T>>,
    /// Where each job's letter lies.
    places: HashMap<JobId, u64>,
    next: u64,
    /// Letters that there was no room for, in the order of their deaths. Their jobs are held, so there are no more of them than the
    /// queue has places.
    aside: VecDeque<(DeadInfo, DeadLetter<T>)>,
    /// The end of all work: every letter is kept, whatever the limit is.
    pub(super) shut: bool,
    pub(super) tally: Tally,
}

struct Drawer<T> {
    info: DeadInfo,
    placed_at: Moment,
    /// None while it is on loan.
    letter: Option<DeadLetter<T>>,
}

/// Where dead letters went. Each is counted when it happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) kept: u64,
    pub(super) evicted: u64,
    /// Dropped because they were too old.
    pub(super) expired: u64,
    pub(super) purged: u64,
    pub(super) taken: u64,
    pub(super) redriven: u64,
    /// Letters that were put aside, until there is room for them.
    pub(super) aside: u64,
}

/// Why a letter leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    Evicted,
    Expired,
    Purged,
    Taken,
    Redriven,
}

/// Why a letter cannot leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    NotFound,
    OnLoan,
}

/// A letter with its place, to put it back where it was.
pub(super) struct Placed<T> {
    place: u64,
    placed_at: Moment,
    pub(super) info: DeadInfo,
    pub(super) letter: DeadLetter<T>,
}

/// What a scan has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scan {
    /// A letter at this place.
    Found(u64),
    /// Nothing before this place: go on from there.
    More(u64),
    Nothing,
}

impl<T> Drawers<T> {
    pub(super) fn new() -> Self {
        Self {
            letters: BTreeMap::new(),
            places: HashMap::new(),
            next: 0,
            aside: VecDeque::new(),
            shut: false,
            tally: Tally::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.letters.len()
    }

    /// Returns where the next letter to come will lie.
    pub(super) fn end(&self) -> u64 {
        self.next
    }

    /// Places a letter behind all others.
    pub(super) fn push(&mut self, info: DeadInfo, letter: DeadLetter<T>, placed_at: Moment) {
        let place = self.next;
        self.next += 1;
        self.put(Placed { place, placed_at, info, letter });
    }

    fn put(&mut self, placed: Placed<T>) {
        let Placed { place, placed_at, info, letter } = placed;
        self.tally.kept += 1;
        self.places.insert(letter.id, place);
        let before = self.letters.insert(place, Drawer { info, placed_at, letter: Some(letter) });
        debug_assert!(before.is_none(), "a place is used once");
    }

    /// Puts a letter aside, behind the others there.
    pub(super) fn put_aside(&mut self, info: DeadInfo, letter: DeadLetter<T>) {
        self.aside.push_back((info, letter));
        self.tally.aside += 1;
    }

    /// Places the letter that was put aside first. False if there is none.
    pub(super) fn place_aside(&mut self, placed_at: Moment) -> bool {
        let Some((info, letter)) = self.aside.pop_front() else { return false };
        self.tally.aside -= 1;
        self.push(info, letter, placed_at);
        true
    }

    /// Returns true when letters were put aside.
    pub(super) fn has_aside(&self) -> bool {
        !self.aside.is_empty()
    }

    /// Puts a letter back to its place, as if it had never left.
    pub(super) fn put_back(&mut self, placed: Placed<T>, why: Leave) {
        *self.tally.count(why) -= 1;
        self.put(placed);
    }

    /// Returns the place of a job's letter.
    pub(super) fn place(&self, id: JobId) -> Result<u64, Absent> {
        self.places.get(&id).copied().ok_or(Absent::NotFound)
    }

    /// Tells whether the letter at `place` could be taken out.
    pub(super) fn find(&self, place: u64) -> Result<(), Absent> {
        let drawer = self.letters.get(&place).ok_or(Absent::NotFound)?;
        drawer.letter.as_ref().map(|_| ()).ok_or(Absent::OnLoan)
    }

    /// Moves the letter at `place` out for a while.
    pub(super) fn lend(&mut self, place: u64) -> Result<DeadLetter<T>, Absent> {
        self.letters.get_mut(&place).ok_or(Absent::NotFound)?.letter.take().ok_or(Absent::OnLoan)
    }

    /// Takes back what was lent.
    pub(super) fn take_back(&mut self, place: u64, letter: DeadLetter<T>) {
        let drawer = self.letters.get_mut(&place);
        debug_assert!(drawer.is_some(), "a drawer stays while its letter is on loan");
        if let Some(drawer) = drawer {
            drawer.letter = Some(letter);
        }
    }

    /// Moves the letter at `place` out for good.
    pub(super) fn leave(&mut self, place: u64, why: Leave) -> Result<Placed<T>, Absent> {
        let letter = self.lend(place)?;
        Ok(self.leave_lent(place, letter, why))
    }

    /// Ends a loan by which the letter leaves for good.
    pub(super) fn leave_lent(&mut self, place: u64, letter: DeadLetter<T>, why: Leave) -> Placed<T> {
        let drawer = self.letters.remove(&place).expect("a drawer stays while its letter is on loan");
        self.places.remove(&letter.id);
        self.tally.kept -= 1;
        *self.tally.count(why) += 1;
        Placed { place, placed_at: drawer.placed_at, info: drawer.info, letter }
    }

    /// Looks for the first letter at `from` or later, before `end`, that is here and passes, not at all of them at once.
    pub(super) fn scan(&self, from: u64, end: u64, passes: impl Fn(&DeadInfo) -> bool) -> Scan {
        let mut range = self.letters.range(from..end.max(from));
        for (&place, drawer) in range.by_ref().take(LOOKS_MAX) {
            if drawer.letter.is_some() && passes(&drawer.info) {
                return Scan::Found(place);
            }
        }
        range.next().map_or(Scan::Nothing, |(&place, _)| Scan::More(place))
    }

    /// Takes out the oldest letter that is not on loan.
    pub(super) fn evict_oldest(&mut self) -> Option<DeadLetter<T>> {
        let place = self.oldest()?.0;
        self.leave(place, Leave::Evicted).ok().map(|placed| placed.letter)
    }

    /// Takes out letters placed at `latest` or before, a batch at most, unless they are on loan.
    pub(super) fn expire(&mut self, latest: Moment) -> Vec<DeadLetter<T>> {
        let old = |drawer: &Drawer<T>| drawer.placed_at <= latest;
        let here = |drawer: &Drawer<T>| drawer.letter.is_some();
        let range = self.letters.iter().take_while(|(_, drawer)| old(drawer));
        let places: Vec<u64> =
            range.filter(|(_, drawer)| here(drawer)).map(|(&place, _)| place).take(LOOKS_MAX).collect();
        let left = places.into_iter().filter_map(|place| self.leave(place, Leave::Expired).ok());
        left.map(|placed| placed.letter).collect()
    }

    /// Returns when the oldest letter that is not on loan was placed.
    pub(super) fn oldest_placed_at(&self) -> Option<Moment> {
        self.oldest().map(|(_, drawer)| drawer.placed_at)
    }

    fn oldest(&self) -> Option<(u64, &Drawer<T>)> {
        let mut all = self.letters.iter();
        all.find(|(_, drawer)| drawer.letter.is_some()).map(|(&place, drawer)| (place, drawer))
    }

    /// Describes the letters, the oldest first.
    pub(super) fn infos(&self) -> impl Iterator<Item = &DeadInfo> {
        self.letters.values().map(|drawer| &drawer.info)
    }
}

impl Tally {
    fn count(&mut self, why: Leave) -> &mut u64 {
        match why {
            Leave::Evicted => &mut self.evicted,
            Leave::Expired => &mut self.expired,
            Leave::Purged => &mut self.purged,
            Leave::Taken => &mut self.taken,
            Leave::Redriven => &mut self.redriven,
        }
    }
}

impl<T> Placed<T> {
    /// Takes the job out of the letter, and leaves what the job can be put back into.
    pub(super) fn open(self) -> (T, Placed<()>) {
        let (job, letter) = self.letter.open();
        (job, Placed { place: self.place, placed_at: self.placed_at, info: self.info, letter })
    }
}

impl Placed<()> {
    /// Undoes [`open`](Placed::open).
    pub(super) fn refill<T>(self, job: T) -> Placed<T> {
        let letter = self.letter.refill(job);
        Placed { place: self.place, placed_at: self.placed_at, info: self.info, letter }
    }
}
