//! What the criterion benches and the comparison share: the peers, and the work that each of them is put to.
//!
//! A peer is one small file in `peers/`, named once in [`peers::channels`] or [`peers::pools`]. The work checks that every
//! message arrived and every job ran: a figure of this package is a figure of work done.

pub mod cell;
pub mod channel;
pub mod peers;
pub mod pin;
pub mod pool;
