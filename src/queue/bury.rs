//! How a job comes to lie among the dead letters, and how a letter that is too old leaves them.

use super::letter::{DeadInfo, DeadLetter};
use super::morgue::Put;
use super::rules::OnDead;
use super::work::Queue;
use crate::retry::discard;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::time::Moment;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Where the events of a pool are filed.
const TARGET: &str = "millpond";

/// The user's code that is told of each death.
pub(super) struct Alert {
    call: Option<OnDead>,
    /// How often it panicked.
    panicked: AtomicU64,
}

impl Alert {
    pub(super) fn new(call: Option<OnDead>) -> Self {
        Self { call, panicked: AtomicU64::new(0) }
    }

    pub(super) fn panicked(&self) -> u64 {
        // ORDERING: Relaxed; a snapshot of a count.
        self.panicked.load(Ordering::Relaxed)
    }

    fn tell(&self, info: &DeadInfo) {
        let Some(call) = &self.call else { return };
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| call(info))) {
            discard(payload);
            // ORDERING: Relaxed; a count.
            self.panicked.fetch_add(1, Ordering::Relaxed);
            tracing::error!(target: TARGET, id = %info.id, "the function that is told of dead letters panicked");
        }
    }
}

impl<T> Queue<T> {
    /// Keeps the letter of a job that was laid down, lets the job leave the gate, and tells the user. Waits for nobody.
    ///
    /// If there is no room, and nothing may be dropped, the letter is put aside. The job is held until
    /// [`bury_those_aside`](Self::bury_those_aside) finds room for it.
    pub(super) fn bury(&self, info: DeadInfo, letter: DeadLetter<T>) {
        let told = self.alert.call.is_some().then(|| info.clone());
        self.expire_dead();
        let id = info.id;
        let put = self.morgue.insert(info, letter, || self.clock.moment());
        if matches!(put, Put::Aside) {
            tracing::warn!(target: TARGET, %id, "no room among the dead letters: the job keeps its place in the queue");
            // It may have the place of the next job to be redriven.
            self.nudge_mover();
        } else {
            self.leave(1);
        }
        self.look_again();
        if let Put::Instead(victim) = put {
            tracing::error!(target: TARGET, id = %victim.id, "no room among the dead letters: this one is dropped");
            victim.discard();
        }
        if let Some(info) = told {
            self.alert.tell(&info);
        }
    }

    /// Buries the jobs that were put aside, as many as there is room for. Called whenever letters have left.
    pub(super) fn bury_those_aside(&self) {
        let buried = self.morgue.place_aside(|| self.clock.moment());
        if buried > 0 {
            self.leave(buried);
            self.look_again();
        }
    }

    /// Drops the letters that are too old. Their drops are user code: they run under no lock, and a panic ends here.
    pub(crate) fn expire_dead(&self) {
        if !self.morgue.ages() {
            return;
        }
        loop {
            let expired = self.morgue.expire(self.clock.moment());
            if expired.is_empty() {
                return;
            }
            tracing::info!(target: TARGET, queue = &**self.name(), count = expired.len(), "dead letters grew too old");
            self.bury_those_aside();
            for letter in expired {
                letter.discard();
            }
        }
    }

    /// Has the timer look when the next letter is too old: that may be earlier than it knows.
    pub(super) fn look_again(&self) {
        if self.morgue.ages() {
            self.delayed.alarm().ring();
        }
    }

    /// Returns when the timer is needed next: a job is due, or a letter is too old.
    pub(crate) fn next_chore(&self) -> Option<Moment> {
        [self.delayed.next_due(), self.morgue.next_expiry()].into_iter().flatten().min()
    }
}
