//! The kinds of work, one a file. Each says which cells a peer that can do the work takes part in, and runs one sample.

#![forbid(unsafe_code)]

pub mod asynchronous;
pub mod batch;
pub mod blocking;
pub mod broadcast;
pub mod latency;
pub mod memory;
pub mod mixed;
pub mod pool;
pub mod ring;
pub mod runtime;
pub mod select;

use crate::ends::Shape;
use pool::Job;
use runtime::Flavor;

/// What a cell puts its peers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// Blocking ends on threads.
    Stream(Shape, Payload),
    /// One thread fills a channel and drains it, over and over.
    FillAndDrain {
        /// Of the channel.
        capacity: usize,
    },
    /// Async ends on tokio.
    Async(Shape, Flavor),
    /// Blocking senders, async receivers on tokio with two workers.
    IntoAsync(Shape),
    /// Async senders on tokio with two workers, blocking receivers.
    FromAsync(Shape),
    /// Ends that never wait, and yield after some tries.
    Ring(Shape),
    /// The same, several messages at once.
    Chunks {
        /// Of the ring.
        capacity: usize,
        /// Messages in a chunk.
        chunk: usize,
    },
    /// Blocking ends, several messages at once.
    Batch(Shape, usize),
    /// There and back again, between two threads.
    PingPong {
        /// Of each of the two channels.
        capacity: usize,
    },
    /// There and back again, between two tasks.
    AsyncPingPong(Flavor),
    /// From before the send to after the receive, when the receiver really sleeps: a percentile.
    Parked {
        /// Which: 50 or 99.
        percentile: usize,
    },
    /// Processor time while a thread waits for a message every 10 ms.
    Idle,
    /// Processor time while a task waits for a message every 10 ms.
    AsyncIdle,
    /// One thread waits on 4 channels, each fed by a thread.
    Select,
    /// One task waits on 4 channels, each fed by a task.
    AsyncSelect(Flavor),
    /// Bytes on the heap for a channel.
    Memory {
        /// Of the channel.
        capacity: usize,
        /// Whether it is full of messages.
        full: bool,
    },
    /// One publisher, blocking subscribers.
    Broadcast {
        /// Whether slow subscribers miss messages.
        lossy: bool,
        /// Threads that subscribe.
        subscribers: usize,
    },
    /// One publisher and subscribers in tasks, lossless and lossy side by side.
    AsyncBroadcast {
        /// Tasks that subscribe.
        subscribers: usize,
        /// What the figure is about.
        counted: Counted,
    },
    /// A lossy publisher with subscribers that have come to a stop.
    Stalled {
        /// How many.
        subscribers: usize,
    },
    /// Jobs for a pool of two workers.
    Pool {
        /// Threads that submit.
        producers: usize,
        /// What each job does.
        job: Job,
    },
}

/// Which messages of a broadcast are counted. With lossy subscribers, that is not the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Those that the publisher is rid of.
    Published,
    /// Those that a subscriber got, on average.
    Heard,
}

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// A `u64`.
    Word,
    /// 64 bytes.
    Line,
    /// A `Box<u64>`, which the sender allocates and the receiver frees.
    Boxed,
}
