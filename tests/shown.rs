//! `{:?}` of what a user can hold: it names the type, needs no `Debug` of the payload, takes nothing out, and does not wait, whatever
//! the handle is in the middle of.

use millpond::testing::Faults;
use millpond::topic::Topics;
use millpond::{
    Clock, Context, DeadFilter, MemoryStore, Once, Outcome, Pool, Queue, Select, VirtualClock, bounded,
    broadcast, mpsc, ring, spsc,
};
use std::fmt::Debug;
use std::time::Duration;

/// A payload that cannot be shown.
#[derive(Clone)]
struct Payload;

const SECOND: Duration = Duration::from_secs(1);

/// The name of the type comes first, and what follows is short and closed.
#[track_caller]
fn shows(value: &dyn Debug, name: &str) {
    let text = format!("{value:?}");
    let rest = text.strip_prefix(name).unwrap_or_else(|| panic!("{name} is shown as {text:?}"));
    assert!(rest.is_empty() || rest.starts_with([' ', '(']) && rest.ends_with(['}', ')']), "{text:?}");
    assert!(text.len() < 2_000, "{} bytes", text.len());
}

#[test]
fn ends_of_channels() {
    let (tx, rx) = bounded::<Payload>(1);
    shows(&tx, "Sender");
    shows(&rx, "Receiver");
    shows(&tx.downgrade(), "WeakSender");
    shows(&rx.downgrade(), "WeakReceiver");
    shows(&tx.send_async(Payload), "SendFuture");
    shows(&tx.send_many_async([Payload]), "SendManyFuture");
    shows(&tx.reserve_async(), "ReserveFuture");
    shows(&tx.closed(), "ClosedFuture");
    shows(&rx.recv_async(), "RecvFuture");
    shows(&rx.recv_many_async(&mut Vec::new(), 1), "RecvManyFuture");
    let permit = tx.try_reserve().unwrap();
    shows(&permit, "Permit");
    drop(permit);
    shows(&tx.try_reserve().unwrap().into_owned(), "OwnedPermit");
    let mut select = Select::new().recv(&rx, |_| 1);
    shows(&select, "Select");
    shows(&select.wait_async(), "SelectFuture");
    assert_eq!((tx.len(), tx.is_closed()), (0, false), "showing leaves all as it was");
}

#[test]
fn unique_ends_of_channels() {
    let (tx, mut rx) = mpsc::bounded::<Payload>(1);
    shows(&tx, "Sender");
    shows(&rx, "Receiver");
    shows(&rx.recv_async(), "RecvFuture");
    shows(&tx.try_reserve().unwrap(), "Permit");
    let (mut tx, rx) = spsc::bounded::<Payload>(1);
    shows(&tx, "Sender");
    shows(&rx, "Receiver");
    shows(&tx.reserve_async(), "ReserveFuture");
    shows(&tx.try_reserve().unwrap(), "Permit");
    shows(&ring::mpmc::Ring::<Payload>::new(2), "Ring");
}

#[cfg(feature = "stream")]
#[test]
fn streams() {
    shows(&bounded::<Payload>(1).1.into_stream(), "RecvStream");
    shows(&broadcast::lossy::<Payload>(1).1.into_stream(), "SubscriberStream");
    let topics = Topics::<()>::builder().build::<Payload>();
    shows(&topics.subscribe("#").unwrap().lossless(1).unwrap().into_stream(), "SubscriptionStream");
}

#[cfg(feature = "sink")]
#[test]
fn sinks() {
    let (tx, _rx) = bounded::<Payload>(1);
    shows(&tx.into_sink(), "SendSink");
    let (tx, _rx) = spsc::bounded::<Payload>(1);
    shows(&tx.into_sink(), "SendSink");
}

#[test]
fn ends_of_broadcasts() {
    let (publisher, mut subscriber) = broadcast::lossless::<Payload>(1);
    shows(&publisher, "Publisher");
    shows(&publisher.publish_async(Payload), "PublishFuture");
    shows(&subscriber.recv_async(), "RecvFuture");
    shows(&subscriber.recv_many_async(&mut Vec::new(), 1), "RecvManyFuture");
    assert!(subscriber.is_empty());
    publisher.publish(Payload).unwrap();
    shows(&subscriber, "Subscriber");
    assert!(!subscriber.is_empty(), "showing takes nothing");
}

#[test]
fn topics() {
    let topics = Topics::<()>::builder().build::<Payload>();
    shows(&topics, "Topics");
    shows(&topics.subscribe("a.*").unwrap(), "Subscribe");
    let subscription = topics.subscribe("#").unwrap().lossless(1).unwrap();
    shows(&subscription, "Subscription");
    let topic = topics.topic("a.b").unwrap();
    shows(&topic, "Topic");
    topic.publish(Payload).unwrap();
    assert_eq!(subscription.len(), 1, "showing takes nothing");
    let of_numbers = Topics::<()>::builder().build::<u32>();
    let mut subscription = of_numbers.subscribe("#").unwrap().lossless(1).unwrap();
    of_numbers.topic("a.b").unwrap().publish(7).unwrap();
    let event = format!("{:?}", subscription.try_recv().unwrap());
    assert!(event.contains("a.b") && event.contains('7'), "{event}");
}

/// From the handler as well: nothing that is shown there waits for what the handler holds up.
#[test]
fn pools() {
    let (tell, told) = bounded(1);
    let pool = Pool::builder()
        .name("mills")
        .workers(1)
        .start(move |_: &Payload, context: &Context| {
            shows(context, "Context");
            tell.send(()).unwrap();
            Outcome::dead("no")
        })
        .unwrap();
    shows(&pool, "Pool");
    shows(&pool.handle(), "Handle");
    shows(&pool.job(Payload), "Request");
    shows(&pool.job(Payload).submit_async(), "RequestFuture");
    shows(&pool.job(Payload).tracked(), "TrackedRequest");
    shows(&pool.job(Payload).tracked().submit_async(), "TrackedFuture");
    shows(&pool.submit_async(Payload), "SubmitFuture");
    let handle = pool.job(Payload).tracked().submit().unwrap();
    shows(&handle, "JobHandle");
    told.recv_timeout(SECOND * 60).unwrap();
    handle.wait();
    shows(&handle, "JobHandle");
    let dead = pool.dead();
    shows(&dead, "DeadLetters");
    shows(&dead.select(DeadFilter::default()), "Selected");
    dead.with(|letter| shows(letter, "DeadLetter"));
    shows(&dead.redrive_with(DeadFilter::all()), "RedriveBuilder");
    assert_eq!(dead.len(), 1, "showing takes nothing");
    shows(&pool.shutdown(SECOND * 60), "ShutdownReport");
}

#[test]
fn queues() {
    let queue = Queue::builder().open::<Payload>().unwrap();
    shows(&queue, "Queue");
    queue.submit(Payload).unwrap();
    let delivery = queue.recv().unwrap();
    shows(&delivery, "Delivery");
    delivery.ack().unwrap();
    assert_eq!(queue.stats().done, 1);
}

#[test]
fn effects_clocks_and_simulations() {
    let once: Once<u32> = Once::in_memory(10, SECOND);
    shows(&once, "Once");
    shows(&MemoryStore::<u32>::new(10, SECOND), "MemoryStore");
    let time = VirtualClock::new();
    shows(&time, "VirtualClock");
    assert!(format!("{:?}", time.clock()).contains("virtual"));
    assert!(format!("{:?}", Clock::default()).contains("system"));
    let faults = Faults::none().hang_for(SECOND);
    let sim = Pool::builder().simulate(7, |_: &Payload, _: &Context| ()).unwrap().faults(faults);
    shows(&sim, "Sim");
    assert_eq!(sim.seed(), 7);
}
