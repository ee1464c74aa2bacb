//! What may be done with dead letters: look, take, drop, or try again.

use super::envelope::{Envelope, JobId};
use super::error::{RedriveAllError, RedriveError};
use super::letter::{DeadInfo, DeadLetter};
use super::morgue::{Absent, Leave, Placed};
use super::work::Queue;
use crate::gate::Refused;
use crate::time::Stamp;

impl<T> Queue<T> {
    pub(crate) fn dead_list(&self) -> Vec<DeadInfo> {
        self.morgue.list()
    }

    /// Shows each letter that is here when the call begins, the oldest first. Letters that others look at are left out.
    pub(crate) fn dead_with(&self, mut visit: impl FnMut(&DeadLetter<T>)) {
        let end = self.morgue.end();
        let mut from = 0;
        while let Some(loan) = self.morgue.lend(from, end) {
            visit(loan.letter());
            from = loan.place() + 1;
        }
    }

    pub(crate) fn dead_take(&self, id: JobId) -> Option<DeadLetter<T>> {
        self.morgue.remove(id, Leave::Taken).ok().map(|placed| placed.letter)
    }

    pub(crate) fn dead_take_all(&self) -> Vec<DeadLetter<T>> {
        self.dead_remove_all(Leave::Taken).map(|placed| placed.letter).collect()
    }

    pub(crate) fn dead_purge(&self, id: JobId) -> bool {
        self.morgue.remove(id, Leave::Purged).map(|placed| placed.letter.discard()).is_ok()
    }

    pub(crate) fn dead_purge_all(&self) -> usize {
        self.dead_remove_all(Leave::Purged).fold(0, |purged, placed| {
            placed.letter.discard();
            purged + 1
        })
    }

    /// Removes the letters that are here when the call begins, one by one.
    fn dead_remove_all(&self, why: Leave) -> impl Iterator<Item = Placed<T>> {
        let end = self.morgue.end();
        let mut from = 0;
        std::iter::from_fn(move || {
            let placed = self.morgue.remove_first(from, end, why)?;
            from = placed.next();
            Some(placed)
        })
    }

    /// Submits a dead job again, with its attempts to start anew. Does not wait for room.
    pub(crate) fn redrive(&self, id: JobId) -> Result<(), RedriveError> {
        self.morgue.find(id)?;
        self.admit_one()?;
        match self.morgue.remove(id, Leave::Redriven) {
            Ok(placed) => self.send_again(placed),
            Err(absent) => {
                self.turn_back(1);
                Err(absent.into())
            }
        }
    }

    /// As [`redrive`](Self::redrive) for all letters that are here when the call begins, until one is refused.
    pub(crate) fn redrive_all(&self) -> Result<usize, RedriveAllError> {
        let end = self.morgue.end();
        let (mut from, mut moved) = (0, 0);
        while self.morgue.has(from, end) {
            self.admit_one().map_err(|reason| RedriveAllError { moved, reason })?;
            let Some(placed) = self.morgue.remove_first(from, end, Leave::Redriven) else {
                self.turn_back(1);
                break;
            };
            from = placed.next();
            self.send_again(placed).map_err(|reason| RedriveAllError { moved, reason })?;
            moved += 1;
        }
        Ok(moved)
    }

    fn admit_one(&self) -> Result<(), RedriveError> {
        match self.gate.admit(1) {
            Ok(_) => Ok(()),
            Err(Refused::Full) => Err(RedriveError::Full),
            Err(Refused::Closed) => Err(RedriveError::Closed),
        }
    }

    /// Makes a letter's job ready. If the queue was stopped meanwhile, the letter goes back to its place.
    fn send_again(&self, placed: Placed<T>) -> Result<(), RedriveError> {
        let (job, shell) = placed.open();
        let envelope = Envelope::new(shell.letter.id, Stamp::of(shell.letter.enqueued_at), job);
        match self.sender.send(envelope) {
            Ok(()) => Ok(()),
            Err(error) => {
                self.morgue.put_back(shell.refill(error.into_inner().job), Leave::Redriven);
                self.turn_back(1);
                Err(RedriveError::Closed)
            }
        }
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
