//! The earlier deaths of a job that was redriven, compressed so that they stay small however often it dies.

use super::envelope::{AttemptRecord, discard_all};
use super::letter::DeadInfo;
use crate::retry::DeadReason;
use std::time::SystemTime;

/// The earlier deaths of a redriven job for one reason.
///
/// One entry for each reason, with exact counts, so that the list is bounded by the number of reasons: the shape of
/// RabbitMQ's `x-death` header.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PastDeaths {
    /// Why the job died.
    pub reason: DeadReason,
    /// How often it died for that reason, before its latest death.
    pub count: u32,
    /// How many attempts failed in all those lives together.
    pub attempts: u32,
    /// When it first died for that reason.
    pub first_at: SystemTime,
    /// When it last died for that reason, the latest death left out.
    pub last_at: SystemTime,
    /// The text of the last failure at that time.
    pub last_error: String,
}

/// What is left of the earlier lives of a job that was redriven.
#[derive(Default)]
pub(super) struct Past {
    pub(super) deaths: Vec<PastDeaths>,
    /// The failed attempts of all these lives, in order.
    pub(super) attempts: Vec<AttemptRecord>,
}

impl Past {
    /// Drops it. Returns false when a drop panicked; the panic ends here.
    pub(super) fn discard(self) -> bool {
        discard_all(self.attempts)
    }
}

/// Returns the earlier deaths of a job once the death that `info` describes is one of them: the latest reason first.
pub(super) fn bury_under(past: &[PastDeaths], info: &DeadInfo) -> Vec<PastDeaths> {
    let same = past.iter().find(|deaths| deaths.reason == info.reason);
    let latest = PastDeaths {
        reason: info.reason,
        count: same.map_or(0, |deaths| deaths.count).saturating_add(1),
        attempts: same.map_or(0, |deaths| deaths.attempts).saturating_add(info.attempts),
        first_at: same.map_or(info.died_at, |deaths| deaths.first_at),
        last_at: info.died_at,
        last_error: info.error.clone(),
    };
    let others = past.iter().filter(|deaths| deaths.reason != info.reason).cloned();
    std::iter::once(latest).chain(others).collect()
}

/// Returns how often a job with these earlier deaths has died, its latest death included.
pub(super) fn deaths(past: &[PastDeaths]) -> u32 {
    past.iter().fold(1, |sum, deaths| sum.saturating_add(deaths.count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::envelope::JobId;
    use crate::retry::FailureKind;
    use std::time::{Duration, UNIX_EPOCH};

    fn death(reason: DeadReason, second: u64) -> DeadInfo {
        DeadInfo {
            id: JobId::new(1),
            reason,
            error: format!("at {second}"),
            kind: FailureKind::Error,
            attempts: 3,
            deaths: 1,
            enqueued_at: UNIX_EPOCH,
            died_at: UNIX_EPOCH + Duration::from_secs(second),
        }
    }

    #[test]
    fn counts_are_exact_and_the_list_is_as_long_as_there_are_reasons() {
        let mut past = Vec::new();
        for second in 0..1_000 {
            let reason = if second % 4 == 0 { DeadReason::Rejected } else { DeadReason::Attempts };
            past = bury_under(&past, &death(reason, second));
            assert_eq!(deaths(&past), u32::try_from(second).unwrap() + 2);
        }
        let told: Vec<_> = past.iter().map(|deaths| (deaths.reason, deaths.count, deaths.attempts)).collect();
        assert_eq!(told, [(DeadReason::Attempts, 750, 2_250), (DeadReason::Rejected, 250, 750)]);
        let seconds = |at: SystemTime| at.duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert_eq!((seconds(past[0].first_at), seconds(past[0].last_at)), (1, 999));
        assert_eq!((seconds(past[1].first_at), seconds(past[1].last_at)), (0, 996));
        assert_eq!(past[1].last_error, "at 996");
    }
}
