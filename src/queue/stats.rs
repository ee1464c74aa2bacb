//! The books: how many jobs came, went, and where they are.

use super::work::Queue;
use crate::sync::atomic::Ordering;

/// A snapshot of what a pool has done and holds.
///
/// At any quiet point, when nobody submits and no handler is about to end, the books balance:
/// `submitted = done + dead + dropped + held`. Each figure is counted where it happens, none is computed from the others,
/// so this is a check and not a definition; [`balances`](Self::balances) makes it. While jobs move, the figures are
/// read one after the other and may be off by those that move meanwhile.
///
/// # Examples
///
/// ```
/// use millpond::{Context, Outcome, Pool};
/// use std::time::Duration;
///
/// let pool = Pool::builder().start(|job: &u32, _: &Context| match job % 2 {
///     0 => Outcome::Done,
///     _ => Outcome::dead("odd"),
/// })?;
/// pool.submit_many((0..10).collect::<Vec<_>>())?;
/// assert!(pool.wait_idle(Duration::from_secs(10)));
/// let stats = pool.stats();
/// assert_eq!((stats.submitted, stats.done, stats.dead, stats.held), (10, 5, 5, 0));
/// assert!(stats.balances());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Jobs accepted.
    pub submitted: u64,
    /// Jobs whose handler said that they are done.
    pub done: u64,
    /// Dead letters kept at this moment.
    pub dead: u64,
    /// Jobs the pool no longer answers for:
    /// `discarded + cancelled + shed + evicted + dead_expired + purged + taken + released + cut_off + uncopied`.
    pub dropped: u64,
    /// Jobs held: ready, scheduled, in flight and put aside together. Never more than the capacity.
    pub held: u64,
    /// Of those held: waiting for a worker.
    pub ready: u64,
    /// Of those held: waiting for their time.
    pub scheduled: u64,
    /// Of those held: with a worker.
    pub in_flight: u64,
    /// Of those held: dead, and put aside until there is room among the dead letters
    /// ([`DeadFull::Block`](crate::DeadFull::Block)). They are counted in `died`, but not in `dead` yet.
    pub aside: u64,
    /// Failed attempts after which the job came back.
    pub retried: u64,
    /// Snoozes.
    pub snoozed: u64,
    /// Jobs whose handler said [`Outcome::Drop`](crate::Outcome::Drop).
    pub discarded: u64,
    /// Jobs dropped because they were [cancelled](crate::JobHandle::cancel).
    pub cancelled: u64,
    /// Jobs that had to go because the pool was full: see [`Overflow`](crate::Overflow). Each was dropped, or died.
    pub overflowed: u64,
    /// Of those, jobs that were dropped.
    pub shed: u64,
    /// Attempts that ended in a panic of the handler.
    pub panicked: u64,
    /// Times that a job died; a redriven job may die again.
    pub died: u64,
    /// Dead letters dropped because there was no room for them.
    pub evicted: u64,
    /// Dead letters dropped because they were older than the pool keeps them.
    pub dead_expired: u64,
    /// Dead letters dropped by a purge.
    pub purged: u64,
    /// Dead letters handed out.
    pub taken: u64,
    /// Dead letters submitted again.
    pub redriven: u64,
    /// Times that the function given to [`PoolBuilder::on_dead`](crate::PoolBuilder::on_dead) panicked.
    pub on_dead_panicked: u64,
    /// Jobs handed back by a shutdown.
    pub released: u64,
    /// Jobs that were still running when a shutdown ran out of time.
    pub cut_off: u64,
    /// Deliveries that ended after they had been taken away, and so changed nothing.
    pub late: u64,
    /// Leases that ran out: the job went to another worker.
    pub leases_lost: u64,
    /// Jobs that were dropped when they lost their lease, because copying them panicked.
    pub uncopied: u64,
}

impl Stats {
    /// Returns true when every accepted job is accounted for: `submitted = done + dead + dropped + held`.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.submitted == self.done + self.dead + self.dropped + self.held
    }
}

impl<T> Queue<T> {
    /// Takes a snapshot. Locks the dead letters for a moment, the hot path not at all.
    pub(crate) fn stats(&self) -> Stats {
        // Held first: its Acquire brings the counts of all jobs that have left by then.
        let held = self.gate.held();
        let tally = self.morgue.tally();
        // ORDERING: Relaxed on all counters; a snapshot, exact at a quiet point only.
        let [
            released,
            cut_off,
            turned_back,
            leases_lost,
            uncopied,
            cancelled,
            overflowed,
            shed,
            died_outside,
        ] = [
            &self.released,
            &self.cut_off,
            &self.turned_back,
            &self.leases_lost,
            &self.uncopied,
            &self.cancelled,
            &self.overflowed,
            &self.shed,
            &self.died_outside,
        ]
        .map(|counter| counter.load(Ordering::Relaxed));
        let discarded = self.seats.sum(|seat| &seat.dropped);
        let from_the_dead = tally.evicted + tally.expired + tally.purged + tally.taken;
        Stats {
            // A redriven letter passes the gate again, and an admission that was turned back is none.
            submitted: self.gate.admitted().saturating_sub(tally.redriven + turned_back),
            done: self.seats.sum(|seat| &seat.done),
            dead: tally.kept,
            dropped: discarded + cancelled + shed + from_the_dead + released + cut_off + uncopied,
            // Those that pass by are not held.
            held: held.min(self.capacity() as u64),
            ready: self.ready.len() as u64,
            scheduled: self.delayed.len(),
            in_flight: self.seats.busy() as u64,
            aside: tally.aside,
            retried: self.seats.sum(|seat| &seat.retried),
            snoozed: self.seats.sum(|seat| &seat.snoozed),
            discarded,
            cancelled,
            overflowed,
            shed,
            panicked: self.seats.sum(|seat| &seat.panicked),
            died: self.seats.sum(|seat| &seat.died) + died_outside,
            evicted: tally.evicted,
            dead_expired: tally.expired,
            purged: tally.purged,
            taken: tally.taken,
            redriven: tally.redriven,
            on_dead_panicked: self.alert.panicked(),
            released,
            cut_off,
            late: self.seats.sum(|seat| &seat.late),
            leases_lost,
            uncopied,
        }
    }
}
