//! The log of a broadcast channel: slots that publishers fill in turn and every subscriber reads.
//!
//! ```text
//!             gone for good |      kept: `capacity` messages      | claimed next
//!    ... ------------------ ^ ----------------------------------- ^ -------------- ^ ...
//!                         floor   ^ subscriber   ^ subscriber    tail            limit
//!                                   (GATES)        (PINNED)
//! ```
//!
//! A message has a *position*, and lies in the slot of that position until a message one lap later takes the slot. A
//! publisher claims a position by a CAS on `tail`, puts the message into the slot's cell and then marks the slot with the
//! position; a subscriber reads position `p` from a slot that is marked so. Each subscriber owns a word that it alone writes.
//!
//! # Why a message is never read while it is overwritten
//! `limit` is what publishers may fill: `tail` never passes it. Whoever finds `tail` there counts it anew, under the scan's
//! lock, by walking over the subscribers' words (`scan`). So the price of knowing them all is paid once in many messages,
//! and what a subscriber pays per message is a store to a word of its own.
//!
//! *Gated* (lossless). G1. A subscriber's word says GATES with the first position that it has yet to read. G2. The limit is at
//! most `capacity` ahead of each such word, so the slots from there on stay as they are. The word's Release store, the
//! scanner's Acquire load, the limit's Release store and the claimer's Acquire load put all reading of a cell before its next
//! writing. G3. A subscriber that enters at `tail` is ahead of any limit's base. One that enters further back, for messages still
//! kept, sets RESCAN in `tail` (under the lock) and takes the position in the old value as the end of what is claimed: from
//! there on each claim counts the limit anew, this word included. The flag changes the word, so a CAS prepared on an
//! older limit fails; and it goes only when `tail` moves, so that word never comes back.
//!
//! *Validated* (lossy, and lossless with eviction). The publisher does not wait, so the word is a hazard pointer:
//! V1. A subscriber stores its position with PINNED, passes a SeqCst fence and then loads `floor`. At or above the floor
//! it may read until it stores its word anew; below, the message is gone. V2. The scanner raises `floor` first, passes a
//! SeqCst fence, and then looks at the words; only then it raises `limit`, to one lap above `floor`. Of any two, either
//! the subscriber sees the raised floor, or the scanner sees the pin. V3. Where the scanner sees a pin on a position
//! below the new floor, it takes the cell out of the slot, message and all, and puts an empty one in: the publisher goes on
//! in the new cell, and the old one is left alone until no word pins its position any more. V4. A subscriber loads the cell's
//! address before it pins. If that was the new cell already, then (Acquire and Release of the address) the floor was
//! seen raised too, and the pin fails. V5. The floor stays `capacity` behind `tail` at least: slots to spare see to that.
//!
//! So no publisher waits for a reader, and the cells are bounded: the slots, and one for each subscriber that is in the
//! middle of reading a message that the others have left a lap behind.
//!
//! *Eviction* takes a word that has gated for too long out of the count; from then on it only pins, as in a lossy log.
//!
//! # Why no wake-up is lost
//! *Subscribers* wait for `tail`, which is changed by read-modify-writes only: the argument of `wait` holds as it stands.
//!
//! *Publishers* wait for the words, which are plainly stored, and for one position at a time: `tail` less `capacity`, the same
//! for all of them. W1. A publisher that would park puts that position into `gate`, passes the heavy fence and tries again. A
//! subscriber that moves its word past a position passes the light fence and looks at `gate`. So either the publisher
//! sees the word moved, or the subscriber sees the position it has just left in `gate`, and, if it is the last to leave, wakes
//! all publishers. W2. `gate` is set under the scan's lock with `tail` read inside, so it never goes back while it is armed; whoever
//! changes it from one position to another wakes all publishers, for the first of them opened. W3. Leaving for good and
//! eviction wake all publishers.

mod cells;
mod entries;
mod position;
mod reader;
mod scan;

pub(super) use reader::{NotReady, Reader};
pub(super) use scan::Start;

use crate::broadcast::waits::Waits;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Arc, CachePadded, Mutex};
use cells::{Slot, Slots};
use entries::Entries;
use position::{CLOSED, ONE, RESCAN, Shape, WAIT, ahead, behind, distance, is_before, position, sequence};
use scan::Scan;
use std::time::{Duration, Instant};

/// How far ahead of itself a publisher fetches slots that subscribers have in their caches: its CAS waits for all earlier
/// stores, so it had better not find them waiting for a line. 4 to 16 were tried; worth 1.2 to 1.4 times.
const LOOKAHEAD: u64 = 16;

/// What happens when the slowest subscriber is `capacity` messages behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    /// Publishers wait for it.
    Gate,
    /// Publishers wait for it, but for this time at most; then it is thrown out.
    GateFor(Duration),
    /// Publishers go on, and it misses messages.
    Overwrite,
}

/// The log. See the head of this file.
pub(super) struct Log<T> {
    /// The next position to publish, with CLOSED, WAIT and RESCAN.
    tail: CachePadded<AtomicU64>,
    /// Positions before it may be claimed.
    limit: CachePadded<AtomicU64>,
    /// Positions before it may be gone. Used where subscribers validate.
    floor: CachePadded<AtomicU64>,
    scan: CachePadded<Mutex<Scan<T>>>,
    slots: Slots<T>,
    entries: Entries,
    shape: Shape,
    policy: Policy,
    /// The first position there was.
    start: u64,
    /// Who waits and who is woken. The log itself sees to `gate` alone.
    pub(super) waits: Arc<Waits>,
}

// SAFETY: messages are moved in and out by publishers and read by any subscriber, also by several at once, which takes
// `T: Send + Sync`; the head of this file says why reads and writes never meet.
unsafe impl<T: Send + Sync> Send for Log<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Log<T> {}

/// Why a message was not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A subscriber has yet to read the message that is `capacity` before position `at`, the next. It is thrown out at
    /// `until`, if it still gates then.
    Full { at: u64, until: Option<Instant> },
    /// The log is closed.
    Closed,
    /// Another publisher is in the middle of a step: try again soon.
    Busy,
    /// A subscriber was thrown out: wake all publishers and try again.
    Evicted,
}

/// A message that was not published, and why.
pub(super) struct Refused<T> {
    pub(super) message: T,
    pub(super) why: Refusal,
}

/// A message is out.
pub(super) struct Published<T> {
    pub(super) sequence: u64,
    /// Whether the subscribers are owed a wake-up.
    pub(super) subscribers_wait: bool,
    /// The message of the lap before. Dropping it is user code: it comes last.
    pub(super) over: Option<T>,
}

/// A position won by a CAS.
struct Claim<T> {
    /// `tail` before it.
    tail: u64,
    /// Messages that a reader had held up, and whose time is over: as [`Published::over`].
    rescued: Vec<T>,
}

impl<T> Log<T> {
    /// Makes an empty log whose first message has the number `first`.
    ///
    /// # Panics
    /// If `capacity` is 0, or the memory for it cannot be addressed or allocated.
    pub(super) fn new(capacity: usize, policy: Policy, first: u64) -> Self {
        let shape = if policy == Policy::Gate { Shape::tight(capacity) } else { Shape::roomy(capacity) };
        let start = position::at_sequence(first);
        let first_floor = behind(start, shape.slots);
        let count =
            usize::try_from(shape.slots).expect("the capacity was checked against what can be addressed");
        let skipped = shape.index(start) as u64;
        let last = |i: usize| {
            // Slot `i` comes up first at the first position from `start` on that falls to it.
            let turn = (i as u64).wrapping_sub(skipped) & (shape.slots - 1);
            ahead(first_floor, turn)
        };
        Self {
            tail: CachePadded::new(AtomicU64::new(start)),
            // The first claim counts it.
            limit: CachePadded::new(AtomicU64::new(start)),
            floor: CachePadded::new(AtomicU64::new(first_floor)),
            scan: CachePadded::new(Mutex::new(Scan::new())),
            slots: if policy == Policy::Gate {
                Slots::fixed(count, last)
            } else {
                Slots::movable(count, last)
            },
            entries: Entries::new(),
            shape,
            policy,
            start,
            waits: Arc::new(Waits::new()),
        }
    }

    /// Publishes a message behind all others, unless anything stands in the way: then gives it back.
    #[inline(always)]
    pub(super) fn publish_at_once(&self, message: T) -> Result<Published<T>, T> {
        match self.claim_at_once() {
            // SAFETY: just claimed.
            Some(tail) => Ok(unsafe { self.fill(tail, message) }),
            None => Err(message),
        }
    }

    /// Publishes a message behind all others, or says what stands in the way. Comes with messages to drop last.
    pub(super) fn publish(&self, message: T) -> Result<(Published<T>, Vec<T>), Refused<T>> {
        match self.claim() {
            // SAFETY: just claimed.
            Ok(Claim { tail, rescued }) => Ok((unsafe { self.fill(tail, message) }, rescued)),
            Err(why) => Err(Refused { message, why }),
        }
    }

    /// Puts the message of a claimed position in.
    ///
    /// # Safety
    /// The caller has claimed the position of `tail`, and fills it once.
    #[inline(always)]
    unsafe fn fill(&self, tail: u64, message: T) -> Published<T> {
        let at = position(tail);
        // SAFETY: this position was won, its slot seen settled, and found before the limit (see the head).
        let over = unsafe { self.slot(at).publish(at, message, self.is_first_lap(at)) };
        Published { sequence: sequence(at), subscribers_wait: tail & WAIT != 0, over }
    }

    /// Whether no position before `at` fell to the same slot.
    #[inline(always)]
    const fn is_first_lap(&self, at: u64) -> bool {
        distance(self.start, at) < self.shape.slots
    }

    /// Claims the next position and returns `tail` before it, if nothing but other publishers' claims comes between.
    #[inline(always)]
    fn claim_at_once(&self) -> Option<u64> {
        // ORDERING: Acquire pairs with the Release of a claim that cleared RESCAN: the limit is read no older than that (G3).
        let mut tail = self.tail.load(Ordering::Acquire);
        loop {
            let at = position(tail);
            // ORDERING: Acquire pairs with the Release in `raise`: the readers of the lap before are done (G2), and a new
            // cell is seen (V3).
            let is_free = is_before(at, self.limit.load(Ordering::Acquire));
            if tail & (CLOSED | RESCAN) != 0 || !is_free || !self.is_settled(at) {
                return None;
            }
            self.slot(ahead(at, LOOKAHEAD)).prefetch();
            // ORDERING: Release pairs with the Acquire in `claim_slowly`: who sees this move sees where our own subscribers
            // stood before it, so a log that was never full never says so; and the Release of a claim that cleared
            // RESCAN goes on through this one. Acquire on failure: as the first load.
            match self.tail.compare_exchange_weak(
                tail,
                tail.wrapping_add(ONE),
                Ordering::Release,
                Ordering::Acquire,
            ) {
                Ok(_) => return Some(tail),
                Err(now) => tail = now,
            }
        }
    }

    /// As [`claim_at_once`](Self::claim_at_once), and gets out of the way what can be.
    fn claim(&self) -> Result<Claim<T>, Refusal> {
        loop {
            if let Some(tail) = self.claim_at_once() {
                return Ok(Claim { tail, rescued: Vec::new() });
            }
            // ORDERING: Acquire pairs with the Release in `close`.
            let tail = self.tail.load(Ordering::Acquire);
            if tail & CLOSED != 0 {
                return Err(Refusal::Closed);
            }
            let at = position(tail);
            // ORDERING: Relaxed; nothing is claimed on account of it.
            if tail & RESCAN != 0 || !is_before(at, self.limit.load(Ordering::Relaxed)) {
                return self.claim_slowly();
            }
            if !self.is_settled(at) {
                self.wait_for_newer(at)?;
            }
        }
    }

    /// Whether the publisher that had the slot of `at` one lap ago is done.
    #[inline(always)]
    fn is_settled(&self, at: u64) -> bool {
        self.slot(at).is_settled(behind(at, self.shape.slots))
    }

    /// The slot of `at` was not settled: either `tail` has moved on since, or a publisher is in the middle of a step.
    fn wait_for_newer(&self, at: u64) -> Result<(), Refusal> {
        // ORDERING: Relaxed; nothing is claimed on account of it.
        let tail = self.tail.load(Ordering::Relaxed);
        if position(tail) == at { Err(Refusal::Busy) } else { Ok(()) }
    }

    /// Closes the log: nothing more is published. Returns whether this call did it.
    pub(super) fn close(&self) -> bool {
        // ORDERING: CLOSED takes its place in the one order of changes of `tail`, which decides what is published. Release: who hears of
        // it sees what was done before; all changes of `tail` are read-modify-writes, so later ones pass it on. Acquire: who comes second
        // hears of it here.
        self.tail.fetch_or(CLOSED, Ordering::AcqRel) & CLOSED == 0
    }

    /// Whether the log is closed. Once true, it stays so.
    pub(super) fn is_closed(&self) -> bool {
        // ORDERING: Acquire pairs with the Release in `close`.
        self.tail.load(Ordering::Acquire) & CLOSED != 0
    }

    /// Returns how many messages are kept.
    pub(super) const fn capacity(&self) -> usize {
        self.shape.capacity as usize
    }

    /// Returns what the log does about slow subscribers.
    pub(super) const fn policy(&self) -> Policy {
        self.policy
    }

    /// Returns the number of the next message. Stale at once.
    pub(super) fn next_sequence(&self) -> u64 {
        // ORDERING: Relaxed; an observer.
        sequence(position(self.tail.load(Ordering::Relaxed)))
    }

    /// Returns how many messages the slowest subscriber that gates has yet to read. Stale at once.
    pub(super) fn backlog(&self) -> usize {
        // ORDERING: Acquire keeps the words behind this load, so that none of them is ahead of it by more than it moved.
        let tail = position(self.tail.load(Ordering::Acquire));
        let backlog = distance(self.entries.gate(tail), tail);
        usize::try_from(backlog).unwrap_or(usize::MAX).min(self.capacity())
    }

    /// Returns how many subscribers there are. Stale at once.
    pub(super) fn subscriber_count(&self) -> usize {
        self.entries.count()
    }

    /// A subscriber has come or gone, which changes how threads wait.
    #[cold]
    fn mind_the_crowd(&self) {
        // In the models nobody spins.
        if !cfg!(millpond_model) {
            self.waits.count_subscribers(self.subscriber_count());
        }
    }

    /// Says that a subscriber waits: each publisher is told so. Call with the list of waiting subscribers locked.
    pub(super) fn set_subscribers_wait(&self) {
        // ORDERING: Relaxed; a claim either precedes this in the order of `tail`, and then the subscriber's next look at
        // `tail` sees it, or follows it and reads WAIT.
        self.tail.fetch_or(WAIT, Ordering::Relaxed);
    }

    /// Says that no subscriber waits. Call with the list of waiting subscribers locked, when it is empty.
    pub(super) fn clear_subscribers_wait(&self) {
        // ORDERING: Relaxed; the list's lock orders this against `set_subscribers_wait`.
        self.tail.fetch_and(!WAIT, Ordering::Relaxed);
    }

    #[inline(always)]
    fn slot(&self, position: u64) -> Slot<'_, T> {
        // SAFETY: `Shape::index` is less than the number of slots.
        unsafe { self.slots.get(self.shape.index(position)) }
    }
}

impl<T> Drop for Log<T> {
    fn drop(&mut self) {
        self.waits.end();
        // ORDERING: Relaxed; nobody else is left.
        let end = position(self.tail.load(Ordering::Relaxed));
        let first = if self.is_first_lap(end) { self.start } else { behind(end, self.shape.slots) };
        let mut rest = Rest { log: self, at: first, end };
        rest.drop_messages();
    }
}

/// The messages that are dropped with the log: also those behind one whose drop panics.
struct Rest<'a, T> {
    log: &'a Log<T>,
    at: u64,
    end: u64,
}

impl<T> Rest<'_, T> {
    fn drop_messages(&mut self) {
        while self.at != self.end {
            let at = self.at;
            self.at = ahead(at, 1);
            let slot = self.log.slot(at);
            if slot.is_full(at) {
                // SAFETY: the slot is full (C1), each position comes up once, and nobody else is left.
                drop(unsafe { cells::take_out(slot.cell()) });
            }
        }
    }
}

impl<T> Drop for Rest<'_, T> {
    fn drop(&mut self) {
        self.drop_messages();
    }
}
