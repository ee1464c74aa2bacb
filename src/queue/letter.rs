//! A dead letter, and what may be done with a store that is full of them.

use super::envelope::{AttemptRecord, Envelope, JobId, cut, discard_all};
use super::past::{Past, PastDeaths, deaths};
use crate::retry::{DeadReason, Failure, FailureKind, discard};
use std::fmt;
use std::time::SystemTime;

/// What happens to a job that dies while the store of dead letters is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeadFull {
    /// The oldest dead letter is dropped, and counted as evicted.
    DropOldest,
    /// The job that has just died is dropped, and counted as evicted.
    DropNewest,
    /// The letter is put aside until there is room, and its job keeps its place in the queue: nothing is lost, and the pool stops
    /// when nobody looks after its dead.
    ///
    /// Nobody waits for the room: workers, handlers and whoever takes jobs go on with the next one. What was put aside counts as
    /// [held](crate::Stats::aside), so when all places are taken by such jobs, the queue is full, and submitters wait. Letters that
    /// are taken, purged, too old or redriven make room, for the one that was put aside first; a redrive needs no other room then.
    ///
    /// A shutdown waits for the jobs that were put aside until its deadline. Then their letters are kept all the same, so that a
    /// pool that is shut down may hold up to its capacity of them over the limit.
    Block,
}

/// A job that will not be tried again, with everything that is known about why.
#[non_exhaustive]
pub struct DeadLetter<T> {
    /// The number of the job.
    pub id: JobId,
    /// The job itself.
    pub job: T,
    /// Why it is here.
    pub reason: DeadReason,
    /// Its failed attempts in order: all up to a hundred, else the first and the latest 99.
    pub attempts: Vec<AttemptRecord>,
    /// How many attempts failed: more than `attempts` has, if some were left out.
    pub attempts_total: u32,
    /// How often it was delivered, snoozes included.
    pub deliveries: u32,
    /// How often it snoozed.
    pub snoozes: u32,
    /// When it was accepted, to within a tick of the system's timer.
    pub enqueued_at: SystemTime,
    /// When it died.
    pub died_at: SystemTime,
    /// Its earlier deaths, if it was redriven: the latest reason first. The attempts above are of its latest life alone.
    pub past: Vec<PastDeaths>,
    /// The failed attempts of its earlier lives in order: all up to a hundred, else the first and the latest 99. Each life has an attempt 1;
    /// [`past`](Self::past) says how many there were in all.
    pub past_attempts: Vec<AttemptRecord>,
}

impl<T> DeadLetter<T> {
    /// Returns the last failure of the job. None if it died of none: it was too old, or there was no room for it.
    #[must_use]
    pub fn last_failure(&self) -> Option<&Failure> {
        self.attempts.last().map(|record| &record.failure)
    }

    /// Returns how often the job has died: more than once if it was redriven.
    #[must_use]
    pub fn deaths(&self) -> u32 {
        deaths(&self.past)
    }

    /// Turns a job into a dead letter. If it dies of a failure, that is recorded first.
    pub(super) fn of(envelope: Envelope<T>, reason: DeadReason, died_at: SystemTime) -> Self {
        let mut history = envelope.history.map(|history| *history).unwrap_or_default();
        let Past { deaths, mut attempts } = history.take_past();
        discard_all(cut(&mut attempts));
        Self {
            id: envelope.id,
            job: envelope.job,
            reason,
            attempts: history.records,
            attempts_total: history.failed,
            deliveries: history.deliveries,
            snoozes: history.snoozes,
            enqueued_at: envelope.enqueued_at.to_system_time(),
            died_at,
            past: deaths,
            past_attempts: attempts,
        }
    }

    /// Drops the job and all that belongs to it. Returns false when a drop panicked; the panic ends here.
    pub(super) fn discard(self) -> bool {
        let dropped = discard(self.job);
        let past = discard_all(self.past_attempts);
        discard_all(self.attempts) && past && dropped
    }

    /// Takes the job out, and leaves all the rest.
    pub(super) fn open(self) -> (T, DeadLetter<()>) {
        let mut job = None;
        let shell = self.map(|inside| job = Some(inside));
        (job.expect("`map` calls its function"), shell)
    }

    fn map<U>(self, job: impl FnOnce(T) -> U) -> DeadLetter<U> {
        DeadLetter {
            id: self.id,
            job: job(self.job),
            reason: self.reason,
            attempts: self.attempts,
            attempts_total: self.attempts_total,
            deliveries: self.deliveries,
            snoozes: self.snoozes,
            enqueued_at: self.enqueued_at,
            died_at: self.died_at,
            past: self.past,
            past_attempts: self.past_attempts,
        }
    }
}

impl DeadLetter<()> {
    /// Undoes [`open`](DeadLetter::open).
    pub(super) fn refill<T>(self, job: T) -> DeadLetter<T> {
        self.map(|()| job)
    }
}

impl<T> fmt::Debug for DeadLetter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetter")
            .field("id", &self.id)
            .field("reason", &self.reason)
            .field("attempts", &self.attempts)
            .field("died_at", &self.died_at)
            .field("past", &self.past)
            .finish_non_exhaustive()
    }
}

/// A dead letter without its job, as [`DeadLetters::list`](crate::DeadLetters::list) returns it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeadInfo {
    /// The number of the job.
    pub id: JobId,
    /// Why it is here.
    pub reason: DeadReason,
    /// The text of its last failure; empty if it died of none.
    pub error: String,
    /// Whether that was an error or a panic.
    pub kind: FailureKind,
    /// How many attempts failed since it was accepted or last redriven.
    pub attempts: u32,
    /// How often it has died: more than once if it was redriven.
    pub deaths: u32,
    /// When it was accepted, to within a tick of the system's timer.
    pub enqueued_at: SystemTime,
    /// When it died.
    pub died_at: SystemTime,
}

impl DeadInfo {
    /// Describes a letter. Runs the user's `Display`, so never under a lock.
    pub(super) fn of<T>(letter: &DeadLetter<T>) -> Self {
        let failure = letter.last_failure();
        Self {
            id: letter.id,
            reason: letter.reason,
            error: failure.map(Failure::text).unwrap_or_default(),
            kind: failure.map_or(FailureKind::Error, Failure::kind),
            attempts: letter.attempts_total,
            deaths: letter.deaths(),
            enqueued_at: letter.enqueued_at,
            died_at: letter.died_at,
        }
    }
}
