//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lettre::message::Mailbox;
use lexopt::{Arg, Parser, ValueExt};
use millpond::RetryPolicy;

use crate::mailing::Settings;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Sends a rendered mail to everybody in a CSV file, once, and says what became of each.

usage: email [LIST.csv] [options]

  LIST.csv            columns email, name and town, in any order
                      [default: the bundled examples/email/recipients.csv]
  --out DIR           write each mail to DIR as an .eml file [default: target/outbox]
  --smtp URL          send to a server instead: smtp://host[:port], no TLS, no login
  --from MAILBOX      sender [default: Millpond Open Day <open-day@example.org>]
  --workers N         mails in progress at once, 1 to 256 [default: 4]
  --capacity N        mails submitted and not settled, 1 to 1000000 [default: 64]
  --attempts N        tries per mail, the first included [default: 5]
  --timeout SECONDS   limit of each network operation [default: 10]
  --help              print this

exit code: 0 every row is accounted for, 1 some are not, 2 nothing was sent
";

/// Where the list is taken from when none is named.
const DEFAULT_LIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/email/recipients.csv");
/// Where mails are written when nothing else is named.
const DEFAULT_OUTBOX: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/outbox");
/// Who writes when nobody is named. The domain is reserved for examples.
const DEFAULT_FROM: &str = "Millpond Open Day <open-day@example.org>";
/// Few, because most servers limit the connections of one client; a guess that suits the common limit of ten.
const DEFAULT_WORKERS: usize = 4;
/// More connections than this to one server would be an attack.
const MAX_WORKERS: usize = 256;
/// Enough to keep four workers busy while some mails wait for their next attempt; a guess.
const DEFAULT_CAPACITY: usize = 64;
/// The pool's slots are allocated at once; this many are some tens of megabytes.
const MAX_CAPACITY: usize = 1_000_000;
/// With the pauses below, the fifth attempt comes at most 15 seconds after the first, plus the attempts' own time.
const DEFAULT_ATTEMPTS: u32 = 5;
/// Seconds; RFC 5321 asks for minutes, a person at a terminal for less.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// A day; longer is a slip of the keyboard, and would overflow some systems' socket timeouts.
const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest pause after the first failure. It doubles from attempt to attempt; the pause taken is a random part of it.
const RETRY_BASE: Duration = Duration::from_secs(1);
/// What the doubling stops at.
const RETRY_CAP: Duration = Duration::from_secs(60);
/// The port of SMTP between servers, for a URL that names none.
const SMTP_PORT: u16 = 25;

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Command {
    /// Print [`HELP`].
    Help,
    /// Send the mails.
    Send(Box<Options>),
}

/// A run, fully described.
#[derive(Debug)]
pub(crate) struct Options {
    /// The list of recipients.
    pub(crate) csv: PathBuf,
    /// Where the mails go.
    pub(crate) destination: Destination,
    /// Who writes.
    pub(crate) from: Mailbox,
    /// The limit of each network operation.
    pub(crate) timeout: Duration,
    /// How the pool works.
    pub(crate) settings: Settings,
}

/// Where the mails go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// Files in this folder.
    Outbox(PathBuf),
    /// A server that speaks SMTP.
    Smtp {
        /// A name or an IP address, without brackets.
        host: String,
        /// A TCP port other than 0.
        port: u16,
    },
}

/// Reads the command line, without the program's name.
///
/// # Errors
///
/// The first argument that cannot be used, said in one sentence.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, lexopt::Error> {
    let mut parser = Parser::from_args(arguments);
    let mut given = Given::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Help),
            Arg::Long("out") => given.out = Some(PathBuf::from(parser.value()?)),
            Arg::Long("smtp") => given.smtp = Some(smtp_url(&parser.value()?.string()?)?),
            Arg::Long("from") => given.from = Some(mailbox(&parser.value()?.string()?)?),
            Arg::Long("workers") => given.workers = Some(number(&mut parser, "--workers", MAX_WORKERS)?),
            Arg::Long("capacity") => given.capacity = Some(number(&mut parser, "--capacity", MAX_CAPACITY)?),
            Arg::Long("attempts") => given.attempts = Some(number(&mut parser, "--attempts", usize::MAX)?),
            Arg::Long("timeout") => given.timeout = Some(seconds(&parser.value()?.string()?)?),
            Arg::Value(path) if given.csv.is_none() => given.csv = Some(PathBuf::from(path)),
            other => return Err(other.unexpected()),
        }
    }
    given.into_options().map(|options| Command::Send(Box::new(options)))
}

/// The arguments that were there.
#[derive(Default)]
struct Given {
    csv: Option<PathBuf>,
    out: Option<PathBuf>,
    smtp: Option<Destination>,
    from: Option<Mailbox>,
    workers: Option<usize>,
    capacity: Option<usize>,
    attempts: Option<usize>,
    timeout: Option<Duration>,
}

impl Given {
    fn into_options(self) -> Result<Options, lexopt::Error> {
        let destination = match (self.out, self.smtp) {
            (Some(_), Some(_)) => return Err("--out and --smtp exclude each other".into()),
            (_, Some(server)) => server,
            (out, None) => Destination::Outbox(out.unwrap_or_else(|| PathBuf::from(DEFAULT_OUTBOX))),
        };
        let from = match self.from {
            Some(from) => from,
            None => mailbox(DEFAULT_FROM)?,
        };
        let attempts = match self.attempts {
            Some(attempts) => {
                u32::try_from(attempts).map_err(|_| format!("--attempts {attempts} is too many"))?
            }
            None => DEFAULT_ATTEMPTS,
        };
        Ok(Options {
            csv: self.csv.unwrap_or_else(|| PathBuf::from(DEFAULT_LIST)),
            destination,
            from,
            timeout: self.timeout.unwrap_or(DEFAULT_TIMEOUT),
            settings: Settings {
                workers: self.workers.unwrap_or(DEFAULT_WORKERS),
                capacity: self.capacity.unwrap_or(DEFAULT_CAPACITY),
                retry: RetryPolicy::exponential(RETRY_BASE, RETRY_CAP).max_attempts(attempts),
            },
        })
    }
}

/// A whole number from 1 to `max`.
fn number(parser: &mut Parser, option: &str, max: usize) -> Result<usize, lexopt::Error> {
    let text = parser.value()?.string()?;
    match text.parse::<usize>() {
        Ok(0) => Err(format!("{option} must be at least 1").into()),
        Ok(number) if number > max => Err(format!("{option} can be at most {max}").into()),
        Ok(number) => Ok(number),
        Err(error) => Err(format!("{option} {text:?}: {error}").into()),
    }
}

/// A positive number of seconds, whole or not.
fn seconds(text: &str) -> Result<Duration, lexopt::Error> {
    let duration = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    match duration {
        Some(duration) if duration.is_zero() => Err("--timeout must be more than 0 seconds".into()),
        Some(duration) if duration > MAX_TIMEOUT => Err("--timeout can be at most a day".into()),
        Some(duration) => Ok(duration),
        None => Err(format!("--timeout {text:?} is not a number of seconds").into()),
    }
}

/// A sender: `Name <user@domain>` or `user@domain`, the address in ASCII.
fn mailbox(text: &str) -> Result<Mailbox, lexopt::Error> {
    let mailbox: Mailbox =
        text.parse().map_err(|error| format!("--from {text:?} is not a mailbox: {error}"))?;
    if text.chars().any(char::is_control) || !AsRef::<str>::as_ref(&mailbox.email).is_ascii() {
        return Err(format!("--from {text:?} is not a mailbox with an ASCII address").into());
    }
    Ok(mailbox)
}

/// Takes `smtp://host[:port]` apart.
///
/// The parts of a URL that would need what is not built in (TLS, a login) are refused, never ignored.
fn smtp_url(url: &str) -> Result<Destination, lexopt::Error> {
    let refuse = |why: &str| Err(format!("--smtp {url:?}: {why}").into());
    let Some(rest) = url.strip_prefix("smtp://") else {
        return refuse("only smtp://host[:port] is understood (no TLS is built in)");
    };
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['/', '?', '#', '@']) {
        return refuse("a login, a path and a query are not supported");
    }
    let Some((host, port)) = host_and_port(authority) else {
        return refuse("the host is missing or malformed");
    };
    match port.map_or(Ok(SMTP_PORT), str::parse) {
        Ok(0) | Err(_) => refuse("the port must be a number from 1 to 65535"),
        Ok(port) => Ok(Destination::Smtp { host: host.to_owned(), port }),
    }
}

/// Splits `host`, `host:port`, `[v6]` and `[v6]:port`.
fn host_and_port(authority: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        return match after {
            "" => Some((host, None)),
            _ => Some((host, Some(after.strip_prefix(':')?))),
        };
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    (!host.is_empty() && host.chars().all(is_plain)).then_some((host, port))
}
