//! Ends that never wait: whoever finds no room or no message tries again, and after some tries lets others run.

use super::Load;
use crate::crew;
use crate::ends::{ChunkRx, ChunkTx, Chunks, Ring, Shape, TryRx, TryTx};
use crate::meter::{Counter, Meter, Tally};
use crate::setting::Setting;
use std::hint::spin_loop;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// How often an end tries before it yields: about as long as it takes the other core to notice (a guess, the same for all).
const TRIES: u32 = 64;

/// Tries again, politely.
#[derive(Debug, Default)]
pub struct Patience(u32);

impl Patience {
    /// Lets some time pass after a try that failed.
    #[inline]
    pub fn wait(&mut self) {
        self.0 += 1;
        if self.0.is_multiple_of(TRIES) { thread::yield_now() } else { spin_loop() }
    }
}

/// Whether a peer that never waits takes part.
pub fn fits<P: Ring>(load: &Load) -> bool {
    matches!(load, Load::Ring(shape) if P::fits(shape))
}

/// Runs one sample. Returns millions of messages a second.
///
/// # Panics
/// If the work was not done, or the load is not of this kind.
pub fn run<P: Ring>(load: &Load, setting: &Setting) -> f64 {
    let Load::Ring(shape) = *load else { unreachable!("asked first whether it fits") };
    let (senders, receivers) = P::open_ring(shape);
    let open = Open::new(shape);
    let producers = senders.into_iter().map(|sender| |meter: &Meter| push_on(sender, meter, &open)).collect();
    let consumers =
        receivers.into_iter().map(|receiver| |counter: &Counter| pop_all(receiver, counter, &open));
    crew::run(setting, producers, consumers.collect()) / 1e6
}

fn push_on(mut sender: impl TryTx, meter: &Meter, open: &Open) -> Tally {
    let mut sent = Tally::default();
    while meter.goes_on() {
        let number = sent.next();
        let mut patience = Patience::default();
        while !sender.push_one(number) {
            patience.wait();
        }
    }
    open.leave();
    sent
}

fn pop_all(mut receiver: impl TryRx, counter: &Counter, open: &Open) -> Tally {
    let mut received = Tally::default();
    let mut patience = Patience::default();
    loop {
        // Asked before the last look: what was pushed before the last producer left is seen by it.
        let was_open = open.is_open();
        if let Some(number) = receiver.pop_one() {
            received.add(number);
            counter.set(received.count);
            patience = Patience::default();
        } else if was_open {
            patience.wait();
        } else {
            return received;
        }
    }
}

/// Whether a peer that takes several messages at once takes part.
pub fn fits_chunks<P: Chunks>(load: &Load) -> bool {
    matches!(load, Load::Chunks { .. })
}

/// Runs one sample. Returns millions of messages a second.
///
/// # Panics
/// If the work was not done, or the load is not of this kind.
pub fn run_chunks<P: Chunks>(load: &Load, setting: &Setting) -> f64 {
    let Load::Chunks { capacity, chunk } = *load else { unreachable!("asked first whether it fits") };
    let (sender, receiver) = P::open_chunks(capacity);
    let open = Open::new(Shape::new(1, 1, capacity));
    let producer = |meter: &Meter| push_chunks(sender, chunk, meter, &open);
    let consumer = |counter: &Counter| pop_chunks(receiver, chunk, counter, &open);
    crew::run(setting, vec![producer], vec![consumer]) / 1e6
}

fn push_chunks(mut sender: impl ChunkTx, chunk: usize, meter: &Meter, open: &Open) -> Tally {
    let mut sent = Tally::default();
    let mut patience = Patience::default();
    while meter.goes_on() {
        match sender.push_chunk(sent.count, chunk) {
            0 => patience.wait(),
            pushed => {
                patience = Patience::default();
                sent.next_many(pushed as u64);
            }
        }
    }
    open.leave();
    sent
}

fn pop_chunks(mut receiver: impl ChunkRx, chunk: usize, counter: &Counter, open: &Open) -> Tally {
    let mut received = Tally::default();
    let mut patience = Patience::default();
    loop {
        let was_open = open.is_open();
        if receiver.pop_chunk(chunk, &mut |number| received.add(number)) > 0 {
            counter.set(received.count);
            patience = Patience::default();
        } else if was_open {
            patience.wait();
        } else {
            return received;
        }
    }
}

/// Counts the producers that have not left: a ring does not close.
#[derive(Clone)]
struct Open(Arc<AtomicUsize>);

impl Open {
    fn new(shape: Shape) -> Self {
        Self(Arc::new(AtomicUsize::new(shape.producers)))
    }

    fn is_open(&self) -> bool {
        // ORDERING: Acquire pairs with the Release in `leave`: what was pushed before it is seen after this.
        self.0.load(Ordering::Acquire) > 0
    }

    fn leave(&self) {
        // ORDERING: Release pairs with the Acquire in `is_open`.
        self.0.fetch_sub(1, Ordering::Release);
    }
}
