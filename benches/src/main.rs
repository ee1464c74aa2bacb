//! Runs the comparison: `cargo run --release -p millpond-benches -- compare [FILTER] [--rounds N] [--pin] [--limit SECONDS]`.
//!
//! Rounds are interleaved: in each, every peer of a cell runs once, in a process of its own, so that a peer that hangs is
//! killed and reported as such. What counts is the median of the ratios of the same round.

#![forbid(unsafe_code)]

mod sample;
mod table;

use lexopt::prelude::{Long, Short, Value, ValueExt};
use millpond_benches::cell::Cell;
use millpond_benches::pin::Placement;
use std::process::ExitCode;
use std::time::Duration;

const HELP: &str = "\
Measures millpond beside its peers.

usage: millpond-benches compare [FILTER] [--rounds N] [--pin] [--limit SECONDS]

  FILTER          only cells whose name contains this, such as channel/4x4 or pool
  --rounds N      interleaved rounds (15; fewer prove nothing on a noisy machine)
  --pin           producer i on core i % 2, consumer i on core (i + 1) % 2
  --limit SECONDS time limit of one sample (20); a peer that needs more is reported as hanging";

struct Options {
    filter: String,
    rounds: usize,
    placement: Placement,
    limit: Duration,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let answer = match arguments.next().as_deref() {
        Some("compare") => options(arguments).map(|options| compare(&options)),
        Some(sample::COMMAND) => sample::run(arguments),
        _ => Err(HELP.to_owned()),
    };
    match answer {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

fn options(arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        filter: String::new(),
        rounds: 15,
        placement: Placement::Free,
        limit: Duration::from_secs(20),
    };
    let mut parser = lexopt::Parser::from_args(arguments);
    read(&mut parser, &mut options).map_err(|error| format!("{error}\n\n{HELP}"))?;
    Ok(options)
}

fn read(parser: &mut lexopt::Parser, options: &mut Options) -> Result<(), lexopt::Error> {
    while let Some(argument) = parser.next()? {
        match argument {
            Value(filter) => options.filter = filter.string()?,
            Long("rounds") => options.rounds = parser.value()?.parse::<usize>()?.max(1),
            Long("pin") => options.placement = Placement::Pinned,
            Long("limit") => options.limit = Duration::from_secs(parser.value()?.parse()?),
            Long("help") | Short('h') => return Err("help".into()),
            other => return Err(other.unexpected()),
        }
    }
    Ok(())
}

fn compare(options: &Options) {
    println!(
        "{} rounds, {:?}; M/s: median [min..max]; ratio: median of millpond / peer in the same round",
        options.rounds, options.placement
    );
    for (index, cell) in Cell::all().iter().enumerate() {
        if !cell.name().contains(&options.filter) {
            continue;
        }
        let peers = cell.peers();
        let mut rounds = table::Rounds::new(peers.clone());
        for _ in 0..options.rounds {
            rounds.add(
                (0..peers.len()).map(|peer| sample::spawn(index, peer, options.placement, options.limit)),
            );
        }
        rounds.print(&cell.name());
    }
}
