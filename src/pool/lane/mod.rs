//! The lane for handlers that wait: many of them on one thread, each polled when it can go on.
//!
//! A worker of this lane is a small executor: it takes a delivery, polls its handler at once, and keeps it if it is not ready. A
//! waiting handler costs its own memory and nothing else. Handlers stay on the worker that began them, so they need not be
//! `Send`; they run between each other's `await`s, so one that computes for long holds up all others of its worker.
//!
//! *Wake-ups.* Each place has one waker, made once. A wake puts the place's number on the worker's list, unless it is there already, and
//! rings the bell if the worker sleeps. Both happen under one lock, with which the worker looks before it sleeps.
//!
//! *Memory.* A place keeps its handler's memory for the next one: in steady state nothing is allocated per job.

#![forbid(unsafe_code)]

mod guarded;
mod places;
mod ready;
mod worker;

pub(super) use guarded::Guarded;
#[cfg(feature = "tokio")]
pub(super) use worker::yield_once;
pub(super) use worker::{Common, work};
