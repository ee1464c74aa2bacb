//! Patterns: which topics a subscription is about.

use super::name::TopicName;
use super::word::{self, Fault, WORDS_MAX, Wildcards};
use crate::sync::Arc;
use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// The word that stands for exactly one word.
pub(super) const ONE: &str = "*";
/// The word that stands for any number of words, none included.
pub(super) const MANY: &str = "#";

/// Which topics a subscription is about: a name in which `*` stands for exactly one word, and `#` for any number of
/// words, none included.
///
/// | pattern | matches | does not match |
/// |---|---|---|
/// | `user.signed_up` | `user.signed_up` | everything else |
/// | `user.*` | `user.signed_up` | `user`, `user.address.changed` |
/// | `user.#` | `user`, `user.signed_up`, `user.address.changed` | `users` |
/// | `#.changed` | `changed`, `user.address.changed` | `user.changed.back` |
/// | `#` | every name | |
///
/// The limits of a [`TopicName`] are those of a pattern. Cheap to clone: the text is shared.
///
/// # Examples
/// ```
/// use millpond::topic::{Fault, Pattern, TopicName};
///
/// let pattern: Pattern = "user.#".parse()?;
/// assert!(pattern.matches(&TopicName::new("user.address.changed")?));
///
/// let error = "user.sign*".parse::<Pattern>().unwrap_err();
/// assert_eq!((error.position, error.fault), (9, Fault::Wildcard('*')));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Pattern(Arc<str>);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`PatternError`] with the position of the leftmost fault.
    pub fn new(text: impl AsRef<str>) -> Result<Self, PatternError> {
        let text = text.as_ref();
        match word::check(text, Wildcards::Allowed) {
            Ok(()) => Ok(Self(text.into())),
            Err((position, fault)) => Err(PatternError { position, fault }),
        }
    }

    /// Returns the pattern as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the topic of this name is meant.
    ///
    /// Takes the product of the two numbers of words at most, whatever the pattern.
    #[must_use]
    pub fn matches(&self, name: &TopicName) -> bool {
        let mut places = [""; WORDS_MAX];
        let mut count = 0;
        for word in self.words() {
            places[count] = word;
            count += 1;
        }
        let words = &places[..count];
        // Bit `i`: the words so far can be those that the first `i` words of the pattern stand for.
        let mut reached = skip_many(words, 1);
        for word in name.words() {
            let mut next = 0;
            for (index, expected) in words.iter().enumerate().filter(|(index, _)| reached >> index & 1 == 1) {
                match *expected {
                    MANY => next |= 1 << index,
                    ONE => next |= 2 << index,
                    expected if expected == word => next |= 2 << index,
                    _ => {}
                }
            }
            reached = skip_many(words, next);
        }
        reached >> count & 1 == 1
    }

    /// Returns its words, from left to right, `*` and `#` among them.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        word::words(&self.0)
    }

    /// Returns the text that every name that matches begins with: the words before the first wildcard.
    pub(super) fn prefix(&self) -> &str {
        let wildcard = self.words().position(|word| word == ONE || word == MANY);
        let Some(wildcard) = wildcard else { return &self.0 };
        let bytes: usize = self.words().take(wildcard).map(|word| word.len() + 1).sum();
        // Without the last dot: `user.#` matches `user`.
        &self.0[..bytes.saturating_sub(1)]
    }
}

/// Adds the places behind each `#` that is reached: it may stand for no word at all.
fn skip_many(words: &[&str], mut reached: u32) -> u32 {
    for (index, word) in words.iter().enumerate() {
        if reached >> index & 1 == 1 && *word == MANY {
            reached |= 2 << index;
        }
    }
    reached
}

impl From<TopicName> for Pattern {
    /// The pattern of this name alone.
    fn from(name: TopicName) -> Self {
        Self(name.as_str().into())
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        Self::new(text)
    }
}

impl AsRef<str> for Pattern {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PatternError {
    /// Where, in bytes from the beginning.
    pub position: usize,
    /// What.
    pub fault: Fault,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a pattern, at byte {}: {}", self.position, self.fault)
    }
}

impl Error for PatternError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_is_what_stands_before_the_first_wildcard() {
        for (pattern, prefix) in [
            ("user.signed_up", "user.signed_up"),
            ("user.*", "user"),
            ("user.signed.#.x", "user.signed"),
            ("*.user", ""),
            ("#", ""),
        ] {
            assert_eq!(Pattern::new(pattern).unwrap().prefix(), prefix, "{pattern}");
        }
    }
}
