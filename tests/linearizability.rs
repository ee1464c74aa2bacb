//! Channels on real threads, held against the queue that they say they are: each history has an order that explains it.
//!
//! `LINEAR_HISTORIES` says how many histories, of all kinds together; `LINEAR_SEED` where their random numbers start.

#![allow(clippy::unwrap_used, reason = "a test ends where its premises do not hold")]

mod linear;

use linear::{Call, Clock, Ends, Kind, Op, ends, is_linearizable, scripts};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Histories for which threads are started once.
const BATCH: usize = 200;
/// Operations of a thread, `close` included.
const MOST: u64 = 6;

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

/// Where the threads meet before each history, so that they start together. It spins: a thread that is woken comes too late.
#[derive(Default)]
struct Meeting(AtomicUsize);

impl Meeting {
    fn meet(&self, threads: usize, round: usize) {
        self.0.fetch_add(1, Ordering::SeqCst);
        let mut looks = 0u32;
        while self.0.load(Ordering::SeqCst) < threads * (round + 1) {
            looks += 1;
            if looks % 64 == 0 {
                thread::yield_now();
            }
        }
    }
}

/// Records a batch of histories of channels of one kind.
fn record(kind: Kind, threads: usize, capacity: usize, random: &mut linear::Random) -> Vec<Vec<Call>> {
    let threads = kind.roles(threads).len();
    let mut work: Vec<Vec<(Ends, Vec<Op>)>> = (0..threads).map(|_| Vec::new()).collect();
    for _ in 0..BATCH {
        let all = ends(kind, threads, capacity).into_iter().zip(scripts(kind, threads, MOST, random));
        work.iter_mut().zip(all).for_each(|(own, part)| own.push(part));
    }
    let (clock, meeting) = (Arc::new(Clock::default()), Arc::new(Meeting::default()));
    let threads: Vec<_> = work
        .into_iter()
        .enumerate()
        .map(|(number, work)| {
            let (clock, meeting, mut pause) =
                (Arc::clone(&clock), Arc::clone(&meeting), linear::Random(number as u64 + 1));
            thread::spawn(move || {
                // The ends live on, so that nothing closes but by `close`.
                let mut kept = Vec::new();
                let mut calls = Vec::new();
                for (round, (mut ends, script)) in work.into_iter().enumerate() {
                    meeting.meet(threads, round);
                    let record = |op: Op| {
                        if pause.below(8) == 0 {
                            thread::yield_now();
                        }
                        clock.record(number, op, |op| ends.perform(op))
                    };
                    calls.push(script.into_iter().map(record).collect::<Vec<Call>>());
                    kept.push(ends);
                }
                (calls, kept)
            })
        })
        .collect();
    let mut histories = vec![Vec::new(); BATCH];
    let all: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    for (calls, _kept_to_here) in all {
        histories.iter_mut().zip(calls).for_each(|(history, calls)| history.extend(calls));
    }
    histories
}

#[test]
fn channels_are_linearizable() {
    let (wanted, seed) = (number("LINEAR_HISTORIES", 4_000) as usize, number("LINEAR_SEED", 0x5EED));
    let mut random = linear::Random(seed);
    let (mut histories, mut calls, mut overlaps) = (0, 0, 0);
    while histories < wanted {
        for kind in Kind::ALL {
            for capacity in 1..=3 {
                let threads = 3 + histories / BATCH % 2;
                for history in record(kind, threads, capacity, &mut random) {
                    assert!(
                        is_linearizable(&history, kind, capacity),
                        "{kind:?}, capacity {capacity}, seed {seed}: no order explains {history:#?}"
                    );
                    calls += history.len();
                    overlaps += history.iter().filter(|call| call.ended > call.begun + 1).count();
                    histories += 1;
                }
            }
        }
    }
    println!(
        "{histories} histories, {calls} calls, {overlaps} of them with others in between; seed {seed}: all explained"
    );
    assert!(overlaps > calls / 100, "the threads never met: {overlaps} of {calls} calls overlap");
}
