//! The names of topics.

use super::word::{self, Fault, Wildcards};
use crate::sync::Arc;
use std::borrow::Borrow;
use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// The name of a topic: words with dots between them, such as `user.signed_up`.
///
/// A word is one or more ASCII letters, digits, `_` or `-`; upper and lower case differ. A name has 16 words and 255
/// bytes at most. Cheap to clone: the text is shared.
///
/// # Examples
/// ```
/// use millpond::topic::{Fault, TopicName};
///
/// let name: TopicName = "user.signed_up".parse()?;
/// assert_eq!(name.words().collect::<Vec<_>>(), ["user", "signed_up"]);
///
/// let error = "user..signed_up".parse::<TopicName>().unwrap_err();
/// assert_eq!((error.position, error.fault), (5, Fault::EmptyWord));
/// # Ok::<(), millpond::topic::NameError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicName(Arc<str>);

impl TopicName {
    /// Reads a name.
    ///
    /// # Errors
    /// [`NameError`] with the position of the leftmost fault.
    pub fn new(text: impl AsRef<str>) -> Result<Self, NameError> {
        let text = text.as_ref();
        match word::check(text, Wildcards::Refused) {
            Ok(()) => Ok(Self(text.into())),
            Err((position, fault)) => Err(NameError { position, fault }),
        }
    }

    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns its words, from left to right. There is at least one.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        word::words(&self.0)
    }
}

impl FromStr for TopicName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl AsRef<str> for TopicName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Ordered, compared and hashed as the text is.
impl Borrow<str> for TopicName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// Why a text is no topic name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NameError {
    /// Where, in bytes from the beginning.
    pub position: usize,
    /// What.
    pub fault: Fault,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a topic name, at byte {}: {}", self.position, self.fault)
    }
}

impl Error for NameError {}
