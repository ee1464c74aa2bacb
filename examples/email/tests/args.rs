//! What the command line accepts, and how it refuses.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::args::{self, Command, Destination, Options};

fn parse(arguments: &[&str]) -> Result<Command, String> {
    args::parse(arguments.iter().map(OsString::from)).map_err(|error| error.to_string())
}

fn options(arguments: &[&str]) -> Options {
    match parse(arguments) {
        Ok(Command::Send(options)) => *options,
        other => panic!("{arguments:?} gave {other:?}"),
    }
}

#[test]
fn without_arguments_the_bundled_list_goes_to_the_outbox() {
    let options = options(&[]);
    assert!(options.csv.ends_with("examples/email/recipients.csv"));
    assert!(matches!(options.destination, Destination::Outbox(folder) if folder.ends_with("target/outbox")));
    assert_eq!(options.from.to_string(), "Millpond Open Day <open-day@example.org>");
    assert_eq!((options.settings.workers, options.settings.capacity), (4, 64));
    assert_eq!(options.timeout, Duration::from_secs(10));
}

#[test]
fn every_argument_is_used() {
    let options = options(&[
        "list.csv",
        "--out",
        "box",
        "--from",
        "A <a@example.com>",
        "--workers=2",
        "--capacity",
        "7",
        "--attempts",
        "3",
        "--timeout",
        "1.5",
    ]);
    assert_eq!(options.csv, PathBuf::from("list.csv"));
    assert_eq!(options.destination, Destination::Outbox(PathBuf::from("box")));
    assert_eq!(options.from.email.to_string(), "a@example.com");
    assert_eq!((options.settings.workers, options.settings.capacity), (2, 7));
    assert_eq!(options.timeout, Duration::from_millis(1500));
}

#[test]
fn smtp_urls_are_taken_apart() {
    for (url, host, port) in [
        ("smtp://localhost:2525", "localhost", 2525),
        ("smtp://mail.example.org", "mail.example.org", 25),
        ("smtp://mail.example.org/", "mail.example.org", 25),
        ("smtp://127.0.0.1:65535", "127.0.0.1", 65535),
        ("smtp://[::1]:26", "::1", 26),
        ("smtp://[::1]", "::1", 25),
    ] {
        assert_eq!(options(&["--smtp", url]).destination, Destination::Smtp { host: host.to_owned(), port });
    }
}

#[test]
fn unusable_smtp_urls_are_refused() {
    for url in [
        "",
        "localhost:25",
        "http://localhost",
        "smtps://localhost",
        "smtp://",
        "smtp://:25",
        "smtp://host:",
        "smtp://host:0",
        "smtp://host:65536",
        "smtp://host:x",
        "smtp://a:b:c",
        "smtp://user:word@host",
        "smtp://host/path",
        "smtp://host?tls",
        "smtp://[::1",
        "smtp://[nonsense]:25",
        "smtp://[::1]25",
        "smtp://ho st",
    ] {
        let error = parse(&["--smtp", url]).expect_err(url);
        assert!(error.starts_with(&format!("--smtp {url:?}: ")), "{error}");
    }
}

#[test]
fn bad_arguments_are_refused_by_name() {
    for (arguments, part) in [
        (&["--workers", "0"][..], "--workers must be at least 1"),
        (&["--workers", "257"], "--workers can be at most 256"),
        (&["--workers", "-1"], "--workers"),
        (&["--capacity", "0"], "--capacity must be at least 1"),
        (&["--capacity", "many"], "--capacity \"many\""),
        (&["--attempts", "0"], "--attempts must be at least 1"),
        (&["--attempts", "4294967296"], "too many"),
        (&["--timeout", "0"], "--timeout must be more than 0"),
        (&["--timeout", "-1"], "not a number of seconds"),
        (&["--timeout", "NaN"], "not a number of seconds"),
        (&["--timeout", "1e300"], "not a number of seconds"),
        (&["--timeout", "100000"], "at most a day"),
        (&["--from", "nobody"], "--from \"nobody\" is not a mailbox"),
        (&["--from", "A\r\nBcc: b@example.com <a@example.com>"], "is not a mailbox"),
        (&["--from", "a@m\u{fc}hle.example"], "ASCII"),
        (&["--out"], "--out"),
        (&["--out", "x", "--smtp", "smtp://localhost"], "exclude each other"),
        (&["--colour"], "--colour"),
        (&["one.csv", "two.csv"], "two.csv"),
    ] {
        let error = parse(arguments).expect_err(part);
        assert!(error.contains(part), "{arguments:?} gave {error:?}, not {part:?}");
    }
}

#[test]
fn help_wins() {
    assert!(matches!(parse(&["--workers", "3", "--help"]), Ok(Command::Help)));
    assert!(matches!(parse(&["-h"]), Ok(Command::Help)));
}
