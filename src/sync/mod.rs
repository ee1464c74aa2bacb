//! The one door to threads, locks, atomics and the processor.
//!
//! Every other file takes these names from here, so that the models check the very code that ships. Behind the door stands one
//! of four bodies, chosen by private cfgs that the build scripts of the test packages set:
//!
//! | cfg | body | what it is for |
//! |---|---|---|
//! | none | the standard library, `parking_lot` | what ships |
//! | `millpond_loom` | loom | each interleaving of a small model, and part of the memory model |
//! | `millpond_shuttle` | shuttle | schedules by the million, of the pool as well; every access in one order |
//! | `millpond_tsan` | own locks and counts, nothing precompiled | real threads under ThreadSanitizer |
//!
//! Both models also set `millpond_model`: time does not pass in them, and spinning shows nothing. Loom and the sanitizer also set
//! `millpond_lower`: without the layers above `channel` and `broadcast`.
//! No other file names `std::sync`, `std::thread`, `loom` or `shuttle`.

#![allow(unreachable_pub, reason = "the models reach some of this through a hidden module")]

mod busy;
#[cfg(not(millpond_loom))]
mod cell;
mod custody;
mod fences;
mod machine;
#[cfg(any(millpond_loom, not(millpond_lower)))]
mod rung;
#[cfg(any(millpond_loom, not(millpond_lower)))]
mod tenure;

#[cfg(millpond_loom)]
mod loom;
#[cfg(not(any(millpond_model, millpond_tsan)))]
mod plain;
#[cfg(millpond_shuttle)]
mod shuttle;
#[cfg(millpond_tsan)]
mod tsan;

#[cfg(millpond_loom)]
pub(crate) use self::loom::*;
#[cfg(not(any(millpond_model, millpond_tsan)))]
pub(crate) use self::plain::*;
#[cfg(millpond_shuttle)]
pub(crate) use self::shuttle::*;
#[cfg(millpond_tsan)]
pub(crate) use self::tsan::*;

pub(crate) use busy::BusyWait;
pub(crate) use crossbeam_utils::CachePadded;
#[cfg(any(millpond_loom, not(millpond_lower)))]
pub use custody::{Custody, Cut, InUse, Taken};
pub use fences::Sleeper;
pub(crate) use fences::{fences_are_free, free_fence, heavy_fence};
#[cfg(not(millpond_lower))]
pub(crate) use machine::{coarse_unix_nanos, cores, process_origin};
pub(crate) use machine::{cpus, prefetch_for_read, prefetch_for_write, single_cpu};
#[cfg(any(millpond_loom, not(millpond_lower)))]
pub use rung::Rung;
#[cfg(not(millpond_lower))]
pub(crate) use std::sync::Weak;
#[cfg(any(millpond_loom, not(millpond_lower)))]
pub use tenure::{Review, Tenure, Terms};
