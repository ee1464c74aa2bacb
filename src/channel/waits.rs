//! Who waits on a channel, and how many handles it has: the part that is the same over every ring.

use super::count::HandleCount;
use crate::sync::{CachePadded, Sleeper};
use crate::wait::{WaitSet, WaitStrategy};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Those who wait on either side, and the handle counts.
pub(super) struct Waits {
    /// Receivers that wait for a message.
    pub(super) receivers: CachePadded<WaitSet>,
    /// Senders that wait for room.
    pub(super) senders: CachePadded<WaitSet>,
    /// Those who wait for the channel to close. Closing always looks here, so no flag says that there are any.
    pub(super) closing: WaitSet,
    pub(super) sender_count: CachePadded<HandleCount>,
    pub(super) receiver_count: CachePadded<HandleCount>,
}

impl Waits {
    /// Makes the sets of a channel with a ring (`capacity` above 0), or an exchange.
    pub(super) fn new(capacity: usize, strategy: WaitStrategy) -> Self {
        let set = || CachePadded::new(WaitSet::with(strategy, capacity == 0));
        Self {
            receivers: set(),
            senders: set(),
            closing: WaitSet::new(),
            sender_count: CachePadded::new(HandleCount::new()),
            receiver_count: CachePadded::new(HandleCount::new()),
        }
    }
}

/// What all handles of a channel share: a ring and those who wait for it.
pub(super) trait Core {
    fn waits(&self) -> &Waits;
    fn is_closed(&self) -> bool;
    fn len(&self) -> usize;
    fn capacity(&self) -> usize;
    /// Has each push tell that a receiver waits. Called with the list of receivers locked. True: from here on, nothing can be received
    /// before a push that tells (false says nothing).
    fn set_receivers_wait(&self, sleeper: Sleeper) -> bool;
    /// Takes it back. Called with the list of receivers locked, when it is empty.
    fn clear_receivers_wait(&self);
    /// Has each pop tell that a sender waits. Called with the list of senders locked. True: from here on, there is no room before a
    /// pop that tells (false says nothing).
    fn set_senders_wait(&self, sleeper: Sleeper) -> bool;
    /// Takes it back. Called with the list of senders locked, when it is empty.
    fn clear_senders_wait(&self);

    #[cold]
    fn wake_receivers(&self, count: usize) {
        self.waits().receivers.notify(count, || self.clear_receivers_wait());
    }

    #[cold]
    fn wake_senders(&self, count: usize) {
        self.waits().senders.notify(count, || self.clear_senders_wait());
    }

    /// Wakes everybody: the ring was closed.
    fn wake_all(&self) {
        let waits = self.waits();
        let wake: [&dyn Fn(); 3] = [
            &|| waits.receivers.notify_all(|| self.clear_receivers_wait()),
            &|| waits.senders.notify_all(|| self.clear_senders_wait()),
            &|| waits.closing.notify_all(|| ()),
        ];
        // A waker may panic; the others are woken all the same.
        let woken = wake.map(|wake| catch_unwind(AssertUnwindSafe(wake)));
        if let Some(payload) = woken.into_iter().find_map(Result::err) {
            resume_unwind(payload);
        }
    }
}
