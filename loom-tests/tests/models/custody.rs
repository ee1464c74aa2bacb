//! A place from which what is worked with may be taken away.

use crate::harness::{Model, witness};
use millpond_loom::model::{Custody, Cut};
use std::sync::Arc as PlainArc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::sync::Arc;

/// A job that knows how many of its kind there are.
struct Job(PlainArc<AtomicUsize>);

impl Job {
    fn new(alive: &PlainArc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Ordering::Relaxed);
        Self(PlainArc::clone(alive))
    }
}

impl Clone for Job {
    fn clone(&self) -> Self {
        Self::new(&self.0)
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

type Place = Custody<Job, u32>;

/// Works off one job at the place. Returns true if it was not taken away.
fn work(place: &Arc<Place>, alive: &PlainArc<AtomicUsize>, rest: u32) -> Option<bool> {
    let job = Place::lend(place, Job::new(alive), rest).ok()?;
    assert!(job.job().0.load(Ordering::Relaxed) > 0);
    let kept = match job.reclaim() {
        Ok((_job, back)) => {
            assert_eq!(back, rest);
            true
        }
        Err(_job) => false,
    };
    let ended = place.end();
    assert!(kept || !ended, "what was taken away is not ended in time");
    Some(ended)
}

/// Takes away what lies at the place, copies it and lets it go. Returns true if there was something.
fn take_away(place: &Arc<Place>, rests: std::ops::RangeInclusive<u32>) -> bool {
    let Some(stay) = place.lent() else { return false };
    let Some(taken) = Place::take_away(place, stay, false) else {
        witness("too late");
        return false;
    };
    assert!(rests.contains(taken.rest()));
    drop(taken.copy());
    let (rest, _job) = taken.part();
    assert!(rests.contains(&rest));
    witness("taken away");
    true
}

/// A worker settles while somebody takes the job away: one of the two has it, and the job is dropped once.
#[test]
fn a_settle_against_a_taker() {
    Model::new("custody: work, take away").floor(20).witnesses(&["taken away", "too late", "kept"]).run(
        |case| {
            let (place, alive) = (Arc::new(Place::lending()), PlainArc::new(AtomicUsize::new(0)));
            let sides = Arc::new(loom::sync::atomic::AtomicUsize::new(0));
            let (inner, jobs, count) = (Arc::clone(&place), PlainArc::clone(&alive), Arc::clone(&sides));
            case.thread(move || {
                if work(&inner, &jobs, 1) == Some(true) {
                    witness("kept");
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
            let (inner, count) = (Arc::clone(&place), Arc::clone(&sides));
            case.thread(move || {
                if take_away(&inner, 1..=1) {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
            case.finish(move || {
                assert_eq!(sides.load(Ordering::Relaxed), 1, "one of the two");
                assert_eq!(alive.load(Ordering::Relaxed), 0, "dropped, all of them");
                assert!(!place.is_held() && !place.is_looked_at());
            });
        },
    );
}

/// The worker goes on to the next job at once: a taker that has looked at the first does not take the second by it, and the
/// second is not written over what is still looked at.
#[test]
fn two_stays_against_a_taker() {
    Model::new("custody: work twice, take away")
        .preemptions(2)
        .floor(100)
        .witnesses(&["taken away", "too late", "both kept"])
        .run(|case| {
            let (place, alive) = (Arc::new(Place::lending()), PlainArc::new(AtomicUsize::new(0)));
            let sides = Arc::new(loom::sync::atomic::AtomicUsize::new(0));
            let (inner, jobs, count) = (Arc::clone(&place), PlainArc::clone(&alive), Arc::clone(&sides));
            case.thread(move || {
                let kept = [1, 2].map(|rest| usize::from(work(&inner, &jobs, rest) == Some(true)));
                if kept == [1, 1] {
                    witness("both kept");
                }
                count.fetch_add(kept[0] + kept[1], Ordering::Relaxed);
            });
            let (inner, count) = (Arc::clone(&place), Arc::clone(&sides));
            case.thread(move || {
                if take_away(&inner, 1..=2) {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
            case.finish(move || {
                assert_eq!(sides.load(Ordering::Relaxed), 2, "each of the two once");
                assert_eq!(alive.load(Ordering::Relaxed), 0, "dropped, all of them");
                assert!(!place.is_held() && !place.is_looked_at());
            });
        });
}

/// A shutdown cuts the place while a worker takes up, works and settles: it gets what lies there, or says that there is nothing
/// to be cut off, or that it lies with the worker.
#[test]
fn a_cut_against_a_worker() {
    Model::new("custody: work, cut")
        .floor(20)
        .witnesses(&["refused", "kept", "cut off here", "cut off away"])
        .run(|case| {
            let (place, alive) = (Arc::new(Place::lending()), PlainArc::new(AtomicUsize::new(0)));
            let sides = Arc::new(loom::sync::atomic::AtomicUsize::new(0));
            let (inner, jobs, count) = (Arc::clone(&place), PlainArc::clone(&alive), Arc::clone(&sides));
            case.thread(move || match work(&inner, &jobs, 1) {
                None => {
                    witness("refused");
                    count.fetch_add(1, Ordering::Relaxed);
                }
                Some(true) => {
                    witness("kept");
                    count.fetch_add(1, Ordering::Relaxed);
                }
                Some(false) => {}
            });
            let (inner, count) = (Arc::clone(&place), Arc::clone(&sides));
            case.thread(move || match Place::cut(&inner) {
                Cut::Nothing => {}
                Cut::Away => {
                    witness("cut off away");
                    count.fetch_add(1, Ordering::Relaxed);
                }
                Cut::Here(taken) => {
                    witness("cut off here");
                    drop(taken.copy());
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
            case.finish(move || {
                assert_eq!(sides.load(Ordering::Relaxed), 1, "one of the two");
                assert_eq!(alive.load(Ordering::Relaxed), 0, "dropped, all of them");
                assert!(place.is_cut() && !place.is_held());
            });
        });
}

/// The timer and a shutdown want the same job: one of them gets it, and the worker neither.
#[test]
fn a_taker_and_a_cut_against_a_worker() {
    Model::new("custody: work, take away, cut")
        .preemptions(1)
        .floor(100)
        .witnesses(&["taken away", "too late", "cut off"])
        .run(|case| {
            let (place, alive) = (Arc::new(Place::lending()), PlainArc::new(AtomicUsize::new(0)));
            let sides = Arc::new(loom::sync::atomic::AtomicUsize::new(0));
            let (inner, jobs, count) = (Arc::clone(&place), PlainArc::clone(&alive), Arc::clone(&sides));
            case.thread(move || {
                if work(&inner, &jobs, 1) != Some(false) {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
            let (inner, count) = (Arc::clone(&place), Arc::clone(&sides));
            case.thread(move || {
                if take_away(&inner, 1..=1) {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
            let (inner, count) = (Arc::clone(&place), Arc::clone(&sides));
            case.thread(move || {
                if !matches!(Place::cut(&inner), Cut::Nothing) {
                    witness("cut off");
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
            case.finish(move || {
                assert_eq!(sides.load(Ordering::Relaxed), 1, "one of the three");
                assert_eq!(alive.load(Ordering::Relaxed), 0, "dropped, all of them");
            });
        });
}

/// A worker forgets what it had in hand: it can be taken away all the same, and is dropped once, with the place at the latest.
#[test]
fn a_worker_that_forgets_its_job() {
    Model::new("custody: lend and drop, take away")
        .floor(10)
        .witnesses(&["taken away", "too late", "left"])
        .run(|case| {
            let (place, alive) = (Arc::new(Place::lending()), PlainArc::new(AtomicUsize::new(0)));
            let (inner, jobs) = (Arc::clone(&place), PlainArc::clone(&alive));
            case.thread(move || drop(Place::lend(&inner, Job::new(&jobs), 1).ok()));
            let inner = Arc::clone(&place);
            case.thread(move || {
                if !take_away(&inner, 1..=1) {
                    witness("left");
                }
            });
            case.finish(move || {
                drop(place);
                assert_eq!(alive.load(Ordering::Relaxed), 0, "dropped, all of them");
            });
        });
}

/// A worker lays its job down, and another one comes to the place after it.
#[test]
fn a_worker_after_another() {
    Model::new("custody: work, work").floor(4).witnesses(&["held", "free"]).run(|case| {
        let alive = PlainArc::new(AtomicUsize::new(0));
        let place = Arc::new(Place::lending());
        let job =
            Place::lend(&place, Job::new(&alive), 1).unwrap_or_else(|_| panic!("nobody cuts the place"));
        let (next, count) = (Arc::clone(&place), PlainArc::clone(&alive));
        case.thread(move || {
            assert!(job.reclaim().is_ok(), "nobody takes it away");
            assert!(place.end());
        });
        case.thread(move || {
            if next.is_held() {
                witness("held");
            } else {
                witness("free");
                assert_eq!(work(&next, &count, 2), Some(true));
            }
        });
        case.finish(move || assert_eq!(alive.load(Ordering::Relaxed), 0));
    });
}
