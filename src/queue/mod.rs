//! The work queue: who is let in, what is ready, what waits for its time, what has died, and the books on all of it.
//!
//! ```text
//!   submit --> gate --> ready channel --take--> a worker's seat --settle--> done
//!                            ^                        |
//!                            +------ schedule <-------+--> morgue (dead letters) --redrive--> gate
//!                              when due       failed
//! ```
//!
//! **Full.** The gate bounds the jobs *held*: ready, scheduled and in flight together. What happens to one more is for the
//! [policy](Overflow) to say. The channel behind it is as large as
//! the gate lets it be needed, so a job that failed or fell due always finds its place again.
//!
//! **Closed.** The gate closes first, the schedule and the channel later, so that what was accepted can still be worked
//! off. A job that passed the gate but finds the channel closed is handed back, and uncounted.
//!
//! **Ordering.** Jobs are taken in the order in which they became ready. A retried job becomes ready again when it is due,
//! behind those that are ready by then.
//!
//! The queue starts no thread and calls no handler: that is [`crate::pool`]'s part.

#![forbid(unsafe_code)]

mod bury;
mod course;
mod delayed;
mod delivery;
mod drained;
mod drawers;
pub mod engine;
mod envelope;
mod error;
#[cfg(feature = "serde")]
mod export;
mod filter;
mod hold;
mod judge;
mod lease;
mod letter;
mod loan;
mod memory;
mod morgue;
mod mover;
mod overflow;
mod pace;
mod past;
mod pause;
mod ready;
mod redrive;
#[cfg(feature = "cron")]
mod repeat;
mod request;
mod rules;
mod seat;
mod settle;
mod stats;
mod submit;
mod tags;
mod take;
mod tend;
mod ticket;
mod track;
mod unique;
mod work;

#[cfg(feature = "serde")]
pub use self::export::{ExportError, ExportReason};
#[cfg(feature = "cron")]
pub(crate) use self::repeat::Runs;
pub(crate) use self::{
    course::Course,
    hold::keep_result,
    mover::{NotNow, Turn},
    overflow::NoPlace,
    ready::Route,
    request::{Requested, When, Wishes},
    rules::DeadRules,
    tend::Stuck,
    track::Track,
};
pub use self::{
    course::{RedriveEnd, RedriveProgress},
    delivery::Delivery,
    drained::Drained,
    envelope::{AttemptRecord, JobId},
    error::{LetterError, RedriveAllError, RedriveError, SubmitError, SubmitManyError},
    filter::DeadFilter,
    hold::Hold,
    lease::{Lease, LeaseLost},
    letter::{DeadFull, DeadInfo, DeadLetter},
    overflow::{Displaced, Overflow},
    past::PastDeaths,
    ready::Lane,
    stats::Stats,
    submit::SubmitFuture,
    ticket::JobHandle,
    track::{JobEnd, Progress},
    unique::Unique,
    work::{CutOff, Released},
};
pub(crate) use self::{
    judge::Judge,
    lease::Leasing,
    work::{Plan, Queue},
};
