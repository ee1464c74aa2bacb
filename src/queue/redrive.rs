//! What may be done with dead letters: look, mend, take, drop, or try again.

use super::drawers::{Absent, Drawers, Leave, Placed};
use super::envelope::{Envelope, JobId};
use super::error::{LetterError, RedriveAllError, RedriveError};
#[cfg(feature = "serde")]
use super::export::{ExportError, ExportReason, json_line};
use super::filter::DeadFilter;
use super::letter::{DeadInfo, DeadLetter};
use super::loan::Loan;
use super::morgue::Readmitted;
use super::past::{Past, bury_under};
use super::work::Queue;
use crate::time::Stamp;

impl<T> Queue<T> {
    /// Describes the letters that are meant, the oldest first: those on loan as well, unless the filter looks inside.
    pub(crate) fn dead_list(&self, filter: &DeadFilter<T>) -> Vec<DeadInfo> {
        self.expire_dead();
        if !filter.looks_inside() {
            return self.morgue.list(|info| filter.passes(info));
        }
        self.dead_select(filter).map(|loan| DeadInfo::of(loan.letter())).collect()
    }

    /// Shows each letter that is meant and is here when the call begins, the oldest first. Letters that others look at are
    /// left out. The first error ends it.
    pub(crate) fn dead_try_with<E>(
        &self,
        filter: &DeadFilter<T>,
        mut visit: impl FnMut(&DeadLetter<T>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.dead_select(filter).try_for_each(|loan| visit(loan.letter()))
    }

    /// Writes each letter that is meant as a line of JSON. Returns how many.
    #[cfg(feature = "serde")]
    pub(crate) fn dead_export<W: std::io::Write>(
        &self,
        filter: &DeadFilter<T>,
        mut writer: W,
    ) -> Result<usize, ExportError>
    where
        T: serde::Serialize,
    {
        let mut written = 0;
        let exported = self.dead_try_with(filter, |letter| {
            let line = json_line(letter).map_err(|error| ExportReason::Job(letter.id, error))?;
            writer.write_all(&line).map_err(ExportReason::Write)?;
            written += 1;
            Ok(())
        });
        let flushed = exported.and_then(|()| writer.flush().map_err(ExportReason::Write));
        flushed.map(|()| written).map_err(|reason| ExportError { written, reason })
    }

    /// Returns the places of the letters that are meant, the oldest first.
    pub(crate) fn dead_places(&self, filter: &DeadFilter<T>) -> Vec<u64> {
        self.dead_select(filter).map(|loan| loan.place()).collect()
    }

    pub(crate) fn dead_take(&self, id: JobId) -> Option<DeadLetter<T>> {
        self.expire_dead();
        let taken = self.morgue.remove(id, Leave::Taken).ok();
        self.bury_those_aside();
        taken.map(|placed| placed.letter)
    }

    pub(crate) fn dead_take_all(&self, filter: &DeadFilter<T>) -> Vec<DeadLetter<T>> {
        let taken = self.dead_select(filter).map(|loan| self.morgue.remove_lent(loan, Leave::Taken));
        taken.map(|placed| placed.letter).collect()
    }

    pub(crate) fn dead_purge(&self, id: JobId) -> bool {
        self.expire_dead();
        let purged = self.morgue.remove(id, Leave::Purged);
        self.bury_those_aside();
        purged.map(|placed| placed.letter.discard()).is_ok()
    }

    pub(crate) fn dead_purge_all(&self, filter: &DeadFilter<T>) -> usize {
        let purged = self.dead_select(filter).map(|loan| self.morgue.remove_lent(loan, Leave::Purged));
        purged.fold(0, |count, placed| {
            placed.letter.discard();
            count + 1
        })
    }

    /// Lends a job's letter to `edit`, which may change the job.
    pub(crate) fn dead_edit<R>(&self, id: JobId, edit: impl FnOnce(&mut T) -> R) -> Result<R, LetterError> {
        let _bell = AgeBell::new(self);
        let mut loan = self.morgue.lend(id)?;
        Ok(edit(&mut loan.letter_mut().job))
    }

    /// Lends the letters that are meant and are here when the call begins, one by one.
    fn dead_select<'q>(
        &'q self,
        filter: &'q DeadFilter<T>,
    ) -> impl Iterator<Item = Loan<'q, T>> + use<'q, T> {
        let bell = AgeBell::new(self);
        let end = self.morgue.end();
        let mut from = 0;
        std::iter::from_fn(move || {
            // Dropped with the iterator, after every loan.
            let _ = &bell;
            loop {
                let loan = self.morgue.lend_next(from, end, |info| filter.passes(info))?;
                from = loan.place() + 1;
                if filter.accepts(loan.letter()) {
                    return Some(loan);
                }
            }
        })
    }

    /// Submits a dead job again, with its attempts to start anew. Does not wait for room.
    pub(crate) fn redrive(&self, id: JobId) -> Result<(), RedriveError> {
        self.expire_dead();
        self.morgue.find(id)?;
        self.send_again(self.readmit(|drawers| drawers.leave(drawers.place(id)?, Leave::Redriven))?)
    }

    /// As [`redrive`](Self::redrive) for all letters that are meant and are here when the call begins, until one is
    /// refused.
    pub(crate) fn redrive_all(&self, filter: &DeadFilter<T>) -> Result<usize, RedriveAllError> {
        let mut moved = 0;
        for loan in self.dead_select(filter) {
            let placed = self.readmit(|drawers| {
                let (place, letter) = loan.keep();
                Ok(drawers.leave_lent(place, letter, Leave::Redriven))
            });
            placed
                .and_then(|placed| self.send_again(placed))
                .map_err(|reason| RedriveAllError { moved, reason })?;
            moved += 1;
        }
        Ok(moved)
    }

    /// Lets the job of a letter in again, and takes the letter out by `take`.
    pub(super) fn readmit(
        &self,
        take: impl FnOnce(&mut Drawers<T>) -> Result<Placed<T>, Absent>,
    ) -> Result<Placed<T>, RedriveError> {
        match self.morgue.readmit(&self.gate, take, || self.clock.moment())? {
            Ok(Readmitted { placed, in_exchange }) => {
                if in_exchange {
                    self.leave(1);
                } else {
                    self.bury_those_aside();
                }
                Ok(placed)
            }
            Err(absent) => {
                self.turn_back(1);
                Err(absent.into())
            }
        }
    }

    /// Makes the job of a letter ready for which the gate has let one job in, or takes that admission back.
    pub(super) fn send_admitted(&self, placed: Result<Placed<T>, Absent>) -> Result<(), RedriveError> {
        match placed {
            Ok(placed) => {
                self.bury_those_aside();
                self.send_again(placed)
            }
            Err(absent) => {
                self.turn_back(1);
                Err(absent.into())
            }
        }
    }

    /// Makes a letter's job ready. If the queue was stopped meanwhile, the letter goes back to its place.
    pub(super) fn send_again(&self, placed: Placed<T>) -> Result<(), RedriveError> {
        let (job, mut shell) = placed.open();
        let deaths = bury_under(&shell.letter.past, &shell.info);
        let mut attempts = std::mem::take(&mut shell.letter.past_attempts);
        let earlier = attempts.len();
        attempts.append(&mut shell.letter.attempts);
        let past = Past { deaths, attempts };
        let enqueued_at = Stamp::of(shell.letter.enqueued_at);
        let envelope = Envelope::redriven(shell.letter.id, enqueued_at, self.clock.stamp(), past, job);
        match self.ready.send(envelope) {
            Ok(()) => Ok(()),
            Err(mut envelope) => {
                let mut attempts = envelope.take_past().attempts;
                shell.letter.attempts = attempts.split_off(earlier);
                shell.letter.past_attempts = attempts;
                self.morgue.put_back(shell.refill(envelope.job), Leave::Redriven);
                self.turn_back(1);
                Err(RedriveError::Closed)
            }
        }
    }
}

/// Drops what is too old before letters are lent. After they are back or gone, buries the jobs that were put aside, and has the timer
/// look again: it leaves letters on loan out of account.
struct AgeBell<'q, T>(&'q Queue<T>);

impl<'q, T> AgeBell<'q, T> {
    fn new(queue: &'q Queue<T>) -> Self {
        queue.expire_dead();
        Self(queue)
    }
}

impl<T> Drop for AgeBell<'_, T> {
    fn drop(&mut self) {
        self.0.bury_those_aside();
        self.0.look_again();
    }
}

impl From<Absent> for RedriveError {
    fn from(absent: Absent) -> Self {
        match absent {
            Absent::NotFound => RedriveError::NotFound,
            Absent::OnLoan => RedriveError::InUse,
        }
    }
}

impl From<Absent> for LetterError {
    fn from(absent: Absent) -> Self {
        match absent {
            Absent::NotFound => LetterError::NotFound,
            Absent::OnLoan => LetterError::InUse,
        }
    }
}
