//! The copy of the repository in which the mutants live, and the test programs that are built there.

use crate::mutant::{Mutant, collect, mutated};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The copy.
pub(crate) struct Tree {
    root: PathBuf,
    pub(crate) copy: PathBuf,
    target: PathBuf,
}

/// Where the test programs of one build are, by the names that checks call them.
pub(crate) type Programs = BTreeMap<String, PathBuf>;

/// The models run no faster than loom, which is optimised: building them less well is sooner done.
const QUICK: [&str; 4] = [
    "--config",
    "profile.dev.package.loom-tests.opt-level=1",
    "--config",
    "profile.dev.package.loom-tests.debug=0",
];

/// What lies at the top of the repository and is not a source.
const LEFT_OUT: [&str; 3] = ["target", ".git", ".ci"];

impl Tree {
    pub(crate) fn new(root: &Path) -> Self {
        // A place of its own: cargo gives what it builds from the copy the same names as what it builds from the original, and would
        // take the one for the other.
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| root.join("target/mutants/build"), |given| PathBuf::from(given).join("mutants"));
        Self { root: root.to_owned(), copy: root.join("target/mutants/tree"), target }
    }

    /// Makes the copy like the repository, with these mutants in it. Files that are as they should be are not touched, so
    /// that nothing is built without need.
    pub(crate) fn fill(&self, mutants: &[&Mutant]) -> Result<(), String> {
        let mut wanted = BTreeSet::new();
        for path in self.files()? {
            let name = path.strip_prefix(&self.root).map_err(|error| error.to_string())?.to_owned();
            let here: Vec<_> =
                mutants.iter().filter(|mutant| Path::new(&mutant.file) == name).copied().collect();
            let mut content = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            if !here.is_empty() {
                content = mutated(&String::from_utf8_lossy(&content), &here).into_bytes();
            }
            if name == Path::new("src/lib.rs") {
                content.extend_from_slice(b"\nmod mutants;\n");
            }
            put(&self.copy.join(&name), &content)?;
            wanted.insert(self.copy.join(name));
        }
        let switch = self.copy.join("src/mutants.rs");
        put(&switch, include_bytes!("../switch.rs"))?;
        wanted.insert(switch);
        let mut there = Vec::new();
        collect(&self.copy, &mut there)?;
        for path in there.iter().filter(|path| !wanted.contains(*path)) {
            fs::remove_file(path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(())
    }

    fn files(&self) -> Result<Vec<PathBuf>, String> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.root).map_err(|error| error.to_string())? {
            let path = entry.map_err(|error| error.to_string())?.path();
            let is_left_out = LEFT_OUT.iter().any(|name| path.ends_with(name));
            if path.is_dir() && !is_left_out {
                collect(&path, &mut files)?;
            } else if !is_left_out {
                files.push(path);
            }
        }
        // Built things of programs that live in folders of their own.
        files.retain(|path| !path.components().any(|part| part.as_os_str() == "target"));
        Ok(files)
    }

    /// Builds the test programs that the mutants' checks need. The error is what the compiler said.
    pub(crate) fn build(&self, mutants: &[&Mutant]) -> Result<Programs, String> {
        let names: BTreeSet<_> =
            mutants.iter().flat_map(|mutant| &mutant.checks).map(|check| &check.program).collect();
        let mut programs = Programs::new();
        if names.iter().any(|name| *name == "loom") {
            let found = self.cargo(&["-p", "loom-tests"])?;
            programs.extend(found.into_values().next().map(|path| ("loom".to_owned(), path)));
        }
        let mut arguments = vec!["-p", "millpond"];
        for name in names.into_iter().filter(|name| *name != "loom") {
            if name == "lib" { arguments.push("--lib") } else { arguments.extend(["--test", name]) }
        }
        if arguments.len() > 2 {
            programs.extend(self.cargo(&arguments)?);
        }
        Ok(programs)
    }

    fn cargo(&self, which: &[&str]) -> Result<Programs, String> {
        let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .current_dir(&self.copy)
            .args(["test", "--locked", "--no-run"])
            .args(which)
            .args(QUICK)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_INCREMENTAL", "0")
            .output()
            .map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.success() {
            return Err(text);
        }
        Ok(text.lines().filter_map(|line| self.program(line)).collect())
    }

    /// Reads `Executable tests/NAME.rs (PATH)`, or `Executable unittests src/lib.rs (PATH)`.
    fn program(&self, line: &str) -> Option<(String, PathBuf)> {
        let (source, path) = line.trim().strip_prefix("Executable ")?.split_once(" (")?;
        let path = self.copy.join(path.strip_suffix(')')?);
        let name = source.strip_prefix("tests/").and_then(|name| name.strip_suffix(".rs")).unwrap_or("lib");
        Some((name.to_owned(), path))
    }
}

fn put(path: &Path, content: &[u8]) -> Result<(), String> {
    if fs::read(path).is_ok_and(|there| there == content) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(path, content));
    written.map_err(|error| format!("{}: {error}", path.display()))
}
