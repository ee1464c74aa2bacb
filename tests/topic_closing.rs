//! What a publisher that waits is told when what it waits for goes: the registry, a subscription, a feed, a topic.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

mod common;

use common::{Bell, Sleeper, Watchdog};
use millpond::topic::{Feed, PublishError, Published, RemoveError, Subscription, Topic, Topics};
use millpond::{Context, Pool};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

/// A pool with one worker, which finishes a job for each message that it is sent, and sums the jobs up.
struct Slow {
    /// First: when it is gone, the worker finishes what is left, and the pool need not wait for it.
    finish: Sender<()>,
    pool: Pool<u32>,
    sum: Arc<AtomicU32>,
}

impl Slow {
    fn with_capacity(capacity: usize) -> Self {
        let (finish, finished) = channel();
        let finished = Mutex::new(finished);
        let sum = Arc::new(AtomicU32::new(0));
        let total = Arc::clone(&sum);
        let pool = Pool::builder()
            .name("slow")
            .workers(1)
            .capacity(capacity)
            .start(move |job: &u32, _: &Context| {
                let _ = finished.lock().unwrap().recv();
                total.fetch_add(*job, SeqCst);
            })
            .unwrap();
        Self { pool, finish, sum }
    }

    /// Finishes so many jobs, and returns the sum of all so far.
    #[track_caller]
    fn finish(&self, jobs: usize) -> u32 {
        (0..jobs).for_each(|_| self.finish.send(()).unwrap());
        assert!(self.pool.wait_idle(LONG), "{:?}", self.pool.stats());
        assert!(self.pool.stats().balances());
        self.sum.load(SeqCst)
    }
}

/// A topic with a subscription that has room, before and after one that is full.
struct Scene {
    topics: Topics<u32>,
    topic: Topic<u32>,
    free: [Subscription<u32>; 2],
    full: Full,
}

/// What is full: it holds the event 1.
enum Full {
    Mailbox(Subscription<u32>),
    Queue(Feed<u32>, Slow),
}

impl Scene {
    fn with_mailbox() -> Self {
        Self::new(|topic| Full::Mailbox(topic.subscribe().lossless(1).unwrap()))
    }

    fn with_queue() -> Self {
        Self::new(|topic| {
            let slow = Slow::with_capacity(1);
            Full::Queue(topic.to_queue(&slow.pool.handle()).unwrap(), slow)
        })
    }

    fn new(full: impl Fn(&Topic<u32>) -> Full) -> Self {
        let topics = Topics::new();
        let topic = topics.topic("user.signed_up").unwrap();
        let free = || topics.subscribe("user.*").unwrap().lossless(64).unwrap();
        let before = free();
        let full = full(&topic);
        let scene = Self { free: [before, free()], topics: topics.clone(), topic, full };
        assert_eq!(scene.topic.publish(1).unwrap().reached, 3);
        scene
    }

    /// The values that the two with room hold.
    fn seen(&mut self) -> [Vec<u32>; 2] {
        self.free.each_mut().map(|free| {
            std::iter::from_fn(|| free.try_recv().ok()).map(millpond::topic::Event::into_value).collect()
        })
    }
}

fn both() -> [fn() -> Scene; 2] {
    [Scene::with_mailbox, Scene::with_queue]
}

type Answer = Result<Published, PublishError<u32>>;

/// Publishers of 2, 3, ... that wait, each in its own way.
fn sleepers(topic: &Topic<u32>) -> Vec<Sleeper<Answer>> {
    let ways: [fn(&Topic<u32>) -> Answer; 3] = [
        |topic| topic.publish(2),
        |topic| topic.publish_timeout(3, LONG),
        |topic| futures::executor::block_on(topic.publish_async(4)),
    ];
    ways.map(|publish| {
        let topic = topic.clone();
        Sleeper::asleep(move || publish(&topic))
    })
    .into()
}

#[test]
fn closing_lets_publishers_that_wait_go_with_their_value() {
    for make in both() {
        let mut scene = make();
        let waiting = sleepers(&scene.topic);
        assert!(scene.topics.close());
        for (sleeper, value) in waiting.into_iter().zip(2..) {
            let error = sleeper.join().unwrap_err();
            assert!(error.is_closed() && error.blocked_by().is_none());
            assert_eq!(error.to_string(), "the registry of topics is closed");
            assert_eq!(error, PublishError::Closed(value));
        }
        assert_eq!(scene.seen(), [[1], [1]], "what was refused has reached nobody");
        match scene.full {
            Full::Mailbox(mut full) => {
                assert_eq!((full.recv().unwrap().into_value(), full.try_recv().is_err()), (1, true));
            }
            Full::Queue(_feed, slow) => {
                assert_eq!(slow.finish(1), 1);
                assert_eq!(slow.pool.submit(7).map(|_| ()), Ok(()), "the queue is not the topics'");
                assert_eq!(slow.finish(1), 8);
            }
        }
    }
}

#[test]
fn closing_wakes_tasks_that_wait() {
    for make in both() {
        let mut scene = make();
        let (bell, topic) = (Bell::new(), scene.topic.clone());
        let mut publishing = pin!(topic.publish_async(2));
        assert!(bell.poll(publishing.as_mut()).is_pending());
        scene.topics.close();
        assert_eq!(bell.rings(), 1);
        assert_eq!(bell.poll(publishing.as_mut()), Poll::Ready(Err(PublishError::Closed(2))));
        assert_eq!(scene.seen(), [[1], [1]]);
    }
}

/// More publishers than are woken in one go, on many topics.
#[test]
fn closing_lets_everybody_go() {
    for make in both() {
        let scene = make();
        let publishers: Vec<_> = (0..20)
            .map(|number| {
                let topic = scene.topic.clone();
                Sleeper::asleep(move || topic.publish(number))
            })
            .collect();
        scene.topics.close();
        for (publisher, number) in publishers.into_iter().zip(0..) {
            assert_eq!(publisher.join(), Err(PublishError::Closed(number)));
        }
        if let Full::Queue(_, slow) = scene.full {
            slow.finish(1);
        }
    }
}

/// Those who wait for the queue itself are woken by the close of the topics, and wait on.
#[test]
fn closing_leaves_the_queues_own_submitters_where_they_are() {
    let scene = Scene::with_queue();
    let Full::Queue(_feed, slow) = &scene.full else { unreachable!("it was made with a queue") };
    let submitter = Sleeper::asleep({
        let handle = slow.pool.handle();
        move || handle.submit(10).is_ok()
    });
    let bell = Bell::new();
    let handle = slow.pool.handle();
    let mut submitting = pin!(handle.submit_async(20));
    assert!(bell.poll(submitting.as_mut()).is_pending());
    scene.topics.close();
    assert!(bell.poll(submitting.as_mut()).is_pending());
    assert!(!submitter.is_finished());
    slow.finish.send(()).unwrap();
    slow.finish.send(()).unwrap();
    assert!(futures::executor::block_on(submitting).is_ok());
    assert!(submitter.join());
    assert_eq!(slow.finish(1), 31);
}

#[test]
fn a_publisher_that_waits_goes_on_without_a_subscription_that_ends() {
    for make in both() {
        let mut scene = make();
        let waiting = sleepers(&scene.topic);
        let slow = match std::mem::replace(&mut scene.full, Full::Mailbox(spare(&scene.topics))) {
            Full::Mailbox(full) => {
                drop(full);
                None
            }
            Full::Queue(feed, slow) => {
                drop(feed);
                Some(slow)
            }
        };
        for sleeper in waiting {
            assert_eq!(sleeper.join().unwrap().reached, 2);
        }
        for mut seen in scene.seen() {
            seen.sort_unstable();
            assert_eq!(seen, [1, 2, 3, 4]);
        }
        if let Some(slow) = slow {
            assert_eq!(slow.finish(1), 1, "no event came after the feed's end");
        }
    }
}

/// A subscription that matches nothing.
fn spare(topics: &Topics<u32>) -> Subscription<u32> {
    topics.subscribe("nothing").unwrap().lossless(1).unwrap()
}

#[test]
fn a_task_that_waits_goes_on_without_a_feed_that_ends() {
    let mut scene = Scene::with_queue();
    let (bell, topic) = (Bell::new(), scene.topic.clone());
    let mut publishing = pin!(topic.publish_async(2));
    assert!(bell.poll(publishing.as_mut()).is_pending());
    let spare = spare(&scene.topics);
    let Full::Queue(feed, slow) = std::mem::replace(&mut scene.full, Full::Mailbox(spare)) else {
        unreachable!("it was made with a queue")
    };
    drop(feed);
    assert_eq!(bell.rings(), 1);
    let Poll::Ready(answer) = bell.poll(publishing.as_mut()) else { panic!("there is room everywhere") };
    assert_eq!(answer.unwrap().reached, 2);
    assert_eq!(slow.finish(1), 1);
}

/// Two feeds of a queue that has room for one: the event waits. When one of them ends, it fits.
#[test]
fn the_end_of_one_of_two_feeds_makes_room_enough() {
    for ends in 0..2 {
        let topics = Topics::<u32>::new();
        let topic = topics.topic("x").unwrap();
        let slow = Slow::with_capacity(2);
        slow.pool.submit(1).unwrap();
        let mut feeds: Vec<_> =
            (0..2).map(|_| topics.subscribe("#").unwrap().to_queue(&slow.pool.handle()).unwrap()).collect();
        let waiting = Sleeper::asleep({
            let topic = topic.clone();
            move || topic.publish(5)
        });
        drop(feeds.remove(ends));
        assert_eq!(waiting.join().unwrap().reached, 1);
        assert_eq!((slow.finish(2), feeds[0].stats().reached), (6, 1));
    }
}

/// A queue that three subscriptions feed has room for two jobs in all: nobody waits for what cannot be.
#[test]
fn an_event_that_can_never_fit_is_refused_at_once() {
    let topics = Topics::<u32>::new();
    let topic = topics.topic("x").unwrap();
    let slow = Slow::with_capacity(2);
    let mut other = topic.subscribe().lossless(8).unwrap();
    let mut feeds: Vec<_> =
        (0..3).map(|_| topics.subscribe("#").unwrap().to_queue(&slow.pool.handle()).unwrap()).collect();
    let answers = [
        topic.publish(1),
        topic.publish_timeout(1, Duration::MAX),
        futures::executor::block_on(topic.publish_async(1)),
        topic.try_publish(1),
    ];
    for answer in answers {
        let error = answer.unwrap_err();
        assert_eq!(error.blocked_by().unwrap().name(), "slow");
        assert!(matches!(error, PublishError::Full(1, _)));
    }
    assert_eq!((other.len(), slow.pool.stats().submitted), (0, 0));
    drop(feeds.pop());
    assert_eq!(topic.publish(2).unwrap().reached, 3);
    assert_eq!((other.recv().unwrap().into_value(), slow.finish(2)), (2, 4));
}

/// While a publisher waits for one subscription, another ends that has room: it does not get the event in the end.
#[test]
fn an_event_that_waited_comes_to_no_feed_that_ended_meanwhile() {
    let topics = Topics::<u32>::new();
    let topic = topics.topic("x").unwrap();
    let slow = Slow::with_capacity(8);
    let feed = topic.to_queue(&slow.pool.handle()).unwrap();
    let mut full = topic.subscribe().lossless(1).unwrap();
    topic.publish(1).unwrap();
    let waiting = Sleeper::asleep({
        let topic = topic.clone();
        move || topic.publish(2)
    });
    drop(feed);
    assert!(!waiting.is_finished());
    assert_eq!(full.recv().unwrap().into_value(), 1);
    assert_eq!(waiting.join().unwrap().reached, 1);
    assert_eq!((full.recv().unwrap().into_value(), slow.finish(1)), (2, 1));
}

#[test]
fn a_topic_with_a_publisher_that_waits_is_in_use() {
    for make in both() {
        let Scene { topics, topic, free, full } = make();
        let publisher = Sleeper::asleep(move || topic.publish(2).map(|report| report.reached));
        assert_eq!(topics.remove("user.signed_up"), Err(RemoveError::InUse));
        assert_eq!(topics.remove_unused(), 0);
        match full {
            Full::Mailbox(mut full) => {
                assert_eq!(full.recv().unwrap().into_value(), 1);
                assert_eq!(publisher.join(), Ok(3));
            }
            Full::Queue(_feed, slow) => {
                slow.finish.send(()).unwrap();
                assert_eq!(publisher.join(), Ok(3));
                assert_eq!(slow.finish(1), 3);
            }
        }
        assert_eq!(topics.remove("user.signed_up"), Ok(()));
        drop(free);
    }
}

/// Publishers, some of them tasks, in the middle of everything when the registry is closed: all end, and the queue holds
/// what the reports say.
#[test]
fn closing_under_load_ends_everybody_and_the_books_balance() {
    let dog = Watchdog::start("closing under load");
    for round in 0..30 {
        let topics = Topics::<u32>::new();
        let topic = topics.topic("x").unwrap();
        let pool =
            Pool::builder().workers(1).capacity(1 + round % 3).start(|_: &u32, _: &Context| ()).unwrap();
        topic.to_queue(&pool.handle()).unwrap().detach();
        let publishers: Vec<_> = (0..3)
            .map(|way| {
                let topic = topic.clone();
                thread::spawn(move || {
                    let mut reached = 0;
                    loop {
                        let answer = match way {
                            0 => topic.publish(1),
                            1 => topic.publish_timeout(1, LONG),
                            _ => futures::executor::block_on(topic.publish_async(1)),
                        };
                        match answer {
                            Ok(report) => reached += report.reached as u64,
                            Err(error) => {
                                assert_eq!(error, PublishError::Closed(1));
                                return reached;
                            }
                        }
                    }
                })
            })
            .collect();
        for _ in 0..4 * round {
            thread::yield_now();
        }
        topics.close();
        let reached: u64 = publishers.into_iter().map(|publisher| publisher.join().unwrap()).sum();
        assert!(pool.wait_idle(LONG));
        assert_eq!((pool.stats().submitted, pool.stats().done), (reached, reached));
        dog.pet();
    }
}
