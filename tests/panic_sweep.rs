//! A panic at the 1st, 2nd, 3rd, ... call of the user's code, until the scenario ends without one: afterwards everything works,
//! and every value was dropped once (A10, U3, promise 9).
//!
//! One fuse counts all calls of the user's code in a scenario: drops, clones, wakers, iterators, filters, handlers.

mod common;

use common::{Ledger, Token, wait_until};
use millpond::broadcast;
use millpond::topic::{Event, Topics};
use millpond::{
    Context as JobContext, DeadFilter, DeadFull, DeadLetter, Decision, Failure, Pool, RetryPolicy, bounded,
    mpsc, ring, spsc,
};
use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, RawWaker, RawWakerVTable, Waker};
use std::time::Duration;

/// Panics at the call it was made for.
struct Fuse {
    calls: AtomicUsize,
    panic_at: usize,
}

impl Fuse {
    fn call(&self) {
        let call = self.calls.fetch_add(1, SeqCst) + 1;
        assert!(call != self.panic_at || std::thread::panicking(), "call {call}, which was told to panic");
    }

    fn has_blown(&self) -> bool {
        self.calls.load(SeqCst) >= self.panic_at
    }
}

/// What one run of a scenario uses.
#[derive(Clone)]
struct Run {
    fuse: Arc<Fuse>,
    ledger: Arc<Ledger>,
    /// Wakers made and dropped.
    wakers: Arc<AtomicUsize>,
}

/// A value whose clone and drop may panic.
struct Value {
    token: Token,
    run: Run,
}

impl Clone for Value {
    fn clone(&self) -> Self {
        self.run.fuse.call();
        self.run.value(self.token.id)
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        // The token, a field, is dropped all the same.
        self.run.fuse.call();
    }
}

const IDS: usize = 64;

impl Run {
    fn value(&self, id: usize) -> Value {
        Value { token: self.ledger.token(id), run: self.clone() }
    }

    /// Makes values as they are asked for.
    fn values(&self, ids: std::ops::Range<usize>) -> impl Iterator<Item = Value> + use<> {
        let run = self.clone();
        ids.map(move |id| {
            run.fuse.call();
            run.value(id)
        })
    }

    /// Makes a waker of which every function may panic.
    fn waker(&self) -> Waker {
        fn run<'a>(data: *const ()) -> &'a Run {
            // SAFETY: each waker holds a count of the `Arc<Run>` whose address this is.
            unsafe { &*data.cast::<Run>() }
        }
        unsafe fn clone(data: *const ()) -> RawWaker {
            run(data).fuse.call();
            run(data).wakers.fetch_add(1, SeqCst);
            // SAFETY: as in `run`.
            unsafe { Arc::increment_strong_count(data.cast::<Run>()) };
            RawWaker::new(data, &TABLE)
        }
        unsafe fn free(data: *const ()) -> Run {
            let kept = run(data).clone();
            kept.wakers.fetch_sub(1, SeqCst);
            // SAFETY: as in `run`; this is the count of the waker that goes.
            unsafe { Arc::decrement_strong_count(data.cast::<Run>()) };
            kept
        }
        unsafe fn wake(data: *const ()) {
            // SAFETY: by the contract of the table, this uses the waker up.
            unsafe { free(data) }.fuse.call();
        }
        unsafe fn wake_by_ref(data: *const ()) {
            run(data).fuse.call();
        }
        unsafe fn release(data: *const ()) {
            // SAFETY: as in `wake`.
            unsafe { free(data) }.fuse.call();
        }
        static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, release);
        self.wakers.fetch_add(1, SeqCst);
        let data = Arc::into_raw(Arc::new(self.clone()));
        // SAFETY: the functions of the table count as an `Arc` does, and `Run` is `Send` and `Sync`.
        unsafe { Waker::from_raw(RawWaker::new(data.cast::<()>(), &TABLE)) }
    }

    /// Polls a future once. A panic of the user's code ends here.
    fn poll<F: Future + ?Sized>(&self, future: Pin<&mut F>) {
        self.survive(|| {
            let waker = self.waker();
            // What it brings is dropped here, too.
            drop(future.poll(&mut Context::from_waker(&waker)));
        });
    }

    /// Does something; a panic of the user's code ends here.
    fn survive<R>(&self, work: impl FnOnce() -> R) -> Option<R> {
        catch_unwind(AssertUnwindSafe(work)).ok()
    }
}

/// Runs the scenario with a panic at the 1st call, at the 2nd, and so on, until one ends before it comes to that.
fn sweep(name: &str, scenario: impl Fn(&Run)) {
    for panic_at in 1.. {
        let run = Run {
            fuse: Arc::new(Fuse { calls: AtomicUsize::new(0), panic_at }),
            ledger: Ledger::new(IDS),
            wakers: Arc::new(AtomicUsize::new(0)),
        };
        scenario(&run);
        run.ledger.assert_settled();
        assert_eq!(run.wakers.load(SeqCst), 0, "{name}, call {panic_at}: a waker is left or was freed twice");
        if !run.fuse.has_blown() {
            println!("{name}: {} calls", panic_at - 1);
            assert!(panic_at > 3, "{name} calls the user's code");
            return;
        }
        assert!(panic_at < 5_000, "{name} does not end");
    }
}

/// All that a channel can do, in a scenario of its own: through `$by`, which is `&` or `&mut`.
macro_rules! channel_scenario {
    ($run:ident, $make:expr, $($mutable:tt)*) => {{
        for capacity in [0, 1, 2, 4] {
            let (tx, rx) = $make(capacity);
            #[allow(unused_mut, reason = "shared ends need no mut")]
            let (mut tx, mut rx) = (tx, rx);
            {
                let mut recv = Box::pin(rx.recv_async());
                $run.poll(recv.as_mut());
                $run.survive(|| drop(tx.try_send($run.value(1))));
                $run.poll(recv.as_mut());
                $run.survive(|| drop(recv));
            }
            $run.survive(|| drop(tx.try_send($run.value(2))));
            $run.survive(|| drop(tx.try_send($run.value(3))));
            {
                let mut send = Box::pin(tx.send_async($run.value(4)));
                $run.poll(send.as_mut());
                $run.poll(send.as_mut());
                $run.survive(|| drop(rx.try_recv()));
                $run.poll(send.as_mut());
                $run.survive(|| drop(send));
            }
            $run.survive(|| drop(rx.try_recv()));
            {
                let batch = $run.survive(|| $run.values(5..8).collect::<VecDeque<_>>()).unwrap_or_default();
                let mut send = Box::pin(tx.send_many_async(batch));
                $run.poll(send.as_mut());
                let mut got = Vec::new();
                $run.survive(|| rx.try_recv_many(&mut got, 2).is_ok());
                $run.poll(send.as_mut());
                $run.survive(|| drop(send));
                $run.survive(|| drop(got));
            }
            $run.survive(|| rx.drain(&mut Vec::new()));
            $run.survive(|| drop(tx.send_timeout($run.value(9), Duration::ZERO)));
            $run.survive(|| rx.try_iter().for_each(drop));
            // It works on.
            assert!(!tx.is_closed() && tx.is_empty());
            if capacity > 0 {
                let value = $run.value(10);
                assert!(tx.try_send(value).is_ok());
                assert_eq!(tx.len(), 1);
                let got = rx
                    .try_recv()
                    .map(|value| (value.token.id, $run.survive(|| drop(value))))
                    .map(|(id, _)| id);
                assert_eq!(got.ok(), Some(10));
                $run.survive(|| drop(tx.try_send($run.value(11))));
            }
            $run.survive(|| drop(rx));
            assert!(tx.is_closed() && tx.is_empty());
            $run.survive(|| drop(tx.try_send($run.value(12))));
            $run.survive(|| drop(tx));
        }
    }};
}

#[test]
fn channels() {
    sweep("mpmc", |run| channel_scenario!(run, bounded, &));
    sweep("mpsc", |run| channel_scenario!(run, mpsc::bounded, &));
    sweep("spsc", |run| channel_scenario!(run, spsc::bounded, &mut));
}

/// What only shared ends have: displacing, permits, weak handles, several waiters at once, and closing over them.
#[test]
fn shared_ends() {
    sweep("shared ends", |run| {
        for capacity in [1, 3] {
            let (tx, rx) = bounded(capacity);
            for id in 0..5 {
                run.survive(|| drop(tx.force_send(run.value(id))));
            }
            assert_eq!(tx.len(), capacity);
            run.survive(|| rx.drain(&mut Vec::new()));
            assert!(rx.is_empty());
            if let Ok(permit) = tx.try_reserve() {
                run.survive(|| drop(tx.force_send(run.value(6))));
                run.survive(|| drop(permit.send(run.value(7))));
            }
            let mut reserving: Vec<_> = (0..3).map(|_| Box::pin(tx.reserve_async())).collect();
            reserving.iter_mut().for_each(|future| run.poll(future.as_mut()));
            run.survive(|| rx.drain(&mut Vec::new()));
            run.survive(|| drop(reserving));
            run.survive(|| rx.drain(&mut Vec::new()));
            assert_eq!((tx.len(), tx.try_reserve().is_ok()), (0, true), "no credit is left behind");
            let mut waiting: Vec<_> = (0..4).map(|_| Box::pin(rx.recv_async())).collect();
            waiting.iter_mut().for_each(|future| run.poll(future.as_mut()));
            run.survive(|| drop(tx.send_many(run.values(8..9).collect::<VecDeque<_>>())));
            run.survive(|| tx.close());
            assert!(rx.is_closed());
            waiting.iter_mut().for_each(|future| run.poll(future.as_mut()));
            run.survive(|| drop(waiting));
            run.survive(|| drop((tx, rx)));
        }
    });
}

#[test]
fn rings() {
    sweep("rings", |run| {
        let shared = ring::mpmc::Ring::new(2);
        let (mut producer, mut consumer) = ring::spsc::ring(2);
        for id in 0..3 {
            run.survive(|| drop(shared.push(run.value(id))));
            run.survive(|| drop(producer.push(run.value(id))));
        }
        run.survive(|| drop(shared.pop()));
        run.survive(|| drop(consumer.pop()));
        run.survive(|| drop(shared.force_push(run.value(4))));
        run.survive(|| drop(shared.force_push(run.value(5))));
        run.survive(|| {
            let mut chunk = producer.chunk(2);
            chunk.fill_from(run.values(6..9));
            chunk.commit()
        });
        run.survive(|| consumer.chunk(1).into_iter().for_each(drop));
        assert!(shared.len() <= 2 && consumer.len() <= 2);
        run.survive(|| while shared.pop().map(drop).is_ok() {});
        run.survive(|| while shared.pop().map(drop).is_ok() {});
        let value = run.value(9);
        assert!(shared.push(value).is_ok());
        assert_eq!(shared.pop().map(|value| (value.token.id, run.survive(|| drop(value))).0).ok(), Some(9));
        run.survive(|| drop(shared));
        run.survive(|| drop(consumer));
        run.survive(|| drop(producer));
    });
}

#[test]
fn broadcasts() {
    sweep("broadcast", |run| {
        for lossy in [false, true] {
            let (publisher, subscriber) = if lossy { broadcast::lossy(2) } else { broadcast::lossless(2) };
            let mut first = subscriber;
            let mut second = publisher.subscribe();
            {
                let mut recv = Box::pin(first.recv_async());
                let mut other = Box::pin(second.recv_async());
                run.poll(recv.as_mut());
                run.poll(other.as_mut());
                run.survive(|| drop(publisher.try_publish(run.value(0))));
                run.poll(recv.as_mut());
                run.poll(other.as_mut());
                run.survive(|| drop((recv, other)));
            }
            for id in 1..4 {
                run.survive(|| drop(publisher.try_publish(run.value(id))));
                run.survive(|| drop(first.try_recv()));
            }
            {
                let mut publish = Box::pin(publisher.publish_async(run.value(4)));
                run.poll(publish.as_mut());
                run.survive(|| second.try_recv_ref().map(|message| message.token.id).is_ok());
                run.poll(publish.as_mut());
                run.survive(|| drop(publish));
            }
            run.survive(|| drop(second));
            // It works on: what cannot be read any more is in nobody's way.
            run.survive(|| while first.try_recv().map(drop).is_ok() {});
            run.survive(|| while first.try_recv().map(drop).is_ok() {});
            while !matches!(first.try_recv_ref().err(), Some(broadcast::TryRecvError::Empty)) {}
            let value = run.value(5);
            let before = publisher.sequence();
            run.survive(|| drop(publisher.try_publish(value)));
            assert_eq!(publisher.sequence(), before + 1);
            assert_eq!(first.try_recv_ref().map(|message| message.token.id).ok(), Some(5));
            run.survive(|| publisher.close());
            run.survive(|| drop(publisher));
            run.survive(|| drop(first));
        }
    });
}

#[test]
fn topics() {
    sweep("topics", |run| {
        let topics = Topics::<Value>::new();
        let topic = topics.topic("a.b").unwrap();
        let filter = |run: &Run| {
            let run = run.clone();
            move |_: &Event<Value>| {
                run.fuse.call();
                true
            }
        };
        let mut plain = topics.subscribe("a.*").unwrap().lossless(2).unwrap();
        let filtered = topics.subscribe("#").unwrap().filter(filter(run)).lossless(2).unwrap();
        let mut lossy = topic.subscribe().filter(filter(run)).lossy(1).unwrap();
        for id in 0..4 {
            run.survive(|| drop(topic.try_publish(run.value(id))));
            run.survive(|| drop(plain.try_recv()));
            {
                let mut recv = Box::pin(lossy.recv_async());
                run.poll(recv.as_mut());
                run.survive(|| drop(recv));
            }
        }
        run.survive(|| drop(filtered));
        assert_eq!(topics.stats().subscriptions, 2);
        run.survive(|| while plain.try_recv().map(drop).is_ok() {});
        run.survive(|| while plain.try_recv().map(drop).is_ok() {});
        let value = run.value(5);
        run.survive(|| drop(topic.try_publish(value)));
        run.survive(|| while plain.try_recv().map(drop).is_ok() {});
        assert!(plain.is_empty());
        run.survive(|| topics.close());
        run.survive(|| drop(lossy));
        run.survive(|| drop(plain));
        assert_eq!(topics.stats().subscriptions, 0);
        drop((topic, topics));
    });
}

/// Jobs that panic in the handler, in the filter of dead letters, when cloned or dropped: each is accounted for.
#[test]
fn pools() {
    sweep("pool", |run| {
        let own = run.clone();
        let handler = move |job: &Value, _: &JobContext| {
            own.fuse.call();
            if job.token.id % 2 == 0 { Ok(()) } else { Err(Failure::new("odd")) }
        };
        let own = run.clone();
        let decide = move |_: &Failure, _: u32| {
            own.fuse.call();
            Decision::Policy
        };
        let own = run.clone();
        let pool = Pool::builder()
            .workers(1)
            .capacity(8)
            .dead_letters(8, DeadFull::DropOldest)
            .on_dead(move |_| own.fuse.call())
            .retry(RetryPolicy::fixed(Duration::ZERO).max_attempts(2).decide(decide))
            .start(handler)
            .unwrap();
        for id in 0..4 {
            run.survive(|| drop(pool.submit(run.value(id))));
        }
        run.survive(|| drop(pool.submit_many(run.values(4..6).collect::<VecDeque<_>>())));
        wait_until("the pool is idle", || pool.wait_idle(Duration::from_millis(50)));
        let stats = pool.stats();
        assert_eq!(stats.submitted, stats.done + stats.dead + stats.dropped + stats.held, "{stats:?}");
        let dead = pool.dead();
        let own = run.clone();
        let all = move |_: &DeadLetter<Value>| {
            own.fuse.call();
            true
        };
        run.survive(|| dead.select(DeadFilter::all().matching(all.clone())).redrive());
        wait_until("the pool is idle", || pool.wait_idle(Duration::from_millis(50)));
        run.survive(|| drop(dead.select(DeadFilter::all().matching(all)).take()));
        // It works on, with a worker for each that panicked.
        let done = pool.stats().done + pool.stats().dead;
        let value = run.value(8);
        assert!(run.survive(|| pool.submit(value).is_ok()).is_some_and(|accepted| accepted));
        wait_until("the job is over", || {
            let stats = pool.stats();
            stats.done + stats.dead > done
        });
        run.survive(|| drop(pool.shutdown(Duration::from_secs(60))));
        run.survive(|| drop(dead));
    });
}
