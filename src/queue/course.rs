//! The course of a redrive that runs beside its caller: how far it is, how to stop it, when it has ended.

use crate::sync::{Arc, Condvar, Mutex};
use crate::time::{Alarm, Clock};
use std::task::Wake;
use std::time::{Duration, Instant};

/// Why a [`Redrive`](crate::Redrive) has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RedriveEnd {
    /// It came to the end of its letters.
    Finished,
    /// It was cancelled. What it had not moved yet are dead letters still.
    Cancelled,
    /// The pool was shut down. What it had not moved yet are dead letters still.
    Closed,
}

/// How far a [`Redrive`](crate::Redrive) is. `moved + failed + left` is the number of letters it began with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedriveProgress {
    /// Letters whose jobs were submitted again.
    pub moved: u64,
    /// Letters that could not be moved when their turn came: they had been purged, taken, dropped or redriven by somebody
    /// else, or somebody was looking at them. The latter are dead letters still.
    pub failed: u64,
    /// Letters whose turn has not come.
    pub left: u64,
    /// Why it has ended, once it has.
    pub end: Option<RedriveEnd>,
}

/// What the thread that moves the letters shares with those who watch it.
pub(crate) struct Course {
    state: Mutex<State>,
    ended: Condvar,
    /// Where the mover sleeps: rung to stop it, when there may be room, and when a virtual clock moves.
    alarm: Arc<Alarm>,
}

struct State {
    progress: RedriveProgress,
    /// What the mover is told to end for.
    stop: Option<RedriveEnd>,
}

impl Course {
    pub(super) fn new(letters: usize, clock: &Clock) -> Self {
        let alarm = Arc::new(Alarm::new());
        clock.subscribe(&alarm);
        let progress = RedriveProgress { left: letters as u64, ..RedriveProgress::default() };
        Self { state: Mutex::new(State { progress, stop: None }), ended: Condvar::new(), alarm }
    }

    pub(crate) fn progress(&self) -> RedriveProgress {
        self.state.lock().progress
    }

    /// Tells the mover to end, and why. The first reason counts.
    pub(crate) fn stop(&self, why: RedriveEnd) {
        self.state.lock().stop.get_or_insert(why);
        self.alarm.ring();
    }

    /// Waits for the end. False when the time is up.
    pub(crate) fn wait(&self, timeout: Duration) -> bool {
        let deadline = Instant::now().checked_add(timeout);
        let mut state = self.state.lock();
        while state.progress.end.is_none() {
            match deadline {
                Some(deadline) => {
                    if self.ended.wait_until(&mut state, deadline).timed_out() {
                        return state.progress.end.is_some();
                    }
                }
                None => self.ended.wait(&mut state),
            }
        }
        true
    }

    pub(super) fn alarm(&self) -> &Alarm {
        &self.alarm
    }

    /// Returns what the mover is told to end for.
    pub(super) fn stopped(&self) -> Option<RedriveEnd> {
        self.state.lock().stop
    }

    /// Notes that the turn of a letter has come.
    pub(super) fn count(&self, moved: bool) {
        let progress = &mut self.state.lock().progress;
        progress.left -= 1;
        *(if moved { &mut progress.moved } else { &mut progress.failed }) += 1;
    }

    pub(super) fn end(&self, why: RedriveEnd) {
        self.state.lock().progress.end.get_or_insert(why);
        self.ended.notify_all();
    }
}

/// The mover waits for room as a task does: what wakes the task rings the alarm.
impl Wake for Course {
    fn wake(self: Arc<Self>) {
        self.alarm.ring();
    }
}
