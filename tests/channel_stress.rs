//! Many threads at once, by invariants and never by time: nothing lost, doubled or invented, each sender's order kept.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

mod common;

use common::{Ledger, Random, Token, Watchdog};
use futures::executor::block_on;
use millpond::{Receiver, RecvTimeoutError, Sender, TryRecvError, TrySendError, bounded};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

/// A way to send a run of numbers; gives up when the channel is closed.
type SendAll = fn(&Sender<usize>, Range<usize>);
/// A way to receive until the channel is closed and empty.
type RecvAll = fn(&Receiver<usize>, &mut dyn FnMut(usize));

/// Short enough to run out often.
const SHORT: Duration = Duration::from_micros(20);

const SENDS: [(&str, SendAll); 5] = [
    ("send", |tx, ids| ids.for_each(|id| tx.send(id).unwrap())),
    ("send_async", |tx, ids| ids.for_each(|id| block_on(tx.send_async(id)).unwrap())),
    ("try_send", |tx, ids| {
        for id in ids {
            while let Err(error) = tx.try_send(id) {
                assert_eq!(error, TrySendError::Full(id));
                thread::yield_now();
            }
        }
    }),
    ("send_timeout", |tx, ids| {
        for id in ids {
            while let Err(error) = tx.send_timeout(id, SHORT) {
                assert!(error.is_timeout() && error.into_inner() == id);
            }
        }
    }),
    ("send_many", |tx, ids| {
        let ids: Vec<_> = ids.collect();
        ids.chunks(7).for_each(|chunk| tx.send_many(chunk.to_vec()).unwrap());
    }),
];

const RECVS: [(&str, RecvAll); 5] = [
    ("recv", |rx, sink| rx.iter().for_each(sink)),
    ("recv_async", |rx, sink| {
        while let Ok(id) = block_on(rx.recv_async()) {
            sink(id);
        }
    }),
    ("try_recv", |rx, sink| {
        loop {
            match rx.try_recv() {
                Ok(id) => sink(id),
                Err(TryRecvError::Empty) => thread::yield_now(),
                Err(TryRecvError::Closed) => return,
            }
        }
    }),
    ("recv_timeout", |rx, sink| {
        loop {
            match rx.recv_timeout(SHORT) {
                Ok(id) => sink(id),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Closed) => return,
            }
        }
    }),
    ("recv_many", |rx, sink| {
        let mut list = Vec::new();
        while let Ok(count) = rx.recv_many(&mut list, 5) {
            assert!((1..=5).contains(&count) && list.len() == count);
            list.drain(..).for_each(&mut *sink);
        }
    }),
];

/// Who has been seen, and in which order: one check for all receivers of a run.
struct Seen {
    /// How many ids each sender has; id / per is the sender.
    per: usize,
    times: Vec<AtomicU8>,
}

impl Seen {
    fn new(senders: usize, per: usize) -> Arc<Self> {
        Arc::new(Self { per, times: (0..senders * per).map(|_| AtomicU8::new(0)).collect() })
    }

    /// What one receiver does with each id. Q1: seen once; Q2: each sender's ids go up.
    fn observer(self: &Arc<Self>) -> impl FnMut(usize) + Send + 'static {
        let seen = Arc::clone(self);
        let mut next = vec![0; seen.times.len() / seen.per];
        move |id| {
            assert_eq!(seen.times[id].fetch_add(1, SeqCst), 0, "received {id} twice");
            let sender = id / seen.per;
            assert!(id >= next[sender], "received {id} after {} of the same sender", next[sender] - 1);
            next[sender] = id + 1;
        }
    }

    fn assert_all(&self) {
        let lost = self.times.iter().position(|times| times.load(SeqCst) != 1);
        assert_eq!(lost, None, "lost");
    }
}

/// One cell of the matrix: runs `senders` against `receivers`, and samples `len` meanwhile (Q6).
fn run(capacity: usize, senders: &[SendAll], receivers: &[RecvAll], per: usize) {
    let (tx, rx) = bounded(capacity);
    let seen = Seen::new(senders.len(), per);
    // Without a buffer there may be one message inside for each receiver that has been woken for it.
    let most = if capacity == 0 { receivers.len() } else { capacity };
    let receivers: Vec<_> = receivers
        .iter()
        .map(|&recv| {
            let (rx, mut observe) = (rx.clone(), seen.observer());
            thread::spawn(move || recv(&rx, &mut observe))
        })
        .collect();
    let senders: Vec<_> = senders
        .iter()
        .enumerate()
        .map(|(at, &send)| {
            let tx = tx.clone();
            thread::spawn(move || send(&tx, at * per..(at + 1) * per))
        })
        .collect();
    drop(tx);
    while rx.sender_count() > 0 {
        assert!(rx.len() <= most);
        thread::yield_now();
    }
    drop(rx);
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    receivers.into_iter().for_each(|receiver| receiver.join().unwrap());
    seen.assert_all();
}

/// How many messages each run of the matrix moves: enough for many laps, few enough for 900 runs in seconds.
const EACH_RUN: usize = 240;

fn matrix(capacity: usize) {
    let dog = Watchdog::start("the matrix");
    for (by, send) in SENDS {
        for (to, recv) in RECVS {
            if capacity == 0 && to == "try_recv" && ["try_send", "send_async"].contains(&by) {
                // As documented: a message that only looks in, or that a future may take back, meets only who waits.
                continue;
            }
            for senders in [1, 2, 4] {
                for receivers in [1, 2, 4] {
                    run(capacity, &vec![send; senders], &vec![recv; receivers], EACH_RUN / senders);
                    dog.pet();
                }
            }
        }
    }
}

/// Q1, Q2, Q6, W13, promises 1 and 4: all kinds of sends against all kinds of receives, by 1, 2 and 4 threads a side.
#[test]
fn matrix_of_capacity_0() {
    matrix(0);
}

/// The same with one slot.
#[test]
fn matrix_of_capacity_1() {
    matrix(1);
}

/// The same with two slots.
#[test]
fn matrix_of_capacity_2() {
    matrix(2);
}

/// The same with three slots, which is no power of two.
#[test]
fn matrix_of_capacity_3() {
    matrix(3);
}

/// The same with room.
#[test]
fn matrix_of_capacity_64() {
    matrix(64);
}

/// W13: all kinds at once on one channel, for longer.
#[test]
fn all_kinds_on_one_channel() {
    let dog = Watchdog::start("all_kinds_on_one_channel");
    for capacity in [0, 1, 2, 3, 64] {
        run(capacity, &SENDS.map(|(_, send)| send), &RECVS.map(|(_, recv)| recv), 4_000);
        dog.pet();
    }
}

/// Q5: one sender, one receiver, many laps.
#[test]
fn many_laps() {
    let dog = Watchdog::start("many_laps");
    for capacity in [0, 1, 2, 3, 5, 64] {
        run(capacity, &[SENDS[0].1], &[RECVS[0].1], 50_000);
        run(capacity, &[SENDS[4].1], &[RECVS[4].1], 50_000);
        dog.pet();
    }
}

/// Drops what it receives; the receiver that gets message number `stop` ends the channel, in one of three ways.
fn receive_and_end(rx: &Receiver<Token>, received: &AtomicUsize, stop: usize, way: usize) {
    for token in rx {
        drop(token);
        if received.fetch_add(1, SeqCst) == stop {
            if way != 1 {
                rx.close();
            }
            if way != 0 {
                return;
            }
        }
    }
}

/// Sends tokens until one is refused, in turns of three kinds. Returns whether one was.
fn send_until_refused(tx: &Sender<Token>, ledger: &Arc<Ledger>, mut ids: Range<usize>) -> bool {
    ids.any(|id| match id % 3 {
        0 => tx.send(ledger.token(id)).is_err(),
        1 => tx.send_many([ledger.token(id)]).is_err(),
        _ => block_on(tx.send_async(ledger.token(id))).is_err(),
    })
}

/// D5, Q8: closed in the middle, by anybody: received + returned + dropped = created, each value dropped once.
#[test]
fn close_in_the_middle_accounts_for_all() {
    const IDS: usize = 400;
    let dog = Watchdog::start("close_in_the_middle_accounts_for_all");
    let mut random = Random::new();
    for round in 0..150 {
        let ledger = Ledger::new(4 * IDS);
        let (tx, rx) = bounded([0, 1, 2, 3, 64][round % 5]);
        let stop = random.below(4 * IDS);
        let received = Arc::new(AtomicUsize::new(0));
        let receivers: Vec<_> = (0..2)
            .map(|_| {
                let (rx, received) = (rx.clone(), Arc::clone(&received));
                thread::spawn(move || receive_and_end(&rx, &received, stop, round % 3))
            })
            .collect();
        drop(rx);
        let senders: Vec<_> = (0..4)
            .map(|at| {
                let (tx, ledger) = (tx.clone(), Arc::clone(&ledger));
                thread::spawn(move || send_until_refused(&tx, &ledger, at * IDS..(at + 1) * IDS))
            })
            .collect();
        drop(tx);
        let refused = senders.into_iter().map(|sender| usize::from(sender.join().unwrap())).sum::<usize>();
        receivers.into_iter().for_each(|receiver| receiver.join().unwrap());
        assert!(received.load(SeqCst) + refused <= ledger.drops());
        ledger.assert_settled();
        dog.pet();
    }
}

/// Promise 2, Q1: `force_send` from several threads: received + displaced + left = sent, and each is seen in order.
#[test]
fn force_send_conserves_messages() {
    const PER: usize = 20_000;
    let dog = Watchdog::start("force_send_conserves_messages");
    for (capacity, receivers) in [(0, 1), (0, 2), (1, 1), (2, 2), (3, 1), (3, 2), (64, 2), (2, 0)] {
        let (tx, rx) = bounded(capacity);
        let seen = Seen::new(3, PER);
        let receivers: Vec<_> = (0..receivers)
            .map(|_| {
                let (rx, mut observe) = (rx.clone(), seen.observer());
                thread::spawn(move || rx.iter().for_each(&mut observe))
            })
            .collect();
        let senders: Vec<_> = (0..3)
            .map(|at| {
                let (tx, mut observe) = (tx.clone(), seen.observer());
                thread::spawn(move || {
                    for id in at * PER..(at + 1) * PER {
                        if let Some(displaced) = tx.force_send(id).unwrap() {
                            observe(displaced);
                        }
                    }
                })
            })
            .collect();
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        drop(tx);
        rx.iter().for_each(seen.observer());
        receivers.into_iter().for_each(|receiver| receiver.join().unwrap());
        seen.assert_all();
        dog.pet();
    }
}

/// Q6: a full channel stays full, to anybody who looks, while its messages are displaced.
#[test]
fn a_displaced_channel_stays_full() {
    let dog = Watchdog::start("a_displaced_channel_stays_full");
    for capacity in [1, 2, 3, 5] {
        let (tx, rx) = bounded(capacity);
        tx.send_many(vec![0; capacity]).unwrap();
        let done = Arc::new(AtomicUsize::new(0));
        let senders: Vec<_> = (0..2)
            .map(|_| {
                let (tx, done) = (tx.clone(), Arc::clone(&done));
                thread::spawn(move || {
                    (0..20_000).for_each(|n| assert!(tx.force_send(n).unwrap().is_some()));
                    done.fetch_add(1, SeqCst);
                })
            })
            .collect();
        while done.load(SeqCst) < 2 {
            assert_eq!((rx.len(), rx.is_full()), (capacity, true));
        }
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        dog.pet();
    }
}

/// W2: senders that sleep in front of a channel whose messages are displaced, too, all get through.
#[test]
fn displacing_does_not_keep_others_asleep() {
    let dog = Watchdog::start("displacing_does_not_keep_others_asleep");
    let (tx, rx) = bounded(2);
    let stop = Arc::new(AtomicBool::new(false));
    let displacer = {
        let (tx, stop) = (tx.clone(), Arc::clone(&stop));
        thread::spawn(move || {
            let mut displaced = 0;
            while !stop.load(SeqCst) {
                displaced += usize::from(tx.force_send(1).unwrap() == Some(0));
            }
            displaced
        })
    };
    let senders: Vec<_> = (0..2)
        .map(|_| {
            let tx = tx.clone();
            thread::spawn(move || (0..2_000).for_each(|_| tx.send(0).unwrap()))
        })
        .collect();
    drop(tx);
    let receiver = thread::spawn(move || rx.iter().filter(|n| *n == 0).count());
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    dog.pet();
    stop.store(true, SeqCst);
    assert_eq!(displacer.join().unwrap() + receiver.join().unwrap(), 4_000);
}

/// Q15, A12: handles are cloned and dropped by many threads while messages pass; the last ones close the channel.
#[test]
fn handles_come_and_go() {
    const PER: usize = 1_000;
    let dog = Watchdog::start("handles_come_and_go");
    for capacity in [0, 1, 2, 64] {
        let (tx, rx) = bounded(capacity);
        let seen = Seen::new(3, PER);
        let receivers: Vec<_> = (0..3)
            .map(|_| {
                let (rx, mut observe) = (rx.clone(), seen.observer());
                thread::spawn(move || {
                    while let Ok(id) = rx.clone().recv() {
                        observe(id);
                    }
                })
            })
            .collect();
        let senders: Vec<_> = (0..3)
            .map(|at| {
                let mut tx = tx.clone();
                thread::spawn(move || {
                    for id in at * PER..(at + 1) * PER {
                        let next = tx.clone();
                        std::mem::replace(&mut tx, next).send(id).unwrap();
                    }
                })
            })
            .collect();
        drop(tx);
        receivers.into_iter().chain(senders).for_each(|thread| thread.join().unwrap());
        assert_eq!((rx.sender_count(), rx.receiver_count(), rx.is_closed()), (0, 1, true));
        seen.assert_all();
        dog.pet();
    }
}
