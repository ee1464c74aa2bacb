//! Dead letters as lines of JSON.

#![cfg(feature = "serde")]
#![expect(clippy::unwrap_used, reason = "a test ends where its premises do not hold")]

mod pool_common;

use millpond::{Context, DeadFilter, ExportReason, Outcome, Pool, RetryPolicy, VirtualClock};
use pool_common::{books, quiet};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use std::error::Error;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

struct Order {
    item: &'static str,
}

impl Serialize for Order {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.item {
            "secret" => Err(serde::ser::Error::custom("not for everybody's eyes")),
            "bomb" => panic!("boom"),
            item => serializer.collect_map([("item", item)]),
        }
    }
}

/// Each job dies at its second attempt, a second after the first; orders for lamps make the handler panic.
fn letters(items: &[&'static str]) -> (Pool<Order>, VirtualClock) {
    pool_common::hush("export");
    let time = VirtualClock::new();
    let pool = Pool::builder()
        .name("export")
        .workers(1)
        .clock(time.clock())
        .retry(RetryPolicy::fixed(SECOND).max_attempts(2))
        .start(|order: &Order, cx: &Context| match (order.item, cx.attempt()) {
            ("lamp", 2) => panic!("dark \"here\"\n"),
            (item, _) => Outcome::retry(format!("no {item}")),
        })
        .unwrap();
    for item in items {
        assert!(pool.submit(Order { item }).is_ok());
        quiet(&pool);
        time.advance(SECOND);
        quiet(&pool);
    }
    (pool, time)
}

fn parse(lines: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(lines).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn each_letter_is_one_line_with_all_that_is_known() {
    let (pool, time) = letters(&["chair", "lamp"]);
    let mut lines = Vec::new();
    assert_eq!(pool.dead().select(DeadFilter::all()).export_json(&mut lines).unwrap(), 2);
    let at = |second| format!("1970-01-01T00:00:0{second}.000000000Z");
    let chair = json!({
        "id": 1, "reason": "attempts", "error": "no chair", "kind": "error",
        "attempts": [
            {"attempt": 1, "at": at(0), "worker": 0, "error": "no chair", "kind": "error"},
            {"attempt": 2, "at": at(1), "worker": 0, "error": "no chair", "kind": "error"},
        ],
        "attempts_total": 2, "deliveries": 2, "snoozes": 0, "deaths": 1, "past": [], "past_attempts": [],
        "enqueued_at": at(0), "died_at": at(1), "job": {"item": "chair"},
    });
    let parsed = parse(&lines);
    assert_eq!(parsed[0], chair);
    assert_eq!((&parsed[1]["reason"], &parsed[1]["kind"]), (&json!("panic"), &json!("panic")));
    assert_eq!(parsed[1]["error"], "dark \"here\"\n");
    assert_eq!(books(&pool).dead, 2, "nothing is removed");

    pool.dead().redrive(pool.dead().list()[0].id).unwrap();
    quiet(&pool);
    time.advance(SECOND);
    quiet(&pool);
    let mut lines = Vec::new();
    let again = DeadFilter::all().matching(|letter| letter.deaths() > 1);
    assert_eq!(pool.dead().select(again).export_json(&mut lines).unwrap(), 1);
    let past = json!([{
        "reason": "attempts", "count": 1, "attempts": 2, "first_at": at(1), "last_at": at(1), "last_error": "no chair",
    }]);
    let parsed = parse(&lines);
    assert_eq!((&parsed[0]["past"], &parsed[0]["deaths"]), (&past, &json!(2)));
    assert_eq!(parsed[0]["past_attempts"], chair["attempts"]);
}

/// A writer with room for so many bytes.
struct Small(usize);

impl Write for Small {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::Error::from(io::ErrorKind::StorageFull))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn errors_say_how_far_it_came_and_remove_nothing() {
    let (pool, _) = letters(&["chair", "secret", "table"]);
    let all = || DeadFilter::all();
    let mut lines = Vec::new();
    let error = pool.dead().select(all()).export_json(&mut lines).unwrap_err();
    assert_eq!((error.written, parse(&lines).len()), (1, 1), "complete lines only");
    assert!(matches!(&error.reason, ExportReason::Job(id, _) if id.get() == 2));
    assert_eq!(error.to_string(), "the export ended after 1 letters: job 2 cannot be written as JSON");
    assert!(error.source().unwrap().to_string().contains("eyes"));

    let error = pool.dead().select(all()).export_json(Small(100)).unwrap_err();
    assert!(
        matches!(&error.reason, ExportReason::Write(error) if error.kind() == io::ErrorKind::StorageFull)
    );
    assert_eq!(error.written, 0);
    assert_eq!(books(&pool).dead, 3);
}

#[test]
fn a_job_that_panics_when_it_is_written_stays() {
    let (pool, _) = letters(&["bomb"]);
    let dead = pool.dead();
    let export = || dead.select(DeadFilter::all()).export_json(io::sink());
    assert!(catch_unwind(AssertUnwindSafe(export)).is_err());
    assert_eq!(dead.take_all().len(), 1);
    books(&pool);
}
