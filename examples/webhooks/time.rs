//! Where the hours come from: a virtual clock that is moved by hand, or the system's, on which minutes are shorter.

use std::thread;
use std::time::{Duration, Instant};

use millpond::{Clock, RetryPolicy, VirtualClock};

const MINUTE: Duration = Duration::from_secs(60);

/// The time of the story.
#[derive(Clone)]
pub(crate) struct Time {
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Virtual(VirtualClock),
    Real { minute: Duration, start: Instant },
}

impl Time {
    /// Hours pass as fast as the work is done.
    pub(crate) fn fast() -> Self {
        Self { kind: Kind::Virtual(VirtualClock::new()) }
    }

    /// Each minute of the story takes so long.
    pub(crate) fn real(minute: Duration) -> Self {
        Self { kind: Kind::Real { minute, start: Instant::now() } }
    }

    /// Returns the clock of the pool.
    pub(crate) fn clock(&self) -> Clock {
        match &self.kind {
            Kind::Virtual(clock) => clock.clock(),
            Kind::Real { .. } => Clock::system(),
        }
    }

    /// Returns the policy: 15 attempts within 72 hours, at growing distances.
    pub(crate) fn policy(&self) -> RetryPolicy {
        match &self.kind {
            Kind::Virtual(_) => RetryPolicy::webhook_72h(),
            // The same, with the minutes that there are.
            Kind::Real { minute, .. } => RetryPolicy::exponential(*minute, *minute * 720)
                .jitter(millpond::Jitter::Proportional(10))
                .max_attempts(15)
                .within(*minute * 4_320),
        }
    }

    /// Returns how many jobs a second are redriven: by the pool's clock.
    pub(crate) fn rate(&self) -> f64 {
        match &self.kind {
            Kind::Virtual(_) => 5.0,
            Kind::Real { .. } => 50.0,
        }
    }

    /// Returns how much time of the story has passed.
    pub(crate) fn now(&self) -> Duration {
        match &self.kind {
            Kind::Virtual(clock) => {
                clock.clock().now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
            }
            Kind::Real { minute, start } => {
                MINUTE.mul_f64(start.elapsed().as_secs_f64() / minute.as_secs_f64())
            }
        }
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, time: Duration) {
        match &self.kind {
            Kind::Virtual(clock) => clock.advance(time),
            Kind::Real { minute, .. } => thread::sleep(minute.mul_f64(time.as_secs_f64() / 60.0)),
        }
    }

    /// Returns true if it stands still while nobody lets it pass.
    pub(crate) fn is_virtual(&self) -> bool {
        matches!(self.kind, Kind::Virtual(_))
    }
}
