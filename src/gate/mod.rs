//! The gate: how many jobs are held at once, and who waits for one to leave.
//!
//! ```text
//!   admitted: | number of jobs let in          | CLOSED |     moved by one CAS per submit
//!   settled:  | number of jobs that left | PATIENT | MANY | QUIET | WAIT |     moved by one fetch_add per settle
//!
//!   held = admitted - settled <= capacity
//! ```
//!
//! The bound covers every job the queue has to answer for: ready, scheduled and in flight. So a job that fails always has
//! its place to go back to, and memory stays bounded whatever the handlers do.
//!
//! I1. Both counts only grow, and a job is let in before it leaves: `settled <= admitted`.
//! I2. Each job that was let in leaves exactly once.
//! I3. An old value of `settled` is a lower bound of it. So a submitter may decide from an old value that there is room,
//!     never that there is none.
//!
//! **No lost wake-up.** What a blocked submitter waits for is a move of `settled`, and it is in that word that it sets WAIT
//! (see [`crate::wait`]): a settle whose `fetch_add` came before is seen by the look that follows arming; a settle after it
//! gets WAIT in the value it replaced, and notifies. The same goes for QUIET and whoever waits for the queue to fall quiet.
//! Closing changes `admitted` instead, and therefore locks the list of waiters whatever the flags say: a waiter that is in
//! the list by then is woken, and one that comes later has taken the lock after the closer and so sees CLOSED.
//!
//! **Patience.** Waking a thread costs as much as a short job. If each settle woke a submitter for the one place that it made, workers would
//! spend their time on waking, and the submitter, always just awake, would take a processor from them. So a thread that finds no
//! room gives the processor away a few times, and then raises PATIENT instead of WAIT, in a list of its own: a settle wakes it only
//! when there is *ample* room, for half of the capacity. The argument is the same, with "ample room" for "room": it is a statement
//! about `settled` and `admitted`, and `admitted` only ever takes room away, so the settle that makes the room ample, or one after it,
//! finds PATIENT and wakes. To look at `admitted` costs a worker the submitters' cache line, so it looks only when `settled` comes to a
//! multiple of [`Gate::stride`]: an eighth of the capacity, so that there is such a multiple between ample room and all of it. Where jobs are long, or places are taken up by jobs that are due much later, or others take each place
//! as it is made, that may never come while there is a little room; so a patient submitter sleeps for 10 ms at the most, and then
//! waits for any room at all. Where many wait already, one more goes to sleep at once.
//!
//! A waiter that needs several places at once raises MANY with WAIT. It may be woken and find too few, which another could have
//! used; so while MANY is set a settle wakes all who wait. Both flags are lowered when the list is empty.
//!
//! **Progress.** [`Gate::admit`] is lock-free and [`Gate::settle`] wait-free, each as long as nobody has to be woken.
//!
//! The words are the work queue's. The mailbox of a topic's subscription is bounded in the same way: there a job is an event,
//! and it leaves when it is received.

#![forbid(unsafe_code)]
#![allow(unreachable_pub, reason = "the loom models reach the gate through a hidden module")]

mod admission;
#[cfg(all(test, not(millpond_loom)))]
mod tests;

use crate::sync::CachePadded;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::wait::{WaitSet, WaitStrategy};
use std::fmt;

pub use admission::Admission;
#[cfg(millpond_loom)]
pub use admission::Patient;

/// In `admitted`: nobody is let in any more.
const CLOSED: u64 = 0b01;
/// In `settled`: somebody waits for room.
const WAIT: u64 = 0b01;
/// In `settled`: somebody waits for the queue to fall quiet.
const QUIET: u64 = 0b010;
/// In `settled`, with WAIT: somebody waits for room for several jobs.
const MANY: u64 = 0b100;
/// In `settled`: somebody waits who would rather sleep until there is room for several.
const PATIENT: u64 = 0b1000;
/// One job, in either word.
const ONE: u64 = 0b1_0000;

/// Ample room is this part of the capacity. With one submitter a half, a quarter and an eighth do the same for short jobs; with many,
/// each of which sleeps for its part, the half does more.
const AMPLE: u64 = 2;
/// After this part of the capacity a settle looks whether there is ample room.
const STRIDE: u64 = 8;

/// Bounds the number of jobs held.
pub struct Gate {
    entrance: CachePadded<Entrance>,
    settled: CachePadded<AtomicU64>,
    blocked: WaitSet,
    /// Those who wait for ample room. They have looked out for it before they come here.
    patient: WaitSet,
    capacity: u64,
    /// For how much room a patient submitter waits.
    ample: u64,
    /// At which multiples a settle looks for it: a power of two, and no more than the capacity without the ample room.
    stride: u64,
}

/// What submitters touch: one cache line, which workers leave alone.
struct Entrance {
    admitted: AtomicU64,
    /// A value that `settled` had: see I3. It spares submitters the workers' cache line while there is room.
    settled_seen: AtomicU64,
}

/// The jobs let in by one call: numbers `first`, `first + 1` and so on. The first job of all has number 1.
#[derive(Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The number of the first.
    pub first: u64,
    /// How many, at least one.
    pub count: usize,
}

/// Why nobody was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// As many jobs are held as the capacity allows.
    Full,
    /// The gate is closed.
    Closed,
}

impl Gate {
    /// Makes a gate that holds no job yet.
    pub fn new(capacity: usize) -> Self {
        assert!(capacity > 0, "a queue that holds no job can take none");
        Self {
            entrance: CachePadded::new(Entrance {
                admitted: AtomicU64::new(0),
                settled_seen: AtomicU64::new(0),
            }),
            settled: CachePadded::new(AtomicU64::new(0)),
            blocked: WaitSet::new(),
            patient: WaitSet::with(WaitStrategy::Park, false),
            capacity: capacity as u64,
            ample: (capacity as u64 / AMPLE).max(1),
            stride: 1 << (capacity as u64 / STRIDE).max(1).ilog2(),
        }
    }

    /// Lets in up to `limit` jobs at once, as many as there is room for. Never waits.
    pub fn admit(&self, limit: usize) -> Result<Admitted, Refused> {
        self.let_in(1, limit)
    }

    /// Lets in `count` jobs, or none if there is not room for all. Never waits.
    pub fn admit_all(&self, count: usize) -> Result<Admitted, Refused> {
        self.let_in(count, count)
    }

    /// Lets in `count` jobs, whether there is room for them or not. They may not stay: the caller lets them leave at once, and
    /// puts none of them where jobs wait. Until then [`held`](Self::held) may be above the capacity.
    pub fn admit_over(&self, count: usize) -> Result<Admitted, Refused> {
        // ORDERING: Relaxed; as in `let_in`.
        let mut word = self.entrance.admitted.load(Ordering::Relaxed);
        while word & CLOSED == 0 {
            // ORDERING: Relaxed both ways; as in `let_in`.
            match self.entrance.admitted.compare_exchange_weak(
                word,
                word + count as u64 * ONE,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Ok(Admitted { first: word / ONE + 1, count }),
                Err(newer) => word = newer,
            }
        }
        Err(Refused::Closed)
    }

    fn let_in(&self, least: usize, limit: usize) -> Result<Admitted, Refused> {
        debug_assert!(0 < least && least <= limit, "nobody asks to let in nothing");
        // ORDERING: Relaxed; a stale word only costs one failed CAS, and the CAS brings the newer one.
        let mut word = self.entrance.admitted.load(Ordering::Relaxed);
        loop {
            if word & CLOSED != 0 {
                return Err(Refused::Closed);
            }
            let room = self.room(word, least as u64);
            if room < least as u64 {
                return Err(Refused::Full);
            }
            let count = room.min(limit as u64);
            // ORDERING: Relaxed both ways; the word publishes nothing but itself. The job travels through the channel,
            // whose own hand-over orders this before the job's settle. Closing relies on this word's modification order.
            match self.entrance.admitted.compare_exchange_weak(
                word,
                word + count * ONE,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => {
                    let count = usize::try_from(count).expect("at most `limit`, which is a usize");
                    return Ok(Admitted { first: word / ONE + 1, count });
                }
                Err(newer) => word = newer,
            }
        }
    }

    /// Returns how many jobs could be let in if `admitted` still is `word`: exactly, if they are fewer than `least`.
    fn room(&self, word: u64, least: u64) -> u64 {
        // ORDERING: Relaxed; any old value of `settled` will do (I3).
        let seen = self.entrance.settled_seen.load(Ordering::Relaxed);
        let room = self.capacity.saturating_sub((word / ONE).saturating_sub(seen));
        if room >= least {
            return room;
        }
        // ORDERING: Relaxed; after arming, this thread's own fetch_or on the word makes every settle before it visible
        // here by coherence, and the ones after it see WAIT. The ring orders the slots themselves.
        let settled = self.settled.load(Ordering::Relaxed) / ONE;
        // ORDERING: Relaxed; a racing store may put an older value back, which is a lower bound all the same (I3).
        self.entrance.settled_seen.store(settled, Ordering::Relaxed);
        // `word` may be older than `settled`: then the CAS that follows fails, whatever is computed here.
        self.capacity.saturating_sub((word / ONE).saturating_sub(settled))
    }

    /// Lets `count` jobs leave, and wakes as many blocked submitters.
    ///
    /// Returns true when somebody waits for the queue to fall quiet, and has to be told to look.
    #[must_use = "whoever waits for quiet must be told"]
    pub fn settle(&self, count: usize) -> bool {
        // ORDERING: AcqRel; Release puts all that was done with the job before its leaving, for whoever reads `held`;
        // Acquire makes the admissions of all jobs that left before visible, so that `held` cannot be negative (I1).
        let before = self.settled.fetch_add(count as u64 * ONE, Ordering::AcqRel);
        if before & MANY != 0 {
            self.blocked.notify_all(|| self.disarm());
        } else if before & WAIT != 0 {
            self.blocked.notify(count, || self.disarm());
        }
        if before & PATIENT != 0 {
            let (before, after) = (before / ONE, before / ONE + count as u64);
            if (before ^ after) >= self.stride {
                self.tell_patient(after);
            }
        }
        before & QUIET != 0
    }

    /// Wakes one patient submitter, if there is ample room after so many have left.
    #[cold]
    fn tell_patient(&self, settled: u64) {
        // ORDERING: Relaxed; an old value shows too much room, and whoever is woken for it looks himself.
        let admitted = self.entrance.admitted.load(Ordering::Relaxed) / ONE;
        if self.capacity.saturating_sub(admitted.saturating_sub(settled)) >= self.ample {
            self.patient.notify(1, || self.disarm_patient());
        }
    }

    /// Lets nobody in any more, and wakes every blocked submitter. Returns true for the first call only.
    pub fn close(&self) -> bool {
        // ORDERING: AcqRel; see "No lost wake-up" in the module's head for why the list's lock does the rest.
        let before = self.entrance.admitted.fetch_or(CLOSED, Ordering::AcqRel);
        self.blocked.notify_all(|| self.disarm());
        self.patient.notify_all(|| self.disarm_patient());
        before & CLOSED == 0
    }

    /// Returns how many jobs were ever let in.
    pub fn admitted(&self) -> u64 {
        // ORDERING: Relaxed; a snapshot.
        self.entrance.admitted.load(Ordering::Relaxed) / ONE
    }

    /// Returns how many jobs are held: never too few, if others come and go meanwhile.
    pub fn held(&self) -> u64 {
        // ORDERING: Acquire pairs with the Release in `settle`: the load below then sees these jobs' admissions (I1).
        let settled = self.settled.load(Ordering::Acquire) / ONE;
        self.admitted() - settled
    }

    /// As [`held`](Self::held), ordered against every settle: one that is not counted here sees what this thread wrote
    /// before the call.
    pub fn held_in_order(&self) -> u64 {
        // ORDERING: AcqRel on the settles' own word; its modification order has each of them before or after this.
        let settled = self.settled.fetch_or(0, Ordering::AcqRel) / ONE;
        self.admitted() - settled
    }

    /// Asks every settle from here on to say so by returning true.
    pub fn watch(&self) {
        // ORDERING: AcqRel; as in `held_in_order`: a settle is either seen by a look after this, or sees QUIET.
        self.settled.fetch_or(QUIET, Ordering::AcqRel);
    }

    /// Takes [`watch`](Self::watch) back.
    pub fn unwatch(&self) {
        self.lower(QUIET);
    }

    fn lower(&self, flags: u64) {
        // ORDERING: Relaxed; lowering a flag publishes nothing, and whoever raises it again does so with its own RMW.
        self.settled.fetch_and(!flags, Ordering::Relaxed);
    }

    /// Returns how many jobs are held at most.
    pub fn capacity(&self) -> usize {
        usize::try_from(self.capacity).expect("it was made from a usize")
    }

    /// Returns who waits for room.
    pub fn waiters(&self) -> &WaitSet {
        &self.blocked
    }

    /// Raises WAIT. Called with the list of waiters locked.
    pub fn arm(&self) {
        self.arm_for(1);
    }

    /// Raises WAIT for a waiter that needs `count` places at once. Called with the list of waiters locked.
    pub fn arm_for(&self, count: usize) {
        let flags = if count > 1 { WAIT | MANY } else { WAIT };
        // ORDERING: AcqRel; the one step of the waiter's side in the argument of the module's head.
        self.settled.fetch_or(flags, Ordering::AcqRel);
    }

    /// Raises PATIENT, for a waiter that is to be woken when there is ample room. Called with the list of patient waiters locked.
    fn arm_patiently(&self) {
        // ORDERING: AcqRel; as in `arm_for`.
        self.settled.fetch_or(PATIENT, Ordering::AcqRel);
    }

    /// Lowers PATIENT. Called with the list of patient waiters locked, when it is empty.
    fn disarm_patient(&self) {
        self.lower(PATIENT);
    }

    /// Lowers WAIT and MANY. Called with the list of waiters locked, when it is empty.
    pub fn disarm(&self) {
        self.lower(WAIT | MANY);
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}
