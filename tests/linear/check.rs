//! The search for an order: Wing and Gong's (1993), with Lowe's memory of what was tried (2017).

use super::history::{Answer, Call, Kind, Op};
use super::spec::Queue;
use std::collections::HashSet;

/// What has been placed, the queue it leads to, and how far the batches are that go in by parts.
type Visited = HashSet<(u64, Queue, Vec<usize>)>;

/// Whether there is an order of the calls that a queue of that capacity explains, and in which no call that had ended comes
/// after one that had not begun.
pub(crate) fn is_linearizable(history: &[Call], kind: Kind, capacity: usize) -> bool {
    assert!(history.len() <= 64, "a history is a set of bits");
    let queue = Queue::new(capacity, kind != Kind::Mpmc);
    let mut parts = vec![0; history.len()];
    search(history, 0, &queue, &mut parts, &mut Visited::new())
}

fn search(
    history: &[Call],
    placed: u64,
    queue: &Queue,
    parts: &mut Vec<usize>,
    visited: &mut Visited,
) -> bool {
    let left = || (0..history.len()).filter(|at| placed & (1 << at) == 0);
    let Some(first_end) = left().map(|at| history[at].ended).min() else { return true };
    if !visited.insert((placed, queue.clone(), parts.clone())) {
        return false;
    }
    for at in left().filter(|at| history[*at].begun < first_end) {
        let Call { op, answer, .. } = &history[at];
        let before = parts[at];
        // A batch closed early has both kinds of step: a part more, and the refusal.
        for (after, part) in queue.steps(op, answer, before) {
            let over = Queue::is_over(op, answer, before, part);
            parts[at] = if over { 0 } else { part };
            if search(history, placed | u64::from(over) << at, &after, parts, visited) {
                return true;
            }
            parts[at] = before;
        }
    }
    false
}

/// Whether the answer fits the operation at all: for those who plant histories.
pub(crate) fn is_answer_of(op: &Op, answer: &Answer) -> bool {
    matches!(
        (op, answer),
        (Op::Len, Answer::Number(_))
            | (Op::IsEmpty | Op::IsFull | Op::IsClosed | Op::Close, Answer::Flag(_))
            | (
                Op::TrySend(_) | Op::Send(_) | Op::SendRelaxed(_) | Op::TrySendMany(_) | Op::SendMany(_),
                Answer::Sent(_) | Answer::Full | Answer::Closed(_) | Answer::Busy
            )
            | (
                Op::TryRecv | Op::Recv | Op::RecvRelaxed | Op::TryRecvMany(_) | Op::RecvMany(_),
                Answer::Received(_) | Answer::Empty | Answer::Closed(0) | Answer::Busy
            )
    )
}
