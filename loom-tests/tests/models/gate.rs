//! The gate of a queue: who is let in, and who waits for a job to leave.

use crate::harness::{Flag, Model, poll_once, witness};
use loom::sync::atomic::{AtomicBool, Ordering};
use millpond_loom::model::{
    Admission, Admitted, Attempt, Deadline, Gate, Patient, Refused, Source, WaitSet, Waiting, block_on, naps,
};
use std::sync::Arc;
use std::task::Poll;

/// Makes a gate of capacity 1 that is full.
fn full() -> Arc<Gate> {
    let gate = Gate::new(1);
    gate.admit(1).expect("there is room for one");
    Arc::new(gate)
}

/// Waits to be let in. Says whether it slept.
fn enter(gate: &Gate) -> Result<Admitted, Refused> {
    let answer = block_on(&mut Admission { gate, limit: 1 }, Deadline::never());
    if naps() > 0 {
        witness("submitter slept");
    }
    answer.expect("a wait without a deadline does not time out")
}

/// A job leaves while a submitter registers: the submitter is let in.
#[test]
fn a_settle_against_a_submitter_that_registers() {
    Model::new("gate: settle, enter").floor(20).witnesses(&["submitter slept"]).run(|case| {
        let gate = full();
        let inner = Arc::clone(&gate);
        case.thread(move || assert_eq!(enter(&inner), Ok(Admitted { first: 2, count: 1 })));
        let inner = Arc::clone(&gate);
        case.thread(move || assert!(!inner.settle(1)));
        case.finish(move || {
            assert_eq!(gate.held(), 1);
            assert!(gate.waiters().is_empty());
        });
    });
}

/// The gate closes while a submitter registers: the submitter is refused, and does not sleep on.
#[test]
fn a_close_against_a_submitter_that_registers() {
    Model::new("gate: close, enter").floor(20).witnesses(&["submitter slept"]).run(|case| {
        let gate = full();
        let inner = Arc::clone(&gate);
        case.thread(move || assert_eq!(enter(&inner), Err(Refused::Closed)));
        let inner = Arc::clone(&gate);
        case.thread(move || assert!(inner.close()));
        case.finish(move || {
            assert_eq!(gate.held(), 1);
            assert!(gate.waiters().is_empty());
        });
    });
}

/// Makes a gate of capacity 4 that is full, and where room for two is ample.
fn full_of_four() -> Arc<Gate> {
    let gate = Gate::new(4);
    gate.admit(4).expect("there is room for four");
    Arc::new(gate)
}

/// Waits until there is ample room. Says whether it slept.
fn enter_patiently(gate: &Gate) -> Result<Admitted, Refused> {
    let patient = &mut Patient(Admission { gate, limit: 1 });
    let answer = block_on(patient, Deadline::never()).expect("a wait without a deadline does not time out");
    if naps() > 0 {
        witness("submitter slept");
    }
    answer
}

/// Two jobs leave, one after the other in different threads, while a patient submitter registers: whichever makes the room
/// ample, the submitter is let in.
#[test]
fn two_settles_against_a_patient_submitter() {
    Model::new("gate: settle, settle, enter patiently").floor(100).witnesses(&["submitter slept"]).run(
        |case| {
            let gate = full_of_four();
            let inner = Arc::clone(&gate);
            case.thread(move || assert_eq!(enter_patiently(&inner), Ok(Admitted { first: 5, count: 1 })));
            let inner = Arc::clone(&gate);
            case.thread(move || assert!(!inner.settle(1)));
            let inner = Arc::clone(&gate);
            case.twin(move || assert!(!inner.settle(1)));
            case.finish(move || {
                assert_eq!(gate.held(), 3);
                assert!(gate.waiters().is_empty());
            });
        },
    );
}

/// Settles look for ample room at every second job that leaves only. Here the room becomes ample with one that does not look: the one
/// after it does, in another thread, and the submitter is told however late it registers.
#[test]
fn strides_against_a_patient_submitter() {
    Model::new("gate: settle, settle with strides, enter patiently")
        .floor(100)
        .witnesses(&["submitter slept"])
        .run(|case| {
            let gate = Gate::new(16);
            gate.admit(16).expect("there is room for sixteen");
            assert!(!gate.settle(1));
            gate.admit(1).expect("there is room for one again");
            assert!(!gate.settle(7));
            let gate = Arc::new(gate);
            let inner = Arc::clone(&gate);
            case.thread(move || assert_eq!(enter_patiently(&inner), Ok(Admitted { first: 18, count: 1 })));
            let inner = Arc::clone(&gate);
            case.thread(move || assert!(!inner.settle(1)));
            let inner = Arc::clone(&gate);
            case.twin(move || assert!(!inner.settle(1)));
            case.finish(move || {
                assert_eq!(gate.held(), 8);
                assert!(gate.waiters().is_empty());
            });
        });
}

/// The room that was ample is taken by somebody else, who leaves again: the patient submitter is told once more.
#[test]
fn ample_room_that_is_taken_away_and_comes_back() {
    Model::new("gate: settle 2 + admit + settle, enter patiently")
        .preemptions(2)
        .floor(100)
        .witnesses(&["submitter slept"])
        .run(|case| {
            let gate = full_of_four();
            let inner = Arc::clone(&gate);
            case.thread(move || assert_eq!(enter_patiently(&inner).map(|admitted| admitted.count), Ok(1)));
            let inner = Arc::clone(&gate);
            case.thread(move || {
                assert!(!inner.settle(2));
                assert_eq!(inner.admit(1).map(|admitted| admitted.count), Ok(1));
                assert!(!inner.settle(1));
            });
            case.finish(move || {
                assert_eq!(gate.held(), 3);
                assert!(gate.waiters().is_empty());
            });
        });
}

/// A patient submitter and one that takes any room wait together: there is room for one, which the other takes, and then ample room,
/// for which the patient one is told.
#[test]
fn a_patient_submitter_and_one_that_is_not() {
    Model::new("gate: settle 1 + settle 2, enter, enter patiently")
        .preemptions(1)
        .floor(300)
        .witnesses(&["submitter slept"])
        .run(|case| {
            let gate = full_of_four();
            let inner = Arc::clone(&gate);
            case.thread(move || assert_eq!(enter_patiently(&inner).map(|admitted| admitted.count), Ok(1)));
            let inner = Arc::clone(&gate);
            case.thread(move || assert_eq!(enter(&inner).map(|admitted| admitted.count), Ok(1)));
            let inner = Arc::clone(&gate);
            case.thread(move || {
                assert!(!inner.settle(1));
                assert!(!inner.settle(2));
            });
            case.finish(move || {
                assert_eq!(gate.held(), 3);
                assert!(gate.waiters().is_empty());
            });
        });
}

/// The gate closes while a patient submitter registers: it is refused.
#[test]
fn a_close_against_a_patient_submitter() {
    Model::new("gate: close, enter patiently").floor(20).witnesses(&["submitter slept"]).run(|case| {
        let gate = full_of_four();
        let inner = Arc::clone(&gate);
        case.thread(move || assert_eq!(enter_patiently(&inner), Err(Refused::Closed)));
        let inner = Arc::clone(&gate);
        case.thread(move || assert!(inner.close()));
        case.finish(move || assert!(gate.waiters().is_empty()));
    });
}

/// One job leaves while two submitters wait, and each leaves again as soon as it is in: both get in.
#[test]
fn two_submitters_and_one_settle() {
    Model::new("gate: settle, enter + settle twice")
        .preemptions(1)
        .floor(500)
        .witnesses(&["submitter slept"])
        .run(|case| {
            let gate = full();
            let pass = |gate: Arc<Gate>| {
                move || {
                    assert_eq!(enter(&gate).map(|admitted| admitted.count), Ok(1));
                    assert!(!gate.settle(1));
                }
            };
            case.thread(pass(Arc::clone(&gate)));
            case.twin(pass(Arc::clone(&gate)));
            let inner = Arc::clone(&gate);
            case.thread(move || assert!(!inner.settle(1)));
            case.finish(move || {
                assert_eq!((gate.admitted(), gate.held()), (3, 0));
                assert!(gate.waiters().is_empty());
            });
        });
}

/// A submitter that was notified goes away while another waits: the wake-up goes to the other one.
#[test]
fn a_notified_submitter_is_dropped_while_another_waits() {
    Model::new("gate: enter dropped, enter, settle")
        .preemptions(1)
        .floor(500)
        .witnesses(&["dropped after its notification", "dropped before", "let in", "submitter slept"])
        .run(|case| {
            let gate = full();
            let inner = Arc::clone(&gate);
            case.thread(move || {
                let (flag, waker) = Flag::new();
                let mut entering = Box::pin(Waiting::new(Admission { gate: &inner, limit: 1 }));
                match poll_once(entering.as_mut(), &waker) {
                    Poll::Ready(answer) => {
                        witness("let in");
                        assert_eq!(answer.map(|admitted| admitted.count), Ok(1));
                        // The other submitter needs the place as well.
                        assert!(!inner.settle(1));
                    }
                    Poll::Pending => {
                        let notified = flag.wakes() > 0;
                        witness(if notified { "dropped after its notification" } else { "dropped before" });
                        drop(entering);
                    }
                }
            });
            let inner = Arc::clone(&gate);
            case.thread(move || assert_eq!(enter(&inner).map(|admitted| admitted.count), Ok(1)));
            let inner = Arc::clone(&gate);
            case.thread(move || assert!(!inner.settle(1)));
            case.finish(move || {
                assert_eq!(gate.held(), 1);
                assert!(gate.waiters().is_empty());
            });
        });
}

/// Two submitters for one place: one gets it, the other is refused, and the numbers are not given twice.
#[test]
fn two_submitters_for_one_place() {
    Model::new("gate: admit, admit").floor(5).witnesses(&["first"]).run(|case| {
        let gate = Arc::new(Gate::new(1));
        let take = |gate: Arc<Gate>| {
            move || match gate.admit(1) {
                Ok(admitted) => {
                    assert_eq!(admitted, Admitted { first: 1, count: 1 });
                    witness("first");
                }
                Err(refused) => assert_eq!(refused, Refused::Full),
            }
        };
        case.thread(take(Arc::clone(&gate)));
        case.twin(take(Arc::clone(&gate)));
        case.finish(move || assert_eq!((gate.admitted(), gate.held()), (1, 1)));
    });
}

/// Waits for room for two at once.
struct Pair<'g>(&'g Gate);

impl Source for Pair<'_> {
    type Output = Result<Admitted, Refused>;

    fn attempt(&mut self) -> Attempt<Self::Output> {
        match self.0.admit_all(2) {
            Err(Refused::Full) => Attempt::Blocked,
            done => Attempt::Done(done),
        }
    }

    fn waiters(&self) -> &WaitSet {
        self.0.waiters()
    }

    fn arm(&self) {
        self.0.arm_for(2);
    }

    fn disarm(&self) {
        self.0.disarm();
    }
}

/// A submitter that waits for two places is woken for one, which is too few for it and enough for the other who waits: that
/// one does not sleep on.
#[test]
fn a_pair_and_a_single_submitter() {
    Model::new("gate: settle, enter, pair in vain")
        .preemptions(1)
        .floor(500)
        .witnesses(&["pair looked twice", "submitter slept"])
        .run(|case| {
            let gate = Arc::new(Gate::new(2));
            gate.admit_all(2).expect("there is room for two");
            let inner = Arc::clone(&gate);
            case.thread(move || {
                let (flag, waker) = Flag::new();
                let mut pair = Box::pin(Waiting::new(Pair(&inner)));
                assert!(poll_once(pair.as_mut(), &waker).is_pending(), "one place is never enough");
                if flag.wakes() > 0 {
                    witness("pair looked twice");
                    assert!(poll_once(pair.as_mut(), &waker).is_pending(), "one place is never enough");
                }
            });
            let inner = Arc::clone(&gate);
            case.thread(move || assert_eq!(enter(&inner).map(|admitted| admitted.count), Ok(1)));
            let inner = Arc::clone(&gate);
            case.thread(move || assert!(!inner.settle(1)));
            case.finish(move || {
                assert_eq!((gate.admitted(), gate.held()), (3, 2));
                assert!(gate.waiters().is_empty());
            });
        });
}

/// The jobs that are held are never fewer than none: who sees that one has left sees that it was let in before.
#[test]
fn held_is_never_negative() {
    Model::new("gate: admit + settle, held").floor(5).witnesses(&["none held", "one held"]).run(|case| {
        let gate = Arc::new(Gate::new(1));
        let inner = Arc::clone(&gate);
        case.thread(move || {
            assert_eq!(inner.admit(1).map(|admitted| admitted.count), Ok(1));
            assert!(!inner.settle(1));
        });
        let inner = Arc::clone(&gate);
        case.thread(move || {
            witness(["none held", "one held"][usize::try_from(inner.held()).expect("one at most")])
        });
        case.finish(move || assert_eq!(gate.held(), 0));
    });
}

/// Who finds in order that all have left sees what was done with them.
#[test]
fn what_was_done_with_a_job_that_has_left_is_seen() {
    Model::new("gate: settle, held_in_order").floor(2).witnesses(&["held", "left"]).run(|case| {
        let (gate, done) = (full(), Arc::new(AtomicBool::new(false)));
        let (inner, work) = (Arc::clone(&gate), Arc::clone(&done));
        case.thread(move || {
            work.store(true, Ordering::Relaxed);
            assert!(!inner.settle(1));
        });
        let inner = Arc::clone(&gate);
        case.thread(move || {
            if inner.held_in_order() > 0 {
                return witness("held");
            }
            witness("left");
            assert!(done.load(Ordering::Relaxed), "it was done before it left");
        });
        case.finish(move || assert_eq!(gate.held(), 0));
    });
}
