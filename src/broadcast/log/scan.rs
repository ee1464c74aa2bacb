//! The slow half of the log: counting the limit, entering, and the gate that publishers wait at.
//!
//! All of it happens under one lock, which only publishers take, and in a lossless log subscribers that come or pass the gate:
//! a lossy publisher never waits for a subscriber.

use super::cells::{Cell, free_cell, make_cell, take_out};
use super::entries::Entry;
use super::position::{
    CLOSED, GATES, ONE, RESCAN, ahead, at_sequence, behind, distance, earlier, is_before, later, position,
};
use super::{Claim, Log, Policy, Refusal};
use crate::broadcast::waits::Armed;
use crate::sync::atomic::{Ordering, fence};
use crate::sync::{MutexGuard, Sleeper};
use std::ptr::NonNull;
use std::time::Instant;

/// What belongs to whoever holds the lock.
pub(super) struct Scan<T> {
    /// Cells with the messages that readers hold up, and their positions.
    held_up: Vec<(NonNull<Cell<T>>, u64)>,
    /// Empty cells to put into slots.
    spares: Vec<NonNull<Cell<T>>>,
    /// All cells that are not of the slab.
    made: Vec<NonNull<Cell<T>>>,
    /// Messages that were held up and are not any more: the next claimer drops them, outside the lock.
    rescued: Vec<T>,
    /// The position at which publishers were last held up, and since when.
    stuck: Option<(u64, Instant)>,
}

/// Where a new subscriber starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::broadcast) enum Start {
    /// At the next message to be published.
    Next,
    /// At the oldest message that is kept.
    Oldest,
    /// At the message with this number.
    At(u64),
}

/// A place taken in the log.
pub(super) struct Place {
    pub(super) entry: NonNull<Entry>,
    /// The first position to read.
    pub(super) first: u64,
    /// The next position to publish at that moment.
    pub(super) tail: u64,
    /// How many messages before `first` were asked for and are not kept.
    pub(super) missed: u64,
}

type Locked<'a, T> = MutexGuard<'a, Scan<T>>;

impl<T> Log<T> {
    /// Claims a position under the lock, having counted the limit if need be.
    #[cold]
    pub(super) fn claim_slowly(&self) -> Result<Claim<T>, Refusal> {
        let mut scan = self.scan.lock();
        loop {
            // ORDERING: Acquire pairs with the Release of the claim that moved it here, whose thread's own subscribers are seen where they
            // stood (`claim_at_once`), and with the Release in `close`.
            let tail = self.tail.load(Ordering::Acquire);
            if tail & CLOSED != 0 {
                return Err(Refusal::Closed);
            }
            let at = position(tail);
            // ORDERING: Relaxed; it changes under the lock only.
            if tail & RESCAN != 0 || !is_before(at, self.limit.load(Ordering::Relaxed)) {
                self.raise(&mut scan, at)?;
            }
            if !self.is_settled(at) {
                // ORDERING: Relaxed; a newer position is enough to try again.
                if position(self.tail.load(Ordering::Relaxed)) == at {
                    return Err(Refusal::Busy);
                }
                continue;
            }
            let next = tail.wrapping_add(ONE) & !RESCAN;
            // ORDERING: Release pairs with the Acquire in `claim_at_once`: who sees RESCAN cleared sees the limit counted (G3).
            if self.tail.compare_exchange(tail, next, Ordering::Release, Ordering::Relaxed).is_ok() {
                let rescued = std::mem::take(&mut scan.rescued);
                return Ok(Claim { tail, rescued });
            }
        }
    }

    /// Counts the limit anew while `tail` is at `at`, or was: then it is lower than it could be. `Ok`: it is beyond `at`.
    fn raise(&self, scan: &mut Locked<'_, T>, at: u64) -> Result<(), Refusal> {
        let gate = self.entries.gate(at);
        let mut limit = ahead(gate, self.shape.capacity);
        if self.policy != Policy::Gate {
            // V5: what is kept stays above the floor.
            limit = earlier(limit, ahead(at, self.shape.step));
        }
        if !is_before(at, limit) {
            // ORDERING: Relaxed; it changes under the lock only.
            if self.limit.load(Ordering::Relaxed) != limit {
                // ORDERING: Relaxed; all positions before it are claimed, so nothing is claimed on account of it. It may be lower than
                // before (G3): then RESCAN stands in `tail`, and the claim that clears it passes the new limit on.
                self.limit.store(limit, Ordering::Relaxed);
            }
            return Err(self.refuse(scan, at, gate));
        }
        if self.policy != Policy::Gate {
            self.raise_floor(scan, behind(limit, self.shape.slots));
        }
        // ORDERING: Release pairs with the Acquire in `claim_at_once`: the words were loaded with Acquire, and cells exchanged.
        self.limit.store(limit, Ordering::Release);
        Ok(())
    }

    /// A subscriber gates at `gate`, `capacity` before `at`. Throws it out if it has done so for too long.
    fn refuse(&self, scan: &mut Locked<'_, T>, at: u64, gate: u64) -> Refusal {
        let Policy::GateFor(patience) = self.policy else {
            return Refusal::Full { at, until: None };
        };
        let now = Instant::now();
        let since = match scan.stuck {
            Some((last, since)) if last == gate => since,
            _ => now,
        };
        scan.stuck = Some((gate, since));
        if now.saturating_duration_since(since) < patience || since == now {
            return Refusal::Full { at, until: since.checked_add(patience) };
        }
        self.entries.evict(gate);
        Refusal::Evicted
    }

    /// Raises the floor and gets what is being read below it out of the way (V2, V3).
    fn raise_floor(&self, scan: &mut Locked<'_, T>, floor: u64) {
        // ORDERING: Relaxed; it changes under the lock only.
        let last = self.floor.load(Ordering::Relaxed);
        let floor = later(floor, last);
        // ORDERING: Release: who finds the floor raised by an eviction also finds the eviction.
        self.floor.store(floor, Ordering::Release);
        // ORDERING: SeqCst pairs with the fence in `Reader::pin` (V1, V2).
        fence(Ordering::SeqCst);
        let scan = &mut **scan;
        let mut kept = 0;
        for i in 0..scan.held_up.len() {
            let (cell, at) = scan.held_up[i];
            if self.entries.pins().any(|pin| pin == at) {
                scan.held_up[kept] = (cell, at);
                kept += 1;
            } else {
                // SAFETY: the cell is there (C3), no slot points at it, and no subscriber reads it any more: none pins
                // its position, and none can from here on, for it is below the floor. The pins were loaded with Acquire.
                let message = unsafe { take_out(cell) };
                scan.rescued.push(message);
                scan.spares.push(cell);
            }
        }
        scan.held_up.truncate(kept);
        for pin in self.entries.pins() {
            let slot = self.slot(pin);
            let is_going = !is_before(pin, last) && is_before(pin, floor);
            if is_going && slot.is_full(pin) {
                let empty = scan.spares.pop().unwrap_or_else(|| {
                    let cell = make_cell();
                    scan.made.push(cell);
                    cell
                });
                scan.held_up.push((slot.vacate(pin, empty), pin));
            }
        }
    }

    /// Takes a place for a new subscriber.
    pub(super) fn enter(&self, start: Start) -> Place {
        let entry = self.entries.acquire();
        if self.policy == Policy::Overwrite {
            // ORDERING: Relaxed; what is kept is validated when it is read.
            let tail = position(self.tail.load(Ordering::Relaxed));
            return self.place(entry, start, tail);
        }
        let scan = self.scan.lock();
        let tail = if start == Start::Next {
            // ORDERING: Relaxed; the limit was counted from a `tail` no newer than this one, for we hold the lock (G3).
            self.tail.load(Ordering::Relaxed)
        } else {
            // ORDERING: Relaxed; a claim either precedes this in the order of `tail`, or sees RESCAN and comes to the lock.
            self.tail.fetch_or(RESCAN, Ordering::Relaxed)
        };
        let place = self.place(entry, start, position(tail));
        // SAFETY: entries stay in place as long as the log.
        unsafe { entry.as_ref() }.enter(place.first | GATES);
        drop(scan);
        place
    }

    fn place(&self, entry: NonNull<Entry>, start: Start, tail: u64) -> Place {
        let oldest = self.shape.oldest(self.start, tail);
        let published = distance(self.start, tail);
        let first = match start {
            Start::Next => tail,
            Start::Oldest => oldest,
            Start::At(number) => {
                let asked = distance(self.start, at_sequence(number));
                if asked < published && number == super::sequence(at_sequence(number)) {
                    ahead(self.start, asked)
                } else {
                    tail
                }
            }
        };
        let missed = if is_before(first, oldest) { distance(first, oldest) } else { 0 };
        Place { entry, first: later(first, oldest), tail, missed }
    }

    /// Makes `gate` say what publishers wait for. Returns the next position to publish, and whether that changed what others
    /// wait for: then wake them all (W2).
    pub(in crate::broadcast) fn arm_gate(&self, sleeper: Sleeper) -> (u64, Armed) {
        let _scan = self.scan.lock();
        // ORDERING: Relaxed; the lock orders it among those who arm.
        let at = position(self.tail.load(Ordering::Relaxed));
        (at, self.waits.gate.arm(behind(at, self.shape.capacity), sleeper))
    }

    /// A subscriber has left `position`, which `gate` names. Whether it was the last: then wake all publishers.
    #[cold]
    pub(super) fn is_left_by_all(&self, position: u64) -> bool {
        // Of two that leave at the same time, the one that comes to the lock second sees both words moved.
        let _scan = self.scan.lock();
        let next = ahead(position, 1);
        self.entries.gate(next) == next
    }
}

impl<T> Scan<T> {
    pub(super) const fn new() -> Self {
        Self { held_up: Vec::new(), spares: Vec::new(), made: Vec::new(), rescued: Vec::new(), stuck: None }
    }
}

impl<T> Drop for Scan<T> {
    fn drop(&mut self) {
        let held_up = std::mem::take(&mut self.held_up).into_iter();
        // SAFETY: C1, the cells hold messages; they are dropped with the log, so nobody reads them.
        let messages: Vec<T> = held_up.map(|(cell, _)| unsafe { take_out(cell) }).collect();
        for cell in std::mem::take(&mut self.made) {
            // SAFETY: made by `make_cell`, freed once, and empty: its message was taken above or with its slot.
            unsafe { free_cell(cell) };
        }
        drop(messages);
    }
}
