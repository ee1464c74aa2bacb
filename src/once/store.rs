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
///
/// # Examples
/// A store that keeps everything for ever:
/// ```
/// use millpond::{Begun, Fingerprint, Once, OnceStore};
/// use std::collections::HashMap;
/// use std::convert::Infallible;
/// use std::sync::{Arc, Mutex};
///
/// /// `None`: somebody is making the result.
/// #[derive(Default)]
/// struct Table(Mutex<HashMap<Vec<u8>, (Fingerprint, Option<Arc<u64>>)>>);
///
/// impl OnceStore<u64> for Table {
///     type Error = Infallible;
///     fn begin(&self, key: &[u8], fingerprint: Fingerprint) -> Result<Begun<u64>, Infallible> {
///         let mut table = self.0.lock().unwrap();
///         Ok(match table.get(key) {
///             Some((other, _)) if *other != fingerprint => Begun::Mismatch,
///             Some((_, Some(result))) => Begun::Replay(Arc::clone(result)),
///             Some((_, None)) => Begun::InProgress,
///             None => {
///                 table.insert(key.to_vec(), (fingerprint, None));
///                 Begun::Claimed
///             }
///         })
///     }
///     fn complete(&self, key: &[u8], fingerprint: Fingerprint, result: &Arc<u64>) -> Result<(), Infallible> {
///         self.0.lock().unwrap().insert(key.to_vec(), (fingerprint, Some(Arc::clone(result))));
///         Ok(())
///     }
///     fn abandon(&self, key: &[u8], _: Fingerprint) -> Result<(), Infallible> {
///         self.0.lock().unwrap().remove(key);
///         Ok(())
///     }
/// }
/// # let _ = Table::default();
/// ```
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
