//! Every peer of every cell runs once, for a few milliseconds, in a process of its own, and accounts for its messages.

use millpond_benches::cell::Cell;
use millpond_benches::pin::Placement;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a sample is measured.
const MILLIS: &str = "2";

/// Far more than a sample takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Peers that hang, sometimes or always: the work they cannot be trusted with.
fn may_hang(cell: &str, peer: &str) -> bool {
    // Many threads at one place: they spin and yield, and nobody gets anywhere.
    peer == "crossfire mpmc" && (cell.ends_with("4x4/cap1") || cell.ends_with("16x16/cap1"))
}

/// Runs a sample as the comparison does. Says what is wrong.
fn sample(cell: &str, peer: &str, mode: Placement) -> Result<(), String> {
    let child = Command::new(env!("CARGO_BIN_EXE_millpond-benches"))
        .args(["sample", cell, peer, &mode.to_string(), MILLIS])
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.map_err(|error| error.to_string())?;
    let began = Instant::now();
    while child.try_wait().map_err(|error| error.to_string())?.is_none() {
        if began.elapsed() > LIMIT {
            drop(child.kill());
            drop(child.wait());
            return Err("hung".to_owned());
        }
        thread::sleep(Duration::from_millis(1));
    }
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.trim().parse::<f64>() {
        Ok(figure) if output.status.success() && figure.is_finite() && figure >= 0.0 => Ok(()),
        _ => Err(format!("ended with {} and wrote {text:?}", output.status)),
    }
}

fn run_all(mode: Placement, chosen: impl Fn(&Cell) -> bool) {
    let mut wrong = Vec::new();
    for cell in Cell::all().iter().filter(|cell| chosen(cell)) {
        for peer in cell.peers().iter().filter(|peer| !may_hang(&cell.name, peer.name)) {
            if let Err(error) = sample(&cell.name, peer.name, mode) {
                wrong.push(format!("{} in {}, {mode}: {error}", peer.name, cell.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_cell_and_peer() {
    run_all(Placement::Free, |_| true);
}

#[test]
fn pinned_and_on_one_cpu() {
    for mode in [Placement::Pinned, Placement::OneCpu] {
        run_all(mode, |cell| {
            [
                "blocking/1x1/cap1",
                "blocking/4x4/cap64",
                "async/mt2/1x1/cap64",
                "ring/1x1/cap64",
                "lossless/1x2",
            ]
            .iter()
            .any(|end| cell.name.ends_with(end))
        });
    }
}

#[test]
fn names_are_unique_and_millpond_comes_first() {
    let cells = Cell::all();
    for (index, cell) in cells.iter().enumerate() {
        assert!(cells[..index].iter().all(|other| other.name != cell.name), "{} stands twice", cell.name);
        let peers = cell.peers();
        assert!(peers.iter().skip(1).all(|peer| peer.name != "millpond"), "{}", cell.name);
        let alone = cell.name == "broadcast/stalled/0";
        assert!(alone || peers.len() > 1, "nobody to compare with in {}", cell.name);
    }
}
