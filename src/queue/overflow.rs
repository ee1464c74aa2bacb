//! What a full queue does: who waits, who is sent away, who is pushed out.
//!
//! The gate counts every job that is held, so a queue may be full without a single job that is ready. Only a job that is
//! *ready* can be pushed out: one in flight is in its worker's hand, and one that waits for its time was promised it.
//!
//! A job is pushed out by whoever needs its place: it is taken from the channel, as a worker would take it, and leaves the
//! gate; then the newcomer asks the gate again. Somebody else may have been faster, and then there is one more to push out: so
//! of several newcomers each pushes out about one, and one fails only because another got on.

use super::envelope::{Envelope, JobId};
use super::track::JobEnd;
use super::work::Queue;
use crate::gate::Refused;
use crate::retry::DeadReason;
use crate::sync::atomic::Ordering;

/// In a place that was reserved: the job passes by, as there is no room for it. Numbers of jobs never grow that large.
const OVER: u64 = 1 << 63;

/// What a pool does with one more job while it holds as many as its [capacity](crate::PoolBuilder::capacity) allows.
///
/// Chosen by [`PoolBuilder::overflow`](crate::PoolBuilder::overflow). Under every policy but [`Block`](Self::Block), no
/// submission ever waits for room: `submit`, `submit_timeout` and `submit_async` answer as `try_submit` does.
///
/// | policy | a job that comes to a full pool |
/// |---|---|
/// | [`Block`](Self::Block) | waits for room; [`try_submit`](crate::Pool::try_submit) gives it back as `Full` |
/// | [`Reject`](Self::Reject) | comes back as [`SubmitError::Full`](crate::SubmitError::Full) |
/// | [`DropOldest`](Self::DropOldest) | is accepted, and the oldest job that is ready goes |
/// | [`DropNewest`](Self::DropNewest) | is accepted in name, and goes itself |
///
/// What goes is counted in [`Stats::overflowed`](crate::Stats::overflowed), and is dropped, or a dead letter for the reason
/// [`DeadReason::Overflow`], as [`Displaced`] says. Either way it has ended: its
/// [handle](crate::JobHandle) resolves ([`JobEnd::Dropped`] or
/// [`JobEnd::Dead`]), and its [unique](crate::Request::unique) key is free, unless that is held for a
/// time. It is dropped, and [`on_dead`](crate::PoolBuilder::on_dead) is called, in the thread that submits.
///
/// # Who is not touched
///
/// * A duplicate is refused before anything is pushed out.
/// * [Redriven](crate::DeadLetters::redrive) dead letters and recurring jobs push nobody out, and are not dropped: they find the
///   pool full, as ever.
/// * [Topics](crate::topic) that feed the pool: an event becomes a job by the same policy. Publishers wait under `Block` alone;
///   an event that is refused is dropped for this queue, and counted in
///   [`SubscriptionStats::dropped`](crate::topic::SubscriptionStats::dropped). A place is made before the event is published
///   anywhere, so a job may have been pushed out for an event that another subscription then holds up.
///
/// # Examples
///
/// ```
/// use millpond::{DeadReason, Displaced, Overflow, Queue};
///
/// let queue = Queue::builder()
///     .capacity(2)
///     .overflow(Overflow::DropOldest(Displaced::DeadLetter))
///     .open::<&str>()?;
/// for reading in ["18 degrees", "19 degrees", "20 degrees"] {
///     queue.submit(reading)?;
/// }
/// assert_eq!(*queue.recv()?, "19 degrees");
/// let oldest = &queue.dead().take_all()[0];
/// assert_eq!((oldest.job, oldest.reason), ("18 degrees", DeadReason::Overflow));
/// assert_eq!(queue.stats().overflowed, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Overflow {
    /// The submitter waits: backpressure.
    #[default]
    Block,
    /// The job is given back at once.
    Reject,
    /// The job that has been ready longest is pushed out.
    ///
    /// A job that is in flight, or that waits for its time (a delay, a retry, a snooze), cannot be pushed out. If no job is
    /// ready, because all that are held are such, or are just being submitted by others, the new one is given back as
    /// [`SubmitError::Full`](crate::SubmitError::Full). A job that was cancelled goes as cancelled, and one that was
    /// to be a dead letter anyway for its own reason. In a pool of two [lanes](crate::Lane), the job goes that has been ready
    /// longest in the lane where more are ready.
    DropOldest(Displaced),
    /// The new job is not taken in, and nobody is told but by the books: it gets a number, counts as submitted, and has ended when the
    /// submission returns.
    DropNewest(Displaced),
}

/// What becomes of a job that has to go: see [`Overflow`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Displaced {
    /// It is dropped, and counted in [`Stats::shed`](crate::Stats::shed).
    Drop,
    /// It is a dead letter. The dead letters must not [block](crate::DeadFull::Block): a job that has to go has no place to wait for
    /// room in.
    DeadLetter,
}

impl Overflow {
    /// Returns true when jobs that have to go become dead letters.
    pub(crate) fn buries(self) -> bool {
        matches!(
            self,
            Overflow::DropOldest(Displaced::DeadLetter) | Overflow::DropNewest(Displaced::DeadLetter)
        )
    }
}

/// What a submitter does about a full queue.
pub(super) enum Full {
    /// Wait for room.
    Wait,
    /// Give the job back.
    Refuse,
    /// Ask again: somebody was pushed out.
    Again,
    /// Let the job pass by: admit it over the limit, and end it.
    PassBy,
}

/// Why no place was reserved.
pub(crate) enum NoPlace {
    /// There may be one later.
    Later,
    /// The jobs are not wanted.
    Refused,
    Closed,
}

impl<T> Queue<T> {
    /// Asks the policy, and makes room if it says so. User code runs here: the drop of a job that goes.
    #[cold]
    pub(super) fn when_full(&self) -> Full {
        match self.overflow {
            Overflow::Block => Full::Wait,
            Overflow::Reject => Full::Refuse,
            Overflow::DropNewest(_) => Full::PassBy,
            Overflow::DropOldest(_) => match self.ready.pop_oldest() {
                Some(oldest) => {
                    self.push_out(oldest);
                    Full::Again
                }
                None => Full::Refuse,
            },
        }
    }

    /// Ends a job for want of room: it is held, and in nobody's hand.
    pub(super) fn push_out(&self, envelope: Envelope<T>) {
        if envelope.is_cancelled() {
            return self.drop_cancelled(envelope);
        }
        let (id, tagged) = (envelope.id, envelope.is_tagged());
        let doom = envelope.doom(|| self.clock.moment()).filter(|_| self.overflow.buries());
        if doom.is_none() {
            // ORDERING: Relaxed; a count, made before the job leaves the gate.
            self.overflowed.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(target: "millpond", queue = &**self.name(), %id, "no room: the job goes");
        }
        if self.overflow.buries() {
            // ORDERING: Relaxed; as above.
            self.died_outside.fetch_add(1, Ordering::Relaxed);
            return self.bury_unseen(envelope, doom.unwrap_or(DeadReason::Overflow));
        }
        if !envelope.discard() {
            tracing::error!(target: "millpond", %id, "dropping the job panicked");
        }
        // ORDERING: Relaxed; as above.
        self.shed.fetch_add(1, Ordering::Relaxed);
        self.leave_as(id, tagged, JobEnd::Dropped);
    }

    /// Takes places for `count` jobs of a feed, all or none. Returns the first, for [`enter_place`](Self::enter_place).
    pub(crate) fn reserve(&self, count: usize) -> Result<u64, NoPlace> {
        loop {
            match self.gate.admit_all(count) {
                Ok(admitted) => return Ok(admitted.first),
                Err(Refused::Closed) => return Err(NoPlace::Closed),
                Err(Refused::Full) => {}
            }
            match self.when_full_for(count) {
                Full::Wait => return Err(NoPlace::Later),
                Full::Refuse => return Err(NoPlace::Refused),
                Full::Again => {}
                Full::PassBy => {
                    let admitted = self.gate.admit_over(count).map_err(|_| NoPlace::Closed)?;
                    return Ok(admitted.first | OVER);
                }
            }
        }
    }

    /// As [`when_full`](Self::when_full); pushes nobody out for more jobs than there can ever be room for.
    fn when_full_for(&self, count: usize) -> Full {
        match self.overflow {
            Overflow::DropOldest(_) if count > self.capacity() => Full::Refuse,
            _ => self.when_full(),
        }
    }

    /// Brings in a job that has a place from [`reserve`](Self::reserve).
    pub(crate) fn enter_place(&self, place: u64, job: T) -> Result<JobId, T> {
        if place & OVER == 0 {
            return self.enter(place, job);
        }
        let id = JobId::new(place & !OVER);
        self.push_out(Envelope::new(id, self.clock.stamp(), job));
        Ok(id)
    }
}
