//! Which handlers of a worker can go on.

use crate::sync::{Arc, Condvar, Mutex, Rung};
use std::task::Wake;

/// The places whose handlers were woken, for their worker to poll.
pub(super) struct Ready {
    list: Mutex<List>,
    bell: Condvar,
}

#[derive(Default)]
struct List {
    woken: Vec<usize>,
    /// The worker sleeps, or is about to.
    sleeping: bool,
}

impl Ready {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { list: Mutex::new(List::default()), bell: Condvar::new() })
    }

    fn push(&self, place: usize) {
        let mut list = self.list.lock();
        list.woken.push(place);
        if std::mem::take(&mut list.sleeping) {
            drop(list);
            self.bell.notify_one();
        }
    }

    /// Swaps the list of woken places for `empty`. If there are none, waits for one if told to. Returns whether it did.
    pub(super) fn take(&self, empty: &mut Vec<usize>, wait: bool) -> bool {
        debug_assert!(empty.is_empty(), "it becomes the list");
        let mut list = self.list.lock();
        let waits = wait && list.woken.is_empty();
        while wait && list.woken.is_empty() {
            list.sleeping = true;
            self.bell.wait(&mut list);
        }
        list.sleeping = false;
        std::mem::swap(&mut list.woken, empty);
        waits
    }
}

/// Wakes the handler at one place, whichever it is by then.
pub(super) struct Bell {
    place: usize,
    /// The place is on the list.
    rung: Rung,
    ready: Arc<Ready>,
}

impl Bell {
    pub(super) fn new(place: usize, ready: &Arc<Ready>) -> Arc<Self> {
        Arc::new(Self { place, rung: Rung::new(false), ready: Arc::clone(ready) })
    }

    /// Says that the place was taken off the list. Called before the handler is polled: what happens from here on rings again.
    pub(super) fn rearm(&self) {
        self.rung.rearm();
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.rung.ring() {
            self.ready.push(self.place);
        }
    }
}
