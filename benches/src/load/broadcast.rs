//! One publisher, and subscribers that each get everything, or are told what they missed. What is counted is what the
//! publisher published; in tasks also, in cells of their own, what a subscriber got: a lossy publisher is fast where all miss most.

use super::runtime::Flavor;
use super::{Counted, Load};
use crate::ends::{
    AsyncBroadcast, AsyncPublish, AsyncSubscribe, Broadcast, News, Publish, Stalled, Subscribe,
};
use crate::meter::{Counter, Meter, Tally};
use crate::setting::Setting;
use std::thread;
use std::time::Duration;

/// Messages that each channel keeps.
const CAPACITY: usize = 1024;

/// After how many messages a lossy publisher in a task lets other tasks run: it never waits, so nothing else would.
const BREATH: u64 = 256;

/// How many messages are published between two looks at the stop flag and the counter when nobody receives.
const LOOK: u64 = 256;

/// What a subscriber got and what it was told that it missed.
#[derive(Debug, Default)]
struct Heard {
    received: Tally,
    missed: u64,
}

impl Heard {
    /// Asserts that nothing is missing. Returns what stands for the subscriber in the books: what was sent.
    fn settle(&self, sent: Tally, lossy: bool) -> Tally {
        assert_eq!(
            self.received.count + self.missed,
            sent.count,
            "received and missed are all that was sent"
        );
        assert!(lossy || self.received == sent, "a lossless channel misses nothing");
        sent
    }
}

/// Whether a broadcast peer takes part.
pub fn fits<P: Broadcast>(load: &Load) -> bool {
    matches!(load, Load::Broadcast { lossy, .. } if *lossy == P::LOSSY)
}

/// Runs one sample. Returns millions of messages published a second.
///
/// # Panics
/// If the work was not done, or the load is not of this kind.
pub fn run<P: Broadcast>(load: &Load, setting: &Setting) -> f64 {
    let Load::Broadcast { subscribers, .. } = *load else { unreachable!("asked first whether it fits") };
    let (publisher, subscribers) = P::open_broadcast(CAPACITY, subscribers);
    let meter = Meter::new(1);
    let work = || {
        thread::scope(|scope| {
            let placement = setting.placement;
            let listen = |(index, subscriber)| {
                scope.spawn(move || {
                    placement.consumer(index);
                    hear(subscriber)
                })
            };
            let listeners: Vec<_> = subscribers.into_iter().enumerate().map(listen).collect();
            placement.producer(0);
            let sent = publish_on(publisher, &meter);
            for listener in listeners {
                let heard = listener.join().expect("a subscriber does not panic");
                heard.settle(sent, P::LOSSY);
            }
            (sent, sent)
        })
    };
    meter.measure(setting, work) / 1e6
}

fn publish_on(mut publisher: impl Publish, meter: &Meter) -> Tally {
    let counter = meter.counter(0);
    let mut sent = Tally::default();
    while meter.goes_on() {
        publisher.publish_one(sent.next());
        counter.set(sent.count);
    }
    sent
}

fn hear(mut subscriber: impl Subscribe) -> Heard {
    let mut heard = Heard::default();
    while let Some(missed) = subscriber.receive_some(&mut |number| heard.received.add(number)) {
        heard.missed += missed;
    }
    heard
}

/// Whether an async broadcast peer takes part.
pub fn fits_async<P: AsyncBroadcast>(load: &Load) -> bool {
    matches!(load, Load::AsyncBroadcast { .. })
}

/// Runs one sample. Returns millions of messages published a second.
///
/// # Panics
/// If the work was not done, or the load is not of this kind.
pub fn run_async<P: AsyncBroadcast>(load: &Load, setting: &Setting) -> f64 {
    let Load::AsyncBroadcast { subscribers: count, counted } = *load else {
        unreachable!("asked first whether it fits")
    };
    let (publisher, subscribers) = P::open_async_broadcast(CAPACITY, count);
    // Both count, so that the work is the same, and one of them is looked at.
    let (published, heard) = (Meter::new(1), Meter::new(count));
    let (meter, among) = match counted {
        Counted::Published => (&published, 1),
        Counted::Heard => (&heard, count),
    };
    let work = || {
        Flavor::TwoWorkers.start(setting).block_on(async {
            let listen = |(index, one)| tokio::spawn(hear_async(one, heard.counter(index)));
            let listeners: Vec<_> = subscribers.into_iter().enumerate().map(listen).collect();
            let publishing =
                tokio::spawn(publish_on_async(publisher, meter.clone(), published.counter(0), P::LOSSY));
            let sent = publishing.await.expect("the publisher does not panic");
            for listener in listeners {
                listener.await.expect("a subscriber does not panic").settle(sent, P::LOSSY);
            }
            (sent, sent)
        })
    };
    meter.measure(setting, work) / among as f64 / 1e6
}

async fn publish_on_async(
    mut publisher: impl AsyncPublish,
    meter: Meter,
    counter: Counter,
    lossy: bool,
) -> Tally {
    let mut sent = Tally::default();
    while meter.goes_on() {
        publisher.publish_one_async(sent.next()).await;
        counter.set(sent.count);
        if lossy && sent.count.is_multiple_of(BREATH) {
            tokio::task::yield_now().await;
        }
    }
    sent
}

async fn hear_async(mut subscriber: impl AsyncSubscribe, counter: Counter) -> Heard {
    let mut heard = Heard::default();
    loop {
        match subscriber.receive_async().await {
            News::Message(number) => {
                heard.received.add(number);
                counter.set(heard.received.count);
            }
            News::Missed(count) => heard.missed += count,
            News::Ended => return heard,
        }
    }
}

/// Whether a peer with subscribers that stall takes part.
pub fn fits_stalled<P: Stalled>(load: &Load) -> bool {
    matches!(load, Load::Stalled { subscribers } if P::fits(*subscribers))
}

/// Runs one sample of a publisher whose subscribers do nothing. Returns nanoseconds a message.
///
/// # Panics
/// If the load is not of this kind.
pub fn run_stalled<P: Stalled>(load: &Load, setting: &Setting) -> f64 {
    let Load::Stalled { subscribers } = *load else { unreachable!("asked first whether it fits") };
    let meter = Meter::new(1);
    let counter = meter.counter(0);
    let placement = setting.placement;
    let work = || {
        placement.producer(0);
        let mut publisher = P::open_stalled(CAPACITY, subscribers);
        let mut sent = Tally::default();
        while meter.goes_on() {
            (0..LOOK).for_each(|_| publisher.publish_one(sent.next()));
            counter.set(sent.count);
        }
        (sent, sent)
    };
    Duration::from_secs(1).as_nanos() as f64 / meter.measure(setting, work)
}
