//! The simulation, as a test sees it.

use super::check::Books;
use super::faults::Faults;
use super::random::Random;
use super::step::Slot;
use super::trace::{Event, EventKind, KEPT_DEFAULT, Trace};
use crate::pool::{AsyncHandler, Context, DeadLetters, Handle, Still};
use crate::queue::{JobId, Stats, SubmitError};
use crate::retry::{IntoOutcome, Outcome};
use crate::time::{Moment, VirtualClock};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

/// Steps of one call when nothing else is said: some seconds.
const STEP_LIMIT_DEFAULT: u64 = 10_000_000;

/// The user's handlers: one for each kind of worker that there is.
pub(super) struct Handlers<'h, T: Send + 'static> {
    pub(super) blocking: Option<SyncHandler<'h, T>>,
    pub(super) waiting: Option<AsyncHandler<'h, T>>,
}

pub(super) type SyncHandler<'h, T> = Box<dyn FnMut(&T, &Context) -> Outcome + 'h>;

impl<'h, T: Send + 'static> Handlers<'h, T> {
    pub(super) fn none() -> Self {
        Self { blocking: None, waiting: None }
    }

    pub(super) fn blocking<R: IntoOutcome>(self, mut handler: impl FnMut(&T, &Context) -> R + 'h) -> Self {
        let handler: SyncHandler<'h, T> = Box::new(move |job, cx| handler(job, cx).into_outcome());
        Self { blocking: Some(handler), ..self }
    }

    pub(super) fn waiting<R: IntoOutcome>(self, handler: impl AsyncFn(&T, &Context) -> R + 'h) -> Self {
        let handler = Rc::new(handler);
        let handler: AsyncHandler<'h, T> = Box::new(move |hand, cx| {
            let handler = Rc::clone(&handler);
            Box::pin(async move { (*handler)(hand.job(), &cx).await.into_outcome() })
        });
        Self { waiting: Some(handler), ..self }
    }
}

/// A pool without threads: for tests, see the [module](super).
///
/// Made by [`PoolBuilder::simulate`](crate::PoolBuilder::simulate).
///
/// # Examples
///
/// Three days of retries, step by step:
///
/// ```
/// use millpond::{Context, Pool, RetryPolicy};
/// use std::time::Duration;
///
/// let mut calls = Vec::new();
/// let mut sim = Pool::builder()
///     .retry(RetryPolicy::webhook_72h())
///     .simulate(7, |_: &u32, cx: &Context| {
///         calls.push(cx.attempt());
///         Err::<(), _>("the endpoint is down")
///     })?;
/// sim.submit(1)?;
/// assert!(sim.run_until_idle());
/// assert_eq!((sim.stats().scheduled, sim.now()), (1, Duration::ZERO));
/// assert!(sim.run_until_done());
/// assert!(sim.now() < Duration::from_secs(72 * 3600));
/// assert_eq!((sim.stats().dead, sim.stats().retried), (1, 14));
/// sim.check()?;
/// drop(sim);
/// assert!(calls.into_iter().eq(1..=15));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "nothing happens until it is told to"]
pub struct Sim<'h, T: Send + 'static> {
    pub(super) still: Still<T>,
    pub(super) handlers: Handlers<'h, T>,
    pub(super) slots: Vec<Slot<'h>>,
    pub(super) faults: Faults,
    pub(super) random: Random,
    pub(super) books: Books,
    /// How many jobs had died when that was looked at last.
    pub(super) died: u64,
    /// When the timer's work was done last.
    pub(super) tended: Moment,
    trace: Trace,
    start: Moment,
    steps: u64,
    step_limit: u64,
}

impl<'h, T: Send + 'static> Sim<'h, T> {
    pub(super) fn new(still: Still<T>, seed: u64, handlers: Handlers<'h, T>) -> Self {
        let start = still.now();
        Self {
            handlers,
            slots: (0..still.workers()).map(|_| None).collect(),
            faults: Faults::none(),
            random: Random::new(seed),
            books: Books::default(),
            died: 0,
            tended: start,
            trace: Trace::new(KEPT_DEFAULT),
            start,
            steps: 0,
            step_limit: STEP_LIMIT_DEFAULT,
            still,
        }
    }

    /// Sets what goes wrong from here on. Deliveries that are in hand stay as they are.
    pub fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// As [`set_faults`](Self::set_faults), for the beginning.
    pub fn faults(mut self, faults: Faults) -> Self {
        self.set_faults(faults);
        self
    }

    /// Sets how many steps [`run_until_idle`](Self::run_until_idle), [`run_until_done`](Self::run_until_done) and
    /// [`advance`](Self::advance) make at most, so that a job that comes back for ever ends a test all the same. The default
    /// is 10 million.
    pub fn step_limit(mut self, steps: u64) -> Self {
        self.step_limit = steps;
        self
    }

    /// Sets how many events the [trace](Self::trace) keeps: the latest. The default is 50 000.
    pub fn keep_events(mut self, events: usize) -> Self {
        self.trace.keep(events);
        self
    }

    /// Submits a job, if there is room for it, or if the pool's [`Overflow`](crate::Overflow) policy makes some.
    ///
    /// # Errors
    ///
    /// [`SubmitError::Full`] with the job.
    pub fn submit(&mut self, job: T) -> Result<JobId, SubmitError<T>> {
        let before = self.stats().overflowed;
        let submitted = self.still.pool.try_submit(job);
        // Some may have gone although there was no room in the end.
        let after = self.stats();
        (before..after.overflowed).for_each(|_| self.note(EventKind::Overflowed));
        self.died = after.died;
        let id = submitted?;
        self.note(EventKind::Submitted(id));
        Ok(id)
    }

    /// Does one thing, chosen by the seed among all that can happen now; if nothing can, moves the clock to what is next.
    ///
    /// Returns false when nothing will ever happen any more, unless another job comes.
    pub fn step(&mut self) -> bool {
        let stepped = self.act() || self.move_clock(Moment::NEVER);
        self.steps += u64::from(stepped);
        stepped
    }

    /// Goes on while anything can happen without the clock being moved. False if the [limit](Self::step_limit) ended it.
    #[must_use]
    pub fn run_until_idle(&mut self) -> bool {
        for _ in 0..self.step_limit {
            if !self.act() {
                return true;
            }
            self.steps += 1;
        }
        false
    }

    /// Goes on until no job is held, and no worker is at work; moves the clock as far as that takes. False if the
    /// [limit](Self::step_limit) ended it, or if what is held is never due.
    #[must_use]
    pub fn run_until_done(&mut self) -> bool {
        for _ in 0..self.step_limit {
            if self.is_done() {
                return true;
            }
            if !self.step() {
                break;
            }
        }
        self.is_done()
    }

    /// Goes on while the clock moves by `time`, and stops there: with all done that can happen by then. False if the
    /// [limit](Self::step_limit) ended it earlier.
    #[must_use]
    pub fn advance(&mut self, time: Duration) -> bool {
        let end = self.still.now().after(time);
        for _ in 0..self.step_limit {
            if self.act() || self.move_clock(end) {
                self.steps += 1;
                continue;
            }
            let left = end.since_origin().saturating_sub(self.still.now().since_origin());
            if left.is_zero() {
                return true;
            }
            self.move_by(left);
        }
        false
    }

    fn is_done(&self) -> bool {
        self.still.held() == 0 && self.slots.iter().all(Option::is_none)
    }

    /// Returns how much time has passed on the clock since the beginning.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.still.now().since_origin().saturating_sub(self.start.since_origin())
    }

    /// Returns the clock. It may be moved by hand, too: what that makes due happens in the next step.
    #[must_use]
    pub fn clock(&self) -> VirtualClock {
        self.still.time.clone()
    }

    /// Returns the seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.random.seed()
    }

    /// Returns how many steps there have been.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Returns what has happened. Jobs that came through a [handle](Self::handle) appear when they are delivered.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Returns the books of the pool.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.still.pool.stats()
    }

    /// Returns the dead letters. What is redriven from here happens in the next steps; a redrive
    /// [at a rate](crate::DeadLetters::redrive_with) has a thread of its own, which no seed can choose for.
    #[must_use]
    pub fn dead(&self) -> DeadLetters<T> {
        self.still.pool.dead()
    }

    /// Returns a handle to submit with: for a handler, or for a topic that feeds this pool. Use its `try_submit`: nobody makes
    /// room while it waits.
    #[must_use]
    pub fn handle(&self) -> Handle<T> {
        self.still.pool.handle()
    }

    pub(super) fn note(&mut self, kind: EventKind) {
        let at = self.now();
        self.trace.push(Event { at, kind });
    }
}

impl<T: Send + 'static> fmt::Debug for Sim<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim")
            .field("seed", &self.seed())
            .field("now", &self.now())
            .field("steps", &self.steps)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
