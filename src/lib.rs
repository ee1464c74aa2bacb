//! Bounded channels with backpressure, and a worker pool that acknowledges, retries and dead-letters.
//!
//! Work arrives when it likes, the wheel turns at its own pace, and a gate keeps the pond from flooding.
//!
//! | you want | use |
//! |---|---|
//! | to hand values from threads or tasks to others, each to one | [`bounded`] |
//! | to have jobs worked on by threads, with retries and dead letters | [`Pool`] |

mod channel;
#[cfg(not(millpond_loom))]
mod pool;
mod queue;
#[cfg(not(millpond_loom))]
mod retry;
mod ring;
mod sync;
#[cfg(not(millpond_loom))]
mod time;
mod wait;

#[cfg(feature = "stream")]
pub use channel::RecvStream;
pub use channel::{
    IntoIter, Iter, Receiver, RecvError, RecvFuture, RecvTimeoutError, SendError, SendFuture, SendManyError,
    SendTimeoutError, Sender, TryIter, TryRecvError, TrySendError, bounded,
};

#[cfg(not(millpond_loom))]
pub use pool::{BuildError, Context, DeadLetters, Handle, Pool, PoolBuilder, ShutdownReport};
#[cfg(not(millpond_loom))]
pub use queue::{
    AttemptRecord, DeadFull, DeadInfo, DeadLetter, JobId, RedriveAllError, RedriveError, Released, Stats,
    SubmitError, SubmitFuture, SubmitManyError,
};
#[cfg(not(millpond_loom))]
pub use retry::{DeadReason, Decision, Failure, FailureKind, IntoOutcome, Jitter, Outcome, RetryPolicy};
#[cfg(not(millpond_loom))]
pub use time::{Clock, VirtualClock};

/// The lower layers, for the loom models alone.
#[cfg(millpond_loom)]
#[doc(hidden)]
pub mod model {
    pub use crate::channel::bounded_near_wrap_around;
    pub use crate::queue::admission::{Admission, Admitted, Gate, Refused};
    pub use crate::ring::{Mpmc, PopError, PushError, Pushed};
    pub use crate::sync::thread::naps;
    pub use crate::wait::{Attempt, Deadline, Source, TimedOut, WaitSet, Waiting, block_on};
}

/// Compiles and runs the code of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
