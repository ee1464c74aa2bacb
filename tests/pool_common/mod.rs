//! What the tests of the pool share: the check of the books, a gate for handlers, a watchdog.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![expect(clippy::unwrap_used, reason = "a test ends where its premises do not hold")]

use millpond::{Pool, Stats};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// Far longer than anything here takes: a test that waits this long has failed.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Waits until the pool is quiet, and checks its books: `submitted = done + dead + dropped + held`, and the parts of each.
#[track_caller]
pub(crate) fn quiet<T>(pool: &Pool<T>) -> Stats {
    assert!(pool.wait_idle(LONG), "the pool does not fall quiet: {:?}", pool.stats());
    books(pool)
}

/// Checks the books of a pool that is quiet.
#[track_caller]
pub(crate) fn books<T>(pool: &Pool<T>) -> Stats {
    let stats = pool.stats();
    assert!(stats.balances(), "the books do not balance: {stats:?}");
    assert_eq!(stats.held, stats.ready + stats.scheduled + stats.in_flight + stats.aside, "{stats:?}");
    assert_eq!(
        stats.dropped,
        stats.discarded
            + stats.cancelled
            + stats.shed
            + stats.evicted
            + stats.dead_expired
            + stats.purged
            + stats.taken
            + stats.released
            + stats.cut_off
            + stats.uncopied,
        "{stats:?}"
    );
    assert_eq!(
        stats.died,
        stats.dead
            + stats.aside
            + stats.evicted
            + stats.dead_expired
            + stats.purged
            + stats.taken
            + stats.redriven,
        "a letter went elsewhere: {stats:?}"
    );
    assert_eq!(stats.dead as usize, pool.dead().len());
    stats
}

/// A gate that handlers wait at until the test opens it.
#[derive(Default)]
pub(crate) struct Barrier {
    state: Mutex<(usize, bool)>,
    changed: Condvar,
}

impl Barrier {
    /// Called by a handler: arrives, and waits until the gate is open.
    pub(crate) fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.0 += 1;
        self.changed.notify_all();
        while !state.1 {
            state = self.changed.wait(state).unwrap();
        }
    }

    /// Waits until `count` handlers have arrived.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) {
        let state = self.state.lock().unwrap();
        let (state, timeout) = self.changed.wait_timeout_while(state, LONG, |state| state.0 < count).unwrap();
        assert!(!timeout.timed_out(), "only {} of {count} handlers arrived", state.0);
    }

    /// Lets everybody through, now and later.
    pub(crate) fn open(&self) {
        self.state.lock().unwrap().1 = true;
        self.changed.notify_all();
    }
}

/// Waits for something that another thread is about to do.
#[track_caller]
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LONG, "waited too long for this: {what}");
        std::thread::yield_now();
    }
}

/// Keeps the panics of the pools' threads, which the tests cause on purpose, off the screen; others are shown as ever.
pub(crate) fn hush(pool: &'static str) {
    let shown = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !std::thread::current().name().is_some_and(|name| name.starts_with(pool)) {
            shown(info);
        }
    }));
}

/// A random number for a job and its attempt.
pub(crate) fn random(job: u64, attempt: u32) -> u64 {
    let mut z = (job ^ (u64::from(attempt) << 40)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z ^ (z >> 32)
}
