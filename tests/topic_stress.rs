//! Several threads publish while subscriptions come and go: by invariants, not by timing.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

mod common;

use common::Watchdog;
use futures::executor::block_on;
use millpond::topic::{Event, RecvTimeoutError, Subscription, Topics};
use millpond::{Context, Pool};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

const PUBLISHERS: usize = 3;
const TOPICS: usize = 4;
const LONG: Duration = Duration::from_secs(60);

/// The `number`th event of a publisher.
#[derive(Clone, Debug)]
struct Mark {
    publisher: usize,
    number: usize,
}

/// How far a publisher is: events whose publishing has begun, and those whose publishing is over.
#[derive(Default)]
struct Progress {
    begun: AtomicUsize,
    over: AtomicUsize,
}

struct World {
    topics: Topics<Mark>,
    progress: [Progress; PUBLISHERS],
    stop: AtomicBool,
}

impl World {
    fn new() -> Arc<Self> {
        Arc::new(Self { topics: Topics::new(), progress: Default::default(), stop: AtomicBool::new(false) })
    }

    /// Publishes event after event, each on the topic that its number says, until told to stop.
    fn publish(&self, publisher: usize) {
        let topics: Vec<_> =
            (0..TOPICS).map(|topic| self.topics.topic(format!("t.{topic}")).unwrap()).collect();
        let progress = &self.progress[publisher];
        for number in 0.. {
            if self.stop.load(SeqCst) {
                return;
            }
            progress.begun.store(number + 1, SeqCst);
            let mark = Mark { publisher, number };
            topics[number % TOPICS].publish(mark).unwrap();
            progress.over.store(number + 1, SeqCst);
        }
    }

    /// Subscribes, looks at what comes, and ends, again and again.
    fn come_and_go(&self, seed: usize, rounds: usize, dog: &Watchdog) {
        for round in 0..rounds {
            let topic = (seed + round) % (TOPICS + 1);
            let all = topic == TOPICS;
            let pattern = if all { "t.#".to_owned() } else { format!("t.{topic}") };
            let capacity = 1 + (seed + round) % 5;
            let subscription = self.topics.subscribe(pattern).unwrap().lossless(capacity).unwrap();
            // Whatever begins to be published from here on has to come.
            let begun = self.progress.each_ref().map(|progress| progress.begun.load(SeqCst));
            let step = if all { 1 } else { TOPICS };
            self.look(subscription, begun, (topic % TOPICS, step), 20 + round % 30);
            dog.pet();
        }
    }

    /// Receives at least `least` events, then all whose publishing was over by then, and checks them.
    fn look(
        &self,
        mut subscription: Subscription<Mark>,
        begun: [usize; PUBLISHERS],
        (topic, step): (usize, usize),
        least: usize,
    ) {
        // The next event of each publisher, once one was seen.
        let mut next = [None; PUBLISHERS];
        let mut over = [0; PUBLISHERS];
        let mut count = 0;
        loop {
            if count == least {
                over = self.progress.each_ref().map(|progress| progress.over.load(SeqCst));
            }
            let complete = (0..PUBLISHERS).all(|publisher| {
                // The first event at or after `begun` on our topics, and the end of those that are over.
                let first = first_from(begun[publisher], topic, step);
                first >= over[publisher] || next[publisher].is_some_and(|next| next >= over[publisher])
            });
            if count >= least && complete {
                return;
            }
            let Mark { publisher, number } =
                subscription.recv_timeout(LONG).map(Event::into_value).expect("an event that has to come");
            if step > 1 {
                assert_eq!(number % step, topic, "an event of another topic");
            }
            match next[publisher] {
                None => assert!(number <= first_from(begun[publisher], topic, step), "missed the first"),
                Some(next) => assert_eq!(number, next, "lost, repeated or out of order"),
            }
            next[publisher] = Some(number + step);
            count += 1;
        }
    }
}

/// The first number from `from` on that is published on a topic.
fn first_from(from: usize, topic: usize, step: usize) -> usize {
    if step == 1 { from } else { from + (topic + step - from % step) % step }
}

#[test]
fn each_subscriber_sees_every_event_from_its_beginning_to_its_end_in_order() {
    let dog = Arc::new(Watchdog::start("subscribers come and go"));
    let world = World::new();
    let publishers: Vec<_> = (0..PUBLISHERS)
        .map(|publisher| {
            let world = Arc::clone(&world);
            thread::spawn(move || world.publish(publisher))
        })
        .collect();
    let subscribers: Vec<_> = (0..3)
        .map(|seed| {
            let (world, dog) = (Arc::clone(&world), Arc::clone(&dog));
            thread::spawn(move || world.come_and_go(seed, 400, &dog))
        })
        .collect();
    for subscriber in subscribers {
        subscriber.join().unwrap();
    }
    world.stop.store(true, SeqCst);
    for publisher in publishers {
        publisher.join().unwrap();
    }
    let stats = world.topics.stats();
    assert_eq!(stats.subscriptions, 0);
    println!(
        "{stats:?}, published {:?}",
        world.progress.each_ref().map(|progress| progress.over.load(SeqCst))
    );
}

/// Subscriptions with room for one, which every publisher needs all of, in changing company: nobody waits for ever.
#[test]
fn publishers_that_need_the_same_places_all_get_on() {
    const EACH: usize = 2_000;
    let dog = Watchdog::start("publishers in each other's way");
    let topics = Topics::<usize>::new();
    // Topic `a.b` needs the first two, `b.c` the last two, `a.c` the outer two.
    let patterns = [["a.b", "a.c"], ["a.b", "b.c"], ["b.c", "a.c"]];
    let readers: Vec<_> = patterns
        .into_iter()
        .map(|wanted| {
            let mut subscription = topics
                .subscribe("#")
                .unwrap()
                .filter(move |event| wanted.contains(&event.topic().as_str()))
                .lossless(1)
                .unwrap();
            thread::spawn(move || {
                let mut count = 0;
                while subscription.recv().is_ok() {
                    count += 1;
                }
                count
            })
        })
        .collect();
    let publishers: Vec<_> = ["a.b", "b.c", "a.c"]
        .into_iter()
        .map(|name| {
            let topic = topics.topic(name).unwrap();
            thread::spawn(move || {
                for number in 0..EACH {
                    let report = if number % 3 == 0 {
                        block_on(topic.publish_async(number))
                    } else {
                        topic.publish(number)
                    };
                    assert_eq!(report.unwrap().reached, 2);
                }
            })
        })
        .collect();
    for publisher in publishers {
        publisher.join().unwrap();
        dog.pet();
    }
    drop(topics);
    for reader in readers {
        assert_eq!(reader.join().unwrap(), 2 * EACH);
    }
}

/// Closing while everybody is busy: publishers and subscribers end, and no event is lost on its way.
#[test]
fn closing_in_the_middle_ends_everybody() {
    let dog = Watchdog::start("closing in the middle");
    for _ in 0..50 {
        let topics = Topics::<usize>::new();
        let topic = topics.topic("x").unwrap();
        let mut subscription = topics.subscribe("#").unwrap().lossless(2).unwrap();
        let publisher = thread::spawn(move || {
            let mut reached = 0;
            while let Ok(report) = topic.publish(reached) {
                reached += report.reached;
            }
            reached
        });
        let reader = thread::spawn(move || {
            let mut next = 0;
            loop {
                match subscription.recv_timeout(LONG) {
                    Ok(event) => assert_eq!(event.into_value(), next),
                    Err(RecvTimeoutError::Closed) => return next,
                    Err(error) => panic!("{error}"),
                }
                next += 1;
            }
        });
        for _ in 0..100 {
            thread::yield_now();
        }
        topics.close();
        assert_eq!(publisher.join().unwrap(), reader.join().unwrap());
        dog.pet();
    }
}

/// Feeds of a queue with little room come and go while publishers wait for it, and others who submit to it: nobody's wake-up
/// is lost, and the queue gets what the reports say.
#[test]
fn feeds_come_and_go_while_all_wait_for_the_queue() {
    const EACH: u64 = 3_000;
    let dog = Arc::new(Watchdog::start("feeds come and go"));
    for capacity in [2, 3] {
        let topics = Topics::<u64>::new();
        let pool = Pool::builder().workers(1).capacity(capacity).start(|_: &u64, _: &Context| ()).unwrap();
        let mut feed = topics.subscribe("x").unwrap().to_queue(&pool.handle()).unwrap();
        let publishers: Vec<_> = [false, true]
            .into_iter()
            .map(|tasks| {
                let (topic, dog) = (topics.topic("x").unwrap(), Arc::clone(&dog));
                thread::spawn(move || {
                    let publish = |value| {
                        dog.pet();
                        if tasks { block_on(topic.publish_async(value)) } else { topic.publish(value) }
                    };
                    (0..EACH).map(|value| publish(value).unwrap().reached as u64).sum::<u64>()
                })
            })
            .collect();
        let submitter = thread::spawn({
            let handle = pool.handle();
            move || (0..EACH).all(|value| handle.submit(value).is_ok())
        });
        while !publishers.iter().all(thread::JoinHandle::is_finished) {
            let next = topics.subscribe("#").unwrap().to_queue(&pool.handle()).unwrap();
            thread::yield_now();
            feed = next;
            thread::yield_now();
        }
        drop(feed);
        assert!(submitter.join().unwrap());
        let reached: u64 = publishers.into_iter().map(|publisher| publisher.join().unwrap()).sum();
        assert!(pool.wait_idle(LONG));
        assert_eq!(pool.stats().submitted, EACH + reached);
        assert!(reached > 0);
        println!("capacity {capacity}: {reached} events reached the queue");
    }
}
