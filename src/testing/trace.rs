//! What happened in a simulation, event by event.

use super::faults::Fault;
use crate::queue::JobId;
use crate::retry::Verdict;
use std::collections::VecDeque;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// Events kept when nothing else is said: a few megabytes.
pub(super) const KEPT_DEFAULT: usize = 50_000;

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Event {
    /// When, counted from the beginning of the simulation.
    pub at: Duration,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// A job was accepted, by [`Sim::submit`](super::Sim::submit).
    Submitted(JobId),
    /// A job had to go, because the pool was full: see [`Overflow`](crate::Overflow). The submission that brought that about is
    /// the next event, if it was accepted.
    Overflowed,
    /// A worker took a job.
    Delivered {
        /// Which worker, from 0.
        worker: usize,
        /// The job.
        job: JobId,
        /// Which attempt it is, from 1.
        attempt: u32,
        /// Which delivery it is, from 1.
        delivery: u32,
        /// What goes wrong with it.
        fault: Option<Fault>,
    },
    /// An async handler was polled, and waits.
    Waits {
        /// Which worker.
        worker: usize,
        /// The job.
        job: JobId,
    },
    /// A worker settled its job.
    Settled {
        /// Which worker.
        worker: usize,
        /// The job.
        job: JobId,
        /// What became of it.
        fate: Fate,
    },
    /// A worker wanted to settle a job that was taken away before: nothing was changed.
    Refused {
        /// Which worker.
        worker: usize,
        /// The job.
        job: JobId,
    },
    /// A worker lost its lease: the job is ready for another.
    LeaseLost {
        /// Which worker.
        worker: usize,
        /// The job.
        job: JobId,
    },
    /// A job that was ready became a dead letter, without being delivered.
    Died(JobId),
    /// A job that was ready was put off, without being delivered: the retry budget does not cover it.
    PutOff(JobId),
    /// The clock was moved on, to this time.
    Clock,
}

/// What became of a job at the end of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fate {
    /// It is done.
    Done,
    /// The attempt failed: it comes back after this delay.
    Retry(Duration),
    /// The attempt failed: it asks the retry budget after this delay.
    Parked(Duration),
    /// It comes back after this delay: that was not an attempt.
    Snoozed(Duration),
    /// It is ready again: that was not an attempt.
    Released,
    /// It is a dead letter.
    Dead,
    /// It was dropped, by its handler's wish or because jobs are begun once at most.
    Dropped,
}

impl Fate {
    pub(super) fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Done => Fate::Done,
            Verdict::Retry(delay, _) => Fate::Retry(*delay),
            Verdict::Park(delay, _) => Fate::Parked(*delay),
            Verdict::Snooze(delay) => Fate::Snoozed(*delay),
            Verdict::Release => Fate::Released,
            Verdict::Dead(..) => Fate::Dead,
            Verdict::Drop => Fate::Dropped,
        }
    }
}

/// The latest events of a [`Sim`](super::Sim), the oldest first, and a fingerprint of all that there ever were.
///
/// Two traces are equal if all their events were. [`Display`](fmt::Display) writes a line for each that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    events: VecDeque<Event>,
    kept: usize,
    omitted: u64,
    fingerprint: u64,
}

impl Trace {
    pub(super) fn new(kept: usize) -> Self {
        Self { events: VecDeque::new(), kept, omitted: 0, fingerprint: 0 }
    }

    pub(super) fn keep(&mut self, kept: usize) {
        self.kept = kept;
        self.shorten();
    }

    pub(super) fn push(&mut self, event: Event) {
        let mut hasher = DefaultHasher::new();
        (self.fingerprint, event).hash(&mut hasher);
        self.fingerprint = hasher.finish();
        self.events.push_back(event);
        self.shorten();
    }

    fn shorten(&mut self) {
        while self.events.len() > self.kept {
            self.events.pop_front();
            self.omitted += 1;
        }
    }

    /// Returns the events that are kept.
    pub fn events(&self) -> impl ExactSizeIterator<Item = &Event> + DoubleEndedIterator {
        self.events.iter()
    }

    /// Returns how many earlier events are not kept any more.
    #[must_use]
    pub fn omitted(&self) -> u64 {
        self.omitted
    }

    /// Returns a number that depends on every event there was, kept or not. The same within one release of the compiler.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.omitted > 0 {
            writeln!(f, "({} earlier events are not kept)", self.omitted)?;
        }
        self.events.iter().try_for_each(|event| writeln!(f, "{event}"))
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:14.6} s  ", self.at.as_secs_f64())?;
        match self.kind {
            EventKind::Overflowed => f.write_str("a job goes for want of room"),
            EventKind::Submitted(job) => write!(f, "job {job} is submitted"),
            EventKind::Delivered { worker, job, attempt, delivery, fault } => {
                write!(f, "worker {worker}: job {job}, attempt {attempt}, delivery {delivery}")?;
                fault.map_or(Ok(()), |fault| write!(f, ", {fault}"))
            }
            EventKind::Waits { worker, job } => write!(f, "worker {worker}: job {job} waits"),
            EventKind::Settled { worker, job, fate } => write!(f, "worker {worker}: job {job} {fate}"),
            EventKind::Refused { worker, job } => write!(f, "worker {worker}: job {job} is settled too late"),
            EventKind::LeaseLost { worker, job } => write!(f, "worker {worker}: job {job} is taken away"),
            EventKind::Died(job) => write!(f, "job {job} is dead before it is delivered"),
            EventKind::PutOff(job) => write!(f, "job {job} is put off"),
            EventKind::Clock => f.write_str("the clock moves"),
        }
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fate::Done => f.write_str("is done"),
            Fate::Retry(delay) => write!(f, "failed, again in {delay:?}"),
            Fate::Parked(delay) => write!(f, "failed, out of budget for {delay:?}"),
            Fate::Snoozed(delay) => write!(f, "snoozes for {delay:?}"),
            Fate::Released => f.write_str("is released"),
            Fate::Dead => f.write_str("is dead"),
            Fate::Dropped => f.write_str("is dropped"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(at: u64) -> Event {
        Event { at: Duration::from_secs(at), kind: EventKind::Clock }
    }

    #[test]
    fn it_keeps_the_latest_and_remembers_the_others() {
        let (mut one, mut other) = (Trace::new(2), Trace::new(2));
        for at in 0..5 {
            one.push(clock(at));
            other.push(clock(if at == 0 { 9 } else { at }));
        }
        assert_eq!((one.events().len(), one.omitted()), (2, 3));
        assert!(one.events().eq(other.events()));
        assert_ne!(one.fingerprint(), other.fingerprint());
        assert_ne!(one, other, "they differ in an event that is not kept");
        one.keep(1);
        assert_eq!(one.to_string(), "(4 earlier events are not kept)\n      4.000000 s  the clock moves\n");
    }
}
