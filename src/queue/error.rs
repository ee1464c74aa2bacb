//! Why a job was not taken. Every error gives the job back, and none needs `T: Debug`.

use super::envelope::JobId;
use std::collections::VecDeque;
use std::error::Error;
use std::fmt;

/// Why a job was not accepted, with the job.
///
/// # Examples
///
/// ```
/// use millpond::{Context, Pool, SubmitError};
/// use std::time::Duration;
///
/// let pool = Pool::builder().start(|_: &String, _: &Context| ())?;
/// pool.shutdown(Duration::from_secs(1));
/// let error = pool.submit("late".to_owned()).unwrap_err();
/// assert!(matches!(error, SubmitError::Closed(_)));
/// assert_eq!(error.into_inner(), "late");
/// # Ok::<(), millpond::BuildError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubmitError<T> {
    /// As many jobs are held as the capacity allows, and the call does not wait, or the pool's [`Overflow`](crate::Overflow)
    /// policy has it not wait.
    Full(T),
    /// The time was up before there was room.
    Timeout(T),
    /// The pool is shut down: it will never take a job again.
    Closed(T),
    /// Another job holds the key of this one: see [`Request::unique`](crate::Request::unique).
    Duplicate {
        /// The job that was not accepted.
        job: T,
        /// The number of the job that holds the key; with [`Unique::For`](crate::Unique::For) it may be over by now.
        holder: JobId,
    },
    /// As many keys are held as the pool remembers: see [`PoolBuilder::unique_keys`](crate::PoolBuilder::unique_keys).
    Keys(T),
}

impl<T> SubmitError<T> {
    /// Returns the job.
    #[must_use]
    pub fn into_inner(self) -> T {
        match self {
            SubmitError::Full(job)
            | SubmitError::Timeout(job)
            | SubmitError::Closed(job)
            | SubmitError::Duplicate { job, .. }
            | SubmitError::Keys(job) => job,
        }
    }

    /// Returns true when trying again later cannot help.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self, SubmitError::Closed(_))
    }

    fn why(&self) -> &'static str {
        match self {
            SubmitError::Full(_) => "Full",
            SubmitError::Timeout(_) => "Timeout",
            SubmitError::Closed(_) => "Closed",
            SubmitError::Duplicate { .. } => "Duplicate",
            SubmitError::Keys(_) => "Keys",
        }
    }
}

impl<T> fmt::Debug for SubmitError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple(self.why()).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for SubmitError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SubmitError::Full(_) => "the pool is full",
            SubmitError::Timeout(_) => "the pool stayed full until the time was up",
            SubmitError::Closed(_) => "the pool is shut down",
            SubmitError::Duplicate { .. } => "another job holds the same key",
            SubmitError::Keys(_) => "the pool remembers as many keys as it may",
        })
    }
}

impl<T> Error for SubmitError<T> {}

/// A batch that was accepted in part only: the pool was shut down meanwhile, or is full and [rejects](crate::Overflow) what comes.
pub struct SubmitManyError<T> {
    /// The numbers of the jobs that were accepted, in order.
    pub submitted: Vec<JobId>,
    /// The jobs that were not, in order.
    pub rest: VecDeque<T>,
    /// True if there was no room, and the pool's [`Overflow`](crate::Overflow) policy has nobody wait for it. False if the pool is
    /// shut down.
    pub full: bool,
}

impl<T> SubmitManyError<T> {
    /// Returns the jobs that were not accepted.
    #[must_use]
    pub fn into_inner(self) -> VecDeque<T> {
        self.rest
    }
}

impl<T> fmt::Debug for SubmitManyError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubmitManyError")
            .field("submitted", &self.submitted.len())
            .field("rest", &self.rest.len())
            .field("full", &self.full)
            .finish()
    }
}

impl<T> fmt::Display for SubmitManyError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.submitted.len() + self.rest.len();
        let why = if self.full { "full" } else { "shut down" };
        write!(f, "the pool is {why}: {} of {all} jobs were not accepted", self.rest.len())
    }
}

impl<T> Error for SubmitManyError<T> {}

/// Why a dead letter was not redriven. It stays a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RedriveError {
    /// There is no dead letter with this number.
    NotFound,
    /// Somebody is looking at the letter at this moment.
    InUse,
    /// As many jobs are held as the capacity allows.
    Full,
    /// The pool is shut down.
    Closed,
}

impl fmt::Display for RedriveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RedriveError::NotFound => "there is no such dead letter",
            RedriveError::InUse => "the dead letter is being looked at",
            RedriveError::Full => "the pool is full",
            RedriveError::Closed => "the pool is shut down",
        })
    }
}

impl Error for RedriveError {}

/// Why a dead letter could not be edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LetterError {
    /// There is no dead letter with this number.
    NotFound,
    /// Somebody is looking at the letter at this moment.
    InUse,
}

impl fmt::Display for LetterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LetterError::NotFound => "there is no such dead letter",
            LetterError::InUse => "the dead letter is being looked at",
        })
    }
}

impl Error for LetterError {}

/// Why redriving stopped before all dead letters were moved. The rest stay dead letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedriveAllError {
    /// How many were moved before.
    pub moved: usize,
    /// Why the next one was not: [`RedriveError::Full`] or [`RedriveError::Closed`].
    pub reason: RedriveError,
}

impl fmt::Display for RedriveAllError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "redriving stopped after {}: {}", self.moved, self.reason)
    }
}

impl Error for RedriveAllError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Neither `Debug` nor `Clone`.
    struct Job(u8);

    #[test]
    fn errors_give_the_job_back_and_show_without_it() {
        type Make = fn(Job) -> SubmitError<Job>;
        let all: [(Make, &str); 5] = [
            (SubmitError::Full, "Full(..)"),
            (SubmitError::Timeout, "Timeout(..)"),
            (SubmitError::Closed, "Closed(..)"),
            (|job| SubmitError::Duplicate { job, holder: JobId::new(1) }, "Duplicate(..)"),
            (SubmitError::Keys, "Keys(..)"),
        ];
        for (error, debug) in all {
            assert_eq!(format!("{:?}", error(Job(1))), debug);
            assert!(!error(Job(1)).to_string().is_empty());
            assert_eq!(error(Job(7)).is_closed(), debug == "Closed(..)");
            assert_eq!(error(Job(7)).into_inner().0, 7);
        }
        let rest = VecDeque::from([Job(2), Job(3)]);
        let many = SubmitManyError { submitted: vec![JobId::new(1)], rest, full: false };
        assert_eq!(many.to_string(), "the pool is shut down: 2 of 3 jobs were not accepted");
        assert_eq!(many.into_inner().len(), 2);
        let stopped = RedriveAllError { moved: 2, reason: RedriveError::Full };
        assert_eq!(stopped.to_string(), "redriving stopped after 2: the pool is full");
    }
}
