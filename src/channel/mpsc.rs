//! Channels between any number of senders and one receiver.
//!
//! The receiver cannot be cloned, and takes `&mut self`: that only one thread receives at a time is checked by the
//! compiler, and spares it a read-modify-write a message.
//!
//! ```
//! let (tx, mut rx) = millpond::mpsc::bounded(64);
//! for start in [0, 500] {
//!     let tx = tx.clone();
//!     std::thread::spawn(move || {
//!         for n in start..start + 500 {
//!             tx.send(n).expect("the receiver is alive");
//!         }
//!     });
//! }
//! drop(tx);
//! assert_eq!(rx.iter().sum::<i32>(), 499_500);
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
use super::sides::{Sides, slots};
#[cfg(feature = "sink")]
use super::sink::sink;
use super::source::{self, ClosedSource, RecvManySource, RecvSource, SendManySource, SendSource};
#[cfg(feature = "stream")]
use super::stream::stream;
use super::waits::{Core, Waits};
use super::weak::weak;
#[cfg(millpond_model)]
use crate::ring::mpsc_near_wrap_around;
use crate::ring::{LonePopper, Mpsc, PopError, PushError, mpsc};
use crate::sync::{Arc, BusyWait, Sleeper};
use crate::wait::{Deadline, WaitStrategy, Waiting};
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::iter::FusedIterator;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Makes a channel that holds up to `capacity` messages, and returns its two ends: the sender can be cloned.
///
/// As [`millpond::bounded`](crate::bounded), but for one receiver, which can be sent to other threads but neither cloned nor
/// used by two threads at once.
///
/// *Capacity 0* is a rendezvous, which takes a small mutex: see [`mpmc`](crate::mpmc#rendezvous).
///
/// *Memory.* `capacity` times a message and 8 bytes, allocated here; nothing is allocated afterwards, not even to wait.
///
/// *Progress.* Sending as in a channel for many. Receiving takes a bounded number of steps while nobody waits, but for a
/// message whose sender is suspended in the few instructions between claiming its place and filling it.
///
/// *Tasks and threads.* A sender's thread that goes to sleep interrupts the other processors for some microseconds, where the
/// system offers that (Linux), so that receiving costs no fence. Once a task has waited to send, each receive costs one
/// fence instead.
///
/// The queue is Dmitry Vyukov's bounded ring (1024cores.net), of which the receiving half needs no read-modify-write; the
/// fences are those of Linux' `membarrier`.
///
/// # Panics
/// If the memory for `capacity` messages cannot be addressed or allocated.
#[must_use]
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    bounded_with(capacity, WaitStrategy::Adaptive)
}

/// As [`bounded`], for threads that wait in a way of their own: see [`WaitStrategy`].
///
/// # Panics
/// If the memory for `capacity` messages cannot be addressed or allocated.
#[must_use]
pub fn bounded_with<T>(capacity: usize, strategy: WaitStrategy) -> (Sender<T>, Receiver<T>) {
    with_ends(mpsc(slots(capacity), Sides::new(capacity, strategy)))
}

/// Makes a channel whose positions wrap around after `laps` trips round the ring.
#[cfg(millpond_model)]
#[doc(hidden)]
pub fn bounded_near_wrap_around<T>(capacity: usize, laps: u64) -> (Sender<T>, Receiver<T>) {
    with_ends(mpsc_near_wrap_around(capacity, laps, Sides::new(capacity, WaitStrategy::Adaptive)))
}

fn with_ends<T>((shared, popper): (Arc<Shared<T>>, LonePopper<T, Sides<T>>)) -> (Sender<T>, Receiver<T>) {
    let meets = shared.extra().exchange().is_some();
    (Sender { shared }, Receiver { popper, meets })
}

type Shared<T> = Mpsc<T, Sides<T>>;

/// A sending end of a channel made by [`bounded`]. Clone it for more senders.
///
/// When the last sender is dropped the channel closes: the receiver gets what is left, then an error.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

/// The only receiving end of a channel made by [`bounded`].
///
/// When it is dropped the channel closes, and the messages inside are dropped.
pub struct Receiver<T> {
    popper: LonePopper<T, Sides<T>>,
    /// Whether there is an exchange. Kept here, so that a receive from the ring looks at nothing else.
    meets: bool,
}

observers!(Sender, "let (tx, mut rx) = millpond::mpsc::bounded");
observers!(Receiver, "let (tx, mut rx) = millpond::mpsc::bounded");
sender!(Sender, [&], self, "let (tx, mut rx) = millpond::mpsc::bounded");
receiver!(Receiver, [&mut], [&'a mut], self, "let (tx, mut rx) = millpond::mpsc::bounded");
futures!("let (tx, mut rx) = millpond::mpsc::bounded", &'a Shared<T>, &'a mut Receiver<T>, Shared<T>);
weak!(WeakSender of Sender, "sender", sender_count, "tx", "let (tx, mut rx) = millpond::mpsc::bounded");
permits!("let (tx, mut rx) = millpond::mpsc::bounded");
#[cfg(feature = "sink")]
sink!("let (tx, mut rx) = millpond::mpsc::bounded");
selectable!([&], [&mut]);
iterators!(mut);
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
        shut(&self.shared)
    }

    /// Whether both send to the same channel.
    #[must_use]
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

/// Refuses all further sends and wakes everybody. Returns whether this call did it.
fn shut<T>(shared: &Shared<T>) -> bool {
    let closed = match shared.extra().exchange() {
        None => shared.close(),
        Some(exchange) => exchange.close(),
    };
    if closed {
        shared.wake_all();
    }
    closed
}

impl<T> Receiver<T> {
    #[inline(always)]
    fn exchange(&self) -> Option<&Exchange<T>> {
        if self.meets { self.popper.ring().extra().exchange() } else { None }
    }

    /// Pops a value: see [`PopEnd::try_pop`].
    #[inline(always)]
    fn take(&mut self) -> Result<(T, bool), PopError> {
        match self.exchange() {
            None => self.popper.pop(),
            Some(exchange) => exchange.pop_as_ring(self.core().waits()),
        }
    }

    /// Pops many: see [`PopEnd::try_pop_many`].
    fn take_many(&mut self, values: &mut Vec<T>, limit: usize) -> Result<(usize, bool), PopError> {
        match self.exchange() {
            None => self.popper.pop_many(values, limit),
            Some(exchange) => {
                exchange.pop_many(values, limit, self.core().waits()).map(|count| (count, false))
            }
        }
    }

    #[inline(always)]
    const fn end(&mut self) -> &mut Self {
        self
    }

    fn core(&self) -> &Shared<T> {
        self.popper.ring()
    }

    fn shut(&self) -> bool {
        shut(self.popper.ring())
    }
}

impl<T> Core for Shared<T> {
    fn waits(&self) -> &Waits {
        &self.extra().waits
    }

    fn is_closed(&self) -> bool {
        match self.extra().exchange() {
            None => self.is_closed(),
            Some(exchange) => exchange.is_closed(),
        }
    }

    fn len(&self) -> usize {
        match self.extra().exchange() {
            None => self.len(),
            Some(exchange) => exchange.len(),
        }
    }

    fn capacity(&self) -> usize {
        match self.extra().exchange() {
            None => self.capacity(),
            Some(_) => 0,
        }
    }

    fn set_receivers_wait(&self, _: Sleeper) -> bool {
        match self.extra().exchange() {
            None => self.set_poppers_wait(),
            Some(exchange) => {
                exchange.set_receivers_wait();
                false
            }
        }
    }

    fn clear_receivers_wait(&self) {
        match self.extra().exchange() {
            None => self.clear_poppers_wait(),
            Some(exchange) => exchange.clear_receivers_wait(),
        }
    }

    fn set_senders_wait(&self, sleeper: Sleeper) -> bool {
        match self.extra().exchange() {
            None => self.set_pushers_wait(sleeper),
            Some(exchange) => {
                exchange.set_senders_wait();
                false
            }
        }
    }

    fn clear_senders_wait(&self) {
        match self.extra().exchange() {
            None => self.clear_pushers_wait(),
            Some(exchange) => exchange.clear_senders_wait(),
        }
    }
}

impl<T> PushEnd<T> for &Shared<T> {
    type Core = Shared<T>;

    fn core(&self) -> &Shared<T> {
        self
    }

    #[inline(always)]
    fn exchange(&self) -> Option<&Exchange<T>> {
        self.extra().exchange()
    }

    #[inline(always)]
    fn try_push(&mut self, value: T) -> Result<bool, PushError<T>> {
        match self.extra().exchange() {
            None => Shared::push(self, value),
            Some(exchange) => exchange.push_as_ring(value, self.waits()),
        }
    }

    fn try_push_many(&mut self, values: &mut VecDeque<T>) -> Result<(usize, bool), PushError<()>> {
        match self.extra().exchange() {
            None => Shared::push_many(self, values),
            Some(exchange) => exchange.push_many(values, self.waits()).map(|count| (count, false)),
        }
    }
}

impl<T> Credits<T> for Shared<T> {
    fn reserve(&self) -> Result<(), PushError<()>> {
        match self.extra().exchange() {
            None => Shared::reserve(self),
            Some(exchange) if exchange.is_closed() => Err(PushError::Closed(())),
            Some(_) => Err(PushError::Full(())),
        }
    }

    fn give_back(&self) {
        Shared::give_back(self);
    }

    fn push_reserved(&self, value: T) -> Result<bool, PushError<T>> {
        Shared::push_reserved(self, value)
    }
}

impl<T> PopEnd<T> for &mut Receiver<T> {
    type Core = Shared<T>;

    fn core(&self) -> &Shared<T> {
        self.popper.ring()
    }

    #[inline(always)]
    fn try_pop(&mut self) -> Result<(T, bool), PopError> {
        self.take()
    }

    fn try_pop_many(&mut self, values: &mut Vec<T>, limit: usize) -> Result<(usize, bool), PopError> {
        self.take_many(values, limit)
    }
}

/// For streams, which own their receiver.
#[cfg(feature = "stream")]
impl<T> PopEnd<T> for Receiver<T> {
    type Core = Shared<T>;

    fn core(&self) -> &Shared<T> {
        self.popper.ring()
    }

    fn try_pop(&mut self) -> Result<(T, bool), PopError> {
        self.take()
    }

    fn try_pop_many(&mut self, values: &mut Vec<T>, limit: usize) -> Result<(usize, bool), PopError> {
        self.take_many(values, limit)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.waits().sender_count.add();
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if self.shared.waits().sender_count.remove() {
            self.shut();
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.core().waits().receiver_count.remove();
        let closing = Discard(self);
        closing.0.shut();
    }
}

/// Drops the messages inside, also if a waker panicked while the channel was closed, or the drop of another.
struct Discard<'a, T>(&'a mut Receiver<T>);

impl<T> Drop for Discard<'_, T> {
    fn drop(&mut self) {
        let mut busy = BusyWait::new();
        loop {
            match self.0.take() {
                Ok((message, _)) => {
                    let rest = Discard(self.0);
                    drop(message);
                    std::mem::forget(rest);
                }
                // A send that was under way when the channel closed: its message is dropped with the others.
                Err(PopError::Busy) => busy.wait(),
                Err(PopError::Empty | PopError::Closed) => return,
            }
        }
    }
}
