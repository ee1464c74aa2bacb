//! `rayon`'s `spawn`, whose queue has no bound.

use super::Pool;
use crate::pool_load::Job;

pub(super) struct Rayon(rayon::ThreadPool);

impl Pool for Rayon {
    const NAME: &'static str = "rayon::spawn";

    fn start(workers: usize, _capacity: usize) -> Self {
        Self(rayon::ThreadPoolBuilder::new().num_threads(workers).build().expect("threads can be started"))
    }

    fn submit(&self, job: Job) {
        self.0.spawn(move || job.run());
    }

    fn stop(self) {}
}
