//! A worker of the lane for handlers that wait.

use super::guarded::Guarded;
use super::places::{INTAKE, Places};
use super::ready::{Bell, Ready};
use crate::pool::context::Context;
use crate::pool::crew::Crew;
use crate::pool::worker::Rules;
use crate::queue::LeaseLost;
use crate::queue::engine::{Delivered, Engine, Taken};
use crate::retry::IntoOutcome;
use crate::sync::{Arc, BusyWait};
use crate::time::{Sleep, Timers};
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

/// How many deliveries are taken before woken handlers have their turn: a guess, a few microseconds of short handlers.
const INTAKE_BATCH: usize = 32;

/// What the workers of a lane share, beside the rules.
#[derive(Clone)]
pub(in crate::pool) struct Common {
    /// How many handlers one worker has at once.
    pub(in crate::pool) concurrency: usize,
    pub(in crate::pool) timers: Arc<Timers>,
    /// Says when all work is ended, also to a worker that has no room for more.
    pub(in crate::pool) crew: Crew,
}

/// Runs a worker until its queue is closed and empty, and its handlers have ended.
pub(in crate::pool) fn work<E, F, R>(engine: &E, rules: &Rules<F>, lane: &Common, worker: usize)
where
    E: Engine,
    F: AsyncFn(&E::Job, &Context) -> R,
    R: IntoOutcome,
{
    let holds = Holds { free: RefCell::new(Vec::new()), worker };
    run(engine, lane, rules.conduct.timeout, &holds, |hold, delivery| {
        let holds = &holds;
        async move {
            let settled = handle(engine, rules, lane, &hold, delivery).await;
            holds.give_back(engine, hold, settled);
        }
    });
}

/// Runs one handler on a delivery, and settles it.
async fn handle<E, F, R>(
    engine: &E,
    rules: &Rules<F>,
    lane: &Common,
    hold: &Arc<E::Hold>,
    delivery: E::Delivery,
) -> Result<(), LeaseLost>
where
    E: Engine,
    F: AsyncFn(&E::Job, &Context) -> R,
    R: IntoOutcome,
{
    let facts = delivery.facts();
    let mut context = rules.conduct.context(engine, hold, &lane.timers);
    rules.conduct.begin(&mut context, &facts);
    let deadline = rules.conduct.timeout.map(|timeout| Sleep::after(&lane.timers, engine.clock(), timeout));
    let handler = async { (rules.handler)(delivery.job(), &context).await.into_outcome() };
    let outcome = Guarded::new(handler, deadline, &**hold, facts.id).await;
    let verdict = rules.conduct.judge(outcome, &facts, &delivery, engine.clock());
    engine.settle(hold, delivery, verdict)
}

/// Holds that no delivery uses at the moment.
struct Holds<H> {
    free: RefCell<Vec<Arc<H>>>,
    worker: usize,
}

impl<H> Holds<H> {
    fn borrow<E: Engine<Hold = H>>(&self, engine: &E) -> Arc<H> {
        let free = self.free.borrow_mut().pop();
        free.unwrap_or_else(|| engine.hold(self.worker))
    }

    fn give_back<E: Engine<Hold = H>>(&self, engine: &E, hold: Arc<H>, settled: Result<(), LeaseLost>) {
        if settled.is_ok() || !engine.is_retired(&hold) {
            self.free.borrow_mut().push(hold);
        }
    }
}

/// The executor: takes deliveries as long as there is room, polls what was woken, sleeps when there is nothing to do.
fn run<E, W>(
    engine: &E,
    lane: &Common,
    timeout: Option<Duration>,
    holds: &Holds<E::Hold>,
    begin: impl Fn(Arc<E::Hold>, E::Delivery) -> W,
) where
    E: Engine,
    W: Future<Output = ()>,
{
    let ready = Ready::new();
    let places = Places::new(&ready);
    let closed = Cell::new(false);
    let taken = Cell::new(false);
    let bell = Bell::new(INTAKE, &ready);
    let waker = Waker::from(Arc::clone(&bell));
    let mut intake = pin!(async {
        loop {
            for _ in 0..INTAKE_BATCH {
                poll_fn(|_| if places.live() < lane.concurrency { Poll::Ready(()) } else { Poll::Pending })
                    .await;
                let hold = holds.borrow(engine);
                match engine.take_async(&hold, timeout).await {
                    Taken::Delivery(delivery) => {
                        taken.set(true);
                        places.add(begin(hold, delivery));
                    }
                    Taken::Later(pause) => Sleep::after(&lane.timers, engine.clock(), pause).await,
                    Taken::Closed => return closed.set(true),
                }
            }
            yield_once().await;
        }
    });
    lane.crew.notify(waker.clone());
    let mut woken = vec![INTAKE];
    let mut busy = BusyWait::new();
    loop {
        if woken.contains(&INTAKE) && places.live() >= lane.concurrency {
            // All work may be ended: those whose job was cut off learn of it now, and make room for the intake to learn of it.
            places.poll_all();
        }
        for place in woken.drain(..).filter(|place| *place != INTAKE) {
            places.poll(place);
        }
        // Polled every time round: there may be room again.
        if !closed.get() {
            bell.rearm();
            poll_intake(intake.as_mut(), &waker);
            if closed.get() {
                // Those whose job was cut off learn of it now.
                places.poll_all();
            }
        }
        if closed.get() && places.live() == 0 {
            return;
        }
        let slept = ready.take(&mut woken, true);
        if slept || taken.take() || woken != [INTAKE] {
            busy = BusyWait::new();
        } else {
            // The intake has woken itself for nothing: a peer is in the middle of a step, and may need our processor for it.
            busy.wait();
        }
    }
}

fn poll_intake(intake: Pin<&mut impl Future<Output = ()>>, waker: &Waker) {
    let _pending_or_closed = intake.poll(&mut TaskContext::from_waker(waker));
}

/// Lets others have their turn.
pub(in crate::pool) async fn yield_once() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
