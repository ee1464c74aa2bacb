//! Blocking throughput of a channel of numbers, millpond beside its peers. Every iteration accounts for every message.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use millpond_benches::cells::CAPACITIES;
use millpond_benches::channel_load::Shape;
use millpond_benches::peers;
use std::time::Duration;

/// Threads on either side.
const SIDES: [(usize, usize); 3] = [(1, 1), (4, 1), (4, 4)];

/// Messages in one iteration: enough that starting together does not matter.
const MESSAGES: u64 = 20_000;

fn throughput(c: &mut Criterion) {
    for (senders, receivers) in SIDES {
        for capacity in CAPACITIES {
            let shape = Shape { senders, receivers, capacity };
            let mut group = c.benchmark_group(format!("channel {shape}"));
            group.throughput(Throughput::Elements(MESSAGES));
            for peer in peers::channels() {
                group.bench_function(BenchmarkId::from_parameter(peer.name()), |bencher| {
                    bencher.iter_custom(|iterations| {
                        (0..iterations).map(|_| peer.run(shape, MESSAGES, false)).sum()
                    });
                });
            }
            group.finish();
        }
    }
}

criterion_group! {
    name = channel;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .without_plots();
    targets = throughput
}
criterion_main!(channel);
