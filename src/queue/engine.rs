//! The seam: what a pool asks of the queue that it works off, and nothing else.
//!
//! The memory queue of this crate is one engine. Another may keep its jobs in a log on disk or in a broker: the handlers, the
//! policies, the leases' renewal by [`Context::extend`](crate::Context::extend) and the settling stay as they are. What only memory can do, such as
//! exact counts, is no part of it.
//!
//! A worker works on one delivery at a time, so it takes one at a time. An engine that fetches many at once, over a network say, keeps
//! them ready behind [`Engine::take`].

use super::envelope::{Envelope, JobId};
use super::hold::Hold;
use super::lease::LeaseLost;
use crate::retry::Verdict;
use crate::sync::Arc;
use crate::time::{Clock, Stamp};
use std::future::Future;
use std::time::{Duration, SystemTime};

/// A source of deliveries for the workers of a pool.
///
/// # Rules
/// * A delivery that was taken is settled exactly once, by value, or dropped by a worker that is stopped in between:
///   dropped unsettled, it must be delivered again.
/// * [`settle`](Self::settle) is refused if the delivery was taken away before, and changes nothing then.
/// * No method may spin, and only [`take`](Self::take) may wait for long.
///
/// # Examples
/// Lines of a file, each handled once or, if its handler asks for it, again:
/// ```
/// use millpond::engine::{Delivered, Engine, Facts, Taken};
/// use millpond::{Clock, Context, Hold, JobId, LeaseLost, Outcome, Pool, Verdict};
/// use std::collections::VecDeque;
/// use std::sync::{Arc, Mutex};
/// use std::time::{Duration, SystemTime};
///
/// struct Lines { name: Arc<str>, clock: Clock, left: Mutex<VecDeque<Line>> }
///
/// #[derive(Clone)]
/// struct Line { id: u64, text: String, attempt: u32 }
///
/// impl Delivered for Line {
///     type Job = String;
///     fn job(&self) -> &String { &self.text }
///     fn facts(&self) -> Facts {
///         Facts::new(JobId::of_engine(self.id), self.attempt, self.attempt, SystemTime::now())
///     }
/// }
///
/// struct Seat; // no leases here
///
/// impl Hold for Seat {
///     fn is_lost(&self, _: JobId) -> bool { false }
///     fn extend(&self, _: JobId, _: Duration) -> Result<(), LeaseLost> { Ok(()) }
/// }
///
/// impl Engine for Lines {
///     type Job = String;
///     type Hold = Seat;
///     type Delivery = Line;
///     fn name(&self) -> &Arc<str> { &self.name }
///     fn clock(&self) -> &Clock { &self.clock }
///     fn hold(&self, _worker: usize) -> Arc<Seat> { Arc::new(Seat) }
///     fn take(&self, _: &Seat, _: Option<Duration>) -> Taken<Line> {
///         // A line that is to be retried comes back before its worker asks again.
///         self.left.lock().unwrap().pop_front().map_or(Taken::Closed, Taken::Delivery)
///     }
///     async fn take_async(&self, seat: &Seat, time: Option<Duration>) -> Taken<Line> { self.take(seat, time) }
///     fn settle(&self, _: &Seat, line: Line, verdict: Verdict) -> Result<(), LeaseLost> {
///         if let Verdict::Retry { .. } = verdict {
///             self.left.lock().unwrap().push_back(Line { attempt: line.attempt + 1, ..line });
///         }
///         Ok(())
///     }
/// }
///
/// let line = |(id, text): (u64, &str)| Line { id, text: text.to_string(), attempt: 1 };
/// let left = Mutex::new([(1, "a"), (2, "b"), (3, "c")].map(line).into());
/// let lines = Arc::new(Lines { name: "lines".into(), clock: Clock::system(), left });
/// let seen = Arc::new(Mutex::new(Vec::new()));
/// let book = Arc::clone(&seen);
/// let workers = Pool::builder().workers(1).start_over(lines, move |line: &String, cx: &Context| {
///     book.lock().unwrap().push(format!("{line}{}", cx.attempt()));
///     if line == "b" && cx.attempt() == 1 { Outcome::retry("once more") } else { Outcome::Done }
/// })?;
/// assert_eq!(workers.join(Duration::from_secs(60)), 0);
/// assert_eq!(*seen.lock().unwrap(), ["a1", "b1", "c1", "b2"]);
/// # Ok::<(), millpond::BuildError>(())
/// ```
pub trait Engine: Send + Sync + 'static {
    /// What is worked on.
    type Job;
    /// Where a worker holds its delivery.
    type Hold: Hold;
    /// A job in a worker's hand.
    type Delivery: Delivered<Job = Self::Job>;

    /// Returns the name of the queue.
    fn name(&self) -> &Arc<str>;

    /// Returns the clock that deadlines of attempts are measured by.
    fn clock(&self) -> &Clock;

    /// Makes a hold, for one delivery at a time.
    fn hold(&self, worker: usize) -> Arc<Self::Hold>;

    /// Takes the next delivery, and waits for it. `attempt_time` is how long the handler has, if that is limited.
    fn take(&self, hold: &Self::Hold, attempt_time: Option<Duration>) -> Taken<Self::Delivery>;

    /// As [`take`](Self::take), for a task.
    ///
    /// Cancel-safe: dropped before it is ready, it has taken nothing.
    fn take_async<'a>(
        &'a self,
        hold: &'a Self::Hold,
        attempt_time: Option<Duration>,
    ) -> impl Future<Output = Taken<Self::Delivery>> + Send + 'a;

    /// Settles a delivery.
    ///
    /// # Errors
    /// [`LeaseLost`]: the delivery was taken away before, and nothing was changed.
    fn settle(&self, hold: &Self::Hold, delivery: Self::Delivery, verdict: Verdict) -> Result<(), LeaseLost>;

    /// Returns true when the worker of this hold is to end, because another has taken its place.
    fn is_retired(&self, hold: &Self::Hold) -> bool {
        let _ = hold;
        false
    }
}

/// A delivery of an [`Engine`].
pub trait Delivered {
    /// What is worked on.
    type Job;

    /// Returns the job.
    fn job(&self) -> &Self::Job;

    /// Returns what the handler may know of the delivery.
    fn facts(&self) -> Facts;

    /// Returns what the policy wants to know of a delivery that failed: asked for then only. That the job was accepted when its
    /// facts say so, and not delayed, unless an engine knows better.
    fn trials(&self) -> Trials {
        let since = self.facts().enqueued_at;
        Trials { since, delay: Duration::ZERO }
    }
}

/// What a take brought.
#[derive(Debug)]
pub enum Taken<D> {
    /// A delivery.
    Delivery(D),
    /// Nothing now, for a reason that may pass: ask again after this time.
    Later(Duration),
    /// Nothing, ever again.
    Closed,
}

/// What a handler may know of a delivery.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    pub(crate) id: JobId,
    pub(crate) enqueued_at: Stamp,
    pub(crate) attempt: u32,
    pub(crate) deliveries: u32,
    /// The round of the breaker's pass, or [`NO_PASS`].
    pub(crate) pass: u64,
}

/// There is no breaker to report to.
pub(crate) const NO_PASS: u64 = u64::MAX;

impl Facts {
    /// Describes a delivery: the job's number, which attempt it is (from 1), how many deliveries there are with this one, and
    /// when the job was accepted.
    #[must_use]
    pub fn new(id: JobId, attempt: u32, deliveries: u32, enqueued_at: SystemTime) -> Self {
        Self { id, enqueued_at: Stamp::of(enqueued_at), attempt, deliveries, pass: NO_PASS }
    }

    #[inline]
    pub(super) fn of<T>(envelope: &Envelope<T>) -> Self {
        let Envelope { id, enqueued_at, .. } = *envelope;
        let (attempt, deliveries) =
            if envelope.is_new() { (1, 1) } else { (envelope.attempt(), envelope.deliveries()) };
        Self { id, enqueued_at, attempt, deliveries, pass: NO_PASS }
    }
}

/// What a policy wants to know of a job that failed.
#[derive(Clone, Copy, Debug)]
pub struct Trials {
    /// Since when it has been tried.
    pub(crate) since: Stamp,
    pub(crate) delay: Duration,
}

impl Trials {
    /// Describes a job: since when it has been tried, which is when it was accepted or redriven, and how long it was delayed
    /// before this attempt.
    #[must_use]
    pub fn new(since: SystemTime, delay: Duration) -> Self {
        Self { since: Stamp::of(since), delay }
    }

    pub(super) fn of<T>(envelope: &Envelope<T>) -> Self {
        Self { since: envelope.since(), delay: envelope.last_delay() }
    }
}
