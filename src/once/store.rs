//! What a store of results has to do.

use super::fingerprint::Fingerprint;
use crate::sync::Arc;
use std::error::Error;

/// Keeps the results of effects by their keys.
///
/// [`Once`](crate::Once) calls [`begin`](Self::begin) before an effect. If the answer is [`Begun::Claimed`], it runs the effect
/// and then calls [`complete`](Self::complete) or [`abandon`](Self::abandon), once. A store that several processes share
/// must give a claim to one of them at a time, and should let the claims of processes that died run out.
///
/// The methods may block: asynchronous callers call them, too, and count on that being short.
pub trait OnceStore<R> {
    /// Why the store could not do what it was asked.
    type Error: Error + Send + Sync + 'static;

    /// Looks for the result of `key`. If there is none, and nobody else is about to make one, claims the key.
    ///
    /// # Errors
    ///
    /// When the store cannot tell. Then the effect is not run.
    fn begin(&self, key: &[u8], fingerprint: Fingerprint) -> Result<Begun<R>, Self::Error>;

    /// Keeps the result of a key that the caller has claimed.
    ///
    /// # Errors
    ///
    /// When the result could not be kept. The effect has happened all the same.
    fn complete(&self, key: &[u8], fingerprint: Fingerprint, result: &Arc<R>) -> Result<(), Self::Error>;

    /// Frees a key that the caller has claimed: its effect failed.
    ///
    /// # Errors
    ///
    /// When the key could not be freed.
    fn abandon(&self, key: &[u8], fingerprint: Fingerprint) -> Result<(), Self::Error>;
}

/// What a store says about a key.
#[derive(Debug)]
#[non_exhaustive]
pub enum Begun<R> {
    /// It was free, and is the caller's now.
    Claimed,
    /// It has a result, made with the same arguments.
    Replay(Arc<R>),
    /// It is in use with other arguments.
    Mismatch,
    /// Somebody else is running its effect.
    InProgress,
    /// It was free, but the store has no room for it.
    Full,
}
