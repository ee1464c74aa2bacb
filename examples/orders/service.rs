//! A service that has its part in every order that is paid: a queue, workers and retries of its own.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use millpond::topic::{Feed, Topics};
use millpond::{Context, Lease, Once, Outcome, Pool, RetryPolicy};

use crate::check::Part;
use crate::ledger::{DEEDS, Ledger};
use crate::story::Order;
use crate::trouble::Trouble;

/// Failures are frequent here, and an order must not be given up for them.
const ATTEMPTS: u32 = 100;
/// Far longer than the queues need to be worked off.
const PATIENCE: Duration = Duration::from_secs(60);

/// A service at work.
pub(crate) struct Service {
    name: &'static str,
    pool: Pool<Order>,
    feed: Feed<Order>,
}

impl Service {
    /// Starts the workers of the service with this number among the [`DEEDS`], and subscribes to paid orders.
    pub(crate) fn start(
        number: usize,
        workers: usize,
        topics: &Topics<Order>,
        ledger: &Ledger,
        seed: u64,
    ) -> Result<Self, Box<dyn Error>> {
        let (name, ledger) = (DEEDS[number], ledger.clone());
        let done = Arc::new(Once::in_memory(200_000, Duration::from_secs(24 * 3_600)));
        let pool = Pool::builder()
            .name(name)
            .workers(workers)
            .capacity(256)
            .retry(RetryPolicy::fixed(Duration::from_millis(1)).max_attempts(ATTEMPTS))
            .lease(Lease::of(Duration::from_millis(40)).max_deliveries(1_000))
            .seed(seed)
            .start(move |order: &Order, cx: &Context| {
                let trouble = Trouble::of(seed, number as u64, order.number, (0, cx.deliveries()));
                let worked = trouble.around(cx, || {
                    let once = done.run(order.number.to_le_bytes(), &order.cents, || {
                        ledger.enter(name, order.number);
                        Ok::<(), &'static str>(())
                    });
                    once.map_err(|_| "it cannot be done")
                });
                worked.map_or_else(Outcome::retry, |()| Outcome::Done)
            })?;
        let feed = topics.subscribe("order.paid")?.named(name).to_queue(&pool.handle())?;
        Ok(Self { name, pool, feed })
    }

    /// Works off what is queued, and says how it went.
    pub(crate) fn finish(self) -> Part {
        let report = self.pool.shutdown(PATIENCE);
        let unfinished = report.dead + (report.released.len() + report.cut_off.len()) as u64;
        Part { service: self.name, came: self.feed.stats().reached, unfinished, stats: self.pool.stats() }
    }
}
