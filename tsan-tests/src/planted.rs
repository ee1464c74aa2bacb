//! Races on purpose, of the kinds that a queue can have.

use crate::{start, sum};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU64, Ordering};

struct Cell {
    stamp: AtomicU64,
    value: UnsafeCell<u64>,
}

// SAFETY: it is not: that is the point.
unsafe impl Sync for Cell {}

static CELL: Cell = Cell { stamp: AtomicU64::new(0), value: UnsafeCell::new(0) };
const ROUNDS: u64 = 2_000;

fn write(value: u64) {
    // SAFETY: it is not: that is the point.
    unsafe { *CELL.value.get() = value }
}

fn read() -> u64 {
    // SAFETY: it is not: that is the point.
    unsafe { *CELL.value.get() }
}

fn wait_for(stamp: u64, ordering: Ordering) {
    while CELL.stamp.load(ordering) != stamp {
        std::thread::yield_now();
    }
}

/// A value made visible by a store that is only `Relaxed`.
fn publish() {
    let writer = start(|| {
        write(7);
        CELL.stamp.store(1, Ordering::Relaxed);
        0
    });
    let reader = start(|| {
        wait_for(1, Ordering::Acquire);
        read()
    });
    sum(vec![writer, reader]);
}

/// A slot given back by a store that is only `Relaxed`: the next lap's writer races with the reader.
fn slot() {
    let writer = start(|| {
        (0..ROUNDS).for_each(|round| {
            wait_for(2 * round, Ordering::Acquire);
            write(round);
            CELL.stamp.store(2 * round + 1, Ordering::Release);
        });
        0
    });
    let reader = start(|| {
        let rounds = (0..ROUNDS).map(|round| {
            wait_for(2 * round + 1, Ordering::Acquire);
            let value = read();
            CELL.stamp.store(2 * round + 2, Ordering::Relaxed);
            value
        });
        rounds.sum()
    });
    sum(vec![writer, reader]);
}

/// A count of references whose last drop does not come after what the others did.
fn drop_early() {
    let threads = (0..2).map(|thread| {
        start(move || {
            if thread == 0 {
                write(7);
            }
            // The one that comes second frees: both are over by then, and nothing says so.
            if CELL.stamp.fetch_add(1, Ordering::Relaxed) == 1 { read() } else { 0 }
        })
    });
    sum(threads.collect());
    // The other way round, should the writer have come last.
    if CELL.stamp.load(Ordering::Relaxed) == 2 {
        CELL.stamp.store(0, Ordering::Relaxed);
    }
}

pub(crate) fn run(name: &str) {
    match name {
        "publish" => publish(),
        "slot" => slot(),
        "drop" => (0..50).for_each(|_| drop_early()),
        _ => panic!("no race of that name"),
    }
    println!("planted: {name}");
}
