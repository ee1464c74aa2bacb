//! What becomes of a job after a delivery: pure decisions, with no clock and no thread.
//!
//! A [`RetryPolicy`] and a handler's [`Outcome`] go in, together with the number of the attempt, the time and a random
//! number; a verdict comes out: done, again after a delay (a failed attempt or not), parked, or dead for a reason. Whoever
//! calls supplies the time and the randomness, so every rule here is tested by tables of numbers. Two things are shared
//! and remember what was before, the [`RetryBudget`] and the [`Breaker`]: they, too, are told what time it is.
//!
//! | outcome | attempts left | last attempt |
//! |---|---|---|
//! | [`Outcome::Done`] | done | done |
//! | [`Outcome::Retry`], `Err(e)` | again, after the policy's delay | dead: [`DeadReason::Attempts`] |
//! | a panic | again, after the policy's delay | dead: [`DeadReason::Panic`] |
//! | `Err(e)` that is [`ErrorClass::Permanent`] | dead: [`DeadReason::Rejected`] | dead: [`DeadReason::Rejected`] |
//! | `Err(e)` that is [`ErrorClass::Throttled`] | again, not an attempt | again, not an attempt |
//! | [`Outcome::RetryAfter`] | again, after the handler's delay | dead: [`DeadReason::Attempts`] |
//! | [`Outcome::Snooze`], [`Outcome::Release`] | again, not an attempt | again, not an attempt |
//! | [`Outcome::Dead`] | dead: [`DeadReason::Rejected`] | dead: [`DeadReason::Rejected`] |
//! | [`Outcome::Drop`] | dropped | dropped |
//!
//! Where it says "again" of a failed attempt, that is dead for [`DeadReason::Elapsed`] if it would come too late
//! ([`RetryPolicy::within`]), and parked or dead for [`DeadReason::Budget`] if the budget does not cover it.

#![forbid(unsafe_code)]

mod breaker;
mod budget;
mod caught;
mod classify;
mod curve;
mod discard;
mod failure;
mod jitter;
mod outcome;
mod plan;
mod policy;
mod presets;
mod random;
mod slices;
mod span;
mod verdict;

pub use breaker::{Admit, Breaker, BreakerState, Pass, Report};
pub use budget::RetryBudget;
pub(crate) use caught::{caught, wake};
pub use classify::{Classified, Classify, ErrorClass};
pub(crate) use discard::discard;
pub use failure::{Failure, FailureKind};
pub use jitter::Jitter;
pub use outcome::{IntoOutcome, Outcome};
pub use plan::{Plan, Planned};
pub use policy::{Decision, EmptyBudget, RetryPolicy};
pub(crate) use random::mix;
pub use verdict::{DeadReason, Verdict};
pub(crate) use verdict::{Facts, Resume};
