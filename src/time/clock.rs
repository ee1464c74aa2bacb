//! A clock that can be passed in: the system's, or a virtual one that stands still until it is told to move.

use super::alarm::Alarm;
use super::moment::{Moment, Stamp};
use crate::sync::{Arc, Mutex, coarse_unix_nanos, process_origin};
use std::fmt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Where a pool takes its time from: what is due, and the times it reports.
///
/// Cheap to clone; the clones of a virtual clock stay one clock. Deadlines of calls that block a thread of yours, such
/// as `submit_timeout` or `shutdown`, are always in real time.
///
/// # Examples
///
/// ```
/// use millpond::{Clock, VirtualClock};
/// use std::time::{Duration, SystemTime};
///
/// assert!(Clock::system().now() > SystemTime::UNIX_EPOCH);
///
/// let time = VirtualClock::new();
/// let clock = time.clock();
/// let before = clock.now();
/// time.advance(Duration::from_secs(72 * 3600));
/// assert_eq!(clock.now().duration_since(before).unwrap().as_secs(), 72 * 3600);
/// ```
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    /// The monotonic line starts at `origin`; the wall clock is the system's.
    System {
        origin: Instant,
    },
    Virtual(Arc<Standing>),
}

/// The shared part of a virtual clock.
struct Standing {
    hands: Mutex<Hands>,
}

struct Hands {
    moment: Moment,
    wall: Stamp,
    /// Who wants to know when the clock moves. An alarm that only this list still holds is dropped at the next look.
    alarms: Vec<Arc<Alarm>>,
}

impl Clock {
    /// Returns the system's clock. All of them are one: what shares a breaker or a budget may be given one each.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System { origin: process_origin() })
    }

    /// Returns the time of day. It may step backwards when the system's clock is set; what is due does not follow it.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        match &self.0 {
            Source::System { .. } => SystemTime::now(),
            Source::Virtual(_) => self.stamp().to_system_time(),
        }
    }

    /// Returns the time of day as one word, cheaply: the system's to within a tick of its timer, a virtual one exactly.
    #[inline]
    pub(crate) fn stamp(&self) -> Stamp {
        match &self.0 {
            Source::System { .. } => Stamp::of_nanos(coarse_unix_nanos()),
            Source::Virtual(standing) => standing.hands.lock().wall,
        }
    }

    /// Returns the monotonic time. It never goes back.
    pub(crate) fn moment(&self) -> Moment {
        match &self.0 {
            Source::System { origin } => Moment::ORIGIN.after(origin.elapsed()),
            Source::Virtual(standing) => standing.hands.lock().moment,
        }
    }

    /// Returns when `moment` comes in real time: none if the clock is virtual, or the moment is out of range.
    pub(crate) fn instant_of(&self, moment: Moment) -> Option<Instant> {
        match &self.0 {
            Source::System { .. } if moment == Moment::NEVER => None,
            Source::System { origin } => origin.checked_add(moment.since_origin()),
            Source::Virtual(_) => None,
        }
    }

    /// Returns true when the clock only moves when it is told to.
    pub(crate) fn is_virtual(&self) -> bool {
        matches!(self.0, Source::Virtual(_))
    }

    /// Returns the virtual clock that this is, if it is one.
    pub(crate) fn as_virtual(&self) -> Option<VirtualClock> {
        match &self.0 {
            Source::System { .. } => None,
            Source::Virtual(standing) => Some(VirtualClock(Arc::clone(standing))),
        }
    }

    /// Has `alarm` rung whenever the clock is moved by hand, for as long as somebody else holds it.
    pub(crate) fn subscribe(&self, alarm: &Arc<Alarm>) {
        if let Source::Virtual(standing) = &self.0 {
            let mut hands = standing.hands.lock();
            hands.alarms.retain(|alarm| Arc::strong_count(alarm) > 1);
            hands.alarms.push(Arc::clone(alarm));
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_virtual() { "virtual" } else { "system" };
        f.debug_struct("Clock").field("kind", &kind).field("now", &self.now()).finish()
    }
}

/// A clock for tests: it stands still until [`advance`](Self::advance) moves it.
///
/// It starts at 1970-01-01 00:00 UTC. Clones stay one clock.
///
/// # Examples
///
/// Three days of retries, in no time:
///
/// ```
/// use millpond::{Context, Pool, RetryPolicy, VirtualClock};
/// use std::time::Duration;
///
/// let time = VirtualClock::new();
/// let pool = Pool::builder()
///     .workers(1)
///     .clock(time.clock())
///     .retry(RetryPolicy::fixed(Duration::from_secs(24 * 3600)).max_attempts(4))
///     .start(|_: &u32, _: &Context| Err::<(), _>("still down"))?;
/// pool.submit(1)?;
/// for _ in 0..3 {
///     assert!(pool.wait_idle(Duration::from_secs(10)));
///     assert_eq!(pool.stats().scheduled, 1);
///     time.advance(Duration::from_secs(24 * 3600));
/// }
/// assert!(pool.wait_idle(Duration::from_secs(10)));
/// assert_eq!(pool.stats().dead, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct VirtualClock(Arc<Standing>);

impl VirtualClock {
    /// Makes a clock that stands at its beginning.
    #[must_use]
    pub fn new() -> Self {
        let hands = Hands { moment: Moment::ORIGIN, wall: Stamp::of(UNIX_EPOCH), alarms: Vec::new() };
        Self(Arc::new(Standing { hands: Mutex::new(hands) }))
    }

    /// Returns this clock as one that a pool can use.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Clock(Source::Virtual(Arc::clone(&self.0)))
    }

    /// Moves the clock forward, and wakes the timers of the pools that use it.
    ///
    /// Does not wait for the jobs that this makes due: `Pool::wait_idle` does.
    pub fn advance(&self, by: Duration) {
        let mut hands = self.0.hands.lock();
        hands.moment = hands.moment.after(by);
        hands.wall = hands.wall.after(by);
        let alarms = hands.alarms.clone();
        drop(hands);
        for alarm in alarms {
            alarm.ring();
        }
    }

    /// Sets the time of day, forwards or backwards, as an administrator would. Nothing becomes due by it.
    pub fn set_wall(&self, time: SystemTime) {
        self.0.hands.lock().wall = Stamp::of(time);
    }
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for VirtualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualClock").field("now", &self.clock().now()).finish()
    }
}

// Usable after a panic was caught, whatever it was that panicked (promise 9).
impl std::panic::UnwindSafe for Clock {}
impl std::panic::RefUnwindSafe for Clock {}

// Usable after a panic was caught, whatever it was that panicked (promise 9).
impl std::panic::UnwindSafe for VirtualClock {}
impl std::panic::RefUnwindSafe for VirtualClock {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_virtual_clock_moves_only_by_hand() {
        let time = VirtualClock::new();
        let clock = time.clock();
        assert_eq!((clock.moment(), clock.now()), (Moment::ORIGIN, UNIX_EPOCH));
        time.advance(Duration::from_millis(1_500));
        assert_eq!(clock.clone().moment().since_origin(), Duration::from_millis(1_500));
        assert_eq!(clock.now(), UNIX_EPOCH + Duration::from_millis(1_500));
        assert_eq!(clock.instant_of(Moment::NEVER), None);
        time.advance(Duration::MAX);
        assert_eq!(clock.moment(), Moment::NEVER);
    }

    #[test]
    fn the_wall_clock_steps_and_what_is_due_does_not() {
        let time = VirtualClock::new();
        time.advance(Duration::from_secs(100));
        let clock = time.clock();
        let before = clock.moment();
        time.set_wall(UNIX_EPOCH);
        assert_eq!((clock.moment(), clock.now()), (before, UNIX_EPOCH));
    }

    #[test]
    fn the_system_clock_runs_and_knows_instants() {
        let clock = Clock::system();
        let first = clock.moment();
        assert!(clock.moment() >= first);
        let due = first.after(Duration::from_secs(60));
        let left = clock.instant_of(due).unwrap() - Instant::now();
        assert!(left <= Duration::from_secs(60) && left > Duration::from_secs(30));
        assert_eq!(clock.instant_of(Moment::NEVER), None);
        assert!(!clock.is_virtual());
        let (stamp, now) = (clock.stamp().to_system_time(), clock.now());
        assert!(stamp <= now && now.duration_since(stamp).unwrap() < Duration::from_secs(30));
    }

    #[test]
    fn all_system_clocks_count_from_one_origin() {
        let first = Clock::system();
        let before = first.moment();
        let second = Clock::system();
        let between = second.moment();
        assert!(before <= between && between <= first.moment());
    }

    #[test]
    fn moving_rings_the_alarms_that_are_still_held() {
        let time = VirtualClock::new();
        let (held, gone) = (Arc::new(Alarm::new()), Arc::new(Alarm::new()));
        time.clock().subscribe(&gone);
        drop(gone);
        time.clock().subscribe(&held);
        assert_eq!(time.0.hands.lock().alarms.len(), 1);
        time.advance(Duration::from_secs(1));
        assert_eq!(held.rings(), 1);
    }
}
