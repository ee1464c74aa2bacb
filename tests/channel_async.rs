//! The futures, polled by hand: who is registered, who is woken, what a cancelled future leaves behind.

mod common;

use common::{Bell, Ledger};
use millpond::{Receiver, RecvError, RecvFuture, SendError, SendFuture, Sender, bounded};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll::{Pending, Ready};

type Recv<'a> = Pin<Box<RecvFuture<'a, usize>>>;
type Send<'a> = Pin<Box<SendFuture<'a, usize>>>;

/// Polls `count` receives of an empty channel, each with a bell of its own: all are registered, in order.
fn waiting_receives(rx: &Receiver<usize>, count: usize) -> (Vec<Recv<'_>>, Vec<Arc<Bell>>) {
    let bells: Vec<_> = (0..count).map(|_| Bell::new()).collect();
    let mut futures: Vec<_> = (0..count).map(|_| Box::pin(rx.recv_async())).collect();
    for (future, bell) in futures.iter_mut().zip(&bells) {
        assert_eq!(bell.poll(future.as_mut()), Pending);
    }
    (futures, bells)
}

/// Polls `count` sends, of 100 and on, into a full channel, each with a bell of its own: all are registered, in order.
fn waiting_sends(tx: &Sender<usize>, count: usize) -> (Vec<Send<'_>>, Vec<Arc<Bell>>) {
    let bells: Vec<_> = (0..count).map(|_| Bell::new()).collect();
    let mut futures: Vec<_> = (0..count).map(|n| Box::pin(tx.send_async(100 + n))).collect();
    for (future, bell) in futures.iter_mut().zip(&bells) {
        assert_eq!(bell.poll(future.as_mut()), Pending);
    }
    (futures, bells)
}

fn rings(bells: &[Arc<Bell>]) -> Vec<usize> {
    bells.iter().map(|bell| bell.rings()).collect()
}

fn held(bells: &[Arc<Bell>]) -> usize {
    bells.iter().map(Bell::held).sum()
}

/// W1: a pending receive is registered once; each message wakes exactly one more, the longest waiting first.
#[test]
fn each_message_wakes_exactly_one_more() {
    let (tx, rx) = bounded(3);
    let (mut futures, bells) = waiting_receives(&rx, 3);
    assert_eq!(bells[0].poll(futures[0].as_mut()), Pending, "polled again for no reason");
    for n in 0..3 {
        tx.try_send(n).unwrap();
        assert!(rings(&bells).iter().enumerate().all(|(at, rings)| *rings == usize::from(at <= n)));
    }
    for n in [2, 0, 1] {
        assert!(bells[n].poll(futures[n].as_mut()).is_ready(), "whoever is polled gets the oldest");
    }
    assert_eq!((rings(&bells), held(&bells)), (vec![1, 1, 1], 0));
}

/// W2: each message taken wakes exactly one more sender; a batch wakes as many as it makes room for.
#[test]
fn each_room_wakes_exactly_one_more() {
    let (tx, rx) = bounded(3);
    tx.send_many([0, 1, 2]).unwrap();
    let (mut futures, bells) = waiting_sends(&tx, 4);
    assert_eq!(rx.try_recv(), Ok(0));
    assert_eq!(rings(&bells), [1, 0, 0, 0]);
    assert_eq!(rx.recv_many(&mut Vec::new(), 9), Ok(2));
    assert_eq!(rings(&bells), [1, 1, 1, 0]);
    for n in 0..3 {
        assert_eq!(bells[n].poll(futures[n].as_mut()), Ready(Ok(())));
    }
    assert_eq!(bells[3].poll(futures[3].as_mut()), Pending);
    assert!(rx.try_iter().eq([100, 101, 102]));
    assert_eq!(bells[3].poll(futures[3].as_mut()), Ready(Ok(())));
    assert_eq!((rings(&bells), held(&bells)), (vec![1, 1, 1, 1], 0));
}

/// W2: a batch of messages wakes as many receivers as it has messages; more messages than receivers are no harm.
#[test]
fn a_batch_wakes_its_number() {
    let (tx, rx) = bounded(64);
    let (futures, bells) = waiting_receives(&rx, 40);
    tx.send_many(vec![0; 20]).unwrap();
    assert_eq!(rings(&bells).iter().sum::<usize>(), 20);
    assert!(rings(&bells)[..20].iter().all(|rings| *rings == 1), "the longest waiting first");
    tx.send_many(vec![0; 44]).unwrap();
    assert_eq!(rings(&bells), [1; 40]);
    drop(futures);
    assert_eq!((rx.len(), held(&bells)), (64, 0));
}

/// W3: close wakes every task on both sides; each then learns the end, and senders keep their message.
#[test]
fn close_wakes_every_task() {
    let (tx, _rx) = bounded(1);
    tx.send(7).unwrap();
    let (mut sends, send_bells) = waiting_sends(&tx, 35);
    tx.close();
    assert_eq!(rings(&send_bells), [1; 35]);
    for (n, (future, bell)) in sends.iter_mut().zip(&send_bells).enumerate() {
        assert_eq!(bell.poll(future.as_mut()), Ready(Err(SendError(100 + n))));
    }
    let (tx, rx) = bounded(1);
    let (mut recvs, recv_bells) = waiting_receives(&rx, 35);
    drop(tx);
    assert_eq!(rings(&recv_bells), [1; 35]);
    for (future, bell) in recvs.iter_mut().zip(&recv_bells) {
        assert_eq!(bell.poll(future.as_mut()), Ready(Err(RecvError)));
    }
    assert_eq!(held(&send_bells) + held(&recv_bells), 0);
}

/// W5, L7, L8, promise 3: a woken receive that is dropped leaves the message and hands the wake-up to the next.
#[test]
fn a_cancelled_woken_receive_passes_it_on() {
    let (tx, rx) = bounded(2);
    let (mut futures, bells) = waiting_receives(&rx, 3);
    tx.try_send(1).unwrap();
    drop(futures.remove(0));
    assert_eq!(rings(&bells), [1, 1, 0], "the wake-up went on");
    drop(futures.remove(0));
    assert_eq!(rings(&bells), [1, 1, 1], "and on");
    assert_eq!(bells[2].poll(futures[0].as_mut()), Ready(Ok(1)));
    let (futures, bells) = waiting_receives(&rx, 2);
    drop(futures);
    assert_eq!((rings(&bells), held(&bells)), (vec![0, 0], 0), "nothing to pass on");
}

/// W5, on the other side: a woken send that is dropped hands the room to the next sender.
#[test]
fn a_cancelled_woken_send_passes_it_on() {
    let (tx, rx) = bounded(1);
    tx.send(0).unwrap();
    let (mut futures, bells) = waiting_sends(&tx, 3);
    assert_eq!(rx.try_recv(), Ok(0));
    drop(futures.remove(0));
    assert_eq!(futures[0].as_mut().into_inner(), Some(101));
    assert_eq!(rings(&bells), [1, 1, 1], "by drop and by into_inner");
    assert_eq!(bells[2].poll(futures[1].as_mut()), Ready(Ok(())));
    assert_eq!((rx.try_recv(), held(&bells)), (Ok(102), 0));
}

/// W5: a waiter in the middle of the line that goes away, not woken, wakes nobody and leaves the line whole.
#[test]
fn the_line_closes_around_who_leaves() {
    for leaver in 0..4 {
        let (tx, rx) = bounded(4);
        let (mut futures, mut bells) = waiting_receives(&rx, 4);
        drop(futures.remove(leaver));
        assert_eq!(bells.remove(leaver).rings(), 0);
        for n in 0..3 {
            tx.try_send(n).unwrap();
            assert_eq!(bells[n].poll(futures[n].as_mut()), Ready(Ok(n)));
        }
        assert_eq!(rings(&bells), [1, 1, 1]);
    }
}

/// W6, L2: a woken future that is kept and never polled, or forgotten, does not keep the next message from the next one.
#[test]
fn a_forgotten_receive_stops_nobody() {
    let (tx, rx) = bounded(2);
    let (mut futures, bells) = waiting_receives(&rx, 3);
    // Kept to the end: forgotten by all, but for the leak checker.
    let _forgotten = futures.remove(0);
    tx.try_send(1).unwrap();
    tx.try_send(2).unwrap();
    assert_eq!(rings(&bells), [1, 1, 0], "the second message wakes another, though the first has not moved");
    assert_eq!(bells[1].poll(futures[0].as_mut()), Ready(Ok(1)));
    assert_eq!(rx.try_recv(), Ok(2));
}

/// W6: the same for sends: a forgotten one never delivers, and the next room wakes the next sender.
#[test]
fn a_forgotten_send_stops_nobody() {
    let (tx, rx) = bounded(2);
    tx.send_many([0, 1]).unwrap();
    let (mut futures, bells) = waiting_sends(&tx, 2);
    let forgotten = std::mem::ManuallyDrop::new(futures.remove(0));
    assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(0), Ok(1)));
    assert_eq!(rings(&bells), [1, 1]);
    assert_eq!(bells[1].poll(futures[0].as_mut()), Ready(Ok(())));
    drop(futures);
    tx.close();
    assert!(rx.iter().eq([101]));
    // For the leak checker alone.
    drop(std::mem::ManuallyDrop::into_inner(forgotten));
}

/// W4, L5: the waker of the last poll is woken, the one before is let go at once; an equal one is not even cloned.
#[test]
fn the_last_waker_counts() {
    let (tx, rx) = bounded(1);
    let (old, new) = (Bell::new(), Bell::new());
    let mut future = Box::pin(rx.recv_async());
    assert_eq!(old.poll(future.as_mut()), Pending);
    assert_eq!((old.held(), new.held()), (1, 0));
    assert_eq!(new.poll(future.as_mut()), Pending);
    assert_eq!((old.held(), new.held()), (0, 1));
    assert_eq!(new.poll(future.as_mut()), Pending);
    assert_eq!(new.held(), 1);
    tx.try_send(1).unwrap();
    assert_eq!((old.rings(), new.rings()), (0, 1));
    assert_eq!(old.poll(future.as_mut()), Ready(Ok(1)), "whoever polls gets it");
    assert_eq!((old.held(), new.held()), (0, 0));
}

/// L1, L3: a woken receive whose message another takes waits again, at the end of the line, and is woken again.
#[test]
fn a_robbed_receive_waits_again() {
    let (tx, rx) = bounded(1);
    let (mut futures, bells) = waiting_receives(&rx, 2);
    tx.try_send(1).unwrap();
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(bells[0].poll(futures[0].as_mut()), Pending);
    tx.try_send(2).unwrap();
    assert_eq!(rings(&bells), [1, 1]);
    assert_eq!(bells[1].poll(futures[1].as_mut()), Ready(Ok(2)));
    tx.try_send(3).unwrap();
    assert_eq!(rings(&bells), [2, 1]);
    assert_eq!(bells[0].poll(futures[0].as_mut()), Ready(Ok(3)));
}

/// L3: a registered receive that is polled and finds a message, woken by nobody yet, leaves the line for good.
#[test]
fn a_send_future_that_succeeds_late_is_out_of_line() {
    let (tx, rx) = bounded(1);
    tx.send(0).unwrap();
    let (mut futures, bells) = waiting_sends(&tx, 2);
    assert_eq!(rx.try_recv(), Ok(0));
    assert_eq!(bells[0].poll(futures[0].as_mut()), Ready(Ok(())));
    drop(futures.remove(0));
    assert_eq!(rings(&bells), [1, 0], "a future that is done has no wake-up to pass on");
    assert_eq!(rx.try_recv(), Ok(100));
    assert_eq!(rings(&bells), [1, 1]);
    assert_eq!(bells[1].poll(futures[0].as_mut()), Ready(Ok(())));
}

/// Promise 2: `into_inner` gives the message back at every stage, once, and nothing is sent.
#[test]
fn into_inner_gives_the_message_back() {
    let (tx, rx) = bounded(1);
    let bell = Bell::new();
    let mut fresh = Box::pin(tx.send_async(1));
    assert_eq!((fresh.as_mut().into_inner(), fresh.as_mut().into_inner()), (Some(1), None));
    let mut done = Box::pin(tx.send_async(2));
    assert_eq!(bell.poll(done.as_mut()), Ready(Ok(())));
    assert_eq!(done.as_mut().into_inner(), None);
    let mut waiting = Box::pin(tx.send_async(3));
    assert_eq!(bell.poll(waiting.as_mut()), Pending);
    assert_eq!((waiting.as_mut().into_inner(), bell.held()), (Some(3), 0));
    let mut woken = Box::pin(tx.send_async(4));
    assert_eq!(bell.poll(woken.as_mut()), Pending);
    assert_eq!(rx.try_recv(), Ok(2));
    assert_eq!(woken.as_mut().into_inner(), Some(4));
    let mut refused = Box::pin(tx.send_async(5));
    rx.close();
    assert_eq!(bell.poll(refused.as_mut()), Ready(Err(SendError(5))));
    assert_eq!((refused.as_mut().into_inner(), rx.recv()), (None, Err(RecvError)));
}

/// Q8, promise 2: a send future dropped at any stage drops its message once, and only if it still has it.
#[test]
fn a_dropped_send_drops_its_message_once() {
    let ledger = Ledger::new(5);
    let bell = Bell::new();
    let (tx, rx) = bounded(1);
    drop(tx.send_async(ledger.token(0)));
    assert_eq!(ledger.drops(), 1);
    let mut done = Box::pin(tx.send_async(ledger.token(1)));
    assert!(bell.poll(done.as_mut()).is_ready());
    drop(done);
    assert_eq!(ledger.drops(), 1, "it is in the channel");
    let mut waiting = Box::pin(tx.send_async(ledger.token(2)));
    let mut woken = Box::pin(tx.send_async(ledger.token(3)));
    assert!(bell.poll(woken.as_mut()).is_pending() && bell.poll(waiting.as_mut()).is_pending());
    drop(rx.try_recv().unwrap());
    drop((woken, waiting));
    assert_eq!(ledger.drops(), 4);
    let mut refused = Box::pin(tx.send_async(ledger.token(4)));
    drop(rx);
    assert!(bell.poll(refused.as_mut()).is_ready());
    drop(refused);
    drop(tx);
    ledger.assert_settled();
    assert_eq!(bell.held(), 0);
}

/// Documented: a send that is done is not polled again.
#[test]
#[should_panic(expected = "not attempted again once it is done")]
fn a_finished_send_refuses_to_be_polled() {
    let (tx, _rx) = bounded(2);
    let bell = Bell::new();
    let mut done = Box::pin(tx.send_async(1));
    assert!(bell.poll(done.as_mut()).is_ready());
    let _ = bell.poll(done.as_mut());
}

/// W7, L13: no waker is kept when its future is done, dropped or cancelled, nor when the other side went away.
#[test]
fn no_waker_is_kept() {
    let bell = Bell::new();
    let (tx, rx) = bounded(1);
    for _ in 0..100 {
        let mut recv = Box::pin(rx.recv_async());
        assert!(bell.poll(recv.as_mut()).is_pending());
        tx.try_send(1).unwrap();
        assert_eq!(bell.held(), 0, "woken: let go");
        let mut send = Box::pin(tx.send_async(2));
        assert!(bell.poll(send.as_mut()).is_pending());
        assert_eq!(bell.held(), 1);
        assert!(bell.poll(recv.as_mut()).is_ready() && bell.poll(send.as_mut()).is_ready());
        assert_eq!((rx.try_recv(), bell.held()), (Ok(2), 0));
    }
    let mut recv = Box::pin(rx.recv_async());
    assert!(bell.poll(recv.as_mut()).is_pending());
    drop(tx);
    assert_eq!(bell.held(), 0, "closed: let go");
}

/// W13: threads and tasks stand in one line, and either side's kind is woken by the other's.
#[test]
fn threads_and_tasks_stand_in_one_line() {
    let (tx, rx) = bounded(4);
    let (mut first, first_bell) = waiting_receives(&rx, 1);
    let thread = {
        let rx = rx.clone();
        common::Sleeper::asleep(move || rx.recv())
    };
    let (mut last, last_bell) = waiting_receives(&rx, 1);
    tx.send(1).unwrap();
    assert_eq!(first_bell[0].poll(first[0].as_mut()), Ready(Ok(1)));
    assert_eq!((last_bell[0].rings(), thread.is_finished()), (0, false));
    let mut sending = Box::pin(tx.send_async(2));
    assert_eq!(Bell::new().poll(sending.as_mut()), Ready(Ok(())));
    assert_eq!(thread.join(), Ok(2));
    tx.send_many([3]).unwrap();
    assert_eq!(last_bell[0].poll(last[0].as_mut()), Ready(Ok(3)));
}
