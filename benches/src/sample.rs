//! One sample: one peer in one cell, once, in a process of its own.

use millpond_benches::cell::Cell;
use millpond_benches::pin::Placement;
use millpond_benches::report::Sample;
use millpond_benches::setting::Setting;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The hidden subcommand of the child process: `sample CELL PEER MODE MILLIS`.
pub(crate) const COMMAND: &str = "sample";

/// How often a running sample is looked at: far less than a sample takes, and too seldom to disturb it.
const LOOK: Duration = Duration::from_millis(5);

/// The exit code of a sample that panicked.
const PANICKED: i32 = 101;

/// Runs a sample in a process of its own, and kills it at its time limit.
pub(crate) fn spawn(cell: &Cell, peer: &str, setting: &Setting, limit: Duration) -> Sample {
    let child = std::env::current_exe().and_then(|own| {
        std::process::Command::new(own)
            .args([COMMAND, &cell.name, peer])
            .args([setting.placement.to_string(), setting.window.as_millis().to_string()])
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
    text.and_then(|text| text.trim().parse().ok()).map_or(Sample::Failed, Sample::Figure)
}

/// Runs as the child process: prints the figure.
pub(crate) fn run(arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let arguments: Vec<String> = arguments.collect();
    let [cell, peer, mode, millis] = &arguments[..] else {
        return Err("a sample is: CELL PEER MODE MILLIS".to_owned());
    };
    let placement: Placement = mode.parse()?;
    placement.process();
    end_at_the_first_panic();
    let window = Duration::from_millis(millis.parse().map_err(|_| format!("no number: {millis}"))?);
    let cells = Cell::all();
    let cell =
        cells.iter().find(|known| known.name == *cell).ok_or_else(|| format!("no such cell: {cell}"))?;
    let peers = cell.peers();
    let known = peers.iter().find(|known| known.name == peer);
    let figure = known.and_then(|known| known.run(&cell.load, &Setting { placement, window }));
    println!("{}", figure.ok_or_else(|| format!("{peer} does not take part in {}", cell.name))?);
    Ok(())
}

/// Otherwise the threads that wait for the one that panicked would be taken for a hanging peer.
fn end_at_the_first_panic() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        print(panic);
        std::process::exit(PANICKED);
    }));
}
