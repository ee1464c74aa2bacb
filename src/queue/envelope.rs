//! A job on its way: its number, its times and, once something has happened to it, its history.

use super::past::Past;
use super::track::Track;
use crate::retry::{DeadReason, Failure, discard};
use crate::sync::Arc;
use crate::time::{Moment, Stamp};
use std::fmt;
use std::time::{Duration, SystemTime};

/// How many failed attempts of one job are kept in full: the first, and the latest ones.
///
/// A guess at what is worth reading. Without a limit, a job with `max_attempts(u32::MAX)` would grow for ever.
const RECORDS_MAX: usize = 100;

/// The number of a job, unique within its pool: it grows in the order in which jobs are accepted, not without gaps.
///
/// A redriven dead letter keeps its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(u64);

impl JobId {
    /// The number that no job has.
    pub(crate) const NONE: Self = Self(0);

    pub(super) fn new(number: u64) -> Self {
        Self(number)
    }

    /// Makes the number of a job that an engine of your own holds. Zero is the number of no job.
    #[must_use]
    pub fn of_engine(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number, for logs and keys of your own. The first job of a pool has number 1.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One failed attempt.
#[derive(Debug)]
#[non_exhaustive]
pub struct AttemptRecord {
    /// Which attempt it was; the first is 1.
    pub attempt: u32,
    /// When it failed, by the pool's clock.
    pub at: SystemTime,
    /// Which worker it failed with, counted from 0. None if it was not one of the pool's own.
    pub worker: Option<u32>,
    /// Why it failed.
    pub failure: Failure,
}

/// A job with all that the queue knows of it. It lies in the channel's slot itself: no allocation until a job fails.
pub(crate) struct Envelope<T> {
    pub(crate) id: JobId,
    pub(crate) enqueued_at: Stamp,
    /// Nothing until the first delivery that was not the last.
    pub(super) history: Option<Box<History>>,
    pub(crate) job: T,
}

/// What happened to a job in its deliveries so far. The three counters are kept apart on purpose.
#[derive(Default)]
pub(super) struct History {
    pub(super) deliveries: u32,
    pub(super) snoozes: u32,
    /// Attempts that failed.
    pub(super) failed: u32,
    /// Deliveries whose lease was lost.
    pub(super) lost: u32,
    /// When the job is no longer worth doing.
    pub(super) expires: Option<Moment>,
    /// Why the next to take the job up buries it unseen.
    pub(super) doom: Option<DeadReason>,
    /// The delay before the attempt that comes next, or was made last.
    delay: Duration,
    /// Something is known of the job beside the queue: see [`super::tags`].
    pub(super) tagged: bool,
    track: Option<Arc<Track>>,
    /// The next attempt waits for the retry budget.
    pub(super) parked: bool,
    /// The first failed attempt and the latest; `failed` minus its length are left out between them.
    pub(super) records: Vec<AttemptRecord>,
    /// When it was redriven last: its retries are given their time from then on.
    redriven_at: Option<Stamp>,
    /// The earlier lives of a job that was redriven: rare, and so apart.
    pub(super) past: Option<Box<Past>>,
}

impl<T> Envelope<T> {
    /// A job that has died before, and starts anew.
    pub(super) fn redriven(id: JobId, enqueued_at: Stamp, now: Stamp, past: Past, job: T) -> Self {
        let past = Some(Box::new(past));
        let history = History { past, redriven_at: Some(now), ..History::default() };
        Self { id, enqueued_at, history: Some(Box::new(history)), job }
    }

    pub(super) fn new(id: JobId, enqueued_at: Stamp, job: T) -> Self {
        Self { id, enqueued_at, history: None, job }
    }

    /// Notes what was wished for the job.
    pub(super) fn wish(&mut self, expires: Option<Moment>, tagged: bool, track: Option<Arc<Track>>) {
        let history = self.history.get_or_insert_default();
        (history.expires, history.tagged, history.track) = (expires, tagged, track);
    }

    /// Takes out what is left of the job's earlier lives.
    pub(super) fn take_past(&mut self) -> Past {
        self.history.as_mut().map(|history| history.take_past()).unwrap_or_default()
    }

    /// Returns true when something is known of the job beside the queue.
    #[inline]
    pub(super) fn is_tagged(&self) -> bool {
        self.history.as_ref().is_some_and(|history| history.tagged)
    }

    /// Returns the cell of the one who waits for the job's end, if somebody does.
    pub(super) fn track(&self) -> Option<&Arc<Track>> {
        self.history.as_ref()?.track.as_ref()
    }

    /// Returns true once the job is to be cancelled.
    pub(super) fn is_cancelled(&self) -> bool {
        self.track().is_some_and(|track| track.is_cancelled())
    }

    /// Returns the number of the attempt that the next delivery is; the first is 1.
    pub(crate) fn attempt(&self) -> u32 {
        self.history.as_ref().map_or(0, |history| history.failed).saturating_add(1)
    }

    /// Returns how many deliveries there are with the next one.
    pub(crate) fn deliveries(&self) -> u32 {
        self.history.as_ref().map_or(0, |history| history.deliveries).saturating_add(1)
    }

    /// Returns since when the job has been tried: since it was accepted, or redriven.
    pub(crate) fn since(&self) -> Stamp {
        self.history.as_ref().and_then(|history| history.redriven_at).unwrap_or(self.enqueued_at)
    }

    /// Returns the delay before the last retry, or zero.
    pub(crate) fn last_delay(&self) -> Duration {
        self.history.as_ref().map_or(Duration::ZERO, |history| history.delay)
    }

    /// Returns true when the next attempt waits for the retry budget.
    pub(crate) fn is_parked(&self) -> bool {
        self.history.as_ref().is_some_and(|history| history.parked)
    }

    /// Notes how long the next attempt is put off, and whether it waits for the retry budget.
    pub(crate) fn put_off(&mut self, delay: Duration, parked: bool) {
        let history = self.history.get_or_insert_default();
        (history.delay, history.parked) = (delay, parked);
    }

    /// Drops the job and all that belongs to it. Returns false when a drop panicked; the panic ends here.
    #[inline]
    pub(super) fn discard(self) -> bool {
        let dropped = discard(self.job);
        self.history.is_none_or(|history| history.discard()) && dropped
    }

    /// Notes that a delivery ended in a snooze.
    pub(super) fn record_snooze(&mut self) {
        let history = self.history.get_or_insert_default();
        history.deliveries = history.deliveries.saturating_add(1);
        history.snoozes = history.snoozes.saturating_add(1);
    }

    /// Notes that a delivery ended with the job given back.
    pub(super) fn record_release(&mut self) {
        let history = self.history.get_or_insert_default();
        history.deliveries = history.deliveries.saturating_add(1);
    }

    /// Notes that a delivery ended in a failed attempt.
    pub(super) fn record_failure(
        &mut self,
        failure: Failure,
        at: SystemTime,
        worker: Option<u32>,
    ) -> Option<AttemptRecord> {
        let attempt = self.attempt();
        let history = self.history.get_or_insert_default();
        history.deliveries = history.deliveries.saturating_add(1);
        history.failed = attempt;
        history.record(AttemptRecord { attempt, at, worker, failure })
    }

    /// Takes the last [`record_failure`](Self::record_failure) back: the delivery does not count. Returns its record.
    pub(super) fn strike_failure(&mut self) -> Option<AttemptRecord> {
        let history = self.history.as_mut()?;
        history.deliveries = history.deliveries.saturating_sub(1);
        history.failed = history.failed.saturating_sub(1);
        history.records.pop()
    }

    /// Notes that a delivery lost its lease: a line in the history, but no attempt.
    pub(super) fn record_loss(&mut self, at: SystemTime, worker: Option<u32>) -> Option<AttemptRecord> {
        let attempt = self.attempt();
        let history = self.history.get_or_insert_default();
        history.deliveries = history.deliveries.saturating_add(1);
        history.lost = history.lost.saturating_add(1);
        history.record(AttemptRecord { attempt, at, worker, failure: Failure::lease_lost() })
    }

    /// Notes an end that was no delivery at all.
    pub(super) fn record_end(&mut self, failure: Failure, at: SystemTime) -> Option<AttemptRecord> {
        let attempt = self.attempt();
        let history = self.history.get_or_insert_default();
        history.record(AttemptRecord { attempt, at, worker: None, failure })
    }

    /// Has the next to take the job up bury it unseen.
    pub(super) fn condemn(&mut self, reason: DeadReason) {
        self.history.get_or_insert_default().doom = Some(reason);
    }

    /// Returns how many deliveries ended in a failed attempt or a lost lease.
    pub(super) fn troubles(&self) -> u32 {
        self.history.as_ref().map_or(0, |history| history.failed.saturating_add(history.lost))
    }

    /// Returns true when nothing has happened to the job yet, and nothing special is to.
    #[inline]
    pub(super) fn is_new(&self) -> bool {
        self.history.is_none()
    }

    /// Returns why this job is to be buried unseen, if it is.
    pub(super) fn doom(&self, now: impl FnOnce() -> Moment) -> Option<DeadReason> {
        let history = self.history.as_ref()?;
        history.doom.or_else(|| (history.expires? <= now()).then_some(DeadReason::Expired))
    }

    /// Takes the job out, and leaves all the rest.
    pub(super) fn open(self) -> (T, Envelope<()>) {
        let Self { id, enqueued_at, history, job } = self;
        (job, Envelope { id, enqueued_at, history, job: () })
    }
}

impl Envelope<()> {
    /// Undoes [`open`](Envelope::open).
    pub(super) fn refill<T>(self, job: T) -> Envelope<T> {
        let Self { id, enqueued_at, history, job: () } = self;
        Envelope { id, enqueued_at, history, job }
    }
}

impl History {
    /// Returns what is left of the earlier lives of the job.
    pub(super) fn take_past(&mut self) -> Past {
        self.past.take().map_or_else(Past::default, |past| *past)
    }

    /// Drops the records of all lives. Returns false when a drop panicked; the panic ends here.
    fn discard(mut self) -> bool {
        let past = self.take_past().discard();
        discard_all(self.records) && past
    }

    /// Adds a record. Returns the one that has to go: the caller drops it, as that is the user's code.
    fn record(&mut self, record: AttemptRecord) -> Option<AttemptRecord> {
        let gone = (self.records.len() >= RECORDS_MAX).then(|| self.records.remove(1));
        self.records.push(record);
        gone
    }
}

/// Cuts records down to the first and the latest. Returns those that have to go: their drops are the user's code.
pub(super) fn cut(records: &mut Vec<AttemptRecord>) -> Vec<AttemptRecord> {
    match records.len().saturating_sub(RECORDS_MAX) {
        0 => Vec::new(),
        over => records.drain(1..=over).collect(),
    }
}

/// Drops the records one by one: if two in one go panicked in their drops, the process would be aborted.
pub(super) fn discard_all(records: Vec<AttemptRecord>) -> bool {
    let mut dropped = true;
    for record in records {
        dropped &= discard(record);
    }
    dropped
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    fn envelope() -> Envelope<u8> {
        Envelope::new(JobId::new(1), Stamp::of(UNIX_EPOCH), 0)
    }

    #[test]
    fn counts_attempts_deliveries_and_snoozes_apart() {
        let mut envelope = envelope();
        assert_eq!((envelope.attempt(), envelope.deliveries()), (1, 1));
        envelope.record_snooze();
        assert_eq!((envelope.attempt(), envelope.deliveries()), (1, 2));
        envelope.record_failure(Failure::new("e"), UNIX_EPOCH, None);
        assert_eq!((envelope.attempt(), envelope.deliveries()), (2, 3));
        let history = envelope.history.unwrap();
        assert_eq!((history.deliveries, history.snoozes, history.failed), (2, 1, 1));
    }

    #[test]
    fn keeps_the_first_record_and_the_latest() {
        let mut envelope = envelope();
        for attempt in 1..=250 {
            let gone = envelope.record_failure(Failure::new("e"), UNIX_EPOCH, None);
            assert_eq!(gone.is_some(), attempt > 100);
        }
        let history = envelope.history.unwrap();
        let kept: Vec<u32> = history.records.iter().map(|record| record.attempt).collect();
        assert_eq!(kept[..2], [1, 152]);
        assert_eq!((kept.len(), kept[99], history.failed), (100, 250, 250));
    }

    #[test]
    fn counters_saturate() {
        let mut envelope = envelope();
        envelope.history =
            Some(Box::new(History { deliveries: u32::MAX, failed: u32::MAX, ..History::default() }));
        envelope.record_failure(Failure::new("e"), UNIX_EPOCH, None);
        assert_eq!((envelope.attempt(), envelope.deliveries()), (u32::MAX, u32::MAX));
    }

    #[test]
    fn costs_three_words_beside_the_job() {
        assert_eq!(size_of::<Envelope<u64>>(), 32);
    }
}
