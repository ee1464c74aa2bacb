//! Millpond beside its peers: who takes part, what each is put to, and how the figures are summed up.
//!
//! A peer is one small file in `peers/` and one line in its table. A cell is one kind of work of one size, named like
//! `blocking/4x1/cap64`. Every load counts and adds up its messages at both ends and asserts that the two agree: a figure of
//! this package is a figure of work done.

pub mod cell;
pub mod crew;
pub mod ends;
pub mod heap; // The only one with unsafe code: a global allocator that counts.
pub mod load;
pub mod meter;
pub mod peer;
pub mod peers;
pub mod pin;
pub mod report;
pub mod setting;
pub mod stats;
