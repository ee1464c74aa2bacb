//! Where messages lie: slots with stamps, and the cells that they point at.
//!
//! C1. A slot's cell holds a message exactly while the slot says so, by its stamp or its lap (and while the claimer of the next
//!     lap replaces it).
//! C2. A cell is written, or its message taken, only by the claimer of a position of its slot, or by the scanner once no
//!     subscriber reads it (see the head of `log`).
//! C3. Cells never move, and are freed with the log: a pointer to one is good for as long as the log.

use super::position::{FULL, is_before, lap_shift};
use crate::sync::atomic::{AtomicPtr, AtomicU8, AtomicU64, Ordering};
use crate::sync::{UnsafeCell, prefetch_for_read, prefetch_for_write};
use std::mem::MaybeUninit;
use std::ptr::NonNull;

/// Room for one message.
pub(super) struct Cell<T>(UnsafeCell<MaybeUninit<T>>);

impl<T> Cell<T> {
    fn new() -> Self {
        Self(UnsafeCell::new(MaybeUninit::uninit()))
    }

    /// Puts a message in.
    ///
    /// # Safety
    /// The cell is empty, and nobody else reads or writes it until this returns.
    #[inline(always)]
    unsafe fn put(&self, message: T) {
        self.0.with_mut(|cell| {
            // SAFETY: the caller owns the cell by this function's contract; the pointer comes from a reference.
            unsafe { cell.write(MaybeUninit::new(message)) }
        });
    }

    /// Moves the message out.
    ///
    /// # Safety
    /// The cell holds a message, which is taken once, and nobody else reads or writes it until this returns.
    #[inline(always)]
    unsafe fn take(&self) -> T {
        self.0.with_mut(|cell| {
            // SAFETY: the caller owns the cell by this function's contract.
            let message = unsafe { cell.read() };
            // SAFETY: the cell holds a message by this function's contract.
            unsafe { message.assume_init() }
        })
    }

    /// Returns the message.
    ///
    /// # Safety
    /// The cell holds a message, and nobody writes or takes it while the reference lives.
    #[inline(always)]
    pub(super) unsafe fn message(&self) -> &T {
        self.0.with(|cell| {
            // SAFETY: nobody writes meanwhile, by this function's contract.
            let message = unsafe { &*cell };
            // SAFETY: the cell holds a message by this function's contract.
            unsafe { message.assume_init_ref() }
        })
    }
}

/// A slot, which knows whose message is inside.
pub(super) enum Slot<'a, T> {
    /// Its byte is the lap of the last position that was put in here, as far as a byte goes: nobody looks for any but that lap
    /// and the next (see [`Slots::Fixed`]).
    Fixed { lap: &'a AtomicU8, cell: &'a Cell<T>, lap_shift: u32 },
    /// Its stamp is the last position that was put in here, and whether the message is still there.
    Movable { stamp: &'a AtomicU64, place: &'a AtomicPtr<Cell<T>> },
}

/// What a slot says of a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It has not been published yet.
    Coming,
    /// Its message is inside.
    Full,
    /// Its message was inside and is not any more.
    Gone,
}

impl<T> Slot<'_, T> {
    /// Whether the message of `position` is inside.
    #[inline(always)]
    pub(super) fn is_full(&self, position: u64) -> bool {
        match *self {
            // ORDERING: Acquire pairs with the Release in `publish`, so that the message is seen whole.
            Self::Fixed { lap, lap_shift, .. } => lap.load(Ordering::Acquire) == lap_of(position, lap_shift),
            // ORDERING: as above.
            Self::Movable { stamp, .. } => stamp.load(Ordering::Acquire) == position | FULL,
        }
    }

    /// Says more than [`is_full`](Self::is_full).
    pub(super) fn state(&self, position: u64) -> State {
        match *self {
            Self::Fixed { .. } if self.is_full(position) => State::Full,
            Self::Fixed { .. } => State::Coming,
            Self::Movable { stamp, .. } => {
                // ORDERING: Acquire pairs with the Releases in `publish` and `vacate`: what led to the stamp is seen too.
                match stamp.load(Ordering::Acquire) {
                    stamp if stamp == position | FULL => State::Full,
                    stamp if stamp == position || is_before(position, super::position(stamp)) => State::Gone,
                    _ => State::Coming,
                }
            }
        }
    }

    /// Whether the position of the lap before, `position`, is done with: published, or never to be.
    #[inline(always)]
    pub(super) fn is_settled(&self, position: u64) -> bool {
        match *self {
            // ORDERING: Acquire pairs with the Release in `publish`: who writes next does so after that writer.
            Self::Fixed { lap, lap_shift, .. } => lap.load(Ordering::Acquire) == lap_of(position, lap_shift),
            // ORDERING: as above.
            Self::Movable { stamp, .. } => stamp.load(Ordering::Acquire) | FULL == position | FULL,
        }
    }

    /// Has the processor fetch the slot, to be written soon.
    #[inline(always)]
    pub(super) fn prefetch(&self) {
        match *self {
            Self::Fixed { lap, cell, .. } => {
                prefetch_for_write(lap);
                prefetch_for_write(cell);
            }
            Self::Movable { stamp, .. } => prefetch_for_write(stamp),
        }
    }

    /// Returns the cell.
    #[inline(always)]
    pub(super) fn cell(&self) -> NonNull<Cell<T>> {
        match *self {
            Self::Fixed { cell, .. } => NonNull::from(cell),
            Self::Movable { place, .. } => {
                // ORDERING: Acquire pairs with the Release in `vacate`: who finds the new cell also finds the floor raised.
                NonNull::new(place.load(Ordering::Acquire)).expect("a slot always has a cell")
            }
        }
    }

    /// Puts the message of `position` in and lets subscribers at it. Returns the message of the lap before, if dropping it
    /// means anything. `is_first`: nothing was ever put in here.
    ///
    /// # Safety
    /// The caller has claimed `position`, found the slot settled, and no subscriber reads the cell (see the head of `log`).
    /// `is_first` is true exactly if no position before it fell to this slot.
    #[inline(always)]
    pub(super) unsafe fn publish(&self, position: u64, message: T, is_first: bool) -> Option<T> {
        let had_message = match *self {
            Self::Fixed { .. } => !is_first,
            // ORDERING: Relaxed; nobody but the claimer changes it, and the claimer has seen it settled.
            Self::Movable { stamp, .. } => stamp.load(Ordering::Relaxed) & FULL != 0,
        };
        // SAFETY: the cell is there as long as the log (C3).
        let cell = unsafe { self.cell().as_ref() };
        let last = (std::mem::needs_drop::<T>() && had_message).then(|| {
            // SAFETY: C1, it holds a message; ours alone by this function's contract.
            unsafe { cell.take() }
        });
        // SAFETY: the cell is empty now, or what it held needs no drop, and ours alone by this function's contract.
        unsafe { cell.put(message) };
        #[cfg(all(test, not(millpond_loom)))]
        crate::stall::point(crate::stall::Step::Post);
        match *self {
            Self::Fixed { lap, lap_shift, .. } => {
                // ORDERING: Release pairs with the Acquire in `is_full`: who sees the lap sees the message.
                lap.store(lap_of(position, lap_shift), Ordering::Release);
            }
            // ORDERING: as above.
            Self::Movable { stamp, .. } => stamp.store(position | FULL, Ordering::Release),
        }
        last
    }

    /// Takes the cell away together with the message of `position`, and leaves an empty one. For a slot that points at its
    /// cell.
    pub(super) fn vacate(&self, position: u64, empty: NonNull<Cell<T>>) -> NonNull<Cell<T>> {
        debug_assert_eq!(self.state(position), State::Full);
        let Self::Movable { stamp, place } = *self else {
            unreachable!("nothing is taken out of a log whose subscribers gate");
        };
        // ORDERING: Release pairs with the Acquire in `cell`.
        let cell = place.swap(empty.as_ptr(), Ordering::Release);
        // ORDERING: Release pairs with the Acquire in `state`.
        stamp.store(position, Ordering::Release);
        NonNull::new(cell).expect("a slot always has a cell")
    }
}

/// The lap of a position, as far as a byte goes.
#[inline(always)]
const fn lap_of(position: u64, lap_shift: u32) -> u8 {
    (position >> lap_shift) as u8
}

/// All slots of a log and the cells that they were made with.
pub(super) enum Slots<T> {
    /// The cells lie side by side, and so do the bytes that say which lap they hold: the fewest cache lines to pass to and
    /// fro between a publisher and its subscribers. But a message cannot be got out of the way.
    ///
    /// A byte is enough for a lap where everybody gates: a subscriber at some position keeps publishers off the lap that
    /// follows it, so that the slot holds this lap or the one before. A publisher that is 256 laps late may believe the
    /// slot settled, and then loses the CAS that follows, for `tail` has moved.
    Fixed { laps: Box<[AtomicU8]>, cells: Box<[Cell<T>]>, lap_shift: u32 },
    /// Each slot points at its cell.
    Movable {
        slots: Box<[(AtomicU64, AtomicPtr<Cell<T>>)]>,
        /// The cells, side by side: messages that follow each other mostly lie so.
        slab: NonNull<[Cell<T>]>,
    },
}

impl<T> Slots<T> {
    /// Makes `count` empty slots, of which slot `i` last held `last(i)`, with cells in them. `count` is a power of two.
    ///
    /// # Panics
    /// If the memory cannot be addressed or allocated.
    pub(super) fn fixed(count: usize, last: impl Fn(usize) -> u64) -> Self {
        debug_assert!(count.is_power_of_two());
        let lap_shift = lap_shift(count);
        let (mut laps, mut cells) = (with_room_for(count), with_room_for(count));
        laps.extend((0..count).map(|i| AtomicU8::new(lap_of(last(i), lap_shift))));
        cells.extend((0..count).map(|_| Cell::new()));
        Self::Fixed { laps: laps.into_boxed_slice(), cells: cells.into_boxed_slice(), lap_shift }
    }

    /// Makes `count` empty slots, of which slot `i` last held `last(i)`, and cells for them.
    ///
    /// # Panics
    /// If the memory cannot be addressed or allocated.
    pub(super) fn movable(count: usize, last: impl Fn(usize) -> u64) -> Self {
        let (mut slots, mut cells) = (with_room_for(count), with_room_for(count));
        cells.extend((0..count).map(|_| Cell::new()));
        let slab = NonNull::from(Box::leak(cells.into_boxed_slice()));
        for i in 0..count {
            // SAFETY: `i` is less than the number of cells.
            let cell = unsafe { slab.cast::<Cell<T>>().add(i) };
            slots.push((AtomicU64::new(last(i)), AtomicPtr::new(cell.as_ptr())));
        }
        Self::Movable { slots: slots.into_boxed_slice(), slab }
    }

    /// Returns the slots by themselves, if their cells lie beside them: for one who looks at many.
    #[inline(always)]
    pub(super) fn as_fixed(&self) -> Option<FixedSlots<'_, T>> {
        match self {
            Self::Fixed { laps, cells, lap_shift } => Some(FixedSlots { laps, cells, lap_shift: *lap_shift }),
            Self::Movable { .. } => None,
        }
    }

    /// Returns slot `index`.
    ///
    /// # Safety
    /// `index` is less than the number of slots.
    #[inline(always)]
    pub(super) unsafe fn get(&self, index: usize) -> Slot<'_, T> {
        match self {
            Self::Fixed { laps, cells, lap_shift } => {
                let slots = FixedSlots { laps, cells, lap_shift: *lap_shift };
                // SAFETY: this function's contract.
                unsafe { slots.get(index) }
            }
            Self::Movable { slots, .. } => {
                debug_assert!(index < slots.len());
                // SAFETY: this function's contract.
                let (stamp, place) = unsafe { slots.get_unchecked(index) };
                Slot::Movable { stamp, place }
            }
        }
    }
}

/// Slots whose cells never change, as parts that a loop keeps in registers.
pub(super) struct FixedSlots<'a, T> {
    laps: &'a [AtomicU8],
    cells: &'a [Cell<T>],
    lap_shift: u32,
}

impl<'a, T> FixedSlots<'a, T> {
    /// Whether slot `index` holds the message of `position`; then has the processor fetch it, to be read soon.
    ///
    /// # Safety
    /// `index` is less than the number of slots.
    #[inline(always)]
    pub(super) unsafe fn is_full(&self, index: usize, position: u64) -> bool {
        // SAFETY: this function's contract.
        let slot = unsafe { self.get(index) };
        let is_full = slot.is_full(position);
        if is_full {
            // SAFETY: this function's contract.
            prefetch_for_read(unsafe { self.cell(index) });
        }
        is_full
    }

    /// Returns the cell of slot `index`.
    ///
    /// # Safety
    /// `index` is less than the number of slots.
    #[inline(always)]
    pub(super) unsafe fn cell(&self, index: usize) -> &'a Cell<T> {
        debug_assert!(index < self.cells.len());
        // SAFETY: this function's contract.
        unsafe { self.cells.get_unchecked(index) }
    }

    /// Returns slot `index`.
    ///
    /// # Safety
    /// `index` is less than the number of slots.
    #[inline(always)]
    unsafe fn get(&self, index: usize) -> Slot<'a, T> {
        debug_assert!(index < self.laps.len());
        // SAFETY: this function's contract.
        let lap = unsafe { self.laps.get_unchecked(index) };
        // SAFETY: this function's contract.
        let cell = unsafe { self.cell(index) };
        Slot::Fixed { lap, cell, lap_shift: self.lap_shift }
    }
}

fn with_room_for<E>(count: usize) -> Vec<E> {
    let mut list = Vec::new();
    if let Err(error) = list.try_reserve_exact(count) {
        panic!("a broadcast channel of {count} slots does not fit into memory: {error}");
    }
    list
}

impl<T> Drop for Slots<T> {
    fn drop(&mut self) {
        if let Self::Movable { slab, .. } = self {
            // SAFETY: leaked in `movable`, and freed here only. The log has taken the messages out.
            drop(unsafe { Box::from_raw(slab.as_ptr()) });
        }
    }
}

/// Moves the message out of a cell.
///
/// # Safety
/// The cell's log is alive (C3), the cell holds a message, which is taken once, and nobody else reads or writes it until this
/// returns.
pub(super) unsafe fn take_out<T>(cell: NonNull<Cell<T>>) -> T {
    // SAFETY: the cell is there as long as the log (C3).
    let cell = unsafe { cell.as_ref() };
    // SAFETY: this function's contract.
    unsafe { cell.take() }
}

/// Makes a cell of its own, beside the slab.
pub(super) fn make_cell<T>() -> NonNull<Cell<T>> {
    NonNull::from(Box::leak(Box::new(Cell::new())))
}

/// Frees a cell made by [`make_cell`].
///
/// # Safety
/// It was made there, is freed once, holds no message and is not used any more.
pub(super) unsafe fn free_cell<T>(cell: NonNull<Cell<T>>) {
    // SAFETY: this function's contract.
    drop(unsafe { Box::from_raw(cell.as_ptr()) });
}
