//! The flag by which the handlers of a pool are woken: none sleeps through what it was woken for.

use crate::harness::{Model, Past, witness};
use loom::sync::{Arc, Mutex};
use millpond_loom::model::Rung;

/// Wakers put the place of their handler on a list, unless it is there; a worker takes the list and polls the handler. Whatever is not
/// left on the list was seen.
fn wakers_against_a_worker(name: &'static str, wakers: usize, preemptions: usize) {
    let witnesses: &[_] = &["left on the list", "all was seen", "one call for two"];
    Model::new(name).preemptions(preemptions).floor(30).witnesses(witnesses).run(move |case| {
        let (rung, list) = (Arc::new(Rung::new(false)), Arc::new(Mutex::new(0)));
        let past = Past::new(wakers);
        for waker in 0..wakers {
            let (rung, list, past) = (Arc::clone(&rung), Arc::clone(&list), past.clone());
            let wake = move || {
                past.done(waker);
                if rung.ring() {
                    *list.lock().expect("no panic under the lock") += 1;
                } else {
                    witness("one call for two");
                }
            };
            if waker == 0 { case.thread(wake) } else { case.twin(wake) }
        }
        let seen = std::sync::Arc::new(std::sync::Mutex::new(0));
        let (flag, taken, sees) = (Arc::clone(&rung), Arc::clone(&list), std::sync::Arc::clone(&seen));
        case.thread(move || {
            for _ in 0..2 {
                let calls = std::mem::take(&mut *taken.lock().expect("no panic under the lock"));
                assert!(calls <= 1, "a place is on the list once");
                if calls == 1 {
                    flag.rearm();
                    *sees.lock().expect("no panic under the lock") = past.seen();
                }
            }
        });
        case.finish(move || {
            let left = *list.lock().expect("no panic under the lock");
            let seen = *seen.lock().expect("no panic under the lock");
            witness(if left > 0 { "left on the list" } else { "all was seen" });
            assert!(left > 0 || seen == wakers, "nothing is left to do, but only {seen} were seen");
            assert_eq!(rung.is_rung(), left > 0);
        });
    });
}

#[test]
fn two_wakers_against_a_worker() {
    wakers_against_a_worker("ring, ring, look", 2, 2);
}

#[test]
fn three_wakers_against_a_worker() {
    wakers_against_a_worker("ring, ring, ring, look", 3, 1);
}
