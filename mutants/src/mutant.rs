//! The mutants: where they change what, and which checks are to notice.

use crate::data::{Check, Checks, Rule};
use crate::scan::{self, Change, SWITCH, Site};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One way to break the library.
#[derive(Debug, Clone)]
pub(crate) struct Mutant {
    /// What turns it on. Counted from 1, of no meaning beyond one run.
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) site: Site,
    pub(crate) checks: Vec<Check>,
    /// A mark of the file as it was.
    pub(crate) mark: String,
}

impl Mutant {
    /// Whether it can stand beside others in one build.
    pub(crate) fn is_switched(&self) -> bool {
        !matches!(&self.site.change, Change::Replace(text) if !text.contains(SWITCH))
    }

    /// Whether both can stand in one build.
    pub(crate) fn fits_beside(&self, other: &Self) -> bool {
        let (one, two) = (&self.site.at, &other.site.at);
        let apart = self.file != other.file || one.end <= two.start || two.end <= one.start;
        let same = one == two && matches!(self.site.change, Change::Weaken { .. });
        self.is_switched()
            && other.is_switched()
            && (apart || same)
            && self.is_for_loom() == other.is_for_loom()
    }

    /// Whether the models see it: the library's own tests are built apart from them.
    fn is_for_loom(&self) -> bool {
        self.checks.iter().any(|check| check.program == "loom")
    }
}

/// Finds all mutants of the tree at `root`.
pub(crate) fn all(root: &Path, rules: Vec<Rule>, checks: &Checks) -> Result<Vec<Mutant>, String> {
    let mut mutants = Vec::new();
    for rule in rules {
        let text = read(root, &rule.file)?;
        let at = only_place(&text, &rule)?;
        let site = Site { at, change: Change::Replace(rule.new), what: rule.name.clone() };
        let Rule { name, file, checks, .. } = rule;
        mutants.push(Mutant { number: 0, name, file, site, checks, mark: mark(&text) });
    }
    for file in sources(root)? {
        let text = read(root, &file)?;
        for site in scan::sites(&text) {
            let name = format!("{file} {}", site.what);
            let checks = checks.of(&name);
            let mark = mark(&text);
            mutants.push(Mutant { number: 0, name, file: file.clone(), site, checks, mark });
        }
    }
    for (mutant, number) in mutants.iter_mut().zip(1..) {
        mutant.number = number;
    }
    Ok(mutants)
}

/// Where the old text stands. It must be there, and only once: the list has to follow the code.
fn only_place(text: &str, rule: &Rule) -> Result<Range<usize>, String> {
    let mut places = text.match_indices(&rule.old).map(|(at, _)| at..at + rule.old.len());
    match (places.next(), places.next()) {
        (Some(place), None) => Ok(place),
        (None, _) => Err(format!("{}: its text is not in {} any more", rule.name, rule.file)),
        (Some(_), Some(_)) => Err(format!("{}: its text stands in {} more than once", rule.name, rule.file)),
    }
}

/// Files of `src/sync` that are more than a door to atomics and locks.
const PROTOCOLS: [&str; 3] = ["src/sync/custody.rs", "src/sync/rung.rs", "src/sync/tenure.rs"];

/// The files whose orderings are weakened: all but those of tests, and the door to threads and atomics, where the
/// standard library's and loom's own are handed on.
fn sources(root: &Path) -> Result<Vec<String>, String> {
    let mut files = Vec::new();
    collect(&root.join("src"), &mut files)?;
    let name = |path: &PathBuf| {
        path.strip_prefix(root).map(|path| path.to_string_lossy().replace('\\', "/")).unwrap_or_default()
    };
    let mut files: Vec<_> = files.iter().map(name).collect();
    files.retain(|file| {
        let is_test =
            file.ends_with("tests.rs") || file.contains("/tests/") || file.starts_with("src/testing");
        let is_facade = file.starts_with("src/sync/") && !PROTOCOLS.contains(&file.as_str());
        file.ends_with(".rs") && !is_test && !is_facade
    });
    // The broadcast's models take longest: they come last.
    files.sort_by(|one, two| two.cmp(one));
    Ok(files)
}

/// Collects the files of a folder and those below it.
pub(crate) fn collect(folder: &Path, into: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.is_dir() { collect(&path, into)? } else { into.push(path) }
    }
    Ok(())
}

fn read(root: &Path, file: &str) -> Result<String, String> {
    fs::read_to_string(root.join(file)).map_err(|error| format!("{file}: {error}"))
}

/// A mark that tells two texts apart (FNV-1a).
fn mark(text: &str) -> String {
    let step = |mark: u32, byte: &u8| (mark ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    format!("{:08x}", text.as_bytes().iter().fold(0x811c_9dc5, step))
}

/// Returns `text` with all these mutants in it, each to be turned on by its number.
pub(crate) fn mutated(text: &str, mutants: &[&Mutant]) -> String {
    let mut places: Vec<_> = mutants.iter().map(|mutant| mutant.site.at.clone()).collect();
    places.sort_by_key(|at| (at.start, at.end));
    places.dedup();
    let (mut out, mut done) = (String::new(), 0);
    for at in places {
        let here: Vec<_> = mutants.iter().filter(|mutant| mutant.site.at == at).copied().collect();
        out.push_str(&text[done..at.start]);
        out.push_str(&changed(&text[at.clone()], &here));
        done = at.end;
    }
    out.push_str(&text[done..]);
    out
}

fn changed(own: &str, here: &[&Mutant]) -> String {
    let Some(first) = here.first() else { return own.to_owned() };
    let is_on = format!("crate::mutants::on({})", first.number);
    match &first.site.change {
        Change::Skip => format!("if !{is_on} {{ {own}; }}"),
        Change::Replace(text) => text.replace(SWITCH, &is_on),
        Change::Weaken { .. } => {
            let weaker = here.iter().filter_map(|mutant| match mutant.site.change {
                Change::Weaken { to, .. } => Some(format!("({}, Ordering::{to})", mutant.number)),
                Change::Skip | Change::Replace(_) => None,
            });
            let weaker: Vec<_> = weaker.collect();
            format!("crate::mutants::order({own}, &[{}])", weaker.join(", "))
        }
    }
}
