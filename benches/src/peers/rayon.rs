//! rayon's `spawn`.

use crate::pool::{Load, PoolPeer};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

pub(super) struct Rayon;

impl PoolPeer for Rayon {
    const NAME: &'static str = "rayon::spawn";

    fn run(load: &Load, ran: &Arc<AtomicU64>) {
        // Kept between runs, as the global pool would be.
        static POOL: OnceLock<ThreadPool> = OnceLock::new();
        let pool = POOL.get_or_init(|| {
            let builder = ThreadPoolBuilder::new().num_threads(load.workers);
            builder.build().expect("the machine can start the workers")
        });
        assert_eq!(pool.current_num_threads(), load.workers, "one process measures one number of workers");
        let job = load.job;
        load.produce(|| {
            let ran = Arc::clone(ran);
            pool.spawn(move || job.run(&ran));
        });
        while ran.load(Ordering::Relaxed) < load.total() {
            thread::yield_now();
        }
    }
}
