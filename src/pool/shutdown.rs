//! Ending a pool: what is done, what is handed back, what is cut off.

use super::crew::Crew;
use super::ending::Limit;
use crate::queue::{CutOff, Queue, Released};
use std::fmt;
use std::time::{Duration, Instant};

/// How long idle workers may take to end: a guess, a thousand times what they need on a busy machine.
const EXIT_GRACE: Duration = Duration::from_secs(1);

/// What became of all jobs that a pool ever accepted, said when it was shut down.
///
/// Every one of them is in exactly one place: `submitted = done + dead + dropped + released + cut_off`, over the whole life
/// of the pool. The jobs that were released are in here, and go with the report.
#[non_exhaustive]
#[must_use = "it holds the jobs that were not run"]
pub struct ShutdownReport<T> {
    /// How many were done.
    pub done: u64,
    /// How many are dead letters, which are still within reach.
    pub dead: u64,
    /// How many jobs were dropped by their handlers or for want of room, cancelled, or could not be copied, and how many dead letters were dropped for
    /// want of room or because of their age, purged or taken.
    pub dropped: u64,
    /// The jobs that were not run, or were to be run again later: handed back. That was not an attempt.
    pub released: Vec<Released<T>>,
    /// The jobs that were still running at the deadline. Not an attempt either: where possible, the jobs are handed back.
    pub cut_off: Vec<CutOff<T>>,
}

impl<T> ShutdownReport<T> {
    /// Returns true when every job came to its end: nothing was released, and nothing cut off.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.released.is_empty() && self.cut_off.is_empty()
    }
}

impl<T> Default for ShutdownReport<T> {
    /// The report of a shutdown that came after another.
    fn default() -> Self {
        Self { done: 0, dead: 0, dropped: 0, released: Vec::new(), cut_off: Vec::new() }
    }
}

impl<T> fmt::Debug for ShutdownReport<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShutdownReport")
            .field("done", &self.done)
            .field("dead", &self.dead)
            .field("dropped", &self.dropped)
            .field("released", &self.released)
            .field("cut_off", &self.cut_off.iter().map(|cut| cut.id).collect::<Vec<_>>())
            .finish()
    }
}

/// Shuts a pool down. The steps are those that [`Pool::shutdown`](crate::Pool::shutdown) promises.
pub(super) fn run<T>(queue: &Queue<T>, crew: &Crew, grant: Duration, limit: &Limit) -> ShutdownReport<T> {
    // 1. The gate closes.
    queue.close();
    // 2. What is not due in time is handed back now, and so is what would come to be scheduled later than that.
    let now = queue.clock().moment();
    queue.retire_after(if queue.clock().is_virtual() { now } else { now.after(grant) });
    // 3. The workers go on.
    queue.wait_drained_by(|| limit.get());
    // 4. The end: seats are cut, ready and scheduled jobs handed back.
    let stopped = queue.stop();
    // 5. Threads end, but for those whose handler was cut off. After that nobody releases anything any more.
    crew.announce_end();
    let grace = Instant::now() + EXIT_GRACE;
    // The timer may have jobs in hand that fell due just now, and hand them back. It is not waited for below if a worker ends
    // in its place that was thought to be occupied.
    queue.wait_drained(Some(grace));
    crew.end(stopped.occupied, grace);
    let mut cut_off = stopped.cut_off;
    for back in queue.collect_cut() {
        if let Some(cut) = cut_off.iter_mut().find(|cut| cut.id == back.id) {
            cut.job = Some(back);
        }
    }
    let stats = queue.stats();
    let report = ShutdownReport {
        done: stats.done,
        dead: stats.dead,
        dropped: stats.dropped - stats.released - stats.cut_off,
        released: queue.collect_released(),
        cut_off,
    };
    tracing::info!(
        target: "millpond",
        queue = &**queue.name(),
        done = report.done,
        dead = report.dead,
        dropped = report.dropped,
        released = report.released.len(),
        cut_off = report.cut_off.len(),
        "the pool is shut down"
    );
    report
}
