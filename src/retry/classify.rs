//! Errors that know whether another attempt can help.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

/// Whether another attempt can help.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorClass {
    /// It may go better next time: a failed attempt, and the policy chooses the delay. What every other error is taken for.
    #[default]
    Transient,
    /// It will go wrong each time: a dead letter at once.
    Permanent,
    /// The other side asks to wait that long: the job snoozes, and no attempt is counted.
    Throttled(Duration),
}

/// An error that says itself whether another attempt can help.
///
/// Implement it for the errors of your handlers, let the handlers return `Result<(), Classified>`, and `?` does the rest: see
/// [`Classified`].
///
/// # Examples
///
/// ```
/// use millpond::{Classify, ErrorClass};
/// use std::time::Duration;
///
/// struct Answered { status: u16, retry_after: Option<Duration> }
///
/// impl Classify for Answered {
///     fn class(&self) -> ErrorClass {
///         match (self.status, self.retry_after) {
///             (429 | 503, Some(wait)) => ErrorClass::Throttled(wait),
///             (408 | 425 | 429 | 500..=599, _) => ErrorClass::Transient,
///             _ => ErrorClass::Permanent,
///         }
///     }
/// }
/// assert_eq!(Answered { status: 404, retry_after: None }.class(), ErrorClass::Permanent);
/// ```
pub trait Classify {
    /// Returns whether another attempt can help.
    fn class(&self) -> ErrorClass;
}

/// An error of the system is permanent where the request itself is at fault, and transient otherwise.
///
/// Permanent: `NotFound`, `PermissionDenied`, `AlreadyExists`, `InvalidInput`, `InvalidData`, `Unsupported`, `NotADirectory`,
/// `IsADirectory`, `DirectoryNotEmpty`, `ReadOnlyFilesystem`, `FileTooLarge`, `NotSeekable`, `TooManyLinks`, `CrossesDevices` and
/// `ArgumentListTooLong`. Every other kind, and those that the standard library will add, is transient. If a file that is
/// missing may yet appear, say [`Classified::transient`].
///
/// Source: the status codes that gRPC advises not to retry (`INVALID_ARGUMENT`, `NOT_FOUND`, `ALREADY_EXISTS`,
/// `PERMISSION_DENIED`, `UNIMPLEMENTED`), and the kinds that say the same of a file.
impl Classify for io::Error {
    fn class(&self) -> ErrorClass {
        use io::ErrorKind as Kind;
        match self.kind() {
            Kind::NotFound
            | Kind::PermissionDenied
            | Kind::AlreadyExists
            | Kind::InvalidInput
            | Kind::InvalidData
            | Kind::Unsupported
            | Kind::NotADirectory
            | Kind::IsADirectory
            | Kind::DirectoryNotEmpty
            | Kind::ReadOnlyFilesystem
            | Kind::FileTooLarge
            | Kind::NotSeekable
            | Kind::TooManyLinks
            | Kind::CrossesDevices
            | Kind::ArgumentListTooLong => ErrorClass::Permanent,
            _ => ErrorClass::Transient,
        }
    }
}

/// An error together with its class: what a handler returns, so that `?` decides what becomes of the job.
///
/// It is made from every error that is [`Classify`] by `?`, and from any other by [`transient`](Self::transient),
/// [`permanent`](Self::permanent) or [`throttled`](Self::throttled). Text and sources are those of the error inside, and a
/// [`Failure`](crate::Failure) made of it finds the error inside as well.
///
/// # Examples
///
/// ```
/// use millpond::{Classified, Context, ErrorClass, IntoOutcome, Pool};
/// use std::time::Duration;
///
/// fn index(path: &String, _: &Context) -> Result<(), Classified> {
///     let text = std::fs::read_to_string(path)?; // `NotFound` is permanent, a network drive that is away is not
///     let _words: u32 = text.trim().parse().map_err(Classified::permanent)?;
///     Ok(())
/// }
///
/// let pool = Pool::builder().workers(1).start(index)?;
/// pool.submit("/no/such/file".to_owned())?;
/// assert!(pool.wait_idle(Duration::from_secs(10)));
/// assert_eq!(pool.stats().dead, 1, "no second attempt");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Classified {
    class: ErrorClass,
    error: Box<dyn Error + Send + Sync>,
}

impl Classified {
    /// Gives an error, or a text, a class.
    #[must_use]
    pub fn new(class: ErrorClass, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { class, error: error.into() }
    }

    /// Says that it may go better next time.
    #[must_use]
    pub fn transient(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorClass::Transient, error)
    }

    /// Says that it will go wrong each time.
    #[must_use]
    pub fn permanent(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorClass::Permanent, error)
    }

    /// Says that the other side asks to wait that long.
    #[must_use]
    pub fn throttled(wait: Duration, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorClass::Throttled(wait), error)
    }

    /// Returns whether another attempt can help.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        self.class
    }

    /// Returns the error itself.
    #[must_use]
    pub fn error(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.error
    }

    /// Takes the error out.
    #[must_use]
    pub fn into_inner(self) -> Box<dyn Error + Send + Sync> {
        self.error
    }
}

impl<E: Classify + Error + Send + Sync + 'static> From<E> for Classified {
    /// Asks the error for its class, and boxes it.
    fn from(error: E) -> Self {
        Self { class: error.class(), error: Box::new(error) }
    }
}

impl fmt::Display for Classified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl fmt::Debug for Classified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Classified").field("class", &self.class).field("error", &self.error).finish()
    }
}

impl Error for Classified {
    /// The source of the error inside: the text is that error's own already.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_system_have_a_class() {
        use io::ErrorKind as Kind;
        for kind in [Kind::NotFound, Kind::PermissionDenied, Kind::InvalidData, Kind::IsADirectory] {
            assert_eq!(io::Error::from(kind).class(), ErrorClass::Permanent, "{kind}");
        }
        for kind in [
            Kind::TimedOut,
            Kind::ConnectionReset,
            Kind::HostUnreachable,
            Kind::StorageFull,
            Kind::UnexpectedEof,
            Kind::Interrupted,
            Kind::OutOfMemory,
            Kind::Other,
        ] {
            assert_eq!(io::Error::from(kind).class(), ErrorClass::Transient, "{kind}");
        }
        assert_eq!(io::Error::from_raw_os_error(i32::MAX).class(), ErrorClass::default());
    }

    #[test]
    fn the_question_mark_asks_for_the_class() {
        fn read(kind: io::ErrorKind) -> Result<(), Classified> {
            Err(io::Error::from(kind))?;
            Ok(())
        }
        let missing = read(io::ErrorKind::NotFound).unwrap_err();
        assert_eq!(missing.class(), ErrorClass::Permanent);
        assert!(missing.error().is::<io::Error>());
        assert_eq!(read(io::ErrorKind::TimedOut).unwrap_err().class(), ErrorClass::Transient);
        assert!(read(io::ErrorKind::Other).unwrap_err().into_inner().is::<io::Error>());
    }

    #[test]
    fn text_and_source_are_those_of_the_error_inside() {
        let inner = io::Error::other(fmt::Error);
        let (text, source) = (inner.to_string(), inner.source().is_some());
        let error = Classified::throttled(Duration::from_secs(3), inner);
        assert_eq!((error.to_string(), error.source().is_some()), (text, source));
        assert_eq!(error.class(), ErrorClass::Throttled(Duration::from_secs(3)));
        assert_eq!(Classified::permanent("plain").to_string(), "plain");
        assert!(format!("{:?}", Classified::transient("shown")).contains("Transient"));
    }
}
