//! The runtimes that async loads run on.

use crate::setting::Setting;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::runtime::{Builder, Runtime};

/// Worker threads of the runtime that has several.
const WORKERS: usize = 2;

/// A kind of tokio runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    /// Two worker threads.
    TwoWorkers,
    /// The thread that waits runs everything.
    CurrentThread,
}

impl Flavor {
    /// Returns the name as it stands in cells.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TwoWorkers => "mt2",
            Self::CurrentThread => "ct",
        }
    }

    /// Starts a runtime; worker `i` runs where producer `i` belongs.
    ///
    /// # Panics
    /// If the machine cannot start the threads.
    #[must_use]
    pub fn start(self, setting: &Setting) -> Runtime {
        let mut builder = match self {
            Self::TwoWorkers => Builder::new_multi_thread(),
            Self::CurrentThread => Builder::new_current_thread(),
        };
        let (placement, started) = (setting.placement, AtomicUsize::new(0));
        let pin = move || placement.producer(started.fetch_add(1, Ordering::Relaxed));
        builder.worker_threads(WORKERS).on_thread_start(pin).enable_time();
        builder.build().expect("the machine can start the workers")
    }
}
