//! Channels between any number of senders and receivers: the default, found at the crate's root as well.
//!
//! # Rendezvous
//! A channel of capacity 0, in this module as in [`mpsc`](crate::mpsc) and [`spsc`](crate::spsc), holds nothing: a send ends when its
//! message is handed to a receiver that waits. All promises hold as with a buffer, also for futures that are dropped:
//!
//! * **A blocking send** (`send`, `send_timeout`, `send_many`, ...) offers its message and waits until a receiver takes it. Timed out, it
//!   takes the message back, or finds it taken and says `Ok`.
//! * **An async send** keeps its message in the future, which may be dropped at any moment: a dropped future has sent nothing, and
//!   nobody has received what `into_inner` gives back. So it hands over only while it is polled. A receiver that comes wakes
//!   the task for it.
//! * **A receive** that waits, blocking or async, is woken when a message has been handed over, and takes the oldest one there is.
//!   A future that is dropped instead takes nothing: its message goes to the next receiver that waits, or stays and is the next to
//!   be received, in order. That is the one case in which a send has said `Ok` and no receiver has the message yet; it is
//!   received or, when the last receiver goes, dropped.
//! * **`try_send`** succeeds if a receiver waits. **`try_recv`** succeeds if a thread waits in a blocking send, or a message was left as
//!   above. What a task sends is in its future alone, so a receiver that only looks in and never waits does not get it, and neither do
//!   `try_send` and `try_recv` ever meet each other.
//! * **`force_send`** hands over, or takes the place of the oldest message left as above, or else brings the message itself back: there is
//!   nothing older that it could displace.
//! * **Batches** meet one by one: `try_send_many` serves the receivers that wait, `recv_many` takes what threads offer.
//! * `capacity()` is 0. `len()` counts what was handed over and not yet taken, mostly nothing; `drain` takes that. `is_full()` is true.
//!
//! It is not a ring: every call takes one small mutex, `try_*` and `*_relaxed` too, which is held for a few instructions. It is the
//! slowest kind of channel, for each message waits for both sides: use it where the meeting is what you want, else a capacity of
//! 1 or more. Threads are served before tasks on the sending side: while there is always a thread that sends, a task may wait long.
//!
//! ```
//! use millpond::TrySendError;
//!
//! let (tx, rx) = millpond::bounded(0);
//! assert_eq!(tx.try_send(1), Err(TrySendError::Full(1))); // nobody waits for it
//! let sender = std::thread::spawn(move || tx.send(2)); // returns when it is received, and not before
//! assert_eq!(rx.recv(), Ok(2));
//! assert!(sender.join().is_ok_and(|sent| sent.is_ok()));
//! ```

use super::end::{PopEnd, PushEnd};
use super::error::{
    RecvError, RecvTimeoutError, SendError, SendManyError, SendTimeoutError, TryRecvError,
    TryRecvRelaxedError, TrySendError, TrySendRelaxedError,
};
use super::exchange::Exchange;
use super::future::futures;
use super::iter::iterators;
use super::observers::observers;
use super::permit::permits;
use super::receiver::receiver;
use super::reserve::Credits;
use super::select::selectable;
use super::sender::sender;
use super::shared::Shared;
use super::sides::Sides;
#[cfg(feature = "sink")]
use super::sink::sink;
use super::source::{self, ClosedSource, RecvManySource, RecvSource, SendManySource, SendSource};
#[cfg(feature = "stream")]
use super::stream::stream;
use super::waits::Core;
use super::weak::weak;
use crate::ring::{Mpmc, Owed, PopError, PushError};
use crate::sync::Arc;
use crate::wait::{Deadline, WaitStrategy, Waiting};
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::iter::FusedIterator;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

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
/// *Capacity 0* is a rendezvous: a channel that holds nothing, where a send and a receive meet. See
/// [Rendezvous](crate::mpmc#rendezvous).
///
/// *One processor.* In a process that is confined to a single processor (which is looked up once), a channel of capacity 1 or 2 is no
/// ring either, but takes a small mutex as a rendezvous does: there a message costs the switches between threads, of which it
/// needs a fraction. It does the same as the ring, but for memory and progress. Threads that wait are served before tasks
/// that wait on the same side.
///
/// *Memory.* `capacity` times a message and 8 bytes, allocated here; nothing is allocated afterwards, not even to wait.
/// (Without a ring, queues grow to the greatest number of threads that ever waited in a send or in a receive and, at capacity 0, of
/// receivers that were ever woken at once.)
///
/// *Progress.* With a ring, sending and receiving take no lock while nobody waits. They are not lock-free in the formal sense: a thread
/// that is suspended in the few instructions between claiming a place and filling it keeps the receiver of exactly that
/// message waiting, and a sender one lap later; all other places stay usable. Waiting uses a mutex on the slow path.
///
/// The queue is Dmitry Vyukov's bounded MPMC ring (1024cores.net).
///
/// # Panics
/// If the memory for `capacity` messages cannot be addressed or allocated.
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
    bounded_with(capacity, WaitStrategy::Adaptive)
}

/// As [`bounded`], for threads that wait in a way of their own: see [`WaitStrategy`].
///
/// # Panics
/// If the memory for `capacity` messages cannot be addressed or allocated.
///
/// # Examples
/// ```
/// use millpond::{WaitStrategy, mpmc};
///
/// let (tx, rx) = mpmc::bounded_with(8, WaitStrategy::Busy); // both sides have a processor to themselves
/// std::thread::spawn(move || tx.send(1));
/// assert_eq!(rx.recv(), Ok(1));
/// ```
#[must_use]
pub fn bounded_with<T>(capacity: usize, strategy: WaitStrategy) -> (Sender<T>, Receiver<T>) {
    with_sides(capacity, Sides::new(capacity, strategy))
}

fn with_sides<T>(capacity: usize, sides: Sides<T>) -> (Sender<T>, Receiver<T>) {
    with_shared(Shared::new(Mpmc::new(sides.slots(capacity)), sides))
}

/// Makes a channel without a ring, whatever its capacity.
#[cfg(millpond_model)]
pub fn bounded_without_ring<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    with_sides(capacity, Sides::with_exchange(capacity, WaitStrategy::Adaptive))
}

/// Makes a channel whose positions wrap around after `laps` trips round the ring.
#[cfg(millpond_model)]
pub fn bounded_near_wrap_around<T>(capacity: usize, laps: u64) -> (Sender<T>, Receiver<T>) {
    let sides = Sides::new(capacity, WaitStrategy::Adaptive);
    with_shared(Shared::new(Mpmc::near_wrap_around(capacity, laps), sides))
}

fn with_shared<T>(shared: Shared<T>) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(shared);
    (Sender { shared: Arc::clone(&shared) }, Receiver { shared })
}

/// The sending end of a channel made by [`bounded`]. Clone it for more senders.
///
/// When the last sender is dropped the channel closes: receivers get what is left, then an error.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

/// The receiving end of a channel made by [`bounded`]. Clone it for more receivers.
///
/// Each message goes to one of the receivers. When the last receiver is dropped the channel closes, and the messages
/// inside are dropped.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
}

observers!(Sender, "let (tx, rx) = millpond::bounded");
observers!(Receiver, "let (tx, rx) = millpond::bounded");
sender!(Sender, [&], self, "let (tx, rx) = millpond::bounded");
receiver!(Receiver, [&], [&'a], self, "let (tx, rx) = millpond::bounded");
futures!("let (tx, rx) = millpond::bounded", &'a Shared<T>, &'a Receiver<T>, Shared<T>);
weak!(WeakSender of Sender, "sender", sender_count, "tx", "let (tx, rx) = millpond::bounded");
weak!(WeakReceiver of Receiver, "receiver", receiver_count, "rx", "let (tx, rx) = millpond::bounded");
permits!("let (tx, rx) = millpond::bounded");
#[cfg(feature = "sink")]
sink!("let (tx, rx) = millpond::bounded");
selectable!([&], [&]);
iterators!();
#[cfg(feature = "stream")]
stream!();

impl<T> Sender<T> {
    #[inline(always)]
    fn end(&self) -> &Shared<T> {
        &self.shared
    }

    fn core(&self) -> &Shared<T> {
        &self.shared
    }

    fn shut(&self) -> bool {
        self.shared.close()
    }

    /// Sends a message at once, displacing the oldest one if the channel is full.
    ///
    /// Returns the displaced message, so that nothing vanishes uncounted. Displaces one message at most. Never parks, but for a mutex
    /// that is held for some instructions while there are permits; waits for a thread that lost the processor while it put the
    /// oldest message in, as [`try_send`](Self::try_send) does. If permits hold all the room ([`reserve`](Self::reserve)) there is
    /// nothing to displace, and the message itself is returned.
    ///
    /// # Errors
    /// [`SendError`] gives the message back if the channel is closed.
    ///
    /// # Examples
    /// ```
    /// let (tx, rx) = millpond::bounded(2);
    /// assert_eq!(tx.force_send(1)?, None);
    /// assert_eq!(tx.force_send(2)?, None);
    /// assert_eq!(tx.force_send(3)?, Some(1));
    /// assert_eq!(rx.try_iter().collect::<Vec<_>>(), [2, 3]);
    /// # Ok::<(), millpond::SendError<i32>>(())
    /// ```
    pub fn force_send(&self, message: T) -> Result<Option<T>, SendError<T>> {
        self.shared.force_push(message).map_err(SendError)
    }

    /// Whether both send to the same channel.
    #[must_use]
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T> Receiver<T> {
    /// Returns what a receive tries, for those who join it with a condition of their own.
    #[cfg(not(millpond_lower))]
    pub(crate) fn source(&self) -> impl crate::wait::Source<Output = Result<T, RecvError>> + use<'_, T> {
        RecvSource::new(self.end())
    }

    #[inline(always)]
    const fn end(&self) -> &Self {
        self
    }

    fn core(&self) -> &Shared<T> {
        &self.shared
    }

    fn shut(&self) -> bool {
        self.shared.close()
    }

    /// Returns a stream of the messages, which reads through a clone of this receiver.
    #[cfg(feature = "stream")]
    pub fn stream(&self) -> RecvStream<T> {
        self.clone().into_stream()
    }

    /// Whether both receive from the same channel.
    #[must_use]
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T> PushEnd<T> for &Shared<T> {
    type Core = Shared<T>;

    #[inline]
    fn has_room_ahead(&self, ahead: usize) -> bool {
        self.ring().has_room_ahead(ahead)
    }

    fn core(&self) -> &Shared<T> {
        self
    }

    #[inline(always)]
    fn exchange(&self) -> Option<&Exchange<T>> {
        Shared::exchange(self)
    }

    #[inline(always)]
    fn try_push(&mut self, value: T) -> Result<bool, PushError<T>> {
        Shared::push(self, value)
    }

    fn try_push_many(&mut self, values: &mut VecDeque<T>) -> Result<(usize, bool), PushError<()>> {
        Shared::push_many(self, values)
    }
}

impl<T> Credits<T> for Shared<T> {
    fn reserve(&self) -> Result<(), PushError<()>> {
        Shared::reserve(self)
    }

    fn give_back(&self) {
        Shared::give_back(self);
    }

    fn push_reserved(&self, value: T) -> Result<bool, PushError<T>> {
        Shared::push_reserved(self, value)
    }
}

impl<T> PopEnd<T> for &Receiver<T> {
    type Core = Shared<T>;

    #[inline]
    fn has_values_ahead(&self, ahead: usize) -> bool {
        self.shared.ring().has_values_ahead(ahead)
    }

    fn core(&self) -> &Shared<T> {
        &self.shared
    }

    #[inline(always)]
    fn exchange(&self) -> Option<&Exchange<T>> {
        self.shared.exchange()
    }

    #[inline(always)]
    fn try_pop(&mut self) -> Result<(T, Owed), PopError> {
        self.shared.pop()
    }

    fn try_pop_many(&mut self, values: &mut Vec<T>, limit: usize) -> Result<(usize, bool), PopError> {
        self.shared.pop_many(values, limit)
    }
}

/// For streams, which own their receiver.
#[cfg(feature = "stream")]
impl<T> PopEnd<T> for Receiver<T> {
    type Core = Shared<T>;

    #[inline]
    fn has_values_ahead(&self, ahead: usize) -> bool {
        self.shared.ring().has_values_ahead(ahead)
    }

    fn core(&self) -> &Shared<T> {
        &self.shared
    }

    #[inline(always)]
    fn exchange(&self) -> Option<&Exchange<T>> {
        self.shared.exchange()
    }

    fn try_pop(&mut self) -> Result<(T, Owed), PopError> {
        self.shared.pop()
    }

    fn try_pop_many(&mut self, values: &mut Vec<T>, limit: usize) -> Result<(usize, bool), PopError> {
        self.shared.pop_many(values, limit)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.waits().sender_count.add();
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.shared.waits().receiver_count.add();
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if self.shared.waits().sender_count.remove() {
            self.shared.close();
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if self.shared.waits().receiver_count.remove() {
            // Closed first, so that no message can come in behind the last look.
            let shared = &*self.shared;
            let _rest = Discard(shared);
            shared.close();
        }
    }
}

/// Drops the messages inside, also if a waker panicked while the channel was closed.
struct Discard<'a, T>(&'a Shared<T>);

impl<T> Drop for Discard<'_, T> {
    fn drop(&mut self) {
        self.0.discard();
    }
}
