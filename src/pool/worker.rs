//! The two kinds of thread of a pool: workers, and the timer.

use super::context::Context;
use crate::queue::engine::{Delivered, Engine, Taken};
use crate::queue::{Judge, LeaseLost, Queue};
use crate::retry::{IntoOutcome, caught};
use crate::sync::{Arc, thread};
use crate::time::Timers;
use std::time::Duration;

/// What all workers of a pool share, beside the queue.
pub(super) struct Rules<F> {
    pub(super) handler: F,
    pub(super) judge: Judge,
    pub(super) timeout: Option<Duration>,
}

/// Runs a worker until its queue is closed and empty, or another has taken its place.
pub(super) fn work<E, F, R>(engine: &E, rules: &Rules<F>, timers: &Arc<Timers>, worker: usize)
where
    E: Engine,
    F: Fn(&E::Job, &Context) -> R,
    R: IntoOutcome,
{
    let hold = engine.hold(worker);
    let (name, clock) = (Arc::clone(engine.name()), engine.clock().clone());
    let mut context = Context::of_worker(name, clock, Arc::clone(&hold) as _, Arc::clone(timers));
    loop {
        match engine.take(&hold, rules.timeout) {
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
    context.begin(&facts, rules.judge.retry.is_last(facts.attempt), rules.timeout);
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
    let verdict = rules.judge.judge(outcome, &facts, || delivery.trials(), engine.clock());
    engine.settle(hold, delivery, verdict)
}

/// Runs the timer until the schedule is closed. `replace` is called for each worker that is stuck, if it is given.
pub(super) fn keep_time<T>(queue: &Queue<T>, replace: Option<&dyn Fn()>) {
    let mut due = Vec::new();
    loop {
        let tick = queue.tick(&mut due, replace.is_some());
        if !tick.open {
            return;
        }
        if let Some(replace) = replace {
            (0..tick.stuck).for_each(|_| replace());
        }
    }
}
