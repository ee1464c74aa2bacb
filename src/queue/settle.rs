//! Settling a delivery: the job is done, comes back later, or is dead.
//!
//! In each case the job is laid down first, with one step on the worker's seat. If that tells that a shutdown has cut it
//! off, the delivery is *late*: its job is on the shutdown's list already, nothing is counted but that, and the job itself is
//! handed to the shutdown if it still waits for it.
//!
//! User code (the drop of a job, of an error, of an evicted letter; the text of an error) runs under no lock, and a panic in
//! it ends here.

use super::envelope::Envelope;
use super::lease::{LeaseLost, Leased};
use super::letter::{DeadInfo, DeadLetter};
use super::seat::Seat;
use super::take::{InHand, Job};
use super::track::JobEnd;
use super::work::Queue;
use crate::retry::{DeadReason, Failure, FailureKind, Verdict, discard};
use std::time::{Duration, SystemTime};

/// Where the events of a pool are filed.
const TARGET: &str = "millpond";

impl<T> Queue<T> {
    /// Settles a delivery that was taken up at `seat`. Waits for nobody.
    ///
    /// Refused when the job was taken away before: by a shutdown, or with its lease.
    #[inline]
    pub(crate) fn settle(&self, seat: &Seat<T>, hand: InHand<T>, verdict: Verdict) -> Result<(), LeaseLost> {
        let envelope = match hand.job {
            Job::Owned(envelope) => envelope,
            Job::Leased { job, .. } => self.reclaim(seat, job)?,
        };
        let cancelled = envelope.is_tagged() && self.look_back(seat, &envelope);
        let settled = match verdict {
            Verdict::Done => self.settle_done(seat, envelope),
            verdict if cancelled => self.settle_cancelled(seat, envelope, verdict),
            Verdict::Retry(delay, failure) => self.settle_retry(seat, envelope, (delay, false), failure),
            Verdict::Park(delay, failure) => self.settle_retry(seat, envelope, (delay, true), failure),
            Verdict::Snooze(delay) => self.settle_snooze(seat, envelope, delay),
            Verdict::Release => self.settle_release(seat, envelope),
            Verdict::Dead(reason, failure) => self.settle_dead(seat, envelope, reason, failure),
            Verdict::Drop => self.settle_drop(seat, envelope),
        };
        if settled {
            return Ok(());
        }
        self.late(seat);
        Err(LeaseLost::new())
    }

    /// Returns how many deliveries of a job may end in a failed attempt or a lost lease.
    pub(super) fn max_deliveries(&self) -> u32 {
        self.leasing.as_ref().map_or(u32::MAX, |leasing| leasing.lease.max_deliveries)
    }

    /// Takes the envelope back from its place, for the settle to go on as if it had been in the worker's hand all the time.
    #[inline]
    fn reclaim(&self, seat: &Seat<T>, job: Leased<T>) -> Result<Envelope<T>, LeaseLost> {
        match job.reclaim() {
            Ok((job, shell)) => Ok(shell.refill(job)),
            Err(job) => Err(self.lost(seat, job)),
        }
    }

    /// Sees to a delivery that was taken away. `job`: what its worker had of it, if nobody else looks at that.
    #[cold]
    fn lost(&self, seat: &Seat<T>, job: Option<T>) -> LeaseLost {
        discard(job);
        let in_time = seat.lay_down();
        debug_assert!(!in_time, "a job that was taken out of its place is lost");
        self.late(seat);
        LeaseLost::new()
    }

    #[inline]
    fn settle_done(&self, seat: &Seat<T>, envelope: Envelope<T>) -> bool {
        let (id, tagged) = (envelope.id, envelope.is_tagged());
        // The job is dropped while it is still in hand: a drop that does not come to an end is cut off like a handler.
        if !envelope.discard() {
            tracing::error!(target: TARGET, %id, "dropping the job panicked");
        }
        let settled = seat.lay_down();
        if settled {
            seat.done.bump();
            self.leave_as(id, tagged, JobEnd::Done);
        }
        settled
    }

    #[cold]
    fn settle_retry(
        &self,
        seat: &Seat<T>,
        mut envelope: Envelope<T>,
        (delay, parked): (Duration, bool),
        failure: Failure,
    ) -> bool {
        if envelope.troubles().saturating_add(1) >= self.max_deliveries() {
            return self.settle_dead(seat, envelope, DeadReason::Deliveries, failure);
        }
        count_panic(seat, &failure);
        let (id, attempt) = (envelope.id, envelope.attempt());
        tracing::warn!(target: TARGET, %id, attempt, ?delay, error = failure.text(), "the attempt failed: trying again");
        discard(envelope.record_failure(failure, self.clock.now(), seat.worker()));
        envelope.put_off(delay, parked);
        if !seat.lay_down() {
            discard(envelope.strike_failure());
            self.give_back_cut(envelope);
            return false;
        }
        seat.retried.bump();
        self.delay(envelope, delay);
        true
    }

    #[cold]
    fn settle_snooze(&self, seat: &Seat<T>, mut envelope: Envelope<T>, delay: Duration) -> bool {
        tracing::debug!(target: TARGET, id = %envelope.id, ?delay, "snoozed");
        if !seat.lay_down() {
            self.give_back_cut(envelope);
            return false;
        }
        envelope.record_snooze();
        seat.snoozed.bump();
        self.delay(envelope, delay);
        true
    }

    #[cold]
    fn settle_release(&self, seat: &Seat<T>, mut envelope: Envelope<T>) -> bool {
        tracing::debug!(target: TARGET, id = %envelope.id, "released");
        if !seat.lay_down() {
            self.give_back_cut(envelope);
            return false;
        }
        envelope.record_release();
        self.make_ready(envelope);
        true
    }

    #[cold]
    fn settle_drop(&self, seat: &Seat<T>, envelope: Envelope<T>) -> bool {
        let (id, tagged) = (envelope.id, envelope.is_tagged());
        tracing::debug!(target: TARGET, %id, "dropped by the handler");
        if !envelope.discard() {
            tracing::error!(target: TARGET, %id, "dropping the job panicked");
        }
        let settled = seat.lay_down();
        if settled {
            seat.dropped.bump();
            self.leave_as(id, tagged, JobEnd::Dropped);
        }
        settled
    }

    /// Lets go of what a tagged job was watched by. Returns true if it was cancelled.
    #[cold]
    fn look_back(&self, seat: &Seat<T>, envelope: &Envelope<T>) -> bool {
        seat.unwatch();
        envelope.is_cancelled()
    }

    #[cold]
    fn settle_cancelled(&self, seat: &Seat<T>, envelope: Envelope<T>, verdict: Verdict) -> bool {
        discard(verdict);
        if !seat.lay_down() {
            self.give_back_cut(envelope);
            return false;
        }
        self.drop_cancelled(envelope);
        true
    }

    #[cold]
    fn settle_dead(
        &self,
        seat: &Seat<T>,
        mut envelope: Envelope<T>,
        reason: DeadReason,
        failure: Failure,
    ) -> bool {
        count_panic(seat, &failure);
        let died_at = self.clock.now();
        discard(envelope.record_failure(failure, died_at, seat.worker()));
        if !seat.lay_down() {
            discard(envelope.strike_failure());
            self.give_back_cut(envelope);
            return false;
        }
        seat.died.bump();
        self.die(envelope, reason, died_at);
        true
    }

    /// Makes a dead letter of a job that is in nobody's hand. The caller has counted it.
    pub(super) fn die(&self, envelope: Envelope<T>, reason: DeadReason, died_at: SystemTime) {
        let track = if envelope.is_tagged() { self.untag(envelope.id) } else { None };
        let letter = DeadLetter::of(envelope, reason, died_at);
        let info = DeadInfo::of(&letter);
        let (id, attempts) = (info.id, info.attempts);
        tracing::error!(target: TARGET, %id, attempts, %reason, error = info.error, "the job is dead");
        self.bury(info, letter);
        if let Some(track) = track {
            track.end(JobEnd::Dead(reason));
        }
    }

    #[cold]
    fn late(&self, seat: &Seat<T>) {
        seat.unwatch();
        seat.late.bump();
        tracing::warn!(target: TARGET, queue = &**self.name(), "a delivery that was taken away has ended: nothing is changed");
    }
}

fn count_panic<T>(seat: &Seat<T>, failure: &Failure) {
    if failure.kind() == FailureKind::Panic {
        seat.panicked.bump();
        tracing::warn!(target: TARGET, error = failure.text(), "the handler panicked");
    }
}
