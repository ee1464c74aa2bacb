//! The two kinds of thread of a pool: workers, and the timer.

use super::context::Context;
use crate::queue::{Envelope, Queue};
use crate::retry::{Facts, Failure, IntoOutcome, Outcome, Resume, RetryPolicy, discard, mix};
use crate::sync::Arc;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// What all workers of a pool share, beside the queue.
pub(super) struct Rules<F> {
    pub(super) handler: F,
    pub(super) retry: RetryPolicy,
    pub(super) timeout: Option<Duration>,
    pub(super) seed: u64,
}

/// Runs a worker until its queue is closed and empty.
pub(super) fn work<T, F, R>(queue: &Queue<T>, rules: &Rules<F>, seat: usize)
where
    F: Fn(&T, &Context) -> R,
    R: IntoOutcome,
{
    let name = Arc::clone(queue.name());
    let mut context = Context::of_worker(name, queue.clock().clone(), Arc::clone(queue.seats()), seat);
    while let Some(envelope) = queue.take() {
        deliver(queue, rules, seat, envelope, &mut context);
    }
}

/// Delivers one job to the handler, and settles it.
#[inline]
fn deliver<T, F, R>(
    queue: &Queue<T>,
    rules: &Rules<F>,
    seat: usize,
    envelope: Envelope<T>,
    context: &mut Context,
) where
    F: Fn(&T, &Context) -> R,
    R: IntoOutcome,
{
    let seat = queue.seats().get(seat);
    let Some(mut envelope) = queue.take_up(seat, envelope) else { return };
    if envelope.is_parked() {
        match rules.retry.resume(&facts(queue, rules, &envelope)) {
            Resume::Deliver => envelope.put_off(envelope.last_delay(), false),
            Resume::Park(wait) => return queue.hold(seat, envelope, wait),
            Resume::Dead(reason) => return queue.bury(seat, envelope, reason),
        }
    }
    context.begin(&envelope, rules.timeout);
    let (id, attempt) = (envelope.id, context.attempt());
    context.set_last(rules.retry.is_last(attempt));
    let span = tracing::info_span!(
        target: "millpond",
        "millpond::delivery",
        queue = context.queue(),
        id = id.get(),
        attempt
    );
    let _inside = span.enter();
    let handled = catch_unwind(AssertUnwindSafe(|| (rules.handler)(&envelope.job, context).into_outcome()));
    let outcome = handled.unwrap_or_else(|payload| {
        let failure = Failure::from_panic(&*payload);
        discard(payload);
        Outcome::Retry(failure)
    });
    let verdict = rules.retry.judge(outcome, attempt, || facts(queue, rules, &envelope));
    queue.settle(seat, envelope, verdict);
}

/// What the policy decides on, beside the outcome.
fn facts<T, F>(queue: &Queue<T>, rules: &Rules<F>, envelope: &Envelope<T>) -> Facts {
    Facts {
        now: queue.clock().moment(),
        elapsed: queue.clock().stamp().since(envelope.enqueued_at),
        previous: envelope.last_delay(),
        random: mix(rules.seed, envelope.id.get(), envelope.attempt()),
    }
}

/// Runs the timer until the schedule is closed.
pub(super) fn keep_time<T>(queue: &Queue<T>) {
    let mut due = Vec::new();
    while queue.tick(&mut due) {}
}
