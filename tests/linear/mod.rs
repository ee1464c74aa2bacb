//! Is the channel linearizable to a bounded queue? Histories are recorded, and a search looks for an order that explains each.
//!
//! Used by the tests on real threads and by the shuttle models, each with its own build of the library under the name `millpond`.

#![allow(dead_code, unused_imports, reason = "each test crate uses a part of this")]

mod check;
mod history;
mod perform;
mod spec;
mod tests;

pub(crate) use check::is_linearizable;
pub(crate) use history::{Answer, Call, Clock, Kind, Op, Random, scripts};
pub(crate) use perform::{Ends, ends};
