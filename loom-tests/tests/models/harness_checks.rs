//! Proof that the harness can fail: each check plants the mistake that the harness is there to find.

use crate::harness::{Case, Flag, Ledger, Model, block_on, note, panics, poll_once, witness};
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::sync::{Condvar, Mutex};
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

/// The error of a model that must fail.
fn failure(model: &Model, setup: impl Fn(&mut Case) + Send + Sync + 'static) -> String {
    match model.try_run(setup) {
        Ok(report) => panic!("the planted mistake was not found: {report:?}"),
        Err(failure) => failure,
    }
}

/// A load in one thread against a load and a store in another, threads spawned in the given order by loom itself.
fn outcomes_of_one_order(reader_first: bool) -> BTreeSet<usize> {
    let seen = Arc::new(std::sync::Mutex::new(BTreeSet::new()));
    let record = Arc::clone(&seen);
    loom::model(move || {
        let x = Arc::new(AtomicUsize::new(0));
        let (reads, writes) = (Arc::clone(&x), x);
        let record = Arc::clone(&record);
        let reader = move || {
            record.lock().expect("not poisoned").insert(reads.load(Ordering::Acquire));
        };
        let writer = move || {
            writes.load(Ordering::Acquire);
            writes.store(1, Ordering::Release);
        };
        let threads = if reader_first {
            [loom::thread::spawn(reader), loom::thread::spawn(writer)]
        } else {
            [loom::thread::spawn(writer), loom::thread::spawn(reader)]
        };
        for thread in threads {
            thread.join().expect("no thread panics");
        }
    });
    seen.lock().expect("not poisoned").clone()
}

/// Why there are spawn orders: the same race shows one outcome or two, depending on which thread comes first.
#[test]
fn one_spawn_order_misses_an_outcome_that_all_orders_see() {
    assert_eq!(outcomes_of_one_order(true), BTreeSet::from([0]), "loom has become better: revise the rules");
    assert_eq!(outcomes_of_one_order(false), BTreeSet::from([0, 1]));

    Model::new("load / load, store").blind_orders().witnesses(&["0", "1"]).run(|case| {
        let x = Arc::new(AtomicUsize::new(0));
        let y = Arc::clone(&x);
        case.thread(move || witness(if x.load(Ordering::Acquire) == 0 { "0" } else { "1" }));
        case.thread(move || {
            y.load(Ordering::Acquire);
            y.store(1, Ordering::Release);
        });
    });
}

/// The waiter checks the condition before it takes the lock, so a wake-up between the two is lost.
#[test]
fn lost_wake_up_is_a_failure() {
    let failure = failure(&Model::new("planted lost wake-up"), |case| {
        let shared = Arc::new((AtomicBool::new(false), Mutex::new(()), Condvar::new()));
        let other = Arc::clone(&shared);
        case.thread(move || {
            if !shared.0.load(Ordering::Acquire) {
                note("found nothing, goes to sleep");
                let guard = shared.1.lock().expect("loom's locks are not poisoned");
                drop(shared.2.wait(guard));
            }
        });
        case.thread(move || {
            other.0.store(true, Ordering::Release);
            note("stored, notifies");
            other.2.notify_one();
        });
    });
    assert!(failure.contains("deadlock"), "{failure}");
    assert!(failure.contains("thread 0: found nothing, goes to sleep"), "the trace is missing: {failure}");
    assert!(failure.contains("spawn order [0, 1], execution "), "{failure}");
}

/// A value handed over by a lock can be read, and is dropped once.
#[test]
fn synchronised_value_is_read() {
    Model::new("a lock publishes").witnesses(&["read", "nothing yet"]).run(|case| {
        let ledger = Ledger::default();
        let value = ledger.value(1);
        let shared = Arc::new(Mutex::new(None));
        let other = Arc::clone(&shared);
        case.thread(move || *other.lock().expect("not poisoned") = Some(value));
        case.thread(move || match shared.lock().expect("not poisoned").take() {
            Some(value) => {
                assert_eq!(value.id(), 1);
                witness("read");
            }
            None => witness("nothing yet"),
        });
        case.finish(move || ledger.assert_settled());
    });
}

/// A cell for a planted race.
struct Racy(loom::cell::UnsafeCell<u32>);

// SAFETY: not sound, on purpose: loom ends the execution before two threads touch the cell at once.
unsafe impl Sync for Racy {}

/// A value published with a relaxed store is read before it was written.
#[test]
fn missing_synchronisation_is_a_failure() {
    let failure = failure(&Model::new("a relaxed flag does not publish"), |case| {
        let shared = Arc::new((Racy(loom::cell::UnsafeCell::new(0)), AtomicBool::new(false)));
        let other = Arc::clone(&shared);
        case.thread(move || {
            // SAFETY: see `Racy`.
            shared.0.0.with_mut(|value| unsafe { *value = 1 });
            shared.1.store(true, Ordering::Relaxed);
        });
        case.thread(move || {
            if other.1.load(Ordering::Acquire) {
                // SAFETY: see `Racy`.
                other.0.0.with(|value| unsafe { *value });
            }
        });
    });
    assert!(failure.contains("Causality violation"), "{failure}");
}

/// Two threads on one counter: a race without a mistake.
fn counter(case: &mut Case) {
    let count = Arc::new(AtomicUsize::new(0));
    for _ in 0..2 {
        let count = Arc::clone(&count);
        case.thread(move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
    }
    case.finish(move || assert_eq!(count.load(Ordering::Relaxed), 2));
}

#[test]
fn missing_witness_is_a_failure() {
    Model::new("counter").run(counter);
    let failure = failure(&Model::new("counter").witnesses(&["three"]), counter);
    assert!(failure.contains("no execution showed \"three\""), "{failure}");
}

#[test]
fn undeclared_witness_is_a_failure() {
    let failure = failure(&Model::new("counter"), |case| {
        counter(case);
        witness("typo");
    });
    assert!(failure.contains("\"typo\" is not declared"), "{failure}");
}

#[test]
fn too_few_executions_are_a_failure() {
    let failure = failure(&Model::new("counter").floor(1_000), counter);
    assert!(failure.contains("below its floor of 1000"), "{failure}");
}

#[test]
fn threads_that_never_meet_are_a_failure() {
    let failure = failure(&Model::new("strangers"), |case| {
        case.thread(|| {});
        case.thread(|| {});
    });
    assert!(failure.contains("single execution"), "{failure}");
}

#[test]
fn a_panic_in_a_thread_is_a_failure() {
    let failure = failure(&Model::new("planted panic"), |case| {
        let taken = Arc::new(AtomicBool::new(false));
        for _ in 0..2 {
            let taken = Arc::clone(&taken);
            case.thread(move || {
                let free = !taken.load(Ordering::Acquire);
                assert!(!free || !taken.swap(true, Ordering::AcqRel), "taken twice");
            });
        }
    });
    assert!(failure.contains("taken twice"), "{failure}");
}

#[test]
fn the_final_check_is_run_and_can_fail() {
    let failure = failure(&Model::new("planted miscount"), |case| {
        let count = Arc::new(AtomicUsize::new(0));
        for _ in 0..3 {
            let count = Arc::clone(&count);
            case.thread(move || {
                let old = count.load(Ordering::Relaxed);
                count.store(old + 1, Ordering::Relaxed);
            });
        }
        case.finish(move || assert_eq!(count.load(Ordering::Relaxed), 3, "an increment is lost"));
    });
    assert!(failure.contains("an increment is lost"), "{failure}");
}

#[test]
fn a_lost_value_is_a_failure() {
    let failure = failure(&Model::new("planted leak"), |case| {
        let ledger = Ledger::default();
        let value = ledger.value(1);
        counter(case);
        case.thread(move || std::mem::forget(value));
    });
    assert!(failure.contains("leaked"), "{failure}");
}

/// The bounds keep their promise: all orders are run, and the first ones may be searched more deeply.
#[test]
fn orders_and_bounds_are_as_declared() {
    fn three(case: &mut Case) {
        let count = Arc::new(AtomicUsize::new(0));
        for _ in 0..3 {
            let count = Arc::clone(&count);
            case.thread(move || {
                count.load(Ordering::Acquire);
                count.fetch_add(1, Ordering::AcqRel);
            });
        }
    }
    let shallow = Model::new("three, 1 preemption").preemptions(1).run(three);
    assert_eq!(shallow.executions.len(), 6);
    let mixed = Model::new("three, 1 and 2 preemptions").preemptions(1).deeper(2, 2).run(three);
    assert!(mixed.executions[..2].iter().zip(&shallow.executions).all(|(deep, low)| deep > low));
    assert_eq!(mixed.executions[2..], shallow.executions[2..]);
    assert_eq!(Model::new("three, rotated").preemptions(1).rotations().run(three).executions.len(), 3);
}

/// The executor sleeps until it is woken, and a wake-up that comes first is not lost.
#[test]
fn block_on_neither_misses_nor_invents_a_wake() {
    Model::new("block_on").witnesses(&["asleep", "at once"]).run(|case| {
        let slot = Arc::new(Mutex::new((false, None::<std::task::Waker>)));
        let other = Arc::clone(&slot);
        case.thread(move || {
            let mut polls = 0;
            block_on(poll_fn(|cx| {
                polls += 1;
                let mut slot = slot.lock().expect("not poisoned");
                if slot.0 {
                    return Poll::Ready(());
                }
                slot.1 = Some(cx.waker().clone());
                Poll::Pending
            }));
            witness(if polls == 1 { "at once" } else { "asleep" });
        });
        case.thread(move || {
            let waker = {
                let mut slot = other.lock().expect("not poisoned");
                slot.0 = true;
                slot.1.take()
            };
            if let Some(waker) = waker {
                waker.wake();
            }
        });
    });
}

#[test]
fn a_flag_counts_its_wakes() {
    let (flag, waker) = Flag::new();
    let mut future = pin!(poll_fn(|cx| {
        cx.waker().wake_by_ref();
        Poll::<()>::Pending
    }));
    assert!(poll_once(future.as_mut(), &waker).is_pending());
    assert_eq!(flag.wakes(), 1);
}

/// A panic that belongs to the model does not end it.
#[test]
fn a_wanted_panic_is_not_a_failure() {
    Model::new("wanted panic").run(|case| {
        counter(case);
        case.thread(|| assert!(panics(|| panic!("on purpose"))));
    });
}

/// A failing model leaves the thread of the test, and so every later model, as it was.
#[test]
fn a_failure_does_not_spread() {
    for _ in 0..3 {
        failure(&Model::new("planted panic"), |case| {
            counter(case);
            let shared = Arc::new(());
            let other = Arc::clone(&shared);
            case.thread(move || {
                let _held = shared;
                panic!("on purpose");
            });
            case.finish(move || drop(other));
        });
        Model::new("counter").run(counter);
    }
}
