//! Submitting: through the gate, then into the channel. One source serves the blocking, timed and async forms alike.

use super::envelope::{Envelope, JobId};
use super::error::{SubmitError, SubmitManyError};
use super::overflow::{Full, Overflow};
use super::work::Queue;
use crate::gate::{Admitted, Refused};
use crate::wait::{Attempt, Deadline, Source, WaitSet, Waiting, block_on};
use pin_project_lite::pin_project;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// How many jobs of a batch are let in and sent at once: bounds the memory of the step between. A guess.
const BATCH_MAX: usize = 256;

/// A job at the gate. Its attempt is one submission that never waits.
pub(crate) struct Submission<'q, T> {
    queue: &'q Queue<T>,
    /// None once it was accepted or given back.
    job: Option<T>,
}

impl<T> Submission<'_, T> {
    /// Takes the job back after an attempt that was not the last.
    fn into_job(self) -> T {
        self.job.expect("the job stays here until it is accepted or refused for good")
    }
}

impl<T> Source for Submission<'_, T> {
    type Output = Result<JobId, SubmitError<T>>;

    fn attempt(&mut self) -> Attempt<Self::Output> {
        let queue = self.queue;
        let job = self.job.take().expect("a submission that is over is not tried again");
        let admitted = loop {
            match queue.gate.admit(1) {
                Ok(admitted) => break admitted,
                Err(Refused::Closed) => return Attempt::Done(Err(SubmitError::Closed(job))),
                Err(Refused::Full) => {}
            }
            match queue.when_full() {
                Full::Wait => {
                    self.job = Some(job);
                    return Attempt::Blocked;
                }
                Full::Refuse => return Attempt::Done(Err(SubmitError::Full(job))),
                Full::Again => {}
                Full::PassBy => return Attempt::Done(queue.pass_by(job)),
            }
        };
        let entered = queue.enter(admitted.first, job);
        Attempt::Done(entered.map_err(SubmitError::Closed))
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

impl<T> Queue<T> {
    /// Sends a job that the gate has let in under this number. A job that comes after the end is turned back, and returned.
    #[inline]
    pub(crate) fn enter(&self, number: u64, job: T) -> Result<JobId, T> {
        let id = JobId::new(number);
        match self.ready.enter(Envelope::new(id, self.clock.stamp(), job)) {
            Ok(()) => Ok(id),
            Err(envelope) => {
                self.turn_back(1);
                Err(envelope.job)
            }
        }
    }

    /// Accepts a job that there is no room for, and ends it.
    #[cold]
    fn pass_by(&self, job: T) -> Result<JobId, SubmitError<T>> {
        let Ok(admitted) = self.gate.admit_over(1) else { return Err(SubmitError::Closed(job)) };
        let id = JobId::new(admitted.first);
        self.push_out(Envelope::new(id, self.clock.stamp(), job));
        Ok(id)
    }

    /// Submits a job, and waits for room until the deadline.
    pub(crate) fn submit_until(&self, job: T, deadline: Deadline) -> Result<JobId, SubmitError<T>> {
        let mut submission = Submission { queue: self, job: Some(job) };
        match block_on(&mut submission, deadline) {
            Ok(done) => done,
            Err(_) => Err(SubmitError::Timeout(submission.into_job())),
        }
    }

    /// Submits a job, and waits for room for as long as it takes.
    #[inline]
    pub(crate) fn submit(&self, job: T) -> Result<JobId, SubmitError<T>> {
        if self.overflow != Overflow::Block {
            return self.try_submit(job);
        }
        match self.gate.enter(1) {
            Ok(admitted) => self.enter(admitted.first, job).map_err(SubmitError::Closed),
            Err(_) => Err(SubmitError::Closed(job)),
        }
    }

    /// Submits a job if there is room for it.
    #[inline]
    pub(crate) fn try_submit(&self, job: T) -> Result<JobId, SubmitError<T>> {
        let mut submission = Submission { queue: self, job: Some(job) };
        match submission.attempt() {
            Attempt::Done(done) => done,
            Attempt::Blocked | Attempt::Busy => Err(SubmitError::Full(submission.into_job())),
        }
    }

    /// Submits a job from a task.
    pub(crate) fn submit_async(&self, job: T) -> SubmitFuture<'_, T> {
        SubmitFuture { waiting: Waiting::new(Submission { queue: self, job: Some(job) }) }
    }

    /// Submits all jobs in order, and waits for room as often as need be.
    pub(crate) fn submit_many(&self, mut jobs: VecDeque<T>) -> Result<Vec<JobId>, SubmitManyError<T>> {
        let mut submitted = Vec::with_capacity(jobs.len());
        while !jobs.is_empty() {
            let admitted = match self.admit_some(jobs.len().min(BATCH_MAX)) {
                Ok(Room::Here(admitted)) => admitted,
                Ok(Room::PassBy(number)) => {
                    let job = jobs.pop_front().expect("there is one at least");
                    let id = JobId::new(number);
                    self.push_out(Envelope::new(id, self.clock.stamp(), job));
                    submitted.push(id);
                    continue;
                }
                Err(refused) => {
                    return Err(SubmitManyError { submitted, rest: jobs, full: refused == Refused::Full });
                }
            };
            let stamp = self.clock.stamp();
            let numbers = admitted.first..admitted.first + admitted.count as u64;
            let batch: VecDeque<_> = numbers
                .clone()
                .zip(jobs.drain(..admitted.count))
                .map(|(number, job)| Envelope::new(JobId::new(number), stamp, job))
                .collect();
            let sent = match self.ready.enter_many(batch) {
                Ok(()) => admitted.count,
                Err(refused) => {
                    self.turn_back(refused.len());
                    let sent = admitted.count - refused.len();
                    refused.into_iter().rev().for_each(|envelope| jobs.push_front(envelope.job));
                    sent
                }
            };
            submitted.extend(numbers.take(sent).map(JobId::new));
        }
        Ok(submitted)
    }

    /// Lets in up to `limit` jobs of a batch, one at least, by the policy.
    fn admit_some(&self, limit: usize) -> Result<Room, Refused> {
        if self.overflow == Overflow::Block {
            return self.gate.enter(limit).map(Room::Here);
        }
        loop {
            match self.gate.admit(limit) {
                Err(Refused::Full) => {}
                done => return done.map(Room::Here),
            }
            match self.when_full() {
                Full::Again => {}
                Full::PassBy => return self.gate.admit_over(1).map(|one| Room::PassBy(one.first)),
                Full::Wait | Full::Refuse => return Err(Refused::Full),
            }
        }
    }
}

/// Where a batch goes on.
enum Room {
    /// Jobs were let in.
    Here(Admitted),
    /// One was let in under this number that may not stay.
    PassBy(u64),
}

pin_project! {
    /// The future of [`Pool::submit_async`](crate::Pool::submit_async).
    ///
    /// Cancel-safe: dropped before it is finished, it has submitted nothing, and the job is dropped with it.
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct SubmitFuture<'q, T> {
        #[pin]
        waiting: Waiting<Submission<'q, T>>,
    }
}

impl<T> SubmitFuture<'_, T> {
    /// Stops submitting and takes the job back. None if it was accepted, or given back before.
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::{Context, Pool};
    /// use std::pin::pin;
    ///
    /// let pool = Pool::builder().start(|_: &u32, _: &Context| ())?;
    /// let submission = pin!(pool.submit_async(7));
    /// assert_eq!(submission.into_inner(), Some(7), "it was never polled");
    /// # Ok::<(), millpond::BuildError>(())
    /// ```
    pub fn into_inner(self: Pin<&mut Self>) -> Option<T> {
        self.project().waiting.cancel().job.take()
    }
}

impl<T> Future for SubmitFuture<'_, T> {
    type Output = Result<JobId, SubmitError<T>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().waiting.poll(context)
    }
}

impl<T> fmt::Debug for SubmitFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubmitFuture").finish_non_exhaustive()
    }
}
