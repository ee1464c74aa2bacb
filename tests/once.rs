//! Effects that happen once: results replayed, mistakes refused, failures tried again, from threads and tasks.

mod pool_common;

use futures::executor::block_on;
use futures::future::join_all;
use millpond::{
    Begun, Context, Fingerprint, MemoryStore, Once, OnceError, OnceStore, Outcome, Pool, RetryPolicy,
    VirtualClock,
};
use pool_common::{Barrier, LONG, quiet, until};
use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Poll, Wake, Waker};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3_600);

fn ok<R>(result: R) -> impl FnOnce() -> Result<R, Infallible> {
    || Ok(result)
}

fn never<R>() -> Result<R, Infallible> {
    panic!("this effect is not to be run")
}

/// 1,000 duplicates of one key from several threads: one effect, and everybody has its result.
#[test]
fn a_thousand_duplicates_make_one_effect() {
    const THREADS: usize = 8;
    const EACH: usize = 125;
    for round in 0..20 {
        let (once, effects) = (Once::in_memory(10, DAY), AtomicU32::new(0));
        let results: Vec<u32> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|_| {
                    scope.spawn(|| {
                        let call = || {
                            once.run(format!("order-{round}"), &(round, "euro"), || {
                                std::thread::yield_now();
                                Ok::<_, Infallible>(effects.fetch_add(1, Ordering::SeqCst) + 17)
                            })
                        };
                        (0..EACH).map(|_| call().unwrap()).collect::<Vec<_>>()
                    })
                })
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(effects.load(Ordering::SeqCst), 1);
        assert_eq!(results, vec![17; THREADS * EACH]);
        let stats = once.stats();
        assert_eq!((stats.run, stats.replayed, stats.failed, stats.in_progress), (1, 999, 0, 0));
        assert_eq!(once.store().stats().kept, 1);
    }
}

/// As above with tasks, which all come while the effect is waiting for something.
#[test]
fn a_thousand_tasks_make_one_effect() {
    let (once, effects) = (Once::in_memory(10, DAY), AtomicU32::new(0));
    let (open, gate) = futures::channel::oneshot::channel::<()>();
    let gate = futures::future::FutureExt::shared(gate);
    let call = |_| {
        once.run_async("key", "arguments", || {
            let gate = gate.clone();
            effects.fetch_add(1, Ordering::SeqCst);
            async {
                gate.await.unwrap();
                Ok::<_, Infallible>(17)
            }
        })
    };
    let mut all = pin!(join_all((0..1_000).map(call)));
    assert!(block_on(async { futures::poll!(all.as_mut()) }).is_pending());
    assert_eq!(once.stats().in_progress, 1);
    open.send(()).unwrap();
    assert!(block_on(all).into_iter().all(|result| result.unwrap() == 17));
    assert_eq!((effects.load(Ordering::SeqCst), once.stats().replayed), (1, 999));
}

#[test]
fn other_arguments_are_a_mistake() {
    let once = Once::in_memory(10, DAY);
    assert_eq!(once.run("key", &1, ok('a')).unwrap(), 'a');
    assert!(matches!(once.run("key", &2, never), Err(OnceError::Mismatch)));
    assert!(matches!(block_on(once.run_async("key", &2, async || never())), Err(OnceError::Mismatch)));
    assert_eq!(once.run("key", &1, never).unwrap(), 'a');
    assert_eq!(once.run("other", &2, ok('b')).unwrap(), 'b');
    // While the effect is running as well, and for one that may fail yet.
    let inside = once.run("busy", &1, || {
        assert!(matches!(once.try_run("busy", &2, never), Err(OnceError::Mismatch)));
        assert!(matches!(once.run("busy", &2, never), Err(OnceError::Mismatch)));
        assert!(matches!(once.try_run("busy", &1, never), Err(OnceError::InProgress)));
        assert!(matches!(once.run_timeout("busy", &1, Duration::ZERO, never), Err(OnceError::Timeout)));
        Err::<char, _>("failed")
    });
    assert_eq!(inside.unwrap_err().into_effect(), Some("failed"));
    assert_eq!(
        once.run("busy", &2, ok('c')).unwrap(),
        'c',
        "the key was free again, for other arguments too"
    );
}

#[test]
fn a_failure_and_a_panic_leave_the_key_free() {
    let once = Once::in_memory(1, DAY);
    assert!(matches!(once.run("key", &(), || Err::<u8, _>("no")), Err(OnceError::Effect("no"))));
    assert!(
        catch_unwind(AssertUnwindSafe(|| once.run("key", &(), || -> Result<u8, Infallible> { panic!() })))
            .is_err()
    );
    let panics = once.run_async("key", &(), async || -> Result<u8, Infallible> { panic!() });
    assert!(catch_unwind(AssertUnwindSafe(|| block_on(panics))).is_err());
    assert_eq!(once.store().stats().in_progress, 0);
    assert_eq!(once.run("key", &(), ok(1)).unwrap(), 1);
    assert_eq!((once.stats().failed, once.stats().run), (3, 1));
}

/// Whoever waited for an effect that failed runs his own, one after the other.
#[test]
fn those_who_wait_for_a_failure_try_for_themselves() {
    let (once, barrier, tries) = (Once::in_memory(10, DAY), Barrier::default(), AtomicU32::new(0));
    std::thread::scope(|scope| {
        let call = || {
            once.run("key", &(), || {
                barrier.pass();
                match tries.fetch_add(1, Ordering::SeqCst) {
                    number @ 0..3 => Err(number),
                    number => Ok(number),
                }
            })
        };
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(call)).collect();
        barrier.wait_for(1);
        barrier.open();
        let results: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(results.iter().filter(|result| result.is_err()).count(), 3);
        assert_eq!(results.iter().flatten().copied().collect::<Vec<_>>(), [3, 3, 3]);
    });
    assert_eq!((once.stats().failed, once.stats().run, once.stats().replayed), (3, 1, 2));
}

/// A future dropped while its effect runs frees the key, and the one who waits takes over; one dropped while it waits does
/// nothing.
#[test]
fn dropped_futures_leave_nothing_behind() {
    let once = Once::in_memory(10, DAY);
    let mut leading = Box::pin(once.run_async("key", &(), std::future::pending::<Result<u8, Infallible>>));
    let mut waiting = Box::pin(once.run_async("key", &(), async || Ok::<_, Infallible>(2)));
    let mut leaving = Box::pin(once.run_async("key", &(), async || never()));
    block_on(async {
        assert!(futures::poll!(leading.as_mut()).is_pending());
        assert!(futures::poll!(waiting.as_mut()).is_pending());
        assert!(futures::poll!(leaving.as_mut()).is_pending());
    });
    drop(leaving);
    drop(leading);
    assert_eq!(block_on(waiting).unwrap(), 2);
    assert_eq!((once.stats().failed, once.stats().run, once.stats().in_progress), (1, 1, 0));
}

/// A thread waits for a task's effect, and a task for a thread's.
#[test]
fn threads_and_tasks_wait_for_each_other() {
    let once = Once::in_memory(10, DAY);
    let (open, gate) = futures::channel::oneshot::channel::<()>();
    std::thread::scope(|scope| {
        let task = scope.spawn(|| {
            block_on(once.run_async("key", &(), async || {
                gate.await.unwrap();
                Ok::<_, Infallible>(5)
            }))
        });
        until("the task has begun", || once.stats().in_progress == 1);
        let thread = scope.spawn(|| once.run_timeout("key", &(), LONG, never));
        open.send(()).unwrap();
        assert_eq!((task.join().unwrap().unwrap(), thread.join().unwrap().unwrap()), (5, 5));
    });
    let barrier = Barrier::default();
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            once.run("other", &(), || {
                barrier.pass();
                Ok::<_, Infallible>(6)
            })
        });
        barrier.wait_for(1);
        let mut task = pin!(once.run_async("other", &(), async || never()));
        assert!(block_on(async { futures::poll!(task.as_mut()) }).is_pending());
        barrier.open();
        assert_eq!((block_on(task).unwrap(), thread.join().unwrap().unwrap()), (6, 6));
    });
}

/// A waker that panics does not keep the others from being woken.
#[test]
fn a_waker_that_panics() {
    struct Bomb;
    impl Wake for Bomb {
        fn wake(self: Arc<Self>) {
            panic!("boom");
        }
    }
    struct Bell(AtomicBool);
    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let once = Once::in_memory(10, DAY);
    let bell = Arc::new(Bell(AtomicBool::new(false)));
    let mut outlive = None;
    let result = once.run("key", &(), || {
        let mut first = Box::pin(once.run_async("key", &(), async || never()));
        let mut second = Box::pin(once.run_async("key", &(), async || never()));
        let bomb = Waker::from(Arc::new(Bomb));
        let waker = Waker::from(Arc::clone(&bell));
        assert!(first.as_mut().poll(&mut std::task::Context::from_waker(&bomb)).is_pending());
        assert!(second.as_mut().poll(&mut std::task::Context::from_waker(&waker)).is_pending());
        outlive = Some((first, second));
        Ok::<_, Infallible>(1)
    });
    assert!(result.is_ok() && bell.0.load(Ordering::SeqCst));
    let (first, second) = outlive.unwrap();
    assert_eq!((block_on(first).unwrap(), block_on(second).unwrap()), (1, 1));
}

#[test]
fn results_are_kept_for_their_time_and_their_number() {
    let time = VirtualClock::new();
    let once = Once::with_store(MemoryStore::new(2, DAY).clock(time.clock()));
    assert_eq!(once.run("a", &(), ok(1)).unwrap(), 1);
    time.advance(DAY - Duration::from_nanos(1));
    assert_eq!(once.run("a", &(), never).unwrap(), 1, "a replay does not make it younger");
    time.advance(Duration::from_nanos(1));
    assert_eq!(once.run("a", &(), ok(2)).unwrap(), 2);
    assert_eq!(once.store().stats().expired, 1);

    assert_eq!(once.run("b", &(), ok(3)).unwrap(), 3);
    assert_eq!(once.run("c", &(), ok(4)).unwrap(), 4);
    let stats = once.store().stats();
    assert_eq!((stats.kept, stats.evicted), (2, 1));
    assert_eq!(once.run("a", &(), ok(5)).unwrap(), 5, "the oldest had to go");
    // Keys in progress are never dropped, and results give way to them.
    let nested = once.run("x", &(), || {
        let inner = once.run("y", &(), || {
            assert!(matches!(once.run("z", &(), never), Err(OnceError::Full)));
            Ok::<_, Infallible>(7)
        });
        Ok::<_, Infallible>(inner.unwrap())
    });
    assert_eq!(nested.unwrap(), 7);
}

/// Results whose drops panic: the store goes on, and every one of them is dropped.
#[test]
fn results_that_panic_when_they_are_dropped() {
    struct Bomb(Arc<AtomicU32>);
    impl Drop for Bomb {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
            panic!("boom");
        }
    }
    let drops = Arc::new(AtomicU32::new(0));
    let time = VirtualClock::new();
    let store = MemoryStore::<Bomb>::new(3, DAY).clock(time.clock());
    let print = Fingerprint::of(&());
    for key in [b"a", b"b", b"c"] {
        assert!(matches!(store.begin(key, print), Ok(Begun::Claimed)));
        let result = Arc::new(Bomb(Arc::clone(&drops)));
        assert_eq!(store.complete(key, print, &result), Ok(()));
    }
    time.advance(DAY);
    assert!(matches!(store.begin(b"d", print), Ok(Begun::Claimed)));
    assert_eq!((drops.load(Ordering::SeqCst), store.stats().expired, store.stats().in_progress), (3, 3, 1));
    assert_eq!(store.abandon(b"d", print), Ok(()));
}

/// A store that fails: before the effect nothing is run, after it the result is given and the loss counted.
#[test]
fn a_store_that_fails() {
    #[derive(Default)]
    struct Flaky {
        begins: AtomicBool,
    }
    impl OnceStore<u8> for Flaky {
        type Error = std::io::Error;
        fn begin(&self, _: &[u8], _: Fingerprint) -> Result<Begun<u8>, Self::Error> {
            match self.begins.load(Ordering::SeqCst) {
                true => Ok(Begun::Claimed),
                false => Err(std::io::Error::other("offline")),
            }
        }
        fn complete(&self, _: &[u8], _: Fingerprint, _: &Arc<u8>) -> Result<(), Self::Error> {
            Err(std::io::Error::other("offline"))
        }
        fn abandon(&self, _: &[u8], _: Fingerprint) -> Result<(), Self::Error> {
            panic!("worse than offline")
        }
    }
    let once = Once::with_store(Flaky::default());
    let refused = once.run("key", &(), never);
    assert!(matches!(refused, Err(OnceError::Store(error)) if error.to_string() == "offline"));
    once.store().begins.store(true, Ordering::SeqCst);
    assert_eq!(once.run("key", &(), ok(1)).unwrap(), 1);
    assert_eq!(once.stats().unrecorded, 1);
    // The panic of the effect goes through one of the store.
    let both =
        catch_unwind(AssertUnwindSafe(|| once.run("key", &(), || -> Result<u8, Infallible> { panic!() })));
    assert!(both.is_err());
    assert_eq!(once.stats().in_progress, 0);
}

/// In a pool: a job that is delivered again and again charges once, on the pool's clock, and so does a dead one redriven.
#[test]
fn redelivered_and_redriven_jobs_have_one_effect() {
    let time = VirtualClock::new();
    let store = MemoryStore::new(100, DAY).clock(time.clock());
    let (once, charges) = (Arc::new(Once::with_store(store)), Arc::new(AtomicU32::new(0)));
    let pool = Pool::builder()
        .workers(2)
        .clock(time.clock())
        .retry(RetryPolicy::fixed(Duration::ZERO).max_attempts(3))
        .start({
            let (once, charges) = (Arc::clone(&once), Arc::clone(&charges));
            move |order: &u32, cx: &Context| {
                let charged = once.run(cx.id().get().to_le_bytes(), order, || {
                    charges.fetch_add(1, Ordering::SeqCst);
                    Ok::<_, Infallible>(order * 2)
                });
                assert_eq!(charged.unwrap(), order * 2);
                Outcome::retry("the mail server is down")
            }
        })
        .unwrap();
    pool.submit_many((0..20).collect::<Vec<_>>()).unwrap();
    assert_eq!(quiet(&pool).dead, 20);
    assert_eq!(pool.dead().redrive_all(), Ok(20));
    let stats = quiet(&pool);
    assert_eq!((stats.dead, stats.died, charges.load(Ordering::SeqCst)), (20, 40, 20));
    assert_eq!((once.stats().run, once.stats().replayed), (20, 100));
}

/// Nothing is known of `T` but that it can be sent: what can be shared is.
#[test]
fn what_is_send_and_sync() {
    fn send<T: Send>(value: T) -> T {
        value
    }
    fn sync<T: Sync>() {}
    sync::<Once<String>>();
    sync::<MemoryStore<String>>();
    let once = Once::in_memory(1, DAY);
    let future = send(once.run_async("key", &std::rc::Rc::new(1), async || Ok::<_, Infallible>(1)));
    assert!(matches!(block_on(async { futures::poll!(pin!(future)) }), Poll::Ready(Ok(1))));
}
