//! What the timer does: jobs that are due become ready, leases are renewed or lost, handlers that sleep are woken, and dead
//! letters that are too old are dropped.

use super::envelope::{Envelope, JobId};
use super::lease::TakenAway;
use super::seat::Seat;
use super::track::JobEnd;
use super::work::Queue;
use crate::retry::{DeadReason, discard, wake};
use crate::sync::atomic::Ordering;
use crate::time::Moment;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a tick of the timer found.
pub(crate) struct Tick {
    /// False once the schedule is closed: the timer ends.
    pub(crate) open: bool,
    /// Workers that lost a lease and are to be replaced.
    pub(crate) stuck: Vec<Stuck>,
}

/// A worker that was stuck, with the job that it has lost.
#[derive(Clone, Copy)]
pub(crate) struct Stuck {
    pub(crate) worker: Option<u32>,
    pub(crate) job: JobId,
}

/// What a round of the timer found.
pub(crate) struct Round {
    /// False once the schedule is closed.
    open: bool,
    /// Jobs were due: there may be more of them.
    pub(crate) busy: bool,
    /// Workers that lost a lease and are to be replaced.
    stuck: Vec<Stuck>,
    /// When the leases are to be looked at again.
    pub(crate) review: Moment,
    /// When the next sleeping handler is to be woken.
    pub(crate) sleeper: Moment,
    /// When deliveries that pause may go on.
    pause: Moment,
}

impl<T> Queue<T> {
    /// Makes the jobs ready that are due, looks after the leases, then sleeps until there may be more.
    ///
    /// `due` is scratch space, empty between calls. `retire`: a worker that has lost a lease is not to go on afterwards.
    pub(crate) fn tick(&self, due: &mut Vec<Envelope<T>>, retire: bool) -> Tick {
        let alarm = self.delayed.alarm();
        let rings = alarm.rings();
        let Round { open, busy, stuck, review, sleeper, pause } = self.round(due, retire);
        if open && !busy && stuck.is_empty() {
            let next = self.next_chore().unwrap_or(Moment::NEVER).min(review).min(sleeper).min(pause);
            if next > self.clock.moment() {
                alarm.wait(rings, self.clock.instant_of(next));
            }
        }
        Tick { open, stuck }
    }

    /// A tick without the sleep.
    pub(crate) fn round(&self, due: &mut Vec<Envelope<T>>, retire: bool) -> Round {
        let now = self.clock.moment();
        let open = self.delayed.take_due(now, due);
        let busy = !due.is_empty();
        due.drain(..).for_each(|envelope| self.make_ready(envelope));
        let (review, stuck) = self.review_leases(now, retire);
        let sleeper = self.wake_sleepers(now);
        let pause = self.review_pause(now);
        #[cfg(feature = "cron")]
        let pause = pause.min(self.run_repeats(now));
        self.expire_dead();
        Round { open, busy, stuck, review, sleeper, pause }
    }

    /// Wakes the handlers whose time has come. Returns when the next one's comes.
    fn wake_sleepers(&self, now: Moment) -> Moment {
        let mut wakers = Vec::new();
        let next = self.timers().take_due(now, &mut wakers);
        for waker in wakers {
            if !wake(waker) {
                tracing::error!(target: "millpond", "a waker panicked");
            }
        }
        next.unwrap_or(Moment::NEVER)
    }

    /// Renews what is to be renewed, and takes away what has run out. Returns when to look again, and which workers lost
    /// their seats.
    fn review_leases(&self, now: Moment, retire: bool) -> (Moment, Vec<Stuck>) {
        let Some(leasing) = &self.leasing else { return (Moment::NEVER, Vec::new()) };
        let time = leasing.lease.time;
        // A delivery that is taken while we look has a whole lease before it.
        let mut next = now.after(if leasing.lease.renewed { time / 2 } else { time });
        let mut stuck = Vec::new();
        for seat in self.seats.list() {
            let stubborn = seat.worker().is_some_and(|worker| worker >= self.stubborn_from);
            match seat.review(now, time, retire && stubborn) {
                Ok(again) => next = next.min(again.unwrap_or(next)),
                Err(taken) => {
                    if seat.is_cut() {
                        stuck.push(Stuck { worker: seat.worker(), job: taken.rest().id });
                    }
                    self.lease_lost(&seat, taken);
                }
            }
        }
        (next, stuck)
    }

    /// Makes a job ready again whose worker has lost it.
    fn lease_lost(&self, seat: &Seat<T>, taken: TakenAway<T>) {
        // ORDERING: Relaxed; a count.
        self.leases_lost.fetch_add(1, Ordering::Relaxed);
        tracing::error!(
            target: "millpond",
            queue = &**self.name(),
            id = %taken.rest().id,
            worker = seat.worker(),
            "the lease is lost: the job goes to another worker"
        );
        let (id, tagged) = (taken.rest().id, taken.rest().is_tagged());
        let Some(mut envelope) = self.copy(taken) else {
            return self.leave_as(id, tagged, JobEnd::Dropped);
        };
        discard(envelope.record_loss(self.clock.now(), seat.worker()));
        if envelope.troubles() >= self.max_deliveries() {
            // Whoever takes it up next buries it: the timer has no time for the user's code that is told of it.
            envelope.condemn(DeadReason::Deliveries);
        }
        self.make_ready(envelope);
    }

    /// Copies a job that its worker still borrows. A copy that panics leaves nothing but a count.
    pub(super) fn copy(&self, taken: TakenAway<T>) -> Option<Envelope<T>> {
        let copied = catch_unwind(AssertUnwindSafe(|| taken.copy()));
        // The worker may have ended meanwhile: then nobody else has the job that it worked on.
        let (shell, job) = taken.part();
        discard(job);
        match copied {
            Ok(job) => Some(shell.refill(job)),
            Err(payload) => {
                tracing::error!(target: "millpond", id = %shell.id, "copying the job panicked: it is dropped");
                discard(payload);
                shell.discard();
                // ORDERING: Relaxed; a count, made before the job leaves the gate.
                self.uncopied.fetch_add(1, Ordering::Relaxed);
                None
            }
        }
    }
}
