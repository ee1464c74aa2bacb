//! The work queue in memory, as an engine for workers.

use super::engine::{Delivered, Engine, Facts, Taken, Trials};
use super::lease::LeaseLost;
use super::seat::Seat;
use super::take::InHand;
use super::work::Queue;
use crate::retry::Verdict;
use crate::sync::{Arc, CachePadded};
use crate::time::Clock;
use std::time::Duration;

impl<T: Send + 'static> Engine for Queue<T> {
    type Job = T;
    type Hold = CachePadded<Seat<T>>;
    type Delivery = InHand<T>;

    fn name(&self) -> &Arc<str> {
        self.name()
    }

    fn clock(&self) -> &Clock {
        self.clock()
    }

    fn hold(&self, worker: usize) -> Arc<Self::Hold> {
        self.seat_of(worker)
    }

    #[inline]
    fn take(&self, hold: &Self::Hold, attempt_time: Option<Duration>) -> Taken<InHand<T>> {
        self.take(hold, attempt_time).map_or(Taken::Closed, Taken::Delivery)
    }

    async fn take_async<'a>(
        &'a self,
        hold: &'a Self::Hold,
        attempt_time: Option<Duration>,
    ) -> Taken<InHand<T>> {
        self.take_async(hold, attempt_time).await.map_or(Taken::Closed, Taken::Delivery)
    }

    #[inline]
    fn settle(&self, hold: &Self::Hold, delivery: InHand<T>, verdict: Verdict) -> Result<(), LeaseLost> {
        self.settle(hold, delivery, verdict)
    }

    fn is_retired(&self, hold: &Self::Hold) -> bool {
        hold.is_cut()
    }
}

impl<T> Delivered for InHand<T> {
    type Job = T;

    #[inline]
    fn job(&self) -> &T {
        self.job()
    }

    #[inline]
    fn facts(&self) -> Facts {
        self.facts()
    }

    fn trials(&self) -> Trials {
        self.trials()
    }
}
