//! Depth-first search in which a thread that yields lets another one go first.

use shuttle::current::TaskId;
use shuttle::scheduler::{Schedule, Scheduler, Task};

/// The search alone lets a thread that spins on another spin for ever, and calls that an endless schedule.
#[derive(Debug)]
pub(super) struct Fair<S>(pub(super) S);

impl<S: Scheduler> Scheduler for Fair<S> {
    fn new_execution(&mut self) -> Option<Schedule> {
        self.0.new_execution()
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        if is_yielding && runnable.len() > 1 {
            let others: Vec<_> = runnable.iter().copied().filter(|task| Some(task.id()) != current).collect();
            return self.0.next_task(&others, current, false);
        }
        self.0.next_task(runnable, current, is_yielding)
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }
}
