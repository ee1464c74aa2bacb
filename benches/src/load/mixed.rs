//! Threads at one end, tasks at the other.

use super::Load;
use super::asynchronous::{self, join_all, spawn_all};
use super::blocking;
use super::runtime::Flavor;
use crate::crew;
use crate::ends::{FromAsync, IntoAsync, Shape};
use crate::meter::{Counter, Meter};
use crate::setting::Setting;
use std::thread;

/// Whether a peer from blocking ends to async ones takes part.
pub fn fits_into<P: IntoAsync>(load: &Load) -> bool {
    matches!(load, Load::IntoAsync(shape) if P::fits(shape))
}

/// Whether a peer from async ends to blocking ones takes part.
pub fn fits_from<P: FromAsync>(load: &Load) -> bool {
    matches!(load, Load::FromAsync(shape) if P::fits(shape))
}

/// Runs one sample. Returns millions of messages a second.
///
/// # Panics
/// If the work was not done, or the load is not of this kind.
pub fn run_into<P: IntoAsync>(load: &Load, setting: &Setting) -> f64 {
    let (senders, receivers) = P::open_into_async(shape(load));
    let meter = Meter::new(receivers.len());
    let work = || {
        let runtime = Flavor::TwoWorkers.start(setting);
        let _entered = runtime.enter();
        let consumers = receivers.into_iter().enumerate();
        let consumers =
            spawn_all(consumers.map(|(i, receiver)| asynchronous::add_up(receiver, meter.counter(i))));
        let producers = senders.into_iter().map(|tx| |meter: &Meter| blocking::send_on(tx, meter)).collect();
        let sent = thread::scope(|scope| crew::join(crew::produce(scope, setting, &meter, producers)));
        (sent, runtime.block_on(join_all(consumers)))
    };
    meter.measure(setting, work) / 1e6
}

/// Runs one sample. Returns millions of messages a second.
///
/// # Panics
/// If the work was not done, or the load is not of this kind.
pub fn run_from<P: FromAsync>(load: &Load, setting: &Setting) -> f64 {
    let (senders, receivers) = P::open_from_async(shape(load));
    let meter = Meter::new(receivers.len());
    let work = || {
        let runtime = Flavor::TwoWorkers.start(setting);
        let _entered = runtime.enter();
        let producers =
            spawn_all(senders.into_iter().map(|sender| asynchronous::send_on(sender, meter.clone())));
        let consumers = receivers.into_iter().map(|rx| |counter: &Counter| blocking::add_up(rx, counter));
        let consumers = consumers.collect();
        let received = thread::scope(|scope| crew::join(crew::consume(scope, setting, &meter, consumers)));
        (runtime.block_on(join_all(producers)), received)
    };
    meter.measure(setting, work) / 1e6
}

fn shape(load: &Load) -> Shape {
    match *load {
        Load::IntoAsync(shape) | Load::FromAsync(shape) => shape,
        _ => unreachable!("asked first whether it fits"),
    }
}
