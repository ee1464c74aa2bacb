//! The rounds, and the reports on them.

use crate::options::Options;
use crate::sample;
use millpond_benches::cell::Cell;
use millpond_benches::peer::{Peer, Role};
use millpond_benches::pin::Placement;
use millpond_benches::report::{CellReport, PeerReport, Run, Sample, Standing, date, summary, svg, table};
use millpond_benches::setting::Setting;
use std::fs;
use std::path::{Path, PathBuf};

/// How often a peer may hang in a cell before its further samples are skipped.
const HANGS: usize = 3;

/// Runs the comparison, prints it, and writes what was asked for.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let cells = Cell::all();
    let chosen: Vec<_> = cells.iter().filter(|cell| is_chosen(&cell.name, &options.filters)).collect();
    if chosen.is_empty() {
        return Err("no cell has a name like that; `list` prints them".to_owned());
    }
    let mut run = Run {
        date: date::today(),
        rounds: options.rounds,
        millis: u64::try_from(options.window.as_millis()).unwrap_or(u64::MAX),
        cells: Vec::new(),
    };
    for &mode in &options.modes {
        println!("\n{mode}, {} rounds of {} ms, {}\n\n{}", run.rounds, run.millis, run.date, table::head());
        for cell in &chosen {
            let report = rounds(cell, mode, options);
            table::lines(&report).iter().for_each(|line| println!("{line}"));
            run.cells.push(report);
            // After each cell, so that a run that is cut short has not been in vain.
            options.json.as_deref().map_or(Ok(()), |file| write_json(&run, file))?;
        }
        summarise(&run, mode);
    }
    options.svg.as_deref().map_or(Ok(()), |directory| draw(&run, directory))
}

/// A filter is a part of the name, or its end if there is a `$` behind it.
fn is_chosen(cell: &str, filters: &[String]) -> bool {
    let mut matching = filters.iter().map(|filter| match filter.strip_suffix('$') {
        Some(end) => cell.ends_with(end),
        None => cell.contains(filter.as_str()),
    });
    filters.is_empty() || matching.any(|is_match| is_match)
}

fn rounds(cell: &Cell, placement: Placement, options: &Options) -> CellReport {
    let wanted = |peer: &Peer| {
        let named = options.peers.iter().any(|part| peer.name.contains(part.as_str()));
        options.peers.is_empty() || peer.role == Role::Ours || named
    };
    let peers: Vec<Peer> = cell.peers().into_iter().filter(wanted).collect();
    let setting = Setting { placement, window: options.window };
    let mut report = empty_report(cell, placement, &peers);
    for round in 0..options.rounds {
        // A round begins with another peer each time: whoever follows a peer that heats or fills something varies.
        for turn in 0..peers.len() {
            let index = (round + turn) % peers.len();
            let samples = &mut report.peers[index];
            samples.samples.push(if samples.count(Sample::Hung) >= HANGS {
                Sample::Skipped
            } else {
                sample::spawn(cell, peers[index].name, &setting, options.limit)
            });
        }
    }
    report
}

fn empty_report(cell: &Cell, placement: Placement, peers: &[Peer]) -> CellReport {
    let peer = |peer: &Peer| PeerReport {
        peer: peer.name.to_owned(),
        role: match peer.role {
            Role::Ours => Standing::Ours,
            Role::Peer => Standing::Peer,
            Role::Reference => Standing::Reference,
        },
        samples: Vec::new(),
    };
    CellReport {
        cell: cell.name.clone(),
        group: cell.group.clone(),
        mode: placement.to_string(),
        unit: cell.unit.name().to_owned(),
        more_is_better: cell.unit.more_is_better(),
        peers: peers.iter().map(peer).collect(),
    }
}

/// Prints the tables and draws the plots of runs that were written before.
pub(crate) fn report(files: &[PathBuf], svg: Option<&Path>) -> Result<(), String> {
    let mut all: Option<Run> = None;
    for file in files {
        let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let run: Run = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        match &mut all {
            Some(all) => all.cells.extend(run.cells),
            None => all = Some(run),
        }
    }
    let run = all.ok_or("which file?")?;
    for mode in Placement::ALL {
        let name = mode.to_string();
        let cells: Vec<_> = run.cells.iter().filter(|cell| cell.mode == name).collect();
        if !cells.is_empty() {
            println!(
                "\n{mode}, {} rounds of {} ms, {}\n\n{}",
                run.rounds,
                run.millis,
                run.date,
                table::head()
            );
            cells.iter().flat_map(|cell| table::lines(cell)).for_each(|line| println!("{line}"));
            summarise(&run, mode);
        }
    }
    svg.map_or(Ok(()), |directory| draw(&run, directory))
}

fn summarise(run: &Run, mode: Placement) {
    let name = mode.to_string();
    let cells: Vec<_> = run.cells.iter().filter(|cell| cell.mode == name).collect();
    println!("\n{mode}, geometric means of the ratios\n");
    summary::lines(&cells).iter().for_each(|line| println!("{line}"));
}

fn write_json(run: &Run, file: &Path) -> Result<(), String> {
    let text = serde_json::to_string_pretty(run).map_err(|error| error.to_string())?;
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}

fn draw(run: &Run, directory: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", directory.display());
    fs::create_dir_all(directory).map_err(failed)?;
    for plot in svg::plots(run) {
        fs::write(directory.join(&plot.file), &plot.text).map_err(failed)?;
    }
    Ok(())
}

/// Prints the cells, and who takes part in each.
pub(crate) fn list() -> Result<(), String> {
    for cell in Cell::all() {
        let peers: Vec<_> = cell.peers().iter().map(|peer| peer.name).collect();
        println!("{:<32} {}", cell.name, peers.join(", "));
    }
    Ok(())
}
