//! Topics whose users' code panics, publishes or subscribes where one would not expect it.

mod common;

use common::{Ledger, Sleeper};
use millpond::topic::{Event, RecvError, Topics};
use millpond::{Context, Pool};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock};

#[test]
fn a_filter_that_panics_says_no_and_nobody_else_notices() {
    let topics = Topics::<u32>::new();
    let topic = topics.topic("x").unwrap();
    let mut first = topic.subscribe().lossless(8).unwrap();
    let mut shaky = topic
        .subscribe()
        .filter(|n| {
            assert!(**n != 2, "a filter that was told to panic");
            true
        })
        .lossless(8)
        .unwrap();
    let mut last = topic.subscribe().lossless(8).unwrap();
    for n in 1..=3 {
        let report = topic.publish(n).unwrap();
        let panicked = usize::from(n == 2);
        assert_eq!((report.reached, report.panicked), (3 - panicked, panicked));
    }
    assert_eq!((first.len(), shaky.len(), last.len()), (3, 2, 3));
    assert_eq!((shaky.stats().panicked, shaky.stats().filtered), (1, 0));
    for subscription in [&mut first, &mut shaky, &mut last] {
        assert_eq!(subscription.recv().unwrap().into_value(), 1);
    }
}

/// A clone that panics does so in `publish`. Who had the event keeps it, nobody gets it twice, and no place is lost.
#[test]
fn a_clone_that_panics_costs_no_place() {
    struct Shaky(Arc<AtomicUsize>);
    impl Clone for Shaky {
        fn clone(&self) -> Self {
            assert!(self.0.fetch_sub(1, SeqCst) != 1, "a clone that was told to panic");
            Self(Arc::clone(&self.0))
        }
    }
    let topics = Topics::<Shaky>::new();
    let topic = topics.topic("x").unwrap();
    let mut subscriptions: Vec<_> = (0..4).map(|_| topic.subscribe().lossless(1).unwrap()).collect();
    for round in 0..30 {
        let clones = Arc::new(AtomicUsize::new(round % 4 + 1));
        let outcome = catch_unwind(AssertUnwindSafe(|| topic.try_publish(Shaky(Arc::clone(&clones)))));
        let reached =
            subscriptions.iter_mut().filter_map(|subscription| subscription.try_recv().ok()).count();
        match outcome {
            Ok(report) => assert_eq!((report.unwrap().reached, reached, round % 4), (4, 4, 3)),
            Err(_) => assert_eq!(reached, round % 4),
        }
        assert_eq!(Arc::strong_count(&clones), 1, "every clone is gone");
    }
}

/// Each value is dropped once, also when subscriptions, topics and registry go in the middle of it.
#[test]
fn every_clone_is_dropped_once() {
    struct Value(common::Token, Arc<Ledger>);
    impl Clone for Value {
        fn clone(&self) -> Self {
            Self(self.1.token(self.0.id), Arc::clone(&self.1))
        }
    }
    let ledger = Ledger::new(64);
    let topics = Topics::<Value>::new();
    let topic = topics.topic("x").unwrap();
    let mut read = topic.subscribe().lossless(64).unwrap();
    let unread = topic.subscribe().lossless(64).unwrap();
    let filtered = topic.subscribe().filter(|value| value.0.id % 2 == 0).lossless(64).unwrap();
    let small = topic.subscribe().lossless(48).unwrap();
    let value = |id| Value(ledger.token(id), Arc::clone(&ledger));
    let mut refused = Vec::new();
    for id in 0..64 {
        match topic.try_publish(value(id)) {
            Ok(_) => assert_eq!(read.recv().unwrap().0.id, id),
            Err(error) => refused.push(error),
        }
    }
    assert_eq!(refused.len(), 16);
    drop((topics, topic));
    drop((unread, small));
    assert!(read.recv().is_err());
    drop((read, filtered, refused));
    ledger.assert_settled();
}

/// Filters may use the registry they are in: no lock is held while they run.
#[test]
fn filters_may_publish_subscribe_and_unsubscribe() {
    let topics = Topics::<u32>::new();
    let made = Arc::new(Mutex::new(Vec::new()));
    // Weakly, so to speak: a filter that held the registry would keep it open.
    let registry = Arc::new(OnceLock::new());
    assert!(registry.set(topics.clone()).is_ok());
    let filter = {
        let (registry, made) = (Arc::clone(&registry), Arc::clone(&made));
        move |event: &Event<u32>| {
            let topics = registry.get().unwrap();
            if event.topic().as_str() == "outer" {
                let subscription = topics.subscribe("inner").unwrap().lossless(4).unwrap();
                made.lock().unwrap().push(subscription);
                topics.topic("inner").unwrap().try_publish(**event + 1).unwrap();
                made.lock().unwrap().truncate(2);
            }
            true
        }
    };
    let mut all = topics.subscribe("#").unwrap().filter(filter).lossless(16).unwrap();
    let outer = topics.topic("outer").unwrap();
    for n in [10, 20, 30] {
        assert_eq!(outer.publish(n).unwrap().reached, 1);
    }
    let seen: Vec<_> = std::iter::from_fn(|| all.try_recv().ok()).map(Event::into_value).collect();
    assert_eq!(seen, [11, 10, 21, 20, 31, 30], "what is published inside comes first");
    assert_eq!(made.lock().unwrap().iter().map(|subscription| subscription.len()).sum::<usize>(), 3 + 2);
}

#[test]
fn a_drop_that_panics_does_not_keep_the_registry_locked() {
    struct Bomb(bool);
    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(!self.0 || std::thread::panicking(), "a drop that was told to panic");
        }
    }
    let topics = Topics::<Arc<Bomb>>::new();
    let topic = topics.topic("x").unwrap();
    let other = topic.subscribe().lossless(1).unwrap();
    drop(other);
    let bomb = Bomb(true);
    let armed = topic
        .subscribe()
        .filter(move |_| {
            let _ = &bomb;
            true
        })
        .lossless(1)
        .unwrap();
    topic.publish(Arc::new(Bomb(false))).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(armed))).is_err());
    assert_eq!(topics.stats().subscriptions, 0);
    let mut after = topic.subscribe().lossless(1).unwrap();
    assert_eq!(topic.publish(Arc::new(Bomb(false))).unwrap().reached, 1);
    assert!(after.recv().is_ok());
}

/// Closing ends all subscriptions, also when what it drops on the way panics: nobody sleeps past a close.
#[test]
fn a_drop_that_panics_does_not_keep_a_close_from_ending_all() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(std::thread::panicking(), "a drop that was told to panic");
        }
    }
    let topics = Topics::<u32>::new();
    let pool = Pool::builder().workers(1).start(|_: &u32, _: &Context| ()).unwrap();
    let before = topics.subscribe("a").unwrap().lossless(1).unwrap();
    // Detached: the registry alone holds the filter.
    let bomb = Bomb;
    let has_bomb = move |_: &Event<u32>| std::mem::size_of_val(&bomb) == 0;
    topics.subscribe("a").unwrap().filter(has_bomb).to_queue(&pool.handle()).unwrap().detach();
    let after = topics.subscribe("a").unwrap().lossless(1).unwrap();
    let lossy = topics.subscribe("a").unwrap().lossy(1).unwrap();
    let waiting = [before, after, lossy].map(|mut subscription| Sleeper::asleep(move || subscription.recv()));
    assert!(catch_unwind(AssertUnwindSafe(|| topics.close())).is_err());
    for receiver in waiting {
        assert_eq!(receiver.join(), Err(RecvError::Closed));
    }
    assert!(topics.is_closed() && !topics.close());
}

/// A filter that ends another subscription: the event that is under way does not count it, lossless or lossy.
#[test]
fn a_subscription_that_ends_during_a_publish_is_passed_over() {
    let topics = Topics::<u32>::new();
    let topic = topics.topic("x").unwrap();
    let others = Arc::new(Mutex::new(Vec::new()));
    let ends_the_others = {
        let others = Arc::clone(&others);
        move |_: &Event<u32>| {
            let ended = std::mem::take(&mut *others.lock().unwrap());
            drop(ended);
            true
        }
    };
    others.lock().unwrap().push(topic.subscribe().lossy(4).unwrap());
    let mut stays = topic.subscribe().filter(ends_the_others).lossless(4).unwrap();
    others.lock().unwrap().push(topic.subscribe().lossless(4).unwrap());
    others.lock().unwrap().push(topic.subscribe().lossy(4).unwrap());
    let report = topic.publish(1).unwrap();
    assert_eq!((report.reached, report.filtered, report.dropped, report.panicked), (1, 0, 0, 0));
    assert_eq!(stays.recv().unwrap().into_value(), 1);
    assert_eq!(topics.stats().subscriptions, 1);
}
