//! The table of what holds which property, in VERIFICATION.md: each test that it names exists, and no row is empty.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

use std::fs;
use std::path::{Path, PathBuf};

/// How many properties, advisories and bugs there are of each kind.
const ROWS: [(&str, usize); 8] =
    [("Q", 15), ("W", 16), ("D", 6), ("B", 5), ("J", 11), ("U", 6), ("A", 18), ("L", 26)];

/// What stands in a row instead of a test, with the reason behind it.
const REASONS: [&str; 2] = ["missing: ", "the gate `"];

struct Row {
    id: String,
    held_by: String,
    note: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The rows whose first cell is a letter and a number.
fn rows() -> Vec<Row> {
    let text = fs::read_to_string(root().join("VERIFICATION.md")).unwrap();
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<_> = line.strip_prefix("| ")?.split('|').map(str::trim).collect();
        let [id, _, held_by, _, note, ..] = cells[..] else { return None };
        let (kind, number) = id.split_at_checked(1)?;
        let is_row = ROWS.iter().any(|(known, _)| *known == kind) && number.parse::<usize>().is_ok();
        is_row.then(|| Row { id: id.to_owned(), held_by: held_by.to_owned(), note: note.to_owned() })
    });
    rows.collect()
}

/// The names in a cell: `path::name`.
fn names(cell: &str) -> impl Iterator<Item = (&str, &str)> {
    cell.split('`').skip(1).step_by(2).filter_map(|name| name.rsplit_once("::"))
}

/// Whether there is a test, a model or a search of this name.
fn exists(path: &str, name: &str) -> bool {
    let root = root();
    if path == "proofs" {
        let cases = fs::read_to_string(root.join("proofs/cases.txt")).unwrap();
        return cases.lines().any(|line| line.split_whitespace().next() == Some(name));
    }
    let places = if path.starts_with("src/") {
        vec![format!("{path}.rs"), format!("{path}/tests.rs"), format!("{path}/mod.rs")]
    } else {
        vec![format!("tests/{path}.rs"), format!("loom-tests/tests/models/{path}.rs")]
    };
    if let Some(model) = path.strip_prefix("shuttle/") {
        return defines(&root.join(format!("shuttle-tests/tests/models/{model}.rs")), name);
    }
    places.iter().any(|place| defines(&root.join(place), name))
}

fn defines(file: &Path, name: &str) -> bool {
    let text = fs::read_to_string(file).unwrap_or_default();
    let functions = text.split("fn ").skip(1);
    let has_tests = text.contains("#[test]") || text.contains("#[tokio::test");
    has_tests && functions.filter_map(|rest| rest.split('(').next()).any(|found| found == name)
}

/// Every test that the table names is in the sources.
#[test]
fn the_table_names_tests_that_exist() {
    let rows = rows();
    let all = rows.iter().flat_map(|row| names(&row.held_by).map(move |(path, name)| (row, path, name)));
    let lost: Vec<_> = all
        .filter(|(_, path, name)| !exists(path, name))
        .map(|(row, path, name)| format!("{}: {path}::{name}", row.id))
        .collect();
    assert!(lost.is_empty(), "named in VERIFICATION.md, but not there:\n{}", lost.join("\n"));
}

/// Every property has its row, and every row a test or a reason.
#[test]
fn no_row_is_left_out_or_empty() {
    let rows = rows();
    for (kind, count) in ROWS {
        for number in 1..=count {
            let id = format!("{kind}{number}");
            let row = rows.iter().find(|row| row.id == id).unwrap_or_else(|| panic!("no row {id}"));
            let is_held = names(&row.held_by).next().is_some() || row.held_by.contains("`mutants`");
            let has_reason =
                REASONS.iter().any(|reason| row.note.contains(reason) || row.held_by.contains(reason));
            assert!(is_held || has_reason, "{id}: neither a test nor a reason");
        }
    }
}

/// A name that is not there is noticed.
#[test]
fn a_test_that_is_not_there_is_missed() {
    assert!(exists("verification", "no_row_is_left_out_or_empty"));
    assert!(exists("channel/try_ops", "one_by_one_capacity_1"));
    assert!(exists("proofs", "no-arm"));
    assert!(!exists("verification", "no_row"));
    assert!(!exists("channel/nowhere", "one_by_one_capacity_1"));
    assert!(!exists("proofs", "no"));
}
