//! Channels between one sender and one receiver: the fastest there are, and wait-free while nobody waits.
//!
//! Neither end can be cloned, and both take `&mut self`: that there is one thread on each side at a time is checked by the
//! compiler, and pays for two plain stores a message instead of two read-modify-writes.
//!
//! ```
//! let (mut tx, mut rx) = millpond::spsc::bounded(64);
//! std::thread::spawn(move || {
//!     for n in 0..1000 {
//!         tx.send(n).expect("the receiver is alive");
//!     }
//! });
//! assert_eq!(rx.iter().sum::<i32>(), 499_500);
//! ```

#![forbid(unsafe_code)]

mod permit;
#[cfg(feature = "sink")]
mod sink;

use crate::channel::end::{PopEnd, PushEnd};
use crate::channel::error::{
    RecvError, RecvTimeoutError, SendError, SendManyError, SendTimeoutError, TryRecvError,
    TryRecvRelaxedError, TrySendError, TrySendRelaxedError,
};
use crate::channel::exchange::Exchange;
use crate::channel::future::futures;
use crate::channel::iter::iterators;
use crate::channel::observers::observers;
use crate::channel::receiver::receiver;
use crate::channel::select::selectable;
use crate::channel::sender::sender;
use crate::channel::sides::Sides;
use crate::channel::source::{self, ClosedSource, RecvManySource, RecvSource, SendManySource, SendSource};
#[cfg(feature = "stream")]
use crate::channel::stream::stream;
use crate::channel::waits::{Core, Waits};
#[cfg(millpond_model)]
use crate::ring::spsc_near_wrap_around;
use crate::ring::{Owed, PopError, Popper, PushError, Pusher, Spsc, spsc};
use crate::sync::Sleeper;
use crate::wait::{Deadline, WaitStrategy, Waiting};
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::iter::FusedIterator;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

pub use permit::{Permit, ReserveFuture};
#[cfg(feature = "sink")]
pub use sink::SendSink;

/// Makes a channel that holds up to `capacity` messages, and returns its only two ends.
///
/// As [`millpond::bounded`](crate::bounded), but for one sender and one receiver, which can be sent to other threads but
/// neither cloned nor used by two threads at once.
///
/// *Capacity 0* is a rendezvous, which takes a small mutex: see [`mpmc`](crate::mpmc#rendezvous).
///
/// *One processor:* there capacities 1 and 2 take a small mutex too, see [`millpond::bounded`](crate::bounded).
///
/// *Memory.* `capacity` times a message, allocated here; nothing is allocated afterwards, not even to wait.
///
/// *Progress.* With a ring, sending and receiving are wait-free while nobody waits and the channel is open: a bounded number of steps,
/// whatever the other end does. Waiting uses a mutex on the slow path.
///
/// *Tasks and threads.* A thread that goes to sleep interrupts the other processors for some microseconds, where the
/// system offers that (Linux), so that a message costs no fence. Once a task has waited on one side of a channel, each
/// message of the other side costs one fence instead.
///
/// The queue is Lamport's ring (1977) with cached indices; the fences are those of Linux' `membarrier`.
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
    with_sides(capacity, Sides::new(capacity, strategy))
}

fn with_sides<T>(capacity: usize, sides: Sides<T>) -> (Sender<T>, Receiver<T>) {
    with_ends(spsc(sides.slots(capacity), sides))
}

/// Makes a channel whose positions wrap around after `laps` trips round the ring.
#[cfg(millpond_model)]
#[doc(hidden)]
pub fn bounded_near_wrap_around<T>(capacity: usize, laps: u64) -> (Sender<T>, Receiver<T>) {
    with_ends(spsc_near_wrap_around(capacity, laps, Sides::new(capacity, WaitStrategy::Adaptive)))
}

fn with_ends<T>((pusher, popper): (Pusher<T, Sides<T>>, Popper<T, Sides<T>>)) -> (Sender<T>, Receiver<T>) {
    let meets = pusher.ring().extra().exchange().is_some();
    (Sender { pusher, meets }, Receiver { popper, meets })
}

/// The only sending end of a channel made by [`bounded`].
///
/// When it is dropped the channel closes: the receiver gets what is left, then an error.
pub struct Sender<T> {
    pusher: Pusher<T, Sides<T>>,
    /// Whether there is an exchange. Kept here, so that a send through the ring looks at nothing else.
    meets: bool,
}

/// The only receiving end of a channel made by [`bounded`].
///
/// When it is dropped the channel closes, and the messages inside are dropped.
pub struct Receiver<T> {
    popper: Popper<T, Sides<T>>,
    /// Whether there is an exchange, as in the sender.
    meets: bool,
}

observers!(Sender, "let (mut tx, mut rx) = millpond::spsc::bounded");
observers!(Receiver, "let (mut tx, mut rx) = millpond::spsc::bounded");
sender!(Sender, [&mut], self, "let (mut tx, mut rx) = millpond::spsc::bounded");
receiver!(Receiver, [&mut], [&'a mut], self, "let (mut tx, mut rx) = millpond::spsc::bounded");
futures!("let (mut tx, mut rx) = millpond::spsc::bounded", &'a mut Sender<T>, &'a mut Receiver<T>, Spsc<T, Sides<T>>);
selectable!([&mut], [&mut]);
iterators!(mut);
#[cfg(feature = "stream")]
stream!();

impl<T> Sender<T> {
    #[inline(always)]
    fn exchange(&self) -> Option<&Exchange<T>> {
        if self.meets { self.pusher.ring().extra().exchange() } else { None }
    }

    #[inline(always)]
    const fn end(&mut self) -> &mut Self {
        self
    }

    fn core(&self) -> &Spsc<T, Sides<T>> {
        self.pusher.ring()
    }

    fn shut(&self) -> bool {
        let closed = match self.core().extra().exchange() {
            None => self.pusher.close(),
            Some(exchange) => exchange.close(),
        };
        if closed {
            self.core().wake_all();
        }
        closed
    }
}

impl<T> Receiver<T> {
    #[inline(always)]
    fn exchange(&self) -> Option<&Exchange<T>> {
        if self.meets { self.popper.ring().extra().exchange() } else { None }
    }

    /// Pops a value: see [`PopEnd::try_pop`].
    #[inline(always)]
    fn take(&mut self) -> Result<(T, Owed), PopError> {
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

    fn core(&self) -> &Spsc<T, Sides<T>> {
        self.popper.ring()
    }

    fn shut(&self) -> bool {
        let closed = match self.core().extra().exchange() {
            None => self.popper.close(),
            Some(exchange) => exchange.close(),
        };
        if closed {
            self.core().wake_all();
        }
        closed
    }
}

impl<T> Core for Spsc<T, Sides<T>> {
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
            Some(exchange) => exchange.capacity(),
        }
    }

    fn set_receivers_wait(&self, sleeper: Sleeper) -> bool {
        match self.extra().exchange() {
            None => self.set_poppers_wait(sleeper),
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

impl<T> PushEnd<T> for &mut Sender<T> {
    type Core = Spsc<T, Sides<T>>;

    #[inline]
    fn has_room_ahead(&self, ahead: usize) -> bool {
        self.pusher.has_room_ahead(ahead)
    }

    fn core(&self) -> &Spsc<T, Sides<T>> {
        self.pusher.ring()
    }

    #[inline(always)]
    fn exchange(&self) -> Option<&Exchange<T>> {
        Sender::exchange(self)
    }

    #[inline(always)]
    fn try_push(&mut self, value: T) -> Result<bool, PushError<T>> {
        match self.exchange() {
            None => self.pusher.push(value),
            Some(exchange) => exchange.push_as_ring(value, self.core().waits()),
        }
    }

    fn try_push_many(&mut self, values: &mut VecDeque<T>) -> Result<(usize, bool), PushError<()>> {
        match self.exchange() {
            None => self.pusher.push_many(values),
            Some(exchange) => exchange.push_many(values, self.core().waits()).map(|count| (count, false)),
        }
    }
}

impl<T> PopEnd<T> for &mut Receiver<T> {
    type Core = Spsc<T, Sides<T>>;

    #[inline]
    fn has_values_ahead(&self, ahead: usize) -> bool {
        self.popper.has_values_ahead(ahead)
    }

    fn core(&self) -> &Spsc<T, Sides<T>> {
        self.popper.ring()
    }

    #[inline(always)]
    fn exchange(&self) -> Option<&Exchange<T>> {
        Receiver::exchange(self)
    }

    #[inline(always)]
    fn try_pop(&mut self) -> Result<(T, Owed), PopError> {
        self.take()
    }

    fn try_pop_many(&mut self, values: &mut Vec<T>, limit: usize) -> Result<(usize, bool), PopError> {
        self.take_many(values, limit)
    }
}

/// For streams, which own their receiver.
#[cfg(feature = "stream")]
impl<T> PopEnd<T> for Receiver<T> {
    type Core = Spsc<T, Sides<T>>;

    #[inline]
    fn has_values_ahead(&self, ahead: usize) -> bool {
        self.popper.has_values_ahead(ahead)
    }

    fn core(&self) -> &Spsc<T, Sides<T>> {
        self.popper.ring()
    }

    #[inline(always)]
    fn exchange(&self) -> Option<&Exchange<T>> {
        Receiver::exchange(self)
    }

    fn try_pop(&mut self) -> Result<(T, Owed), PopError> {
        self.take()
    }

    fn try_pop_many(&mut self, values: &mut Vec<T>, limit: usize) -> Result<(usize, bool), PopError> {
        self.take_many(values, limit)
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.core().waits().sender_count.remove();
        self.shut();
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
        while let Ok((message, _)) = self.0.take() {
            let rest = Discard(self.0);
            drop(message);
            std::mem::forget(rest);
        }
    }
}
