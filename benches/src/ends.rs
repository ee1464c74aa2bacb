//! What a peer implements: its ends, for its own types, and one small trait for each kind of work it can do.
//!
//! The methods have names that no crate uses for its own, so that inside an implementation `self.send(..)` is the crate's.

#![forbid(unsafe_code)]

use crate::load::pool::Jobs;
use std::future::Future;

/// What is sent: a number in some wrapping.
pub trait Message: Clone + Default + Send + Sync + 'static {
    /// Wraps a number.
    fn wrap(number: u64) -> Self;
    /// Returns it.
    fn number(&self) -> u64;
}

impl Message for u64 {
    #[inline]
    fn wrap(number: u64) -> Self {
        number
    }

    #[inline]
    fn number(&self) -> u64 {
        *self
    }
}

/// 64 bytes.
impl Message for [u64; 8] {
    #[inline]
    fn wrap(number: u64) -> Self {
        [number; 8]
    }

    #[inline]
    fn number(&self) -> u64 {
        self[7]
    }
}

impl Message for Box<u64> {
    #[inline]
    fn wrap(number: u64) -> Self {
        Self::new(number)
    }

    #[inline]
    fn number(&self) -> u64 {
        **self
    }
}

/// How many ends a channel has, and how much it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Sending ends.
    pub producers: usize,
    /// Receiving ends.
    pub consumers: usize,
    /// Messages.
    pub capacity: usize,
}

impl Shape {
    /// Makes a shape.
    #[must_use]
    pub const fn new(producers: usize, consumers: usize, capacity: usize) -> Self {
        Self { producers, consumers, capacity }
    }

    /// Returns as many of a sending end as there are producers.
    #[must_use]
    pub fn senders<S: Clone>(self, sender: S) -> Vec<S> {
        vec![sender; self.producers]
    }

    /// Returns as many of a receiving end as there are consumers.
    #[must_use]
    pub fn receivers<R: Clone>(self, receiver: R) -> Vec<R> {
        vec![receiver; self.consumers]
    }

    /// Whether there is at least one place in the channel and one end on each side.
    #[must_use]
    pub const fn is_spsc(&self) -> bool {
        self.capacity > 0 && self.producers == 1 && self.consumers == 1
    }

    /// Whether there is at least one place in the channel and one receiving end.
    #[must_use]
    pub const fn is_mpsc(&self) -> bool {
        self.capacity > 0 && self.consumers == 1
    }

    /// Whether there is at least one place in the channel.
    #[must_use]
    pub const fn is_buffered(&self) -> bool {
        self.capacity > 0
    }
}

/// A sending end that blocks while the channel is full. Dropping the last one closes the channel.
pub trait Tx<M>: Send {
    /// Sends.
    fn send_one(&mut self, message: M);
}

/// A receiving end that blocks while the channel is empty.
pub trait Rx<M>: Send {
    /// Receives; none when the channel is closed and empty.
    fn recv_one(&mut self) -> Option<M>;
}

/// A sending end whose task waits while the channel is full.
pub trait AsyncTx<M>: Send + 'static {
    /// Sends.
    fn send_one_async(&mut self, message: M) -> impl Future<Output = ()> + Send;
}

/// A receiving end whose task waits while the channel is empty.
pub trait AsyncRx<M>: Send + 'static {
    /// Receives; none when the channel is closed and empty.
    fn recv_one_async(&mut self) -> impl Future<Output = Option<M>> + Send;
}

/// A channel with blocking ends.
pub trait Blocking: 'static {
    /// Whether the channel can be of this shape.
    fn fits(shape: &Shape) -> bool;
    /// Makes it.
    fn open<M: Message>(shape: Shape) -> (Vec<impl Tx<M>>, Vec<impl Rx<M>>);
}

/// A channel with async ends.
pub trait Asynchronous: 'static {
    /// Whether the channel can be of this shape.
    fn fits(shape: &Shape) -> bool;
    /// Makes it.
    fn open_async(shape: Shape) -> (Vec<impl AsyncTx<u64>>, Vec<impl AsyncRx<u64>>);
}

/// A channel from blocking ends to async ones.
pub trait IntoAsync: 'static {
    /// Whether the channel can be of this shape.
    fn fits(shape: &Shape) -> bool;
    /// Makes it.
    fn open_into_async(shape: Shape) -> (Vec<impl Tx<u64>>, Vec<impl AsyncRx<u64>>);
}

/// A channel from async ends to blocking ones.
pub trait FromAsync: 'static {
    /// Whether the channel can be of this shape.
    fn fits(shape: &Shape) -> bool;
    /// Makes it.
    fn open_from_async(shape: Shape) -> (Vec<impl AsyncTx<u64>>, Vec<impl Rx<u64>>);
}

/// A sending end that never waits.
pub trait TryTx: Send {
    /// Pushes; false when there is no room.
    fn push_one(&mut self, number: u64) -> bool;
}

/// A receiving end that never waits.
pub trait TryRx: Send {
    /// Pops; none when there is nothing.
    fn pop_one(&mut self) -> Option<u64>;
}

/// A ring, or a channel used as one. Nobody waits and nothing closes.
pub trait Ring: 'static {
    /// Whether the ring can be of this shape.
    fn fits(shape: &Shape) -> bool;
    /// Makes it.
    fn open_ring(shape: Shape) -> (Vec<impl TryTx>, Vec<impl TryRx>);
}

/// A sending end that never waits and pushes several messages at once.
pub trait ChunkTx: Send {
    /// Pushes `first`, `first + 1`..., `count` at most. Returns how many.
    fn push_chunk(&mut self, first: u64, count: usize) -> usize;
}

/// A receiving end that never waits and pops several messages at once.
pub trait ChunkRx: Send {
    /// Pops `limit` at most and hands each to `take`. Returns how many.
    fn pop_chunk(&mut self, limit: usize, take: &mut impl FnMut(u64)) -> usize;
}

/// A ring for one at each end that takes and gives several messages at once.
pub trait Chunks: 'static {
    /// Makes it.
    fn open_chunks(capacity: usize) -> (impl ChunkTx, impl ChunkRx);
}

/// A sending end that blocks and sends several messages at once.
pub trait BatchTx: Send {
    /// Sends `first`, `first + 1`..., `count` in all.
    fn send_batch(&mut self, first: u64, count: u64);
}

/// A receiving end that blocks until there is something, then takes several messages at once.
pub trait BatchRx: Send {
    /// Receives one at least, about `limit` at most, and hands each to `take`; false when the channel is closed and empty.
    fn recv_batch(&mut self, limit: usize, take: &mut impl FnMut(u64)) -> bool;
}

/// A channel that takes and gives several messages at once, or whose users would do it in this way.
pub trait Batch: 'static {
    /// Whether the channel can be of this shape.
    fn fits(shape: &Shape) -> bool;
    /// Makes it.
    fn open_batch(shape: Shape) -> (Vec<impl BatchTx>, Vec<impl BatchRx>);
}

/// Receivers that are waited on together.
pub trait SelectRx: Send {
    /// Receives from all, whichever has something, until all are closed and empty.
    fn receive_all(self, take: &mut impl FnMut(u64));
}

/// Channels whose receivers can be waited on together, blocking.
pub trait Select: 'static {
    /// Makes so many channels, for one sender each.
    fn open_select(capacity: usize, channels: usize) -> (Vec<impl Tx<u64>>, impl SelectRx);
}

/// A publishing end.
pub trait Publish {
    /// Publishes; a lossless one waits for its slowest subscriber.
    fn publish_one(&mut self, number: u64);
}

/// A subscribing end.
pub trait Subscribe: Send {
    /// Waits until there is something and hands it to `take`. Returns how many messages it was told that it missed; none when
    /// the channel is closed and empty.
    fn receive_some(&mut self, take: &mut impl FnMut(u64)) -> Option<u64>;
}

/// A channel in which every subscriber gets every message, or is told that it did not.
pub trait Broadcast: 'static {
    /// Whether a subscriber that is slow misses messages.
    const LOSSY: bool;
    /// Makes a channel with so many subscribers.
    fn open_broadcast(capacity: usize, subscribers: usize) -> (impl Publish + Send, Vec<impl Subscribe>);
}

/// A publishing end whose task waits.
pub trait AsyncPublish: Send + 'static {
    /// Publishes.
    fn publish_one_async(&mut self, number: u64) -> impl Future<Output = ()> + Send;
}

/// A subscribing end whose task waits.
pub trait AsyncSubscribe: Send + 'static {
    /// Waits for a message, or for the news that some were missed.
    fn receive_async(&mut self) -> impl Future<Output = News> + Send;
}

/// What a subscriber gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// A message.
    Message(u64),
    /// So many were missed.
    Missed(u64),
    /// No more will come.
    Ended,
}

/// A broadcast channel with async ends.
pub trait AsyncBroadcast: 'static {
    /// Whether a subscriber that is slow misses messages.
    const LOSSY: bool;
    /// Makes a channel with so many subscribers.
    fn open_async_broadcast(
        capacity: usize,
        subscribers: usize,
    ) -> (impl AsyncPublish, Vec<impl AsyncSubscribe>);
}

/// A lossy channel beside a subscriber that has come to a stop.
pub trait Stalled: 'static {
    /// Whether it takes part with so many of them.
    fn fits(stalled: usize) -> bool;
    /// Makes a channel with so many subscribers that received one message and never go on.
    fn open_stalled(capacity: usize, stalled: usize) -> impl Publish;
}

/// A pool of threads.
pub trait Pool: 'static {
    /// Starts the pool, has the producers submit all jobs, and returns when all have run.
    fn work(jobs: &Jobs);
}
