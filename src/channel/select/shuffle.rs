//! The order in which a fair select tries its operations.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};

thread_local! {
    static STATE: Cell<u32> = const { Cell::new(0) };
}

/// Puts the items into a random order: Fisher and Yates' shuffle. Under loom, which wants runs that repeat, it leaves them.
pub(super) fn shuffle<C>(items: &mut [C]) {
    if cfg!(millpond_model) || items.len() < 2 {
        return;
    }
    STATE.with(|state| {
        let mut word = state.get();
        if word == 0 {
            word = seed();
        }
        for last in (1..items.len()).rev() {
            word = step(word);
            items.swap(last, below(word, last + 1));
        }
        state.set(word);
    });
}

/// A seed of its own for each thread, never 0.
fn seed() -> u32 {
    (RandomState::new().hash_one(0) as u32) | 1
}

/// Marsaglia's xorshift32.
const fn step(mut word: u32) -> u32 {
    word ^= word << 13;
    word ^= word >> 17;
    word ^ (word << 5)
}

/// Scales a random word to less than `limit`, which only a select of billions of operations would make unfair (Lemire).
const fn below(word: u32, limit: usize) -> usize {
    ((word as u64 * limit as u64) >> 32) as usize
}

#[cfg(all(test, not(millpond_model)))]
mod tests {
    use super::*;

    #[test]
    fn every_order_comes_up_about_as_often() {
        let mut counts = std::collections::HashMap::new();
        for _ in 0..60_000 {
            let mut items = [0, 1, 2, 3];
            shuffle(&mut items);
            *counts.entry(items).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 24);
        // 2500 each, give or take 49: twelve times that is never seen.
        assert!(counts.values().all(|count| (1900..3100).contains(count)), "{counts:?}");
    }
}
