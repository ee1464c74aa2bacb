//! The two kinds of thread of a pool: workers, and the timer.

use super::context::Context;
use crate::once::{AnyResult, Once};
use crate::queue::engine::{Delivered, Engine, Facts, Taken};
use crate::queue::{Judge, LeaseLost, Queue, Stuck};
use crate::retry::{IntoOutcome, Outcome, Verdict, caught};
use crate::sync::{Arc, thread};
use crate::time::{Clock, Timers};
use std::time::Duration;

/// How deliveries are dealt with, whatever the handler.
#[derive(Clone)]
pub(super) struct Conduct {
    pub(super) judge: Judge,
    pub(super) timeout: Option<Duration>,
    pub(super) once: Option<Arc<Once<AnyResult>>>,
}

/// What all workers of a pool share, beside the queue.
pub(super) struct Rules<F> {
    pub(super) handler: F,
    pub(super) conduct: Conduct,
}

impl Conduct {
    /// Makes the context of a worker, which it uses for all its deliveries from this hold.
    pub(super) fn context<E: Engine>(
        &self,
        engine: &E,
        hold: &Arc<E::Hold>,
        timers: &Arc<Timers>,
    ) -> Context {
        let (name, clock) = (Arc::clone(engine.name()), engine.clock().clone());
        Context::of_worker(name, clock, Arc::clone(hold) as _, Arc::clone(timers), self.once.clone())
    }

    /// Turns a context to the next delivery.
    #[inline]
    pub(super) fn begin(&self, context: &mut Context, facts: &Facts) {
        context.begin(facts, self.judge.retry.is_last(facts.attempt), self.timeout);
    }

    /// Has the policies judge what came of a delivery.
    #[inline]
    pub(super) fn judge<D: Delivered>(
        &self,
        outcome: Outcome,
        facts: &Facts,
        delivery: &D,
        clock: &Clock,
    ) -> Verdict {
        self.judge.judge(outcome, facts, || delivery.trials(), clock)
    }
}

/// Runs a worker until its queue is closed and empty, or another has taken its place.
pub(super) fn work<E, F, R>(engine: &E, rules: &Rules<F>, timers: &Arc<Timers>, worker: usize)
where
    E: Engine,
    F: Fn(&E::Job, &Context) -> R,
    R: IntoOutcome,
{
    let hold = engine.hold(worker);
    let mut context = rules.conduct.context(engine, &hold, timers);
    loop {
        match engine.take(&hold, rules.conduct.timeout) {
            Taken::Delivery(delivery) => {
                let settled = deliver(engine, rules, &hold, delivery, &mut context);
                if settled.is_err() && engine.is_retired(&hold) {
                    return;
                }
            }
            Taken::Later(pause) => thread::sleep(pause),
            Taken::Closed => return,
        }
    }
}

/// Delivers one job to the handler, and settles it.
#[inline]
fn deliver<E, F, R>(
    engine: &E,
    rules: &Rules<F>,
    hold: &E::Hold,
    delivery: E::Delivery,
    context: &mut Context,
) -> Result<(), LeaseLost>
where
    E: Engine,
    F: Fn(&E::Job, &Context) -> R,
    R: IntoOutcome,
{
    let facts = delivery.facts();
    rules.conduct.begin(context, &facts);
    let span = tracing::info_span!(
        target: "millpond",
        "millpond::delivery",
        queue = context.queue(),
        id = facts.id.get(),
        attempt = facts.attempt
    );
    let _inside = span.enter();
    let outcome =
        caught(|| (rules.handler)(delivery.job(), context).into_outcome()).unwrap_or_else(|panic| panic);
    let verdict = rules.conduct.judge(outcome, &facts, &delivery, engine.clock());
    engine.settle(hold, delivery, verdict)
}

/// Runs the timer until the schedule is closed. `replace` is called for each worker that is stuck, if it is given.
pub(super) fn keep_time<T>(queue: &Queue<T>, replace: Option<&dyn Fn(Stuck)>) {
    let mut due = Vec::new();
    loop {
        let tick = queue.tick(&mut due, replace.is_some());
        if !tick.open {
            return;
        }
        if let Some(replace) = replace {
            tick.stuck.into_iter().for_each(replace);
        }
    }
}
