//! Why a push or a pop failed. Every error of a push gives the value back; none needs `T: Debug`.

use std::error::Error;
use std::fmt;

/// Why a push was refused.
#[derive(PartialEq, Eq, Clone, Copy)]
pub enum PushError<T> {
    /// The ring holds as many values as it can.
    Full(T),
    /// The ring is closed: nobody will pop this value.
    Closed(T),
}

/// Why a pop brought nothing.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum PopError {
    /// The ring holds no value.
    Empty,
    /// The ring is closed and empty: it stays so.
    Closed,
}

/// The ring is closed: nobody will pop this value.
#[derive(PartialEq, Eq, Clone, Copy)]
pub struct ClosedError<T>(pub T);

/// Why a push that waits for nobody was refused.
#[derive(PartialEq, Eq, Clone, Copy)]
pub enum RelaxedPushError<T> {
    /// The ring held as many values as it can.
    Full(T),
    /// The ring is closed: nobody will pop this value.
    Closed(T),
    /// Somebody is in the middle of a step that is in the way, mostly of moving a value out: try again soon.
    Busy(T),
}

/// Why a pop that waits for nobody brought nothing.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum RelaxedPopError {
    /// The ring held no value.
    Empty,
    /// The ring is closed and empty: it stays so.
    Closed,
    /// Somebody is in the middle of moving the next value in: try again soon.
    Busy,
}

const FULL: &str = "the ring is full";
const EMPTY: &str = "the ring is empty";
const CLOSED: &str = "the ring is closed";
const BUSY: &str = "the ring is busy";

impl<T> PushError<T> {
    /// Returns the value.
    pub fn into_inner(self) -> T {
        let (Self::Full(value) | Self::Closed(value)) = self;
        value
    }

    /// Whether there was no room.
    pub const fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Whether the ring is closed.
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }

    const fn reason(&self) -> &'static str {
        if self.is_full() { FULL } else { CLOSED }
    }
}

impl PopError {
    /// Whether there was no value.
    pub const fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// Whether the ring is closed.
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }
}

impl<T> ClosedError<T> {
    /// Returns the value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> RelaxedPushError<T> {
    /// Returns the value.
    pub fn into_inner(self) -> T {
        let (Self::Full(value) | Self::Closed(value) | Self::Busy(value)) = self;
        value
    }

    /// Whether there was no room.
    pub const fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Whether the ring is closed.
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }

    /// Whether somebody was in the middle of a step.
    pub const fn is_busy(&self) -> bool {
        matches!(self, Self::Busy(_))
    }

    const fn reason(&self) -> &'static str {
        match self {
            Self::Full(_) => FULL,
            Self::Closed(_) => CLOSED,
            Self::Busy(_) => BUSY,
        }
    }
}

impl RelaxedPopError {
    /// Whether there was no value.
    pub const fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// Whether the ring is closed.
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }

    /// Whether somebody was in the middle of a step.
    pub const fn is_busy(&self) -> bool {
        matches!(self, Self::Busy)
    }
}

impl<T> fmt::Debug for PushError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_full() { "Full(..)" } else { "Closed(..)" })
    }
}

impl<T> fmt::Debug for ClosedError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClosedError(..)")
    }
}

impl<T> fmt::Debug for RelaxedPushError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
            Self::Busy(_) => "Busy(..)",
        })
    }
}

impl<T> fmt::Display for PushError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl fmt::Display for PopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { EMPTY } else { CLOSED })
    }
}

impl<T> fmt::Display for ClosedError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CLOSED)
    }
}

impl<T> fmt::Display for RelaxedPushError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl fmt::Display for RelaxedPopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => EMPTY,
            Self::Closed => CLOSED,
            Self::Busy => BUSY,
        })
    }
}

impl<T> Error for PushError<T> {}
impl Error for PopError {}
impl<T> Error for ClosedError<T> {}
impl<T> Error for RelaxedPushError<T> {}
impl Error for RelaxedPopError {}

impl<T> From<ClosedError<T>> for PushError<T> {
    fn from(error: ClosedError<T>) -> Self {
        Self::Closed(error.0)
    }
}
