//! Models of all layers, explored by shuttle. How to replay a failure: see `harness`.

#![allow(clippy::unwrap_used, reason = "a model ends where its premises do not hold")]

mod broadcast;
mod channels;
mod harness;
mod pool;
