//! Q12, L16: while a thread stands still in the middle of a step, everybody else goes on as the docs say, and afterwards all
//! is there, in order.

use super::{Stalled, Step};
use crate::broadcast;
use crate::ring::error::{PopError, RelaxedPopError, RelaxedPushError};
use crate::{
    Receiver, RecvError, RecvTimeoutError, Select, SelectTimeoutError, SendTimeoutError, Sender,
    TryRecvRelaxedError, TrySendError, TrySendRelaxedError, bounded, mpsc, ring, spsc,
};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake};
use std::thread;
use std::time::{Duration, Instant};

/// Long enough to spin, yield and nap, whatever the machine; nothing depends on it.
const A_WHILE: Duration = Duration::from_millis(2);
/// By then a test has failed.
const TOO_LONG: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Runs a test in a thread of its own, and fails when that does not end.
fn in_time(test: fn()) {
    let start = Instant::now();
    let running = thread::spawn(test);
    while !running.is_finished() {
        assert!(start.elapsed() < TOO_LONG, "somebody waits for ever");
        thread::sleep(Duration::from_millis(1));
    }
    running.join().unwrap();
}

/// Polls once, which must not wait. Returns how often it asked to be polled again.
fn poll<F: Future>(future: F) -> (Poll<F::Output>, usize) {
    let bell = Arc::new(Bell::default());
    let waker = Arc::clone(&bell).into();
    let answer = pin!(future).poll(&mut Context::from_waker(&waker));
    (answer, bell.0.load(Ordering::SeqCst))
}

/// A call that waits, seen to be still waiting after a while.
struct Waiting<R>(thread::JoinHandle<R>);

impl<R: Send + 'static> Waiting<R> {
    fn start(work: impl FnOnce() -> R + Send + 'static) -> Self {
        let waiting = Self(thread::spawn(work));
        thread::sleep(A_WHILE);
        assert!(!waiting.0.is_finished(), "this waits for the thread that stands still");
        waiting
    }

    fn join(self) -> R {
        let start = Instant::now();
        while !self.0.is_finished() {
            assert!(start.elapsed() < TOO_LONG, "still waiting");
            thread::sleep(Duration::from_micros(100));
        }
        self.0.join().unwrap()
    }
}

/// A channel on which a send of 0 stands still, with `capacity - 1` messages behind it.
fn with_stalled_sender(capacity: usize) -> (Sender<usize>, Receiver<usize>, Stalled<bool>) {
    let (tx, rx) = bounded(capacity);
    let first = tx.clone();
    let stalled = Stalled::at(Step::Publish, move || first.send(0).is_ok());
    for n in 1..capacity {
        assert_eq!(tx.try_send(n), Ok(()), "all other places stay usable");
    }
    assert_eq!(tx.len(), capacity, "what is being put in counts");
    (tx, rx, stalled)
}

#[test]
fn a_stalled_sender_holds_up_its_own_message() {
    in_time(|| {
        for capacity in [1, 2, 3, 5] {
            let (tx, rx, stalled) = with_stalled_sender(capacity);
            assert_eq!(tx.try_send(9), Err(TrySendError::Full(9)));
            assert_eq!(tx.try_send_relaxed(9), Err(TrySendRelaxedError::Full(9)));
            assert_eq!(tx.send_timeout(9, A_WHILE), Err(SendTimeoutError::Timeout(9)));
            assert!(tx.try_reserve().is_err());
            assert_eq!(rx.try_recv_relaxed(), Err(TryRecvRelaxedError::Busy));
            assert_eq!(rx.recv_timeout(A_WHILE), Err(RecvTimeoutError::Timeout));
            let (answer, wakes) = poll(rx.recv_async());
            assert!(
                answer.is_pending() && wakes == 1,
                "a task gives its thread back, and asks to be polled again"
            );
            assert!(poll(tx.send_async(9)).0.is_pending());
            let other = rx.clone();
            let trying = Waiting::start(move || other.try_recv());
            assert_eq!((tx.len(), tx.is_full(), rx.is_empty()), (capacity, true, false));
            assert!(stalled.release());
            assert_eq!(trying.join(), Ok(0));
            assert!((1..capacity).eq(rx.try_iter()));
        }
    });
}

#[test]
fn a_channel_closes_around_a_stalled_sender() {
    in_time(|| {
        for capacity in [1, 2, 3] {
            let (tx, rx, stalled) = with_stalled_sender(capacity);
            let other = rx.clone();
            let receiving = Waiting::start(move || other.recv());
            assert!(rx.close() && tx.is_closed());
            assert_eq!(tx.try_send(9), Err(TrySendError::Closed(9)));
            assert_eq!(
                rx.try_recv_relaxed(),
                Err(TryRecvRelaxedError::Busy),
                "not Closed: a message is still to come"
            );
            assert!(stalled.release(), "it was claimed before the close");
            assert_eq!(receiving.join(), Ok(0));
            assert!((1..capacity).eq(rx.iter()));
            assert_eq!(rx.recv(), Err(RecvError));
        }
    });
}

/// The last receiver waits for the message, so as to drop it.
#[test]
fn the_last_receiver_leaves_nothing_behind() {
    in_time(|| {
        let (tx, rx) = bounded(2);
        let value = Arc::new(());
        let message = Arc::clone(&value);
        let stalled = Stalled::at(Step::Publish, move || tx.send(message).is_ok());
        let dropping = Waiting::start(move || drop(rx));
        assert!(stalled.release());
        dropping.join();
        assert_eq!(Arc::strong_count(&value), 1);
    });
}

#[test]
fn a_batch_that_stalls_is_received_up_to_there() {
    in_time(|| {
        let (tx, rx) = bounded(8);
        let batch = tx.clone();
        let stalled = Stalled::after(2, Step::Publish, move || batch.send_many([0, 1, 2, 3]).is_ok());
        tx.send(4).unwrap();
        let mut got = Vec::new();
        assert_eq!(rx.try_recv_many(&mut got, 9), Ok(2));
        assert_eq!((rx.len(), rx.try_recv_relaxed()), (3, Err(TryRecvRelaxedError::Busy)));
        assert!(stalled.release());
        assert_eq!(rx.drain(&mut got), 3);
        assert_eq!(got, [0, 1, 2, 3, 4]);
    });
}

#[test]
fn a_stalled_receiver_holds_up_its_own_place() {
    in_time(|| {
        for capacity in [1, 2, 3, 5] {
            let (tx, rx) = bounded(capacity);
            tx.send_many((0..capacity).collect::<Vec<_>>()).unwrap();
            let first = rx.clone();
            let stalled = Stalled::at(Step::Release, move || first.recv());
            assert_eq!(rx.len(), capacity - 1);
            assert!((1..capacity).eq(rx.try_iter()), "all other messages are there");
            assert_eq!(rx.recv_timeout(A_WHILE), Err(RecvTimeoutError::Timeout));
            assert_eq!(tx.try_send_relaxed(9), Err(TrySendRelaxedError::Busy(9)));
            assert_eq!(tx.send_timeout(9, A_WHILE), Err(SendTimeoutError::Timeout(9)));
            let (answer, wakes) = poll(tx.send_async(9));
            assert!(answer.is_pending() && wakes == 1);
            // A place that is just being emptied counts as room.
            drop(tx.try_reserve().unwrap());
            let sending = {
                let tx = tx.clone();
                Waiting::start(move || tx.try_send(7))
            };
            assert_eq!(tx.len(), 0);
            assert_eq!(stalled.release(), Ok(0));
            assert_eq!((sending.join(), rx.recv()), (Ok(()), Ok(7)));
        }
    });
}

/// Who stands still holds no lock, also where there are permits, which have one.
#[test]
fn a_stalled_sender_holds_no_lock() {
    in_time(|| {
        for which in 0..3 {
            let (tx, rx) = bounded(8);
            let (permit, other) = (tx.try_reserve().unwrap().into_owned(), tx.clone());
            let kept = tx.try_reserve().unwrap().into_owned();
            let stalled = Stalled::at(Step::Publish, move || match which {
                0 => other.send(0).is_ok(),
                1 => other.force_send(0).is_ok(),
                _ => permit.send(0).is_ok(),
            });
            let calls = {
                let tx = tx.clone();
                thread::spawn(move || (tx.try_send(1), tx.try_reserve().is_ok(), tx.force_send(2).is_ok()))
            };
            let start = Instant::now();
            while !calls.is_finished() {
                assert!(start.elapsed() < TOO_LONG, "a lock is held, {which}");
                thread::sleep(A_WHILE);
            }
            assert_eq!(calls.join().unwrap().0, Ok(()));
            assert!(stalled.release());
            drop(kept);
            assert_eq!(rx.try_recv(), Ok(0));
            assert_eq!(rx.try_recv(), Ok(1));
        }
    });
}

#[test]
fn a_select_goes_on_without_the_stalled_one() {
    in_time(|| {
        let (tx, rx, stalled) = with_stalled_sender(2);
        let (other_tx, other_rx) = bounded(1);
        let either = |timeout| {
            Select::new()
                .recv(&rx, |message| message)
                .recv(&other_rx, |message| message)
                .wait_timeout(timeout)
        };
        assert_eq!(either(A_WHILE), Err(SelectTimeoutError::Timeout));
        other_tx.send(5).unwrap();
        assert_eq!(either(TOO_LONG), Ok(Ok(5)));
        assert!(stalled.release());
        assert_eq!(either(TOO_LONG), Ok(Ok(0)));
        drop(tx);
    });
}

#[test]
fn the_channel_with_one_receiver() {
    in_time(|| {
        for capacity in [1, 2, 3] {
            let (tx, mut rx) = mpsc::bounded(capacity);
            let first = tx.clone();
            let stalled = Stalled::at(Step::Publish, move || first.send(0).is_ok());
            for n in 1..capacity {
                tx.try_send(n).unwrap();
            }
            assert_eq!(tx.try_send(9), Err(TrySendError::Full(9)));
            assert_eq!(rx.try_recv_relaxed(), Err(TryRecvRelaxedError::Busy));
            assert_eq!(rx.recv_timeout(A_WHILE), Err(RecvTimeoutError::Timeout));
            assert!(poll(rx.recv_async()).0.is_pending());
            assert_eq!(rx.len(), capacity);
            assert!(stalled.release());
            assert!((0..capacity).eq(rx.try_iter()));
            // The receiver between taking a message and giving its place back.
            tx.send_many((0..capacity).collect::<Vec<_>>()).unwrap();
            let stalled = Stalled::at(Step::Release, move || (rx.recv(), rx));
            assert_eq!(tx.len(), capacity - 1);
            assert_eq!(tx.try_send_relaxed(9), Err(TrySendRelaxedError::Busy(9)));
            assert_eq!(tx.send_timeout(9, A_WHILE), Err(SendTimeoutError::Timeout(9)));
            assert!(tx.close());
            let (got, mut rx) = stalled.release();
            assert_eq!(got, Ok(0));
            assert!((1..capacity).eq(rx.iter()));
        }
    });
}

/// Nobody ever waits for the other end: what it has not done yet is simply not there.
#[test]
fn the_channel_for_two() {
    in_time(|| {
        for capacity in [1, 2, 3] {
            let (mut tx, mut rx) = spsc::bounded(capacity);
            let stalled = Stalled::at(Step::MoveTail, move || (tx.try_send(0), tx));
            assert_eq!((rx.len(), rx.try_recv_relaxed()), (0, Err(TryRecvRelaxedError::Empty)));
            assert_eq!(rx.recv_timeout(A_WHILE), Err(RecvTimeoutError::Timeout));
            let (sent, mut tx) = stalled.release();
            assert_eq!((sent, rx.recv()), (Ok(()), Ok(0)));
            tx.send_many((0..capacity).collect::<Vec<_>>()).unwrap();
            let stalled = Stalled::at(Step::MoveHead, move || (rx.try_recv(), rx));
            assert_eq!((tx.len(), tx.try_send(9)), (capacity, Err(TrySendError::Full(9))));
            assert_eq!(tx.send_timeout(9, A_WHILE), Err(SendTimeoutError::Timeout(9)));
            let (got, mut rx) = stalled.release();
            assert_eq!(got, Ok(0));
            assert!((1..capacity).eq(rx.try_iter()));
            // Closed by the receiver while a send stands still: it was not in time.
            let stalled = Stalled::at(Step::MoveTail, move || tx.send(7));
            assert!(rx.close());
            assert_eq!(rx.recv(), Err(RecvError));
            assert_eq!(stalled.release().unwrap_err().into_inner(), 7);
        }
    });
}

#[test]
fn the_rings_without_waiting() {
    in_time(|| {
        let ring = Arc::new(ring::mpmc::Ring::new(2));
        let own = Arc::clone(&ring);
        let stalled = Stalled::at(Step::Publish, move || own.push(0));
        assert_eq!(ring.push(1), Ok(()));
        assert_eq!(ring.push_relaxed(2), Err(RelaxedPushError::Full(2)));
        assert_eq!((ring.pop_relaxed(), ring.len()), (Err(RelaxedPopError::Busy), 2));
        let own = Arc::clone(&ring);
        let popping = Waiting::start(move || own.pop());
        assert_eq!(stalled.release(), Ok(()));
        assert_eq!((popping.join(), ring.pop(), ring.pop()), (Ok(0), Ok(1), Err(PopError::Empty)));
        ring.push(3).unwrap();
        let own = Arc::clone(&ring);
        let stalled = Stalled::at(Step::Release, move || own.pop());
        ring.push(4).unwrap();
        assert_eq!(ring.push_relaxed(5), Err(RelaxedPushError::Busy(5)));
        assert_eq!((ring.pop(), ring.len()), (Ok(4), 0));
        assert_eq!(stalled.release(), Ok(3));

        let (mut producer, mut consumer) = ring::spsc::ring(2);
        let stalled = Stalled::at(Step::MoveTail, move || (producer.push(1), producer));
        assert_eq!((consumer.pop(), consumer.len()), (Err(PopError::Empty), 0));
        let (pushed, mut producer) = stalled.release();
        assert_eq!((pushed, producer.push(2)), (Ok(()), Ok(())));
        let stalled = Stalled::at(Step::MoveHead, move || consumer.pop());
        assert!(producer.push(3).is_err() && producer.len() == 2);
        assert_eq!(stalled.release(), Ok(1));
    });
}

/// All subscribers need the slot of a publisher that stands still; what is before it they receive, and publishers go on for a lap.
#[test]
fn a_stalled_publisher_holds_up_its_own_message() {
    in_time(|| {
        for lossy in [false, true] {
            let (publisher, mut subscriber) =
                if lossy { broadcast::lossy(4) } else { broadcast::lossless(4) };
            let mut second = publisher.subscribe();
            publisher.publish(0).unwrap();
            let own = publisher.clone();
            let stalled = Stalled::at(Step::Post, move || own.publish(1));
            assert_eq!((publisher.publish(2), publisher.publish(3)), (Ok(2), Ok(3)));
            assert_eq!(publisher.sequence(), 4);
            assert_eq!(subscriber.recv(), Ok(0));
            assert_eq!(subscriber.recv_timeout(A_WHILE), Err(broadcast::RecvTimeoutError::Timeout));
            assert!(poll(subscriber.recv_async()).0.is_pending());
            let trying = Waiting::start(move || (subscriber.try_recv(), subscriber));
            if lossy {
                // The spare slots are used up first; then the one that stands still is in the way.
                while publisher.publish_timeout(9, A_WHILE).is_ok() {}
            } else {
                assert_eq!(publisher.try_publish(9), Err(broadcast::TryPublishError::Full(9)));
                assert!(publisher.publish_timeout(9, A_WHILE).is_err());
            }
            let own = publisher.clone();
            let latecomer = Waiting::start(move || own.publish(10).is_ok() | !lossy).0;
            assert!(publisher.close());
            assert_eq!(stalled.release(), Ok(1));
            assert!(latecomer.join().is_ok());
            let (got, mut subscriber) = trying.join();
            if !lossy {
                assert_eq!(got, Ok(1));
                assert!([2, 3].into_iter().eq(std::iter::from_fn(|| subscriber.try_recv().ok())));
                assert!((0..4).eq(std::iter::from_fn(|| second.try_recv().ok())));
            }
            while subscriber.try_recv() != Err(broadcast::TryRecvError::Closed) {}
            assert_eq!(subscriber.received() + subscriber.lagged(), publisher.sequence());
        }
    });
}
