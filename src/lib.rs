//! Bounded channels with backpressure, broadcast, topics, and a worker pool that acknowledges, retries and dead-letters.
//!
//! Work arrives when it likes, the wheel turns at its own pace, and a gate keeps the pond from flooding.
//!
//! | you want | use |
//! |---|---|
//! | to hand values from threads or tasks to others, each to one | [`bounded`] |
//! | the same between one sender and one receiver, or with one receiver, and faster | [`spsc`], [`mpsc`] |
//! | the same, but to poll and never to wait | [`ring`] |
//! | sender and receiver to meet, without a buffer | [`bounded`] with capacity 0: [rendezvous](mpmc#rendezvous) |
//! | everybody to see every message of one stream: all of them wait, or the slow ones miss some and are told | [`broadcast`] |
//! | to publish events by name, and subscribe by pattern: to a mailbox, or to a queue with workers | [`topic`] |
//! | to have jobs worked on by threads, with retries and dead letters | [`Pool`] |
//! | the same in a loop of your own | [`Queue`] |
//! | to test your handlers with a clock of their own, and with faults | [`testing`] |
//! | to run a side effect once for each key, however often its job is delivered | [`Once`] |
//!
//! # What is promised
//! 1. `send` returned `Ok`: the value is received exactly once, or dropped exactly once when the last receiver is gone.
//! 2. `send` returned `Err`, timed out, or its future was dropped before it finished: nobody received the value, and the
//!    error (or the future's `into_inner`) gives it back.
//! 3. A dropped `recv` future takes nothing: neither a value nor a wake-up is lost. Every async method is cancel-safe.
//! 4. Each sender's messages arrive in order; as a whole a channel is linearizable to a bounded first-in-first-out queue.
//! 5. Closed, or last sender gone: receivers drain what is left, then get `Closed` for ever. Nobody sleeps past a close.
//! 6. Broadcast: a subscriber sees a contiguous run, or `Lagged(n)` with n exact.
//! 7. An accepted job is done, dead-lettered, dropped by a stated policy, or still held: at any quiet point
//!    `submitted = done + dead + dropped + held`. A job may run more than once (at-least-once), within this process.
//! 8. Memory is bounded by what the caller configured; nothing is trimmed silently: each drop is counted and reported.
//! 9. A panic in user code (handler, filter, `Clone`, `Drop`, waker) leaves every structure usable and every value dropped at most
//!    once.
//!
//! # Who waits for whom
//! `try_*` never parks. Plain names block the thread, `*_timeout` and `*_deadline` with a limit, and `*_async` let a task wait, in
//! any executor. Blocking ends spin and yield for a bounded time before they park; a parked thread uses no processor time. A
//! channel can be told to park at once or never: [`WaitStrategy`].
//!
//! The rings take no lock and never enter the system while nobody waits, but they are *not* lock-free in the formal sense: if a
//! thread is suspended between claiming and publishing one slot (a few instructions around a move of `T`), the receiver that
//! needs exactly that slot, and senders one full lap later, cannot complete until it resumes; all other slots stay usable. In a
//! broadcast all subscribers need that slot. A suspended *subscriber* of a lossy broadcast holds nobody up, unless it is just entering or
//! leaving the list of those who sleep.
//! Nobody spins on such a thread for long: they yield, then nap. Waiting uses a mutex on the slow path only. Between one sender and
//! one receiver ([`spsc`], [`ring::spsc`](mod@ring::spsc)) there is no such step: sending and receiving are wait-free while nobody waits.
//!
//! # Features
//! * `stream`: each kind of receiver as a `futures_core::Stream`: `Receiver::stream` and `into_stream` (`RecvStream`),
//!   `broadcast::Subscriber::into_stream` (`SubscriberStream`), `topic::Subscription::into_stream` (`SubscriptionStream`).
//! * `cron`: schedules by cron expression, `CronSchedule`, and what to do about runs that were missed, `Recurrence`.
//! * `serde`: dead letters exported as lines of JSON, for jobs that are `serde::Serialize`: `Selected::export_json`.
//! * `tokio`: handlers that run inside a runtime of yours: `PoolBuilder::runtime`.
//! * `sink`: senders as a `futures_sink::Sink`: `Sender::into_sink`, and `sink` where they can be cloned (`SendSink`).
//!
//! None is on by default. The compiler must be 1.85 or newer; the target must have 64-bit atomics.

#![cfg_attr(
    millpond_tsan,
    allow(dead_code, unused_imports, reason = "what only the upper layers use, which that build leaves out")
)]

pub mod broadcast;
mod channel;
mod gate;
#[cfg(not(millpond_lower))]
mod once;
#[cfg(not(millpond_lower))]
mod pool;
#[cfg(not(millpond_lower))]
mod queue;
#[cfg(not(millpond_lower))]
mod retry;
pub mod ring;
#[cfg(all(test, not(millpond_loom)))]
mod stall;
mod sync;
#[cfg(not(millpond_lower))]
pub mod testing;
#[cfg(not(millpond_lower))]
mod time;
#[cfg(not(millpond_lower))]
pub mod topic;
mod wait;

#[cfg(feature = "stream")]
pub use channel::mpmc::RecvStream;
#[cfg(feature = "sink")]
pub use channel::mpmc::SendSink;
pub use channel::mpmc::{
    ClosedFuture, IntoIter, Iter, OwnedPermit, Permit, Receiver, RecvFuture, RecvManyFuture, ReserveFuture,
    SendFuture, SendManyFuture, Sender, TryIter, WeakReceiver, WeakSender, bounded,
};
pub use channel::select::{RecvEnd, Select, SelectFuture, SelectTimeoutError, SendEnd, TrySelectError};
pub use channel::{
    RecvError, RecvTimeoutError, SendError, SendManyError, SendTimeoutError, TryRecvError,
    TryRecvRelaxedError, TrySendError, TrySendRelaxedError,
};
pub use channel::{mpmc, mpsc, spsc};
pub use wait::WaitStrategy;

#[cfg(not(millpond_lower))]
pub use once::{
    AnyResult, Begun, Fingerprint, MemoryStore, MemoryStoreStats, Once, OnceError, OnceStats, OnceStore,
};
#[cfg(all(feature = "tokio", not(millpond_lower)))]
pub use pool::HandlerFuture;
#[cfg(all(feature = "cron", not(millpond_lower)))]
pub use pool::Recurring;
#[cfg(not(millpond_lower))]
pub use pool::{
    BuildError, Context, DeadLetters, Handle, Leased, Pool, PoolBuilder, Queue, Redrive, RedriveBuilder,
    Request, RequestFuture, Selected, ShutdownReport, StartRedriveError, TrackedFuture, TrackedRequest,
    Unleased, Workers,
};
#[cfg(not(millpond_lower))]
pub use queue::{
    AttemptRecord, CutOff, DeadFilter, DeadFull, DeadInfo, DeadLetter, Delivery, Displaced, Drained, Hold,
    JobEnd, JobHandle, JobId, Lane, Lease, LeaseLost, LetterError, Overflow, PastDeaths, Progress,
    RedriveAllError, RedriveEnd, RedriveError, RedriveProgress, Released, Stats, SubmitError, SubmitFuture,
    SubmitManyError, Unique, engine,
};
#[cfg(not(millpond_lower))]
#[cfg(feature = "serde")]
pub use queue::{ExportError, ExportReason};
#[cfg(not(millpond_lower))]
pub use retry::{
    Admit, Breaker, BreakerState, Classified, Classify, DeadReason, Decision, EmptyBudget, ErrorClass,
    Failure, FailureKind, IntoOutcome, Jitter, Outcome, Pass, Plan, Planned, Report, RetryBudget,
    RetryPolicy, Verdict,
};
#[cfg(not(millpond_lower))]
pub use time::{Clock, VirtualClock};
#[cfg(all(feature = "cron", not(millpond_lower)))]
pub use time::{CronError, CronField, CronSchedule, Due, Missed, Recurrence};

/// For the expansion of `select!` alone.
#[doc(hidden)]
pub mod __private {
    pub use crate::channel::select::{choose, choose_now, choose_within};
}

/// The lower layers, for the loom models alone.
#[cfg(millpond_loom)]
#[doc(hidden)]
pub mod model {
    pub use crate::broadcast::{Kind as BroadcastKind, near_wrap_around as broadcast_near_wrap_around};
    pub use crate::channel::mpmc::{bounded_near_wrap_around, bounded_without_ring};
    pub use crate::gate::{Admission, Admitted, Gate, Patient, Refused};
    pub use crate::ring::{Mpmc, PopError, PushError, Pushed};
    pub use crate::sync::thread::naps;
    pub use crate::sync::{Custody, Cut, InUse, Review, Rung, Taken, Tenure, Terms};
    pub use crate::wait::{
        Attempt, Deadline, Source, TimedOut, WaitSet, Waiting, WaitingAny, block_on, block_on_any,
    };
}

/// Compiles and runs the code of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
