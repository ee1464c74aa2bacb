//! millpond itself. Of several flavours that can do the same, the first that fits a cell takes part: name the narrowest first.

mod broadcast;

use crate::ends::{
    AsyncRx, AsyncTx, Asynchronous, Batch, BatchRx, BatchTx, Blocking, FromAsync, IntoAsync, Message, Pool, Ring,
    Rx, Shape, TryRx, TryTx, Tx,
};
use crate::load::pool::Jobs;
use crate::peer::Peer;
use broadcast::{Lossless, Lossy, NoneStalled};
use millpond::{Context, Receiver, Sender};
use std::collections::VecDeque;
use std::time::Duration;

/// Whether `bounded(0)` is a channel without a buffer.
const HAS_RENDEZVOUS: bool = false;

pub(super) fn peers() -> Vec<Peer> {
    let channels = Peer::ours("millpond")
        .blocking::<Mpmc>()
        .asynchronous::<Mpmc>()
        .select_async::<Mpmc>()
        .into_async::<Mpmc>()
        .from_async::<Mpmc>()
        .batch::<Mpmc>()
        .ring::<Mpmc>();
    let all = channels
        .broadcast::<Lossless>()
        .broadcast::<Lossy>()
        .async_broadcast::<Lossless>()
        .stalled::<Lossy>()
        .pool::<Workers>();
    vec![
        all,
        Peer::ours("millpond lossy").async_broadcast::<Lossy>(),
        Peer::reference("none stalled").stalled::<NoneStalled>(),
    ]
}

fn fits(shape: &Shape) -> bool {
    HAS_RENDEZVOUS || shape.is_buffered()
}

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

impl AsyncTx<u64> for Sender<u64> {
    #[inline]
    async fn send_one_async(&mut self, message: u64) {
        self.send_async(message).await.expect("the receivers are alive");
    }
}

impl AsyncRx<u64> for Receiver<u64> {
    #[inline]
    async fn recv_one_async(&mut self) -> Option<u64> {
        self.recv_async().await.ok()
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
        let batch: VecDeque<u64> = (first..first + count).collect();
        self.send_many(batch).expect("the receivers are alive");
    }
}

struct BatchReceiver {
    receiver: Receiver<u64>,
    batch: Vec<u64>,
}

impl BatchRx for BatchReceiver {
    fn recv_batch(&mut self, limit: usize, take: &mut impl FnMut(u64)) -> bool {
        let open = self.receiver.recv_many(&mut self.batch, limit).is_ok();
        self.batch.drain(..).for_each(take);
        open
    }
}

/// The general flavour.
struct Mpmc;

impl Blocking for Mpmc {
    fn fits(shape: &Shape) -> bool {
        fits(shape)
    }

    fn open<M: Message>(shape: Shape) -> (Vec<impl Tx<M>>, Vec<impl Rx<M>>) {
        let (sender, receiver) = millpond::bounded(shape.capacity);
        (shape.senders(sender), shape.receivers(receiver))
    }
}

impl Asynchronous for Mpmc {
    fn fits(shape: &Shape) -> bool {
        fits(shape)
    }

    fn open_async(shape: Shape) -> (Vec<impl AsyncTx<u64>>, Vec<impl AsyncRx<u64>>) {
        let (sender, receiver) = millpond::bounded(shape.capacity);
        (shape.senders(sender), shape.receivers(receiver))
    }
}

impl IntoAsync for Mpmc {
    fn fits(shape: &Shape) -> bool {
        fits(shape)
    }

    fn open_into_async(shape: Shape) -> (Vec<impl Tx<u64>>, Vec<impl AsyncRx<u64>>) {
        let (sender, receiver) = millpond::bounded(shape.capacity);
        (shape.senders(sender), shape.receivers(receiver))
    }
}

impl FromAsync for Mpmc {
    fn fits(shape: &Shape) -> bool {
        fits(shape)
    }

    fn open_from_async(shape: Shape) -> (Vec<impl AsyncTx<u64>>, Vec<impl Rx<u64>>) {
        let (sender, receiver) = millpond::bounded(shape.capacity);
        (shape.senders(sender), shape.receivers(receiver))
    }
}

impl Ring for Mpmc {
    fn fits(shape: &Shape) -> bool {
        shape.is_buffered()
    }

    fn open_ring(shape: Shape) -> (Vec<impl TryTx>, Vec<impl TryRx>) {
        let (sender, receiver) = millpond::bounded(shape.capacity);
        (shape.senders(sender), shape.receivers(receiver))
    }
}

impl Batch for Mpmc {
    fn fits(shape: &Shape) -> bool {
        fits(shape)
    }

    fn open_batch(shape: Shape) -> (Vec<impl BatchTx>, Vec<impl BatchRx>) {
        let (sender, receiver) = millpond::bounded(shape.capacity);
        let receivers = shape.receivers(receiver).into_iter();
        let receivers = receivers.map(|receiver| BatchReceiver { receiver, batch: Vec::new() });
        (shape.senders(sender), receivers.collect())
    }
}

struct Workers;

impl Pool for Workers {
    fn work(jobs: &Jobs) {
        let (job, ran) = (jobs.job, jobs.ran.clone());
        let pool = millpond::Pool::builder()
            .workers(jobs.workers)
            .start(move |(): &(), _: &Context| job.run(&ran))
            .expect("the machine can start the workers");
        jobs.produce(|| {
            pool.submit(()).expect("the pool is open");
        });
        let report = pool.shutdown(Duration::MAX);
        assert_eq!(report.done, jobs.total());
    }
}
