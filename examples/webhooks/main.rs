//! Delivers events to HTTP endpoints that are down: retries for up to 72 hours, then dead letters, redriven after the repair.
//!
//! ```text
//! cargo run --release --example webhooks                    # 96 hours in a second, on a virtual clock
//! cargo run --release --example webhooks -- --minute 10     # on the system's clock, each minute in 10 ms: about a minute
//! ```
//!
//! # How it is put together
//!
//! ```text
//! story.rs      what happens, hour by hour       <- the part that shows millpond
//! time.rs       a virtual clock, or a real one that runs faster
//! client.rs     POST, and what its answer means for the retry
//! endpoint.rs   a small HTTP server on loopback, whose receivers can be down
//! plot.rs       the attempts as a picture: on the terminal, and as target/webhooks/schedule.svg
//! check.rs      the books: nothing was lost, nothing was delivered twice
//! ```
//!
//! # What to look at
//!
//! * The shop is down for 20 hours. Its events are retried at growing distances, and arrive by themselves.
//! * The CRM is down for 90 hours. Its events have used up their 15 attempts by then and are dead letters, within 72 hours;
//!   after the repair they are redriven, a few a second, so that they do not knock the CRM over again.
//!   A redriven event has its attempts and its 72 hours anew.
//! * One receiver is gone for good. Its event is a dead letter after one attempt, and stays one.
//! * A receiver that has processed an event may fail to say so. Each event has a key, by which it knows the second delivery.
//!
//! # Exit codes
//!
//! | code | meaning |
//! |---|---|
//! | 0 | every event arrived once, but for the one whose receiver is gone |
//! | 1 | one did not, or the program could not run; the message says which |

#![forbid(unsafe_code)]

mod check;
mod client;
mod endpoint;
mod plot;
mod story;
#[cfg(test)]
mod tests;
mod time;

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use time::Time;

/// Where the picture goes.
const PICTURE: &str = "target/webhooks/schedule.svg";

fn main() -> ExitCode {
    let run = parse(std::env::args_os().skip(1))
        .and_then(|time| run(time, Path::new(PICTURE), &mut io::stdout().lock()));
    match run {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("webhooks: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Reads the arguments.
fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Time, Box<dyn Error>> {
    let mut time = Time::fast();
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            lexopt::Arg::Long("fast") => time = Time::fast(),
            lexopt::Arg::Long("minute") => {
                let millis: u64 = parser.value()?.to_string_lossy().parse()?;
                if millis == 0 {
                    return Err("a minute takes a millisecond at least".into());
                }
                time = Time::real(Duration::from_millis(millis));
            }
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(time)
}

/// Lets the story happen, draws the picture, and checks the books.
fn run(time: Time, picture: &Path, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let outcome = story::play(time)?;
    for line in &outcome.told {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "\n{}", plot::on_terminal(&outcome.attempts))?;
    if let Some(folder) = picture.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(picture, plot::as_svg(&outcome.attempts))?;
    writeln!(out, "All attempts: {}", picture.display())?;
    let faults = check::faults(&outcome);
    if !faults.is_empty() {
        return Err(faults.join("\n").into());
    }
    writeln!(out, "Every event arrived once, but for the one whose receiver is gone.")?;
    Ok(())
}
