//! The libraries that are measured. Millpond comes first; every ratio is its speed over a peer's.

mod crossbeam;
mod kanal;
mod millpond;
mod rayon;

use crate::channel_load::{self, Shape};
use crate::pool_load::{self, Job, Load};
use std::marker::PhantomData;
use std::time::Duration;

/// A bounded channel of numbers with blocking ends.
pub trait Channel: 'static {
    /// The name in tables and filters.
    const NAME: &'static str;
    /// The sending handle.
    type Sender: Clone + Send + 'static;
    /// The receiving handle.
    type Receiver: Clone + Send + 'static;

    /// Makes a channel that holds `capacity` numbers.
    fn bounded(capacity: usize) -> (Self::Sender, Self::Receiver);

    /// Sends, asleep while there is no room.
    fn send(sender: &Self::Sender, message: u64);

    /// Receives, asleep while there is nothing. `None` when all senders are gone and the channel is empty.
    fn recv(receiver: &Self::Receiver) -> Option<u64>;
}

/// Threads that run jobs.
pub trait Pool: Sized + 'static {
    /// The name in tables and filters.
    const NAME: &'static str;

    /// Starts `workers` threads; where the pool is bounded, it holds `capacity` jobs.
    fn start(workers: usize, capacity: usize) -> Self;

    /// Hands one job over, asleep while there is no room.
    fn submit(&self, job: Job);

    /// Ends the threads, once all jobs have run.
    fn stop(self);
}

/// A channel peer, whatever its types.
pub trait AnyChannel {
    /// Its name.
    fn name(&self) -> &'static str;
    /// Sends `messages` numbers through a new channel, and returns how long that took.
    fn run(&self, shape: Shape, messages: u64, pinned: bool) -> Duration;
}

/// A pool peer, whatever its type.
pub trait AnyPool {
    /// Its name.
    fn name(&self) -> &'static str;
    /// Runs a load on a new pool, and returns how long that took.
    fn run(&self, load: &Load) -> Duration;
}

struct Erased<P>(PhantomData<P>);

impl<C: Channel> AnyChannel for Erased<C> {
    fn name(&self) -> &'static str {
        C::NAME
    }

    fn run(&self, shape: Shape, messages: u64, pinned: bool) -> Duration {
        channel_load::run::<C>(shape, messages, pinned)
    }
}

impl<P: Pool> AnyPool for Erased<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn run(&self, load: &Load) -> Duration {
        pool_load::run::<P>(load)
    }
}

fn channel<C: Channel>() -> Box<dyn AnyChannel> {
    Box::new(Erased::<C>(PhantomData))
}

fn pool<P: Pool>() -> Box<dyn AnyPool> {
    Box::new(Erased::<P>(PhantomData))
}

/// All channel peers, millpond first.
#[must_use]
pub fn channels() -> Vec<Box<dyn AnyChannel>> {
    vec![channel::<millpond::Millpond>(), channel::<crossbeam::Crossbeam>(), channel::<kanal::Kanal>()]
}

/// All pool peers, millpond first.
#[must_use]
pub fn pools() -> Vec<Box<dyn AnyPool>> {
    vec![pool::<millpond::MillpondPool>(), pool::<rayon::Rayon>(), pool::<crossbeam::ThreadsOnChannel>()]
}
