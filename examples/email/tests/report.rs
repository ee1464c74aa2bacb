//! The summary, and the sum that the program checks.

use crate::mailing::{Dead, Settled};
use crate::recipients::{Duplicate, Malformed};
use crate::report::Report;

fn report() -> Report {
    let dead = Dead {
        line: 4,
        address: "bob@example.org".to_owned(),
        attempts: 1,
        reason: "550 no\r\n\u{1b}[2Jbox".to_owned(),
    };
    let late =
        Dead { line: 9, address: "eve@example.org".to_owned(), attempts: 5, reason: "451 later".to_owned() };
    Report {
        rows: 7,
        settled: Settled { sent: 3, retried: 4, dead: vec![dead, late] },
        malformed: vec![Malformed { line: 5, reason: "the name is empty".to_owned() }],
        duplicates: vec![Duplicate { line: 6, first_line: 2, address: "ada@example.org".parse().unwrap() }],
    }
}

#[test]
fn the_summary_names_every_row_that_was_not_mailed() {
    let mut out = Vec::new();
    report().write(&mut out).unwrap();
    let expected = "rows             7
sent             3
retried          4
dead             2
  line 4: bob@example.org (1 attempt): 550 no   [2Jbox
  line 9: eve@example.org (5 attempts): 451 later
malformed        1
  line 5: the name is empty
duplicates       1
  line 6 repeats line 2: ada@example.org
";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn a_missing_row_is_noticed() {
    assert!(report().is_balanced());
    let lost = Report { rows: 8, ..report() };
    assert!(!lost.is_balanced());
}
