//! Measures millpond beside its peers in interleaved rounds. `compare --help` says more.

#![forbid(unsafe_code)]

use lexopt::{Arg, Parser, ValueExt};
use millpond_benches::cells::{self, Cell};
use millpond_benches::compare::{self, Options};
use millpond_benches::sample::{self, Setting};
use std::error::Error;
use std::time::Duration;

const HELP: &str = "\
usage: compare [FILTER] [--rounds N] [--pin] [--limit SECONDS]

Measures each cell whose name contains the words FILTER (\"1x1\", \"cap 1\", \"pool\") with every peer, N times (5) in interleaved rounds, and prints the medians.
Every sample runs in a process of its own; one that takes longer than the limit (20 s) is reported as hung.
--pin binds sender i to processor i and receiver i to processor i + 1, both modulo their number.";

fn main() -> Result<(), Box<dyn Error>> {
    let mut parser = Parser::from_env();
    match parser.next()? {
        Some(Arg::Value(word)) if word == "compare" => compare_command(parser),
        Some(Arg::Value(word)) if word == sample::SUBCOMMAND => sample_command(parser),
        _ => {
            println!("{HELP}");
            Ok(())
        }
    }
}

fn compare_command(mut parser: Parser) -> Result<(), Box<dyn Error>> {
    let mut options = Options::default();
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("rounds") => options.rounds = parser.value()?.parse()?,
            Arg::Long("limit") => options.limit = Duration::from_secs(parser.value()?.parse()?),
            Arg::Long("pin") => options.pinned = true,
            Arg::Long("help") | Arg::Short('h') => {
                println!("{HELP}");
                return Ok(());
            }
            Arg::Value(filter) if options.filter.is_empty() => options.filter = filter.string()?,
            _ => return Err(arg.unexpected().into()),
        }
    }
    print!("{}", compare::run(&options)?);
    Ok(())
}

/// `sample CELL PEER ROUNDS_PER_US [--pin]`: prints the nanoseconds of one sample.
fn sample_command(mut parser: Parser) -> Result<(), Box<dyn Error>> {
    let mut words = Vec::new();
    let mut pinned = false;
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("pin") => pinned = true,
            Arg::Value(word) => words.push(word.string()?),
            _ => return Err(arg.unexpected().into()),
        }
    }
    let [name, peer, rounds] = words.as_slice() else { return Err(HELP.into()) };
    let cell: Cell = cells::all().into_iter().find(|cell| cell.name == *name).ok_or("no such cell")?;
    let setting = Setting { pinned, rounds_per_us: rounds.parse()?, limit: Duration::MAX };
    println!("{}", sample::take(&cell, peer, &setting).as_nanos());
    Ok(())
}
