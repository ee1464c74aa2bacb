//! The store of dead letters: bounded, and locked only for as long as it takes to move one.
//!
//! No user code runs under the lock: letters are described before they go in, dropped after they came out, and looked at
//! while they are *lent*, which leaves their description behind. A letter on loan counts as kept; it is neither evicted
//! nor given to anybody else until it is back.
//!
//! *Full.* Nobody waits here. If nothing may be dropped, a letter that there is no room for is put *aside*, and its job keeps its place in
//! the queue. Whoever takes letters out has those that wait there buried, and their jobs leave.

use super::drawers::{Absent, Drawers, Leave, Placed, Scan, Tally};
use super::envelope::JobId;
use super::error::RedriveError;
use super::letter::{DeadFull, DeadInfo, DeadLetter};
use super::loan::Loan;
use super::rules::DeadRules;
use crate::gate::{Gate, Refused};
use crate::sync::Mutex;
use crate::time::Moment;
use std::time::Duration;

/// Keeps the dead letters of a queue.
pub(super) struct Morgue<T> {
    capacity: usize,
    when_full: DeadFull,
    max_age: Option<Duration>,
    drawers: Mutex<Drawers<T>>,
}

/// What became of a letter that came in.
pub(super) enum Put<T> {
    Kept,
    /// This one has to go for want of room. Its drop is user code, and so the caller's.
    Instead(DeadLetter<T>),
    /// It waits for room, and its job has to stay in the queue until then.
    Aside,
}

/// A letter that was taken out to be redriven.
pub(super) struct Readmitted<T> {
    pub(super) placed: Placed<T>,
    /// Its job has the place of one that was put aside, and is buried now: that is to leave.
    pub(super) in_exchange: bool,
}

impl<T> Morgue<T> {
    pub(super) fn new(rules: &DeadRules) -> Self {
        Self {
            capacity: rules.capacity,
            when_full: rules.when_full,
            max_age: rules.max_age,
            drawers: Mutex::new(Drawers::new()),
        }
    }

    /// Keeps a letter, or puts it aside. `now` is asked when there is room.
    pub(super) fn insert(
        &self,
        info: DeadInfo,
        letter: DeadLetter<T>,
        now: impl FnOnce() -> Moment,
    ) -> Put<T> {
        let mut drawers = self.drawers.lock();
        let full = drawers.len() >= self.capacity;
        let mut put = Put::Kept;
        match self.when_full {
            // Those that came before have the first room.
            DeadFull::Block if (full || drawers.has_aside()) && !drawers.shut => {
                drawers.put_aside(info, letter);
                return Put::Aside;
            }
            DeadFull::DropOldest if full => match drawers.evict_oldest() {
                Some(oldest) => put = Put::Instead(oldest),
                None => {
                    drawers.tally.evicted += 1;
                    return Put::Instead(letter);
                }
            },
            DeadFull::DropNewest if full => {
                drawers.tally.evicted += 1;
                return Put::Instead(letter);
            }
            DeadFull::Block | DeadFull::DropOldest | DeadFull::DropNewest => {}
        }
        drawers.push(info, letter, now());
        put
    }

    /// Places letters that were put aside, as many as there is room for. Returns how many: their jobs are to leave.
    pub(super) fn place_aside(&self, now: impl Fn() -> Moment) -> usize {
        if self.when_full != DeadFull::Block {
            return 0;
        }
        let (mut drawers, mut placed) = (self.drawers.lock(), 0);
        while (drawers.len() < self.capacity || drawers.shut) && drawers.has_aside() {
            placed += usize::from(drawers.place_aside(now()));
        }
        placed
    }

    /// Returns true when letters were put aside.
    pub(super) fn has_aside(&self) -> bool {
        self.when_full == DeadFull::Block && self.drawers.lock().has_aside()
    }

    /// Keeps every letter from here on, those that were put aside included once they are [placed](Self::place_aside).
    pub(super) fn shut(&self) {
        self.drawers.lock().shut = true;
    }

    /// Has `gate` let one job in again, and takes its letter out by `take`. If the gate is full, one of the jobs that were put aside is
    /// buried in its place. One step, so that nobody else has that place. If the letter is not there after all, the admission is
    /// the caller's to take back.
    pub(super) fn readmit(
        &self,
        gate: &Gate,
        take: impl FnOnce(&mut Drawers<T>) -> Result<Placed<T>, Absent>,
        now: impl FnOnce() -> Moment,
    ) -> Result<Result<Readmitted<T>, Absent>, RedriveError> {
        // Dropped before `take`, which may own a loan.
        let mut drawers = self.drawers.lock();
        let in_exchange = match gate.admit(1) {
            Ok(_) => false,
            Err(Refused::Full) if drawers.has_aside() => {
                gate.admit_over(1).map_err(|_| RedriveError::Closed)?;
                true
            }
            Err(Refused::Full) => return Err(RedriveError::Full),
            Err(Refused::Closed) => return Err(RedriveError::Closed),
        };
        let taken = take(&mut drawers);
        Ok(taken.map(|placed| {
            let in_exchange = in_exchange && drawers.place_aside(now());
            Readmitted { placed, in_exchange }
        }))
    }

    /// Takes a job's letter out.
    pub(super) fn remove(&self, id: JobId, why: Leave) -> Result<Placed<T>, Absent> {
        let mut drawers = self.drawers.lock();
        let place = drawers.place(id)?;
        drawers.leave(place, why)
    }

    /// Takes the letter at `place` out.
    pub(super) fn remove_at(&self, place: u64, why: Leave) -> Result<Placed<T>, Absent> {
        self.drawers.lock().leave(place, why)
    }

    /// Takes out a letter that is lent to the caller.
    pub(super) fn remove_lent(&self, loan: Loan<'_, T>, why: Leave) -> Placed<T> {
        let (place, letter) = loan.keep();
        self.drawers.lock().leave_lent(place, letter, why)
    }

    /// Takes out letters that are too old at `now`, a batch at most: to be called until it returns none.
    pub(super) fn expire(&self, now: Moment) -> Vec<DeadLetter<T>> {
        let Some(latest) = self.max_age.and_then(|age| now.before(age)) else { return Vec::new() };
        self.drawers.lock().expire(latest)
    }

    /// Returns when the oldest letter will be too old, if it ever will. Letters on loan are left out.
    pub(super) fn next_expiry(&self) -> Option<Moment> {
        let age = self.max_age?;
        let expiry = self.drawers.lock().oldest_placed_at()?.after(age);
        (expiry != Moment::NEVER).then_some(expiry)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::envelope::Envelope;
    use crate::retry::DeadReason;
    use crate::time::Stamp;
    use proptest::prelude::*;

    const AGE: Duration = Duration::from_nanos(10);

    #[derive(Clone, Debug)]
    enum Step {
        Insert,
        Remove(usize, bool),
        Redrive { at: usize, refused: bool },
        Lend(usize),
        GiveBack(usize),
        RemoveLent(usize),
        Pass(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => Just(Step::Insert),
            1 => (0usize..8, any::<bool>()).prop_map(|(at, purge)| Step::Remove(at, purge)),
            1 => (0usize..8, any::<bool>()).prop_map(|(at, refused)| Step::Redrive { at, refused }),
            2 => (0usize..8).prop_map(Step::Lend),
            1 => (0usize..4).prop_map(Step::GiveBack),
            1 => (0usize..4).prop_map(Step::RemoveLent),
            2 => (0u64..6).prop_map(Step::Pass),
        ]
    }

    /// A list of letters: number of the job, when it was placed, whether it is on loan.
    #[derive(Default)]
    struct Model {
        letters: Vec<(u64, u64, bool)>,
        tally: Tally,
    }

    impl Model {
        /// Returns the letter at `index`, modulo their number.
        fn pick(&self, index: usize) -> Option<(usize, u64, bool)> {
            let index = index.checked_rem(self.letters.len())?;
            Some((index, self.letters[index].0, self.letters[index].2))
        }

        /// Drops the letters that are too old and here. Returns how many.
        fn expire(&mut self, now: u64) -> u64 {
            let before = self.letters.len();
            self.letters.retain(|(_, at, lent)| *lent || at + 10 > now);
            let expired = (before - self.letters.len()) as u64;
            self.tally.expired += expired;
            expired
        }

        fn insert(&mut self, id: u64, now: u64, capacity: usize, when_full: DeadFull) -> bool {
            if self.letters.len() >= capacity && when_full == DeadFull::DropOldest {
                if let Some(oldest) = self.letters.iter().position(|(_, _, lent)| !lent) {
                    self.letters.remove(oldest);
                    self.tally.evicted += 1;
                    self.letters.push((id, now, false));
                    return true;
                }
            }
            let full = self.letters.len() >= capacity;
            match full {
                true => self.tally.evicted += 1,
                false => self.letters.push((id, now, false)),
            }
            full
        }
    }

    fn letter(id: u64) -> (DeadInfo, DeadLetter<u64>) {
        let envelope = Envelope::new(JobId::new(id), Stamp::of(std::time::UNIX_EPOCH), id);
        let letter =
            DeadLetter::of(envelope, DeadReason::Expired, Stamp::of(std::time::UNIX_EPOCH).to_system_time());
        (DeadInfo::of(&letter), letter)
    }

    fn at(nanos: u64) -> Moment {
        Moment::ORIGIN.after(Duration::from_nanos(nanos))
    }

    fn absent(lent: bool) -> Result<(), Absent> {
        if lent { Err(Absent::OnLoan) } else { Ok(()) }
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each kind of step")]
    fn agree(capacity: usize, when_full: DeadFull, steps: Vec<Step>) -> Result<(), TestCaseError> {
        let rules = DeadRules { capacity, when_full, max_age: Some(AGE), on_dead: None };
        let morgue = Morgue::new(&rules);
        let (mut model, mut loans, mut now) = (Model::default(), Vec::new(), 0);
        for (id, step) in (1..).zip(steps) {
            match step {
                Step::Insert => {
                    let (info, letter) = letter(id);
                    let put = morgue.insert(info, letter, || at(now));
                    let dropped = matches!(put, Put::Instead(_));
                    prop_assert_eq!(dropped, model.insert(id, now, capacity, when_full));
                }
                Step::Remove(index, purge) => {
                    let Some((index, id, lent)) = model.pick(index) else { continue };
                    let why = if purge { Leave::Purged } else { Leave::Taken };
                    let removed =
                        morgue.remove(JobId::new(id), why).map(|placed| assert_eq!(placed.letter.job, id));
                    prop_assert_eq!(removed, absent(lent));
                    if !lent {
                        model.letters.remove(index);
                        *(if purge { &mut model.tally.purged } else { &mut model.tally.taken }) += 1;
                    }
                }
                Step::Redrive { at, refused } => {
                    let Some((index, id, lent)) = model.pick(at) else { continue };
                    let Ok(placed) = morgue.remove(JobId::new(id), Leave::Redriven) else {
                        prop_assert!(lent);
                        continue;
                    };
                    if refused {
                        let (job, shell) = placed.open();
                        morgue.put_back(shell.refill(job), Leave::Redriven);
                    } else {
                        model.letters.remove(index);
                        model.tally.redriven += 1;
                    }
                }
                Step::Lend(index) => {
                    let Some((index, id, lent)) = model.pick(index) else { continue };
                    let loan = morgue.lend(JobId::new(id));
                    prop_assert_eq!(loan.as_ref().map(|_| ()).map_err(|absent| *absent), absent(lent));
                    loans.extend(loan);
                    model.letters[index].2 = true;
                }
                Step::GiveBack(index) | Step::RemoveLent(index) => {
                    let Some(index) = index.checked_rem(loans.len()) else { continue };
                    let loan = loans.swap_remove(index);
                    let id = loan.letter().job;
                    let place = model.letters.iter().position(|letter| letter.0 == id).unwrap();
                    model.letters[place].2 = false;
                    if matches!(step, Step::RemoveLent(_)) {
                        prop_assert_eq!(morgue.remove_lent(loan, Leave::Purged).letter.job, id);
                        model.letters.remove(place);
                        model.tally.purged += 1;
                    }
                }
                Step::Pass(nanos) => {
                    now += nanos;
                    prop_assert_eq!(morgue.expire(at(now)).len() as u64, model.expire(now));
                    let next = model.letters.iter().find(|letter| !letter.2).map(|letter| at(letter.1 + 10));
                    prop_assert_eq!(morgue.next_expiry(), next);
                }
            }
            model.tally.kept = model.letters.len() as u64;
            prop_assert_eq!(morgue.tally(), model.tally);
            let listed: Vec<u64> = morgue.list(|_| true).iter().map(|info| info.id.get()).collect();
            prop_assert_eq!(listed, model.letters.iter().map(|letter| letter.0).collect::<Vec<_>>());
            let first =
                model.letters.iter().find(|letter| !letter.2 && letter.0 % 2 == 0).map(|letter| letter.0);
            let found = morgue.lend_next(0, u64::MAX, |info| info.id.get() % 2 == 0);
            prop_assert_eq!(found.map(|loan| loan.letter().job), first);
        }
        Ok(())
    }

    proptest! {
        /// Against a list: what is kept, in which order, what is lent, and where all that left has gone.
        #[test]
        fn agrees_with_a_list(
            capacity in 0usize..6,
            newest in any::<bool>(),
            steps in prop::collection::vec(step(), 0..120),
        ) {
            let when_full = if newest { DeadFull::DropNewest } else { DeadFull::DropOldest };
            agree(capacity, when_full, steps)?;
        }
    }
}
