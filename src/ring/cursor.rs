//! Cursor words and the arithmetic of positions: pure functions over numbers.
//!
//! ```text
//!    63                             3      2         1        0
//!   +----------------+---------------+----------+------+--------+
//!   |      lap       |     index     | RESERVED | WAIT | CLOSED |   a cursor word (head or tail)
//!   +----------------+---------------+----------+------+--------+
//!   |<---------- position ---------->|
//!   +----------------+---------------+----------+------+--------+
//!   |      lap       |     index     |    0     |  0   |  FULL  |   a slot's stamp
//!   +----------------+---------------+----------+------+--------+
//! ```
//!
//! A *position* is a cursor word without its flags. Its index runs from 0 to `capacity - 1`; then the lap goes up by
//! one and the index starts again, so any capacity works without a division. Positions wrap around at 2^64.

/// In `tail`: no more pushes. Never cleared.
pub(super) const CLOSED: u64 = 1;
/// In `tail`: a popper waits; in `head`: a pusher waits. Whoever moves the cursor past it owes a wake-up.
pub(super) const WAIT: u64 = 1 << 1;
/// In `tail`: room is promised to somebody, so that pushes must ask how much is left (`credit`).
pub(super) const RESERVED: u64 = 1 << 2;
/// In a stamp: the slot holds the value of the stamp's position.
pub(super) const FULL: u64 = 1;

const FLAGS: u64 = CLOSED | WAIT | RESERVED;
/// One step of the index.
const ONE: u64 = FLAGS + 1;
const INDEX_SHIFT: u32 = ONE.trailing_zeros();

/// The largest capacity: leaves at least 2^16 laps before a position repeats.
pub(super) const MAX_CAPACITY: usize = if usize::BITS >= 64 { 1 << 45 } else { usize::MAX >> 4 };

/// Returns the position in a cursor word.
#[inline(always)]
pub(super) const fn position(word: u64) -> u64 {
    word & !FLAGS
}

/// Returns the flags in a cursor word.
#[inline(always)]
pub(super) const fn flags(word: u64) -> u64 {
    word & FLAGS
}

/// The shape of one ring: what a position means in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Geometry {
    capacity: u64,
    /// The distance between a position and the same slot's next one: a power of two, at least `capacity` steps.
    lap: u64,
}

impl Geometry {
    /// Describes a ring of `capacity` slots.
    pub(super) fn new(capacity: usize) -> Self {
        assert!((1..=MAX_CAPACITY).contains(&capacity), "a ring has 1 to {MAX_CAPACITY} slots");
        let capacity = capacity as u64;
        Self { capacity, lap: capacity.next_power_of_two() << INDEX_SHIFT }
    }

    /// Returns how many slots there are.
    pub(super) const fn capacity(&self) -> usize {
        self.capacity as usize
    }

    /// Returns the slot of a position, less than the capacity.
    #[inline(always)]
    pub(super) const fn index(&self, position: u64) -> usize {
        let index = (position & (self.lap - 1)) >> INDEX_SHIFT;
        debug_assert!(index < self.capacity);
        index as usize
    }

    /// Returns the position after `position`.
    #[inline(always)]
    pub(super) const fn next(&self, position: u64) -> u64 {
        debug_assert!(flags(position) == 0);
        let index = (position & (self.lap - 1)) >> INDEX_SHIFT;
        if index + 1 < self.capacity {
            position + ONE
        } else {
            (position & !(self.lap - 1)).wrapping_add(self.lap)
        }
    }

    /// Returns the position `count` places after `position`, at most a whole lap.
    #[inline(always)]
    pub(super) const fn advance(&self, position: u64, count: usize) -> u64 {
        debug_assert!(flags(position) == 0 && count as u64 <= self.capacity);
        let index = ((position & (self.lap - 1)) >> INDEX_SHIFT) + count as u64;
        if index < self.capacity {
            position + count as u64 * ONE
        } else {
            (position & !(self.lap - 1)).wrapping_add(self.lap) + (index - self.capacity) * ONE
        }
    }

    /// Returns the position of the same slot one lap later.
    #[inline(always)]
    pub(super) const fn next_lap(&self, position: u64) -> u64 {
        position.wrapping_add(self.lap)
    }

    /// Returns the position of the same slot one lap earlier.
    #[inline(always)]
    pub(super) const fn last_lap(&self, position: u64) -> u64 {
        position.wrapping_sub(self.lap)
    }

    /// Returns how many positions lie from `head` up to, not including, `tail`; never more than the capacity.
    ///
    /// Each push that is just displacing the oldest value puts `tail` one position further than a full ring's. A `head` that
    /// was read later than `tail`, and has passed it, means that nothing is left of what was before `tail`.
    pub(super) const fn len(&self, head: u64, tail: u64) -> usize {
        let ahead = tail.wrapping_sub(head);
        if ahead > u64::MAX / 2 {
            return 0;
        }
        if ahead >= self.lap {
            return self.capacity as usize;
        }
        let (head_index, tail_index) = (self.index(head), self.index(tail));
        let same_lap = (head ^ tail) < self.lap;
        if same_lap { tail_index - head_index } else { self.capacity as usize - head_index + tail_index }
    }

    /// Returns the position where the cursors of a new ring start, `laps` trips before the wrap-around.
    #[cfg(any(test, millpond_model))]
    pub(super) const fn start_before_wrap(&self, laps: u64) -> u64 {
        0u64.wrapping_sub(self.lap.wrapping_mul(laps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Walks three laps of every small capacity, from zero and across the wrap-around, against plain counting.
    #[test]
    fn positions_follow_counting() {
        for capacity in 1..=8usize {
            let geometry = Geometry::new(capacity);
            for start in [0, geometry.start_before_wrap(1), geometry.start_before_wrap(2)] {
                let mut position = start;
                for count in 0..3 * capacity {
                    assert_eq!(geometry.index(position), count % capacity);
                    assert_eq!(flags(position), 0);
                    let next = geometry.next(position);
                    assert_ne!(next, position);
                    assert_eq!(geometry.last_lap(geometry.next_lap(position)), position);
                    if count % capacity == capacity - 1 {
                        assert_eq!(geometry.index(next), 0);
                    }
                    position = next;
                }
            }
        }
    }

    #[test]
    fn len_is_the_distance_up_to_the_capacity() {
        for capacity in 1..=8usize {
            let geometry = Geometry::new(capacity);
            for start in [0, geometry.start_before_wrap(1)] {
                let mut head = start;
                for _ in 0..3 * capacity {
                    let mut tail = head;
                    for distance in 0..=capacity {
                        assert_eq!(geometry.len(head, tail), distance, "capacity {capacity}");
                        tail = geometry.next(tail);
                    }
                    head = geometry.next(head);
                }
            }
        }
    }

    /// While pushes displace the oldest values, `tail` is up to one position ahead of a full ring for each of them.
    #[test]
    fn len_never_exceeds_nor_loses_the_capacity_while_values_are_displaced() {
        for capacity in 1..=8usize {
            let geometry = Geometry::new(capacity);
            for start in [0, geometry.start_before_wrap(1), geometry.start_before_wrap(2)] {
                let mut head = start;
                for _ in 0..3 * capacity {
                    let mut tail = geometry.next_lap(head);
                    for displacing in 0..capacity {
                        assert_eq!(
                            geometry.len(head, tail),
                            capacity,
                            "{capacity} slots, {displacing} displacing"
                        );
                        tail = geometry.next(tail);
                    }
                    head = geometry.next(head);
                }
            }
        }
    }

    #[test]
    fn advancing_is_so_many_steps() {
        for capacity in 1..=8usize {
            let geometry = Geometry::new(capacity);
            for start in [0, geometry.start_before_wrap(1), geometry.start_before_wrap(2)] {
                let mut first = start;
                for _ in 0..3 * capacity {
                    let mut at = first;
                    for count in 0..=capacity {
                        assert_eq!(geometry.advance(first, count), at, "{capacity} slots, {count} steps");
                        at = geometry.next(at);
                    }
                    first = geometry.next(first);
                }
            }
        }
    }

    #[test]
    fn len_is_zero_when_head_was_read_too_late() {
        let geometry = Geometry::new(3);
        let mut head = geometry.next(0);
        for _ in 0..9 {
            assert_eq!(geometry.len(head, 0), 0);
            head = geometry.next(head);
        }
    }

    #[test]
    fn a_full_ring_is_exactly_one_lap_long() {
        for capacity in 1..=8usize {
            let geometry = Geometry::new(capacity);
            let mut tail = 0;
            for _ in 0..capacity {
                assert_ne!(tail, geometry.next_lap(0));
                tail = geometry.next(tail);
            }
            assert_eq!(tail, geometry.next_lap(0));
        }
    }

    #[test]
    #[should_panic(expected = "a ring has 1 to")]
    fn capacity_zero_is_refused() {
        let _ = Geometry::new(0);
    }
}
