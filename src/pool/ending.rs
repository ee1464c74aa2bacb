//! How far the end of a pool is: who brings it about, and who waits for it.
//!
//! Whoever comes first does the work, in his own thread or in one that is started for it, and gets the report. Others may come
//! meanwhile: they can hurry him, and wait for him. The report of a task that was dropped while it waited stays here, for the next
//! who asks.

use super::crew::Crew;
use super::shutdown::{self, ShutdownReport};
use crate::channel::mpmc::{Receiver, Sender, bounded};
use crate::queue::Queue;
use crate::sync::{Arc, Mutex, Weak, thread};
use std::convert::Infallible;
use std::time::{Duration, Instant};

/// The end of a pool, or what is left until then.
pub(super) struct Ending<T>(Mutex<Stage<T>>);

enum Stage<T> {
    /// Nobody has asked for it.
    Open(Crew),
    /// Somebody is at it.
    UnderWay(Arc<Limit>, Latecomer<T>),
    /// The report was given out.
    Over,
}

/// Until when a shutdown waits for the jobs: none is for ever.
pub(super) struct Limit(Mutex<Option<Instant>>);

/// Held by the one who is to get the report.
struct Owner;

/// A shutdown that has begun and is to be done.
struct Task<T> {
    queue: Arc<Queue<T>>,
    crew: Crew,
    grant: Duration,
    limit: Arc<Limit>,
}

/// What somebody needs who comes while another is at it.
struct Latecomer<T> {
    /// Closed when it is done.
    done: Receiver<Infallible>,
    report: Receiver<ShutdownReport<T>>,
    owner: Weak<Owner>,
}

/// Where a report goes.
struct Out<T> {
    /// Dropped first: then the report is closed.
    to: Sender<ShutdownReport<T>>,
    /// Dropped last: whoever waits for the end finds the report there.
    _doing: Sender<Infallible>,
}

/// A shutdown for whoever was the first to ask.
struct Begun<T> {
    task: Task<T>,
    out: Out<T>,
    report: Receiver<ShutdownReport<T>>,
    owner: Arc<Owner>,
}

/// What somebody who asks for the end finds.
enum Found<T> {
    Begun(Begun<T>),
    UnderWay(Latecomer<T>),
    Over,
}

impl Limit {
    pub(super) fn get(&self) -> Option<Instant> {
        *self.0.lock()
    }

    /// Brings the limit forward, if this is earlier.
    fn hurry(&self, by: Option<Instant>) {
        let mut limit = self.0.lock();
        *limit = [*limit, by].into_iter().flatten().min();
    }
}

impl<T> Task<T> {
    fn run(self) -> ShutdownReport<T> {
        shutdown::run(&self.queue, &self.crew, self.grant, &self.limit)
    }
}

impl<T> Clone for Latecomer<T> {
    fn clone(&self) -> Self {
        let (done, report) = (self.done.clone(), self.report.clone());
        Self { done, report, owner: Weak::clone(&self.owner) }
    }
}

impl<T> Latecomer<T> {
    /// Returns the report, now that it is there, if nobody else is to get it.
    fn inherit(&self) -> Option<ShutdownReport<T>> {
        if self.owner.strong_count() > 0 { None } else { self.report.try_recv().ok() }
    }
}

impl<T> Ending<T> {
    pub(super) fn new(crew: Crew) -> Self {
        Self(Mutex::new(Stage::Open(crew)))
    }

    fn ask(&self, queue: &Arc<Queue<T>>, grant: Duration) -> Found<T> {
        let until = Instant::now().checked_add(grant);
        let mut stage = self.0.lock();
        match &*stage {
            Stage::Open(crew) => {
                let limit = Arc::new(Limit(Mutex::new(until)));
                let ((doing, done), (to, report)) = (bounded(1), bounded(1));
                let owner = Arc::new(Owner);
                let (queue, crew) = (Arc::clone(queue), crew.clone());
                let task = Task { queue, crew, grant, limit: Arc::clone(&limit) };
                let latecomer = Latecomer { done, report: report.clone(), owner: Arc::downgrade(&owner) };
                *stage = Stage::UnderWay(limit, latecomer);
                Found::Begun(Begun { task, out: Out { to, _doing: doing }, report, owner })
            }
            Stage::UnderWay(limit, latecomer) => {
                let (limit, latecomer) = (Arc::clone(limit), latecomer.clone());
                drop(stage);
                limit.hurry(until);
                queue.nudge();
                Found::UnderWay(latecomer)
            }
            Stage::Over => Found::Over,
        }
    }

    /// Gives a report out, if there is one for this caller. The others get an empty one.
    fn give_out(&self, report: Option<ShutdownReport<T>>) -> ShutdownReport<T> {
        if report.is_some() {
            let stage = std::mem::replace(&mut *self.0.lock(), Stage::Over);
            drop(stage);
        }
        report.unwrap_or_default()
    }

    /// Brings the end about, or waits for whoever does.
    pub(super) fn wait(&self, queue: &Arc<Queue<T>>, grant: Duration) -> ShutdownReport<T> {
        match self.ask(queue, grant) {
            Found::Begun(begun) => {
                let Begun { task, out: _out, owner: _owner, .. } = begun;
                self.give_out(Some(task.run()))
            }
            Found::UnderWay(latecomer) => {
                let _closed = latecomer.done.recv();
                self.give_out(latecomer.inherit())
            }
            Found::Over => ShutdownReport::default(),
        }
    }
}

impl<T: Send + 'static> Ending<T> {
    /// As [`wait`](Self::wait), in a task. The work is done in a thread of its own.
    pub(super) async fn wait_async(&self, queue: &Arc<Queue<T>>, grant: Duration) -> ShutdownReport<T> {
        match self.ask(queue, grant) {
            Found::Begun(Begun { task, out, report, owner }) => {
                let _owner = owner;
                start(task, out);
                self.give_out(report.recv_async().await.ok())
            }
            Found::UnderWay(latecomer) => {
                let _closed = latecomer.done.recv_async().await;
                self.give_out(latecomer.inherit())
            }
            Found::Over => ShutdownReport::default(),
        }
    }
}

/// Runs a task in a thread of its own, or in this one if the system refuses another.
fn start<T: Send + 'static>(task: Task<T>, out: Out<T>) {
    let name = format!("{}-end", task.queue.name());
    let work = Arc::new(Mutex::new(Some((task, out))));
    let theirs = Arc::clone(&work);
    if thread::Builder::new().name(name).spawn(move || run_once(&theirs)).is_err() {
        run_once(&work);
    }
}

fn run_once<T>(work: &Mutex<Option<(Task<T>, Out<T>)>>) {
    let taken = work.lock().take();
    if let Some((task, out)) = taken {
        // There is a place for it, and a pool that receives it, or that is gone with all who could ask for it.
        drop(out.to.try_send(task.run()));
    }
}
