//! The jobs that wait for their time, and the threads and tasks that wait for the queue to fall quiet.
//!
//! Both live under one lock, because "quiet" is a statement about both: all jobs that are held wait in the schedule. Whoever
//! looks holds the lock, so that the schedule stands still; jobs elsewhere can only be settled or come in here, and in
//! either case the watcher is told: by the settle, which sees QUIET in the gate, or by the job that comes in.
//!
//! A settle is spared the lock while more jobs are held than wait here. It may read an old length. If that is too small,
//! the job that came in meanwhile looks at the gate itself after it is in, by a read-modify-write on the word that the
//! settle changed: so of the two, the later in that word's order sees what the other did, and tells the watcher.

use super::envelope::Envelope;
use super::track::Track;
use crate::gate::Gate;
use crate::retry::{discard, wake};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Arc, Condvar, Mutex, MutexGuard};
use crate::time::{Alarm, Moment, Schedule};
use std::collections::BTreeMap;
use std::task::Waker;
use std::time::Instant;

/// How many due jobs are taken out with the lock held once: a guess, large enough to make the lock cheap.
const DUE_BATCH: usize = 64;

/// Jobs that wait for their time.
pub(super) struct Delayed<T> {
    state: Mutex<State<T>>,
    /// How many wait: written with the lock held.
    len: AtomicU64,
    quiet: Condvar,
    alarm: Arc<Alarm>,
}

struct State<T> {
    schedule: Schedule<Envelope<T>>,
    /// Jobs due later than this are not taken in.
    horizon: Moment,
    /// No job is taken in.
    closed: bool,
    /// How many threads and tasks wait for quiet.
    watchers: usize,
    /// The tasks among them that are to be woken, by their tickets.
    tasks: BTreeMap<u64, Waker>,
    next_ticket: u64,
}

impl<T> Delayed<T> {
    pub(super) fn new(alarm: Arc<Alarm>) -> Self {
        let state = State {
            schedule: Schedule::new(),
            horizon: Moment::NEVER,
            closed: false,
            watchers: 0,
            tasks: BTreeMap::new(),
            next_ticket: 0,
        };
        Self { state: Mutex::new(state), len: AtomicU64::new(0), quiet: Condvar::new(), alarm }
    }

    /// Takes a job in. Gives it back if it would come too late, if it was cancelled, or if the schedule is closed.
    pub(super) fn put(&self, gate: &Gate, due: Moment, envelope: Envelope<T>) -> Result<(), Envelope<T>> {
        let mut state = self.state.lock();
        // Asked with the lock held: whoever cancels looks for the job here after saying so.
        if state.closed || due > state.horizon || envelope.is_cancelled() {
            return Err(envelope);
        }
        let track = envelope.track().cloned();
        let scheduled = state.schedule.push(due, envelope);
        if let Some(track) = track {
            track.set_key(scheduled.key);
        }
        let earliest = scheduled.is_earliest;
        self.publish_len(&state);
        if state.watchers > 0 && gate.held_in_order() <= state.schedule.len() as u64 {
            self.tell(state);
        } else {
            drop(state);
        }
        if earliest {
            self.alarm.ring();
        }
        Ok(())
    }

    /// Takes out a job that was cancelled, if it waits here.
    pub(super) fn cancel(&self, track: &Track) -> Option<Envelope<T>> {
        let mut state = self.state.lock();
        let cancelled = state.schedule.cancel(track.key()?);
        self.publish_len(&state);
        cancelled
    }

    /// Moves jobs that are due at `now` into `due`, a batch at most. Returns false once the schedule is closed.
    pub(super) fn take_due(&self, now: Moment, due: &mut Vec<Envelope<T>>) -> bool {
        let mut state = self.state.lock();
        while due.len() < DUE_BATCH {
            match state.schedule.pop_due(now) {
                Some(envelope) => due.push(envelope),
                None => break,
            }
        }
        self.publish_len(&state);
        !state.closed
    }

    /// Returns when the next job is due.
    pub(super) fn next_due(&self) -> Option<Moment> {
        self.state.lock().schedule.next_due()
    }

    /// Gives up every job due later than `horizon`, and takes in none that is. The caller answers for what is returned.
    pub(super) fn retire_after(&self, horizon: Moment) -> Vec<Envelope<T>> {
        let mut state = self.state.lock();
        state.horizon = horizon;
        let late = state.schedule.split_after(horizon);
        self.publish_len(&state);
        late
    }

    /// Gives up every job and takes in none. Ends the timer.
    pub(super) fn close(&self) -> Vec<Envelope<T>> {
        let mut state = self.state.lock();
        state.closed = true;
        let left = state.schedule.drain();
        self.publish_len(&state);
        drop(state);
        self.alarm.ring();
        left
    }

    /// Returns how many jobs wait: a snapshot.
    pub(super) fn len(&self) -> u64 {
        // ORDERING: Acquire; pairs with `publish_len` for the reader who skips the lock on the strength of it.
        self.len.load(Ordering::Acquire)
    }

    #[cfg(feature = "cron")]
    pub(super) fn shared_alarm(&self) -> Arc<Alarm> {
        Arc::clone(&self.alarm)
    }

    pub(super) fn alarm(&self) -> &Alarm {
        &self.alarm
    }

    /// Tells whoever waits for quiet to look again. Called after a settle that returned true.
    #[cold]
    pub(super) fn announce(&self, gate: &Gate) {
        if gate.held() > self.len() {
            return;
        }
        // A watcher between its look and its sleep holds the lock: with the lock taken once, it is asleep or will see.
        self.tell(self.state.lock());
    }

    /// Has all who wait for quiet look again.
    fn tell(&self, mut state: MutexGuard<'_, State<T>>) {
        let tasks = std::mem::take(&mut state.tasks);
        drop(state);
        self.quiet.notify_all();
        for waker in tasks.into_values() {
            if !wake(waker) {
                tracing::error!(target: "millpond", "a waker panicked");
            }
        }
    }

    /// Returns true when no job is held. If one is, has `waker` woken when that may have changed; `ticket` is the task's own,
    /// for [`leave`](Self::leave).
    pub(super) fn poll_drained(&self, gate: &Gate, ticket: &mut Option<u64>, waker: &Waker) -> bool {
        // Cloned before the lock is taken, and dropped after it is: a waker is user code.
        let waker = waker.clone();
        let mut state = self.state.lock();
        if ticket.is_none() {
            *ticket = Some(state.next_ticket);
            state.next_ticket += 1;
            state.watchers += 1;
            gate.watch();
        }
        let drained = gate.held() == 0;
        let unused = match *ticket {
            Some(ticket) if !drained => state.tasks.insert(ticket, waker),
            _ => Some(waker),
        };
        drop(state);
        discard(unused);
        drained
    }

    /// Has a task wait no more.
    pub(super) fn leave(&self, gate: &Gate, ticket: u64) {
        let mut state = self.state.lock();
        let waker = state.tasks.remove(&ticket);
        Self::unwatch(&mut state, gate);
        drop(state);
        discard(waker);
    }

    fn unwatch(state: &mut State<T>, gate: &Gate) {
        state.watchers -= 1;
        if state.watchers == 0 {
            gate.unwatch();
        }
    }

    /// Waits until all jobs held are in the schedule and none is due; `now` tells the time. False at the deadline.
    pub(super) fn wait_idle(&self, gate: &Gate, deadline: Option<Instant>, now: impl Fn() -> Moment) -> bool {
        self.wait_until(
            gate,
            || deadline,
            |state| {
                gate.held() == state.schedule.len() as u64
                    && state.schedule.next_due().is_none_or(|due| due > now())
            },
        )
    }

    /// Waits until no job is held. False at the deadline, which is asked for again after each [`nudge`](Self::nudge).
    pub(super) fn wait_drained(&self, gate: &Gate, deadline: impl Fn() -> Option<Instant>) -> bool {
        self.wait_until(gate, deadline, |_| gate.held() == 0)
    }

    /// Has those who wait for quiet look at their deadlines.
    pub(super) fn nudge(&self) {
        self.tell(self.state.lock());
    }

    fn wait_until(
        &self,
        gate: &Gate,
        deadline: impl Fn() -> Option<Instant>,
        quiet: impl Fn(&State<T>) -> bool,
    ) -> bool {
        let mut state = self.state.lock();
        state.watchers += 1;
        gate.watch();
        let mut in_time = true;
        let reached = loop {
            if quiet(&state) {
                break true;
            }
            if !in_time {
                break false;
            }
            match deadline() {
                Some(deadline) => in_time = !self.quiet.wait_until(&mut state, deadline).timed_out(),
                None => self.quiet.wait(&mut state),
            }
        };
        Self::unwatch(&mut state, gate);
        reached
    }

    fn publish_len(&self, state: &State<T>) {
        // ORDERING: Release; pairs with `len`. Made before the look at the gate in `put` (see the module's head).
        self.len.store(state.schedule.len() as u64, Ordering::Release);
    }
}
