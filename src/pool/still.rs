//! A pool that stands still: the queue, the seats and the rules of a pool without any of its threads, for
//! [`crate::testing`] to move by hand.

use super::builder::{BuildError, Leased, PoolBuilder, Terms, Unleased};
use super::context::Context;
use super::crew::Crew;
use super::lane::Guarded;
use super::owner::Pool;
use super::worker::Conduct;
use crate::queue::engine::{Delivered, Engine, Facts};
use crate::queue::{Hold, JobId, Lane, Lease, LeaseLost, Leasing, Queue, Route};
use crate::retry::{IntoOutcome, Outcome, Verdict, caught};
use crate::sync::{Arc, Rung};
use crate::time::{Moment, Sleep, VirtualClock};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::time::Duration;

/// Workers of a pool that stands still, when nothing else is said: few, and the same on every machine.
const WORKERS_DEFAULT: usize = 2;

/// A pool without threads.
pub(crate) struct Still<T: Send + 'static> {
    queue: Arc<Queue<T>>,
    pub(crate) pool: Pool<T>,
    conduct: Conduct,
    pub(crate) lease: Option<Lease>,
    pub(crate) time: VirtualClock,
    desks: Vec<Desk<T>>,
}

/// Which workers there are to be.
pub(crate) enum StillTeam<T> {
    /// All of one kind.
    Of(Lane),
    /// Both, and whose each job is.
    Mixed(Route<T>),
}

/// Where one worker would sit.
struct Desk<T: Send + 'static> {
    lane: Lane,
    hold: Arc<<Queue<T> as Engine>::Hold>,
    context: Context,
    /// An async handler shares it until it is over.
    in_hand: Option<Rc<<Queue<T> as Engine>::Delivery>>,
}

/// A job in hand, as an async handler has it.
pub(crate) struct Hand<T: Send + 'static>(Rc<<Queue<T> as Engine>::Delivery>);

impl<T: Send + 'static> Hand<T> {
    pub(crate) fn job(&self) -> &T {
        Delivered::job(&*self.0)
    }
}

type Work<'h> = Pin<Box<dyn Future<Output = Outcome> + 'h>>;

/// Calls an async handler.
pub(crate) type AsyncHandler<'h, T> = Box<dyn Fn(Hand<T>, Context) -> Work<'h> + 'h>;

/// An async handler at work.
pub(crate) struct StillWork<'h> {
    future: Work<'h>,
    woken: Arc<Woken>,
    waker: Waker,
}

struct Woken(Rung);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        // Somebody looks at each step of a simulation: nobody is to be told.
        self.0.ring();
    }
}

impl StillWork<'_> {
    /// Returns true if it may go on.
    pub(crate) fn is_woken(&self) -> bool {
        self.woken.0.is_rung()
    }

    /// Has it polled again.
    pub(crate) fn wake(&self) {
        self.waker.wake_by_ref();
    }

    /// Polls it once. None: it waits.
    pub(crate) fn poll(&mut self) -> Option<Outcome> {
        // Lowered before the poll: what happens in it wakes again.
        self.woken.0.rearm();
        match self.future.as_mut().poll(&mut TaskContext::from_waker(&self.waker)) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        }
    }
}

/// What a worker found when it asked for a job.
pub(crate) enum StillTake {
    /// No job is ready.
    Nothing,
    /// One that is not to be run any more, and was seen to.
    Unseen(JobId),
    /// It is in hand.
    InHand(Facts),
}

impl<L> PoolBuilder<L> {
    fn stand_still<T: Send + 'static>(
        mut self,
        seed: u64,
        leasing: Option<Leasing<T>>,
        team: StillTeam<T>,
    ) -> Result<Still<T>, BuildError> {
        let time = self.set.clock.as_virtual().unwrap_or_default();
        self.set.clock = time.clock();
        self.set.seed.get_or_insert(seed);
        let workers = self.set.workers.unwrap_or(WORKERS_DEFAULT);
        let (lanes, route) = match team {
            StillTeam::Of(lane) => (vec![lane; workers], None),
            StillTeam::Mixed(_) if self.set.async_workers == 0 => return Err(BuildError::NoWorkers),
            StillTeam::Mixed(route) => {
                // Numbered as in a pool with threads: those who wait come first.
                let mut lanes = vec![Lane::Async; self.set.async_workers];
                lanes.resize(self.set.async_workers + workers, Lane::Sync);
                (lanes, Some(route))
            }
        };
        let terms = Terms { route, ..Terms::stoppable(leasing) };
        self.check(workers, &terms)?;
        let conduct = self.conduct();
        let lease = terms.leasing.as_ref().map(|leasing| leasing.lease);
        let queue = Arc::new(Queue::new(self.plan(terms, conduct.judge.clone())));
        let pool = Pool::new(Arc::clone(&queue), Crew::new(), Duration::ZERO);
        let desk = |(worker, lane)| Desk::new(&queue, &conduct, worker, lane);
        let desks = lanes.into_iter().enumerate().map(desk).collect();
        Ok(Still { queue, pool, conduct, lease, time, desks })
    }
}

impl PoolBuilder<Unleased> {
    pub(crate) fn still<T: Send + 'static>(
        self,
        seed: u64,
        team: StillTeam<T>,
    ) -> Result<Still<T>, BuildError> {
        self.stand_still(seed, None, team)
    }
}

impl PoolBuilder<Leased> {
    pub(crate) fn still<T: Clone + Send + Sync + 'static>(
        self,
        seed: u64,
        team: StillTeam<T>,
    ) -> Result<Still<T>, BuildError> {
        let leasing = Leasing::new(self.lease.0);
        self.stand_still(seed, Some(leasing), team)
    }
}

impl<T: Send + 'static> Desk<T> {
    fn new(queue: &Arc<Queue<T>>, conduct: &Conduct, worker: usize, lane: Lane) -> Self {
        let hold = queue.hold(worker);
        let context = conduct.context(&**queue, &hold, queue.timers());
        Self { lane, hold, context, in_hand: None }
    }
}

impl<T: Send + 'static> Still<T> {
    /// Returns the time of an attempt, if that is limited.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.conduct.timeout
    }

    pub(crate) fn workers(&self) -> usize {
        self.desks.len()
    }

    /// Takes the job that is ready first to the desk of a worker who has none.
    pub(crate) fn take(&mut self, worker: usize) -> StillTake {
        let desk = &mut self.desks[worker];
        match self.queue.try_take(desk.lane, &desk.hold, self.conduct.timeout) {
            None => StillTake::Nothing,
            Some((id, None)) => StillTake::Unseen(id),
            Some((_, Some(hand))) => {
                let facts = hand.facts();
                self.conduct.begin(&mut desk.context, &facts);
                desk.in_hand = Some(Rc::new(hand));
                StillTake::InHand(facts)
            }
        }
    }

    /// Calls the handler with the job at hand. A panic in it is a failure.
    pub(crate) fn handle<R: IntoOutcome>(
        &self,
        worker: usize,
        handler: &mut (impl FnMut(&T, &Context) -> R + ?Sized),
    ) -> Outcome {
        let desk = &self.desks[worker];
        let Some(hand) = &desk.in_hand else { return Outcome::Release };
        caught(|| handler(Delivered::job(&**hand), &desk.context).into_outcome())
            .unwrap_or_else(|panic| panic)
    }

    /// Begins the async handler of the job at hand. It is polled by the caller.
    pub(crate) fn begin<'h>(&self, worker: usize, handler: &AsyncHandler<'h, T>) -> Option<StillWork<'h>> {
        let desk = &self.desks[worker];
        let (hand, hold) = (Rc::clone(desk.in_hand.as_ref()?), Arc::clone(&desk.hold));
        let (facts, timers) = (hand.facts(), self.queue.timers());
        let mut context = self.conduct.context(&*self.queue, &hold, timers);
        self.conduct.begin(&mut context, &facts);
        let time = self.conduct.timeout;
        let deadline = time.map(|time| Sleep::after(timers, self.queue.clock(), time));
        let handler = handler(Hand(hand), context);
        let guarded = async move { Guarded::new(handler, deadline, &*hold, facts.id).await };
        let woken = Arc::new(Woken(Rung::new(true)));
        Some(StillWork { future: Box::pin(guarded), waker: Waker::from(Arc::clone(&woken)), woken })
    }

    /// Has the policies judge the outcome of the job at hand.
    pub(crate) fn judge(&self, worker: usize, outcome: Outcome) -> Verdict {
        match &self.desks[worker].in_hand {
            Some(hand) => self.conduct.judge(outcome, &hand.facts(), &**hand, self.queue.clock()),
            None => Verdict::Release,
        }
    }

    /// Settles the job at hand.
    pub(crate) fn settle(&mut self, worker: usize, verdict: Verdict) -> Result<(), LeaseLost> {
        let desk = &mut self.desks[worker];
        // Nobody shares it any more: a handler that is over was dropped.
        let Some(hand) = desk.in_hand.take().and_then(Rc::into_inner) else { return Ok(()) };
        self.queue.settle(&desk.hold, hand, verdict)
    }

    /// Takes the job at hand away from its worker, as if its lease had run out. False if there is no lease.
    pub(crate) fn run_out(&mut self, worker: usize) -> bool {
        self.desks[worker].hold.run_out()
    }

    /// Returns true if the job at hand was taken away.
    pub(crate) fn is_lost(&self, worker: usize) -> bool {
        let desk = &self.desks[worker];
        desk.in_hand.as_ref().is_some_and(|hand| desk.hold.is_lost(hand.facts().id))
    }

    /// Does what the timer does at this moment. Returns when it is needed next: for jobs and letters, and for the leases.
    pub(crate) fn tend(&self) -> (Moment, Moment) {
        let mut due = Vec::new();
        loop {
            let round = self.queue.round(&mut due, false);
            if !round.busy {
                let chore = self.queue.next_chore().unwrap_or(Moment::NEVER);
                return (chore.min(round.sleeper).min(self.resumption()), round.review);
            }
        }
    }

    /// Returns the lane of a worker.
    pub(crate) fn lane(&self, worker: usize) -> Lane {
        self.desks[worker].lane
    }

    /// Tells whether a job is ready for a worker, and may be begun.
    pub(crate) fn is_ready_for(&self, worker: usize) -> bool {
        self.has_ready(worker) && self.queue.paused_until(self.now()).is_none()
    }

    fn has_ready(&self, worker: usize) -> bool {
        self.queue.ready_in(self.desks[worker].lane) > 0
    }

    /// Returns when deliveries go on, if they pause while a job is ready for somebody.
    fn resumption(&self) -> Moment {
        let waits = (0..self.workers()).any(|worker| self.has_ready(worker));
        let until = if waits { self.queue.paused_until(self.now()) } else { None };
        until.unwrap_or(Moment::NEVER)
    }

    /// Returns how many jobs are held.
    pub(crate) fn held(&self) -> u64 {
        self.queue.gate().held()
    }

    pub(crate) fn now(&self) -> Moment {
        self.queue.clock().moment()
    }
}
