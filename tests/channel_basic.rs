//! What each method of a channel answers, one thread at a time.

mod common;

use common::Watchdog;
use millpond::{
    Receiver, RecvError, RecvTimeoutError, SendError, SendManyError, SendTimeoutError, Sender, TryRecvError,
    TrySendError, bounded,
};
use std::collections::VecDeque;
use std::error::Error;
use std::fmt::Debug;
use std::thread;
use std::time::{Duration, Instant};

const CAPACITIES: [usize; 5] = [1, 2, 3, 5, 1000];

/// Something that is neither `Debug` nor `Clone` nor comparable.
struct Opaque(u32);

/// Q7: a refused send and a receive from an empty channel change nothing, and say why.
#[test]
fn try_send_and_try_recv_say_why_not() {
    for capacity in CAPACITIES {
        let (tx, rx) = bounded(capacity);
        for lap in 0..3 {
            assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
            for n in 0..capacity {
                assert_eq!(tx.try_send(lap * capacity + n), Ok(()));
            }
            assert_eq!(tx.try_send(usize::MAX), Err(TrySendError::Full(usize::MAX)));
            assert_eq!(tx.len(), capacity);
            for n in 0..capacity {
                assert_eq!(rx.try_recv(), Ok(lap * capacity + n));
            }
        }
        assert_eq!(tx.try_send(1), Ok(()));
        tx.close();
        assert_eq!(tx.try_send(2), Err(TrySendError::Closed(2)));
        assert_eq!(rx.try_recv(), Ok(1));
        assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    }
}

/// Promise 5: `Closed` comes before `Full`, for a full channel that is closed has no room to wait for.
#[test]
fn a_full_closed_channel_says_closed() {
    let (tx, rx) = bounded(1);
    tx.send(1).unwrap();
    rx.close();
    assert_eq!(tx.send(2), Err(SendError(2)));
    assert_eq!(tx.try_send(2), Err(TrySendError::Closed(2)));
    assert_eq!(tx.send_timeout(2, Duration::MAX), Err(SendTimeoutError::Closed(2)));
    assert_eq!(tx.force_send(2), Err(SendError(2)));
    assert_eq!(tx.send_many([2, 3]), Err(SendManyError { sent: 0, unsent: [2, 3].into() }));
    assert_eq!(futures::executor::block_on(tx.send_async(2)), Err(SendError(2)));
    assert_eq!(rx.recv(), Ok(1));
}

/// Promise 5: drained and closed, each receive says `Closed`, again and again.
#[test]
fn every_receive_says_closed_for_ever() {
    let (tx, rx) = bounded::<u8>(2);
    tx.send(1).unwrap();
    drop(tx);
    assert_eq!(rx.recv(), Ok(1));
    for _ in 0..3 {
        assert_eq!(rx.recv(), Err(RecvError));
        assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
        assert_eq!(rx.recv_timeout(Duration::MAX), Err(RecvTimeoutError::Closed));
        assert_eq!(rx.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Closed));
        assert_eq!(rx.recv_deadline(Instant::now()), Err(RecvTimeoutError::Closed));
        assert_eq!(futures::executor::block_on(rx.recv_async()), Err(RecvError));
        assert_eq!(rx.recv_many(&mut Vec::new(), 3), Err(RecvError));
        assert_eq!((rx.iter().next(), rx.try_iter().next()), (None, None));
    }
}

/// W12: the shortest and the longest time, and a deadline that is over, do what they say; each tries once at least.
#[test]
fn extreme_times_are_answered() {
    let (tx, rx) = bounded(1);
    let past = Instant::now();
    assert_eq!(rx.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout));
    assert_eq!(rx.recv_deadline(past), Err(RecvTimeoutError::Timeout));
    assert_eq!(tx.send_timeout(1, Duration::ZERO), Ok(()));
    assert_eq!(tx.send_timeout(2, Duration::ZERO), Err(SendTimeoutError::Timeout(2)));
    assert_eq!(tx.send_deadline(2, past), Err(SendTimeoutError::Timeout(2)));
    assert_eq!(rx.recv_timeout(Duration::ZERO), Ok(1));
    assert_eq!(tx.send_deadline(3, past), Ok(()));
    assert_eq!(rx.recv_deadline(past), Ok(3));
    assert_eq!(tx.send_timeout(4, Duration::MAX), Ok(()));
    assert_eq!(rx.recv_timeout(Duration::MAX), Ok(4));
}

/// L19: a receive that timed out leaves nothing behind that a later clone or receive trips over.
#[test]
fn timeouts_and_clones_alternate() {
    let (tx, rx) = bounded::<u8>(1);
    for _ in 0..3 {
        assert_eq!(rx.recv_timeout(Duration::from_millis(1)), Err(RecvTimeoutError::Timeout));
        let (other, again) = (tx.clone(), rx.clone());
        assert_eq!(again.recv_timeout(Duration::from_millis(1)), Err(RecvTimeoutError::Timeout));
        other.send(1).unwrap();
        assert_eq!(rx.recv_timeout(Duration::MAX), Ok(1));
    }
}

fn check_error<E: Error + Debug + 'static>(error: &E, display: &str, debug: &str) {
    assert_eq!(error.to_string(), display);
    assert_eq!(format!("{error:?}"), debug);
    assert!(error.source().is_none());
}

/// Promise 2 and style 7.8: errors print without `T: Debug`, in lower case, and give the very value back.
#[test]
fn errors_print_and_give_back() {
    let (tx, rx) = bounded(1);
    tx.send(Opaque(0)).unwrap();
    let full = tx.try_send(Opaque(1)).unwrap_err();
    check_error(&full, "the channel is full", "Full(..)");
    assert!(full.is_full() && !full.is_closed() && full.into_inner().0 == 1);
    let late = tx.send_timeout(Opaque(2), Duration::ZERO).unwrap_err();
    check_error(&late, "the time limit passed", "Timeout(..)");
    assert!(late.is_timeout() && !late.is_closed() && late.into_inner().0 == 2);
    drop(rx);
    let closed = tx.send(Opaque(3)).unwrap_err();
    check_error(&closed, "the channel is closed", "SendError(..)");
    assert_eq!(closed.into_inner().0, 3);
    let closed = tx.try_send(Opaque(4)).unwrap_err();
    check_error(&closed, "the channel is closed", "Closed(..)");
    assert!(closed.is_closed() && !closed.is_full() && closed.into_inner().0 == 4);
    let closed = tx.send_timeout(Opaque(5), Duration::MAX).unwrap_err();
    check_error(&closed, "the channel is closed", "Closed(..)");
    assert!(closed.is_closed() && !closed.is_timeout() && closed.into_inner().0 == 5);
    let closed = tx.force_send(Opaque(6)).map(|_| ()).unwrap_err();
    assert_eq!(closed.into_inner().0, 6);
    let closed = tx.send_many([Opaque(7), Opaque(8)]).unwrap_err();
    let display = "the channel is closed: 0 messages were sent, 2 were not";
    check_error(&closed, display, "SendManyError { sent: 0, unsent: 2 messages }");
    assert_eq!(closed.into_inner().iter().map(|opaque| opaque.0).collect::<Vec<_>>(), [7, 8]);
    check_error(&RecvError, "the channel is closed", "RecvError");
    check_error(&TryRecvError::Empty, "the channel is empty", "Empty");
    check_error(&TryRecvError::Closed, "the channel is closed", "Closed");
    check_error(&RecvTimeoutError::Timeout, "the time limit passed", "Timeout");
    check_error(&RecvTimeoutError::Closed, "the channel is closed", "Closed");
}

/// Promise 2: what comes back is the same allocation, not a copy; errors convert to the wider ones.
#[test]
fn errors_round_trip_the_same_allocation() {
    let (tx, rx) = bounded(1);
    drop(rx);
    let value = Box::new(7);
    let address: *const i32 = &raw const *value;
    let value = tx.send(value).unwrap_err().into_inner();
    let value = TrySendError::from(tx.send(value).unwrap_err()).into_inner();
    let value = SendTimeoutError::from(tx.send(value).unwrap_err()).into_inner();
    let value = tx.send_many([value]).unwrap_err().into_inner().pop_front().unwrap();
    assert!(std::ptr::eq(address, &raw const *value));
    assert_eq!(TryRecvError::from(RecvError), TryRecvError::Closed);
    assert_eq!(RecvTimeoutError::from(RecvError), RecvTimeoutError::Closed);
}

/// D4, D6: closing is final, done once, from either side; clones made afterwards are closed as well.
#[test]
fn close_is_final_and_idempotent() {
    type Close = fn(&Sender<u8>, &Receiver<u8>) -> bool;
    let closes: [Close; 2] = [|tx, _| tx.close(), |_, rx| rx.close()];
    for first in closes {
        let (tx, rx) = bounded(2);
        assert!(!tx.is_closed() && !rx.is_closed());
        tx.send(1).unwrap();
        assert!(first(&tx, &rx));
        for again in closes {
            assert!(!again(&tx, &rx));
        }
        let (tx2, rx2) = (tx.clone(), rx.clone());
        assert!(tx.is_closed() && rx.is_closed() && tx2.is_closed() && rx2.is_closed());
        assert!(tx2.send(2).is_err());
        assert_eq!((rx2.recv(), rx.recv()), (Ok(1), Err(RecvError)));
    }
}

/// Promise 5: the last handle of a side closes, the last but one does not.
#[test]
fn the_last_handle_of_a_side_closes() {
    let (tx, rx) = bounded::<u8>(1);
    drop((tx.clone(), rx.clone()));
    assert!(!tx.is_closed() && !rx.is_closed());
    drop(tx);
    assert!(rx.is_closed());
    let (tx, rx) = bounded::<u8>(1);
    drop(rx);
    assert!(tx.is_closed());
    assert!(!tx.close(), "the drop has closed it already");
}

/// Q15: handles are counted, by clone and by drop, and know their channel.
#[test]
fn handles_are_counted_and_know_their_channel() {
    let (tx, rx) = bounded::<u8>(1);
    let (other_tx, other_rx) = bounded::<u8>(1);
    assert_eq!((tx.sender_count(), tx.receiver_count()), (1, 1));
    let (senders, receivers) = (vec![tx.clone(); 3], vec![rx.clone(); 4]);
    assert_eq!((rx.sender_count(), rx.receiver_count()), (4, 5));
    assert!(senders.iter().all(|sender| sender.same_channel(&tx) && !sender.same_channel(&other_tx)));
    assert!(receivers.iter().all(|receiver| receiver.same_channel(&rx) && !receiver.same_channel(&other_rx)));
    drop((senders, receivers));
    assert_eq!((rx.sender_count(), rx.receiver_count()), (1, 1));
    drop(tx);
    assert_eq!((rx.sender_count(), rx.receiver_count()), (0, 1));
}

/// Q6: `len`, `is_empty` and `is_full` are exact while nobody else is at work, over several laps.
#[test]
fn lengths_are_exact_when_quiet() {
    for capacity in CAPACITIES {
        let (tx, rx) = bounded(capacity);
        assert_eq!((tx.capacity(), rx.capacity()), (capacity, capacity));
        for offset in [1, capacity, capacity / 2 + 1] {
            for len in 1..=capacity {
                tx.send(len).unwrap();
                assert_eq!((tx.len(), rx.len()), (len, len));
                assert_eq!((tx.is_empty(), rx.is_full()), (false, len == capacity));
            }
            for len in (0..capacity).rev() {
                rx.recv().unwrap();
                assert_eq!((tx.len(), rx.is_empty(), tx.is_full()), (len, len == 0, false));
            }
            for _ in 0..offset {
                tx.send(0).unwrap();
                rx.recv().unwrap();
            }
        }
    }
}

/// `force_send` displaces the oldest message, exactly one, and only if there is no room.
#[test]
fn force_send_displaces_exactly_the_oldest() {
    for capacity in CAPACITIES {
        let (tx, rx) = bounded(capacity);
        for n in 0..capacity {
            assert_eq!(tx.force_send(n), Ok(None));
        }
        for n in capacity..4 * capacity {
            assert_eq!(tx.force_send(n), Ok(Some(n - capacity)));
            assert_eq!(tx.len(), capacity);
        }
        assert_eq!(rx.recv(), Ok(3 * capacity));
        assert_eq!(tx.force_send(4 * capacity), Ok(None));
        tx.close();
        assert_eq!(tx.force_send(0), Err(SendError(0)));
        assert!(rx.try_iter().eq(3 * capacity + 1..=4 * capacity));
    }
}

/// Q13: a batch goes in whole and in order, from any list, and an empty one is nothing.
#[test]
fn send_many_takes_any_list() {
    let (tx, rx) = bounded(10);
    tx.send_many(Vec::new()).unwrap();
    assert!(rx.is_empty());
    tx.send_many(vec![1, 2]).unwrap();
    tx.send_many([3, 4]).unwrap();
    tx.send_many(VecDeque::from([5, 6])).unwrap();
    assert_eq!(rx.try_iter().collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    tx.close();
    tx.send_many([7]).unwrap_err();
    assert_eq!(tx.send_many([]).map_err(|error| error.sent), Ok(()), "nothing to send, nothing refused");
}

/// Q13: a batch larger than the channel goes in by parts, while a receiver makes room.
#[test]
fn send_many_may_be_larger_than_the_channel() {
    let _dog = Watchdog::start("send_many_may_be_larger_than_the_channel");
    for capacity in [1, 2, 3, 5] {
        let (tx, rx) = bounded(capacity);
        let sender = thread::spawn(move || tx.send_many((0..1000).collect::<Vec<_>>()));
        assert!(rx.iter().eq(0..1000));
        assert_eq!(sender.join().unwrap(), Ok(()));
    }
}

/// D5: closed in the middle of a batch, what was sent and what was not are all, in order.
#[test]
fn send_many_closed_in_the_middle_accounts_for_all() {
    let _dog = Watchdog::start("send_many_closed_in_the_middle_accounts_for_all");
    for taken in [0, 1, 2, 7, 50] {
        let (tx, rx) = bounded(3);
        let sender = thread::spawn(move || tx.send_many((0..100).collect::<Vec<_>>()));
        let mut received: Vec<_> = rx.iter().take(taken).collect();
        rx.close();
        received.extend(rx.iter());
        let error = sender.join().unwrap().unwrap_err();
        assert_eq!(received.len(), error.sent);
        assert!(error.sent >= taken && error.sent <= taken + 3);
        received.extend(error.into_inner());
        assert!(received.into_iter().eq(0..100));
    }
}

/// Q13: `recv_many` takes what is ready, up to the limit, behind what the list holds already.
#[test]
fn recv_many_keeps_to_its_limit() {
    let (tx, rx) = bounded(5);
    let mut list = vec![100];
    assert_eq!(rx.recv_many(&mut list, 0), Ok(0), "nothing asked for: no wait");
    tx.send_many([0, 1, 2, 3, 4]).unwrap();
    assert_eq!(rx.recv_many(&mut list, 1), Ok(1));
    assert_eq!(rx.recv_many(&mut list, 2), Ok(2));
    assert_eq!(rx.recv_many(&mut list, usize::MAX), Ok(2));
    assert_eq!(list, [100, 0, 1, 2, 3, 4]);
    tx.send_many([5, 6]).unwrap();
    drop(tx);
    assert_eq!(rx.recv_many(&mut list, usize::MAX), Ok(2));
    assert_eq!(rx.recv_many(&mut list, usize::MAX), Err(RecvError));
    assert_eq!(rx.recv_many(&mut list, 0), Ok(0));
    assert_eq!(list, [100, 0, 1, 2, 3, 4, 5, 6]);
}

/// Iterators: `try_iter` comes to life again, the blocking ones end when the channel is closed and empty.
#[test]
fn iterators_end_when_they_should() {
    let (tx, rx) = bounded(4);
    let mut now = rx.try_iter();
    assert_eq!(now.next(), None);
    tx.send(1).unwrap();
    assert_eq!((now.next(), now.next()), (Some(1), None));
    tx.send_many([2, 3, 4, 5]).unwrap();
    assert_eq!(rx.iter().next(), Some(2));
    drop(tx);
    assert_eq!((&rx).into_iter().next(), Some(3));
    let mut rest = rx.into_iter();
    assert_eq!((rest.next(), rest.next(), rest.next(), rest.next()), (Some(4), Some(5), None, None));
}

/// The iterator that owns its receiver keeps the channel open, and closes it when dropped.
#[test]
fn an_owning_iterator_is_a_receiver() {
    let (tx, rx) = bounded(1);
    let iterator = rx.into_iter();
    assert_eq!(tx.receiver_count(), 1);
    tx.send(Opaque(1)).unwrap();
    drop(iterator);
    assert!(tx.is_closed() && tx.is_empty());
}

/// Handles and iterators print without `T: Debug`.
#[test]
fn handles_print_their_state() {
    let (tx, rx) = bounded(2);
    tx.send(Opaque(1)).unwrap();
    assert_eq!(
        format!("{tx:?}"),
        "Sender { len: 1, capacity: 2, closed: false, senders_waiting: 0, receivers_waiting: 0, .. }"
    );
    rx.close();
    assert_eq!(
        format!("{rx:?}"),
        "Receiver { len: 1, capacity: 2, closed: true, senders_waiting: 0, receivers_waiting: 0, .. }"
    );
    assert!(format!("{:?} {:?}", rx.iter(), rx.try_iter()).starts_with("Iter(Receiver {"));
    assert!(format!("{:?}", rx.recv_async()).starts_with("RecvFuture"));
    assert!(format!("{:?}", tx.send_async(Opaque(2))).starts_with("SendFuture"));
    assert!(format!("{:?}", rx.into_iter()).starts_with("IntoIter(Receiver {"));
}
