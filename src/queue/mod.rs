//! The work queue: who is let in, what is ready, what waits for its time, what has died, and the books on all of it.
//!
//! ```text
//!   submit --> gate --> ready channel --take--> a worker's seat --settle--> done
//!                            ^                        |
//!                            +------ schedule <-------+--> morgue (dead letters) --redrive--> gate
//!                              when due       failed
//! ```
//!
//! **Full.** The gate bounds the jobs *held*: ready, scheduled and in flight together. The channel behind it is as large as
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

mod delayed;
mod delivery;
pub mod engine;
mod envelope;
mod error;
mod hold;
mod judge;
mod lease;
mod letter;
mod memory;
mod morgue;
mod redrive;
mod seat;
mod settle;
mod stats;
mod submit;
mod take;
mod tend;
mod work;

pub use self::{
    delivery::Delivery,
    envelope::{AttemptRecord, JobId},
    error::{RedriveAllError, RedriveError, SubmitError, SubmitManyError},
    hold::Hold,
    lease::{Lease, LeaseLost},
    letter::{DeadFull, DeadInfo, DeadLetter},
    stats::Stats,
    submit::SubmitFuture,
    work::{CutOff, Released},
};
pub(crate) use self::{
    judge::Judge,
    lease::Leasing,
    work::{Plan, Queue},
};
