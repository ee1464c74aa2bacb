//! Jobs that do nothing, or keep a core busy for some microseconds, and every one must run.
//!
//! The number of jobs is fixed, and not the time: some pools have queues without a bound, which producers that go on for a
//! time would fill with more than the workers can do in many times as long.

use super::Load;
use crate::ends::Pool;
use crate::pin::Placement;
use crate::setting::Setting;
use std::hint::{black_box, spin_loop};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// Workers of each pool: the cores of the reference machine.
const WORKERS: usize = 2;

/// How many 10 us jobs two workers do in a millisecond.
const TEN_MICROS_PER_MILLI: u128 = 200;

/// About how many empty jobs two workers do in a millisecond.
const EMPTY_PER_MILLI: u128 = 5_000;

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
        // ORDERING: Relaxed; whoever waits for the jobs is told of their end by the pool, or only wants the number.
        ran.fetch_add(black_box(1), Ordering::Relaxed);
    }

    fn in_a_window(self, window: Duration) -> u64 {
        let per_milli = if self == Self::Empty { EMPTY_PER_MILLI } else { TEN_MICROS_PER_MILLI };
        u64::try_from((window.as_micros() * per_milli / 1000).max(1)).unwrap_or(u64::MAX)
    }
}

/// What a pool is put to.
#[derive(Debug)]
pub struct Jobs {
    /// Threads that submit.
    pub producers: usize,
    /// Threads that work.
    pub workers: usize,
    /// Jobs that each producer submits.
    pub each: u64,
    /// What each job does.
    pub job: Job,
    /// How many have run.
    pub ran: Arc<AtomicU64>,
    placement: Placement,
}

impl Jobs {
    /// Calls `submit` for each job, from as many threads as there are producers.
    pub fn produce(&self, submit: impl Fn() + Sync) {
        thread::scope(|scope| {
            for index in 0..self.producers {
                let submit = &submit;
                scope.spawn(move || {
                    self.placement.producer(index);
                    (0..self.each).for_each(|_| submit());
                });
            }
        });
    }

    /// Returns one job, to be submitted.
    pub fn one(&self) -> impl FnOnce() + Send + use<> {
        let (job, ran) = (self.job, Arc::clone(&self.ran));
        move || job.run(&ran)
    }

    /// How many jobs there are in all.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.each * self.producers as u64
    }

    /// How many have run.
    #[must_use]
    pub fn count(&self) -> u64 {
        // ORDERING: Relaxed; see `Job::run`.
        self.ran.load(Ordering::Relaxed)
    }
}

/// Whether a pool takes part.
pub fn fits<P: Pool>(load: &Load) -> bool {
    matches!(load, Load::Pool { .. })
}

/// Runs one sample. Returns millions of jobs a second.
///
/// # Panics
/// If a job did not run, or ran twice, or the load is not of this kind.
pub fn run<P: Pool>(load: &Load, setting: &Setting) -> f64 {
    let Load::Pool { producers, job } = *load else { unreachable!("asked first whether it fits") };
    let _ = spins_in_ten_micros();
    let each = job.in_a_window(setting.window).div_ceil(producers as u64);
    let jobs = |each| Jobs {
        producers,
        workers: WORKERS,
        each,
        job,
        ran: Arc::default(),
        placement: setting.placement,
    };
    let warm_up = jobs(job.in_a_window(setting.warm_up()).div_ceil(producers as u64));
    P::work(&warm_up);
    let jobs = jobs(each);
    let began = Instant::now();
    P::work(&jobs);
    let took = began.elapsed();
    assert_eq!(jobs.count(), jobs.total(), "jobs were lost or doubled");
    jobs.total() as f64 / took.as_secs_f64() / 1e6
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
