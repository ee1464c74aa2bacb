//! What a run measured, and how it is written down.

#![forbid(unsafe_code)]

pub mod date;
pub mod summary;
pub mod svg;
pub mod table;

use crate::stats::{self, Spread};
use serde::{Deserialize, Serialize};

/// Millions a second that nobody falls below who gets anywhere: a message a millisecond, when a thread is woken in a tenth of it.
const STALL: f64 = 0.001;

/// One run: everything there is to know about it. The JSON file is this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// When it began, as year-month-day.
    pub date: String,
    /// How many rounds each cell had.
    pub rounds: usize,
    /// How many milliseconds a sample was measured.
    pub millis: u64,
    /// The cells, in the order in which they were run.
    pub cells: Vec<CellReport>,
}

/// One cell in one mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellReport {
    /// The name of the cell.
    pub cell: String,
    /// Which plot it belongs to.
    pub group: String,
    /// Where the threads ran: free, pinned or one-cpu.
    pub mode: String,
    /// What the figures count.
    pub unit: String,
    /// Whether more is better.
    pub more_is_better: bool,
    /// Those who took part.
    pub peers: Vec<PeerReport>,
}

/// One peer in one cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeerReport {
    /// The name of the peer.
    pub peer: String,
    /// What it is to the comparison.
    pub role: Standing,
    /// A sample a round.
    pub samples: Vec<Sample>,
}

/// What a peer is to the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Millpond.
    Ours,
    /// A competitor.
    Peer,
    /// No competitor, but something to hold the others against.
    Reference,
}

/// What became of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sample {
    /// The figure.
    Figure(f64),
    /// It did not end within its time limit.
    Hung,
    /// It panicked: work was lost, or could not be done.
    Failed,
    /// It was not taken any more, because the peer hung too often.
    Skipped,
}

impl Sample {
    /// Returns the figure, if there is one.
    #[must_use]
    pub const fn figure(self) -> Option<f64> {
        match self {
            Self::Figure(figure) => Some(figure),
            Self::Hung | Self::Failed | Self::Skipped => None,
        }
    }
}

impl PeerReport {
    /// Returns the figures, a round each.
    #[must_use]
    pub fn figures(&self) -> Vec<Option<f64>> {
        self.samples.iter().map(|sample| sample.figure()).collect()
    }

    /// Returns the median, the least and the largest figure; none if there is no figure.
    #[must_use]
    pub fn spread(&self) -> Option<Spread> {
        Spread::of(self.figures().into_iter().flatten())
    }

    /// Counts the samples that did end, but only because the senders stopped: hardly a message passed before.
    #[must_use]
    pub fn stalls(&self, cell: &CellReport) -> usize {
        let stalled = |&figure: &f64| cell.more_is_better && figure < STALL;
        self.figures().into_iter().flatten().filter(stalled).count()
    }

    /// Counts the samples with this outcome.
    #[must_use]
    pub fn count(&self, outcome: Sample) -> usize {
        self.samples.iter().filter(|&&sample| sample == outcome).count()
    }
}

impl CellReport {
    /// Returns millpond's entry: the first of its own.
    #[must_use]
    pub fn ours(&self) -> Option<&PeerReport> {
        self.peers.iter().find(|peer| peer.role == Standing::Ours)
    }

    /// Returns a peer by name.
    #[must_use]
    pub fn peer(&self, name: &str) -> Option<&PeerReport> {
        self.peers.iter().find(|peer| peer.peer == name)
    }

    /// Returns the competitor with the best median.
    #[must_use]
    pub fn best(&self) -> Option<&PeerReport> {
        let rank = |peer: &PeerReport| {
            let median = peer.spread()?.median;
            Some(if self.more_is_better { median } else { -median })
        };
        let ranked = self.peers.iter().filter(|peer| peer.role == Standing::Peer);
        let ranked = ranked.filter_map(|peer| Some((rank(peer)?, peer)));
        ranked.max_by(|(first, _), (second, _)| first.total_cmp(second)).map(|(_, peer)| peer)
    }

    /// Returns the spread of the ratios of the same round. Above 1 the first is better.
    #[must_use]
    pub fn ratio(&self, first: &PeerReport, second: &PeerReport) -> Option<Spread> {
        Spread::of(stats::ratios(&first.figures(), &second.figures(), self.more_is_better))
    }
}

/// Writes a figure with three digits or so.
#[must_use]
pub fn digits(figure: f64) -> String {
    match figure.abs() {
        size if size >= 1000.0 => format!("{figure:.0}"),
        size if size >= 100.0 => format!("{figure:.1}"),
        size if size >= 1.0 || size == 0.0 => format!("{figure:.2}"),
        size if size >= 0.1 => format!("{figure:.3}"),
        _ => format!("{figure:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(name: &str, role: Standing, figures: &[f64]) -> PeerReport {
        let samples = figures.iter().map(|&figure| Sample::Figure(figure)).collect();
        PeerReport { peer: name.to_owned(), role, samples }
    }

    fn cell(more_is_better: bool) -> CellReport {
        CellReport {
            cell: "a/b".to_owned(),
            group: "a".to_owned(),
            mode: "free".to_owned(),
            unit: "M/s".to_owned(),
            more_is_better,
            peers: vec![
                peer("millpond", Standing::Ours, &[4.0, 4.0, 4.0]),
                peer("quick", Standing::Peer, &[8.0, 2.0, 8.0]),
                peer("slow", Standing::Peer, &[1.0, 0.0002, 1.0]),
                peer("bare", Standing::Reference, &[9.0, 0.1, 9.0]),
            ],
        }
    }

    #[test]
    fn best_peer_has_the_best_median_and_is_no_reference() {
        assert_eq!(cell(true).best().map(|best| &*best.peer), Some("quick"));
        assert_eq!(cell(false).best().map(|best| &*best.peer), Some("slow"));
    }

    #[test]
    fn ratio_is_the_median_of_the_rounds() {
        let cell = cell(true);
        let ratio = cell.ratio(&cell.peers[0], &cell.peers[1]);
        assert_eq!(ratio, Some(Spread { median: 0.5, min: 0.5, max: 2.0 }));
    }

    #[test]
    fn stalls_are_counted_where_more_is_better() {
        let (rates, nanos) = (cell(true), cell(false));
        assert_eq!(rates.peers[2].stalls(&rates), 1);
        assert_eq!(nanos.peers[2].stalls(&nanos), 0);
        assert!(table::lines(&rates)[2].contains("STALLED 1 of 3"));
    }

    #[test]
    fn run_survives_its_file() {
        let mut cell = cell(true);
        cell.peers[1].samples.extend([Sample::Hung, Sample::Failed, Sample::Skipped]);
        let run = Run { date: "2026-01-02".to_owned(), rounds: 3, millis: 60, cells: vec![cell] };
        let read = serde_json::to_string(&run).and_then(|text| serde_json::from_str::<Run>(&text));
        assert_eq!(read.ok().as_ref(), Some(&run));
        assert_eq!(svg::plots(&run).len(), 1);
    }
}
