//! Bounded unfairness: of n who wait alike, each gets more than one part in 4n of ten thousand messages, or places. The line is
//! first come, first woken; who never waits may overtake those who do, and is not counted here.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

mod common;

use common::{Bell, Watchdog};
use millpond::{Receiver, Sender, bounded};
use std::pin::Pin;
use std::thread;

const MESSAGES: usize = 10_000;
const WAITERS: usize = 4;

/// How many wait on a side of a channel.
fn waiting(shown: &str, side: &str) -> usize {
    let at = shown.find(side).unwrap() + side.len();
    shown[at..].chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

fn receivers_waiting(tx: &Sender<usize>) -> usize {
    waiting(&format!("{tx:?}"), "receivers_waiting: ")
}

fn senders_waiting(tx: &Sender<usize>) -> usize {
    waiting(&format!("{tx:?}"), "senders_waiting: ")
}

fn assert_fair(shares: &[usize]) {
    assert_eq!(shares.iter().sum::<usize>(), MESSAGES);
    for share in shares {
        assert!(*share > MESSAGES / (4 * shares.len()), "one waited for nothing: {shares:?}");
    }
}

/// Receives until the channel closes. Returns how many came.
fn count(rx: &Receiver<usize>) -> usize {
    rx.iter().count()
}

fn receiving_threads(capacity: usize) {
    let watchdog = Watchdog::start("fairness of receivers");
    let (tx, rx) = bounded(capacity);
    let threads: Vec<_> = (0..WAITERS)
        .map(|_| {
            let rx = rx.clone();
            thread::spawn(move || count(&rx))
        })
        .collect();
    drop(rx);
    for number in 0..MESSAGES {
        common::wait_until("all receivers wait", || receivers_waiting(&tx) == WAITERS);
        tx.send(number).unwrap();
        watchdog.pet();
    }
    drop(tx);
    let shares: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_fair(&shares);
}

/// W14: threads that wait for messages.
#[test]
fn threads_that_receive() {
    receiving_threads(1);
    receiving_threads(8);
}

/// W14: threads that wait for a sender to meet.
#[test]
fn threads_that_receive_at_capacity_0() {
    receiving_threads(0);
}

/// W14: threads that wait for room. One message is theirs from the start, the others follow as places become free.
#[test]
fn threads_that_send() {
    let watchdog = Watchdog::start("fairness of senders");
    let (tx, rx) = bounded(1);
    tx.send(WAITERS).unwrap();
    let threads: Vec<_> = (0..WAITERS)
        .map(|sender| {
            let tx = tx.clone();
            thread::spawn(move || while tx.send(sender).is_ok() {})
        })
        .collect();
    let mut shares = [0; WAITERS];
    for _ in 0..=MESSAGES {
        common::wait_until("all senders wait", || senders_waiting(&tx) == WAITERS);
        let sender = rx.recv().unwrap();
        if sender < WAITERS {
            shares[sender] += 1;
        }
        watchdog.pet();
    }
    drop(rx);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_fair(&shares);
}

/// Tasks that receive again and again, each polled when it is woken, in the order of the wake-ups.
fn receiving_tasks(capacity: usize) {
    let (tx, rx) = bounded(capacity);
    let bells: Vec<_> = (0..WAITERS).map(|_| Bell::new()).collect();
    let mut futures: Vec<Pin<Box<_>>> = (0..WAITERS).map(|_| Box::pin(rx.recv_async())).collect();
    for (future, bell) in futures.iter_mut().zip(&bells) {
        assert!(bell.poll(future.as_mut()).is_pending());
    }
    let mut shares = [0; WAITERS];
    let mut rung = [0; WAITERS];
    for number in 0..MESSAGES {
        tx.try_send(number).unwrap();
        let woken = (0..WAITERS).find(|task| bells[*task].rings() > rung[*task]).unwrap();
        rung[woken] = bells[woken].rings();
        assert!(bells[woken].poll(futures[woken].as_mut()).is_ready());
        shares[woken] += 1;
        futures[woken] = Box::pin(rx.recv_async());
        assert!(bells[woken].poll(futures[woken].as_mut()).is_pending());
    }
    assert_eq!(shares, [MESSAGES / WAITERS; WAITERS], "tasks take turns");
}

/// W14: tasks take turns exactly.
#[test]
fn tasks_that_receive() {
    receiving_tasks(0);
    receiving_tasks(1);
    receiving_tasks(8);
}

/// W14: tasks that wait for room take turns exactly.
#[test]
fn tasks_that_send() {
    let (tx, rx) = bounded(1);
    tx.try_send(0).unwrap();
    let bells: Vec<_> = (0..WAITERS).map(|_| Bell::new()).collect();
    let mut futures: Vec<Pin<Box<_>>> = (0..WAITERS).map(|task| Box::pin(tx.send_async(task))).collect();
    for (future, bell) in futures.iter_mut().zip(&bells) {
        assert!(bell.poll(future.as_mut()).is_pending());
    }
    let mut shares = [0; WAITERS];
    let mut rung = [0; WAITERS];
    for _ in 0..MESSAGES {
        rx.try_recv().unwrap();
        let woken = (0..WAITERS).find(|task| bells[*task].rings() > rung[*task]).unwrap();
        rung[woken] = bells[woken].rings();
        assert!(bells[woken].poll(futures[woken].as_mut()).is_ready());
        shares[woken] += 1;
        futures[woken] = Box::pin(tx.send_async(woken));
        assert!(bells[woken].poll(futures[woken].as_mut()).is_pending());
    }
    assert_eq!(shares, [MESSAGES / WAITERS; WAITERS], "tasks take turns");
}

/// W14: threads and tasks stand in one line. Two threads and two tasks that wait alike share alike.
#[test]
fn threads_and_tasks_that_receive() {
    let watchdog = Watchdog::start("fairness of threads and tasks");
    let (tx, rx) = bounded(1);
    let threads: Vec<_> = (0..WAITERS)
        .map(|number| {
            let rx = rx.clone();
            thread::spawn(move || {
                if number % 2 == 0 {
                    return count(&rx);
                }
                let mut count = 0;
                futures::executor::block_on(async {
                    while rx.recv_async().await.is_ok() {
                        count += 1;
                    }
                });
                count
            })
        })
        .collect();
    drop(rx);
    for number in 0..MESSAGES {
        common::wait_until("all receivers wait", || receivers_waiting(&tx) == WAITERS);
        tx.send(number).unwrap();
        watchdog.pet();
    }
    drop(tx);
    let shares: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_fair(&shares);
}
