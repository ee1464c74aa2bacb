use super::admission::Patient;
use super::*;
use crate::wait::{Deadline, block_on};
use std::sync::Arc;

fn admitted(first: u64, count: usize) -> Result<Admitted, Refused> {
    Ok(Admitted { first, count })
}

#[test]
fn lets_in_exactly_the_capacity_for_every_capacity_over_three_laps() {
    for capacity in 1..=8 {
        let gate = Gate::new(capacity);
        for lap in 0..3 {
            for index in 0..capacity {
                let number = (lap * capacity + index) as u64 + 1;
                assert_eq!(gate.admit(1), admitted(number, 1));
                assert_eq!(gate.held(), index as u64 + 1);
            }
            assert_eq!(gate.admit(1), Err(Refused::Full));
            assert!(!gate.settle(capacity));
            assert_eq!(gate.held_in_order(), 0);
        }
    }
}

#[test]
fn a_batch_takes_the_room_there_is() {
    let gate = Gate::new(5);
    assert_eq!(gate.admit(3), admitted(1, 3));
    assert_eq!(gate.admit(3), admitted(4, 2));
    assert_eq!(gate.admit(3), Err(Refused::Full));
    assert!(!gate.settle(4));
    assert_eq!(gate.admit(usize::MAX), admitted(6, 4));
}

#[test]
fn all_or_none_are_let_in() {
    let gate = Gate::new(3);
    assert_eq!(gate.admit_all(4), Err(Refused::Full));
    assert_eq!(gate.admit_all(2), admitted(1, 2));
    assert_eq!(gate.admit_all(2), Err(Refused::Full));
    assert!(!gate.settle(1));
    assert_eq!(gate.admit_all(2), admitted(3, 2), "an old count of those that left is not the last word");
    assert_eq!(gate.held(), 3);
}

#[test]
fn whoever_passes_by_takes_nobodys_place() {
    let gate = Gate::new(2);
    assert_eq!(gate.admit(2), admitted(1, 2));
    assert_eq!(gate.admit_over(3), admitted(3, 3));
    assert_eq!((gate.held(), gate.admit(1)), (5, Err(Refused::Full)));
    assert!(!gate.settle(3));
    assert_eq!((gate.held(), gate.admit(1)), (2, Err(Refused::Full)));
    assert!(!gate.settle(1));
    assert_eq!(gate.admit(1), admitted(6, 1));
    gate.close();
    assert_eq!(gate.admit_over(1), Err(Refused::Closed));
}

#[test]
fn closing_is_final_and_counts_once() {
    let gate = Gate::new(1);
    assert!(gate.close());
    assert!(!gate.close());
    assert_eq!(gate.admit(1), Err(Refused::Closed));
    assert_eq!(gate.admitted(), 0);
}

#[test]
fn a_settle_tells_whoever_watches() {
    let gate = Gate::new(2);
    gate.admit(2).unwrap();
    gate.watch();
    assert!(gate.settle(1));
    gate.unwatch();
    assert!(!gate.settle(1));
    assert_eq!(gate.held(), 0);
}

#[test]
fn a_blocked_submitter_is_woken_by_a_settle_and_by_a_close() {
    for close in [false, true] {
        let gate = Arc::new(Gate::new(1));
        gate.admit(1).unwrap();
        let blocked = std::thread::spawn({
            let gate = Arc::clone(&gate);
            move || block_on(&mut Admission { gate: &gate, limit: 1 }, Deadline::never()).unwrap()
        });
        if close {
            gate.close();
            assert_eq!(blocked.join().unwrap(), Err(Refused::Closed));
        } else {
            assert!(!gate.settle(1));
            assert_eq!(blocked.join().unwrap(), admitted(2, 1));
        }
    }
}

#[test]
fn a_patient_submitter_is_woken_by_ample_room() {
    let gate = Arc::new(Gate::new(8));
    gate.admit(8).unwrap();
    let blocked = std::thread::spawn({
        let gate = Arc::clone(&gate);
        move || block_on(&mut Patient(Admission { gate: &gate, limit: 8 }), Deadline::never()).unwrap()
    });
    for _ in 0..4 {
        assert!(!gate.settle(1));
    }
    assert_eq!(blocked.join().unwrap(), admitted(9, 4), "half of the capacity, and no sooner");
}

/// Whatever the capacity, and wherever the counts stand when the submitter goes to sleep, it is woken once all the jobs have left at
/// the latest.
#[test]
fn a_stride_passes_between_ample_room_and_all_of_it() {
    for capacity in (1..=33).chain([63, 64, 65, 100, 1000, 1024]) {
        for offset in 0..capacity.min(17) {
            let gate = Arc::new(Gate::new(capacity));
            if offset > 0 {
                gate.admit(offset).unwrap();
                assert!(!gate.settle(offset));
            }
            gate.admit(capacity).unwrap();
            let blocked = std::thread::spawn({
                let gate = Arc::clone(&gate);
                move || {
                    block_on(&mut Patient(Admission { gate: &gate, limit: 1 }), Deadline::never()).unwrap()
                }
            });
            for _ in 0..20 {
                std::thread::yield_now();
            }
            for _ in 0..capacity {
                assert!(!gate.settle(1));
            }
            assert_eq!(blocked.join().unwrap().unwrap().count, 1);
        }
    }
}

#[test]
fn patience_ends() {
    let gate = Arc::new(Gate::new(8));
    gate.admit(8).unwrap();
    let blocked = std::thread::spawn({
        let gate = Arc::clone(&gate);
        move || gate.enter(1)
    });
    assert!(!gate.settle(1));
    assert_eq!(blocked.join().unwrap(), admitted(9, 1), "there is a little room, and nobody else leaves");
    gate.close();
    assert_eq!(gate.enter(1), Err(Refused::Closed));
}

#[test]
fn never_more_than_the_capacity_under_contention() {
    const CAPACITY: usize = 3;
    const EACH: usize = 20_000;
    let gate = Arc::new(Gate::new(CAPACITY));
    let inside = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (gate, inside) = (Arc::clone(&gate), Arc::clone(&inside));
            std::thread::spawn(move || {
                for _ in 0..EACH {
                    gate.enter(1).unwrap();
                    assert!(inside.fetch_add(1, Ordering::SeqCst) < CAPACITY);
                    inside.fetch_sub(1, Ordering::SeqCst);
                    assert!(!gate.settle(1));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!((gate.admitted(), gate.held()), (4 * EACH as u64, 0));
}
