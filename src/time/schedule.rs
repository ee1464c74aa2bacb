//! What is due when: a heap by due time, first in first out among equals.

use super::moment::Moment;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Values that wait for their time. Knows no clock: the caller says what time it is.
///
/// `push` and `pop_due` take O(log n); nothing here blocks.
pub(crate) struct Schedule<T> {
    heap: BinaryHeap<Entry<T>>,
    /// Number of the next entry: keeps the order of entries due at the same moment.
    next: u64,
}

struct Entry<T> {
    due: Moment,
    sequence: u64,
    value: T,
}

impl<T> Schedule<T> {
    pub(crate) fn new() -> Self {
        Self { heap: BinaryHeap::new(), next: 0 }
    }

    /// Adds a value. Returns true when nothing else is due before it, so that a timer has to look again.
    pub(crate) fn push(&mut self, due: Moment, value: T) -> bool {
        let earliest = self.next_due().is_none_or(|next| due < next);
        self.heap.push(Entry { due, sequence: self.next, value });
        self.next += 1;
        earliest
    }

    /// Takes the value that has been due for longest, if one is due at `now`.
    pub(crate) fn pop_due(&mut self, now: Moment) -> Option<T> {
        if self.next_due()? > now {
            return None;
        }
        self.heap.pop().map(|entry| entry.value)
    }

    /// Takes every value due later than `horizon`, the earliest first.
    pub(crate) fn split_after(&mut self, horizon: Moment) -> Vec<T> {
        let (mut late, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.heap).into_vec().into_iter().partition(|entry| entry.due > horizon);
        self.heap = kept.into();
        late.sort_unstable_by(|a, b| b.cmp(a));
        late.into_iter().map(|entry| entry.value).collect()
    }

    /// Takes every value, the earliest first.
    pub(crate) fn drain(&mut self) -> Vec<T> {
        let sorted = std::mem::take(&mut self.heap).into_sorted_vec();
        sorted.into_iter().rev().map(|entry| entry.value).collect()
    }

    /// Returns when the next value is due.
    pub(crate) fn next_due(&self) -> Option<Moment> {
        self.heap.peek().map(|entry| entry.due)
    }

    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }
}

// The heap is a max-heap, so the *greatest* entry is the one due first.
impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.due, other.sequence).cmp(&(self.due, self.sequence))
    }
}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Entry<T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn at(nanos: u64) -> Moment {
        Moment::ORIGIN.after(Duration::from_nanos(nanos))
    }

    #[test]
    fn tells_when_a_timer_must_look_again() {
        let mut schedule = Schedule::new();
        assert_eq!(schedule.next_due(), None);
        assert!(schedule.push(at(10), 'a'));
        assert!(!schedule.push(at(10), 'b'), "the same time is no earlier");
        assert!(!schedule.push(at(11), 'c'));
        assert!(schedule.push(at(9), 'd'));
        assert_eq!(schedule.pop_due(at(8)), None);
        let due: Vec<_> = std::iter::from_fn(|| schedule.pop_due(at(10))).collect();
        assert_eq!(due, ['d', 'a', 'b']);
        assert_eq!((schedule.len(), schedule.next_due()), (1, Some(at(11))));
    }

    #[test]
    fn splits_at_the_horizon_and_drains_in_order() {
        let mut schedule = Schedule::new();
        for (index, due) in [5, 1, 9, 5, 7, 1].into_iter().enumerate() {
            schedule.push(at(due), (due, index));
        }
        assert_eq!(schedule.split_after(at(5)), [(7, 4), (9, 2)]);
        assert_eq!(schedule.split_after(at(5)), []);
        assert_eq!(schedule.drain(), [(1, 1), (1, 5), (5, 0), (5, 3)]);
        assert_eq!((schedule.len(), schedule.next_due()), (0, None));
    }

    proptest! {
        /// Against a sorted list: whatever is popped at any time is the earliest due, first in first out.
        #[test]
        fn agrees_with_a_sorted_list(steps in prop::collection::vec((any::<bool>(), 0u64..20), 0..200)) {
            let mut schedule = Schedule::new();
            let mut model: Vec<(u64, usize)> = Vec::new();
            for (index, (push, time)) in steps.into_iter().enumerate() {
                if push {
                    let earliest = model.first().is_none_or(|&(due, _)| time < due);
                    prop_assert_eq!(schedule.push(at(time), (time, index)), earliest);
                    model.push((time, index));
                    model.sort_unstable();
                } else {
                    let due = model.first().is_some_and(|&(due, _)| due <= time).then(|| model.remove(0));
                    prop_assert_eq!(schedule.pop_due(at(time)), due);
                }
                prop_assert_eq!(schedule.len(), model.len());
            }
            prop_assert_eq!(schedule.drain(), model);
        }
    }
}
