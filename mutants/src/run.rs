//! Runs the checks of one mutant, the quickest first, until one of them fails.

use crate::data::Check;
use crate::mutant::Mutant;
use crate::results::{Fate, Row};
use crate::tree::{Programs, Tree};
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How often a running check is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// How a check ended.
enum End {
    Passed,
    /// With the name of the test that failed, where that is known.
    Failed(Option<String>),
    TimedOut,
}

/// Runs the checks of a mutant. `first`: the one that has noticed it before.
pub(crate) fn judge(
    tree: &Tree,
    programs: &Programs,
    mutant: &Mutant,
    first: Option<Check>,
    limit: Duration,
) -> Result<Row, String> {
    let start = Instant::now();
    let (mut fate, mut by) = (Fate::Survived, String::new());
    let known = first.filter(|check| programs.contains_key(&check.program));
    for check in known.iter().chain(&mutant.checks) {
        let program =
            programs.get(&check.program).ok_or_else(|| format!("no test program {}", check.program))?;
        match run(tree, program, check, mutant.number, limit)? {
            End::Passed => {}
            End::Failed(test) => {
                fate = Fate::Killed;
                by = test.map_or_else(|| check.to_string(), |test| format!("{} {test}", check.program));
                break;
            }
            End::TimedOut => {
                fate = Fate::TimedOut;
                by = check.to_string();
                break;
            }
        }
    }
    let name = mutant.name.clone();
    Ok(Row { name, mark: mutant.mark.clone(), fate, by, seconds: start.elapsed().as_secs_f32() })
}

/// Runs a check with mutant `number` on; 0 is none.
fn run(tree: &Tree, program: &Path, check: &Check, number: u32, limit: Duration) -> Result<End, String> {
    let log = tree.copy.with_file_name(format!("check-{}.log", std::process::id()));
    let file = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
    let both = file.try_clone().map_err(|error| error.to_string())?;
    let child = Command::new(program)
        .current_dir(&tree.copy)
        .args(["--test-threads", "2"])
        .args(&check.filters)
        .env("MILLPOND_MUTANT", number.to_string())
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(both)
        .spawn()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let end = watch(child, &log, limit)?;
    if let (End::Passed, Some(reason)) = (&end, nothing_ran(&log)) {
        return Err(format!("{check}: {reason}"));
    }
    Ok(end)
}

/// Waits for the program to end, or for the first of its tests to fail, or for the time to run out.
fn watch(mut child: Child, log: &Path, limit: Duration) -> Result<End, String> {
    let start = Instant::now();
    loop {
        let status = child.try_wait().map_err(|error| error.to_string())?;
        let failed = failed_test(log);
        let end = match status {
            Some(status) if status.success() => return Ok(End::Passed),
            Some(_) => return Ok(End::Failed(failed)),
            None if failed.is_some() => End::Failed(failed),
            None if start.elapsed() > limit => End::TimedOut,
            None => {
                thread::sleep(LOOK);
                continue;
            }
        };
        // It may just have ended.
        let _ = child.kill();
        child.wait().map_err(|error| error.to_string())?;
        return Ok(end);
    }
}

fn failed_test(log: &Path) -> Option<String> {
    let text = fs::read(log).ok()?;
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().find(|line| line.starts_with("test ") && line.ends_with(" FAILED"))?;
    line.split_whitespace().nth(1).map(str::to_owned)
}

/// A check without tests would let every mutant pass.
fn nothing_ran(log: &Path) -> Option<&'static str> {
    let text = fs::read_to_string(log).unwrap_or_default();
    text.contains("running 0 tests").then_some("names no test")
}

/// Runs every check without any mutant: they must pass.
pub(crate) fn rehearse(
    tree: &Tree,
    programs: &Programs,
    mutants: &[&Mutant],
    limit: Duration,
) -> Result<(), String> {
    let mut done: Vec<&Check> = Vec::new();
    for check in mutants.iter().flat_map(|mutant| &mutant.checks) {
        if done.contains(&check) {
            continue;
        }
        let start = Instant::now();
        let program =
            programs.get(&check.program).ok_or_else(|| format!("no test program {}", check.program))?;
        match run(tree, program, check, 0, limit)? {
            End::Passed => println!("  {:6.1} s  {check}", start.elapsed().as_secs_f32()),
            End::Failed(test) => return Err(format!("{check} fails without a mutant: {test:?}")),
            End::TimedOut => return Err(format!("{check} does not end without a mutant")),
        }
        done.push(check);
    }
    Ok(())
}
