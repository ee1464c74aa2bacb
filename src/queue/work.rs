//! The queue itself: its parts, and the moves between them that need no settling.

use super::bury::Alert;
use super::delayed::Delayed;
use super::envelope::{AttemptRecord, Envelope, JobId};
use super::morgue::Morgue;
use super::mover::Moving;
use super::rules::DeadRules;
use super::seat::{Seat, Seats};
use crate::channel::{Receiver, Sender, bounded};
use crate::gate::Gate;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Arc, Mutex};
use crate::time::{Alarm, Clock, Moment};
use std::fmt;
use std::time::{Duration, Instant, SystemTime};

/// A bounded queue of jobs, for any number of submitters and a fixed number of workers.
pub(crate) struct Queue<T> {
    pub(super) gate: Gate,
    pub(super) sender: Sender<Envelope<T>>,
    receiver: Receiver<Envelope<T>>,
    pub(super) delayed: Delayed<T>,
    pub(super) morgue: Morgue<T>,
    pub(super) alert: Alert,
    pub(super) moving: Moving,
    pub(super) seats: Arc<Seats>,
    /// Jobs that are handed back by a shutdown, until it collects them.
    bin: Mutex<Vec<Released<T>>>,
    /// How many jobs were put into the bin.
    pub(super) released: AtomicU64,
    /// How many jobs were still running when a shutdown ran out of time.
    pub(super) cut_off: AtomicU64,
    /// How many admissions were taken back, because the channel did not take the job.
    pub(super) turned_back: AtomicU64,
    pub(super) clock: Clock,
    name: Arc<str>,
}

/// A job that was accepted but is not going to be run: a shutdown hands it back. That was not an attempt.
#[non_exhaustive]
pub struct Released<T> {
    /// The number of the job.
    pub id: JobId,
    /// The job itself.
    pub job: T,
    /// Its failed attempts in order, if there were any: all up to a hundred, else the first and the latest 99.
    pub attempts: Vec<AttemptRecord>,
    /// How often it was delivered, snoozes included.
    pub deliveries: u32,
    /// When it was accepted, to within a tick of the system's timer.
    pub enqueued_at: SystemTime,
}

impl<T> fmt::Debug for Released<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Released")
            .field("id", &self.id)
            .field("attempts", &self.attempts)
            .field("enqueued_at", &self.enqueued_at)
            .finish_non_exhaustive()
    }
}

impl<T> Queue<T> {
    pub(crate) fn new(name: Arc<str>, capacity: usize, seats: usize, dead: DeadRules, clock: Clock) -> Self {
        let alarm = Arc::new(Alarm::new());
        clock.subscribe(&alarm);
        let (sender, receiver) = bounded(capacity);
        Self {
            gate: Gate::new(capacity),
            sender,
            receiver,
            delayed: Delayed::new(alarm),
            morgue: Morgue::new(&dead),
            alert: Alert::new(dead.on_dead),
            moving: Moving::default(),
            seats: Arc::new(Seats::new(seats)),
            bin: Mutex::new(Vec::new()),
            released: AtomicU64::new(0),
            cut_off: AtomicU64::new(0),
            turned_back: AtomicU64::new(0),
            clock,
            name,
        }
    }

    /// Returns the bytes that a queue of `capacity` jobs takes at least, or none if they cannot be counted.
    pub(crate) fn bytes(capacity: usize) -> Option<usize> {
        (size_of::<Envelope<T>>() + size_of::<usize>()).checked_mul(capacity)
    }

    /// Returns the gate, for those who let a job in before they bring it: see [`enter`](Self::enter).
    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) fn capacity(&self) -> usize {
        self.gate.capacity()
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) fn seats(&self) -> &Arc<Seats> {
        &self.seats
    }

    /// Returns how many jobs are ready: a snapshot.
    pub(super) fn ready(&self) -> u64 {
        self.receiver.len() as u64
    }

    /// Takes the next job that is ready, and waits for it. None once the queue is closed and empty.
    pub(crate) fn take(&self) -> Option<Envelope<T>> {
        self.receiver.recv().ok()
    }

    /// Takes a job up at a seat. A job that comes too late for that is handed back, and none returned.
    pub(crate) fn take_up(&self, seat: &Seat, envelope: Envelope<T>) -> Option<Envelope<T>> {
        if seat.take_up(envelope.id) {
            return Some(envelope);
        }
        self.release(envelope);
        None
    }

    /// Makes a job ready that is held already. It has its place, so this waits for a peer in mid-step at most.
    pub(super) fn make_ready(&self, envelope: Envelope<T>) {
        if let Err(error) = self.sender.send(envelope) {
            self.release(error.into_inner());
        }
    }

    /// Makes a job ready after `delay`.
    pub(super) fn delay(&self, envelope: Envelope<T>, delay: Duration) {
        if delay.is_zero() {
            return self.make_ready(envelope);
        }
        let due = self.clock.moment().after(delay);
        if let Err(envelope) = self.delayed.put(&self.gate, due, envelope) {
            self.release(envelope);
        }
    }

    /// Puts a job into the bin of those that a shutdown hands back.
    fn release(&self, envelope: Envelope<T>) {
        let (attempts, deliveries) =
            envelope.history.map_or((Vec::new(), 0), |history| (history.records, history.deliveries));
        self.bin.lock().push(Released {
            id: envelope.id,
            job: envelope.job,
            attempts,
            deliveries,
            enqueued_at: envelope.enqueued_at.to_system_time(),
        });
        // ORDERING: Relaxed; a count, made before the job leaves the gate.
        self.released.fetch_add(1, Ordering::Relaxed);
        self.leave(1);
    }

    /// Lets jobs leave the gate, and tells whoever waits for quiet.
    pub(super) fn leave(&self, count: usize) {
        if self.gate.settle(count) {
            self.delayed.announce(&self.gate);
        }
    }

    /// Takes back the admission of jobs that the channel did not take.
    pub(crate) fn turn_back(&self, count: usize) {
        // ORDERING: Relaxed; a count, made before the job leaves the gate.
        self.turned_back.fetch_add(count as u64, Ordering::Relaxed);
        self.leave(count);
    }

    /// Waits until nothing is ready, in flight or due. False when the time is up.
    pub(crate) fn wait_idle(&self, timeout: Duration) -> bool {
        let deadline = Instant::now().checked_add(timeout);
        self.delayed.wait_idle(&self.gate, deadline, || self.clock.moment())
    }

    /// Makes the jobs ready that are due, drops letters that are too old, then sleeps until there may be more. False once the schedule is closed.
    ///
    /// `due` is scratch space, empty between calls.
    pub(crate) fn tick(&self, due: &mut Vec<Envelope<T>>) -> bool {
        let alarm = self.delayed.alarm();
        let rings = alarm.rings();
        let open = self.delayed.take_due(self.clock.moment(), due);
        self.expire_dead();
        if !due.is_empty() {
            due.drain(..).for_each(|envelope| self.make_ready(envelope));
        } else if open {
            match self.next_chore() {
                Some(next) if next <= self.clock.moment() => {}
                next => alarm.wait(rings, next.and_then(|next| self.clock.instant_of(next))),
            }
        }
        open
    }

    /// Lets no further job in. Blocked submitters get theirs back. True for the first call only.
    pub(crate) fn close(&self) -> bool {
        let first = self.gate.close();
        self.moving.close();
        first
    }

    /// Hands back the jobs due later than `horizon`, now and from here on.
    pub(crate) fn retire_after(&self, horizon: Moment) {
        self.delayed.retire_after(horizon).into_iter().for_each(|envelope| self.release(envelope));
    }

    /// Waits until no job is held. False at the deadline.
    pub(crate) fn wait_drained(&self, deadline: Option<Instant>) -> bool {
        self.delayed.wait_drained(&self.gate, deadline)
    }

    /// Ends all work: no job is taken up any more, and those in flight are cut off. Returns the latter's numbers.
    ///
    /// What is ready or scheduled is handed back. The workers find the queue closed and empty, the timer finds the
    /// schedule closed, and nobody waits for room among the dead letters.
    pub(crate) fn stop(&self) -> Vec<JobId> {
        let cut: Vec<JobId> = self.seats.iter().filter_map(Seat::cut).collect();
        // ORDERING: Relaxed; a count, made before the jobs leave the gate.
        self.cut_off.fetch_add(cut.len() as u64, Ordering::Relaxed);
        if !cut.is_empty() {
            self.leave(cut.len());
        }
        // After the cut, so that a worker that is let go on here takes up nothing more.
        self.morgue.shut();
        self.sender.close();
        self.delayed.close().into_iter().for_each(|envelope| self.release(envelope));
        // The workers take part in emptying the channel, and release what they take: their seats are cut.
        while let Some(envelope) = self.take() {
            self.release(envelope);
        }
        cut
    }

    /// Takes the jobs out of the bin.
    pub(crate) fn collect_released(&self) -> Vec<Released<T>> {
        std::mem::take(&mut *self.bin.lock())
    }
}
