//! Room that the only sender reserves, and the only sender as a sink.

mod common;

use common::{Bell, Sleeper, Watchdog};
use millpond::spsc::{Permit, bounded};
use millpond::{SendError, SendTimeoutError, TryRecvError, TrySendError};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_millis(1);

#[test]
fn a_permit_is_room_that_stays() {
    let (mut tx, mut rx) = bounded(1);
    let permit = tx.reserve().unwrap();
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty), "a permit is in nobody's way");
    permit.send(1).unwrap();
    assert_eq!(tx.try_reserve().unwrap_err(), TrySendError::Full(()));
    assert_eq!(tx.reserve_timeout(SOON).unwrap_err(), SendTimeoutError::Timeout(()));
    assert_eq!(tx.reserve_deadline(Instant::now()).unwrap_err(), SendTimeoutError::Timeout(()));
    assert_eq!(rx.recv(), Ok(1));
    for _ in 0..3 {
        drop(tx.try_reserve().unwrap());
    }
    assert_eq!(tx.reserve_timeout(SOON).map(|permit| permit.send(2)), Ok(Ok(())));
    assert_eq!(rx.recv(), Ok(2));
    assert_eq!(tx.try_send(3), Ok(()), "permits that are dropped leave the room free");
}

#[test]
fn a_reservation_sleeps_until_there_is_room() {
    let _dog = Watchdog::start("a_reservation_sleeps_until_there_is_room");
    let (mut tx, mut rx) = bounded(1);
    tx.send(1).unwrap();
    let sleeper = Sleeper::asleep(move || tx.reserve().unwrap().send(2).map(|()| tx));
    assert_eq!(rx.recv(), Ok(1));
    let mut tx = sleeper.join().unwrap();
    assert_eq!(rx.recv(), Ok(2));
    tx.send(3).unwrap();
    let sleeper = Sleeper::asleep(move || tx.reserve().map(Permit::into_unit));
    drop(rx);
    assert_eq!(sleeper.join(), Err(SendError(())));
}

/// So that a permit need not leave the thread that made it.
trait IntoUnit {
    fn into_unit(self);
}

impl IntoUnit for Permit<'_, i32> {
    fn into_unit(self) {}
}

#[test]
fn a_task_reserves() {
    let (mut tx, mut rx) = bounded(1);
    let bell = Bell::new();
    tx.send(1).unwrap();
    {
        let mut reserving = pin!(tx.reserve_async());
        assert!(bell.poll(reserving.as_mut()).is_pending());
        assert_eq!(rx.recv(), Ok(1));
        assert_eq!(bell.rings(), 1);
        let Poll::Ready(Ok(permit)) = bell.poll(reserving.as_mut()) else { panic!("there is room") };
        permit.send(2).unwrap();
    }
    {
        let mut given_up = Box::pin(tx.reserve_async());
        assert!(bell.poll(given_up.as_mut()).is_pending());
    }
    assert_eq!((rx.recv(), bell.rings()), (Ok(2), 1), "nobody waits any more");
    tx.send(3).unwrap();
    let mut reserving = pin!(tx.reserve_async());
    assert!(bell.poll(reserving.as_mut()).is_pending());
    drop(rx);
    assert_eq!(bell.rings(), 2);
    assert!(matches!(bell.poll(reserving.as_mut()), Poll::Ready(Err(SendError(())))));
}

#[test]
fn a_closed_channel() {
    let (mut tx, rx) = bounded(2);
    let permit = tx.reserve().unwrap();
    drop(rx);
    assert_eq!(permit.send(1), Err(SendError(1)), "a permit does not keep it open");
    assert_eq!(tx.try_reserve().unwrap_err(), TrySendError::Closed(()));
    assert_eq!(tx.reserve().unwrap_err(), SendError(()));
    assert_eq!(tx.reserve_timeout(SOON).unwrap_err(), SendTimeoutError::Closed(()));
}

/// At capacity 0 there is no room to promise: a reservation waits for the end.
#[test]
fn without_a_buffer_a_reservation_waits_for_the_end() {
    let _dog = Watchdog::start("without_a_buffer_a_reservation_waits_for_the_end");
    let (mut tx, mut rx) = bounded::<i32>(0);
    assert_eq!(tx.try_reserve().unwrap_err(), TrySendError::Full(()));
    assert_eq!(tx.reserve_timeout(SOON).unwrap_err(), SendTimeoutError::Timeout(()));
    let sleeper = Sleeper::asleep(move || tx.reserve().map(Permit::into_unit));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty), "nobody sends");
    rx.close();
    assert_eq!(sleeper.join(), Err(SendError(())));
}

/// Two threads, each message into room that was reserved in one of the ways: in order, and none lost.
#[test]
fn in_order_through_permits() {
    const MESSAGES: u32 = 50_000;
    let _dog = Watchdog::start("in_order_through_permits");
    for capacity in [1, 2, 64] {
        let (mut tx, mut rx) = bounded(capacity);
        let sender = std::thread::spawn(move || {
            for n in 0..MESSAGES {
                match n % 3 {
                    0 => tx.reserve().unwrap().send(n).unwrap(),
                    1 => drop(tx.try_reserve().map(|_| ())),
                    _ => futures::executor::block_on(async {
                        tx.reserve_async().await.unwrap().send(n).unwrap();
                    }),
                }
            }
        });
        for n in (0..MESSAGES).filter(|n| n % 3 != 1) {
            assert_eq!(rx.recv(), Ok(n));
        }
        assert!(rx.recv().is_err());
        sender.join().unwrap();
    }
}

#[cfg(feature = "sink")]
mod sink {
    use super::*;
    use futures::executor::block_on;
    use futures::stream::{self, StreamExt};
    use futures::{Sink, SinkExt, future};
    use std::pin::Pin;
    use std::task::Context;

    #[test]
    fn all_that_is_sent_arrives_in_order() {
        let _dog = Watchdog::start("spsc sink");
        for capacity in [1, 3] {
            let (tx, mut rx) = bounded(capacity);
            let receiver = std::thread::spawn(move || rx.iter().collect::<Vec<_>>());
            block_on(async {
                let mut sink = tx.into_sink();
                sink.send(0).await.unwrap();
                sink.feed(1).await.unwrap();
                sink.flush().await.unwrap();
                sink.send_all(&mut stream::iter(2..500).map(Ok)).await.unwrap();
                stream::iter(500..1_000).map(Ok).forward(&mut sink).await.unwrap();
                assert!(sink.sender().is_none(), "`forward` has closed it");
            });
            assert!(receiver.join().unwrap().into_iter().eq(0..1_000));
        }
    }

    #[test]
    fn ready_and_closed() {
        let (tx, mut rx) = bounded(1);
        let bell = Bell::new();
        let mut sink = tx.into_sink();
        let waker = bell.waker();
        let mut cx = Context::from_waker(&waker);
        for _ in 0..2 {
            assert_eq!(Pin::new(&mut sink).poll_ready(&mut cx), Poll::Ready(Ok(())));
        }
        assert_eq!(Pin::new(&mut sink).start_send(1), Ok(()));
        assert!(block_on(future::poll_immediate(sink.send(2))).is_none(), "full, and given up");
        assert!(Pin::new(&mut sink).poll_ready(&mut cx).is_pending());
        assert_eq!((rx.recv(), bell.rings()), (Ok(1), 1));
        assert_eq!(Pin::new(&mut sink).poll_ready(&mut cx), Poll::Ready(Ok(())));
        drop(rx);
        assert_eq!(Pin::new(&mut sink).start_send(3), Err(SendError(Some(3))));
        assert_eq!(block_on(sink.send(4)), Err(SendError(None)));
        assert_eq!(block_on(sink.close()), Ok(()));
        assert_eq!(Pin::new(&mut sink).start_send(5), Err(SendError(Some(5))));
        assert_eq!(Pin::new(&mut sink).poll_ready(&mut cx), Poll::Ready(Err(SendError(None))));
    }

    #[test]
    #[should_panic(expected = "only after poll_ready was ready")]
    fn sending_without_asking() {
        let (tx, _rx) = bounded(1);
        let _ = Pin::new(&mut tx.into_sink()).start_send(1);
    }
}
