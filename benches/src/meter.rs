//! Counting while the work goes on.

#![forbid(unsafe_code)]

use crate::setting::Setting;
use crossbeam_utils::CachePadded;
use std::iter::Sum;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How much longer the window becomes while not a single message has passed.
const PATIENCE: Duration = Duration::from_millis(1);

/// How many messages, and the sum of their numbers: equal at both ends, or messages were lost, doubled or invented.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many messages.
    pub count: u64,
    /// Their sum, wrapping around.
    pub sum: u64,
}

impl Tally {
    /// Counts a message.
    #[inline]
    pub const fn add(&mut self, number: u64) {
        self.count += 1;
        self.sum = self.sum.wrapping_add(number);
    }

    /// Counts the next message to send, and returns its number: 0, 1, 2...
    #[inline]
    pub const fn next(&mut self) -> u64 {
        let number = self.count;
        self.add(number);
        number
    }

    /// Counts the next messages to send, as many at once.
    #[inline]
    pub const fn next_many(&mut self, count: u64) {
        let among_themselves = count * count.saturating_sub(1) / 2;
        self.sum = self.sum.wrapping_add(self.count.wrapping_mul(count)).wrapping_add(among_themselves);
        self.count += count;
    }
}

impl Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), |total, tally| Self {
            count: total.count + tally.count,
            sum: total.sum.wrapping_add(tally.sum),
        })
    }
}

/// Tells the threads of a load when to stop, and reads how far they are. Clones are the same meter.
#[derive(Debug, Clone)]
pub struct Meter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    stop: CachePadded<AtomicBool>,
    counters: Box<[Arc<CachePadded<AtomicU64>>]>,
}

impl Meter {
    /// Makes a meter for so many threads that count.
    #[must_use]
    pub fn new(counters: usize) -> Self {
        let counters = (0..counters).map(|_| Arc::default()).collect();
        Self(Arc::new(Inner { stop: CachePadded::default(), counters }))
    }

    /// Whether the work goes on. A load of a line that is written once: as good as free.
    #[inline]
    #[must_use]
    pub fn goes_on(&self) -> bool {
        // ORDERING: Relaxed; nothing else is read because of it.
        !self.0.stop.load(Ordering::Relaxed)
    }

    /// Returns the counter of one thread.
    #[must_use]
    pub fn counter(&self, index: usize) -> Counter {
        Counter(Arc::clone(&self.0.counters[index]))
    }

    fn total(&self) -> u64 {
        // ORDERING: Relaxed; a value that is a little old is off by nanoseconds in a window of many milliseconds.
        self.0.counters.iter().map(|counter| counter.load(Ordering::Relaxed)).sum()
    }

    /// Runs `work` on a thread of its own, warms up, measures, tells `work` to stop, and waits for it. Returns messages a
    /// second.
    ///
    /// # Panics
    /// If what was sent is not what was received: the first and the second tally that `work` returns.
    pub fn measure(&self, setting: &Setting, work: impl FnOnce() -> (Tally, Tally) + Send) -> f64 {
        thread::scope(|scope| {
            let work = scope.spawn(work);
            let rate = self.window(setting);
            // ORDERING: Relaxed; the threads see it soon, and nothing depends on when.
            self.0.stop.store(true, Ordering::Relaxed);
            let (sent, received) = work.join().expect("the work does not panic");
            assert_eq!(received, sent, "messages were lost, doubled or invented");
            rate
        })
    }

    fn window(&self, setting: &Setting) -> f64 {
        thread::sleep(setting.warm_up());
        let (began, before) = (Instant::now(), self.total());
        thread::sleep(setting.window);
        loop {
            let (took, count) = (began.elapsed(), self.total() - before);
            if count > 0 {
                return count as f64 / took.as_secs_f64();
            }
            thread::sleep(PATIENCE);
        }
    }
}

/// Where one thread says how many messages have passed.
#[derive(Debug)]
pub struct Counter(Arc<CachePadded<AtomicU64>>);

impl Counter {
    /// Says so. A plain store to a line that the thread owns.
    #[inline]
    pub fn set(&self, count: u64) {
        // ORDERING: Relaxed; the reader wants the number and nothing else.
        self.0.store(count, Ordering::Relaxed);
    }
}
