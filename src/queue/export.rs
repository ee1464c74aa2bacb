//! A dead letter as a line of JSON.

use super::envelope::{AttemptRecord, JobId};
use super::letter::{DeadInfo, DeadLetter};
use super::past::PastDeaths;
use serde::ser::{Serialize, SerializeStruct, Serializer};
use std::error::Error;
use std::fmt;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

/// Writes a letter as one object and a line feed.
pub(super) fn json_line<T: Serialize>(letter: &DeadLetter<T>) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(&Letter(letter))?;
    line.push(b'\n');
    Ok(line)
}

struct Letter<'l, T>(&'l DeadLetter<T>);

impl<T: Serialize> Serialize for Letter<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let letter = self.0;
        let info = DeadInfo::of(letter);
        let failed = letter.last_failure().is_some();
        let mut object = serializer.serialize_struct("DeadLetter", 14)?;
        object.serialize_field("id", &letter.id.get())?;
        object.serialize_field("reason", &snake(letter.reason))?;
        object.serialize_field("error", &failed.then_some(&info.error))?;
        object.serialize_field("kind", &failed.then(|| snake(info.kind)))?;
        object.serialize_field("attempts", &Records(&letter.attempts))?;
        object.serialize_field("attempts_total", &letter.attempts_total)?;
        object.serialize_field("deliveries", &letter.deliveries)?;
        object.serialize_field("snoozes", &letter.snoozes)?;
        object.serialize_field("deaths", &info.deaths)?;
        object.serialize_field("past", &Past(&letter.past))?;
        object.serialize_field("past_attempts", &Records(&letter.past_attempts))?;
        object.serialize_field("enqueued_at", &Rfc3339(letter.enqueued_at))?;
        object.serialize_field("died_at", &Rfc3339(letter.died_at))?;
        object.serialize_field("job", &letter.job)?;
        object.end()
    }
}

struct Records<'l>(&'l [AttemptRecord]);

impl Serialize for Records<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Record))
    }
}

struct Record<'l>(&'l AttemptRecord);

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = self.0;
        let mut object = serializer.serialize_struct("AttemptRecord", 5)?;
        object.serialize_field("attempt", &record.attempt)?;
        object.serialize_field("at", &Rfc3339(record.at))?;
        object.serialize_field("worker", &record.worker)?;
        object.serialize_field("error", &record.failure.text())?;
        object.serialize_field("kind", &snake(record.failure.kind()))?;
        object.end()
    }
}

struct Past<'l>(&'l [PastDeaths]);

impl Serialize for Past<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Deaths))
    }
}

struct Deaths<'l>(&'l PastDeaths);

impl Serialize for Deaths<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let past = self.0;
        let mut object = serializer.serialize_struct("PastDeaths", 6)?;
        object.serialize_field("reason", &snake(past.reason))?;
        object.serialize_field("count", &past.count)?;
        object.serialize_field("attempts", &past.attempts)?;
        object.serialize_field("first_at", &Rfc3339(past.first_at))?;
        object.serialize_field("last_at", &Rfc3339(past.last_at))?;
        object.serialize_field("last_error", &past.last_error)?;
        object.end()
    }
}

/// Returns the name of a variant in the manner of JSON: `LeaseLost` is `lease_lost`.
fn snake(variant: impl fmt::Debug) -> String {
    let mut name = String::new();
    for (index, letter) in format!("{variant:?}").chars().enumerate() {
        if letter.is_uppercase() && index > 0 {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

/// A time in UTC as RFC 3339 has it, to the nanosecond: `2026-01-31T08:05:00.000000000Z`.
struct Rfc3339(SystemTime);

impl Serialize for Rfc3339 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAY: u64 = 86_400;
        // Times before 1970 are shown as its beginning: the pool's clock has none.
        let since = self.0.duration_since(UNIX_EPOCH).unwrap_or_default();
        let (day, second) = (since.as_secs() / DAY, since.as_secs() % DAY);
        let (year, month, date) = civil(day);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        let nanos = since.subsec_nanos();
        write!(f, "{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z")
    }
}

/// Returns the year, month and day of the month of a day since 1970-01-01, in the Gregorian calendar.
///
/// After Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`: years begin in March, so that a
/// leap day is the last of its year, and an era is 400 years.
fn civil(day: u64) -> (u64, u64, u64) {
    const DAYS_TO_1970: u64 = 719_468;
    const ERA: u64 = 146_097;
    let day = day + DAYS_TO_1970;
    let (era, day) = (day / ERA, day % ERA);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let march = (5 * day + 2) / 153;
    let date = day - (153 * march + 2) / 5 + 1;
    let month = if march < 10 { march + 3 } else { march - 9 };
    (era * 400 + year + u64::from(month <= 2), month, date)
}

/// Why an export ended early. No letter was removed by it.
#[derive(Debug)]
#[non_exhaustive]
pub struct ExportError {
    /// How many letters were written in full before.
    pub written: usize,
    /// Why the next one was not.
    pub reason: ExportReason,
}

/// Why a letter could not be exported.
#[derive(Debug)]
#[non_exhaustive]
pub enum ExportReason {
    /// The job of this letter cannot be written as JSON. Nothing of its line was written.
    Job(JobId, serde_json::Error),
    /// The writer failed. A part of a line may have been written.
    Write(io::Error),
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the export ended after {} letters: ", self.written)?;
        match &self.reason {
            ExportReason::Job(id, _) => write!(f, "job {id} cannot be written as JSON"),
            ExportReason::Write(_) => f.write_str("the writer failed"),
        }
    }
}

impl Error for ExportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.reason {
            ExportReason::Job(_, error) => Some(error),
            ExportReason::Write(error) => Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retry::{DeadReason, FailureKind};
    use std::time::Duration;

    /// Every day from 1970 to 2400, counted by the rule of leap years.
    #[test]
    fn days_have_their_dates() {
        let mut day = 0;
        for year in 1970..2400 {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            for (month, length) in (1..).zip(lengths) {
                for date in 1..=length {
                    assert_eq!(civil(day), (year, month, date));
                    day += 1;
                }
            }
        }
    }

    #[test]
    fn times_and_names_are_written_in_the_manner_of_json() {
        let text = |time| Rfc3339(time).to_string();
        assert_eq!(text(UNIX_EPOCH), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(text(UNIX_EPOCH - Duration::from_secs(1)), "1970-01-01T00:00:00.000000000Z");
        let time = UNIX_EPOCH + Duration::new(1_709_251_199, 120_000_000);
        assert_eq!(text(time), "2024-02-29T23:59:59.120000000Z");
        assert_eq!(snake(DeadReason::Attempts), "attempts");
        assert_eq!(snake(FailureKind::Panic), "panic");
        #[derive(Debug)]
        struct LeaseLost;
        assert_eq!(snake(LeaseLost), "lease_lost");
    }
}
