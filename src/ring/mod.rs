//! Rings without waiting, for those who poll: every call returns at once.
//!
//! A [channel](crate::bounded) is a ring plus the means to sleep until something happens. Where a thread has a loop of its own
//! (an audio callback, a game's frame, a driver that polls its device) it wants the ring alone: it looks, takes what is there,
//! and goes on.
//!
//! | between | use | `push` and `pop` |
//! |---|---|---|
//! | one producer and one consumer | [`spsc`](mod@spsc) | wait-free, one plain store; also many values at once, in place |
//! | any number of threads | [`mpmc`] | no lock, no system call; one compare-and-swap |
//!
//! Nothing is allocated after a ring is made. All errors are in [`error`].
//!
//! ```
//! use millpond::ring::error::PopError;
//!
//! let (mut producer, mut consumer) = millpond::ring::spsc::ring(64);
//! std::thread::spawn(move || (0..10).for_each(|n| producer.push(n).expect("there is room for all")));
//! let mut sum = 0;
//! loop {
//!     match consumer.pop() {
//!         Ok(n) => sum += n,
//!         Err(PopError::Empty) => std::thread::yield_now(), // something better to do
//!         Err(PopError::Closed) => break,
//!     }
//! }
//! assert_eq!(sum, 45);
//! ```

// For those who work here: slots and cursors; a ring never waits and knows nobody who does. One protocol per file. `many` is the
// ring for any number of pushers and poppers, `mpsc` the one with a popper of its own, `two` the one for one of each, as
// the channels use them: they tell who is owed a wake-up. `lane` holds the slots and cursors of a ring for two, `cursor` the
// arithmetic that all positions follow, `credit` the room that is promised in the ring for many, `mark` what tells
// its movers that somebody waits. The public modules are the same without the bells.

#![allow(unreachable_pub, reason = "the loom models reach this layer through a hidden module")]

mod bell;
mod credit;
mod cursor;
pub mod error;
mod lane;
mod many;
mod mark;
pub mod mpmc;
mod mpsc;
mod slot;
pub mod spsc;
#[cfg(all(test, not(millpond_loom)))]
mod tests;
mod two;

#[cfg(not(millpond_loom))]
pub(crate) use error::{RelaxedPopError as PopError, RelaxedPushError as PushError};
#[cfg(not(millpond_loom))]
pub(crate) use many::Mpmc;
pub(crate) use mpsc::{LonePopper, Mpsc, mpsc};
pub(crate) use two::{Popper, Pusher, Spsc, spsc};

#[cfg(any(test, millpond_model))]
pub(crate) use mpsc::mpsc_near_wrap_around;
#[cfg(any(test, millpond_model))]
pub(crate) use two::spsc_near_wrap_around;

#[cfg(millpond_loom)]
#[doc(hidden)]
pub use error::{RelaxedPopError as PopError, RelaxedPushError as PushError};
#[cfg(millpond_loom)]
#[doc(hidden)]
pub use many::{Mpmc, Pushed};
