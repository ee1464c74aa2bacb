//! Publishing to one topic that one subscription matches, among many that do not: what do the others cost?
//! `cargo bench -p millpond-benches --bench topic`.

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use millpond::topic::{Event, Subscription, Topic, Topics};
use std::hint::black_box;
use std::time::Duration;

/// How many subscriptions there are, the one that matches included.
const SUBSCRIPTIONS: [usize; 3] = [10, 1_000, 10_000];
const NAME: &str = "user.signed_up";

/// A registry with a topic, and so many subscriptions that do not match it.
struct Crowd {
    topics: Topics<u64>,
    topic: Topic<u64>,
    others: Vec<Subscription<u64>>,
}

impl Crowd {
    fn new(others: usize) -> Self {
        let topics = Topics::new();
        let topic = topics.topic(NAME).expect("a good name");
        let others = (0..others).map(|number| subscribe(&topics, &pattern(number))).collect();
        Self { topics, topic, others }
    }

    /// Publishes a number, and has the one subscription that matches receive it.
    fn publish(&self, matching: &mut Subscription<u64>, number: u64) {
        let report = self.topic.try_publish(black_box(number)).expect("there is room");
        assert_eq!(report.reached, 1);
        assert_eq!(matching.try_recv().map(Event::into_value), Ok(number));
    }

    fn check(&self) {
        assert!(self.others.iter().all(|other| other.stats().reached == 0), "nobody else has received any");
    }
}

fn subscribe(topics: &Topics<u64>, pattern: &str) -> Subscription<u64> {
    topics.subscribe(pattern).expect("a good pattern").lossless(1).expect("there is room for it")
}

/// Exact names, `*` and `#`, in front, in the middle and at the end; none matches.
fn pattern(number: usize) -> String {
    match number % 5 {
        0 => format!("user.other{number}"),
        1 => format!("user{number}.*"),
        2 => format!("*.other{number}"),
        3 => format!("user{number}.#"),
        _ => format!("#.other{number}.*"),
    }
}

fn publish(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("topic/publish and receive");
    group.throughput(Throughput::Elements(1));
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    for subscriptions in SUBSCRIPTIONS {
        let crowd = Crowd::new(subscriptions - 1);
        let mut matching = subscribe(&crowd.topics, "user.*");
        let mut number = 0;
        group.bench_function(BenchmarkId::from_parameter(subscriptions), |bencher| {
            bencher.iter(|| {
                crowd.publish(&mut matching, number);
                number += 1;
            });
        });
        crowd.check();
        let stats = crowd.topics.stats();
        assert_eq!(
            (stats.subscriptions, stats.look_ups),
            (subscriptions, 1),
            "looked up once for all events"
        );
        assert_eq!(matching.stats().reached, number);
    }
    group.finish();
}

/// The dearest event for a registry: the subscription comes for it and goes after it, so the topic is looked up anew.
fn look_up(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("topic/subscribe, publish, receive and leave");
    group.throughput(Throughput::Elements(1));
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    for subscriptions in SUBSCRIPTIONS {
        let crowd = Crowd::new(subscriptions - 1);
        let mut number = 0;
        group.bench_function(BenchmarkId::from_parameter(subscriptions), |bencher| {
            bencher.iter(|| {
                crowd.publish(&mut subscribe(&crowd.topics, "user.*"), number);
                number += 1;
            });
        });
        crowd.check();
        assert_eq!(crowd.topics.stats().look_ups, number);
    }
    group.finish();
}

criterion_group!(benches, publish, look_up);
criterion_main!(benches);
