//! A worker's seat: the job it has in hand, and what it has counted.
//!
//! ```text
//!   in_hand: | number of the job, or 0 | CUT |
//! ```
//!
//! A worker takes a job up and lays it down with one `fetch_add` or `fetch_sub` each on its own cache line; a shutdown that
//! runs out of time sets CUT with a `fetch_or`. One word has one modification order, so for each job exactly one of two
//! things happens: the worker laid it down before (and settles it), or CUT came first (and the shutdown has settled it).

use super::envelope::JobId;
use crate::sync::CachePadded;
use crate::sync::atomic::{AtomicU64, Ordering};

/// The seat is taken away: what is in hand no longer belongs to the worker, and it may take up nothing more.
const CUT: u64 = 1;
/// One unit of the job's number.
const ID: u64 = 2;

/// The seats of all workers of a queue.
pub(crate) struct Seats(Box<[CachePadded<Seat>]>);

/// One worker's own cache line.
#[derive(Default)]
pub(crate) struct Seat {
    in_hand: AtomicU64,
    pub(super) done: Counter,
    pub(super) died: Counter,
    pub(super) retried: Counter,
    pub(super) snoozed: Counter,
    pub(super) dropped: Counter,
    pub(super) panicked: Counter,
    pub(super) late: Counter,
}

impl Seats {
    pub(super) fn new(workers: usize) -> Self {
        Self((0..workers).map(|_| CachePadded::default()).collect())
    }

    pub(crate) fn get(&self, index: usize) -> &Seat {
        &self.0[index]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Seat> {
        self.0.iter().map(|seat| &**seat)
    }

    /// Returns the sum of one counter over all seats.
    pub(super) fn sum(&self, counter: impl Fn(&Seat) -> &Counter) -> u64 {
        self.iter().map(|seat| counter(seat).get()).sum()
    }
}

impl Seat {
    /// Takes a job up. Returns false when the seat is cut: then the job is not to be run.
    #[must_use]
    pub(super) fn take_up(&self, id: JobId) -> bool {
        // ORDERING: AcqRel; one modification order with `cut`, which reads what the worker did before (see the head).
        let before = self.in_hand.fetch_add(id.get() * ID, Ordering::AcqRel);
        debug_assert_eq!(before & !CUT, 0, "a worker has one job in hand at a time");
        let ours = before & CUT == 0;
        if !ours {
            // ORDERING: Relaxed; nobody acts on a cut seat any more.
            self.in_hand.fetch_sub(id.get() * ID, Ordering::Relaxed);
        }
        ours
    }

    /// Lays the job down. Returns false when the seat was cut meanwhile: then somebody else has settled the job.
    #[must_use]
    pub(super) fn lay_down(&self, id: JobId) -> bool {
        // ORDERING: AcqRel; as in `take_up`.
        let before = self.in_hand.fetch_sub(id.get() * ID, Ordering::AcqRel);
        debug_assert_eq!(before & !CUT, id.get() * ID, "a worker lays down what it took up");
        before & CUT == 0
    }

    /// Takes the seat away for ever. Returns the job that was in hand, which is the caller's to settle.
    pub(super) fn cut(&self) -> Option<JobId> {
        // ORDERING: AcqRel; as in `take_up`.
        let before = self.in_hand.fetch_or(CUT, Ordering::AcqRel);
        (before & CUT == 0 && before >= ID).then(|| JobId::new(before / ID))
    }

    /// Returns true once the seat was taken away: then it stays so.
    pub(crate) fn is_cut(&self) -> bool {
        // ORDERING: Relaxed; a signal that the handler polls, nothing is read on the strength of it.
        self.in_hand.load(Ordering::Relaxed) & CUT != 0
    }

    /// Returns true while a job is in hand that was not cut off: a snapshot.
    pub(super) fn is_busy(&self) -> bool {
        // ORDERING: Relaxed; a snapshot.
        let word = self.in_hand.load(Ordering::Relaxed);
        word >= ID && word & CUT == 0
    }
}

/// A counter with one writer, which therefore needs no read-modify-write.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Adds one. Called by the owner of the seat only.
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

    #[test]
    fn a_job_belongs_to_the_worker_or_to_the_cut() {
        let seat = Seat::default();
        assert!(seat.take_up(JobId::new(5)) && seat.is_busy());
        assert!(seat.lay_down(JobId::new(5)) && !seat.is_busy());
        assert!(seat.take_up(JobId::new(6)));
        assert_eq!(seat.cut(), Some(JobId::new(6)));
        assert_eq!(seat.cut(), None, "a job is cut off once");
        assert!(seat.is_cut() && !seat.is_busy());
        assert!(!seat.lay_down(JobId::new(6)), "a late settle changes nothing");
        assert!(!seat.take_up(JobId::new(7)), "a cut seat takes up nothing");
        assert!(!seat.is_busy() && seat.is_cut());
    }

    #[test]
    fn an_idle_seat_is_cut_without_a_job() {
        let seat = Seat::default();
        assert_eq!(seat.cut(), None);
        assert!(!seat.take_up(JobId::new(1)));
    }

    #[test]
    fn exactly_one_side_wins_each_race() {
        for id in 1..2_000 {
            let seat = std::sync::Arc::new(Seat::default());
            let worker = std::thread::spawn({
                let seat = std::sync::Arc::clone(&seat);
                move || seat.take_up(JobId::new(id)).then(|| seat.lay_down(JobId::new(id)))
            });
            let cut = seat.cut();
            match worker.join().unwrap() {
                None | Some(true) => assert_eq!(cut, None),
                Some(false) => assert_eq!(cut, Some(JobId::new(id))),
            }
        }
    }

    #[test]
    fn sums_over_the_seats() {
        let seats = Seats::new(3);
        seats.get(0).done.bump();
        seats.get(2).done.bump();
        seats.get(2).done.bump();
        assert_eq!((seats.sum(|seat| &seat.done), seats.sum(|seat| &seat.late)), (3, 0));
    }
}
