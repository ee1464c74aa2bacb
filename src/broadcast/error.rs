//! Why publishing or receiving failed. Every error of a publisher gives the message back; none needs `T: Debug`.

#![forbid(unsafe_code)]

use std::error::Error;
use std::fmt;

/// The channel is closed: nobody will receive this message.
#[derive(PartialEq, Eq, Clone, Copy)]
pub struct PublishError<T>(pub T);

/// Why [`Publisher::try_publish`](super::Publisher::try_publish) did not publish.
#[derive(PartialEq, Eq, Clone, Copy)]
pub enum TryPublishError<T> {
    /// A subscriber of a lossless channel has as many messages to receive as the channel keeps.
    Full(T),
    /// The channel is closed.
    Closed(T),
}

/// Why [`Publisher::publish_timeout`](super::Publisher::publish_timeout) did not publish.
#[derive(PartialEq, Eq, Clone, Copy)]
pub enum PublishTimeoutError<T> {
    /// A subscriber of a lossless channel had as many messages to receive as the channel keeps, all the time.
    Timeout(T),
    /// The channel is closed.
    Closed(T),
}

/// Why a subscriber received nothing.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum RecvError {
    /// So many messages passed the subscriber by. It goes on with the oldest one that is kept.
    Lagged(u64),
    /// The subscriber held the publishers up for too long and was thrown out: it receives nothing any more.
    Evicted,
    /// The channel is closed, and all that was published has been received.
    Closed,
}

/// Why [`Subscriber::try_recv`](super::Subscriber::try_recv) received nothing.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum TryRecvError {
    /// All that was published so far has been received.
    Empty,
    /// So many messages passed the subscriber by. It goes on with the oldest one that is kept.
    Lagged(u64),
    /// The subscriber held the publishers up for too long and was thrown out: it receives nothing any more.
    Evicted,
    /// The channel is closed, and all that was published has been received.
    Closed,
}

/// Why a receive with a time limit brought nothing.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum RecvTimeoutError {
    /// Nothing was published all the time.
    Timeout,
    /// So many messages passed the subscriber by. It goes on with the oldest one that is kept.
    Lagged(u64),
    /// The subscriber held the publishers up for too long and was thrown out: it receives nothing any more.
    Evicted,
    /// The channel is closed, and all that was published has been received.
    Closed,
}

const CLOSED: &str = "the channel is closed";
const EVICTED: &str = "the subscriber was too slow and was thrown out";

fn lagged(count: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "the subscriber missed {count} messages")
}

impl<T> PublishError<T> {
    /// Returns the message.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> TryPublishError<T> {
    /// Returns the message.
    pub fn into_inner(self) -> T {
        let (Self::Full(message) | Self::Closed(message)) = self;
        message
    }

    /// Whether a subscriber had no room.
    pub const fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Whether the channel is closed.
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }
}

impl<T> PublishTimeoutError<T> {
    /// Returns the message.
    pub fn into_inner(self) -> T {
        let (Self::Timeout(message) | Self::Closed(message)) = self;
        message
    }

    /// Whether the time limit passed.
    pub const fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout(_))
    }

    /// Whether the channel is closed.
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }
}

impl<T> fmt::Debug for PublishError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublishError(..)")
    }
}

impl<T> fmt::Debug for TryPublishError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_full() { "Full(..)" } else { "Closed(..)" })
    }
}

impl<T> fmt::Debug for PublishTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_timeout() { "Timeout(..)" } else { "Closed(..)" })
    }
}

impl<T> fmt::Display for PublishError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CLOSED)
    }
}

impl<T> fmt::Display for TryPublishError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_full() { "a subscriber has no room for more messages" } else { CLOSED })
    }
}

impl<T> fmt::Display for PublishTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_timeout() { "the time limit passed" } else { CLOSED })
    }
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lagged(count) => lagged(*count, f),
            Self::Evicted => f.write_str(EVICTED),
            Self::Closed => f.write_str(CLOSED),
        }
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is no new message"),
            Self::Lagged(count) => lagged(*count, f),
            Self::Evicted => f.write_str(EVICTED),
            Self::Closed => f.write_str(CLOSED),
        }
    }
}

impl fmt::Display for RecvTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => f.write_str("the time limit passed"),
            Self::Lagged(count) => lagged(*count, f),
            Self::Evicted => f.write_str(EVICTED),
            Self::Closed => f.write_str(CLOSED),
        }
    }
}

impl<T> Error for PublishError<T> {}
impl<T> Error for TryPublishError<T> {}
impl<T> Error for PublishTimeoutError<T> {}
impl Error for RecvError {}
impl Error for TryRecvError {}
impl Error for RecvTimeoutError {}

impl<T> From<PublishError<T>> for TryPublishError<T> {
    fn from(error: PublishError<T>) -> Self {
        Self::Closed(error.0)
    }
}

impl<T> From<PublishError<T>> for PublishTimeoutError<T> {
    fn from(error: PublishError<T>) -> Self {
        Self::Closed(error.0)
    }
}

impl From<RecvError> for TryRecvError {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::Lagged(count) => Self::Lagged(count),
            RecvError::Evicted => Self::Evicted,
            RecvError::Closed => Self::Closed,
        }
    }
}

impl From<RecvError> for RecvTimeoutError {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::Lagged(count) => Self::Lagged(count),
            RecvError::Evicted => Self::Evicted,
            RecvError::Closed => Self::Closed,
        }
    }
}
