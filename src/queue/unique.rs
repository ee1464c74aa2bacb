//! Keys of which only one job may be held at a time, or be submitted in a while: a bounded registry, pure, without a clock.
//!
//! A key that is held is never dropped to make room, as that would let a duplicate in: a registry that is full refuses new
//! keys instead.

use super::envelope::JobId;
use crate::sync::Arc;
use crate::time::Moment;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// For how long the key of a job keeps its duplicates out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unique {
    /// Until the job is over: done, dead, dropped, cancelled or handed back.
    UntilDone,
    /// For so long after the job was accepted, by the pool's clock, whether it is over by then or not.
    For(Duration),
}

/// Why a key could not be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// This job holds it.
    Held(JobId),
    /// As many keys are held as the registry may have.
    Full,
}

/// The keys that are held. Each operation takes O(log n) amortized, n being their number.
pub(crate) struct UniqueKeys {
    capacity: usize,
    holders: HashMap<Arc<[u8]>, Holder>,
    /// The keys that are held for a time, by when that is over. The number keeps those of the same moment apart.
    expiries: BTreeMap<(Moment, u64), Arc<[u8]>>,
    next: u64,
}

struct Holder {
    id: JobId,
    /// Where it stands among the expiries. None until the job is over.
    expiry: Option<(Moment, u64)>,
}

impl UniqueKeys {
    /// Makes a registry of `capacity` keys at most.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, holders: HashMap::new(), expiries: BTreeMap::new(), next: 0 }
    }

    /// Returns why a key cannot be claimed at `now`, if it cannot.
    pub(crate) fn refusal(&mut self, key: &[u8], now: Moment) -> Option<Refusal> {
        self.expire(now);
        match self.holders.get(key) {
            Some(holder) => Some(Refusal::Held(holder.id)),
            None => (self.holders.len() >= self.capacity).then_some(Refusal::Full),
        }
    }

    /// Claims a key for a job that is accepted at `now`.
    pub(crate) fn claim(
        &mut self,
        key: &[u8],
        id: JobId,
        unique: Unique,
        now: Moment,
    ) -> Result<(), Refusal> {
        if let Some(refusal) = self.refusal(key, now) {
            return Err(refusal);
        }
        let key: Arc<[u8]> = key.into();
        let expiry = match unique {
            Unique::UntilDone => None,
            Unique::For(time) => Some((now.after(time), self.next)),
        };
        if let Some(expiry) = expiry {
            self.next += 1;
            self.expiries.insert(expiry, Arc::clone(&key));
        }
        self.holders.insert(key, Holder { id, expiry });
        Ok(())
    }

    /// Frees the key of a job that is over, if it was claimed until then, and by that job. Returns true if it is free now.
    pub(crate) fn release(&mut self, key: &[u8], id: JobId) -> bool {
        let released = self.holders.get(key).is_some_and(|holder| holder.id == id && holder.expiry.is_none());
        if released {
            self.holders.remove(key);
        }
        released
    }

    /// Takes a claim back, as the job was not accepted after all. Returns true if the key is free now.
    pub(crate) fn retract(&mut self, key: &[u8], id: JobId) -> bool {
        if self.holders.get(key).is_none_or(|holder| holder.id != id) {
            return false;
        }
        if let Some(expiry) = self.holders.remove(key).and_then(|holder| holder.expiry) {
            self.expiries.remove(&expiry);
        }
        true
    }

    /// Returns how many keys are held, those included whose time was up after the last claim.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.holders.len()
    }

    /// Frees the keys whose time is up.
    fn expire(&mut self, now: Moment) {
        while let Some(first) = self.expiries.first_entry().filter(|first| first.key().0 <= now) {
            self.holders.remove(&first.remove());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(nanos: u64) -> Moment {
        Moment::ORIGIN.after(Duration::from_nanos(nanos))
    }

    #[test]
    fn a_key_is_held_until_its_job_is_over_and_by_nobody_else() {
        let mut keys = UniqueKeys::new(2);
        let [first, second] = [JobId::new(1), JobId::new(2)];
        assert_eq!(keys.claim(b"a", first, Unique::UntilDone, at(0)), Ok(()));
        assert_eq!(keys.claim(b"a", second, Unique::UntilDone, at(u64::MAX)), Err(Refusal::Held(first)));
        assert!(!keys.release(b"a", second) && !keys.release(b"b", first));
        assert!(keys.release(b"a", first) && !keys.release(b"a", first));
        assert_eq!(keys.claim(b"a", second, Unique::UntilDone, at(0)), Ok(()));
    }

    #[test]
    fn a_key_is_held_for_its_time_even_when_its_job_is_over() {
        let mut keys = UniqueKeys::new(2);
        let (first, second, unique) = (JobId::new(1), JobId::new(2), Unique::For(Duration::from_nanos(5)));
        assert_eq!(keys.claim(b"a", first, unique, at(10)), Ok(()));
        assert!(!keys.release(b"a", first));
        assert_eq!(keys.claim(b"a", second, unique, at(14)), Err(Refusal::Held(first)));
        assert_eq!(keys.claim(b"a", second, unique, at(15)), Ok(()));
        assert!(!keys.retract(b"a", first) && keys.retract(b"a", second));
        assert_eq!((keys.len(), keys.expiries.len()), (0, 0));
    }

    #[test]
    fn a_full_registry_refuses_and_forgets_nobody() {
        let mut keys = UniqueKeys::new(1);
        assert_eq!(keys.claim(b"a", JobId::new(1), Unique::For(Duration::from_nanos(1)), at(0)), Ok(()));
        assert_eq!(keys.claim(b"b", JobId::new(2), Unique::UntilDone, at(0)), Err(Refusal::Full));
        assert_eq!(keys.claim(b"b", JobId::new(2), Unique::UntilDone, at(1)), Ok(()));
        assert_eq!(keys.claim(b"a", JobId::new(3), Unique::For(Duration::MAX), at(1)), Err(Refusal::Full));
    }

    proptest! {
        /// Against a plain list of (key, job, end of its time).
        #[test]
        fn agrees_with_a_list(
            capacity in 0usize..5,
            steps in prop::collection::vec((0u8..4, 0u8..4, 0u64..6, 0u64..3), 0..200),
        ) {
            let mut keys = UniqueKeys::new(capacity);
            let mut model: Vec<(u8, u64, Option<u64>)> = Vec::new();
            let mut now = 0;
            for (id, (what, key, time, pass)) in (1..).zip(steps) {
                now += pass;
                let holder = model.iter().position(|held| held.0 == key);
                let rival = holder.map_or(0, |holder| model[holder].1);
                match what {
                    0 => {
                        let over = holder.filter(|holder| model[*holder].2.is_none());
                        prop_assert_eq!(keys.release(&[key], JobId::new(rival)), over.is_some());
                        over.map(|over| model.remove(over));
                    }
                    1 => {
                        prop_assert_eq!(keys.retract(&[key], JobId::new(rival)), holder.is_some());
                        holder.map(|holder| model.remove(holder));
                    }
                    _ => {
                        model.retain(|held| held.2.is_none_or(|end| end > now));
                        let unique = if what == 2 { Unique::UntilDone } else { Unique::For(Duration::from_nanos(time)) };
                        let expected = match model.iter().find(|held| held.0 == key) {
                            Some(held) => Err(Refusal::Held(JobId::new(held.1))),
                            None if model.len() >= capacity => Err(Refusal::Full),
                            None => {
                                model.push((key, id, (what == 3).then_some(now + time)));
                                Ok(())
                            }
                        };
                        prop_assert_eq!(keys.claim(&[key], JobId::new(id), unique, at(now)), expected);
                    }
                }
                prop_assert_eq!(keys.len(), model.len());
                let timed = model.iter().filter(|held| held.2.is_some()).count();
                prop_assert_eq!(keys.expiries.len(), timed);
            }
        }
    }
}
