//! Topics: who gets what, by name and pattern; coming and going; limits; the end.

use millpond::topic::{
    Event, Fault, Pattern, PublishError, RecvError, RecvTimeoutError, RemoveError, SubscribeError,
    Subscription, Topic, TopicError, TopicName, Topics, TryRecvError,
};
use std::error::Error;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

fn drain<T: Clone>(subscription: &mut Subscription<T>) -> Vec<(String, T)> {
    std::iter::from_fn(|| subscription.try_recv().ok())
        .map(|event| (event.topic().to_string(), event.into_value()))
        .collect()
}

fn values<T: Clone>(subscription: &mut Subscription<T>) -> Vec<T> {
    drain(subscription).into_iter().map(|(_, value)| value).collect()
}

#[test]
fn each_subscription_gets_what_its_pattern_matches() {
    let topics = Topics::<u32>::new();
    let names = ["user", "user.signed_up", "user.address.changed", "order.placed", "users"];
    let table: [(&str, &[u32]); 8] = [
        ("user", &[0]),
        ("user.*", &[1]),
        ("user.#", &[0, 1, 2]),
        ("*.*", &[1, 3]),
        ("#.changed", &[2]),
        ("#", &[0, 1, 2, 3, 4]),
        ("user.*.#.changed", &[2]),
        ("*", &[0, 4]),
    ];
    let mut subscriptions: Vec<_> =
        table.iter().map(|(pattern, _)| topics.subscribe(pattern).unwrap().lossless(16).unwrap()).collect();
    for (number, name) in (0..).zip(names) {
        let matching = table.iter().filter(|(_, expected)| expected.contains(&number)).count();
        let report = topics.topic(name).unwrap().publish(number).unwrap();
        assert_eq!((report.reached, report.filtered, report.dropped), (matching, 0, 0), "{name}");
    }
    for ((pattern, expected), subscription) in table.iter().zip(&mut subscriptions) {
        let seen = drain(subscription);
        let expected: Vec<_> = expected.iter().map(|&n| (names[n as usize].to_owned(), n)).collect();
        assert_eq!(seen, expected, "{pattern}");
        assert_eq!(subscription.stats().reached, expected.len() as u64);
    }
}

#[test]
fn subscriptions_reach_topics_made_before_and_after() {
    let topics = Topics::<u32>::new();
    let before = topics.topic("a.before").unwrap();
    assert_eq!(before.publish(1).unwrap().reached, 0, "nobody has subscribed");
    let mut all = topics.subscribe("a.*").unwrap().lossless(8).unwrap();
    before.publish(2).unwrap();
    topics.topic("a.after").unwrap().publish(3).unwrap();
    topics.topic("b.after").unwrap().publish(4).unwrap();
    assert_eq!(values(&mut all), [2, 3]);
    // Made anew, the topic reaches the subscription again.
    drop(before);
    topics.remove("a.before").unwrap();
    topics.topic("a.before").unwrap().publish(5).unwrap();
    assert_eq!(values(&mut all), [5]);
}

#[test]
fn two_subscriptions_of_one_pattern_both_get_everything() {
    let topics = Topics::<u32>::new();
    let topic = topics.topic("tick").unwrap();
    let mut one = topic.subscribe().lossless(4).unwrap();
    let mut two = topic.subscribe().lossless(4).unwrap();
    assert_eq!(topic.publish(1).unwrap().reached, 2);
    drop(one.recv());
    drop(one);
    assert_eq!(topic.publish(2).unwrap().reached, 1);
    assert_eq!(values(&mut two), [1, 2]);
}

#[test]
fn a_dropped_subscription_gets_nothing_and_leaves_nothing() {
    let topics = Topics::<Arc<u32>>::new();
    let topic = topics.topic("a.b").unwrap();
    let value = Arc::new(1);
    let subscriptions: Vec<_> = ["a.b", "a.*", "#"]
        .map(|pattern| {
            let witness = Arc::clone(&value);
            let filter = move |_: &Event<Arc<u32>>| Arc::strong_count(&witness) > 0;
            topics.subscribe(pattern).unwrap().filter(filter).lossless(4).unwrap()
        })
        .into();
    assert_eq!(topic.publish(Arc::clone(&value)).unwrap().reached, 3);
    assert_eq!(Arc::strong_count(&value), 7, "three events, three filters");
    assert_eq!(topics.stats().subscriptions, 3);
    drop(subscriptions);
    assert_eq!(
        Arc::strong_count(&value),
        1,
        "events and filters are gone, though nobody has published since"
    );
    assert_eq!(topics.stats().subscriptions, 0);
    assert_eq!(topic.publish(value).unwrap().reached, 0);
}

#[test]
fn filters_decide_for_their_subscription_alone() {
    let topics = Topics::<u32>::new();
    let mut even = topics.subscribe("n.*").unwrap().filter(|n| **n % 2 == 0).lossless(16).unwrap();
    let mut twelfth = topics
        .subscribe("n.#")
        .unwrap()
        .filter(|n| **n % 3 == 0)
        .filter(|event| **event % 4 == 0 && event.topic().as_str() == "n.x")
        .lossless(16)
        .unwrap();
    let mut all = topics.subscribe("#").unwrap().lossless(32).unwrap();
    let topic = topics.topic("n.x").unwrap();
    for n in 0..13 {
        let report = topic.publish(n).unwrap();
        assert_eq!(report.reached, 1 + usize::from(n % 2 == 0) + usize::from(n % 12 == 0));
        assert_eq!(report.reached + report.filtered, 3);
    }
    assert_eq!(values(&mut even), [0, 2, 4, 6, 8, 10, 12]);
    assert_eq!(values(&mut twelfth), [0, 12]);
    assert_eq!(values(&mut all).len(), 13);
    assert_eq!((twelfth.stats().reached, twelfth.stats().filtered), (2, 11));
}

#[test]
fn the_value_is_cloned_for_all_but_the_last() {
    #[derive(Debug)]
    struct Counted(Arc<()>);
    impl Clone for Counted {
        fn clone(&self) -> Self {
            Self(Arc::clone(&self.0))
        }
    }
    let topics = Topics::<Counted>::new();
    let topic = topics.topic("x").unwrap();
    let clones = Arc::new(());
    let mut held = Vec::new();
    for subscriptions in 0..4 {
        topic.publish(Counted(Arc::clone(&clones))).unwrap();
        let inside: usize = held.iter_mut().map(|subscription| drain(subscription).len()).sum();
        assert_eq!(inside, subscriptions);
        held.push(topic.subscribe().lossless(1).unwrap());
    }
    topic.publish(Counted(Arc::clone(&clones))).unwrap();
    assert_eq!(Arc::strong_count(&clones), 5, "one for each of four, and ours");
}

#[test]
fn limits_refuse_and_leave_room_again() {
    let topics: Topics<u32> = Topics::builder().max_topics(2).max_subscriptions(2).build();
    let a = topics.topic("a").unwrap();
    let b = topics.topic("b").unwrap();
    assert_eq!(topics.topic("c").unwrap_err(), TopicError::Limit(2));
    let _again = topics.topic("a").unwrap();
    let first = topics.subscribe("a").unwrap().lossless(1).unwrap();
    let _second = topics.subscribe("nowhere.#").unwrap().lossless(1).unwrap();
    assert_eq!(topics.subscribe("b").unwrap().lossless(1).unwrap_err(), SubscribeError::Limit(2));
    drop(first);
    let _third = topics.subscribe("b").unwrap().lossless(1).unwrap();
    drop((a, b));
    assert_eq!(topics.names().iter().map(TopicName::as_str).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(topics.remove("a"), Err(RemoveError::InUse));
    assert_eq!(topics.remove_unused(), 1);
    let _c = topics.topic("c").unwrap();
    assert_eq!(topics.remove("b"), Err(RemoveError::Unknown));
    assert_eq!((topics.stats().topics, topics.stats().subscriptions), (2, 2));
    assert_eq!(topics.subscribe("b").unwrap().lossless(0).unwrap_err(), SubscribeError::NoCapacity);
}

#[test]
fn bad_names_and_patterns_are_refused_with_their_position() {
    let topics = Topics::<u32>::new();
    let TopicError::Name(error) = topics.topic("user.*").unwrap_err() else {
        panic!("not refused for its name")
    };
    assert_eq!((error.position, error.fault), (5, Fault::Wildcard('*')));
    assert_eq!(
        topics.topic("user..x").unwrap_err().to_string(),
        "not a topic name, at byte 5: a word is missing"
    );
    let error = topics.subscribe("user.x#").unwrap_err();
    assert_eq!((error.position, error.fault), (6, Fault::Wildcard('#')));
    assert_eq!(
        error.to_string(),
        "not a pattern, at byte 6: '#' stands for words in patterns only, and alone between dots"
    );
    assert_eq!(Pattern::new("a b").unwrap_err().fault, Fault::Character(' '));
    assert_eq!((topics.stats().topics, topics.stats().subscriptions), (0, 0));
}

#[test]
fn the_last_handle_closes_and_what_is_inside_can_be_received() {
    let topics = Topics::<u32>::new();
    let clone = topics.clone();
    let topic = topics.topic("x").unwrap();
    let mut subscription = topics.subscribe("#").unwrap().lossless(4).unwrap();
    topic.publish(1).unwrap();
    drop((topics, clone));
    topic.publish(2).unwrap();
    assert_eq!(subscription.try_recv().map(Event::into_value), Ok(1));
    drop(topic);
    assert_eq!(subscription.recv().map(Event::into_value), Ok(2));
    for _ in 0..2 {
        assert_eq!(subscription.recv(), Err(RecvError::Closed));
        assert_eq!(subscription.try_recv(), Err(TryRecvError::Closed));
        assert_eq!(subscription.recv_timeout(Duration::MAX), Err(RecvTimeoutError::Closed));
        assert_eq!(futures::executor::block_on(subscription.recv_async()), Err(RecvError::Closed));
    }
}

#[test]
fn closing_refuses_everything_but_receiving() {
    let topics = Topics::<u32>::new();
    let topic = topics.topic("x").unwrap();
    let mut subscription = topic.subscribe().lossless(4).unwrap();
    topic.publish(1).unwrap();
    assert!(topics.close() && topics.is_closed() && !topics.close());
    assert_eq!(topic.publish(2), Err(PublishError::Closed(2)));
    assert_eq!(topic.try_publish(3).unwrap_err().into_inner(), 3);
    assert_eq!(topic.publish_timeout(4, Duration::MAX).unwrap_err().into_inner(), 4);
    assert_eq!(futures::executor::block_on(topic.publish_async(5)).unwrap_err().into_inner(), 5);
    assert_eq!(topics.topic("x").unwrap_err(), TopicError::Closed);
    assert_eq!(topics.subscribe("x").unwrap().lossless(1).unwrap_err(), SubscribeError::Closed);
    assert_eq!(values(&mut subscription), [1]);
    assert_eq!(subscription.recv(), Err(RecvError::Closed));
    assert_eq!(topics.stats().subscriptions, 0);
}

/// The route of a topic is looked up once, and again only after a subscription that matches has come or gone; and the
/// look-up visits what matches, however many others there are.
#[test]
fn ten_thousand_patterns_cost_a_publish_what_one_costs() {
    const ROUNDS: u32 = 100;
    let mut costs = Vec::new();
    for others in [4, 10_000] {
        let topics = Topics::<u32>::new();
        let topic = topics.topic("user.signed_up").unwrap();
        let mut wanted = topics.subscribe("user.*").unwrap().lossless(ROUNDS as usize).unwrap();
        let others: Vec<_> = (0..others)
            .map(|n| {
                let pattern = match n % 4 {
                    0 => format!("user{n}.*"),
                    1 => format!("#.other{n}"),
                    2 => format!("*.other{n}.#"),
                    _ => format!("user.other{n}"),
                };
                topics.subscribe(pattern).unwrap().lossless(1).unwrap()
            })
            .collect();
        for n in 0..ROUNDS {
            assert_eq!(topic.publish(n).unwrap().reached, 1);
        }
        assert_eq!(values(&mut wanted).len(), ROUNDS as usize);
        let stats = topics.stats();
        assert_eq!((stats.subscriptions, stats.look_ups), (others.len() + 1, 1));
        let unrelated = topics.subscribe("order.#").unwrap().lossless(1).unwrap();
        drop((unrelated, others));
        topic.publish(0).unwrap();
        costs.push(stats.nodes_visited);
    }
    assert_eq!(costs[0], costs[1], "nodes visited with a pattern of each shape, and with thousands");
    assert!(costs[0] <= 8, "{costs:?}");
}

#[test]
fn look_ups_are_made_anew_only_for_subscriptions_that_match() {
    let topics = Topics::<u32>::new();
    let topic = topics.topic("user.signed_up").unwrap();
    let looked_up = || {
        topic.try_publish(0).unwrap();
        topics.stats().look_ups
    };
    assert_eq!((looked_up(), looked_up()), (1, 1));
    let other = topics.subscribe("user.left").unwrap().lossless(1).unwrap();
    assert_eq!(looked_up(), 1);
    drop(other);
    assert_eq!(looked_up(), 1);
    let matching = topics.subscribe("#.signed_up").unwrap().lossless(1).unwrap();
    assert_eq!(looked_up(), 2);
    drop(matching);
    assert_eq!((looked_up(), looked_up()), (3, 3));
}

#[test]
fn errors_print_and_give_back() {
    struct Opaque(u32);
    impl Clone for Opaque {
        fn clone(&self) -> Self {
            Self(self.0)
        }
    }
    fn check<E: Error + Debug + 'static>(error: &E, display: &str) {
        assert_eq!(error.to_string(), display);
        assert!(error.source().is_none() && !format!("{error:?}").is_empty());
    }
    let topics = Topics::<Opaque>::new();
    let topic = topics.topic("x").unwrap();
    let _full = topic.subscribe().named("audit").lossless(1).unwrap();
    topic.publish(Opaque(0)).unwrap();
    let error = topic.try_publish(Opaque(1)).unwrap_err();
    check(&error, "subscription 1 (\"audit\") is full");
    let who = error.blocked_by().unwrap();
    assert_eq!((who.id(), who.name(), who.pattern().as_str()), (1, "audit", "x"));
    assert!(!error.is_closed() && error.into_inner().0 == 1);
    let error = topic.publish_timeout(Opaque(2), Duration::ZERO).unwrap_err();
    check(&error, "subscription 1 (\"audit\") stayed full until the time was up");
    assert!(matches!(&error, PublishError::Timeout(..)) && error.into_inner().0 == 2);
    topics.close();
    let error = topic.publish(Opaque(3)).unwrap_err();
    check(&error, "the registry of topics is closed");
    assert!(error.blocked_by().is_none() && error.is_closed() && error.into_inner().0 == 3);
    check(&TopicError::Limit(3), "there are 3 topics already, as many as there may be");
    check(&SubscribeError::NoCapacity, "a mailbox needs room for one event at least");
    check(&RecvError::Lagged(7), "events were lost to a subscription that was too slow: 7");
    check(&TryRecvError::Empty, "the subscription is empty");
    check(&RecvTimeoutError::Closed, "the subscription is over");
    check(&RemoveError::InUse, "the topic is in use");
}

#[test]
fn handles_and_futures_are_send_and_sync() {
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>(_: T) {}
    shared::<Topics<String>>();
    shared::<Topic<String>>();
    shared::<Subscription<String>>();
    shared::<Event<String>>();
    shared::<PublishError<String>>();
    let topics = Topics::<String>::new();
    let topic = topics.topic("x").unwrap();
    let mut subscription = topic.subscribe().lossless(1).unwrap();
    sent(topic.publish_async(String::new()));
    sent(subscription.recv_async());
    sent(topic.subscribe());
    for text in [format!("{topics:?}"), format!("{topic:?}"), format!("{subscription:?}")] {
        assert!(!text.is_empty());
    }
}
