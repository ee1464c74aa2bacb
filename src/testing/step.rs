//! What can happen in a simulation: a job is taken, a job is settled, a lease is lost, the clock moves.

use super::faults::Fault;
use super::sim::Sim;
use super::trace::{EventKind, Fate};
use crate::pool::StillTake;
use crate::queue::JobId;
use crate::queue::engine::Facts;
use crate::retry::{Failure, Outcome, Verdict, discard};
use crate::time::Moment;
use std::time::Duration;

/// How long a handler hangs that cannot lose its lease.
const HANG_DEFAULT: Duration = Duration::from_secs(3_600);
/// How long a slow handler takes at most that cannot lose its lease.
const SLOW_DEFAULT: Duration = Duration::from_secs(1);

/// A worker, and what it has in hand.
pub(super) type Slot = Option<Busy>;

/// A job in a worker's hand.
pub(super) struct Busy {
    job: JobId,
    /// What the handler returned. None: it has not been called yet.
    outcome: Option<Outcome>,
    /// When it is settled at the earliest.
    until: Moment,
    /// Its lease is to be lost before that.
    doomed: bool,
    /// The job was taken away.
    pub(super) lost: bool,
}

impl<T: Send + 'static> Sim<'_, T> {
    /// Does one thing that can happen now. False if there is none.
    pub(super) fn act(&mut self) -> bool {
        let now = self.still.now();
        if now != self.tended {
            // Somebody else has moved the clock.
            self.tend();
        }
        let ready = self.still.ready() > 0;
        let can = |slot: &Slot| slot.as_ref().map_or(ready, |busy| busy.until <= now);
        let choices = self.slots.iter().filter(|slot| can(slot)).count();
        if choices == 0 {
            return false;
        }
        let choice = self.random.below(choices);
        let able = self.slots.iter().enumerate().filter(|(_, slot)| can(slot));
        let Some(worker) = able.map(|(worker, _)| worker).nth(choice) else { return false };
        match self.slots[worker].take() {
            None => self.take(worker),
            Some(busy) => self.finish(worker, busy),
        }
        true
    }

    /// Moves the clock to the next moment at which something happens, if that is not after `end`.
    pub(super) fn move_clock(&mut self, end: Moment) -> bool {
        let (chore, review) = self.tend();
        let busy = self.slots.iter().flatten();
        let settled = busy.clone().map(|busy| busy.until).min().unwrap_or(Moment::NEVER);
        let review = if busy.clone().any(|busy| !busy.lost) { review } else { Moment::NEVER };
        let (now, next) = (self.still.now(), chore.min(settled).min(review));
        if next == Moment::NEVER || next > end || next <= now {
            return false;
        }
        self.move_by(next.since_origin() - now.since_origin());
        true
    }

    pub(super) fn move_by(&mut self, time: Duration) {
        self.still.time.advance(time);
        self.note(EventKind::Clock);
        self.tend();
    }

    /// Does the timer's work, and notes who has lost a job by it. Returns when there is more: for jobs, and for leases.
    fn tend(&mut self) -> (Moment, Moment) {
        let next = self.still.tend();
        self.tended = self.still.now();
        for worker in 0..self.slots.len() {
            let lost = self.still.is_lost(worker);
            if let Some(busy) = self.slots[worker].as_mut().filter(|busy| lost && !busy.lost) {
                busy.lost = true;
                let job = busy.job;
                self.books.lost += 1;
                self.note(EventKind::LeaseLost { worker, job });
            }
        }
        next
    }

    /// A worker takes the next job.
    fn take(&mut self, worker: usize) {
        match self.still.take(worker) {
            StillTake::Nothing => {}
            StillTake::Unseen(job) => {
                let died = self.has_died();
                self.note(if died { EventKind::Died(job) } else { EventKind::PutOff(job) });
            }
            StillTake::InHand(facts) => self.begin(worker, &facts),
        }
    }

    fn begin(&mut self, worker: usize, facts: &Facts) {
        let (job, delivery) = (facts.id, facts.deliveries);
        let fault = self.faults.draw(&mut self.random, job.get(), delivery, self.still.lease.is_some());
        self.note(EventKind::Delivered { worker, job, attempt: facts.attempt, delivery, fault });
        let mut busy = Busy {
            job,
            outcome: None,
            until: self.still.now(),
            doomed: fault == Some(Fault::LoseLease),
            lost: false,
        };
        // A handler that takes its time does its work at the beginning or at the end of it.
        let early = match fault {
            None | Some(Fault::FailAfter) => true,
            Some(Fault::Fail | Fault::Panic) => false,
            Some(Fault::Hang | Fault::LoseLease | Fault::Slow) => self.random.coin(),
        };
        if early {
            busy.outcome = Some(self.call(worker));
        }
        match fault {
            Some(Fault::Fail) => busy.outcome = Some(Outcome::retry("an injected failure")),
            Some(Fault::Panic) => {
                busy.outcome = Some(Outcome::Retry(Failure::from_panic(&"an injected panic")));
            }
            Some(Fault::FailAfter) => {
                discard(busy.outcome.replace(Outcome::retry("an injected failure after the work")));
            }
            Some(Fault::Hang) => busy.until = busy.until.after(self.hang()),
            Some(Fault::Slow) => busy.until = busy.until.after(self.slow()),
            Some(Fault::LoseLease) | None => {}
        }
        self.slots[worker] = Some(busy);
    }

    /// A worker settles its job, or loses it first.
    fn finish(&mut self, worker: usize, mut busy: Busy) {
        if std::mem::take(&mut busy.doomed) && self.still.run_out(worker) {
            self.slots[worker] = Some(busy);
            self.tend();
            return;
        }
        let job = busy.job;
        let outcome = busy.outcome.take().unwrap_or_else(|| self.call(worker));
        let verdict = self.still.judge(worker, outcome);
        let mut fate = Fate::of(&verdict);
        let failed = matches!(verdict, Verdict::Retry(..) | Verdict::Park(..) | Verdict::Dead(..));
        if self.still.settle(worker, verdict).is_err() {
            self.books.refused += 1;
            return self.note(EventKind::Refused { worker, job });
        }
        if failed && self.has_died() {
            fate = Fate::Dead;
        }
        self.books.settled(fate);
        self.note(EventKind::Settled { worker, job, fate });
    }

    fn call(&mut self, worker: usize) -> Outcome {
        let outcome = self.still.handle(worker, &mut *self.handler);
        // The handler may have submitted to a full pool.
        self.died = self.stats().died;
        outcome
    }

    /// Returns true if a job has died since this was asked last.
    fn has_died(&mut self) -> bool {
        let died = self.stats().died;
        std::mem::replace(&mut self.died, died) < died
    }

    /// Returns after which time a handler that says nothing has lost its job.
    fn patience(&self) -> Option<Duration> {
        self.still.lease.and_then(|lease| lease.lost_after(self.still.timeout()))
    }

    fn hang(&self) -> Duration {
        let default = || self.patience().map_or(HANG_DEFAULT, |time| time.saturating_mul(2));
        self.faults.hang.unwrap_or_else(default)
    }

    fn slow(&mut self) -> Duration {
        let default = || self.patience().map_or(SLOW_DEFAULT, |time| time / 2);
        let most = self.faults.slow.unwrap_or_else(default);
        let most = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX);
        let nanos = (u128::from(self.random.next()) * u128::from(most)) >> 64;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(most))
    }
}
