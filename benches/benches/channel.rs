//! Blocking and async throughput of the channels, for regressions. `cargo bench -p millpond-benches --bench channel`.

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

mod common;

use criterion::{Criterion, criterion_group, criterion_main};

fn channels(criterion: &mut Criterion) {
    common::bench(criterion, |cell| {
        let sides = ["/1x1/", "/4x1/", "/4x4/"].iter().any(|sides| cell.contains(sides));
        let capacities = ["/cap1", "/cap64", "/cap1024"].iter().any(|capacity| cell.ends_with(capacity));
        (cell.starts_with("blocking/") || cell.starts_with("async/mt2/")) && sides && capacities
    });
}

criterion_group!(benches, channels);
criterion_main!(benches);
