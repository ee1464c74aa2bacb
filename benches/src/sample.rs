//! One sample: one peer in one cell, once, in a process of its own.

use millpond_benches::cell::Cell;
use millpond_benches::pin::Placement;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The hidden subcommand of the child process: `sample CELL PEER free|pinned`.
pub(crate) const COMMAND: &str = "sample";

/// How often a running sample is looked at: far less than a sample takes.
const LOOK: Duration = Duration::from_millis(5);

/// What became of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Sample {
    /// Millions of messages or jobs a second.
    Rate(f64),
    /// It did not end within its time limit.
    Hung,
    /// It panicked: work was lost.
    Failed,
}

/// Runs a sample in a process of its own, and kills it at its time limit.
pub(crate) fn spawn(cell: usize, peer: usize, placement: Placement, limit: Duration) -> Sample {
    let placement = if placement == Placement::Pinned { "pinned" } else { "free" };
    let child = std::env::current_exe().and_then(|own| {
        Command::new(own)
            .args([COMMAND, &cell.to_string(), &peer.to_string(), placement])
            .stdout(Stdio::piped())
            .spawn()
    });
    child.map_or(Sample::Failed, |child| wait(child, limit))
}

fn wait(mut child: Child, limit: Duration) -> Sample {
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(None) if began.elapsed() < limit => thread::sleep(LOOK),
            Ok(None) => {
                // Reaped right away; if it ended meanwhile there is nothing left to kill.
                drop(child.kill());
                drop(child.wait());
                return Sample::Hung;
            }
            Ok(Some(status)) if status.success() => break,
            Ok(Some(_)) | Err(_) => return Sample::Failed,
        }
    }
    let output = child.wait_with_output().ok();
    let text = output.and_then(|output| String::from_utf8(output.stdout).ok());
    text.and_then(|text| text.trim().parse().ok()).map_or(Sample::Failed, Sample::Rate)
}

/// Runs as the child process: prints millions a second.
pub(crate) fn run(mut arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let mut number =
        || arguments.next().and_then(|text| text.parse::<usize>().ok()).ok_or("a number is missing");
    let (cell, peer) = (number()?, number()?);
    let placement = match arguments.next().as_deref() {
        Some("pinned") => Placement::Pinned,
        _ => Placement::Free,
    };
    let cells = Cell::all();
    let cell = cells.get(cell).ok_or("no such cell")?;
    let (count, took) = cell.run(peer, placement);
    println!("{}", count as f64 / took.as_secs_f64() / 1e6);
    Ok(())
}
