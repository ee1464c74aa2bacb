//! Why a select brought nothing.

use std::error::Error;
use std::fmt;

/// Why [`Select::try_wait`](super::Select::try_wait) brought nothing.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum TrySelectError {
    /// No operation could be done at once.
    NotReady,
    /// No operation is left.
    Finished,
}

/// Why a select with a time limit brought nothing.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum SelectTimeoutError {
    /// No operation could be done in all that time.
    Timeout,
    /// No operation is left.
    Finished,
}

const FINISHED: &str = "no operation is left";

impl fmt::Display for TrySelectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotReady => "no operation is ready",
            Self::Finished => FINISHED,
        })
    }
}

impl fmt::Display for SelectTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "the time limit passed",
            Self::Finished => FINISHED,
        })
    }
}

impl Error for TrySelectError {}
impl Error for SelectTimeoutError {}
