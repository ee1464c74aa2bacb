//! When something recurs: cron expressions, over the calendar of a time zone.

use croner::Cron;
use croner::errors::CronError as Fault;
use croner::parser::CronParser;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use std::error::Error;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::time::SystemTime;

/// A schedule by cron expression.
///
/// Five fields: minute (0-59), hour (0-23), day of the month (1-31), month (1-12 or `JAN`-`DEC`), day of the week (0-7 or
/// `SUN`-`SAT`; 0 and 7 are Sunday). Six fields: seconds come first. Seven: years come last.
///
/// | a field says | that is |
/// |---|---|
/// | `*`, `5`, `1,15`, `1-5`, `*/10`, `20-40/5` | each, one, some, a range, each tenth, each fifth of a range |
/// | `L`, `15W`, `LW` as the day of the month | the last day, the weekday closest to the 15th, the last weekday |
/// | `FRI#2`, `5L` as the day of the week | the second Friday of the month, the last one |
/// | `@yearly`, `@monthly`, `@weekly`, `@daily`, `@hourly` instead of all fields | at the first moment of each |
///
/// If both days are given, either is enough, as in every cron since Vixie's; a `+` before the day of the week asks for both.
///
/// Times are those of UTC, or of a zone ([`in_zone`](Self::in_zone)). Where that zone's clocks are put forward, a time of
/// day that is skipped runs right after the gap; where they are put back, a fixed time of day runs once and an interval goes on.
///
/// Nothing here reads a clock or waits.
///
/// Source: the expressions are those of [`croner`](https://docs.rs/croner), after the
/// [Open Cron Pattern Specification](https://github.com/open-source-cron/ocps).
///
/// # Examples
///
/// ```
/// use millpond::CronSchedule;
/// use std::time::{Duration, UNIX_EPOCH};
///
/// // 1970-01-01 was a Thursday.
/// let schedule: CronSchedule = "30 9 * * MON-FRI".parse()?;
/// let first = schedule.next_after(UNIX_EPOCH).unwrap();
/// assert_eq!(first, UNIX_EPOCH + Duration::from_secs(9 * 3600 + 30 * 60));
/// let third = schedule.after(first).nth(1).unwrap();
/// assert_eq!(third.duration_since(first).unwrap(), Duration::from_secs(4 * 86_400));
///
/// let fault = "0 25 * * *".parse::<CronSchedule>().unwrap_err();
/// assert_eq!(fault.position(), Some(2..4));
/// # Ok::<(), millpond::CronError>(())
/// ```
#[derive(Clone)]
pub struct CronSchedule {
    cron: Cron,
    zone: TimeZone,
    /// As it was written.
    expression: Box<str>,
}

/// A field of a cron expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CronField {
    /// 0 to 59; left out where there are five fields.
    Second,
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// 1 to 31.
    DayOfMonth,
    /// 1 to 12, or `JAN` to `DEC`.
    Month,
    /// 0 to 7, or `SUN` to `SAT`.
    DayOfWeek,
    /// The last of seven fields.
    Year,
}

/// Why a text is no cron expression, or a name no time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CronError {
    /// The expression has this many fields, and none of 5, 6 and 7; or it begins with `@` and is none of the known names.
    Fields(usize),
    /// A field is at fault.
    Field {
        /// Which one.
        field: CronField,
        /// Where it stands, in bytes of the expression.
        position: Range<usize>,
        /// What is wrong with it.
        reason: String,
    },
    /// Each field is right, but no date has them all, such as the 30th of February.
    Never,
    /// There is no such time zone, or the system's data base of time zones cannot be read.
    Zone(String),
}

impl CronError {
    /// Returns where in the expression the fault is, in bytes, if one field is at fault.
    #[must_use]
    pub fn position(&self) -> Option<Range<usize>> {
        match self {
            CronError::Field { position, .. } => Some(position.clone()),
            _ => None,
        }
    }
}

impl CronSchedule {
    /// Reads a cron expression; its times are those of UTC.
    ///
    /// # Errors
    ///
    /// [`CronError`], with the position of the field that is at fault.
    pub fn parse(expression: &str) -> Result<Self, CronError> {
        check_lists(expression)?;
        let cron = CronParser::new().parse(expression).map_err(|fault| locate(expression, &fault))?;
        let schedule = Self { cron, zone: TimeZone::UTC, expression: expression.into() };
        if schedule.recurs() { Ok(schedule) } else { Err(CronError::Never) }
    }

    /// Takes the times as those of a zone: a name such as `Europe/Berlin`, looked up in the data base of the system, or rules
    /// as POSIX writes them, such as `CET-1CEST,M3.5.0,M10.5.0/3`.
    ///
    /// # Errors
    ///
    /// [`CronError::Zone`] when there is no such zone.
    pub fn in_zone(self, zone: &str) -> Result<Self, CronError> {
        let found = TimeZone::get(zone).or_else(|_| TimeZone::posix(zone));
        let zone = found.map_err(|_| CronError::Zone(zone.to_owned()))?;
        Ok(Self { zone, ..self })
    }

    /// Returns the first time after `time`, which is itself left out. None when there is none up to the year 5000.
    #[must_use]
    pub fn next_after(&self, time: SystemTime) -> Option<SystemTime> {
        let next = self.cron.find_next_occurrence(&self.zoned(time)?, false).ok()?;
        Some(next.into())
    }

    /// Returns the last time up to `time`, which may be the one. None when there is none since the year 1.
    #[must_use]
    pub fn latest_until(&self, time: SystemTime) -> Option<SystemTime> {
        let latest = self.cron.find_previous_occurrence(&self.zoned(time)?, true).ok()?;
        Some(latest.into())
    }

    /// Returns the times after `time`, one after the other.
    pub fn after(&self, time: SystemTime) -> impl Iterator<Item = SystemTime> + '_ {
        std::iter::successors(self.next_after(time), |last| self.next_after(*last))
    }

    /// Returns the time on the calendar, without the part of a second that has passed. None beyond the calendar's ends.
    fn zoned(&self, time: SystemTime) -> Option<Zoned> {
        let time = Timestamp::try_from(time).ok()?;
        let whole = if time.subsec_nanosecond() < 0 { time.as_second() - 1 } else { time.as_second() };
        Some(Timestamp::from_second(whole).ok()?.to_zoned(self.zone.clone()))
    }

    /// Whether there is any such date, past or to come.
    fn recurs(&self) -> bool {
        let now = SystemTime::UNIX_EPOCH;
        self.next_after(now).or_else(|| self.latest_until(now)).is_some()
    }
}

/// The fields of an expression and where they stand, in bytes.
fn fields(expression: &str) -> Result<Vec<(CronField, Range<usize>)>, CronError> {
    const FIELDS: [CronField; 7] = [
        CronField::Second,
        CronField::Minute,
        CronField::Hour,
        CronField::DayOfMonth,
        CronField::Month,
        CronField::DayOfWeek,
        CronField::Year,
    ];
    let words: Vec<&str> = expression.split_whitespace().collect();
    if !(5..=7).contains(&words.len()) {
        return Err(CronError::Fields(words.len()));
    }
    let without_seconds = usize::from(words.len() == 5);
    let places = words.iter().map(|word| {
        let start = word.as_ptr().addr() - expression.as_ptr().addr();
        start..start + word.len()
    });
    Ok(FIELDS.into_iter().skip(without_seconds).zip(places).collect())
}

/// Refuses lists that lack an item. The parser would leave it out, and where that leaves nothing the search for a date that has it
/// would go through all centuries, second by second.
fn check_lists(expression: &str) -> Result<(), CronError> {
    for (field, position) in fields(expression).unwrap_or_default() {
        if expression[position.clone()].split(',').any(str::is_empty) {
            return Err(CronError::Field { field, position, reason: "a list lacks an item".to_owned() });
        }
    }
    Ok(())
}

/// Finds the field that is at fault, by reading each with nothing else said.
fn locate(expression: &str, fault: &Fault) -> CronError {
    let fields = match fields(expression) {
        Ok(fields) => fields,
        Err(error) => return error,
    };
    for (field, position) in &fields {
        let mut alone = ["*"; 7];
        alone[*field as usize] = &expression[position.clone()];
        if let Err(fault) = CronParser::new().parse(&alone.join(" ")) {
            return CronError::Field { field: *field, position: position.clone(), reason: reason(&fault) };
        }
    }
    CronError::Field { field: fields[0].0, position: 0..expression.len(), reason: reason(fault) }
}

fn reason(fault: &Fault) -> String {
    match fault {
        Fault::InvalidPattern(text) | Fault::IllegalCharacters(text) | Fault::ComponentError(text) => {
            text.trim_end_matches('.').to_owned()
        }
        other => other.to_string().trim_end_matches('.').to_owned(),
    }
}

impl FromStr for CronSchedule {
    type Err = CronError;

    fn from_str(expression: &str) -> Result<Self, CronError> {
        Self::parse(expression)
    }
}

impl fmt::Display for CronSchedule {
    /// Writes the expression as it was given.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.expression)
    }
}

impl fmt::Debug for CronSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zone = self.zone.iana_name().unwrap_or("POSIX rules");
        f.debug_struct("CronSchedule").field("expression", &self.expression).field("zone", &zone).finish()
    }
}

impl fmt::Display for CronField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CronField::Second => "second",
            CronField::Minute => "minute",
            CronField::Hour => "hour",
            CronField::DayOfMonth => "day of the month",
            CronField::Month => "month",
            CronField::DayOfWeek => "day of the week",
            CronField::Year => "year",
        })
    }
}

impl fmt::Display for CronError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CronError::Fields(1) => {
                f.write_str("a cron expression has 5, 6 or 7 fields, or a known name after @")
            }
            CronError::Fields(count) => write!(f, "a cron expression has 5, 6 or 7 fields, not {count}"),
            CronError::Field { field, position, reason } => {
                write!(f, "the {field} at byte {} is wrong: {reason}", position.start)
            }
            CronError::Never => f.write_str("there is no such date"),
            CronError::Zone(zone) => write!(f, "no time zone {zone:?} is known"),
        }
    }
}

impl Error for CronError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn at(text: &str) -> SystemTime {
        text.parse::<Timestamp>().unwrap().into()
    }

    fn texts(schedule: &CronSchedule, after: &str, count: usize) -> Vec<String> {
        schedule
            .after(at(after))
            .take(count)
            .map(|time| Timestamp::try_from(time).unwrap().to_string())
            .collect()
    }

    #[test]
    fn times_are_those_of_the_expression() {
        let cases: [(&str, &str, &[&str]); 6] = [
            ("30 9 * * MON-FRI", "2026-11-20T09:30:00Z", &["2026-11-23T09:30:00Z", "2026-11-24T09:30:00Z"]),
            ("*/15 * * * * *", "2026-01-01T00:00:01.5Z", &["2026-01-01T00:00:15Z", "2026-01-01T00:00:30Z"]),
            ("0 0 29 2 *", "2026-01-01T00:00:00Z", &["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]),
            ("0 12 L * *", "2026-01-31T12:00:00Z", &["2026-02-28T12:00:00Z", "2026-03-31T12:00:00Z"]),
            ("0 0 * * FRI#2", "2026-01-01T00:00:00Z", &["2026-01-09T00:00:00Z", "2026-02-13T00:00:00Z"]),
            ("@daily", "2026-01-01T00:00:00Z", &["2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"]),
        ];
        for (expression, after, expected) in cases {
            let schedule = CronSchedule::parse(expression).unwrap();
            assert_eq!(texts(&schedule, after, 2), expected, "{expression}");
            assert_eq!(schedule.to_string(), expression);
        }
        let once = CronSchedule::parse("0 0 0 1 1 * 2020").unwrap();
        assert_eq!(once.next_after(at("2026-01-01T00:00:00Z")), None);
        assert_eq!(once.latest_until(at("2026-01-01T00:00:00Z")), Some(at("2020-01-01T00:00:00Z")));
    }

    #[test]
    fn faults_have_a_place_and_a_reason() {
        let cases = [
            ("0 25 * * *", CronField::Hour, 2..4),
            ("  61 * * * *", CronField::Minute, 2..4),
            ("* * * * * MOON", CronField::DayOfWeek, 10..14),
            ("99 * * * * *", CronField::Second, 0..2),
            ("0 0 1-x * *", CronField::DayOfMonth, 4..7),
            ("* * * 13 *", CronField::Month, 6..8),
            ("* * * * * * 12345", CronField::Year, 12..17),
            ("1,,2 * * * *", CronField::Minute, 0..4),
            ("0 0 * 4, *", CronField::Month, 6..8),
            (", * * * * *", CronField::Second, 0..1),
        ];
        for (expression, field, position) in cases {
            let fault = CronSchedule::parse(expression).unwrap_err();
            assert_eq!(fault.position(), Some(position), "{expression}: {fault}");
            assert!(fault.to_string().starts_with(&format!("the {field} at byte")), "{fault}");
        }
        assert_eq!("* * *".parse::<CronSchedule>().unwrap_err(), CronError::Fields(3));
        assert_eq!(CronSchedule::parse("").unwrap_err(), CronError::Fields(0));
        assert_eq!(CronSchedule::parse("@sometimes").unwrap_err(), CronError::Fields(1));
        assert_eq!(CronSchedule::parse("0 0 30 2 *").unwrap_err(), CronError::Never);
        let nowhere = CronSchedule::parse("@hourly").unwrap().in_zone("Nowhere/At_All");
        assert!(matches!(nowhere, Err(CronError::Zone(zone)) if zone == "Nowhere/At_All"));
    }

    /// Central Europe by its rules, so that no data base is needed: forward on 2026-03-29, back on 2026-10-25.
    fn central_europe(expression: &str) -> CronSchedule {
        CronSchedule::parse(expression).unwrap().in_zone("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    #[test]
    fn a_zone_has_its_own_day() {
        let nine = central_europe("0 9 * * *");
        assert_eq!(
            texts(&nine, "2026-03-27T12:00:00Z", 3),
            ["2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z", "2026-03-30T07:00:00Z"]
        );
        // Half past two is skipped in spring, and comes twice in autumn.
        let night = central_europe("30 2 * * *");
        assert_eq!(
            texts(&night, "2026-03-28T12:00:00Z", 2),
            ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]
        );
        assert_eq!(
            texts(&night, "2026-10-24T12:00:00Z", 2),
            ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
        );
        assert!(format!("{night:?}").contains("30 2"));
    }

    #[test]
    fn the_ends_of_time_are_no_trouble() {
        let schedule = CronSchedule::parse("@hourly").unwrap();
        for far in
            [UNIX_EPOCH + Duration::from_secs(1 << 60), UNIX_EPOCH + Duration::from_secs(250_000_000_000)]
        {
            assert_eq!(schedule.next_after(far), None);
        }
        let before = UNIX_EPOCH - Duration::from_millis(1);
        assert_eq!(schedule.next_after(before), Some(UNIX_EPOCH));
        assert_eq!(schedule.latest_until(before), Some(UNIX_EPOCH - Duration::from_secs(3_600)));
    }

    fn any_expression() -> impl Strategy<Value = String> {
        let part = |range: Range<u32>| {
            let (low, high) = (range.start, range.end);
            prop_oneof![
                2 => Just("*".to_owned()),
                1 => (low..high).prop_map(|value| value.to_string()),
                1 => (2..9u32).prop_map(|step| format!("*/{step}")),
                1 => (low..high, low..high).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
                1 => (low..high, low..high).prop_map(|(a, b)| format!("{a},{b}")),
            ]
        };
        (part(0..60), part(0..60), part(0..24), part(1..29), part(1..13), part(0..7)).prop_map(
            |(second, minute, hour, day, month, week)| {
                format!("{second} {minute} {hour} {day} {month} {week}")
            },
        )
    }

    proptest! {
        /// The next time is the one before which there is none: nothing lies between, and going back finds it again.
        #[test]
        fn next_and_latest_agree(expression in any_expression(), start in 0..3_000_000_000u64, zone in any::<bool>()) {
            let start = UNIX_EPOCH + Duration::from_secs(start);
            let utc = CronSchedule::parse(&expression).unwrap();
            let schedule = if zone { central_europe(&expression) } else { utc };
            let mut last = start;
            for next in schedule.after(start).take(5) {
                prop_assert!(next > last);
                prop_assert_eq!(schedule.latest_until(next), Some(next));
                let before = schedule.latest_until(next - Duration::from_nanos(1));
                prop_assert!(before.is_none_or(|before| before <= last), "{:?} between {:?} and {:?}", before, last, next);
                last = next;
            }
        }

        /// No text makes it panic, and a fault's place is a part of the text.
        #[test]
        fn no_text_is_too_strange(text in "[0-9*/,#LW?+@A-Z é.-]{0,24}|([0-9*/,#LWSUN?+-]{1,6} ){4,6}[0-9*L/,-]{1,3}") {
            match CronSchedule::parse(&text) {
                Ok(schedule) => prop_assert!(schedule.next_after(UNIX_EPOCH) != Some(UNIX_EPOCH)),
                Err(fault) => {
                    prop_assert!(fault.position().is_none_or(|place| text.get(place).is_some()), "{}", fault);
                }
            }
        }
    }
}
