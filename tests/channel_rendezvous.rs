//! Channels of capacity 0: who meets whom, what a cancelled future leaves behind, and that the order is kept all the same.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

mod common;

use common::{Bell, Ledger, Random, Sleeper, Watchdog};
use futures::executor::block_on;
use millpond::{
    Receiver, RecvError, RecvTimeoutError, SendError, SendTimeoutError, Sender, TryRecvError,
    TryRecvRelaxedError, TrySendError, TrySendRelaxedError,
};
use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll::{Pending, Ready};
use std::thread;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(1000);
const SHORT: Duration = Duration::from_millis(2);

macro_rules! family {
    ($family:ident) => {
        #[allow(unused_mut, reason = "shared ends do with less than unique ones")]
        mod $family {
            use super::*;
            use millpond::$family::bounded;

            #[test]
            fn nobody_there() {
                let (tx, rx) = bounded(0);
                let (mut tx, mut rx) = (tx, rx);
                {
                    let tx = &mut tx;
                    assert_eq!(tx.try_send(1), Err(TrySendError::Full(1)));
                    assert_eq!(tx.try_send_relaxed(1), Err(TrySendRelaxedError::Full(1)));
                    assert_eq!(tx.send_timeout(1, SHORT), Err(SendTimeoutError::Timeout(1)));
                    assert_eq!(tx.send_deadline(1, Instant::now()), Err(SendTimeoutError::Timeout(1)));
                    let mut two = VecDeque::from([1, 2]);
                    assert_eq!(tx.try_send_many(&mut two), Err(TrySendError::Full(())));
                    assert_eq!(two, [1, 2]);
                }
                assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
                assert_eq!(rx.try_recv_relaxed(), Err(TryRecvRelaxedError::Empty));
                assert_eq!(rx.recv_timeout(SHORT), Err(RecvTimeoutError::Timeout));
                assert_eq!(rx.drain(&mut Vec::new()), 0);
                assert_eq!(rx.try_recv_many(&mut Vec::new(), 5), Err(TryRecvError::Empty));
                assert_eq!((tx.len(), tx.capacity(), rx.len(), rx.capacity()), (0, 0, 0, 0));
                assert!(tx.is_empty() && tx.is_full() && rx.is_empty() && rx.is_full());
            }

            #[test]
            fn try_send_meets_a_receiver_that_sleeps() {
                let (tx, mut rx) = bounded(0);
                let mut tx = tx;
                let receiver = Sleeper::asleep(move || (rx.recv(), rx));
                let tx = &mut tx;
                assert_eq!(tx.try_send(7), Ok(()));
                let (got, mut rx) = receiver.join();
                assert_eq!((got, rx.try_recv()), (Ok(7), Err(TryRecvError::Empty)));
                assert_eq!(tx.try_send(8), Err(TrySendError::Full(8)), "nobody waits any more");
            }

            #[test]
            fn try_recv_meets_a_thread_that_sends() {
                let (mut tx, rx) = bounded(0);
                let mut rx = rx;
                for way in 0..4 {
                    let sender = Sleeper::asleep(move || {
                        {
                            let tx = &mut tx;
                            match way {
                                0 => tx.send(7).unwrap(),
                                1 => tx.send_timeout(7, LONG).unwrap(),
                                2 => tx.send_many([7]).unwrap(),
                                _ => tx.send_from(&mut VecDeque::from([7])).unwrap(),
                            }
                        }
                        tx
                    });
                    assert!(!sender.is_finished(), "no receiver, no send");
                    assert!(rx.is_empty(), "it is not inside");
                    assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(7), Err(TryRecvError::Empty)));
                    tx = sender.join();
                }
            }

            #[test]
            fn a_task_that_sends_is_told_of_a_receiver() {
                let (tx, rx) = bounded(0);
                let (mut tx, mut rx) = (tx, rx);
                let (bell, receiver) = (Bell::new(), Bell::new());
                let tx = &mut tx;
                let mut sending = Box::pin(tx.send_async(7));
                assert_eq!(bell.poll(sending.as_mut()), Pending);
                assert_eq!((rx.try_recv(), bell.rings()), (Err(TryRecvError::Empty), 0));
                let mut receiving = Box::pin(rx.recv_async());
                assert_eq!((receiver.poll(receiving.as_mut()), bell.rings()), (Pending, 1));
                assert_eq!((bell.poll(sending.as_mut()), receiver.rings()), (Ready(Ok(())), 1));
                assert_eq!(receiver.poll(receiving.as_mut()), Ready(Ok(7)));
            }

            #[test]
            fn a_message_for_a_dropped_receive_is_the_next() {
                let (tx, rx) = bounded(0);
                let (mut tx, mut rx) = (tx, rx);
                let tx = &mut tx;
                let mut receiving = Box::pin(rx.recv_async());
                assert_eq!(Bell::new().poll(receiving.as_mut()), Pending);
                assert_eq!(tx.try_send(7), Ok(()));
                drop(receiving);
                assert_eq!((rx.len(), rx.is_full(), rx.is_empty()), (1, true, false));
                assert_eq!(tx.try_send(8), Err(TrySendError::Full(8)));
                let mut list = Vec::new();
                assert_eq!((rx.drain(&mut list), list), (1, vec![7]));
                assert!(rx.is_empty());
            }

            #[test]
            fn a_send_that_is_given_up_was_not_received() {
                let (tx, rx) = bounded(0);
                let (mut tx, mut rx) = (tx, rx);
                {
                    let tx = &mut tx;
                    let mut sending = Box::pin(tx.send_async("back"));
                    let bell = Bell::new();
                    assert_eq!(bell.poll(sending.as_mut()), Pending);
                    {
                        let mut receiving = Box::pin(rx.recv_async());
                        assert_eq!((Bell::new().poll(receiving.as_mut()), bell.rings()), (Pending, 1));
                        // It was told of a receiver, but has not been polled since.
                        assert_eq!(sending.as_mut().into_inner(), Some("back"));
                        assert_eq!(Bell::new().poll(receiving.as_mut()), Pending);
                    }
                }
                assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
            }

            #[test]
            fn closing_wakes_all_and_gives_messages_back() {
                for (way, by_receiver) in (0..4).flat_map(|way| [(way, false), (way, true)]) {
                    let (tx, rx) = bounded::<i32>(0);
                    let mut ends = (tx, rx);
                    if way < 2 {
                        let (mut tx, rx) = ends;
                        let sender = Sleeper::asleep(move || {
                            let tx = &mut tx;
                            match way {
                                0 => tx.send(7).unwrap_err().into_inner(),
                                _ => tx.send_many([7, 8]).unwrap_err().into_inner()[0],
                            }
                        });
                        if by_receiver {
                            drop(rx)
                        } else {
                            assert!(rx.close())
                        }
                        assert_eq!(sender.join(), 7);
                    } else if way == 2 {
                        let (tx, mut rx) = ends;
                        let receiver = Sleeper::asleep(move || (rx.recv(), rx.try_recv()));
                        if by_receiver {
                            drop(tx)
                        } else {
                            assert!(tx.close())
                        }
                        assert_eq!(receiver.join(), (Err(RecvError), Err(TryRecvError::Closed)));
                    } else {
                        let (tx, rx) = &mut ends;
                        let (sender, receiver) = (Bell::new(), Bell::new());
                        let mut sending = Box::pin(tx.send_async(7));
                        assert_eq!(sender.poll(sending.as_mut()), Pending);
                        assert!(rx.close() && rx.is_closed());
                        assert_eq!(sender.poll(sending.as_mut()), Ready(Err(SendError(7))));
                        let mut receiving = Box::pin(rx.recv_async());
                        assert_eq!(receiver.poll(receiving.as_mut()), Ready(Err(RecvError)));
                    }
                }
            }

            #[test]
            fn what_was_handed_over_outlives_the_close() {
                let (tx, rx) = bounded(0);
                let (mut tx, mut rx) = (tx, rx);
                {
                    let tx = &mut tx;
                    let mut receiving = Box::pin(rx.recv_async());
                    assert_eq!(Bell::new().poll(receiving.as_mut()), Pending);
                    assert_eq!(tx.try_send(7), Ok(()));
                }
                drop(tx);
                assert_eq!((rx.recv(), rx.recv()), (Ok(7), Err(RecvError)));
            }

            #[test]
            fn messages_left_are_dropped_with_the_last_receiver() {
                let ledger = Ledger::new(1);
                let (tx, rx) = bounded(0);
                let (mut tx, mut rx) = (tx, rx);
                {
                    let tx = &mut tx;
                    let mut receiving = Box::pin(rx.recv_async());
                    assert!(Bell::new().poll(receiving.as_mut()).is_pending());
                    tx.try_send(ledger.token(0)).unwrap();
                }
                assert_eq!(ledger.drops(), 0);
                ledger.panic_at(1);
                assert!(catch_unwind(AssertUnwindSafe(|| drop(rx))).is_err());
                ledger.assert_settled();
                let tx = &mut tx;
                assert!(tx.try_send(ledger.token(0)).unwrap_err().is_closed());
                ledger.assert_settled();
            }

            #[test]
            fn a_waker_that_panics_loses_nothing() {
                let (tx, rx) = bounded(0);
                let (mut tx, mut rx) = (tx, rx);
                {
                    let tx = &mut tx;
                    let evil = Bell::with(|| panic!("on purpose"));
                    let mut receiving = Box::pin(rx.recv_async());
                    assert_eq!(evil.poll(receiving.as_mut()), Pending);
                    assert!(catch_unwind(AssertUnwindSafe(|| tx.try_send(7))).is_err());
                    assert_eq!(Bell::new().poll(receiving.as_mut()), Ready(Ok(7)));
                }
                let receiver = Sleeper::asleep(move || rx.recv());
                let tx = &mut tx;
                assert_eq!((tx.try_send(8), receiver.join()), (Ok(()), Ok(8)));
            }

            #[test]
            fn batches_meet_one_by_one() {
                let dog = Watchdog::start(stringify!($family));
                for way in 0..4 {
                    let (mut tx, mut rx) = bounded(0);
                    let sender = thread::spawn(move || {
                        let tx = &mut tx;
                        match way % 2 {
                            0 => tx.send_many((0..500).collect::<Vec<_>>()).unwrap(),
                            _ => block_on(tx.send_many_async((0..500).collect::<Vec<_>>())).unwrap(),
                        }
                    });
                    let mut got = Vec::new();
                    while got.len() < 500 {
                        let rx = &mut rx;
                        match way / 2 {
                            0 => rx.recv_many(&mut got, 7).unwrap(),
                            _ => block_on(rx.recv_many_async(&mut got, 7)).unwrap(),
                        };
                    }
                    assert!(got.into_iter().eq(0..500));
                    sender.join().unwrap();
                    dog.pet();
                }
            }

            /// Promise 2: a send that timed out was not received, however close the race; else it was, once.
            #[test]
            fn time_limits_race_with_hand_overs() {
                let _dog = Watchdog::start(stringify!($family));
                let (mut tx, mut rx) = bounded(0);
                let sender = thread::spawn(move || {
                    let mut random = Random::new();
                    let mut sent = Vec::new();
                    for n in 0..20_000 {
                        let limit = Duration::from_nanos(random.next() % 3_000);
                        let tx = &mut tx;
                        match tx.send_timeout(n, limit) {
                            Ok(()) => sent.push(n),
                            Err(error) => assert_eq!(error, SendTimeoutError::Timeout(n)),
                        }
                    }
                    sent
                });
                let mut random = Random::new();
                let mut got = Vec::new();
                loop {
                    match rx.recv_timeout(Duration::from_nanos(random.next() % 3_000)) {
                        Ok(n) => got.push(n),
                        Err(RecvTimeoutError::Timeout) => {}
                        Err(RecvTimeoutError::Closed) => break,
                    }
                }
                assert_eq!(got, sender.join().unwrap());
            }

            #[cfg(feature = "stream")]
            #[test]
            fn a_stream_meets_senders() {
                use futures::StreamExt;
                let (mut tx, rx) = bounded(0);
                let sender = thread::spawn(move || {
                    (0..500).for_each(|n| {
                        let tx = &mut tx;
                        tx.send(n).unwrap();
                    });
                });
                assert!(block_on(rx.into_stream().collect::<Vec<_>>()).into_iter().eq(0..500));
                sender.join().unwrap();
            }
        }
    };
}

family!(mpmc);
family!(mpsc);
family!(spsc);

/// Two receives that were given a message each are dropped, in either order: what comes after finds both, in order.
#[test]
fn dropped_receives_leave_the_order_alone() {
    for first in [0, 1] {
        let (tx, rx) = millpond::bounded(0);
        let bells = [Bell::new(), Bell::new()];
        let mut futures: Vec<_> = (0..2).map(|_| Box::pin(rx.recv_async())).collect();
        for (bell, future) in bells.iter().zip(&mut futures) {
            assert_eq!(bell.poll(future.as_mut()), Pending);
        }
        assert_eq!(
            (tx.try_send(1), tx.try_send(2), tx.try_send(3)),
            (Ok(()), Ok(()), Err(TrySendError::Full(3)))
        );
        drop(futures.remove(first));
        let mut late = Box::pin(rx.recv_async());
        assert_eq!(bells[0].poll(late.as_mut()), Ready(Ok(1)), "the oldest, whoever it was for");
        drop(futures);
        assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(2), Err(TryRecvError::Empty)));
    }
}

/// A receive that was woken and is dropped passes its wake-up on to one that waits.
#[test]
fn the_next_receiver_is_woken_for_a_dropped_one() {
    let (tx, rx) = millpond::bounded(0);
    let (first, second) = (Bell::new(), Bell::new());
    let mut dropped = Box::pin(rx.recv_async());
    let mut kept = Box::pin(rx.recv_async());
    assert_eq!((first.poll(dropped.as_mut()), second.poll(kept.as_mut())), (Pending, Pending));
    assert_eq!(tx.try_send(7), Ok(()));
    assert_eq!((first.rings(), second.rings()), (1, 0));
    drop(dropped);
    assert_eq!((second.rings(), second.poll(kept.as_mut())), (1, Ready(Ok(7))));
}

/// `force_send` hands over; with nobody there it takes the place of what a dropped receive left, or comes back.
#[test]
fn force_send_hands_over_displaces_or_comes_back() {
    let (tx, rx) = millpond::bounded(0);
    assert_eq!(tx.force_send(1), Ok(Some(1)));
    let receiver = Sleeper::asleep({
        let rx = rx.clone();
        move || rx.recv()
    });
    assert_eq!((tx.force_send(2), receiver.join()), (Ok(None), Ok(2)));
    let mut receiving = Box::pin(rx.recv_async());
    assert_eq!(Bell::new().poll(receiving.as_mut()), Pending);
    assert_eq!((tx.force_send(3), tx.force_send(4)), (Ok(None), Ok(Some(3))));
    drop(receiving);
    assert_eq!(rx.try_recv(), Ok(4));
    rx.close();
    assert_eq!(tx.force_send(5), Err(SendError(5)));
}

/// A batch finds as many receivers as wait, also more than are woken in one go; a waker that panics keeps no other from it.
#[test]
fn a_batch_is_handed_to_all_who_wait() {
    for evil in [None, Some(0), Some(20)] {
        let (tx, rx) = millpond::bounded(0);
        let bells: Vec<_> = (0..40)
            .map(|at| if evil == Some(at) { Bell::with(|| panic!("on purpose")) } else { Bell::new() })
            .collect();
        let mut futures: Vec<_> = bells.iter().map(|_| Box::pin(rx.recv_async())).collect();
        for (bell, future) in bells.iter().zip(&mut futures) {
            assert_eq!(bell.poll(future.as_mut()), Pending);
        }
        let mut batch: VecDeque<_> = (0..50).collect();
        let mut panics = 0;
        while let Ok(answer) = catch_unwind(AssertUnwindSafe(|| tx.try_send_many(&mut batch))).or_else(|_| {
            panics += 1;
            Ok::<_, ()>(Ok(0))
        }) {
            if answer.is_err() {
                break;
            }
        }
        assert_eq!((panics, batch.len()), (usize::from(evil.is_some()), 10));
        for (n, (bell, future)) in bells.iter().zip(&mut futures).enumerate() {
            assert_eq!((bell.rings(), bell.poll(future.as_mut())), (1, Ready(Ok(n))));
        }
    }
}

/// The weak handles and counts work as with a buffer.
#[test]
fn weak_handles_and_closed() {
    let (tx, rx) = millpond::bounded::<u8>(0);
    let (weak_tx, weak_rx) = (tx.downgrade(), rx.downgrade());
    let bell = Bell::new();
    let mut closed = Box::pin(tx.closed());
    assert!(bell.poll(closed.as_mut()).is_pending());
    let more = weak_rx.upgrade().unwrap();
    drop((rx, more));
    assert!(bell.rings() == 1 && bell.poll(closed.as_mut()).is_ready());
    assert!(weak_rx.upgrade().is_none() && weak_tx.upgrade().is_some_and(|tx| tx.is_closed()));
}

/// A receiver of tasks and threads alike: tasks that send are not forgotten while threads send too.
#[test]
fn tasks_and_threads_meet_in_all_pairs() {
    let dog = Watchdog::start("tasks_and_threads_meet_in_all_pairs");
    for (task_sends, task_receives) in [(false, false), (false, true), (true, false), (true, true)] {
        let (tx, rx) = millpond::bounded(0);
        let senders: Vec<_> = (0..3)
            .map(|sender| {
                let tx = tx.clone();
                thread::spawn(move || {
                    for n in (sender..3_000).step_by(3) {
                        if task_sends { block_on(tx.send_async(n)) } else { tx.send(n) }.unwrap();
                    }
                })
            })
            .collect();
        drop(tx);
        let receivers: Vec<_> = (0..2)
            .map(|_| {
                let rx = rx.clone();
                thread::spawn(move || {
                    let next = || if task_receives { block_on(rx.recv_async()) } else { rx.recv() }.ok();
                    std::iter::from_fn(next).collect::<Vec<_>>()
                })
            })
            .collect();
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        let mut got: Vec<_> = receivers.into_iter().flat_map(|receiver| receiver.join().unwrap()).collect();
        got.sort_unstable();
        assert!(got.into_iter().eq(0..3_000));
        dog.pet();
    }
}

type Pinned<'a, R> = Pin<Box<dyn Future<Output = R> + 'a>>;

/// A future in the random program, its bell, and the rings that it has answered.
struct Pledge<'a, R> {
    future: Pinned<'a, R>,
    bell: Arc<Bell>,
    heard: usize,
}

impl<'a, R> Pledge<'a, R> {
    fn new(future: impl Future<Output = R> + 'a) -> Self {
        Self { future: Box::pin(future), bell: Bell::new(), heard: usize::MAX }
    }

    /// Whether it was woken, or never polled.
    fn is_due(&self) -> bool {
        self.heard != self.bell.rings()
    }

    fn poll(&mut self) -> Option<R> {
        self.heard = self.bell.rings();
        match self.bell.poll(self.future.as_mut()) {
            Ready(output) => Some(output),
            Pending => None,
        }
    }
}

/// A random program, and the messages whose sends have succeeded and that nobody has received, in order.
struct Program<'a> {
    tx: &'a Sender<usize>,
    rx: &'a Receiver<usize>,
    sends: Vec<Pledge<'a, usize>>,
    recvs: Vec<Pledge<'a, usize>>,
    inside: VecDeque<usize>,
}

impl Program<'_> {
    /// Starts, polls or drops something, or tries once, with `n` to send.
    fn step(&mut self, n: usize, random: &mut Random) {
        let (tx, rx) = (self.tx, self.rx);
        match random.below(8) {
            0 if self.sends.len() < 5 => self.sends.push(Pledge::new(async move {
                tx.send_async(n).await.unwrap();
                n
            })),
            1 if self.recvs.len() < 5 => {
                self.recvs.push(Pledge::new(async { rx.recv_async().await.unwrap() }))
            }
            2 if tx.try_send(n).is_ok() => self.inside.push_back(n),
            3 => {
                if let Ok(n) = rx.try_recv() {
                    self.received(n);
                }
            }
            4 if !self.sends.is_empty() => drop(self.sends.swap_remove(random.below(self.sends.len()))),
            5 if !self.recvs.is_empty() => drop(self.recvs.swap_remove(random.below(self.recvs.len()))),
            6 if !self.sends.is_empty() => self.poll_send(random.below(self.sends.len())),
            7 if !self.recvs.is_empty() => self.poll_recv(random.below(self.recvs.len())),
            _ => {}
        }
        assert_eq!(tx.len(), self.inside.len());
    }

    fn received(&mut self, n: usize) {
        assert_eq!(self.inside.pop_front(), Some(n), "the oldest is received");
    }

    fn poll_send(&mut self, at: usize) {
        if let Some(n) = self.sends[at].poll() {
            self.inside.push_back(n);
            self.sends.swap_remove(at);
        }
    }

    fn poll_recv(&mut self, at: usize) {
        if let Some(n) = self.recvs[at].poll() {
            self.received(n);
            self.recvs.swap_remove(at);
        }
    }

    /// Polls until nobody is due.
    fn settle(&mut self) {
        loop {
            if let Some(at) = self.sends.iter().position(Pledge::is_due) {
                self.poll_send(at);
            } else if let Some(at) = self.recvs.iter().position(Pledge::is_due) {
                self.poll_recv(at);
            } else {
                return;
            }
        }
    }
}

/// Promises 2 to 4 in one thread: random sends and receives, polled, dropped and left alone in any order, at capacities 0 to 2.
/// What was sent is received in the very order in which the sends succeeded, cancelled or not, and when all that was woken has
/// been polled, no send waits beside a receive that waits.
#[test]
fn random_programs_keep_the_order() {
    let mut random = Random::new();
    for capacity in (0..3).cycle().take(600) {
        let (tx, rx) = &millpond::bounded(capacity);
        let mut program = Program { tx, rx, sends: Vec::new(), recvs: Vec::new(), inside: VecDeque::new() };
        (0..300).for_each(|n| program.step(n, &mut random));
        program.settle();
        let Program { sends, recvs, inside, .. } = program;
        assert!(sends.is_empty() || recvs.is_empty(), "they wait for each other, at capacity {capacity}");
        assert!(recvs.is_empty() || inside.is_empty(), "one waits beside a message, at capacity {capacity}");
    }
}
