//! Counts the bytes on the heap.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};

/// The system's allocator. It counts only while [`bytes_held_by`] runs, so that other samples pay for one load of a flag.
struct Counting {
    on: AtomicBool,
    bytes: AtomicIsize,
}

#[global_allocator]
static HEAP: Counting = Counting { on: AtomicBool::new(false), bytes: AtomicIsize::new(0) };

impl Counting {
    #[inline]
    fn add(&self, bytes: usize, sign: isize) {
        // ORDERING: Relaxed, here and below; the one thread that reads is the one that allocates.
        if self.on.load(Ordering::Relaxed) {
            self.bytes.fetch_add(sign * bytes.cast_signed(), Ordering::Relaxed);
        }
    }
}

// SAFETY: every function forwards its arguments, unchanged, to the system's allocator, which keeps the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.add(layout.size(), 1);
        // SAFETY: the caller keeps the contract of `alloc`, which is that of the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        self.add(layout.size(), -1);
        // SAFETY: the caller keeps the contract of `dealloc`; the block came from the system's allocator.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.add(layout.size(), 1);
        // SAFETY: the caller keeps the contract of `alloc_zeroed`, which is that of the system's.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        self.add(layout.size(), -1);
        self.add(new_size, 1);
        // SAFETY: the caller keeps the contract of `realloc`; the block came from the system's allocator.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

/// Returns how many bytes the heap has grown by while `make` ran, and what it made. Nothing else may run meanwhile.
pub fn bytes_held_by<T>(make: impl FnOnce() -> T) -> (f64, T) {
    HEAP.bytes.store(0, Ordering::Relaxed);
    HEAP.on.store(true, Ordering::Relaxed);
    let made = make();
    HEAP.on.store(false, Ordering::Relaxed);
    (HEAP.bytes.load(Ordering::Relaxed) as f64, made)
}
