//! The work of a channel: producers send numbered messages, consumers add them up, and nothing may be missing.

use crate::pin::Placement;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// A channel to measure: a blocking send and a blocking receive, on ends that can be cloned.
pub trait ChannelPeer {
    /// The name in tables.
    const NAME: &'static str;
    /// The sending end. Dropping the last one closes the channel.
    type Sender: Clone + Send;
    /// The receiving end.
    type Receiver: Clone + Send;

    /// Makes a channel of this capacity.
    fn bounded(capacity: usize) -> (Self::Sender, Self::Receiver);
    /// Sends a message, blocking while the channel is full.
    fn send(sender: &Self::Sender, message: u64);
    /// Receives a message, blocking while there is none; none when the channel is closed and empty.
    fn recv(receiver: &Self::Receiver) -> Option<u64>;
}

/// What a channel is put to.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Threads that send.
    pub producers: usize,
    /// Threads that receive.
    pub consumers: usize,
    /// Of the channel.
    pub capacity: usize,
    /// In all; each producer sends an equal part.
    pub messages: u64,
    /// Where the threads run.
    pub placement: Placement,
}

/// Runs the load once and returns how long it took from the common start until the last message was received.
///
/// # Panics
/// If a message is lost, doubled or invented.
#[must_use]
pub fn run<P: ChannelPeer>(load: &Load) -> Duration {
    let (sender, receiver) = P::bounded(load.capacity);
    let each = load.messages / load.producers as u64;
    let start = Barrier::new(load.producers + load.consumers + 1);
    let (received, sum, took) = thread::scope(|scope| {
        for index in 0..load.producers {
            let (sender, start) = (sender.clone(), &start);
            scope.spawn(move || {
                load.placement.producer(index);
                start.wait();
                (0..each).for_each(|message| P::send(&sender, message));
            });
        }
        let consumers: Vec<_> = (0..load.consumers)
            .map(|index| {
                let (receiver, start) = (receiver.clone(), &start);
                scope.spawn(move || {
                    load.placement.consumer(index);
                    start.wait();
                    add_up::<P>(&receiver)
                })
            })
            .collect();
        drop((sender, receiver));
        start.wait();
        let began = Instant::now();
        let (mut received, mut sum) = (0, 0);
        for consumer in consumers {
            let (count, part) = consumer.join().expect("a consumer does not panic");
            received += count;
            sum += part;
        }
        (received, sum, began.elapsed())
    });
    assert_eq!(received, each * load.producers as u64, "{}: messages were lost or doubled", P::NAME);
    assert_eq!(
        sum,
        load.producers as u64 * (each * each.saturating_sub(1) / 2),
        "{}: wrong messages",
        P::NAME
    );
    took
}

fn add_up<P: ChannelPeer>(receiver: &P::Receiver) -> (u64, u64) {
    let (mut count, mut sum) = (0, 0);
    while let Some(message) = P::recv(receiver) {
        count += 1;
        sum += message;
    }
    (count, sum)
}
