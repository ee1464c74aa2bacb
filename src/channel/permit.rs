//! Room that is reserved: written once, over the rings that can promise it.

/// Writes the permits of a module's `Sender`, whose `shared` is a `Shared` with `Credits`.
macro_rules! permits {
    ($make:literal) => {
        impl<T> Sender<T> {
            /// Reserves room for one message, blocking the thread while the channel is full.
            ///
            /// For a message that is dear to make, or must not be made in vain: what the permit sends does not wait. A permit is a
            /// credit, not a place: it counts as a message does, so that messages and permits together are never more than
            /// the capacity, but receivers never wait for it, and messages of others may overtake it. [`len`](Self::len) and
            /// [`is_full`](Self::is_full) count messages alone.
            ///
            /// *Capacity 0.* There is no room to reserve: this waits until the channel closes.
            ///
            /// *Cost.* While there are permits, each send of anybody takes a mutex for some instructions. While there are none, sending
            /// costs what it would without them.
            ///
            /// # Errors
            /// [`SendError`] if the channel is closed, also if it is closed while this waits.
            ///
            /// # Examples
            /// ```
            #[doc = concat!($make, "(1);")]
            /// let permit = tx.reserve().unwrap();
            /// assert!(tx.try_send(1).is_err()); // the room is taken
            /// permit.send(2)?;
            /// assert_eq!(rx.recv(), Ok(2));
            /// # Ok::<(), millpond::SendError<i32>>(())
            /// ```
            pub fn reserve(&self) -> Result<Permit<'_, T>, SendError<()>> {
                crate::channel::reserve::reserve(&*self.shared)?;
                Ok(Permit { sender: self })
            }

            /// Reserves room for one message if there is some at once.
            ///
            /// Never parks, but for a mutex that is held for some instructions.
            ///
            /// # Errors
            /// [`TrySendError::Full`] or [`TrySendError::Closed`].
            pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
                crate::channel::reserve::try_reserve(&*self.shared)?;
                Ok(Permit { sender: self })
            }

            /// Reserves room for one message, blocking the thread for up to `timeout` while the channel is full.
            ///
            /// Tries at least once. A `timeout` that no [`Instant`] can express is waited out for ever.
            ///
            /// # Errors
            /// [`SendTimeoutError::Timeout`] or [`SendTimeoutError::Closed`].
            pub fn reserve_timeout(&self, timeout: Duration) -> Result<Permit<'_, T>, SendTimeoutError<()>> {
                crate::channel::reserve::reserve_until(&*self.shared, Deadline::after(timeout))?;
                Ok(Permit { sender: self })
            }

            /// Reserves room for one message, blocking the thread until `deadline` at most while the channel is full.
            ///
            /// # Errors
            /// As [`reserve_timeout`](Self::reserve_timeout).
            pub fn reserve_deadline(&self, deadline: Instant) -> Result<Permit<'_, T>, SendTimeoutError<()>> {
                crate::channel::reserve::reserve_until(&*self.shared, Deadline::at(deadline))?;
                Ok(Permit { sender: self })
            }

            /// Reserves room for one message, letting the task wait while the channel is full.
            ///
            /// Works in any executor. Never parks the thread, but for a mutex that is held for some instructions.
            ///
            /// *Cancel safety.* Dropping the future reserves nothing, and loses no wake-up.
            ///
            /// # Errors
            /// [`SendError`] if the channel is closed.
            ///
            /// # Examples
            /// ```
            /// # futures::executor::block_on(async {
            #[doc = concat!($make, "(1);")]
            /// let permit = tx.reserve_async().await.unwrap();
            /// permit.send("made when there was room for it")?;
            /// assert!(rx.recv().is_ok());
            /// # Ok::<(), millpond::SendError<&str>>(())
            /// # }).unwrap();
            /// ```
            pub const fn reserve_async(&self) -> ReserveFuture<'_, T> {
                let source = crate::channel::reserve::ReserveSource::new(Lent(self));
                ReserveFuture { waiting: Waiting::new(source) }
            }
        }

        impl<T> crate::channel::reserve::ReserveEnd<T> for &Shared<T> {
            type Core = Shared<T>;

            fn core(&self) -> &Shared<T> {
                self
            }
        }

        /// A sender that is borrowed by a reservation, and then by its permit.
        struct Lent<'a, T>(&'a Sender<T>);

        impl<T> crate::channel::reserve::ReserveEnd<T> for Lent<'_, T> {
            type Core = Shared<T>;

            fn core(&self) -> &Shared<T> {
                &self.0.shared
            }
        }

        /// Room for one message in a channel, which nobody else can take. Made by [`Sender::reserve`].
        ///
        /// Dropped unused, it gives the room back and wakes a sender that waits for it. It keeps no receiver from receiving, and does
        /// not keep the channel from being closed.
        #[must_use = "a permit that is dropped gives its room back"]
        pub struct Permit<'a, T> {
            sender: &'a Sender<T>,
        }

        impl<T> Permit<'_, T> {
            /// Sends a message into the room of this permit. Never waits for room.
            ///
            /// Never parks, but for a mutex that is held for some instructions. If the place that it gets is just being emptied by a
            /// receiver whose thread lost the processor, it waits for that one as `try_send` does.
            ///
            /// # Errors
            /// [`SendError`] gives the message back if the channel is closed.
            pub fn send(self, message: T) -> Result<(), SendError<T>> {
                let sender = self.sender;
                // From here on the room is the message's.
                std::mem::forget(self);
                crate::channel::reserve::send_reserved(&*sender.shared, message)
            }

            /// Turns it into a permit that holds a sender of its own, and may be kept and sent anywhere.
            pub fn into_owned(self) -> OwnedPermit<T> {
                let sender = self.sender.clone();
                std::mem::forget(self);
                OwnedPermit { sender: Some(sender) }
            }
        }

        impl<T> Drop for Permit<'_, T> {
            fn drop(&mut self) {
                crate::channel::reserve::give_back(&*self.sender.shared);
            }
        }

        impl<T> fmt::Debug for Permit<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct("Permit").finish_non_exhaustive()
            }
        }

        /// A [`Permit`] with a sender of its own, made by [`Permit::into_owned`]: it counts as a sender, and keeps the channel open.
        #[must_use = "a permit that is dropped gives its room back"]
        pub struct OwnedPermit<T> {
            /// `None` once it was used.
            sender: Option<Sender<T>>,
        }

        impl<T> OwnedPermit<T> {
            /// Sends a message into the room of this permit: see [`Permit::send`].
            ///
            /// # Errors
            /// [`SendError`] gives the message back if the channel is closed.
            pub fn send(mut self, message: T) -> Result<(), SendError<T>> {
                match self.sender.take() {
                    Some(sender) => crate::channel::reserve::send_reserved(&*sender.shared, message),
                    // Not reached: the sender is taken here and in `drop` alone.
                    None => Err(SendError(message)),
                }
            }
        }

        impl<T> Drop for OwnedPermit<T> {
            fn drop(&mut self) {
                if let Some(sender) = self.sender.take() {
                    crate::channel::reserve::give_back(&*sender.shared);
                }
            }
        }

        impl<T> fmt::Debug for OwnedPermit<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct("OwnedPermit").finish_non_exhaustive()
            }
        }

        pin_project_lite::pin_project! {
            /// Room awaited: the future of [`Sender::reserve_async`].
            ///
            /// *Cancel safety.* Dropping it reserves nothing, and a wake-up that it had been given goes to the next sender.
            #[must_use = "a future does nothing unless it is awaited"]
            pub struct ReserveFuture<'a, T> {
                #[pin]
                waiting: Waiting<crate::channel::reserve::ReserveSource<T, Lent<'a, T>>>,
            }
        }

        impl<'a, T> Future for ReserveFuture<'a, T> {
            type Output = Result<Permit<'a, T>, SendError<()>>;

            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                let mut waiting = self.project().waiting;
                let reserved = std::task::ready!(waiting.as_mut().poll(cx));
                Poll::Ready(reserved.map(|()| Permit { sender: waiting.source().end().0 }))
            }
        }

        impl<T> fmt::Debug for ReserveFuture<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct("ReserveFuture").finish_non_exhaustive()
            }
        }
    };
}

pub(super) use permits;
