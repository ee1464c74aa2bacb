//! Words and the arithmetic of positions: pure functions over numbers.
//!
//! ```text
//!    63                              3     2        1        0
//!   +---------------------------------+---------+------+--------+
//!   |         sequence number         | RESCAN  | WAIT | CLOSED |   `tail`
//!   +---------------------------------+---------+------+--------+
//!   |         sequence number         |    0    |  0   |  FULL  |   a slot's stamp, where messages move
//!   +---------------------------------+---------+------+--------+
//!   |         sequence number         |    0    |GATES | PINNED |   a subscriber's word
//!   +---------------------------------+---------+------+--------+
//! ```
//!
//! A *position* is such a word without its flags: eight times a sequence number. Positions wrap around at 2^64, and two of
//! them are compared by their distance, which is always far below 2^63.

#![forbid(unsafe_code)]

/// In `tail`: nothing more is published. Never cleared.
pub(super) const CLOSED: u64 = 1;
/// In `tail`: a subscriber waits. Whoever moves `tail` past it owes a wake-up to all.
pub(super) const WAIT: u64 = 1 << 1;
/// In `tail`: the limit is out of date; nobody moves `tail` before it was counted anew. Cleared by that move alone.
pub(super) const RESCAN: u64 = 1 << 2;

/// In a stamp: the slot holds the message of the stamp's position.
pub(super) const FULL: u64 = 1;

/// In a subscriber's word: it is reading the message at this position, or about to.
pub(super) const PINNED: u64 = 1;
/// In a subscriber's word: it has yet to read this message and all that follow.
pub(super) const GATES: u64 = 1 << 1;

const FLAGS: u64 = CLOSED | WAIT | RESCAN;
/// One step.
pub(super) const ONE: u64 = FLAGS + 1;
const SHIFT: u32 = ONE.trailing_zeros();

/// The largest capacity: far from the distance at which "before" turns into "after".
pub(super) const MAX_CAPACITY: usize = if usize::BITS >= 64 { 1 << 40 } else { usize::MAX >> 5 };

/// Returns the position in a word.
#[inline(always)]
pub(super) const fn position(word: u64) -> u64 {
    word & !FLAGS
}

/// Returns the position `count` messages after `position`.
#[inline(always)]
pub(super) const fn ahead(position: u64, count: u64) -> u64 {
    position.wrapping_add(count << SHIFT)
}

/// Returns the position `count` messages before `position`.
#[inline(always)]
pub(super) const fn behind(position: u64, count: u64) -> u64 {
    position.wrapping_sub(count << SHIFT)
}

/// Returns how many messages lie from `first` up to, not including, `end`, which is not before it.
#[inline(always)]
pub(super) const fn distance(first: u64, end: u64) -> u64 {
    end.wrapping_sub(first) >> SHIFT
}

/// Whether `one` comes before `other`.
#[inline(always)]
pub(super) const fn is_before(one: u64, other: u64) -> bool {
    (one.wrapping_sub(other) as i64) < 0
}

/// Returns the earlier of two positions.
pub(super) const fn earlier(one: u64, other: u64) -> u64 {
    if is_before(one, other) { one } else { other }
}

/// Returns the later of two positions.
pub(super) const fn later(one: u64, other: u64) -> u64 {
    if is_before(one, other) { other } else { one }
}

/// Returns the number of the message at `position`.
pub(super) const fn sequence(position: u64) -> u64 {
    position >> SHIFT
}

/// Returns the position of the message with this number; numbers repeat after 2^61 messages.
pub(super) const fn at_sequence(sequence: u64) -> u64 {
    sequence << SHIFT
}

/// Returns by how many bits a position is shifted to count the laps of so many slots, a power of two.
pub(super) const fn lap_shift(slots: usize) -> u32 {
    SHIFT + slots.trailing_zeros()
}

/// How many messages are kept, and in how many slots.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// How many messages are kept for those who have yet to read them, or come late.
    pub(super) capacity: u64,
    /// How many slots there are: a power of two, not less than `capacity`.
    pub(super) slots: u64,
    /// How far the limit is raised at a time, where that is a choice; at most the slots that are not kept.
    pub(super) step: u64,
}

impl Shape {
    /// The limit is raised over this many messages at a time, if there is room: the price of a scan is spread over them.
    const MIN_STEP: u64 = 16;

    /// No more slots than it takes: for a log whose subscribers are safe because they gate.
    pub(super) fn tight(capacity: usize) -> Self {
        let capacity = Self::checked(capacity);
        Self { capacity, slots: capacity.next_power_of_two(), step: 0 }
    }

    /// With slots to spare, a quarter of the capacity and one at least, so that what is kept is never what is overwritten
    /// next.
    pub(super) fn roomy(capacity: usize) -> Self {
        let capacity = Self::checked(capacity);
        let slots = (capacity + capacity / 4 + 1).next_power_of_two();
        let step = (capacity / 4).max(Self::MIN_STEP).min(slots - capacity);
        Self { capacity, slots, step }
    }

    fn checked(capacity: usize) -> u64 {
        assert!(
            (1..=MAX_CAPACITY).contains(&capacity),
            "a broadcast channel keeps 1 to {MAX_CAPACITY} messages, not {capacity}"
        );
        capacity as u64
    }

    /// Returns the slot of a position, less than `slots`.
    #[inline(always)]
    pub(super) const fn index(&self, position: u64) -> usize {
        ((position >> SHIFT) & (self.slots - 1)) as usize
    }

    /// Returns the oldest position that is kept when `tail` is the next to be published and `start` was the first.
    pub(super) const fn oldest(&self, start: u64, tail: u64) -> u64 {
        if distance(start, tail) < self.capacity { start } else { behind(tail, self.capacity) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Walks over the wrap-around with every small distance, against plain counting.
    #[test]
    fn positions_follow_counting() {
        for start in [0, behind(0, 1), behind(0, 9), at_sequence(1 << 40)] {
            for count in 0..20 {
                let at = ahead(start, count);
                assert_eq!(position(at | FLAGS), at);
                assert_eq!(distance(start, at), count);
                assert_eq!(behind(at, count), start);
                assert_eq!(is_before(start, at), count > 0);
                assert!(!is_before(at, start));
                assert_eq!((earlier(start, at), later(at, start)), (start, at));
                assert_eq!(at_sequence(sequence(at)), at);
            }
        }
    }

    #[test]
    fn shapes_hold_what_they_promise() {
        for capacity in (1..=70).chain([1000, 1023, 1024, 1025, 1 << 20]) {
            let (tight, roomy) = (Shape::tight(capacity), Shape::roomy(capacity));
            assert!(tight.slots.is_power_of_two() && tight.slots >= tight.capacity);
            assert!(tight.slots < 2 * tight.capacity);
            assert!(roomy.slots.is_power_of_two() && roomy.slots > roomy.capacity);
            assert!(2 * roomy.slots <= 5 * roomy.capacity.max(2), "{capacity}");
            assert!(roomy.step >= 1 && roomy.step <= roomy.slots - roomy.capacity);
        }
    }

    #[test]
    fn slots_are_taken_in_turn_across_the_wrap_around() {
        for shape in [Shape::tight(3), Shape::tight(1), Shape::roomy(5)] {
            let start = behind(0, 7);
            for count in 0..20 {
                let (one, next) = (shape.index(ahead(start, count)), shape.index(ahead(start, count + 1)));
                assert_eq!(next, (one + 1) % shape.slots as usize);
            }
        }
    }

    #[test]
    fn the_oldest_kept_is_the_first_until_there_are_more() {
        let shape = Shape::tight(4);
        for start in [0, behind(0, 2)] {
            for count in 0..12 {
                let oldest = shape.oldest(start, ahead(start, count));
                assert_eq!(distance(start, oldest), count.saturating_sub(4));
            }
        }
    }

    #[test]
    #[should_panic(expected = "keeps 1 to")]
    fn capacity_zero_is_refused() {
        let _ = Shape::roomy(0);
    }
}
