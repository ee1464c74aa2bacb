//! What is measured: the cells of the comparison, each with a name that a filter can match.

use crate::channel_load::Shape;
use std::time::Duration;

/// The threads on either side, for each of which all capacities are measured.
pub const SIDES: [(usize, usize); 5] = [(1, 1), (4, 1), (1, 4), (2, 2), (4, 4)];

/// The capacities of the channels.
pub const CAPACITIES: [usize; 3] = [1, 64, 1024];

/// The capacity of the bounded pools.
pub const POOL_CAPACITY: usize = 1024;

/// One thing to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// What a filter is matched against, and what the table shows.
    pub name: String,
    /// What is done.
    pub kind: Kind,
    /// Messages or jobs in one sample.
    pub count: u64,
}

/// What a cell does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Messages through a channel.
    Channel(Shape),
    /// Jobs through a pool.
    Pool {
        /// Threads that run jobs.
        workers: usize,
        /// How long one job is busy.
        busy: Duration,
    },
}

/// All cells, in the order of the table.
#[must_use]
pub fn all() -> Vec<Cell> {
    let channels = SIDES.into_iter().flat_map(|(senders, receivers)| {
        CAPACITIES.map(|capacity| {
            let shape = Shape { senders, receivers, capacity };
            Cell { name: shape.to_string(), kind: Kind::Channel(shape), count: messages(capacity) }
        })
    });
    let pools = [1, 2, 4].into_iter().flat_map(|workers| {
        [(0, 300_000), (10, 20_000)].map(|(micros, count)| Cell {
            name: format!("pool {workers} workers, {micros} us jobs"),
            kind: Kind::Pool { workers, busy: Duration::from_micros(micros) },
            count,
        })
    });
    channels.chain(pools).collect()
}

/// About a tenth of a second to half a second for a good channel.
const fn messages(capacity: usize) -> u64 {
    match capacity {
        0..=9 => 100_000,
        10..=99 => 400_000,
        _ => 1_000_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct() {
        let cells = all();
        for (i, cell) in cells.iter().enumerate() {
            assert!(cells[..i].iter().all(|other| other.name != cell.name), "{}", cell.name);
        }
    }
}
