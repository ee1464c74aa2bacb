//! What is due when: a heap by due time, first in first out among equals, from which anything can be taken back.
//!
//! ```text
//!   heap:  (due, sequence, slot)  (due, sequence, slot)  ...     four children to each, the least on top
//!                          |
//!   slots: [ value, sequence, its place in the heap ] [ free, the next free slot ] ...
//! ```
//!
//! The heap moves entries of three words, however large the values are, and a key finds its value without a search: it names
//! the slot, and by its sequence the one value that it was made for. Four children make the heap half as deep as two do, and
//! they lie in two cache lines. An entry takes 24 bytes in the heap, and in its slot 16 beside the value (24 where the value
//! leaves no room for a mark that there is none). Both grow by doubling, so that a push takes O(1) to O(log n) but for one in n,
//! which moves all the others; both give their memory back when the schedule is empty.
//!
//! Other structures were measured: see "A schedule of a million" in `benches/EXPERIMENTS.md`.

use super::moment::Moment;

/// How many children an entry has.
const CHILDREN: usize = 4;
/// The place in the free list where it ends.
const NO_SLOT: usize = usize::MAX;
/// The capacity that an empty schedule may keep: a guess at what is not worth giving back.
const KEPT_WHEN_EMPTY: usize = 1024;

/// Values that wait for their time. Knows no clock: the caller says what time it is.
///
/// `push`, `pop_due` and `cancel` take O(log n), `next_due` and `len` O(1); nothing here blocks, and no value is dropped.
pub(crate) struct Schedule<T> {
    heap: Vec<Entry>,
    slots: Vec<Slot<T>>,
    /// The first free slot.
    free: usize,
    /// Number of the next entry: keeps the order of entries due at the same moment, and is never used again.
    next: u64,
}

#[derive(Clone, Copy)]
struct Entry {
    due: Moment,
    sequence: u64,
    slot: usize,
}

impl Entry {
    /// What the heap is ordered by: no two entries have the same.
    fn order(&self) -> (Moment, u64) {
        (self.due, self.sequence)
    }

    fn is_before(&self, other: &Self) -> bool {
        self.order() < other.order()
    }
}

struct Slot<T> {
    sequence: u64,
    /// Where its entry is in the heap; in a free slot, the next free one.
    place: usize,
    value: Option<T>,
}

/// The name of one value in a schedule, for good: no other value ever has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    slot: usize,
    sequence: u64,
}

/// What [`Schedule::push`] tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scheduled {
    /// By which the value can be taken back.
    pub(crate) key: Key,
    /// Nothing else is due before it, so that a timer has to look again.
    pub(crate) is_earliest: bool,
}

impl<T> Schedule<T> {
    pub(crate) fn new() -> Self {
        Self { heap: Vec::new(), slots: Vec::new(), free: NO_SLOT, next: 0 }
    }

    /// Adds a value.
    pub(crate) fn push(&mut self, due: Moment, value: T) -> Scheduled {
        let is_earliest = self.next_due().is_none_or(|next| due < next);
        let (sequence, place) = (self.next, self.heap.len());
        self.next += 1;
        let slot = self.fill(Slot { sequence, place, value: Some(value) });
        let entry = Entry { due, sequence, slot };
        self.heap.push(entry);
        self.rise(place, entry);
        Scheduled { key: Key { slot, sequence }, is_earliest }
    }

    /// Takes the value that has been due for longest, if one is due at `now`.
    pub(crate) fn pop_due(&mut self, now: Moment) -> Option<T> {
        if self.next_due()? > now {
            return None;
        }
        self.remove(0)
    }

    /// Takes a value back before its time, if it is still there.
    pub(crate) fn cancel(&mut self, key: Key) -> Option<T> {
        let slot = self.slots.get(key.slot)?;
        if slot.sequence != key.sequence || slot.value.is_none() {
            return None;
        }
        self.remove(slot.place)
    }

    /// Takes every value due later than `horizon`, the earliest first.
    pub(crate) fn split_after(&mut self, horizon: Moment) -> Vec<T> {
        // What is in order is a heap as well.
        self.heap.sort_unstable_by_key(Entry::order);
        let kept = self.heap.partition_point(|entry| entry.due <= horizon);
        let late: Vec<_> = self.heap.drain(kept..).collect();
        for (place, entry) in self.heap.iter().enumerate() {
            self.slots[entry.slot].place = place;
        }
        let values = late.iter().filter_map(|entry| self.empty(entry.slot)).collect();
        self.give_back();
        values
    }

    /// Takes every value, the earliest first.
    pub(crate) fn drain(&mut self) -> Vec<T> {
        let mut entries = std::mem::take(&mut self.heap);
        entries.sort_unstable_by_key(Entry::order);
        let values = entries.iter().filter_map(|entry| self.empty(entry.slot)).collect();
        self.give_back();
        values
    }

    /// Returns when the next value is due.
    pub(crate) fn next_due(&self) -> Option<Moment> {
        self.heap.first().map(|entry| entry.due)
    }

    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    /// Puts a value into a free slot, or a new one.
    fn fill(&mut self, content: Slot<T>) -> usize {
        let slot = self.free;
        match self.slots.get_mut(slot) {
            Some(found) => {
                self.free = found.place;
                *found = content;
                slot
            }
            None => {
                self.slots.push(content);
                self.slots.len() - 1
            }
        }
    }

    /// Takes the value out of a slot, which is free from then on.
    fn empty(&mut self, slot: usize) -> Option<T> {
        let found = &mut self.slots[slot];
        found.place = self.free;
        self.free = slot;
        found.value.take()
    }

    /// Takes the entry at `place` out of the heap, and its value with it.
    fn remove(&mut self, place: usize) -> Option<T> {
        let entry = self.heap[place];
        let last = self.heap.pop()?;
        if place < self.heap.len() {
            // The last entry fills the gap: it may come from another branch, and so belong above or below.
            if place > 0 && last.is_before(&self.heap[(place - 1) / CHILDREN]) {
                self.rise(place, last);
            } else {
                self.sink(place, last);
            }
        }
        let value = self.empty(entry.slot);
        self.give_back();
        value
    }

    /// Puts `entry` at `place`, or as far above as it is less than what is there.
    fn rise(&mut self, mut place: usize, entry: Entry) {
        while place > 0 {
            let parent = (place - 1) / CHILDREN;
            if !entry.is_before(&self.heap[parent]) {
                break;
            }
            self.set(place, self.heap[parent]);
            place = parent;
        }
        self.set(place, entry);
    }

    /// Puts `entry` at `place`, or as far below as it is greater than what is there.
    fn sink(&mut self, mut place: usize, entry: Entry) {
        loop {
            let first = CHILDREN * place + 1;
            let end = self.heap.len().min(first + CHILDREN);
            let Some((&child, others)) = self.heap[first.min(end)..end].split_first() else { break };
            let (mut least, mut found) = (first, child);
            for (other, index) in others.iter().zip(first + 1..) {
                if other.is_before(&found) {
                    (least, found) = (index, *other);
                }
            }
            if !found.is_before(&entry) {
                break;
            }
            self.set(place, found);
            place = least;
        }
        self.set(place, entry);
    }

    fn set(&mut self, place: usize, entry: Entry) {
        self.heap[place] = entry;
        self.slots[entry.slot].place = place;
    }

    /// Lets go of the memory of a schedule that was large and is empty.
    fn give_back(&mut self) {
        if self.heap.is_empty() && self.slots.len() > KEPT_WHEN_EMPTY {
            (self.heap, self.slots, self.free) = (Vec::new(), Vec::new(), NO_SLOT);
        }
    }
}

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
        assert!(schedule.push(at(10), 'a').is_earliest);
        assert!(!schedule.push(at(10), 'b').is_earliest, "the same time is no earlier");
        assert!(!schedule.push(at(11), 'c').is_earliest);
        assert!(schedule.push(at(9), 'd').is_earliest);
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

    #[test]
    fn a_key_takes_its_own_value_and_no_other() {
        let mut schedule = Schedule::new();
        let keys: Vec<_> = (0..100).map(|index| schedule.push(at(index % 7), index).key).collect();
        assert_eq!(schedule.cancel(keys[50]), Some(50));
        assert_eq!(schedule.cancel(keys[50]), None);
        let again = schedule.push(at(3), 1_000).key;
        assert_eq!(schedule.cancel(keys[50]), None, "the slot has another value by now");
        assert_eq!(schedule.pop_due(at(0)), Some(0));
        assert_eq!(schedule.cancel(keys[0]), None, "it was popped");
        assert_eq!(schedule.split_after(at(5)).first(), Some(&6));
        assert_eq!((schedule.cancel(keys[6]), schedule.cancel(keys[5])), (None, Some(5)));
        assert_eq!(schedule.cancel(again), Some(1_000));
        schedule.drain();
        assert!(keys.iter().all(|key| schedule.cancel(*key).is_none()));
        schedule.push(at(1), 7);
        assert!(keys.iter().all(|key| schedule.cancel(*key).is_none()));
    }

    #[test]
    fn an_empty_schedule_gives_its_memory_back() {
        let mut schedule = Schedule::new();
        let fill = |schedule: &mut Schedule<u64>| {
            for due in 0..10_000 {
                schedule.push(at(due), due);
            }
            assert!(schedule.slots.capacity() >= 10_000);
        };
        fill(&mut schedule);
        while schedule.pop_due(Moment::NEVER).is_some() {}
        assert_eq!(schedule.slots.capacity() + schedule.heap.capacity(), 0);
        fill(&mut schedule);
        assert_eq!(schedule.drain().len() + schedule.slots.capacity(), 10_000);
        fill(&mut schedule);
        assert_eq!(schedule.split_after(Moment::ORIGIN).len(), 9_999);
        assert_eq!((schedule.len(), schedule.slots.capacity() > 0), (1, true));
        for _ in 0..100_000 {
            let key = schedule.push(at(1), 1).key;
            assert_eq!(schedule.cancel(key), Some(1));
        }
        assert!(schedule.slots.len() <= 10_000, "slots are used again");
    }

    #[test]
    fn an_entry_costs_five_words_beside_the_value() {
        assert_eq!(size_of::<Entry>(), 24);
        assert_eq!(size_of::<Slot<Box<u64>>>(), 16 + 8);
        assert_eq!(size_of::<Slot<u64>>(), 24 + 8);
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Push(u64),
        Pop(u64),
        Cancel(usize),
        SplitAfter(u64),
    }

    fn any_step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (0..20u64).prop_map(Step::Push),
            3 => (0..20u64).prop_map(Step::Pop),
            3 => (0..300usize).prop_map(Step::Cancel),
            1 => (10..20u64).prop_map(Step::SplitAfter),
        ]
    }

    impl<T> Schedule<T> {
        fn check(&self) {
            for (place, entry) in self.heap.iter().enumerate() {
                let slot = &self.slots[entry.slot];
                assert!(slot.place == place && slot.sequence == entry.sequence && slot.value.is_some());
                assert!(place == 0 || self.heap[(place - 1) / CHILDREN].is_before(entry));
            }
            assert_eq!(self.slots.iter().filter(|slot| slot.value.is_some()).count(), self.heap.len());
        }
    }

    proptest! {
        /// Against a sorted list: whatever is popped at any time is the earliest due, first in first out.
        #[test]
        fn agrees_with_a_sorted_list(steps in prop::collection::vec(any_step(), 0..300)) {
            let mut schedule = Schedule::new();
            let mut model: Vec<(u64, usize)> = Vec::new();
            let mut keys = Vec::new();
            for step in steps {
                match step {
                    Step::Push(time) => {
                        let earliest = model.first().is_none_or(|&(due, _)| time < due);
                        let value = (time, keys.len());
                        let pushed = schedule.push(at(time), value);
                        prop_assert_eq!(pushed.is_earliest, earliest);
                        keys.push(pushed.key);
                        model.push(value);
                        model.sort_unstable();
                    }
                    Step::Pop(time) => {
                        let due = model.first().is_some_and(|&(due, _)| due <= time).then(|| model.remove(0));
                        prop_assert_eq!(schedule.pop_due(at(time)), due);
                    }
                    Step::Cancel(which) if which < keys.len() => {
                        let place = model.iter().position(|&(_, index)| index == which);
                        prop_assert_eq!(schedule.cancel(keys[which]), place.map(|place| model.remove(place)));
                    }
                    Step::Cancel(_) => {}
                    Step::SplitAfter(horizon) => {
                        let kept = model.partition_point(|&(due, _)| due <= horizon);
                        prop_assert_eq!(schedule.split_after(at(horizon)), model.split_off(kept));
                    }
                }
                schedule.check();
                prop_assert_eq!(schedule.len(), model.len());
                prop_assert_eq!(schedule.next_due(), model.first().map(|&(due, _)| at(due)));
            }
            prop_assert_eq!(schedule.drain(), model);
        }
    }

    /// The figures of `benches/EXPERIMENTS.md`: `cargo test --release --lib -- --ignored --nocapture a_million`.
    #[test]
    #[ignore = "prints figures, checks nothing"]
    fn a_million_pending() {
        const COUNT: u32 = 1_000_000;
        let mut schedule = Schedule::new();
        // Spread over five hours, in no order.
        let due = |id: u64| at(id.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20);
        let mut keys = Vec::with_capacity(COUNT as usize);
        let mut longest = Duration::ZERO;
        let print = |what: &str, start: std::time::Instant, count: u32| {
            println!("{what}: {:?} each", start.elapsed() / count);
        };
        let start = std::time::Instant::now();
        for id in 0..u64::from(COUNT) {
            keys.push(schedule.push(due(id), [id; 5]).key);
        }
        print("push, up to a million", start, COUNT);
        let start = std::time::Instant::now();
        for id in 0..100_000 {
            let before = std::time::Instant::now();
            schedule.push(due(id * 31), [id; 5]);
            longest = longest.max(before.elapsed());
        }
        print("push, above a million", start, 100_000);
        println!("the longest of those, which grows the schedule: {longest:?}");
        let start = std::time::Instant::now();
        for id in 0..500_000 {
            let key = keys[id * 619_993 % keys.len()];
            std::hint::black_box(schedule.cancel(key));
        }
        print("cancel", start, 500_000);
        let start = std::time::Instant::now();
        let left = schedule.len();
        while schedule.pop_due(Moment::NEVER).is_some() {}
        print("pop", start, u32::try_from(left).unwrap());
    }
}
