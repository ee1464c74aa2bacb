//! Blocking ends that send and receive several messages at once.

use super::Load;
use crate::crew;
use crate::ends::{Batch, BatchRx, BatchTx};
use crate::meter::{Counter, Meter, Tally};
use crate::setting::Setting;

/// Whether a peer with batches takes part.
pub fn fits<P: Batch>(load: &Load) -> bool {
    matches!(load, Load::Batch(shape, _) if P::fits(shape))
}

/// Runs one sample. Returns millions of messages a second.
///
/// # Panics
/// If the work was not done, or the load is not of this kind.
pub fn run<P: Batch>(load: &Load, setting: &Setting) -> f64 {
    let Load::Batch(shape, size) = *load else { unreachable!("asked first whether it fits") };
    let (senders, receivers) = P::open_batch(shape);
    let producers = senders.into_iter().map(|sender| move |meter: &Meter| send_on(sender, size, meter));
    let consumers =
        receivers.into_iter().map(|receiver| move |counter: &Counter| add_up(receiver, size, counter));
    crew::run(setting, producers.collect(), consumers.collect()) / 1e6
}

fn send_on(mut sender: impl BatchTx, size: usize, meter: &Meter) -> Tally {
    let mut sent = Tally::default();
    while meter.goes_on() {
        sender.send_batch(sent.count, size as u64);
        sent.next_many(size as u64);
    }
    sent
}

fn add_up(mut receiver: impl BatchRx, size: usize, counter: &Counter) -> Tally {
    let mut received = Tally::default();
    while receiver.recv_batch(size, &mut |number| received.add(number)) {
        counter.set(received.count);
    }
    received
}
