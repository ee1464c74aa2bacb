//! The worker pool: whatever happens, the books balance, and no job is done twice or forgotten.

mod ending;
mod leases;
mod requests;
mod retries;

use millpond::{Pool, Stats};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How often each job was done. Its lock is no step of the model's.
#[derive(Clone, Debug, Default)]
struct Done(Arc<Mutex<BTreeMap<u32, u32>>>);

impl Done {
    fn add(&self, job: u32) -> u32 {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = book.entry(job).or_default();
        *count += 1;
        *count
    }

    /// How many were done at all.
    fn jobs(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }

    /// How often anything was done.
    fn times(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().map(|count| u64::from(*count)).sum()
    }
}

/// The conservation law, at a quiet point: every job that was accepted is in exactly one place.
#[track_caller]
fn books<T>(pool: &Pool<T>) -> Stats {
    let stats = pool.stats();
    assert!(stats.balances(), "the books do not balance: {stats:?}");
    assert_eq!(stats.held, stats.ready + stats.scheduled + stats.in_flight + stats.aside, "{stats:?}");
    assert_eq!(
        stats.died,
        stats.dead + stats.evicted + stats.dead_expired + stats.purged + stats.taken + stats.redriven,
        "{stats:?}"
    );
    stats
}

/// The law once a pool is shut down: nothing is held.
#[track_caller]
fn closed_books<T>(pool: &Pool<T>) -> Stats {
    let stats = books(pool);
    assert_eq!(stats.held, 0, "{stats:?}");
    stats
}
