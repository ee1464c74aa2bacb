//! The whole program with files, as somebody at a terminal sees it.

use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::path::Path;

/// Runs the program; gives its exit code, what it printed, and what it complained about.
fn run(arguments: &[&str]) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = crate::run(arguments.iter().map(OsString::from), &mut out, &mut err).unwrap();
    (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_bundled_list_fills_the_outbox() {
    let place = tempfile::tempdir().unwrap();
    let (code, out, err) = run(&["--out", text(place.path())]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    for line in ["rows           200", "sent           188", "retried          0", "dead             0"] {
        assert!(out.lines().any(|printed| printed == line), "{line:?} is not in\n{out}");
    }
    for line in ["malformed        6", "duplicates       6", "  line 85: 2 fields where 3 are expected"] {
        assert!(out.lines().any(|printed| printed == line), "{line:?} is not in\n{out}");
    }
    let names: Vec<_> = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(names.len(), 188);
    assert!(names.iter().all(|name| name.extension().is_some_and(|ending| ending == "eml")));
}

#[test]
fn a_second_run_gives_the_same_files() {
    let place = tempfile::tempdir().unwrap();
    let list = place.path().join("list.csv");
    fs::write(&list, "email,name,town\nada@example.org,Ada,Weir\n").unwrap();
    let outbox = place.path().join("out");
    for _ in 0..2 {
        assert_eq!(run(&[text(&list), "--out", text(&outbox)]).0, 0);
        let names: Vec<_> = fs::read_dir(&outbox).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["ada@example.org.eml"]);
    }
}

#[test]
fn help_is_printed_and_nothing_is_done() {
    let (code, out, err) = run(&["--help", "--out", "/nowhere"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("usage: email"));
}

#[test]
fn what_cannot_work_is_refused_before_any_work() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    let good = place.path().join("good.csv");
    fs::write(&good, "email,name,town\nada@example.org,Ada,Weir\n").unwrap();
    let outbox = place.path().join("out");
    // A port that was free a moment ago, and that nobody else is given while the listener holds it, silent.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_url = format!("smtp://{}", silent.local_addr().unwrap());
    for (arguments, complaint) in [
        (vec!["--workers", "none"], "--workers"),
        (vec!["missing.csv", "--out", text(&outbox)], "cannot read missing.csv"),
        (vec![text(&file), "--out", text(&outbox)], "the list is empty"),
        (vec![text(&good), "--out", text(&file)], "cannot write to the outbox"),
        (vec![text(&good), "--smtp", "smtps://localhost"], "no TLS"),
        (vec![text(&good), "--smtp", "smtp://localhost:99999"], "the port must be"),
        (vec![text(&good), "--smtp", &silent_url, "--timeout", "0.05"], "cannot use the SMTP server"),
    ] {
        let (code, out, err) = run(&arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
        assert!(err.starts_with("email: ") && err.contains(complaint), "{arguments:?}: {err}");
        assert!(!outbox.exists(), "{arguments:?} made the outbox");
    }
}
