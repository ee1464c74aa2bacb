//! What may go wrong with a delivery, and how often.

use super::random::Random;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Something that goes wrong with one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The attempt fails before the handler is called.
    Fail,
    /// The handler is called, and what it returns is lost: the attempt fails all the same. So what it did is done again.
    FailAfter,
    /// The attempt panics before the handler is called. No panic is raised, so nothing is printed; the failure is the same.
    Panic,
    /// The handler takes longer than its lease allows: the job goes to another worker, and this one settles too late.
    /// Without leases it takes long, and nothing else happens. An [async](crate::PoolBuilder::simulate_async) handler is not
    /// polled any more, until its timeout drops it, if it has one.
    Hang,
    /// The lease is lost at once, whatever its time is: the job goes to another worker, and this one settles too late. Never
    /// chosen without leases.
    LoseLease,
    /// The handler takes its time.
    Slow,
}

impl Fault {
    const ALL: [Fault; 6] =
        [Fault::Fail, Fault::FailAfter, Fault::Panic, Fault::Hang, Fault::LoseLease, Fault::Slow];
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Fail => "fails",
            Fault::FailAfter => "fails afterwards",
            Fault::Panic => "panics",
            Fault::Hang => "hangs",
            Fault::LoseLease => "loses its lease",
            Fault::Slow => "is slow",
        })
    }
}

/// Which [`Fault`]s a [`Sim`](super::Sim) injects: each with its chance, or at the deliveries that are named.
///
/// # Examples
///
/// ```
/// use millpond::testing::{Fault, Faults};
/// use millpond::{Context, Pool};
///
/// let script = Faults::none().at(1, 1, Fault::Panic).at(1, 2, Fault::FailAfter);
/// let mut called = 0;
/// let mut sim = Pool::builder().simulate(7, |_: &u32, _: &Context| called += 1)?.faults(script);
/// sim.submit(7)?;
/// assert!(sim.run_until_done());
/// assert_eq!((sim.stats().done, sim.stats().retried, sim.stats().panicked), (1, 2, 1));
/// drop(sim);
/// assert_eq!(called, 2, "not when it panicked");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "faults do nothing until a simulation is given them"]
pub struct Faults {
    chances: [f64; Fault::ALL.len()],
    script: BTreeMap<(u64, u32), Fault>,
    pub(super) hang: Option<Duration>,
    pub(super) slow: Option<Duration>,
}

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::default()
    }

    /// Sets the chance of a fault, for each delivery, from 0 to 1. A delivery has one fault at most.
    ///
    /// # Panics
    ///
    /// When it is no such number, or the chances of all faults together are more than 1.
    pub fn chance(mut self, fault: Fault, chance: f64) -> Self {
        assert!((0.0..=1.0).contains(&chance), "a chance is a number from 0 to 1");
        for (of, set) in Fault::ALL.iter().zip(&mut self.chances) {
            if *of == fault {
                *set = chance;
            }
        }
        // So much room for rounding as a sum of decimal fractions needs.
        assert!(self.chances.iter().sum::<f64>() <= 1.0 + 1e-9, "the chances add up to more than 1");
        self
    }

    /// Injects a fault into one delivery: of the job with this [number](crate::JobId::get), the `delivery`th of it, counted
    /// from 1. Happens once, even if a redriven job counts its deliveries anew. Goes before the chances.
    pub fn at(mut self, job: u64, delivery: u32, fault: Fault) -> Self {
        self.script.insert((job, delivery), fault);
        self
    }

    /// Sets how long a handler that [hangs](Fault::Hang) takes. Without this, twice as long as it takes to lose its lease, or an
    /// hour if it cannot.
    pub fn hang_for(mut self, time: Duration) -> Self {
        self.hang = Some(time);
        self
    }

    /// Sets how long a [slow](Fault::Slow) handler takes at most. Without this, half as long as it takes to lose its lease, or a
    /// second if it cannot.
    pub fn slow_up_to(mut self, time: Duration) -> Self {
        self.slow = Some(time);
        self
    }

    /// Draws the fault of a delivery.
    pub(super) fn draw(
        &mut self,
        random: &mut Random,
        job: u64,
        delivery: u32,
        leased: bool,
    ) -> Option<Fault> {
        let scripted = self.script.remove(&(job, delivery));
        let mut left = random.unit();
        let drawn = Fault::ALL.iter().zip(self.chances).find(|(_, chance)| {
            let hit = left < *chance;
            left -= chance;
            hit
        });
        let fault = scripted.or_else(|| drawn.map(|(fault, _)| *fault));
        fault.filter(|fault| leased || *fault != Fault::LoseLease)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_as_often_as_their_chances_say() {
        let mut faults = Faults::none().chance(Fault::Fail, 0.5).chance(Fault::LoseLease, 0.25);
        let mut random = Random::new(1);
        let drawn: Vec<_> = (0..10_000).map(|_| faults.draw(&mut random, 1, 1, true)).collect();
        let count = |of| drawn.iter().filter(|drawn| **drawn == of).count();
        assert!((4_800..5_200).contains(&count(Some(Fault::Fail))));
        assert!((2_300..2_700).contains(&count(Some(Fault::LoseLease))));
        assert!((2_300..2_700).contains(&count(None)));
        assert!((0..1_000).all(|_| faults.draw(&mut random, 1, 1, false) != Some(Fault::LoseLease)));
    }

    #[test]
    fn a_scripted_fault_happens_once() {
        let mut faults = Faults::none().at(3, 2, Fault::Hang);
        let mut random = Random::new(1);
        let mut draw = |job, delivery| faults.draw(&mut random, job, delivery, true);
        assert_eq!((draw(3, 1), draw(2, 2)), (None, None));
        assert_eq!((draw(3, 2), draw(3, 2)), (Some(Fault::Hang), None));
    }

    #[test]
    #[should_panic(expected = "more than 1")]
    fn chances_do_not_add_up_to_more_than_one() {
        let _ = Faults::none().chance(Fault::Fail, 0.6).chance(Fault::Slow, 0.6);
    }

    #[test]
    #[should_panic(expected = "from 0 to 1")]
    fn a_chance_is_a_number() {
        let _ = Faults::none().chance(Fault::Fail, f64::NAN);
    }
}
