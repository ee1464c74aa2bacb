//! Models of the waiting layer alone, over the smallest source there is: a count of permits in one word.
//!
//! An attempt is a load and a compare-exchange, so these models can be searched much deeper than those of a channel.

use crate::harness::{Case, Flag, Model, block_on, poll_once, witness};
use loom::sync::atomic::{AtomicUsize, Ordering};
use millpond_loom::model::{self, Attempt, Deadline, Source, WaitSet, Waiting};
use std::sync::Arc;
use std::time::Duration;

/// Somebody waits for a permit.
const WAIT: usize = 1;
/// One permit.
const ONE: usize = 2;

/// Permits to take, and those who wait for one.
struct Permits {
    word: AtomicUsize,
    waiters: WaitSet,
}

impl Permits {
    fn new(count: usize) -> Arc<Self> {
        Arc::new(Self { word: AtomicUsize::new(count * ONE), waiters: WaitSet::new() })
    }

    /// Adds a permit, and wakes one who waits.
    fn give(&self) {
        if self.word.fetch_add(ONE, Ordering::Release) & WAIT != 0 {
            self.waiters.notify(1, || self.disarm());
        }
    }

    /// Adds permits by one step, and wakes as many.
    fn give_many(&self, count: usize) {
        if self.word.fetch_add(count * ONE, Ordering::Release) & WAIT != 0 {
            self.waiters.notify(count, || self.disarm());
        }
    }

    fn disarm(&self) {
        self.word.fetch_and(!WAIT, Ordering::Relaxed);
    }

    /// Takes a permit, asleep if need be; whether it slept is a witness.
    fn take(&self) {
        let before = model::naps();
        model::block_on(&mut Take(self), Deadline::never())
            .expect("a wait without a deadline does not time out");
        if model::naps() > before {
            witness("slept");
        }
    }

    /// Takes a permit unless the deadline passes, which it may at any moment.
    fn take_in_time(&self) -> bool {
        let taken = model::block_on(&mut Take(self), Deadline::after(Duration::ZERO)).is_ok();
        witness(if taken { "in time" } else { "timeout" });
        taken
    }

    fn take_async(&self) -> Waiting<Take<'_>> {
        Waiting::new(Take(self))
    }

    /// Asserts how many permits are left.
    fn assert_left(&self, count: usize) {
        assert_eq!(self.word.load(Ordering::Relaxed) / ONE, count, "permits left");
    }
}

/// The wait for one permit.
struct Take<'a>(&'a Permits);

impl Source for Take<'_> {
    type Output = ();

    fn attempt(&mut self) -> Attempt<()> {
        let mut word = self.0.word.load(Ordering::Relaxed);
        while word >= ONE {
            match self.0.word.compare_exchange(word, word - ONE, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Attempt::Done(()),
                Err(now) => word = now,
            }
        }
        Attempt::Blocked
    }

    fn waiters(&self) -> &WaitSet {
        &self.0.waiters
    }

    fn arm(&self) {
        self.0.word.fetch_or(WAIT, Ordering::Relaxed);
    }

    fn disarm(&self) {
        self.0.disarm();
    }
}

/// Two takers; the permits come by `give`.
fn two_takers(case: &mut Case, give: impl FnOnce(&Permits) + Send + 'static) {
    let permits = Permits::new(0);
    let taker = Arc::clone(&permits);
    case.thread(move || taker.take());
    let taker = Arc::clone(&permits);
    case.twin(move || taker.take());
    let giver = Arc::clone(&permits);
    case.thread(move || give(&giver));
    case.finish(move || permits.assert_left(0));
}

/// One taker against one permit: the wake-up is not lost.
#[test]
fn one_taker() {
    Model::new("take, give").floor(20).witnesses(&["slept"]).run(|case| {
        let permits = Permits::new(0);
        let taker = Arc::clone(&permits);
        case.thread(move || taker.take());
        let giver = Arc::clone(&permits);
        case.thread(move || giver.give());
        case.finish(move || permits.assert_left(0));
    });
}

/// Two takers and two permits, one after the other. A taker that gets the first permit in its look after registering may
/// have been notified for the second: it must pass that wake-up on, or the other sleeps beside a permit. Three preemptions
/// are the fewest that show it.
#[test]
fn a_wake_up_for_a_later_permit_is_passed_on() {
    Model::new("take, take, give twice").preemptions(3).floor(10_000).witnesses(&["slept"]).run(|case| {
        two_takers(case, |permits| {
            permits.give();
            permits.give();
        });
    });
}

/// Two takers and two permits by one step: both are woken.
#[test]
fn one_step_wakes_two() {
    Model::new("take, take, give two").preemptions(2).floor(500).witnesses(&["slept"]).run(|case| {
        two_takers(case, |permits| permits.give_many(2));
    });
}

/// A future that was notified is dropped while a thread waits: the wake-up goes to the thread.
#[test]
fn a_dropped_future_passes_its_wake_up_on() {
    Model::new("future dropped, take, give")
        .preemptions(2)
        .floor(500)
        .witnesses(&["dropped", "taken", "slept"])
        .run(|case| {
            let permits = Permits::new(0);
            let other = Arc::clone(&permits);
            case.thread(move || {
                let (_, waker) = Flag::new();
                let mut take = Box::pin(other.take_async());
                if poll_once(take.as_mut(), &waker).is_ready() {
                    witness("taken");
                    other.give();
                } else {
                    witness("dropped");
                }
            });
            let taker = Arc::clone(&permits);
            case.thread(move || taker.take());
            let giver = Arc::clone(&permits);
            case.thread(move || giver.give());
            case.finish(move || permits.assert_left(0));
        });
}

/// A wait that times out after it was notified takes the permit or passes the wake-up on.
#[test]
fn a_timeout_passes_its_wake_up_on() {
    Model::new("take in time, take, give")
        .preemptions(2)
        .floor(500)
        .witnesses(&["in time", "timeout", "slept"])
        .run(|case| {
            let permits = Permits::new(0);
            let other = Arc::clone(&permits);
            case.thread(move || {
                if other.take_in_time() {
                    other.give();
                }
            });
            let taker = Arc::clone(&permits);
            case.thread(move || taker.take());
            let giver = Arc::clone(&permits);
            case.thread(move || giver.give());
            case.finish(move || permits.assert_left(0));
        });
}

/// A future changes its waker while it is being notified: the new task is woken, or finds the permit itself.
#[test]
fn a_waker_is_replaced_while_notified() {
    Model::new("future with two wakers, give").floor(50).witnesses(&["at once", "second poll or later"]).run(
        |case| {
            let permits = Permits::new(0);
            let taker = Arc::clone(&permits);
            case.thread(move || {
                let (_, waker) = Flag::new();
                let mut take = Box::pin(taker.take_async());
                if poll_once(take.as_mut(), &waker).is_ready() {
                    witness("at once");
                } else {
                    block_on(take);
                    witness("second poll or later");
                }
            });
            let giver = Arc::clone(&permits);
            case.thread(move || giver.give());
            case.finish(move || permits.assert_left(0));
        },
    );
}
