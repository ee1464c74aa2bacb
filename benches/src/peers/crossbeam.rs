//! crossbeam-channel; and a pool of threads that take boxed jobs from one.

use crate::channel::ChannelPeer;
use crate::pool::{Load, PoolPeer};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread;

/// Of the job queue: millpond's default, so that both hold the same.
const CAPACITY: usize = 1024;

pub(super) struct Crossbeam;

impl ChannelPeer for Crossbeam {
    const NAME: &'static str = "crossbeam";
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;

    fn bounded(capacity: usize) -> (Sender<u64>, Receiver<u64>) {
        bounded(capacity)
    }

    #[inline]
    fn send(sender: &Sender<u64>, message: u64) {
        sender.send(message).expect("the receivers are alive");
    }

    #[inline]
    fn recv(receiver: &Receiver<u64>) -> Option<u64> {
        receiver.recv().ok()
    }
}

impl PoolPeer for Crossbeam {
    const NAME: &'static str = "crossbeam + threads";

    fn run(load: &Load, ran: &Arc<AtomicU64>) {
        let (sender, receiver) = bounded::<Box<dyn FnOnce() + Send>>(CAPACITY);
        thread::scope(|scope| {
            for _ in 0..load.workers {
                let receiver = receiver.clone();
                scope.spawn(move || receiver.iter().for_each(|job| job()));
            }
            drop(receiver);
            let job = load.job;
            load.produce(|| {
                let ran = Arc::clone(ran);
                sender.send(Box::new(move || job.run(&ran))).expect("the workers are alive");
            });
            drop(sender);
        });
    }
}
