//! A work queue without workers.

use super::builder::PoolBuilder;
use super::owner::Pool;
use crate::channel::{RecvError, RecvTimeoutError, TryRecvError};
use crate::queue::Delivery;
use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::time::{Duration, Instant};

/// A work queue for people who bring a loop of their own: they take [deliveries](Delivery) and settle them.
///
/// Policies, dead letters, leases, books and shutdown are those of a [`Pool`], to which it dereferences; only the workers
/// are missing. Share it in an `Arc`.
///
/// # Examples
/// ```
/// use millpond::{Outcome, Queue, RetryPolicy};
/// use std::time::Duration;
///
/// let queue = Queue::builder().capacity(100).retry(RetryPolicy::fixed(Duration::ZERO)).open::<u32>()?;
/// queue.submit(7)?;
///
/// let first = queue.recv()?;
/// assert_eq!((*first, first.attempt()), (7, 1));
/// first.nack(Outcome::retry("not today"))?;
///
/// let second = queue.recv()?;
/// assert_eq!((*second, second.attempt()), (7, 2));
/// second.ack()?;
/// assert!(queue.stats().balances());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping a queue shuts it down"]
pub struct Queue<T: Send + 'static> {
    pool: Pool<T>,
}

impl Queue<()> {
    /// Begins the description of a queue; [`PoolBuilder::open`] ends it.
    pub fn builder() -> PoolBuilder {
        PoolBuilder::new()
    }
}

impl<T: Send + 'static> Queue<T> {
    pub(super) fn new(pool: Pool<T>) -> Self {
        Self { pool }
    }

    /// Takes the next job that is ready, and waits for it.
    ///
    /// Jobs that are not to be run any more, because their time to live is over say, become dead letters on the way.
    ///
    /// # Errors
    /// [`RecvError`]: the queue is shut down, and there is no job left.
    ///
    /// # Blocking
    /// Spins for a moment, then parks the thread.
    pub fn recv(&self) -> Result<Delivery<T>, RecvError> {
        self.pool.queue().recv()
    }

    /// Takes the next job if one is ready. Never parks: jobs that are not to be run any more are buried, or put aside if there is no
    /// room for their letters ([`DeadFull::Block`](crate::DeadFull::Block)), and the next one is taken.
    ///
    /// # Errors
    /// [`TryRecvError::Empty`], or [`TryRecvError::Closed`] once the queue is shut down and there is no job left.
    pub fn try_recv(&self) -> Result<Delivery<T>, TryRecvError> {
        self.pool.queue().try_recv()
    }

    /// Takes the next job that is ready, and waits for it up to `timeout`, in real time.
    ///
    /// # Errors
    /// [`RecvTimeoutError::Timeout`], or [`RecvTimeoutError::Closed`] once the queue is shut down and there is no job left.
    ///
    /// # Blocking
    /// As [`recv`](Self::recv), until the time is up.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Delivery<T>, RecvTimeoutError> {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.pool.queue().recv_deadline(deadline),
            None => self.recv().map_err(|RecvError| RecvTimeoutError::Closed),
        }
    }

    /// Takes the next job that is ready, from a task. Works with any executor.
    ///
    /// *Cancel safety.* Dropped before it is ready, it has taken nothing. It parks no thread, whatever becomes of jobs that it finds dead.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_async(&self) -> impl Future<Output = Result<Delivery<T>, RecvError>> + Send + '_ {
        self.pool.queue().recv_async()
    }

    /// Takes up to `limit` jobs: waits for the first, and takes what else is ready. Each is settled by itself.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    ///
    /// # Blocking
    /// As [`recv`](Self::recv).
    pub fn recv_many(&self, limit: usize) -> Result<Vec<Delivery<T>>, RecvError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let mut deliveries = vec![self.recv()?];
        while deliveries.len() < limit {
            match self.try_recv() {
                Ok(delivery) => deliveries.push(delivery),
                Err(_) => break,
            }
        }
        Ok(deliveries)
    }
}

impl<T: Send + 'static> Deref for Queue<T> {
    type Target = Pool<T>;

    fn deref(&self) -> &Pool<T> {
        &self.pool
    }
}

impl<T: Send + 'static> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("pool", &self.pool).finish()
    }
}

// Usable after a panic was caught, whatever it was that panicked (promise 9).
impl<T: Send + 'static> std::panic::UnwindSafe for Queue<T> {}
impl<T: Send + 'static> std::panic::RefUnwindSafe for Queue<T> {}
