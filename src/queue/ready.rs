//! The jobs that are ready: in one line, or in two, one for each kind of worker.
//!
//! Two lines keep the kinds out of each other's way: nobody who can be worked on waits behind somebody who cannot, because
//! all workers of that kind are busy. A job is sent to its line when it becomes ready, each time anew, by whoever makes it ready.
//! Each line has as many places as the gate, so a job always finds its place, whichever line it is sent to.

use super::envelope::Envelope;
use crate::channel::{Receiver, Sender, TrySendError, bounded};
use crate::retry::discard;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Which workers a job is for, in a pool that has both kinds: see
/// [`PoolBuilder::start_mixed`](crate::PoolBuilder::start_mixed).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// The job computes, or blocks its thread: it has a worker for itself.
    Sync,
    /// The job waits: it shares a worker with many others.
    Async,
}

/// Says for which workers a job is. User code.
pub(crate) type Route<T> = Box<dyn Fn(&T) -> Lane + Send + Sync>;

/// The jobs that are ready.
pub(super) struct Ready<T> {
    line: Line<T>,
    /// The line of the async lane, if there are two.
    side: Option<Side<T>>,
}

struct Line<T> {
    sender: Sender<Envelope<T>>,
    receiver: Receiver<Envelope<T>>,
}

struct Side<T> {
    line: Line<T>,
    route: Route<T>,
}

impl<T> Line<T> {
    fn new(capacity: usize) -> Self {
        let (sender, receiver) = bounded(capacity);
        Self { sender, receiver }
    }
}

impl<T> Ready<T> {
    pub(super) fn new(capacity: usize, route: Option<Route<T>>) -> Self {
        let side = route.map(|route| Side { line: Line::new(capacity), route });
        Self { line: Line::new(capacity), side }
    }

    /// Returns where workers of this kind take their jobs.
    #[inline]
    pub(super) fn of(&self, lane: Lane) -> &Receiver<Envelope<T>> {
        match &self.side {
            Some(side) if lane == Lane::Async => &side.line.receiver,
            _ => &self.line.receiver,
        }
    }

    #[inline]
    fn sender(&self, job: &T) -> &Sender<Envelope<T>> {
        match &self.side {
            None => &self.line.sender,
            Some(side) => match side.lane_of(job) {
                Lane::Sync => &self.line.sender,
                Lane::Async => &side.line.sender,
            },
        }
    }

    /// Sends a job that the gate holds a place for. Waits for a peer in mid-step at most. The job comes back after the end.
    pub(super) fn send(&self, envelope: Envelope<T>) -> Result<(), Envelope<T>> {
        self.sender(&envelope.job).send(envelope).map_err(|error| error.into_inner())
    }

    /// As [`send`](Self::send), for a job that has just been let in.
    #[inline]
    pub(super) fn enter(&self, envelope: Envelope<T>) -> Result<(), Envelope<T>> {
        self.sender(&envelope.job).try_send(envelope).map_err(|error| match error {
            // A line has as many places as the gate has, and a job leaves the line before it leaves the gate.
            TrySendError::Full(_) => unreachable!("a job that was let in has its place"),
            TrySendError::Closed(envelope) => envelope,
        })
    }

    /// As [`enter`](Self::enter), for many. Returns those that come after the end.
    pub(super) fn enter_many(&self, batch: VecDeque<Envelope<T>>) -> Result<(), VecDeque<Envelope<T>>> {
        if self.side.is_none() {
            return self.line.sender.send_many(batch).map_err(|error| error.into_inner());
        }
        let late: VecDeque<_> = batch.into_iter().filter_map(|envelope| self.enter(envelope).err()).collect();
        if late.is_empty() { Ok(()) } else { Err(late) }
    }

    /// Takes the job that has been ready longest: of two lines, from the longer one.
    pub(super) fn pop_oldest(&self) -> Option<Envelope<T>> {
        let (line, side) = (self.of(Lane::Sync), self.of(Lane::Async));
        let (long, short) = if side.len() > line.len() { (side, line) } else { (line, side) };
        long.try_recv().or_else(|_| short.try_recv()).ok()
    }

    /// Returns how many there are: a snapshot.
    pub(super) fn len(&self) -> usize {
        self.line.receiver.len() + self.side.as_ref().map_or(0, |side| side.line.receiver.len())
    }

    /// Returns true once no more jobs are taken in.
    #[cfg(feature = "tokio")]
    pub(super) fn is_closed(&self) -> bool {
        self.line.sender.is_closed()
    }

    fn lines(&self) -> impl Iterator<Item = &Line<T>> {
        std::iter::once(&self.line).chain(self.side.as_ref().map(|side| &side.line))
    }

    /// Takes no more jobs in.
    pub(super) fn close(&self) {
        self.lines().for_each(|line| {
            let _first = line.sender.close();
        });
    }

    /// Takes the jobs out that are left after the end, beside the workers who do the same.
    pub(super) fn drain(&self, take: impl Fn(Envelope<T>)) {
        for line in self.lines() {
            while let Ok(envelope) = line.receiver.recv() {
                take(envelope);
            }
        }
    }
}

impl<T> Side<T> {
    fn lane_of(&self, job: &T) -> Lane {
        catch_unwind(AssertUnwindSafe(|| (self.route)(job))).unwrap_or_else(|payload| {
            tracing::error!(target: "millpond", "the function that chooses a job's lane panicked: the job is taken for sync");
            discard(payload);
            Lane::Sync
        })
    }
}
