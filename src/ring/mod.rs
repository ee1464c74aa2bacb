//! Rings: slots and cursors. A ring never waits and knows nobody who does.
//!
//! One protocol per file. [`Mpmc`] is the bounded queue for any number of pushers and poppers; `cursor` holds the
//! arithmetic that all positions follow.

#![allow(unreachable_pub, reason = "the loom models reach this layer through a hidden module")]

mod bell;
mod cursor;
mod mpmc;
mod mpsc;
mod slot;
mod spsc;
#[cfg(all(test, not(millpond_loom)))]
mod tests;

#[cfg(millpond_loom)]
pub use mpmc::Pushed;
pub use mpmc::{Mpmc, PopError, PushError};
#[cfg(any(test, millpond_loom))]
pub use mpsc::mpsc_near_wrap_around;
pub use mpsc::{LonePopper, Mpsc, mpsc};
#[cfg(any(test, millpond_loom))]
pub use spsc::spsc_near_wrap_around;
pub use spsc::{Popper, Pusher, Spsc, spsc};
