//! Benchmarks of millpond beside its peers: the shared parts.
//!
//! * `peers` says how each library makes a channel or runs jobs: one small file each. To add a peer, write its file and name
//!   it in the list in `peers/mod.rs`; every bench and every cell of the comparison then includes it.
//! * `channel_load` and `pool_load` are the work, written once for all peers. Every message and every job is accounted for.
//! * `cells` lists what is measured; `compare` runs it in interleaved rounds, `sample` once in a process of its own.
//!
//! `cargo bench -p millpond-benches` measures a few cells with criterion, `cargo run --release -p millpond-benches -- compare`
//! all of them.

#![forbid(unsafe_code)]

pub mod cells;
pub mod channel_load;
pub mod compare;
pub mod peers;
pub mod pool_load;
pub mod sample;
mod stats;
