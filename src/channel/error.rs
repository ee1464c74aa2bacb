//! Why a send or a receive failed. Every error of a send gives the message back; none needs `T: Debug`.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;

/// The channel is closed: nobody will receive this message.
#[derive(PartialEq, Eq, Clone, Copy)]
pub struct SendError<T>(pub T);

/// Why [`Sender::try_send`](crate::Sender::try_send) did not send.
#[derive(PartialEq, Eq, Clone, Copy)]
pub enum TrySendError<T> {
    /// The channel holds as many messages as it can.
    Full(T),
    /// The channel is closed.
    Closed(T),
}

/// Why [`Sender::try_send_relaxed`](crate::Sender::try_send_relaxed) did not send.
#[derive(PartialEq, Eq, Clone, Copy)]
pub enum TrySendRelaxedError<T> {
    /// The channel holds as many messages as it can.
    Full(T),
    /// The channel is closed.
    Closed(T),
    /// A receiver is in the middle of taking out the message whose place is needed.
    Busy(T),
}

/// Why a send with a time limit did not send.
#[derive(PartialEq, Eq, Clone, Copy)]
pub enum SendTimeoutError<T> {
    /// The channel was full all the time.
    Timeout(T),
    /// The channel is closed.
    Closed(T),
}

/// The channel was closed before all messages were sent.
#[derive(PartialEq, Eq, Clone)]
pub struct SendManyError<T> {
    /// How many were sent: the first of those given.
    pub sent: usize,
    /// The others, in order.
    pub unsent: VecDeque<T>,
}

/// The channel is closed and empty.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub struct RecvError;

/// Why [`Receiver::try_recv`](crate::Receiver::try_recv) brought nothing.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum TryRecvError {
    /// The channel holds no message.
    Empty,
    /// The channel is closed and empty: it stays so.
    Closed,
}

/// Why [`Receiver::try_recv_relaxed`](crate::Receiver::try_recv_relaxed) brought nothing.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum TryRecvRelaxedError {
    /// The channel holds no message.
    Empty,
    /// The channel is closed and empty: it stays so.
    Closed,
    /// A sender is in the middle of putting the next message in.
    Busy,
}

/// Why a receive with a time limit brought nothing.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum RecvTimeoutError {
    /// The channel was empty all the time.
    Timeout,
    /// The channel is closed and empty: it stays so.
    Closed,
}

const CLOSED: &str = "the channel is closed";
const FULL: &str = "the channel is full";
const EMPTY: &str = "the channel is empty";
const BUSY: &str = "another thread is in the middle of a step";
const TIMEOUT: &str = "the time limit passed";

impl<T> SendError<T> {
    /// Returns the message.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> TrySendError<T> {
    /// Returns the message.
    pub fn into_inner(self) -> T {
        let (Self::Full(value) | Self::Closed(value)) = self;
        value
    }

    /// Whether there was no room.
    pub const fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Whether the channel is closed.
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }
}

impl<T> TrySendRelaxedError<T> {
    /// Returns the message.
    pub fn into_inner(self) -> T {
        let (Self::Full(value) | Self::Closed(value) | Self::Busy(value)) = self;
        value
    }

    /// Whether there was no room.
    pub const fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Whether the channel is closed.
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }

    /// Whether a receiver was in the middle of a step.
    pub const fn is_busy(&self) -> bool {
        matches!(self, Self::Busy(_))
    }
}

impl<T> SendTimeoutError<T> {
    /// Returns the message.
    pub fn into_inner(self) -> T {
        let (Self::Timeout(value) | Self::Closed(value)) = self;
        value
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

impl<T> SendManyError<T> {
    /// Returns the messages that were not sent, in order.
    pub fn into_inner(self) -> VecDeque<T> {
        self.unsent
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SendError(..)")
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_full() { "Full(..)" } else { "Closed(..)" })
    }
}

impl<T> fmt::Debug for TrySendRelaxedError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
            Self::Busy(_) => "Busy(..)",
        })
    }
}

impl<T> fmt::Debug for SendTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_timeout() { "Timeout(..)" } else { "Closed(..)" })
    }
}

impl<T> fmt::Debug for SendManyError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sent, unsent } = self;
        write!(f, "SendManyError {{ sent: {sent}, unsent: {} messages }}", unsent.len())
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CLOSED)
    }
}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_full() { FULL } else { CLOSED })
    }
}

impl<T> fmt::Display for TrySendRelaxedError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => FULL,
            Self::Closed(_) => CLOSED,
            Self::Busy(_) => BUSY,
        })
    }
}

impl<T> fmt::Display for SendTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_timeout() { TIMEOUT } else { CLOSED })
    }
}

impl<T> fmt::Display for SendManyError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{CLOSED}: {} messages were sent, {} were not", self.sent, self.unsent.len())
    }
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CLOSED)
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => EMPTY,
            Self::Closed => CLOSED,
        })
    }
}

impl fmt::Display for TryRecvRelaxedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => EMPTY,
            Self::Closed => CLOSED,
            Self::Busy => BUSY,
        })
    }
}

impl fmt::Display for RecvTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => TIMEOUT,
            Self::Closed => CLOSED,
        })
    }
}

impl<T> Error for SendError<T> {}
impl<T> Error for TrySendError<T> {}
impl<T> Error for TrySendRelaxedError<T> {}
impl<T> Error for SendTimeoutError<T> {}
impl<T> Error for SendManyError<T> {}
impl Error for RecvError {}
impl Error for TryRecvError {}
impl Error for TryRecvRelaxedError {}
impl Error for RecvTimeoutError {}

impl<T> From<SendError<T>> for TrySendError<T> {
    fn from(error: SendError<T>) -> Self {
        Self::Closed(error.0)
    }
}

impl<T> From<SendError<T>> for SendTimeoutError<T> {
    fn from(error: SendError<T>) -> Self {
        Self::Closed(error.0)
    }
}

impl From<RecvError> for TryRecvError {
    fn from(_: RecvError) -> Self {
        Self::Closed
    }
}

impl From<RecvError> for RecvTimeoutError {
    fn from(_: RecvError) -> Self {
        Self::Closed
    }
}
