//! Topics that feed work queues: each has its own workers, retries and dead letters, and nobody else's.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

mod common;

use common::Sleeper;
use millpond::topic::{Feed, PublishError, SubscribeError, Topic, Topics};
use millpond::{Context, Outcome, Pool, RetryPolicy, VirtualClock};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

type Log = Arc<Mutex<Vec<u32>>>;

/// A pool with one worker that writes its jobs down, with room for `capacity`.
fn writer(name: &str, capacity: usize) -> (Pool<u32>, Log) {
    let log = Log::default();
    let pool = Pool::builder()
        .name(name)
        .workers(1)
        .capacity(capacity)
        .start({
            let log = Arc::clone(&log);
            move |job: &u32, _: &Context| log.lock().unwrap().push(*job)
        })
        .unwrap();
    (pool, log)
}

/// A pool whose only worker does nothing before it is released.
fn stopped(name: &str, capacity: usize) -> (Pool<u32>, Arc<AtomicBool>) {
    let released = Arc::new(AtomicBool::new(false));
    let pool = Pool::builder()
        .name(name)
        .workers(1)
        .capacity(capacity)
        .start({
            let released = Arc::clone(&released);
            move |_: &u32, _: &Context| {
                while !released.load(SeqCst) {
                    std::thread::yield_now();
                }
            }
        })
        .unwrap();
    (pool, released)
}

#[track_caller]
fn quiet<T>(pool: &Pool<T>) {
    assert!(pool.wait_idle(LONG), "{:?}", pool.stats());
    assert!(pool.stats().balances(), "{:?}", pool.stats());
}

fn topic(topics: &Topics<u32>) -> Topic<u32> {
    topics.topic("user.signed_up").unwrap()
}

#[test]
fn each_queue_gets_every_event_in_order() {
    let topics = Topics::new();
    let topic = topic(&topics);
    let (mail, mail_log) = writer("mail", 1_000);
    let (audit, audit_log) = writer("audit", 1_000);
    let mail_feed = topic.to_queue(&mail.handle()).unwrap();
    let audit_feed = topics.subscribe("#").unwrap().named("audit log").to_queue(&audit.handle()).unwrap();
    for n in 0..500 {
        assert_eq!(topic.publish(n).unwrap().reached, 2);
    }
    for (pool, log) in [(&mail, &mail_log), (&audit, &audit_log)] {
        quiet(pool);
        assert_eq!(*log.lock().unwrap(), (0..500).collect::<Vec<_>>());
    }
    assert_eq!((mail_feed.info().name(), mail_feed.info().pattern().as_str()), ("mail", "user.signed_up"));
    assert_eq!((audit_feed.info().name(), audit_feed.stats().reached), ("audit log", 500));
    assert!(format!("{mail_feed:?}").contains("mail"));
}

#[test]
fn one_queues_failures_touch_no_other() {
    let topics = Topics::new();
    let topic = topic(&topics);
    let (healthy, healthy_log) = writer("healthy", 100);
    let time = VirtualClock::new();
    let attempts = Arc::new(AtomicUsize::new(0));
    let failing = Pool::builder()
        .name("failing")
        .workers(1)
        .capacity(100)
        .clock(time.clock())
        .retry(RetryPolicy::fixed(Duration::from_secs(3600)).max_attempts(3))
        .start({
            let attempts = Arc::clone(&attempts);
            move |job: &u32, _: &Context| {
                attempts.fetch_add(1, SeqCst);
                match job % 3 {
                    0 => Outcome::retry("down"),
                    1 => Outcome::dead("never"),
                    _ => panic!("at every attempt"),
                }
            }
        })
        .unwrap();
    let mut mailbox = topics.subscribe("user.*").unwrap().lossless(100).unwrap();
    let _feeds = [topic.to_queue(&failing.handle()).unwrap(), topic.to_queue(&healthy.handle()).unwrap()];
    for n in 0..60 {
        assert_eq!(topic.try_publish(n).unwrap().reached, 3);
    }
    for _ in 0..3 {
        quiet(&failing);
        time.advance(Duration::from_secs(3600));
    }
    quiet(&failing);
    quiet(&healthy);
    assert_eq!((failing.stats().dead, failing.stats().done), (60, 0));
    assert_eq!(attempts.load(SeqCst), 20 * 3 + 20 + 20 * 3);
    assert_eq!(*healthy_log.lock().unwrap(), (0..60).collect::<Vec<_>>());
    assert_eq!((healthy.stats().done, healthy.stats().dead, healthy.stats().retried), (60, 0, 0));
    assert_eq!(mailbox.len(), 60);
    // A dead letter is its queue's own: redriven, it comes back to that queue alone.
    assert_eq!(failing.dead().redrive_all().unwrap(), 60);
    quiet(&failing);
    assert_eq!((healthy.stats().submitted, mailbox.recv().unwrap().into_value()), (60, 0));
}

#[test]
fn a_full_queue_that_loses_nothing_gates_the_publisher() {
    let topics = Topics::new();
    let topic = topic(&topics);
    let (slow, released) = stopped("slow", 3);
    let mut mailbox = topic.subscribe().lossless(100).unwrap();
    let feed = topic.to_queue(&slow.handle()).unwrap();
    for n in 0..3 {
        topic.publish(n).unwrap();
    }
    for _ in 0..10 {
        let error = topic.try_publish(3).unwrap_err();
        assert!(matches!(&error, PublishError::Full(3, who) if who.name() == "slow"));
    }
    assert!(matches!(topic.publish_timeout(3, Duration::from_millis(5)), Err(PublishError::Timeout(3, _))));
    assert_eq!((mailbox.len(), feed.stats().reached, slow.stats().held), (3, 3, 3));
    let waiting = Sleeper::asleep({
        let topic = topic.clone();
        move || topic.publish(3).unwrap().reached
    });
    released.store(true, SeqCst);
    assert_eq!(waiting.join(), 2);
    quiet(&slow);
    assert_eq!((slow.stats().submitted, slow.stats().done, mailbox.len()), (4, 4, 4));
    assert_eq!(mailbox.recv().unwrap().into_value(), 0);
}

#[test]
fn a_full_queue_that_may_lose_loses_and_counts() {
    let topics = Topics::new();
    let topic = topic(&topics);
    let (slow, released) = stopped("slow", 3);
    let feeds: [Feed<u32>; 2] = [
        topic.to_queue_lossy(&slow.handle()).unwrap(),
        topics.subscribe("order.*").unwrap().to_queue_lossy_with(&slow.handle(), |event| *event).unwrap(),
    ];
    let mut mailbox = topic.subscribe().lossless(100).unwrap();
    for n in 0..10 {
        let report = topic.publish(n).unwrap();
        let fits = usize::from(n < 3);
        assert_eq!((report.reached, report.dropped), (1 + fits, 1 - fits));
    }
    assert_eq!((feeds[0].stats().reached, feeds[0].stats().dropped), (3, 7));
    assert_eq!(feeds[1].stats().dropped, 0);
    released.store(true, SeqCst);
    quiet(&slow);
    assert_eq!(topic.publish(10).unwrap().reached, 2);
    quiet(&slow);
    assert_eq!((slow.stats().done, mailbox.len()), (4, 11));
    assert_eq!(mailbox.recv().unwrap().into_value(), 0);
}

#[test]
fn jobs_can_be_made_from_events() {
    let topics = Topics::<u32>::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let pool = Pool::builder()
        .workers(1)
        .start({
            let seen = Arc::clone(&seen);
            move |job: &String, _: &Context| seen.lock().unwrap().push(job.clone())
        })
        .unwrap();
    let feed = topics
        .subscribe("#")
        .unwrap()
        .filter(|n| **n != 2)
        .to_queue_with(&pool.handle(), |event| {
            assert!(*event != 3, "no job can be made of this");
            format!("{}={}", event.topic(), *event)
        })
        .unwrap();
    let mut mailbox = topics.subscribe("#").unwrap().lossless(8).unwrap();
    for n in 1..=4 {
        topics.topic(format!("n{n}")).unwrap().publish(n).unwrap();
    }
    quiet(&pool);
    assert_eq!(*seen.lock().unwrap(), ["n1=1", "n4=4"]);
    let stats = feed.stats();
    assert_eq!((stats.reached, stats.filtered, stats.panicked, stats.dropped), (2, 1, 1, 0));
    assert_eq!((pool.stats().submitted, pool.stats().held, mailbox.len()), (2, 0, 4));
    assert_eq!(mailbox.recv().unwrap().into_value(), 1);
}

#[test]
fn a_queue_that_is_shut_down_is_passed_over_and_forgotten() {
    let topics = Topics::new();
    let topic = topic(&topics);
    let (gone, _) = writer("gone", 8);
    let (stays, log) = writer("stays", 8);
    let _feeds = [topic.to_queue(&gone.handle()).unwrap(), topic.to_queue(&stays.handle()).unwrap()];
    assert_eq!(topic.publish(1).unwrap().reached, 2);
    assert_eq!(gone.shutdown(LONG).done, 1);
    assert_eq!(topics.stats().subscriptions, 2);
    assert_eq!(topic.publish(2).unwrap().reached, 1);
    assert_eq!(topics.stats().subscriptions, 1);
    assert_eq!(topic.publish(3).unwrap().reached, 1);
    quiet(&stays);
    assert_eq!(*log.lock().unwrap(), [1, 2, 3]);
    assert!(gone.stats().balances());
}

#[test]
fn shutting_a_full_queue_down_lets_the_publisher_go() {
    let topics = Topics::new();
    let topic = topic(&topics);
    let (slow, released) = stopped("slow", 1);
    let _feed = topic.to_queue(&slow.handle()).unwrap();
    let mut mailbox = topic.subscribe().lossless(8).unwrap();
    topic.publish(1).unwrap();
    let waiting = Sleeper::asleep({
        let topic = topic.clone();
        move || topic.publish(2).unwrap().reached
    });
    let report = slow.shutdown(Duration::ZERO);
    assert_eq!(report.cut_off.len() + report.released.len(), 1);
    assert_eq!(waiting.join(), 1);
    released.store(true, SeqCst);
    assert_eq!(mailbox.recv().unwrap().into_value() + mailbox.recv().unwrap().into_value(), 3);
}

#[test]
fn a_dropped_feed_ends_and_a_detached_one_goes_on() {
    let topics = Topics::new();
    let topic = topic(&topics);
    let (pool, log) = writer("pool", 8);
    let feed = topic.to_queue(&pool.handle()).unwrap();
    topic.publish(1).unwrap();
    drop(feed);
    assert_eq!(topic.publish(2).unwrap().reached, 0);
    topic.to_queue(&pool.handle()).unwrap().detach();
    topic.publish(3).unwrap();
    assert_eq!(topics.stats().subscriptions, 1);
    topics.close();
    assert_eq!(topic.to_queue(&pool.handle()).unwrap_err(), SubscribeError::Closed);
    pool.submit(4).unwrap();
    quiet(&pool);
    assert_eq!(*log.lock().unwrap(), [1, 3, 4], "the queue outlives the topics");
}

/// Feeds of one queue get their places at once: publishers that need two never hold the one that the other waits for, nor
/// sleep while one that needs a single place could go on.
#[test]
fn several_feeds_of_one_queue_share_its_room() {
    const EACH: u32 = 3_000;
    let _watchdog = common::Watchdog::start("several feeds of one queue");
    for capacity in [2, 3] {
        let topics = Topics::<u32>::new();
        let (pool, log) = writer("shared", capacity);
        let _feeds = [
            topics.subscribe("twice").unwrap().to_queue(&pool.handle()).unwrap(),
            topics.subscribe("#").unwrap().to_queue_with(&pool.handle(), |event| *event + 1).unwrap(),
        ];
        let publishers: Vec<_> = [("twice", 10_000), ("twice", 20_000), ("once", 30_000), ("once", 40_000)]
            .into_iter()
            .map(|(name, first)| {
                let topic = topics.topic(name).unwrap();
                std::thread::spawn(move || {
                    for n in (first..first + 2 * EACH).step_by(2) {
                        let report = if n % 3 == 0 {
                            futures::executor::block_on(topic.publish_async(n))
                        } else {
                            topic.publish(n)
                        };
                        assert_eq!(report.unwrap().reached, if first < 30_000 { 2 } else { 1 });
                    }
                })
            })
            .collect();
        publishers.into_iter().for_each(|publisher| publisher.join().unwrap());
        quiet(&pool);
        let mut seen = std::mem::take(&mut *log.lock().unwrap());
        seen.sort_unstable();
        let twice = (10_000..10_000 + 2 * EACH).chain(20_000..20_000 + 2 * EACH);
        let once = [30_000, 40_000].into_iter().flat_map(|first| (first + 1..first + 2 * EACH).step_by(2));
        assert_eq!(seen, twice.chain(once).collect::<Vec<_>>());
    }
}

/// A publisher that needs two places takes none while there is one; nor does it take a wake-up from those who need one.
#[test]
fn a_queue_with_room_for_one_of_two_feeds_takes_neither() {
    let topics = Topics::<u32>::new();
    let topic = topic(&topics);
    let (finish, finished) = std::sync::mpsc::channel();
    let finished = Mutex::new(finished);
    let slow = Pool::builder()
        .name("slow")
        .workers(1)
        .capacity(3)
        .start(move |_: &u32, _: &Context| finished.lock().unwrap().recv().unwrap())
        .unwrap();
    let _feeds = [topic.to_queue(&slow.handle()).unwrap(), topic.to_queue(&slow.handle()).unwrap()];
    assert_eq!(topic.try_publish(1).unwrap().reached, 2);
    assert!(matches!(topic.try_publish(2), Err(PublishError::Full(2, _))));
    assert!(matches!(topic.publish_timeout(2, Duration::from_millis(2)), Err(PublishError::Timeout(2, _))));
    assert_eq!(slow.stats().held, 2);
    let pair = Sleeper::asleep({
        let topic = topic.clone();
        move || topic.publish(3).unwrap().reached
    });
    slow.try_submit(4).unwrap();
    let single = Sleeper::asleep({
        let handle = slow.handle();
        move || handle.submit(5).is_ok()
    });
    // Room for one: too little for the pair, which has waited for longer.
    finish.send(()).unwrap();
    assert!(single.join());
    assert!(!pair.is_finished());
    finish.send(()).unwrap();
    finish.send(()).unwrap();
    assert_eq!(pair.join(), 2);
    (0..3).for_each(|_| finish.send(()).unwrap());
    quiet(&slow);
    assert_eq!(slow.stats().done, 6);
}

/// Several publishers feed several queues with little room: nothing is lost, nothing comes twice, the books balance.
#[test]
fn every_queue_handles_every_event_once_under_load() {
    const PUBLISHERS: u32 = 3;
    const EACH: u32 = 3_000;
    let _watchdog = common::Watchdog::start("queues under load");
    let topics = Topics::new();
    let topic = topic(&topics);
    let pools: Vec<_> = (1..=3)
        .map(|capacity| {
            let log = Log::default();
            let pool = Pool::builder()
                .workers(2)
                .capacity(capacity)
                .retry(RetryPolicy::fixed(Duration::ZERO).max_attempts(2))
                .start({
                    let log = Arc::clone(&log);
                    move |job: &u32, cx: &Context| {
                        if job % 7 == 0 && cx.attempt() == 1 {
                            return Outcome::retry("once");
                        }
                        log.lock().unwrap().push(*job);
                        Outcome::Done
                    }
                })
                .unwrap();
            topic.to_queue(&pool.handle()).unwrap().detach();
            (pool, log)
        })
        .collect();
    let publishers: Vec<_> = (0..PUBLISHERS)
        .map(|publisher| {
            let topic = topic.clone();
            std::thread::spawn(move || {
                for n in (0..EACH).map(|n| n * PUBLISHERS + publisher) {
                    if n % 5 == 0 {
                        while topic.try_publish(n).is_err() {
                            std::thread::yield_now();
                        }
                    } else {
                        assert_eq!(topic.publish(n).unwrap().reached, 3);
                    }
                }
            })
        })
        .collect();
    for publisher in publishers {
        publisher.join().unwrap();
    }
    for (pool, log) in &pools {
        quiet(pool);
        let mut seen = std::mem::take(&mut *log.lock().unwrap());
        seen.sort_unstable();
        assert_eq!(seen, (0..PUBLISHERS * EACH).collect::<Vec<_>>());
        assert_eq!(pool.stats().submitted, u64::from(PUBLISHERS * EACH));
    }
}
