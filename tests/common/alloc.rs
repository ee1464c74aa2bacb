//! An allocator that counts what it was asked for, for each thread and for all. One per test program: include it with `#[path]`.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counting;

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

static CALLS_OF_ALL: AtomicUsize = AtomicUsize::new(0);
static BYTES_HELD: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static COUNTING: Counting = Counting;

// SAFETY: passes everything on to the system's allocator; the counters neither allocate nor have a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.set(CALLS.get() + 1);
        LARGEST.set(LARGEST.get().max(layout.size()));
        CALLS_OF_ALL.fetch_add(1, Ordering::Relaxed);
        BYTES_HELD.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's contract is the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        BYTES_HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's contract is the system allocator's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Runs `work` and returns how many allocations this thread made in it, and the largest one's size in bytes.
pub(crate) fn counted(work: impl FnOnce()) -> (usize, usize) {
    let before = CALLS.get();
    LARGEST.set(0);
    work();
    (CALLS.get() - before, LARGEST.get())
}

/// Runs `work` and returns how many allocations all threads made meanwhile, and by how many bytes the heap has grown:
/// a huge number if it has shrunk.
pub(crate) fn counted_everywhere(work: impl FnOnce()) -> (usize, usize) {
    let before = (CALLS_OF_ALL.load(Ordering::Relaxed), BYTES_HELD.load(Ordering::Relaxed));
    work();
    let after = (CALLS_OF_ALL.load(Ordering::Relaxed), BYTES_HELD.load(Ordering::Relaxed));
    (after.0 - before.0, after.1.wrapping_sub(before.1))
}
