//! A delivery in the hand of somebody who brings a loop of his own.

use super::engine::NO_PASS;
use super::envelope::{Envelope, JobId};
use super::hold::{Hold, keep_result};
use super::lease::LeaseLost;
use super::ready::Lane;
use super::seat::SeatRef;
use super::take::InHand;
use super::track::Progress;
use super::work::Queue;
use crate::channel::{RecvError, RecvTimeoutError, TryRecvError};
use crate::retry::{Failure, Outcome, Verdict};
use crate::sync::Arc;
use crate::wait::Deadline;
use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::time::{Duration, Instant, SystemTime};

/// A job that was taken from a queue, to be settled: as done, or with any other [`Outcome`].
///
/// Settling takes the delivery by value, so a second settle does not compile. **Dropped unsettled, it counts as a failed
/// attempt**, and the queue's policy decides when the job comes back: whoever takes a job and forgets it has lost nothing.
///
/// It dereferences to the job, which stays the queue's.
///
/// # Examples
/// ```
/// use millpond::{Outcome, Queue};
///
/// let queue = Queue::builder().open::<String>()?;
/// queue.submit("index".to_owned())?;
/// let page = queue.recv()?;
/// match page.len() {
///     0 => page.nack(Outcome::dead("no name"))?,
///     _ => page.ack()?,
/// }
/// assert_eq!(queue.stats().done, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a delivery that is dropped unsettled counts as a failed attempt"]
pub struct Delivery<T: Send + 'static> {
    queue: Arc<Queue<T>>,
    /// Both are there until it is settled.
    held: Option<(SeatRef<T>, InHand<T>)>,
}

impl<T: Send + 'static> Delivery<T> {
    fn held(&self) -> &(SeatRef<T>, InHand<T>) {
        self.held.as_ref().expect("only settling takes it out, and that takes the delivery by value")
    }

    /// Returns the number of the job: the same at every attempt.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.held().1.facts().id
    }

    /// Returns which attempt this is; the first is 1. Snoozes and lost leases are not counted.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.held().1.facts().attempt
    }

    /// Returns true when the policy allows no further attempt: a failure now makes a dead letter.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.queue.judge.retry.is_last(self.attempt())
    }

    /// Returns how often the job was delivered, this time included: the fence that tells this delivery from earlier ones.
    #[must_use]
    pub fn deliveries(&self) -> u32 {
        self.held().1.facts().deliveries
    }

    /// Returns when the job was accepted, by the queue's clock.
    #[must_use]
    pub fn enqueued_at(&self) -> SystemTime {
        self.held().1.facts().enqueued_at.to_system_time()
    }

    /// Returns true once the job was taken away: its lease ran out, or a shutdown has cut it off. Then it stays so.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        let (seat, hand) = self.held();
        seat.is_lost(hand.facts().id)
    }

    /// Extends the lease so that it ends `by` from now. In a queue without leases there is nothing to extend.
    ///
    /// # Errors
    /// [`LeaseLost`] if the job was taken away before.
    pub fn extend(&self, by: Duration) -> Result<(), LeaseLost> {
        let (seat, hand) = self.held();
        seat.extend(hand.facts().id, by)
    }

    /// Returns true once the job was [cancelled](crate::JobHandle::cancel): unless it is settled as done, it is dropped.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        let (seat, hand) = self.held();
        seat.is_cancelled(hand.facts().id)
    }

    /// Says how far the job is: as [`Context::set_progress`](crate::Context::set_progress).
    pub fn set_progress(&self, done: u64, total: u64) {
        let (seat, hand) = self.held();
        seat.set_progress(hand.facts().id, Progress { done, total });
    }

    /// Keeps a result: as [`Context::set_result`](crate::Context::set_result).
    ///
    /// # Errors
    /// The result itself, if the job is not tracked, or was taken away.
    pub fn set_result<R: Any + Send>(&self, result: R) -> Result<(), R> {
        let (seat, hand) = self.held();
        keep_result(&**seat, hand.facts().id, result)
    }

    /// Settles the delivery: the job is done.
    ///
    /// # Errors
    /// [`LeaseLost`] if the job was taken away before: then nothing is changed, and that is counted as late.
    pub fn ack(self) -> Result<(), LeaseLost> {
        self.settle(Outcome::Done)
    }

    /// Settles the delivery with any outcome: the queue's policies decide what becomes of the job.
    ///
    /// Waits for nobody, and neither does dropping the delivery: a job that dies while there is no room among the dead letters is
    /// dropped or put aside, as [`DeadFull`](crate::DeadFull) says.
    ///
    /// # Errors
    /// As [`ack`](Self::ack).
    pub fn nack(self, outcome: Outcome) -> Result<(), LeaseLost> {
        self.settle(outcome)
    }

    /// As [`nack`](Self::nack), under a name for those who compute the outcome.
    ///
    /// # Errors
    /// As [`ack`](Self::ack).
    pub fn settle(mut self, outcome: Outcome) -> Result<(), LeaseLost> {
        self.finish(outcome)
    }

    fn finish(&mut self, outcome: Outcome) -> Result<(), LeaseLost> {
        let Some((seat, hand)) = self.held.take() else { return Ok(()) };
        let verdict: Verdict =
            self.queue.judge.judge(outcome, &hand.facts(), || hand.trials(), &self.queue.clock);
        let settled = self.queue.settle(&seat, hand, verdict);
        self.queue.seats.give_back(seat);
        settled
    }
}

impl<T: Send + 'static> Deref for Delivery<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.held().1.job()
    }
}

impl<T: Send + 'static> Drop for Delivery<T> {
    fn drop(&mut self) {
        if self.held.is_some() {
            // What was lost already is counted as late.
            let _refused = self.finish(Outcome::Retry(Failure::abandoned()));
        }
    }
}

impl<T: Send + 'static> fmt::Debug for Delivery<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = self.held.as_ref().map(|(_, hand)| hand.facts());
        f.debug_struct("Delivery").field("facts", &facts).finish_non_exhaustive()
    }
}

impl<T: Send + 'static> Queue<T> {
    pub(crate) fn recv(self: &Arc<Self>) -> Result<Delivery<T>, RecvError> {
        self.recv_by(|queue| match &queue.judge.breaker {
            None => Ok((queue.ready.of(Lane::Sync).recv()?, NO_PASS)),
            Some(breaker) => queue.next_passed(breaker, Deadline::never()).map_err(|_| RecvError),
        })
    }

    pub(crate) fn try_recv(self: &Arc<Self>) -> Result<Delivery<T>, TryRecvError> {
        self.recv_by(|queue| match &queue.judge.breaker {
            None => Ok((queue.ready.of(Lane::Sync).try_recv()?, NO_PASS)),
            Some(breaker) => queue.try_next_passed(breaker, Lane::Sync),
        })
    }

    pub(crate) fn recv_deadline(
        self: &Arc<Self>,
        deadline: Instant,
    ) -> Result<Delivery<T>, RecvTimeoutError> {
        self.recv_by(|queue| match &queue.judge.breaker {
            None => Ok((queue.ready.of(Lane::Sync).recv_deadline(deadline)?, NO_PASS)),
            Some(breaker) => queue.next_passed(breaker, Deadline::at(deadline)),
        })
    }

    /// Takes jobs by `next` until one is to be run.
    fn recv_by<E>(
        self: &Arc<Self>,
        next: impl Fn(&Self) -> Result<(Envelope<T>, u64), E>,
    ) -> Result<Delivery<T>, E> {
        loop {
            if let Some(delivery) = self.deliver(next(self)?) {
                return Ok(delivery);
            }
        }
    }

    pub(crate) async fn recv_async(self: &Arc<Self>) -> Result<Delivery<T>, RecvError> {
        loop {
            let job = match &self.judge.breaker {
                None => (self.ready.of(Lane::Async).recv_async().await?, NO_PASS),
                Some(breaker) => self.next_passed_async(breaker).await?,
            };
            if let Some(delivery) = self.deliver(job) {
                return Ok(delivery);
            }
        }
    }

    /// Takes a job up at a seat of its own.
    fn deliver(self: &Arc<Self>, job: (Envelope<T>, u64)) -> Option<Delivery<T>> {
        let seat = self.seats.borrow(&self.clock);
        match self.take_up_passed(&seat, job, None) {
            Some(hand) => Some(Delivery { queue: Arc::clone(self), held: Some((seat, hand)) }),
            None => {
                self.seats.give_back(seat);
                None
            }
        }
    }
}
