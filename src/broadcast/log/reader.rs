//! One subscriber's place in the log.

use super::cells::{Cell, FixedSlots, State};
use super::entries::Entry;
use super::position::{CLOSED, GATES, PINNED, Shape, ahead, distance, is_before, position, sequence};
use super::{Log, Policy, Start};
use crate::sync::Arc;
use crate::sync::atomic::{Ordering, fence};
use std::ptr::NonNull;

/// A place in the log, from which one subscriber reads message after message.
///
/// R1. `held` is some cell only while the cell is safe from publishers: the word says GATES or a valid PINNED with
/// `position`, since before the cell's message was first reached.
pub(in crate::broadcast) struct Reader<T> {
    log: Arc<Log<T>>,
    entry: NonNull<Entry>,
    /// The next position to read.
    position: u64,
    /// What the word says besides the position: GATES or nothing.
    gates: u64,
    /// Positions before it were kept when the reader last entered or fell behind: it may read them while they are there.
    entitled: u64,
    /// Messages missed and not yet reported.
    missed: u64,
    held: Option<NonNull<Cell<T>>>,
}

// SAFETY: the entry is the reader's own and made of atomics; cells are reached as the log allows, which needs
// `T: Send + Sync`. Nothing depends on the thread.
unsafe impl<T: Send + Sync> Send for Reader<T> {}
// SAFETY: as above; `&Reader<T>` gives `&T` at most.
unsafe impl<T: Send + Sync> Sync for Reader<T> {}

/// Why there is nothing to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::broadcast) enum NotReady {
    /// The next message has not been published.
    Empty,
    /// It is just being published: try again soon.
    Busy,
    /// It never will be.
    Closed,
    /// So many messages were missed; the next is the oldest that is kept.
    Lagged(u64),
    /// The reader was thrown out.
    Evicted,
}

impl<T> Reader<T> {
    /// Enters the log.
    pub(in crate::broadcast) fn new(log: Arc<Log<T>>, start: Start) -> Self {
        let place = log.enter(start);
        log.mind_the_crowd();
        let gates = if log.policy() == Policy::Overwrite { 0 } else { GATES };
        Self {
            log,
            entry: place.entry,
            position: place.first,
            gates,
            entitled: place.tail,
            missed: place.missed,
            held: None,
        }
    }

    /// Returns the log.
    pub(in crate::broadcast) fn log(&self) -> &Arc<Log<T>> {
        &self.log
    }

    #[inline(always)]
    fn entry(&self) -> &Entry {
        // SAFETY: entries stay in place as long as the log, which the reader keeps alive.
        unsafe { self.entry.as_ref() }
    }

    /// Whether the next message has been published, as far as its slot can tell: it may be gone.
    #[inline(always)]
    pub(in crate::broadcast) fn is_next_there(&self) -> bool {
        self.log.slot(self.position).is_full(self.position)
    }

    /// Reaches the next message, which stays the next until [`Reader::advance`].
    #[inline(always)]
    pub(in crate::broadcast) fn peek(&mut self) -> Result<&T, NotReady> {
        let at = self.position;
        let slot = self.log.slot(at);
        if self.missed != 0 || !slot.is_full(at) {
            return Err(self.explain(at));
        }
        let cell = slot.cell();
        if self.log.policy != Policy::Gate {
            self.pin(at)?;
        }
        self.held = Some(cell);
        // SAFETY: the cell is there as long as the log (C3).
        let cell = unsafe { cell.as_ref() };
        // SAFETY: the slot was full (C1), and the word keeps publishers off (R1) until `advance`, which takes `&mut self`.
        Ok(unsafe { cell.message() })
    }

    /// Returns the message that the last `peek` reached. `None`: it has not, or the reader has advanced since.
    #[inline(always)]
    pub(in crate::broadcast) fn held(&self) -> Option<&T> {
        self.held.map(|cell| {
            // SAFETY: the cell is there as long as the log (C3).
            let cell = unsafe { cell.as_ref() };
            // SAFETY: R1; `advance` takes `&mut self`.
            unsafe { cell.message() }
        })
    }

    /// Leaves the message behind. Returns whether the publishers are owed a wake-up.
    #[inline(always)]
    pub(in crate::broadcast) fn advance(&mut self) -> bool {
        debug_assert!(self.held.is_some(), "a reader leaves only what it has reached");
        #[cfg(millpond_loom)]
        self.held();
        let at = self.position;
        self.held = None;
        self.position = ahead(at, 1);
        self.entry().stand(self.position | self.gates);
        if self.gates == 0 {
            return false;
        }
        // W1.
        self.log.waits.gate.look_after_move() == Some(at) && self.log.is_left_by_all(at)
    }

    /// Returns the position of the next message, where several may be read first and left behind together: where nothing but
    /// the word, which stays, keeps publishers off.
    pub(in crate::broadcast) fn start_of_run(&self) -> Option<u64> {
        (self.log.policy == Policy::Gate).then_some(self.position)
    }

    /// Clones the messages of a run, up to `limit`, as far as they have been published, behind those in `into`, and goes on
    /// behind each. They are left behind with the run. Returns how many: 0 if the next is not there, or missed ones are to be
    /// reported first.
    ///
    /// Looks at their laps first, so that the vector is grown once, the second walk knows its length, and messages come from the
    /// publisher's cache several at a time.
    #[inline(always)]
    pub(in crate::broadcast) fn clone_run(&mut self, into: &mut Vec<T>, limit: usize) -> usize
    where
        T: Clone,
    {
        debug_assert!(self.log.policy == Policy::Gate, "elsewhere each message is pinned");
        self.held = None;
        let (shape, Some(slots)) = (self.log.shape, self.log.slots.as_fixed()) else { return 0 };
        let count = if self.missed == 0 { Self::published(&slots, shape, self.position, limit) } else { 0 };
        into.extend((0..count).map(|_| {
            // SAFETY: `Shape::index` is less than the number of slots.
            let cell = unsafe { slots.cell(shape.index(self.position)) };
            // SAFETY: `published` found the slot full (C1), and the word, which stays at the start of the run, keeps publishers
            // off it and all that follow (G2).
            let message = unsafe { cell.message() }.clone();
            self.position = ahead(self.position, 1);
            message
        }));
        count
    }

    /// Counts the messages that are there to be read from `first` on, up to `limit`.
    #[inline(always)]
    fn published(slots: &FixedSlots<'_, T>, shape: Shape, first: u64, limit: usize) -> usize {
        let mut at = first;
        let mut count = 0;
        // SAFETY: `Shape::index` is less than the number of slots.
        while count < limit && unsafe { slots.is_full(shape.index(at), at) } {
            at = ahead(at, 1);
            count += 1;
        }
        count
    }

    /// Returns how many messages lie from `first` up to the next.
    pub(in crate::broadcast) fn distance_from(&self, first: u64) -> u64 {
        distance(first, self.position)
    }

    /// Leaves the messages from `first` up to the next behind. Returns whether the publishers are owed a wake-up.
    pub(in crate::broadcast) fn leave_run(&mut self, first: u64) -> bool {
        self.entry().stand(self.position | self.gates);
        // W1.
        let Some(at) = self.log.waits.gate.look_after_move() else { return false };
        let is_ours = !is_before(at, first) && is_before(at, self.position);
        is_ours && self.log.is_left_by_all(at)
    }

    /// Pins the position, if its message is not gone (V1).
    fn pin(&mut self, at: u64) -> Result<(), NotReady> {
        self.held = None;
        self.entry().stand(at | self.gates | PINNED);
        // ORDERING: SeqCst pairs with the fence in `raise_floor` (V1, V2).
        fence(Ordering::SeqCst);
        // ORDERING: Acquire pairs with the Release in `raise_floor`: an eviction that raised the floor is seen too.
        let floor = self.log.floor.load(Ordering::Acquire);
        let is_good = if self.gates != 0 {
            !is_before(at, floor) && !self.entry().is_evicted()
        } else {
            !is_before(at, floor) && (is_before(at, self.entitled) || !self.is_overdue(at, floor))
        };
        if is_good {
            return Ok(());
        }
        self.entry().stand(at | self.gates);
        Err(self.drop_out())
    }

    /// Whether more than `capacity` messages have been published since `at`, `floor` or more being kept.
    #[inline(always)]
    fn is_overdue(&self, at: u64, floor: u64) -> bool {
        let shape = &self.log.shape;
        // `tail` is at most one lap above the floor: mostly that is enough to know, and spares us a look at it.
        if distance(floor, at) >= shape.slots - shape.capacity {
            return false;
        }
        // ORDERING: Relaxed; any `tail` not older than what the caller knows of will do.
        let tail = position(self.log.tail.load(Ordering::Relaxed));
        distance(at, tail) > shape.capacity
    }

    /// Finds out why the message at `at` cannot be read.
    #[cold]
    fn explain(&mut self, at: u64) -> NotReady {
        self.held = None;
        let missed = std::mem::take(&mut self.missed);
        if missed != 0 {
            return NotReady::Lagged(missed);
        }
        if self.gates != 0 && self.entry().is_evicted() {
            return NotReady::Evicted;
        }
        // ORDERING: SeqCst; threads that publish to one log and then look at another cannot both miss each other.
        fence(Ordering::SeqCst);
        // ORDERING: Acquire keeps the second look at the slot behind this one, and pairs with the Release in `close`.
        let tail = self.log.tail.load(Ordering::Acquire);
        let end = position(tail);
        if end == at {
            return if tail & CLOSED == 0 { NotReady::Empty } else { NotReady::Closed };
        }
        let state = self.log.slot(at).state(at);
        let is_overdue = distance(at, end) > self.log.shape.capacity && !is_before(at, self.entitled);
        if state == State::Gone || (self.gates == 0 && is_overdue && state == State::Coming) {
            return self.drop_out();
        }
        NotReady::Busy
    }

    /// The message at `position` is not for us any more.
    #[cold]
    fn drop_out(&mut self) -> NotReady {
        if self.gates != 0 {
            return NotReady::Evicted;
        }
        // ORDERING: Relaxed; not older than what led here, by the order of changes of one word and the loads before.
        let tail = position(self.log.tail.load(Ordering::Relaxed));
        let oldest = self.log.shape.oldest(self.log.start, tail);
        debug_assert!(is_before(self.position, oldest), "a message that is kept is not gone");
        let lost = distance(self.position, oldest);
        self.position = oldest;
        self.entitled = tail;
        NotReady::Lagged(lost)
    }

    /// Has the next `peek` report messages that were missed: it was told too early.
    pub(in crate::broadcast) const fn put_off(&mut self, missed: u64) {
        self.missed = missed;
    }

    /// Returns the number of the next message to read.
    pub(in crate::broadcast) const fn sequence(&self) -> u64 {
        sequence(self.position)
    }

    /// Returns how many messages have been published since `position`. Stale at once.
    pub(in crate::broadcast) fn lag(&self) -> u64 {
        // ORDERING: Relaxed; an observer.
        distance(self.position, position(self.log.tail.load(Ordering::Relaxed)))
    }

    /// Whether the reader was thrown out.
    pub(in crate::broadcast) fn is_evicted(&self) -> bool {
        self.gates != 0 && self.entry().is_evicted()
    }

    /// Leaves the log. Returns whether the publishers are owed a wake-up. Nothing may be read afterwards.
    pub(in crate::broadcast) fn leave(&mut self) -> bool {
        self.held = None;
        self.entry().release();
        self.log.mind_the_crowd();
        // W1, W3.
        self.log.waits.gate.look_after_move().is_some()
    }
}
