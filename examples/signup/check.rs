//! Nobody missed an event, and nobody handled one twice. Checked against what was published, not against the queues' word.

use std::fmt;

use crate::story::{FRAUD_CHECK_JOINS_AFTER, USERS};
use crate::timeline::Moment;

/// What one service had to do with it.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) service: &'static str,
    /// Events that were put into its queue.
    pub(crate) published: u64,
    /// Jobs done.
    pub(crate) done: u64,
    /// Jobs that died or were not run.
    pub(crate) unfinished: u64,
    /// Attempts that failed.
    pub(crate) retried: u64,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, published, done, retried, .. } = self;
        write!(f, "{service:16} {published:2} events, {done:2} done, {retried:3} attempts failed")
    }
}

/// Returns what is wrong, in words. Empty: nothing.
pub(crate) fn faults(moments: &[Moment], parts: &[Part]) -> Vec<String> {
    let mut faults: Vec<String> = parts.iter().flat_map(|part| faults_of(part, moments)).collect();
    for service in ["welcome email", "analytics", "recommendations", "CRM", "fraud check"] {
        if !parts.iter().any(|part| part.service == service) {
            faults.push(format!("{service} took no part"));
        }
    }
    let retried: u64 = parts.iter().filter(|part| part.service == "CRM").map(|part| part.retried).sum();
    if retried == 0 {
        faults.push("the CRM was down, and yet no attempt failed".to_owned());
    }
    faults
}

fn faults_of(part: &Part, moments: &[Moment]) -> Vec<String> {
    let service = part.service;
    let first = if service == "fraud check" { FRAUD_CHECK_JOINS_AFTER + 1 } else { 1 };
    let expected = first as u32..=USERS.len() as u32;
    let mut faults = Vec::new();
    for user in 1..=USERS.len() as u32 {
        let times =
            moments.iter().filter(|moment| moment.who == service && moment.handled == Some(user)).count();
        let due = usize::from(expected.contains(&user));
        if times != due {
            faults.push(format!("{service} handled user {user} {times} times, not {due}"));
        }
    }
    let count = expected.count() as u64;
    if (part.published, part.done, part.unfinished) != (count, count, 0) {
        faults.push(format!("{service}: {part}, {} unfinished, but {count} were published", part.unfinished));
    }
    if service != "CRM" && part.retried > 0 {
        faults.push(format!("{service} failed {} times, though only the CRM was down", part.retried));
    }
    faults
}
