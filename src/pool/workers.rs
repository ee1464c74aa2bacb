//! Workers over a queue that is not ours.

use super::crew::Crew;
use crate::retry::wake;
use crate::sync::Arc;
use crate::time::{Alarm, Clock, Timers};
use std::fmt;
use std::io;
use std::time::{Duration, Instant};

/// The workers of an [`Engine`](crate::engine::Engine), as [`PoolBuilder::start_over`](crate::PoolBuilder::start_over) started
/// them.
///
/// They end when their engine says that it is closed, which is for its owner to bring about. Dropping this leaves them at work.
#[must_use = "without it nobody can wait for the workers to end"]
pub struct Workers {
    crew: Crew,
}

impl Workers {
    pub(super) fn new(crew: Crew) -> Self {
        Self { crew }
    }

    /// Waits until all workers have ended. Returns how many still run when the time is up.
    ///
    /// # Blocking
    /// Parks the thread.
    pub fn join(&self, timeout: Duration) -> usize {
        let now = Instant::now();
        // As good as for ever.
        let deadline = now.checked_add(timeout).unwrap_or_else(|| now + Duration::from_secs(1 << 32));
        self.crew.end(0, deadline);
        self.crew.running()
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers").field("running", &self.crew.running()).finish()
    }
}

/// Starts the thread that wakes handlers whose time has come. It ends when nobody holds the timers any more.
pub(super) fn start_timer(crew: &Crew, name: &str, clock: Clock) -> io::Result<Arc<Timers>> {
    let alarm = Arc::new(Alarm::new());
    clock.subscribe(&alarm);
    let timers = Timers::new(Arc::clone(&alarm));
    let watched = Arc::downgrade(&timers);
    crew.start(format!("{name}-timer"), move |running| {
        let mut wakers = Vec::new();
        loop {
            let rings = alarm.rings();
            let Some(timers) = watched.upgrade() else { break };
            let next = timers.take_due(clock.moment(), &mut wakers);
            drop(timers);
            if wakers.is_empty() {
                alarm.wait(rings, next.and_then(|next| clock.instant_of(next)));
            }
            // A waker that panics keeps no other from being woken.
            for waker in wakers.drain(..) {
                let _woken = wake(waker);
            }
        }
        drop(running);
    })?;
    Ok(timers)
}

// Usable after a panic was caught, whatever it was that panicked (promise 9).
impl std::panic::UnwindSafe for Workers {}
impl std::panic::RefUnwindSafe for Workers {}
