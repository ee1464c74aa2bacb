//! Submitting: through the gate, then into the channel. One source serves the blocking, timed and async forms alike.

use super::envelope::{Envelope, JobId};
use super::error::{SubmitError, SubmitManyError};
use super::work::Queue;
use crate::channel::TrySendError;
use crate::gate::{Admission, Refused};
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
        let admitted = match queue.gate.admit(1) {
            Ok(admitted) => admitted,
            Err(Refused::Closed) => return Attempt::Done(Err(SubmitError::Closed(job))),
            Err(Refused::Full) => {
                self.job = Some(job);
                return Attempt::Blocked;
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
        match self.sender.try_send(Envelope::new(id, self.clock.stamp(), job)) {
            Ok(()) => Ok(id),
            // The channel has as many places as the gate has, and a job leaves the channel before it leaves the gate.
            Err(TrySendError::Full(_)) => unreachable!("a job that was let in has its place"),
            Err(TrySendError::Closed(envelope)) => {
                self.turn_back(1);
                Err(envelope.job)
            }
        }
    }

    /// Submits a job, and waits for room until the deadline.
    #[inline]
    pub(crate) fn submit(&self, job: T, deadline: Deadline) -> Result<JobId, SubmitError<T>> {
        let mut submission = Submission { queue: self, job: Some(job) };
        match block_on(&mut submission, deadline) {
            Ok(done) => done,
            Err(_) => Err(SubmitError::Timeout(submission.into_job())),
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
            let mut admission = Admission { gate: &self.gate, limit: jobs.len().min(BATCH_MAX) };
            let Ok(Ok(admitted)) = block_on(&mut admission, Deadline::never()) else {
                return Err(SubmitManyError { submitted, rest: jobs });
            };
            let stamp = self.clock.stamp();
            let numbers = admitted.first..admitted.first + admitted.count as u64;
            let batch: VecDeque<_> = numbers
                .clone()
                .zip(jobs.drain(..admitted.count))
                .map(|(number, job)| Envelope::new(JobId::new(number), stamp, job))
                .collect();
            let sent = match self.sender.send_many(batch) {
                Ok(()) => admitted.count,
                Err(error) => {
                    let refused = error.into_inner();
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
