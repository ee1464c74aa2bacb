//! Bounded channels: each message goes to one receiver. Blocking and async ends mix freely on one channel.
//!
//! A channel is a ring, two sets of waiters and two handle counts (`shared`); what a send or a receive tries, and where it
//! waits, stands once in `source`, for threads and tasks alike.

#![forbid(unsafe_code)]

mod count;
mod error;
mod future;
mod iter;
mod observers;
mod receiver;
mod sender;
mod shared;
mod source;
#[cfg(feature = "stream")]
mod stream;

pub use error::{
    RecvError, RecvTimeoutError, SendError, SendManyError, SendTimeoutError, TryRecvError, TrySendError,
};
pub use future::{RecvFuture, SendFuture};
pub use iter::{IntoIter, Iter, TryIter};
pub use receiver::Receiver;
pub use sender::Sender;
#[cfg(feature = "stream")]
pub use stream::RecvStream;

use crate::ring::Mpmc;
use crate::sync::Arc;
use shared::Shared;

/// Makes a channel that holds up to `capacity` messages, and returns its two ends.
///
/// Any number of senders and receivers may share it: both ends can be cloned, sent to other threads and used from
/// threads and from async tasks at the same time. Each message is received once. Messages of one sender arrive in the
/// order in which they were sent, and the channel as a whole is linearizable to a bounded first-in-first-out queue.
///
/// *Full:* [`Sender::send`] blocks (backpressure), [`Sender::try_send`] refuses, [`Sender::force_send`] displaces the oldest
/// message. *Empty:* [`Receiver::recv`] blocks, [`Receiver::try_recv`] says so. *Closed*, by [`Sender::close`] or because all
/// handles of one side are gone: nothing can be sent any more, and receivers get what is left, then an error for ever.
/// *Last receiver gone:* the messages inside are dropped.
///
/// *Memory.* `capacity` times a message and 8 bytes, allocated here; nothing is allocated afterwards, not even to wait.
///
/// *Progress.* Sending and receiving take no lock while nobody waits. They are not lock-free in the formal sense: a thread
/// that is suspended in the few instructions between claiming a place and filling it keeps the receiver of exactly that
/// message waiting, and a sender one lap later; all other places stay usable. Waiting uses a mutex on the slow path.
///
/// The queue is Dmitry Vyukov's bounded MPMC ring (1024cores.net).
///
/// # Panics
/// If `capacity` is 0 (a rendezvous channel, which is not offered), or the memory for it cannot be addressed or allocated.
///
/// # Examples
/// ```
/// let (tx, rx) = millpond::bounded(2);
/// std::thread::spawn(move || {
///     for n in 0..10 {
///         tx.send(n).expect("the receiver is alive"); // blocks while two messages wait
///     }
/// });
/// assert_eq!(rx.iter().sum::<i32>(), 45); // ends when the sender is gone
/// ```
#[must_use]
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity > 0, "capacity 0 (a rendezvous channel) is not supported: use a capacity of at least 1");
    with_ring(Mpmc::new(capacity))
}

/// Makes a channel whose positions wrap around after `laps` trips round the ring.
#[cfg(millpond_loom)]
pub fn bounded_near_wrap_around<T>(capacity: usize, laps: u64) -> (Sender<T>, Receiver<T>) {
    with_ring(Mpmc::near_wrap_around(capacity, laps))
}

fn with_ring<T>(ring: Mpmc<T>) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared::new(ring));
    (Sender::new(Arc::clone(&shared)), Receiver::new(shared))
}
