//! One receiver of 4 channels, each fed by a sender of its own.

use super::Load;
use super::asynchronous::{self, join_all, spawn_all};
use super::blocking;
use super::runtime::Flavor;
use crate::crew;
use crate::ends::{AsyncRx, AsyncTx, Asynchronous, Select, SelectRx, Shape};
use crate::meter::{Counter, Meter, Tally};
use crate::setting::Setting;

/// Of each channel.
pub const SHAPE: Shape = Shape::new(1, 1, 64);

/// How many channels there are.
const CHANNELS: usize = 4;

/// Whether a peer that can wait on several channels takes part.
pub fn fits<P: Select>(load: &Load) -> bool {
    *load == Load::Select
}

/// Runs one sample. Returns millions of messages a second.
///
/// # Panics
/// If the work was not done.
pub fn run<P: Select>(_: &Load, setting: &Setting) -> f64 {
    let (senders, receivers) = P::open_select(SHAPE.capacity, CHANNELS);
    let producers =
        senders.into_iter().map(|sender| |meter: &Meter| blocking::send_on(sender, meter)).collect();
    let consumer = |counter: &Counter| {
        let mut received = Tally::default();
        receivers.receive_all(&mut |number| {
            received.add(number);
            counter.set(received.count);
        });
        received
    };
    crew::run(setting, producers, vec![consumer]) / 1e6
}

/// Runs one sample with `tokio::select!` in a task. Returns millions of messages a second.
pub fn in_a_task<P: Asynchronous>(flavor: Flavor, setting: &Setting) -> f64 {
    let meter = Meter::new(1);
    let (senders, receivers) = channels::<P>();
    let receivers: [_; CHANNELS] = receivers.try_into().unwrap_or_else(|_| unreachable!("there are four"));
    let work = || {
        let runtime = flavor.start(setting);
        setting.placement.producer(0);
        runtime.block_on(async {
            let consumer = tokio::spawn(receive_all(receivers, meter.counter(0)));
            let send_on = |sender| asynchronous::send_on(sender, meter.clone());
            let producers = spawn_all(senders.into_iter().map(send_on));
            let sent = join_all(producers).await;
            (sent, consumer.await.expect("the receiver does not panic"))
        })
    };
    meter.measure(setting, work) / 1e6
}

fn channels<P: Asynchronous>() -> (Vec<impl AsyncTx<u64>>, Vec<impl AsyncRx<u64>>) {
    let open = |_| {
        let (mut senders, mut receivers) = P::open_async(SHAPE);
        (senders.remove(0), receivers.remove(0))
    };
    (0..CHANNELS).map(open).unzip()
}

async fn receive_all(receivers: [impl AsyncRx<u64>; CHANNELS], counter: Counter) -> Tally {
    let [mut a, mut b, mut c, mut d] = receivers;
    let mut open = [true; CHANNELS];
    let mut received = Tally::default();
    while open.contains(&true) {
        let (index, message) = tokio::select! {
            message = a.recv_one_async(), if open[0] => (0, message),
            message = b.recv_one_async(), if open[1] => (1, message),
            message = c.recv_one_async(), if open[2] => (2, message),
            message = d.recv_one_async(), if open[3] => (3, message),
        };
        match message {
            Some(number) => received.add(number),
            None => open[index] = false,
        }
        counter.set(received.count);
    }
    received
}
