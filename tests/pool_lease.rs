//! Leases: who has a job, for how long, and what a late settle may change.

#![expect(clippy::unwrap_used, reason = "a test ends where its premises do not hold")]

mod pool_common;

use millpond::{
    Context, DeadFull, DeadReason, Failure, FailureKind, Lease, LeaseLost, Outcome, Pool, Queue, RetryPolicy,
    VirtualClock,
};
use pool_common::{Barrier, LONG, books, quiet, until};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(30);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn queue(time: &VirtualClock, lease: Lease) -> Queue<String> {
    Queue::builder()
        .clock(time.clock())
        .lease(lease)
        .retry(RetryPolicy::fixed(Duration::ZERO))
        .open()
        .unwrap()
}

#[test]
fn a_delivery_that_is_held_too_long_goes_to_another_and_its_settle_is_refused() {
    let time = VirtualClock::new();
    let queue = queue(&time, Lease::of(LEASE));
    let id = queue.submit("a".to_owned()).unwrap();

    let first = queue.recv().unwrap();
    assert_eq!((first.id(), first.attempt(), first.deliveries()), (id, 1, 1));
    time.advance(seconds(29));
    assert!(queue.try_recv().is_err());
    time.advance(seconds(1));

    let second = queue.recv().unwrap();
    assert_eq!(
        (second.id(), second.attempt(), second.deliveries()),
        (id, 1, 2),
        "not an attempt, but a delivery"
    );
    assert!(first.is_lost() && !second.is_lost());
    assert_eq!(first.extend(LEASE), Err(LeaseLost::new()));
    assert_eq!(*first, "a", "the job can still be looked at");
    assert_eq!(first.ack(), Err(LeaseLost::new()));
    assert_eq!(books(&queue).done, 0, "a late settle changes nothing");
    assert_eq!(second.ack(), Ok(()));

    let stats = quiet(&queue);
    assert_eq!((stats.done, stats.leases_lost, stats.late, stats.held), (1, 1, 1, 0));
}

#[test]
fn an_extended_lease_lasts_longer() {
    let time = VirtualClock::new();
    let queue = queue(&time, Lease::of(LEASE));
    queue.submit("a".to_owned()).unwrap();
    let delivery = queue.recv().unwrap();
    for _ in 0..10 {
        time.advance(seconds(20));
        assert_eq!(delivery.extend(LEASE), Ok(()));
    }
    assert_eq!(delivery.ack(), Ok(()));
    let stats = quiet(&queue);
    assert_eq!((stats.done, stats.leases_lost), (1, 0));
}

#[test]
fn a_delivery_dropped_unsettled_is_a_failed_attempt() {
    let time = VirtualClock::new();
    let queue = queue(&time, Lease::of(LEASE));
    queue.submit("a".to_owned()).unwrap();
    drop(queue.recv().unwrap());
    let second = queue.recv().unwrap();
    assert_eq!((second.attempt(), second.deliveries()), (2, 2));
    second.nack(Outcome::dead("enough")).unwrap();
    let letter = queue.dead().take_all().pop().unwrap();
    let kinds: Vec<_> = letter.attempts.iter().map(|record| record.failure.kind()).collect();
    assert_eq!(kinds, [FailureKind::Abandoned, FailureKind::Error]);
    assert!(letter.attempts.iter().all(|record| record.worker.is_none()));
    books(&queue);
}

#[test]
fn a_job_whose_workers_are_lost_again_and_again_dies_of_it() {
    let time = VirtualClock::new();
    let queue = queue(&time, Lease::of(LEASE).max_deliveries(3));
    queue.submit("poison".to_owned()).unwrap();
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(queue.recv().unwrap());
        time.advance(LEASE);
        until("the job is ready again", || queue.stats().ready == 1);
        assert_eq!(queue.stats().leases_lost as usize, held.len());
    }
    // Whoever looks for work next finds it dead.
    assert!(queue.try_recv().is_err());
    let letter = queue.dead().take_all().pop().unwrap();
    assert_eq!((letter.reason, letter.deliveries, letter.attempts_total), (DeadReason::Deliveries, 3, 0));
    assert!(letter.attempts.iter().all(|record| record.failure.kind() == FailureKind::LeaseLost));
    assert_eq!(letter.job, "poison");
    drop(held);
    let stats = quiet(&queue);
    assert_eq!((stats.late, stats.died, stats.taken), (3, 1, 1));
}

#[test]
fn failures_and_lost_leases_together_use_up_the_deliveries() {
    let time = VirtualClock::new();
    let queue = queue(&time, Lease::of(LEASE).max_deliveries(2));
    queue.submit("a".to_owned()).unwrap();
    let lost = queue.recv().unwrap();
    time.advance(LEASE);
    queue.recv().unwrap().nack(Outcome::retry("no")).unwrap();
    let letter = queue.dead().take_all().pop().unwrap();
    assert_eq!((letter.reason, letter.attempts.len(), letter.attempts_total), (DeadReason::Deliveries, 2, 1));
    drop(lost);
    books(&queue);
}

#[test]
fn snoozes_use_up_no_deliveries() {
    let time = VirtualClock::new();
    let queue = queue(&time, Lease::of(LEASE).max_deliveries(1));
    queue.submit("a".to_owned()).unwrap();
    for _ in 0..50 {
        queue.recv().unwrap().nack(Outcome::snooze(Duration::ZERO)).unwrap();
    }
    queue.recv().unwrap().ack().unwrap();
    assert_eq!(quiet(&queue).done, 1);
}

#[test]
fn a_renewed_lease_lets_a_handler_take_its_time() {
    let time = VirtualClock::new();
    let barrier = Arc::new(Barrier::default());
    let pool = Pool::builder()
        .workers(2)
        .clock(time.clock())
        .lease(Lease::renewed(LEASE))
        .start({
            let barrier = Arc::clone(&barrier);
            move |_: &u32, _: &Context| barrier.pass()
        })
        .unwrap();
    pool.submit(1).unwrap();
    barrier.wait_for(1);
    // Two hours in steps of 20 seconds: the timer sees each of them, as it is rung and then looks.
    for _ in 0..360 {
        time.advance(seconds(20));
        until("the timer or a worker", || pool.stats().leases_lost == 0 && pool.stats().in_flight == 1);
        std::thread::sleep(Duration::from_micros(300));
    }
    barrier.open();
    let stats = quiet(&pool);
    assert_eq!((stats.done, stats.late), (1, 0));
}

#[test]
fn a_stuck_worker_loses_the_job_a_lease_after_its_timeout_and_is_replaced() {
    let time = VirtualClock::new();
    let barrier = Arc::new(Barrier::default());
    let runs = Arc::new(AtomicUsize::new(0));
    let workers = Arc::new(Mutex::new(Vec::new()));
    let pool = Pool::builder()
        .workers(1)
        .clock(time.clock())
        .timeout(seconds(60))
        .replace_stuck(true)
        .lease(Lease::renewed(LEASE))
        .start({
            let (barrier, runs, workers) = (Arc::clone(&barrier), Arc::clone(&runs), Arc::clone(&workers));
            move |_: &u32, cx: &Context| {
                workers.lock().unwrap().push(std::thread::current().name().unwrap().to_owned());
                if runs.fetch_add(1, Ordering::SeqCst) == 0 {
                    barrier.pass();
                    assert!(cx.cancelled(), "it is told that the job is no longer its own");
                    assert_eq!(cx.extend(LEASE), Err(LeaseLost::new()));
                }
            }
        })
        .unwrap();
    pool.submit(1).unwrap();
    barrier.wait_for(1);
    time.advance(seconds(50));
    std::thread::sleep(Duration::from_millis(5));
    assert_eq!(pool.stats().leases_lost, 0, "within its time the lease is renewed");
    time.advance(seconds(10));
    std::thread::sleep(Duration::from_millis(5));
    time.advance(LEASE);
    until("the timer or a worker", || pool.stats().done == 1);
    pool.submit(2).unwrap();
    until("the timer or a worker", || pool.stats().done == 2);
    barrier.open();
    until("the timer or a worker", || pool.stats().late == 1);
    let stats = quiet(&pool);
    assert_eq!((stats.done, stats.leases_lost), (2, 1));
    assert_eq!(*workers.lock().unwrap(), ["pool-0", "pool-1", "pool-1"], "the stuck one has ended");
    assert!(pool.shutdown(LONG).is_drained());
}

#[test]
fn without_replacement_the_stuck_worker_goes_on_when_it_comes_back() {
    let time = VirtualClock::new();
    let barrier = Arc::new(Barrier::default());
    let runs = Arc::new(AtomicUsize::new(0));
    let pool = Pool::builder()
        .workers(1)
        .clock(time.clock())
        .lease(Lease::of(LEASE))
        .start({
            let (barrier, runs) = (Arc::clone(&barrier), Arc::clone(&runs));
            move |_: &u32, _: &Context| {
                if runs.fetch_add(1, Ordering::SeqCst) == 0 {
                    barrier.pass();
                }
            }
        })
        .unwrap();
    pool.submit(1).unwrap();
    barrier.wait_for(1);
    time.advance(LEASE);
    until("the job is ready again", || pool.stats().ready == 1);
    assert_eq!(pool.stats().leases_lost, 1);
    barrier.open();
    let stats = quiet(&pool);
    assert_eq!((stats.done, stats.late), (1, 1));
}

#[test]
fn a_job_that_is_cut_off_under_a_lease_is_handed_back() {
    let barrier = Arc::new(Barrier::default());
    let pool = Pool::builder()
        .workers(1)
        .lease(Lease::of(LEASE))
        .retry(RetryPolicy::fixed(Duration::ZERO))
        .start({
            let barrier = Arc::clone(&barrier);
            move |_: &String, cx: &Context| {
                if cx.attempt() == 1 {
                    return Outcome::retry("first");
                }
                barrier.pass();
                Outcome::Done
            }
        })
        .unwrap();
    let id = pool.submit("a".to_owned()).unwrap();
    barrier.wait_for(1);
    let report = pool.abort();
    assert_eq!(report.cut_off.len(), 1);
    let cut = &report.cut_off[0];
    let job = cut.job.as_ref().expect("a leased job is handed back");
    assert_eq!((cut.id, job.id, job.job.as_str(), job.attempts.len()), (id, id, "a", 1));
    barrier.open();
    until("the timer or a worker", || pool.stats().late == 1);
    books(&pool);
}

/// A job that counts its copies, and panics in the copy if told to.
struct Copied {
    copies: Arc<AtomicU32>,
    panics: bool,
}

impl Clone for Copied {
    fn clone(&self) -> Self {
        assert!(!self.panics, "a copy that panics");
        self.copies.fetch_add(1, Ordering::SeqCst);
        Self { copies: Arc::clone(&self.copies), panics: false }
    }
}

#[test]
fn a_job_is_copied_when_its_lease_is_lost_and_never_else() {
    let (time, copies) = (VirtualClock::new(), Arc::new(AtomicU32::new(0)));
    let queue = Queue::builder().clock(time.clock()).lease(Lease::of(LEASE)).open::<Copied>().unwrap();
    queue.submit(Copied { copies: Arc::clone(&copies), panics: false }).ok().unwrap();
    queue.recv().unwrap().nack(Outcome::snooze(Duration::ZERO)).unwrap();
    let held = queue.recv().unwrap();
    assert_eq!(copies.load(Ordering::SeqCst), 0);
    time.advance(LEASE);
    queue.recv().unwrap().ack().unwrap();
    assert_eq!(copies.load(Ordering::SeqCst), 1);
    drop(held);
    assert_eq!(Arc::strong_count(&copies), 1, "every copy is dropped once");
    books(&queue);
}

#[test]
fn a_copy_that_panics_loses_the_job_and_is_counted() {
    let (time, copies) = (VirtualClock::new(), Arc::new(AtomicU32::new(0)));
    let queue = Queue::builder().clock(time.clock()).lease(Lease::of(LEASE)).open::<Copied>().unwrap();
    queue.submit(Copied { copies: Arc::clone(&copies), panics: true }).ok().unwrap();
    let held = queue.recv().unwrap();
    time.advance(LEASE);
    until("the timer or a worker", || queue.stats().uncopied == 1);
    assert_eq!(held.ack(), Err(LeaseLost::new()));
    let stats = quiet(&queue);
    assert_eq!((stats.held, stats.dropped), (0, 1));
    assert_eq!(Arc::strong_count(&copies), 1);
}

#[test]
fn the_lease_of_a_full_store_of_dead_letters_does_not_stop_the_timer() {
    let time = VirtualClock::new();
    let queue = Queue::builder()
        .clock(time.clock())
        .dead_letters(1, DeadFull::Block)
        .lease(Lease::of(LEASE).max_deliveries(1))
        .open::<u32>()
        .unwrap();
    queue.submit(1).unwrap();
    queue.recv().unwrap().nack(Outcome::Dead(Failure::new("full"))).unwrap();
    queue.submit(2).unwrap();
    let lost = queue.recv().unwrap();
    time.advance(LEASE);
    until("the lost job is ready again", || queue.stats().ready == 1);
    queue.submit(3).unwrap();
    // Whoever takes the lost one up puts it aside, and is delivered the other one; the timer goes on.
    queue.recv().unwrap().nack(Outcome::snooze(seconds(1))).unwrap();
    assert_eq!((queue.stats().aside, queue.stats().scheduled), (1, 1));
    time.advance(seconds(1));
    until("the timer or a worker", || queue.stats().ready == 1);
    assert!(queue.dead().take(queue.dead().list()[0].id).is_some());
    assert_eq!((queue.stats().aside, queue.stats().dead), (0, 1));
    drop(lost);
    queue.recv().unwrap().ack().unwrap();
    books(&queue);
}

/// Many workers, short leases in real time, handlers that outstay them at random: every job is done once, late settles
/// change nothing, and the books balance.
#[test]
fn leases_lost_in_real_time_leave_the_books_exact() {
    let done = Arc::new((0..2_000).map(|_| AtomicU32::new(0)).collect::<Vec<_>>());
    let pool = Pool::builder()
        .workers(4)
        .capacity(64)
        .lease(Lease::of(Duration::from_millis(2)).max_deliveries(u32::MAX))
        .start({
            let done = Arc::clone(&done);
            move |job: &usize, cx: &Context| {
                if (*job + cx.deliveries() as usize) % 16 == 0 {
                    std::thread::sleep(Duration::from_millis(5));
                }
                if !cx.cancelled() {
                    done[*job].fetch_add(1, Ordering::Relaxed);
                }
            }
        })
        .unwrap();
    for job in 0..done.len() {
        pool.submit(job).unwrap();
    }
    let stats = quiet(&pool);
    assert_eq!(stats.done, 2_000);
    assert!(stats.leases_lost > 0, "no lease was lost: nothing was tested");
    assert!(done.iter().all(|runs| runs.load(Ordering::Relaxed) >= 1), "at least once");
    let report = pool.shutdown(LONG);
    assert_eq!(report.done, 2_000);
    // A worker that has lost its job may still be at it when all others are done.
    until("every lost job ends late", || pool.stats().late == pool.stats().leases_lost);
}
