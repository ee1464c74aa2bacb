//! What is known of single jobs beside the queue: the keys they hold, and those who wait for their ends. By number, so that it can be let go whoever has the
//! job in hand when it ends.
//!
//! A job without anything of the kind never comes here. Those that do are held by the queue, so there are no more of them
//! than the capacity; keys that outlive their jobs have a limit of their own.

use super::envelope::{Envelope, JobId};
use super::track::{JobEnd, Track};
use super::unique::{Refusal, Unique, UniqueKeys};
use super::work::Queue;
use crate::gate::{Gate, Refused};
use crate::sync::atomic::Ordering;
use crate::sync::{Arc, Mutex};
use crate::time::Moment;
use std::collections::HashMap;

/// Why a request was not let in.
pub(super) enum NotNow {
    /// As many jobs are held as the capacity allows.
    Full,
    /// The queue is closed.
    Closed,
    /// This job holds the key.
    Duplicate(JobId),
    /// As many keys are held as may be.
    Keys,
}

/// The jobs that something is known of.
pub(super) struct Tags {
    state: Mutex<State>,
}

struct State {
    keys: UniqueKeys,
    jobs: HashMap<JobId, Tag>,
}

/// What is known of a job.
#[derive(Default)]
pub(super) struct Tag {
    /// The key that it holds.
    key: Option<Box<[u8]>>,
    track: Option<Arc<Track>>,
}

impl Tags {
    pub(super) fn new(keys: usize) -> Self {
        Self { state: Mutex::new(State { keys: UniqueKeys::new(keys), jobs: HashMap::new() }) }
    }

    /// Lets a job in if its key is free, and notes what belongs to it. One step: a duplicate takes no place at the gate. `over`: whether
    /// there is room or not, as the job passes by.
    pub(super) fn admit(
        &self,
        gate: &Gate,
        key: Option<(&[u8], Unique)>,
        track: Option<&Arc<Track>>,
        over: bool,
        now: impl FnOnce() -> Moment,
    ) -> Result<JobId, NotNow> {
        let mut state = self.state.lock();
        let now = key.map(|_| now());
        if let (Some((key, _)), Some(now)) = (key, now) {
            state.keys.refusal(key, now).map_or(Ok(()), |refusal| Err(NotNow::from(refusal)))?;
        }
        let id = JobId::new(if over { gate.admit_over(1) } else { gate.admit(1) }?.first);
        if let (Some((key, unique)), Some(now)) = (key, now) {
            let claimed = state.keys.claim(key, id, unique, now);
            debug_assert_eq!(claimed, Ok(()), "the key was free, and the lock is held since");
        }
        state.jobs.insert(id, Tag { key: key.map(|(key, _)| key.into()), track: track.cloned() });
        Ok(id)
    }

    /// Takes an admission back, as the job was not accepted after all.
    pub(super) fn retract(&self, id: JobId) {
        let mut state = self.state.lock();
        if let Some(key) = state.jobs.remove(&id).and_then(|tag| tag.key) {
            state.keys.retract(&key, id);
        }
    }

    /// Forgets a job that is over, and frees its key. None if nothing was known of it.
    pub(super) fn remove(&self, id: JobId) -> Option<Tag> {
        let mut state = self.state.lock();
        let tag = state.jobs.remove(&id)?;
        if let Some(key) = &tag.key {
            state.keys.release(key, id);
        }
        Some(tag)
    }
}

impl<T> Queue<T> {
    /// Forgets a job that is over. Called before it leaves the gate, so that its key is free once the queue is quiet.
    #[cold]
    pub(super) fn untag(&self, id: JobId) -> Option<Arc<Track>> {
        self.tags.remove(id)?.track
    }

    /// Lets a job leave the gate, and tells whoever waits for its end, if it is `tagged`.
    #[inline]
    pub(super) fn leave_as(&self, id: JobId, tagged: bool, end: JobEnd) {
        if tagged {
            self.leave_tagged(id, end);
        } else {
            self.leave(1);
        }
    }

    #[cold]
    fn leave_tagged(&self, id: JobId, end: JobEnd) {
        let track = self.untag(id);
        self.leave(1);
        if let Some(track) = track {
            track.end(end);
        }
    }

    /// Drops a job that was cancelled, and is in nobody's hand.
    pub(super) fn drop_cancelled(&self, envelope: Envelope<T>) {
        let id = envelope.id;
        tracing::debug!(target: "millpond", %id, "cancelled");
        envelope.discard();
        // ORDERING: Relaxed; a count, made before the job leaves the gate.
        self.cancelled.fetch_add(1, Ordering::Relaxed);
        self.leave_as(id, true, JobEnd::Cancelled);
    }

    /// Drops a job that was cancelled while it waits for its time.
    pub(super) fn cancel_scheduled(&self, track: &Track) {
        if let Some(envelope) = self.delayed.cancel(track) {
            self.drop_cancelled(envelope);
        }
    }
}

impl From<Refused> for NotNow {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Full => NotNow::Full,
            Refused::Closed => NotNow::Closed,
        }
    }
}

impl From<Refusal> for NotNow {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Held(holder) => NotNow::Duplicate(holder),
            Refusal::Full => NotNow::Keys,
        }
    }
}
