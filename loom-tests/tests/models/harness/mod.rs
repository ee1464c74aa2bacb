//! The frame every model runs in.
//!
//! Loom 0.7 leaves interleavings out without saying so: its partial-order reduction remembers only the last access to
//! each atomic, so the load of one thread can hide an earlier load of another. What it explores therefore depends on which
//! thread was spawned first. The frame answers with five rules:
//!
//! 1. The main thread builds the state, spawns and joins. It never takes part in the race.
//! 2. Every model is run once for each order in which its threads can be spawned.
//! 3. A model declares its *witnesses*: outcomes that must turn up in some execution of some order.
//! 4. A model declares a floor for the number of executions, and no order may end after a single one.
//! 5. A search that loom would cut short (and pass) is refused.
//!
//! ```ignore
//! Model::new("one value, two threads").floor(10).witnesses(&["received", "empty"]).run(|case| {
//!     let (tx, rx) = bounded(1);
//!     case.thread(move || tx.try_send(7).expect("the channel has room"));
//!     case.thread(move || witness(if rx.try_recv().is_ok() { "received" } else { "empty" }));
//! });
//! ```

mod isolate;
mod model;
mod orders;
mod past;
mod recorder;
mod task;
mod value;

pub(crate) use isolate::panics;
pub(crate) use model::{Case, Model};
pub(crate) use past::Past;
pub(crate) use recorder::{note, witness};
pub(crate) use task::{Flag, block_on, poll_once};
pub(crate) use value::{Ledger, Value};
