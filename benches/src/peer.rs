//! Who takes part, and in what.

#![forbid(unsafe_code)]

use crate::ends::{
    AsyncBroadcast, Asynchronous, Batch, Blocking, Broadcast, Chunks, FromAsync, IntoAsync, Pool, Ring,
    Select, Stalled,
};
use crate::load::{Load, asynchronous, batch, blocking, broadcast, latency, mixed, pool, ring, select};
use crate::setting::Setting;
use std::fmt;

/// What a peer is to the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Millpond itself: the first one of a cell is what the others are compared with.
    Ours,
    /// A competitor.
    Peer,
    /// No competitor, but a figure to hold the others against: shown, and never the best peer.
    Reference,
}

/// One kind of work that a peer can do.
#[derive(Clone, Copy)]
struct Entry {
    fits: fn(&Load) -> bool,
    run: fn(&Load, &Setting) -> f64,
}

/// A name in the table, and the work it can do. Of several ways to do the same, the first that fits a cell is taken.
#[derive(Clone)]
pub struct Peer {
    /// The name in tables.
    pub name: &'static str,
    /// What it is to the comparison.
    pub role: Role,
    entries: Vec<Entry>,
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("name", &self.name).field("role", &self.role).finish_non_exhaustive()
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $method:ident: $kind:ident = $fits:path, $run:path;)*) => {
        impl Peer {
            $($(#[$doc])*
            #[must_use]
            pub fn $method<P: $kind>(self) -> Self {
                self.entry($fits, $run)
            })*
        }
    };
}

kinds! {
    /// Takes part with blocking ends.
    blocking: Blocking = blocking::fits::<P>, blocking::run::<P>;
    /// Takes part where a sleeping receiver is woken, though it is no channel.
    bare: Blocking = latency::fits_bare::<P>, blocking::run::<P>;
    /// Takes part with async ends.
    asynchronous: Asynchronous = asynchronous::fits::<P>, asynchronous::run::<P>;
    /// Takes part in `tokio::select!`. Only for those that lose no message when `recv` is dropped.
    select_async: Asynchronous = asynchronous::selectable::<P>, asynchronous::run_select::<P>;
    /// Takes part with blocking senders and async receivers.
    into_async: IntoAsync = mixed::fits_into::<P>, mixed::run_into::<P>;
    /// Takes part with async senders and blocking receivers.
    from_async: FromAsync = mixed::fits_from::<P>, mixed::run_from::<P>;
    /// Takes part with ends that never wait.
    ring: Ring = ring::fits::<P>, ring::run::<P>;
    /// Takes part with chunks.
    chunks: Chunks = ring::fits_chunks::<P>, ring::run_chunks::<P>;
    /// Takes part with batches.
    batch: Batch = batch::fits::<P>, batch::run::<P>;
    /// Takes part in waiting on several channels.
    select: Select = select::fits::<P>, select::run::<P>;
    /// Takes part with blocking subscribers.
    broadcast: Broadcast = broadcast::fits::<P>, broadcast::run::<P>;
    /// Takes part with async subscribers.
    async_broadcast: AsyncBroadcast = broadcast::fits_async::<P>, broadcast::run_async::<P>;
    /// Takes part with subscribers that stall.
    stalled: Stalled = broadcast::fits_stalled::<P>, broadcast::run_stalled::<P>;
    /// Takes part as a pool.
    pool: Pool = pool::fits::<P>, pool::run::<P>;
}

impl Peer {
    /// Makes a competitor that cannot do anything yet.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, role: Role::Peer, entries: Vec::new() }
    }

    /// Makes millpond, or one side of it.
    #[must_use]
    pub fn ours(name: &'static str) -> Self {
        Self { role: Role::Ours, ..Self::new(name) }
    }

    /// Makes a reference.
    #[must_use]
    pub fn reference(name: &'static str) -> Self {
        Self { role: Role::Reference, ..Self::new(name) }
    }

    fn entry(mut self, fits: fn(&Load) -> bool, run: fn(&Load, &Setting) -> f64) -> Self {
        self.entries.push(Entry { fits, run });
        self
    }

    /// Whether it takes part in a cell with this load.
    #[must_use]
    pub fn takes_part(&self, load: &Load) -> bool {
        self.entries.iter().any(|entry| (entry.fits)(load))
    }

    /// Runs one sample; none if it does not take part.
    ///
    /// # Panics
    /// If the work was not done.
    #[must_use]
    pub fn run(&self, load: &Load, setting: &Setting) -> Option<f64> {
        let entry = self.entries.iter().find(|entry| (entry.fits)(load))?;
        Some((entry.run)(load, setting))
    }
}
