//! What came of a run: the summary for the user, and whether it is a success.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A picture that has its thumbnail.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Its place in the order of the inputs.
    pub(crate) number: usize,
    /// The thumbnail's file name in the output folder.
    pub(crate) file: String,
    /// How long the attempt that succeeded took, from reading to renaming.
    pub(crate) took: Duration,
}

/// A picture that was given up.
#[derive(Debug)]
pub(crate) struct Dead {
    /// Its place in the order of the inputs.
    pub(crate) number: usize,
    /// The file.
    pub(crate) source: PathBuf,
    /// Why, in words.
    pub(crate) reason: String,
    /// Whether the file itself is to blame. If not, the picture may be good, and the run is not complete.
    pub(crate) rejected: bool,
}

/// All that is known after a run. `Display` is the summary.
#[derive(Debug)]
pub(crate) struct Report {
    /// The pictures with thumbnails, in input order.
    pub(crate) done: Vec<Finished>,
    /// The pictures given up, in input order.
    pub(crate) dead: Vec<Dead>,
    /// Attempts that failed and were followed by another.
    pub(crate) retried: u64,
    /// From the start of the pool until the last picture was settled.
    pub(crate) elapsed: Duration,
    /// Where the thumbnails are.
    pub(crate) folder: PathBuf,
    /// The contact sheet's file, none if there is nothing to show, or why it could not be made.
    pub(crate) sheet: Result<Option<PathBuf>, String>,
}

impl Report {
    /// Whether all that could be made was made: every good picture's thumbnail, and the contact sheet.
    pub(crate) fn is_complete(&self) -> bool {
        self.sheet.is_ok() && self.dead.iter().all(|dead| dead.rejected)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut times: Vec<Duration> = self.done.iter().map(|done| done.took).collect();
        times.sort_unstable();
        let seconds = self.elapsed.as_secs_f64();
        let speed = self.done.len() as f64 / seconds.max(f64::MIN_POSITIVE);

        writeln!(f, "done      {:>6}", self.done.len())?;
        writeln!(f, "retried   {:>6}", self.retried)?;
        writeln!(f, "dead      {:>6}", self.dead.len())?;
        writeln!(f, "speed     {speed:>6.1} pictures/s, {seconds:.2} s in all")?;
        if let (Some(p50), Some(p99)) = (percentile(&times, 50), percentile(&times, 99)) {
            let ms = |time: Duration| time.as_secs_f64() * 1e3;
            writeln!(f, "p50       {:>6.1} ms per picture", ms(p50))?;
            writeln!(f, "p99       {:>6.1} ms per picture", ms(p99))?;
        }
        writeln!(f, "folder    {}", shown(&self.folder))?;
        match &self.sheet {
            Ok(Some(sheet)) => writeln!(f, "sheet     {}", shown(sheet))?,
            Ok(None) => writeln!(f, "sheet     none: there is no thumbnail to show")?,
            Err(reason) => writeln!(f, "sheet     none: {}", printable(reason))?,
        }
        if !self.dead.is_empty() {
            writeln!(f, "\ndead letters")?;
        }
        let width = self.dead.iter().map(|dead| shown(&dead.source).chars().count()).max().unwrap_or(0);
        for dead in &self.dead {
            writeln!(f, "  {:width$}  {}", shown(&dead.source), printable(&dead.reason))?;
        }
        Ok(())
    }
}

/// The value that `percent` of the sorted values do not exceed (nearest rank); none of none.
fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    debug_assert!((1..=100).contains(&percent));
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

/// A path as it is shown: relative to the working directory where it lies below it.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    printable(&path.strip_prefix(&here).unwrap_or(path).display().to_string())
}

/// File names may hold line breaks and worse; a terminal must not obey them.
fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|char| {
            let escaped = char.is_control().then(|| char.escape_default());
            let plain = (!char.is_control()).then_some(char);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Dead, Finished, Report, percentile};

    fn report(dead: Vec<Dead>) -> Report {
        let took = Duration::from_millis(20);
        Report {
            done: vec![Finished { number: 1, file: "cat.jpg".into(), took }],
            dead,
            retried: 2,
            elapsed: Duration::from_millis(500),
            folder: "/somewhere/out".into(),
            sheet: Ok(None),
        }
    }

    fn dead(rejected: bool) -> Dead {
        Dead { number: 0, source: "/in/b\x1bad.jpg".into(), reason: "no\npicture".into(), rejected }
    }

    #[test]
    fn the_summary_says_it_all() {
        let text = report(vec![dead(true)]).to_string();
        for line in [
            "done           1\n",
            "retried        2\n",
            "dead           1\n",
            "speed        2.0 pictures/s, 0.50 s in all\n",
            "p50         20.0 ms per picture\n",
            "p99         20.0 ms per picture\n",
            "folder    /somewhere/out\n",
            "  /in/b\\u{1b}ad.jpg  no\\npicture\n",
        ] {
            assert!(text.contains(line), "{line:?} is missing in:\n{text}");
        }
    }

    #[test]
    fn only_what_may_be_good_makes_a_run_incomplete() {
        assert!(report(vec![]).is_complete());
        assert!(report(vec![dead(true)]).is_complete());
        assert!(!report(vec![dead(true), dead(false)]).is_complete());
        assert!(!Report { sheet: Err("disk full".into()), ..report(vec![]) }.is_complete());
    }

    #[test]
    fn percentiles_are_nearest_ranks() {
        let times: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 50), Some(Duration::from_millis(100)));
        assert_eq!(percentile(&times, 99), Some(Duration::from_millis(198)));
        assert_eq!(percentile(&times, 100), Some(Duration::from_millis(200)));
        assert_eq!(percentile(&times[..1], 1), Some(Duration::from_millis(1)));
        assert_eq!(percentile(&times[..3], 50), Some(Duration::from_millis(2)));
        assert_eq!(percentile(&[], 50), None);
    }
}
