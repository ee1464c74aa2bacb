//! Breaks millpond on purpose, in one place at a time, and checks that a loom model or a test notices.
//!
//! Two kinds of mutants: every atomic operation and fence of the sources, weakened by one step (`scan`); and the rules of the
//! protocols, removed one by one (`rules.txt`). `checks.txt` says which tests are to notice what, the quickest first, and
//! `argued.txt` why a survivor may survive. What became of each is written to `RESULTS.md`.
//!
//! All mutants that do not overlap are compiled into one copy of the library, under `target/mutants`, and the environment
//! variable `MILLPOND_MUTANT` turns one of them on: so there are a few builds, and not one for each.
//!
//! ```text
//! cargo run -p millpond-mutants                       all that are not in RESULTS.md, or whose file has changed since
//! cargo run -p millpond-mutants -- --all              all
//! cargo run -p millpond-mutants -- --only stamp       those whose name holds "stamp", again
//! cargo run -p millpond-mutants -- --sample 20 --seed 7
//!                                                     20 of those that were noticed, by chance; RESULTS.md stays as it is
//! cargo run -p millpond-mutants -- --list             their names
//! ```
//!
//! It fails if a mutant survives that nobody argued for, does not compile, or does not end.

mod data;
mod mutant;
mod results;
mod run;
mod scan;
mod tree;

use data::{Argued, Checks};
use mutant::Mutant;
use results::{Fate, Results, Row};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tree::Tree;

/// How many lines of what the compiler said are shown.
const SHOWN: usize = 20;

/// What was asked for.
#[derive(Default)]
struct Options {
    list: bool,
    all: bool,
    /// Those that are argued for, too.
    argued: bool,
    rehearse: bool,
    only: Option<String>,
    sample: Option<usize>,
    seed: u64,
    limit: u64,
}

fn main() -> ExitCode {
    let done = options().and_then(|options| mutate(&options));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> Result<Options, String> {
    // Longer than each check takes on a machine that is busy with others.
    let mut options = Options { limit: 300, ..Options::default() };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        let number = |text: String| text.parse::<u64>().map_err(|error| format!("{text}: {error}"));
        match argument.as_str() {
            "--list" => options.list = true,
            "--all" => options.all = true,
            "--argued" => options.argued = true,
            "--rehearse" => options.rehearse = true,
            "--only" => options.only = Some(value()?),
            "--sample" => options.sample = Some(usize::try_from(number(value()?)?).unwrap_or(usize::MAX)),
            "--seed" => options.seed = number(value()?)?,
            "--limit" => options.limit = number(value()?)?,
            _ => return Err(format!("{argument}: see the head of mutants/src/main.rs")),
        }
    }
    Ok(options)
}

/// Returns whether every mutant that was run is accounted for.
fn mutate(options: &Options) -> Result<bool, String> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = home.parent().ok_or("this package lies in the repository")?;
    let checks = Checks::read(&home.join("checks.txt"))?;
    let argued = Argued::read(&home.join("argued.txt"))?;
    let mutants = mutant::all(root, data::rules(&home.join("rules.txt"))?, &checks)?;
    let names: Vec<_> = mutants.iter().map(|mutant| mutant.name.as_str()).collect();
    let stale = argued.stale(&names);
    if !stale.is_empty() {
        return Err(format!("argued for, but not there any more: {}", stale.join(", ")));
    }
    let path = home.join("RESULTS.md");
    let mut results = Results::read(&path);
    results.keep(&names);
    let chosen = choose(&mutants, &results, &argued, options);
    if options.list {
        chosen.iter().for_each(|mutant| println!("{}", mutant.name));
        println!("{} of {}", chosen.len(), mutants.len());
        return Ok(true);
    }
    if let Some(mutant) = chosen.iter().find(|mutant| mutant.checks.is_empty()) {
        return Err(format!("checks.txt names no check for {}", mutant.name));
    }
    let reasons: Vec<_> = names.iter().filter_map(|name| Some((*name, argued.reason(name)?))).collect();
    let save = options.sample.is_none().then_some(path);
    let mut session = Session { tree: Tree::new(root), results, reasons, save, options, unexplained: 0 };
    for batch in batches(&chosen) {
        session.batch(&batch)?;
    }
    session.end(chosen.len())
}

/// The mutants to run.
fn choose<'a>(
    mutants: &'a [Mutant],
    results: &Results,
    argued: &Argued,
    options: &Options,
) -> Vec<&'a Mutant> {
    let is_killed = |mutant: &Mutant| results.get(&mutant.name).is_some_and(|row| row.fate == Fate::Killed);
    let is_new = |mutant: &Mutant| {
        !is_killed(mutant) || results.get(&mutant.name).is_some_and(|row| row.mark != mutant.mark)
    };
    let wanted = mutants.iter().filter(|mutant| match &options.only {
        Some(part) => mutant.name.contains(part.as_str()),
        // What was noticed once must be noticed again.
        None if options.sample.is_some() => is_killed(mutant),
        None => options.list || options.all || is_new(mutant),
    });
    let mut wanted: Vec<_> = wanted
        .filter(|mutant| options.argued || options.list || argued.reason(&mutant.name).is_none())
        .collect();
    if let Some(count) = options.sample {
        shuffle(&mut wanted, options.seed);
        wanted.truncate(count);
    }
    wanted
}

/// Puts into an order that the seed alone decides (xorshift64*).
fn shuffle<T>(list: &mut [T], seed: u64) {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for at in (1..list.len()).rev() {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let random = usize::try_from(state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap_or(0);
        list.swap(at, random % (at + 1));
    }
}

/// Puts mutants together that can stand in one build.
fn batches<'a>(mutants: &[&'a Mutant]) -> Vec<Vec<&'a Mutant>> {
    let mut batches: Vec<Vec<&Mutant>> = Vec::new();
    for mutant in mutants {
        match batches.iter_mut().find(|batch| batch.iter().all(|other| mutant.fits_beside(other))) {
            Some(batch) => batch.push(mutant),
            None => batches.push(vec![mutant]),
        }
    }
    batches
}

/// One run of the tool.
struct Session<'a> {
    tree: Tree,
    results: Results,
    reasons: Vec<(&'a str, &'a str)>,
    /// Where the results go, if they are kept.
    save: Option<PathBuf>,
    options: &'a Options,
    unexplained: usize,
}

impl Session<'_> {
    /// Builds and runs mutants that can stand in one build. If they do not compile, in halves.
    fn batch(&mut self, mutants: &[&Mutant]) -> Result<(), String> {
        self.tree.fill(mutants)?;
        println!("building {} mutants", mutants.len());
        let programs = match self.tree.build(mutants) {
            Ok(programs) => programs,
            Err(text) => return self.does_not_compile(mutants, &text),
        };
        let limit = Duration::from_secs(self.options.limit);
        if self.options.rehearse {
            run::rehearse(&self.tree, &programs, mutants, limit)?;
        }
        for mutant in mutants {
            let known = self.results.get(&mutant.name).and_then(Row::check);
            let row = run::judge(&self.tree, &programs, mutant, known, limit)?;
            self.note(row)?;
        }
        Ok(())
    }

    fn does_not_compile(&mut self, mutants: &[&Mutant], text: &str) -> Result<(), String> {
        let errors =
            text.lines().filter(|line| line.starts_with("error") || line.trim_start().starts_with("-->"));
        errors.take(SHOWN).for_each(|line| println!("  {line}"));
        if let [mutant] = mutants {
            let (name, mark) = (mutant.name.clone(), mutant.mark.clone());
            return self.note(Row {
                name,
                mark,
                fate: Fate::DoesNotCompile,
                by: String::new(),
                seconds: 0.0,
            });
        }
        let (first, second) = mutants.split_at(mutants.len() / 2);
        self.batch(first)?;
        self.batch(second)
    }

    fn note(&mut self, row: Row) -> Result<(), String> {
        let reason = self.reasons.iter().find(|(name, _)| *name == row.name);
        let explained = row.fate == Fate::Killed || (row.fate == Fate::Survived && reason.is_some());
        self.unexplained += usize::from(!explained);
        let mark = if explained { "" } else { "!!! " };
        println!("{mark}{} ({:.1} s): {} {}", row.fate.name(), row.seconds, row.name, row.by);
        self.results.add(row);
        match &self.save {
            Some(path) => self.results.write(path, &self.reasons),
            None => Ok(()),
        }
    }

    fn end(&self, count: usize) -> Result<bool, String> {
        if let Some(path) = &self.save {
            self.results.write(path, &self.reasons)?;
        }
        println!("{count} mutants run, {} unexplained, {} argued for", self.unexplained, self.reasons.len());
        Ok(self.unexplained == 0)
    }
}
