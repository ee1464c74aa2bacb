//! The store of dead letters: bounded, and locked only for as long as it takes to move one.
//!
//! No user code runs under the lock: letters are described before they go in, dropped after they came out, and looked at
//! while they are *lent*, which leaves their description behind. A letter on loan counts as kept; it is neither evicted
//! nor given to anybody else until it is back.

use super::envelope::JobId;
use super::letter::{DeadFull, DeadInfo, DeadLetter};
use crate::sync::{Condvar, Mutex, MutexGuard};
use std::collections::{BTreeMap, HashMap};

/// Keeps the dead letters of a queue.
pub(super) struct Morgue<T> {
    capacity: usize,
    when_full: DeadFull,
    drawers: Mutex<Drawers<T>>,
    /// Notified when a letter leaves, for workers that wait for room.
    room: Condvar,
}

struct Drawers<T> {
    /// By the order of their death.
    letters: BTreeMap<u64, Drawer<T>>,
    /// Where each job's letter lies.
    places: HashMap<JobId, u64>,
    next: u64,
    /// Nobody waits for room any more.
    shut: bool,
    tally: Tally,
}

struct Drawer<T> {
    info: DeadInfo,
    /// None while it is on loan.
    letter: Option<DeadLetter<T>>,
}

/// Where dead letters went. Each is counted when it happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) kept: u64,
    pub(super) evicted: u64,
    pub(super) purged: u64,
    pub(super) taken: u64,
    pub(super) redriven: u64,
    /// Letters whose worker waits for room.
    pub(super) waiting: u64,
}

/// Why a letter leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
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
    pub(super) info: DeadInfo,
    pub(super) letter: DeadLetter<T>,
}

impl<T> Morgue<T> {
    pub(super) fn new(capacity: usize, when_full: DeadFull) -> Self {
        let drawers = Drawers {
            letters: BTreeMap::new(),
            places: HashMap::new(),
            next: 0,
            shut: false,
            tally: Tally::default(),
        };
        Self { capacity, when_full, drawers: Mutex::new(drawers), room: Condvar::new() }
    }

    /// Keeps a letter, and waits for room if the policy is to block. Returns the letter that has to go instead, if one
    /// has: its drop is user code, and so the caller's.
    pub(super) fn insert(&self, info: DeadInfo, letter: DeadLetter<T>) -> Option<DeadLetter<T>> {
        let mut drawers = self.drawers.lock();
        let mut victim = None;
        match self.when_full {
            DeadFull::Block => self.wait_for_room(&mut drawers),
            DeadFull::DropOldest if drawers.letters.len() >= self.capacity => victim = drawers.pop_oldest(),
            DeadFull::DropOldest | DeadFull::DropNewest => {}
        }
        if self.when_full != DeadFull::Block && drawers.letters.len() >= self.capacity {
            drawers.tally.evicted += 1;
            return Some(letter);
        }
        let place = drawers.next;
        drawers.next += 1;
        drawers.put(place, info, letter);
        victim
    }

    fn wait_for_room(&self, drawers: &mut MutexGuard<'_, Drawers<T>>) {
        drawers.tally.waiting += 1;
        while drawers.letters.len() >= self.capacity && !drawers.shut {
            self.room.wait(drawers);
        }
        drawers.tally.waiting -= 1;
    }

    /// Ends every wait for room, now and from here on.
    pub(super) fn shut(&self) {
        self.drawers.lock().shut = true;
        self.room.notify_all();
    }

    /// Takes a job's letter out.
    pub(super) fn remove(&self, id: JobId, why: Leave) -> Result<Placed<T>, Absent> {
        let mut drawers = self.drawers.lock();
        let place = *drawers.places.get(&id).ok_or(Absent::NotFound)?;
        self.leave(&mut drawers, place, why).ok_or(Absent::OnLoan)
    }

    /// Takes out the oldest letter that is not on loan and lies at `from` or later, before `end`.
    pub(super) fn remove_first(&self, from: u64, end: u64, why: Leave) -> Option<Placed<T>> {
        let mut drawers = self.drawers.lock();
        let place = drawers.first(from, end)?;
        self.leave(&mut drawers, place, why)
    }

    /// Returns true if [`remove_first`](Self::remove_first) would find a letter.
    pub(super) fn has(&self, from: u64, end: u64) -> bool {
        self.drawers.lock().first(from, end).is_some()
    }

    /// Tells whether a job's letter could be taken out.
    pub(super) fn find(&self, id: JobId) -> Result<(), Absent> {
        let drawers = self.drawers.lock();
        let place = drawers.places.get(&id).ok_or(Absent::NotFound)?;
        drawers.letters.get(place).and_then(|drawer| drawer.letter.as_ref()).map(|_| ()).ok_or(Absent::OnLoan)
    }

    /// Puts a letter back where [`remove`](Self::remove) found it, as if it had never left, whatever the limit is.
    pub(super) fn put_back(&self, placed: Placed<T>, why: Leave) {
        let mut drawers = self.drawers.lock();
        *drawers.tally.count(why) -= 1;
        drawers.put(placed.place, placed.info, placed.letter);
    }

    /// Lends the oldest letter that is not on loan and lies at `from` or later, before `end`.
    pub(super) fn lend(&self, from: u64, end: u64) -> Option<Loan<'_, T>> {
        let mut drawers = self.drawers.lock();
        let place = drawers.first(from, end)?;
        let letter = drawers.letters.get_mut(&place)?.letter.take();
        Some(Loan { morgue: self, place, letter })
    }

    /// Returns where the next letter to come will lie: all that are here lie before it.
    pub(super) fn end(&self) -> u64 {
        self.drawers.lock().next
    }

    /// Describes the letters, the oldest first.
    pub(super) fn list(&self) -> Vec<DeadInfo> {
        self.drawers.lock().letters.values().map(|drawer| drawer.info.clone()).collect()
    }

    pub(super) fn tally(&self) -> Tally {
        let drawers = self.drawers.lock();
        debug_assert_eq!(drawers.tally.kept, drawers.letters.len() as u64, "every letter is counted");
        drawers.tally
    }

    /// Moves a letter out of its drawer, unless it is on loan.
    fn leave(&self, drawers: &mut MutexGuard<'_, Drawers<T>>, place: u64, why: Leave) -> Option<Placed<T>> {
        let drawer = drawers.letters.get_mut(&place)?;
        let letter = drawer.letter.take()?;
        let drawer = drawers.letters.remove(&place)?;
        drawers.places.remove(&letter.id);
        drawers.tally.kept -= 1;
        *drawers.tally.count(why) += 1;
        self.room.notify_one();
        Some(Placed { place, info: drawer.info, letter })
    }
}

impl<T> Drawers<T> {
    fn put(&mut self, place: u64, info: DeadInfo, letter: DeadLetter<T>) {
        self.tally.kept += 1;
        self.places.insert(letter.id, place);
        let before = self.letters.insert(place, Drawer { info, letter: Some(letter) });
        debug_assert!(before.is_none(), "a place is used once");
    }

    /// Returns the first place at `from` or later, before `end`, whose letter is here.
    fn first(&self, from: u64, end: u64) -> Option<u64> {
        let mut range = self.letters.range(from..end.max(from));
        range.find(|(_, drawer)| drawer.letter.is_some()).map(|(&place, _)| place)
    }

    fn pop_oldest(&mut self) -> Option<DeadLetter<T>> {
        let place = self.first(0, u64::MAX)?;
        let letter = self.letters.remove(&place)?.letter?;
        self.places.remove(&letter.id);
        self.tally.kept -= 1;
        self.tally.evicted += 1;
        Some(letter)
    }
}

impl Tally {
    fn count(&mut self, why: Leave) -> &mut u64 {
        match why {
            Leave::Purged => &mut self.purged,
            Leave::Taken => &mut self.taken,
            Leave::Redriven => &mut self.redriven,
        }
    }
}

impl<T> Placed<T> {
    /// Returns the place after this one.
    pub(super) fn next(&self) -> u64 {
        self.place + 1
    }

    /// Takes the job out of the letter, and leaves what the job can be put back into.
    pub(super) fn open(self) -> (T, Placed<()>) {
        let (job, letter) = self.letter.open();
        (job, Placed { place: self.place, info: self.info, letter })
    }
}

impl Placed<()> {
    /// Undoes [`open`](Placed::open).
    pub(super) fn refill<T>(self, job: T) -> Placed<T> {
        Placed { place: self.place, info: self.info, letter: self.letter.refill(job) }
    }
}

/// A letter on loan. It goes back when this is dropped, by a panic as well.
pub(super) struct Loan<'m, T> {
    morgue: &'m Morgue<T>,
    place: u64,
    letter: Option<DeadLetter<T>>,
}

impl<T> Loan<'_, T> {
    pub(super) fn letter(&self) -> &DeadLetter<T> {
        self.letter.as_ref().expect("only the drop gives the letter back")
    }

    pub(super) fn place(&self) -> u64 {
        self.place
    }
}

impl<T> Drop for Loan<'_, T> {
    fn drop(&mut self) {
        if let Some(drawer) = self.morgue.drawers.lock().letters.get_mut(&self.place) {
            drawer.letter = self.letter.take();
        }
    }
}
