//! What a model run leaves behind, kept where loom does not look.
//!
//! Loom runs all threads of a model as coroutines of the one operating-system thread that called it, so a plain
//! `thread_local!` is shared by the threads of a model and by no other test. Recording adds no step that loom would explore.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;

#[derive(Default)]
struct Recorder {
    /// Outcomes seen in any execution since `begin_model`.
    seen: BTreeSet<&'static str>,
    /// Which execution is running.
    execution: String,
    /// What happened in it, oldest first.
    notes: Vec<(String, Cow<'static, str>)>,
}

thread_local! {
    static RECORDER: RefCell<Recorder> = RefCell::default();
}

/// Records that the running execution showed the outcome `name`, which its model must have declared.
pub(crate) fn witness(name: &'static str) {
    RECORDER.with_borrow_mut(|recorder| recorder.seen.insert(name));
    note(name);
}

/// Adds a line to the trace of the running execution, which is printed if the execution fails.
pub(crate) fn note(what: impl Into<Cow<'static, str>>) {
    let thread = loom::thread::current().name().unwrap_or("main").to_owned();
    RECORDER.with_borrow_mut(|recorder| recorder.notes.push((thread, what.into())));
}

/// Forgets the trace: an execution begins.
pub(super) fn begin_execution(name: String) {
    RECORDER.with_borrow_mut(|recorder| {
        recorder.execution = name;
        recorder.notes.clear();
    });
}

/// The outcomes seen so far.
pub(super) fn seen() -> BTreeSet<&'static str> {
    RECORDER.with_borrow(|recorder| recorder.seen.clone())
}

/// Describes the running execution: which it is, why it failed, and its trace, one line a step.
pub(super) fn describe_failure(reason: &str) -> String {
    RECORDER.with(|recorder| match recorder.try_borrow() {
        Err(_) => reason.to_owned(),
        Ok(recorder) => {
            let mut text = format!("{}: {reason}\n", recorder.execution);
            for (thread, what) in &recorder.notes {
                text.push_str(&format!("  {thread}: {what}\n"));
            }
            text
        }
    })
}
