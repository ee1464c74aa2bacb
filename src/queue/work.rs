//! The queue itself: its parts, and the moves between them that need no settling.

use super::bury::Alert;
use super::delayed::Delayed;
use super::envelope::{AttemptRecord, Envelope, JobId, cut, discard_all};
use super::judge::Judge;
use super::lease::{Leasing, Place};
use super::morgue::Morgue;
use super::mover::Moving;
use super::overflow::Overflow;
use super::past::{Past, PastDeaths};
use super::pause::Pauses;
use super::ready::{Lane, Ready, Route};
use super::rules::DeadRules;
use super::seat::Seats;
use super::tags::Tags;
use super::track::JobEnd;
use crate::gate::Gate;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Arc, Mutex};
use crate::time::{Alarm, Clock, Moment, Timers};
use std::fmt;
use std::time::{Duration, Instant, SystemTime};

/// A bounded queue of jobs, for any number of submitters and a fixed number of workers.
pub(crate) struct Queue<T> {
    pub(super) gate: Gate,
    pub(super) ready: Ready<T>,
    pub(super) delayed: Delayed<T>,
    /// Handlers that wait for their time.
    timers: Arc<Timers>,
    pub(super) overflow: Overflow,
    pub(super) morgue: Morgue<T>,
    pub(super) alert: Alert,
    pub(super) moving: Moving,
    pub(super) seats: Seats<T>,
    pub(super) tags: Tags,
    /// None: a delivery belongs to its worker until it is settled.
    pub(super) leasing: Option<Leasing<T>>,
    pub(super) judge: Judge,
    pub(super) pauses: Pauses,
    #[cfg(feature = "cron")]
    pub(super) repeats: super::repeat::Repeats<T>,
    /// Workers with lower numbers end whatever their handlers do.
    pub(super) stubborn_from: u32,
    /// Jobs that are handed back by a shutdown, until it collects them.
    bin: Mutex<Vec<Released<T>>>,
    /// Jobs that were cut off, and that their handlers gave back afterwards, until the shutdown collects them.
    cut_bin: Mutex<Option<Vec<Envelope<T>>>>,
    /// How many jobs were put into the bin.
    pub(super) released: AtomicU64,
    /// How many jobs were still running when a shutdown ran out of time.
    pub(super) cut_off: AtomicU64,
    /// How many jobs were dropped because they were cancelled.
    pub(super) cancelled: AtomicU64,
    /// How many leases were lost.
    pub(super) leases_lost: AtomicU64,
    /// How many jobs could not be saved from a worker that had lost its lease, because copying them panicked.
    pub(super) uncopied: AtomicU64,
    /// How many jobs had to go for want of room.
    pub(super) overflowed: AtomicU64,
    /// Of those, how many were dropped.
    pub(super) shed: AtomicU64,
    /// How many jobs died in no worker's hand.
    pub(super) died_outside: AtomicU64,
    /// How many admissions were taken back, because the channel did not take the job.
    pub(super) turned_back: AtomicU64,
    pub(super) clock: Clock,
    name: Arc<str>,
}

/// What a queue is to be like.
pub(crate) struct Plan<T> {
    pub(crate) name: Arc<str>,
    pub(crate) capacity: usize,
    pub(crate) overflow: Overflow,
    pub(crate) dead: DeadRules,
    pub(crate) clock: Clock,
    /// How many keys are remembered at most.
    pub(crate) unique_keys: usize,
    pub(crate) leasing: Option<Leasing<T>>,
    pub(crate) judge: Judge,
    /// The lane of each job, if there are two.
    pub(crate) route: Option<Route<T>>,
    /// Workers with lower numbers end by themselves when their jobs are cut off, whatever their handlers do.
    pub(crate) stubborn_from: u32,
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
    /// Its deaths, if it was redriven: the latest reason first. The attempts above are of its latest life alone.
    pub past: Vec<PastDeaths>,
    /// The failed attempts of its earlier lives in order: as in [`DeadLetter::past_attempts`](crate::DeadLetter::past_attempts).
    pub past_attempts: Vec<AttemptRecord>,
}

impl<T> Released<T> {
    fn of(mut envelope: Envelope<T>) -> Self {
        let Past { deaths: past, attempts: mut past_attempts } = envelope.take_past();
        discard_all(cut(&mut past_attempts));
        let (attempts, deliveries) =
            envelope.history.map_or((Vec::new(), 0), |history| (history.records, history.deliveries));
        Self {
            id: envelope.id,
            job: envelope.job,
            attempts,
            deliveries,
            enqueued_at: envelope.enqueued_at.to_system_time(),
            past,
            past_attempts,
        }
    }
}

/// A job that was being worked on when a shutdown ran out of time. That was not an attempt.
///
/// What becomes of the work is not known: its handler may still be at it, and what that returns changes nothing any more.
#[derive(Debug)]
#[non_exhaustive]
pub struct CutOff<T> {
    /// The number of the job.
    pub id: JobId,
    /// The job with its history, where it could be had: if its handler stopped within a second of being cut off, as async ones
    /// do; or if the pool has [leases](crate::Lease), a copy, as the handler has the other. None: the handler borrows it still,
    /// or said that it is done just after it was cut off.
    pub job: Option<Released<T>>,
}

/// What the end of all work left.
pub(crate) struct Stopped<T> {
    pub(crate) cut_off: Vec<CutOff<T>>,
    /// How many workers may never end, because they still have a delivery in hand, of no effect.
    pub(crate) occupied: usize,
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
    pub(crate) fn new(plan: Plan<T>) -> Self {
        let alarm = Arc::new(Alarm::new());
        plan.clock.subscribe(&alarm);
        if let Some(breaker) = &plan.judge.breaker {
            breaker.subscribe(&alarm);
        }
        let timers = Timers::new(Arc::clone(&alarm));
        Self {
            gate: Gate::new(plan.capacity),
            ready: Ready::new(plan.capacity, plan.route),
            delayed: Delayed::new(alarm),
            timers,
            overflow: plan.overflow,
            morgue: Morgue::new(&plan.dead),
            alert: Alert::new(plan.dead.on_dead),
            moving: Moving::default(),
            seats: Seats::new(plan.leasing.as_ref().map_or(Place::plain, |leasing| leasing.place)),
            tags: Tags::new(plan.unique_keys),
            leasing: plan.leasing,
            judge: plan.judge,
            pauses: Pauses::new(),
            #[cfg(feature = "cron")]
            repeats: super::repeat::Repeats::new(),
            stubborn_from: plan.stubborn_from,
            bin: Mutex::new(Vec::new()),
            cut_bin: Mutex::new(Some(Vec::new())),
            released: AtomicU64::new(0),
            cut_off: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            leases_lost: AtomicU64::new(0),
            uncopied: AtomicU64::new(0),
            overflowed: AtomicU64::new(0),
            shed: AtomicU64::new(0),
            died_outside: AtomicU64::new(0),
            turned_back: AtomicU64::new(0),
            clock: plan.clock,
            name: plan.name,
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

    pub(crate) fn timers(&self) -> &Arc<Timers> {
        &self.timers
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Returns how many jobs are ready for the workers of a lane: a snapshot.
    pub(crate) fn ready_in(&self, lane: Lane) -> usize {
        self.ready.of(lane).len()
    }

    /// Makes a job ready that is held already. It has its place, so this waits for a peer in mid-step at most.
    pub(super) fn make_ready(&self, envelope: Envelope<T>) {
        if let Err(envelope) = self.ready.send(envelope) {
            self.release(envelope);
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

    /// Puts a job into the bin of those that a shutdown hands back, unless it was cancelled.
    pub(super) fn release(&self, envelope: Envelope<T>) {
        if envelope.is_cancelled() {
            return self.drop_cancelled(envelope);
        }
        let (id, tagged) = (envelope.id, envelope.is_tagged());
        self.bin.lock().push(Released::of(envelope));
        // ORDERING: Relaxed; a count, made before the job leaves the gate.
        self.released.fetch_add(1, Ordering::Relaxed);
        self.leave_as(id, tagged, JobEnd::Released);
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
        self.wait_drained_by(|| deadline)
    }

    /// As [`wait_drained`](Self::wait_drained), with a deadline that may change: then [`nudge`](Self::nudge) says so.
    pub(crate) fn wait_drained_by(&self, deadline: impl Fn() -> Option<Instant>) -> bool {
        self.delayed.wait_drained(&self.gate, deadline)
    }

    /// Has those who wait until no job is held look at their deadlines.
    pub(crate) fn nudge(&self) {
        self.delayed.nudge();
    }

    /// Ends all work: no job is taken up any more, and those in flight are cut off.
    ///
    /// What is ready or scheduled is handed back. The workers find the queue closed and empty, the timer finds the
    /// schedule closed, and those that were put aside for want of room among the dead letters lie there.
    pub(crate) fn stop(&self) -> Stopped<T> {
        let cut = self.seats.cut();
        // ORDERING: Relaxed; a count, made before the jobs leave the gate.
        self.cut_off.fetch_add(cut.len() as u64, Ordering::Relaxed);
        if !cut.is_empty() {
            let tracks: Vec<_> = cut.iter().filter_map(|(id, _)| self.untag(*id)).collect();
            self.leave(cut.len());
            tracks.iter().for_each(|track| track.end(JobEnd::CutOff));
        }
        // After the cut, so that a worker that is let go on here takes up nothing more.
        self.morgue.shut();
        self.bury_those_aside();
        self.ready.close();
        self.pauses.end();
        #[cfg(feature = "cron")]
        self.repeats.close();
        self.delayed.close().into_iter().for_each(|envelope| self.release(envelope));
        // The workers take part in emptying the channel, and release what they take: their seats are cut.
        self.ready.drain(|envelope| self.release(envelope));
        let cut_off = cut.into_iter().map(|(id, taken)| CutOff {
            id,
            job: taken.and_then(|taken| self.copy(taken)).map(Released::of),
        });
        let occupied = self.seats.occupied_from(self.stubborn_from);
        Stopped { cut_off: cut_off.collect(), occupied }
    }

    /// Returns true once all work is ended: no job is taken up any more.
    #[cfg(feature = "tokio")]
    pub(crate) fn is_stopped(&self) -> bool {
        self.ready.is_closed()
    }

    /// Takes back a job that was cut off: for the shutdown to hand it out, if that has not ended meanwhile.
    pub(super) fn give_back_cut(&self, envelope: Envelope<T>) {
        let late = match &mut *self.cut_bin.lock() {
            Some(bin) => {
                bin.push(envelope);
                None
            }
            None => Some(envelope),
        };
        // Dropped after the lock: that is user code.
        late.map(Envelope::discard);
    }

    /// Takes the jobs that were cut off and came back since. Those that come later are dropped.
    pub(crate) fn collect_cut(&self) -> Vec<Released<T>> {
        let bin = self.cut_bin.lock().take();
        bin.unwrap_or_default().into_iter().map(Released::of).collect()
    }

    /// Takes the jobs out of the bin.
    pub(crate) fn collect_released(&self) -> Vec<Released<T>> {
        std::mem::take(&mut *self.bin.lock())
    }
}
