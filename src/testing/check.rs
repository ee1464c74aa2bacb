//! Whether the books balance: the pool's own, and those that the simulation keeps of what it has seen.

use super::sim::Sim;
use super::trace::Fate;
use crate::queue::Stats;
use std::error::Error;
use std::fmt;

/// What the simulation has seen.
#[derive(Debug, Default)]
pub(super) struct Books {
    done: u64,
    dropped: u64,
    snoozed: u64,
    pub(super) lost: u64,
    pub(super) refused: u64,
}

impl Books {
    pub(super) fn settled(&mut self, fate: Fate) {
        match fate {
            Fate::Done => self.done += 1,
            Fate::Dropped => self.dropped += 1,
            Fate::Snoozed(_) => self.snoozed += 1,
            Fate::Retry(_) | Fate::Parked(_) | Fate::Released | Fate::Dead => {}
        }
    }
}

/// A law that a simulation has broken: an error in this crate. Please report it, with the seed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Unbalanced {
    /// Which law.
    pub law: &'static str,
    /// The seed of the simulation.
    pub seed: u64,
    /// After how many steps.
    pub steps: u64,
    /// The books of the pool.
    pub stats: Box<Stats>,
}

impl fmt::Display for Unbalanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { law, seed, steps, stats } = self;
        write!(f, "seed {seed}, step {steps}: not so: {law}: {stats:?}")
    }
}

impl Error for Unbalanced {}

impl<T: Send + 'static> Sim<'_, T> {
    /// Checks that every job is accounted for: `submitted = done + dead + dropped + held`, what is held is ready, scheduled or
    /// in flight, and all agrees with what the simulation has seen happen. May be called after any step.
    ///
    /// # Errors
    ///
    /// [`Unbalanced`], which says what is wrong.
    pub fn check(&self) -> Result<(), Unbalanced> {
        let (stats, books) = (self.stats(), &self.books);
        let in_hand = self.slots.iter().flatten().filter(|busy| !busy.lost).count() as u64;
        let laws = [
            ("submitted = done + dead + dropped + held", stats.balances()),
            (
                "held = ready + scheduled + in flight + aside",
                stats.held == stats.ready + stats.scheduled + stats.in_flight + stats.aside,
            ),
            ("what is in flight is in some worker's hand", stats.in_flight == in_hand),
            ("what was settled as done is done", stats.done == books.done),
            ("what was settled as dropped is dropped", stats.discarded == books.dropped),
            ("each snooze is counted", stats.snoozed == books.snoozed),
            ("each lost lease is counted", stats.leases_lost == books.lost),
            ("each late settle was refused, and counted", stats.late == books.refused),
        ];
        match laws.iter().find(|(_, holds)| !holds) {
            None => Ok(()),
            Some((law, _)) => {
                Err(Unbalanced { law, seed: self.seed(), steps: self.steps(), stats: Box::new(stats) })
            }
        }
    }
}
