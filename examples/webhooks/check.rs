//! Nothing was lost, nothing was processed twice, and the attempts were made when they should be.

use std::time::Duration;

use crate::story::{EVENTS, Outcome, events};

/// The attempts that the policy allows.
const ATTEMPTS: usize = 15;
const LONGEST: Duration = Duration::from_secs(72 * 3_600);

/// Returns what is wrong, in words. Empty: nothing.
pub(crate) fn faults(outcome: &Outcome) -> Vec<String> {
    let mut faults = Vec::new();
    for event in events() {
        let key = &event.key;
        let processed = outcome.receipts.get(key).map_or(0, |receipt| receipt.processed);
        let due = u32::from(event.path != "/gone");
        if processed != due {
            faults.push(format!("{key} was processed {processed} times, not {due}"));
        }
        let attempts: Vec<_> = outcome.attempts.iter().filter(|attempt| attempt.key == *key).collect();
        let failed = attempts.iter().filter(|attempt| !attempt.delivered).count();
        if attempts.len() - failed != due as usize {
            faults.push(format!("{key} was delivered {} times, not {due}", attempts.len() - failed));
        }
        let dies = event.path == "/crm";
        if dies && failed != ATTEMPTS {
            faults.push(format!("{key} failed {failed} times, not {ATTEMPTS}"));
        }
        if dies && attempts.iter().take(ATTEMPTS).any(|attempt| attempt.at > LONGEST) {
            faults.push(format!("{key} was tried for more than 72 hours"));
        }
    }
    let (before, after, stats) = (outcome.dead_before.len(), outcome.dead_after.len(), &outcome.stats);
    if before != EVENTS as usize + 1 || after != 1 {
        faults.push(format!("{before} dead letters before the redrive and {after} after it"));
    }
    let all = u64::from(EVENTS) * 2 + 1;
    let redriven = u64::from(EVENTS);
    if (stats.submitted, stats.done, stats.dead, stats.redriven) != (all, all - 1, 1, redriven)
        || !stats.balances()
    {
        faults.push(format!("the books are wrong: {stats:?}"));
    }
    let repeated: u32 = outcome.receipts.values().map(|receipt| receipt.repeated).sum();
    if repeated == 0 {
        faults.push("no event came twice, so that nothing is proved about those that do".to_owned());
    }
    faults
}
