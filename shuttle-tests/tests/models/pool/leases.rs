//! Leases: one effective completion for each delivery, however late a settle comes.

use super::{Done, books, closed_books};
use crate::harness::{LONG, Model, spawn, witness};
use millpond::{Context, Lease, Pool, Queue, RetryPolicy, VirtualClock};
use std::sync::Arc;
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(30);

/// Two who take and settle by hand, while the lease runs out: of all that settle, one per job has an effect.
#[test]
fn a_late_settle_is_refused() {
    Model::new("a_late_settle_is_refused", 400).witnesses(&["in time", "refused"]).run(|| {
        let time = VirtualClock::new();
        let queue = Queue::builder()
            .clock(time.clock())
            .lease(Lease::of(LEASE))
            .retry(RetryPolicy::fixed(Duration::ZERO))
            .seed(1)
            .open()
            .unwrap();
        let queue = Arc::new(queue);
        queue.submit(1).unwrap();
        let takers = [0, 1].map(|_| {
            let queue = Arc::clone(&queue);
            spawn(move || {
                let mut acked = 0;
                while let Ok(delivery) = queue.recv() {
                    // Work: taking and settling alone leave the one who reviews the leases hardly a moment in between.
                    shuttle::thread::yield_now();
                    let answer = delivery.ack();
                    witness(if answer.is_ok() { "in time" } else { "refused" });
                    acked += u64::from(answer.is_ok());
                }
                acked
            })
        });
        let mover = spawn(move || time.advance(LEASE));
        mover.join().unwrap();
        assert!(queue.wait_idle(LONG));
        let stats = books(&queue);
        assert_eq!((stats.done, stats.held), (1, 0), "{stats:?}");
        assert!(queue.shutdown(LONG).is_drained());
        let acked: u64 = takers.map(|taker| taker.join().unwrap()).iter().sum();
        assert_eq!(acked, 1, "one completion");
        assert_eq!(closed_books(&queue).done, 1);
    });
}

/// Workers that lose their leases on the way, and a shutdown.
#[test]
fn workers_lose_their_leases() {
    Model::new("workers_lose_their_leases", 300).witnesses(&["kept", "lost"]).run(|| {
        let (time, done) = (VirtualClock::new(), Done::default());
        let book = done.clone();
        let pool = Pool::builder()
            .workers(2)
            .capacity(4)
            .seed(1)
            .clock(time.clock())
            .lease(Lease::of(LEASE))
            .start(move |job: &u32, cx: &Context| {
                shuttle::thread::yield_now();
                // Either answer will do, but it has to be one of the two.
                let _ = cx.extend(LEASE);
                book.add(*job);
            })
            .unwrap();
        pool.submit_many(vec![1, 2]).unwrap();
        let mover = spawn(move || time.advance(LEASE));
        mover.join().unwrap();
        assert!(pool.wait_idle(LONG));
        let stats = books(&pool);
        assert_eq!((stats.done, stats.held), (2, 0), "{stats:?}");
        assert!(pool.shutdown(LONG).is_drained());
        let stats = closed_books(&pool);
        assert_eq!((stats.done, stats.late), (2, stats.leases_lost), "{stats:?}");
        assert_eq!(done.times(), 2 + stats.leases_lost, "as often as it was delivered");
        witness(if stats.leases_lost == 0 { "kept" } else { "lost" });
    });
}
