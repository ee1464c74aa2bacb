//! A seat: the delivery that is worked on there, and what has been counted.
//!
//! ```text
//!   in_hand: | number of the job, or 0 | LOST | CUT |
//! ```
//!
//! A worker takes a job up and lays it down with one `fetch_add` or `fetch_sub` each on its own cache line. A shutdown that
//! runs out of time sets CUT with a `fetch_or`: from then on nothing is taken up here. A lease that runs out sets LOST, for
//! the job that is in hand. One word has one modification order, so for each job exactly one of two things happens: the worker
//! laid it down before (and settles it), or it was taken away first (and whoever did so answers for it).
//!
//! Under a lease the envelope lies in the seat while the handler borrows the job, so that it can be taken away as a whole.
//! Who takes it out, under the lock, owns it.

use super::envelope::{Envelope, JobId};
use super::hold::Hold;
use super::lease::{LeaseLost, Leased};
use super::track::{AnyResult, Progress, Track};
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::{Arc, CachePadded, Mutex};
use crate::time::{Clock, Moment};
use std::task::Waker;
use std::time::Duration;

/// The seat is taken away: what is in hand no longer belongs to the worker, and it may take up nothing more.
const CUT: u64 = 0b01;
/// What is in hand was taken away.
const LOST: u64 = 0b10;
/// One unit of the job's number.
const ID: u64 = 0b100;

/// A seat on cache lines of its own.
pub(crate) type SeatRef<T> = Arc<CachePadded<Seat<T>>>;

/// All seats of a queue, those that nobody sits on included.
pub(crate) struct Seats<T> {
    all: Mutex<Roster<T>>,
    free: Mutex<Vec<SeatRef<T>>>,
}

struct Roster<T> {
    seats: Vec<SeatRef<T>>,
    /// Seats that are added now are cut from the beginning.
    closed: bool,
}

/// Where one delivery at a time is worked on.
pub(crate) struct Seat<T> {
    in_hand: AtomicU64,
    leased: Mutex<Option<Leased<T>>>,
    /// Somebody waits for the end of the job in hand.
    is_watched: AtomicBool,
    watched: Mutex<Option<Watched>>,
    clock: Clock,
    /// The number of the worker whose seat this is. None: it is for whoever brings a loop of his own.
    worker: Option<u32>,
    pub(super) done: Counter,
    pub(super) died: Counter,
    pub(super) retried: Counter,
    pub(super) snoozed: Counter,
    pub(super) dropped: Counter,
    pub(super) panicked: Counter,
    pub(super) late: Counter,
}

/// A job in hand for whose end somebody waits.
pub(super) struct Watched {
    pub(super) id: JobId,
    /// The number of the delivery.
    pub(super) delivery: u32,
    pub(super) track: Arc<Track>,
}

impl<T> Seats<T> {
    pub(super) fn new() -> Self {
        Self { all: Mutex::new(Roster { seats: Vec::new(), closed: false }), free: Mutex::new(Vec::new()) }
    }

    /// Adds a seat, for a worker or for nobody in particular.
    pub(super) fn add(&self, clock: &Clock, worker: Option<u32>) -> SeatRef<T> {
        let seat = Arc::new(CachePadded::new(Seat::new(clock.clone(), worker)));
        let mut all = self.all.lock();
        if all.closed {
            drop(seat.cut());
        }
        all.seats.push(Arc::clone(&seat));
        seat
    }

    /// Returns a seat on which nobody sits, a new one if need be. There are as many as were in use at once.
    pub(super) fn borrow(&self, clock: &Clock) -> SeatRef<T> {
        let free = self.free.lock().pop();
        free.unwrap_or_else(|| self.add(clock, None))
    }

    /// Takes a seat back that was borrowed. One that was cut is of no further use.
    pub(super) fn give_back(&self, seat: SeatRef<T>) {
        if !seat.is_cut() {
            self.free.lock().push(seat);
        }
    }

    /// Returns the seats that there are now.
    pub(super) fn list(&self) -> Vec<SeatRef<T>> {
        self.all.lock().seats.clone()
    }

    /// Takes all seats away, those that are still to come as well. Returns what was in hand, as [`Seat::cut`] does.
    pub(super) fn cut(&self) -> Vec<(JobId, Option<Leased<T>>)> {
        let mut all = self.all.lock();
        all.closed = true;
        all.seats.iter().filter_map(|seat| seat.cut()).collect()
    }

    /// Returns at how many seats of workers with these numbers something is in hand, taken away or not.
    pub(super) fn occupied_from(&self, first: u32) -> usize {
        let is_occupied =
            |seat: &&SeatRef<T>| seat.worker.is_some_and(|worker| worker >= first) && seat.is_occupied();
        self.all.lock().seats.iter().filter(is_occupied).count()
    }

    /// Returns at how many seats something is in hand that was not taken away.
    pub(super) fn busy(&self) -> usize {
        self.all.lock().seats.iter().filter(|seat| seat.is_busy()).count()
    }

    /// Returns the sum of one counter over all seats.
    pub(super) fn sum(&self, counter: impl Fn(&Seat<T>) -> &Counter) -> u64 {
        self.all.lock().seats.iter().map(|seat| counter(seat).get()).sum()
    }
}

impl<T> Seat<T> {
    fn new(clock: Clock, worker: Option<u32>) -> Self {
        Self {
            in_hand: AtomicU64::new(0),
            leased: Mutex::new(None),
            is_watched: AtomicBool::new(false),
            watched: Mutex::new(None),
            clock,
            worker,
            done: Counter::default(),
            died: Counter::default(),
            retried: Counter::default(),
            snoozed: Counter::default(),
            panicked: Counter::default(),
            late: Counter::default(),
            dropped: Counter::default(),
        }
    }

    /// Takes a job up. Returns false when the seat is cut: then the job is not to be run.
    #[must_use]
    pub(super) fn take_up(&self, id: JobId) -> bool {
        // ORDERING: AcqRel; one modification order with `cut`, which reads what the worker did before (see the head).
        let before = self.in_hand.fetch_add(id.get() * ID, Ordering::AcqRel);
        debug_assert_eq!(before & !CUT, 0, "one job is in hand at a time");
        let ours = before & CUT == 0;
        if !ours {
            // ORDERING: Relaxed; nobody acts on a cut seat any more.
            self.in_hand.fetch_sub(id.get() * ID, Ordering::Relaxed);
        }
        ours
    }

    /// Notes that somebody waits for the end of the job that is about to be taken up.
    pub(super) fn watch(&self, watched: Watched) {
        let old = self.watched.lock().replace(watched);
        // ORDERING: Relaxed; for the thread that sits here, and for those to which its handler hands the context.
        self.is_watched.store(true, Ordering::Relaxed);
        drop(old);
    }

    /// Forgets it.
    pub(super) fn unwatch(&self) {
        // ORDERING: Relaxed; as in `watch`.
        self.is_watched.store(false, Ordering::Relaxed);
        let old = self.watched.lock().take();
        drop(old);
    }

    /// Returns who waits for the end of the job in hand, with the number of the delivery.
    fn watched(&self, id: JobId) -> Option<(Arc<Track>, u32)> {
        // ORDERING: Relaxed; as in `watch`.
        if !self.is_watched.load(Ordering::Relaxed) {
            return None;
        }
        let watched = self.watched.lock();
        let watched = watched.as_ref().filter(|watched| watched.id == id)?;
        Some((Arc::clone(&watched.track), watched.delivery))
    }

    /// Lays the job down. Returns false when it was taken away meanwhile: then somebody else answers for it.
    #[must_use]
    pub(super) fn lay_down(&self, id: JobId) -> bool {
        // ORDERING: AcqRel; as in `take_up`.
        let before = self.in_hand.fetch_sub(id.get() * ID, Ordering::AcqRel);
        debug_assert_eq!(before & !(CUT | LOST), id.get() * ID, "what is laid down was taken up");
        if before & LOST != 0 {
            // ORDERING: Relaxed; only the one who sits here takes up the next job, and LOST is set for a job in hand only.
            self.in_hand.fetch_and(!LOST, Ordering::Relaxed);
        }
        before & (CUT | LOST) == 0
    }

    /// Takes the seat away for ever. Returns the job that was in hand, which is the caller's to settle; its envelope too, if
    /// it was leased.
    pub(super) fn cut(&self) -> Option<(JobId, Option<Leased<T>>)> {
        let mut place = self.leased.lock();
        let leased = place.take();
        // ORDERING: AcqRel; as in `take_up`.
        let before = self.in_hand.fetch_or(CUT, Ordering::AcqRel);
        let ours = before & (CUT | LOST) == 0 && before >= ID;
        debug_assert!(ours || leased.is_none(), "an envelope lies in the seat while its job is in hand");
        ours.then(|| (JobId::new(before / ID), leased))
    }

    /// Takes a job up under a lease: its envelope lies in the seat. Gives it back if the seat is cut.
    pub(super) fn take_up_leased(&self, leased: Leased<T>) -> Result<(), Leased<T>> {
        let mut place = self.leased.lock();
        if self.take_up(leased.envelope.id) {
            *place = Some(leased);
            return Ok(());
        }
        Err(leased)
    }

    /// Takes the envelope out again. None if it was taken away.
    pub(super) fn reclaim(&self) -> Option<Leased<T>> {
        self.leased.lock().take()
    }

    /// Renews the lease if it is to be, and takes the job away if it has run out; `retire`: and the seat for good, if it is a
    /// worker's. Else returns when to look again.
    pub(super) fn review(
        &self,
        now: Moment,
        time: Duration,
        retire: bool,
    ) -> Result<Option<Moment>, Leased<T>> {
        let mut place = self.leased.lock();
        let Some(leased) = place.as_mut() else { return Ok(None) };
        if now < leased.renewed_until {
            // Half a lease is left, so that a timer that is late by less than that loses nothing.
            leased.ends = leased.ends.max(now.after(time));
            return Ok(Some(now.after(time / 2).min(leased.renewed_until)));
        }
        if now < leased.ends {
            return Ok(Some(leased.ends));
        }
        let flags = if retire && self.worker.is_some() { CUT | LOST } else { LOST };
        // ORDERING: AcqRel; as in `take_up`. The lock has it that the envelope is here and so the job in hand.
        self.in_hand.fetch_or(flags, Ordering::AcqRel);
        place.take().map_or(Ok(None), Err)
    }

    /// Has the lease of what is in hand run out, to be taken away at the next review. False if there is none.
    pub(crate) fn run_out(&self) -> bool {
        let mut place = self.leased.lock();
        let Some(leased) = place.as_mut() else { return false };
        (leased.ends, leased.renewed_until) = (Moment::ORIGIN, Moment::ORIGIN);
        true
    }

    /// Returns true once the seat was taken away: then it stays so.
    pub(crate) fn is_cut(&self) -> bool {
        // ORDERING: Relaxed; a signal that is polled, nothing is read on the strength of it.
        self.in_hand.load(Ordering::Relaxed) & CUT != 0
    }

    /// Returns the number of the worker who sits here.
    pub(super) fn worker(&self) -> Option<u32> {
        self.worker
    }

    /// Returns true while a job is in hand, even if it was taken away: a snapshot.
    fn is_occupied(&self) -> bool {
        // ORDERING: Relaxed; a snapshot.
        self.in_hand.load(Ordering::Relaxed) >= ID
    }

    /// Returns true while a job is in hand that was not taken away: a snapshot.
    pub(super) fn is_busy(&self) -> bool {
        // ORDERING: Relaxed; a snapshot.
        let word = self.in_hand.load(Ordering::Relaxed);
        word >= ID && word & (CUT | LOST) == 0
    }
}

impl<T: Send + 'static> Hold for CachePadded<Seat<T>> {
    fn is_lost(&self, _: JobId) -> bool {
        // ORDERING: Relaxed; as in `is_cut`.
        self.in_hand.load(Ordering::Relaxed) & (CUT | LOST) != 0
    }

    fn is_cancelled(&self, id: JobId) -> bool {
        self.watched(id).is_some_and(|(track, _)| track.is_cancelled())
    }

    fn poll_cancelled(&self, id: JobId, waker: &Waker) -> bool {
        self.watched(id).is_some_and(|(track, _)| track.poll_cancelled(waker))
    }

    fn set_progress(&self, id: JobId, progress: Progress) {
        if let Some((track, delivery)) = self.watched(id) {
            track.set_progress(delivery, progress);
        }
    }

    fn set_result(&self, id: JobId, result: AnyResult) -> Result<(), AnyResult> {
        match self.watched(id) {
            Some((track, delivery)) => track.set_result(delivery, result),
            None => Err(result),
        }
    }

    fn extend(&self, id: JobId, by: Duration) -> Result<(), LeaseLost> {
        match self.leased.lock().as_mut() {
            Some(leased) if leased.envelope.id == id => {
                leased.ends = self.clock.moment().after(by);
                Ok(())
            }
            // Without leases there is nothing to extend, and nothing lost but by a shutdown.
            _ if self.is_lost(id) => Err(LeaseLost::new()),
            _ => Ok(()),
        }
    }
}

impl<T> Leased<T> {
    /// Puts an envelope under a lease. Returns it with the worker's own hold on the job.
    pub(super) fn new(
        envelope: Envelope<T>,
        share: fn(T) -> super::lease::SharedJob<T>,
        ends: Moment,
        renewed_until: Moment,
    ) -> (Self, super::lease::SharedJob<T>) {
        let (job, shell) = envelope.open();
        let job = share(job);
        let envelope = shell.refill(Arc::clone(&job));
        (Self { envelope, ends, renewed_until }, job)
    }
}

/// A counter with one writer at a time, which therefore needs no read-modify-write.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Adds one. Called only by the one who sits on the seat; a seat changes hands under a lock.
    pub(super) fn bump(&self) {
        // ORDERING: Relaxed; this thread is the only writer. What the count goes with is ordered by the gate's settle.
        self.0.store(self.0.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        // ORDERING: Relaxed; a snapshot. After a settle that the reader has seen, it includes that settle's job.
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seat() -> Seat<u8> {
        Seat::new(Clock::system(), None)
    }

    fn cut(seat: &Seat<u8>) -> Option<JobId> {
        seat.cut().map(|(id, _)| id)
    }

    fn lease(id: u64, ends: Moment, renewed_until: Moment) -> Leased<u8> {
        let envelope = Envelope::new(JobId::new(id), crate::time::Stamp::of(std::time::UNIX_EPOCH), 7);
        Leased::new(envelope, |job| Arc::new(job), ends, renewed_until).0
    }

    fn at(seconds: u64) -> Moment {
        Moment::ORIGIN.after(Duration::from_secs(seconds))
    }

    const LEASE: Duration = Duration::from_secs(10);

    #[test]
    fn a_job_is_settled_by_its_worker_or_cut_off_never_both() {
        let seat = seat();
        assert!(seat.take_up(JobId::new(5)) && seat.is_busy());
        assert!(seat.lay_down(JobId::new(5)) && !seat.is_busy());
        assert!(seat.take_up(JobId::new(6)));
        assert_eq!(cut(&seat), Some(JobId::new(6)));
        assert_eq!(cut(&seat), None, "a job is cut off once");
        assert!(seat.is_cut() && !seat.is_busy());
        assert!(!seat.lay_down(JobId::new(6)), "a late settle changes nothing");
        assert!(!seat.take_up(JobId::new(7)), "a cut seat takes up nothing");
        assert!(!seat.is_busy() && seat.is_cut());
    }

    #[test]
    fn an_idle_seat_is_cut_without_a_job() {
        let seat = seat();
        assert_eq!(cut(&seat), None);
        assert!(!seat.take_up(JobId::new(1)));
        assert!(seat.take_up_leased(lease(2, at(1), at(0))).is_err());
    }

    #[test]
    fn exactly_one_side_wins_each_race() {
        for id in 1..2_000 {
            let seat = std::sync::Arc::new(seat());
            let worker = std::thread::spawn({
                let seat = std::sync::Arc::clone(&seat);
                move || seat.take_up(JobId::new(id)).then(|| seat.lay_down(JobId::new(id)))
            });
            let cut = cut(&seat);
            match worker.join().unwrap() {
                None | Some(true) => assert_eq!(cut, None),
                Some(false) => assert_eq!(cut, Some(JobId::new(id))),
            }
        }
    }

    #[test]
    fn a_lease_is_reclaimed_in_time_or_lost() {
        let seat = seat();
        seat.take_up_leased(lease(1, at(10), at(0))).ok().unwrap();
        assert_eq!(seat.review(at(9), LEASE, false).ok().unwrap(), Some(at(10)), "look again when it ends");
        assert!(seat.reclaim().is_some() && seat.lay_down(JobId::new(1)));

        seat.take_up_leased(lease(2, at(20), at(0))).ok().unwrap();
        let Err(lost) = seat.review(at(20), LEASE, false) else { panic!("it has run out") };
        assert_eq!(lost.envelope.id, JobId::new(2));
        assert!(!seat.is_busy() && !seat.is_cut());
        assert!(seat.reclaim().is_none() && !seat.lay_down(JobId::new(2)), "a late settle changes nothing");
        seat.take_up_leased(lease(3, at(30), at(0))).ok().unwrap();
        assert!(seat.is_busy(), "the seat is good for the next job");
        assert_eq!(cut(&seat), Some(JobId::new(3)));
    }

    #[test]
    fn a_lease_is_renewed_until_the_time_of_the_attempt_is_up() {
        let seat = seat();
        seat.take_up_leased(lease(1, at(10), at(25))).ok().unwrap();
        for (now, next) in [(0, 5), (5, 10), (14, 19), (24, 25)] {
            assert_eq!(seat.review(at(now), LEASE, false).ok().unwrap(), Some(at(next)), "at {now} s");
        }
        assert_eq!(seat.review(at(25), LEASE, false).ok().unwrap(), Some(at(34)), "no longer renewed");
        assert!(seat.review(at(34), LEASE, false).is_err());
    }

    #[test]
    fn only_a_workers_seat_is_retired() {
        for (worker, retired) in [(None, false), (Some(0), true)] {
            let seat = Seat::new(Clock::system(), worker);
            seat.take_up_leased(lease(1, at(10), at(0))).ok().unwrap();
            assert!(seat.review(at(10), LEASE, true).is_err());
            assert_eq!(seat.is_cut(), retired);
            assert!(!seat.lay_down(JobId::new(1)));
        }
    }

    #[test]
    fn seats_are_borrowed_again_and_summed() {
        let (seats, clock) = (Seats::<u8>::new(), Clock::system());
        let first = seats.borrow(&clock);
        let second = seats.borrow(&clock);
        first.done.bump();
        second.done.bump();
        second.done.bump();
        seats.give_back(first);
        seats.give_back(seats.borrow(&clock));
        assert_eq!(seats.list().len(), 2);
        assert_eq!((seats.sum(|seat| &seat.done), seats.sum(|seat| &seat.late)), (3, 0));
        assert!(second.cut().is_none());
        seats.give_back(second);
        assert!(seats.free.lock().iter().all(|seat| !seat.is_cut()), "a seat that was cut is not lent again");
        assert_eq!(seats.cut().len(), 0);
        assert!(seats.borrow(&clock).is_cut() && seats.add(&clock, Some(1)).is_cut());
    }
}
