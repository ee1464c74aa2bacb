//! Jobs that recur: made and submitted by the timer when their time has come.
//!
//! The timer is alone in running them. It takes the list out while it does, so that the closures that make jobs, which are user
//! code, run and are dropped under no lock; what was added meanwhile is joined to the list when it goes back.

use super::work::Queue;
use crate::gate::Refused;
use crate::retry::discard;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::{Arc, Mutex};
use crate::time::{Alarm, Clock, Moment, Recurrence};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, SystemTime};

/// How often the system's clock is looked at, if nothing is due sooner: it may have been set.
const LOOK_AT_THE_CLOCK: Duration = Duration::from_secs(60);

/// What makes the jobs.
pub(crate) type Make<T> = Box<dyn FnMut() -> T + Send>;

/// All recurring jobs of a queue.
pub(super) struct Repeats<T> {
    list: Mutex<List<T>>,
}

struct List<T> {
    repeats: Vec<Repeat<T>>,
    closed: bool,
}

struct Repeat<T> {
    recurrence: Recurrence,
    make: Make<T>,
    /// All runs up to here were started or passed over.
    last: SystemTime,
    /// When to look again.
    next: Moment,
    runs: Arc<Runs>,
}

/// What the timer shares with the one who set up a recurring job.
pub(crate) struct Runs {
    stopped: AtomicBool,
    started: AtomicU64,
    skipped: AtomicU64,
    panicked: AtomicU64,
    alarm: Arc<Alarm>,
}

impl Runs {
    pub(crate) fn stop(&self) {
        // ORDERING: Release; pairs with the load in `is_stopped`.
        self.stopped.store(true, Ordering::Release);
        self.alarm.ring();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        // ORDERING: Acquire; what was done before the stop, the timer sees.
        self.stopped.load(Ordering::Acquire)
    }

    /// Returns how many runs were started, how many passed over, and how many panicked.
    pub(crate) fn counts(&self) -> [u64; 3] {
        // ORDERING: Relaxed; snapshots of counts.
        [&self.started, &self.skipped, &self.panicked].map(|count| count.load(Ordering::Relaxed))
    }

    fn add(count: &AtomicU64, more: u64) {
        // ORDERING: Relaxed; a count.
        count.fetch_add(more, Ordering::Relaxed);
    }
}

impl<T> Repeats<T> {
    pub(super) fn new() -> Self {
        Self { list: Mutex::new(List { repeats: Vec::new(), closed: false }) }
    }

    /// Lets go of all, for good.
    pub(super) fn close(&self) {
        let repeats = {
            let mut list = self.list.lock();
            list.closed = true;
            std::mem::take(&mut list.repeats)
        };
        repeats.into_iter().for_each(Repeat::end);
    }
}

impl<T> Repeat<T> {
    fn end(self) {
        self.runs.stop();
        discard(self.make);
    }

    /// Sets when to look again.
    fn look_again(&mut self, clock: &Clock, now: Moment, wall: SystemTime) {
        let next = self.recurrence.schedule().next_after(wall);
        let mut next =
            next.map_or(Moment::NEVER, |next| now.after(next.duration_since(wall).unwrap_or_default()));
        if !clock.is_virtual() {
            next = next.min(now.after(LOOK_AT_THE_CLOCK));
        }
        self.next = next;
    }
}

impl<T> Queue<T> {
    /// Has the timer make and submit jobs by a schedule, from now on.
    pub(crate) fn repeat(&self, recurrence: Recurrence, make: Make<T>) -> Arc<Runs> {
        let runs = Arc::new(Runs {
            stopped: AtomicBool::new(false),
            started: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            panicked: AtomicU64::new(0),
            alarm: self.delayed.shared_alarm(),
        });
        let (now, wall) = (self.clock.moment(), self.clock.now());
        let mut repeat = Repeat { recurrence, make, last: wall, next: now, runs: Arc::clone(&runs) };
        repeat.look_again(&self.clock, now, wall);
        let mut list = self.repeats.list.lock();
        if list.closed {
            drop(list);
            repeat.end();
        } else {
            list.repeats.push(repeat);
            drop(list);
            self.delayed.alarm().ring();
        }
        runs
    }

    /// Submits what is due. Returns when to look again. Called by the timer alone.
    pub(super) fn run_repeats(&self, now: Moment) -> Moment {
        let mut repeats = std::mem::take(&mut self.repeats.list.lock().repeats);
        if repeats.is_empty() {
            return Moment::NEVER;
        }
        for repeat in repeats.iter_mut().filter(|repeat| repeat.next <= now) {
            // The same time of day for both: a run that falls due in between would be overlooked. Read last, so that the
            // timer comes too early if the clock moves in between, never too late.
            let (now, wall) = (self.clock.moment(), self.clock.now());
            if !repeat.runs.is_stopped() {
                self.run(repeat, wall);
            }
            repeat.look_again(&self.clock, now, wall);
        }
        let (stopped, mut kept): (Vec<_>, Vec<_>) =
            repeats.into_iter().partition(|repeat| repeat.runs.is_stopped());
        stopped.into_iter().for_each(Repeat::end);
        let mut next = kept.iter().map(|repeat| repeat.next).min().unwrap_or(Moment::NEVER);
        let mut list = self.repeats.list.lock();
        if list.closed {
            drop(list);
            kept.into_iter().for_each(Repeat::end);
            return Moment::NEVER;
        }
        // Whoever adds one rings, and so has the timer look at it.
        kept.append(&mut list.repeats);
        next = kept.iter().map(|repeat| repeat.next).min().unwrap_or(next);
        list.repeats = kept;
        next
    }

    /// Submits the runs that are due, until there is no room.
    fn run(&self, repeat: &mut Repeat<T>, wall: SystemTime) {
        let due = repeat.recurrence.due(repeat.last, wall);
        Runs::add(&repeat.runs.skipped, due.skipped);
        for at in due.runs {
            match self.gate.admit(1) {
                Ok(admitted) => self.start_run(repeat, admitted.first),
                Err(Refused::Closed) => return repeat.runs.stop(),
                Err(Refused::Full) => {
                    tracing::warn!(target: "millpond", queue = &**self.name(), "no room for a recurring job: the run is missed");
                    // From here on they count as missed, which the policy sees to when the next is due.
                    repeat.last = at.checked_sub(Duration::from_nanos(1)).unwrap_or(at).max(repeat.last);
                    return;
                }
            }
        }
        repeat.last = wall.max(repeat.last);
    }

    /// Makes a job that was let in, and brings it in.
    fn start_run(&self, repeat: &mut Repeat<T>, number: u64) {
        match catch_unwind(AssertUnwindSafe(&mut repeat.make)) {
            Ok(job) => match self.enter(number, job) {
                Ok(_) => Runs::add(&repeat.runs.started, 1),
                Err(job) => {
                    discard(job);
                    repeat.runs.stop();
                }
            },
            Err(payload) => {
                self.turn_back(1);
                tracing::error!(target: "millpond", queue = &**self.name(), "making a recurring job panicked");
                discard(payload);
                Runs::add(&repeat.runs.panicked, 1);
            }
        }
    }
}
