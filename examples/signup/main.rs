//! One event, many independent reactions: users sign up, and four services each do their part, in their own time.
//!
//! ```text
//! cargo run --release --example signup
//! ```
//!
//! # How it is put together
//!
//! ```text
//!                             +--> queue "welcome email"   --> 2 workers
//!   user.created  --publish-->+--> queue "analytics"       --> 1 worker
//!   (the sign-up knows        +--> queue "recommendations" --> 2 workers, slow
//!    none of them)            +--> queue "CRM"             --> 1 worker, down at first: retries
//!                             '··> queue "fraud check"     --> 1 worker, joins while users sign up
//! ```
//!
//! ```text
//! story.rs      what happens, in order          <- the part that shows millpond's topics
//! service.rs    a subscriber: queue, workers, retries
//! timeline.rs   who did what when
//! check.rs      nobody missed an event, nobody handled one twice
//! ```
//!
//! # What to look at
//!
//! * The CRM refuses everything until it is repaired. Its jobs are retried; the other services do not notice.
//! * The fraud check joins in the middle, and gets every event from then on: no earlier one, and none is missed.
//! * The publisher names a topic. Who listens, how many, and with which pattern, it never learns.
//!
//! # Exit codes
//!
//! | code | meaning |
//! |---|---|
//! | 0 | every service handled every event published while it was subscribed, each once |
//! | 1 | one did not, or the program could not run; the message says which |

#![forbid(unsafe_code)]

mod check;
mod service;
mod story;
#[cfg(test)]
mod tests;
mod timeline;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(&mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("signup: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Lets the story happen, prints the timeline and the summary, and checks both.
fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let outcome = story::play()?;
    for moment in &outcome.moments {
        writeln!(out, "{moment}")?;
    }
    writeln!(out)?;
    for part in &outcome.parts {
        writeln!(out, "{part}")?;
    }
    let faults = check::faults(&outcome.moments, &outcome.parts);
    if !faults.is_empty() {
        return Err(faults.join("\n").into());
    }
    writeln!(out, "\nEvery service handled every event published while it was subscribed, each once.")?;
    Ok(())
}
