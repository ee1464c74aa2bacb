//! A circuit breaker: stop asking a service that is down, and try it with a few jobs before all come back.
//!
//! ```text
//!            too many failures                   open_for is over
//!   Closed --------------------> Open ----------------------------> HalfOpen
//!     ^                            ^         a probe fails              |  (a new round of probes when those
//!     |                            '------------------------------------|   that are out do not report in time)
//!     '-----------------------------------------------------------------'
//!                             all probes succeed
//! ```
//!
//! Each change of state begins a new round, whose number every pass carries: a report from an earlier round says nothing
//! about the service as it is, and is ignored.

#![forbid(unsafe_code)]

mod machine;
mod pass;

use crate::sync::{Arc, Mutex};
use crate::time::{Alarm, Clock, Moment};
use machine::{Config, Machine, Trip};
pub use pass::{Admit, BreakerState, Pass, Report};
use std::fmt;
use std::time::Duration;

const WINDOW_DEFAULT: Duration = Duration::from_secs(60);
const OPEN_DEFAULT: Duration = Duration::from_secs(10);
/// How many results a ratio needs before it means something: a guess.
const MINIMUM_DEFAULT: u32 = 20;

/// Stops deliveries for a while when too many of them fail, so that a service that is down is left alone.
///
/// *Closed*, it lets everything pass and counts results in a sliding window of ten slices. When there are too many failures it
/// *opens*, and nothing passes for a while ([`open_for`](Self::open_for)). Then it is *half open*: so many probes pass
/// ([`probes`](Self::probes)), one after the other or together. If all of them succeed it closes with a window that is empty; if
/// one fails it opens again. Probes whose results do not come in for as long as `open_for` are given up, and others pass.
///
/// A clone is the same breaker: give it to all that call the same service. What shares a breaker must use one clock; all
/// [`Clock::system`] are one. Any method takes a lock for some tens of instructions, and none waits for anything else.
///
/// Source: M. Nygard, *Release It!*, and M. Fowler, [CircuitBreaker](https://martinfowler.com/bliki/CircuitBreaker.html); the
/// probes of the half-open state as in resilience4j.
///
/// # Examples
///
/// ```
/// use millpond::{Admit, Breaker, BreakerState, Report, VirtualClock};
/// use std::time::Duration;
///
/// let time = VirtualClock::new();
/// let clock = time.clock();
/// let breaker = Breaker::failures(2).open_for(Duration::from_secs(10));
/// for _ in 0..2 {
///     let Admit::Pass(pass) = breaker.admit(&clock) else { panic!("closed") };
///     breaker.record(&clock, pass, Report::Failure);
/// }
/// assert!(matches!(breaker.admit(&clock), Admit::Wait(wait) if wait == Duration::from_secs(10)));
/// time.advance(Duration::from_secs(10));
/// let Admit::Pass(probe) = breaker.admit(&clock) else { panic!("half open") };
/// assert!(matches!(breaker.admit(&clock), Admit::Wait(_)), "one probe at a time");
/// breaker.record(&clock, probe, Report::Success);
/// assert_eq!(breaker.state(), BreakerState::Closed);
/// ```
#[derive(Clone)]
#[must_use = "a breaker does nothing until it is asked"]
pub struct Breaker(Arc<Shared>);

struct Shared {
    config: Config,
    machine: Mutex<Machine>,
    /// Who wants to know when it is changed who may pass. A bell that only this list still holds is dropped at the next look.
    bells: Mutex<Vec<Arc<Alarm>>>,
}

impl Breaker {
    /// Makes a breaker that opens when so many failures fall within the window: 60 s, unless [`within`](Self::within) says
    /// otherwise. It stays open for 10 s, and lets one probe pass.
    ///
    /// # Panics
    ///
    /// When `count` is zero: such a breaker would never close.
    pub fn failures(count: u32) -> Self {
        assert!(count > 0, "a breaker opens after one failure at least");
        Self::with(Trip::Failures(count), WINDOW_DEFAULT)
    }

    /// Makes a breaker that opens when this share of the results within the window are failures, of 20 results at least.
    /// The window is 60 s. It stays open for 10 s, and lets one probe pass.
    ///
    /// # Panics
    ///
    /// When `ratio` is not above 0, or above 1.
    pub fn ratio(ratio: f64) -> Self {
        assert!(ratio > 0.0 && ratio <= 1.0, "a ratio above 0 and up to 1 is needed, not {ratio}");
        Self::with(Trip::Ratio { ratio, minimum: MINIMUM_DEFAULT }, WINDOW_DEFAULT)
    }

    fn with(trip: Trip, window: Duration) -> Self {
        Self::of(Config { trip, window, open_for: OPEN_DEFAULT, probes: 1 })
    }

    fn of(config: Config) -> Self {
        let machine = Mutex::new(Machine::new(&config));
        Self(Arc::new(Shared { config, machine, bells: Mutex::new(Vec::new()) }))
    }

    fn change(self, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = self.0.config.clone();
        change(&mut config);
        Self::of(config)
    }

    /// Sets how many results a [`ratio`](Self::ratio) needs. Nothing changes for a breaker that counts failures.
    ///
    /// Like every `Breaker -> Breaker` method, it makes a breaker of its own: clones that were made before are not changed.
    pub fn minimum(self, results: u32) -> Self {
        self.change(|config| {
            if let Trip::Ratio { minimum, .. } = &mut config.trip {
                *minimum = results;
            }
        })
    }

    /// Sets how long results count while it is closed: they are forgotten a tenth of the window at a time.
    ///
    /// # Panics
    ///
    /// When `window` is zero.
    pub fn within(self, window: Duration) -> Self {
        assert!(!window.is_zero(), "a window without length holds nothing");
        self.change(|config| config.window = window)
    }

    /// Sets how long nothing passes once it has opened.
    pub fn open_for(self, time: Duration) -> Self {
        self.change(|config| config.open_for = time)
    }

    /// Sets how many probes pass, and must succeed, before it closes again.
    ///
    /// # Panics
    ///
    /// When `count` is zero: such a breaker would never close.
    pub fn probes(self, count: u32) -> Self {
        assert!(count > 0, "a breaker needs a probe to close");
        self.change(|config| config.probes = count)
    }

    /// Asks for leave to try. Never waits.
    pub fn admit(&self, clock: &Clock) -> Admit {
        self.admit_at(clock.moment())
    }

    /// Reports what came of a try. Returns true when that changed who may pass, so that whoever waits had better ask again.
    pub fn record(&self, clock: &Clock, pass: Pass, report: Report) -> bool {
        self.record_at(clock.moment(), pass, report)
    }

    /// As [`admit`](Self::admit), at a time that was read already.
    pub(crate) fn admit_at(&self, now: Moment) -> Admit {
        self.0.machine.lock().admit(&self.0.config, now)
    }

    /// As [`record`](Self::record), at a time that was read already.
    pub(crate) fn record_at(&self, now: Moment, pass: Pass, report: Report) -> bool {
        let changed = self.0.machine.lock().record(&self.0.config, now, &pass, report);
        if changed {
            self.0.bells.lock().iter().for_each(|bell| bell.ring());
        }
        changed
    }

    /// Returns how long nobody may pass; none if somebody may now. Takes no pass.
    pub(crate) fn wait_at(&self, now: Moment) -> Option<Duration> {
        self.0.machine.lock().wait(&self.0.config, now)
    }

    /// Has `bell` rung whenever a report changes who may pass, for as long as somebody else holds it.
    pub(crate) fn subscribe(&self, bell: &Arc<Alarm>) {
        let mut bells = self.0.bells.lock();
        bells.retain(|bell| Arc::strong_count(bell) > 1);
        bells.push(Arc::clone(bell));
    }

    /// Returns where it stands: a snapshot. An open breaker whose time is up stays open until somebody asks.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        self.0.machine.lock().state()
    }

    /// Returns how often it has opened, for a metric.
    #[must_use]
    pub fn times_opened(&self) -> u64 {
        self.0.machine.lock().times_opened()
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker").field("config", &self.0.config).field("state", &self.state()).finish()
    }
}

// Usable after a panic was caught, whatever it was that panicked (promise 9).
impl std::panic::UnwindSafe for Breaker {}
impl std::panic::RefUnwindSafe for Breaker {}

#[cfg(test)]
mod tests;
