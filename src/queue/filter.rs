//! Which dead letters are meant.

use super::envelope::JobId;
use super::letter::{DeadInfo, DeadLetter};
use crate::retry::{DeadReason, FailureKind};
use std::collections::HashSet;
use std::fmt;
use std::time::SystemTime;

/// Says which dead letters are meant: all, but for those that a criterion leaves out.
///
/// Different criteria must all hold. [`reason`](Self::reason), [`kind`](Self::kind),
/// [`error_contains`](Self::error_contains) and [`ids`](Self::ids) may be called several times: one of the given values
/// has to fit.
///
/// # Examples
///
/// ```
/// use millpond::{DeadFilter, DeadReason, FailureKind};
/// use std::time::{Duration, SystemTime};
///
/// let an_hour_ago = SystemTime::now() - Duration::from_secs(3_600);
/// let filter = DeadFilter::<String>::all()
///     .reason(DeadReason::Attempts)
///     .kind(FailureKind::Error)
///     .error_contains("timed out")
///     .since(an_hour_ago)
///     .matching(|letter| letter.job.ends_with("@example.com"));
/// ```
#[must_use = "a filter does nothing until letters are selected with it"]
pub struct DeadFilter<T> {
    criteria: Criteria,
    tests: Vec<Test<T>>,
}

type Test<T> = Box<dyn Fn(&DeadLetter<T>) -> bool + Send + Sync>;

/// What can be told from the description alone, without any code of the user's.
#[derive(Debug, Default)]
struct Criteria {
    reasons: Vec<DeadReason>,
    kinds: Vec<FailureKind>,
    texts: Vec<String>,
    since: Option<SystemTime>,
    until: Option<SystemTime>,
    ids: Option<HashSet<JobId>>,
}

impl<T> DeadFilter<T> {
    /// Means every letter.
    pub fn all() -> Self {
        Self { criteria: Criteria::default(), tests: Vec::new() }
    }

    /// Leaves out letters that died for another reason.
    pub fn reason(mut self, reason: DeadReason) -> Self {
        self.criteria.reasons.push(reason);
        self
    }

    /// Leaves out letters whose last failure is of another kind.
    pub fn kind(mut self, kind: FailureKind) -> Self {
        self.criteria.kinds.push(kind);
        self
    }

    /// Leaves out letters whose last failure does not have this in its text. Upper and lower case differ.
    pub fn error_contains(mut self, text: impl Into<String>) -> Self {
        self.criteria.texts.push(text.into());
        self
    }

    /// Leaves out letters that died before `time`, by the pool's clock.
    pub fn since(mut self, time: SystemTime) -> Self {
        self.criteria.since = Some(time);
        self
    }

    /// Leaves out letters that died at `time` or later, by the pool's clock.
    pub fn until(mut self, time: SystemTime) -> Self {
        self.criteria.until = Some(time);
        self
    }

    /// Leaves out all letters but those of these jobs.
    pub fn ids(mut self, ids: impl IntoIterator<Item = JobId>) -> Self {
        self.criteria.ids.get_or_insert_default().extend(ids);
        self
    }

    /// Leaves out letters for which `test` returns false. It is asked last, and about letters that pass so far.
    ///
    /// It runs in the thread that selects, under no lock; the letter is lent for it. If it panics, the letter stays.
    pub fn matching(mut self, test: impl Fn(&DeadLetter<T>) -> bool + Send + Sync + 'static) -> Self {
        self.tests.push(Box::new(test));
        self
    }

    /// Tells whether the description passes: nothing of the user's is called.
    pub(super) fn passes(&self, info: &DeadInfo) -> bool {
        let Criteria { reasons, kinds, texts, since, until, ids } = &self.criteria;
        (reasons.is_empty() || reasons.contains(&info.reason))
            && (kinds.is_empty() || kinds.contains(&info.kind))
            && (texts.is_empty() || texts.iter().any(|text| info.error.contains(text)))
            && since.is_none_or(|since| info.died_at >= since)
            && until.is_none_or(|until| info.died_at < until)
            && ids.as_ref().is_none_or(|ids| ids.contains(&info.id))
    }

    /// Returns true when the letters themselves have to be looked at.
    pub(super) fn looks_inside(&self) -> bool {
        !self.tests.is_empty()
    }

    /// Asks the user's tests.
    pub(super) fn accepts(&self, letter: &DeadLetter<T>) -> bool {
        self.tests.iter().all(|test| test(letter))
    }
}

impl<T> Default for DeadFilter<T> {
    fn default() -> Self {
        Self::all()
    }
}

impl<T> fmt::Debug for DeadFilter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadFilter")
            .field("criteria", &self.criteria)
            .field("tests", &self.tests.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn at(second: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(second)
    }

    fn info() -> DeadInfo {
        DeadInfo {
            id: JobId::new(7),
            reason: DeadReason::Attempts,
            error: "the server timed out".to_owned(),
            kind: FailureKind::Error,
            attempts: 5,
            deaths: 1,
            enqueued_at: at(0),
            died_at: at(10),
        }
    }

    #[test]
    fn each_criterion_alone_and_its_alternatives() {
        type Make = fn() -> DeadFilter<()>;
        let cases: [(Make, bool); 14] = [
            (DeadFilter::all, true),
            (|| DeadFilter::all().reason(DeadReason::Attempts), true),
            (|| DeadFilter::all().reason(DeadReason::Rejected), false),
            (|| DeadFilter::all().reason(DeadReason::Rejected).reason(DeadReason::Attempts), true),
            (|| DeadFilter::all().kind(FailureKind::Panic), false),
            (|| DeadFilter::all().kind(FailureKind::Panic).kind(FailureKind::Error), true),
            (|| DeadFilter::all().error_contains("Timed"), false),
            (|| DeadFilter::all().error_contains("refused").error_contains("timed"), true),
            (|| DeadFilter::all().since(at(10)).until(at(11)), true),
            (|| DeadFilter::all().since(at(11)), false),
            (|| DeadFilter::all().until(at(10)), false),
            (|| DeadFilter::all().ids([JobId::new(6)]), false),
            (|| DeadFilter::all().ids([]), false),
            (|| DeadFilter::all().ids([JobId::new(6)]).ids([JobId::new(7)]), true),
        ];
        for (index, (filter, expected)) in cases.into_iter().enumerate() {
            assert_eq!(filter().passes(&info()), expected, "case {index}");
        }
    }

    #[test]
    fn different_criteria_must_all_hold() {
        let filter = || DeadFilter::<()>::all().reason(DeadReason::Attempts).error_contains("timed");
        assert!(filter().passes(&info()));
        assert!(!filter().kind(FailureKind::Panic).passes(&info()));
        assert!(format!("{:?}", filter().matching(|_| true)).contains("timed"));
    }
}
