//! The whole program against a real SMTP server: what each recipient's server does, and what becomes of the mail.
//!
//! The pauses between attempts are of a millisecond, and nothing here depends on how long anything takes.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use millpond::RetryPolicy;

use super::server::{Log, Reply, Server};
use crate::args::{self, Command};
use crate::mailing::Dead;
use crate::report::Report;

/// Tries per mail in these tests.
const ATTEMPTS: u32 = 4;

/// Sends to `rows` through `server`: more workers than the machine has cores, and little room in the pool.
fn send(server: &Server, rows: &str) -> Report {
    let place = tempfile::tempdir().unwrap();
    let list: PathBuf = place.path().join("list.csv");
    fs::write(&list, format!("email,name,town\n{rows}")).unwrap();
    let url = format!("smtp://{}", server.address());
    let arguments = [list.to_str().unwrap(), "--smtp", &url, "--workers", "6", "--capacity", "4"];
    let Ok(Command::Send(mut options)) = args::parse(arguments.map(Into::into)) else {
        panic!("these are good")
    };
    let pause = (Duration::from_millis(1), Duration::from_millis(4));
    options.settings.retry = RetryPolicy::exponential(pause.0, pause.1).max_attempts(ATTEMPTS);
    let report = crate::send(*options).unwrap();
    assert!(report.is_balanced(), "{report:?}");
    report
}

/// `count` rows for the addresses `kind0@example.org`, `kind1@example.org`, and so on.
fn rows(kind: &str, count: usize) -> String {
    (0..count).map(|i| format!("{kind}{i}@example.org,{kind} {i},Weir\n")).collect()
}

fn attempts(log: &Log, address: &str) -> u32 {
    log.attempts.get(address).copied().unwrap_or(0)
}

fn accepted<'l>(log: &'l Log, address: &str) -> &'l [String] {
    log.accepted.get(address).map_or(&[], Vec::as_slice)
}

fn message_id(message: &str) -> &str {
    let mut ids = message.lines().filter_map(|line| line.strip_prefix("Message-ID: "));
    let id = ids.next().expect("a message has an identifier");
    assert_eq!(ids.next(), None, "and no second one");
    id
}

fn dead(line: u64, address: &str, attempts: u32, reason: &str) -> Dead {
    Dead { line, address: address.to_owned(), attempts, reason: reason.to_owned() }
}

/// The letters an address starts with.
fn kind(address: &str) -> &str {
    address.split(|c: char| !c.is_ascii_lowercase()).next().unwrap_or_default()
}

/// Answers by the kind of the address.
fn by_name(address: &str, attempt: u32) -> Reply {
    match (kind(address), attempt) {
        ("busy", 1..=2) => Reply::AtRecipient(451, "4.7.1 try again later"),
        ("full", 1) => Reply::AtMessage(452, "4.3.1 no room now"),
        ("leaving", 1) => Reply::AtRecipient(421, "4.3.2 shutting down"),
        ("broken", 1) => Reply::HangUpAtRecipient,
        ("torn", 1..=3) => Reply::HangUpInMessage,
        ("nobody", _) => Reply::AtRecipient(550, "5.1.1 no such mailbox"),
        ("spam", _) => Reply::AtMessage(554, "5.7.1 not wanted here"),
        ("always", _) => Reply::AtRecipient(451, "4.7.1 greylisted for ever"),
        ("gone", _) => Reply::HangUpAtRecipient,
        _ => Reply::Accept,
    }
}

#[test]
fn every_mail_ends_as_its_server_wants() {
    let kinds = ["fine", "busy", "full", "leaving", "broken", "torn", "nobody", "spam", "always", "gone"];
    let server = Server::start(by_name);
    let report = send(&server, &kinds.map(|kind| rows(kind, 3)).concat());
    let log = server.stop();

    let tried = [1, 3, 2, 2, 2, 4, 1, 1, ATTEMPTS, ATTEMPTS];
    for (name, tried) in kinds.iter().zip(tried) {
        let is_delivered = !["nobody", "spam", "always", "gone"].contains(name);
        for i in 0..3 {
            let address = format!("{name}{i}@example.org");
            assert_eq!(attempts(&log, &address), tried, "{address}");
            assert_eq!(accepted(&log, &address).len(), usize::from(is_delivered), "{address}");
        }
    }
    assert_eq!((report.rows, report.settled.sent), (30, 18));
    let retried: u32 = tried.iter().map(|tried| 3 * (tried - 1)).sum();
    assert_eq!(report.settled.retried, u64::from(retried));

    let dead = &report.settled.dead;
    assert_eq!(dead.len(), 12);
    assert!(dead.is_sorted_by_key(|dead| dead.line));
    for dead in dead {
        let (attempts, reason) = match kind(&dead.address) {
            "nobody" => (1, "550 5.1.1 no such mailbox"),
            "spam" => (1, "554 5.7.1 not wanted here"),
            "always" => (4, "451 4.7.1 greylisted for ever"),
            // How a broken connection is reported depends on what the system noticed first.
            "gone" => (4, dead.reason.as_str()),
            other => panic!("{other} should not be dead"),
        };
        assert_eq!((dead.attempts, dead.reason.as_str()), (attempts, reason), "{}", dead.address);
    }
}

#[test]
fn what_arrives_is_what_was_written() {
    let server = Server::start(by_name);
    let report = send(&server, "fine@example.org,\"Eve\r\nBcc: all@example.net\",.\nadd@example.org,<b>,\n");
    let log = server.stop();
    assert_eq!(report.settled.sent, 2);
    let [message] = accepted(&log, "fine@example.org") else { panic!("one message") };
    let (head, _) = message.split_once("\r\n\r\n").unwrap();
    // The name is encoded, because of its colon.
    assert!(
        head.contains("\r\nTo: =?utf-8?b?RXZlIEJjYzogYWxsQGV4YW1wbGUubmV0?= <fine@example.org>"),
        "{head}"
    );
    assert!(!head.contains("\r\nBcc"), "{head}");
    assert_eq!(message_id(message), "<open-day-2026.fine=40example.org@example.org>");
    let [message] = accepted(&log, "add@example.org") else { panic!("one message") };
    assert!(message.contains("Dear &lt;b&gt;,"), "{message}");
    assert_eq!(log.accepted.len(), 2, "nobody else got anything");
}

#[test]
fn malformed_rows_and_duplicates_reach_no_server() {
    let server = Server::start(by_name);
    let list = "fine@example.org,A,\nnonsense,B,\nfine@EXAMPLE.org,C,\nnobody@example.org,D,\n nobody@example.org ,E,\n";
    let report = send(&server, list);
    let log = server.stop();
    assert_eq!((report.rows, report.settled.sent), (5, 1));
    assert_eq!(report.settled.dead, [dead(5, "nobody@example.org", 1, "550 5.1.1 no such mailbox")]);
    assert_eq!(report.malformed.iter().map(|row| row.line).collect::<Vec<_>>(), [3]);
    let duplicates: Vec<_> = report.duplicates.iter().map(|row| (row.line, row.first_line)).collect();
    assert_eq!(duplicates, [(4, 2), (6, 5)]);
    assert_eq!(log.attempts.len(), 2);
    assert!(log.attempts.values().all(|&attempts| attempts == 1), "{:?}", log.attempts);
}

/// At-least-once, seen from the server: a lost answer means two copies, and one `Message-ID`.
#[test]
fn a_lost_answer_repeats_the_mail_under_the_same_identifier() {
    let server =
        Server::start(|_, attempt| if attempt <= 2 { Reply::AcceptAndHangUp } else { Reply::Accept });
    let report = send(&server, "ada@example.org,Ada,Weir\n");
    let log = server.stop();
    assert_eq!((report.settled.sent, report.settled.retried), (1, 2));
    let copies = accepted(&log, "ada@example.org");
    assert_eq!(copies.len(), 3);
    let date = |message: &str| message.lines().find(|line| line.starts_with("Date: ")).map(str::to_owned);
    for copy in copies {
        assert_eq!(message_id(copy), message_id(&copies[0]));
        assert_eq!(date(copy), date(&copies[0]));
    }
}

#[test]
fn a_list_longer_than_the_pool_is_mailed_whole() {
    let server = Server::start(|_, _| Reply::Accept);
    let report = send(&server, &rows("fine", 60));
    let log = server.stop();
    assert_eq!((report.settled.sent, report.settled.retried), (60, 0));
    assert_eq!(log.accepted.len(), 60);
    assert!(log.accepted.values().all(|messages| messages.len() == 1));
}
