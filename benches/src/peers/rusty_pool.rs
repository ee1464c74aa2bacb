//! rusty_pool.

use crate::ends::Pool;
use crate::load::pool::Jobs;
use crate::peer::Peer;
use rusty_pool::Builder;
use std::thread;
use std::time::Duration;

pub(super) fn peers() -> Vec<Peer> {
    vec![Peer::new("rusty_pool").pool::<Threads>()]
}

struct Threads;

impl Pool for Threads {
    fn work(jobs: &Jobs) {
        let builder = Builder::new().core_size(jobs.workers).max_size(jobs.workers);
        let pool = builder.keep_alive(Duration::from_secs(60)).build();
        jobs.produce(|| pool.execute(jobs.one()));
        // Its join comes back at once where the queue is empty and every worker counts as idle, and so does one that has just
        // taken the last job.
        while jobs.count() < jobs.total() {
            thread::yield_now();
        }
        pool.shutdown_join();
    }
}
