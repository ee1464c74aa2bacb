//! Sends a rendered mail to everybody in a CSV file, once, and says what became of each.
//!
//! ```text
//! cargo run --release --example email                                   # writes target/outbox/*.eml
//! cargo run --release --example email -- list.csv --smtp smtp://mail.example.org:25
//! cargo run --release --example email -- --help
//! ```
//!
//! # How it is put together
//!
//! ```text
//!   recipients.csv --> recipients --> submit --> Pool --> letter --> transport --> outbox or SMTP
//!                      rows, once     blocks      |       renders    Ok, Failed or Rejected
//!                      each           when full   +--> retry later, or dead letter
//! ```
//!
//! Read `mailing` first: it is the part about millpond, and the shortest. The other files are what any mailer needs:
//! `args` the command line, `recipients` the list, `template` and `letter` the message, `transport` with
//! `outbox` the two ways out, `report` the summary.
//!
//! # What it promises
//!
//! * **Every row is accounted for**: `rows = sent + dead + malformed + duplicates`. The program checks this itself.
//! * **Nobody is mailed twice in one run because of the list**: rows are compared by normalised address before anything
//!   is submitted (`recipients` says what is normalised and what is not).
//! * **A failure that may pass is tried again** (a 4xx answer, a broken connection, a full disk), after a random part of
//!   an exponentially growing pause. A refusal (5xx) becomes a dead letter at once, with the server's words.
//! * **No half-written `.eml`**: each is written under another name and renamed when it is complete.
//!
//! # What at-least-once means here
//!
//! SMTP has no transaction that spans both ends. When the connection breaks after the server has accepted the message
//! and before its `250` has arrived, the client cannot know; this program then sends the message again, and the server
//! holds two copies. Losing a mail silently would be worse. So that the receiving side can drop the second copy, the
//! `Message-ID` depends on the recipient, the campaign and the sender's domain alone: it is the same at every attempt and
//! in every run.
//!
//! Nothing is remembered between runs. After a crash, a second run mails everybody again, under the same `Message-ID`s.
//!
//! # Exit codes
//!
//! | code | meaning |
//! |---|---|
//! | 0 | every row is accounted for; some may be dead, malformed or duplicates: read the summary |
//! | 1 | rows are unaccounted for, or the summary could not be printed |
//! | 2 | nothing was sent: bad arguments, an unreadable list, an outbox or a server that cannot be used |

#![forbid(unsafe_code)]

mod args;
mod letter;
mod mailing;
mod outbox;
mod recipients;
mod report;
mod template;
mod transport;

#[cfg(test)]
mod tests;

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use args::{Command, Options};
use letter::LetterWriter;
use recipients::MailingList;
use report::Report;
use transport::Transport;

/// Every row is accounted for.
const ACCOUNTED: u8 = 0;
/// Rows are unaccounted for, or nobody could be told.
const UNACCOUNTED: u8 = 1;
/// The program could not start, and sent nothing.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    // Not locked: a handler that panics says so on the standard error, and would wait for a lock that `run` holds.
    let code =
        run(std::env::args_os().skip(1), &mut io::stdout(), &mut io::stderr()).unwrap_or_else(|error| {
            // If this cannot be printed either, the exit code is all that is left.
            let _ = writeln!(io::stderr(), "email: cannot print: {error}");
            UNACCOUNTED
        });
    ExitCode::from(code)
}

/// The whole program, with its arguments and its two outputs handed in so that tests can look at them.
///
/// # Errors
///
/// Only those of writing to `out` and `err`.
fn run(
    arguments: impl IntoIterator<Item = OsString>,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<u8> {
    let options = match args::parse(arguments) {
        Ok(Command::Help) => {
            out.write_all(args::HELP.as_bytes())?;
            return Ok(ACCOUNTED);
        }
        Ok(Command::Send(options)) => options,
        Err(error) => {
            writeln!(err, "email: {error}\nTry --help.")?;
            return Ok(UNUSABLE);
        }
    };
    let report = match send(*options) {
        Ok(report) => report,
        Err(error) => {
            writeln!(err, "email: {error}")?;
            return Ok(UNUSABLE);
        }
    };
    report.write(out)?;
    if !report.is_balanced() {
        writeln!(
            err,
            "email: the numbers do not add up to the rows of the list; some may not have been mailed"
        )?;
        return Ok(UNACCOUNTED);
    }
    Ok(ACCOUNTED)
}

/// Checks everything that can be checked, and only then starts to send.
///
/// # Errors
///
/// Whatever makes the run impossible. When this fails, nothing has been sent.
fn send(options: Options) -> Result<Report, Box<dyn Error>> {
    let list = MailingList::open(&options.csv)?;
    let writer = LetterWriter::new(options.from)?;
    let transport = Transport::open(&options.destination, options.timeout)?;
    let pool = mailing::start(&options.settings, list.recipients.len(), writer, transport)?;
    let MailingList { rows, recipients, malformed, duplicates } = list;
    let settled = mailing::send_all(pool, recipients);
    Ok(Report { rows, settled, malformed, duplicates })
}
