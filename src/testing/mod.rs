//! Tests of your own handlers: a pool without threads, whose clock, order and faults follow from a seed.
//!
//! A handler that looks right may still charge a card twice when its answer comes too late, or never get a job done that
//! failed once at the wrong place. On a real pool such a thing happens once a month. A [`Sim`] makes it happen now, and again
//! whenever it is given the same seed.
//!
//! ```
//! use millpond::testing::{Fault, Faults};
//! use millpond::{Context, Lease, Once, Outcome, Pool, RetryPolicy};
//! use std::cell::Cell;
//! use std::time::Duration;
//!
//! for seed in 0..100 {
//!     // What is under test: a handler that charges a card, and is delivered its job more than once.
//!     let (charges, once) = (Cell::new(0), Once::in_memory(100, Duration::from_secs(86_400)));
//!     let handler = |order: &u32, _: &Context| {
//!         let charged = once.run(order.to_le_bytes(), order, || {
//!             charges.set(charges.get() + 1);
//!             Ok::<_, std::io::Error>(())
//!         });
//!         charged.map_or_else(Outcome::retry, |()| Outcome::Done)
//!     };
//!     // The settings are those of the real pool.
//!     let settings = Pool::builder()
//!         .workers(3)
//!         .retry(RetryPolicy::exponential(Duration::from_secs(1), Duration::from_secs(60)).max_attempts(20))
//!         .lease(Lease::of(Duration::from_secs(30)).max_deliveries(50));
//!     let faults = Faults::none()
//!         .chance(Fault::Fail, 0.2)
//!         .chance(Fault::LoseLease, 0.2)
//!         .chance(Fault::Hang, 0.1);
//!     let mut sim = settings.simulate(seed, handler)?.faults(faults);
//!     for order in 0..10 {
//!         sim.submit(order)?;
//!     }
//!     assert!(sim.run_until_done(), "seed {seed}:\n{}", sim.trace());
//!     sim.check()?;
//!     assert_eq!((sim.stats().done, charges.get()), (10, 10), "seed {seed}:\n{}", sim.trace());
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is simulated
//!
//! Admission, order, retries, leases, the breaker, settling, dead letters and the books are those of the real queue, not a model of it: the
//! simulation only does by hand what the threads of a pool do. In each [step](Sim::step) the seed chooses what happens next among all
//! that can happen: some idle worker takes the next job, or some worker that is at work settles its job. When nothing else can
//! happen, the clock moves to the moment at which something can: a retry is due, a lease runs out, a breaker lets probes pass, a handler
//! that hangs comes back.
//!
//! An async handler is polled when its job is taken and whenever it was woken, each time in a step of its own: between any two
//! of its `await`s anything may happen to others. If it hangs, it is not polled any more, until its timeout drops it.
//!
//! A pool with [both kinds](crate::PoolBuilder::simulate_mixed) of handlers has workers of both, and each takes jobs of its own lane.
//!
//! A handler takes no time, unless a [`Fault`] says otherwise. It is called when its job is taken, or, by a fault, when it is
//! settled. Between the two anything may happen to other jobs, and to this one if its lease is lost: another worker may
//! take it, and be done with it first.
//!
//! # What is not
//!
//! * Threads: two handlers never run at the same time. What they share is not tested for data races here.
//! * Runtimes: an [async](crate::PoolBuilder::simulate_async) handler waits with [`Context::sleep`](crate::Context::sleep), or on
//!   what other handlers and the test do. It is polled by the simulation alone, one handler at a time.
//! * [`PoolBuilder::replace_stuck`](crate::PoolBuilder::replace_stuck) and
//!   [`PoolBuilder::concurrency`](crate::PoolBuilder::concurrency), which are about threads, have no effect. Nor has
//!   [`PoolBuilder::drop_deadline`](crate::PoolBuilder::drop_deadline): a simulation that is dropped ends at once.
//!
//! # When a test fails
//!
//! Print the seed and the [trace](Sim::trace): the same seed, settings, faults and inputs give the same trace, event by
//! event. This holds if the handler does nothing that differs from run to run, such as asking the system for the time
//! (ask a [`VirtualClock`](crate::VirtualClock) that you give to the builder) or going through a `HashMap` in its own order.
//!
//! Source: FoundationDB's simulation, described by W. Wilson, *Testing Distributed Systems w/ Deterministic Simulation*
//! (Strange Loop 2014).

#![forbid(unsafe_code)]

mod build;
mod check;
mod faults;
mod random;
mod sim;
mod step;
mod trace;

pub use check::Unbalanced;
pub use faults::{Fault, Faults};
pub use sim::Sim;
pub use trace::{Event, EventKind, Fate, Trace};
