//! The terms of a stay, in relaxed words beside the place: who decides by them has those of the stay that it decides on.

use crate::harness::{Model, witness};
use loom::sync::Arc;
use millpond_loom::model::{Custody, Cut, Review, Tenure, Terms};
use std::sync::Mutex;

/// What is lent is its number.
type Place = Tenure<u64, u64>;

fn lending() -> Arc<Place> {
    Arc::new(Tenure::new(Custody::lending()))
}

/// Stays under these terms, and does what there is to do meanwhile. Returns whether it was over before it was taken away.
fn stay(place: &Place, number: u64, terms: Terms, meanwhile: impl FnOnce()) -> bool {
    let job = place.lend(number, terms, number, number).expect("nobody cuts the place");
    meanwhile();
    let kept = job.reclaim().is_ok();
    assert_eq!(place.place().end(), kept, "the place's word says the same");
    kept
}

const fn ends(ends: u64) -> Terms {
    Terms { ends, renewed_until: 0 }
}

/// A stay is extended while its end is reviewed: it lasts, or it was over before.
#[test]
fn an_extension_against_a_review() {
    Model::new("tenure: extend, review")
        .floor(20)
        .witnesses(&["too late", "extended", "over", "lasts", "nothing"])
        .run(|case| {
            let tenure = lending();
            let worker = Arc::clone(&tenure);
            case.thread(move || {
                let mut extended = false;
                let kept = stay(&worker, 1, ends(5), || extended = worker.extend(1, || 20));
                assert!(kept || !extended, "what was extended to later is over");
                witness(if extended { "extended" } else { "too late" });
            });
            case.thread(move || match tenure.review(10, 0, false) {
                Review::Over(taken) => {
                    witness("over");
                    assert_eq!((*taken.rest(), taken.copy()), (1, 1));
                }
                Review::Lasts(until) => {
                    witness("lasts");
                    assert_eq!(until, 20);
                }
                Review::Renewed(_) => panic!("nobody renews it"),
                Review::Nothing => witness("nothing"),
            });
        });
}

/// The worker goes on to another stay at once, which ends later: it is not taken away by the terms of the first.
#[test]
fn two_stays_against_a_review() {
    Model::new("tenure: two stays, review")
        .preemptions(3)
        .floor(100)
        .witnesses(&["both kept", "one lost", "over", "lasts", "nothing"])
        .run(|case| {
            let tenure = lending();
            let worker = Arc::clone(&tenure);
            case.thread(move || {
                let first = stay(&worker, 1, ends(5), || ());
                assert!(stay(&worker, 2, ends(50), || ()), "the second is not over");
                witness(if first { "both kept" } else { "one lost" });
            });
            case.thread(move || match tenure.review(10, 0, false) {
                Review::Over(taken) => {
                    witness("over");
                    assert_eq!(*taken.rest(), 1, "the second is not over");
                }
                Review::Lasts(until) => {
                    witness("lasts");
                    assert_eq!(until, 50);
                }
                Review::Renewed(_) => panic!("nobody renews it"),
                Review::Nothing => witness("nothing"),
            });
        });
}

/// The first stay is renewed, the second ends late: no mixture of their terms has either of them end.
#[test]
fn a_renewed_stay_and_another_against_reviews() {
    Model::new("tenure: a renewed stay and another, two reviews")
        .preemptions(2)
        .floor(100)
        .witnesses(&["renewed", "lasts", "nothing"])
        .run(|case| {
            let tenure = lending();
            let worker = Arc::clone(&tenure);
            case.thread(move || {
                let renewed = Terms { ends: 5, renewed_until: 100 };
                assert!(stay(&worker, 1, renewed, || ()), "it is renewed");
                assert!(stay(&worker, 2, ends(50), || ()), "it is not over");
            });
            case.thread(move || {
                for (now, later) in [(10, 40), (45, 75)] {
                    match tenure.review(now, later, false) {
                        Review::Over(_) => panic!("neither is over"),
                        Review::Lasts(until) => {
                            witness("lasts");
                            assert!(until == 50 || until == 75, "{until}");
                        }
                        Review::Renewed(until) => {
                            witness("renewed");
                            assert_eq!(until, 100);
                        }
                        Review::Nothing => witness("nothing"),
                    }
                }
            });
        });
}

/// A place is cut while its worker goes on from one stay to the next: it is told the number of the one that it cut off.
#[test]
fn a_cut_against_two_stays() {
    Model::new("tenure: two stays, cut")
        .floor(100)
        .witnesses(&["first cut off", "second cut off", "nothing"])
        .run(|case| {
            let tenure: Arc<Place> = Arc::new(Tenure::new(Custody::plain()));
            // Outside of what loom sees: who says that it has been cut off.
            let lost = std::sync::Arc::new(Mutex::new((None, None)));
            let (worker, book) = (Arc::clone(&tenure), std::sync::Arc::clone(&lost));
            case.thread(move || {
                for number in [1, 2] {
                    if worker.begin(number) && !worker.place().end() {
                        book.lock().expect("no panic under the lock").0 = Some(number);
                    }
                }
            });
            let book = std::sync::Arc::clone(&lost);
            case.thread(move || {
                let found = match tenure.cut() {
                    (Cut::Nothing, _) => None,
                    (Cut::Away, number) => Some(number),
                    (Cut::Here(_), _) => panic!("nothing lies here"),
                };
                book.lock().expect("no panic under the lock").1 = found;
            });
            case.finish(move || {
                let (of_worker, of_cut) = *lost.lock().expect("no panic under the lock");
                assert_eq!(of_worker, of_cut, "the worker's is the one that was cut off");
                witness(match of_cut {
                    None => "nothing",
                    Some(1) => "first cut off",
                    Some(_) => "second cut off",
                });
            });
        });
}
