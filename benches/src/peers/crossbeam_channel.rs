//! crossbeam-channel; and a pool of threads that take boxed jobs from one.

use crate::ends::{
    Batch, BatchRx, BatchTx, Blocking, Message, Pool, Ring, Rx, Select, SelectRx, Shape, TryRx, TryTx, Tx,
};
use crate::load::pool::Jobs;
use crate::peer::Peer;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::thread;

/// Of the job queue: millpond's default, so that both hold the same.
const CAPACITY: usize = 1024;

pub(super) fn peers() -> Vec<Peer> {
    vec![
        Peer::new("crossbeam-channel").blocking::<Mpmc>().ring::<Mpmc>().batch::<Mpmc>().select::<Mpmc>(),
        Peer::new("crossbeam + threads").pool::<Threads>(),
    ]
}

struct Mpmc;

impl<M: Message> Tx<M> for Sender<M> {
    #[inline]
    fn send_one(&mut self, message: M) {
        self.send(message).expect("the receivers are alive");
    }
}

impl<M: Message> Rx<M> for Receiver<M> {
    #[inline]
    fn recv_one(&mut self) -> Option<M> {
        self.recv().ok()
    }
}

impl TryTx for Sender<u64> {
    #[inline]
    fn push_one(&mut self, number: u64) -> bool {
        self.try_send(number).is_ok()
    }
}

impl TryRx for Receiver<u64> {
    #[inline]
    fn pop_one(&mut self) -> Option<u64> {
        self.try_recv().ok()
    }
}

impl BatchTx for Sender<u64> {
    fn send_batch(&mut self, first: u64, count: u64) {
        (first..first + count).for_each(|number| self.send_one(number));
    }
}

impl BatchRx for Receiver<u64> {
    fn recv_batch(&mut self, limit: usize, take: &mut impl FnMut(u64)) -> bool {
        let Some(first) = self.recv_one() else { return false };
        take(first);
        self.try_iter().take(limit - 1).for_each(take);
        true
    }
}

impl Blocking for Mpmc {
    fn fits(_: &Shape) -> bool {
        true
    }

    fn open<M: Message>(shape: Shape) -> (Vec<impl Tx<M>>, Vec<impl Rx<M>>) {
        let (sender, receiver) = bounded(shape.capacity);
        (shape.senders(sender), shape.receivers(receiver))
    }
}

impl Ring for Mpmc {
    fn fits(shape: &Shape) -> bool {
        shape.is_buffered()
    }

    fn open_ring(shape: Shape) -> (Vec<impl TryTx>, Vec<impl TryRx>) {
        let (sender, receiver) = bounded(shape.capacity);
        (shape.senders(sender), shape.receivers(receiver))
    }
}

impl Batch for Mpmc {
    fn fits(_: &Shape) -> bool {
        true
    }

    fn open_batch(shape: Shape) -> (Vec<impl BatchTx>, Vec<impl BatchRx>) {
        let (sender, receiver) = bounded(shape.capacity);
        (shape.senders(sender), shape.receivers(receiver))
    }
}

impl Select for Mpmc {
    fn open_select(capacity: usize, channels: usize) -> (Vec<impl Tx<u64>>, impl SelectRx) {
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..channels).map(|_| bounded::<u64>(capacity)).unzip();
        (senders, receivers)
    }
}

impl SelectRx for Vec<Receiver<u64>> {
    fn receive_all(self, take: &mut impl FnMut(u64)) {
        let mut select = crossbeam_channel::Select::new();
        for receiver in &self {
            select.recv(receiver);
        }
        let mut open = self.len();
        while open > 0 {
            let ready = select.select();
            let index = ready.index();
            if let Ok(number) = ready.recv(&self[index]) {
                take(number);
            } else {
                select.remove(index);
                open -= 1;
            }
        }
    }
}

struct Threads;

impl Pool for Threads {
    fn work(jobs: &Jobs) {
        let (sender, receiver) = bounded::<Box<dyn FnOnce() + Send>>(CAPACITY);
        thread::scope(|scope| {
            for _ in 0..jobs.workers {
                let receiver = receiver.clone();
                scope.spawn(move || receiver.iter().for_each(|job| job()));
            }
            drop(receiver);
            jobs.produce(|| sender.send(Box::new(jobs.one())).expect("the workers are alive"));
            drop(sender);
        });
    }
}
