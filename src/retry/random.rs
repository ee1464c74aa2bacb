//! Random numbers without state: a fixed scrambling of the numbers that name an event.

/// Returns a well-mixed number for `(seed, id, attempt)`, the same one each time.
///
/// Jitter drawn this way depends on the job and its attempt only, never on which worker ran it or in which order, so
/// a run with a given seed is repeatable with any number of workers.
pub(crate) fn mix(seed: u64, id: u64, attempt: u32) -> u64 {
    scramble(scramble(seed.wrapping_add(scramble(id))).wrapping_add(u64::from(attempt)))
}

/// One step of SplitMix64: the golden-ratio increment, then its finalizer. A bijection, so no two inputs collide.
fn scramble(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_first_output_is_the_published_one_for_seed_zero() {
        assert_eq!(scramble(0), 0xE220_A839_7B1D_CDAF);
    }

    #[test]
    fn neighbours_differ_and_halves_are_balanced() {
        let mut seen = HashSet::new();
        let mut high = 0u32;
        for id in 0..100 {
            for attempt in 1..=100 {
                let random = mix(7, id, attempt);
                high += u32::from(random >> 63 == 1);
                assert!(seen.insert(random), "id {id}, attempt {attempt} repeats another's number");
            }
        }
        assert!((4_700..5_300).contains(&high), "{high} of 10000 in the upper half");
        assert_eq!(mix(1, 2, 3), mix(1, 2, 3));
        assert_ne!(mix(1, 2, 3), mix(2, 2, 3));
    }
}
