//! Points in time, one word each.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point on a clock's monotonic line: nanoseconds since the clock's origin. It saturates after 584 years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Moment(u64);

impl Moment {
    /// The origin of the clock.
    pub(crate) const ORIGIN: Self = Self(0);
    /// A moment that never comes.
    pub(crate) const NEVER: Self = Self(u64::MAX);

    /// Returns the moment `delay` later, or [`NEVER`](Self::NEVER) if that is out of range.
    pub(crate) fn after(self, delay: Duration) -> Self {
        Self(self.0.saturating_add(saturated_nanos(delay)))
    }

    /// Returns the moment `delay` earlier; none if that is before the origin.
    pub(crate) fn before(self, delay: Duration) -> Option<Self> {
        self.0.checked_sub(u64::try_from(delay.as_nanos()).ok()?).map(Self)
    }

    /// Returns the moment as a number: nanoseconds since the origin.
    pub(crate) fn nanos(self) -> u64 {
        self.0
    }

    /// Returns the moment so many nanoseconds after the origin.
    pub(crate) fn of_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Returns how long after the origin this is.
    pub(crate) fn since_origin(self) -> Duration {
        Duration::from_nanos(self.0)
    }
}

/// A reading of the wall clock: nanoseconds since 1970. It saturates at 1970 and in the year 2554.
///
/// A word instead of a [`SystemTime`]'s two, as one travels with each job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Stamp(u64);

impl Stamp {
    /// Takes over a reading of the wall clock.
    pub(crate) fn of(time: SystemTime) -> Self {
        Self(time.duration_since(UNIX_EPOCH).map_or(0, saturated_nanos))
    }

    /// Takes over a number of nanoseconds since 1970.
    pub(super) fn of_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Returns the time as the standard library's type.
    pub(crate) fn to_system_time(self) -> SystemTime {
        UNIX_EPOCH.checked_add(Duration::from_nanos(self.0)).unwrap_or(UNIX_EPOCH)
    }

    /// Returns how long after `earlier` this is: zero if the clock was set back since.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Returns the reading `delay` later.
    pub(super) fn after(self, delay: Duration) -> Self {
        Self(self.0.saturating_add(saturated_nanos(delay)))
    }
}

fn saturated_nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_saturate() {
        let day = Duration::from_secs(86_400);
        assert_eq!(Moment::ORIGIN.after(day).since_origin(), day);
        assert_eq!(Moment::ORIGIN.after(Duration::MAX), Moment::NEVER);
        assert_eq!(Moment::NEVER.after(day), Moment::NEVER);
        assert_eq!(Moment::ORIGIN.after(day).before(day), Some(Moment::ORIGIN));
        assert_eq!(Moment::ORIGIN.before(Duration::from_nanos(1)), None);
        assert_eq!(Moment::NEVER.before(Duration::MAX), None);
    }

    #[test]
    fn stamps_survive_the_round_trip() {
        let time = UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_789);
        assert_eq!(Stamp::of(time).to_system_time(), time);
        assert_eq!(Stamp::of(UNIX_EPOCH - Duration::from_secs(1)).to_system_time(), UNIX_EPOCH);
        assert_eq!(Stamp::of(time).after(Duration::MAX), Stamp(u64::MAX));
        let second = Duration::from_secs(1);
        assert_eq!(Stamp::of(time).after(second).since(Stamp::of(time)), second);
        assert_eq!(Stamp::of(UNIX_EPOCH).since(Stamp::of(time)), Duration::ZERO);
    }
}
