//! Who waits on a broadcast channel, and for what.

#![forbid(unsafe_code)]

use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use crate::sync::{Arc, CachePadded, Sleeper, cpus, fences_are_free, free_fence, heavy_fence};
#[cfg(not(millpond_lower))]
use crate::time::Alarm;
use crate::wait::WaitSet;
use std::time::Instant;

/// How many pauses a publisher or a subscriber spins where there is a processor for each: 200 are worth 1.1 to 1.3 times 50.
pub(super) const SPINS: u32 = 200;
/// ... and where there are more of them than processors: they had better let each other work, as each hands over many
/// messages at a time. With two to eight subscribers on two processors 50 are worth 1.1 to 1.8 times 200 or 400.
const SPINS_IN_A_CROWD: u32 = 50;

/// In `gate`: publishers wait until no subscriber has yet to read the message at this position.
const ARMED: u64 = 1;
/// In `gate`: subscribers pass a full fence before they look. Never lowered.
const STRICT: u64 = 1 << 1;

/// The position that publishers wait to see left, and flags beside it, which subscribers look at as they move on.
///
/// A subscriber stores its word, and then looks here; a publisher that goes to sleep arms this, and then looks at the words. A pair of
/// fences keeps them from missing each other (W1 in `log`). The publisher's heavy half interrupts the other processors for some
/// microseconds. That is little beside the parking of a thread, and too much for a task: the first task that sleeps makes the
/// gate STRICT, and from then on both sides pass plain fences. Where the system has no such interruption, it is STRICT from the start.
pub(super) struct Gate(AtomicU64);

impl Gate {
    fn new() -> Self {
        let word = if fences_are_free() { 0 } else { STRICT };
        Self(AtomicU64::new(word))
    }

    /// Looks, behind a move of a subscriber's word: at which position publishers wait.
    #[inline(always)]
    pub(super) fn look_after_move(&self) -> Option<u64> {
        // ORDERING: the light half of the pair: the word's move comes before this look, for a publisher that passes the heavy half
        // between arming the gate and its last attempt (W1). Where it is not free, the gate is strict.
        free_fence();
        // ORDERING: Relaxed; the fences order it (W1).
        let word = self.0.load(Ordering::Relaxed);
        if word == 0 { None } else { self.look_strictly(word) }
    }

    #[cold]
    fn look_strictly(&self, word: u64) -> Option<u64> {
        if word & STRICT == 0 {
            return Self::armed_at(word);
        }
        // ORDERING: SeqCst pairs with the one in `Armed::take_effect`.
        fence(Ordering::SeqCst);
        // ORDERING: Relaxed; the fences order it (W1).
        Self::armed_at(self.0.load(Ordering::Relaxed))
    }

    fn armed_at(word: u64) -> Option<u64> {
        (word & ARMED != 0).then_some(word & !(ARMED | STRICT))
    }

    /// Whether publishers wait for subscribers to move on.
    pub(super) fn is_armed(&self) -> bool {
        // ORDERING: Relaxed; asked by publishers, which act on it under the list's lock or arm the gate anew.
        self.0.load(Ordering::Relaxed) & ARMED != 0
    }

    /// Says that publishers wait to see `position` left. Call with the scan locked.
    pub(super) fn arm(&self, position: u64, sleeper: Sleeper) -> Armed {
        // ORDERING: Relaxed; STRICT is raised with the scan locked only, which orders it.
        let was_strict = self.0.load(Ordering::Relaxed) & STRICT != 0;
        let strict = if was_strict || sleeper == Sleeper::Task { STRICT } else { 0 };
        // ORDERING: Relaxed; the fences order it (W1).
        let last = self.0.swap(position | ARMED | strict, Ordering::Relaxed);
        if strict != 0 && !was_strict {
            // ORDERING: the heavy half of the pair: who finds STRICT, with the same lock held, knows that subscribers are strict.
            heavy_fence();
        }
        let changed = Self::armed_at(last).is_some_and(|last| last != position);
        Armed { changed, is_strict: strict != 0 }
    }

    /// Says that no publisher waits. Call with the list of waiting publishers locked, when it is empty.
    fn disarm(&self) {
        // ORDERING: Relaxed; the list's lock orders this against the arming of the next who waits.
        self.0.fetch_and(STRICT, Ordering::Relaxed);
    }
}

/// How the gate was armed.
pub(super) struct Armed {
    /// Whether it named another position before: those who wait for that are to be woken.
    pub(super) changed: bool,
    is_strict: bool,
}

impl Armed {
    /// Comes between arming and the last attempt: a subscriber that does not hear of the arming has moved before that attempt.
    pub(super) fn take_effect(&self) {
        if self.is_strict {
            // ORDERING: SeqCst pairs with the one in `look_strictly` (W1).
            fence(Ordering::SeqCst);
        } else {
            // ORDERING: the heavy half of the pair (W1).
            heavy_fence();
        }
    }
}

/// Those who wait, on either side.
pub(super) struct Waits {
    /// Subscribers that wait for a message. Their WAIT flag is in the log's `tail`.
    pub(super) subscribers: CachePadded<WaitSet>,
    /// Publishers that wait for the slowest subscriber.
    pub(super) publishers: CachePadded<WaitSet>,
    pub(super) gate: CachePadded<Gate>,
    /// Whether a thread sleeps until it is time to throw a subscriber out.
    alarm_is_set: AtomicBool,
    /// Where it sleeps. It rings when the channel is gone.
    #[cfg(not(millpond_lower))]
    alarm: Alarm,
}

impl Waits {
    pub(super) fn new() -> Self {
        Self {
            subscribers: CachePadded::new(WaitSet::new()),
            publishers: CachePadded::new(WaitSet::new()),
            gate: CachePadded::new(Gate::new()),
            alarm_is_set: AtomicBool::new(false),
            #[cfg(not(millpond_lower))]
            alarm: Alarm::new(),
        }
    }

    /// There are so many subscribers from here on, as far as the caller knows.
    pub(super) fn count_subscribers(&self, count: usize) {
        let is_crowd = count >= cpus();
        for set in [&self.subscribers, &self.publishers] {
            set.spin_for(if is_crowd { SPINS_IN_A_CROWD } else { SPINS }, is_crowd);
        }
    }

    /// Says that no publisher waits. Call with the list of waiting publishers locked, when it is empty.
    pub(super) fn disarm_gate(&self) {
        self.gate.disarm();
    }

    #[cold]
    pub(super) fn wake_publishers(&self) {
        self.publishers.notify_all(|| self.disarm_gate());
    }

    /// Ends the sleep of the alarm: nobody publishes any more.
    pub(super) fn end(&self) {
        #[cfg(not(millpond_lower))]
        self.alarm.ring();
    }

    /// Takes the alarm on, if nobody has it.
    fn take_alarm(&self) -> bool {
        // ORDERING: Relaxed; who asks is in the list of publishers already. If its swap precedes `drop_alarm` in the order of this flag, the
        // ring behind that finds it there: were it to come to the list's lock only later, it would have seen the flag lowered.
        !self.alarm_is_set.swap(true, Ordering::Relaxed)
    }

    /// Gives the alarm up. Call before ringing: who found it taken is rung for.
    fn drop_alarm(&self) {
        // ORDERING: Relaxed; see `take_alarm`.
        self.alarm_is_set.store(false, Ordering::Relaxed);
    }
}

/// Sees to it that publishers that are asleep look again at `until`. For tasks: a thread has its own clock to sleep by.
#[cfg(not(millpond_lower))]
pub(super) fn wake_publishers_at(waits: &Arc<Waits>, until: Instant) {
    if !waits.take_alarm() {
        return;
    }
    let (ringing, rings) = (Arc::clone(waits), waits.alarm.rings());
    let ring = move || {
        ringing.alarm.wait(rings, Some(until));
        ringing.drop_alarm();
        ringing.wake_publishers();
    };
    if crate::sync::thread::Builder::new().name("millpond-alarm".to_owned()).spawn(ring).is_err() {
        waits.drop_alarm();
    }
}

/// Without the layer that knows the time. It does not pass under loom.
#[cfg(millpond_lower)]
pub(super) fn wake_publishers_at(waits: &Arc<Waits>, _: Instant) {
    if waits.take_alarm() {
        waits.drop_alarm();
    }
}
