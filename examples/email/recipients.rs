//! The mailing list: a CSV file, read whole, each row checked, each address kept once.
//!
//! The list is read to its end before the first mail leaves, because a list that cannot be read to its end should not be
//! half mailed. It has to be remembered for the duplicates anyway.
//!
//! Columns are found by the names in the header row: `email`, `name` and `town`, in any order and case; others are
//! ignored. Every data row becomes exactly one of three things:
//!
//! * a [`Recipient`];
//! * a [`Malformed`] row: too few or too many fields, not UTF-8, an empty name, something that is not an address;
//! * a [`Duplicate`] of an earlier recipient.
//!
//! # When two addresses are the same
//!
//! Surrounding white space is removed and the domain is put into lower case; then they are compared byte for byte. The
//! part before the `@` keeps its case: only the server that owns the mailbox knows whether `Ada` and `ada` are one
//! person (RFC 5321, 2.4). Spellings that would need more knowledge to compare are malformed rows: quoted local parts,
//! addresses that are not ASCII (write the domain as `xn--...`), and IP addresses in place of a domain.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use csv::{ByteRecord, ReaderBuilder};
use lettre::Address;

/// Characters of a name or a town; longer is a slip, such as a quote that is never closed.
const MAX_FIELD_CHARS: usize = 200;

/// Somebody to write to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recipient {
    /// Where the row starts in the file, from 1.
    pub(crate) line: u64,
    /// The normalised address.
    pub(crate) address: Address,
    /// Not empty, one line.
    pub(crate) name: String,
    /// One line; may be empty.
    pub(crate) town: String,
}

/// A row that nobody can be mailed from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// Where the row starts in the file, from 1.
    pub(crate) line: u64,
    /// What is wrong with it.
    pub(crate) reason: String,
}

/// A row whose address another row has.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Duplicate {
    /// Where this row starts in the file, from 1.
    pub(crate) line: u64,
    /// Where the row starts that is mailed instead.
    pub(crate) first_line: u64,
    /// The normalised address of both.
    pub(crate) address: Address,
}

/// A list, sorted into what can be mailed and what cannot.
///
/// `rows = recipients + malformed + duplicates`, each in the order of the file.
#[derive(Debug, Default)]
pub(crate) struct MailingList {
    /// Data rows in the file. Empty lines are not rows.
    pub(crate) rows: usize,
    /// Whom to write to; no two have the same address.
    pub(crate) recipients: Vec<Recipient>,
    /// Rows that are skipped.
    pub(crate) malformed: Vec<Malformed>,
    /// Rows that repeat a recipient.
    pub(crate) duplicates: Vec<Duplicate>,
}

/// Why a file is not a list at all.
#[derive(Debug)]
pub(crate) enum ListError {
    /// It cannot be read.
    Unreadable(PathBuf, io::Error),
    /// It has no header row.
    Empty,
    /// No column, or more than one, has this name.
    Column(&'static str, usize),
    /// The CSV reader gave up.
    Csv(csv::Error),
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(path, error) => write!(f, "cannot read {}: {error}", path.display()),
            Self::Empty => f.write_str("the list is empty: a header row with email, name and town is needed"),
            Self::Column(name, 0) => write!(f, "the list has no column {name:?} in its header row"),
            Self::Column(name, n) => write!(f, "the list has {n} columns {name:?} in its header row"),
            Self::Csv(error) => write!(f, "cannot read the list: {error}"),
        }
    }
}

impl std::error::Error for ListError {}

impl MailingList {
    /// Reads the list in the file at `path`.
    ///
    /// # Errors
    ///
    /// When the file cannot be read to its end, or is not a list. A malformed row is no error.
    pub(crate) fn open(path: &Path) -> Result<Self, ListError> {
        let bytes = fs::read(path).map_err(|error| ListError::Unreadable(path.to_owned(), error))?;
        Self::parse(&bytes)
    }

    /// Reads the list in `bytes`; a byte order mark at its start is skipped.
    ///
    /// # Errors
    ///
    /// When it is not a list. A malformed row is no error.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, ListError> {
        // Flexible, because one row with a comma too many must not end the run.
        let mut reader = ReaderBuilder::new().flexible(true).from_reader(bytes);
        let columns = Columns::find(reader.byte_headers().map_err(ListError::Csv)?)?;
        let mut lines = Lines::new(bytes);
        let mut first_lines: HashMap<Address, u64> = HashMap::new();
        let mut list = Self::default();
        for record in reader.byte_records() {
            let record = record.map_err(ListError::Csv)?;
            let line = lines.of_row_at(record.position().map_or(0, csv::Position::byte));
            list.rows += 1;
            match columns.read(&record, line) {
                Err(reason) => {
                    list.malformed.push(Malformed { line, reason: with_span(reason, line, &record) });
                }
                Ok(recipient) => match first_lines.get(&recipient.address) {
                    Some(&first_line) => {
                        list.duplicates.push(Duplicate { line, first_line, address: recipient.address });
                    }
                    None => {
                        first_lines.insert(recipient.address.clone(), line);
                        list.recipients.push(recipient);
                    }
                },
            }
        }
        Ok(list)
    }
}

/// Which column is where.
struct Columns {
    count: usize,
    email: usize,
    name: usize,
    town: usize,
}

impl Columns {
    fn find(header: &ByteRecord) -> Result<Self, ListError> {
        if header.is_empty() {
            return Err(ListError::Empty);
        }
        let place = |wanted: &'static str| {
            let is_wanted = |field: &[u8]| field.trim_ascii().eq_ignore_ascii_case(wanted.as_bytes());
            let mut places = (0..header.len()).filter(|&i| is_wanted(&header[i]));
            match (places.next(), places.count()) {
                (Some(place), 0) => Ok(place),
                (None, _) => Err(ListError::Column(wanted, 0)),
                (Some(_), more) => Err(ListError::Column(wanted, more + 1)),
            }
        };
        Ok(Self { count: header.len(), email: place("email")?, name: place("name")?, town: place("town")? })
    }

    /// Reads one row; the error is what is wrong with it.
    fn read(&self, record: &ByteRecord, line: u64) -> Result<Recipient, String> {
        if record.len() != self.count {
            return Err(format!("{} fields where {} are expected", record.len(), self.count));
        }
        let address = address(field(record, self.email, "email")?.trim())?;
        let name = one_line(field(record, self.name, "name")?, "name")?;
        let town = one_line(field(record, self.town, "town")?, "town")?;
        if name.is_empty() {
            return Err("the name is empty".to_owned());
        }
        Ok(Recipient { line, address, name, town })
    }
}

fn field<'r>(record: &'r ByteRecord, place: usize, column: &str) -> Result<&'r str, String> {
    std::str::from_utf8(&record[place]).map_err(|_| format!("the {column} is not UTF-8"))
}

/// Checks and normalises an address.
fn address(text: &str) -> Result<Address, String> {
    if text.is_empty() {
        return Err("the address is empty".to_owned());
    }
    let Some((local, domain)) = text.rsplit_once('@') else {
        return Err(format!("{text:?} is not an address: no @"));
    };
    if !text.is_ascii() {
        return Err(format!("{text:?} is not ASCII (write the domain as xn--...)"));
    }
    if local.starts_with('"') {
        return Err(format!("{text:?} has a quoted local part, which is not supported"));
    }
    if domain.starts_with('[') || domain.parse::<std::net::IpAddr>().is_ok() {
        return Err(format!("{text:?} has no domain name"));
    }
    Address::new(local, domain.to_ascii_lowercase())
        .map_err(|error| format!("{text:?} is not an address: {error}"))
}

/// Turns every run of white space, line breaks included, into one space, and refuses other control characters.
fn one_line(text: &str, column: &str) -> Result<String, String> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().any(char::is_control) {
        return Err(format!("the {column} has a control character in it"));
    }
    if line.chars().count() > MAX_FIELD_CHARS {
        return Err(format!("the {column} has more than {MAX_FIELD_CHARS} characters"));
    }
    Ok(line)
}

/// Adds where a malformed row ends, if that is further down: the usual cause is a quote that is never closed.
fn with_span(reason: String, line: u64, record: &ByteRecord) -> String {
    let breaks = record.iter().flatten().filter(|&&byte| byte == b'\n').count();
    match u64::try_from(breaks) {
        Ok(breaks) if breaks > 0 => {
            format!("{reason} (the row goes on to line {}; is a quote never closed?)", line + breaks)
        }
        _ => reason,
    }
}

/// Finds the line number of a row.
///
/// The CSV reader counts lines too, but from where it stopped reading the previous row. That is before the second half
/// of a CR LF and before empty lines, so its number can be too low.
struct Lines<'a> {
    bytes: &'a [u8],
    offset: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0, line: 1 }
    }

    /// The line of the first row at or after the byte `offset`; offsets must not go down from call to call.
    fn of_row_at(&mut self, offset: u64) -> u64 {
        let offset =
            usize::try_from(offset).expect("the offset lies in a slice, and a slice's length is a usize");
        debug_assert!(
            self.offset <= offset && offset <= self.bytes.len(),
            "rows come in the order of the file"
        );
        while self.offset < offset || matches!(self.bytes.get(self.offset), Some(b'\r' | b'\n')) {
            // A line ends with LF, CR LF or, in very old files, CR alone.
            let is_end = match self.bytes[self.offset] {
                b'\n' => true,
                b'\r' => self.bytes.get(self.offset + 1) != Some(&b'\n'),
                _ => false,
            };
            self.line += u64::from(is_end);
            self.offset += 1;
        }
        self.line
    }
}
