//! Async handlers: many waiting jobs on few workers, stopped where they wait, settled by the same rules.

mod pool_common;

use millpond::{BuildError, Context, FailureKind, Lease, Outcome, Pool, RetryPolicy, VirtualClock};
use pool_common::{LONG, books, hush, quiet, until};
use std::cell::Cell;
use std::future::{Future, pending, poll_fn};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

async fn yield_once() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[test]
fn every_outcome_is_settled_as_ever() {
    let pool = Pool::builder()
        .workers(2)
        .retry(RetryPolicy::fixed(Duration::ZERO).max_attempts(3))
        .start_async(async |job: &u32, cx: &Context| {
            yield_once().await;
            match job % 4 {
                0 => Outcome::Done,
                1 if cx.attempt() < 3 => Outcome::retry("again"),
                2 => Outcome::dead("no"),
                3 if cx.deliveries() == 1 => Outcome::snooze(Duration::ZERO),
                _ => Outcome::Done,
            }
        })
        .unwrap();
    pool.submit_many((0..400).collect::<Vec<_>>()).unwrap();
    let stats = quiet(&pool);
    assert_eq!((stats.done, stats.dead, stats.retried, stats.snoozed), (300, 100, 200, 100));
    assert!(pool.shutdown(LONG).is_drained());
}

#[test]
fn handlers_need_not_be_send_and_borrow_the_job() {
    #[expect(clippy::ptr_arg, reason = "a handler is given the job as it is")]
    async fn handler(job: &String, cx: &Context) -> Result<(), String> {
        let local = Rc::new(Cell::new(0));
        for _ in 0..job.len() {
            yield_once().await;
            local.set(local.get() + 1);
        }
        assert_eq!((local.get(), cx.attempt()), (job.len(), 1));
        Ok(())
    }
    let pool = Pool::builder().workers(1).start_async(handler).unwrap();
    for length in 0..50 {
        pool.submit("x".repeat(length)).unwrap();
    }
    assert_eq!(quiet(&pool).done, 50);
}

#[test]
fn a_hundred_thousand_jobs_sleep_on_two_workers() {
    const JOBS: usize = 100_000;
    let time = VirtualClock::new();
    let (begun, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let pool = Pool::builder()
        .workers(2)
        .capacity(JOBS)
        .concurrency(JOBS)
        .clock(time.clock())
        .start_async({
            let (begun, ended) = (Arc::clone(&begun), Arc::clone(&ended));
            async move |_: &usize, cx: &Context| {
                begun.fetch_add(1, Ordering::Relaxed);
                cx.sleep(SECOND * 60).await;
                ended.fetch_add(1, Ordering::Relaxed);
            }
        })
        .unwrap();
    pool.submit_many((0..JOBS).collect::<Vec<_>>()).unwrap();
    until("all are under way", || begun.load(Ordering::Relaxed) == JOBS);
    assert_eq!(ended.load(Ordering::Relaxed), 0);
    // The last may have begun and not be asleep yet: the clock moves on until nobody is left.
    until("all have slept", || {
        time.advance(SECOND * 60);
        ended.load(Ordering::Relaxed) == JOBS
    });
    assert_eq!(quiet(&pool).done, JOBS as u64);
}

#[test]
fn a_handler_is_woken_in_its_time_and_not_before() {
    let time = VirtualClock::new();
    let order = Arc::new(Mutex::new(Vec::new()));
    let pool = Pool::builder()
        .workers(1)
        .clock(time.clock())
        .start_async({
            let order = Arc::clone(&order);
            async move |seconds: &u32, cx: &Context| {
                cx.sleep(SECOND * *seconds).await;
                order.lock().unwrap().push(*seconds);
            }
        })
        .unwrap();
    pool.submit_many(vec![3, 1, 2]).unwrap();
    until("all are under way", || pool.stats().in_flight == 3);
    std::thread::sleep(Duration::from_millis(20));
    assert!(order.lock().unwrap().is_empty());
    for now in 1..=3 {
        time.advance(SECOND);
        until("its time has come", || order.lock().unwrap().len() == now);
    }
    assert_eq!(*order.lock().unwrap(), [1, 2, 3]);
}

#[test]
fn no_more_handlers_run_than_allowed() {
    assert!(matches!(
        Pool::builder().concurrency(0).start_async(async |_: &u8, _: &Context| ()),
        Err(BuildError::NoConcurrency)
    ));
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let pool = Pool::builder()
        .workers(2)
        .concurrency(3)
        .start_async({
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            async move |_: &u32, _: &Context| {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                for _ in 0..5 {
                    yield_once().await;
                }
                now.fetch_sub(1, Ordering::SeqCst);
            }
        })
        .unwrap();
    pool.submit_many((0..1_000).collect::<Vec<_>>()).unwrap();
    assert_eq!(quiet(&pool).done, 1_000);
    let most = most.load(Ordering::SeqCst);
    assert!((3..=6).contains(&most), "{most} at once");
}

#[test]
fn a_panic_is_a_failed_attempt_and_the_others_go_on() {
    hush("panics");
    /// Panics when it is dropped.
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in a drop");
        }
    }
    let pool = Pool::builder()
        .name("panics")
        .workers(1)
        .retry(RetryPolicy::none())
        .timeout(SECOND * 3600)
        .start_async(async |job: &u32, _: &Context| match job {
            0 => panic!("at once"),
            1 => {
                yield_once().await;
                panic!("later");
            }
            2 => {
                let _bomb = Bomb;
                yield_once().await;
            }
            _ => yield_once().await,
        })
        .unwrap();
    pool.submit_many((0..10).collect::<Vec<_>>()).unwrap();
    let stats = quiet(&pool);
    assert_eq!((stats.done, stats.dead, stats.panicked), (7, 3, 3));
}

#[test]
fn a_handler_whose_time_is_up_is_dropped_where_it_waits() {
    let time = VirtualClock::new();
    let (begun, dropped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let pool = Pool::builder()
        .workers(1)
        .clock(time.clock())
        .timeout(SECOND)
        .retry(RetryPolicy::fixed(Duration::ZERO).max_attempts(2))
        .start_async({
            let (begun, dropped) = (Arc::clone(&begun), Arc::clone(&dropped));
            async move |_: &u32, _: &Context| {
                let _counted = Counted(Arc::clone(&dropped));
                begun.fetch_add(1, Ordering::SeqCst);
                pending::<()>().await;
            }
        })
        .unwrap();
    pool.submit(1).unwrap();
    for attempt in 1..=2 {
        until("it has begun, and its time is running", || begun.load(Ordering::SeqCst) == attempt);
        time.advance(SECOND);
        until("it is stopped", || dropped.load(Ordering::SeqCst) == attempt);
    }
    quiet(&pool);
    let letter = pool.dead().take_all().pop().unwrap();
    assert!(letter.attempts.iter().all(|record| record.failure.kind() == FailureKind::Timeout));
    assert_eq!(letter.attempts.len(), 2);
}

#[test]
fn a_shutdown_stops_handlers_that_wait_and_hands_their_jobs_back() {
    let pool = Pool::builder()
        .workers(2)
        .concurrency(10)
        .start_async(async |_: &String, _: &Context| pending::<()>().await)
        .unwrap();
    for job in 0..25 {
        pool.submit(job.to_string()).unwrap();
    }
    until("both are full", || pool.stats().in_flight == 20);
    let report = pool.shutdown(Duration::from_millis(10));
    assert_eq!((report.cut_off.len(), report.released.len()), (20, 5));
    let mut back: Vec<u32> = report
        .cut_off
        .iter()
        .map(|cut| {
            let job = cut.job.as_ref().expect("it was dropped where it waited");
            assert!(job.attempts.is_empty(), "that was not an attempt");
            job.job.parse().unwrap()
        })
        .chain(report.released.iter().map(|released| released.job.parse().unwrap()))
        .collect();
    back.sort_unstable();
    assert!(back.into_iter().eq(0..25), "every job is in the report");
    books(&pool);
}

#[test]
fn a_lease_that_is_not_extended_is_lost_by_a_handler_that_waits() {
    let time = VirtualClock::new();
    let begun = Arc::new(AtomicUsize::new(0));
    let pool = Pool::builder()
        .workers(1)
        .clock(time.clock())
        .lease(Lease::of(SECOND * 30))
        .start_async({
            let begun = Arc::clone(&begun);
            async move |_: &u32, cx: &Context| {
                if cx.deliveries() == 1 {
                    cx.extend(SECOND * 40).unwrap();
                    begun.fetch_add(1, Ordering::SeqCst);
                    cx.sleep(SECOND * 60).await;
                    unreachable!("it is stopped when it is polled again");
                }
            }
        })
        .unwrap();
    pool.submit(1).unwrap();
    until("it has begun", || begun.load(Ordering::SeqCst) == 1);
    time.advance(SECOND * 39);
    std::thread::sleep(Duration::from_millis(5));
    assert_eq!(pool.stats().leases_lost, 0, "it was extended");
    time.advance(SECOND);
    until("another delivery does it", || pool.stats().done == 1);
    // Its sleep may have begun after the clock was moved first.
    until("the first one is stopped", || {
        time.advance(SECOND * 60);
        pool.stats().late == 1
    });
    assert_eq!(quiet(&pool).leases_lost, 1);
}

#[test]
fn handlers_are_woken_by_other_threads_and_wait_on_channels() {
    let (tx, rx) = millpond::bounded::<u32>(4);
    let sum = Arc::new(AtomicUsize::new(0));
    let pool = Pool::builder()
        .workers(2)
        .concurrency(100)
        .start_async({
            let sum = Arc::clone(&sum);
            async move |_: &u32, _: &Context| {
                let got = rx.recv_async().await.unwrap();
                sum.fetch_add(got as usize, Ordering::Relaxed);
            }
        })
        .unwrap();
    pool.submit_many((0..1_000).collect::<Vec<_>>()).unwrap();
    for n in 0..1_000 {
        tx.send(n).unwrap();
    }
    assert_eq!(quiet(&pool).done, 1_000);
    assert_eq!(sum.load(Ordering::Relaxed), 499_500);
}

#[test]
fn a_waker_that_outlives_its_handler_wakes_nobody_else_for_good() {
    let wakers: Arc<Mutex<Vec<Waker>>> = Arc::default();
    let pool = Pool::builder()
        .workers(1)
        .concurrency(2)
        .start_async({
            let wakers = Arc::clone(&wakers);
            async move |_: &u32, _: &Context| {
                let kept = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
                wakers.lock().unwrap().push(kept);
                yield_once().await;
            }
        })
        .unwrap();
    for job in 0..200 {
        pool.submit(job).unwrap();
        wakers.lock().unwrap().iter().for_each(Waker::wake_by_ref);
    }
    assert_eq!(quiet(&pool).done, 200);
    drop(pool);
    wakers.lock().unwrap().drain(..).for_each(Waker::wake);
}

/// Counted messages through handlers that wait at random: each job done once, none forgotten.
#[test]
fn stress() {
    const JOBS: usize = 50_000;
    let runs: Arc<Vec<AtomicUsize>> = Arc::new((0..JOBS).map(|_| AtomicUsize::new(0)).collect());
    let pool = Pool::builder()
        .workers(3)
        .capacity(512)
        .concurrency(64)
        .start_async({
            let runs = Arc::clone(&runs);
            async move |job: &usize, cx: &Context| {
                for _ in 0..job % 4 {
                    yield_once().await;
                }
                if job % 997 == 0 {
                    cx.sleep(Duration::from_micros(200)).await;
                }
                runs[*job].fetch_add(1, Ordering::Relaxed);
            }
        })
        .unwrap();
    std::thread::scope(|scope| {
        for producer in 0..4 {
            let pool = &pool;
            scope.spawn(move || {
                for job in (producer..JOBS).step_by(4) {
                    pool.submit(job).unwrap();
                }
            });
        }
    });
    assert_eq!(quiet(&pool).done, JOBS as u64);
    assert!(runs.iter().all(|runs| runs.load(Ordering::Relaxed) == 1));
    let report = pool.shutdown(LONG);
    assert!(report.is_drained() && report.done == JOBS as u64);
}

/// The handler's own type is enough: nothing is boxed by the caller.
#[test]
fn closures_that_return_futures_are_handlers_too() {
    fn handler(job: &u32, _: &Context) -> impl Future<Output = ()> + use<> {
        let job = *job;
        async move { assert!(job < 10) }
    }
    let pool = Pool::builder().start_async(handler).unwrap();
    pool.submit_many((0..10).collect::<Vec<_>>()).unwrap();
    assert_eq!(quiet(&pool).done, 10);
}

#[cfg(feature = "tokio")]
#[test]
fn handlers_run_inside_a_runtime_of_the_users() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    let pool = Pool::builder()
        .workers(2)
        .runtime(runtime.handle())
        .start_async(async |job: &u64, _: &Context| {
            tokio::time::sleep(Duration::from_micros(job % 7 * 100)).await;
            let job = *job;
            assert_eq!(tokio::spawn(async move { job + 1 }).await.unwrap(), job + 1);
        })
        .unwrap();
    pool.submit_many((0..500).collect::<Vec<_>>()).unwrap();
    assert_eq!(quiet(&pool).done, 500);
    let blocking = Pool::builder()
        .runtime(runtime.handle())
        .start(|job: &u64, _: &Context| {
            tokio::runtime::Handle::current().block_on(async { assert!(*job < 9) })
        })
        .unwrap();
    blocking.submit(3).unwrap();
    assert_eq!(quiet(&blocking).done, 1);
}
