//! Throughput of a worker pool with empty jobs and with jobs of 10 us, millpond beside its peers. Every iteration accounts
//! for every job.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use millpond_benches::cells::POOL_CAPACITY;
use millpond_benches::peers;
use millpond_benches::pool_load::{Load, rounds_for};
use std::time::Duration;

/// Threads that run jobs.
const WORKERS: usize = 2;

/// For each kind of job: its length, and how many make one iteration.
const JOBS: [(Duration, u64); 2] = [(Duration::ZERO, 20_000), (Duration::from_micros(10), 2_000)];

fn throughput(c: &mut Criterion) {
    for (busy, jobs) in JOBS {
        let load = Load { workers: WORKERS, capacity: POOL_CAPACITY, jobs, rounds: rounds_for(busy) };
        let mut group = c.benchmark_group(format!("pool {WORKERS} workers, {} us jobs", busy.as_micros()));
        group.throughput(Throughput::Elements(jobs));
        for peer in peers::pools() {
            group.bench_function(BenchmarkId::from_parameter(peer.name()), |bencher| {
                bencher.iter_custom(|iterations| (0..iterations).map(|_| peer.run(&load)).sum());
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = pool;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .without_plots();
    targets = throughput
}
criterion_main!(pool);
