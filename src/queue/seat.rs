//! A seat: the delivery that is worked on there, and what has been counted.
//!
//! A worker takes a job up and lays it down at the seat's [place](crate::sync::Tenure), with one step each on a cache line of its own. A shutdown that
//! runs out of time cuts the seat: from then on nothing is taken up here. A lease that runs out takes away what is in hand. For
//! each job exactly one of two things happens: the worker laid it down before (and settles it), or it was taken away first (and
//! whoever did so answers for it).
//!
//! Under a lease the job lies at the place while the handler borrows it, and what the queue knows of it too, so that it can be taken
//! away as a whole.

use super::envelope::{Envelope, JobId};
use super::hold::Hold;
use super::lease::{LeaseLost, Leased, Place, TakenAway};
use super::track::{AnyResult, Progress, Track};
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::{Arc, CachePadded, Cut, Mutex, Review, Tenure, Terms};
use crate::time::{Clock, Moment};
use std::task::Waker;
use std::time::Duration;

/// A seat on cache lines of its own.
pub(crate) type SeatRef<T> = Arc<CachePadded<Seat<T>>>;

/// All seats of a queue, those that nobody sits on included.
pub(crate) struct Seats<T> {
    all: Mutex<Roster<T>>,
    free: Mutex<Vec<SeatRef<T>>>,
    place: fn() -> Place<T>,
}

struct Roster<T> {
    seats: Vec<SeatRef<T>>,
    /// Seats that are added now are cut from the beginning.
    closed: bool,
}

/// Where one delivery at a time is worked on.
pub(crate) struct Seat<T> {
    /// Where the job lies, or is known to be in hand; with its number, and when its lease runs out.
    tenure: Tenure<T, Envelope<()>>,
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
    /// `place` makes the place of a seat.
    pub(super) fn new(place: fn() -> Place<T>) -> Self {
        let all = Mutex::new(Roster { seats: Vec::new(), closed: false });
        Self { all, free: Mutex::new(Vec::new()), place }
    }

    /// Adds a seat, for a worker or for nobody in particular.
    pub(super) fn add(&self, clock: &Clock, worker: Option<u32>) -> SeatRef<T> {
        let seat = Arc::new(CachePadded::new(Seat::new((self.place)(), clock.clone(), worker)));
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

    /// Takes a seat back that was borrowed. One that was cut is of no further use, nor one whose next delivery would wait for a job to be
    /// copied.
    pub(super) fn give_back(&self, seat: SeatRef<T>) {
        if !seat.is_cut() && !seat.tenure.place().is_looked_at() {
            self.free.lock().push(seat);
        }
    }

    /// Returns the seats that there are now.
    pub(super) fn list(&self) -> Vec<SeatRef<T>> {
        self.all.lock().seats.clone()
    }

    /// Takes all seats away, those that are still to come as well. Returns what was in hand, as [`Seat::cut`] does.
    pub(super) fn cut(&self) -> Vec<(JobId, Option<TakenAway<T>>)> {
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
    fn new(place: Place<T>, clock: Clock, worker: Option<u32>) -> Self {
        Self {
            tenure: Tenure::new(place),
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
    #[inline]
    #[must_use]
    pub(super) fn take_up(&self, id: JobId) -> bool {
        self.tenure.begin(id.get())
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
    #[inline]
    #[must_use]
    pub(super) fn lay_down(&self) -> bool {
        self.tenure.place().end()
    }

    /// Takes the seat away for ever. Returns the job that was in hand, which is the caller's to settle; with all that is known of
    /// it, if it was leased.
    pub(super) fn cut(&self) -> Option<(JobId, Option<TakenAway<T>>)> {
        match self.tenure.cut() {
            (Cut::Nothing, _) => None,
            (Cut::Away, id) => Some((JobId::new(id), None)),
            (Cut::Here(taken), _) => Some((taken.rest().id, Some(taken))),
        }
    }

    /// Takes a job up under a lease: it lies at the seat's place. Gives it back if the seat is cut.
    #[inline]
    pub(super) fn take_up_leased(
        &self,
        envelope: Envelope<T>,
        ends: Moment,
        renewed_until: Moment,
    ) -> Result<Leased<T>, Envelope<T>> {
        let (id, terms) = (envelope.id, Terms { ends: ends.nanos(), renewed_until: renewed_until.nanos() });
        let (job, shell) = envelope.open();
        self.tenure.lend(id.get(), terms, job, shell).map_err(|(job, shell)| shell.refill(job))
    }

    /// Renews the lease if it is to be, and takes the job away if it has run out; `retire`: and the seat for good, if it is a
    /// worker's. Else returns when to look again.
    pub(super) fn review(
        &self,
        now: Moment,
        time: Duration,
        retire: bool,
    ) -> Result<Option<Moment>, TakenAway<T>> {
        match self.tenure.review(now.nanos(), now.after(time).nanos(), retire && self.worker.is_some()) {
            Review::Nothing => Ok(None),
            // Half a lease is left, so that a timer that is late by less than that loses nothing.
            Review::Renewed(until) => Ok(Some(now.after(time / 2).min(Moment::of_nanos(until)))),
            Review::Lasts(until) => Ok(Some(Moment::of_nanos(until))),
            Review::Over(taken) => Err(taken),
        }
    }

    /// Has the lease of what is in hand run out, to be taken away at the next review. False if there is none.
    pub(crate) fn run_out(&self) -> bool {
        self.tenure.run_out()
    }

    /// Returns true once the seat was taken away: then it stays so.
    pub(crate) fn is_cut(&self) -> bool {
        self.tenure.place().is_cut()
    }

    /// Returns the number of the worker who sits here.
    pub(super) fn worker(&self) -> Option<u32> {
        self.worker
    }

    /// Returns true while a job is in hand, even if it was taken away: a snapshot.
    fn is_occupied(&self) -> bool {
        self.tenure.place().is_held()
    }

    /// Returns true while a job is in hand that was not taken away: a snapshot.
    pub(super) fn is_busy(&self) -> bool {
        self.tenure.place().is_held() && !self.tenure.place().is_lost()
    }
}

impl<T: Send + 'static> Hold for CachePadded<Seat<T>> {
    fn is_lost(&self, _: JobId) -> bool {
        self.tenure.place().is_lost()
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
        if self.tenure.extend(id.get(), || self.clock.moment().after(by).nanos()) {
            return Ok(());
        }
        // Without leases there is nothing to extend, and nothing lost but by a shutdown.
        if self.is_lost(id) { Err(LeaseLost::new()) } else { Ok(()) }
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

    fn seat_of(worker: Option<u32>) -> Seat<u8> {
        Seat::new(Place::lending(), Clock::system(), worker)
    }

    fn seat() -> Seat<u8> {
        seat_of(None)
    }

    fn cut(seat: &Seat<u8>) -> Option<JobId> {
        seat.cut().map(|(id, _)| id)
    }

    fn take(seat: &Seat<u8>, id: u64, ends: Moment, renewed_until: Moment) -> Leased<u8> {
        let envelope = Envelope::new(JobId::new(id), crate::time::Stamp::of(std::time::UNIX_EPOCH), 7);
        seat.take_up_leased(envelope, ends, renewed_until).ok().unwrap()
    }

    fn at(seconds: u64) -> Moment {
        Moment::ORIGIN.after(Duration::from_secs(seconds))
    }

    const LEASE: Duration = Duration::from_secs(10);

    #[test]
    fn a_job_is_settled_by_its_worker_or_cut_off_never_both() {
        let seat = seat();
        assert!(seat.take_up(JobId::new(5)) && seat.is_busy());
        assert!(seat.lay_down() && !seat.is_busy());
        assert!(seat.take_up(JobId::new(6)));
        assert_eq!(cut(&seat), Some(JobId::new(6)));
        assert_eq!(cut(&seat), None, "a job is cut off once");
        assert!(seat.is_cut() && !seat.is_busy());
        assert!(!seat.lay_down(), "a late settle changes nothing");
        assert!(!seat.take_up(JobId::new(7)), "a cut seat takes up nothing");
        assert!(!seat.is_busy() && seat.is_cut());
    }

    #[test]
    fn an_idle_seat_is_cut_without_a_job() {
        let seat = seat();
        assert_eq!(cut(&seat), None);
        assert!(!seat.take_up(JobId::new(1)));
        let envelope = Envelope::new(JobId::new(2), crate::time::Stamp::of(std::time::UNIX_EPOCH), 7);
        assert!(seat.take_up_leased(envelope, at(1), at(0)).is_err());
    }

    #[test]
    fn exactly_one_side_wins_each_race() {
        for id in 1..2_000 {
            let seat = std::sync::Arc::new(seat());
            let worker = std::thread::spawn({
                let seat = std::sync::Arc::clone(&seat);
                move || seat.take_up(JobId::new(id)).then(|| seat.lay_down())
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
        let job = take(&seat, 1, at(10), at(0));
        assert_eq!(seat.review(at(9), LEASE, false).ok().unwrap(), Some(at(10)), "look again when it ends");
        assert!(job.reclaim().is_ok() && seat.lay_down());

        let job = take(&seat, 2, at(20), at(0));
        let Err(taken) = seat.review(at(20), LEASE, false) else { panic!("it has run out") };
        assert_eq!((taken.rest().id, taken.copy()), (JobId::new(2), 7));
        assert!(!seat.is_busy() && !seat.is_cut());
        assert!(job.reclaim().is_err() && !seat.lay_down(), "a late settle changes nothing");
        drop(taken);
        let _job = take(&seat, 3, at(30), at(0));
        assert!(seat.is_busy(), "the seat is good for the next job");
        assert_eq!(cut(&seat), Some(JobId::new(3)));
    }

    #[test]
    fn the_terms_of_a_lease_can_be_changed_while_it_lasts() {
        let time = crate::time::VirtualClock::new();
        let seat = CachePadded::new(Seat::new(Place::<u8>::lending(), time.clock(), None));
        let job = take(&seat, 1, at(10), at(0));
        time.advance(Duration::from_secs(5));
        assert!(seat.extend(JobId::new(1), Duration::from_secs(20)).is_ok());
        assert_eq!(seat.review(at(24), LEASE, false).ok().unwrap(), Some(at(25)));
        assert!(seat.run_out());
        assert!(seat.review(at(0), LEASE, false).is_err());
        assert!(seat.extend(JobId::new(1), LEASE).is_err() && !seat.run_out());
        assert!(job.reclaim().is_err());
    }

    #[test]
    fn a_lease_is_renewed_until_the_time_of_the_attempt_is_up() {
        let seat = seat();
        let _job = take(&seat, 1, at(10), at(25));
        for (now, next) in [(0, 5), (5, 10), (14, 19), (24, 25)] {
            assert_eq!(seat.review(at(now), LEASE, false).ok().unwrap(), Some(at(next)), "at {now} s");
        }
        assert_eq!(seat.review(at(25), LEASE, false).ok().unwrap(), Some(at(34)), "no longer renewed");
        assert!(seat.review(at(34), LEASE, false).is_err());
    }

    #[test]
    fn only_a_workers_seat_is_retired() {
        for (worker, retired) in [(None, false), (Some(0), true)] {
            let seat = seat_of(worker);
            let _job = take(&seat, 1, at(10), at(0));
            assert!(seat.review(at(10), LEASE, true).is_err());
            assert_eq!(seat.is_cut(), retired);
            assert!(!seat.lay_down());
        }
    }

    #[test]
    fn seats_are_borrowed_again_and_summed() {
        let (seats, clock) = (Seats::<u8>::new(Place::plain), Clock::system());
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
