//! Topics: named events, and subscriptions to them by pattern. A publisher never knows who listens.
//!
//! ```text
//!   topic user.signed_up --+--> user.signed_up   mailbox of 64, loses nothing      --> recv
//!                          +--> user.*           queue "mail": workers, retries    --> handler
//!                          '--> #                mailbox of 1000, loses the oldest --> recv, or Lagged(n)
//! ```
//!
//! A [`Topics`] registry holds topics by name and subscriptions by [`Pattern`]. Publishing puts the event straight into the
//! mailbox or the work queue of each subscription that matches, on the publisher's thread: no thread stands between.
//!
//! Each subscription has a mailbox of its own, rather than each topic a ring that its subscribers share. So a subscription across
//! topics gets its events in the order of their publishing, each has its own capacity and policy, and a filter costs nobody
//! else anything. The price is one clone for each subscription. Many readers of *one* stream that they all want in full are
//! better served by a [`broadcast`](crate::broadcast) channel.
//!
//! **Full.** What a subscription without room does to a publisher is the subscription's own choice:
//!
//! | subscription | full |
//! |---|---|
//! | [`lossless`](Subscribe::lossless), [`to_queue`](Subscribe::to_queue) | gates the publisher: `publish` waits, `try_publish` refuses and says for whom |
//! | [`lossy`](Subscribe::lossy) | loses its oldest event, and is told how many: `Lagged(n)` |
//! | [`to_queue_lossy`](Subscribe::to_queue_lossy) | does not get the event, which is counted |
//!
//! A publish is **all or nothing**: it first gets a place in every subscription that loses nothing, and puts the event
//! anywhere only then. When it fails, nobody has received the event, and it may be tried again without anybody receiving
//! it twice. While it waits for one subscription it holds no place in another, so a slow one gates only the topics that
//! it matches.
//!
//! **Ordering.** A subscription gets the events of one publisher in the order in which they were published, on whatever
//! topics. The events of several publishers are interleaved, for each subscription in its own way.
//!
//! **Come and go.** A subscription gets every event whose publishing begins after it was made, on topics made later as well,
//! and ends before it begins to be dropped. Dropping it ends it: what is in its mailbox is dropped, and publishers that
//! wait for it go on.
//!
//! **Closed.** By [`Topics::close`], or when the last [`Topics`] and [`Topic`] are dropped: subscriptions receive what they
//! have, then [`RecvError::Closed`]. Publishers that wait for room get their value back, with [`PublishError::Closed`].
//!
//! **User code** (filters, `Clone`, `Drop`, wakers) never runs under a lock. A filter that panics is as one that says no, for
//! that event, and counted; a `clone` that panics does so in `publish`, and the subscriptions that were to come get nothing.
//!
//! **Cost.** Publishing to a topic costs the subscriptions that match it: for each, the filter, one claim of a place, one clone
//! and one push. It allocates nothing, and takes one lock for the moment it needs to find the topic's list of
//! subscriptions. That list is looked up anew after a subscription that matches has come or gone, in a tree of words that leads
//! past all others; [`TopicsStats`] counts it.

#![forbid(unsafe_code)]

mod entry;
mod error;
mod event;
mod feed;
mod handle;
mod iter;
mod mailbox;
mod name;
mod pattern;
mod publish;
mod registry;
mod route;
#[cfg(feature = "stream")]
mod stream;
mod subscribe;
mod subscription;
mod topics;
mod trie;
mod word;

pub(crate) use entry::{Inlet, Put, Reserved};
pub use entry::{SubscriptionInfo, SubscriptionStats};
pub use error::{
    PublishError, RecvError, RecvTimeoutError, RemoveError, SubscribeError, TopicError, TryRecvError,
};
pub use event::Event;
pub use feed::Feed;
pub use handle::Topic;
pub use iter::{IntoIter, Iter, TryIter};
pub use name::{NameError, TopicName};
pub use pattern::{Pattern, PatternError};
pub use publish::Published;
pub use registry::TopicsStats;
#[cfg(feature = "stream")]
pub use stream::SubscriptionStream;
pub use subscribe::Subscribe;
pub use subscription::Subscription;
pub use topics::{Topics, TopicsBuilder};
pub use word::Fault;
