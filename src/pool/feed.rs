//! Topics that feed work queues: publishers submit the jobs themselves, without a thread between.
//!
//! A queue's gate is asked for a place before the event is put anywhere (see [`crate::topic`]), and the job enters with the
//! number that the gate gave it. From there on the queue is on its own: its workers, retries and dead letters touch neither
//! the topic nor any other subscription. Only a queue that is *full* is felt outside, and only by the feed's choice.

use super::handle::Handle;
use crate::gate::Gate;
use crate::queue::{NoPlace, Queue};
use crate::retry::discard;
use crate::sync::Arc;
use crate::topic::{Event, Feed, Inlet, Put, Reserved, Subscribe, SubscribeError, Topic};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a full queue does to the publisher of an event for it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WhenFull {
    Wait,
    Drop,
}

/// A queue as the inlet of a subscription. `make` turns events into jobs.
struct QueueInlet<J, F> {
    queue: Arc<Queue<J>>,
    make: F,
    when_full: WhenFull,
}

impl<T, J, F> Inlet<T> for QueueInlet<J, F>
where
    J: Send,
    F: Fn(Event<T>) -> J + Send + Sync,
{
    fn reserve(&self, count: usize) -> Reserved {
        match self.queue.reserve(count) {
            Ok(place) => Reserved::Place(place),
            Err(NoPlace::Later) if self.when_full == WhenFull::Wait => Reserved::Full,
            Err(NoPlace::Later | NoPlace::Refused) => Reserved::Drop,
            Err(NoPlace::Closed) => Reserved::Gone,
        }
    }

    fn put(&self, place: u64, event: Event<T>) -> Put {
        match catch_unwind(AssertUnwindSafe(|| (self.make)(event))) {
            Ok(job) => match self.queue.enter_place(place, job) {
                Ok(_) => Put::Reached,
                Err(_) => Put::Gone,
            },
            Err(payload) => {
                self.queue.turn_back(1);
                discard(payload);
                Put::Panicked
            }
        }
    }

    fn give_back(&self, _: u64) {
        self.queue.turn_back(1);
    }

    fn gate(&self) -> Option<&Gate> {
        (self.when_full == WhenFull::Wait).then(|| self.queue.gate())
    }

    /// The topics end, the queue goes on: others may submit to it.
    fn close(&self) {}
}

impl<T: Send + 'static> Subscribe<T> {
    /// Subscribes a work queue: each event becomes a job, with the queue's own workers, retries and dead letters. While the
    /// queue is full, publishers wait, unless its [`Overflow`](crate::Overflow) policy says otherwise.
    ///
    /// The publisher submits the job itself: there is no thread between. The jobs of one publisher are submitted in the order
    /// in which it published them. Several subscriptions may feed one queue; an event that several of them match becomes a job
    /// for each. The queue needs a capacity of as many at least: an event for which it can never have room is refused with `Full`.
    ///
    /// # Errors
    /// [`SubscribeError`] if the registry is closed, or there are too many subscriptions.
    ///
    /// # Examples
    /// ```
    /// use millpond::{Context, Pool, topic::Topics};
    /// use std::time::Duration;
    ///
    /// let pool = Pool::builder().name("audit").start(|line: &String, _: &Context| println!("{line}"))?;
    /// let topics = Topics::<String>::new();
    /// let _feed = topics.subscribe("user.#")?.filter(|line| !line.is_empty()).to_queue(&pool.handle())?;
    /// topics.topic("user.signed_up")?.publish("alice".to_owned())?;
    /// assert_eq!(pool.shutdown(Duration::from_secs(10)).done, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_queue(self, queue: &Handle<T>) -> Result<Feed<T>, SubscribeError> {
        self.to_queue_with(queue, Event::into_value)
    }

    /// As [`to_queue`](Self::to_queue), but while the queue is full, events are dropped for it, and counted: publishers never
    /// wait.
    ///
    /// # Errors
    /// As [`to_queue`](Self::to_queue).
    pub fn to_queue_lossy(self, queue: &Handle<T>) -> Result<Feed<T>, SubscribeError> {
        self.to_queue_lossy_with(queue, Event::into_value)
    }

    /// As [`to_queue`](Self::to_queue), for a queue whose jobs are not the events themselves: `make` turns one into the other.
    ///
    /// It is called by publishers, on their threads, and never under a lock. If it panics, the event does not get into this
    /// queue, and is counted; nobody else notices.
    ///
    /// # Errors
    /// As [`to_queue`](Self::to_queue).
    ///
    /// # Examples
    /// ```
    /// use millpond::{Context, Pool, topic::Topics};
    ///
    /// struct Mail {
    ///     to: String,
    ///     about: String,
    /// }
    ///
    /// let mail = Pool::builder().start(|mail: &Mail, _: &Context| println!("{}: {}", mail.to, mail.about))?;
    /// let topics = Topics::<String>::new();
    /// let _feed = topics.subscribe("user.*")?.to_queue_with(&mail.handle(), |event| Mail {
    ///     about: event.topic().to_string(),
    ///     to: event.into_value(),
    /// })?;
    /// topics.topic("user.signed_up")?.publish("alice".to_owned())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_queue_with<J: Send + 'static>(
        self,
        queue: &Handle<J>,
        make: impl Fn(Event<T>) -> J + Send + Sync + 'static,
    ) -> Result<Feed<T>, SubscribeError> {
        self.into_queue(queue, make, WhenFull::Wait)
    }

    /// As [`to_queue_with`](Self::to_queue_with), but while the queue is full, events are dropped for it, and counted.
    ///
    /// # Errors
    /// As [`to_queue`](Self::to_queue).
    pub fn to_queue_lossy_with<J: Send + 'static>(
        self,
        queue: &Handle<J>,
        make: impl Fn(Event<T>) -> J + Send + Sync + 'static,
    ) -> Result<Feed<T>, SubscribeError> {
        self.into_queue(queue, make, WhenFull::Drop)
    }

    fn into_queue<J: Send + 'static>(
        self,
        handle: &Handle<J>,
        make: impl Fn(Event<T>) -> J + Send + Sync + 'static,
        when_full: WhenFull,
    ) -> Result<Feed<T>, SubscribeError> {
        let queue = Arc::clone(handle.queue());
        self.feed(handle.name(), Box::new(QueueInlet { queue, make, when_full }))
    }
}

impl<T: Send + 'static> Topic<T> {
    /// Subscribes a work queue to this topic alone: as [`Subscribe::to_queue`]. While the queue is full, publishers wait.
    ///
    /// # Errors
    /// As [`Subscribe::to_queue`].
    pub fn to_queue(&self, queue: &Handle<T>) -> Result<Feed<T>, SubscribeError> {
        self.subscribe().to_queue(queue)
    }

    /// Subscribes a work queue to this topic alone: as [`Subscribe::to_queue_lossy`]. While the queue is full, events are
    /// dropped for it, and counted.
    ///
    /// # Errors
    /// As [`Subscribe::to_queue`].
    pub fn to_queue_lossy(&self, queue: &Handle<T>) -> Result<Feed<T>, SubscribeError> {
        self.subscribe().to_queue_lossy(queue)
    }
}
