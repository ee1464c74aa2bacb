//! Throughput of broadcast channels, for regressions. `cargo bench -p millpond-benches --bench broadcast`.

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

mod common;

use criterion::{Criterion, criterion_group, criterion_main};

fn broadcasts(criterion: &mut Criterion) {
    common::bench(criterion, |cell| {
        cell.starts_with("broadcast/") && (cell.ends_with("/1x1") || cell.ends_with("/1x4"))
    });
}

criterion_group!(benches, broadcasts);
criterion_main!(benches);
