//! Loom models of millpond: the library is compiled with loom's atomics, locks and threads, and every model runs each
//! interleaving that loom can find, within a stated bound.
//!
//! `harness` is the frame (spawn orders, witnesses, floors, leak-tracked values), `harness_checks` proves that the frame
//! can fail. Every other module holds the models of one area, one `#[test]` per race.
//!
//! * `cargo test -p loom-tests` runs everything; `-- --nocapture` also shows the executions and the time of each model.
//! * `LOOM_MAX_PREEMPTIONS=4` raises the bound of every model that has a lower one.
//! * `LOOM_LOCATION=1` adds source lines to loom's own messages, which is slow.

mod broadcast;
mod channel;
mod custody;
mod gate;
mod harness;
mod harness_checks;
mod hearing;
mod lone_permits;
mod permits;
mod raw;
mod rung;
mod select;
mod tenure;
mod unique;
mod waiting;
