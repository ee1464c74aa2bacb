//! One thread submits jobs, some threads run them, and every job is accounted for.

use crate::peers::Pool;
use crossbeam_utils::CachePadded;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// What one run of a pool does.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Threads that run jobs.
    pub workers: usize,
    /// Jobs a bounded pool holds.
    pub capacity: usize,
    /// How many jobs; at most [`MAX_JOBS`].
    pub jobs: u64,
    /// Rounds of the busy loop in each job; 0 is an empty job.
    pub rounds: u64,
}

/// So many jobs can be counted and summed in one word.
pub const MAX_JOBS: u64 = 1_000_000;

/// Where the count of the jobs begins in the word that holds count and sum.
const COUNT_SHIFT: u32 = 40;

/// One job: its number, and the work it does.
#[derive(Debug)]
pub struct Job {
    number: u64,
    work: Arc<Work>,
}

#[derive(Debug)]
struct Work {
    rounds: u64,
    /// What the word below is once all jobs have run.
    goal: u64,
    /// The count of jobs above the sum of their numbers, so that both cost one addition.
    done: CachePadded<AtomicU64>,
    waits: Thread,
}

impl Job {
    /// Does the work and books it. The last job wakes the thread that waits for all.
    pub fn run(&self) {
        spin(self.work.rounds);
        let add = (1 << COUNT_SHIFT) + self.number;
        if self.work.done.fetch_add(add, Ordering::AcqRel) + add == self.work.goal {
            self.work.waits.unpark();
        }
    }
}

/// Runs a load on a new pool, and returns the time from the first submission to the end of the last job.
///
/// # Panics
/// If a job is lost or run twice.
pub fn run<P: Pool>(load: &Load) -> Duration {
    assert!((1..=MAX_JOBS).contains(&load.jobs), "1 to {MAX_JOBS} jobs can be accounted for");
    let goal = (load.jobs << COUNT_SHIFT) + load.jobs * (load.jobs - 1) / 2;
    let done = CachePadded::new(AtomicU64::new(0));
    let work = Arc::new(Work { rounds: load.rounds, goal, done, waits: thread::current() });
    let pool = P::start(load.workers, load.capacity);
    let begin = Instant::now();
    for number in 0..load.jobs {
        pool.submit(Job { number, work: Arc::clone(&work) });
    }
    while work.done.load(Ordering::Acquire) != goal {
        thread::park();
    }
    let elapsed = begin.elapsed();
    pool.stop();
    assert_eq!(work.done.load(Ordering::Acquire), goal, "a job ran twice");
    elapsed
}

/// Finds how many rounds of the busy loop take `duration` on an idle processor: the best of several tries.
#[must_use]
pub fn rounds_for(duration: Duration) -> u64 {
    const ROUNDS: u64 = 100_000;
    let best = (0..20)
        .map(|_| {
            let begin = Instant::now();
            spin(ROUNDS);
            begin.elapsed()
        })
        .min()
        .expect("there were tries");
    let rounds = u128::from(ROUNDS) * duration.as_nanos() / best.as_nanos().max(1);
    u64::try_from(rounds).unwrap_or(u64::MAX)
}

fn spin(rounds: u64) {
    for round in 0..rounds {
        black_box(round);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_runs_every_job() {
        for peer in crate::peers::pools() {
            for jobs in [1, 2_000] {
                peer.run(&Load { workers: 2, capacity: 64, jobs, rounds: 10 });
            }
        }
    }

    #[test]
    fn the_sum_of_all_jobs_fits_below_the_count() {
        assert!(MAX_JOBS * (MAX_JOBS - 1) / 2 < 1 << COUNT_SHIFT);
        assert!(MAX_JOBS < 1 << (64 - COUNT_SHIFT));
    }
}
