//! What both ends can ask and do alike.

/// Writes the methods that senders and receivers share. `$handle` has `core`, which gives the `Core`, and `shut`, which closes.
macro_rules! observers {
    ($handle:ident, $make:literal) => {
        impl<T> $handle<T> {
            /// Closes the channel for all handles: no message can be sent any more, receivers get what is left.
            ///
            /// Wakes everybody who waits. Returns whether this call closed it; closing again does nothing. A send that runs at
            /// the same time either succeeds, and its message is received, or fails and gives the message back. Never blocks
            /// but for a mutex that is held for a few instructions.
            ///
            /// # Examples
            /// ```
            #[doc = concat!($make, "(4);")]
            /// tx.send(1)?;
            /// tx.close();
            /// assert!(tx.send(2).is_err());
            /// assert_eq!(rx.recv(), Ok(1));
            /// assert!(rx.recv().is_err());
            /// # Ok::<(), millpond::SendError<i32>>(())
            /// ```
            pub fn close(&self) -> bool {
                self.shut()
            }

            /// Whether the channel is closed, by [`close`](Self::close) or because one side is gone.
            ///
            /// Messages may still be inside. Once true, it stays true. Whoever hears that the channel is closed, from here or from any
            /// other method, sees what the one who closed it did before (and, if one side is gone, what all handles of that
            /// side did). Wait-free.
            #[must_use]
            pub fn is_closed(&self) -> bool {
                Core::is_closed(self.core())
            }

            /// Waits, in a task, until the channel is closed: by [`close`](Self::close), or because one side is gone.
            ///
            /// For a sender that wants to know that nobody listens any more without sending, and for whoever tidies up behind a
            /// channel. Messages may still be inside.
            ///
            /// *Cancel safety.* Dropping the future changes nothing.
            ///
            /// # Examples
            /// ```
            /// # futures::executor::block_on(async {
            #[doc = concat!($make, "::<i32>(1);")]
            /// std::thread::spawn(move || drop(rx));
            /// tx.closed().await;
            /// assert!(tx.is_closed());
            /// # });
            /// ```
            pub fn closed(&self) -> ClosedFuture<'_, T> {
                ClosedFuture::new(self.core())
            }

            /// Returns how many messages are inside; never more than the capacity, unless that is 0.
            ///
            /// At capacity 0 it counts what was handed to a receiver that has not taken it yet, and takes a small mutex.
            /// Other threads may change it before this returns. Never blocks; tries again while other threads make progress.
            #[must_use]
            pub fn len(&self) -> usize {
                Core::len(self.core())
            }

            /// Returns how many messages the channel can hold, as it was made. Wait-free.
            #[must_use]
            pub fn capacity(&self) -> usize {
                Core::capacity(self.core())
            }

            /// Whether no message is inside. Other threads may change it before this returns.
            ///
            /// Once the channel is closed and empty, it stays so.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// Whether as many messages are inside as can be. Other threads may change it before this returns.
            #[must_use]
            pub fn is_full(&self) -> bool {
                self.len() >= self.capacity()
            }

            /// Returns how many senders there are. Other threads may change it before this returns, unless it is 0. Wait-free.
            #[must_use]
            pub fn sender_count(&self) -> usize {
                self.core().waits().sender_count.get()
            }

            /// Returns how many receivers there are. Other threads may change it before this returns, unless it is 0. Wait-free.
            #[must_use]
            pub fn receiver_count(&self) -> usize {
                self.core().waits().receiver_count.get()
            }
        }

        // A panic in user code, be it a waker or the drop of a message, leaves every channel usable.
        impl<T> std::panic::UnwindSafe for $handle<T> {}
        impl<T> std::panic::RefUnwindSafe for $handle<T> {}

        impl<T> std::fmt::Debug for $handle<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let mut shown = f.debug_struct(stringify!($handle));
                shown.field("len", &self.len());
                shown.field("capacity", &self.capacity());
                shown.field("closed", &self.is_closed());
                // Who waits is behind a lock, which a model must not be made to take.
                #[cfg(not(millpond_loom))]
                {
                    let waits = self.core().waits();
                    shown.field("senders_waiting", &waits.senders.count());
                    shown.field("receivers_waiting", &waits.receivers.count());
                }
                shown.finish_non_exhaustive()
            }
        }
    };
}

pub(super) use observers;
