//! Running an effect once for each key.

use super::error::OnceError;
use super::fingerprint::Fingerprint;
use super::flight::{Boarding, Flight, Flights, Landing, Lead};
use super::memory::MemoryStore;
use super::store::{Begun, OnceStore};
use crate::retry::discard;
use crate::sync::Arc;
use crate::sync::atomic::{AtomicU64, Ordering};
use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// Where the events of this module are filed.
const TARGET: &str = "millpond";

/// Runs a side effect once for each key, and replays its result to whoever asks again.
///
/// A pool delivers a job at least once: a handler that failed half-way is called again, and so is one whose answer came too
/// late. Wrap what must not happen twice, the charge on the card or the mail, in [`run`](Self::run), with a key that is the
/// same at each delivery.
///
/// * The key is new: the effect is run. If it is `Ok`, a clone of the result is kept; if it fails or panics, the key is free
///   again, and the next call tries anew.
/// * The key has a result: a clone of it is returned, the effect is not run.
/// * The key is in use with other arguments, by their [`Fingerprint`]: [`OnceError::Mismatch`].
/// * The effect is running in another thread or task: this call waits for its result. If it fails, this call runs its own.
///
/// The results are in a store, [`MemoryStore`] unless another [`OnceStore`] is given. *Once* is as strong as the store: the
/// one in memory forgets with the process, after a time, and when it is full.
///
/// Share it in an `Arc` or a `static`. No lock is held while the effect runs. An effect must not run its own key:
/// it would wait for itself.
///
/// # Examples
///
/// ```
/// use millpond::{Context, Once, Outcome, Pool, RetryPolicy};
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// static CHARGES: AtomicU32 = AtomicU32::new(0);
/// let once: Arc<Once<String>> = Arc::new(Once::in_memory(10_000, Duration::from_secs(24 * 3_600)));
/// let pool = Pool::builder()
///     .retry(RetryPolicy::fixed(Duration::ZERO).max_attempts(3))
///     .start(move |cents: &u32, cx: &Context| {
///         let charged = once.run(format!("charge-{}", cx.id()), cents, || {
///             CHARGES.fetch_add(1, Ordering::Relaxed);
///             Ok::<_, std::io::Error>("receipt 17".to_owned())
///         });
///         match charged {
///             // The mail fails twice, the card is charged once.
///             Ok(receipt) if cx.attempt() < 3 => Outcome::retry(format!("no mail server for {receipt}")),
///             Ok(_) => Outcome::Done,
///             Err(error) => Outcome::retry(error),
///         }
///     })?;
/// pool.submit(4_200)?;
/// assert!(pool.wait_idle(Duration::from_secs(10)));
/// assert_eq!((pool.stats().done, CHARGES.load(Ordering::Relaxed)), (1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Once<R, S = MemoryStore<R>> {
    store: S,
    flights: Flights<R>,
    run: AtomicU64,
    failed: AtomicU64,
    replayed: AtomicU64,
    unrecorded: AtomicU64,
}

/// A snapshot of what a [`Once`] has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OnceStats {
    /// Effects that were run and had a result.
    pub run: u64,
    /// Effects that were run and failed, panicked, or were dropped half-way.
    pub failed: u64,
    /// Results given without running an effect.
    pub replayed: u64,
    /// Effects that had a result which the store could not keep: they would be run again.
    pub unrecorded: u64,
    /// Calls that run an effect, or look for its result, at this moment.
    pub in_progress: u64,
}

/// How long a call waits for another that runs the same effect.
#[derive(Clone, Copy)]
enum Patience {
    None,
    Until(Instant),
    Endless,
}

impl<R> Once<R> {
    /// Makes one with a [`MemoryStore`] of `capacity` keys at most, whose results are kept for `keep` each.
    ///
    /// # Panics
    ///
    /// When `capacity` is 0.
    #[must_use]
    pub fn in_memory(capacity: usize, keep: Duration) -> Self {
        Self::with_store(MemoryStore::new(capacity, keep))
    }
}

impl<R, S> Once<R, S> {
    /// Makes one with a store of your choice.
    #[must_use]
    pub fn with_store(store: S) -> Self {
        let [run, failed, replayed, unrecorded] = [const { AtomicU64::new(0) }; 4];
        Self { store, flights: Flights::new(), run, failed, replayed, unrecorded }
    }

    /// Returns the store.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Takes a snapshot.
    #[must_use]
    pub fn stats(&self) -> OnceStats {
        // ORDERING: Relaxed on all counters; a snapshot.
        let [run, failed, replayed, unrecorded] = [&self.run, &self.failed, &self.replayed, &self.unrecorded]
            .map(|counter| counter.load(Ordering::Relaxed));
        OnceStats { run, failed, replayed, unrecorded, in_progress: self.flights.len() as u64 }
    }
}

impl<R: Clone, S: OnceStore<R>> Once<R, S> {
    /// Runs the effect, or returns the result it had before. Waits while somebody else runs it.
    ///
    /// # Errors
    ///
    /// [`OnceError::Effect`] when the effect was run and failed; [`OnceError::Mismatch`] when the key is in use with other
    /// arguments; [`OnceError::Full`], [`OnceError::Store`] and [`OnceError::InProgress`] when the store says so.
    ///
    /// # Panics
    ///
    /// When the effect panics. The key is free again then.
    ///
    /// # Blocking
    ///
    /// Parks the thread while another runs the effect.
    pub fn run<A: Hash + ?Sized, E>(
        &self,
        key: impl AsRef<[u8]>,
        arguments: &A,
        effect: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, OnceError<E>> {
        self.run_with(key.as_ref(), Fingerprint::of(arguments), Patience::Endless, effect)
    }

    /// As [`run`](Self::run), but does not wait while somebody else runs the effect.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run), and [`OnceError::InProgress`] instead of waiting.
    ///
    /// # Panics
    ///
    /// As [`run`](Self::run).
    pub fn try_run<A: Hash + ?Sized, E>(
        &self,
        key: impl AsRef<[u8]>,
        arguments: &A,
        effect: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, OnceError<E>> {
        self.run_with(key.as_ref(), Fingerprint::of(arguments), Patience::None, effect)
    }

    /// As [`run`](Self::run), but waits up to `timeout`, in real time, while somebody else runs the effect.
    ///
    /// The effect itself is not timed.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run), and [`OnceError::Timeout`].
    ///
    /// # Panics
    ///
    /// As [`run`](Self::run).
    ///
    /// # Blocking
    ///
    /// As [`run`](Self::run), until the time is up.
    pub fn run_timeout<A: Hash + ?Sized, E>(
        &self,
        key: impl AsRef<[u8]>,
        arguments: &A,
        timeout: Duration,
        effect: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, OnceError<E>> {
        let patience = Instant::now().checked_add(timeout).map_or(Patience::Endless, Patience::Until);
        self.run_with(key.as_ref(), Fingerprint::of(arguments), patience, effect)
    }

    /// Runs the effect from a task, or returns the result it had before. Waits while somebody else runs it.
    ///
    /// The future does nothing until it is polled, except that `arguments` are looked at at once.
    ///
    /// *Cancel safety.* Dropped while it waits, it has done nothing. Dropped while its effect runs, that is dropped half-way,
    /// and the key is free again: whoever waits for it runs the effect anew. Works with any executor.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    ///
    /// # Panics
    ///
    /// As [`run`](Self::run).
    ///
    /// # Examples
    ///
    /// ```
    /// use millpond::Once;
    /// use std::time::Duration;
    ///
    /// let once = Once::in_memory(100, Duration::from_secs(60));
    /// futures::executor::block_on(async {
    ///     let send = || once.run_async("mail-7", "alice@example.com", async || Ok::<_, String>(250));
    ///     assert_eq!(send().await.unwrap(), 250);
    ///     assert_eq!(send().await.unwrap(), 250);
    /// });
    /// assert_eq!((once.stats().run, once.stats().replayed), (1, 1));
    /// ```
    pub fn run_async<'o, K, A, E, F, T>(
        &'o self,
        key: K,
        arguments: &A,
        effect: F,
    ) -> impl Future<Output = Result<R, OnceError<E>>> + use<'o, K, A, E, F, T, R, S>
    where
        K: AsRef<[u8]>,
        A: Hash + ?Sized,
        F: FnOnce() -> T,
        T: Future<Output = Result<R, E>>,
    {
        let fingerprint = Fingerprint::of(arguments);
        async move {
            let lead = loop {
                match self.flights.board(key.as_ref(), fingerprint) {
                    Boarding::Lead(lead) => break lead,
                    Boarding::Follow(flight) => {
                        check(&flight, fingerprint)?;
                        if let Landing::Result(result) = flight.watch().await {
                            return Ok(self.replay(&result));
                        }
                    }
                }
            };
            let claim = match self.begin(lead, fingerprint)? {
                Started::Claim(claim) => claim,
                Started::Replay(result) => return Ok(self.replay(&result)),
            };
            self.end(claim, effect().await)
        }
    }

    fn run_with<E>(
        &self,
        key: &[u8],
        fingerprint: Fingerprint,
        patience: Patience,
        effect: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, OnceError<E>> {
        let lead = loop {
            match self.flights.board(key, fingerprint) {
                Boarding::Lead(lead) => break lead,
                Boarding::Follow(flight) => {
                    check(&flight, fingerprint)?;
                    let landing = match patience {
                        Patience::None => return Err(OnceError::InProgress),
                        Patience::Until(deadline) => flight.wait(Some(deadline)).ok_or(OnceError::Timeout)?,
                        Patience::Endless => flight.wait(None).ok_or(OnceError::Timeout)?,
                    };
                    if let Landing::Result(result) = landing {
                        return Ok(self.replay(&result));
                    }
                }
            }
        };
        match self.begin(lead, fingerprint)? {
            Started::Claim(claim) => self.end(claim, effect()),
            Started::Replay(result) => Ok(self.replay(&result)),
        }
    }

    /// Asks the store, and claims the key if its effect is to be run.
    fn begin<'o, E>(
        &'o self,
        lead: Lead<'o, R>,
        fingerprint: Fingerprint,
    ) -> Result<Started<'o, R, S>, OnceError<E>> {
        match self.store.begin(&lead.key, fingerprint) {
            Ok(Begun::Claimed) => Ok(Started::Claim(Claim { once: self, lead: Some(lead), fingerprint })),
            Ok(Begun::Replay(result)) => {
                lead.land(Arc::clone(&result));
                Ok(Started::Replay(result))
            }
            Ok(Begun::Mismatch) => Err(OnceError::Mismatch),
            Ok(Begun::InProgress) => Err(OnceError::InProgress),
            Ok(Begun::Full) => Err(OnceError::Full),
            Err(error) => Err(OnceError::Store(Box::new(error))),
        }
    }

    /// Keeps what the effect has brought, or frees the key.
    fn end<E>(&self, claim: Claim<'_, R, S>, brought: Result<R, E>) -> Result<R, OnceError<E>> {
        match brought {
            Ok(result) => {
                let result = Arc::new(result);
                claim.complete(&result);
                Ok((*result).clone())
            }
            Err(error) => Err(OnceError::Effect(error)),
        }
    }

    fn replay(&self, result: &Arc<R>) -> R {
        count(&self.replayed);
        (**result).clone()
    }
}

/// Refuses to wait for an effect with other arguments.
fn check<R, E>(flight: &Flight<R>, fingerprint: Fingerprint) -> Result<(), OnceError<E>> {
    if flight.fingerprint == fingerprint { Ok(()) } else { Err(OnceError::Mismatch) }
}

fn count(counter: &AtomicU64) {
    // ORDERING: Relaxed; a count.
    counter.fetch_add(1, Ordering::Relaxed);
}

/// What the store's answer leads to.
enum Started<'o, R, S: OnceStore<R>> {
    Claim(Claim<'o, R, S>),
    Replay(Arc<R>),
}

/// A key whose effect is being run. Dropped, by a panic or with a future, it is free again.
struct Claim<'o, R, S: OnceStore<R>> {
    once: &'o Once<R, S>,
    /// None once it has landed.
    lead: Option<Lead<'o, R>>,
    fingerprint: Fingerprint,
}

impl<R, S: OnceStore<R>> Claim<'_, R, S> {
    fn complete(mut self, result: &Arc<R>) {
        let Some(lead) = self.lead.take() else { return };
        count(&self.once.run);
        if let Err(error) = self.once.store.complete(&lead.key, self.fingerprint, result) {
            count(&self.once.unrecorded);
            tracing::error!(target: TARGET, %error, "the result of an effect was not kept: it may be run again");
        }
        lead.land(Arc::clone(result));
    }
}

impl<R, S: OnceStore<R>> Drop for Claim<'_, R, S> {
    fn drop(&mut self) {
        let Some(lead) = &self.lead else { return };
        count(&self.once.failed);
        // A store is user code, and this may run while a panic of the effect unwinds.
        match catch_unwind(AssertUnwindSafe(|| self.once.store.abandon(&lead.key, self.fingerprint))) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(target: TARGET, %error, "the key of an effect that failed was not freed");
            }
            Err(payload) => {
                discard(payload);
                tracing::error!(target: TARGET, "the store panicked when it was to free the key of an effect that failed");
            }
        }
    }
}

impl<R, S: fmt::Debug> fmt::Debug for Once<R, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once")
            .field("store", &self.store)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

// Usable after a panic was caught, whatever it was that panicked (promise 9), if its store is.
impl<R, S: std::panic::UnwindSafe> std::panic::UnwindSafe for Once<R, S> {}
impl<R, S: std::panic::RefUnwindSafe> std::panic::RefUnwindSafe for Once<R, S> {}
