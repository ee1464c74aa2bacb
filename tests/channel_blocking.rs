//! Each blocking call, asleep and awake: woken by a value, by room, by close, by the last handle's drop, by time.
//!
//! A call counts as asleep when the system says that its thread sleeps; nothing here waits for a length of time to make
//! a race likely. The races themselves are run thousands of times.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

mod common;

use common::{Random, Sleeper, Watchdog};
use millpond::{
    Receiver, RecvError, RecvTimeoutError, SendManyError, SendTimeoutError, Sender, TryRecvError, bounded,
};
use std::thread;
use std::time::{Duration, Instant};

/// A blocking way to receive one message.
type Recv = fn(&Receiver<usize>) -> Option<usize>;

const FAR: Duration = Duration::from_secs(1000);

const RECVS: [(&str, Recv); 8] = [
    ("recv", |rx| rx.recv().ok()),
    ("recv_timeout", |rx| rx.recv_timeout(FAR).ok()),
    ("recv_timeout, for ever", |rx| rx.recv_timeout(Duration::MAX).ok()),
    ("recv_deadline", |rx| rx.recv_deadline(Instant::now() + FAR).ok()),
    ("recv_many", |rx| {
        let mut list = Vec::new();
        rx.recv_many(&mut list, 1).ok()?;
        list.pop()
    }),
    ("iter", |rx| rx.iter().next()),
    ("into_iter", |rx| rx.clone().into_iter().next()),
    ("recv_async", |rx| futures::executor::block_on(rx.recv_async()).ok()),
];

/// A blocking way to send one message; gives it back if it fails.
type Send = fn(&Sender<usize>, usize) -> Result<(), usize>;

const SENDS: [(&str, Send); 6] = [
    ("send", |tx, n| tx.send(n).map_err(|error| error.into_inner())),
    ("send_timeout", |tx, n| tx.send_timeout(n, FAR).map_err(|error| error.into_inner())),
    ("send_timeout, for ever", |tx, n| tx.send_timeout(n, Duration::MAX).map_err(|error| error.into_inner())),
    ("send_deadline", |tx, n| tx.send_deadline(n, Instant::now() + FAR).map_err(|error| error.into_inner())),
    ("send_many", |tx, n| tx.send_many([n]).map_err(|error| error.into_inner()[0])),
    ("send_async", |tx, n| futures::executor::block_on(tx.send_async(n)).map_err(|error| error.into_inner())),
];

/// A full channel.
fn full(capacity: usize) -> (Sender<usize>, Receiver<usize>) {
    let (tx, rx) = bounded(capacity);
    tx.send_many((0..capacity).collect::<Vec<_>>()).unwrap();
    (tx, rx)
}

/// W1: each receive that sleeps is woken by a message, whichever way it is sent.
#[test]
fn a_sleeping_receive_is_woken_by_a_message() {
    let dog = Watchdog::start("a_sleeping_receive_is_woken_by_a_message");
    let others: [(&str, Send); 2] = [
        ("try_send", |tx, n| tx.try_send(n).map_err(|error| error.into_inner())),
        ("force_send", |tx, n| tx.force_send(n).map(drop).map_err(|error| error.into_inner())),
    ];
    for (recv_name, recv) in RECVS {
        for (send_name, send) in SENDS.into_iter().chain(others) {
            let (tx, rx) = bounded(2);
            let receiver = Sleeper::asleep(move || recv(&rx));
            assert_eq!(send(&tx, 7), Ok(()), "{send_name}");
            assert_eq!(receiver.join(), Some(7), "{recv_name} woken by {send_name}");
            dog.pet();
        }
    }
}

/// W3, promise 5: each receive that sleeps is woken by close and by the last sender's drop.
#[test]
fn a_sleeping_receive_is_woken_by_the_end() {
    let dog = Watchdog::start("a_sleeping_receive_is_woken_by_the_end");
    let ends: [fn(Sender<usize>); 3] = [
        |tx| assert!(tx.close()),
        |tx| drop(tx),
        |tx| {
            let other = tx.clone();
            thread::spawn(move || drop(tx)).join().unwrap();
            assert!(!other.is_closed());
            drop(other);
        },
    ];
    for (name, recv) in RECVS {
        for end in ends {
            let (tx, rx) = bounded(1);
            let receivers: Vec<_> = [rx.clone(), rx].map(|rx| Sleeper::asleep(move || recv(&rx))).into();
            end(tx);
            assert!(receivers.into_iter().all(|receiver| receiver.join().is_none()), "{name}");
            dog.pet();
        }
    }
}

/// W2: each send that sleeps in front of a full channel is woken by room, whichever way it is made.
#[test]
fn a_sleeping_send_is_woken_by_room() {
    let dog = Watchdog::start("a_sleeping_send_is_woken_by_room");
    let others: [(&str, Recv); 2] =
        [("try_recv", |rx| rx.try_recv().ok()), ("try_iter", |rx| rx.try_iter().next())];
    for (send_name, send) in SENDS {
        for (recv_name, recv) in RECVS.into_iter().chain(others) {
            let (tx, rx) = full(2);
            let sender = Sleeper::asleep(move || send(&tx, 2));
            assert_eq!(recv(&rx), Some(0), "{recv_name}");
            assert_eq!(sender.join(), Ok(()), "{send_name} woken by {recv_name}");
            assert_eq!(rx.iter().collect::<Vec<_>>(), [1, 2]);
            dog.pet();
        }
    }
}

/// W3, L18: each send that sleeps gets its message back when the channel closes or the last receiver goes.
#[test]
fn a_sleeping_send_is_woken_by_the_end() {
    let dog = Watchdog::start("a_sleeping_send_is_woken_by_the_end");
    for (name, send) in SENDS {
        let (tx, rx) = full(1);
        let senders: Vec<_> = (1..3)
            .map(|n| {
                let tx = tx.clone();
                Sleeper::asleep(move || send(&tx, n))
            })
            .collect();
        drop(rx.clone());
        assert!(senders.iter().all(|sender| !sender.is_finished()), "{name}");
        drop(rx);
        assert_eq!(senders.into_iter().map(Sleeper::join).collect::<Vec<_>>(), [Err(1), Err(2)], "{name}");
        let (tx, rx) = full(1);
        let sender = Sleeper::asleep(move || send(&tx, 1));
        rx.close();
        assert_eq!(sender.join(), Err(1), "{name}");
        assert_eq!((rx.recv(), rx.recv()), (Ok(0), Err(RecvError)));
        dog.pet();
    }
}

/// None of the calls sleeps when it need not: one thread alone gets through all of them.
#[test]
fn what_can_be_done_at_once_is() {
    for (_, recv) in RECVS {
        for (_, send) in SENDS {
            let (tx, rx) = bounded(1);
            assert_eq!(send(&tx, 1), Ok(()));
            assert_eq!(recv(&rx), Some(1));
            tx.close();
            assert_eq!(send(&tx, 2), Err(2));
            assert_eq!(recv(&rx), None);
        }
    }
}

/// W11: a time limit is not over early, takes nothing, and gives the message back. Only the lower bound is timed.
#[test]
fn time_limits_are_not_over_early() {
    let (tx, rx) = bounded(1);
    for micros in [0, 1, 100, 3_000, 40_000] {
        let limit = Duration::from_micros(micros);
        let start = Instant::now();
        assert_eq!(rx.recv_timeout(limit), Err(RecvTimeoutError::Timeout));
        assert!(start.elapsed() >= limit);
        let deadline = Instant::now() + limit;
        assert_eq!(rx.recv_deadline(deadline), Err(RecvTimeoutError::Timeout));
        assert!(Instant::now() >= deadline);
        tx.send(1).unwrap();
        let start = Instant::now();
        assert_eq!(tx.send_timeout(2, limit), Err(SendTimeoutError::Timeout(2)));
        assert!(start.elapsed() >= limit);
        let deadline = Instant::now() + limit;
        assert_eq!(tx.send_deadline(3, deadline), Err(SendTimeoutError::Timeout(3)));
        assert!(Instant::now() >= deadline);
        assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(1), Err(TryRecvError::Empty)));
    }
}

/// W11, promise 2: a time limit that runs out while a message arrives either brings it or leaves it there, never both.
#[test]
fn a_timeout_against_a_message_loses_neither() {
    let dog = Watchdog::start("a_timeout_against_a_message_loses_neither");
    let (tx, rx) = bounded::<usize>(1);
    let (ready_tx, ready_rx) = bounded::<u64>(1);
    let sender = thread::spawn(move || {
        for (n, micros) in ready_rx.iter().enumerate() {
            let until = Instant::now() + Duration::from_micros(micros);
            while Instant::now() < until {}
            tx.send(n).unwrap();
        }
    });
    let mut random = Random::new();
    let (mut late, mut in_time) = (0, 0);
    for n in 0..3_000 {
        ready_tx.send(random.next() % 150).unwrap();
        match rx.recv_timeout(Duration::from_micros(random.next() % 150)) {
            Ok(got) => {
                assert_eq!(got, n);
                in_time += 1;
            }
            Err(_) => {
                assert_eq!(rx.recv(), Ok(n));
                late += 1;
            }
        }
        dog.pet();
    }
    drop(ready_tx);
    sender.join().unwrap();
    println!("{in_time} in time, {late} late");
}

/// W5: a receiver whose time runs out just as it is woken does not take the wake-up of another with it.
#[test]
fn a_timed_out_receiver_passes_its_wake_up_on() {
    let dog = Watchdog::start("a_timed_out_receiver_passes_its_wake_up_on");
    let (tx, rx) = bounded::<usize>(4);
    let (taken_tx, taken_rx) = bounded(4);
    let patient = {
        let (rx, taken_tx) = (rx.clone(), taken_tx.clone());
        thread::spawn(move || rx.iter().for_each(|n| taken_tx.send(n).unwrap()))
    };
    let (round_tx, round_rx) = bounded(1);
    let hasty = thread::spawn(move || {
        for micros in round_rx.iter() {
            // Once a round: if it took the wake-up with it, nobody else would come for the message.
            if let Ok(n) = rx.recv_timeout(Duration::from_micros(micros)) {
                taken_tx.send(n).unwrap();
            }
        }
    });
    let mut random = Random::new();
    for n in 0..5_000 {
        round_tx.send(random.next() % 100).unwrap();
        let until = Instant::now() + Duration::from_micros(random.next() % 100);
        while Instant::now() < until {}
        tx.send(n).unwrap();
        assert_eq!(taken_rx.recv(), Ok(n));
        dog.pet();
    }
    drop(round_tx);
    drop(tx);
    patient.join().unwrap();
    hasty.join().unwrap();
}

/// L1: two receivers sleep, two messages come: both wake, though the first was told already when the second came.
#[test]
fn two_messages_wake_two_sleepers() {
    let dog = Watchdog::start("two_messages_wake_two_sleepers");
    for _ in 0..200 {
        let (tx, rx) = bounded(2);
        let receivers = [rx.clone(), rx].map(|rx| Sleeper::asleep(move || rx.recv()));
        tx.send(1).unwrap();
        tx.send(2).unwrap();
        let mut got = receivers.map(|receiver| receiver.join().unwrap());
        got.sort_unstable();
        assert_eq!(got, [1, 2]);
        dog.pet();
    }
}

/// W2: a batch wakes as many as it serves, in both directions, and more than one locking's worth (16) of them.
#[test]
fn a_batch_wakes_all_whom_it_serves() {
    const MANY: usize = 40;
    let dog = Watchdog::start("a_batch_wakes_all_whom_it_serves");
    let (tx, rx) = bounded(MANY);
    let receivers: Vec<_> = (0..MANY)
        .map(|_| {
            let rx = rx.clone();
            Sleeper::asleep(move || rx.recv().unwrap())
        })
        .collect();
    tx.send_many((0..MANY).collect::<Vec<_>>()).unwrap();
    let mut got: Vec<_> = receivers.into_iter().map(Sleeper::join).collect();
    got.sort_unstable();
    assert!(got.into_iter().eq(0..MANY));
    dog.pet();
    tx.send_many((0..MANY).collect::<Vec<_>>()).unwrap();
    let senders: Vec<_> = (0..MANY)
        .map(|n| {
            let tx = tx.clone();
            Sleeper::asleep(move || tx.send(MANY + n).unwrap())
        })
        .collect();
    assert_eq!(rx.recv_many(&mut Vec::new(), usize::MAX), Ok(MANY));
    senders.into_iter().for_each(Sleeper::join);
    assert_eq!(rx.len(), MANY);
}

/// W3: close wakes all of a crowd of sleepers of both kinds (40 each, more than are woken per locking).
#[test]
fn close_wakes_a_crowd() {
    let dog = Watchdog::start("close_wakes_a_crowd");
    let (tx, rx) = full(1);
    let (idle_tx, idle_rx) = bounded::<usize>(1);
    let sleepers: Vec<_> = (0..80)
        .map(|n| {
            let (tx, idle_rx) = (tx.clone(), idle_rx.clone());
            Sleeper::asleep(move || if n % 2 == 0 { tx.send(n).is_err() } else { idle_rx.recv().is_err() })
        })
        .collect();
    dog.pet();
    rx.close();
    drop(idle_tx);
    assert!(sleepers.into_iter().all(Sleeper::join));
}

/// D5: a sleeping batch that is closed accounts for each message.
#[test]
fn a_sleeping_batch_accounts_for_all() {
    let (tx, rx) = bounded(2);
    let sender = Sleeper::asleep(move || tx.send_many([0, 1, 2, 3, 4]));
    assert_eq!(rx.recv(), Ok(0));
    rx.close();
    let received: Vec<_> = rx.iter().collect();
    let SendManyError { sent, unsent } = sender.join().unwrap_err();
    assert_eq!(sent, 1 + received.len());
    assert!(received.into_iter().chain(unsent).eq(1..5));
}

/// L6, D1: the last message and the end of the last sender race with a receiver: first the message, then `Closed`.
#[test]
fn the_last_message_comes_before_the_end() {
    let dog = Watchdog::start("the_last_message_comes_before_the_end");
    for n in 0..5_000 {
        let (tx, rx) = bounded(1);
        let sender = thread::spawn(move || tx.send(n).unwrap());
        if n % 2 == 0 {
            assert_eq!((rx.recv(), rx.recv()), (Ok(n), Err(RecvError)));
        } else {
            let first = loop {
                match rx.try_recv() {
                    Err(TryRecvError::Empty) => thread::yield_now(),
                    answer => break answer,
                }
            };
            assert_eq!(first, Ok(n));
            assert_eq!(rx.recv(), Err(RecvError));
        }
        sender.join().unwrap();
        dog.pet();
    }
}

/// W10: a thread that is unparked for no reason goes on waiting.
#[test]
fn spurious_unparks_do_no_harm() {
    let (tx, rx) = bounded(1);
    let (tell, told) = std::sync::mpsc::channel();
    let receiver = Sleeper::asleep(move || {
        tell.send(thread::current()).unwrap();
        rx.recv()
    });
    let thread = told.recv().unwrap();
    for _ in 0..10_000 {
        thread.unpark();
    }
    assert!(!receiver.is_finished());
    tx.send(1).unwrap();
    assert_eq!(receiver.join(), Ok(1));
}
