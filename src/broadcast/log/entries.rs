//! The subscribers' words: a list that only grows, walked without a lock.
//!
//! E1. An entry, once in the list, stays where it is until the list is dropped; one that is given back is used again. So
//!     there are never more entries than there were subscribers at the same time.
//! E2. Only the owner of an entry changes its word.

use super::position::{GATES, PINNED, is_before, position};
use crate::sync::CachePadded;
use crate::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use std::ptr::NonNull;

/// What a subscriber tells the publishers.
pub(super) struct Entry {
    /// Its position with GATES and PINNED; without either it holds nobody up.
    word: AtomicU64,
    /// Whether a publisher has thrown it out for being slow: its word gates no more.
    evicted: AtomicBool,
    owned: AtomicBool,
}

impl Entry {
    /// Makes the word of a new owner count. Called with the scan locked: a scanner that had the last owner in mind is done.
    pub(super) fn enter(&self, word: u64) {
        // ORDERING: Relaxed; the lock orders it.
        self.evicted.store(false, Ordering::Relaxed);
        self.stand(word);
    }

    /// Says where the subscriber stands. What it has read before is done with.
    #[inline(always)]
    pub(super) fn stand(&self, word: u64) {
        // ORDERING: Release pairs with the Acquire in `word`: who sees the word comes after our reads.
        self.word.store(word, Ordering::Release);
    }

    fn word(&self) -> u64 {
        // ORDERING: Acquire pairs with the Release in `stand`.
        self.word.load(Ordering::Acquire)
    }

    /// Whether the subscriber was thrown out.
    pub(super) fn is_evicted(&self) -> bool {
        // ORDERING: Relaxed; nothing else is read because of it. Who pins has acquired the floor that came with it.
        self.evicted.load(Ordering::Relaxed)
    }

    fn evict(&self) {
        // ORDERING: Relaxed; the floor that is raised behind it passes it on to those who pin, and the lock to other scanners.
        self.evicted.store(true, Ordering::Relaxed);
    }

    /// The position at which it gates, if it does.
    fn gate(&self) -> Option<u64> {
        let word = self.word();
        (word & GATES != 0 && !self.is_evicted()).then(|| position(word))
    }

    /// Gives the entry back.
    pub(super) fn release(&self) {
        self.stand(0);
        // ORDERING: Release pairs with the Acquire in `Entries::acquire`: the next owner comes after us.
        self.owned.store(false, Ordering::Release);
    }

    fn is_owned(&self) -> bool {
        // ORDERING: Relaxed; for counting.
        self.owned.load(Ordering::Relaxed)
    }
}

struct Node {
    entry: CachePadded<Entry>,
    /// The node that was first when this one was put before it.
    next: *mut Node,
}

/// The list of all entries.
pub(super) struct Entries {
    first: AtomicPtr<Node>,
}

impl Entries {
    pub(super) fn new() -> Self {
        Self { first: AtomicPtr::new(std::ptr::null_mut()) }
    }

    /// Takes an entry that nobody owns, or makes one. It gates nobody before [`Entry::enter`].
    pub(super) fn acquire(&self) -> NonNull<Entry> {
        let free = self.iter().find(|entry| {
            // ORDERING: Acquire pairs with the Release in `release`; on failure nothing is learned.
            entry.owned.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
        });
        if let Some(entry) = free {
            return NonNull::from(entry);
        }
        self.push(Entry {
            word: AtomicU64::new(0),
            evicted: AtomicBool::new(false),
            owned: AtomicBool::new(true),
        })
    }

    fn push(&self, entry: Entry) -> NonNull<Entry> {
        // ORDERING: Relaxed; the CAS decides.
        let mut first = self.first.load(Ordering::Relaxed);
        let node = Box::into_raw(Box::new(Node { entry: CachePadded::new(entry), next: first }));
        loop {
            // ORDERING: Release pairs with the Acquire in `iter`: who finds the node sees it whole.
            match self.first.compare_exchange(first, node, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => break,
                Err(now) => first = now,
            }
            // SAFETY: the node is not in the list, so it is ours alone.
            unsafe { (*node).next = first };
        }
        // SAFETY: the node was made above and stays in place (E1).
        let entry: &Entry = unsafe { &(*node).entry };
        NonNull::from(entry)
    }

    /// Walks over all entries, also those that nobody owns. One that is put in meanwhile may be left out.
    fn iter(&self) -> impl Iterator<Item = &Entry> {
        // ORDERING: Acquire pairs with the Release in `push`.
        let mut node = self.first.load(Ordering::Acquire);
        std::iter::from_fn(move || {
            // SAFETY: a pointer found in the list is null or to a node that stays in place (E1) and whose `next` is final.
            let this: &Node = unsafe { node.as_ref() }?;
            node = this.next;
            Some(&*this.entry)
        })
    }

    /// Returns how many are owned. Stale at once.
    pub(super) fn count(&self) -> usize {
        self.iter().filter(|entry| entry.is_owned()).count()
    }

    /// Returns the earliest position at which a subscriber gates, or `otherwise` if that is earlier.
    pub(super) fn gate(&self, otherwise: u64) -> u64 {
        let gates = self.iter().filter_map(Entry::gate);
        gates.fold(otherwise, |first, gate| if is_before(gate, first) { gate } else { first })
    }

    /// Throws out all who gate at `position`. Their words may still pin.
    pub(super) fn evict(&self, position: u64) {
        self.iter().filter(|entry| entry.gate() == Some(position)).for_each(Entry::evict);
    }

    /// Returns the positions that subscribers are reading.
    pub(super) fn pins(&self) -> impl Iterator<Item = u64> {
        self.iter().map(Entry::word).filter(|word| word & PINNED != 0).map(position)
    }
}

impl Drop for Entries {
    fn drop(&mut self) {
        // ORDERING: Relaxed; nobody else is left.
        let mut node = self.first.load(Ordering::Relaxed);
        while !node.is_null() {
            // SAFETY: made by `Box::into_raw` in `push`, and freed here only.
            let this = unsafe { Box::from_raw(node) };
            node = this.next;
        }
    }
}
