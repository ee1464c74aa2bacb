//! No order is lost, and none is charged twice: the ledger is read, and the books of each queue are checked against it.

use std::fmt;

use millpond::Stats;

use crate::ledger::DEEDS;
use crate::story::Outcome;

/// How a service did.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) service: &'static str,
    /// Jobs that were put into its queue.
    pub(crate) came: u64,
    /// Jobs that died or were not run.
    pub(crate) unfinished: u64,
    pub(crate) stats: Stats,
}

/// Above the lines of the parts.
pub(crate) const HEADING: &str =
    "service          jobs    done  failed  panics  leases lost  settled late  dead letters  redriven";

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stats { done, retried, panicked, leases_lost, late, died, redriven, .. } = &self.stats;
        write!(
            f,
            "{:13}{:8}{done:8}{retried:8}{panicked:8}{leases_lost:13}{late:14}{died:14}{redriven:10}",
            self.service, self.came
        )
    }
}

/// Returns what is wrong, in words. Empty: nothing.
pub(crate) fn faults(outcome: &Outcome, orders: u32) -> Vec<String> {
    let mut faults = Vec::new();
    for order in 1..=orders {
        for deed in DEEDS {
            let times = outcome.ledger.times(deed, order);
            if times != 1 {
                faults.push(format!("order {order}: {deed} was done {times} times, not once"));
            }
        }
    }
    if outcome.ledger.charged() != outcome.total {
        faults.push(format!("{} cents were charged, not {}", outcome.ledger.charged(), outcome.total));
    }
    for part in &outcome.parts {
        let stats = &part.stats;
        if stats.submitted != part.came || stats.done != part.came || part.unfinished > 0 || !stats.balances()
        {
            faults.push(format!("{}: the books are wrong: {part:?}", part.service));
        }
    }
    if outcome.parts.iter().map(|part| part.service).ne(DEEDS) {
        faults.push("a service took no part".to_owned());
    }
    if outcome.odd_letters > 0 {
        faults.push(format!("{} orders went to review without three attempts", outcome.odd_letters));
    }
    faults
}

/// Returns which troubles have not happened, so that nothing is proved about them.
pub(crate) fn unproved(outcome: &Outcome) -> Vec<&'static str> {
    let sum = |of: fn(&Stats) -> u64| outcome.parts.iter().map(|part| of(&part.stats)).sum::<u64>();
    let happened = [
        ("no attempt failed", sum(|stats| stats.retried)),
        ("no handler panicked", sum(|stats| stats.panicked)),
        ("no lease was lost", sum(|stats| stats.leases_lost)),
        ("no settle was too late", sum(|stats| stats.late)),
        ("no order went to review", outcome.reviewed),
        ("no receipt was found again", outcome.replayed),
    ];
    happened.into_iter().filter(|(_, count)| *count == 0).map(|(what, _)| what).collect()
}
