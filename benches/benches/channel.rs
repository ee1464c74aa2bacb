//! Blocking throughput of the channels, for regressions. `cargo bench -p millpond-benches --bench channel`.

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use millpond_benches::channel::Load;
use millpond_benches::peers;
use millpond_benches::pin::Placement;
use std::time::Duration;

/// Per iteration: enough to make the start of the threads small beside it, few enough for capacity 1.
const MESSAGES: u64 = 20_000;

fn channels(criterion: &mut Criterion) {
    for (producers, consumers) in [(1, 1), (4, 1), (4, 4)] {
        for capacity in [1, 64, 1024] {
            let mut group =
                criterion.benchmark_group(format!("channel/{producers}x{consumers}/cap{capacity}"));
            group.throughput(Throughput::Elements(MESSAGES));
            group
                .sample_size(10)
                .warm_up_time(Duration::from_millis(300))
                .measurement_time(Duration::from_secs(2));
            let load =
                Load { producers, consumers, capacity, messages: MESSAGES, placement: Placement::Free };
            for peer in peers::channels() {
                group.bench_with_input(BenchmarkId::from_parameter(peer.name), &load, |bencher, load| {
                    bencher.iter_custom(|times| (0..times).map(|_| (peer.run)(load)).sum());
                });
            }
            group.finish();
        }
    }
}

criterion_group!(benches, channels);
criterion_main!(benches);
