//! The queue that a channel says it is: bounded, first in first out, and it can be closed.

use super::history::{Answer, Op};
use std::collections::VecDeque;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Queue {
    pub(crate) inside: VecDeque<u32>,
    pub(crate) capacity: usize,
    pub(crate) closed: bool,
    /// There is one receiver alone. Its batches leave message by message: nobody comes between, but a sender may fill the places.
    pub(crate) lone_receiver: bool,
}

/// What an operation may have done to the queue: the queue after it, and how many of a batch's messages are moved by then. A
/// batch that blocks goes in by parts; most others are over at once.
pub(crate) type Step = (Queue, usize);

impl Queue {
    pub(crate) fn new(capacity: usize, lone_receiver: bool) -> Self {
        Self { inside: VecDeque::new(), capacity, closed: false, lone_receiver }
    }

    fn room(&self) -> usize {
        self.capacity - self.inside.len()
    }

    /// Returns the ways in which the operation, of whose batch `before` messages are moved, can go on with that answer in the end.
    pub(crate) fn steps(&self, op: &Op, answer: &Answer, before: usize) -> Vec<Step> {
        match op {
            Op::TrySend(value) | Op::Send(value) | Op::SendRelaxed(value) => {
                self.send(std::slice::from_ref(value), answer)
            }
            Op::TrySendMany(values) => self.send(values, answer),
            Op::SendMany(values) => self.send_part(values, answer, before),
            Op::TryRecv | Op::Recv | Op::RecvRelaxed => self.receive(1, answer, before),
            Op::TryRecvMany(limit) | Op::RecvMany(limit) => self.receive(*limit, answer, before),
            Op::Len => self.same_if(*answer == Answer::Number(self.inside.len())),
            Op::IsEmpty => self.same_if(*answer == Answer::Flag(self.inside.is_empty())),
            Op::IsFull => self.same_if(*answer == Answer::Flag(self.room() == 0)),
            Op::IsClosed => self.same_if(*answer == Answer::Flag(self.closed)),
            Op::Close => {
                let mut after = self.clone();
                after.closed = true;
                if *answer == Answer::Flag(!self.closed) { vec![(after, 0)] } else { Vec::new() }
            }
        }
    }

    fn same_if(&self, fits: bool) -> Vec<Step> {
        if fits { vec![(self.clone(), 0)] } else { Vec::new() }
    }

    fn pushed(&self, values: &[u32]) -> Self {
        let mut after = self.clone();
        after.inside.extend(values);
        after
    }

    /// Values from the front of `values` enter as one. For a batch, as many as found room: the room may have grown meanwhile, so
    /// what is promised is at least one, and never more than there is room for.
    fn send(&self, values: &[u32], answer: &Answer) -> Vec<Step> {
        match answer {
            Answer::Sent(count) => {
                let fits = !self.closed && (1..=self.room().min(values.len())).contains(count);
                if fits { vec![(self.pushed(&values[..*count]), 0)] } else { Vec::new() }
            }
            Answer::Full => self.same_if(!self.closed && self.room() == 0),
            Answer::Closed(0) => self.same_if(self.closed),
            // It says that a peer was in the way, and nothing about the queue.
            Answer::Busy => self.same_if(true),
            _ => Vec::new(),
        }
    }

    fn send_part(&self, values: &[u32], answer: &Answer, before: usize) -> Vec<Step> {
        let sent = match answer {
            Answer::Closed(sent) if *sent == before => return self.same_if(self.closed),
            Answer::Sent(sent) | Answer::Closed(sent) => *sent,
            _ => return Vec::new(),
        };
        if self.closed {
            return Vec::new();
        }
        let most = self.room().min(sent - before);
        (1..=most).map(|part| (self.pushed(&values[before..before + part]), before + part)).collect()
    }

    /// The oldest leave, as one where there are other receivers.
    fn receive(&self, limit: usize, answer: &Answer, before: usize) -> Vec<Step> {
        match answer {
            Answer::Received(values) => {
                let left = &values[before..];
                let least = if self.lone_receiver { 1 } else { left.len() };
                let fits = |part: &usize| {
                    *part <= self.inside.len() && left[..*part].iter().eq(self.inside.iter().take(*part))
                };
                let parts = (least..=left.len()).take_while(fits);
                let step = |part: usize| {
                    let mut after = self.clone();
                    after.inside.drain(..part);
                    (after, before + part)
                };
                if (1..=limit).contains(&values.len()) { parts.map(step).collect() } else { Vec::new() }
            }
            Answer::Empty => self.same_if(self.inside.is_empty() && !self.closed),
            Answer::Closed(0) => self.same_if(self.inside.is_empty() && self.closed),
            Answer::Busy => self.same_if(true),
            _ => Vec::new(),
        }
    }

    /// Whether the operation is over once `inside` of its messages are in.
    pub(crate) fn is_over(op: &Op, answer: &Answer, before: usize, after: usize) -> bool {
        match (op, answer) {
            (Op::SendMany(_), Answer::Sent(sent)) => after == *sent,
            (_, Answer::Received(values)) => after == values.len(),
            // The refusal is a step of its own, which moves nothing.
            (Op::SendMany(_), Answer::Closed(sent)) => before == *sent,
            _ => true,
        }
    }
}
