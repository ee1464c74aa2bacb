//! The ratios of many cells in a few lines.

use super::{CellReport, PeerReport, digits};
use crate::stats::geometric_mean;

/// The two that everybody knows: each has a column of its own.
const BESIDE: [&str; 2] = ["crossbeam-channel", "tokio mpsc"];

/// The classes of cells: a name, what the name of a cell begins with, and what it must not contain.
const CLASSES: [(&str, &str, &str); 20] = [
    ("blocking", "blocking/", " "),
    ("blocking, several senders or receivers", "blocking/", "/1x1/"),
    ("payloads", "payload/", " "),
    ("fill and drain in one thread", "seq/", " "),
    ("batches", "batch/", " "),
    ("async", "async/", " "),
    ("async, two workers", "async/mt2", " "),
    ("async, current thread", "async/ct", " "),
    ("threads to tasks and back", "mixed/", " "),
    ("select", "select/", " "),
    ("rings", "ring/", " "),
    ("chunks", "chunks/", " "),
    ("ping-pong", "latency/ping-pong", " "),
    ("waking a sleeper", "latency/parked", " "),
    ("idle", "idle/", " "),
    ("memory", "memory/", " "),
    ("broadcast, lossless", "broadcast/lossless", " "),
    ("broadcast, lossy", "broadcast/lossy", " "),
    ("broadcast, async", "broadcast/async/", " "),
    ("broadcast, async, heard", "broadcast/async-heard/", " "),
];

/// Pools are not held against channels, so they come apart.
const POOLS: (&str, &str, &str) = ("pools", "pool/", " ");

/// Returns the summary of the cells of one mode as a Markdown table: geometric means of millpond's ratios, and the worst cell.
#[must_use]
pub fn lines(cells: &[&CellReport]) -> Vec<String> {
    let titles = row([
        "millpond beside",
        "cells",
        "best peer",
        "crossbeam-channel",
        "tokio mpsc",
        "lowest",
        "cell (best peer)",
    ]);
    let rule = titles.chars().map(|c| if c == '|' { '|' } else { '-' }).collect::<String>();
    let classes = CLASSES.iter().chain([&POOLS]);
    let rows = classes.filter_map(|&(name, prefix, without)| {
        let belongs = |cell: &&&CellReport| cell.cell.starts_with(prefix) && !cell.cell.contains(without);
        class(name, &cells.iter().filter(belongs).copied().collect::<Vec<_>>())
    });
    // Bytes and percents differ a hundredfold, which would drown everything else.
    let rates: Vec<_> = cells.iter().filter(|cell| cell.more_is_better).copied().collect();
    let all = class("all that count messages or jobs", &rates);
    [titles, rule].into_iter().chain(rows).chain(all).collect()
}

fn class(name: &str, cells: &[&CellReport]) -> Option<String> {
    let best = ratios(cells, CellReport::best);
    let lowest = best.iter().min_by(|(_, first), (_, second)| first.total_cmp(second));
    let (cell, ratio) = lowest?;
    let whom = cell.best().map_or("", |best| &best.peer);
    let [crossbeam, tokio] = BESIDE.map(|peer| mean(&ratios(cells, |cell| cell.peer(peer))));
    Some(row([
        name,
        &best.len().to_string(),
        &mean(&best),
        &crossbeam,
        &tokio,
        &digits(*ratio),
        &format!("{} ({whom})", cell.cell),
    ]))
}

/// Returns the median ratios of millpond to somebody, in the cells in which both have figures.
fn ratios<'a>(
    cells: &[&'a CellReport],
    whom: impl Fn(&'a CellReport) -> Option<&'a PeerReport>,
) -> Vec<(&'a CellReport, f64)> {
    let ratio = |cell: &'a CellReport| Some((cell, cell.ratio(cell.ours()?, whom(cell)?)?.median));
    cells.iter().filter_map(|&cell| ratio(cell)).collect()
}

fn mean(ratios: &[(&CellReport, f64)]) -> String {
    geometric_mean(ratios.iter().map(|&(_, ratio)| ratio)).map_or_else(|| "-".to_owned(), digits)
}

fn row([name, cells, best, crossbeam, tokio, lowest, cell]: [&str; 7]) -> String {
    let figures = format!("{cells:>5} | {best:>9} | {crossbeam:>17} | {tokio:>10} | {lowest:>6}");
    format!("| {name:<38} | {figures} | {cell:<48} |")
}
