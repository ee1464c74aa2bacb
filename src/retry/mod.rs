//! What becomes of a job after a delivery: pure decisions, with no clock, no thread and no shared state.
//!
//! A [`RetryPolicy`] and a handler's [`Outcome`] go in, together with the number of the attempt and a random number; a
//! verdict comes out: done, again after a delay (a failed attempt or not), or dead for a reason. Whoever calls supplies
//! the time and the randomness, so every rule here is tested by tables of numbers.
//!
//! | outcome | attempts left | last attempt |
//! |---|---|---|
//! | [`Outcome::Done`] | done | done |
//! | [`Outcome::Retry`], `Err(e)` | again, after the policy's delay | dead: [`DeadReason::Attempts`] |
//! | a panic | again, after the policy's delay | dead: [`DeadReason::Panic`] |
//! | [`Outcome::RetryAfter`] | again, after the handler's delay | dead: [`DeadReason::Attempts`] |
//! | [`Outcome::Snooze`] | again, not an attempt | again, not an attempt |
//! | [`Outcome::Dead`] | dead: [`DeadReason::Rejected`] | dead: [`DeadReason::Rejected`] |

#![forbid(unsafe_code)]

mod backoff;
mod discard;
mod failure;
mod outcome;
mod policy;
mod random;
mod verdict;

pub use backoff::Jitter;
pub(crate) use discard::discard;
pub use failure::{Failure, FailureKind};
pub use outcome::{IntoOutcome, Outcome};
pub use policy::{Decision, RetryPolicy};
pub(crate) use random::mix;
pub use verdict::DeadReason;
pub(crate) use verdict::Verdict;
