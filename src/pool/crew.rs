//! The threads of a pool: hiring them, also later, and seeing them end.

use super::context::Context;
use super::latch::{Latch, Running};
use super::worker::{Rules, work};
use crate::queue::engine::Engine;
use crate::retry::{IntoOutcome, discard};
use crate::sync::{Arc, Mutex, thread};
use std::io;
use std::time::Instant;

/// The threads that were started and not joined yet.
#[derive(Clone)]
pub(super) struct Crew {
    threads: Arc<Mutex<Vec<Member>>>,
    latch: Arc<Latch>,
}

struct Member {
    /// Its number at the latch.
    number: usize,
    thread: thread::JoinHandle<()>,
}

impl Crew {
    pub(super) fn new() -> Self {
        Self { threads: Arc::new(Mutex::new(Vec::new())), latch: Latch::new() }
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
pub(super) struct Hirer<E, F> {
    engine: Arc<E>,
    rules: Arc<Rules<F>>,
    crew: Crew,
    hired: Mutex<usize>,
}

impl<E, F> Hirer<E, F> {
    pub(super) fn new(engine: Arc<E>, rules: Rules<F>, crew: Crew) -> Self {
        Self { engine, rules: Arc::new(rules), crew, hired: Mutex::new(0) }
    }

    /// Starts a worker.
    pub(super) fn hire<R>(&self) -> io::Result<()>
    where
        E: Engine,
        F: Fn(&E::Job, &Context) -> R + Send + Sync + 'static,
        R: IntoOutcome,
    {
        let mut hired = self.hired.lock();
        let worker = *hired;
        let (engine, rules) = (Arc::clone(&self.engine), Arc::clone(&self.rules));
        self.crew.start(format!("{}-{worker}", engine.name()), move |running| {
            work(&*engine, &rules, worker);
            // The last one drops the handler, which is user code, and all this before it is known to have ended.
            discard(rules);
            drop(engine);
            drop(running);
        })?;
        *hired += 1;
        Ok(())
    }

    /// Starts a worker in the place of one that is stuck.
    pub(super) fn replace<R>(&self)
    where
        E: Engine,
        F: Fn(&E::Job, &Context) -> R + Send + Sync + 'static,
        R: IntoOutcome,
    {
        match self.hire() {
            Ok(()) => {
                tracing::warn!(target: "millpond", queue = &**self.engine.name(), "a stuck worker was replaced");
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(target: "millpond", error, "a stuck worker could not be replaced");
            }
        }
    }
}
