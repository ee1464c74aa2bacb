//! Async ends in tasks.

use super::runtime::Flavor;
use super::{Load, latency, select};
use crate::ends::{AsyncRx, AsyncTx, Asynchronous, Shape};
use crate::meter::{Counter, Meter, Tally};
use crate::setting::Setting;
use std::future::Future;
use tokio::task::JoinHandle;

/// Whether a peer with async ends takes part.
pub fn fits<P: Asynchronous>(load: &Load) -> bool {
    match *load {
        Load::Async(shape, _) => P::fits(&shape),
        Load::AsyncPingPong(_) | Load::AsyncIdle => P::fits(&latency::SHAPE),
        _ => false,
    }
}

/// Runs one sample. Returns millions of messages a second, or what the unit of the cell is.
///
/// # Panics
/// If the work was not done, or the load is not of this kind.
pub fn run<P: Asynchronous>(load: &Load, setting: &Setting) -> f64 {
    match *load {
        Load::Async(shape, flavor) => stream::<P>(shape, flavor, setting),
        Load::AsyncPingPong(flavor) => latency::ping_pong_async::<P>(flavor, setting),
        Load::AsyncIdle => latency::idle_async::<P>(setting),
        _ => unreachable!("asked first whether it fits"),
    }
}

/// Whether a peer takes part whose `recv` may be dropped before it is done, as `select!` does, without losing a message.
pub fn selectable<P: Asynchronous>(load: &Load) -> bool {
    matches!(load, Load::AsyncSelect(_)) && P::fits(&select::SHAPE)
}

/// Runs one sample of waiting on several channels.
///
/// # Panics
/// If the work was not done, or the load is not of this kind.
pub fn run_select<P: Asynchronous>(load: &Load, setting: &Setting) -> f64 {
    match *load {
        Load::AsyncSelect(flavor) => select::in_a_task::<P>(flavor, setting),
        _ => unreachable!("asked first whether it fits"),
    }
}

fn stream<P: Asynchronous>(shape: Shape, flavor: Flavor, setting: &Setting) -> f64 {
    let (senders, receivers) = P::open_async(shape);
    let meter = Meter::new(shape.consumers);
    let work = || {
        let runtime = flavor.start(setting);
        setting.placement.producer(0);
        runtime.block_on(async {
            let consumers = receivers.into_iter().enumerate();
            let consumers = spawn_all(consumers.map(|(i, receiver)| add_up(receiver, meter.counter(i))));
            let producers = spawn_all(senders.into_iter().map(|sender| send_on(sender, meter.clone())));
            (join_all(producers).await, join_all(consumers).await)
        })
    };
    meter.measure(setting, work) / 1e6
}

/// Starts a task each.
pub fn spawn_all<F>(tasks: impl Iterator<Item = F>) -> Vec<JoinHandle<Tally>>
where
    F: Future<Output = Tally> + Send + 'static,
{
    tasks.map(tokio::spawn).collect()
}

/// Waits for all and adds them up.
///
/// # Panics
/// If one of them panicked.
pub async fn join_all(tasks: Vec<JoinHandle<Tally>>) -> Tally {
    let mut tallies = Vec::with_capacity(tasks.len());
    for task in tasks {
        tallies.push(task.await.expect("a task of the load does not panic"));
    }
    tallies.into_iter().sum()
}

/// Sends for as long as the meter says.
pub async fn send_on(mut sender: impl AsyncTx<u64>, meter: Meter) -> Tally {
    let mut sent = Tally::default();
    while meter.goes_on() {
        sender.send_one_async(sent.next()).await;
    }
    sent
}

/// Receives until the channel is closed and empty.
pub async fn add_up(mut receiver: impl AsyncRx<u64>, counter: Counter) -> Tally {
    let mut received = Tally::default();
    while let Some(number) = receiver.recv_one_async().await {
        received.add(number);
        counter.set(received.count);
    }
    received
}
