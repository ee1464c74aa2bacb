//! Deliveries that pause while a breaker lets nothing pass.
//!
//! Whoever wants a job asks the breaker first and the channel then, in one attempt that takes both or neither: so a job stays
//! in its place while it may not be begun, and no probe is spent on an empty queue. Refused, it waits *here* until the round
//! moves on, and asks again.
//!
//! Time is the timer's part: it looks when somebody begins to wait (who counts itself, then rings), when a report has changed
//! something (the breaker rings) and when the breaker's time is up. A waiter reads the round before it asks, so that a move in
//! between is not slept through; the mover locks the list of waiters whatever it holds.

use super::engine::NO_PASS;
use super::envelope::Envelope;
use super::ready::Lane;
use super::seat::Seat;
use super::take::InHand;
use super::work::Queue;
use crate::channel::{RecvError, RecvTimeoutError, TryRecvError};
use crate::retry::{Admit, Breaker, Report};
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::time::Moment;
use crate::wait::{Attempt, Deadline, Source, WaitSet, Waiting, block_on};
use std::pin::pin;
use std::time::Duration;

/// Those who wait until deliveries go on.
pub(super) struct Pauses {
    waiting: AtomicU64,
    round: AtomicU64,
    /// The end of all work: nobody is held up any more.
    over: AtomicBool,
    waiters: WaitSet,
}

/// What an attempt to take a job brought.
enum Next<T> {
    /// A job, and the pass to begin it.
    Job(Envelope<T>, u64),
    Paused,
    Closed,
}

impl Pauses {
    pub(super) fn new() -> Self {
        Self {
            waiting: AtomicU64::new(0),
            round: AtomicU64::new(0),
            over: AtomicBool::new(false),
            waiters: WaitSet::new(),
        }
    }

    fn round(&self) -> u64 {
        // ORDERING: Acquire; pairs with `resume`: what the mover knew, whoever sees the round knows.
        self.round.load(Ordering::Acquire)
    }

    fn is_over(&self) -> bool {
        // ORDERING: Acquire; pairs with the store in `end`.
        self.over.load(Ordering::Acquire)
    }

    /// Has all who wait ask again.
    fn resume(&self) {
        // ORDERING: AcqRel; see `round`. The list's lock does the rest: see the module's head.
        self.round.fetch_add(1, Ordering::AcqRel);
        self.waiters.notify_all(|| ());
    }

    /// Ends all pauses, for good.
    pub(super) fn end(&self) {
        // ORDERING: Release; whoever sees it finds the channel closed, or work it may not begin.
        self.over.store(true, Ordering::Release);
        self.resume();
    }
}

/// Takes a pass and a job, or neither.
struct Passing<'q, T, S> {
    queue: &'q Queue<T>,
    breaker: &'q Breaker,
    jobs: S,
}

impl<T, S: Source<Output = Result<Envelope<T>, RecvError>>> Source for Passing<'_, T, S> {
    type Output = Next<T>;

    fn attempt(&mut self) -> Attempt<Next<T>> {
        let queue = self.queue;
        let pass = match self.breaker.admit_at(queue.clock.moment()) {
            Admit::Pass(pass) => pass.round(),
            Admit::Wait(_) if queue.pauses.is_over() => NO_PASS,
            Admit::Wait(_) => return Attempt::Done(Next::Paused),
        };
        let attempt = self.jobs.attempt();
        if !matches!(attempt, Attempt::Done(Ok(_))) {
            queue.give_back_pass(pass);
        }
        match attempt {
            Attempt::Done(Ok(envelope)) => Attempt::Done(Next::Job(envelope, pass)),
            Attempt::Done(Err(RecvError)) => Attempt::Done(Next::Closed),
            Attempt::Blocked => Attempt::Blocked,
            Attempt::Busy => Attempt::Busy,
        }
    }

    fn waiters(&self) -> &WaitSet {
        self.jobs.waiters()
    }

    fn arm(&self) {
        self.jobs.arm();
    }

    fn arm_for_task(&self) -> bool {
        self.jobs.arm_for_task();
        // The jobs alone do not decide.
        false
    }

    fn disarm(&self) {
        self.jobs.disarm();
    }
}

/// Waits until the round has moved on.
struct Resumed<'q> {
    pauses: &'q Pauses,
    seen: u64,
}

impl Source for Resumed<'_> {
    type Output = ();

    fn attempt(&mut self) -> Attempt<()> {
        let moved = self.pauses.round() != self.seen || self.pauses.is_over();
        if moved { Attempt::Done(()) } else { Attempt::Blocked }
    }

    fn waiters(&self) -> &WaitSet {
        &self.pauses.waiters
    }

    // Whoever moves the round looks at the list, whether or not somebody waits.
    fn arm(&self) {}

    fn disarm(&self) {}
}

/// Counts one who waits, for as long as it does.
struct Paused<'q>(&'q Pauses);

impl<'q> Paused<'q> {
    fn begin<T>(queue: &'q Queue<T>) -> Self {
        // ORDERING: AcqRel; made before the ring, after which the timer looks.
        queue.pauses.waiting.fetch_add(1, Ordering::AcqRel);
        queue.delayed.alarm().ring();
        Self(&queue.pauses)
    }
}

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        // ORDERING: Relaxed; the timer that still counts this one looks once too often.
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<T> Queue<T> {
    /// Takes the next job that may be begun, with its pass, and waits for it.
    pub(super) fn next_passed(
        &self,
        breaker: &Breaker,
        deadline: Deadline,
    ) -> Result<(Envelope<T>, u64), RecvTimeoutError> {
        loop {
            let seen = self.pauses.round();
            let jobs = self.ready.of(Lane::Sync).source();
            let mut passing = Passing { queue: self, breaker, jobs };
            match block_on(&mut passing, deadline).map_err(|_| RecvTimeoutError::Timeout)? {
                Next::Job(envelope, pass) => return Ok((envelope, pass)),
                Next::Closed => return Err(RecvTimeoutError::Closed),
                Next::Paused => {
                    let _paused = Paused::begin(self);
                    let mut resumed = Resumed { pauses: &self.pauses, seen };
                    block_on(&mut resumed, deadline).map_err(|_| RecvTimeoutError::Timeout)?;
                }
            }
        }
    }

    /// As [`next_passed`](Self::next_passed), for a task. Cancel-safe: dropped before it is ready, it has taken nothing.
    pub(super) async fn next_passed_async(&self, breaker: &Breaker) -> Result<(Envelope<T>, u64), RecvError> {
        loop {
            let seen = self.pauses.round();
            let jobs = self.ready.of(Lane::Async).source();
            let passing = pin!(Waiting::new(Passing { queue: self, breaker, jobs }));
            match passing.await {
                Next::Job(envelope, pass) => return Ok((envelope, pass)),
                Next::Closed => return Err(RecvError),
                Next::Paused => {
                    let _paused = Paused::begin(self);
                    pin!(Waiting::new(Resumed { pauses: &self.pauses, seen })).await;
                }
            }
        }
    }

    /// Takes the next job of a lane if there is one, and if it may be begun.
    pub(super) fn try_next_passed(
        &self,
        breaker: &Breaker,
        lane: Lane,
    ) -> Result<(Envelope<T>, u64), TryRecvError> {
        let pass = match breaker.admit_at(self.clock.moment()) {
            Admit::Pass(pass) => pass.round(),
            Admit::Wait(_) if self.pauses.is_over() => NO_PASS,
            Admit::Wait(_) => return Err(TryRecvError::Empty),
        };
        match self.ready.of(lane).try_recv() {
            Ok(envelope) => Ok((envelope, pass)),
            Err(error) => {
                self.give_back_pass(pass);
                Err(error)
            }
        }
    }

    /// Takes up a job for which there is a pass. If it is not to be run, the pass is given back.
    pub(super) fn take_up_passed(
        &self,
        seat: &Seat<T>,
        (envelope, pass): (Envelope<T>, u64),
        timeout: Option<Duration>,
    ) -> Option<InHand<T>> {
        let Some(mut hand) = self.take_up(seat, envelope, timeout) else {
            self.give_back_pass(pass);
            return None;
        };
        hand.pass = pass;
        Some(hand)
    }

    fn give_back_pass(&self, pass: u64) {
        if pass != NO_PASS {
            self.judge.report(pass, Report::Neither, &self.clock);
        }
    }

    /// Returns until when deliveries pause, if they do at `now`.
    pub(crate) fn paused_until(&self, now: Moment) -> Option<Moment> {
        self.judge.breaker.as_ref()?.wait_at(now).map(|wait| now.after(wait))
    }

    /// Has deliveries go on if they may. Returns when to look again.
    pub(super) fn review_pause(&self, now: Moment) -> Moment {
        let Some(breaker) = &self.judge.breaker else { return Moment::NEVER };
        // ORDERING: AcqRel in `begin` and the lock of the alarm, which the timer takes before it looks, make this no older than
        // the ring that it was woken by; Acquire reads it in order.
        if self.pauses.waiting.load(Ordering::Acquire) == 0 {
            return Moment::NEVER;
        }
        match breaker.wait_at(now) {
            Some(wait) => now.after(wait),
            None => {
                self.pauses.resume();
                Moment::NEVER
            }
        }
    }
}
