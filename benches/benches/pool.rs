//! Throughput of the pools, for regressions. `cargo bench -p millpond-benches --bench pool`.

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

mod common;

use criterion::{Criterion, criterion_group, criterion_main};

fn pools(criterion: &mut Criterion) {
    common::bench(criterion, |cell| cell.starts_with("pool/"));
}

criterion_group!(benches, pools);
criterion_main!(benches);
