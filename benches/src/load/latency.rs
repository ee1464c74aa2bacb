//! How long a message takes, and what waiting for it costs.

use super::asynchronous::add_up;
use super::runtime::Flavor;
use super::{Load, blocking};
use crate::ends::{AsyncRx, AsyncTx, Asynchronous, Blocking, Rx, Shape, Tx};
use crate::meter::{Meter, Tally};
use crate::setting::Setting;
use cpu_time::ProcessTime;
use std::thread;
use std::time::{Duration, Instant};

/// Of the channels of all loads here that do not name a capacity.
pub const SHAPE: Shape = Shape::new(1, 1, 1);

/// How long a sender waits so that the receiver has gone to sleep: more than any peer spins.
const UNTIL_ASLEEP: Duration = Duration::from_millis(1);

/// The pace of the slow sender.
const PACE: Duration = Duration::from_millis(10);

/// How many sends to a sleeping receiver a millisecond of window stands for: 180 in 60 ms, enough for a 99th percentile.
const SENDS_PER_MILLI: u128 = 3;

/// How many windows a slow sender goes on: about half a second in all if a window is 60 ms.
const WINDOWS: u32 = 8;

const NANOS: f64 = 1e9;

/// Whether something takes part that is no channel, but can wake a receiver.
pub fn fits_bare<P: Blocking>(load: &Load) -> bool {
    matches!(load, Load::Parked { .. } | Load::Idle) && P::fits(&SHAPE)
}

/// Returns nanoseconds for a round trip between two threads.
pub fn ping_pong<P: Blocking>(capacity: usize, setting: &Setting) -> f64 {
    let shape = Shape::new(1, 1, capacity);
    let (mut pings, mut ping) = P::open::<u64>(shape);
    let (mut pongs, mut pong) = P::open::<u64>(shape);
    let (mut ping_tx, mut ping_rx) = (pings.remove(0), ping.remove(0));
    let (mut pong_tx, mut pong_rx) = (pongs.remove(0), pong.remove(0));
    let placement = setting.placement;
    let meter = Meter::new(1);
    let counter = meter.counter(0);
    let work = || {
        thread::scope(|scope| {
            scope.spawn(move || {
                placement.consumer(0);
                while let Some(number) = ping_rx.recv_one() {
                    pong_tx.send_one(number);
                }
            });
            placement.producer(0);
            let (mut sent, mut received) = (Tally::default(), Tally::default());
            while meter.goes_on() {
                ping_tx.send_one(sent.next());
                pong_rx.recv_one().into_iter().for_each(|number| received.add(number));
                counter.set(received.count);
            }
            drop(ping_tx);
            (sent, received)
        })
    };
    NANOS / meter.measure(setting, work)
}

/// Returns nanoseconds for a round trip between two tasks.
pub fn ping_pong_async<P: Asynchronous>(flavor: Flavor, setting: &Setting) -> f64 {
    let (mut pings, mut ping) = P::open_async(SHAPE);
    let (mut pongs, mut pong) = P::open_async(SHAPE);
    let (mut ping_tx, mut ping_rx) = (pings.remove(0), ping.remove(0));
    let (mut pong_tx, mut pong_rx) = (pongs.remove(0), pong.remove(0));
    let meter = Meter::new(1);
    let (inside, counter) = (meter.clone(), meter.counter(0));
    let there = async move {
        let (mut sent, mut received) = (Tally::default(), Tally::default());
        while inside.goes_on() {
            ping_tx.send_one_async(sent.next()).await;
            pong_rx.recv_one_async().await.into_iter().for_each(|number| received.add(number));
            counter.set(received.count);
        }
        (sent, received)
    };
    let back = async move {
        while let Some(number) = ping_rx.recv_one_async().await {
            pong_tx.send_one_async(number).await;
        }
    };
    let work = || {
        setting.placement.producer(0);
        flavor.start(setting).block_on(async {
            let back = tokio::spawn(back);
            let tallies = tokio::spawn(there).await.expect("the task does not panic");
            back.await.expect("the task does not panic");
            tallies
        })
    };
    NANOS / meter.measure(setting, work)
}

/// Returns a percentile, in nanoseconds, of the time from before a send to after the receive, if the receiver sleeps.
pub fn parked<P: Blocking>(percentile: usize, setting: &Setting) -> f64 {
    let (mut senders, mut receivers) = P::open::<u64>(SHAPE);
    let (mut sender, mut receiver) = (senders.remove(0), receivers.remove(0));
    let sends = (setting.window.as_millis() * SENDS_PER_MILLI).max(1);
    let (placement, base) = (setting.placement, Instant::now());
    let now = move || u64::try_from(base.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let mut nanos: Vec<u64> = thread::scope(|scope| {
        let receiving = scope.spawn(move || {
            placement.consumer(0);
            std::iter::from_fn(|| receiver.recv_one().map(|sent| now() - sent)).collect()
        });
        placement.producer(0);
        for _ in 0..sends {
            thread::sleep(UNTIL_ASLEEP);
            sender.send_one(now());
        }
        drop(sender);
        receiving.join().expect("the receiver does not panic")
    });
    assert_eq!(nanos.len() as u128, sends, "messages were lost or doubled");
    nanos.sort_unstable();
    nanos[(nanos.len() * percentile / 100).min(nanos.len() - 1)] as f64
}

/// Returns how much of a core the process uses, in percent, while a thread waits for messages that come slowly.
pub fn idle<P: Blocking>(setting: &Setting) -> f64 {
    let (mut senders, mut receivers) = P::open::<u64>(SHAPE);
    let (mut sender, receiver) = (senders.remove(0), receivers.remove(0));
    let meter = Meter::new(1);
    thread::scope(|scope| {
        let (placement, counter) = (setting.placement, meter.counter(0));
        let receiving = scope.spawn(move || {
            placement.consumer(0);
            blocking::add_up(receiver, &counter)
        });
        placement.producer(0);
        let (sent, share) = send_slowly(setting, |number| sender.send_one(number));
        drop(sender);
        assert_eq!(receiving.join().expect("the receiver does not panic"), sent, "messages were lost");
        share
    })
}

/// Returns how much of a core the process uses, in percent, while a task waits for messages that come slowly.
pub fn idle_async<P: Asynchronous>(setting: &Setting) -> f64 {
    let (mut senders, mut receivers) = P::open_async(SHAPE);
    let (mut sender, receiver) = (senders.remove(0), receivers.remove(0));
    let meter = Meter::new(1);
    let runtime = Flavor::TwoWorkers.start(setting);
    let receiving = runtime.spawn(add_up(receiver, meter.counter(0)));
    let (sent, share) = send_slowly(setting, |number| runtime.block_on(sender.send_one_async(number)));
    drop(sender);
    let received = runtime.block_on(receiving).expect("the receiver does not panic");
    assert_eq!(received, sent, "messages were lost");
    share
}

fn send_slowly(setting: &Setting, mut send: impl FnMut(u64)) -> (Tally, f64) {
    thread::sleep(PACE);
    let (began, burnt) = (Instant::now(), ProcessTime::now());
    let mut sent = Tally::default();
    while sent.count == 0 || began.elapsed() < setting.window * WINDOWS {
        thread::sleep(PACE);
        send(sent.next());
    }
    (sent, 100.0 * burnt.elapsed().as_secs_f64() / began.elapsed().as_secs_f64())
}
