//! Real threads over channels and broadcast, for ThreadSanitizer to watch. Plain programs without the test harness, whose own
//! messages the sanitizer would report.
//!
//! `tsan channels 1000000`, `tsan broadcast 1000000`: so many messages in all, over every kind. `tsan planted NAME`: a race on
//! purpose, which must be reported: else the sanitizer is blind.

mod broadcast;
mod channels;
mod planted;
mod task;

use std::process::ExitCode;
use std::thread::{JoinHandle, spawn};

/// Runs the threads to their end, and sums what they return. The sanitizer knows `join`.
fn sum(threads: Vec<JoinHandle<u64>>) -> u64 {
    threads.into_iter().map(|thread| thread.join().expect("no thread panics")).sum()
}

/// Starts a thread.
fn start(body: impl FnOnce() -> u64 + Send + 'static) -> JoinHandle<u64> {
    spawn(body)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["channels", count] => channels::run(count.parse().expect("a number of messages")),
        ["broadcast", count] => broadcast::run(count.parse().expect("a number of messages")),
        ["planted", name] => planted::run(name),
        _ => {
            eprintln!("usage: tsan channels|broadcast MESSAGES, or planted publish|slot|drop");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
