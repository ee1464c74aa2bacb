//! Threads that produce, threads that consume, and a meter beside them.

#![forbid(unsafe_code)]

use crate::meter::{Counter, Meter, Tally};
use crate::setting::Setting;
use std::thread::{self, Scope, ScopedJoinHandle};

/// Runs each closure on a thread of its own and measures what the consumers count. Returns messages a second.
///
/// A producer sends for as long as the meter says and returns what it sent; when all are gone the consumers must end.
///
/// # Panics
/// If what was received is not what was sent.
pub fn run<P, C>(setting: &Setting, producers: Vec<P>, consumers: Vec<C>) -> f64
where
    P: FnOnce(&Meter) -> Tally + Send,
    C: FnOnce(&Counter) -> Tally + Send,
{
    let meter = Meter::new(consumers.len());
    meter.measure(setting, || {
        thread::scope(|scope| {
            let consumers = consume(scope, setting, &meter, consumers);
            let producers = produce(scope, setting, &meter, producers);
            (join(producers), join(consumers))
        })
    })
}

/// Starts the producers.
pub fn produce<'scope, P>(
    scope: &'scope Scope<'scope, '_>,
    setting: &Setting,
    meter: &Meter,
    producers: Vec<P>,
) -> Vec<ScopedJoinHandle<'scope, Tally>>
where
    P: FnOnce(&Meter) -> Tally + Send + 'scope,
{
    let start = |(index, produce): (usize, P)| {
        let (meter, placement) = (meter.clone(), setting.placement);
        scope.spawn(move || {
            placement.producer(index);
            produce(&meter)
        })
    };
    producers.into_iter().enumerate().map(start).collect()
}

/// Starts the consumers.
pub fn consume<'scope, C>(
    scope: &'scope Scope<'scope, '_>,
    setting: &Setting,
    meter: &Meter,
    consumers: Vec<C>,
) -> Vec<ScopedJoinHandle<'scope, Tally>>
where
    C: FnOnce(&Counter) -> Tally + Send + 'scope,
{
    let start = |(index, consume): (usize, C)| {
        let (counter, placement) = (meter.counter(index), setting.placement);
        scope.spawn(move || {
            placement.consumer(index);
            consume(&counter)
        })
    };
    consumers.into_iter().enumerate().map(start).collect()
}

/// Waits for all and adds them up.
///
/// # Panics
/// If one of them panicked.
pub fn join(threads: Vec<ScopedJoinHandle<'_, Tally>>) -> Tally {
    threads.into_iter().map(|thread| thread.join().expect("a thread of the crew does not panic")).sum()
}
