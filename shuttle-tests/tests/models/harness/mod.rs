//! The frame every model runs in: three engines, seeds that repeat, witnesses.
//!
//! Shuttle runs a model many times over, each time in another order of its threads' steps. Each model is run by
//!
//! * *random*: each step by any thread that can run;
//! * *PCT*, depth 3: threads have priorities, which change at two moments: finds what takes few, but well-chosen, preemptions;
//! * *DFS*, on the small ones: one order after the other, from the first on, and all of them where the budget allows.
//!
//! | variable | what it does |
//! |---|---|
//! | `SHUTTLE_FACTOR` | multiplies the number of schedules of every model |
//! | `SHUTTLE_SEED` | where the random numbers of both engines start; each run prints it |
//! | `SHUTTLE_REPLAY` | a file with the schedule that a failure printed: runs it alone, in the models that the test filter leaves |
//!
//! A failure prints the model, the engine, the seed, and the schedule, a line of digits between quotes. Put that line into a file,
//! and `SHUTTLE_REPLAY=file cargo test -p shuttle-tests NAME` runs exactly that order again, on the same machine code.

mod fair;
mod model;
mod task;
mod value;

pub(crate) use model::{Model, spawn, stroll, witness};
pub(crate) use task::{block_on, poll_once};
pub(crate) use value::{Ledger, Value};

use std::time::Duration;

/// For what is never to time out: beyond what counts as near in `sync::shuttle`.
pub(crate) const LONG: Duration = Duration::from_secs(1000);
/// For what times out at once, after the others have had a turn.
pub(crate) const NOW: Duration = Duration::ZERO;
