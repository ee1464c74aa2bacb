//! Orders are paid, packed, shipped and announced by services that fail; none is lost, and none is charged twice.
//!
//! ```text
//! cargo run --release --example orders                     # 500 orders, seed 1
//! cargo run --release --example orders -- --orders 5000 --seed 42
//! ```
//!
//! # How it is put together
//!
//! ```text
//!   order --> queue "payment" --paid--> topic "order.paid" --+--> queue "inventory"    --> 2 workers
//!             3 attempts, then                               +--> queue "shipping"     --> 2 workers
//!             a dead letter for review                       +--> queue "notification" --> 1 worker
//! ```
//!
//! ```text
//! story.rs      what happens, in order          <- the part that shows millpond
//! payment.rs    the charge, once for each order, whatever happens to its job
//! service.rs    what follows a payment: a queue, workers, retries
//! trouble.rs    which delivery goes wrong, and how: by the seed
//! ledger.rs     who was charged, and what was done for whom: the truth, against which all is checked
//! check.rs      no order is lost, and none is charged twice
//! ```
//!
//! # What to look at
//!
//! * A job is delivered at least once. Here one in ten deliveries fails *after* its work was done, and some hang until their lease
//!   is lost, so that a second worker does the same job while the first is still at it. The card is charged inside
//!   [`millpond::Once`] under the order's number, so each of them finds the receipt of the first.
//! * What follows a payment is published by whoever is done with the order, and that may be more than one. The services
//!   know an order by its number, and do each only once.
//! * A card that is refused is tried 3 times. Then the order is a dead letter, with the reason and the history: for review.
//!   At the end somebody has talked to the customers, and the letters are redriven.
//!
//! # Exit codes
//!
//! | code | meaning |
//! |---|---|
//! | 0 | every order was charged once, packed once, shipped once and announced once |
//! | 1 | one was not, or the program could not run; the message says which |

#![forbid(unsafe_code)]

mod check;
mod ledger;
mod payment;
mod service;
mod story;
#[cfg(test)]
mod tests;
mod trouble;

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

/// What the user asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Options {
    orders: u32,
    seed: u64,
}

fn main() -> ExitCode {
    let options = parse(std::env::args_os().skip(1));
    match options.and_then(|options| run(options, &mut io::stdout().lock())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("orders: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Reads the arguments.
fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Options, Box<dyn Error>> {
    let mut options = Options { orders: 500, seed: 1 };
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            lexopt::Arg::Long("orders") => options.orders = parser.value()?.to_string_lossy().parse()?,
            lexopt::Arg::Long("seed") => options.seed = parser.value()?.to_string_lossy().parse()?,
            other => return Err(other.unexpected().into()),
        }
    }
    if !(1..=100_000).contains(&options.orders) {
        return Err("between 1 and 100000 orders".into());
    }
    Ok(options)
}

/// Lets the story happen, prints the summary, and checks the ledger.
fn run(options: Options, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let outcome = story::play(options.orders, options.seed)?;
    writeln!(out, "{} orders, seed {}\n", options.orders, options.seed)?;
    writeln!(out, "{}", check::HEADING)?;
    for part in &outcome.parts {
        writeln!(out, "{part}")?;
    }
    writeln!(out, "\n{} orders went to review, and were redriven from there.", outcome.reviewed)?;
    writeln!(out, "{} deliveries found the receipt of an earlier one.", outcome.replayed)?;
    for what in check::unproved(&outcome) {
        writeln!(out, "{what}: more orders would prove more.")?;
    }
    let faults = check::faults(&outcome, options.orders);
    if !faults.is_empty() {
        return Err(faults.join("\n").into());
    }
    writeln!(out, "No order was lost, and none was charged twice.")?;
    Ok(())
}
