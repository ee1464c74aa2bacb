//! Plots as SVG, written by hand: bars, whiskers and text need no library.
//!
//! A plot is a group of cells. Each cell is a panel with a scale of its own, because cells differ a hundredfold; in a panel
//! each peer is a bar to the median, with a whisker from the least to the largest sample.

mod canvas;

use super::{CellReport, PeerReport, Run, Sample, Standing, digits};
use crate::peer::Role;
use crate::peers;
use canvas::{Canvas, FAINT, INK, Style};

/// A plot of one group of cells in one mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plot {
    /// The name of the file.
    pub file: String,
    /// What is in it.
    pub text: String,
}

// All in pixels.
const MARGIN: usize = 20;
const PANEL_WIDTH: usize = 460;
const PANEL_GAP: usize = 28;
const NAME_WIDTH: usize = 126;
const VALUE_WIDTH: usize = 64;
const BAR_WIDTH: usize = PANEL_WIDTH - NAME_WIDTH - VALUE_WIDTH;
const LINE: usize = 15;
const BAR: usize = 10;
const PANEL_HEAD: usize = 22;
const LEGEND_TOP: usize = 62;
const SWATCH: usize = 26;
/// About how wide a letter is, in tenths: there is no font to ask.
const LETTER_TENTHS: usize = 64;

const OURS: &str = "#c2410c";
const ALSO_OURS: &str = "#f59e0b";
const REFERENCE: &str = "#9ca3af";
const ALARM: &str = "#b91c1c";

/// One for each competitor, in the order of the table of peers; further ones begin anew. Kin have like colours.
const COLOURS: [&str; 22] = [
    "#4e79a7", "#2f4b7c", "#8a6d1d", "#c9a227", "#f1ce63", "#e6d5a0", "#59a14f", "#d37295", "#499894",
    "#7b5ea7", "#b39bd1", "#9c755f", "#86bfe8", "#79706e", "#4e79a7", "#59a14f", "#7b5ea7", "#8a6d1d",
    "#499894", "#d37295", "#9c755f", "#79706e",
];

/// Returns a plot for each group and mode of a run.
#[must_use]
pub fn plots(run: &Run) -> Vec<Plot> {
    let mut plots: Vec<(&str, &str, Vec<&CellReport>)> = Vec::new();
    for cell in &run.cells {
        let known = plots.iter_mut().find(|(group, mode, _)| *group == cell.group && *mode == cell.mode);
        match known {
            Some((_, _, cells)) => cells.push(cell),
            None => plots.push((&cell.group, &cell.mode, vec![cell])),
        }
    }
    let plots = plots.into_iter().map(|(group, mode, cells)| Plot {
        file: format!("{}-{mode}.svg", group.replace('/', "-")),
        text: plot(run, group, mode, &cells),
    });
    plots.collect()
}

fn plot(run: &Run, group: &str, mode: &str, cells: &[&CellReport]) -> String {
    let columns = cells.len().min(2);
    let width = 2 * MARGIN + columns * PANEL_WIDTH + (columns - 1) * PANEL_GAP;
    let mut canvas = Canvas::default();
    let title = format!("millpond beside its peers: {group}");
    canvas.text(MARGIN, 30, Style::PLAIN.size(17).bold(true).colour(INK), &title);
    let (rounds, millis, date) = (run.rounds, run.millis, &run.date);
    let threads = where_threads_run(mode);
    let facts =
        format!("median of {rounds} interleaved rounds of {millis} ms, min to max; {threads}; {date}");
    canvas.text(MARGIN, 48, Style::PLAIN, &facts);
    let mut y = legend(&mut canvas, cells, width);
    for row in cells.chunks(columns) {
        for (column, cell) in row.iter().enumerate() {
            panel(&mut canvas, cell, MARGIN + column * (PANEL_WIDTH + PANEL_GAP), y);
        }
        y += row.iter().map(|cell| height(cell)).max().unwrap_or(0);
    }
    canvas.finish(width, y)
}

fn where_threads_run(mode: &str) -> &str {
    match mode {
        "pinned" => "threads pinned to two cores",
        "one-cpu" => "everything on one core",
        _ => "threads left to the scheduler",
    }
}

/// Draws the legend. Returns where the panels below it begin.
fn legend(canvas: &mut Canvas, cells: &[&CellReport], width: usize) -> usize {
    let mut peers: Vec<&PeerReport> = Vec::new();
    for peer in cells.iter().flat_map(|cell| &cell.peers) {
        if !peers.iter().any(|known| known.peer == peer.peer) {
            peers.push(peer);
        }
    }
    let all = peers::all();
    peers.sort_by_key(|peer| all.iter().position(|known| known.name == peer.peer));
    let (mut x, mut y) = (MARGIN, LEGEND_TOP);
    for peer in peers {
        let wide = SWATCH + peer.peer.len() * LETTER_TENTHS / 10;
        if x + wide > width - MARGIN {
            (x, y) = (MARGIN, y + LINE);
        }
        canvas.rect(x, y, BAR as f64, BAR, colour(peer));
        canvas.text(x + BAR + 4, y + 9, Style::PLAIN, &peer.peer);
        x += wide;
    }
    y + LINE + MARGIN / 2
}

fn height(cell: &CellReport) -> usize {
    let lines = cell.peers.len() + usize::from(cell.ours().is_none());
    PANEL_HEAD + lines * LINE + MARGIN
}

fn panel(canvas: &mut Canvas, cell: &CellReport, x: usize, y: usize) {
    let better = if cell.more_is_better { "more is better" } else { "less is better" };
    let unit = match cell.unit.as_str() {
        "M/s" => "millions a second",
        "ns" => "nanoseconds",
        other => other,
    };
    canvas.text(x, y + 12, Style::PLAIN.size(12).bold(true).colour(INK), &cell.cell);
    canvas.text(x + PANEL_WIDTH, y + 12, Style::RIGHT.colour(FAINT), &format!("{unit}, {better}"));
    let zero = x + NAME_WIDTH;
    let mut line = y + PANEL_HEAD;
    if cell.ours().is_none() {
        canvas.text(zero - 6, line + 9, Style::RIGHT.bold(true), "millpond");
        canvas.text(zero + 6, line + 9, Style::PLAIN.colour(FAINT), "does not take part");
        line += LINE;
    }
    let scale = cell.peers.iter().filter_map(|peer| Some(peer.spread()?.max)).fold(0.0, f64::max);
    for peer in &cell.peers {
        bar(canvas, peer, trouble(cell, peer), scale, zero, line);
        line += LINE;
    }
    canvas.line(&format!("M{zero} {}V{line}", y + PANEL_HEAD - 3), FAINT);
}

/// The worst that became of a peer's samples.
fn trouble(cell: &CellReport, peer: &PeerReport) -> Option<&'static str> {
    let troubles = [
        (peer.count(Sample::Hung), "hung"),
        (peer.stalls(cell), "stalled"),
        (peer.count(Sample::Failed), "failed"),
    ];
    troubles.into_iter().find(|&(count, _)| count > 0).map(|(_, what)| what)
}

fn bar(canvas: &mut Canvas, peer: &PeerReport, trouble: Option<&str>, scale: f64, zero: usize, y: usize) {
    let bold = peer.role == Standing::Ours;
    canvas.text(zero - 6, y + 9, Style::RIGHT.bold(bold), &peer.peer);
    let Some(spread) = peer.spread() else {
        canvas.text(zero + 6, y + 9, Style::PLAIN.colour(ALARM), trouble.unwrap_or("no sample"));
        return;
    };
    let at = |figure: f64| figure / scale.max(f64::MIN_POSITIVE) * BAR_WIDTH as f64;
    canvas.rect(zero, y, at(spread.median), BAR, colour(peer));
    let (from, to, top) = (zero as f64 + at(spread.min), zero as f64 + at(spread.max), y + BAR / 2 - 2);
    canvas.line(&format!("M{from:.1} {}H{to:.1}M{from:.1} {top}v4M{to:.1} {top}v4", top + 2), INK);
    let right = zero + BAR_WIDTH + VALUE_WIDTH;
    let value = trouble.map_or_else(String::new, |what| format!("{what}, ")) + &digits(spread.median);
    let style = if trouble.is_some() { Style::RIGHT.colour(ALARM) } else { Style::RIGHT };
    canvas.text(right, y + 9, style.bold(bold), &value);
}

/// The same for the same name in every plot.
fn colour(peer: &PeerReport) -> &'static str {
    match peer.role {
        Standing::Ours if peer.peer == "millpond" => OURS,
        Standing::Ours => ALSO_OURS,
        Standing::Reference => REFERENCE,
        Standing::Peer => {
            let mut competitors = peers::all().into_iter().filter(|known| known.role == Role::Peer);
            let index = competitors.position(|known| known.name == peer.peer);
            index.map_or(REFERENCE, |index| COLOURS[index % COLOURS.len()])
        }
    }
}
