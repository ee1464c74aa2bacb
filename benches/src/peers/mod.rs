//! The crates that millpond is measured beside. One file each.

mod crossbeam;
mod kanal;
mod millpond;
mod rayon;

use crate::{channel, pool};
use std::time::Duration;

/// A channel in a table of peers.
#[derive(Debug, Clone, Copy)]
pub struct Channel {
    /// Its name.
    pub name: &'static str,
    /// Runs a load once.
    pub run: fn(&channel::Load) -> Duration,
}

/// A pool in a table of peers.
#[derive(Debug, Clone, Copy)]
pub struct Pool {
    /// Its name.
    pub name: &'static str,
    /// Runs a load once.
    pub run: fn(&pool::Load) -> Duration,
}

const fn channel<P: channel::ChannelPeer>() -> Channel {
    Channel { name: P::NAME, run: channel::run::<P> }
}

const fn pool<P: pool::PoolPeer>() -> Pool {
    Pool { name: P::NAME, run: pool::run::<P> }
}

/// Returns all channels; millpond comes first.
#[must_use]
pub const fn channels() -> [Channel; 3] {
    [channel::<millpond::Millpond>(), channel::<crossbeam::Crossbeam>(), channel::<kanal::Kanal>()]
}

/// Returns all pools; millpond comes first.
#[must_use]
pub const fn pools() -> [Pool; 3] {
    [pool::<millpond::Millpond>(), pool::<rayon::Rayon>(), pool::<crossbeam::Crossbeam>()]
}
