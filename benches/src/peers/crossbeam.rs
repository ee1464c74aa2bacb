//! `crossbeam-channel`, and the pool people write by hand: threads in a loop on one of its channels.

use super::{Channel, Pool};
use crate::pool_load::Job;
use std::thread::JoinHandle;

pub(super) struct Crossbeam;

impl Channel for Crossbeam {
    const NAME: &'static str = "crossbeam";
    type Sender = crossbeam_channel::Sender<u64>;
    type Receiver = crossbeam_channel::Receiver<u64>;

    fn bounded(capacity: usize) -> (Self::Sender, Self::Receiver) {
        crossbeam_channel::bounded(capacity)
    }

    fn send(sender: &Self::Sender, message: u64) {
        sender.send(message).expect("a receiver is alive");
    }

    fn recv(receiver: &Self::Receiver) -> Option<u64> {
        receiver.recv().ok()
    }
}

pub(super) struct ThreadsOnChannel {
    sender: crossbeam_channel::Sender<Job>,
    threads: Vec<JoinHandle<()>>,
}

impl Pool for ThreadsOnChannel {
    const NAME: &'static str = "crossbeam+threads";

    fn start(workers: usize, capacity: usize) -> Self {
        let (sender, receiver) = crossbeam_channel::bounded::<Job>(capacity);
        let worker = |_| {
            let receiver = receiver.clone();
            std::thread::spawn(move || receiver.iter().for_each(|job| job.run()))
        };
        Self { sender, threads: (0..workers).map(worker).collect() }
    }

    fn submit(&self, job: Job) {
        self.sender.send(job).expect("the workers are alive");
    }

    fn stop(self) {
        drop(self.sender);
        for thread in self.threads {
            thread.join().expect("no job panics");
        }
    }
}
