//! The numbers that the choices of a simulation are drawn from.

use crate::retry::mix;

/// A sequence of well-mixed numbers, the same one for each seed.
pub(super) struct Random {
    seed: u64,
    drawn: u64,
}

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    pub(super) fn next(&mut self) -> u64 {
        self.drawn += 1;
        mix(self.seed, self.drawn, 0)
    }

    /// Draws a number below `bound`, which is not zero. The bias is below 2⁻³² for the small bounds that there are here.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let product = u128::from(self.next()) * bound as u128;
        usize::try_from(product >> 64).unwrap_or(0)
    }

    pub(super) fn coin(&mut self) -> bool {
        self.next() & 1 == 1
    }

    /// Draws a number from 0 up to 1, which it never is.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_within_their_bounds() {
        let draw = |seed| {
            let mut random = Random::new(seed);
            (0..1_000).map(|_| (random.below(7), random.unit().to_bits(), random.coin())).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert!(
            draw(3).iter().all(|(below, unit, _)| *below < 7 && (0.0..1.0).contains(&f64::from_bits(*unit)))
        );
        assert!((0..7).all(|number| draw(4).iter().any(|(below, ..)| *below == number)));
    }
}
