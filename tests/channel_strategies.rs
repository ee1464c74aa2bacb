//! The wait strategies: whichever is chosen, everybody is woken, by everything that should wake.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]
#![allow(unused_mut, reason = "shared ends do with less than unique ones")]

mod common;

use common::{Sleeper, Watchdog};
use futures::executor::block_on;
use millpond::{RecvError, RecvTimeoutError, SendTimeoutError, WaitStrategy};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

const STRATEGIES: [WaitStrategy; 3] = [WaitStrategy::Adaptive, WaitStrategy::Park, WaitStrategy::Busy];
const CAPACITIES: [usize; 4] = [0, 1, 2, 64];
const SHORT: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_secs(1000);
const COUNT: u32 = 2_000;

macro_rules! family {
    ($family:ident) => {
        mod $family {
            use super::*;
            use millpond::$family::{Receiver, Sender, bounded_with};

            type Send = fn(&mut Sender<u32>, u32);
            type Recv = fn(&mut Receiver<u32>) -> Result<u32, RecvError>;

            const SENDS: [Send; 4] = [
                |tx, n| tx.send(n).unwrap(),
                |tx, n| tx.send_timeout(n, LONG).unwrap(),
                |tx, n| tx.send_many([n]).unwrap(),
                |tx, n| block_on(tx.send_async(n)).unwrap(),
            ];

            const RECVS: [Recv; 4] = [
                |rx| rx.recv(),
                |rx| rx.recv_timeout(LONG).map_err(|_| RecvError),
                |rx| {
                    let mut one = Vec::new();
                    rx.recv_many(&mut one, 1)?;
                    Ok(one[0])
                },
                |rx| block_on(rx.recv_async()),
            ];

            #[test]
            fn all_that_is_sent_arrives() {
                let dog = Watchdog::start(concat!(stringify!($family), " strategies"));
                for strategy in STRATEGIES {
                    for capacity in CAPACITIES {
                        for (at, send) in SENDS.into_iter().enumerate() {
                            let (mut tx, mut rx) = bounded_with(capacity, strategy);
                            assert_eq!((tx.capacity(), rx.capacity()), (capacity, capacity));
                            let sender = thread::spawn(move || (0..COUNT).for_each(|n| send(&mut tx, n)));
                            for n in 0..COUNT {
                                assert_eq!(RECVS[(at + n as usize / 500) % RECVS.len()](&mut rx), Ok(n));
                            }
                            assert_eq!(rx.recv(), Err(RecvError));
                            sender.join().unwrap();
                            dog.pet();
                        }
                    }
                }
            }

            #[test]
            fn time_limits_end_a_wait() {
                for strategy in STRATEGIES {
                    for capacity in CAPACITIES {
                        let (mut tx, mut rx) = bounded_with(capacity, strategy);
                        assert_eq!(rx.recv_timeout(SHORT), Err(RecvTimeoutError::Timeout));
                        let tx = &mut tx;
                        (0..capacity).for_each(|n| tx.send_timeout(n, SHORT).unwrap());
                        assert_eq!(tx.send_timeout(99, SHORT), Err(SendTimeoutError::Timeout(99)));
                        assert_eq!(tx.send_deadline(99, Instant::now()), Err(SendTimeoutError::Timeout(99)));
                    }
                }
            }

            #[test]
            fn closing_ends_a_wait() {
                let _dog = Watchdog::start(concat!(stringify!($family), " strategies, closing"));
                for strategy in STRATEGIES {
                    for capacity in CAPACITIES {
                        let (tx, mut rx) = bounded_with::<u32>(capacity, strategy);
                        let receiver = thread::spawn(move || rx.recv());
                        drop(tx);
                        assert_eq!(receiver.join().unwrap(), Err(RecvError));
                        let (mut tx, rx) = bounded_with(capacity, strategy);
                        let sender = thread::spawn(move || {
                            let tx = &mut tx;
                            (0..=capacity).find_map(|n| tx.send(n).err()).unwrap().into_inner()
                        });
                        rx.close();
                        assert!(sender.join().unwrap() <= capacity);
                    }
                }
            }
        }
    };
}

family!(mpmc);
family!(mpsc);
family!(spsc);

/// Threads that wait go to sleep with the first two strategies.
#[test]
fn who_parks_sleeps() {
    for strategy in [WaitStrategy::Adaptive, WaitStrategy::Park] {
        for capacity in CAPACITIES {
            let (tx, rx) = millpond::mpmc::bounded_with(capacity, strategy);
            let receiver = Sleeper::asleep(move || (rx.recv(), rx));
            tx.send(1).unwrap();
            let (got, rx) = receiver.join();
            assert_eq!(got, Ok(1));
            (0..capacity).for_each(|n| tx.try_send(n).unwrap());
            let sender = Sleeper::asleep(move || tx.send(capacity));
            assert!(rx.iter().eq(0..=capacity));
            sender.join().unwrap();
        }
    }
}

/// A thread that waits busily gives its processor away: more of them than there are processors still make progress.
#[test]
fn busy_threads_share_a_processor() {
    let _dog = Watchdog::start("busy_threads_share_a_processor");
    for capacity in CAPACITIES {
        let (tx, rx) = millpond::mpmc::bounded_with(capacity, WaitStrategy::Busy);
        let done = Arc::new(AtomicBool::new(false));
        let idle: Vec<_> = (0..4)
            .map(|_| {
                let (rx, done) = (rx.clone(), Arc::clone(&done));
                thread::spawn(move || {
                    let count = rx.iter().count();
                    assert!(done.load(SeqCst), "the channel closes last");
                    count
                })
            })
            .collect();
        drop(rx);
        for n in 0..200 {
            tx.send(n).unwrap();
        }
        done.store(true, SeqCst);
        drop(tx);
        assert_eq!(idle.into_iter().map(|idle| idle.join().unwrap()).sum::<usize>(), 200);
    }
}

/// The default is the adaptive one, and a strategy can be a key, be copied and be printed.
#[test]
fn the_default_adapts() {
    assert_eq!(WaitStrategy::default(), WaitStrategy::Adaptive);
    let all: std::collections::HashSet<_> = STRATEGIES.into_iter().collect();
    assert_eq!((all.len(), format!("{:?}", WaitStrategy::Park)), (3, "Park".to_owned()));
}
