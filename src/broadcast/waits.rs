//! Who waits on a broadcast channel, and for what.

#![forbid(unsafe_code)]

use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::{Arc, CachePadded};
#[cfg(not(millpond_lower))]
use crate::time::Alarm;
use crate::wait::WaitSet;
use std::time::Instant;

/// How many pauses a publisher or a subscriber spins. Fewer than in a channel: where everybody hears everything there are
/// mostly more threads than processors, and each hands over many messages at a time. Of 50, 150 and 400, all tie with a
/// processor for each thread; with two or four subscribers on two processors 50 is worth 1.2 to 1.8 times 400.
const SPINS: u32 = 50;

/// In `gate`: publishers wait until no subscriber has yet to read the message at this position.
pub(super) const ARMED: u64 = 1;

/// Those who wait, on either side.
pub(super) struct Waits {
    /// Subscribers that wait for a message. Their WAIT flag is in the log's `tail`.
    pub(super) subscribers: CachePadded<WaitSet>,
    /// Publishers that wait for the slowest subscriber.
    pub(super) publishers: CachePadded<WaitSet>,
    /// The position that publishers wait to see left, with ARMED.
    pub(super) gate: CachePadded<AtomicU64>,
    /// Whether a thread sleeps until it is time to throw a subscriber out.
    alarm_is_set: AtomicBool,
    /// Where it sleeps. It rings when the channel is gone.
    #[cfg(not(millpond_lower))]
    alarm: Alarm,
}

impl Waits {
    pub(super) fn new() -> Self {
        Self {
            subscribers: CachePadded::new(WaitSet::new().spinning_for(SPINS)),
            publishers: CachePadded::new(WaitSet::new().spinning_for(SPINS)),
            gate: CachePadded::new(AtomicU64::new(0)),
            alarm_is_set: AtomicBool::new(false),
            #[cfg(not(millpond_lower))]
            alarm: Alarm::new(),
        }
    }

    /// Whether publishers wait for subscribers to move on. Exact behind a fence of the pair (see the head of `log`).
    pub(super) fn is_gate_armed(&self) -> bool {
        // ORDERING: Relaxed; the fences order it.
        self.gate.load(Ordering::Relaxed) & ARMED != 0
    }

    /// Says that no publisher waits. Call with the list of waiting publishers locked, when it is empty.
    pub(super) fn disarm_gate(&self) {
        // ORDERING: Relaxed; the list's lock orders this against the arming of the next who waits.
        self.gate.store(0, Ordering::Relaxed);
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
        // ORDERING: Acquire pairs with the Release in `drop_alarm`: who takes it on next comes after the last ring.
        !self.alarm_is_set.swap(true, Ordering::Acquire)
    }

    /// Gives the alarm up. Call before ringing: who found it taken is rung for.
    fn drop_alarm(&self) {
        // ORDERING: Release pairs with the Acquire in `take_alarm`.
        self.alarm_is_set.store(false, Ordering::Release);
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
