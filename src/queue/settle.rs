//! Settling a delivery: the job is done, comes back later, or is dead.
//!
//! In each case the job is laid down first, with one step on the worker's seat. If that tells that a shutdown has cut it
//! off, the delivery is *late*: its job is on the shutdown's list already, and nothing is counted but that.
//!
//! User code (the drop of a job, of an error, of an evicted letter; the text of an error) runs under no lock, and a panic in
//! it ends here.

use super::envelope::Envelope;
use super::letter::{DeadInfo, DeadLetter};
use super::seat::Seat;
use super::work::Queue;
use crate::retry::{DeadReason, Failure, FailureKind, Verdict, discard};
use std::time::Duration;

/// Where the events of a pool are filed.
const TARGET: &str = "millpond";

impl<T> Queue<T> {
    /// Settles a delivery that was taken up at `seat`. Waits only for room among the dead letters, if told to block.
    #[inline]
    pub(crate) fn settle(&self, seat: &Seat, envelope: Envelope<T>, verdict: Verdict) {
        match verdict {
            Verdict::Done => self.settle_done(seat, envelope),
            Verdict::Retry(delay, failure) => self.settle_retry(seat, envelope, delay, failure),
            Verdict::Snooze(delay) => self.settle_snooze(seat, envelope, delay),
            Verdict::Dead(reason, failure) => self.settle_dead(seat, envelope, reason, failure),
        }
    }

    #[inline]
    fn settle_done(&self, seat: &Seat, envelope: Envelope<T>) {
        let id = envelope.id;
        // The job is dropped while it is still in hand: a drop that does not come to an end is cut off like a handler.
        if !envelope.discard() {
            tracing::error!(target: TARGET, %id, "dropping the job panicked");
        }
        if seat.lay_down(id) {
            seat.done.bump();
            self.leave(1);
        } else {
            self.late(seat);
        }
    }

    #[cold]
    fn settle_retry(&self, seat: &Seat, mut envelope: Envelope<T>, delay: Duration, failure: Failure) {
        count_panic(seat, &failure);
        let (id, attempt) = (envelope.id, envelope.attempt());
        tracing::warn!(target: TARGET, %id, attempt, ?delay, error = failure.text(), "the attempt failed: trying again");
        discard(envelope.record_failure(failure, self.clock.now()));
        if !seat.lay_down(id) {
            self.late(seat);
            envelope.discard();
            return;
        }
        seat.retried.bump();
        self.delay(envelope, delay);
    }

    #[cold]
    fn settle_snooze(&self, seat: &Seat, mut envelope: Envelope<T>, delay: Duration) {
        tracing::debug!(target: TARGET, id = %envelope.id, ?delay, "snoozed");
        envelope.record_snooze();
        if !seat.lay_down(envelope.id) {
            self.late(seat);
            envelope.discard();
            return;
        }
        seat.snoozed.bump();
        self.delay(envelope, delay);
    }

    #[cold]
    fn settle_dead(&self, seat: &Seat, mut envelope: Envelope<T>, reason: DeadReason, failure: Failure) {
        count_panic(seat, &failure);
        let id = envelope.id;
        let died_at = self.clock.now();
        discard(envelope.record_failure(failure, died_at));
        let letter = DeadLetter::of(envelope, reason, died_at);
        let info = DeadInfo::of(&letter);
        tracing::error!(target: TARGET, %id, attempts = info.attempts, %reason, error = info.error, "the job is dead");
        if !seat.lay_down(id) {
            self.late(seat);
            letter.discard();
            return;
        }
        seat.died.bump();
        self.bury(info, letter);
    }

    #[cold]
    fn late(&self, seat: &Seat) {
        seat.late.bump();
        tracing::warn!(target: TARGET, queue = &**self.name(), "a delivery that was cut off has ended: nothing is changed");
    }
}

fn count_panic(seat: &Seat, failure: &Failure) {
    if failure.kind() == FailureKind::Panic {
        seat.panicked.bump();
        tracing::warn!(target: TARGET, error = failure.text(), "the handler panicked");
    }
}
