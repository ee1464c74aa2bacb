//! The work of a pool: jobs that do nothing, or keep a core busy for some microseconds, and every one must run.

use crate::pin::Placement;
use std::hint::{black_box, spin_loop};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// What one job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Counts itself.
    Empty,
    /// Keeps its core busy for about 10 us, then counts itself.
    TenMicros,
}

impl Job {
    /// Does the job.
    #[inline]
    pub fn run(self, ran: &AtomicU64) {
        if self == Self::TenMicros {
            for _ in 0..spins_in_ten_micros() {
                spin_loop();
            }
        }
        ran.fetch_add(black_box(1), Ordering::Relaxed);
    }
}

/// A pool to measure.
pub trait PoolPeer {
    /// The name in tables.
    const NAME: &'static str;

    /// Starts a pool of this many workers, has each of `producers` threads submit its part of `jobs`, and returns when all
    /// have run. The count of those that ran goes up in `ran`.
    fn run(load: &Load, ran: &Arc<AtomicU64>);
}

/// What a pool is put to.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Threads that submit.
    pub producers: usize,
    /// Threads that work.
    pub workers: usize,
    /// In all; each producer submits an equal part.
    pub jobs: u64,
    /// What each does.
    pub job: Job,
    /// Where the producers run.
    pub placement: Placement,
}

impl Load {
    /// Calls `submit` for each job, from as many threads as the load says.
    pub fn produce(&self, submit: impl Fn() + Sync) {
        let each = self.jobs / self.producers as u64;
        thread::scope(|scope| {
            for index in 0..self.producers {
                let submit = &submit;
                scope.spawn(move || {
                    self.placement.producer(index);
                    (0..each).for_each(|_| submit());
                });
            }
        });
    }

    /// How many jobs there are once each producer has submitted its part.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.jobs / self.producers as u64 * self.producers as u64
    }
}

/// Runs the load once and returns how long it took.
///
/// # Panics
/// If a job did not run, or ran twice.
#[must_use]
pub fn run<P: PoolPeer>(load: &Load) -> Duration {
    let _ = spins_in_ten_micros();
    let ran = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    P::run(load, &ran);
    let took = began.elapsed();
    assert_eq!(ran.load(Ordering::Relaxed), load.total(), "{}: jobs were lost or doubled", P::NAME);
    took
}

/// Measured once, as the best of several: a disturbed measurement makes the machine look slower than it is.
fn spins_in_ten_micros() -> u64 {
    static SPINS: OnceLock<u64> = OnceLock::new();
    *SPINS.get_or_init(|| {
        const PROBE: u64 = 20_000;
        let best = (0..5).map(|_| {
            let began = Instant::now();
            (0..PROBE).for_each(|_| spin_loop());
            began.elapsed().as_nanos().max(1)
        });
        let nanos = best.min().expect("there were five");
        u64::try_from(u128::from(PROBE) * 10_000 / nanos).unwrap_or(1).max(1)
    })
}
