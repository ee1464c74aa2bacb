//! The cells of the comparison: one load each, by name.

use crate::pin::Placement;
use crate::pool::Job;
use crate::{channel, peers, pool};
use std::time::Duration;

/// Workers of each pool: the cores of the reference machine.
const WORKERS: usize = 2;

/// One row of the comparison.
#[derive(Debug, Clone, Copy)]
pub enum Cell {
    /// A channel, with so many producers and consumers.
    Channel {
        /// Threads that send.
        producers: usize,
        /// Threads that receive.
        consumers: usize,
        /// Of the channel.
        capacity: usize,
    },
    /// A pool, with so many producers.
    Pool {
        /// Threads that submit.
        producers: usize,
        /// What each job does.
        job: Job,
    },
}

impl Cell {
    /// Returns all cells.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let sides = [(1, 1), (4, 1), (1, 4), (2, 2), (4, 4)];
        let capacities = [1, 64, 1024];
        let channels = sides.into_iter().flat_map(|(producers, consumers)| {
            capacities.map(|capacity| Self::Channel { producers, consumers, capacity })
        });
        let pools = [Job::Empty, Job::TenMicros]
            .into_iter()
            .flat_map(|job| [1, 4].map(|producers| Self::Pool { producers, job }));
        channels.chain(pools).collect()
    }

    /// Returns the name, by which cells are filtered.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Channel { producers, consumers, capacity } => {
                format!("channel/{producers}x{consumers}/cap{capacity}")
            }
            Self::Pool { producers, job } => format!("pool/{job:?}/{producers}").to_lowercase(),
        }
    }

    /// Returns the names of the peers of this cell; millpond comes first.
    #[must_use]
    pub fn peers(&self) -> Vec<&'static str> {
        match self {
            Self::Channel { .. } => peers::channels().iter().map(|peer| peer.name).collect(),
            Self::Pool { .. } => peers::pools().iter().map(|peer| peer.name).collect(),
        }
    }

    /// Runs the cell once for one peer. Returns how many messages or jobs went through, and how long it took.
    ///
    /// # Panics
    /// If the work was not done.
    #[must_use]
    pub fn run(&self, peer: usize, placement: Placement) -> (u64, Duration) {
        match *self {
            Self::Channel { producers, consumers, capacity } => {
                let messages = if capacity <= 2 { 200_000 } else { 2_000_000 };
                let load = channel::Load { producers, consumers, capacity, messages, placement };
                (messages, (peers::channels()[peer].run)(&load))
            }
            Self::Pool { producers, job } => {
                let jobs = if job == Job::Empty { 1_000_000 } else { 20_000 };
                let load = pool::Load { producers, workers: WORKERS, jobs, job, placement };
                (jobs, (peers::pools()[peer].run)(&load))
            }
        }
    }
}
