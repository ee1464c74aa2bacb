//! The channels: one flavour for each cardinality, all with the same methods.

use crate::ends::{
    AsyncRx, AsyncTx, Asynchronous, Batch, BatchRx, BatchTx, Blocking, FromAsync, IntoAsync, Message, Rx, Select, SelectRx,
    Shape, Tx,
};
use std::collections::VecDeque;

/// Whether `bounded(0)` is a channel without a buffer.
const HAS_RENDEZVOUS: bool = true;

struct BatchEnd<E, B> {
    end: E,
    batch: B,
}

/// Receivers that are waited on together.
struct Several<R>(Vec<R>);

/// Writes a flavour: its name, its module, which shapes it fits, how ends become as many as the shape asks for, and how receivers
/// are borrowed.
macro_rules! flavour {
    ($flavour:ident, $module:ident, $fits:expr, $senders:expr, $receivers:expr, $all:expr) => {
        /// One flavour of channel.
        pub(super) struct $flavour;

        const _: () = {
            use millpond::$module::{Receiver, Sender, bounded};

            fn fits(shape: &Shape) -> bool {
                let fits: fn(&Shape) -> bool = $fits;
                (HAS_RENDEZVOUS || shape.is_buffered()) && fits(shape)
            }

            fn open<M>(shape: &Shape) -> (Vec<Sender<M>>, Vec<Receiver<M>>) {
                let (sender, receiver) = bounded(shape.capacity);
                ($senders(*shape, sender), $receivers(*shape, receiver))
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

            impl BatchTx for BatchEnd<Sender<u64>, VecDeque<u64>> {
                fn send_batch(&mut self, first: u64, count: u64) {
                    self.batch.extend(first..first + count);
                    self.end.send_from(&mut self.batch).expect("the receivers are alive");
                }
            }

            impl BatchRx for BatchEnd<Receiver<u64>, Vec<u64>> {
                fn recv_batch(&mut self, limit: usize, take: &mut impl FnMut(u64)) -> bool {
                    let open = self.end.recv_many(&mut self.batch, limit).is_ok();
                    self.batch.drain(..).for_each(take);
                    open
                }
            }

            impl Blocking for $flavour {
                fn fits(shape: &Shape) -> bool {
                    fits(shape)
                }

                fn open<M: Message>(shape: Shape) -> (Vec<impl Tx<M>>, Vec<impl Rx<M>>) {
                    open(&shape)
                }
            }

            impl Asynchronous for $flavour {
                fn fits(shape: &Shape) -> bool {
                    fits(shape)
                }

                fn open_async(shape: Shape) -> (Vec<impl AsyncTx<u64>>, Vec<impl AsyncRx<u64>>) {
                    open(&shape)
                }
            }

            impl IntoAsync for $flavour {
                fn fits(shape: &Shape) -> bool {
                    fits(shape)
                }

                fn open_into_async(shape: Shape) -> (Vec<impl Tx<u64>>, Vec<impl AsyncRx<u64>>) {
                    open(&shape)
                }
            }

            impl FromAsync for $flavour {
                fn fits(shape: &Shape) -> bool {
                    fits(shape)
                }

                fn open_from_async(shape: Shape) -> (Vec<impl AsyncTx<u64>>, Vec<impl Rx<u64>>) {
                    open(&shape)
                }
            }

            impl Select for $flavour {
                fn open_select(capacity: usize, channels: usize) -> (Vec<impl Tx<u64>>, impl SelectRx) {
                    let (senders, receivers): (Vec<_>, Vec<_>) = (0..channels).map(|_| bounded::<u64>(capacity)).unzip();
                    (senders, Several(receivers))
                }
            }

            impl SelectRx for Several<Receiver<u64>> {
                fn receive_all(mut self, take: &mut impl FnMut(u64)) {
                    let mut select = millpond::Select::new();
                    for receiver in $all(&mut self.0) {
                        select = select.recv(receiver, Result::ok);
                    }
                    while let Some(answer) = select.wait() {
                        if let Some(number) = answer {
                            take(number);
                        }
                    }
                }
            }

            impl Batch for $flavour {
                fn fits(shape: &Shape) -> bool {
                    fits(shape)
                }

                fn open_batch(shape: Shape) -> (Vec<impl BatchTx>, Vec<impl BatchRx>) {
                    let (senders, receivers) = open(&shape);
                    let senders = senders.into_iter().map(|end| BatchEnd { end, batch: VecDeque::new() });
                    let receivers = receivers.into_iter().map(|end| BatchEnd { end, batch: Vec::new() });
                    (senders.collect(), receivers.collect())
                }
            }
        };
    };
}

/// Borrows ends that can be shared.
fn share<E>(ends: &mut [E]) -> std::slice::Iter<'_, E> {
    ends.iter()
}

/// The only end of a side.
fn alone<E>(_: Shape, end: E) -> Vec<E> {
    vec![end]
}

flavour!(Spsc, spsc, |shape| shape.producers == 1 && shape.consumers == 1, alone, alone, <[_]>::iter_mut);
flavour!(Mpsc, mpsc, |shape| shape.consumers == 1, Shape::senders, alone, <[_]>::iter_mut);
flavour!(Mpmc, mpmc, |_| true, Shape::senders, Shape::receivers, share);
