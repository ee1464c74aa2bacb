//! rayon's `spawn`.

use crate::ends::Pool;
use crate::load::pool::Jobs;
use crate::peer::Peer;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::OnceLock;
use std::thread;

pub(super) fn peers() -> Vec<Peer> {
    vec![Peer::new("rayon::spawn").pool::<Spawn>()]
}

struct Spawn;

impl Pool for Spawn {
    fn work(jobs: &Jobs) {
        // Kept between runs, as the global pool would be.
        static POOL: OnceLock<ThreadPool> = OnceLock::new();
        let pool = POOL.get_or_init(|| {
            let builder = ThreadPoolBuilder::new().num_threads(jobs.workers);
            builder.build().expect("the machine can start the workers")
        });
        assert_eq!(pool.current_num_threads(), jobs.workers, "one process measures one number of workers");
        jobs.produce(|| pool.spawn(jobs.one()));
        while jobs.count() < jobs.total() {
            thread::yield_now();
        }
    }
}
