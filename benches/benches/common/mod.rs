//! What the benches share: cells of the comparison as criterion groups.

use criterion::{BenchmarkId, Criterion, Throughput};
use millpond_benches::cell::{Cell, Unit};
use millpond_benches::pin::Placement;
use millpond_benches::setting::Setting;
use std::time::Duration;

/// How long one sample is measured.
const WINDOW: Duration = Duration::from_millis(5);

/// Peers that criterion, which has no time limit, would wait for for ever.
fn may_hang(cell: &str, peer: &str) -> bool {
    peer == "crossfire mpmc" && cell.ends_with("4x4/cap1")
}

/// Benches millpond and its peers in the chosen cells. An iteration is a message, or a job: a sample says how long one takes,
/// whatever number criterion asks for.
pub(crate) fn bench(criterion: &mut Criterion, chosen: impl Fn(&str) -> bool) {
    let setting = Setting { placement: Placement::Free, window: WINDOW };
    for cell in Cell::all().iter().filter(|cell| cell.unit == Unit::Millions && chosen(&cell.name)) {
        let mut group = criterion.benchmark_group(&cell.name);
        group.throughput(Throughput::Elements(1));
        group
            .sample_size(10)
            .warm_up_time(Duration::from_millis(50))
            .measurement_time(Duration::from_millis(200));
        for peer in cell.peers().iter().filter(|peer| !may_hang(&cell.name, peer.name)) {
            group.bench_with_input(BenchmarkId::from_parameter(peer.name), &setting, |bencher, setting| {
                bencher.iter_custom(|times| {
                    let millions = peer.run(&cell.load, setting).expect("it takes part");
                    Duration::from_secs_f64(times as f64 / (millions * 1e6))
                });
            });
        }
        group.finish();
    }
}
