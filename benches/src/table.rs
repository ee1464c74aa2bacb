//! The rounds of one cell, and how they are summed up.

use crate::sample::Sample;

/// The samples of one cell, a row a round.
pub(crate) struct Rounds {
    peers: Vec<&'static str>,
    rows: Vec<Vec<Sample>>,
}

impl Rounds {
    pub(crate) const fn new(peers: Vec<&'static str>) -> Self {
        Self { peers, rows: Vec::new() }
    }

    /// Adds a round: one sample of each peer.
    pub(crate) fn add(&mut self, samples: impl Iterator<Item = Sample>) {
        self.rows.push(samples.collect());
    }

    /// Prints a line a peer.
    pub(crate) fn print(&self, cell: &str) {
        for (peer, name) in self.peers.iter().enumerate() {
            let rates = self.column(|row| rate(row[peer]));
            let hung = self.count(peer, Sample::Hung);
            let failed = self.count(peer, Sample::Failed);
            let mut line = format!("{cell:<22} {name:<20} {}", spread(&rates));
            if peer > 0 {
                let ratios = self.column(|row| Some(rate(row[0])? / rate(row[peer])?));
                line += &format!("   ratio {}", spread(&ratios));
            }
            if hung + failed > 0 {
                line += &format!("   HUNG {hung}, FAILED {failed} of {}", self.rows.len());
            }
            println!("{line}");
        }
    }

    fn column(&self, value: impl Fn(&[Sample]) -> Option<f64>) -> Vec<f64> {
        let mut values: Vec<f64> = self.rows.iter().filter_map(|row| value(row)).collect();
        values.sort_by(f64::total_cmp);
        values
    }

    fn count(&self, peer: usize, what: Sample) -> usize {
        self.rows.iter().filter(|row| row[peer] == what).count()
    }
}

const fn rate(sample: Sample) -> Option<f64> {
    match sample {
        Sample::Rate(rate) => Some(rate),
        Sample::Hung | Sample::Failed => None,
    }
}

/// Writes the median, the least and the largest of sorted values.
fn spread(sorted: &[f64]) -> String {
    match (sorted.first(), sorted.last()) {
        (Some(min), Some(max)) => format!("{:8.2} [{min:.2}..{max:.2}]", sorted[sorted.len() / 2]),
        _ => format!("{:>8}", "-"),
    }
}
