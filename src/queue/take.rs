//! Taking a job into hand: from the channel to a seat, under a lease if the queue has one.

use super::engine::{Facts, NO_PASS, Trials};
use super::envelope::{Envelope, JobId};
use super::lease::{Leased, Leasing};
use super::ready::Lane;
use super::seat::{Seat, SeatRef, Watched};
use super::work::Queue;
use crate::retry::{DeadReason, Failure, Resume, discard};
use crate::sync::Arc;
use crate::time::Moment;
use crate::wait::Deadline;
use std::time::Duration;

/// A job in hand.
pub(crate) struct InHand<T> {
    pub(super) job: Job<T>,
    /// The round of the breaker's pass, or [`NO_PASS`].
    pub(super) pass: u64,
}

pub(super) enum Job<T> {
    /// Without a lease it lies with the worker.
    Owned(Envelope<T>),
    /// Under a lease it lies at the seat, and is borrowed from there. The trials are those of a job that has some.
    Leased { job: Leased<T>, facts: Facts, trials: Option<Trials> },
}

impl<T> InHand<T> {
    #[inline]
    pub(crate) fn job(&self) -> &T {
        match &self.job {
            Job::Owned(envelope) => &envelope.job,
            Job::Leased { job, .. } => job.job(),
        }
    }

    #[inline]
    pub(crate) fn facts(&self) -> Facts {
        let facts = match &self.job {
            Job::Owned(envelope) => Facts::of(envelope),
            Job::Leased { facts, .. } => *facts,
        };
        Facts { pass: self.pass, ..facts }
    }

    pub(crate) fn trials(&self) -> Trials {
        match &self.job {
            Job::Owned(envelope) => Trials::of(envelope),
            Job::Leased { trials: Some(trials), .. } => *trials,
            Job::Leased { facts, .. } => Trials { since: facts.enqueued_at, delay: Duration::ZERO },
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
            let hand = match &self.judge.breaker {
                None => self.take_up(seat, self.ready.of(Lane::Sync).recv().ok()?, timeout),
                Some(breaker) => {
                    let passed = self.next_passed(breaker, Deadline::never()).ok()?;
                    self.take_up_passed(seat, passed, timeout)
                }
            };
            if hand.is_some() {
                return hand;
            }
            if seat.is_cut() {
                return None;
            }
        }
    }

    /// As [`take`](Self::take), for a task. Cancel-safe: dropped before it is ready, it has taken nothing.
    pub(crate) async fn take_async(&self, seat: &Seat<T>, timeout: Option<Duration>) -> Option<InHand<T>> {
        loop {
            let hand = match &self.judge.breaker {
                None => self.take_up(seat, self.ready.of(Lane::Async).recv_async().await.ok()?, timeout),
                Some(breaker) => {
                    let passed = self.next_passed_async(breaker).await.ok()?;
                    self.take_up_passed(seat, passed, timeout)
                }
            };
            if hand.is_some() {
                return hand;
            }
            if seat.is_cut() {
                return None;
            }
        }
    }

    /// Takes the job that is ready first in a lane to a seat, and says which it is; none is ready, or deliveries pause: none. Without the
    /// job in hand, it was seen to, and is not to be run.
    pub(crate) fn try_take(
        &self,
        lane: Lane,
        seat: &Seat<T>,
        timeout: Option<Duration>,
    ) -> Option<(JobId, Option<InHand<T>>)> {
        let (envelope, pass) = match &self.judge.breaker {
            None => (self.ready.of(lane).try_recv().ok()?, NO_PASS),
            Some(breaker) => self.try_next_passed(breaker, lane).ok()?,
        };
        let id = envelope.id;
        Some((id, self.take_up_passed(seat, (envelope, pass), timeout)))
    }

    /// Takes a job up at a seat. One that is not to be run any more is seen to here, and none returned.
    #[inline(always)]
    pub(crate) fn take_up(
        &self,
        seat: &Seat<T>,
        envelope: Envelope<T>,
        timeout: Option<Duration>,
    ) -> Option<InHand<T>> {
        let envelope = if envelope.is_new() { envelope } else { self.look_at(seat, envelope)? };
        if let Some(leasing) = &self.leasing {
            return self.take_up_leased(leasing, seat, envelope, timeout);
        }
        if seat.take_up(envelope.id) {
            return Some(InHand { job: Job::Owned(envelope), pass: NO_PASS });
        }
        self.release(envelope);
        None
    }

    /// Looks whether a job that has a history is to be run now: if not, it is seen to.
    #[cold]
    fn look_at(&self, seat: &Seat<T>, mut envelope: Envelope<T>) -> Option<Envelope<T>> {
        if envelope.is_cancelled() {
            self.drop_cancelled(envelope);
            return None;
        }
        if let Some(reason) = envelope.doom(|| self.clock.moment()) {
            seat.died.bump();
            self.bury_unseen(envelope, reason);
            return None;
        }
        if envelope.is_parked() {
            match self.judge.resume(&envelope, &self.clock) {
                Resume::Deliver => envelope.put_off(envelope.last_delay(), false),
                Resume::Park(wait) => {
                    self.delay(envelope, wait);
                    return None;
                }
                Resume::Dead(reason) => {
                    seat.died.bump();
                    self.bury_unseen(envelope, reason);
                    return None;
                }
            }
        }
        if let Some(track) = envelope.track() {
            track.begin(envelope.deliveries());
            seat.watch(Watched {
                id: envelope.id,
                delivery: envelope.deliveries(),
                track: Arc::clone(track),
            });
        }
        Some(envelope)
    }

    #[inline]
    fn take_up_leased(
        &self,
        leasing: &Leasing<T>,
        seat: &Seat<T>,
        envelope: Envelope<T>,
        timeout: Option<Duration>,
    ) -> Option<InHand<T>> {
        let facts = Facts::of(&envelope);
        let trials = (!envelope.is_new()).then(|| Trials::of(&envelope));
        let (ends, renewed_until) = match timeout {
            // Always renewed, so that it never matters when it would end: this spares a look at the clock.
            None if leasing.lease.renewed => (Moment::ORIGIN, Moment::NEVER),
            _ => {
                let now = self.clock.moment();
                let renewed_until = match timeout {
                    Some(timeout) if leasing.lease.renewed => now.after(timeout),
                    _ => Moment::ORIGIN,
                };
                (now.after(leasing.lease.time), renewed_until)
            }
        };
        match seat.take_up_leased(envelope, ends, renewed_until) {
            Ok(job) => Some(InHand { job: Job::Leased { job, facts, trials }, pass: NO_PASS }),
            Err(envelope) => {
                self.release(envelope);
                None
            }
        }
    }

    /// Makes a dead letter of a job that nobody is to work on any more. The caller has counted it.
    #[cold]
    pub(super) fn bury_unseen(&self, mut envelope: Envelope<T>, reason: DeadReason) {
        let now = self.clock.now();
        if reason == DeadReason::Expired {
            discard(envelope.record_end(Failure::expired(), now));
        }
        self.die(envelope, reason, now);
    }

    /// Adds a seat for a worker.
    pub(crate) fn seat_of(&self, worker: usize) -> SeatRef<T> {
        self.seats.add(&self.clock, Some(u32::try_from(worker).unwrap_or(u32::MAX)))
    }
}
