//! Models of all layers, explored by shuttle. How to replay a failure: see `harness`.

#![allow(clippy::unwrap_used, reason = "a model ends where its premises do not hold")]

// Under its own name, for what is shared with the library's tests.
extern crate millpond_shuttle as millpond;

mod broadcast;
mod channels;
mod harness;
#[path = "../../../tests/linear/mod.rs"]
mod linear;
mod linearizable;
mod pool;
