//! A full pool: who waits, who comes back, who has to go, and that the books show it.

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

use futures::executor::block_on;
use millpond::topic::Topics;
use millpond::{
    BuildError, Context, DeadFull, DeadReason, Displaced, JobEnd, Outcome, Overflow, Pool, PoolBuilder,
    Queue, SubmitError, Unique, VirtualClock,
};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
const ALL: [Overflow; 6] = [
    Overflow::Block,
    Overflow::Reject,
    Overflow::DropOldest(Displaced::Drop),
    Overflow::DropOldest(Displaced::DeadLetter),
    Overflow::DropNewest(Displaced::Drop),
    Overflow::DropNewest(Displaced::DeadLetter),
];

fn builder(capacity: usize, policy: Overflow) -> PoolBuilder {
    Queue::builder().capacity(capacity).overflow(policy).dead_letters(100_000, DeadFull::DropOldest)
}

/// A queue of 1 and 2, which is full.
fn full(policy: Overflow) -> Queue<u32> {
    let queue = builder(2, policy).open().unwrap();
    queue.submit(1).unwrap();
    queue.submit(2).unwrap();
    queue
}

fn drain<T: Copy + Send + 'static>(queue: &Queue<T>) -> Vec<T> {
    let taken = std::iter::from_fn(|| queue.try_recv().ok());
    taken.map(|delivery| (*delivery, delivery.ack().unwrap()).0).collect()
}

fn dead(queue: &Pool<u32>) -> Vec<(u32, DeadReason)> {
    queue.dead().take_all().into_iter().map(|letter| (letter.job, letter.reason)).collect()
}

/// What is left after `bring` has brought 3: the jobs, the dead letters.
fn after(policy: Overflow, bring: impl FnOnce(&Queue<u32>)) -> (Vec<u32>, Vec<u32>) {
    let queue = full(policy);
    bring(&queue);
    let stats = queue.stats();
    assert!(stats.balances() && stats.held <= 2, "{policy:?}: {stats:?}");
    assert_eq!(stats.overflowed - stats.shed, stats.dead, "{policy:?}");
    let jobs = drain(&queue);
    assert!(queue.wait_idle(LONG) && queue.stats().balances());
    let dead = dead(&queue);
    assert!(dead.iter().all(|(_, reason)| *reason == DeadReason::Overflow));
    (jobs, dead.into_iter().map(|(job, _)| job).collect())
}

/// One job too many, brought in every way there is.
#[test]
fn every_way_to_submit_follows_the_policy() {
    type Bring = fn(&Queue<u32>) -> Result<(), SubmitError<u32>>;
    let ways: [(&str, Bring); 10] = [
        ("submit", |queue| queue.submit(3).map(drop)),
        ("try_submit", |queue| queue.try_submit(3).map(drop)),
        ("submit_timeout", |queue| queue.submit_timeout(3, LONG).map(drop)),
        ("submit_async", |queue| block_on(queue.submit_async(3)).map(drop)),
        ("handle", |queue| queue.handle().submit(3).map(drop)),
        ("request", |queue| queue.job(3).ttl(LONG).submit().map(drop)),
        ("request, timed", |queue| {
            queue.job(3).unique("k", Unique::UntilDone).submit_timeout(LONG).map(drop)
        }),
        ("request, async", |queue| block_on(queue.job(3).submit_async()).map(drop)),
        ("tracked", |queue| queue.job(3).tracked().submit().map(drop)),
        ("tracked, async", |queue| block_on(queue.job(3).tracked().submit_async()).map(drop)),
    ];
    for (way, bring) in ways {
        let expect = |policy, jobs: &[u32], letters: &[u32], refused: bool| {
            let mut answer = None;
            let left = after(policy, |queue| answer = Some(bring(queue)));
            assert_eq!(left, (jobs.to_vec(), letters.to_vec()), "{way}, {policy:?}");
            let came_back = matches!(answer, Some(Err(SubmitError::Full(3))));
            assert_eq!(came_back, refused, "{way}, {policy:?}: {answer:?}");
        };
        expect(Overflow::Reject, &[1, 2], &[], true);
        expect(Overflow::DropOldest(Displaced::Drop), &[2, 3], &[], false);
        expect(Overflow::DropOldest(Displaced::DeadLetter), &[2, 3], &[1], false);
        expect(Overflow::DropNewest(Displaced::Drop), &[1, 2], &[], false);
        expect(Overflow::DropNewest(Displaced::DeadLetter), &[1, 2], &[3], false);
    }
    let queue = full(Overflow::Block);
    assert_eq!(queue.try_submit(3), Err(SubmitError::Full(3)));
    assert_eq!(queue.submit_timeout(3, Duration::from_millis(1)), Err(SubmitError::Timeout(3)));
}

#[test]
fn a_batch_follows_the_policy() {
    for (policy, left, letters, accepted) in [
        (Overflow::Reject, vec![1, 2], vec![], 2),
        (Overflow::DropOldest(Displaced::Drop), vec![4, 5], vec![], 5),
        (Overflow::DropOldest(Displaced::DeadLetter), vec![4, 5], vec![1, 2, 3], 5),
        (Overflow::DropNewest(Displaced::DeadLetter), vec![1, 2], vec![3, 4, 5], 5),
    ] {
        let queue = builder(2, policy).open::<u32>().unwrap();
        match queue.submit_many(vec![1, 2, 3, 4, 5]) {
            Ok(ids) => assert_eq!(ids.iter().map(|id| id.get()).collect::<Vec<_>>(), [1, 2, 3, 4, 5]),
            Err(error) => {
                assert_eq!(error.to_string(), "the pool is full: 3 of 5 jobs were not accepted");
                assert_eq!((error.full, error.submitted.len(), error.rest), (true, 2, [3, 4, 5].into()));
            }
        }
        assert_eq!(queue.stats().submitted, accepted);
        assert_eq!((drain(&queue), queue.stats().balances()), (left, true));
        assert_eq!(dead(&queue).into_iter().map(|(job, _)| job).collect::<Vec<_>>(), letters);
    }
}

/// In flight, or waiting for their time: they stay, and the newcomer goes back.
#[test]
fn only_a_job_that_is_ready_can_be_pushed_out() {
    let time = VirtualClock::new();
    let queue = builder(2, Overflow::DropOldest(Displaced::Drop)).clock(time.clock()).open().unwrap();
    queue.submit(1).unwrap();
    let in_hand = queue.recv().unwrap();
    queue.submit_after(2, LONG).unwrap();
    assert_eq!(queue.submit(3), Err(SubmitError::Full(3)));
    assert_eq!(queue.stats().overflowed, 0);
    in_hand.nack(Outcome::Release).unwrap();
    queue.submit(4).unwrap();
    assert_eq!(queue.stats().shed, 1);
    time.advance(LONG);
    let later = [queue.recv().unwrap(), queue.recv().unwrap()];
    assert_eq!(later.each_ref().map(|delivery| **delivery).iter().collect::<HashSet<_>>(), [&2, &4].into());
    later.into_iter().for_each(|delivery| delivery.ack().unwrap());
    assert!(queue.stats().balances());
}

#[test]
fn handles_resolve_and_keys_are_free() {
    for (policy, end) in [
        (Overflow::DropOldest(Displaced::Drop), JobEnd::Dropped),
        (Overflow::DropOldest(Displaced::DeadLetter), JobEnd::Dead(DeadReason::Overflow)),
        (Overflow::DropNewest(Displaced::Drop), JobEnd::Dropped),
        (Overflow::DropNewest(Displaced::DeadLetter), JobEnd::Dead(DeadReason::Overflow)),
    ] {
        let queue = builder(1, policy).open::<u32>().unwrap();
        let until = |key, job| queue.job(job).unique(key, Unique::UntilDone).tracked().submit();
        let (first, second) = (until("a", 1).unwrap(), until("b", 2).unwrap());
        let (gone, key, kept) = match policy {
            Overflow::DropOldest(_) => (first, "a", second),
            _ => (second, "b", first),
        };
        assert_eq!((gone.end(), kept.end()), (Some(end), None), "{policy:?}");
        // A duplicate is refused, and pushes nobody out.
        let other = if key == "a" { "b" } else { "a" };
        assert!(matches!(until(other, 3), Err(SubmitError::Duplicate { .. })));
        assert_eq!(queue.stats().overflowed, 1);
        assert!(until(key, 4).is_ok(), "its key is free");
        // With a time, it is held for that.
        let timed = |job| queue.job(job).unique("t", Unique::For(LONG)).submit();
        timed(5).unwrap();
        queue.submit(6).unwrap();
        assert!(matches!(timed(7), Err(SubmitError::Duplicate { .. })), "{policy:?}");
        assert!(queue.stats().balances());
    }
}

#[test]
fn a_job_that_was_cancelled_goes_as_that() {
    let queue = builder(1, Overflow::DropOldest(Displaced::DeadLetter)).open::<u32>().unwrap();
    let first = queue.job(1).tracked().submit().unwrap();
    assert!(first.cancel());
    queue.submit(2).unwrap();
    assert_eq!((first.end(), queue.stats().cancelled), (Some(JobEnd::Cancelled), 1));
    assert_eq!((queue.stats().overflowed, queue.stats().dead), (0, 0));
}

#[test]
fn a_job_that_is_too_old_dies_of_that() {
    let time = VirtualClock::new();
    let queue =
        builder(1, Overflow::DropOldest(Displaced::DeadLetter)).clock(time.clock()).open::<u32>().unwrap();
    queue.job(1).ttl(LONG).submit().unwrap();
    time.advance(LONG);
    queue.submit(2).unwrap();
    assert_eq!(dead(&queue), [(1, DeadReason::Expired)]);
    assert_eq!((queue.stats().overflowed, queue.stats().died), (0, 1));
    assert!(queue.stats().balances());
}

#[test]
fn redriven_letters_push_nobody_out() {
    let queue = full(Overflow::DropOldest(Displaced::DeadLetter));
    queue.submit(3).unwrap();
    assert!(queue.dead().redrive_all().is_err());
    assert_eq!((drain(&queue), queue.dead().redrive_all()), (vec![2, 3], Ok(1)));
    assert_eq!(drain(&queue), [1]);
}

#[test]
fn submitters_never_wait_for_dead_letters() {
    for policy in ALL {
        let blocking = Queue::builder().overflow(policy).dead_letters(1, DeadFull::Block).open::<u32>();
        let refused = matches!(blocking, Err(BuildError::OverflowBlocks));
        let buries = matches!(
            policy,
            Overflow::DropOldest(Displaced::DeadLetter) | Overflow::DropNewest(Displaced::DeadLetter)
        );
        assert_eq!(refused, buries, "{policy:?}");
    }
}

/// The alarm sounds in the thread that submits, after the newcomer's place is made.
#[test]
fn somebody_is_told_of_the_dead() {
    let told = Arc::new(AtomicUsize::new(0));
    let queue = {
        let told = Arc::clone(&told);
        builder(1, Overflow::DropNewest(Displaced::DeadLetter)).on_dead(move |info| {
            assert_eq!((info.reason, &*info.error), (DeadReason::Overflow, ""));
            told.fetch_add(1, Ordering::Relaxed);
        })
    };
    let queue = queue.open().unwrap();
    queue.submit_many(vec![1, 2, 3]).unwrap();
    assert_eq!(told.load(Ordering::Relaxed), 2);
}

struct Grumpy(bool);

impl Drop for Grumpy {
    fn drop(&mut self) {
        if self.0 {
            // Without the message that the hook would print.
            std::panic::resume_unwind(Box::new("a drop that panics"));
        }
    }
}

#[test]
fn a_drop_that_panics_harms_nobody() {
    for policy in [Overflow::DropOldest(Displaced::Drop), Overflow::DropNewest(Displaced::Drop)] {
        let queue = builder(1, policy).open().unwrap();
        let grumpy = matches!(policy, Overflow::DropOldest(_));
        queue.submit(Grumpy(grumpy)).unwrap();
        queue.submit(Grumpy(!grumpy)).unwrap();
        assert_eq!((queue.stats().shed, queue.stats().held), (1, 1));
        queue.recv().unwrap().ack().unwrap();
        assert!(queue.stats().balances());
    }
}

#[test]
fn topics_that_feed_a_queue_follow_its_policy() {
    for (policy, jobs, letters, dropped) in [
        (Overflow::Reject, vec![1, 2], vec![], 1),
        (Overflow::DropOldest(Displaced::Drop), vec![2, 3], vec![], 0),
        (Overflow::DropOldest(Displaced::DeadLetter), vec![2, 3], vec![1], 0),
        (Overflow::DropNewest(Displaced::Drop), vec![1, 2], vec![], 0),
        (Overflow::DropNewest(Displaced::DeadLetter), vec![1, 2], vec![3], 0),
    ] {
        for lossy in [false, true] {
            let queue = full(policy);
            let topics = Topics::<u32>::new();
            let subscription = topics.subscribe("#").unwrap();
            let feed = match lossy {
                false => subscription.to_queue(&queue.handle()).unwrap(),
                true => subscription.to_queue_lossy(&queue.handle()).unwrap(),
            };
            topics.topic("t").unwrap().publish(3).unwrap();
            let stats = feed.stats();
            assert_eq!((stats.dropped, stats.reached), (dropped, 1 - dropped), "{policy:?}");
            assert!(queue.stats().balances());
            assert_eq!(drain(&queue), jobs, "{policy:?}");
            assert_eq!(dead(&queue).into_iter().map(|(job, _)| job).collect::<Vec<_>>(), letters);
        }
    }
}

/// A place that was made for an event which then could not be published: the books still balance.
#[test]
fn an_event_that_is_held_up_elsewhere_leaves_no_trace_in_the_books() {
    for policy in ALL {
        let queue = full(policy);
        let topics = Topics::<u32>::new();
        let _feed = topics.subscribe("#").unwrap().to_queue(&queue.handle()).unwrap();
        let _slow = topics.subscribe("#").unwrap().lossless(1).unwrap();
        let topic = topics.topic("t").unwrap();
        for event in 3..6 {
            let _full_or_not = topic.try_publish(event);
        }
        assert!(queue.stats().balances(), "{policy:?}: {:?}", queue.stats());
        drain(&queue);
        assert_eq!(queue.stats().held, 0, "{policy:?}");
    }
}

/// Many submitters, few workers, every policy: each job ends once, and every look at the books is within the capacity.
#[test]
fn the_books_balance_under_pressure() {
    const EACH: u64 = 3_000;
    for policy in ALL {
        let runs = Arc::new(AtomicUsize::new(0));
        let pool = {
            let runs = Arc::clone(&runs);
            builder(4, policy).workers(2).start(move |_: &Arc<()>, cx: &Context| {
                runs.fetch_add(1, Ordering::Relaxed);
                if cx.attempt() == 1 && cx.id().get() % 7 == 0 {
                    return Outcome::retry_after(Duration::ZERO, "again");
                }
                Outcome::Done
            })
        };
        let pool = pool.unwrap();
        let token = Arc::new(());
        let [accepted, refused] = std::thread::scope(|scope| {
            let threads = [0, 1, 2].map(|_| {
                scope.spawn(|| {
                    let mut counts = [0, 0];
                    for _ in 0..EACH {
                        let full = pool.submit(Arc::clone(&token)).is_err();
                        counts[usize::from(full)] += 1;
                        assert!(pool.stats().held <= 4);
                    }
                    counts
                })
            });
            threads
                .map(|thread| thread.join().unwrap())
                .into_iter()
                .fold([0, 0], |sum, counts| [sum[0] + counts[0], sum[1] + counts[1]])
        });
        assert!(pool.wait_idle(LONG));
        let stats = pool.stats();
        assert!(stats.balances() && stats.held == 0, "{policy:?}: {stats:?}");
        assert_eq!((stats.submitted, accepted + refused), (accepted, 3 * EACH), "{policy:?}");
        assert_eq!(stats.done + stats.overflowed, accepted, "{policy:?}: {stats:?}");
        assert_eq!(runs.load(Ordering::Relaxed) as u64, stats.done + stats.retried, "{policy:?}");
        if policy == Overflow::Block {
            assert_eq!((refused, stats.overflowed), (0, 0));
        }
        assert_eq!(stats.died, stats.overflowed - stats.shed, "{policy:?}");
        drop((pool.shutdown(LONG), pool));
        assert_eq!(Arc::strong_count(&token), 1, "{policy:?}: each job was dropped");
    }
}

/// A shutdown between the look at the full queue and the push: each job is in one place.
#[test]
fn a_shutdown_meanwhile_loses_nothing() {
    for round in 0..100 {
        for policy in [Overflow::DropOldest(Displaced::Drop), Overflow::DropNewest(Displaced::DeadLetter)] {
            let queue = builder(2, policy).open().unwrap();
            let report = std::thread::scope(|scope| {
                let submitter = scope.spawn(|| (0..1_000).find(|job| queue.submit(*job).is_err()));
                (0..round * 10).for_each(|_| std::hint::spin_loop());
                let report = queue.shutdown(Duration::ZERO);
                submitter.join().unwrap();
                report
            });
            let stats = queue.stats();
            assert!(stats.balances() && stats.held == 0, "{policy:?}: {stats:?}");
            assert_eq!(report.released.len() as u64, stats.released);
        }
    }
}
