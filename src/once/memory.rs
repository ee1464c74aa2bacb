//! Results in memory, bounded by count and by age.

use super::fingerprint::Fingerprint;
use super::store::{Begun, OnceStore};
use crate::retry::discard;
use crate::sync::{Arc, Mutex};
use crate::time::{Clock, Moment};
use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

/// Keeps results in the memory of this process: so many, and each for so long.
///
/// A key that is in progress is kept until its effect ends. When there is no room for another key, the oldest result goes,
/// which is counted as evicted: its effect would be run again. Choose a capacity that the keys of the whole time fit into.
/// When all keys are in progress, a new one is refused.
///
/// Memory: the keys and results themselves, and some 200 bytes for each. A lookup takes O(1), keeping a result O(log n), n being
/// the number of results.
pub struct MemoryStore<R> {
    capacity: usize,
    keep: Duration,
    clock: Clock,
    table: Mutex<Table<R>>,
}

struct Table<R> {
    entries: HashMap<Arc<[u8]>, Entry<R>>,
    /// The keys that have results, the oldest first, with the time their results are over.
    ages: BTreeMap<u64, (Moment, Arc<[u8]>)>,
    next: u64,
    evicted: u64,
    expired: u64,
}

/// Results that were dropped. Their drops are user code: they run under no lock, one by one, and a panic ends here.
struct Gone<R>(Vec<Entry<R>>);

impl<R> Drop for Gone<R> {
    fn drop(&mut self) {
        for entry in self.0.drain(..) {
            discard(entry);
        }
    }
}

struct Entry<R> {
    fingerprint: Fingerprint,
    /// The result, and where it stands among the ages. None while the effect is in progress.
    done: Option<(u64, Arc<R>)>,
}

/// A snapshot of what a [`MemoryStore`] keeps and has dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryStoreStats {
    /// Results kept, those included whose time is up since the last call that looked.
    pub kept: u64,
    /// Keys whose effects are in progress.
    pub in_progress: u64,
    /// Results dropped to make room: their effects would be run again.
    pub evicted: u64,
    /// Results dropped because their time was up.
    pub expired: u64,
}

impl<R> MemoryStore<R> {
    /// Makes a store of `capacity` keys at most, whose results are kept for `keep` each, by the system's clock.
    ///
    /// # Panics
    ///
    /// When `capacity` is 0.
    #[must_use]
    pub fn new(capacity: usize, keep: Duration) -> Self {
        assert!(capacity > 0, "a store that keeps no key keeps no effect from running twice");
        let table = Table { entries: HashMap::new(), ages: BTreeMap::new(), next: 0, evicted: 0, expired: 0 };
        Self { capacity, keep, clock: Clock::system(), table: Mutex::new(table) }
    }

    /// Sets where the time comes from: the pool's clock, for one.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Takes a snapshot.
    #[must_use]
    pub fn stats(&self) -> MemoryStoreStats {
        let table = self.table.lock();
        let kept = table.ages.len() as u64;
        MemoryStoreStats {
            kept,
            in_progress: table.entries.len() as u64 - kept,
            evicted: table.evicted,
            expired: table.expired,
        }
    }
}

impl<R> OnceStore<R> for MemoryStore<R> {
    type Error = Infallible;

    fn begin(&self, key: &[u8], fingerprint: Fingerprint) -> Result<Begun<R>, Infallible> {
        let now = self.clock.moment();
        // Declared before the lock is taken, and so dropped after it is.
        let mut gone = Gone(Vec::new());
        let mut table = self.table.lock();
        table.expire(now, &mut gone);
        if let Some(entry) = table.entries.get(key) {
            return Ok(entry.begin_again(fingerprint));
        }
        if table.entries.len() >= self.capacity && !table.evict(&mut gone) {
            return Ok(Begun::Full);
        }
        table.entries.insert(key.into(), Entry { fingerprint, done: None });
        drop(table);
        Ok(Begun::Claimed)
    }

    fn complete(&self, key: &[u8], _: Fingerprint, result: &Arc<R>) -> Result<(), Infallible> {
        let over = self.clock.moment().after(self.keep);
        let mut guard = self.table.lock();
        let table = &mut *guard;
        let claimed = table.entries.get_key_value(key).filter(|(_, entry)| entry.done.is_none());
        let Some(key) = claimed.map(|(key, _)| Arc::clone(key)) else { return Ok(()) };
        let age = table.next;
        table.next += 1;
        table.ages.insert(age, (over, Arc::clone(&key)));
        if let Some(entry) = table.entries.get_mut(&key) {
            entry.done = Some((age, Arc::clone(result)));
        }
        Ok(())
    }

    fn abandon(&self, key: &[u8], _: Fingerprint) -> Result<(), Infallible> {
        let mut table = self.table.lock();
        if table.entries.get(key).is_some_and(|entry| entry.done.is_none()) {
            table.entries.remove(key);
        }
        Ok(())
    }
}

impl<R> Entry<R> {
    /// What is said of a key that is in use.
    fn begin_again(&self, fingerprint: Fingerprint) -> Begun<R> {
        match &self.done {
            _ if self.fingerprint != fingerprint => Begun::Mismatch,
            Some((_, result)) => Begun::Replay(Arc::clone(result)),
            None => Begun::InProgress,
        }
    }
}

impl<R> Table<R> {
    /// Moves the results whose time is up at `now` to `gone`.
    fn expire(&mut self, now: Moment, gone: &mut Gone<R>) {
        while self.ages.first_key_value().is_some_and(|(_, (over, _))| *over <= now) {
            self.drop_oldest(gone);
            self.expired += 1;
        }
    }

    /// Moves the oldest result to `gone`. Returns false if there is none.
    fn evict(&mut self, gone: &mut Gone<R>) -> bool {
        let evicted = self.drop_oldest(gone);
        self.evicted += u64::from(evicted);
        evicted
    }

    fn drop_oldest(&mut self, gone: &mut Gone<R>) -> bool {
        let Some((_, (_, key))) = self.ages.pop_first() else { return false };
        gone.0.extend(self.entries.remove(&key));
        true
    }
}

impl<R> fmt::Debug for MemoryStore<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("capacity", &self.capacity)
            .field("keep", &self.keep)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

// Usable after a panic was caught, whatever it was that panicked (promise 9).
impl<R> std::panic::UnwindSafe for MemoryStore<R> {}
impl<R> std::panic::RefUnwindSafe for MemoryStore<R> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::VirtualClock;
    use proptest::prelude::*;

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Begin { arguments: u128 },
        Complete,
        Abandon,
    }

    /// A key as the model has it: its arguments, and its result with the time it is over.
    type Known = (u8, u128, Option<(u64, u64)>);

    fn said(begun: &Begun<u64>) -> (&'static str, u64) {
        match begun {
            Begun::Claimed => ("claimed", 0),
            Begun::Replay(result) => ("replay", **result),
            Begun::Mismatch => ("mismatch", 0),
            Begun::InProgress => ("in progress", 0),
            Begun::Full => ("full", 0),
        }
    }

    fn begin(
        model: &mut Vec<Known>,
        key: u8,
        arguments: u128,
        now: u64,
        capacity: usize,
    ) -> (&'static str, u64) {
        model.retain(|known| known.2.is_none_or(|(_, over)| over > now));
        if let Some(known) = model.iter().find(|known| known.0 == key) {
            return match known.2 {
                _ if known.1 != arguments => ("mismatch", 0),
                Some((result, _)) => ("replay", result),
                None => ("in progress", 0),
            };
        }
        if model.len() >= capacity {
            // The oldest result, by its number.
            let done = model
                .iter()
                .enumerate()
                .filter_map(|(index, known)| known.2.map(|(result, _)| (result, index)));
            let Some((_, oldest)) = done.min() else { return ("full", 0) };
            model.remove(oldest);
        }
        model.push((key, arguments, None));
        ("claimed", 0)
    }

    proptest! {
        /// Against a plain list.
        #[test]
        fn agrees_with_a_list(
            capacity in 1usize..5,
            steps in prop::collection::vec((0u8..6, 0u8..5, 0u128..2, 0u64..4), 0..200),
        ) {
            let time = VirtualClock::new();
            let store = MemoryStore::new(capacity, Duration::from_nanos(12)).clock(time.clock());
            let (mut model, mut now): (Vec<Known>, u64) = (Vec::new(), 0);
            for (result, (key, what, arguments, pass)) in (1..).zip(steps) {
                time.advance(Duration::from_nanos(pass));
                now += pass;
                let step = match what {
                    0 => Step::Abandon,
                    1 | 2 => Step::Complete,
                    _ => Step::Begin { arguments },
                };
                let claimed = model.iter().position(|known| known.0 == key && known.2.is_none());
                match step {
                    Step::Begin { arguments } => {
                        let Ok(begun) = store.begin(&[key], Fingerprint::from(arguments));
                        prop_assert_eq!(said(&begun), begin(&mut model, key, arguments, now, capacity));
                    }
                    Step::Complete => {
                        let Ok(()) = store.complete(&[key], Fingerprint::from(0), &Arc::new(result));
                        if let Some(claimed) = claimed {
                            model[claimed].2 = Some((result, now + 12));
                        }
                    }
                    Step::Abandon => {
                        let Ok(()) = store.abandon(&[key], Fingerprint::from(0));
                        claimed.map(|claimed| model.remove(claimed));
                    }
                }
                let stats = store.stats();
                let kept = model.iter().filter(|known| known.2.is_some()).count();
                prop_assert_eq!((stats.kept, stats.in_progress), (kept as u64, (model.len() - kept) as u64));
                prop_assert!(model.len() <= capacity);
            }
        }
    }
}
