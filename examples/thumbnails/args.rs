//! What the user asks for: the command line, checked.

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use lexopt::prelude::{Long, Short, Value, ValueExt};

/// Printed by `--help`.
pub(crate) const HELP: &str = "\
Makes thumbnails of pictures, and one contact sheet of them all.

Usage: thumbnails [OPTIONS] [FILE OR FOLDER]...

Folders are searched recursively for .jpg, .jpeg and .png files; a file named here is tried whatever its name.
Without any, the photographs bundled with millpond are used.

Options:
  --out FOLDER     where thumbnails go; created if missing [default: target/thumbnails of millpond]
  --size PIXELS    longer side of a thumbnail, 1 to 4096; no picture is enlarged [default: 256]
  --workers N      pictures worked on at once, 1 to 1024 [default: one per core]
  --capacity N     pictures the pool holds at once, 1 to 1000000; finding more waits [default: 64]
  --attempts N     tries per picture when reading or writing fails, 1 to 100 [default: 3]
  -h, --help       print this

A file that is no picture, or a broken one, becomes a dead letter: the summary names it with the reason.

Exit codes:
  0  every good picture has its thumbnail (files that are no good pictures do not change this)
  1  some picture that may be good has none: reading or writing failed at every attempt; or the run failed
  2  nothing was done: bad arguments, a missing input, or an output folder that cannot be written
";

/// Fits a 4-column sheet on most screens; a guess.
const DEFAULT_SIZE: u32 = 256;
/// A few pictures for each worker of a large machine. A job is small, a path and a name. A guess.
const DEFAULT_CAPACITY: u32 = 64;
/// One try and two more, for file systems that hiccup. A guess.
const DEFAULT_ATTEMPTS: u32 = 3;

/// What to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Print [`HELP`].
    Help,
    /// Make thumbnails.
    Run(Options),
}

/// A run, as asked for.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Files and folders, as given.
    pub(crate) inputs: Vec<PathBuf>,
    /// The output folder.
    pub(crate) out: PathBuf,
    /// The longer side of a thumbnail, in pixels.
    pub(crate) size: u32,
    /// Threads of the pool; `None` leaves the choice to the pool.
    pub(crate) workers: Option<usize>,
    /// The most pictures the pool holds at once.
    pub(crate) capacity: usize,
    /// Tries per picture, the first included.
    pub(crate) attempts: u32,
}

/// Parses the arguments, without the program's own name.
///
/// # Errors
///
/// An unknown option, or a value that is missing, no number, or out of range.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, lexopt::Error> {
    let bundled = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut options = Options {
        inputs: Vec::new(),
        out: bundled.join("target/thumbnails"),
        size: DEFAULT_SIZE,
        workers: None,
        capacity: DEFAULT_CAPACITY as usize,
        attempts: DEFAULT_ATTEMPTS,
    };
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::Help),
            Long("out") => options.out = path(parser.value()?, "--out")?,
            Long("size") => options.size = number(&mut parser, "--size", 1..=4096)?,
            Long("workers") => options.workers = Some(number(&mut parser, "--workers", 1..=1024)? as usize),
            Long("capacity") => options.capacity = number(&mut parser, "--capacity", 1..=1_000_000)? as usize,
            Long("attempts") => options.attempts = number(&mut parser, "--attempts", 1..=100)?,
            Value(value) => options.inputs.push(path(value, "an input")?),
            other => return Err(other.unexpected()),
        }
    }
    if options.inputs.is_empty() {
        options.inputs.push(bundled.join("examples/photos"));
    }
    Ok(Command::Run(options))
}

/// The value of an option that takes a whole number.
fn number(
    parser: &mut lexopt::Parser,
    option: &str,
    range: RangeInclusive<u32>,
) -> Result<u32, lexopt::Error> {
    let value = parser.value()?.string()?;
    match value.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(format!(
            "{option} takes a whole number from {} to {}, not {value:?}",
            range.start(),
            range.end()
        )
        .into()),
    }
}

/// A path; the empty one (an unset shell variable, as a rule) is nobody's wish.
fn path(value: OsString, what: &str) -> Result<PathBuf, lexopt::Error> {
    if value.is_empty() { Err(format!("{what} is an empty path").into()) } else { Ok(value.into()) }
}

#[cfg(test)]
mod tests {
    use super::{Command, Options, parse};

    fn options(line: &str) -> Result<Options, String> {
        match parse(line.split_whitespace().map(Into::into)) {
            Ok(Command::Run(options)) => Ok(options),
            Ok(Command::Help) => Err("help".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn no_arguments_mean_the_bundled_photographs() {
        let options = options("").unwrap();
        assert!(options.inputs[0].join("rocket.jpg").is_file());
        assert!(options.out.ends_with("target/thumbnails"));
        assert!(options.out.is_absolute(), "the same folder from any working directory");
    }

    #[test]
    fn every_option_reaches_its_field() {
        let options =
            options("a --out o --size 99 --workers 3 --capacity=7 --attempts 9 b/c -- --size").unwrap();
        assert_eq!(options.inputs, ["a", "b/c", "--size"].map(std::path::PathBuf::from));
        assert_eq!(options.out.to_str(), Some("o"));
        assert_eq!((options.size, options.workers), (99, Some(3)));
        assert_eq!((options.capacity, options.attempts), (7, 9));
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for (line, part) in [
            ("--size 0", "--size takes a whole number from 1 to 4096, not \"0\""),
            ("--size 4097", "4096"),
            ("--size many", "not \"many\""),
            ("--workers 0", "--workers"),
            ("--capacity -1", "--capacity"),
            ("--attempts 99999999999", "--attempts"),
            ("--attempts", "--attempts"),
            ("--out", "--out"),
            ("--out=", "--out is an empty path"),
            ("--frobnicate", "--frobnicate"),
            ("-x", "-x"),
        ] {
            let error = options(line).unwrap_err();
            assert!(error.contains(part), "{line}: {error}");
        }
    }

    #[test]
    fn help_wins_over_what_comes_after_it() {
        assert_eq!(options("-h --nonsense").unwrap_err(), "help");
        assert_eq!(options("photos --help").unwrap_err(), "help");
    }
}
