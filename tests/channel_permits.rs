//! Reserved room: it counts, it never blocks a receiver, it comes back, and sends without permits know nothing of it.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

mod common;

use common::{Bell, Ledger, Sleeper, Watchdog};
use millpond::{SendError, SendTimeoutError, TryRecvError, TrySendError, bounded};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_millis(1);
const LATE: Duration = Duration::from_secs(60);

/// What both families do alike.
macro_rules! cases {
    ($($family:ident)*) => {
        $(
            mod $family {
                use super::*;
                use millpond::$family::bounded;

                #[test]
                fn a_permit_counts_as_a_message() {
                    let (tx, mut rx) = bounded(2);
                    let rx = &mut rx;
                    let first = tx.reserve().unwrap();
                    tx.try_send(1).unwrap();
                    assert_eq!((tx.len(), tx.is_full()), (1, false), "messages alone");
                    assert_eq!(tx.try_send(2), Err(TrySendError::Full(2)));
                    assert_eq!(tx.try_reserve().unwrap_err(), TrySendError::Full(()));
                    assert_eq!(tx.reserve_timeout(SOON).unwrap_err(), SendTimeoutError::Timeout(()));
                    assert_eq!(tx.reserve_deadline(Instant::now()).unwrap_err(), SendTimeoutError::Timeout(()));
                    let mut batch = VecDeque::from([3, 4, 5]);
                    assert_eq!(tx.try_send_many(&mut batch), Err(TrySendError::Full(())));
                    assert_eq!(rx.recv(), Ok(1), "a permit is in nobody's way");
                    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
                    assert_eq!(tx.try_send_many(&mut batch), Ok(1), "one place beside the permit");
                    first.send(6).unwrap();
                    assert_eq!(tx.len(), 2);
                    assert_eq!([rx.recv(), rx.recv()], [Ok(3), Ok(6)]);
                    drop([tx.reserve().unwrap(), tx.reserve().unwrap()]);
                    assert_eq!(tx.try_send_many(&mut batch), Ok(2), "all the room has come back");
                }

                #[test]
                fn a_permit_that_is_dropped_wakes_a_sender() {
                    let (tx, mut rx) = bounded(1);
                    let permit = tx.reserve().unwrap();
                    let clone = tx.clone();
                    let sleeper = Sleeper::asleep(move || clone.send(1));
                    drop(permit);
                    sleeper.join().unwrap();
                    let rx = &mut rx;
                    assert_eq!(rx.recv(), Ok(1));
                    let permit = tx.reserve().unwrap();
                    let clone = tx.clone();
                    let sleeper = Sleeper::asleep(move || clone.reserve_timeout(LATE).map(|permit| permit.send(2)));
                    drop(permit);
                    assert_eq!(sleeper.join(), Ok(Ok(())));
                    assert_eq!(rx.recv(), Ok(2));
                }

                #[test]
                fn a_receive_wakes_who_reserves() {
                    let (tx, mut rx) = bounded(1);
                    tx.send(1).unwrap();
                    let clone = tx.clone();
                    let sleeper = Sleeper::asleep(move || clone.reserve().unwrap().send(2));
                    let rx = &mut rx;
                    assert_eq!(rx.recv(), Ok(1));
                    assert_eq!(sleeper.join(), Ok(()));
                    assert_eq!(rx.recv(), Ok(2));
                }

                #[test]
                fn what_a_permit_sends_wakes_a_receiver() {
                    let (tx, rx) = bounded(1);
                    let permit = tx.reserve().unwrap();
                    let sleeper = Sleeper::asleep(move || {
                        let mut rx = rx;
                        let rx = &mut rx;
                        rx.recv()
                    });
                    permit.send(7).unwrap();
                    assert_eq!(sleeper.join(), Ok(7));
                }

                #[test]
                fn closed() {
                    let (tx, mut rx) = bounded(2);
                    let (first, second) = (tx.reserve().unwrap(), tx.reserve().unwrap());
                    let clone = tx.clone();
                    let sleeper = Sleeper::asleep(move || clone.reserve().map(drop));
                    assert!(tx.close());
                    assert_eq!(sleeper.join(), Err(SendError(())));
                    assert_eq!(first.send("unsent"), Err(SendError("unsent")));
                    assert_eq!(tx.try_reserve().unwrap_err(), TrySendError::Closed(()));
                    assert_eq!(tx.reserve_timeout(LATE).unwrap_err(), SendTimeoutError::Closed(()));
                    let rx = &mut rx;
                    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed), "whatever permits there are");
                    drop(second);
                }

                #[test]
                fn owned() {
                    let (tx, mut rx) = bounded(1);
                    let permit = tx.reserve().unwrap().into_owned();
                    assert_eq!(tx.sender_count(), 2);
                    assert!(tx.try_send(1).is_err());
                    drop(tx);
                    let rx = &mut rx;
                    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty), "the permit keeps it open");
                    thread::spawn(move || permit.send(2)).join().unwrap().unwrap();
                    assert_eq!([rx.recv().ok(), rx.recv().ok()], [Some(2), None]);
                    let (tx, _rx) = bounded(1);
                    drop(tx.reserve().unwrap().into_owned());
                    assert_eq!((tx.sender_count(), tx.try_send(3)), (1, Ok(())));
                }

                #[test]
                fn awaited_and_given_up() {
                    let (tx, mut rx) = bounded(1);
                    let bells: [_; 3] = std::array::from_fn(|_| Bell::new());
                    let mut first = Box::pin(tx.reserve_async());
                    let Poll::Ready(Ok(permit)) = bells[0].poll(first.as_mut()) else { panic!("there is room") };
                    let mut second = Box::pin(tx.reserve_async());
                    let mut third = pin!(tx.send_async(3));
                    assert!(bells[1].poll(second.as_mut()).is_pending());
                    assert!(bells[2].poll(third.as_mut()).is_pending());
                    drop(permit);
                    assert_eq!((bells[1].rings(), bells[2].rings()), (1, 0));
                    drop(second);
                    assert_eq!(bells[2].rings(), 1, "it passed the wake-up on");
                    assert_eq!(bells[2].poll(third), Poll::Ready(Ok(())));
                    let rx = &mut rx;
                    assert_eq!(rx.recv(), Ok(3));
                    futures::executor::block_on(async {
                        tx.reserve_async().await.unwrap().send(4).unwrap();
                        tx.close();
                        assert_eq!(tx.reserve_async().await.unwrap_err(), SendError(()));
                    });
                }

                /// Values are dropped once, and a waker that panics when a permit is dropped leaves all usable.
                #[test]
                fn panics_and_drops() {
                    let ledger = Ledger::new(3);
                    let (tx, mut rx) = bounded(1);
                    let permit = tx.reserve().unwrap();
                    let panics = Bell::with(|| panic!("a waker that panics"));
                    let mut waiting = Box::pin(tx.send_async(ledger.token(0)));
                    assert!(panics.poll(waiting.as_mut()).is_pending());
                    assert!(catch_unwind(AssertUnwindSafe(|| drop(permit))).is_err());
                    assert!(Bell::new().poll(waiting.as_mut()).is_ready());
                    drop(waiting);
                    let rx_ref = &mut rx;
                    assert_eq!(rx_ref.recv().unwrap().id, 0);
                    tx.reserve().unwrap().send(ledger.token(1)).unwrap_or_else(|_| panic!("it is open"));
                    let permit = tx.try_reserve();
                    assert!(permit.is_err());
                    drop(permit);
                    drop(rx);
                    assert!(tx.send(ledger.token(2)).is_err());
                    ledger.assert_settled();
                }

                /// Threads that send, reserve, drop permits and receive: the sum of messages and permits never exceeds
                /// the capacity, as far as the holders of permits can tell, and nothing is lost.
                #[test]
                fn stress() {
                    const EACH: usize = 20_000;
                    for capacity in [1, 3] {
                        let _dog = Watchdog::start("stress of permits");
                        let (tx, mut rx) = bounded(capacity);
                        let promised = Arc::new(AtomicUsize::new(0));
                        let senders: Vec<_> = (0..3)
                            .map(|kind| {
                                let (tx, promised) = (tx.clone(), Arc::clone(&promised));
                                thread::spawn(move || {
                                    for n in 0..EACH {
                                        if kind == 0 {
                                            tx.send(n).unwrap();
                                            continue;
                                        }
                                        let permit = if kind == 1 {
                                            tx.reserve().unwrap()
                                        } else {
                                            futures::executor::block_on(tx.reserve_async()).unwrap()
                                        };
                                        assert!(promised.fetch_add(1, SeqCst) < capacity, "more permits than room");
                                        assert!(tx.len() < capacity, "messages leave room for the permit");
                                        promised.fetch_sub(1, SeqCst);
                                        if n % 3 == 0 {
                                            drop(permit);
                                            tx.send(n).unwrap();
                                        } else {
                                            permit.send(n).unwrap();
                                        }
                                    }
                                })
                            })
                            .collect();
                        drop(tx);
                        let mut counts = vec![0; EACH];
                        let rx = &mut rx;
                        while let Ok(n) = rx.recv() {
                            counts[n] += 1;
                        }
                        assert!(counts.into_iter().all(|count| count == 3));
                        senders.into_iter().for_each(|thread| thread.join().unwrap());
                    }
                }
            }
        )*
    };
}

cases!(mpmc mpsc);

/// Displacing beside permits: room first, then the oldest message; without any the message itself comes back.
#[test]
fn force_send_beside_permits() {
    let (tx, rx) = bounded(3);
    let permit = tx.reserve().unwrap();
    assert_eq!([tx.force_send(1), tx.force_send(2)], [Ok(None), Ok(None)]);
    assert_eq!([tx.force_send(3), tx.force_send(4)], [Ok(Some(1)), Ok(Some(2))]);
    assert_eq!(tx.len(), 2);
    permit.send(5).unwrap();
    assert_eq!(tx.force_send(6), Ok(Some(3)));
    assert_eq!(rx.try_iter().collect::<Vec<_>>(), [4, 5, 6]);
    let permits = [(); 3].map(|()| tx.reserve().unwrap());
    assert_eq!(tx.force_send(7), Ok(Some(7)), "nothing older is inside");
    drop(permits);
    tx.close();
    assert_eq!(tx.force_send(8), Err(SendError(8)));
}

/// Displacing, permits and receives at the same time: what was sent is received or was handed back, once.
#[test]
fn stress_of_displacing() {
    const EACH: usize = 20_000;
    let _dog = Watchdog::start("displacing beside permits");
    for capacity in [1, 2, 4] {
        let (tx, rx) = bounded(capacity);
        let counts: Arc<[AtomicUsize]> = (0..3 * EACH).map(|_| AtomicUsize::new(0)).collect();
        let threads: Vec<_> = (0..3)
            .map(|sender| {
                let (tx, counts) = (tx.clone(), Arc::clone(&counts));
                thread::spawn(move || {
                    for n in sender * EACH..(sender + 1) * EACH {
                        if sender == 0 {
                            tx.reserve().unwrap().send(n).unwrap();
                        } else if let Some(displaced) = tx.force_send(n).unwrap() {
                            counts[displaced].fetch_add(1, SeqCst);
                        }
                    }
                })
            })
            .collect();
        drop(tx);
        for n in rx.iter() {
            counts[n].fetch_add(1, SeqCst);
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(counts.iter().all(|count| count.load(SeqCst) == 1));
    }
}

#[derive(Debug, Clone)]
enum Step {
    TrySend,
    ForceSend,
    SendMany(usize),
    Reserve,
    Use(usize),
    GiveBack(usize),
    Recv,
    Close,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::TrySend),
        2 => Just(Step::ForceSend),
        2 => (1..5usize).prop_map(Step::SendMany),
        5 => Just(Step::Reserve),
        4 => (0..4usize).prop_map(Step::Use),
        2 => (0..4usize).prop_map(Step::GiveBack),
        5 => Just(Step::Recv),
        1 => Just(Step::Close),
    ]
}

proptest! {
    /// Programs of one thread against a queue and a count of permits.
    #[test]
    fn as_a_queue_and_a_count(capacity in 1..5usize, steps in prop::collection::vec(step(), 1..80)) {
        let (tx, rx) = bounded(capacity);
        let (mut queue, mut permits, mut closed) = (VecDeque::new(), Vec::new(), false);
        for (n, step) in steps.into_iter().enumerate() {
            let room = capacity - queue.len() - permits.len();
            match step {
                Step::TrySend => {
                    let answer = tx.try_send(n);
                    if closed {
                        prop_assert_eq!(answer, Err(TrySendError::Closed(n)));
                    } else if room == 0 {
                        prop_assert_eq!(answer, Err(TrySendError::Full(n)));
                    } else {
                        prop_assert_eq!(answer, Ok(()));
                        queue.push_back(n);
                    }
                }
                Step::ForceSend => {
                    let answer = tx.force_send(n);
                    if closed {
                        prop_assert_eq!(answer, Err(SendError(n)));
                    } else if room > 0 {
                        prop_assert_eq!(answer, Ok(None));
                        queue.push_back(n);
                    } else {
                        queue.push_back(n);
                        prop_assert_eq!(answer, Ok(queue.pop_front()));
                    }
                }
                Step::SendMany(count) => {
                    let mut batch = VecDeque::from(vec![n; count]);
                    let answer = tx.try_send_many(&mut batch);
                    if closed {
                        prop_assert_eq!(answer, Err(TrySendError::Closed(())));
                    } else if room == 0 {
                        prop_assert_eq!(answer, Err(TrySendError::Full(())));
                    } else {
                        prop_assert_eq!(answer, Ok(room.min(count)));
                        queue.extend(vec![n; room.min(count)]);
                    }
                }
                Step::Reserve => match tx.try_reserve() {
                    Ok(permit) => {
                        prop_assert!(!closed && room > 0);
                        permits.push(permit);
                    }
                    Err(TrySendError::Closed(())) => prop_assert!(closed),
                    Err(TrySendError::Full(())) => prop_assert!(room == 0 && !closed),
                },
                Step::Use(which) => {
                    if which < permits.len() {
                        let answer = permits.remove(which).send(n);
                        prop_assert_eq!(answer, if closed { Err(SendError(n)) } else { Ok(()) });
                        if !closed {
                            queue.push_back(n);
                        }
                    }
                }
                Step::GiveBack(which) => {
                    if which < permits.len() {
                        drop(permits.remove(which));
                    }
                }
                Step::Recv => {
                    let expected =
                        queue.pop_front().ok_or(if closed { TryRecvError::Closed } else { TryRecvError::Empty });
                    prop_assert_eq!(rx.try_recv(), expected);
                }
                Step::Close => {
                    prop_assert_eq!(tx.close(), !closed);
                    closed = true;
                }
            }
            prop_assert_eq!(tx.len(), queue.len());
        }
    }
}

/// At capacity 0 there is no room to promise: a reservation waits for the end, and takes no wake-up from senders.
#[test]
fn without_a_buffer_a_reservation_waits_for_the_end() {
    let (tx, rx) = millpond::bounded::<u32>(0);
    assert!(matches!(tx.try_reserve(), Err(millpond::TrySendError::Full(()))));
    std::thread::scope(|scope| {
        let reserving = scope.spawn(|| tx.reserve().is_err());
        let sending = scope.spawn(|| futures::executor::block_on(async { tx.send_async(7).await }));
        assert_eq!(rx.recv(), Ok(7));
        assert_eq!(sending.join().unwrap(), Ok(()));
        assert!(!reserving.is_finished());
        rx.close();
        assert!(reserving.join().unwrap());
    });
    assert!(matches!(tx.try_reserve(), Err(millpond::TrySendError::Closed(()))));
}
