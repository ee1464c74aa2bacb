//! crossfire, in its three flavours, and its two ways to wait on several channels.

use crate::ends::{
    AsyncRx, AsyncTx, Asynchronous, Batch, BatchRx, BatchTx, Blocking, FromAsync, IntoAsync, Message, Ring, Rx,
    Select, SelectRx, Shape, TryRx, TryTx, Tx,
};
use crate::peer::Peer;
use crossfire::flavor::Flavor;
use crossfire::select::Multiplex;
use crossfire::{detect_backoff_cfg, mpmc, mpsc, spsc};

pub(super) fn peers() -> Vec<Peer> {
    vec![
        Peer::new("crossfire spsc")
            .blocking::<Spsc>()
            .asynchronous::<Spsc>()
            .select_async::<Spsc>()
            .into_async::<Spsc>()
            .from_async::<Spsc>()
            .ring::<Spsc>()
            .batch::<Spsc>()
            .select::<Spsc>(),
        Peer::new("crossfire mpsc")
            .blocking::<Mpsc>()
            .asynchronous::<Mpsc>()
            .into_async::<Mpsc>()
            .from_async::<Mpsc>()
            .ring::<Mpsc>()
            .batch::<Mpsc>(),
        Peer::new("crossfire mpmc")
            .blocking::<Mpmc>()
            .asynchronous::<Mpmc>()
            .into_async::<Mpmc>()
            .from_async::<Mpmc>()
            .ring::<Mpmc>()
            .batch::<Mpmc>(),
        Peer::new("crossfire multiplex").select::<Multiplexed>(),
    ]
}

struct Spsc;
struct Mpsc;
struct Mpmc;

/// All ends of one name do the same, whatever the flavour of the channel.
macro_rules! ends {
    ($($sender:ident, $async_sender:ident, $receiver:ident, $async_receiver:ident;)*) => {$(
        impl<M: Message, F: Flavor<Item = M>> Tx<M> for crossfire::$sender<F> {
            #[inline]
            fn send_one(&mut self, message: M) {
                self.send(message).expect("the receivers are alive");
            }
        }

        impl<M: Message, F: Flavor<Item = M>> Rx<M> for crossfire::$receiver<F> {
            #[inline]
            fn recv_one(&mut self) -> Option<M> {
                self.recv().ok()
            }
        }

        impl<F: Flavor<Item = u64>> AsyncTx<u64> for crossfire::$async_sender<F> {
            #[inline]
            async fn send_one_async(&mut self, message: u64) {
                self.send(message).await.expect("the receivers are alive");
            }
        }

        impl<F: Flavor<Item = u64>> AsyncRx<u64> for crossfire::$async_receiver<F> {
            #[inline]
            async fn recv_one_async(&mut self) -> Option<u64> {
                self.recv().await.ok()
            }
        }

        impl<F: Flavor<Item = u64>> TryTx for crossfire::$sender<F> {
            #[inline]
            fn push_one(&mut self, number: u64) -> bool {
                self.try_send(number).is_ok()
            }
        }

        impl<F: Flavor<Item = u64>> TryRx for crossfire::$receiver<F> {
            #[inline]
            fn pop_one(&mut self) -> Option<u64> {
                self.try_recv().ok()
            }
        }

        impl<F: Flavor<Item = u64>> BatchTx for crossfire::$sender<F> {
            fn send_batch(&mut self, first: u64, count: u64) {
                (first..first + count).for_each(|number| self.send_one(number));
            }
        }

        impl<F: Flavor<Item = u64>> BatchRx for crossfire::$receiver<F> {
            fn recv_batch(&mut self, limit: usize, take: &mut impl FnMut(u64)) -> bool {
                let Some(first) = self.recv_one() else { return false };
                take(first);
                std::iter::from_fn(|| self.pop_one()).take(limit - 1).for_each(take);
                true
            }
        }
    )*};
}

ends! {
    Tx, AsyncTx, Rx, AsyncRx;
    MTx, MAsyncTx, MRx, MAsyncRx;
}

/// Which shapes fit, and how the ends are multiplied, is what tells the flavours apart.
macro_rules! flavor {
    ($flavor:ident, $module:ident, $fits:ident, |$shape:ident, $ends:ident| $multiply:expr) => {
        flavor! {
            $fits, $shape, $ends, $multiply;
            Ring for $flavor: open_ring $module::bounded_blocking -> (Vec<impl TryTx>, Vec<impl TryRx>);
            Batch for $flavor: open_batch $module::bounded_blocking -> (Vec<impl BatchTx>, Vec<impl BatchRx>);
            Asynchronous for $flavor:
                open_async $module::bounded_async -> (Vec<impl AsyncTx<u64>>, Vec<impl AsyncRx<u64>>);
            IntoAsync for $flavor:
                open_into_async $module::bounded_blocking_async -> (Vec<impl Tx<u64>>, Vec<impl AsyncRx<u64>>);
            FromAsync for $flavor:
                open_from_async $module::bounded_async_blocking -> (Vec<impl AsyncTx<u64>>, Vec<impl Rx<u64>>);
        }

        impl Blocking for $flavor {
            fn fits(shape: &Shape) -> bool {
                shape.$fits()
            }

            fn open<M: Message>($shape: Shape) -> (Vec<impl Tx<M>>, Vec<impl Rx<M>>) {
                detect_backoff_cfg();
                let $ends = $module::bounded_blocking::<M>($shape.capacity);
                $multiply
            }
        }
    };
    ($fits:ident, $shape:ident, $ends:ident, $multiply:expr;
     $($kind:ident for $flavor:ident: $open:ident $module:ident::$bounded:ident -> $answer:ty;)*) => {$(
        impl $kind for $flavor {
            fn fits(shape: &Shape) -> bool {
                shape.$fits()
            }

            fn $open($shape: Shape) -> $answer {
                detect_backoff_cfg();
                let $ends = $module::$bounded::<u64>($shape.capacity);
                $multiply
            }
        }
    )*};
}

flavor!(Spsc, spsc, is_spsc, |shape, ends| (vec![ends.0], vec![ends.1]));
flavor!(Mpsc, mpsc, is_mpsc, |shape, ends| (shape.senders(ends.0), vec![ends.1]));
flavor!(Mpmc, mpmc, is_buffered, |shape, ends| (shape.senders(ends.0), shape.receivers(ends.1)));

impl Select for Spsc {
    fn open_select(capacity: usize, channels: usize) -> (Vec<impl Tx<u64>>, impl SelectRx) {
        detect_backoff_cfg();
        let open = |_| spsc::bounded_blocking::<u64>(capacity);
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..channels).map(open).unzip();
        (senders, receivers)
    }
}

impl SelectRx for Vec<crossfire::Rx<spsc::Array<u64>>> {
    fn receive_all(self, take: &mut impl FnMut(u64)) {
        let mut select = crossfire::select::Select::new();
        for receiver in &self {
            select.add(receiver);
        }
        while let Ok(ready) = select.select() {
            let Some(receiver) = self.iter().find(|&receiver| ready.is_from(receiver)) else { continue };
            match receiver.read_select(ready) {
                Ok(number) => take(number),
                Err(_) => select.remove(receiver),
            }
        }
    }
}

struct Multiplexed;

impl Select for Multiplexed {
    fn open_select(capacity: usize, channels: usize) -> (Vec<impl Tx<u64>>, impl SelectRx) {
        detect_backoff_cfg();
        let mut receiver = Multiplex::<spsc::Array<u64>>::new();
        let senders = (0..channels).map(|_| receiver.bounded_tx::<crossfire::Tx<_>>(capacity)).collect();
        (senders, receiver)
    }
}

impl SelectRx for Multiplex<spsc::Array<u64>> {
    fn receive_all(self, take: &mut impl FnMut(u64)) {
        while let Ok(number) = self.recv() {
            take(number);
        }
    }
}
