//! A pool of workers over one queue: threads that take jobs, run the handler and settle what it says.
//!
//! **Full.** A pool holds `capacity` jobs at most: ready, scheduled and in flight together. `submit` waits for room,
//! `try_submit` does not, `submit_timeout` waits a while, `submit_async` waits without a thread. Unless an
//! [`Overflow`](crate::Overflow) policy says otherwise: then nobody waits, and somebody may have to go.
//!
//! **Closed.** After `shutdown` every submission gives its job back.
//!
//! **Dropped.** Dropping the pool shuts it down, and grants what is in flight 5 seconds, unless
//! [`PoolBuilder::drop_deadline`] says otherwise.
//!
//! **Ordering.** Jobs are started in the order in which they were accepted. With several workers they overlap; a job that
//! is retried or snoozes comes back behind those that are ready by then.

#![forbid(unsafe_code)]

mod builder;
mod context;
mod crew;
mod dead;
mod ending;
mod feed;
mod handle;
mod lane;
mod latch;
mod mixed;
mod owner;
mod queue;
#[cfg(feature = "cron")]
mod recurring;
mod redrive;
mod request;
mod select;
mod shutdown;
#[cfg(feature = "tokio")]
mod spawned;
mod start;
mod still;
mod worker;
mod workers;

pub use builder::{BuildError, Leased, PoolBuilder, Unleased};
pub use context::Context;
pub use dead::DeadLetters;
pub use handle::Handle;
pub use owner::Pool;
pub use queue::Queue;
#[cfg(feature = "cron")]
pub use recurring::Recurring;
pub use redrive::{Redrive, RedriveBuilder, StartRedriveError};
pub use request::{Request, RequestFuture, TrackedFuture, TrackedRequest};
pub use select::Selected;
pub use shutdown::ShutdownReport;
#[cfg(feature = "tokio")]
pub use spawned::HandlerFuture;
pub(crate) use still::{AsyncHandler, Still, StillTake, StillTeam, StillWork};
pub use workers::Workers;
