//! The command line.

use lexopt::prelude::{Long, Short, Value, ValueExt};
use millpond_benches::pin::Placement;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) const HELP: &str = "\
Measures millpond beside its peers.

usage: millpond-benches compare [FILTER ...] [options]
       millpond-benches report FILE ... [--svg DIR]
       millpond-benches list

compare
  FILTER          only cells whose name contains one of these, such as blocking/4x4 or pool; with a $ behind it,
                  only cells whose name ends so, such as 1x1/cap1$
  --rounds N      interleaved rounds (15; fewer prove nothing on a noisy machine)
  --mode MODE     free (default): the scheduler decides; pinned: producer i on core i % 2, consumer i on
                  core (i + 1) % 2; one-cpu: the whole process on one core; all: one after the other
  --millis M      how long a sample is measured (60)
  --limit SECONDS time limit of one sample (5); a peer that needs more is reported as hanging
  --peers LIST    only peers whose name contains one of these, with commas between; millpond always
  --json FILE     write all samples
  --svg DIR       write a plot of each group of cells

report            print the tables and draw the plots of runs that were written with --json
list              print the cells, and who takes part in each";

pub(crate) enum Command {
    Compare(Options),
    Report { files: Vec<PathBuf>, svg: Option<PathBuf> },
    List,
    Help,
}

pub(crate) struct Options {
    pub(crate) filters: Vec<String>,
    pub(crate) rounds: usize,
    pub(crate) modes: Vec<Placement>,
    pub(crate) window: Duration,
    pub(crate) limit: Duration,
    pub(crate) peers: Vec<String>,
    pub(crate) json: Option<PathBuf>,
    pub(crate) svg: Option<PathBuf>,
}

impl Command {
    pub(crate) fn read(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut parser = lexopt::Parser::from_args(arguments);
        let command = match parser.next() {
            Ok(Some(Value(name))) if name == "compare" => compare(&mut parser).map(Self::Compare),
            Ok(Some(Value(name))) if name == "report" => report(&mut parser),
            Ok(Some(Value(name))) if name == "list" => Ok(Self::List),
            Ok(None | Some(Long("help") | Short('h'))) => Ok(Self::Help),
            Ok(Some(other)) => Err(other.unexpected()),
            Err(error) => Err(error),
        };
        command.map_err(|error| format!("{error}\n\n{HELP}"))
    }
}

fn compare(parser: &mut lexopt::Parser) -> Result<Options, lexopt::Error> {
    let mut options = Options {
        filters: Vec::new(),
        rounds: 15,
        modes: vec![Placement::Free],
        window: Duration::from_millis(60),
        limit: Duration::from_secs(5),
        peers: Vec::new(),
        json: None,
        svg: None,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Value(filter) => options.filters.push(filter.string()?),
            Long("rounds") => options.rounds = parser.value()?.parse::<usize>()?.max(1),
            Long("mode") => options.modes = modes(&parser.value()?.string()?)?,
            Long("millis") => options.window = Duration::from_millis(parser.value()?.parse::<u64>()?.max(1)),
            Long("limit") => options.limit = Duration::from_secs(parser.value()?.parse()?),
            Long("peers") => {
                options.peers = parser.value()?.string()?.split(',').map(str::to_owned).collect();
            }
            Long("json") => options.json = Some(parser.value()?.into()),
            Long("svg") => options.svg = Some(parser.value()?.into()),
            other => return Err(other.unexpected()),
        }
    }
    Ok(options)
}

fn modes(text: &str) -> Result<Vec<Placement>, lexopt::Error> {
    if text == "all" {
        return Ok(Placement::ALL.to_vec());
    }
    Ok(vec![text.parse()?])
}

fn report(parser: &mut lexopt::Parser) -> Result<Command, lexopt::Error> {
    let (mut files, mut svg) = (Vec::new(), None);
    while let Some(argument) = parser.next()? {
        match argument {
            Value(file) => files.push(file.into()),
            Long("svg") => svg = Some(parser.value()?.into()),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::Report { files, svg })
}
