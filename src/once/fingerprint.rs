//! What tells the arguments of one call from those of another.

use std::hash::{Hash, Hasher};

/// A hash of the arguments of an effect, 128 bits long: the same key with another fingerprint is a mistake.
///
/// It guards against mistakes, not against attackers: FNV-1a of the bytes that [`Hash`] feeds it (by Fowler, Noll and Vo),
/// integers in little-endian order. It is the same in each run of a program, as long as the arguments' `Hash` is.
///
/// # Examples
///
/// ```
/// use millpond::Fingerprint;
///
/// assert_eq!(Fingerprint::of(&("alice", 100)), Fingerprint::of(&("alice", 100)));
/// assert_ne!(Fingerprint::of(&("alice", 100)), Fingerprint::of(&("alice", 101)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(u128);

impl Fingerprint {
    /// Takes the fingerprint of some arguments.
    #[must_use]
    pub fn of<A: Hash + ?Sized>(arguments: &A) -> Self {
        let mut hasher = Fnv(FNV_OFFSET);
        arguments.hash(&mut hasher);
        Self(hasher.0)
    }

    /// Returns the number, to keep it elsewhere.
    #[must_use]
    pub fn get(self) -> u128 {
        self.0
    }
}

impl From<u128> for Fingerprint {
    /// Takes over a hash of your own, or one that was kept elsewhere.
    fn from(hash: u128) -> Self {
        Self(hash)
    }
}

/// FNV-1a with 128 bits.
struct Fnv(u128);

const FNV_OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const FNV_PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u128::from(byte)).wrapping_mul(FNV_PRIME);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the low half is asked for by nobody but the trait")]
    fn finish(&self) -> u64 {
        self.0 as u64
    }

    fn write_u16(&mut self, number: u16) {
        self.write(&number.to_le_bytes());
    }

    fn write_u32(&mut self, number: u32) {
        self.write(&number.to_le_bytes());
    }

    fn write_u64(&mut self, number: u64) {
        self.write(&number.to_le_bytes());
    }

    fn write_u128(&mut self, number: u128) {
        self.write(&number.to_le_bytes());
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fnv(bytes: &[u8]) -> u128 {
        let mut hasher = Fnv(FNV_OFFSET);
        hasher.write(bytes);
        hasher.0
    }

    #[test]
    fn is_fnv_1a() {
        assert_eq!(fnv(b""), 0x6c62272e07bb014262b821756295c58d);
        assert_eq!(fnv(b"a"), 0xd228cb696f1a8caf78912b704e4a8964);
        assert_eq!(fnv(b"foobar"), 0x343e1662793c64bf6f0d3597ba446f18);
    }

    #[test]
    fn arguments_that_differ_have_other_fingerprints() {
        let of = |arguments: (&str, &str)| Fingerprint::of(&arguments);
        assert_ne!(of(("ab", "c")), of(("a", "bc")));
        assert_eq!(Fingerprint::of("text"), Fingerprint::of(&String::from("text")));
        assert_eq!(Fingerprint::of(&[1u32, 2]), Fingerprint::of(&vec![1u32, 2]));
        let print = Fingerprint::of(&1u8);
        assert_eq!(Fingerprint::from(print.get()), print);
    }
}
