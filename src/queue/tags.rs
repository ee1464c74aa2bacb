//! What is known of single jobs beside the queue: the keys they hold. By number, so that it can be let go whoever has the
//! job in hand when it ends.
//!
//! A job without anything of the kind never comes here. Those that do are held by the queue, so there are no more of them
//! than the capacity; keys that outlive their jobs have a limit of their own.

use super::envelope::JobId;
use super::unique::{Refusal, Unique, UniqueKeys};
use super::work::Queue;
use crate::gate::{Gate, Refused};
use crate::sync::Mutex;
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
    pub(super) key: Option<Box<[u8]>>,
}

impl Tags {
    pub(super) fn new(keys: usize) -> Self {
        Self { state: Mutex::new(State { keys: UniqueKeys::new(keys), jobs: HashMap::new() }) }
    }

    /// Lets a job in if its key is free, and notes what belongs to it. One step: a duplicate takes no place at the gate.
    pub(super) fn admit(
        &self,
        gate: &Gate,
        key: Option<(&[u8], Unique)>,
        now: impl FnOnce() -> Moment,
    ) -> Result<JobId, NotNow> {
        let mut state = self.state.lock();
        let now = key.map(|_| now());
        if let (Some((key, _)), Some(now)) = (key, now) {
            state.keys.refusal(key, now).map_or(Ok(()), |refusal| Err(NotNow::from(refusal)))?;
        }
        let id = JobId::new(gate.admit(1)?.first);
        if let (Some((key, unique)), Some(now)) = (key, now) {
            let claimed = state.keys.claim(key, id, unique, now);
            debug_assert_eq!(claimed, Ok(()), "the key was free, and the lock is held since");
        }
        state.jobs.insert(id, Tag { key: key.map(|(key, _)| key.into()) });
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
    pub(super) fn untag(&self, id: JobId) {
        self.tags.remove(id);
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
