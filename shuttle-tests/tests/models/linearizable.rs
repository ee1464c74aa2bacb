//! Channels under shuttle's schedules, held against the queue that they say they are. Scripts are drawn anew for each schedule.

use crate::harness::{Model, spawn};
use crate::linear::{Clock, Kind, Random, ends, is_linearizable, scripts};
use std::sync::Arc;

/// Operations of a thread, `close` included.
const MOST: u64 = 5;

fn held_against_the_queue(name: &'static str, kind: Kind) {
    Model::new(name, 1_000).run(move || {
        let mut draw = shuttle::rand::thread_rng();
        let mut random = Random(shuttle::rand::Rng::gen_range(&mut draw, 1..u64::MAX));
        let capacity = 1 + random.below(3) as usize;
        let threads = kind.roles(3).len();
        let clock = Arc::new(Clock::default());
        let parts = ends(kind, threads, capacity).into_iter().zip(scripts(kind, threads, MOST, &mut random));
        let threads: Vec<_> = parts
            .enumerate()
            .map(|(thread, (mut ends, script))| {
                let clock = Arc::clone(&clock);
                spawn(move || {
                    let record = |op| clock.record(thread, op, |op| ends.perform(op));
                    let calls: Vec<_> = script.into_iter().map(record).collect();
                    (calls, ends)
                })
            })
            .collect();
        let all: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        let history: Vec<_> = all.iter().flat_map(|(calls, _)| calls.iter().cloned()).collect();
        assert!(
            is_linearizable(&history, kind, capacity),
            "capacity {capacity}: no order explains {history:#?}"
        );
    });
}

#[test]
fn mpmc_is_linearizable() {
    held_against_the_queue("mpmc_is_linearizable", Kind::Mpmc);
}

#[test]
fn mpsc_is_linearizable() {
    held_against_the_queue("mpsc_is_linearizable", Kind::Mpsc);
}

#[test]
fn spsc_is_linearizable() {
    held_against_the_queue("spsc_is_linearizable", Kind::Spsc);
}
