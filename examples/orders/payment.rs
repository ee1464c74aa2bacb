//! The payment: the one thing that must not happen twice.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use millpond::topic::Topic;
use millpond::{Context, Lease, Once, Pool, RetryPolicy};

use crate::ledger::Ledger;
use crate::story::Order;
use crate::trouble::{Trouble, mix};

/// A card is tried so often, then somebody has to look at it.
pub(crate) const ATTEMPTS: u32 = 3;
/// One card in so many is refused until its owner has been talked to.
const REFUSED: u64 = 20;
/// Receipts that are kept: more than there are orders.
const RECEIPTS: usize = 200_000;

/// What the bank returns for a charge.
type Receipt = u64;

/// Charges cards, each order's once.
pub(crate) struct Payment {
    pub(crate) once: Once<Receipt>,
    ledger: Ledger,
    seed: u64,
    /// How often there was a review. After the first, the owners of the cards that were refused have been talked to.
    round: AtomicU32,
}

/// Why an order is not paid.
#[derive(Debug)]
pub(crate) struct NotPaid(String);

impl fmt::Display for NotPaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for NotPaid {}

impl From<&'static str> for NotPaid {
    fn from(why: &'static str) -> Self {
        Self(why.to_owned())
    }
}

impl Payment {
    pub(crate) fn new(ledger: &Ledger, seed: u64) -> Arc<Self> {
        let once = Once::in_memory(RECEIPTS, Duration::from_secs(24 * 3_600));
        Arc::new(Self { once, ledger: ledger.clone(), seed, round: AtomicU32::new(0) })
    }

    /// Starts the workers. An order that is paid is published.
    pub(crate) fn start(self: &Arc<Self>, paid: Topic<Order>) -> Result<Pool<Order>, Box<dyn Error>> {
        let (payment, seed) = (Arc::clone(self), self.seed);
        let pool = Pool::builder()
            .name("payment")
            .workers(3)
            .capacity(256)
            .dead_letters(100_000, millpond::DeadFull::DropOldest)
            .retry(RetryPolicy::fixed(Duration::from_millis(1)).max_attempts(ATTEMPTS))
            .lease(Lease::of(Duration::from_millis(40)).max_deliveries(1_000))
            .seed(seed)
            .start(move |order: &Order, cx: &Context| {
                // A redriven job counts its deliveries anew.
                let come = (payment.round.load(Ordering::Relaxed), cx.deliveries());
                Trouble::of(seed, 0, order.number, come).around(cx, || {
                    payment.charge(order)?;
                    // If what comes now fails, the order is published again: those who listen know it by its number.
                    paid.publish(order.clone()).map_err(|_| NotPaid("nobody can be told".to_owned()))?;
                    Ok::<(), NotPaid>(())
                })
            })?;
        Ok(pool)
    }

    /// Charges the card, unless that was done at an earlier delivery.
    fn charge(&self, order: &Order) -> Result<Receipt, NotPaid> {
        let charged = self.once.run(order.number.to_le_bytes(), &order.cents, || {
            if self.is_refused(order) {
                return Err("the card was refused");
            }
            self.ledger.charge(order.number, order.cents);
            Ok(mix(&[self.seed, u64::from(order.number)]))
        });
        charged.map_err(|error| NotPaid(error.to_string()))
    }

    /// Has the owners of the refused cards talked to: from here on, they pay.
    pub(crate) fn talk_to_customers(&self) {
        self.round.fetch_add(1, Ordering::Relaxed);
    }

    fn is_refused(&self, order: &Order) -> bool {
        mix(&[self.seed, 99, u64::from(order.number)]) % REFUSED == 0
            && self.round.load(Ordering::Relaxed) == 0
    }
}
