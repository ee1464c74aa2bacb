//! Threads that do their share of the jobs, which nobody hands to them: what the machine could do if handing over cost nothing.

use crate::ends::Pool;
use crate::load::pool::Jobs;
use crate::peer::Peer;
use std::thread;

pub(super) fn peers() -> Vec<Peer> {
    vec![Peer::reference("no queue").pool::<Threads>()]
}

struct Threads;

impl Pool for Threads {
    fn work(jobs: &Jobs) {
        let workers = jobs.workers as u64;
        thread::scope(|scope| {
            for index in 0..workers {
                let share = jobs.total() / workers + u64::from(index < jobs.total() % workers);
                scope.spawn(move || (0..share).for_each(|_| jobs.job.run(&jobs.ran)));
            }
        });
    }
}
