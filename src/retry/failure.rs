//! Why an attempt failed.

use super::classify::{Classified, ErrorClass};
use super::discard::discard;
use std::any::Any;
use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The error of a failed attempt: whatever the handler returned, or the message of its panic.
///
/// It takes one allocation, the box of the error itself; an error that was [`Classified`] keeps its class and takes two. A
/// `Failure` converts back into that box, so it can be passed on wherever an error is expected.
///
/// # Examples
///
/// ```
/// use millpond::{Failure, FailureKind};
///
/// let failure = Failure::new(std::io::Error::other("the disk is full"));
/// assert!(failure.is::<std::io::Error>());
/// assert_eq!(failure.kind(), FailureKind::Error);
/// assert_eq!(failure.to_string(), "the disk is full");
/// ```
pub struct Failure(Box<dyn Error + Send + Sync>);

/// Where a [`Failure`] comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// The handler returned it.
    Error,
    /// The handler panicked; the text is the message of the panic.
    Panic,
    /// The time of the attempt was up, and the handler was stopped.
    Timeout,
    /// The lease ran out before the delivery was settled.
    LeaseLost,
    /// The delivery was dropped unsettled.
    Abandoned,
    /// The job's time to live was over.
    Expired,
}

impl Failure {
    /// Wraps an error, or a text.
    #[must_use]
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(error.into())
    }

    /// Makes a failure from what `catch_unwind` caught. The payload stays the caller's: dropping it is user code.
    pub(crate) fn from_panic(payload: &(dyn Any + Send)) -> Self {
        let message = if let Some(message) = payload.downcast_ref::<&'static str>() {
            (*message).to_owned()
        } else if let Some(message) = payload.downcast_ref::<String>() {
            message.clone()
        } else {
            "a panic whose payload is not a text".to_owned()
        };
        Self(Box::new(Stopped { kind: FailureKind::Panic, text: message.into() }))
    }

    pub(crate) fn timeout() -> Self {
        Self::stopped(FailureKind::Timeout, "the time of the attempt was up")
    }

    pub(crate) fn lease_lost() -> Self {
        Self::stopped(FailureKind::LeaseLost, "the lease ran out")
    }

    pub(crate) fn abandoned() -> Self {
        Self::stopped(FailureKind::Abandoned, "the delivery was dropped unsettled")
    }

    pub(crate) fn expired() -> Self {
        Self::stopped(FailureKind::Expired, "the job's time to live was over")
    }

    fn stopped(kind: FailureKind, text: &'static str) -> Self {
        Self(Box::new(Stopped { kind, text: text.into() }))
    }

    /// Returns where this failure comes from.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        self.downcast_ref::<Stopped>().map_or(FailureKind::Error, |stopped| stopped.kind)
    }

    /// Returns whether another attempt can help. Whatever was not [`Classified`] is transient.
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::{Classified, ErrorClass, Failure};
    ///
    /// let failure = Failure::new(Classified::permanent(std::io::Error::other("no such user")));
    /// assert_eq!(failure.class(), ErrorClass::Permanent);
    /// assert!(failure.is::<std::io::Error>());
    /// assert_eq!(Failure::new("unknown").class(), ErrorClass::Transient);
    /// ```
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        self.0.downcast_ref().map_or(ErrorClass::default(), Classified::class)
    }

    /// Returns true when the error is an `E`, classified or not.
    #[must_use]
    pub fn is<E: Error + 'static>(&self) -> bool {
        self.downcast_ref::<E>().is_some()
    }

    /// Returns the error if it is an `E`, classified or not.
    #[must_use]
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.0.downcast_ref().or_else(|| self.error().downcast_ref())
    }

    /// Returns the error's text. Writing it is user code: if that panics, a text that says so stands in.
    pub(crate) fn text(&self) -> String {
        catch_unwind(AssertUnwindSafe(|| self.to_string())).unwrap_or_else(|payload| {
            discard(payload);
            "an error whose text cannot be written: it panicked".to_owned()
        })
    }

    /// Returns the error itself, for its sources.
    #[must_use]
    pub fn error(&self) -> &(dyn Error + Send + Sync + 'static) {
        self.0.downcast_ref().map_or(&*self.0, Classified::error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure").field("kind", &self.kind()).field("error", &self.0).finish()
    }
}

impl From<Failure> for Box<dyn Error + Send + Sync> {
    fn from(failure: Failure) -> Self {
        failure.0
    }
}

/// The error that stands for a handler which returned nothing: what stopped it, and a text.
#[derive(Debug)]
struct Stopped {
    kind: FailureKind,
    text: Cow<'static, str>,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Stopped {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_error_and_its_type() {
        let failure = Failure::new(std::io::Error::other("boom"));
        assert_eq!(failure.kind(), FailureKind::Error);
        assert!(failure.is::<std::io::Error>() && !failure.is::<fmt::Error>());
        assert_eq!(failure.downcast_ref::<std::io::Error>().unwrap().kind(), std::io::ErrorKind::Other);
        assert_eq!(failure.error().to_string(), "boom");
        assert!(format!("{failure:?}").contains("boom"));
    }

    #[test]
    fn a_class_is_remembered_and_the_error_found_through_it() {
        let wait = std::time::Duration::from_secs(7);
        let failure = Failure::new(Classified::throttled(wait, std::io::Error::other("busy")));
        assert_eq!((failure.class(), failure.kind()), (ErrorClass::Throttled(wait), FailureKind::Error));
        assert!(failure.is::<std::io::Error>() && failure.is::<Classified>() && !failure.is::<fmt::Error>());
        assert!(failure.error().is::<std::io::Error>());
        let passed_on = Failure::new(failure);
        assert_eq!(passed_on.class(), ErrorClass::Throttled(wait));
        assert_eq!(Failure::from_panic(&"p").class(), ErrorClass::Transient);
    }

    #[test]
    fn what_stops_a_handler_has_a_kind_and_a_text() {
        for (failure, kind, text) in [
            (Failure::timeout(), FailureKind::Timeout, "the time of the attempt was up"),
            (Failure::lease_lost(), FailureKind::LeaseLost, "the lease ran out"),
            (Failure::abandoned(), FailureKind::Abandoned, "the delivery was dropped unsettled"),
            (Failure::expired(), FailureKind::Expired, "the job's time to live was over"),
        ] {
            assert_eq!((failure.kind(), failure.to_string().as_str()), (kind, text));
            assert_eq!(failure.class(), ErrorClass::Transient);
        }
    }

    #[test]
    fn texts_are_errors_too() {
        assert_eq!(Failure::new("plain").to_string(), "plain");
        assert_eq!(Failure::new(String::from("owned")).to_string(), "owned");
    }

    #[test]
    fn a_panic_becomes_its_message() {
        let payloads: [(Box<dyn Any + Send>, &str); 3] = [
            (Box::new("literal"), "literal"),
            (Box::new(String::from("formatted")), "formatted"),
            (Box::new(7u8), "a panic whose payload is not a text"),
        ];
        for (payload, message) in payloads {
            let failure = Failure::from_panic(&*payload);
            assert_eq!(failure.kind(), FailureKind::Panic);
            assert_eq!(failure.to_string(), message);
        }
    }

    #[test]
    fn passing_a_failure_on_does_not_wrap_it_again() {
        let failure = Failure::new(Failure::from_panic(&"once"));
        assert_eq!(failure.kind(), FailureKind::Panic);
    }

    #[test]
    fn an_error_that_cannot_be_shown_has_a_text_all_the_same() {
        #[derive(Debug)]
        struct Mute;
        impl fmt::Display for Mute {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                panic!("no words")
            }
        }
        impl Error for Mute {}
        assert!(Failure::new(Mute).text().contains("cannot be written"));
        assert_eq!(Failure::new("plain").text(), "plain");
    }

    #[test]
    fn is_as_small_as_a_boxed_error() {
        assert_eq!(size_of::<Option<Failure>>(), 2 * size_of::<usize>());
    }
}
