//! millpond itself. Of several flavours that can do the same, the first that fits a cell takes part: name the narrowest first.

mod broadcast;
mod channel;
mod raw;

use crate::ends::Pool;
use crate::load::pool::Jobs;
use crate::peer::Peer;
use broadcast::{Lossless, Lossy, NoneStalled};
use channel::{Mpmc, Mpsc, Spsc};
use millpond::{Context, Lease, RetryPolicy};
use raw::{Many, Two};
use std::time::Duration;

/// Lets each flavour take part in all cells that it fits.
macro_rules! with_flavour {
    ($peer:expr, $($flavour:ty),+) => {
        $peer
            $(.blocking::<$flavour>())+
            $(.asynchronous::<$flavour>())+
            $(.into_async::<$flavour>())+
            $(.from_async::<$flavour>())+
            $(.batch::<$flavour>())+
    };
}

pub(super) fn peers() -> Vec<Peer> {
    let channels = with_flavour!(Peer::ours("millpond"), Spsc, Mpsc, Mpmc)
        .select_async::<Mpmc>()
        .select::<Spsc>()
        .ring::<Two>()
        .ring::<Many>()
        .chunks::<Two>();
    let all = channels
        .broadcast::<Lossless>()
        .broadcast::<Lossy>()
        .async_broadcast::<Lossless>()
        .stalled::<Lossy>()
        .pool::<Workers>();
    vec![
        all,
        Peer::ours("millpond leased").pool::<Leased>(),
        Peer::ours("millpond lossy").async_broadcast::<Lossy>(),
        Peer::reference("none stalled").stalled::<NoneStalled>(),
    ]
}

struct Workers;

impl Pool for Workers {
    fn work(jobs: &Jobs) {
        let (job, ran) = (jobs.job, jobs.ran.clone());
        let pool = millpond::Pool::builder()
            .workers(jobs.workers)
            .start(move |(): &(), _: &Context| job.run(&ran))
            .expect("the machine can start the workers");
        jobs.produce(|| {
            pool.submit(()).expect("the pool is open");
        });
        finish(&pool, jobs);
    }
}

/// The full cycle: each delivery under a lease that is renewed, and a policy for what fails.
struct Leased;

impl Pool for Leased {
    fn work(jobs: &Jobs) {
        let (job, ran) = (jobs.job, jobs.ran.clone());
        let pool = millpond::Pool::builder()
            .workers(jobs.workers)
            .retry(RetryPolicy::exponential(Duration::from_millis(200), Duration::from_secs(30)))
            .lease(Lease::renewed(Duration::from_secs(30)))
            .start(move |(): &(), _: &Context| job.run(&ran))
            .expect("the machine can start the workers");
        jobs.produce(|| {
            pool.submit(()).expect("the pool is open");
        });
        finish(&pool, jobs);
    }
}

/// Waits for the end of all jobs, and has them accounted for.
fn finish(pool: &millpond::Pool<()>, jobs: &Jobs) {
    let report = pool.shutdown(Duration::MAX);
    assert_eq!(report.done, jobs.total());
    assert!(pool.stats().balances());
}
