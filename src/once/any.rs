//! Results of any type in one store.

use super::error::OnceError;
use super::run::Once;
use super::store::OnceStore;
use crate::sync::Arc;
use std::any::Any;
use std::future::Future;
use std::hash::Hash;

/// A result of any type, as [`PoolBuilder::once`](crate::PoolBuilder::once) keeps them: whoever asks says which type it is.
pub type AnyResult = Arc<dyn Any + Send + Sync>;

impl<S: OnceStore<AnyResult>> Once<AnyResult, S> {
    /// As [`run`](Self::run), for a result of any type. One of another type is a [mismatch](OnceError::Mismatch).
    pub(crate) fn run_any<A, R, E>(
        &self,
        key: &[u8],
        arguments: &A,
        effect: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, OnceError<E>>
    where
        A: Hash + ?Sized,
        R: Any + Clone + Send + Sync,
    {
        let result = self.run(key, arguments, || effect().map(wrap))?;
        unwrap(&result).ok_or(OnceError::Mismatch)
    }

    /// As [`run_async`](Self::run_async), for a result of any type.
    pub(crate) async fn run_any_async<A, R, E, T>(
        &self,
        key: &[u8],
        arguments: &A,
        effect: impl FnOnce() -> T,
    ) -> Result<R, OnceError<E>>
    where
        A: Hash + ?Sized,
        R: Any + Clone + Send + Sync,
        T: Future<Output = Result<R, E>>,
    {
        let result = self.run_async(key, arguments, || async { effect().await.map(wrap) }).await?;
        unwrap(&result).ok_or(OnceError::Mismatch)
    }
}

fn wrap<R: Any + Send + Sync>(result: R) -> AnyResult {
    Arc::new(result)
}

fn unwrap<R: Any + Clone>(result: &AnyResult) -> Option<R> {
    result.downcast_ref::<R>().cloned()
}
