//! Throughput of the pools, for regressions. `cargo bench -p millpond-benches --bench pool`.

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use millpond_benches::peers;
use millpond_benches::pin::Placement;
use millpond_benches::pool::{Job, Load};
use std::time::Duration;

fn pools(criterion: &mut Criterion) {
    for (job, name, jobs) in [(Job::Empty, "empty", 50_000), (Job::TenMicros, "10us", 2_000)] {
        for producers in [1, 4] {
            let mut group = criterion.benchmark_group(format!("pool/{name}/{producers} producers"));
            group.throughput(Throughput::Elements(jobs));
            group
                .sample_size(10)
                .warm_up_time(Duration::from_millis(300))
                .measurement_time(Duration::from_secs(2));
            let load = Load { producers, workers: 2, jobs, job, placement: Placement::Free };
            for peer in peers::pools() {
                group.bench_with_input(BenchmarkId::from_parameter(peer.name), &load, |bencher, load| {
                    bencher.iter_custom(|times| (0..times).map(|_| (peer.run)(load)).sum());
                });
            }
            group.finish();
        }
    }
}

criterion_group!(benches, pools);
criterion_main!(benches);
