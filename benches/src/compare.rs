//! Interleaved rounds over all cells and peers, and the table of their medians.
//!
//! Machines are shared and change their mind within seconds, so the peers of a cell are measured one right after the other,
//! in an order that changes every round, and compared within the round.

use crate::cells::{self, Cell};
use crate::pool_load::rounds_for;
use crate::sample::{self, Outcome, Setting};
use crate::stats::{median_ratio, summary};
use std::fmt::Write as _;
use std::io;
use std::time::Duration;

/// What to compare.
#[derive(Clone, Debug)]
pub struct Options {
    /// Only cells whose name contains these words.
    pub filter: String,
    /// How often each cell is measured with each peer.
    pub rounds: usize,
    /// Whether sender `i` runs on processor `i` modulo their number, and receiver `i` on the one after.
    pub pinned: bool,
    /// The longest a sample may take.
    pub limit: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { filter: String::new(), rounds: 5, pinned: false, limit: Duration::from_secs(20) }
    }
}

/// The samples of one cell: for each peer, its outcome in each round.
struct Row {
    cell: Cell,
    peers: Vec<(&'static str, Vec<Outcome>)>,
}

/// Runs the comparison and returns the table. Progress goes to standard error.
///
/// # Errors
/// If a sample's process cannot be started.
pub fn run(options: &Options) -> io::Result<String> {
    let rounds_per_us = rounds_for(Duration::from_micros(1000)).div_ceil(1000);
    let setting = Setting { pinned: options.pinned, rounds_per_us, limit: options.limit };
    let mut rows: Vec<Row> = cells::all()
        .into_iter()
        .filter(|cell| matches(&cell.name, &options.filter))
        .map(|cell| Row {
            peers: sample::peers_of(&cell.kind).into_iter().map(|p| (p, vec![])).collect(),
            cell,
        })
        .collect();
    for round in 0..options.rounds {
        for row in &mut rows {
            eprint!("\rround {} of {}: {:<30}", round + 1, options.rounds, row.cell.name);
            let count = row.peers.len();
            for turn in 0..count {
                let (peer, outcomes) = &mut row.peers[(round + turn) % count];
                outcomes.push(sample::take_in_child(&row.cell, peer, &setting)?);
            }
        }
    }
    eprintln!();
    Ok(table(&rows, options))
}

/// Whether a name contains the words of the filter, one after the other: "cap 1" is no part of "cap 1024".
fn matches(name: &str, filter: &str) -> bool {
    filter.is_empty() || format!(" {name} ").contains(&format!(" {filter} "))
}

fn table(rows: &[Row], options: &Options) -> String {
    let placed = if options.pinned { "pinned" } else { "free" };
    let mut text = format!(
        "M/s, median [min..max] of {} rounds; x = millpond / peer; threads {placed}\n",
        options.rounds
    );
    for row in rows {
        writeln!(text, "{}", row.cell.name).expect("a string takes any text");
        let ours = speeds(&row.peers[0].1);
        for (place, (peer, outcomes)) in row.peers.iter().enumerate() {
            let theirs = speeds(outcomes);
            let ratio = if place == 0 { None } else { median_ratio(&ours, &theirs) };
            writeln!(text, "  {peer:<18} {}", line(&theirs, outcomes, ratio))
                .expect("a string takes any text");
        }
    }
    text
}

fn line(speeds: &[Option<f64>], outcomes: &[Outcome], ratio: Option<f64>) -> String {
    let mut text = match summary(speeds.iter().copied().flatten()) {
        Some(s) => format!("{:8.3} [{:.3}..{:.3}]", s.median, s.min, s.max),
        None => "       -".to_owned(),
    };
    if let Some(ratio) = ratio {
        write!(text, "  x {ratio:.2}").expect("a string takes any text");
    }
    for (what, outcome) in [("hung", Outcome::Hung), ("FAILED", Outcome::Failed)] {
        let count = outcomes.iter().filter(|o| **o == outcome).count();
        if count > 0 {
            write!(text, "  {what} {count} of {}", outcomes.len()).expect("a string takes any text");
        }
    }
    text
}

fn speeds(outcomes: &[Outcome]) -> Vec<Option<f64>> {
    let speed = |outcome: &Outcome| match outcome {
        Outcome::Speed(speed) => Some(*speed),
        Outcome::Hung | Outcome::Failed => None,
    };
    outcomes.iter().map(speed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_match_whole_words() {
        assert!(matches("1x1 cap 1", "cap 1") && matches("1x1 cap 1", "1x1") && matches("1x1 cap 1", ""));
        assert!(!matches("1x1 cap 1024", "cap 1"));
    }

    #[test]
    fn a_hanging_peer_is_reported_as_such() {
        let outcomes = [Outcome::Speed(2.0), Outcome::Hung, Outcome::Failed];
        let text = line(&speeds(&outcomes), &outcomes, Some(1.5));
        assert!(text.contains("2.000 [2.000..2.000]  x 1.50  hung 1 of 3  FAILED 1 of 3"), "{text}");
        assert!(line(&[None], &[Outcome::Hung], None).contains("hung 1 of 1"));
    }
}
