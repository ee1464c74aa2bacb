//! Broadcast channels: each message goes to every subscriber. Blocking and async ends mix freely on one channel.
//!
//! The publisher never knows who listens. What it does about a subscriber that is slow is chosen when the channel is made:
//!
//! | | a subscriber `capacity` messages behind | the publisher |
//! |---|---|---|
//! | [`lossless`] | holds the publishers up (backpressure) | [`publish`](Publisher::publish) waits, [`try_publish`](Publisher::try_publish) refuses |
//! | [`lossless_evicting`] | holds them up for a while, then is thrown out: [`RecvError::Evicted`] | waits for that long at most |
//! | [`lossy`] | misses messages, is told how many, and goes on: [`RecvError::Lagged`] | never waits for a subscriber |
//!
//! All the rest is the same: one [`Publisher`] type and one [`Subscriber`] type.
//!
//! *What is kept.* The last `capacity` messages, whether anybody has received them or not. A subscriber sees what is
//! published after [`Publisher::subscribe`] returned; or starts further back, with a message that is still kept
//! ([`Publisher::subscribe_oldest`], [`Publisher::subscribe_from`]). Messages are numbered from 0.
//!
//! *No subscribers.* Publishing succeeds: nobody holds it up, and the message is kept for those who come later. The channel
//! stays open when the last subscriber goes.
//!
//! *Closed*, by [`Publisher::close`] or because the last publisher is gone: nothing is published any more; subscribers, also
//! those that come later, receive what is left, then [`RecvError::Closed`] for ever.
//!
//! *Order.* All subscribers see the messages in one order, and those of one publisher in the order in which it published
//! them. A subscriber sees every message from its first on, but for those that it is told it has missed: at any time
//! [`received`](Subscriber::received) + [`lagged`](Subscriber::lagged) + those to come are all that was published since.
//!
//! *Memory.* The slots are allocated when the channel is made: `capacity` rounded up to a power of two for [`lossless`], and
//! for the others the next power of two above 1 1/4 of it. A message stays in its slot until another one takes the slot; so a
//! few more than `capacity` are alive at a time. A subscriber allocates a cache line or two, used again when it is gone. Beyond
//! that only a subscriber that is reading a message while it is passed by costs memory: one message each. Waiting
//! allocates nothing.
//!
//! *Progress.* Receiving is a few loads and a store to a cache line of the subscriber's own; publishing one atomic
//! read-modify-write. Publishers take a lock once in many messages, when they have used up the room that they last counted. A
//! publisher that is suspended in the few instructions between claiming a place and filling it keeps all subscribers from
//! going on, and other publishers one lap later. A suspended *subscriber* of a lossy channel holds nobody up while it receives or
//! sleeps; only in the few instructions in which it enters or leaves the list of those who sleep, a publisher that comes to wake
//! somebody waits for it.
//!
//! *The first channel of a process* is best made before there are several threads: on Linux it then takes microseconds to ask
//! the system for the fences that cost receivers nothing (`membarrier`), and later 10 to 25 ms, once.
//!
//! The lossless log follows the LMAX Disruptor (a gating cursor for each reader, a limit that writers cache); the lossy one
//! protects what is being read by hazard pointers (Michael, 2004). The head of `log` has the protocol and the argument.
//!
//! ```
//! use millpond::broadcast;
//!
//! let (publisher, mut first) = broadcast::lossless(16);
//! let mut second = publisher.subscribe();
//! let reader = std::thread::spawn(move || second.iter().map(|n| n.unwrap()).sum::<u32>());
//! for n in 1..=100 {
//!     publisher.publish(n)?; // waits while 16 messages wait for one of them
//!     assert_eq!(first.recv(), Ok(n));
//! }
//! drop(publisher); // closes: subscribers receive what is left
//! assert_eq!(reader.join().unwrap(), 5050);
//! # Ok::<(), broadcast::PublishError<u32>>(())
//! ```

mod error;
mod future;
mod guard;
mod iter;
mod log;
mod publisher;
mod shared;
mod source;
#[cfg(feature = "stream")]
mod stream;
mod subscriber;
#[cfg(all(test, not(millpond_loom)))]
mod tests;
mod waits;

pub use error::{
    PublishError, PublishTimeoutError, RecvError, RecvTimeoutError, TryPublishError, TryRecvError,
};
pub use future::{PublishFuture, RecvFuture, RecvManyFuture};
pub use guard::MessageRef;
pub use iter::{IntoIter, Iter, TryIter};
pub use publisher::Publisher;
#[cfg(feature = "stream")]
pub use stream::SubscriberStream;
pub use subscriber::Subscriber;

use crate::sync::Arc;
use log::{Log, Policy};
use std::time::Duration;

/// Makes a channel in which every subscriber receives every message: the slowest one holds the publishers up.
///
/// A subscriber that is kept but does not receive stops the publishers once it is `capacity` messages behind. Drop the
/// subscriber returned here if all yours come from [`Publisher::subscribe`].
///
/// # Panics
/// If `capacity` is 0, or the memory for it cannot be addressed or allocated.
///
/// # Examples
/// ```
/// use millpond::broadcast::{self, TryPublishError};
///
/// let (publisher, mut subscriber) = broadcast::lossless(2);
/// publisher.publish("one")?;
/// publisher.publish("two")?;
/// assert_eq!(publisher.try_publish("three"), Err(TryPublishError::Full("three")));
/// assert_eq!(subscriber.recv(), Ok("one"));
/// assert!(publisher.try_publish("three").is_ok());
/// # Ok::<(), broadcast::PublishError<&str>>(())
/// ```
#[must_use]
pub fn lossless<T>(capacity: usize) -> (Publisher<T>, Subscriber<T>) {
    with_log(Log::new(capacity, Policy::Gate, 0))
}

/// Makes a lossless channel that throws out a subscriber that has held the publishers up for longer than `patience`.
///
/// So one consumer that is dead cannot stop a system. The time counts from the moment at which a publisher is first
/// refused because of the subscriber's oldest message, to the next attempt after `patience`: by a publisher that waits (it
/// looks again in time), or one that tries. Receiving a single message starts it anew. The subscriber then gets
/// [`RecvError::Evicted`], whatever it has not received, and holds nobody up any more; one that is just reading by reference
/// ([`Subscriber::recv_ref`]) keeps its message until the guard is dropped. Others are not affected.
///
/// A task that waits in [`Publisher::publish_async`] is woken in time by a thread that is started then and sleeps until the
/// time has come: no runtime is needed. Receiving costs one fence more than with [`lossless`].
///
/// # Panics
/// If `capacity` is 0, or the memory for it cannot be addressed or allocated.
///
/// # Examples
/// ```
/// use millpond::broadcast::{self, RecvError};
/// use std::time::Duration;
///
/// let (publisher, mut slow) = broadcast::lossless_evicting(1, Duration::from_millis(5));
/// let mut quick = publisher.subscribe();
/// publisher.publish(1)?;
/// assert_eq!(quick.recv(), Ok(1));
/// publisher.publish(2)?; // waits for `slow`, but not for ever
/// assert_eq!(quick.recv(), Ok(2));
/// assert_eq!(slow.recv(), Err(RecvError::Evicted));
/// # Ok::<(), broadcast::PublishError<i32>>(())
/// ```
#[must_use]
pub fn lossless_evicting<T>(capacity: usize, patience: Duration) -> (Publisher<T>, Subscriber<T>) {
    with_log(Log::new(capacity, Policy::GateFor(patience), 0))
}

/// Makes a channel whose publishers never wait for a subscriber: one that falls behind misses messages.
///
/// A subscriber that is more than `capacity` messages behind is told how many it has missed, exactly
/// ([`RecvError::Lagged`]), and goes on with the oldest message that is kept. What was kept at that moment it receives as
/// long as it is there, even if the publishers meanwhile run ahead by more than `capacity` again.
///
/// # Panics
/// If `capacity` is 0, or the memory for it cannot be addressed or allocated.
///
/// # Examples
/// ```
/// use millpond::broadcast::{self, RecvError};
///
/// let (publisher, mut subscriber) = broadcast::lossy(2);
/// for n in 0..5 {
///     publisher.publish(n)?;
/// }
/// assert_eq!(subscriber.recv(), Err(RecvError::Lagged(3)));
/// assert_eq!(subscriber.recv(), Ok(3));
/// assert_eq!(subscriber.recv(), Ok(4));
/// # Ok::<(), broadcast::PublishError<i32>>(())
/// ```
#[must_use]
pub fn lossy<T>(capacity: usize) -> (Publisher<T>, Subscriber<T>) {
    with_log(Log::new(capacity, Policy::Overwrite, 0))
}

/// The kinds of channel, for those who test all of them.
#[cfg(any(test, millpond_model))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// As [`lossless`].
    Lossless,
    /// As [`lossless_evicting`], with no patience at all.
    Evicting,
    /// As [`lossy`].
    Lossy,
}

/// Makes a channel whose positions wrap around after `messages` messages.
#[cfg(any(test, millpond_model))]
#[must_use]
pub fn near_wrap_around<T>(kind: Kind, capacity: usize, messages: u64) -> (Publisher<T>, Subscriber<T>) {
    let policy = match kind {
        Kind::Lossless => Policy::Gate,
        Kind::Evicting => Policy::GateFor(Duration::ZERO),
        Kind::Lossy => Policy::Overwrite,
    };
    with_log(Log::new(capacity, policy, 0u64.wrapping_sub(messages)))
}

fn with_log<T>(log: Log<T>) -> (Publisher<T>, Subscriber<T>) {
    let publisher = Publisher::new(Arc::new(log));
    let subscriber = publisher.subscribe();
    (publisher, subscriber)
}
