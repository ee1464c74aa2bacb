//! A service: a subscriber with a queue, workers and retries of its own.

use std::time::Duration;

use millpond::topic::{Feed, Topics};
use millpond::{Context, Pool, RetryPolicy};

use crate::check::Part;
use crate::story::UserCreated;
use crate::timeline::Timeline;

/// How long a failed job waits for its next attempt.
const RETRY_AFTER: Duration = Duration::from_millis(60);
/// The CRM is up again long before these are used up.
const ATTEMPTS: u32 = 1_000;
/// Far longer than the queues need to be worked off.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a service does for a user: what it did, or why it could not, in words.
type Work = Box<dyn Fn(&UserCreated) -> Result<String, String> + Send + Sync>;

/// A service that is not subscribed.
pub(crate) struct Idle {
    name: &'static str,
    workers: usize,
    work: Work,
}

/// A service that gets events.
pub(crate) struct Service {
    name: &'static str,
    pool: Pool<UserCreated>,
    feed: Feed<UserCreated>,
}

impl Service {
    /// Returns how many attempts have failed so far.
    pub(crate) fn retried(&self) -> u64 {
        self.pool.stats().retried
    }

    /// Works off what is queued, and says how it went.
    pub(crate) fn finish(self) -> Part {
        let report = self.pool.shutdown(PATIENCE);
        let stats = self.pool.stats();
        Part {
            service: self.name,
            published: self.feed.stats().reached,
            done: stats.done,
            unfinished: stats.dead + (report.released.len() + report.cut_off.len()) as u64,
            retried: stats.retried,
        }
    }
}

impl Idle {
    /// Describes a service.
    pub(crate) fn new(
        name: &'static str,
        workers: usize,
        work: impl Fn(&UserCreated) -> Result<String, String> + Send + Sync + 'static,
    ) -> Self {
        Self { name, workers, work: Box::new(work) }
    }

    /// Starts the workers, and subscribes: every event published from here on gets into the queue.
    pub(crate) fn subscribe(
        self,
        topics: &Topics<UserCreated>,
        pattern: &str,
        timeline: &Timeline,
    ) -> Result<Service, Box<dyn std::error::Error>> {
        let Self { name, workers, work } = self;
        let log = timeline.clone();
        let pool = Pool::builder()
            .name(name)
            .workers(workers)
            .retry(RetryPolicy::fixed(RETRY_AFTER).max_attempts(ATTEMPTS))
            .start(move |user: &UserCreated, cx: &Context| match work(user) {
                Ok(what) => {
                    log.handled(name, user.id, cx.attempt(), what);
                    Ok(())
                }
                Err(why) => {
                    log.note(name, format!("{why} (attempt {})", cx.attempt()));
                    Err(why)
                }
            })?;
        timeline.note(name, format!("subscribes to {pattern}"));
        let feed = topics.subscribe(pattern)?.to_queue(&pool.handle())?;
        Ok(Service { name, pool, feed })
    }
}
