//! The switch of the mutants. Copied into the mutated tree, where every mutant is compiled in and one is turned on.

use std::sync::OnceLock;
use std::sync::atomic::Ordering;

/// The number of the mutant that is on, or 0.
fn chosen() -> u32 {
    static CHOSEN: OnceLock<u32> = OnceLock::new();
    *CHOSEN.get_or_init(|| std::env::var("MILLPOND_MUTANT").ok().and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// Whether mutant `number` is on.
pub(crate) fn on(number: u32) -> bool {
    chosen() == number
}

/// The ordering in the source, or the weaker one of the mutant that is on.
pub(crate) fn order(own: Ordering, weaker: &[(u32, Ordering)]) -> Ordering {
    weaker.iter().find(|(number, _)| on(*number)).map_or(own, |(_, ordering)| *ordering)
}
