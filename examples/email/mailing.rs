//! The pool at work: this is the part of the example that is about millpond.
//!
//! A job is a [`Recipient`], a few words; the message is rendered by the worker that sends it, so that there are never
//! more messages in memory than workers. The handler borrows the job and says what became of it: done, to be tried again
//! (the pool's policy knows when, and when to give up), or dead.
//!
//! * *Full*: [`Pool::submit`] blocks, so the list is taken at the speed of the server. A mail that waits for its next
//!   attempt counts: a server that answers 4xx to everything slows the submitting down instead of growing a backlog.
//! * *Retries* wait in the pool's schedule; no worker sleeps for them.
//! * *Timeout*: the pool's own job timeout is a signal for handlers that can look at it. This one is inside a socket call
//!   nearly all the time, so the limit is set on the socket instead, where it is effective. It limits each operation of
//!   the conversation, not the sum.

use std::time::Duration;

use millpond::{BuildError, Context, DeadFull, DeadLetter, Outcome, Pool, RetryPolicy};

use crate::letter::LetterWriter;
use crate::recipients::Recipient;
use crate::transport::{DeliveryError, Transport};

/// The end is bounded by other limits: the policy's attempts and pauses, and the socket's timeout.
const AS_LONG_AS_IT_TAKES: Duration = Duration::MAX;

/// How the pool works.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Mails in progress at once.
    pub(crate) workers: usize,
    /// Mails submitted and not settled at once.
    pub(crate) capacity: usize,
    /// When to try again, and how often.
    pub(crate) retry: RetryPolicy,
}

/// What became of the recipients.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    /// Mails that were delivered.
    pub(crate) sent: u64,
    /// Attempts after a first one.
    pub(crate) retried: u64,
    /// Mails that were given up, in the order of the list.
    pub(crate) dead: Vec<Dead>,
}

/// A mail that was given up.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Dead {
    /// Where the recipient's row starts in the list, from 1.
    pub(crate) line: u64,
    /// The recipient's address.
    pub(crate) address: String,
    /// How often it was tried.
    pub(crate) attempts: u32,
    /// What the last attempt ended with.
    pub(crate) reason: String,
}

/// Starts the workers, which then wait for recipients.
///
/// # Errors
///
/// When the pool cannot be started.
pub(crate) fn start(
    settings: &Settings,
    recipients: usize,
    writer: LetterWriter,
    transport: Transport,
) -> Result<Pool<Recipient>, BuildError> {
    Pool::builder()
        .name("mail")
        .workers(settings.workers)
        .capacity(settings.capacity)
        .retry(settings.retry.clone())
        // Room for everybody: no reason is lost, whatever the server does.
        .dead_letters(recipients.max(1), DeadFull::DropOldest)
        .start(move |recipient: &Recipient, context: &Context| {
            attempt(recipient, context, &writer, &transport)
        })
}

/// One attempt to write to one recipient.
fn attempt(
    recipient: &Recipient,
    context: &Context,
    writer: &LetterWriter,
    transport: &Transport,
) -> Outcome {
    // Dated when it was submitted: a later attempt is the same letter, not a newer one.
    let message = match writer.write(recipient, context.enqueued_at()) {
        Ok(message) => message,
        Err(error) => return Outcome::dead(error),
    };
    match transport.deliver(&recipient.address, &message) {
        Ok(()) => Outcome::Done,
        Err(error @ DeliveryError::Failed(_)) => Outcome::retry(error),
        Err(error @ DeliveryError::Rejected(_)) => Outcome::dead(error),
    }
}

/// Writes to everybody, waits until each mail is delivered or dead, and closes the pool.
///
/// Blocks for as long as that takes.
pub(crate) fn send_all(pool: Pool<Recipient>, recipients: Vec<Recipient>) -> Settled {
    for recipient in recipients {
        // This is the backpressure. It can only fail when the pool is closed, which nobody does before this loop ends;
        // if it did, the mails would be missing from the sum that the program checks at its end.
        if pool.submit(recipient).is_err() {
            break;
        }
    }
    // Takes no more, and returns when every mail is settled, those that wait for another attempt included.
    let ended = pool.shutdown(AS_LONG_AS_IT_TAKES);
    debug_assert!(ended.is_drained(), "no deadline, nothing given back");
    let stats = pool.stats();
    let mut dead: Vec<Dead> = pool.dead().take_all().into_iter().map(Dead::from).collect();
    dead.sort_by_key(|dead| dead.line);
    Settled { sent: stats.done, retried: stats.retried, dead }
}

impl From<DeadLetter<Recipient>> for Dead {
    fn from(letter: DeadLetter<Recipient>) -> Self {
        let reason = letter.last_failure().map(ToString::to_string).unwrap_or_default();
        Self {
            line: letter.job.line,
            address: letter.job.address.to_string(),
            attempts: letter.attempts_total,
            reason,
        }
    }
}
