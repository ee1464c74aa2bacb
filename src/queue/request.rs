//! Submitting a job with wishes: when it is due, how long it is worth doing, which others keep it out.

use super::envelope::{Envelope, JobId};
use super::error::SubmitError;
use super::overflow::Full;
use super::tags::NotNow;
use super::track::Track;
use super::unique::Unique;
use super::work::Queue;
use crate::sync::Arc;
use crate::time::Moment;
use crate::wait::{Attempt, Source, WaitSet};
use std::time::{Duration, SystemTime};

/// What is wished for a job.
#[derive(Default)]
pub(crate) struct Wishes {
    pub(crate) when: When,
    /// How long after it is accepted the job may still be begun.
    pub(crate) ttl: Option<Duration>,
    pub(crate) unique: Option<(Box<[u8]>, Unique)>,
    /// Who is told of the job's end.
    pub(crate) track: Option<Arc<Track>>,
}

/// When a job is due.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum When {
    #[default]
    Now,
    /// So long after it was accepted.
    After(Duration),
    /// At this time of day, as the clock shows it when the job is accepted.
    At(SystemTime),
}

/// A job with wishes at the gate. Its attempt is one submission that never waits.
pub(crate) struct Requested<'q, T> {
    queue: &'q Queue<T>,
    /// None once it was accepted or given back.
    job: Option<T>,
    wishes: Wishes,
}

impl<'q, T> Requested<'q, T> {
    pub(crate) fn new(queue: &'q Queue<T>, job: T, wishes: Wishes) -> Self {
        Self { queue, job: Some(job), wishes }
    }

    /// Takes the job back, if it was neither accepted nor given back before.
    pub(crate) fn take(&mut self) -> Option<T> {
        self.job.take()
    }

    /// As [`take`](Self::take), after an attempt that was not the last.
    pub(crate) fn into_job(mut self) -> T {
        self.take().expect("the job stays here until it is accepted or refused for good")
    }

    fn is_tagged(&self) -> bool {
        self.wishes.unique.is_some() || self.wishes.track.is_some()
    }

    fn admit(&self, over: bool) -> Result<JobId, NotNow> {
        let queue = self.queue;
        if !self.is_tagged() {
            let admitted = if over { queue.gate.admit_over(1) } else { queue.gate.admit(1) }?;
            return Ok(JobId::new(admitted.first));
        }
        let key = self.wishes.unique.as_ref().map(|(key, unique)| (&**key, *unique));
        queue.tags.admit(&queue.gate, key, self.wishes.track.as_ref(), over, || queue.clock.moment())
    }

    fn envelope(&self, id: JobId, job: T, now: Moment) -> Envelope<T> {
        let mut envelope = Envelope::new(id, self.queue.clock.stamp(), job);
        let (ttl, tagged) = (self.wishes.ttl, self.is_tagged());
        if tagged || ttl.is_some() {
            envelope.wish(ttl.map(|ttl| now.after(ttl)), tagged, self.wishes.track.clone());
        }
        envelope
    }

    /// Ends a job that was let in over the limit.
    fn pass_by(&self, id: JobId, job: T) -> JobId {
        self.queue.push_out(self.envelope(id, job, self.queue.clock.moment()));
        id
    }

    /// Brings in a job that was let in. One that comes after the end is turned back, and returned.
    fn enter(&self, id: JobId, job: T) -> Result<JobId, T> {
        let queue = self.queue;
        let now = queue.clock.moment();
        let envelope = self.envelope(id, job, now);
        let delay = match self.wishes.when {
            When::Now => Duration::ZERO,
            When::After(delay) => delay,
            When::At(time) => time.duration_since(queue.clock.now()).unwrap_or_default(),
        };
        let entered = if delay.is_zero() {
            queue.ready.enter(envelope)
        } else {
            queue.delayed.put(&queue.gate, now.after(delay), envelope)
        };
        entered.map(|()| id).map_err(|envelope| {
            if self.is_tagged() {
                queue.tags.retract(id);
            }
            queue.turn_back(1);
            envelope.job
        })
    }
}

impl<T> Source for Requested<'_, T> {
    type Output = Result<JobId, SubmitError<T>>;

    fn attempt(&mut self) -> Attempt<Self::Output> {
        let job = self.job.take().expect("a request that is over is not tried again");
        let mut over = false;
        let admitted = loop {
            match self.admit(over) {
                Err(NotNow::Full) => {}
                done => break done,
            }
            match self.queue.when_full() {
                Full::Wait => {
                    self.job = Some(job);
                    return Attempt::Blocked;
                }
                Full::Refuse => break Err(NotNow::Full),
                Full::Again => {}
                Full::PassBy => over = true,
            }
        };
        Attempt::Done(match admitted {
            Ok(id) if over => Ok(self.pass_by(id, job)),
            Ok(id) => self.enter(id, job).map_err(SubmitError::Closed),
            Err(NotNow::Full) => Err(SubmitError::Full(job)),
            Err(NotNow::Closed) => Err(SubmitError::Closed(job)),
            Err(NotNow::Duplicate(holder)) => Err(SubmitError::Duplicate { job, holder }),
            Err(NotNow::Keys) => Err(SubmitError::Keys(job)),
        })
    }

    fn waiters(&self) -> &WaitSet {
        self.queue.gate.waiters()
    }

    fn arm(&self) {
        self.queue.gate.arm();
    }

    fn disarm(&self) {
        self.queue.gate.disarm();
    }
}
