//! Stops a thread in the middle of a step, for the tests of what its peers do meanwhile. Built for the unit tests alone.
//!
//! A ring's operation claims a place and then fills or empties it, in a few instructions that call no code of the user's. A
//! thread that loses its processor right there is what the docs of `try_*` speak of. It is rare, so the tests make it: each
//! such step has a [`point`] in it, at which a thread started by [`Stalled::at`] stands still until it is let go.

#![forbid(unsafe_code)]

use crate::sync::{Arc, Condvar, Mutex, thread};
use std::cell::RefCell;

/// Where a thread can be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// In a ring with stamps: the place is claimed and the value put in, but nobody is let at it.
    Publish,
    /// In a ring with stamps: the value was taken out, but its place not given back.
    Release,
    /// In a ring for two: values were put in, but the cursor not moved.
    MoveTail,
    /// In a ring for two: values were taken out, but the cursor not moved.
    MoveHead,
    /// In a broadcast's log: the position is claimed and the message put in, but no subscriber is let at it.
    Post,
}

#[derive(Default)]
struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    reached: bool,
    open: bool,
}

impl Gate {
    /// Stands still until the gate is open.
    fn pass(&self) {
        let mut state = self.state.lock();
        state.reached = true;
        self.changed.notify_all();
        while !state.open {
            self.changed.wait(&mut state);
        }
    }

    fn wait_until_reached(&self) {
        let mut state = self.state.lock();
        while !state.reached {
            self.changed.wait(&mut state);
        }
    }

    fn open(&self) {
        self.state.lock().open = true;
        self.changed.notify_all();
    }
}

thread_local! {
    /// At which step this thread is to stop, and how many of them it passes first.
    static PLAN: RefCell<Option<(Step, usize, Arc<Gate>)>> = const { RefCell::new(None) };
}

/// Stands still if the calling thread was told to stop at this step.
pub(crate) fn point(step: Step) {
    let gate = PLAN.with_borrow_mut(|plan| match plan {
        Some((planned, 0, _)) if *planned == step => plan.take().map(|(_, _, gate)| gate),
        Some((planned, left, _)) if *planned == step => {
            *left -= 1;
            None
        }
        _ => None,
    });
    if let Some(gate) = gate {
        gate.pass();
    }
}

/// A thread that stands still in the middle of a step. Goes on when this is dropped.
pub(crate) struct Stalled<R> {
    gate: Arc<Gate>,
    thread: Option<thread::JoinHandle<R>>,
}

impl<R: Send + 'static> Stalled<R> {
    /// Starts `work`, and returns when its thread stands at the step.
    pub(crate) fn at(step: Step, work: impl FnOnce() -> R + Send + 'static) -> Self {
        Self::after(0, step, work)
    }

    /// As [`at`](Self::at), when it has passed the step so many times.
    pub(crate) fn after(count: usize, step: Step, work: impl FnOnce() -> R + Send + 'static) -> Self {
        let gate = Arc::new(Gate::default());
        let plan = (step, count, Arc::clone(&gate));
        let thread = thread::Builder::new().spawn(move || {
            PLAN.set(Some(plan));
            work()
        });
        let thread = thread.expect("a test can start a thread");
        gate.wait_until_reached();
        Self { gate, thread: Some(thread) }
    }

    /// Lets the thread go on, and returns what its work brought.
    pub(crate) fn release(mut self) -> R {
        self.gate.open();
        let thread = self.thread.take().expect("a thread is joined once");
        thread.join().expect("the work of a test does not panic")
    }
}

impl<R> Drop for Stalled<R> {
    fn drop(&mut self) {
        self.gate.open();
    }
}

#[cfg(test)]
mod tests;
