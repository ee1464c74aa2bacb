//! threadpool.

use crate::ends::Pool;
use crate::load::pool::Jobs;
use crate::peer::Peer;
use threadpool::ThreadPool;

pub(super) fn peers() -> Vec<Peer> {
    vec![Peer::new("threadpool").pool::<Threads>()]
}

struct Threads;

impl Pool for Threads {
    fn work(jobs: &Jobs) {
        let pool = ThreadPool::new(jobs.workers);
        jobs.produce(|| pool.execute(jobs.one()));
        pool.join();
    }
}
