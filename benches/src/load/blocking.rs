//! Blocking ends on threads: streams of messages, and one thread that fills and drains.

use super::{Load, Payload, latency, memory};
use crate::crew;
use crate::ends::{Blocking, Message, Rx, Shape, Tx};
use crate::meter::{Counter, Meter, Tally};
use crate::setting::Setting;

/// How many messages pass between two looks at the stop flag and the counter when a thread fills and drains.
const LOOK: usize = 1024;

/// Whether a peer with blocking ends takes part.
pub fn fits<P: Blocking>(load: &Load) -> bool {
    match *load {
        Load::Stream(shape, _) => P::fits(&shape),
        Load::FillAndDrain { capacity } | Load::PingPong { capacity } | Load::Memory { capacity, .. } => {
            P::fits(&Shape::new(1, 1, capacity))
        }
        Load::Parked { .. } | Load::Idle => P::fits(&latency::SHAPE),
        _ => false,
    }
}

/// Runs one sample. Returns millions of messages a second, or what the unit of the cell is.
///
/// # Panics
/// If the work was not done, or the load is not of this kind.
pub fn run<P: Blocking>(load: &Load, setting: &Setting) -> f64 {
    match *load {
        Load::Stream(shape, Payload::Word) => stream::<P, u64>(shape, setting),
        Load::Stream(shape, Payload::Line) => stream::<P, [u64; 8]>(shape, setting),
        Load::Stream(shape, Payload::Boxed) => stream::<P, Box<u64>>(shape, setting),
        Load::FillAndDrain { capacity } => fill_and_drain::<P>(capacity, setting),
        Load::PingPong { capacity } => latency::ping_pong::<P>(capacity, setting),
        Load::Parked { percentile } => latency::parked::<P>(percentile, setting),
        Load::Idle => latency::idle::<P>(setting),
        Load::Memory { capacity, full } => memory::bytes::<P>(capacity, full),
        _ => unreachable!("asked first whether it fits"),
    }
}

fn stream<P: Blocking, M: Message>(shape: Shape, setting: &Setting) -> f64 {
    let (senders, receivers) = P::open::<M>(shape);
    let producers = senders.into_iter().map(|sender| |meter: &Meter| send_on(sender, meter)).collect();
    let consumers = receivers.into_iter().map(|receiver| |counter: &Counter| add_up(receiver, counter));
    crew::run(setting, producers, consumers.collect()) / 1e6
}

/// Sends for as long as the meter says.
pub fn send_on<M: Message>(mut sender: impl Tx<M>, meter: &Meter) -> Tally {
    let mut sent = Tally::default();
    while meter.goes_on() {
        sender.send_one(M::wrap(sent.next()));
    }
    sent
}

/// Receives until the channel is closed and empty.
pub fn add_up<M: Message>(mut receiver: impl Rx<M>, counter: &Counter) -> Tally {
    let mut received = Tally::default();
    while let Some(message) = receiver.recv_one() {
        received.add(message.number());
        counter.set(received.count);
    }
    received
}

fn fill_and_drain<P: Blocking>(capacity: usize, setting: &Setting) -> f64 {
    let (mut senders, mut receivers) = P::open::<u64>(Shape::new(1, 1, capacity));
    let meter = Meter::new(1);
    let counter = meter.counter(0);
    let work = || {
        let (mut sent, mut received) = (Tally::default(), Tally::default());
        while meter.goes_on() {
            for _ in 0..LOOK.div_ceil(capacity) {
                (0..capacity).for_each(|_| senders[0].send_one(sent.next()));
                (0..capacity).for_each(|_| receivers[0].recv_one().into_iter().for_each(|n| received.add(n)));
            }
            counter.set(received.count);
        }
        (sent, received)
    };
    meter.measure(setting, work) / 1e6
}
