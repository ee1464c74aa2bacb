//! Runs a model on an operating-system thread of its own and turns its panic into a description.
//!
//! A panic inside loom cannot always be unwound: the thread's handles are dropped on the way, each drop is a step of a model
//! that has already ended, and a second panic would abort the process without a word about the first. The panic hook
//! therefore describes the first panic where it happens, with the trace. If a second one follows, it prints that description
//! and ends the process. So every failure is explained; one whose handles cannot be dropped (most deadlocks of a channel)
//! also ends the run, with every model that has not had its turn.

use super::recorder;
use std::cell::{Cell, RefCell};
use std::io::Write;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::process;
use std::sync::Once;
use std::thread;

/// The exit code of a failed test run.
const TEST_FAILED: i32 = 101;

/// What a panic on this thread means.
#[derive(Default)]
enum Watch {
    /// No model runs here.
    #[default]
    Off,
    /// A model runs here and has not failed.
    Running,
    /// A model has failed here; the description of the panic.
    Failed(String),
}

thread_local! {
    static WATCH: RefCell<Watch> = const { RefCell::new(Watch::Off) };
    /// Whether a panic on this thread is part of the model.
    static PANIC_WANTED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `model` to its end and returns its result, or the description of the panic that ended it.
pub(super) fn run<R: Send + 'static>(model: impl FnOnce() -> R + Send + 'static) -> Result<R, String> {
    install_hook();
    let thread = thread::spawn(move || {
        WATCH.set(Watch::Running);
        let result = panic::catch_unwind(AssertUnwindSafe(model));
        match (WATCH.take(), result) {
            (Watch::Failed(failure), _) => Err(failure),
            (_, Err(_)) => Err("a panic without text".to_owned()),
            (_, Ok(result)) => Ok(result),
        }
    });
    thread.join().expect("panics are caught inside")
}

/// Runs code of a model that is meant to panic, and returns whether it did. The code must not wait for another thread of
/// the model.
pub(crate) fn panics(code: impl FnOnce()) -> bool {
    let before = PANIC_WANTED.replace(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(code));
    PANIC_WANTED.set(before);
    outcome.is_err()
}

fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // The coroutines under loom unwind with a payload of their own to leave a finished thread.
            let is_control_flow = text(info).is_none();
            if PANIC_WANTED.get() {
                return;
            }
            match WATCH.take() {
                Watch::Off => previous(info),
                Watch::Running if is_control_flow => WATCH.set(Watch::Running),
                Watch::Running => WATCH.set(Watch::Failed(describe(info))),
                Watch::Failed(failure) if is_control_flow => WATCH.set(Watch::Failed(failure)),
                Watch::Failed(failure) => give_up(&failure),
            }
        }));
    });
}

/// Prints the failure past the capture of the test runner, and ends the process.
fn give_up(failure: &str) -> ! {
    let text = format!("\na model failed, and the run ends with it\n{failure}\n");
    // If nobody reads the message, the exit code is all that can be said.
    let _ = std::io::stderr().write_all(text.as_bytes());
    process::exit(TEST_FAILED)
}

/// The message of a panic, if it has one.
fn text<'i>(info: &'i PanicHookInfo<'_>) -> Option<&'i str> {
    let payload = info.payload();
    payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let reason = text(info).unwrap_or("a panic without text");
    let place = info.location().map_or_else(String::new, |location| format!(" ({location})"));
    recorder::describe_failure(&format!("{reason}{place}"))
}
