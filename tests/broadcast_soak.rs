//! A thousand million messages through each kind of channel: every one is counted, and memory stays flat. Run by hand:
//!
//! ```text
//! cargo test --release --test broadcast_soak -- --ignored --nocapture
//! ```

#![allow(clippy::unwrap_used, reason = "a helper of a test may unwrap as the test may")]

use millpond::broadcast::{Publisher, RecvError, Subscriber, lossless, lossless_evicting, lossy};
use std::thread;
use std::time::Duration;

const COUNT: u64 = 1_000_000_000;

/// Returns the bytes of memory that are resident.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4_096
}

#[cfg(not(target_os = "linux"))]
fn resident() -> usize {
    0
}

fn receive_all(mut subscriber: Subscriber<u64>) -> (u64, u64) {
    let mut next = 0;
    loop {
        match subscriber.recv() {
            Ok(number) => {
                assert_eq!(number, next);
                next += 1;
            }
            Err(RecvError::Lagged(count)) => next += count,
            Err(RecvError::Closed) => return (subscriber.received(), subscriber.lagged()),
            Err(RecvError::Evicted) => panic!("nobody is thrown out here"),
        }
    }
}

/// One publisher, two subscribers that keep up or lag, and one that never reads (in the lossy channel, which it may).
fn soak(name: &str, (publisher, first): (Publisher<u64>, Subscriber<u64>)) {
    let stalled = publisher.is_lossy().then(|| publisher.subscribe());
    let subscribers = [first, publisher.subscribe()].map(|one| thread::spawn(move || receive_all(one)));
    let mut early = 0;
    for number in 0..COUNT {
        publisher.publish(number).unwrap();
        if number == COUNT / 100 {
            early = resident();
        }
    }
    let late = resident();
    drop(publisher);
    for subscriber in subscribers {
        let (received, lagged) = subscriber.join().unwrap();
        assert_eq!(received + lagged, COUNT);
        println!("{name}: received {received}, lagged {lagged}");
    }
    println!("{name}: resident {early} bytes after 1 %, {late} at the end");
    assert!(late <= early + (1 << 20), "memory grows");
    drop(stalled);
}

/// 10^9 messages through each kind of channel.
#[test]
#[ignore = "takes minutes in release, and long without"]
fn a_thousand_million_messages() {
    soak("lossless", lossless(1024));
    soak("evicting", lossless_evicting(1024, Duration::from_secs(60)));
    soak("lossy", lossy(1024));
}
