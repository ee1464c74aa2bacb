//! Side effects inside handlers that happen once for each key, however often the job is delivered.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

mod pool_common;

use millpond::testing::{Fault, Faults};
use millpond::{
    AnyResult, Context, Lease, MemoryStore, Once, OnceError, Outcome, Pool, PoolBuilder, RetryPolicy,
    VirtualClock,
};
use pool_common::{Barrier, LONG, hush, quiet, until};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

fn builder() -> PoolBuilder {
    let retry = RetryPolicy::fixed(Duration::ZERO).max_attempts(4);
    Pool::builder().workers(2).retry(retry).once(Once::in_memory(1_000, DAY))
}

/// A number that threads count up.
#[derive(Clone, Default)]
struct Count(Arc<AtomicUsize>);

impl Count {
    fn up(&self) -> usize {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn a_result_is_replayed_at_each_redelivery() {
    let (runs, calls) = (Count::default(), Count::default());
    let pool = {
        let (runs, calls) = (runs.clone(), calls.clone());
        builder().start(move |job: &u32, cx: &Context| {
            calls.up();
            let result = cx.once(format!("double-{}", cx.id()), job, || {
                runs.up();
                Ok::<_, io::Error>(2 * job)
            });
            assert_eq!(result.unwrap(), 2 * job);
            if cx.attempt() < 3 { Err("the answer is lost") } else { Ok(()) }
        })
    };
    let pool = pool.unwrap();
    pool.submit_many((0..100).collect::<Vec<_>>()).unwrap();
    assert_eq!((quiet(&pool).done, calls.get(), runs.get()), (100, 300, 100));
}

#[test]
fn async_handlers_too() {
    let runs = Count::default();
    let pool = {
        let runs = runs.clone();
        builder().start_async(async move |job: &u32, cx: &Context| {
            let effect = || async {
                cx.sleep(Duration::from_micros(1)).await;
                runs.up();
                Ok::<_, io::Error>(vec![*job])
            };
            assert_eq!(cx.once_async(job.to_le_bytes(), job, effect).await.unwrap(), [*job]);
            if cx.attempt() < 3 { Err("the answer is lost") } else { Ok(()) }
        })
    };
    let pool = pool.unwrap();
    pool.submit_many((0..50).collect::<Vec<_>>()).unwrap();
    assert_eq!((quiet(&pool).done, runs.get()), (50, 50));
}

/// Other arguments, or another type: an error, and neither effect is run.
#[test]
fn a_key_is_for_one_effect() {
    let pool = builder().start(|job: &u32, cx: &Context| {
        let text = |arguments: u32| cx.once("key", &arguments, || Ok::<_, io::Error>("text".to_owned()));
        assert_eq!(text(*job).unwrap(), "text");
        assert!(matches!(text(job + 1), Err(OnceError::Mismatch)));
        let number = cx.once("key", job, || -> Result<u32, io::Error> { panic!("the effect is not run") });
        assert!(matches!(number, Err(OnceError::Mismatch)));
        assert_eq!(text(*job).unwrap(), "text");
    });
    let pool = pool.unwrap();
    pool.submit(1).unwrap();
    let stats = quiet(&pool);
    assert_eq!((stats.done, stats.panicked), (1, 0));
}

#[test]
fn without_a_store_it_is_refused() {
    let pool = Pool::builder().workers(1).start(|_: &u32, cx: &Context| {
        let sync = cx.once("key", &1, || -> Result<(), io::Error> { panic!("the effect is not run") });
        assert!(matches!(sync, Err(OnceError::Unset)));
    });
    let pool = pool.unwrap();
    pool.submit(1).unwrap();
    assert_eq!(quiet(&pool).done, 1);
    let pool = Pool::builder().workers(1).start_async(async |_: &u32, cx: &Context| {
        let late = cx.once_async("key", &1, async || Ok::<_, io::Error>(1)).await;
        assert_eq!(late.unwrap_err().to_string(), "the pool was given no store of results");
    });
    let pool = pool.unwrap();
    pool.submit(1).unwrap();
    assert_eq!(quiet(&pool).done, 1);
}

/// A failure or a panic leaves the key free, and a timeout that drops an async effect half-way does.
#[test]
fn an_effect_that_comes_to_nothing_is_run_again() {
    hush("once-fails");
    let pool = builder().name("once-fails").start(|_: &u32, cx: &Context| {
        cx.once("key", "", || match cx.attempt() {
            1 => Err("no"),
            2 => panic!("no"),
            attempt => Ok(attempt),
        })
        .map(|attempt| assert_eq!(attempt, 3))
        .map_err(|error| error.to_string())
    });
    let pool = pool.unwrap();
    pool.submit(1).unwrap();
    let stats = quiet(&pool);
    assert_eq!((stats.done, stats.retried, stats.panicked), (1, 2, 1));

    let time = VirtualClock::new();
    let begun = Count::default();
    let pool = {
        let begun = begun.clone();
        builder().timeout(DAY).clock(time.clock()).start_async(async move |_: &u32, cx: &Context| {
            let effect = async || {
                if begun.up() == 1 {
                    std::future::pending::<()>().await;
                }
                Ok::<_, io::Error>(cx.attempt())
            };
            assert_eq!(cx.once_async("key", "", effect).await.unwrap(), 2);
        })
    };
    let pool = pool.unwrap();
    pool.submit(1).unwrap();
    until("it waits", || begun.get() == 1);
    time.advance(DAY);
    assert_eq!(quiet(&pool).done, 1);
}

#[test]
fn pools_may_share_their_keys() {
    let time = VirtualClock::new();
    let store = MemoryStore::<AnyResult>::new(10, DAY).clock(time.clock());
    let (once, runs) = (Arc::new(Once::with_store(store)), Count::default());
    let pools = [0, 1].map(|_| {
        let runs = runs.clone();
        let pool = Pool::builder().workers(1).once(Arc::clone(&once)).start(move |_: &u32, cx: &Context| {
            assert_eq!(cx.once("key", "", || Ok::<_, io::Error>(runs.up())).unwrap(), 1);
        });
        pool.unwrap()
    });
    for pool in &pools {
        pool.submit(1).unwrap();
        assert_eq!(quiet(pool).done, 1);
    }
    assert_eq!((once.stats().run, once.stats().replayed), (1, 1));
}

/// A worker that lost its lease is still at it: the next waits for the result, and charges nobody.
#[test]
fn a_second_worker_waits_for_the_first() {
    let (time, gate, runs) = (VirtualClock::new(), Arc::new(Barrier::default()), Count::default());
    let pool = {
        let (gate, runs) = (Arc::clone(&gate), runs.clone());
        builder().clock(time.clock()).lease(Lease::of(DAY)).start(move |job: &u32, cx: &Context| {
            let charged = cx.once(job.to_le_bytes(), job, || {
                runs.up();
                gate.pass();
                Ok::<_, io::Error>(cx.deliveries())
            });
            assert_eq!(charged.unwrap(), 1);
        })
    };
    let pool = pool.unwrap();
    pool.submit(1).unwrap();
    gate.wait_for(1);
    time.advance(DAY);
    until("another has it", || pool.stats().leases_lost == 1 && pool.stats().in_flight == 1);
    gate.open();
    let stats = quiet(&pool);
    assert!(pool.shutdown(LONG).is_drained());
    assert_eq!((stats.done, pool.stats().late, runs.get()), (1, 1, 1));
}

/// In simulation: whatever goes wrong, each effect happens once.
#[test]
fn once_under_every_fault() {
    for seed in 0..100 {
        let charges = std::cell::Cell::new(0);
        let time = VirtualClock::new();
        let store = MemoryStore::new(100, 365 * DAY).clock(time.clock());
        let mut sim = Pool::builder()
            .clock(time.clock())
            .once(Once::with_store(store))
            .retry(RetryPolicy::fixed(Duration::from_secs(1)).max_attempts(50))
            .lease(Lease::of(Duration::from_secs(30)).max_deliveries(100))
            .simulate(seed, |job: &u32, cx: &Context| {
                let charged = cx.once(job.to_le_bytes(), job, || {
                    charges.set(charges.get() + 1);
                    Ok::<_, io::Error>(())
                });
                charged.map_or_else(Outcome::retry, |()| Outcome::Done)
            })
            .unwrap()
            .faults(
                Faults::none()
                    .chance(Fault::FailAfter, 0.3)
                    .chance(Fault::LoseLease, 0.2)
                    .chance(Fault::Hang, 0.1),
            );
        (0..10).for_each(|job| assert!(sim.submit(job).is_ok()));
        assert!(sim.run_until_done(), "seed {seed}");
        assert_eq!((sim.stats().done, charges.get()), (10, 10), "seed {seed}");
        sim.check().unwrap();
    }
}
