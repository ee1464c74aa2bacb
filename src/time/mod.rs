//! What time it is, and what is due: a clock that may be virtual, and a schedule that knows no clock.
//!
//! Two kinds of time are kept apart. A [`Moment`] is monotonic and decides when something is due, so that a step of the
//! wall clock, forwards or backwards, neither hurries nor delays a retry. A [`Stamp`] is the wall clock's reading and is
//! only ever shown to the user.

#![forbid(unsafe_code)]

mod alarm;
mod clock;
#[cfg(feature = "cron")]
mod cron;
mod moment;
#[cfg(feature = "cron")]
mod recurrence;
mod schedule;
mod timers;

pub(crate) use alarm::Alarm;
pub use clock::{Clock, VirtualClock};
#[cfg(feature = "cron")]
pub use cron::{CronError, CronField, CronSchedule};
pub(crate) use moment::{Moment, Stamp};
#[cfg(feature = "cron")]
pub use recurrence::{Due, Missed, Recurrence};
pub(crate) use schedule::Key as ScheduleKey;
pub(crate) use schedule::Schedule;
pub(crate) use timers::{Sleep, Timers};
