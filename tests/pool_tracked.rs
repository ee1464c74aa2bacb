//! Jobs that are waited for: every end resolves the handle, results and progress arrive, cancelling works wherever the job is.

#![expect(clippy::unwrap_used, reason = "a test ends where its premises do not hold")]

mod pool_common;

use futures::FutureExt;
use millpond::{
    Context, DeadReason, Delivery, JobEnd, JobHandle, Lease, Outcome, Pool, Queue, RetryPolicy, SubmitError,
    Unique, VirtualClock,
};
use pool_common::{Barrier, LONG, books, quiet, until};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[track_caller]
fn ended<T>(handle: &JobHandle<T>) -> JobEnd {
    handle.wait_timeout(LONG).expect("the job does not end")
}

fn queue(time: &VirtualClock) -> Queue<u32> {
    Queue::builder()
        .clock(time.clock())
        .retry(RetryPolicy::fixed(SECOND).max_attempts(3))
        .drop_deadline(Duration::ZERO)
        .open()
        .unwrap()
}

/// Submits a tracked job and takes it.
fn begun(queue: &Queue<u32>, job: u32) -> (JobHandle<u32>, Delivery<u32>) {
    let handle = queue.job(job).tracked().submit().unwrap();
    let delivery = queue.recv().unwrap();
    assert_eq!(delivery.id(), handle.id());
    (handle, delivery)
}

#[test]
fn every_end_resolves_the_handle() {
    let time = VirtualClock::new();
    let queue = queue(&time);
    let (handle, delivery) = begun(&queue, 1);
    assert_eq!((handle.end(), handle.wait_timeout(Duration::from_millis(1))), (None, None));
    delivery.ack().unwrap();
    assert_eq!((ended(&handle), handle.wait(), handle.is_finished()), (JobEnd::Done, JobEnd::Done, true));

    let (handle, delivery) = begun(&queue, 2);
    delivery.nack(Outcome::dead("no")).unwrap();
    assert_eq!(ended(&handle), JobEnd::Dead(DeadReason::Rejected));
    assert_eq!(queue.dead().take(handle.id()).unwrap().job, 2, "the letter is there when the end is told");

    let (handle, delivery) = begun(&queue, 3);
    delivery.nack(Outcome::Drop).unwrap();
    assert_eq!(ended(&handle), JobEnd::Dropped);

    let handle = queue.job(4).ttl(Duration::ZERO).tracked().submit().unwrap();
    assert!(queue.try_recv().is_err());
    assert_eq!(ended(&handle), JobEnd::Dead(DeadReason::Expired));

    // Snoozes and releases are no ends.
    let (handle, delivery) = begun(&queue, 5);
    delivery.nack(Outcome::snooze(SECOND)).unwrap();
    time.advance(SECOND);
    queue.recv().unwrap().nack(Outcome::Release).unwrap();
    assert!(!handle.is_finished());
    queue.recv().unwrap().ack().unwrap();
    assert_eq!(ended(&handle), JobEnd::Done);
    let stats = books(&queue);
    assert_eq!((stats.done, stats.discarded, stats.taken, stats.dead), (2, 1, 1, 1));
}

#[test]
fn a_shutdown_resolves_what_it_hands_back_and_what_it_cuts_off() {
    let time = VirtualClock::new();
    let queue = queue(&time);
    let (running, delivery) = begun(&queue, 1);
    let ready = queue.job(2).tracked().submit().unwrap();
    let scheduled = queue.job(3).after(SECOND).tracked().submit().unwrap();
    let report = queue.shutdown(Duration::ZERO);
    assert_eq!((report.released.len(), report.cut_off.len()), (2, 1));
    assert_eq!(ended(&running), JobEnd::CutOff);
    assert_eq!(ended(&ready), JobEnd::Released);
    assert_eq!(ended(&scheduled), JobEnd::Released);
    assert_eq!(delivery.set_result(1), Err(1), "nobody wants it any more");
    assert!(delivery.ack().is_err());
    assert_eq!(ended(&running), JobEnd::CutOff);
    let refused = queue.job(4).tracked().submit();
    assert!(matches!(refused, Err(SubmitError::Closed(4))));
    books(&queue);
}

#[test]
fn dropping_the_pool_resolves_the_handles_and_they_keep_nothing_alive() {
    let time = VirtualClock::new();
    let job = Arc::new(());
    let pool = Pool::builder()
        .clock(time.clock())
        .start(|_: &Arc<()>, cx: &Context| cx.set_result(7_u8).unwrap())
        .unwrap();
    let done = pool.job(Arc::clone(&job)).tracked().submit().unwrap();
    let waits = pool.job(Arc::clone(&job)).after(SECOND).tracked().submit().unwrap();
    ended(&done);
    drop(pool);
    assert_eq!(ended(&waits), JobEnd::Released);
    assert!(!waits.cancel(), "it is over");
    assert_eq!(Arc::strong_count(&job), 1);
    assert_eq!(done.take_result::<u8>(), Some(7), "the handle has the result still");
}

#[test]
fn the_result_of_the_last_attempt_counts() {
    let time = VirtualClock::new();
    let queue = queue(&time);
    let (handle, delivery) = begun(&queue, 1);
    delivery.set_result("first".to_owned()).unwrap();
    delivery.set_progress(1, 4);
    assert!((handle.progress().unwrap().fraction() - 0.25).abs() < 1e-9);
    assert_eq!(handle.take_result::<String>(), None, "it is not over");
    delivery.nack(Outcome::retry("again")).unwrap();
    time.advance(SECOND);
    let delivery = queue.recv().unwrap();
    assert_eq!(handle.progress(), None, "each attempt starts without");
    delivery.set_result(1_u8).unwrap();
    delivery.set_result(2_u32).unwrap();
    delivery.set_progress(4, 4);
    delivery.ack().unwrap();
    assert_eq!(ended(&handle), JobEnd::Done);
    assert_eq!(handle.progress().unwrap().done, 4);
    assert_eq!(handle.take_result::<u8>(), None, "another type stays");
    assert_eq!((handle.take_result::<u32>(), handle.take_result::<u32>()), (Some(2), None));

    // An attempt that sets none leaves none.
    let (handle, delivery) = begun(&queue, 2);
    delivery.set_result(1_u8).unwrap();
    delivery.nack(Outcome::Release).unwrap();
    queue.recv().unwrap().nack(Outcome::dead("no")).unwrap();
    assert_eq!((ended(&handle), handle.take_result::<u8>()), (JobEnd::Dead(DeadReason::Rejected), None));

    // A job that nobody tracks has no use for one.
    queue.submit(3).unwrap();
    let delivery = queue.recv().unwrap();
    assert_eq!(delivery.set_result(9_u8), Err(9));
    delivery.set_progress(1, 1);
    assert!(!delivery.is_cancelled());
    delivery.ack().unwrap();
    books(&queue);
}

#[test]
fn a_worker_that_lost_its_lease_has_no_say_any_more() {
    let time = VirtualClock::new();
    let queue = Queue::builder().clock(time.clock()).lease(Lease::of(SECOND)).open::<u32>().unwrap();
    let (handle, lost) = begun(&queue, 1);
    lost.set_result(1_u8).unwrap();
    time.advance(SECOND);
    let again = queue.recv().unwrap();
    assert_eq!(lost.set_result(2_u8), Err(2));
    lost.set_progress(9, 9);
    again.set_result(3_u8).unwrap();
    assert_eq!(handle.progress(), None);
    assert!(lost.ack().is_err());
    assert!(!handle.is_finished());
    again.ack().unwrap();
    assert_eq!((ended(&handle), handle.take_result::<u8>()), (JobEnd::Done, Some(3)));
    books(&queue);
}

#[test]
fn a_job_is_cancelled_wherever_it_is() {
    let time = VirtualClock::new();
    let queue = queue(&time);
    // Scheduled by a request: dropped at once.
    let handle = queue.job(1).after(SECOND).unique("k", Unique::UntilDone).tracked().submit().unwrap();
    assert!(handle.cancel());
    assert_eq!((ended(&handle), handle.cancel()), (JobEnd::Cancelled, false));
    assert_eq!(books(&queue).held, 0);
    // Ready: when its turn comes.
    let handle = queue.job(2).unique("k", Unique::UntilDone).tracked().submit().unwrap();
    assert!(handle.cancel() && handle.cancel());
    assert_eq!((handle.end(), queue.stats().ready), (None, 1));
    assert!(queue.try_recv().is_err());
    assert_eq!(ended(&handle), JobEnd::Cancelled);
    // Running: nothing but `Done` brings it through.
    let outcomes = [
        (Outcome::Done, JobEnd::Done),
        (Outcome::retry("e"), JobEnd::Cancelled),
        (Outcome::dead("e"), JobEnd::Cancelled),
        (Outcome::snooze(SECOND), JobEnd::Cancelled),
        (Outcome::Release, JobEnd::Cancelled),
        (Outcome::Drop, JobEnd::Cancelled),
    ];
    for (outcome, end) in outcomes {
        let (handle, delivery) = begun(&queue, 3);
        assert!(!delivery.is_cancelled());
        assert!(handle.cancel() && delivery.is_cancelled() && !delivery.is_lost());
        delivery.nack(outcome).unwrap();
        assert_eq!(ended(&handle), end);
    }
    // Between two attempts: at once.
    let (handle, delivery) = begun(&queue, 4);
    delivery.nack(Outcome::retry("e")).unwrap();
    assert_eq!(queue.stats().scheduled, 1);
    assert!(handle.cancel());
    assert_eq!(ended(&handle), JobEnd::Cancelled);
    // Ready when a shutdown comes: not handed back.
    let handle = queue.job(5).tracked().submit().unwrap();
    handle.cancel();
    let report = queue.shutdown(Duration::ZERO);
    assert_eq!((report.released.len(), ended(&handle)), (0, JobEnd::Cancelled));
    let stats = books(&queue);
    assert_eq!((stats.cancelled, stats.done, stats.dead, stats.held), (9, 1, 0, 0));
    assert_eq!((report.done, report.dropped), (1, 9), "the report shows it too");
}

#[test]
fn handlers_see_that_they_are_cancelled_and_async_ones_are_dropped() {
    let barrier = Arc::new(Barrier::default());
    let arrived = Arc::clone(&barrier);
    let pool = Pool::builder()
        .workers(1)
        .start(move |_: &u32, cx: &Context| {
            arrived.pass();
            until("cancelled", || cx.cancelled());
            Outcome::retry("stopped")
        })
        .unwrap();
    let handle = pool.job(1).tracked().submit().unwrap();
    barrier.wait_for(1);
    handle.cancel();
    barrier.open();
    assert_eq!(ended(&handle), JobEnd::Cancelled);
    quiet(&pool);

    struct Left(Arc<AtomicUsize>);
    impl Drop for Left {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let (begun, left) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (begins, leaves) = (Arc::clone(&begun), Arc::clone(&left));
    let pool = Pool::builder()
        .workers(1)
        .start_async(async move |_: &u32, _: &Context| {
            let _left = Left(Arc::clone(&leaves));
            begins.fetch_add(1, Ordering::SeqCst);
            std::future::pending::<()>().await;
        })
        .unwrap();
    let handles: Vec<_> = (0..20).map(|job| pool.job(job).tracked().submit().unwrap()).collect();
    until("all wait", || begun.load(Ordering::SeqCst) == 20);
    handles.iter().for_each(|handle| assert!(handle.cancel()));
    handles.iter().for_each(|handle| assert_eq!(ended(handle), JobEnd::Cancelled));
    assert_eq!(left.load(Ordering::SeqCst), 20);
    assert_eq!(quiet(&pool).cancelled, 20);
}

#[test]
fn handles_are_futures_and_their_polling_can_be_given_up() {
    let time = VirtualClock::new();
    let queue = queue(&time);
    let (mut handle, delivery) = begun(&queue, 1);
    assert_eq!((&mut handle).now_or_never(), None);
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| futures::executor::block_on(&mut handle));
        delivery.ack().unwrap();
        assert_eq!(waits.join().unwrap(), JobEnd::Done);
    });
    assert_eq!(futures::executor::block_on(handle), JobEnd::Done);
    // A handle that is dropped changes nothing for the job.
    drop(queue.job(2).tracked().try_submit().unwrap());
    drop(queue.job(3).tracked().submit_timeout(LONG).unwrap());
    let third = futures::executor::block_on(queue.job(4).tracked().submit_async()).unwrap();
    for _ in 0..3 {
        queue.recv().unwrap().ack().unwrap();
    }
    assert_eq!((ended(&third), books(&queue).done), (JobEnd::Done, 4));
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        std::panic::panic_any("on purpose")
    }
}

#[test]
fn results_jobs_and_wakers_that_panic_leave_everything_usable() {
    struct Wakes;
    impl std::task::Wake for Wakes {
        fn wake(self: Arc<Self>) {
            std::panic::panic_any("on purpose")
        }
    }
    pool_common::hush("results");
    let time = VirtualClock::new();
    let queue = Queue::builder().clock(time.clock()).open::<Option<Bomb>>().unwrap();
    let mut handle = queue.job(None).tracked().submit().unwrap();
    let waker = std::task::Waker::from(Arc::new(Wakes));
    assert!(handle.poll_unpin(&mut std::task::Context::from_waker(&waker)).is_pending());
    let delivery = queue.recv().unwrap();
    delivery.set_result(Bomb).ok().unwrap();
    delivery.set_result(Bomb).ok().unwrap();
    delivery.nack(Outcome::Release).unwrap();
    let delivery = queue.recv().unwrap();
    delivery.set_result(Bomb).ok().unwrap();
    delivery.ack().unwrap();
    assert_eq!(ended(&handle), JobEnd::Done);
    drop(handle);
    let handle = queue.job(Some(Bomb)).after(SECOND).tracked().submit().unwrap();
    assert!(handle.cancel());
    assert_eq!((ended(&handle), books(&queue).cancelled), (JobEnd::Cancelled, 1));
}

/// Whoever is first, each job has one end, and its handle hears of it.
#[test]
fn cancelling_against_working_retrying_and_shutting_down() {
    for round in 0..40 {
        let pool = Pool::builder()
            .workers(2)
            .capacity(64)
            .retry(RetryPolicy::fixed(Duration::from_micros(50)).max_attempts(4))
            .start(move |job: &u32, cx: &Context| {
                match pool_common::random(u64::from(*job), cx.attempt()) % 4 {
                    0 => Outcome::Done,
                    1 => Outcome::snooze(Duration::from_micros(20)),
                    2 if *job % 7 == 0 => Outcome::dead("no"),
                    _ => Outcome::retry("again"),
                }
            })
            .unwrap();
        let (mut handles, mut refused) = (Vec::new(), 0);
        std::thread::scope(|scope| {
            let shutdown = scope.spawn(|| {
                std::thread::sleep(Duration::from_micros(300 * round));
                pool.shutdown(if round % 2 == 0 { Duration::ZERO } else { Duration::from_millis(20) })
            });
            for job in 0..300 {
                let delay = Duration::from_micros(u64::from(job % 5) * 30);
                match pool.job(job).after(delay).tracked().submit() {
                    Ok(handle) => handles.push(handle),
                    Err(_) => refused += 1,
                }
                if job % 3 == 0 && handles.len() > 4 {
                    handles[handles.len() - 3].cancel();
                }
            }
            let _report = shutdown.join().unwrap();
        });
        let stats = books(&pool);
        let count =
            |which: fn(JobEnd) -> bool| handles.iter().filter(|handle| which(ended(handle))).count() as u64;
        assert_eq!(stats.submitted + refused, 300);
        assert_eq!(count(|end| end == JobEnd::Done), stats.done);
        assert_eq!(count(|end| end == JobEnd::Cancelled), stats.cancelled);
        assert_eq!(count(|end| end == JobEnd::Released), stats.released);
        assert_eq!(count(|end| end == JobEnd::CutOff), stats.cut_off);
        assert_eq!(count(|end| matches!(end, JobEnd::Dead(_))), stats.died);
    }
}

/// While there is no room the job can be taken back, once; and nobody holds a place or a handle for it.
#[test]
fn a_tracked_job_that_waits_for_room_is_taken_back() {
    let queue = Queue::builder().capacity(1).open::<u32>().unwrap();
    let first = queue.job(1).tracked().submit().unwrap();
    let mut context = std::task::Context::from_waker(Waker::noop());
    let mut waits = pin!(queue.job(2).tracked().submit_async());
    assert!(waits.as_mut().poll(&mut context).is_pending());
    assert_eq!(waits.as_mut().into_inner(), Some(2));
    assert_eq!(waits.as_mut().into_inner(), None);
    queue.recv().unwrap().ack().unwrap();
    assert_eq!(ended(&first), JobEnd::Done);
    assert_eq!((books(&queue).submitted, queue.stats().held), (1, 0));
}

/// A pool, and a handle of it, under one name and with the same dead letters.
#[test]
fn a_handle_is_of_its_pool() {
    let pool =
        Pool::builder().name("mills").workers(1).start(|_: &u32, _: &Context| Outcome::dead("no")).unwrap();
    let handle = pool.handle();
    assert_eq!((pool.name(), handle.name()), ("mills", "mills"));
    let id = handle.submit(7).unwrap();
    quiet(&pool);
    assert_eq!(handle.dead().list()[0].id, id);
    assert_eq!(handle.dead().take(id).unwrap().job, 7);
    assert!(pool.dead().is_empty());
}
