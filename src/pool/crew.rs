//! The threads of a pool: hiring them, also later, and seeing them end.

use super::latch::{Latch, Running};
use crate::queue::Stuck;
use crate::retry::discard;
use crate::sync::{Arc, Mutex, thread};
use std::io;
use std::task::Waker;
use std::time::Instant;

/// The threads that were started and not joined yet.
#[derive(Clone)]
pub(super) struct Crew {
    threads: Arc<Mutex<Vec<Member>>>,
    latch: Arc<Latch>,
    /// Of executors, which are to look around when all work is ended.
    wakers: Arc<Mutex<Vec<Waker>>>,
}

struct Member {
    /// Its number at the latch.
    number: usize,
    thread: thread::JoinHandle<()>,
}

impl Crew {
    pub(super) fn new() -> Self {
        let (threads, wakers) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        Self { threads, latch: Latch::new(), wakers }
    }

    /// Has `waker` woken when all work is ended. It is one of ours, not the user's.
    pub(super) fn notify(&self, waker: Waker) {
        self.wakers.lock().push(waker);
    }

    /// Says that all work is ended.
    pub(super) fn announce_end(&self) {
        self.wakers.lock().iter().for_each(Waker::wake_by_ref);
    }

    /// Counts a task that is about to start, in a thread that is not ours. What is returned is to be dropped last of all in it.
    #[cfg(feature = "tokio")]
    pub(super) fn enter(&self) -> Running {
        self.latch.enter()
    }

    /// Starts a thread. What `run` is given is to be dropped last of all: then the thread is known to have ended.
    pub(super) fn start(&self, name: String, run: impl FnOnce(Running) + Send + 'static) -> io::Result<()> {
        let running = self.latch.enter();
        let number = running.number();
        let thread = thread::Builder::new().name(name).spawn(move || run(running))?;
        self.threads.lock().push(Member { number, thread });
        Ok(())
    }

    /// Waits until all threads have ended but `left`, and joins those that have.
    pub(super) fn end(&self, left: usize, deadline: Instant) {
        let running = self.latch.wait(left, deadline);
        let members = std::mem::take(&mut *self.threads.lock());
        let (run, ended): (Vec<_>, Vec<_>) =
            members.into_iter().partition(|member| running.get(member.number).copied().unwrap_or(true));
        for member in ended {
            // A thread that panicked has ended as well. What it held is accounted for by the seats.
            drop(member.thread.join());
        }
        self.threads.lock().extend(run);
    }

    /// Returns how many threads run.
    pub(super) fn running(&self) -> usize {
        self.latch.running()
    }
}

/// Hires workers, who all do the same.
pub(super) struct Hirer {
    name: Arc<str>,
    /// What a worker does, given its number, until its queue is closed. Owns the handler.
    work: Arc<dyn Fn(usize) + Send + Sync>,
    crew: Crew,
    /// The number of the next worker.
    hired: Mutex<usize>,
}

impl Hirer {
    /// `first` is the number of the first worker.
    pub(super) fn new(
        name: Arc<str>,
        crew: Crew,
        first: usize,
        work: Arc<dyn Fn(usize) + Send + Sync>,
    ) -> Self {
        Self { name, work, crew, hired: Mutex::new(first) }
    }

    /// Starts a worker.
    pub(super) fn hire(&self) -> io::Result<()> {
        let mut hired = self.hired.lock();
        let worker = *hired;
        let work = Arc::clone(&self.work);
        self.crew.start(format!("{}-{worker}", self.name), move |running| {
            work(worker);
            // The last one drops the handler, which is user code, before it is known to have ended.
            discard(work);
            drop(running);
        })?;
        *hired += 1;
        Ok(())
    }

    /// Starts a worker in the place of one that is stuck.
    pub(super) fn replace(&self, stuck: Stuck) {
        let (queue, worker, id) = (&*self.name, stuck.worker, stuck.job.get());
        match self.hire() {
            Ok(()) => {
                tracing::warn!(target: "millpond", queue, worker, id, "a stuck worker was replaced");
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(target: "millpond", queue, worker, id, error, "a stuck worker could not be replaced");
            }
        }
    }
}
