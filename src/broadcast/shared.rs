//! What the handles of one channel do with its log: here moving on is joined with waking the other side.

#![forbid(unsafe_code)]

use super::log::{Log, Published, Refusal, Refused};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

impl<T> Log<T> {
    /// Publishes a message, wakes the subscribers that wait, and drops what the message has displaced. Returns its number.
    #[inline(always)]
    pub(super) fn send(&self, message: T) -> Result<u64, Refused<T>> {
        self.send_at_once(message).or_else(|message| self.send_slowly(message))
    }

    /// As [`send`](Self::send), but gives the message back if anything stands in the way.
    #[inline(always)]
    pub(super) fn send_at_once(&self, message: T) -> Result<u64, T> {
        self.publish_at_once(message).map(|published| self.finish(published))
    }

    #[cold]
    fn send_slowly(&self, message: T) -> Result<u64, Refused<T>> {
        let mut message = message;
        loop {
            match self.publish(message) {
                Ok((published, rescued)) => {
                    let sequence = self.finish(published);
                    drop(rescued);
                    return Ok(sequence);
                }
                Err(Refused { message: refused, why: Refusal::Evicted }) => message = refused,
                Err(refused) => return Err(refused),
            }
            self.waits.wake_publishers();
        }
    }

    #[inline(always)]
    fn finish(&self, published: Published<T>) -> u64 {
        if published.subscribers_wait {
            self.wake_subscribers();
        }
        drop(published.over);
        published.sequence
    }

    /// Closes the log and wakes everybody. Returns whether this call did it.
    pub(super) fn shut(&self) -> bool {
        let closed = self.close();
        if closed {
            // A waker may panic; the other side is woken all the same.
            let woken = catch_unwind(AssertUnwindSafe(|| self.wake_subscribers()));
            self.waits.wake_publishers();
            woken.unwrap_or_else(|payload| resume_unwind(payload));
        }
        closed
    }

    #[cold]
    fn wake_subscribers(&self) {
        self.waits.subscribers.notify_all(|| self.clear_subscribers_wait());
    }
}
