//! Side effects that happen once: a key names the effect, and its result is replayed to whoever asks again.
//!
//! ```text
//!   run(key, arguments, effect)
//!      |-- the key is new ----------------> run the effect --Ok--> keep the result, return it
//!      |                                          '-- Err, panic, dropped --> the key is free again
//!      |-- known, the same arguments -----> return a clone of the result, the effect is not run
//!      |-- known, other arguments --------> Mismatch
//!      '-- the effect is running now -----> wait for its result (`try_run`: InProgress)
//! ```
//!
//! The semantics are those of Stripe's idempotency keys, with one difference: there, a failure is replayed as well; here, the
//! effect may be tried again, because retries are what the pool is for.
//!
//! Two layers. An [`OnceStore`] keeps results by key; the one in memory, [`MemoryStore`], is bounded by count and by age.
//! Above it, callers of the same key *within this process* meet in a flight: one runs the effect, the others wait for it
//! to land. A lock is held for a look at a table and never while user code runs.
//!
//! The store in memory is our own. The caches that are there (moka, mini-moka, quick_cache) drop whichever entry they think
//! fit, and an effect in progress must never be dropped; none of them takes its time from a clock that can be passed in.
//! The rest is a table and a list by age.

#![forbid(unsafe_code)]

mod any;
mod error;
mod fingerprint;
mod flight;
mod memory;
mod run;
mod store;

pub use any::AnyResult;
pub use error::OnceError;
pub use fingerprint::Fingerprint;
pub use memory::{MemoryStore, MemoryStoreStats};
pub use run::{Once, OnceStats};
pub use store::{Begun, OnceStore};
