//! How long a thread tries before it registers and parks.
//!
//! Waking a thread on another core costs two orders of magnitude more than a message, so parking early is what makes a
//! channel slow. But spinning keeps others from running where threads outnumber cores. So: spin for a bounded time; leave
//! the spin out where it failed lately; then give the processor away a bounded number of times, looking in between.
//!
//! The numbers were chosen by measurement on a machine with 2 cores, over 1 to 16 threads a side and capacities 1 to
//! 65536; 200 to 400 pauses tie, as do 16 and 64 yields.

use super::{Attempt, Deadline, Source, WaitSet, WaitStrategy};
use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::{hint, single_cpu, thread};

/// About 10 us where a pause takes 25 ns.
pub(super) const SPINS: u32 = 400;
/// Rounds of giving the processor away. Some 50 us where nobody else wants it.
const YIELDS: u32 = 16;
/// As many where they failed lately: who waits for milliseconds each time is better asleep.
const YIELDS_WITHOUT_HOPE: u32 = 1;
/// So many at once make up for two switches between threads, where those who brought them were threads. Then a sleep instead would
/// have cost as many switches, and a wake-up by the system.
pub(super) const BULK_FROM_THREADS: usize = 16;
/// The same where they were tasks, maybe of the same thread, which switches between them in a tenth of the time.
pub(super) const BULK_FROM_TASKS: usize = 128;
/// Pauses between the looks that follow a yield.
const PAUSES_AFTER_YIELD: u32 = 16;
/// Looks between two times at which a busy thread gives the processor away and looks at the clock.
const BUSY_LOOKS: u32 = 256;
/// So many failed spins in a row, and the next ones are left out ...
const FAILURES_TO_SKIP: u32 = 4;
/// ... but for the eighth, the sixteenth and so on, and then one in so many.
const RETRY_EVERY: u32 = 256;

/// After so many turns on one processor a thread sleeps, to be woken on another.
const TURNS_TOGETHER: u32 = 32;
/// After so many, where that has not helped.
const MOST_TURNS_TOGETHER: u32 = 1024;

/// How waiting without sleep went lately: for one side of one channel, or for one who waits.
#[derive(Debug)]
pub struct SpinHistory {
    spins: Streak,
    yields: Streak,
    /// Of tasks: see [`let_others_run`].
    turns: Streak,
    neighbour: Neighbour,
}

impl SpinHistory {
    pub fn new() -> Self {
        Self {
            spins: Streak::new(),
            yields: Streak::new(),
            turns: Streak::new(),
            neighbour: Neighbour::new(),
        }
    }
}

/// How many in a row failed.
#[derive(Debug)]
struct Streak {
    failures: AtomicU32,
}

impl Streak {
    fn new() -> Self {
        Self { failures: AtomicU32::new(0) }
    }

    /// Whether one more is worth a try.
    fn is_hopeful(&self) -> bool {
        // ORDERING: Relaxed; a hint about the past.
        let failures = self.failures.load(Ordering::Relaxed);
        if failures < FAILURES_TO_SKIP {
            return true;
        }
        // ORDERING: Relaxed; a lost count does no harm.
        self.failures.store(failures.wrapping_add(1).max(FAILURES_TO_SKIP), Ordering::Relaxed);
        failures.is_power_of_two() || failures % RETRY_EVERY == 0
    }

    /// Has the next one tried, and those after it if it succeeds.
    fn give_a_chance(&self) {
        // ORDERING: Relaxed; a hint about the past.
        self.failures.store(FAILURES_TO_SKIP - 1, Ordering::Relaxed);
    }

    fn record(&self, succeeded: bool) {
        // ORDERING: Relaxed; a hint about the past.
        let failures = self.failures.load(Ordering::Relaxed);
        let now = if succeeded { 0 } else { failures.saturating_add(1) };
        if now != failures {
            // ORDERING: Relaxed; a lost count does no harm.
            self.failures.store(now, Ordering::Relaxed);
        }
    }
}

/// Whether a thread and the one that it waits for seem to take turns on one processor while another is idle: where a spin is in vain,
/// and the first time that the processor is given away brings what was waited for, many times in a row.
///
/// The system may leave them there for long, since neither of them ever sleeps: it moves a thread to an idle processor when it is
/// woken. So one of them goes to sleep for once; and if that does not help, ever less often.
#[derive(Debug)]
struct Neighbour {
    turns: AtomicU32,
    /// After so many turns one goes to sleep.
    patience: AtomicU32,
}

impl Neighbour {
    fn new() -> Self {
        Self { turns: AtomicU32::new(0), patience: AtomicU32::new(TURNS_TOGETHER) }
    }

    /// Giving the processor away brought at once what was waited for.
    fn came(&self) {
        // ORDERING: Relaxed, here and below; a hint, of which a lost count does no harm.
        self.turns.store(self.turns.load(Ordering::Relaxed).saturating_add(1), Ordering::Relaxed);
    }

    /// A spin was not in vain.
    fn went(&self) {
        // ORDERING: Relaxed; as in `came`.
        if self.turns.load(Ordering::Relaxed) != 0 {
            // ORDERING: Relaxed; as in `came`.
            self.turns.store(0, Ordering::Relaxed);
            // ORDERING: Relaxed; as in `came`.
            self.patience.store(TURNS_TOGETHER, Ordering::Relaxed);
        }
    }

    /// Whether it is time to sleep for once.
    fn is_to_be_left(&self) -> bool {
        // ORDERING: Relaxed; as in `came`.
        let patience = self.patience.load(Ordering::Relaxed);
        // ORDERING: Relaxed; as in `came`.
        let long = self.turns.load(Ordering::Relaxed) >= patience;
        if long {
            // ORDERING: Relaxed; as in `came`. One is left, so that the next spin that is not in vain is noticed.
            self.turns.store(1, Ordering::Relaxed);
            // ORDERING: Relaxed; as in `came`.
            self.patience.store((patience * 2).min(MOST_TURNS_TOGETHER), Ordering::Relaxed);
        }
        long
    }
}

/// Something to look at again and again, before it is worth sleeping.
pub(super) trait Look {
    type Output;

    /// Returns the set of those who wait for it.
    fn waiters(&self) -> &WaitSet;

    fn look(&mut self) -> Option<Self::Output>;

    /// Returns how spinning went lately.
    fn spins(&self) -> &SpinHistory {
        &self.waiters().spins
    }

    /// How many pauses to let pass between two looks of a spin.
    #[inline(always)]
    fn stride(&self) -> u32 {
        1
    }

    #[inline(always)]
    fn is_worth(&self, _ahead: usize) -> bool {
        true
    }
}

/// Attempts a source, unregistered.
pub(super) struct Attempts<'a, S>(pub(super) &'a mut S);

impl<S: Source> Look for Attempts<'_, S> {
    type Output = S::Output;

    fn waiters(&self) -> &WaitSet {
        self.0.waiters()
    }

    #[inline]
    fn look(&mut self) -> Option<S::Output> {
        match self.0.attempt() {
            Attempt::Done(output) => Some(output),
            Attempt::Blocked | Attempt::Busy => None,
        }
    }

    fn spins(&self) -> &SpinHistory {
        self.0.spins()
    }

    #[inline(always)]
    fn stride(&self) -> u32 {
        self.0.stride()
    }

    #[inline(always)]
    fn is_worth(&self, ahead: usize) -> bool {
        self.0.is_worth(ahead)
    }
}

/// Looks for as long as the strategy of the set has it. `None`: in vain, or the deadline passed.
pub(super) fn look<L: Look>(at: &mut L, deadline: &Deadline) -> Option<L::Output> {
    if cfg!(millpond_model) {
        // Every moment at which a thread could look is one that loom explores anyway.
        return None;
    }
    match at.waiters().strategy {
        WaitStrategy::Adaptive => look_adaptively(at, deadline),
        WaitStrategy::Park => None,
        WaitStrategy::Busy => look_busily(at, deadline),
    }
}

fn look_adaptively<L: Look>(at: &mut L, deadline: &Deadline) -> Option<L::Output> {
    if deadline.has_passed() {
        return None;
    }
    let has_peers = !single_cpu();
    if !has_peers {
        // Only then does anyone ask: see `let_others_run`.
        at.waiters().note_thread();
    }
    if has_peers && at.spins().spins.is_hopeful() {
        let output = spin_for(at, at.waiters().pauses());
        at.spins().spins.record(output.is_some());
        if output.is_some() {
            at.spins().neighbour.went();
            return output;
        }
    }
    if has_peers && !at.waiters().is_crowded() && at.spins().neighbour.is_to_be_left() {
        at.spins().spins.give_a_chance();
        return None;
    }
    let rounds = if at.spins().yields.is_hopeful() { YIELDS } else { YIELDS_WITHOUT_HOPE };
    let output = yield_for(at, deadline, rounds);
    at.spins().yields.record(output.is_some());
    output
}

/// Gives the processor away and looks, before a task goes to sleep. `None`: in vain.
///
/// Only where all threads share one processor, so that whoever is waited for cannot run before this thread stops anyway. After a
/// sleep its runtime would park this thread, and the system wake it in the middle of the other side's run, at the first
/// step that is worth a message: the two would take turns message by message. So others run first, where many can come
/// at once, and lately did. Where not (they are tasks of this very thread, or each wants an answer), a sleep is cheaper.
pub(super) fn let_others_run<S: Source>(source: &mut S) -> Option<S::Output> {
    if cfg!(millpond_model) || !single_cpu() {
        return None;
    }
    let others = source.others()?;
    let bulk = others.set.bulk();
    if others.most <= bulk || others.set.strategy == WaitStrategy::Park || !source.spins().turns.is_hopeful()
    {
        return None;
    }
    thread::yield_now();
    let output = Attempts(source).look();
    source.spins().turns.record(output.is_some() && source.is_worth(bulk));
    output
}

/// Looks until there is something, or the deadline passes.
fn look_busily<L: Look>(at: &mut L, deadline: &Deadline) -> Option<L::Output> {
    while !deadline.has_passed() {
        if let Some(output) = spin_for(at, BUSY_LOOKS) {
            return Some(output);
        }
        thread::yield_now();
    }
    None
}

/// Looks once a stride, which mostly is a pause: a longer one would see the peer's answer later. Where more than one is hoped
/// for, most looks are at whether they are there.
fn spin_for<L: Look>(at: &mut L, pauses: u32) -> Option<L::Output> {
    let ahead = at.waiters().hope.ahead();
    let mut left = pauses;
    while left > 0 {
        let stride = at.stride().min(left);
        for _ in 0..stride {
            hint::spin_loop();
        }
        left -= stride;
        let fulfilled = ahead > 0 && at.is_worth(ahead);
        if ahead > 0 && !fulfilled && left % at.waiters().hope.patience() != 0 {
            continue;
        }
        if let Some(output) = at.look() {
            at.waiters().hope.learn(ahead > 0, |more| at.is_worth(more));
            return Some(output);
        }
    }
    None
}

fn yield_for<L: Look>(at: &mut L, deadline: &Deadline, rounds: u32) -> Option<L::Output> {
    for round in 0..rounds {
        thread::yield_now();
        for pauses in [0, PAUSES_AFTER_YIELD, PAUSES_AFTER_YIELD] {
            for _ in 0..pauses {
                hint::spin_loop();
            }
            if let Some(output) = at.look() {
                if round == 0 {
                    at.spins().neighbour.came();
                }
                return Some(output);
            }
        }
        if deadline.has_passed() {
            return None;
        }
    }
    None
}

#[cfg(all(test, not(millpond_model)))]
mod tests {
    use super::*;

    #[test]
    fn spins_that_fail_are_left_out_and_tried_again_ever_less_often() {
        let history = Streak::new();
        let tried: Vec<u32> = (0..1_025)
            .filter(|_| {
                let hopeful = history.is_hopeful();
                if hopeful {
                    history.record(false);
                }
                hopeful
            })
            .collect();
        assert!((8..20).contains(&tried.len()), "{tried:?}");
        assert!(tried[..4] == [0, 1, 2, 3]);
        history.give_a_chance();
        assert!(history.is_hopeful());
        history.record(true);
        assert!((0..3).all(|_| history.is_hopeful()));
    }

    #[test]
    fn neighbours_part_ever_less_often_while_it_does_not_help() {
        let neighbour = Neighbour::new();
        let parted =
            |turns: u32| (0..turns).filter(|_| (neighbour.came(), neighbour.is_to_be_left()).1).count();
        assert_eq!([parted(TURNS_TOGETHER - 1), parted(1)], [0, 1]);
        assert_eq!([parted(TURNS_TOGETHER), parted(TURNS_TOGETHER)], [0, 1]);
        assert!((2..6).contains(&parted(2 * MOST_TURNS_TOGETHER)), "and so on");
        neighbour.went();
        assert_eq!([parted(TURNS_TOGETHER - 1), parted(1)], [0, 1], "it had helped");
    }
}
