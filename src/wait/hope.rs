//! How many messages, or how much room, a thread that spins hopes to find at once.
//!
//! Two sides that meet at every message pass the cache lines of the slot and of both cursors to and fro for it: some hundred
//! nanoseconds. If the one that has to wait lets the other work ahead for a while, both move whole lines of slots, and each works in its
//! own cache. So
//!
//! * a **sender** of a full channel waits for room for many, as long as its spin lasts: nobody is the worse for it, for a full channel has
//!   enough for its receivers to do;
//! * a **receiver** of an empty one waits for several messages only where they come in quick succession, and a fraction of a microsecond
//!   at most. Where they do not come so, as in a conversation in which the next message answers this one, it takes each at once. It
//!   tells one from the other by trial: one wait in some dozens is long enough to see.
//!
//! Only for those that spin: who yields, parks or is a task takes what is there.
//!
//! Measured with 2 and 4 threads a side on two processors, capacity 1024: two to five times as many messages.

use super::spin::SPINS;
use crate::sync::atomic::{AtomicU32, Ordering};

/// Of what fits in, a part of one in so many is hoped for, so that both sides have room to work ...
const PART: usize = 4;
/// ... or so many: some microseconds of work, and with most messages little beside a core's own cache. 16 to 256 for receivers and 64 to 512
/// for senders are about the same.
const MOST: usize = 256;
/// After so many pauses a receiver takes what is there: some 800 ns.
const PATIENCE: u32 = 32;
/// From here on a receiver hopes. Below, it counts the messages that it took one by one up to the next trial.
const TRUST: u32 = 64;
/// How sure it is after it was right.
const CERTAIN: u32 = TRUST + 3 * DISAPPOINTMENT;
/// How much a disappointment costs: a stream that pauses now and then stays one.
const DISAPPOINTMENT: u32 = 4;
/// More than so many are worth having waited for.
const SEVERAL: usize = 3;

/// What a thread that spins hopes for.
#[derive(Debug)]
pub struct Hope {
    ahead: usize,
    patience: u32,
    learns: bool,
    /// How sure it is that the hope will be fulfilled.
    trust: AtomicU32,
}

impl Hope {
    /// Takes what is there.
    pub(super) fn none() -> Self {
        Self { ahead: 0, patience: 1, learns: false, trust: AtomicU32::new(0) }
    }

    /// For senders of a channel of that capacity.
    pub fn for_room(capacity: usize) -> Self {
        Self { ahead: (capacity / PART).min(MOST), patience: SPINS, learns: false, trust: AtomicU32::new(0) }
    }

    /// For receivers of a channel of that capacity.
    pub fn for_messages(capacity: usize) -> Self {
        Self {
            ahead: (capacity / PART).min(MOST),
            patience: PATIENCE,
            learns: true,
            trust: AtomicU32::new(0),
        }
    }

    /// How many more than one are hoped for this time.
    #[inline]
    pub(super) fn ahead(&self) -> usize {
        if self.learns && !self.is_hopeful() { 0 } else { self.ahead }
    }

    /// Whether several at once are likely, or it is time to find out.
    fn is_hopeful(&self) -> bool {
        // ORDERING: Relaxed; a hint about the past.
        self.trust.load(Ordering::Relaxed) >= TRUST
    }

    /// After how many pauses what is there is enough.
    pub(super) const fn patience(&self) -> u32 {
        self.patience
    }

    /// Learns from a spin that found something and has taken one: by whether there are more.
    #[inline]
    pub(super) fn learn(&self, hoped: bool, more_than: impl FnOnce(usize) -> bool) {
        if !self.learns || self.ahead == 0 {
            return;
        }
        // ORDERING: Relaxed; a hint about the past.
        let trust = self.trust.load(Ordering::Relaxed);
        let now = match (hoped, more_than(if hoped { SEVERAL } else { 0 })) {
            (true, true) => CERTAIN,
            (true, false) if trust > TRUST => trust - DISAPPOINTMENT,
            (true, false) => 0,
            (false, true) => trust + 2,
            (false, false) => trust + 1,
        };
        if now != trust {
            // ORDERING: Relaxed; a lost change does no harm.
            self.trust.store(now, Ordering::Relaxed);
        }
    }
}

#[cfg(all(test, not(millpond_loom)))]
mod tests {
    use super::*;

    fn after_singles(hope: &Hope, count: u32) {
        for _ in 0..count {
            hope.learn(hope.ahead() > 0, |_| false);
        }
    }

    #[test]
    fn a_sender_always_hopes_and_never_for_more_than_a_part() {
        for (capacity, ahead) in [(1, 0), (3, 0), (4, 1), (64, 16), (1024, 256), (65536, 256)] {
            let hope = Hope::for_room(capacity);
            after_singles(&hope, 1000);
            assert_eq!(hope.ahead(), ahead, "capacity {capacity}");
        }
    }

    #[test]
    fn a_receiver_of_single_messages_tries_now_and_then() {
        let hope = Hope::for_messages(1024);
        let mut trials = 0;
        for _ in 0..65 * 10 {
            trials += u32::from(hope.ahead() > 0);
            after_singles(&hope, 1);
        }
        assert_eq!(trials, 10);
    }

    #[test]
    fn a_receiver_of_a_stream_hopes_until_it_has_been_disappointed_several_times() {
        let hope = Hope::for_messages(1024);
        after_singles(&hope, TRUST);
        assert_eq!(hope.ahead(), 256);
        hope.learn(true, |more| more < 10);
        after_singles(&hope, 2);
        assert_eq!(hope.ahead(), 256);
        after_singles(&hope, 2);
        assert_eq!(hope.ahead(), 0);
    }

    #[test]
    fn a_second_message_shortens_the_way_to_the_next_trial() {
        let hope = Hope::for_messages(64);
        for _ in 0..TRUST / 2 {
            assert_eq!(hope.ahead(), 0);
            hope.learn(false, |more| more == 0);
        }
        assert_eq!(hope.ahead(), 16);
    }

    #[test]
    fn a_channel_that_is_too_small_hopes_for_nothing() {
        let hope = Hope::for_messages(3);
        after_singles(&hope, 1000);
        assert_eq!(hope.ahead(), 0);
    }
}
