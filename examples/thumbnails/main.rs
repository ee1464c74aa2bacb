//! Makes thumbnails of pictures with a pool of workers, and one contact sheet of them all.
//!
//! ```text
//! cargo run --release --example thumbnails                        # the bundled photographs
//! cargo run --release --example thumbnails -- ~/Pictures --size 320 --out /tmp/thumbnails
//! ```
//!
//! Read it as a tutorial. Each file has one job, and the order below is the way of a picture:
//!
//! ```text
//! args.rs     what the user asks for            refuses nonsense before any work starts
//! inputs.rs   folders -> pictures (the jobs)    each gets a name of its own
//! work.rs     the pool: submit, handle, settle  <- the part that shows millpond
//! picture.rs  bytes -> thumbnail                pure: no files, no threads
//! store.rs    the output folder                 write, then rename
//! sheet.rs    thumbnails -> contact sheet
//! report.rs   the summary and the exit code
//! check.sh    looks at the output of the bundled run, for CI
//! ```
//!
//! Two kinds of trouble are kept apart throughout. A file that cannot be *read or written* may be luckier next time, so the
//! handler asks for a retry. Bytes that are *no picture* stay none however often they are read, so the handler rejects
//! the job at once. Either way the picture ends in the summary with its reason, and all the others are made.

#![forbid(unsafe_code)]

mod args;
mod inputs;
mod picture;
mod report;
mod sheet;
mod store;
#[cfg(test)]
mod tests;
mod work;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use args::{Command, Options};
use store::Store;

/// Exit code of a run after which some picture that may be good has no thumbnail.
const EXIT_INCOMPLETE: u8 = 1;
/// Exit code of a run that was refused before any work started.
const EXIT_REFUSED: u8 = 2;

/// Why the program ends without a summary; the text is for the user.
#[derive(Debug)]
enum Stop {
    /// Nothing has been done: the arguments, an input or the output folder will not do.
    Refused(String),
    /// Work had started.
    Failed(String),
}

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1);
    ExitCode::from(program(arguments, &mut io::stdout(), &mut io::stderr()))
}

/// The whole program, but for the process around it: returns the exit code.
fn program(arguments: impl IntoIterator<Item = OsString>, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    let result = match args::parse(arguments) {
        Ok(Command::Help) => say(out, args::HELP).map(|()| 0),
        Ok(Command::Run(options)) => run(&options, out),
        Err(error) => Err(Stop::Refused(format!("{error}\nTry --help."))),
    };
    let (code, message) = match result {
        Ok(code) => return code,
        Err(Stop::Refused(message)) => (EXIT_REFUSED, message),
        Err(Stop::Failed(message)) => (EXIT_INCOMPLETE, message),
    };
    // Nobody is left to tell if standard error is gone too; the exit code still says it.
    let _ = writeln!(err, "thumbnails: {message}");
    code
}

/// Checks everything that can be checked up front, then works, then reports.
fn run(options: &Options, out: &mut dyn Write) -> Result<u8, Stop> {
    let pictures = inputs::find(&options.inputs, &options.out).map_err(Stop::Refused)?;
    let store = Store::open(&options.out).map_err(|error| {
        Stop::Refused(format!("cannot write to the output folder {}: {error}", options.out.display()))
    })?;

    let bar = progress_bar(pictures.len());
    let result = work::make_thumbnails(pictures, &store, options, &bar);
    bar.finish_and_clear();
    let mut report = result.map_err(Stop::Failed)?;

    report.sheet = sheet::write(&report.done, &store, options.size);
    say(out, &report.to_string())?;
    Ok(if report.is_complete() { 0 } else { EXIT_INCOMPLETE })
}

/// Writes `text` to the user. A reader that went away (`| head`) has seen enough; that is no failure.
fn say(out: &mut dyn Write, text: &str) -> Result<(), Stop> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Stop::Failed(format!("cannot write the summary: {error}")))
        }
        _ => Ok(()),
    }
}

/// A bar on standard error; it hides itself where that is no terminal.
fn progress_bar(pictures: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} pictures  {per_sec}  {msg}")
        .expect("the template is well formed");
    let bar = ProgressBar::new(pictures as u64).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
