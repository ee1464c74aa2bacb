//! Why something was not done. Errors of a publish give the value back, and none needs `T: Debug`.

use super::entry::SubscriptionInfo;
use super::name::NameError;
use crate::broadcast;
use crate::channel;
use crate::sync::Arc;
use std::error::Error;
use std::fmt;

/// Why a value was not published, with the value. No subscription has received it.
///
/// # Examples
/// ```
/// use millpond::topic::{PublishError, Topics};
///
/// let topics = Topics::<u32>::new();
/// let _slow = topics.subscribe("user.*")?.named("audit").lossless(1)?;
/// let topic = topics.topic("user.signed_up")?;
/// topic.try_publish(1)?;
///
/// let error = topic.try_publish(2).unwrap_err();
/// assert_eq!(error.blocked_by().map(|who| who.name()), Some("audit"));
/// assert_eq!(error.into_inner(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(PartialEq, Eq)]
#[non_exhaustive]
pub enum PublishError<T> {
    /// A subscription that loses nothing has no room, and the call does not wait; or it would wait in vain, as more
    /// subscriptions feed one queue than it has room for jobs.
    Full(T, Arc<SubscriptionInfo>),
    /// The time was up before a subscription that loses nothing had room.
    Timeout(T, Arc<SubscriptionInfo>),
    /// The registry is closed: nothing will ever be published again.
    Closed(T),
}

impl<T> PublishError<T> {
    /// Returns the value.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(value, _) | Self::Timeout(value, _) | Self::Closed(value) => value,
        }
    }

    /// Returns the subscription that had no room; others may have none either. None if the registry is closed.
    pub fn blocked_by(&self) -> Option<&SubscriptionInfo> {
        match self {
            Self::Full(_, who) | Self::Timeout(_, who) => Some(who),
            Self::Closed(_) => None,
        }
    }

    /// Whether trying again later cannot help.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }
}

impl<T> fmt::Debug for PublishError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_, who) => write!(f, "Full(.., {who:?})"),
            Self::Timeout(_, who) => write!(f, "Timeout(.., {who:?})"),
            Self::Closed(_) => f.write_str("Closed(..)"),
        }
    }
}

impl<T> fmt::Display for PublishError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_, who) => write!(f, "subscription {} ({:?}) is full", who.id(), who.name()),
            Self::Timeout(_, who) => {
                write!(f, "subscription {} ({:?}) stayed full until the time was up", who.id(), who.name())
            }
            Self::Closed(_) => f.write_str(CLOSED),
        }
    }
}

impl<T> Error for PublishError<T> {}

/// Why there is no such topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TopicError {
    /// It cannot have this name.
    Name(NameError),
    /// There are as many topics as the registry may hold.
    Limit(usize),
    /// The registry is closed.
    Closed,
}

impl From<NameError> for TopicError {
    fn from(error: NameError) -> Self {
        Self::Name(error)
    }
}

impl fmt::Display for TopicError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(error) => error.fmt(f),
            Self::Limit(limit) => write!(f, "there are {limit} topics already, as many as there may be"),
            Self::Closed => f.write_str(CLOSED),
        }
    }
}

impl Error for TopicError {}

/// Why a topic was not removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RemoveError {
    /// There is none of this name.
    Unknown,
    /// Somebody holds it, and may publish to it.
    InUse,
}

impl fmt::Display for RemoveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "there is no topic of this name",
            Self::InUse => "the topic is in use",
        })
    }
}

impl Error for RemoveError {}

/// Why a subscription was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubscribeError {
    /// A mailbox without room for a single event.
    NoCapacity,
    /// There are as many subscriptions as the registry may hold.
    Limit(usize),
    /// The registry is closed.
    Closed,
}

impl fmt::Display for SubscribeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCapacity => f.write_str("a mailbox needs room for one event at least"),
            Self::Limit(limit) => {
                write!(f, "there are {limit} subscriptions already, as many as there may be")
            }
            Self::Closed => f.write_str(CLOSED),
        }
    }
}

impl Error for SubscribeError {}

/// The subscription is over: all that was published for it has been received.
const ENDED: &str = "the subscription is over";
const CLOSED: &str = "the registry of topics is closed";
const LAGGED: &str = "events were lost to a subscription that was too slow";

/// Why a receive brought no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvError {
    /// So many events were lost, since the one received before: only in a lossy subscription. The next receive goes on with
    /// the oldest that is still there.
    Lagged(u64),
    /// Nothing will come any more, and all that came has been received: it stays so.
    Closed,
}

/// Why a receive that does not wait brought no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryRecvError {
    /// There is none.
    Empty,
    /// As [`RecvError::Lagged`].
    Lagged(u64),
    /// As [`RecvError::Closed`].
    Closed,
}

/// Why a receive with a time limit brought no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvTimeoutError {
    /// There was none all the time.
    Timeout,
    /// As [`RecvError::Lagged`].
    Lagged(u64),
    /// As [`RecvError::Closed`].
    Closed,
}

fn lagged(f: &mut fmt::Formatter<'_>, count: u64) -> fmt::Result {
    write!(f, "{LAGGED}: {count}")
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Lagged(count) => lagged(f, count),
            Self::Closed => f.write_str(ENDED),
        }
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Empty => f.write_str("the subscription is empty"),
            Self::Lagged(count) => lagged(f, count),
            Self::Closed => f.write_str(ENDED),
        }
    }
}

impl fmt::Display for RecvTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Timeout => f.write_str("the time limit passed"),
            Self::Lagged(count) => lagged(f, count),
            Self::Closed => f.write_str(ENDED),
        }
    }
}

impl Error for RecvError {}
impl Error for TryRecvError {}
impl Error for RecvTimeoutError {}

impl From<channel::TryRecvError> for TryRecvError {
    fn from(error: channel::TryRecvError) -> Self {
        match error {
            channel::TryRecvError::Empty => Self::Empty,
            channel::TryRecvError::Closed => Self::Closed,
        }
    }
}

impl From<channel::RecvTimeoutError> for RecvTimeoutError {
    fn from(error: channel::RecvTimeoutError) -> Self {
        match error {
            channel::RecvTimeoutError::Timeout => Self::Timeout,
            channel::RecvTimeoutError::Closed => Self::Closed,
        }
    }
}

impl From<broadcast::RecvError> for RecvError {
    fn from(error: broadcast::RecvError) -> Self {
        match error {
            broadcast::RecvError::Lagged(count) => Self::Lagged(count),
            broadcast::RecvError::Evicted => unreachable!("{NOT_EVICTED}"),
            broadcast::RecvError::Closed => Self::Closed,
        }
    }
}

impl From<broadcast::TryRecvError> for TryRecvError {
    fn from(error: broadcast::TryRecvError) -> Self {
        match error {
            broadcast::TryRecvError::Empty => Self::Empty,
            broadcast::TryRecvError::Lagged(count) => Self::Lagged(count),
            broadcast::TryRecvError::Evicted => unreachable!("{NOT_EVICTED}"),
            broadcast::TryRecvError::Closed => Self::Closed,
        }
    }
}

impl From<broadcast::RecvTimeoutError> for RecvTimeoutError {
    fn from(error: broadcast::RecvTimeoutError) -> Self {
        match error {
            broadcast::RecvTimeoutError::Timeout => Self::Timeout,
            broadcast::RecvTimeoutError::Lagged(count) => Self::Lagged(count),
            broadcast::RecvTimeoutError::Evicted => unreachable!("{NOT_EVICTED}"),
            broadcast::RecvTimeoutError::Closed => Self::Closed,
        }
    }
}

const NOT_EVICTED: &str = "only a channel made with a patience throws a subscriber out";
