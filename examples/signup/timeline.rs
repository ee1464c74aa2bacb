//! Who did what when.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One line of the timeline.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) at: Duration,
    pub(crate) who: &'static str,
    /// The user that was handled, if this is the end of a job.
    pub(crate) handled: Option<u32>,
    pub(crate) what: String,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.handled.is_some() { '*' } else { ' ' };
        write!(f, "{:4} ms {mark} {:16}{}", self.at.as_millis(), self.who, self.what)
    }
}

/// Collects moments from all threads. The clones are one timeline.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    start: Instant,
    moments: Arc<Mutex<Vec<Moment>>>,
}

impl Timeline {
    pub(crate) fn start() -> Self {
        Self { start: Instant::now(), moments: Arc::default() }
    }

    /// Something worth telling.
    pub(crate) fn note(&self, who: &'static str, what: String) {
        self.add(who, None, what);
    }

    /// A service is done with a user.
    pub(crate) fn handled(&self, who: &'static str, user: u32, attempt: u32, mut what: String) {
        if attempt > 1 {
            what += &format!(" at attempt {attempt}");
        }
        self.add(who, Some(user), what);
    }

    fn add(&self, who: &'static str, handled: Option<u32>, what: String) {
        let mut moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        // With the lock held, so that the lines are in the order of their times.
        moments.push(Moment { at: self.start.elapsed(), who, handled, what });
    }

    /// Returns all moments, in order.
    pub(crate) fn into_moments(self) -> Vec<Moment> {
        std::mem::take(&mut *self.moments.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
