//! Iterators over what a subscriber receives.

#![forbid(unsafe_code)]

use super::error::{RecvError, TryRecvError};
use super::subscriber::Subscriber;
use std::iter::FusedIterator;

/// Blocks for each message; ends when the channel is closed and all has been received. Made by [`Subscriber::iter`].
#[derive(Debug)]
pub struct Iter<'a, T> {
    subscriber: &'a mut Subscriber<T>,
    ended: bool,
}

impl<'a, T> Iter<'a, T> {
    pub(super) const fn new(subscriber: &'a mut Subscriber<T>) -> Self {
        Self { subscriber, ended: false }
    }
}

impl<T: Clone> Iterator for Iter<'_, T> {
    type Item = Result<T, RecvError>;

    fn next(&mut self) -> Option<Self::Item> {
        next(self.subscriber, &mut self.ended)
    }
}

impl<T: Clone> FusedIterator for Iter<'_, T> {}

/// Takes the messages that are there, without blocking. Made by [`Subscriber::try_iter`].
///
/// After `None` it may bring messages again, once there are some.
#[derive(Debug)]
pub struct TryIter<'a, T> {
    pub(super) subscriber: &'a mut Subscriber<T>,
}

impl<T: Clone> Iterator for TryIter<'_, T> {
    type Item = Result<T, RecvError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.subscriber.try_recv() {
            Ok(message) => Some(Ok(message)),
            Err(TryRecvError::Lagged(count)) => Some(Err(RecvError::Lagged(count))),
            Err(TryRecvError::Empty | TryRecvError::Evicted | TryRecvError::Closed) => None,
        }
    }
}

/// Blocks for each message, and owns its subscriber; ends when the channel is closed and all has been received.
#[derive(Debug)]
pub struct IntoIter<T> {
    subscriber: Subscriber<T>,
    ended: bool,
}

impl<T: Clone> Iterator for IntoIter<T> {
    type Item = Result<T, RecvError>;

    fn next(&mut self) -> Option<Self::Item> {
        next(&mut self.subscriber, &mut self.ended)
    }
}

impl<T: Clone> FusedIterator for IntoIter<T> {}

fn next<T: Clone>(subscriber: &mut Subscriber<T>, ended: &mut bool) -> Option<Result<T, RecvError>> {
    if *ended {
        return None;
    }
    let answer = subscriber.recv();
    *ended = matches!(answer, Err(RecvError::Closed | RecvError::Evicted));
    match answer {
        Err(RecvError::Closed) => None,
        answer => Some(answer),
    }
}

impl<'a, T: Clone> IntoIterator for &'a mut Subscriber<T> {
    type Item = Result<T, RecvError>;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T: Clone> IntoIterator for Subscriber<T> {
    type Item = Result<T, RecvError>;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter { subscriber: self, ended: false }
    }
}

// Usable after a panic was caught, whatever it was that panicked (promise 9).
impl<T> std::panic::UnwindSafe for IntoIter<T> {}
impl<T> std::panic::RefUnwindSafe for IntoIter<T> {}
