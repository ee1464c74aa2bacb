//! A message looked at where it lies.

#![forbid(unsafe_code)]

use super::subscriber::Subscriber;
use std::fmt;
use std::ops::Deref;

/// A message received by reference, through [`Subscriber::recv_ref`]. Dropping it receives the message.
#[must_use = "the message is received as soon as this is dropped"]
pub struct MessageRef<'a, T> {
    subscriber: &'a mut Subscriber<T>,
}

impl<'a, T> MessageRef<'a, T> {
    /// Makes a guard for the message that the subscriber has reached.
    pub(super) const fn new(subscriber: &'a mut Subscriber<T>) -> Self {
        Self { subscriber }
    }

    /// Returns the number of the message.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.subscriber.sequence()
    }
}

impl<T> Deref for MessageRef<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.subscriber
            .held()
            .expect("a guard is made for a message that was reached, and leaves it when dropped")
    }
}

impl<T> Drop for MessageRef<'_, T> {
    fn drop(&mut self) {
        self.subscriber.advance();
    }
}

impl<T: fmt::Debug> fmt::Debug for MessageRef<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
