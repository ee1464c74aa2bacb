//! The summary: what became of every row.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::mailing::Settled;
use crate::recipients::{Duplicate, Malformed};

/// What became of every row of the list.
#[derive(Debug)]
pub(crate) struct Report {
    /// Data rows in the list.
    pub(crate) rows: usize,
    /// What became of the recipients.
    pub(crate) settled: Settled,
    /// Rows that were skipped.
    pub(crate) malformed: Vec<Malformed>,
    /// Rows that repeat a recipient.
    pub(crate) duplicates: Vec<Duplicate>,
}

impl Report {
    /// Returns whether every row became exactly one of sent, dead, malformed and duplicate, as far as numbers can tell.
    pub(crate) fn is_balanced(&self) -> bool {
        let unsent = self.settled.dead.len() + self.malformed.len() + self.duplicates.len();
        self.settled.sent + unsent as u64 == self.rows as u64
    }

    /// Prints the numbers, and below each the rows that somebody may want to look at.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "rows        {:>6}", self.rows)?;
        writeln!(out, "sent        {:>6}", self.settled.sent)?;
        writeln!(out, "retried     {:>6}", self.settled.retried)?;
        writeln!(out, "dead        {:>6}", self.settled.dead.len())?;
        for dead in &self.settled.dead {
            let attempts = if dead.attempts == 1 { "attempt" } else { "attempts" };
            let reason = printable(&dead.reason);
            writeln!(out, "  line {}: {} ({} {attempts}): {reason}", dead.line, dead.address, dead.attempts)?;
        }
        writeln!(out, "malformed   {:>6}", self.malformed.len())?;
        for row in &self.malformed {
            writeln!(out, "  line {}: {}", row.line, printable(&row.reason))?;
        }
        writeln!(out, "duplicates  {:>6}", self.duplicates.len())?;
        for row in &self.duplicates {
            writeln!(out, "  line {} repeats line {}: {}", row.line, row.first_line, row.address)?;
        }
        Ok(())
    }
}

/// Keeps one line one line, and another program's words from steering the terminal.
fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_control) {
        Cow::Owned(text.replace(char::is_control, " "))
    } else {
        Cow::Borrowed(text)
    }
}
