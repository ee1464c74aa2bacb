//! Waiting at the gate: for any room at all, or patiently.

use super::{Admitted, CLOSED, Gate, ONE, PATIENT, Refused};
use crate::sync::atomic::Ordering;
use crate::sync::thread;
use crate::wait::{Attempt, Deadline, Source, WaitSet, block_on};
use std::time::Duration;

/// For how long a submitter waits for ample room while there may be a little. It is noticed only where a quarter of the capacity
/// takes longer to leave, and then it is short beside that.
const PATIENCE: Duration = Duration::from_millis(10);
/// How often a submitter gives the processor away before it sleeps: some 20 us where nobody else wants it.
const LOOKS: u32 = 32;

impl Gate {
    /// As [`admit`](Self::admit), for a submitter who waits until there is ample room: `Full` before that.
    fn admit_patiently(&self, limit: usize) -> Result<Admitted, Refused> {
        // ORDERING: Relaxed; an old word shows too much room, never too little.
        let word = self.entrance.admitted.load(Ordering::Relaxed);
        // ORDERING: Relaxed; as in `room`.
        let settled = self.settled.load(Ordering::Relaxed);
        let room = self.capacity.saturating_sub((word / ONE).saturating_sub(settled / ONE));
        if word & CLOSED == 0 && room < self.ample {
            return Err(Refused::Full);
        }
        self.admit(limit)
    }

    /// Lets in up to `limit` jobs, and blocks the thread while there is room for none.
    ///
    /// It sleeps until there is ample room at first, so that jobs that come one after the other cost a sleep for many of them;
    /// and when that takes long, until there is room for one.
    #[inline]
    pub fn enter(&self, limit: usize) -> Result<Admitted, Refused> {
        match self.admit(limit) {
            Err(Refused::Full) => self.enter_slowly(limit),
            done => done,
        }
    }

    #[cold]
    fn enter_slowly(&self, limit: usize) -> Result<Admitted, Refused> {
        if self.ample > 1 {
            if let Some(done) = self.look_out(limit) {
                return done;
            }
            let admission = Admission { gate: self, limit };
            if let Ok(done) = block_on(&mut Patient(admission), Deadline::after(PATIENCE)) {
                return done;
            }
        }
        let Ok(done) = block_on(&mut Admission { gate: self, limit }, Deadline::never()) else {
            unreachable!("a wait without a deadline does not time out")
        };
        done
    }
}

impl Gate {
    /// Gives the processor away a few times, and looks for ample room in between: while nobody sleeps for it yet.
    fn look_out(&self, limit: usize) -> Option<Result<Admitted, Refused>> {
        let looks = if cfg!(millpond_model) { 0 } else { LOOKS };
        (0..looks).find_map(|_| {
            // ORDERING: Relaxed; a hint.
            if self.settled.load(Ordering::Relaxed) & PATIENT != 0 {
                return None;
            }
            thread::yield_now();
            match self.admit_patiently(limit) {
                Err(Refused::Full) => None,
                done => Some(done),
            }
        })
    }
}

/// Waits to be let in: up to `limit` jobs, at least one.
#[derive(Debug)]
pub struct Admission<'g> {
    /// Where.
    pub gate: &'g Gate,
    /// At most how many, at least one.
    pub limit: usize,
}

impl Source for Admission<'_> {
    /// `Err` when the gate is closed.
    type Output = Result<Admitted, Refused>;

    fn attempt(&mut self) -> Attempt<Self::Output> {
        match self.gate.admit(self.limit) {
            Err(Refused::Full) => Attempt::Blocked,
            done => Attempt::Done(done),
        }
    }

    fn waiters(&self) -> &WaitSet {
        self.gate.waiters()
    }

    fn arm(&self) {
        self.gate.arm();
    }

    fn disarm(&self) {
        self.gate.disarm();
    }
}

/// Waits until there is ample room to be let in.
#[derive(Debug)]
pub struct Patient<'g>(pub Admission<'g>);

impl Source for Patient<'_> {
    /// `Err` when the gate is closed.
    type Output = Result<Admitted, Refused>;

    fn attempt(&mut self) -> Attempt<Self::Output> {
        match self.0.gate.admit_patiently(self.0.limit) {
            Err(Refused::Full) => Attempt::Blocked,
            done => Attempt::Done(done),
        }
    }

    fn waiters(&self) -> &WaitSet {
        &self.0.gate.patient
    }

    fn arm(&self) {
        self.0.gate.arm_patiently();
    }

    fn disarm(&self) {
        self.0.gate.disarm_patient();
    }
}
