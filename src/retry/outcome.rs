//! What a handler says about the job it was given.

use super::Failure;
use std::error::Error;
use std::time::Duration;

/// What became of a job in one delivery, and so what happens to it next.
///
/// A handler may return an `Outcome`, `()`, a `Result<(), E>` or a `Result<Outcome, E>`: see [`IntoOutcome`].
///
/// # Examples
///
/// ```
/// use millpond::Outcome;
/// use std::time::Duration;
///
/// fn settle(status: u16) -> Outcome {
///     match status {
///         200 => Outcome::Done,
///         404 => Outcome::dead("no such page"),
///         429 => Outcome::snooze(Duration::from_secs(60)),
///         503 => Outcome::retry_after(Duration::from_secs(5), "the server is busy"),
///         _ => Outcome::retry(format!("status {status}")),
///     }
/// }
/// assert!(matches!(settle(200), Outcome::Done));
/// assert!(matches!(settle(404), Outcome::Dead(_)));
/// ```
#[derive(Debug)]
#[non_exhaustive]
#[must_use = "an outcome does nothing until the handler returns it"]
pub enum Outcome {
    /// The job is done.
    Done,
    /// The attempt failed: deliver the job again after the delay that the policy chooses.
    ///
    /// If the failure is [`Classified`](crate::Classified) as permanent it stands for [`Dead`](Self::Dead), if as throttled
    /// for [`Snooze`](Self::Snooze), unless the policy's [rule](crate::RetryPolicy::decide) says otherwise.
    Retry(Failure),
    /// The attempt failed: deliver the job again after this delay. The limit of attempts holds all the same.
    RetryAfter(Duration, Failure),
    /// Not yet: deliver the job again after this delay. This is not an attempt, so a job may snooze for ever.
    Snooze(Duration),
    /// Not here: deliver the job again at once, to whichever worker is free. This is not an attempt, so a job may be
    /// released for ever; with nobody else to take it, it comes straight back.
    Release,
    /// The job can never succeed: move it to the dead letters.
    Dead(Failure),
    /// The job is not wanted any more: it ends here, neither done nor among the dead letters. It is counted as dropped.
    Drop,
}

impl Outcome {
    /// Says that the attempt failed, and leaves the delay to the policy.
    pub fn retry(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Outcome::Retry(Failure::new(error))
    }

    /// Says that the attempt failed, and how long to wait before the next one.
    pub fn retry_after(delay: Duration, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Outcome::RetryAfter(delay, Failure::new(error))
    }

    /// Asks for the job to come back later, without counting an attempt.
    pub fn snooze(delay: Duration) -> Self {
        Outcome::Snooze(delay)
    }

    /// Says that the job can never succeed.
    pub fn dead(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Outcome::Dead(Failure::new(error))
    }
}

/// What a handler may return: an [`Outcome`], or something that stands for one.
///
/// | a handler returns | it means |
/// |---|---|
/// | `()`, `Ok(())` | [`Outcome::Done`] |
/// | `Err(e)` | [`Outcome::Retry`] with `e` |
/// | `Err(e)`, `e` being [`Classified`](crate::Classified) | what its class says: retry, dead letter or snooze |
/// | `outcome`, `Ok(outcome)` | that outcome |
///
/// Implement it for a type of your own to keep the rules in one place. The conversion runs in the worker, as a part of
/// the handler: a panic in it is a failed attempt.
///
/// # Examples
///
/// ```
/// use millpond::{IntoOutcome, Outcome};
///
/// enum Sent { Accepted, Refused(u16) }
///
/// impl IntoOutcome for Sent {
///     fn into_outcome(self) -> Outcome {
///         match self {
///             Sent::Accepted => Outcome::Done,
///             Sent::Refused(code @ 400..500) => Outcome::retry(format!("answered {code}")),
///             Sent::Refused(code) => Outcome::dead(format!("answered {code}")),
///         }
///     }
/// }
/// assert!(matches!(Sent::Refused(451).into_outcome(), Outcome::Retry(_)));
/// assert!(matches!(Sent::Refused(550).into_outcome(), Outcome::Dead(_)));
/// assert!(matches!(Sent::Accepted.into_outcome(), Outcome::Done));
/// ```
pub trait IntoOutcome {
    /// Converts into the outcome that this value stands for.
    fn into_outcome(self) -> Outcome;
}

impl IntoOutcome for Outcome {
    fn into_outcome(self) -> Outcome {
        self
    }
}

impl IntoOutcome for () {
    fn into_outcome(self) -> Outcome {
        Outcome::Done
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> IntoOutcome for Result<(), E> {
    fn into_outcome(self) -> Outcome {
        self.map_or_else(Outcome::retry, |()| Outcome::Done)
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> IntoOutcome for Result<Outcome, E> {
    fn into_outcome(self) -> Outcome {
        self.unwrap_or_else(Outcome::retry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_return_type_converts() {
        assert!(matches!(().into_outcome(), Outcome::Done));
        assert!(matches!(Ok::<(), String>(()).into_outcome(), Outcome::Done));
        assert!(matches!(Err::<(), &str>("no").into_outcome(), Outcome::Retry(f) if f.to_string() == "no"));
        let snooze = Outcome::snooze(Duration::from_secs(1));
        assert!(matches!(Ok::<_, std::io::Error>(snooze).into_outcome(), Outcome::Snooze(_)));
        let error = Err::<Outcome, _>(std::io::Error::other("io"));
        assert!(matches!(error.into_outcome(), Outcome::Retry(f) if f.is::<std::io::Error>()));
        assert!(matches!(Outcome::dead("x").into_outcome(), Outcome::Dead(_)));
        let after = Outcome::retry_after(Duration::from_secs(2), "busy");
        assert!(matches!(after, Outcome::RetryAfter(delay, _) if delay.as_secs() == 2));
    }
}
