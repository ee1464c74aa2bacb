//! The async ends in real executors: the same promises under `futures::executor`, tokio with one thread and with many.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

mod common;

use common::{Bell, Random, Watchdog};
use futures::FutureExt;
use futures::executor::block_on;
use millpond::{Receiver, Sender, bounded};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::Poll;
use std::thread;

/// A way to run a future to its end.
type Run = fn(std::pin::Pin<Box<dyn Future<Output = ()> + Send>>);

const RUNTIMES: [(&str, Run); 3] = [
    ("futures", |future| block_on(future)),
    ("tokio, one thread", |future| {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future);
    }),
    ("tokio, two threads", |future| {
        let builder = &mut tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_time().build().unwrap().block_on(async move {
            tokio::spawn(future).await.unwrap();
        });
    }),
];

/// W16: sending and receiving in two joined tasks works in every executor, at every small capacity.
#[test]
fn a_conversation_in_every_runtime() {
    let dog = Watchdog::start("a_conversation_in_every_runtime");
    for (name, run) in RUNTIMES {
        for capacity in [0, 1, 2, 3, 64] {
            run(Box::pin(async move {
                let (ask, asked) = bounded(capacity);
                let (answer, answered) = bounded(capacity);
                let server = async move {
                    while let Ok(n) = asked.recv_async().await {
                        answer.send_async(n * 2).await.unwrap();
                    }
                };
                let client = async move {
                    for n in 0..1_000 {
                        ask.send_async(n).await.unwrap();
                        assert_eq!(answered.recv_async().await, Ok(n * 2), "{name}");
                    }
                };
                futures::join!(server, client);
            }));
            dog.pet();
        }
    }
}

/// W13, W16: threads send, tasks receive, and the other way round, in every executor.
#[test]
fn threads_and_tasks_talk_in_every_runtime() {
    let dog = Watchdog::start("threads_and_tasks_talk_in_every_runtime");
    for (_, run) in RUNTIMES {
        let (tx, rx) = bounded(2);
        let (back_tx, back_rx) = bounded(2);
        let echo = thread::spawn(move || rx.iter().for_each(|n: usize| back_tx.send(n).unwrap()));
        run(Box::pin(async move {
            let sending = async move {
                for n in 0..2_000 {
                    tx.send_async(n).await.unwrap();
                }
            };
            let receiving = async move {
                for n in 0..2_000 {
                    assert_eq!(back_rx.recv_async().await, Ok(n));
                }
                assert!(back_rx.recv_async().await.is_err());
            };
            futures::join!(sending, receiving);
        }));
        echo.join().unwrap();
        dog.pet();
    }
}

/// How many messages each of the four channels of the `select!` tests carries.
const EACH: usize = 5_000;

/// Sends `0..EACH` through each of four channels of different sizes, from threads and from cancelled tasks alike.
fn four_feeders() -> ([Receiver<usize>; 4], Vec<thread::JoinHandle<()>>) {
    let channels = [1, 2, 3, 16].map(bounded::<usize>);
    let feeders = channels
        .iter()
        .enumerate()
        .map(|(at, (tx, _))| {
            let tx = tx.clone();
            thread::spawn(move || if at % 2 == 0 { feed(&tx) } else { feed_hesitantly(&tx) })
        })
        .collect();
    (channels.map(|(_, rx)| rx), feeders)
}

fn feed(tx: &Sender<usize>) {
    (0..EACH).for_each(|n| tx.send(n).unwrap());
}

/// Sends by futures that are polled a few times, cancelled, and started again with the message that came back.
fn feed_hesitantly(tx: &Sender<usize>) {
    let mut random = Random::new();
    let bell = Bell::new();
    for n in 0..EACH {
        let mut message = n;
        loop {
            let mut sending = Box::pin(tx.send_async(message));
            let done = (0..=random.below(3)).any(|_| bell.poll(sending.as_mut()).is_ready());
            match sending.as_mut().into_inner() {
                None => break assert!(done),
                Some(back) => message = back,
            }
            thread::yield_now();
        }
    }
    assert_eq!(bell.held(), 0);
}

/// Checks that what comes from one channel comes in order, without a gap.
fn expect_next(next: &mut [usize; 4], channel: usize, message: usize) {
    assert_eq!(message, next[channel], "channel {channel}");
    next[channel] += 1;
}

/// Promise 3, L7, L9: `tokio::select!` over four channels: three of four futures are cancelled each time, nothing is lost.
#[test]
fn tokio_select_loses_nothing() {
    let dog = Arc::new(Watchdog::start("tokio_select_loses_nothing"));
    for (_, run) in &RUNTIMES[1..] {
        let ([a, b, c, d], feeders) = four_feeders();
        let dog = Arc::clone(&dog);
        run(Box::pin(async move {
            let mut next = [0; 4];
            for _ in 0..4 * EACH {
                tokio::select! {
                    Ok(n) = a.recv_async() => expect_next(&mut next, 0, n),
                    Ok(n) = b.recv_async() => expect_next(&mut next, 1, n),
                    Ok(n) = c.recv_async() => expect_next(&mut next, 2, n),
                    Ok(n) = d.recv_async() => expect_next(&mut next, 3, n),
                }
                dog.pet();
            }
            assert_eq!(next, [EACH; 4]);
        }));
        feeders.into_iter().for_each(|feeder| feeder.join().unwrap());
    }
}

/// Promise 3: the same with `futures::select!`, whose futures are polled in a random order.
#[test]
fn futures_select_loses_nothing() {
    let dog = Watchdog::start("futures_select_loses_nothing");
    let ([a, b, c, d], feeders) = four_feeders();
    block_on(async {
        let mut next = [0; 4];
        while next != [EACH; 4] {
            let (a, b) = (a.recv_async().fuse(), b.recv_async().fuse());
            let (c, d) = (c.recv_async().fuse(), d.recv_async().fuse());
            futures::pin_mut!(a, b, c, d);
            let (channel, answer) = futures::select! {
                n = a => (0, n),
                n = b => (1, n),
                n = c => (2, n),
                n = d => (3, n),
            };
            match answer {
                Ok(n) => expect_next(&mut next, channel, n),
                Err(_) => assert_eq!(next[channel], EACH, "closed before all was received"),
            }
            dog.pet();
        }
    });
    feeders.into_iter().for_each(|feeder| feeder.join().unwrap());
}

/// Promise 3: receives under a time limit that keep being cancelled, by several tasks at once, share all messages.
#[test]
fn tokio_timeouts_lose_nothing() {
    let dog = Watchdog::start("tokio_timeouts_lose_nothing");
    let (tx, rx) = bounded(2);
    let feeder = thread::spawn(move || feed(&tx));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let rx = rx.clone();
            runtime.spawn(async move {
                let mut got = Vec::new();
                loop {
                    let limit = std::time::Duration::from_micros(50);
                    match tokio::time::timeout(limit, rx.recv_async()).await {
                        Ok(Ok(n)) => got.push(n),
                        Ok(Err(_)) => return got,
                        Err(_) => {}
                    }
                }
            })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        let got = runtime.block_on(task).unwrap();
        assert!(got.is_sorted(), "promise 4: in order for each receiver");
        all.extend(got);
        dog.pet();
    }
    feeder.join().unwrap();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..EACH));
}

/// Polls and drops half a million futures, and more until `sent`. Returns what it received, but for its own messages.
fn storm(tx: &Sender<usize>, rx: &Receiver<usize>, sent: &AtomicBool) -> Vec<usize> {
    let bell = Bell::new();
    let mut taken = Vec::new();
    let mut count = 0;
    while count < 250_000 || !sent.load(SeqCst) {
        count += 1;
        let mut recv = std::pin::pin!(rx.recv_async());
        if let Poll::Ready(n) = bell.poll(recv.as_mut()) {
            taken.push(n.unwrap());
        }
        let mut send = std::pin::pin!(tx.send_async(usize::MAX));
        assert!(bell.poll(send.as_mut()).is_pending() || send.into_inner().is_none());
    }
    taken.retain(|n| *n != usize::MAX);
    assert_eq!(bell.held(), 0);
    taken
}

/// W7, L8: a million futures polled and dropped, while messages pass: none is lost, no waker is kept, all works on.
#[test]
fn a_storm_of_cancellations() {
    let dog = Watchdog::start("a_storm_of_cancellations");
    let (tx, rx) = bounded::<usize>(1);
    let sent = Arc::new(AtomicBool::new(false));
    let storms: Vec<_> = (0..2)
        .map(|_| {
            let (tx, rx, sent) = (tx.clone(), rx.clone(), Arc::clone(&sent));
            thread::spawn(move || storm(&tx, &rx, &sent))
        })
        .collect();
    for n in 0..1_000 {
        tx.send(n).unwrap();
        dog.pet();
    }
    sent.store(true, SeqCst);
    let mut all: Vec<_> = storms.into_iter().flat_map(|storm| storm.join().unwrap()).collect();
    all.extend(rx.try_iter().filter(|n| *n != usize::MAX));
    all.sort_unstable();
    assert!(all.into_iter().eq(0..1_000));
    let echo = thread::spawn(move || rx.iter().count());
    tx.send_many(vec![0; 1_000]).unwrap();
    drop(tx);
    assert_eq!(echo.join().unwrap(), 1_000);
}
