//! What happens: services start, orders come, some go to review and come back, and the queues are worked off.

use std::error::Error;
use std::time::Duration;

use millpond::topic::Topics;
use millpond::{DeadFilter, FailureKind};

use crate::check::Part;
use crate::ledger::Ledger;
use crate::payment::{ATTEMPTS, Payment};
use crate::service::Service;
use crate::trouble::mix;

/// Far longer than the work takes.
const PATIENCE: Duration = Duration::from_secs(120);
/// Rounds of review: an order whose delivery fails 3 times for other reasons comes back to it.
const ROUNDS: usize = 50;

/// An order. Its number is the key by which everybody knows it.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) number: u32,
    pub(crate) cents: u64,
}

/// All that is known in the end.
pub(crate) struct Outcome {
    pub(crate) ledger: Ledger,
    pub(crate) parts: Vec<Part>,
    /// What the orders come to, in cents.
    pub(crate) total: u64,
    /// Dead letters that were looked at.
    pub(crate) reviewed: u64,
    /// Of those, letters whose history does not have its 3 failed attempts.
    pub(crate) odd_letters: u64,
    /// Deliveries that found the receipt of an earlier one.
    pub(crate) replayed: u64,
}

/// Returns an order of the seed.
fn order(seed: u64, number: u32) -> Order {
    Order { number, cents: 100 + mix(&[seed, 7, u64::from(number)]) % 100_000 }
}

/// Lets it happen.
pub(crate) fn play(orders: u32, seed: u64) -> Result<Outcome, Box<dyn Error>> {
    let (ledger, topics) = (Ledger::default(), Topics::<Order>::new());
    // Those who listen come first, so that no payment is missed.
    let services = [(1, 2), (2, 2), (3, 1)]
        .map(|(number, workers)| Service::start(number, workers, &topics, &ledger, seed));
    let services = services.into_iter().collect::<Result<Vec<_>, _>>()?;
    let payment = Payment::new(&ledger, seed);
    let pool = payment.start(topics.topic("order.paid")?)?;

    let mut total = 0;
    for number in 1..=orders {
        let order = order(seed, number);
        total += order.cents;
        // Waits while the queue is full: the shop takes no more orders than can be paid.
        pool.submit(order)?;
    }

    let (mut reviewed, mut odd_letters) = (0, 0);
    for _ in 0..ROUNDS {
        // Those included that wait for their next attempt.
        if !pool.wait_drained(PATIENCE) {
            return Err("the payments do not come to an end".into());
        }
        if pool.dead().is_empty() {
            break;
        }
        pool.dead().with(|letter| {
            reviewed += 1;
            let failed =
                letter.attempts.iter().filter(|record| record.failure.kind() != FailureKind::LeaseLost);
            odd_letters += u64::from(failed.count() != ATTEMPTS as usize);
        });
        payment.talk_to_customers();
        let redrive = pool.dead().redrive_with(DeadFilter::all()).start()?;
        if !redrive.wait(PATIENCE) {
            return Err("the review does not come to an end".into());
        }
    }

    let report = pool.shutdown(PATIENCE);
    let unfinished = report.dead + (report.released.len() + report.cut_off.len()) as u64;
    let mut parts =
        vec![Part { service: "payment", came: u64::from(orders), unfinished, stats: pool.stats() }];
    // Nothing is published any more; what was, is worked off.
    topics.close();
    parts.extend(services.into_iter().map(Service::finish));
    let replayed = payment.once.stats().replayed;
    Ok(Outcome { ledger, parts, total, reviewed, odd_letters, replayed })
}
