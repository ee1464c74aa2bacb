//! What the compiler promises about the pool's types. The refusals are `compile_fail` examples in the docs.

use millpond::{
    AttemptRecord, BuildError, Clock, Context, DeadFilter, DeadInfo, DeadLetter, DeadLetters, Failure,
    Handle, JobId, LetterError, Outcome, PastDeaths, Pool, PoolBuilder, Redrive, RedriveBuilder,
    RedriveError, RedriveProgress, Released, RetryPolicy, Selected, ShutdownReport, StartRedriveError, Stats,
    SubmitError, SubmitFuture, SubmitManyError, VirtualClock,
};
use std::cell::Cell;
use std::error::Error;

fn send<T: Send>() {}
fn sync<T: Sync>() {}
fn fixed<T: 'static>() {}
fn error<T: Error>() {}

/// Jobs only have to be `Send`.
type Job = Cell<u8>;

#[test]
fn handles_are_send_and_sync_for_jobs_that_are_send() {
    send::<Pool<Job>>();
    sync::<Pool<Job>>();
    send::<Handle<Job>>();
    sync::<Handle<Job>>();
    send::<DeadLetters<Job>>();
    sync::<DeadLetters<Job>>();
    send::<SubmitFuture<'_, Job>>();
    send::<DeadFilter<Job>>();
    sync::<DeadFilter<Job>>();
    send::<Selected<'_, Job>>();
    sync::<Selected<'_, Job>>();
    send::<RedriveBuilder<Job>>();
    sync::<RedriveBuilder<Job>>();
    send::<DeadLetter<Job>>();
    send::<Released<Job>>();
    send::<ShutdownReport<Job>>();
    send::<SubmitError<Job>>();
    send::<SubmitManyError<Job>>();
}

#[test]
fn plain_types_are_send_and_sync() {
    send::<PoolBuilder>();
    sync::<Context>();
    send::<Context>();
    send::<Failure>();
    sync::<Failure>();
    send::<Outcome>();
    send::<RetryPolicy>();
    sync::<RetryPolicy>();
    send::<Clock>();
    sync::<Clock>();
    sync::<VirtualClock>();
    sync::<Stats>();
    sync::<JobId>();
    sync::<DeadInfo>();
    sync::<AttemptRecord>();
    sync::<PastDeaths>();
    sync::<RedriveProgress>();
    send::<Redrive>();
    sync::<Redrive>();
    fixed::<Redrive>();
    fixed::<Handle<Job>>();
}

#[test]
fn errors_are_errors_whatever_the_job_is() {
    error::<SubmitError<Job>>();
    error::<SubmitManyError<Job>>();
    error::<RedriveError>();
    error::<millpond::RedriveAllError>();
    error::<LetterError>();
    error::<StartRedriveError>();
    error::<BuildError>();
}

#[test]
fn small_things_are_small() {
    assert_eq!(size_of::<Option<Failure>>(), 2 * size_of::<usize>());
    assert!(size_of::<Outcome>() <= 5 * size_of::<usize>());
    assert_eq!(size_of::<Handle<Job>>(), size_of::<usize>());
}
