//! Leases: a delivery belongs to its worker for a time, and to somebody else after that.
//!
//! **Fences.** A delivery that has lost its lease can change nothing any more: its job was taken out of its place, and the settle
//! finds it gone. Who is right is decided by one word of that [place](crate::sync::Custody) alone, never by comparing times.
//!
//! **Whose job.** A handler that is stuck still borrows the job, so the next worker needs one of its own: when a lease is lost
//! the job is copied. That is why leases ask for `T: Clone + Sync`, and the only time a job is ever cloned. A job that is dear
//! to copy can be put into an `Arc`.

use super::envelope::Envelope;
use crate::sync::{Custody, InUse, Taken};
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// Deliveries that a job may have that end in a failure or a lost lease, when nothing else is said: RabbitMQ's limit.
const MAX_DELIVERIES_DEFAULT: u32 = 20;

/// For how long a delivery belongs to its worker, and what extends that.
///
/// A lease that runs out makes the job ready again for another worker, at once. That was a delivery, but not an attempt of
/// the handler: it uses up none of [`RetryPolicy::max_attempts`](crate::RetryPolicy::max_attempts), but one of
/// [`max_deliveries`](Self::max_deliveries), so that a job on which workers die or hang again and again ends as a dead letter.
///
/// # Examples
/// ```
/// use millpond::{Context, Lease, Pool};
/// use std::time::Duration;
///
/// let pool = Pool::builder()
///     .lease(Lease::renewed(Duration::from_secs(30)).max_deliveries(5))
///     .timeout(Duration::from_secs(120))
///     .start(|page: &String, _: &Context| println!("{page}"))?;
/// pool.submit("index".to_owned())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "a lease does nothing until a pool is given it"]
pub struct Lease {
    pub(super) time: Duration,
    pub(super) renewed: bool,
    pub(super) max_deliveries: u32,
}

impl Lease {
    /// A delivery belongs to its worker for `time`, unless the handler asks for more: see
    /// [`Context::extend`](crate::Context::extend).
    ///
    /// # Panics
    /// When `time` is zero: every job would be lost as it is taken.
    pub fn of(time: Duration) -> Self {
        assert!(!time.is_zero(), "a lease needs some time");
        Self { time, renewed: false, max_deliveries: MAX_DELIVERIES_DEFAULT }
    }

    /// As [`of`](Self::of), but renewed by the pool's timer for as long as the handler runs and has not used up the
    /// [`timeout`](crate::PoolBuilder::timeout) of an attempt.
    ///
    /// So a handler may take its time, without a word to anybody, and one that is stuck loses the job a lease after its
    /// timeout. Without a timeout a handler that never returns keeps its job for ever.
    ///
    /// # Panics
    /// When `time` is zero.
    pub fn renewed(time: Duration) -> Self {
        Self { renewed: true, ..Self::of(time) }
    }

    /// Returns after which time a handler that says nothing has lost its job; none if it keeps it for ever.
    pub(crate) fn lost_after(&self, timeout: Option<Duration>) -> Option<Duration> {
        match timeout {
            _ if !self.renewed => Some(self.time),
            Some(timeout) => Some(timeout.saturating_add(self.time)),
            None => None,
        }
    }

    /// Sets how many deliveries of a job may end in a failed attempt or a lost lease. After the last, it is a dead letter.
    ///
    /// Snoozes and releases do not count. The default is 20; `u32::MAX` is as good as no limit.
    ///
    /// # Panics
    /// When `deliveries` is zero.
    pub fn max_deliveries(mut self, deliveries: u32) -> Self {
        assert!(deliveries > 0, "a job needs at least one delivery");
        self.max_deliveries = deliveries;
        self
    }
}

/// The delivery was taken away before: its lease ran out, or a shutdown has cut it off. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct LeaseLost;

impl LeaseLost {
    /// Makes one: for engines.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

impl Default for LeaseLost {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for LeaseLost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the delivery was taken away: its lease is lost")
    }
}

impl Error for LeaseLost {}

/// The rules of a queue with leases.
pub(crate) struct Leasing<T> {
    pub(crate) lease: Lease,
    /// Makes a place at which jobs can be leased.
    pub(super) place: fn() -> Place<T>,
}

impl<T: Clone + Send + Sync + 'static> Leasing<T> {
    pub(crate) fn new(lease: Lease) -> Self {
        Self { lease, place: Place::lending }
    }
}

/// Where a job lies that a worker has in hand, apart from what the queue knows of it.
pub(super) type Place<T> = Custody<T, Envelope<()>>;

/// A job that its worker borrows from its place.
pub(super) type Leased<T> = InUse<T, Envelope<()>>;

/// A job that was taken away from its worker, who may borrow it still.
pub(super) type TakenAway<T> = Taken<T, Envelope<()>>;
