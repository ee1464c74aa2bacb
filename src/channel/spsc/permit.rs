//! Room that is reserved. Nobody else sends, so room that is there stays until this sender uses it: a permit is no more than the
//! knowledge of it, and borrows the sender.

use super::Sender;
use crate::channel::error::{SendError, SendTimeoutError, TrySendError};
use crate::channel::sides::Sides;
use crate::channel::waits::Core;
use crate::ring::{PushError, Spsc};
use crate::sync::Sleeper;
use crate::wait::{Attempt, Deadline, Source, WaitSet, Waiting, block_on};
use std::borrow::BorrowMut;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

impl<T> Sender<T> {
    /// Waits until there is room for one message, blocking the thread while the channel is full.
    ///
    /// For a message that is dear to make, or must not be made in vain: what the permit sends does not wait. Nobody else sends, so the
    /// room stays: the permit borrows this sender, and takes nothing from the channel until it is used.
    ///
    /// *Capacity 0.* There is no room to wait for: this waits until the channel closes.
    ///
    /// *Progress.* Wait-free while there is room, as [`send`](Self::send).
    ///
    /// # Errors
    /// [`SendError`] if the channel is closed, also if it is closed while this waits.
    ///
    /// # Examples
    /// ```
    /// let (mut tx, mut rx) = millpond::spsc::bounded(1);
    /// let permit = tx.reserve().unwrap();
    /// permit.send(2)?;
    /// assert!(tx.try_reserve().is_err()); // full
    /// assert_eq!(rx.recv(), Ok(2));
    /// # Ok::<(), millpond::SendError<i32>>(())
    /// ```
    pub fn reserve(&mut self) -> Result<Permit<'_, T>, SendError<()>> {
        block_on(&mut RoomSource::new(&mut *self), Deadline::never())
            .expect("a wait without a deadline does not time out")?;
        Ok(Permit { sender: self })
    }

    /// Says whether there is room for one message, and holds on to it.
    ///
    /// Never blocks: wait-free with a ring.
    ///
    /// # Errors
    /// [`TrySendError::Full`] or [`TrySendError::Closed`].
    pub fn try_reserve(&mut self) -> Result<Permit<'_, T>, TrySendError<()>> {
        match self.promise() {
            Ok(()) => Ok(Permit { sender: self }),
            Err(PushError::Closed(())) => Err(TrySendError::Closed(())),
            Err(PushError::Full(()) | PushError::Busy(())) => Err(TrySendError::Full(())),
        }
    }

    /// Waits until there is room for one message, blocking the thread for up to `timeout` while the channel is full.
    ///
    /// Tries at least once. A `timeout` that no [`Instant`] can express is waited out for ever.
    ///
    /// # Errors
    /// [`SendTimeoutError::Timeout`] or [`SendTimeoutError::Closed`].
    pub fn reserve_timeout(&mut self, timeout: Duration) -> Result<Permit<'_, T>, SendTimeoutError<()>> {
        self.reserve_until(Deadline::after(timeout))
    }

    /// Waits until there is room for one message, blocking the thread until `deadline` at most while the channel is full.
    ///
    /// # Errors
    /// As [`reserve_timeout`](Self::reserve_timeout).
    pub fn reserve_deadline(&mut self, deadline: Instant) -> Result<Permit<'_, T>, SendTimeoutError<()>> {
        self.reserve_until(Deadline::at(deadline))
    }

    fn reserve_until(&mut self, deadline: Deadline) -> Result<Permit<'_, T>, SendTimeoutError<()>> {
        match block_on(&mut RoomSource::new(&mut *self), deadline) {
            Ok(answer) => answer.map_err(SendTimeoutError::from)?,
            Err(_) => return Err(SendTimeoutError::Timeout(())),
        }
        Ok(Permit { sender: self })
    }

    /// Waits until there is room for one message, letting the task wait while the channel is full.
    ///
    /// Works in any executor. Never blocks the thread, and allocates nothing.
    ///
    /// *Cancel safety.* Dropping the future reserves nothing, and loses no wake-up.
    ///
    /// # Errors
    /// [`SendError`] if the channel is closed.
    ///
    /// # Examples
    /// ```
    /// # futures::executor::block_on(async {
    /// let (mut tx, mut rx) = millpond::spsc::bounded(1);
    /// let permit = tx.reserve_async().await.unwrap();
    /// permit.send("made when there was room for it")?;
    /// assert!(rx.recv().is_ok());
    /// # Ok::<(), millpond::SendError<&str>>(())
    /// # }).unwrap();
    /// ```
    pub const fn reserve_async(&mut self) -> ReserveFuture<'_, T> {
        ReserveFuture { waiting: Waiting::new(RoomSource::new(self)) }
    }

    /// Sees to room for one message, which stays until it is used or given back.
    fn promise(&mut self) -> Result<(), PushError<()>> {
        match self.exchange() {
            None => self.pusher.look_for_room(),
            Some(exchange) => exchange.reserve(),
        }
    }

    /// Gives promised room back. No other sender waits for it.
    pub(super) fn give_back(&self) {
        if let Some(exchange) = self.exchange() {
            exchange.give_back(self.pusher.ring().waits());
        }
    }

    /// Sends into promised room.
    pub(super) fn send_promised(&mut self, message: T) -> Result<(), SendError<T>> {
        let pushed = match self.exchange() {
            None => self.pusher.push(message),
            Some(exchange) => exchange.push_reserved(message, self.pusher.ring().waits()),
        };
        match pushed {
            Ok(receiver_waits) => {
                if receiver_waits {
                    self.pusher.ring().wake_receivers(1);
                }
                Ok(())
            }
            Err(PushError::Closed(message)) => Err(SendError(message)),
            Err(PushError::Full(_) | PushError::Busy(_)) => unreachable!("nobody else can take the room"),
        }
    }
}

/// Waits for room for one message: by a borrowed sender, or by one that is owned.
pub(super) struct RoomSource<T, E> {
    /// `None` once it was given back.
    end: Option<E>,
    _message: PhantomData<fn(T)>,
}

impl<T, E: BorrowMut<Sender<T>>> RoomSource<T, E> {
    pub(super) const fn new(end: E) -> Self {
        Self { end: Some(end), _message: PhantomData }
    }

    pub(super) fn sender(&self) -> Option<&Sender<T>> {
        self.end.as_ref().map(E::borrow)
    }

    #[cfg(feature = "sink")]
    pub(super) fn sender_mut(&mut self) -> Option<&mut Sender<T>> {
        self.end.as_mut().map(E::borrow_mut)
    }

    fn core(&self) -> &Spsc<T, Sides<T>> {
        self.sender().expect("nobody waits for room that was found").pusher.ring()
    }

    fn has_places(&self) -> bool {
        Core::capacity(self.core()) > 0
    }
}

impl<T, E: BorrowMut<Sender<T>>> Source for RoomSource<T, E> {
    type Output = Result<(), SendError<()>>;

    fn attempt(&mut self) -> Attempt<Self::Output> {
        let sender = self.end.as_mut().expect("a reservation is not attempted again once it is done");
        match sender.borrow_mut().promise() {
            Ok(()) => Attempt::Done(Ok(())),
            Err(PushError::Closed(())) => Attempt::Done(Err(SendError(()))),
            Err(PushError::Full(())) => Attempt::Blocked,
            Err(PushError::Busy(())) => Attempt::Busy,
        }
    }

    /// Where there are no places at all, nothing but the end is worth waiting for.
    fn waiters(&self) -> &WaitSet {
        let waits = self.core().waits();
        if self.has_places() { &waits.senders } else { &waits.closing }
    }

    fn arm(&self) {
        if self.has_places() {
            self.core().set_senders_wait(Sleeper::Thread);
        }
    }

    fn arm_for_task(&self) -> bool {
        self.has_places() && self.core().set_senders_wait(Sleeper::Task)
    }

    fn disarm(&self) {
        if self.has_places() {
            self.core().clear_senders_wait();
        }
    }
}

/// Room for one message in a channel. Made by [`Sender::reserve`].
///
/// It keeps the receiver from nothing, and does not keep the channel from being closed.
#[must_use = "a permit that is dropped sends nothing"]
pub struct Permit<'a, T> {
    sender: &'a mut Sender<T>,
}

impl<T> Permit<'_, T> {
    /// Sends a message into the room of this permit. Never waits for room: wait-free with a ring.
    ///
    /// # Errors
    /// [`SendError`] gives the message back if the channel is closed.
    pub fn send(self, message: T) -> Result<(), SendError<T>> {
        let mut used = std::mem::ManuallyDrop::new(self);
        used.sender.send_promised(message)
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        self.sender.give_back();
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}

pin_project_lite::pin_project! {
    /// Room awaited: the future of [`Sender::reserve_async`].
    ///
    /// *Cancel safety.* Dropping it reserves nothing, and loses no wake-up.
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct ReserveFuture<'a, T> {
        #[pin]
        waiting: Waiting<RoomSource<T, &'a mut Sender<T>>>,
    }
}

impl<'a, T> Future for ReserveFuture<'a, T> {
    type Output = Result<Permit<'a, T>, SendError<()>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut waiting = self.project().waiting;
        std::task::ready!(waiting.as_mut().poll(cx))?;
        let sender = waiting.cancel().end.take().expect("it was there when room was found");
        Poll::Ready(Ok(Permit { sender }))
    }
}

impl<T> fmt::Debug for ReserveFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReserveFuture").finish_non_exhaustive()
    }
}
