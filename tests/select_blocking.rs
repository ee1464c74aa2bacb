//! Waiting for the first of several operations: every mix, order, fairness, closing, limits, panics, and a stress.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

mod common;

use common::{Bell, Sleeper, Watchdog};
use millpond::{RecvError, Select, SelectTimeoutError, SendError, TrySelectError, select};
use std::collections::HashMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// A limit that passes at once, or nearly so.
const SOON: Duration = Duration::from_millis(1);
/// A limit that never matters.
const LATE: Duration = Duration::from_secs(60);

#[derive(Debug, PartialEq)]
enum Event {
    Received(char, Result<u32, RecvError>),
    Sent(char, Result<(), SendError<u32>>),
}
use Event::{Received, Sent};

/// Receives and sends of all three families in one select, each of them the one that is ready.
#[test]
fn every_family_and_direction() {
    for ready in 0..6 {
        let (mtx, mrx) = millpond::mpmc::bounded(1);
        let (ptx, mut prx) = millpond::mpsc::bounded(1);
        let (mut stx, mut srx) = millpond::spsc::bounded(1);
        let (mtx2, mrx2) = millpond::mpmc::bounded(1);
        let (ptx2, mut prx2) = millpond::mpsc::bounded(1);
        let (mut stx2, mut srx2) = millpond::spsc::bounded(1);
        mtx2.send(0).unwrap();
        ptx2.send(0).unwrap();
        stx2.send(0).unwrap();
        match ready {
            0 => mtx.send(7).unwrap(),
            1 => ptx.send(7).unwrap(),
            2 => stx.send(7).unwrap(),
            3 => _ = mrx2.recv().unwrap(),
            4 => _ = prx2.recv().unwrap(),
            _ => _ = srx2.recv().unwrap(),
        }
        let mut slots = [Some(1), Some(2), Some(3)];
        let [one, two, three] = &mut slots;
        let mut select = Select::new()
            .recv(&mrx, |n| Received('m', n))
            .recv(&mut prx, |n| Received('p', n))
            .recv(&mut srx, |n| Received('s', n))
            .send(&mtx2, one, |answer| Sent('m', answer))
            .send(&ptx2, two, |answer| Sent('p', answer))
            .send(&mut stx2, three, |answer| Sent('s', answer));
        let event = select.wait().unwrap();
        assert_eq!(select.try_wait(), Err(TrySelectError::NotReady), "one operation, and no more");
        assert_eq!(select.len(), if ready < 3 { 6 } else { 5 });
        drop(select);
        let expected = match ready {
            0 => Received('m', Ok(7)),
            1 => Received('p', Ok(7)),
            2 => Received('s', Ok(7)),
            3 => Sent('m', Ok(())),
            4 => Sent('p', Ok(())),
            _ => Sent('s', Ok(())),
        };
        assert_eq!(event, expected);
        let left = slots.map(|slot| slot.is_some());
        assert_eq!(left, [ready != 3, ready != 4, ready != 5], "what was not sent is still there");
    }
}

/// Woken by a message, by room, and by a close, for each family.
macro_rules! woken {
    ($($family:ident)*) => {
        $(
            mod $family {
                use super::*;
                use millpond::$family::bounded;

                #[test]
                fn by_a_message() {
                    let (tx, rx) = bounded(1);
                    let (other_tx, mut other) = bounded::<u32>(1);
                    let sleeper = Sleeper::asleep(move || {
                        let mut rx = rx;
                        let (rx, other) = (&mut rx, &mut other);
                        select! {
                            recv(other) -> n => panic!("{n:?}"),
                            recv(rx) -> n => n,
                        }
                    });
                    let mut tx = tx;
                    let ends = (&mut tx, other_tx);
                    ends.0.send(5).unwrap();
                    assert_eq!(sleeper.join(), Ok(5));
                }

                #[test]
                fn by_room() {
                    let (tx, rx) = bounded(1);
                    let (_other_tx, mut other) = bounded::<u32>(1);
                    let (mut tx, mut rx) = (tx, rx);
                    let (tx_ref, rx) = (&mut tx, &mut rx);
                    tx_ref.send(1).unwrap();
                    let sleeper = Sleeper::asleep(move || {
                        let (tx, other) = (&mut tx, &mut other);
                        select! {
                            recv(other) -> n => panic!("{n:?}"),
                            send(tx, 2) -> answer => answer,
                        }
                    });
                    assert_eq!(rx.recv(), Ok(1));
                    assert_eq!(sleeper.join(), Ok(()));
                    assert_eq!(rx.recv(), Ok(2));
                }

                #[test]
                fn by_a_close() {
                    let (tx, mut rx) = bounded::<u32>(1);
                    let (_other_tx, mut other) = bounded::<u32>(1);
                    let sleeper = Sleeper::asleep(move || {
                        let (rx, other) = (&mut rx, &mut other);
                        select! {
                            recv(other) -> n => panic!("{n:?}"),
                            recv(rx) -> n => n,
                        }
                    });
                    drop(tx);
                    assert_eq!(sleeper.join(), Err(RecvError));
                    let (tx, rx) = bounded(1);
                    let mut tx = tx;
                    let filled = &mut tx;
                    filled.send(1).unwrap();
                    let (_other_tx, mut other) = bounded::<u32>(1);
                    let sleeper = Sleeper::asleep(move || {
                        let (tx, other) = (&mut tx, &mut other);
                        let mut slot = Some(2);
                        let answer = select! {
                            recv(other) -> n => panic!("{n:?}"),
                            send(tx, from slot) -> answer => answer,
                        };
                        assert_eq!(slot, None, "it came back in the error");
                        answer
                    });
                    drop(rx);
                    assert_eq!(sleeper.join(), Err(SendError(2)));
                }
            }
        )*
    };
}

woken!(mpmc mpsc spsc);

/// Of those that are always ready, each gets its share: 10,000 rounds, three ready of five.
#[test]
fn a_fair_select_serves_all_that_are_ready() {
    const ROUNDS: u32 = 12_000;
    let channels: [_; 5] = std::array::from_fn(|_| millpond::bounded(1));
    let mut counts = [0; 5];
    for _ in 0..ROUNDS {
        for ready in [0, 1, 3] {
            let _ = channels[ready].0.try_send(());
        }
        let mut select = Select::new();
        for (index, (_, rx)) in channels.iter().enumerate() {
            select = select.recv(rx, move |_| index);
        }
        counts[select.wait().unwrap()] += 1;
    }
    assert_eq!(counts.iter().sum::<u32>(), ROUNDS);
    // A third each is 4000, with a standard deviation of 52.
    for ready in [0, 1, 3] {
        assert!((3400..4600).contains(&counts[ready]), "{counts:?}");
    }
}

/// One select that is used again and again: its operations take turns, none of which is long, and all of which are equally many.
#[test]
fn a_select_that_stays_gives_everybody_the_same_share() {
    const ROUNDS: usize = 30_000;
    let channels: [_; 3] = std::array::from_fn(|_| millpond::bounded(1));
    let mut counts = [0; 3];
    let mut select = Select::new();
    for (index, (_, rx)) in channels.iter().enumerate() {
        select = select.recv(rx, move |_| index);
    }
    let (mut last, mut run) = (usize::MAX, 0);
    for _ in 0..ROUNDS {
        for (tx, _) in &channels {
            let _ = tx.try_send(());
        }
        let index = select.wait().unwrap();
        counts[index] += 1;
        run = if index == last { run + 1 } else { 1 };
        last = index;
        // Turns of 16, and the next one is the same channel's with a probability of a third: 12 in a row are never seen.
        assert!(run <= 12 * 16, "a turn of {run}");
    }
    // A third each is 10,000 of 16 a turn, with a standard deviation of 326.
    assert!(counts.iter().all(|count| (8000..12_000).contains(count)), "{counts:?}");
}

/// The same for the macro, between a receive and a send.
#[test]
fn the_macro_is_fair() {
    let (tx, rx) = millpond::bounded(3);
    tx.send(0).unwrap();
    let (mut sent, mut received) = (0, 0);
    for _ in 0..10_000 {
        select! {
            recv(rx) -> n => { n.unwrap(); received += 1; tx.send(0).unwrap(); }
            send(tx, 1) -> answer => { answer.unwrap(); sent += 1; rx.recv().unwrap(); }
        }
    }
    assert!((4400..5600).contains(&sent) && sent + received == 10_000, "{sent} {received}");
}

/// A biased select takes the first that is ready, always.
#[test]
fn a_biased_select_keeps_its_order() {
    let (first, a) = millpond::bounded(2);
    let (second, b) = millpond::bounded(2);
    for _ in 0..100 {
        first.send('a').unwrap();
        second.send('b').unwrap();
        let got = select! {
            biased;
            recv(a) -> got => got,
            recv(b) -> got => got,
        };
        assert_eq!(got, Ok('a'));
        let mut select = Select::new().biased().recv(&a, Result::ok).recv(&b, Result::ok);
        assert_eq!(select.wait(), Some(Some('b')));
        assert_eq!(select.try_wait(), Err(TrySelectError::NotReady));
    }
}

/// Limits: nothing ready, something ready at once, a limit in the past, and one that no clock can tell.
#[test]
fn limits() {
    let (tx, rx) = millpond::bounded(1);
    let (_idle_tx, idle) = millpond::bounded::<u32>(1);
    let mut select = Select::new().recv(&rx, Some).recv(&idle, |_| None);
    assert_eq!(select.wait_timeout(SOON), Err(SelectTimeoutError::Timeout));
    assert_eq!(select.wait_deadline(Instant::now()), Err(SelectTimeoutError::Timeout));
    for limit in [Duration::ZERO, LATE, Duration::MAX] {
        tx.send(1).unwrap();
        assert_eq!(select.wait_timeout(limit), Ok(Some(Ok(1))));
    }
    tx.send(2).unwrap();
    assert_eq!(select.wait_deadline(Instant::now() - SOON), Ok(Some(Ok(2))), "tried once at least");
    let outcome = select! {
        recv(rx) -> _ => "received",
        default(SOON) => "too late",
    };
    assert_eq!(outcome, "too late");
    let outcome = select! {
        recv(rx) -> _ => "received",
        default => "nothing there",
    };
    assert_eq!(outcome, "nothing there");
    tx.send(3).unwrap();
    let outcome = select! { default(LATE) => 0, recv(rx) -> n => n.unwrap() };
    assert_eq!(outcome, 3);
}

/// A message comes while a select with a limit sleeps.
#[test]
fn woken_before_the_limit() {
    let (tx, rx) = millpond::bounded(1);
    let (idle_tx, idle) = millpond::bounded::<u32>(1);
    let sleeper = Sleeper::asleep(move || {
        let mut select = Select::new().recv(&idle, |_| None).recv(&rx, Result::ok);
        select.wait_timeout(LATE)
    });
    tx.send(9).unwrap();
    assert_eq!(sleeper.join(), Ok(Some(9)));
    drop(idle_tx);
}

/// A select without operations ends at once; one whose channels all close tells each close once, and then ends.
#[test]
fn operations_come_to_an_end() {
    let mut none = Select::<()>::new();
    assert_eq!(none.wait(), None);
    assert_eq!(none.try_wait(), Err(TrySelectError::Finished));
    assert_eq!(none.wait_timeout(LATE), Err(SelectTimeoutError::Finished));
    assert!(none.is_empty());
    let (tx, a) = millpond::bounded(4);
    let (other, b) = millpond::bounded(4);
    tx.send_many([1, 2]).unwrap();
    drop((tx, other));
    let mut empty = None::<i32>;
    let (gone, _) = millpond::bounded(1);
    let mut select =
        Select::new().recv(&a, |n| n.ok()).recv(&b, |n| n.ok()).send(&gone, &mut empty, |_| None);
    assert_eq!(select.len(), 2, "there was nothing to send");
    let mut answers = Vec::new();
    while let Some(answer) = select.wait() {
        answers.push(answer);
    }
    answers.sort_unstable();
    assert_eq!(answers, [None, None, Some(1), Some(2)]);
}

/// The macro without anything to do says so, unless there is a default.
#[test]
fn slots_that_are_empty() {
    let (tx, rx) = millpond::bounded(1);
    let mut slot = None::<u8>;
    let outcome = select! {
        send(tx, from slot) -> _ => "sent",
        default => "nothing to send",
    };
    assert_eq!(outcome, "nothing to send");
    let panicked = catch_unwind(AssertUnwindSafe(|| select! { send(tx, from slot) -> _ => () }));
    assert!(panicked.is_err());
    slot = Some(1);
    select! {
        send(tx, from slot) -> sent => sent.unwrap(),
    }
    assert_eq!((slot, rx.try_recv()), (None, Ok(1)));
    let mut full = [Some(2), Some(3)];
    tx.send(1).unwrap();
    let [one, two] = &mut full;
    select! {
        send(tx, from *one) -> _ => unreachable!(),
        send(tx, from *two) -> _ => unreachable!(),
        recv(rx) -> n => assert_eq!(n, Ok(1)),
    }
    assert_eq!(full, [Some(2), Some(3)]);
}

/// The same channel several times, in both directions.
#[test]
fn one_channel_many_times() {
    let (tx, rx) = millpond::bounded(1);
    for round in 0..1000 {
        let full = round % 2 == 1;
        select! {
            recv(rx) -> n => assert!(full && n == Ok(round - 1)),
            recv(rx) -> n => assert!(full && n == Ok(round - 1)),
            send(tx, round) -> answer => assert!(!full && answer.is_ok()),
            send(tx, round) -> answer => assert!(!full && answer.is_ok()),
        }
    }
    let rx2 = rx.clone();
    let sleeper = Sleeper::asleep(move || {
        let (mut first, mut second) = (0, 0);
        for _ in 0..100 {
            select! {
                recv(rx2) -> n => first += n.unwrap(),
                recv(rx2) -> n => second += n.unwrap(),
            }
        }
        first + second
    });
    for _ in 0..100 {
        tx.send(1).unwrap();
    }
    assert_eq!(sleeper.join(), 100);
}

/// Bodies may break, return, use the ends again, and need no comma behind a block.
#[test]
fn the_macro_fits_in() {
    fn first(rx: &mut millpond::spsc::Receiver<u32>) -> Result<u32, RecvError> {
        loop {
            select! {
                recv(rx) -> n => {
                    let n = n?;
                    if n == 0 {
                        continue;
                    }
                    return Ok(n + rx.recv()?);
                }
                default(LATE) => break,
            }
        }
        Err(RecvError)
    }
    let (mut tx, mut rx) = millpond::spsc::bounded(8);
    tx.send_many([0, 0, 3, 4]).unwrap();
    assert_eq!(first(&mut rx), Ok(7));
    drop(tx);
    assert_eq!(first(&mut rx), Err(RecvError));
}

/// More operations than have a place on the stack; the last is the one that comes.
#[test]
fn many_operations() {
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..50).map(|_| millpond::bounded(1)).unzip();
    let sleeper = Sleeper::asleep(move || {
        let mut select = Select::new();
        for rx in &receivers {
            select = select.recv(rx, |n| n);
        }
        let first = select.wait();
        (first, select.len())
    });
    senders[49].send(49).unwrap();
    assert_eq!(sleeper.join(), (Some(Ok(49)), 50));
}

/// Promise 10: a closure that panics has taken its message; the select goes on.
#[test]
fn a_closure_that_panics() {
    let (tx, rx) = millpond::bounded(4);
    tx.send_many([1, 2]).unwrap();
    drop(tx);
    let mut select = Select::new().recv(&rx, |n| match n {
        Ok(1) | Err(_) => panic!("told to"),
        Ok(n) => n,
    });
    assert!(catch_unwind(AssertUnwindSafe(|| select.wait())).is_err());
    assert_eq!(select.wait(), Some(2));
    assert!(catch_unwind(AssertUnwindSafe(|| select.wait())).is_err());
    assert_eq!(select.wait(), None, "the close was told");
}

/// Promise 10: a waker that panics while a select passes wake-ups on does not keep the other lines from theirs.
#[test]
fn a_waker_that_panics() {
    let channels: [_; 3] = std::array::from_fn(|_| millpond::bounded::<u32>(1));
    let [(atx, a), (btx, b), (ctx, c)] = &channels;
    let mut select = Select::new().biased().recv(a, |n| n).recv(b, |n| n).recv(c, |n| n);
    let own = Bell::new();
    let mut selecting = Box::pin(select.wait_async());
    assert!(own.poll(selecting.as_mut()).is_pending());
    // Behind it in two lines stand two tasks, of which the first panics when it is woken.
    let panics = Bell::with(|| panic!("a waker that panics"));
    let quiet = Bell::new();
    let (mut at_b, mut at_c) = (pin!(b.recv_async()), pin!(c.recv_async()));
    assert!(panics.poll(at_b.as_mut()).is_pending());
    assert!(quiet.poll(at_c.as_mut()).is_pending());
    for tx in [atx, btx, ctx] {
        tx.send(1).unwrap();
    }
    assert_eq!((own.rings(), panics.rings(), quiet.rings()), (3, 0, 0));
    // It takes from the first, and gives up what it was told by the others.
    assert!(catch_unwind(AssertUnwindSafe(|| own.poll(selecting.as_mut()))).is_err());
    assert_eq!((panics.rings(), quiet.rings()), (1, 1));
    assert_eq!(a.try_recv(), Err(millpond::TryRecvError::Empty));
    drop(selecting);
    assert_eq!(quiet.poll(at_c), Poll::Ready(Ok(1)));
    assert_eq!(Bell::new().poll(at_b), Poll::Ready(Ok(1)));
}

/// A future that is given up passes its wake-ups on, all of them.
#[test]
fn a_dropped_future_passes_wake_ups_on() {
    let (atx, a) = millpond::bounded(1);
    let (btx, b) = millpond::bounded(1);
    let mut select = Select::new().recv(&a, |n| n).recv(&b, |n| n);
    let (own, behind) = (Bell::new(), [Bell::new(), Bell::new()]);
    let mut selecting = Box::pin(select.wait_async());
    assert!(own.poll(selecting.as_mut()).is_pending());
    let (mut at_a, mut at_b) = (pin!(a.recv_async()), pin!(b.recv_async()));
    assert!(behind[0].poll(at_a.as_mut()).is_pending());
    assert!(behind[1].poll(at_b.as_mut()).is_pending());
    atx.send(1).unwrap();
    btx.send(2).unwrap();
    assert_eq!(behind.each_ref().map(|bell| bell.rings()), [0, 0]);
    drop(selecting);
    assert_eq!(behind.each_ref().map(|bell| bell.rings()), [1, 1]);
    assert_eq!(own.held(), 0, "nothing keeps its waker");
    assert_eq!(behind[0].poll(at_a), Poll::Ready(Ok(1)));
    assert_eq!(behind[1].poll(at_b), Poll::Ready(Ok(2)));
}

/// Async: ready at once, woken, moved to another task's waker, finished.
#[test]
fn awaited() {
    let (tx, rx) = millpond::bounded(2);
    let (idle_tx, idle) = millpond::bounded::<u32>(2);
    let mut select = Select::new().recv(&rx, Result::ok).recv(&idle, Result::ok);
    let (first, second) = (Bell::new(), Bell::new());
    {
        let mut waiting = pin!(select.wait_async());
        assert!(first.poll(waiting.as_mut()).is_pending());
        assert!(second.poll(waiting.as_mut()).is_pending());
        tx.send(1).unwrap();
        assert_eq!((first.rings(), second.rings()), (0, 1));
        assert_eq!(second.poll(waiting), Poll::Ready(Some(Some(1))));
    }
    drop((tx, idle_tx));
    futures::executor::block_on(async {
        assert_eq!(select.wait_async().await, Some(None));
        assert_eq!(select.wait_async().await, Some(None));
        assert_eq!(select.wait_async().await, None);
    });
    fn is_send(future: impl Future + Send) {
        let _ = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
    }
    is_send(select.wait_async());
}

/// Several threads select over the same channels, blocking and async; nothing is lost and nothing comes twice.
#[test]
fn stress() {
    const CHANNELS: u64 = 4;
    const EACH: u64 = 20_000;
    for capacity in [1, 16] {
        let dog = Watchdog::start("select stress");
        let (senders, receivers): (Vec<_>, Vec<_>) =
            (0..CHANNELS).map(|_| millpond::bounded(capacity)).unzip();
        let receivers = Arc::new(receivers);
        let (sum, count) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let mut threads = Vec::new();
        for (channel, tx) in (0..).zip(senders) {
            threads.push(thread::spawn(move || {
                for n in 0..EACH {
                    tx.send(channel * EACH + n).unwrap();
                }
            }));
        }
        for kind in 0..4 {
            let (receivers, sum, count) = (Arc::clone(&receivers), Arc::clone(&sum), Arc::clone(&count));
            threads.push(thread::spawn(move || {
                let mut last = HashMap::new();
                let mut select = Select::new();
                for (index, rx) in receivers.iter().enumerate() {
                    select = select.recv(rx, move |n| (index, n));
                }
                loop {
                    let event = match kind {
                        0 => futures::executor::block_on(select.wait_async()),
                        1 => match select.wait_timeout(Duration::from_micros(50)) {
                            Ok(event) => Some(event),
                            Err(SelectTimeoutError::Timeout) => continue,
                            Err(SelectTimeoutError::Finished) => None,
                        },
                        _ => select.wait(),
                    };
                    let Some((channel, n)) = event else { return };
                    let Ok(n) = n else { continue };
                    assert!(last.insert(channel, n) < Some(n), "in order of its sender");
                    sum.fetch_add(n, SeqCst);
                    count.fetch_add(1, SeqCst);
                }
            }));
        }
        for thread in threads {
            thread.join().unwrap();
            dog.pet();
        }
        let all = CHANNELS * EACH;
        assert_eq!((count.load(SeqCst), sum.load(SeqCst)), (all, all * (all - 1) / 2));
    }
}

/// Threads that send by select into two channels, and take from them by select: what is sent is received.
#[test]
fn stress_of_sends() {
    const EACH: u64 = 20_000;
    let _dog = Watchdog::start("stress of sends by select");
    let (a_tx, a) = millpond::bounded(1);
    let (b_tx, mut b) = millpond::mpsc::bounded(2);
    let senders: Vec<_> = (0..3)
        .map(|sender| {
            let (a, b) = (a_tx.clone(), b_tx.clone());
            thread::spawn(move || {
                for n in 0..EACH {
                    let (mut one, mut two) = (Some(sender * EACH + n), Some(sender * EACH + n));
                    select! {
                        send(a, from one) -> answer => { answer.unwrap(); assert!(two.take().is_some()); }
                        send(b, from two) -> answer => { answer.unwrap(); assert!(one.take().is_some()); }
                    }
                }
            })
        })
        .collect();
    drop((a_tx, b_tx));
    let mut seen = vec![false; 3 * EACH as usize];
    let mut select = Select::new().recv(&a, Result::ok).recv(&mut b, Result::ok);
    while let Some(n) = select.wait() {
        if let Some(n) = n {
            assert!(!std::mem::replace(&mut seen[n as usize], true), "{n} came twice");
        }
    }
    assert!(seen.into_iter().all(|seen| seen));
    senders.into_iter().for_each(|thread| thread.join().unwrap());
}

/// Selects meet each other without a buffer between, threads and tasks, and nothing is lost or doubled.
#[test]
fn selects_meet_at_capacity_zero() {
    const EACH: u64 = 2_000;
    let (tx_a, rx_a) = millpond::bounded::<u64>(0);
    let (tx_b, rx_b) = millpond::bounded::<u64>(0);
    let (_open, never) = millpond::bounded::<u64>(0);
    let received = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for sender in 0..2_u64 {
            let (tx_a, tx_b, never) = (tx_a.clone(), tx_b.clone(), never.clone());
            scope.spawn(move || {
                for n in 0..EACH {
                    let tx = if n % 2 == 0 { &tx_a } else { &tx_b };
                    millpond::select! {
                        send(tx, sender * EACH + n) -> sent => sent.unwrap(),
                        recv(&never) -> _ => unreachable!("nobody sends there"),
                    }
                }
            });
        }
        for _ in 0..2 {
            let (rx_a, rx_b, received) = (rx_a.clone(), rx_b.clone(), &received);
            scope.spawn(move || {
                for _ in 0..EACH {
                    let got = millpond::select! {
                        recv(&rx_a) -> got => got.unwrap(),
                        recv(&rx_b) -> got => got.unwrap(),
                    };
                    received.lock().unwrap().push(got);
                }
            });
        }
    });
    let mut received = received.into_inner().unwrap();
    received.sort_unstable();
    assert!(received.into_iter().eq(0..2 * EACH));
}
