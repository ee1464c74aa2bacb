//! What can happen in a simulation: a job is taken, a job is settled, a lease is lost, the clock moves.

use super::faults::Fault;
use super::sim::Sim;
use super::trace::{EventKind, Fate};
use crate::pool::{StillTake, StillWork};
use crate::queue::engine::Facts;
use crate::queue::{JobId, Lane};
use crate::retry::{Failure, Outcome, Verdict, discard};
use crate::time::Moment;
use std::time::Duration;

/// How long a handler hangs that cannot lose its lease.
const HANG_DEFAULT: Duration = Duration::from_secs(3_600);
/// How long a slow handler takes at most that cannot lose its lease.
const SLOW_DEFAULT: Duration = Duration::from_secs(1);

/// A worker, and what it has in hand.
pub(super) type Slot<'h> = Option<Busy<'h>>;

/// A job in a worker's hand.
pub(super) struct Busy<'h> {
    job: JobId,
    /// What the handler returned. None: it has not been called yet.
    outcome: Option<Outcome>,
    /// The handler, if it is async and was begun.
    work: Option<StillWork<'h>>,
    /// What goes wrong when it has ended.
    fault: Option<Fault>,
    /// When it is settled, or polled again, at the earliest.
    until: Moment,
    /// Its lease is to be lost before that.
    doomed: bool,
    /// The job was taken away.
    pub(super) lost: bool,
}

impl Busy<'_> {
    /// Returns true if something can be done about it when its time has come.
    fn can_go_on(&self) -> bool {
        let waits = self.work.as_ref().is_some_and(|work| !work.is_woken());
        self.outcome.is_some() || self.doomed || self.hangs() || !waits
    }

    /// Returns true while it hangs: its time to go on, or to be stopped, is said by `until`.
    fn hangs(&self) -> bool {
        self.fault == Some(Fault::Hang) && !self.lost
    }
}

impl<'h, T: Send + 'static> Sim<'h, T> {
    /// Does one thing that can happen now. False if there is none.
    pub(super) fn act(&mut self) -> bool {
        let now = self.still.now();
        if now != self.tended {
            // Somebody else has moved the clock.
            self.tend();
        }
        let still = &self.still;
        let can = |(worker, slot): &(usize, &Slot<'_>)| match slot {
            None => still.is_ready_for(*worker),
            Some(busy) => busy.until <= now && busy.can_go_on(),
        };
        let choices = self.slots.iter().enumerate().filter(can).count();
        if choices == 0 {
            return false;
        }
        let choice = self.random.below(choices);
        let able = self.slots.iter().enumerate().filter(can);
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
        // Those whose time has come wait for somebody else.
        let now = self.still.now();
        let settled = busy.clone().map(|busy| busy.until).filter(|until| *until > now).min();
        let settled = settled.unwrap_or(Moment::NEVER);
        let review = if busy.clone().any(|busy| !busy.lost) { review } else { Moment::NEVER };
        let next = chore.min(settled).min(review);
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
                // It learns of that as soon as it is polled.
                busy.work.iter().for_each(StillWork::wake);
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
            work: None,
            fault: None,
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
            busy.outcome = self.go_on(worker, &mut busy);
        }
        busy.fault = fault;
        match fault {
            Some(Fault::Fail) => busy.outcome = Some(Outcome::retry("an injected failure")),
            Some(Fault::Panic) => {
                busy.outcome = Some(Outcome::Retry(Failure::from_panic(&"an injected panic")));
            }
            Some(Fault::Hang) => {
                busy.until = busy.until.after(self.stops(worker).unwrap_or_else(|| self.hang()));
            }
            Some(Fault::Slow) => busy.until = busy.until.after(self.slow()),
            Some(Fault::LoseLease | Fault::FailAfter) | None => {}
        }
        self.slots[worker] = Some(busy);
    }

    /// A worker settles its job, or loses it first.
    fn finish(&mut self, worker: usize, mut busy: Busy<'h>) {
        if std::mem::take(&mut busy.doomed) && self.still.run_out(worker) {
            self.slots[worker] = Some(busy);
            self.tend();
            return;
        }
        let job = busy.job;
        if busy.hangs() {
            // Without a timeout it goes on in the end.
            busy.fault = None;
            busy.work.iter().for_each(StillWork::wake);
            if self.stops(worker).is_some() {
                discard(busy.outcome.replace(Outcome::Retry(Failure::timeout())));
            }
        }
        let outcome = busy.outcome.take().or_else(|| self.go_on(worker, &mut busy));
        let Some(outcome) = outcome else {
            self.slots[worker] = Some(busy);
            return;
        };
        // What is left of the handler goes before its job: user code.
        discard(busy.work.take());
        let outcome = match busy.fault {
            Some(Fault::FailAfter) => {
                discard(outcome);
                Outcome::retry("an injected failure after the work")
            }
            _ => outcome,
        };
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

    /// Calls the handler, or polls it. None: it waits.
    fn go_on(&mut self, worker: usize, busy: &mut Busy<'h>) -> Option<Outcome> {
        let (still, lane) = (&self.still, self.still.lane(worker));
        let outcome = match (lane, &mut self.handlers.blocking, &self.handlers.waiting) {
            (Lane::Sync, Some(handler), _) => Some(still.handle(worker, &mut **handler)),
            (Lane::Async, _, Some(handler)) => {
                if busy.work.is_none() {
                    busy.work = still.begin(worker, handler);
                }
                busy.work.as_mut().and_then(StillWork::poll)
            }
            _ => unreachable!("there are workers of those kinds only for which there is a handler"),
        };
        // The handler may have submitted to a full pool.
        self.died = self.stats().died;
        if outcome.is_none() {
            self.note(EventKind::Waits { worker, job: busy.job });
        }
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

    /// Returns after which time a handler of this worker is stopped that waits: only async ones can be.
    fn stops(&self, worker: usize) -> Option<Duration> {
        self.still.timeout().filter(|_| self.still.lane(worker) == Lane::Async)
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
