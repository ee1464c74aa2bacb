//! The channels with unique ends, `spsc` and `mpsc`, and what the whole family has: one set of tests for all.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

mod common;

use common::{Sleeper, Watchdog};
use futures::executor::block_on;
use millpond::{RecvError, RecvTimeoutError, SendTimeoutError, TryRecvError, TrySendError};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(1000);
const SHORT: Duration = Duration::from_millis(2);
/// Messages in one run of a stress test.
const COUNT: u64 = 20_000;

/// Counts its drops, and panics in the one that is told to.
struct Dropped(Arc<AtomicUsize>, bool);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
        assert!(!self.1, "on purpose");
    }
}

macro_rules! family {
    ($family:ident) => {
        #[allow(unused_mut, reason = "shared ends do with less than unique ones")]
        mod $family {
            use super::*;
            use millpond::$family::{Receiver, Sender, bounded};

            #[test]
            fn messages_arrive_in_order_across_many_laps() {
                for capacity in [1, 2, 3, 7, 64] {
                    let (tx, mut rx) = bounded(capacity);
                    let mut tx = tx;
                    for lap in 0..5 {
                        for n in 0..capacity {
                            assert_eq!((tx.len(), tx.is_full(), rx.is_empty()), (n, false, n == 0));
                            let tx = &mut tx;
                            assert_eq!(tx.try_send(lap * capacity + n), Ok(()));
                        }
                        assert!(tx.is_full() && rx.is_full());
                        {
                            let tx = &mut tx;
                            assert_eq!(tx.try_send(9), Err(TrySendError::Full(9)));
                        }
                        for n in 0..capacity {
                            assert_eq!(rx.try_recv(), Ok(lap * capacity + n));
                        }
                        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
                        assert_eq!((rx.capacity(), tx.capacity()), (capacity, capacity));
                    }
                }
            }

            #[test]
            fn either_end_closes_and_what_is_inside_is_received() {
                for by_receiver in [false, true] {
                    let (mut tx, mut rx) = bounded(4);
                    let tx = &mut tx;
                    tx.send(1).unwrap();
                    tx.send(2).unwrap();
                    assert!(if by_receiver { rx.close() } else { tx.close() });
                    assert!(!rx.close() && !tx.close() && tx.is_closed() && rx.is_closed());
                    assert_eq!(tx.send(3).unwrap_err().into_inner(), 3);
                    assert_eq!(tx.try_send(3), Err(TrySendError::Closed(3)));
                    assert_eq!(tx.send_timeout(3, LONG), Err(SendTimeoutError::Closed(3)));
                    let error = tx.send_many([3, 4]).unwrap_err();
                    assert_eq!((error.sent, error.unsent), (0, VecDeque::from([3, 4])));
                    assert_eq!(block_on(tx.send_async(5)).unwrap_err().into_inner(), 5);
                    assert_eq!(rx.len(), 2);
                    assert_eq!((rx.recv(), rx.recv(), rx.recv()), (Ok(1), Ok(2), Err(RecvError)));
                    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
                    assert_eq!(rx.recv_timeout(LONG), Err(RecvTimeoutError::Closed));
                    assert_eq!(rx.recv_many(&mut Vec::new(), 5), Err(RecvError));
                }
            }

            #[test]
            fn time_limits_give_the_message_back() {
                let (mut tx, mut rx) = bounded(1);
                let tx = &mut tx;
                assert_eq!(rx.recv_timeout(SHORT), Err(RecvTimeoutError::Timeout));
                assert_eq!(rx.recv_deadline(Instant::now()), Err(RecvTimeoutError::Timeout));
                tx.send_timeout(1, SHORT).unwrap();
                assert_eq!(tx.send_timeout(2, SHORT), Err(SendTimeoutError::Timeout(2)));
                assert_eq!(tx.send_deadline(2, Instant::now()), Err(SendTimeoutError::Timeout(2)));
                assert_eq!(rx.recv_timeout(SHORT), Ok(1));
            }

            #[test]
            fn ends_that_go_close_the_channel() {
                let (mut tx, mut rx) = bounded(2);
                assert_eq!((tx.sender_count(), tx.receiver_count()), (1, 1));
                {
                    let tx = &mut tx;
                    tx.send("left").unwrap();
                }
                drop(tx);
                assert_eq!((rx.sender_count(), rx.is_closed()), (0, true));
                assert_eq!((rx.recv(), rx.recv()), (Ok("left"), Err(RecvError)));
                let (mut tx, rx) = bounded(2);
                drop(rx);
                assert_eq!((tx.receiver_count(), tx.is_closed()), (0, true));
                let tx = &mut tx;
                assert!(tx.send("nobody").is_err());
            }

            #[test]
            fn sleepers_are_woken_by_messages_room_and_ends_that_go() {
                let (mut tx, mut rx) = bounded(1);
                let receiver = Sleeper::asleep(move || (rx.recv(), rx));
                {
                    let tx = &mut tx;
                    tx.send(1).unwrap();
                }
                let (got, rx) = receiver.join();
                assert_eq!(got, Ok(1));
                let mut rx = rx;
                {
                    let tx = &mut tx;
                    tx.send(2).unwrap();
                }
                let sender = Sleeper::asleep(move || {
                    let sent = {
                        let tx = &mut tx;
                        tx.send(3)
                    };
                    (sent, tx)
                });
                assert_eq!(rx.recv(), Ok(2));
                let (sent, tx) = sender.join();
                assert_eq!(sent, Ok(()));
                assert_eq!(rx.recv(), Ok(3));
                let receiver = Sleeper::asleep(move || block_on(rx.recv_async()));
                drop(tx);
                assert_eq!(receiver.join(), Err(RecvError));
                let (mut tx, rx) = bounded(1);
                let sender = Sleeper::asleep(move || {
                    let tx = &mut tx;
                    tx.send(1).unwrap();
                    block_on(tx.send_async(2)).map_err(|error| error.into_inner())
                });
                drop(rx);
                assert_eq!(sender.join(), Err(2));
            }

            #[test]
            fn batches_go_in_parts_and_come_as_there_are() {
                let (mut tx, mut rx) = bounded(3);
                let sender = thread::spawn(move || {
                    let tx = &mut tx;
                    tx.send_many((0..100).collect::<Vec<_>>())
                });
                let mut got = Vec::new();
                assert_eq!(rx.recv_many(&mut got, 0), Ok(0));
                while got.len() < 100 {
                    let count = rx.recv_many(&mut got, 7).unwrap();
                    // More than the capacity where the sender fills up what is being emptied.
                    assert!((1..=7).contains(&count));
                }
                assert_eq!(got, (0..100).collect::<Vec<_>>());
                assert_eq!(sender.join().unwrap(), Ok(()));
                assert_eq!(rx.recv_many(&mut got, 1), Err(RecvError));
            }

            #[test]
            fn iterators_end_with_the_channel() {
                let (mut tx, mut rx) = bounded(8);
                {
                    let tx = &mut tx;
                    tx.send_many([1, 2, 3, 4]).unwrap();
                }
                assert_eq!(rx.iter().next(), Some(1));
                assert_eq!(rx.try_iter().collect::<Vec<_>>(), [2, 3, 4]);
                {
                    let tx = &mut tx;
                    tx.send_many([5, 6]).unwrap();
                }
                drop(tx);
                assert_eq!(rx.iter().next(), Some(5));
                assert_eq!(rx.into_iter().collect::<Vec<_>>(), [6]);
            }

            #[test]
            fn futures_that_are_dropped_have_done_nothing() {
                use futures::FutureExt;
                let (mut tx, mut rx) = bounded(1);
                let tx = &mut tx;
                assert!(rx.recv_async().now_or_never().is_none());
                tx.send(1).unwrap();
                assert!(tx.send_async(2).now_or_never().is_none());
                let mut sending = Box::pin(tx.send_async(3));
                assert!(sending.as_mut().now_or_never().is_none());
                assert_eq!(sending.as_mut().into_inner(), Some(3));
                drop(sending);
                assert_eq!(rx.recv_async().now_or_never(), Some(Ok(1)));
                assert!(rx.recv_async().now_or_never().is_none());
            }

            #[cfg(feature = "stream")]
            #[test]
            fn a_stream_ends_with_the_channel() {
                use futures::StreamExt;
                let (mut tx, rx) = bounded(3);
                {
                    let tx = &mut tx;
                    tx.send_many([1, 2, 3]).unwrap();
                }
                drop(tx);
                let mut stream = rx.into_stream();
                assert_eq!(stream.receiver().len(), 3);
                assert_eq!(block_on(stream.by_ref().collect::<Vec<_>>()), [1, 2, 3]);
                assert_eq!(block_on(stream.next()), None);
            }

            #[test]
            fn messages_of_all_shapes_travel_whole() {
                #[derive(Debug, PartialEq, Clone)]
                #[repr(align(128))]
                struct Aligned(u8);
                fn round_trip<T: PartialEq + std::fmt::Debug>(make: impl Fn(u8) -> T) {
                    let (mut tx, mut rx) = bounded(3);
                    let tx = &mut tx;
                    for n in 0..10 {
                        assert_eq!(tx.send(make(n)), Ok(()));
                        assert_eq!(tx.send(make(n + 1)), Ok(()));
                        assert_eq!((rx.recv(), rx.recv()), (Ok(make(n)), Ok(make(n + 1))));
                    }
                    assert_eq!(tx.send(make(99)), Ok(()));
                }
                round_trip(|_| ());
                round_trip(|n| n);
                round_trip(|n| [n; 4096]);
                round_trip(Aligned);
                round_trip(|n| n.to_string());
                round_trip(|n| vec![Box::new(n); 3]);
            }

            #[test]
            fn each_message_is_dropped_once() {
                let count = Arc::new(AtomicUsize::new(0));
                let make = |bomb| Dropped(Arc::clone(&count), bomb);
                let (mut tx, mut rx) = bounded(8);
                let sender = &mut tx;
                for _ in 0..6 {
                    assert!(sender.send(make(false)).is_ok());
                }
                drop(rx.recv());
                assert_eq!(count.load(SeqCst), 1);
                drop(rx);
                assert_eq!(count.load(SeqCst), 6, "the last receiver drops what is inside");
                drop(sender.send(make(false)));
                assert_eq!(count.load(SeqCst), 7);
                drop(tx);
                let (mut tx, rx) = bounded(8);
                let sender = &mut tx;
                for n in 0..5 {
                    assert!(sender.send(make(n == 1)).is_ok());
                }
                assert!(catch_unwind(AssertUnwindSafe(|| drop(rx))).is_err());
                assert_eq!(count.load(SeqCst), 12, "also behind one whose drop panics");
                assert!(sender.send(make(false)).is_err());
            }

            #[test]
            fn batches_without_waiting() {
                let (mut tx, mut rx) = bounded(3);
                let tx = &mut tx;
                let mut messages = VecDeque::new();
                assert_eq!(tx.try_send_many(&mut messages), Ok(0));
                messages.extend(0..5);
                assert_eq!(tx.try_send_many(&mut messages), Ok(3));
                assert_eq!(tx.try_send_many(&mut messages), Err(TrySendError::Full(())));
                assert_eq!(messages, [3, 4]);
                let mut got = Vec::new();
                assert_eq!(rx.try_recv_many(&mut got, 0), Ok(0));
                assert_eq!(rx.try_recv_many(&mut got, 2), Ok(2));
                assert_eq!(tx.try_send_many(&mut messages), Ok(2));
                assert_eq!(rx.drain(&mut got), 3);
                assert_eq!(got, [0, 1, 2, 3, 4]);
                assert_eq!(
                    (rx.drain(&mut got), rx.try_recv_many(&mut got, 1)),
                    (0, Err(TryRecvError::Empty))
                );
                tx.close();
                messages.push_back(5);
                assert_eq!(tx.try_send_many(&mut messages), Err(TrySendError::Closed(())));
                assert_eq!(
                    (rx.drain(&mut got), rx.try_recv_many(&mut got, 1)),
                    (0, Err(TryRecvError::Closed))
                );
            }

            #[test]
            fn a_queue_that_is_sent_keeps_its_memory_and_what_was_not() {
                let (mut tx, mut rx) = bounded(2);
                let mut batch = VecDeque::with_capacity(10);
                batch.extend(0..2);
                {
                    let tx = &mut tx;
                    assert_eq!(tx.send_from(&mut batch), Ok(()));
                }
                assert_eq!((batch.len(), batch.capacity() >= 10), (0, true));
                batch.extend(2..7);
                let sender = Sleeper::asleep(move || {
                    let tx = &mut tx;
                    (tx.send_from(&mut batch).is_err(), batch)
                });
                assert_eq!((rx.recv(), rx.recv(), rx.recv()), (Ok(0), Ok(1), Ok(2)));
                rx.close();
                let (refused, batch) = sender.join();
                let rest: Vec<i32> = rx.iter().collect();
                assert!(refused && batch.iter().copied().eq(3 + rest.len() as i32..7));
            }

            #[test]
            fn batches_of_tasks() {
                use futures::FutureExt;
                let (mut tx, mut rx) = bounded(2);
                let tx = &mut tx;
                let mut got = Vec::new();
                assert!(rx.recv_many_async(&mut got, 3).now_or_never().is_none());
                assert_eq!(rx.recv_many_async(&mut got, 0).now_or_never(), Some(Ok(0)));
                {
                    let mut sending = Box::pin(tx.send_many_async([1, 2, 3]));
                    assert!(sending.as_mut().now_or_never().is_none());
                    assert_eq!(sending.as_mut().into_inner(), [3]);
                }
                assert_eq!(rx.recv_many_async(&mut got, 9).now_or_never(), Some(Ok(2)));
                assert_eq!(tx.send_many_async([4, 5]).now_or_never(), Some(Ok(())));
                rx.close();
                let error = tx.send_many_async([6]).now_or_never().unwrap().unwrap_err();
                assert_eq!((error.sent, error.unsent), (0, VecDeque::from([6])));
                assert_eq!(rx.recv_many_async(&mut got, 9).now_or_never(), Some(Ok(2)));
                assert_eq!(rx.recv_many_async(&mut got, 9).now_or_never(), Some(Err(RecvError)));
                assert_eq!(got, [1, 2, 4, 5]);
            }

            #[test]
            fn relaxed_answers() {
                use millpond::{TryRecvRelaxedError as Recv, TrySendRelaxedError as Send};
                let (mut tx, mut rx) = bounded(1);
                let tx = &mut tx;
                assert_eq!(rx.try_recv_relaxed(), Err(Recv::Empty));
                assert_eq!(tx.try_send_relaxed(1), Ok(()));
                assert_eq!(tx.try_send_relaxed(2), Err(Send::Full(2)));
                tx.close();
                assert_eq!(tx.try_send_relaxed(2), Err(Send::Closed(2)));
                assert_eq!((rx.try_recv_relaxed(), rx.try_recv_relaxed()), (Ok(1), Err(Recv::Closed)));
            }

            #[test]
            fn the_end_of_a_channel_can_be_awaited() {
                use futures::FutureExt;
                let (tx, rx) = bounded::<u8>(1);
                assert!(tx.closed().now_or_never().is_none());
                let waiting = Sleeper::asleep(move || {
                    block_on(tx.closed());
                    tx.is_closed()
                });
                drop(rx);
                assert!(waiting.join());
                let (tx, rx) = bounded::<u8>(1);
                let waiting = Sleeper::asleep(move || block_on(rx.closed()));
                assert!(tx.close());
                waiting.join();
                assert!(tx.closed().now_or_never().is_some());
            }

            type Send = fn(&mut Sender<u64>, u64);
            type Recv = fn(&mut Receiver<u64>) -> Result<u64, RecvError>;

            const SENDS: [Send; 5] = [
                |tx, n| tx.send(n).unwrap(),
                |tx, n| block_on(tx.send_async(n)).unwrap(),
                |tx, n| {
                    while tx.try_send(n).is_err() {
                        thread::yield_now();
                    }
                },
                |tx, n| while tx.send_timeout(n, Duration::from_micros(20)).is_err() {},
                |tx, n| tx.send_many([n]).unwrap(),
            ];

            const RECVS: [Recv; 5] = [
                |rx| rx.recv(),
                |rx| block_on(rx.recv_async()),
                |rx| loop {
                    match rx.try_recv() {
                        Ok(n) => return Ok(n),
                        Err(TryRecvError::Closed) => return Err(RecvError),
                        Err(TryRecvError::Empty) => thread::yield_now(),
                    }
                },
                |rx| loop {
                    match rx.recv_timeout(Duration::from_micros(20)) {
                        Ok(n) => return Ok(n),
                        Err(RecvTimeoutError::Closed) => return Err(RecvError),
                        Err(RecvTimeoutError::Timeout) => {}
                    }
                },
                |rx| {
                    let mut one = Vec::new();
                    rx.recv_many(&mut one, 1)?;
                    Ok(one[0])
                },
            ];

            /// Every way to send against every way to receive, threads and tasks mixed.
            #[test]
            fn nothing_is_lost_doubled_or_reordered() {
                let dog = Watchdog::start(concat!(stringify!($family), " stress"));
                for capacity in [0, 1, 2, 3, 64] {
                    for (how, send) in SENDS.into_iter().enumerate() {
                        for turn in 0..2 {
                            let (mut tx, mut rx) = bounded(capacity);
                            let sender = thread::spawn(move || (0..COUNT).for_each(|n| send(&mut tx, n)));
                            // Without a buffer two that only look in never meet, nor do they and a task that sends.
                            let shift = if capacity == 0 { 2 } else { capacity };
                            let recv = RECVS[(how + shift + turn * 2) % RECVS.len()];
                            for n in 0..COUNT {
                                assert_eq!(recv(&mut rx), Ok(n));
                            }
                            assert_eq!(recv(&mut rx), Err(RecvError));
                            sender.join().unwrap();
                            dog.pet();
                        }
                    }
                }
            }

            /// The receiver closes at any moment: what was accepted is received, and nothing else.
            #[test]
            fn closing_in_the_middle_loses_nothing() {
                let dog = Watchdog::start(concat!(stringify!($family), " close"));
                for round in 0..2_000_u32 {
                    let (mut tx, mut rx) = bounded(4);
                    let sender = thread::spawn(move || {
                        let tx = &mut tx;
                        (0_u32..).take_while(|n| tx.send(*n).is_ok()).count()
                    });
                    let mut received = 0;
                    for _ in 0..round % 7 {
                        assert_eq!(rx.recv(), Ok(received));
                        received += 1;
                    }
                    assert!(rx.close());
                    for n in rx.iter() {
                        assert_eq!(n, received);
                        received += 1;
                    }
                    assert_eq!(rx.len(), 0);
                    assert_eq!(sender.join().unwrap(), received as usize);
                    dog.pet();
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn tasks_on_two_workers() {
                let (tx, mut rx) = bounded(2);
                let sender = tokio::spawn(async move {
                    let mut tx = tx;
                    let tx = &mut tx;
                    for n in 0..COUNT {
                        tx.send_async(n).await.unwrap();
                    }
                });
                for n in 0..COUNT {
                    assert_eq!(rx.recv_async().await, Ok(n));
                }
                assert_eq!(rx.recv_async().await, Err(RecvError));
                sender.await.unwrap();
            }
        }
    };
}

family!(spsc);
family!(mpsc);
family!(mpmc);

#[test]
fn weak_handles_keep_nothing_open() {
    let (tx, rx) = millpond::bounded(2);
    let (weak_tx, weak_rx) = (tx.downgrade(), rx.downgrade());
    let second = weak_tx.upgrade().unwrap();
    assert_eq!((tx.sender_count(), tx.receiver_count()), (2, 1));
    drop(tx);
    assert!(!rx.is_closed() && second.same_channel(&weak_tx.clone().upgrade().unwrap()));
    second.send(1).unwrap();
    drop(second);
    assert!(weak_tx.upgrade().is_none());
    assert_eq!(weak_rx.upgrade().unwrap().recv(), Ok(1));
    assert_eq!(rx.recv(), Err(RecvError));
    drop(rx);
    assert!(weak_rx.upgrade().is_none());
    let (tx, rx) = millpond::mpsc::bounded::<u8>(1);
    let weak = tx.downgrade();
    assert!(weak.upgrade().is_some());
    drop(tx);
    assert!(weak.upgrade().is_none() && rx.is_closed());
}

/// Upgrades against the drop of the last: a handle that was got works, and the count is right in the end.
#[test]
fn upgrades_against_the_last_drop() {
    for _ in 0..2_000 {
        let (tx, rx) = millpond::bounded(1);
        let weak = tx.downgrade();
        let upgrading = thread::spawn(move || {
            weak.upgrade().map(|tx| {
                let sent = tx.try_send(7);
                (sent, tx.is_closed())
            })
        });
        drop(tx);
        match upgrading.join().unwrap() {
            Some(answer) => assert_eq!((answer, rx.recv()), ((Ok(()), false), Ok(7))),
            None => assert!(rx.is_closed()),
        }
        assert_eq!((rx.sender_count(), rx.recv()), (0, Err(RecvError)));
    }
}

#[test]
fn a_unique_receiver_can_be_iterated_over_by_borrow() {
    let (mut tx, mut rx) = millpond::spsc::bounded(4);
    tx.send_many([1, 2]).unwrap();
    drop(tx);
    let mut sum = 0;
    for n in &mut rx {
        sum += n;
    }
    assert_eq!((sum, rx.recv()), (3, Err(RecvError)));
}

/// Many senders: each one's messages in order, all of them once.
#[test]
fn mpsc_takes_from_many_senders() {
    let dog = Watchdog::start("mpsc, many senders");
    for capacity in [0, 1, 3, 64] {
        let (tx, mut rx) = millpond::mpsc::bounded(capacity);
        let senders: Vec<_> = (0..4_u64)
            .map(|id| {
                let tx = tx.clone();
                thread::spawn(move || {
                    for n in 0..COUNT {
                        if (n + id) % 3 == 0 {
                            block_on(tx.send_async((id, n))).unwrap();
                        } else {
                            tx.send((id, n)).unwrap();
                        }
                    }
                })
            })
            .collect();
        assert_eq!(tx.sender_count(), 5);
        assert!(tx.same_channel(&tx.clone()));
        drop(tx);
        let mut next = [0; 4];
        for (id, n) in rx.iter() {
            assert_eq!(n, next[id as usize]);
            next[id as usize] += 1;
            if n % 1024 == 0 {
                dog.pet();
            }
        }
        assert_eq!(next, [COUNT; 4]);
        senders.into_iter().for_each(|sender| sender.join().unwrap());
    }
}
