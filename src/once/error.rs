//! Why an effect has no result.

use std::error::Error;
use std::fmt;

/// Why [`Once::run`](crate::Once::run) has no result. `E` is the effect's own error.
#[derive(Debug)]
#[non_exhaustive]
pub enum OnceError<E> {
    /// The key is in use with other arguments, or for a result of another type: a mistake of the caller. The effect was not run.
    Mismatch,
    /// Somebody else is running the effect, and the call does not wait for it, or cannot: it runs in another process.
    InProgress,
    /// Somebody else was running the effect until the time was up.
    Timeout,
    /// As many effects are running as the store has room for. The effect was not run.
    Full,
    /// The effect was run and failed. The key is free again.
    Effect(E),
    /// The pool was not given a [`Once`](crate::PoolBuilder::once). The effect was not run.
    Unset,
    /// The store could not tell whether the key is in use. The effect was not run.
    Store(Box<dyn Error + Send + Sync>),
}

impl<E> OnceError<E> {
    /// Returns the effect's own error, if it was run and failed.
    #[must_use]
    pub fn into_effect(self) -> Option<E> {
        match self {
            OnceError::Effect(error) => Some(error),
            _ => None,
        }
    }
}

impl<E> fmt::Display for OnceError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OnceError::Mismatch => "the key is in use with other arguments",
            OnceError::InProgress => "the effect of this key is in progress",
            OnceError::Timeout => "the effect of this key was in progress until the time was up",
            OnceError::Full => "there is no room for another key",
            OnceError::Unset => "the pool was given no store of results",
            OnceError::Effect(_) => "the effect failed",
            OnceError::Store(_) => "the store of results failed",
        })
    }
}

impl<E: Error + 'static> Error for OnceError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            OnceError::Effect(error) => Some(error),
            OnceError::Store(error) => Some(&**error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_show_their_sources() {
        let failed = OnceError::Effect(std::io::Error::other("smtp"));
        assert_eq!(failed.source().unwrap().to_string(), "smtp");
        assert_eq!(failed.into_effect().unwrap().to_string(), "smtp");
        let store = OnceError::<std::io::Error>::Store("offline".into());
        assert_eq!(store.source().unwrap().to_string(), "offline");
        assert!(store.into_effect().is_none());
        assert_eq!(OnceError::<fmt::Error>::Mismatch.to_string(), "the key is in use with other arguments");
    }
}
