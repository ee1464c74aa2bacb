//! The whole program on a virtual clock, its parts, and a check that would notice.

use std::time::Duration;

use crate::client::{PostError, post, status_of};
use crate::endpoint::Endpoint;
use crate::story::{self, Attempt};
use crate::time::Time;
use crate::{check, parse, plot, run};

#[test]
fn the_program_delivers_every_event_and_draws_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("new").join("schedule.svg");
    let mut out = Vec::new();
    run(Time::fast(), &picture, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    for expected in [
        "  0 h  25 events are submitted",
        " 20 h  the shop is up again; 24 events wait",
        " 90 h  the CRM is up again; 13 events are dead letters",
        "12 dead letters are redriven, 5 a second",
        "stays a dead letter: the endpoint answered 410",
        "Every event arrived once, but for the one whose receiver is gone.",
    ] {
        assert!(text.contains(expected), "{expected:?} is missing in:\n{text}");
    }
    let svg = std::fs::read_to_string(picture).unwrap();
    assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
    assert!(svg.matches("#2a7").count() == 24 && svg.matches("#c33").count() > 12 * 15);
}

#[test]
fn the_check_notices_what_is_lost_repeated_or_late() {
    let mut outcome = story::play(Time::fast()).unwrap();
    assert_eq!(check::faults(&outcome), [""; 0]);

    let receipt = outcome.receipts.remove("crm-3").unwrap();
    assert_eq!(check::faults(&outcome), ["crm-3 was processed 0 times, not 1"]);
    outcome.receipts.insert("crm-3".to_owned(), crate::endpoint::Receipt { processed: 2, ..receipt });
    assert_eq!(check::faults(&outcome), ["crm-3 was processed 2 times, not 1"]);
    outcome.receipts.insert("crm-3".to_owned(), receipt);

    let late = outcome.attempts.iter_mut().find(|attempt| attempt.key == "crm-1").unwrap();
    late.at = Duration::from_secs(73 * 3_600);
    assert_eq!(check::faults(&outcome), ["crm-1 was tried for more than 72 hours"]);
    outcome.stats.done -= 1;
    assert_eq!(check::faults(&outcome).len(), 2);
}

#[test]
fn answers_are_understood_and_receivers_know_an_event_again() {
    assert_eq!(status_of(b"HTTP/1.1 204 No Content\r\n\r\n"), Some(204));
    for nonsense in ["", "HTTP/1.1", "HTTP/1.1 20x OK\r\n", "SMTP 220\r\n", "HTTP/1.1 999 No\r\n"] {
        assert_eq!(status_of(nonsense.as_bytes()), None, "{nonsense:?}");
    }
    let endpoint = Endpoint::start().unwrap();
    let send = |path, key| post(endpoint.address(), path, key, "{}");
    assert!(matches!(send("/shop", "a"), Err(PostError::Status(503))));
    assert!(matches!(send("/gone", "a"), Err(PostError::Status(410))));
    endpoint.repair_shop();
    send("/shop", "a").unwrap();
    send("/shop", "a").unwrap();
    let receipt = endpoint.receipts()["a"];
    assert_eq!((receipt.processed, receipt.repeated), (1, 1));
    let address = endpoint.address();
    drop(endpoint);
    assert!(matches!(post(address, "/shop", "b", "{}"), Err(PostError::Io(_))));
}

#[test]
fn attempts_stand_where_they_belong() {
    let attempt = |hours: u64, delivered| Attempt {
        key: "shop-1".to_owned(),
        at: Duration::from_secs(hours * 3_600),
        delivered,
    };
    let plot = plot::on_terminal(&[attempt(0, false), attempt(96, true)]);
    let row = plot.lines().next().unwrap();
    assert!(row.starts_with("shop-1  x·") && row.ends_with("·O"), "{plot}");
}

#[test]
fn arguments_choose_the_clock() {
    let parse = |line: &str| parse(line.split_whitespace().map(Into::into));
    assert!(parse("").unwrap().is_virtual() && parse("--fast").unwrap().is_virtual());
    assert!(!parse("--minute 10").unwrap().is_virtual());
    for wrong in ["--minute", "--minute 0", "--minute x", "--slow", "file"] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}
