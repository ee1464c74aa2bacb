//! millpond itself.

use crate::channel::ChannelPeer;
use crate::pool::{Load, PoolPeer};
use millpond::{Context, Pool, Receiver, Sender};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

pub(super) struct Millpond;

impl ChannelPeer for Millpond {
    const NAME: &'static str = "millpond";
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;

    fn bounded(capacity: usize) -> (Sender<u64>, Receiver<u64>) {
        millpond::bounded(capacity)
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

impl PoolPeer for Millpond {
    const NAME: &'static str = "millpond";

    fn run(load: &Load, ran: &Arc<AtomicU64>) {
        let (job, ran) = (load.job, Arc::clone(ran));
        let pool = Pool::builder()
            .workers(load.workers)
            .start(move |(): &(), _: &Context| job.run(&ran))
            .expect("the machine can start the workers");
        load.produce(|| {
            pool.submit(()).expect("the pool is open");
        });
        let report = pool.shutdown(Duration::MAX);
        assert_eq!(report.done, load.total());
    }
}
