//! How long a thread tries before it registers and parks.
//!
//! Waking a thread on another core costs two orders of magnitude more than a message, so parking early is what makes a
//! channel slow. But spinning keeps others from running where threads outnumber cores. So: spin for a bounded time; leave
//! the spin out where it failed lately; then give the processor away a bounded number of times, looking in between.
//!
//! The numbers were chosen by measurement on a machine with 2 cores, over 1 to 16 threads a side and capacities 1 to
//! 65536; 200 to 400 pauses tie, as do 16 and 64 yields.

use super::{Attempt, Deadline, Source};
use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::{hint, single_cpu, thread};

/// About 10 us where a pause takes 25 ns.
const SPINS: u32 = 400;
/// Rounds of giving the processor away. Some 50 us where nobody else wants it.
const YIELDS: u32 = 16;
/// Pauses between the looks that follow a yield.
const PAUSES_AFTER_YIELD: u32 = 16;
/// So many failed spins in a row, and the next ones are left out ...
const FAILURES_TO_SKIP: u32 = 4;
/// ... but for one in so many.
const RETRY_EVERY: u32 = 16;

/// How spinning went lately on one side of one channel.
pub(super) struct SpinHistory {
    failures: AtomicU32,
}

impl SpinHistory {
    pub(super) fn new() -> Self {
        Self { failures: AtomicU32::new(0) }
    }

    /// Whether spinning is worth a try.
    fn is_hopeful(&self) -> bool {
        // ORDERING: Relaxed; a hint about the past.
        let failures = self.failures.load(Ordering::Relaxed);
        if failures < FAILURES_TO_SKIP {
            return true;
        }
        // ORDERING: Relaxed; a lost count does no harm.
        self.failures.store(failures.wrapping_add(1).max(FAILURES_TO_SKIP), Ordering::Relaxed);
        failures % RETRY_EVERY == 0
    }

    fn record(&self, succeeded: bool) {
        // ORDERING: Relaxed; a hint about the past.
        let failures = self.failures.load(Ordering::Relaxed);
        let now = if succeeded { 0 } else { failures.saturating_add(1) };
        if now != failures {
            // ORDERING: Relaxed; a lost count does no harm.
            self.failures.store(now, Ordering::Relaxed);
        }
    }
}

/// Tries for a bounded time, unregistered. `None`: in vain, or the deadline passed.
pub(super) fn spin<S: Source>(source: &mut S, deadline: &Deadline) -> Option<S::Output> {
    if cfg!(millpond_loom) {
        // Every moment at which a thread could look is one that loom explores anyway.
        return None;
    }
    if deadline.has_passed() {
        return None;
    }
    if !single_cpu() && source.waiters().spins.is_hopeful() {
        let output = spin_for(source, SPINS);
        source.waiters().spins.record(output.is_some());
        if output.is_some() {
            return output;
        }
    }
    yield_for(source, deadline)
}

/// Looks once a pause: a longer step would see the peer's answer later.
fn spin_for<S: Source>(source: &mut S, pauses: u32) -> Option<S::Output> {
    for _ in 0..pauses {
        hint::spin_loop();
        if let Attempt::Done(output) = source.attempt() {
            return Some(output);
        }
    }
    None
}

fn yield_for<S: Source>(source: &mut S, deadline: &Deadline) -> Option<S::Output> {
    for _ in 0..YIELDS {
        thread::yield_now();
        for pauses in [0, PAUSES_AFTER_YIELD, PAUSES_AFTER_YIELD] {
            for _ in 0..pauses {
                hint::spin_loop();
            }
            if let Attempt::Done(output) = source.attempt() {
                return Some(output);
            }
        }
        if deadline.has_passed() {
            return None;
        }
    }
    None
}
