//! The store of dead letters: bounded, and locked only for as long as it takes to move one.
//!
//! No user code runs under the lock: letters are described before they go in, dropped after they came out, and looked at
//! while they are *lent*, which leaves their description behind. A letter on loan counts as kept; it is neither evicted
//! nor given to anybody else until it is back.

use super::drawers::{Absent, Drawers, Leave, Placed, Scan, Tally};
use super::envelope::JobId;
use super::letter::{DeadFull, DeadInfo, DeadLetter};
use super::loan::Loan;
use super::rules::DeadRules;
use crate::sync::{Condvar, Mutex, MutexGuard};
use crate::time::Moment;
use std::time::Duration;

/// Keeps the dead letters of a queue.
pub(super) struct Morgue<T> {
    capacity: usize,
    when_full: DeadFull,
    max_age: Option<Duration>,
    drawers: Mutex<Drawers<T>>,
    /// Notified when a letter leaves, for workers that wait for room.
    room: Condvar,
}

impl<T> Morgue<T> {
    pub(super) fn new(rules: &DeadRules) -> Self {
        Self {
            capacity: rules.capacity,
            when_full: rules.when_full,
            max_age: rules.max_age,
            drawers: Mutex::new(Drawers::new()),
            room: Condvar::new(),
        }
    }

    /// Keeps a letter, and waits for room if the policy is to block. Returns the letter that has to go instead, if one
    /// has: its drop is user code, and so the caller's. `now` is asked when there is room.
    pub(super) fn insert(
        &self,
        info: DeadInfo,
        letter: DeadLetter<T>,
        now: impl FnOnce() -> Moment,
    ) -> Option<DeadLetter<T>> {
        let mut drawers = self.drawers.lock();
        let mut victim = None;
        match self.when_full {
            DeadFull::Block => self.wait_for_room(&mut drawers),
            DeadFull::DropOldest if drawers.len() >= self.capacity => victim = drawers.evict_oldest(),
            DeadFull::DropOldest | DeadFull::DropNewest => {}
        }
        if self.when_full != DeadFull::Block && drawers.len() >= self.capacity {
            drawers.tally.evicted += 1;
            return Some(letter);
        }
        drawers.push(info, letter, now());
        victim
    }

    fn wait_for_room(&self, drawers: &mut MutexGuard<'_, Drawers<T>>) {
        drawers.tally.waiting += 1;
        while drawers.len() >= self.capacity && !drawers.shut {
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
        let place = drawers.place(id)?;
        let placed = drawers.leave(place, why)?;
        self.room.notify_one();
        Ok(placed)
    }

    /// Takes the letter at `place` out.
    pub(super) fn remove_at(&self, place: u64, why: Leave) -> Result<Placed<T>, Absent> {
        let placed = self.drawers.lock().leave(place, why)?;
        self.room.notify_one();
        Ok(placed)
    }

    /// Takes out a letter that is lent to the caller.
    pub(super) fn remove_lent(&self, loan: Loan<'_, T>, why: Leave) -> Placed<T> {
        let (place, letter) = loan.keep();
        let placed = self.drawers.lock().leave_lent(place, letter, why);
        self.room.notify_one();
        placed
    }

    /// Takes out letters that are too old at `now`, a batch at most: to be called until it returns none.
    pub(super) fn expire(&self, now: Moment) -> Vec<DeadLetter<T>> {
        let Some(latest) = self.max_age.and_then(|age| now.before(age)) else { return Vec::new() };
        let expired = self.drawers.lock().expire(latest);
        if !expired.is_empty() {
            self.room.notify_all();
        }
        expired
    }

    /// Returns when the oldest letter will be too old. Letters on loan are left out.
    pub(super) fn next_expiry(&self) -> Option<Moment> {
        let age = self.max_age?;
        self.drawers.lock().oldest_placed_at().map(|placed_at| placed_at.after(age))
    }

    /// Returns true when letters may become too old.
    pub(super) fn ages(&self) -> bool {
        self.max_age.is_some()
    }

    /// Tells whether a job's letter could be taken out.
    pub(super) fn find(&self, id: JobId) -> Result<(), Absent> {
        let drawers = self.drawers.lock();
        drawers.find(drawers.place(id)?)
    }

    /// Puts a letter back where [`remove`](Self::remove) found it, as if it had never left, whatever the limit is.
    pub(super) fn put_back(&self, placed: Placed<T>, why: Leave) {
        self.drawers.lock().put_back(placed, why);
    }

    /// Lends a job's letter.
    pub(super) fn lend(&self, id: JobId) -> Result<Loan<'_, T>, Absent> {
        let mut drawers = self.drawers.lock();
        let place = drawers.place(id)?;
        let letter = drawers.lend(place)?;
        Ok(Loan::new(&self.drawers, place, letter))
    }

    /// Lends the oldest letter that is here, lies at `from` or later, before `end`, and passes.
    pub(super) fn lend_next(
        &self,
        mut from: u64,
        end: u64,
        passes: impl Fn(&DeadInfo) -> bool,
    ) -> Option<Loan<'_, T>> {
        loop {
            let mut drawers = self.drawers.lock();
            match drawers.scan(from, end, &passes) {
                Scan::Found(place) => {
                    let letter = drawers.lend(place).ok()?;
                    return Some(Loan::new(&self.drawers, place, letter));
                }
                Scan::More(next) => from = next,
                Scan::Nothing => return None,
            }
        }
    }

    /// Returns where the next letter to come will lie: all that are here lie before it.
    pub(super) fn end(&self) -> u64 {
        self.drawers.lock().end()
    }

    /// Describes the letters that pass, the oldest first, those on loan as well.
    pub(super) fn list(&self, passes: impl Fn(&DeadInfo) -> bool) -> Vec<DeadInfo> {
        self.drawers.lock().infos().filter(|info| passes(info)).cloned().collect()
    }

    pub(super) fn tally(&self) -> Tally {
        let drawers = self.drawers.lock();
        debug_assert_eq!(drawers.tally.kept, drawers.len() as u64, "every letter is counted");
        drawers.tally
    }
}
