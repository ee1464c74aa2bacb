//! The table on the terminal: aligned, and Markdown.

use super::{CellReport, PeerReport, Sample, Standing, digits};
use crate::stats::Spread;

/// Returns the head of a table.
#[must_use]
pub fn head() -> String {
    let titles = row(["cell", "peer", "median", "min", "max", "unit", "millpond / it", "of the rounds", ""]);
    let rule = titles.chars().map(|c| if c == '|' { '|' } else { '-' }).collect::<String>();
    format!("{titles}\n{rule}")
}

/// Returns a line for each peer of a cell. `*` marks the best peer.
#[must_use]
pub fn lines(cell: &CellReport) -> Vec<String> {
    let mut lines: Vec<String> = cell.peers.iter().map(|peer| line(cell, peer)).collect();
    if cell.ours().is_none() {
        let missing = [&cell.cell, "millpond", "-", "-", "-", &cell.unit, "", "", "MISSING"];
        lines.insert(0, row(missing));
    }
    lines
}

fn line(cell: &CellReport, peer: &PeerReport) -> String {
    let best = cell.best().is_some_and(|best| best.peer == peer.peer);
    let name = format!("{}{}", peer.peer, if best { " *" } else { "" });
    let [median, min, max] = spread(peer.spread(), "");
    // Each of our own is held against the best peer, each of the others against our first.
    let ratio = if peer.role == Standing::Ours {
        cell.best().and_then(|best| cell.ratio(peer, best)).map(|ratio| (ratio, " best"))
    } else {
        cell.ours().and_then(|ours| cell.ratio(ours, peer)).map(|ratio| (ratio, ""))
    };
    let [ratio, low, high] = spread(ratio.map(|(ratio, _)| ratio), ratio.map_or("", |(_, mark)| mark));
    let range = format!("{low}..{high}");
    let range = if range == "-..-" { "" } else { &range };
    row([&cell.cell, &name, &median, &min, &max, &cell.unit, &ratio, range, &remark(cell, peer)])
}

fn remark(cell: &CellReport, peer: &PeerReport) -> String {
    let counts = [
        (peer.count(Sample::Hung), "HUNG"),
        (peer.stalls(cell), "STALLED"),
        (peer.count(Sample::Failed), "FAILED"),
        (peer.count(Sample::Skipped), "skipped"),
    ];
    let remarks = counts.into_iter().filter(|&(count, _)| count > 0);
    let remarks: Vec<_> = remarks.map(|(count, name)| format!("{name} {count}")).collect();
    let reference = if peer.role == Standing::Reference { "reference " } else { "" };
    let of = if remarks.is_empty() { String::new() } else { format!(" of {}", peer.samples.len()) };
    format!("{reference}{}{of}", remarks.join(", "))
}

fn spread(spread: Option<Spread>, mark: &str) -> [String; 3] {
    spread.map_or_else(
        || ["-", "-", "-"].map(str::to_owned),
        |spread| [format!("{}{mark}", digits(spread.median)), digits(spread.min), digits(spread.max)],
    )
}

/// Names are flush left, figures flush right.
fn row([cell, peer, median, min, max, unit, ratio, range, remark]: [&str; 9]) -> String {
    let figures = format!("{median:>9} | {min:>9} | {max:>9} | {unit:<11} | {ratio:>13} | {range:>15}");
    format!("| {cell:<32} | {peer:<21} | {figures} | {remark:<16} |")
}
