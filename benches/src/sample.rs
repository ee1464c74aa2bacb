//! One sample in a process of its own, so that a peer that hangs or crashes costs one sample and no more.

use crate::cells::{Cell, Kind, POOL_CAPACITY};
use crate::peers;
use crate::pool_load::Load;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The hidden subcommand of the program that takes one sample.
pub const SUBCOMMAND: &str = "sample";

/// How often a running sample is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// So much of a sample's work is done once before it, untimed.
const WARM_UP: u64 = 10;

/// What every sample of a comparison has in common.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Whether the threads of channel cells are bound to processors.
    pub pinned: bool,
    /// Rounds of the busy loop that take a microsecond, found once for all samples.
    pub rounds_per_us: u64,
    /// After this long a sample is taken to hang, and is ended.
    pub limit: Duration,
}

/// How a sample ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// Millions of messages or jobs a second.
    Speed(f64),
    /// It was not done within the limit.
    Hung,
    /// It ended without a figure: a message was lost, or it crashed.
    Failed,
}

/// The names of the peers that can run a cell, millpond first.
#[must_use]
pub fn peers_of(kind: &Kind) -> Vec<&'static str> {
    match kind {
        Kind::Channel(_) => peers::channels().iter().map(|peer| peer.name()).collect(),
        Kind::Pool { .. } => peers::pools().iter().map(|peer| peer.name()).collect(),
    }
}

/// Takes one sample of one peer in this process, after a warm-up.
///
/// # Panics
/// If the peer is unknown, or loses a message or a job.
#[must_use]
pub fn take(cell: &Cell, peer: &str, setting: &Setting) -> Duration {
    run(cell, peer, setting, (cell.count / WARM_UP).max(1));
    run(cell, peer, setting, cell.count)
}

fn run(cell: &Cell, name: &str, setting: &Setting, count: u64) -> Duration {
    match cell.kind {
        Kind::Channel(shape) => {
            let peers = peers::channels();
            let peer =
                peers.iter().find(|peer| peer.name() == name).expect("the parent names a peer that exists");
            peer.run(shape, count, setting.pinned)
        }
        Kind::Pool { workers, busy } => {
            let peers = peers::pools();
            let peer =
                peers.iter().find(|peer| peer.name() == name).expect("the parent names a peer that exists");
            let micros = u64::try_from(busy.as_micros()).expect("jobs are short");
            let rounds = micros * setting.rounds_per_us;
            peer.run(&Load { workers, capacity: POOL_CAPACITY, jobs: count, rounds })
        }
    }
}

/// Takes one sample in a child process, and ends the child if it hangs.
///
/// # Errors
/// If the child cannot be started.
pub fn take_in_child(cell: &Cell, peer: &str, setting: &Setting) -> std::io::Result<Outcome> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([SUBCOMMAND, &cell.name, peer, &setting.rounds_per_us.to_string()]);
    if setting.pinned {
        command.arg("--pin");
    }
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let finished = wait(&mut child, setting.limit)?;
    if !finished {
        child.kill()?;
        child.wait()?;
        return Ok(Outcome::Hung);
    }
    let output = child.wait_with_output()?;
    let nanos = String::from_utf8_lossy(&output.stdout).trim().parse::<u64>();
    Ok(match nanos {
        Ok(nanos) if output.status.success() => Outcome::Speed(cell.count as f64 * 1e3 / nanos.max(1) as f64),
        _ => Outcome::Failed,
    })
}

/// Waits for the child's end; `false` if the limit passes first.
fn wait(child: &mut Child, limit: Duration) -> std::io::Result<bool> {
    let begin = Instant::now();
    while child.try_wait()?.is_none() {
        if begin.elapsed() > limit {
            return Ok(false);
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(true)
}
