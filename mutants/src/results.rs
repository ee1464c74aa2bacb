//! The table of results, which is also what a run that was broken off goes on from.

use crate::data::Check;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

/// What became of a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Killed,
    Survived,
    DoesNotCompile,
    TimedOut,
}

const FATES: [(Fate, &str); 4] = [
    (Fate::Killed, "killed"),
    (Fate::Survived, "survived"),
    (Fate::DoesNotCompile, "does not compile"),
    (Fate::TimedOut, "timed out"),
];

impl Fate {
    pub(crate) fn name(self) -> &'static str {
        FATES.iter().find(|(fate, _)| *fate == self).map_or("", |(_, name)| name)
    }
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// A mark of the file in which the mutant was.
    pub(crate) mark: String,
    pub(crate) fate: Fate,
    /// Who noticed it.
    pub(crate) by: String,
    pub(crate) seconds: f32,
}

impl Row {
    /// The check that has noticed the mutant, to be tried first the next time.
    pub(crate) fn check(&self) -> Option<Check> {
        if self.fate == Fate::Killed { Check::parse(&self.by) } else { None }
    }
}

/// The table.
#[derive(Default)]
pub(crate) struct Results {
    rows: BTreeMap<String, Row>,
}

impl Results {
    /// Reads a table that was written before; an empty one if there is none.
    pub(crate) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_default();
        let rows = text.lines().filter_map(parse).map(|row| (row.name.clone(), row)).collect();
        Self { rows }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Row> {
        self.rows.get(name)
    }

    pub(crate) fn add(&mut self, row: Row) {
        self.rows.insert(row.name.clone(), row);
    }

    /// Forgets mutants that are no more.
    pub(crate) fn keep(&mut self, names: &[&str]) {
        self.rows.retain(|name, _| names.contains(&name.as_str()));
    }

    /// How many had this fate.
    pub(crate) fn count(&self, fate: Fate) -> usize {
        self.rows.values().filter(|row| row.fate == fate).count()
    }

    /// Writes the table. `argued`: names and reasons of those that are not run.
    pub(crate) fn write(&self, path: &Path, argued: &[(&str, &str)]) -> Result<(), String> {
        let mut text = String::from(
            "# Mutants: what became of each\n\n\
             Written by `cargo run -p millpond-mutants`, and read by it. A mark belongs to the file in which the mutant was: a run goes \
             on from\nhere, and does those again whose file has changed. \"By\" is the first check that failed.\n\n",
        );
        let fates = FATES.iter().map(|(fate, name)| format!("{} {name}", self.count(*fate)));
        let fates: Vec<_> = fates.collect();
        let _ = writeln!(text, "{}: {}, {} argued.\n", today(), fates.join(", "), argued.len());
        text.push_str("| mutant | mark | fate | by | seconds |\n|---|---|---|---|---|\n");
        for row in self.rows.values().filter(|row| argued.iter().all(|(name, _)| *name != row.name)) {
            let Row { name, mark, fate, by, seconds } = row;
            let _ = writeln!(text, "| {name} | {mark} | {} | {by} | {seconds:.1} |", fate.name());
        }
        text.push_str("\n## Argued\n\n| mutant | why nothing notices it |\n|---|---|\n");
        for (name, reason) in argued {
            let _ = writeln!(text, "| {name} | {reason} |");
        }
        fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
    }
}

fn parse(line: &str) -> Option<Row> {
    let cells: Vec<_> = line.trim().strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
    let [name, mark, fate, by, seconds] = cells[..] else { return None };
    let fate = FATES.iter().find(|(_, known)| *known == fate)?.0;
    let (name, mark, by) = (name.to_owned(), mark.to_owned(), by.trim().to_owned());
    Some(Row { name, mark, fate, by, seconds: seconds.parse().ok()? })
}

/// Today's date, of the calendar of UTC.
fn today() -> String {
    let days =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs() / 86_400);
    date(days)
}

/// The date of a day, counted from the first of 1970: Hinnant's `civil_from_days`.
fn date(days: u64) -> String {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_as_it_is_written() {
        let line = "| src/a.rs f: a.load Acquire to Relaxed | 00ff00ff | killed | loom x::y | 1.5 |";
        let row = parse(line).unwrap();
        assert_eq!((row.fate, row.by.as_str(), row.seconds), (Fate::Killed, "loom x::y", 1.5));
        assert_eq!(row.check(), Check::parse("loom x::y"));
        assert_eq!(parse("| a | b | survived |  | 1.5 |").map(|row| row.check()), Some(None));
        assert_eq!(parse("|---|---|---|---|---|"), None);
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!((date(0).as_str(), date(59).as_str()), ("1970-01-01", "1970-03-01"));
        assert_eq!((date(11_016).as_str(), date(20_779).as_str()), ("2000-02-29", "2026-11-22"));
    }
}
