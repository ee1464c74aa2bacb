//! The cells of the comparison: one load each, by name.

#![forbid(unsafe_code)]

use crate::ends::Shape;
use crate::load::pool::Job;
use crate::load::runtime::Flavor;
use crate::load::{Counted, Load, Payload};
use crate::peer::Peer;
use crate::peers;

/// Of the channels in cells that do not vary it.
const CAPACITY: usize = 1024;

/// Messages in a chunk or batch.
const SIZES: [usize; 3] = [16, 64, 256];

const FLAVORS: [Flavor; 2] = [Flavor::TwoWorkers, Flavor::CurrentThread];

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Millions of messages, or jobs, a second.
    Millions,
    /// Nanoseconds.
    Nanos,
    /// Percent of a core.
    Percent,
    /// Bytes.
    Bytes,
}

impl Unit {
    /// Returns the name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Millions => "M/s",
            Self::Nanos => "ns",
            Self::Percent => "% of a core",
            Self::Bytes => "bytes",
        }
    }

    /// Whether more is better.
    #[must_use]
    pub const fn more_is_better(self) -> bool {
        matches!(self, Self::Millions)
    }
}

/// One row of the comparison.
#[derive(Debug, Clone)]
pub struct Cell {
    /// By which cells are filtered, such as `blocking/4x1/cap64`.
    pub name: String,
    /// Which plot it belongs to.
    pub group: String,
    /// What its figures count.
    pub unit: Unit,
    /// What its peers are put to.
    pub load: Load,
}

impl Cell {
    /// Returns all cells.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let groups = [blocking(), asynchronous(), rings(), latencies(), broadcasts(), pools()];
        groups.into_iter().flatten().collect()
    }

    /// Returns those who take part; millpond comes first.
    #[must_use]
    pub fn peers(&self) -> Vec<Peer> {
        peers::all().into_iter().filter(|peer| peer.takes_part(&self.load)).collect()
    }

    fn rate(group: impl Into<String>, rest: impl AsRef<str>, load: Load) -> Self {
        Self::new(group, rest, Unit::Millions, load)
    }

    fn new(group: impl Into<String>, rest: impl AsRef<str>, unit: Unit, load: Load) -> Self {
        let group = group.into();
        Self { name: format!("{group}/{}", rest.as_ref()), group, unit, load }
    }
}

fn sides(shape: &Shape) -> String {
    format!("{}x{}", shape.producers, shape.consumers)
}

fn blocking() -> Vec<Cell> {
    let mut cells = Vec::new();
    for (producers, consumers) in [(1, 1), (4, 1), (1, 4), (2, 2), (4, 4), (16, 16)] {
        for capacity in [0, 1, 64, 1024, 65536] {
            let shape = Shape::new(producers, consumers, capacity);
            let group = format!("blocking/{}", sides(&shape));
            cells.push(Cell::rate(group, format!("cap{capacity}"), Load::Stream(shape, Payload::Word)));
        }
    }
    for (producers, consumers) in [(1, 1), (4, 4)] {
        for (payload, name) in [(Payload::Line, "64-bytes"), (Payload::Boxed, "box")] {
            let shape = Shape::new(producers, consumers, CAPACITY);
            let rest = format!("{}/cap{CAPACITY}/{name}", sides(&shape));
            cells.push(Cell::rate("payload", rest, Load::Stream(shape, payload)));
        }
    }
    for capacity in [1, 64, 1024, 65536] {
        cells.push(Cell::rate("seq", format!("cap{capacity}"), Load::FillAndDrain { capacity }));
    }
    for size in SIZES {
        for shape in [Shape::new(1, 1, CAPACITY), Shape::new(4, 4, CAPACITY)] {
            let rest = format!("{}/cap{CAPACITY}/batch{size}", sides(&shape));
            cells.push(Cell::rate("batch", rest, Load::Batch(shape, size)));
        }
    }
    cells.push(Cell::rate("select", "blocking/4/cap64", Load::Select));
    cells
}

fn asynchronous() -> Vec<Cell> {
    let mut cells = Vec::new();
    for flavor in FLAVORS {
        for (producers, consumers) in [(1, 1), (4, 1), (4, 4)] {
            for capacity in [0, 1, 64, 1024] {
                let shape = Shape::new(producers, consumers, capacity);
                let rest = format!("{}/cap{capacity}", sides(&shape));
                cells.push(Cell::rate(format!("async/{}", flavor.name()), rest, Load::Async(shape, flavor)));
            }
        }
    }
    for shape in [Shape::new(1, 1, 64), Shape::new(4, 4, 64)] {
        let sides = sides(&shape);
        cells.push(Cell::rate("mixed", format!("into-async/{sides}/cap64"), Load::IntoAsync(shape)));
        cells.push(Cell::rate("mixed", format!("from-async/{sides}/cap64"), Load::FromAsync(shape)));
    }
    for flavor in FLAVORS {
        let rest = format!("async-{}/4/cap64", flavor.name());
        cells.push(Cell::rate("select", rest, Load::AsyncSelect(flavor)));
    }
    cells
}

fn rings() -> Vec<Cell> {
    let mut cells = Vec::new();
    for (producers, consumers) in [(1, 1), (2, 2)] {
        for capacity in [64, 1024, 65536] {
            let shape = Shape::new(producers, consumers, capacity);
            cells.push(Cell::rate("ring", format!("{}/cap{capacity}", sides(&shape)), Load::Ring(shape)));
        }
    }
    for chunk in SIZES {
        let load = Load::Chunks { capacity: CAPACITY, chunk };
        cells.push(Cell::rate("chunks", format!("1x1/cap{CAPACITY}/chunk{chunk}"), load));
    }
    cells
}

fn latencies() -> Vec<Cell> {
    let nanos = |rest: &str, load| Cell::new("latency", rest, Unit::Nanos, load);
    let percent = |rest: &str, load| Cell::new("idle", rest, Unit::Percent, load);
    let bytes =
        |rest: &str, full| Cell::new("memory", rest, Unit::Bytes, Load::Memory { capacity: CAPACITY, full });
    vec![
        nanos("ping-pong/cap0", Load::PingPong { capacity: 0 }),
        nanos("ping-pong/cap1", Load::PingPong { capacity: 1 }),
        nanos("ping-pong/async-mt2/cap1", Load::AsyncPingPong(Flavor::TwoWorkers)),
        nanos("ping-pong/async-ct/cap1", Load::AsyncPingPong(Flavor::CurrentThread)),
        nanos("parked/p50", Load::Parked { percentile: 50 }),
        nanos("parked/p99", Load::Parked { percentile: 99 }),
        percent("blocking", Load::Idle),
        percent("async-mt2", Load::AsyncIdle),
        bytes("empty/cap1024", false),
        bytes("full/cap1024", true),
    ]
}

fn broadcasts() -> Vec<Cell> {
    let mut cells = Vec::new();
    for (kind, lossy) in [("lossless", false), ("lossy", true)] {
        for subscribers in [1, 2, 4, 8] {
            let load = Load::Broadcast { lossy, subscribers };
            cells.push(Cell::rate(format!("broadcast/{kind}"), format!("1x{subscribers}"), load));
        }
    }
    for (kind, counted) in [("async", Counted::Published), ("async-heard", Counted::Heard)] {
        for subscribers in [1, 2, 4, 8] {
            let load = Load::AsyncBroadcast { subscribers, counted };
            cells.push(Cell::rate(format!("broadcast/{kind}"), format!("1x{subscribers}"), load));
        }
    }
    for subscribers in [0, 1] {
        let load = Load::Stalled { subscribers };
        cells.push(Cell::new("broadcast/stalled", subscribers.to_string(), Unit::Nanos, load));
    }
    cells
}

fn pools() -> Vec<Cell> {
    let mut cells = Vec::new();
    for (job, name) in [(Job::Empty, "empty"), (Job::TenMicros, "10us")] {
        for producers in [1, 4, 64] {
            let load = Load::Pool { producers, job };
            cells.push(Cell::rate("pool", format!("{name}/{producers}"), load));
        }
    }
    cells
}
