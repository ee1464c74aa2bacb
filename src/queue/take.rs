//! Taking a job into hand: from the channel to a seat, under a lease if the queue has one.

use super::engine::Facts;
use super::envelope::{Envelope, JobId};
use super::lease::{Leased, SharedJob};
use super::seat::{Seat, SeatRef};
use super::work::Queue;
use crate::retry::{DeadReason, Failure, Resume, discard};
use crate::time::Moment;
use std::time::Duration;

/// A job in hand, with what its handler may know.
pub(crate) struct InHand<T> {
    pub(crate) facts: Facts,
    pub(super) job: Job<T>,
}

pub(super) enum Job<T> {
    /// Without a lease it lies with the worker.
    Owned(Envelope<T>),
    /// Under a lease it lies in the seat, and is borrowed from there.
    Shared(SharedJob<T>),
}

impl<T> InHand<T> {
    #[inline]
    pub(crate) fn job(&self) -> &T {
        match &self.job {
            Job::Owned(envelope) => &envelope.job,
            Job::Shared(job) => job.get(),
        }
    }
}

impl<T> Queue<T> {
    /// Takes the next job that is ready to a seat, and waits for it. None once the queue is closed and empty, or the seat cut.
    ///
    /// `timeout` is the time of the attempt: a lease is not renewed beyond it.
    #[inline]
    pub(crate) fn take(&self, seat: &Seat<T>, timeout: Option<Duration>) -> Option<InHand<T>> {
        loop {
            let envelope = self.receiver.recv().ok()?;
            if let Some(hand) = self.take_up(seat, envelope, timeout) {
                return Some(hand);
            }
            if seat.is_cut() {
                return None;
            }
        }
    }

    /// As [`take`](Self::take), for a task. Cancel-safe: dropped before it is ready, it has taken nothing.
    pub(crate) async fn take_async(&self, seat: &Seat<T>, timeout: Option<Duration>) -> Option<InHand<T>> {
        loop {
            let envelope = self.receiver.recv_async().await.ok()?;
            if let Some(hand) = self.take_up(seat, envelope, timeout) {
                return Some(hand);
            }
            if seat.is_cut() {
                return None;
            }
        }
    }

    /// Takes the job that is ready first to a seat, and says which it is; none is ready: none. Without the job in hand, it was
    /// seen to, and is not to be run.
    pub(crate) fn try_take(
        &self,
        seat: &Seat<T>,
        timeout: Option<Duration>,
    ) -> Option<(JobId, Option<InHand<T>>)> {
        let envelope = self.receiver.try_recv().ok()?;
        let id = envelope.id;
        Some((id, self.take_up(seat, envelope, timeout)))
    }

    /// Takes a job up at a seat. One that is not to be run any more is seen to here, and none returned.
    #[inline]
    pub(crate) fn take_up(
        &self,
        seat: &Seat<T>,
        envelope: Envelope<T>,
        timeout: Option<Duration>,
    ) -> Option<InHand<T>> {
        let envelope = if envelope.is_new() { envelope } else { self.look_at(seat, envelope)? };
        let facts = Facts::of(&envelope);
        if self.leasing.is_some() {
            return self.take_up_leased(seat, envelope, facts, timeout);
        }
        if seat.take_up(facts.id) {
            return Some(InHand { facts, job: Job::Owned(envelope) });
        }
        self.release(envelope);
        None
    }

    /// Looks whether a job that has a history is to be run now: if not, it is seen to.
    #[cold]
    fn look_at(&self, seat: &Seat<T>, mut envelope: Envelope<T>) -> Option<Envelope<T>> {
        if let Some(reason) = envelope.doom(|| self.clock.moment()) {
            self.bury_unseen(seat, envelope, reason);
            return None;
        }
        if envelope.is_parked() {
            match self.judge.resume(&Facts::of(&envelope), &self.clock) {
                Resume::Deliver => envelope.put_off(envelope.last_delay(), false),
                Resume::Park(wait) => {
                    self.delay(envelope, wait);
                    return None;
                }
                Resume::Dead(reason) => {
                    self.bury_unseen(seat, envelope, reason);
                    return None;
                }
            }
        }
        Some(envelope)
    }

    fn take_up_leased(
        &self,
        seat: &Seat<T>,
        envelope: Envelope<T>,
        facts: Facts,
        timeout: Option<Duration>,
    ) -> Option<InHand<T>> {
        let leasing = self.leasing.as_ref()?;
        let now = self.clock.moment();
        let renewed_until = match timeout {
            _ if !leasing.lease.renewed => Moment::ORIGIN,
            None => Moment::NEVER,
            Some(timeout) => now.after(timeout),
        };
        let (leased, job) =
            Leased::new(envelope, leasing.share, now.after(leasing.lease.time), renewed_until);
        match seat.take_up_leased(leased) {
            Ok(()) => Some(InHand { facts, job: Job::Shared(job) }),
            Err(leased) => {
                drop(job);
                self.release(leased.into_envelope()?);
                None
            }
        }
    }

    /// Makes a dead letter of a job that nobody is to work on any more.
    #[cold]
    fn bury_unseen(&self, seat: &Seat<T>, mut envelope: Envelope<T>, reason: DeadReason) {
        let now = self.clock.now();
        if reason == DeadReason::Expired {
            discard(envelope.record_end(Failure::expired(), now));
        }
        self.die(seat, envelope, reason, now);
    }

    /// Adds a seat for a worker.
    pub(crate) fn seat_of(&self, worker: usize) -> SeatRef<T> {
        self.seats.add(&self.clock, Some(u32::try_from(worker).unwrap_or(u32::MAX)))
    }
}

impl<T> Leased<T> {
    /// Returns the envelope with the job itself, which nobody borrows any more.
    pub(super) fn into_envelope(self) -> Option<Envelope<T>> {
        let (job, shell) = self.envelope.open();
        debug_assert_eq!(crate::sync::Arc::strong_count(&job), 1, "its worker has let it go");
        job.take().map(|job| shell.refill(job))
    }
}
