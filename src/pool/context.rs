//! What a handler may know about the delivery it is working on.

use crate::queue::{Envelope, JobId, Seats};
use crate::sync::Arc;
use crate::time::{Clock, Moment, Stamp};
use std::fmt;
use std::time::{Duration, SystemTime};

/// The delivery that a handler is working on.
///
/// # Examples
///
/// A long job that stops when it is told to, and says so where nobody will try again:
///
/// ```
/// use millpond::{Context, Outcome};
///
/// fn crawl(pages: &Vec<String>, cx: &Context) -> Outcome {
///     for page in pages {
///         if cx.cancelled() {
///             return Outcome::retry("out of time");
///         }
///         # let _ = page;
///     }
///     if cx.is_last() {
///         println!("job {} made it at the last attempt", cx.id());
///     }
///     Outcome::Done
/// }
/// # let _ = crawl;
/// ```
pub struct Context {
    id: JobId,
    attempt: u32,
    is_last: bool,
    deliveries: u32,
    enqueued_at: Stamp,
    /// When the time of this attempt is up.
    deadline: Moment,
    clock: Clock,
    queue: Arc<str>,
    seats: Arc<Seats>,
    seat: usize,
}

impl Context {
    /// Makes the context of a worker, which it uses for all its deliveries.
    pub(super) fn of_worker(queue: Arc<str>, clock: Clock, seats: Arc<Seats>, seat: usize) -> Self {
        Self {
            id: JobId::NONE,
            attempt: 0,
            is_last: false,
            deliveries: 0,
            enqueued_at: Stamp::ORIGIN,
            deadline: Moment::NEVER,
            clock,
            queue,
            seats,
            seat,
        }
    }

    /// Turns to the next delivery.
    pub(super) fn begin<T>(&mut self, envelope: &Envelope<T>, timeout: Option<Duration>) {
        self.id = envelope.id;
        self.attempt = envelope.attempt();
        self.deliveries = envelope.deliveries();
        self.enqueued_at = envelope.enqueued_at;
        self.deadline = timeout.map_or(Moment::NEVER, |timeout| self.clock.moment().after(timeout));
    }

    /// Notes whether this attempt is the last.
    pub(super) fn set_last(&mut self, is_last: bool) {
        self.is_last = is_last;
    }

    /// Returns the number of the job: the same at every attempt.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.id
    }

    /// Returns which attempt this is; the first is 1. Snoozes are not counted.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Returns true when the policy allows no further attempt: a failure now makes a dead letter.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.is_last
    }

    /// Returns how often the job was delivered, with this delivery and with snoozes.
    #[must_use]
    pub fn deliveries(&self) -> u32 {
        self.deliveries
    }

    /// Returns when the job was accepted, by the pool's clock: the system's to within a tick of its timer, which is 1 to
    /// 10 ms on Linux. Retries and a redrive do not change it.
    #[must_use]
    pub fn enqueued_at(&self) -> SystemTime {
        self.enqueued_at.to_system_time()
    }

    /// Returns true when the handler should give up: its time is up, or a shutdown has given up waiting for it.
    ///
    /// A handler that goes on is not stopped. After a timeout, what it returns counts as ever. After a shutdown's deadline,
    /// the job is on the shutdown's list as cut off, and what the handler returns is counted as late and changes nothing.
    ///
    /// Once true, it stays so for this delivery. Reads the clock if the pool has a timeout; never blocks.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        self.seats.get(self.seat).is_cut()
            || (self.deadline != Moment::NEVER && self.clock.moment() >= self.deadline)
    }

    /// Returns the name of the pool.
    #[must_use]
    pub fn queue(&self) -> &str {
        &self.queue
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("queue", &self.queue)
            .field("id", &self.id)
            .field("attempt", &self.attempt)
            .field("is_last", &self.is_last)
            .field("deliveries", &self.deliveries)
            .field("cancelled", &self.cancelled())
            .finish_non_exhaustive()
    }
}
