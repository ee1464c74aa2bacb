//! Runs the comparison: `cargo run --release -p millpond-benches -- compare [FILTER ...]`.
//!
//! Rounds are interleaved: in each, every peer of a cell runs once, in a process of its own, so that a peer that hangs is
//! killed and reported as such. What counts is the median of the ratios of the same round.

#![forbid(unsafe_code)]

mod compare;
mod options;
mod sample;

use options::Command;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).peekable();
    let answer = if arguments.next_if(|first| first == sample::COMMAND).is_some() {
        sample::run(arguments)
    } else {
        Command::read(arguments).and_then(|command| match command {
            Command::Compare(options) => compare::run(&options),
            Command::Report { files, svg } => compare::report(&files, svg.as_deref()),
            Command::List => compare::list(),
            Command::Help => {
                println!("{}", options::HELP);
                Ok(())
            }
        })
    };
    match answer {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}
