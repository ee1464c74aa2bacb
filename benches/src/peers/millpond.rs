//! Millpond itself.

use super::{Channel, Pool};
use crate::pool_load::Job;
use std::time::Duration;

pub(super) struct Millpond;

impl Channel for Millpond {
    const NAME: &'static str = "millpond";
    type Sender = millpond::Sender<u64>;
    type Receiver = millpond::Receiver<u64>;

    fn bounded(capacity: usize) -> (Self::Sender, Self::Receiver) {
        millpond::bounded(capacity)
    }

    fn send(sender: &Self::Sender, message: u64) {
        sender.send(message).expect("a receiver is alive");
    }

    fn recv(receiver: &Self::Receiver) -> Option<u64> {
        receiver.recv().ok()
    }
}

pub(super) struct MillpondPool(millpond::Pool<Job>);

impl Pool for MillpondPool {
    const NAME: &'static str = "millpond";

    fn start(workers: usize, capacity: usize) -> Self {
        let pool = millpond::Pool::builder()
            .workers(workers)
            .capacity(capacity)
            .start(|job: &Job, _: &millpond::Context| job.run())
            .expect("threads can be started");
        Self(pool)
    }

    fn submit(&self, job: Job) {
        self.0.submit(job).map(drop).expect("the pool is open");
    }

    fn stop(self) {
        drop(self.0.shutdown(Duration::from_secs(60)));
    }
}
