//! Iterators over what a subscription receives.

use super::error::{RecvError, TryRecvError};
use super::event::Event;
use super::subscription::Subscription;
use std::iter::FusedIterator;

/// Blocks for each event; ends when nothing will come any more and all has been received. Made by [`Subscription::iter`].
#[derive(Debug)]
pub struct Iter<'a, T> {
    subscription: &'a mut Subscription<T>,
}

impl<'a, T> Iter<'a, T> {
    pub(super) const fn new(subscription: &'a mut Subscription<T>) -> Self {
        Self { subscription }
    }
}

impl<T: Clone> Iterator for Iter<'_, T> {
    type Item = Result<Event<T>, RecvError>;

    fn next(&mut self) -> Option<Self::Item> {
        next(self.subscription)
    }
}

impl<T: Clone> FusedIterator for Iter<'_, T> {}

/// Takes the events that are there, without blocking. Made by [`Subscription::try_iter`].
///
/// After `None` it may bring events again, once there are some.
#[derive(Debug)]
pub struct TryIter<'a, T> {
    subscription: &'a mut Subscription<T>,
}

impl<'a, T> TryIter<'a, T> {
    pub(super) const fn new(subscription: &'a mut Subscription<T>) -> Self {
        Self { subscription }
    }
}

impl<T: Clone> Iterator for TryIter<'_, T> {
    type Item = Result<Event<T>, RecvError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.subscription.try_recv() {
            Ok(event) => Some(Ok(event)),
            Err(TryRecvError::Lagged(count)) => Some(Err(RecvError::Lagged(count))),
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        }
    }
}

/// Blocks for each event, and owns its subscription; ends when nothing will come any more and all has been received.
#[derive(Debug)]
pub struct IntoIter<T> {
    subscription: Subscription<T>,
}

impl<T: Clone> Iterator for IntoIter<T> {
    type Item = Result<Event<T>, RecvError>;

    fn next(&mut self) -> Option<Self::Item> {
        next(&mut self.subscription)
    }
}

impl<T: Clone> FusedIterator for IntoIter<T> {}

/// A subscription that is over stays so: no end need be remembered.
fn next<T: Clone>(subscription: &mut Subscription<T>) -> Option<Result<Event<T>, RecvError>> {
    match subscription.recv() {
        Err(RecvError::Closed) => None,
        answer => Some(answer),
    }
}

impl<'a, T: Clone> IntoIterator for &'a mut Subscription<T> {
    type Item = Result<Event<T>, RecvError>;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T: Clone> IntoIterator for Subscription<T> {
    type Item = Result<Event<T>, RecvError>;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter { subscription: self }
    }
}

// Usable after a panic was caught, whatever it was that panicked (promise 9).
impl<T> std::panic::UnwindSafe for IntoIter<T> {}
impl<T> std::panic::RefUnwindSafe for IntoIter<T> {}
